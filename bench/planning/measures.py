"""What is measured on held-out positions: results kept, the model as a world, its own searches, imagined ones, speed."""

from __future__ import annotations

import math
import time
from collections import Counter
from typing import Any

import numpy as np

from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.connect_four_positions import ILLEGAL, label
from stratarena.agents.gamelm.positions import Positions, terminal_boards
from stratarena.agents.gamelm.reading import read, statuses
from stratarena.agents.gamelm.scores import decisive, kept
from stratarena.agents.gamelm.splits import plainest
from stratarena.agents.gamelm.traces import prompt
from stratarena.agents.gamelm.writer import write

from .boards import Board, arrays, over_by_rules, played, room_in
from .players import Chooser, Dreams, Reader
from .tables import share


def boards_of(positions: Positions) -> list[Board]:
    return [(int(own), int(other)) for own, other in zip(positions.own, positions.opponent, strict=True)]


def kept_by(chooser: Chooser, reader: Reader, positions: Positions) -> dict[str, Any]:
    """Result kept by the chooser's moves, over all positions and over the decisive ones; its price in tokens and time.

    `right` holds one digit a position, so that players can be compared position by position.
    """
    began, before = time.process_time(), reader.tokens
    right = kept(positions.scores, np.array(chooser(boards_of(positions))))
    some = decisive(positions.scores)
    return {
        "all": share(int(right.sum()), len(right)),
        "decisive": share(int(right[some].sum()), int(some.sum())),
        "cpu_ms": (time.process_time() - began) * 1000 / len(right),
        "tokens": (reader.tokens - before) / len(right),
        "right": "".join("01"[int(one)] for one in right),
    }


def paired(one: str, other: str) -> dict[str, Any]:
    """Positions that only the one or only the other keeps, and the chance of such a split or a wider one if neither
    were better: the exact two-sided sign test."""
    better = sum(a > b for a, b in zip(one, other, strict=False))
    worse = sum(a < b for a, b in zip(one, other, strict=False))
    n, few = better + worse, min(better, worse)
    p = min(1.0, 2 * sum(math.comb(n, k) for k in range(few + 1)) / 2**n) if n else 1.0
    return {"n": min(len(one), len(other)), "better": better, "worse": worse, "p": p}


def world_model(reader: Reader, positions: Positions, seed: int) -> dict[str, Any]:
    """Next states, legal moves and ends of the game, against the rules."""
    rng = np.random.default_rng(seed)
    boards = boards_of(positions)
    moves = [int(rng.choice(room_in(board))) for board in boards]
    states = states_in_batches(reader, list(zip(boards, moves, strict=True)))
    right = sum(state == played(board, move) for state, board, move in zip(states, boards, moves, strict=True))
    readings = read(reader.model, positions.own, positions.opponent)
    legal = int(((positions.scores != ILLEGAL) == readings.legal).all(axis=1).sum())
    going = int((readings.status == 0).sum())
    over = terminal_boards(positions)
    pick = rng.permutation(len(over[0]))[: len(positions)]
    ended = read(reader.model, over[0][pick], over[1][pick])
    told = int((ended.status == statuses(over[0][pick], over[1][pick])).sum())
    return {
        "next_state": share(right, len(boards)),
        "legal_set": share(legal, len(boards)),
        "going_said_going": share(going, len(boards)),
        "end_and_result": share(told, len(pick)),
    }


def states_in_batches(reader: Reader, wanted: list[tuple[Board, int]]) -> list[Board]:
    found = []
    for start in range(0, len(wanted), 256):
        found += reader.states(wanted[start : start + 256])
    return found


def compounded(reader: Reader, positions: Positions, plies: int, seed: int) -> dict[str, Any]:
    """Random games of which the model alone keeps the board: the share whose board is still true after t plies."""
    rng = np.random.default_rng(seed)
    games = [(board, board) for board in boards_of(positions)]
    found = {}
    for ply in range(1, plies + 1):
        games = [(told, true) for told, true in games if over_by_rules(true) is None]
        moves = [int(rng.choice(room_in(true))) for _, true in games]
        told = states_in_batches(reader, [(told, move) for (told, _), move in zip(games, moves, strict=True)])
        true = [played(true, move) for (_, true), move in zip(games, moves, strict=True)]
        games = [(one, other) for one, other in zip(told, true, strict=True) if other is not None]
        found[str(ply)] = share(sum(one == other for one, other in games), len(games))
    return found


def of_dreams(dreams: Dreams) -> dict[str, Any]:
    """Shares of what imagined searches said that was true, by depth."""
    counts = dreams.counts
    return {
        str(depth): {
            "states": share(counts["states", depth], n),
            "ends": share(counts["ends", depth], counts["real", depth]),
            "legal sets": share(counts["sets", depth], counts["going", depth]),
        }
        for (kind, depth), n in sorted(counts.items())
        if kind == "nodes"
    }


def leaf_agreement(reader: Reader, positions: Positions) -> dict[str, Any]:
    """Whether values are as good at the leaves of a search of depth 1 as at its root.

    The share of positions where the move of the highest value is one of those with the highest exact score: at held-out
    positions, and at what follows a held-out position's best-valued three moves, scored by the solver.
    """
    top = np.where(positions.scores == ILLEGAL, -99, positions.scores)
    values = reader.values(boards_of(positions))
    at_root = sum(row[max(found, key=found.__getitem__)] == row.max() for row, found in zip(top, values, strict=True))
    leaves = [
        after
        for board, found in zip(boards_of(positions), values, strict=True)
        for move in sorted(found, key=lambda move: -found[move])[:3]
        if (after := played(board, move)) is not None and over_by_rules(after) is None
    ]
    scores = label(*arrays(leaves)).scores
    below = reader.values(leaves)
    good = sum(row[max(found, key=found.__getitem__)] == row.max() for row, found in zip(scores, below, strict=True))
    return {"root": share(int(at_root), len(top)), "leaves": share(int(good), len(leaves))}


def overlap(seen: Counter[Board], train: Positions) -> dict[str, Any]:
    """How many of the positions of matches were trained on, as they are or mirrored, by discs on the board."""
    known = set(zip(train.own.tolist(), train.opponent.tolist(), strict=True))
    boards = list(seen)
    plain = plainest(FORM, *arrays(boards))
    names = zip(plain[0].tolist(), plain[1].tolist(), strict=True)
    counts: dict[str, list[int]] = {}
    for board, name in zip(boards, names, strict=True):
        discs = (board[0] | board[1]).bit_count()
        counted = counts.setdefault(f"{discs // 6 * 6:02d}-{discs // 6 * 6 + 5}", [0, 0])
        counted[0] += seen[board]
        counted[1] += seen[board] * (name in known)
    return {phase: share(good, n) for phase, (n, good) in sorted(counts.items())}


def leaf_speed(model: Any, positions: Positions) -> dict[str, Any]:
    """Positions a CPU second, read in batches of 64 and 256, alone, and as texts one by one."""
    rows = {}
    for batch, n in ((1, 128), (64, 1024), (256, 1024)):
        own, other = (np.resize(part, n) for part in (positions.own, positions.opponent))
        read(model, own[:batch], other[:batch], batch=batch)
        began = time.process_time()
        read(model, own, other, batch=batch)
        rows[f"read, {batch} at a time"] = n / (time.process_time() - began)
    own, other = positions.own[:24], positions.opponent[:24]
    prompts = [prompt(FORM, int(a), int(b), depth=0, breadth=1) for a, b in zip(own, other, strict=True)]
    began = time.process_time()
    for one in prompts:
        write(model, [one], max_tokens=60)
    rows["decoded one by one"] = len(prompts) / (time.process_time() - began)
    return rows
