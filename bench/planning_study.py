"""The planning study: does search help a language model of games, and at what price? From the shipped weights alone.

    python bench/planning_study.py [--quick] [--out docs/studies/planning]

Positions: the test split of the data card, never trained on. Matches: drawn openings of 8 discs, each played twice
with colours swapped; all matches of a pairing are played side by side, so that the model reads in large batches.
Everything is drawn from seeds; a rerun gives the same numbers up to the last bits of a float. Writes `README.md`
and `numbers.json`, which an interrupted study goes on from part by part (`--only`).
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch

from stratarena.agents.evaluators import PriorShape
from stratarena.agents.gamelm.columns import canonical
from stratarena.agents.gamelm.connect_four_positions import ILLEGAL
from stratarena.agents.gamelm.model import load_weights, shipped_weights, write_states
from stratarena.agents.gamelm.positions import Positions, load_positions, make_chunks, terminal_boards
from stratarena.agents.gamelm.reading import STATUSES, read, statuses
from stratarena.agents.gamelm.scores import decisive, kept
from stratarena.agents.gamelm.speech import Question
from stratarena.agents.gamelm.trace_reading import BrokenTrace, check, read_trace
from stratarena.agents.gamelm.traces import prompt
from stratarena.agents.gamelm.values import centres
from stratarena.agents.gamelm.writer import write
from stratarena.agents.search import Evaluation, Leaf, Node, Opened, Search, Settings, most_visits
from stratarena.agents.search_minimax import minimax, widen
from stratarena.games.base import Move

Board = tuple[int, int]
Chooser = Callable[[list[Board]], list[int]]
"""Columns for boards, each seen by its side to move."""
SHAPES = ((0, 1), (1, 2), (1, 3), (2, 2), (2, 3))
SIMULATIONS = (4, 16, 64, 200)
SHAPE = PriorShape(tau=0.1, eps=0.05)
_STRIDE, _ROWS, _COLUMNS = 7, 6, 7
_FULL = sum(((1 << _ROWS) - 1) << (_STRIDE * column) for column in range(_COLUMNS))


def room_in(board: Board) -> list[int]:
    """The columns with room, from left to right; of a board that is not over."""
    taken = board[0] | board[1]
    return [column for column in range(_COLUMNS) if not taken >> (_STRIDE * column + _ROWS - 1) & 1]


def played(board: Board, column: int) -> Board | None:
    """The board after the mover's disc, seen by the other side; None where the column is full or there is none."""
    own, opponent = board
    taken = own | opponent
    if not 0 <= column < _COLUMNS or taken >> (_STRIDE * column + _ROWS - 1) & 1:
        return None
    bottom = 1 << (_STRIDE * column)
    return opponent, own | ((taken + bottom) & ~taken & (bottom * ((1 << _ROWS) - 1)))


def over_by_rules(board: Board) -> float | None:
    """0 where the side that moved last has a line, 0.5 on a full board, None where the game goes on."""
    for step in (1, _STRIDE - 1, _STRIDE, _STRIDE + 1):
        pairs = board[1] & (board[1] >> step)
        if pairs & (pairs >> 2 * step):
            return 0.0
    return 0.5 if (board[0] | board[1]) == _FULL else None


def arrays(boards: Sequence[Board]) -> tuple[np.ndarray, np.ndarray]:
    """The boards as two columns of numbers."""
    return np.array([own for own, _ in boards], np.uint64), np.array([other for _, other in boards], np.uint64)


class Reader:
    """Boards to what the model says of them, with true legality where the rules are given."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.n = 0

    def values(self, boards: list[Board], *, scoring: str = "mean") -> list[dict[int, float]]:
        """Action values of the moves that the rules allow, 0 to 1 for the mover."""
        self.n += len(boards)
        readings = read(self.model, *arrays(boards))
        scores = readings.mean if scoring == "mean" else centres()[readings.mode - 1]
        return [{move: float(row[move]) for move in room_in(board)} for board, row in zip(boards, scores, strict=True)]

    def evaluate(self, boards: list[Board]) -> list[Evaluation]:
        """For a search in the world of the rules."""
        return [evaluation(values) for values in self.values(boards)]

    def imagine(self, wanted: list[tuple[Board, int]]) -> list[Evaluation | None]:
        """What the model says that moves lead to, and what it says of that."""
        boards = write_states(self.model, [Question(board, move) for board, move in wanted])
        self.n += len(boards)
        readings = read(self.model, *arrays(boards))
        found: list[Evaluation | None] = []
        for index, board in enumerate(boards):
            result = {"<won>": 1.0, "<drawn>": 0.5, "<lost>": 0.0}.get(STATUSES[readings.status[index]])
            legal = [int(move) for move in np.flatnonzero(readings.legal[index])]
            first = is_first(board)
            if result is not None:
                opened = Opened(board, first, result if first else 1 - result)
                found.append(Evaluation(result, opened=opened))
            elif legal:
                values = {move: float(readings.mean[index, move]) for move in legal}
                opened = Opened(board, first, None)
                found.append(evaluation(values)._replace(opened=opened, moves=tuple(map(name, legal))))
            else:
                found.append(None)
        return found


def name(column: int) -> Move:
    return Move(str(column + 1))


def is_first(board: Board) -> bool:
    """Whether the side that began is to move."""
    return (board[0] | board[1]).bit_count() % 2 == 0


def evaluation(values: dict[int, float]) -> Evaluation:
    every = tuple(values.values())
    return Evaluation(max(every), SHAPE.priors(every), every)


class ByBoards:
    """The world of the rules, on boards seen by their mover."""

    def open(self, board: Board) -> Opened:
        result = over_by_rules(board)
        first = is_first(board)
        return Opened(board, first, None if result is None else result if first else 1 - result)

    def enter(self, state: Board, move: Move) -> Opened:
        after = played(state, int(move) - 1)
        assert after is not None
        return self.open(after)

    def moves(self, state: Board) -> tuple[Move, ...]:
        return tuple(map(name, room_in(state)))


class Unknown:
    """The model's own world: everything comes with the evaluation."""

    def enter(self, state: Any, move: Move) -> None:
        return None

    def moves(self, state: Any) -> tuple[Move, ...]:
        return ()


def no_search(reader: Reader, scoring: str) -> Chooser:
    """The best action value; the first in the order of columns among equals."""

    def choose(boards: list[Board]) -> list[int]:
        return [max(values, key=values.__getitem__) for values in reader.values(boards, scoring=scoring)]

    return choose


def rules_aware(reader: Reader) -> Chooser:
    """Takes a win, else parries a threat, else the best value."""
    plain = no_search(reader, "mean")

    def choose(boards: list[Board]) -> list[int]:
        forced = [tactics(board) for board in boards]
        return [move if must is None else must for must, move in zip(forced, plain(boards), strict=True)]

    return choose


def tactics(board: Board) -> int | None:
    """A winning move, or else the one that stops the opponent's."""
    for mine, theirs in (board, board[::-1]):
        for column in room_in(board):
            after = played((mine, theirs), column)
            if after is not None and over_by_rules(after) == 0.0:
                return column
    return None


def mcts(reader: Reader, simulations: int, *, imagined: bool = False) -> Chooser:
    """The arena's own tree search around the model, all boards at once."""
    batch = 1 if simulations < 8 else 4 if simulations < 100 else 8
    rules = ByBoards()

    def choose(boards: list[Board]) -> list[int]:
        searches = []
        for board, root in zip(boards, reader.evaluate(boards), strict=True):
            search = Search(rules.open(board), Unknown() if imagined else rules, settings=Settings(), rng=Random(0))
            (leaf,) = search.gather(1)
            search.supply(leaf, root._replace(moves=rules.moves(board)))
            searches.append(search)
        while True:
            going = [search for search in searches if search.simulations < simulations and not search.is_over]
            asked = [
                (search, leaf)
                for search in going
                for leaf in search.gather(min(batch, simulations - search.simulations))
            ]
            if not going:
                break
            for (search, leaf), found in zip(
                asked, evaluated(reader, [leaf for _, leaf in asked], imagined), strict=True
            ):
                search.supply(leaf, found)
        return [best_of(search) for search in searches]

    return choose


def evaluated(reader: Reader, leaves: list[Leaf], imagined: bool) -> list[Evaluation | None]:
    if not leaves:
        return []
    if not imagined:
        return list(reader.evaluate([leaf.node.state for leaf in leaves]))
    wanted = []
    for leaf in leaves:
        assert leaf.node.parent is not None
        assert leaf.node.move is not None
        wanted.append((leaf.node.parent.state, int(leaf.node.move) - 1))
    return reader.imagine(wanted)


def best_of(search: Search) -> int:
    search.list_moves(search.root)
    assert search.root.moves is not None
    return int(search.root.moves[most_visits(search.root)]) - 1


def external_minimax(reader: Reader, depth: int, breadth: int) -> Chooser:
    """Minimax around the model, of the shape that its own searches have; all boards at once."""
    rules = ByBoards()

    def choose(boards: list[Board]) -> list[int]:
        searches = [Search(rules.open(board), rules, settings=Settings(), rng=Random(0)) for board in boards]
        for search, root in zip(searches, reader.evaluate(boards), strict=True):
            search.supply(search.gather(1)[0], root)
        frontiers: list[list[Node]] = [[search.root] for search in searches]
        for _ in range(depth):
            asked: list[tuple[int, Leaf]] = []
            for index, search in enumerate(searches):
                leaves = [leaf for node in frontiers[index] for leaf in widen(search, node, breadth)]
                asked += [(index, leaf) for leaf in leaves]
                frontiers[index] = []
            for (index, leaf), found in zip(asked, evaluated(reader, [leaf for _, leaf in asked], False), strict=True):
                searches[index].supply(leaf, found)
                frontiers[index].append(leaf.node)
        for search in searches:
            minimax(search.root)
        return [best_of(search) for search in searches]

    return choose


@dataclass
class Tally:
    """What internal searches got right, summed."""

    traces: int = 0
    parsed: int = 0
    shape: int = 0
    children: int = 0
    legal: int = 0
    true: int = 0
    backups: int = 0
    consistent: int = 0
    selections: int = 0
    selected_best: int = 0
    tokens: int = 0

    def add(self, tokens: list[int], board: Board) -> int | None:
        """Count a written search; its move, if it can be read and is legal."""
        self.traces += 1
        self.tokens += len(tokens)
        try:
            trace = read_trace(tokens)
        except BrokenTrace:
            return None
        self.parsed += 1
        found = check(trace, *board)
        self.shape += found.asked_shape
        for name in ("children", "legal", "true", "backups", "consistent", "selections", "selected_best"):
            setattr(self, name, getattr(self, name) + getattr(found, name))
        return trace.root.selected


def internal(reader: Reader, depth: int, breadth: int, tally: Tally) -> Chooser:
    """The model's own search; where it is broken or chooses no legal move, the best value."""
    fallback = no_search(reader, "mean")

    def choose(boards: list[Board]) -> list[int]:
        chosen: list[int] = []
        for start in range(0, len(boards), 32):
            some = boards[start : start + 32]
            prompts = [prompt(*board, depth=depth, breadth=breadth) for board in some]
            written = write(
                reader.model, prompts, max_tokens=60 + 40 * sum(breadth**level for level in range(depth + 1))
            )
            for board, one in zip(some, written, strict=True):
                move = tally.add(one.tokens, board)
                chosen.append(move if move in room_in(board) else fallback([board])[0])
        return chosen

    return choose


def open_spiel_mcts(simulations: int) -> Chooser:
    """OpenSpiel's tree search with random rollouts, without solving."""
    import pyspiel

    game = pyspiel.load_game("connect_four")
    evaluator = pyspiel.RandomRolloutEvaluator(1, 7)
    bot = pyspiel.MCTSBot(game, evaluator, 2.0, simulations, 100, False, 7, False)

    def choose(boards: list[Board]) -> list[int]:
        return [int(bot.step(spiel_state(game, board))) for board in boards]

    return choose


def spiel_state(game: Any, board: Board) -> Any:
    """The board in OpenSpiel, reached by some order of moves in which nobody wins on the way."""
    first, second = board if (board[0] | board[1]).bit_count() % 2 == 0 else board[::-1]
    state = game.new_initial_state()

    def go(state: Any, heights: tuple[int, ...], ply: int) -> Any:
        if ply == (first | second).bit_count():
            return state
        mine = (first, second)[ply % 2]
        for column in range(7):
            if mine >> (7 * column + heights[column]) & 1:
                after = state.child(column)
                if not after.is_terminal() or ply + 1 == (first | second).bit_count():
                    found = go(after, (*heights[:column], heights[column] + 1, *heights[column + 1 :]), ply + 1)
                    if found is not None:
                        return found
        return None

    return go(state, (0,) * 7, 0)


def openings(n: int, discs: int, seed: int) -> list[Board]:
    """Different openings of that many discs without a line or a threat that wins at once."""
    rng, found = Random(seed), {}
    while len(found) < n:
        board: Board | None = (0, 0)
        for _ in range(discs):
            board = None if board is None else played(board, rng.randrange(7))
            if board is None or over_by_rules(board) is not None:
                board = None
                break
        if board is not None and tactics(board) is None:
            own, other = arrays([board])
            key = canonical(own, other)
            found[int(key[0][0]), int(key[1][0])] = board
    return list(found.values())


def play(first: Chooser, second: Chooser, starts: list[Board]) -> list[float]:
    """Scores of `first` in each opening, the mean over both colours."""
    # Board, whether `first` is to move, and its score once the game is over.
    games: list[list[Any]] = [[start, index % 2 == 0, None] for start in starts for index in range(2)]
    sides = ((first, True), (second, False))
    while True:
        open_ = [game for game in games if game[2] is None]
        if not open_:
            break
        turns = [(chooser, side, [game for game in open_ if game[1] is side]) for chooser, side in sides]
        for chooser, side, mine in turns:
            if not mine:
                continue
            for game, column in zip(mine, chooser([game[0] for game in mine]), strict=True):
                after = played(game[0], column)
                assert after is not None
                result = over_by_rules(after)
                if result is not None:
                    mover = 1.0 - result
                    game[2] = mover if side else 1.0 - mover
                game[0], game[1] = after, not side
    return [(games[2 * index][2] + games[2 * index + 1][2]) / 2 for index in range(len(starts))]


def elo(score: float) -> float:
    """The difference in Elo that a mean score stands for."""
    score = min(max(score, 1e-3), 1 - 1e-3)
    return -400 * math.log10(1 / score - 1)


def matched(pairs: list[float], seed: int = 0) -> dict[str, Any]:
    """Score and Elo with 95 % intervals by the bootstrap over opening pairs."""
    rng = np.random.default_rng(seed)
    means = rng.choice(pairs, size=(2000, len(pairs))).mean(axis=1)
    low, high = (float(edge) for edge in np.quantile(means, (0.025, 0.975)))
    score = float(np.mean(pairs))
    return {
        "pairs": len(pairs),
        "score": score,
        "low": low,
        "high": high,
        "elo": elo(score),
        "elo_low": elo(low),
        "elo_high": elo(high),
        "p_above_half": float(np.mean(means <= 0.5)),
    }


def share(good: int, n: int) -> dict[str, Any]:
    """A share with its 95 % Wilson interval."""
    if not n:
        return {"value": None, "n": 0, "low": None, "high": None}
    z, p = 1.959964, good / n
    middle, spread = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return {"value": p, "n": n, "low": (middle - spread) / whole, "high": (middle + spread) / whole}


def kept_by(chooser: Chooser, positions: Positions) -> dict[str, Any]:
    """Result kept by the chooser's moves, over all positions and over the decisive ones."""
    boards = [(int(own), int(other)) for own, other in zip(positions.own, positions.opponent, strict=True)]
    began = time.process_time()
    right = kept(positions.scores, np.array(chooser(boards)))
    some = decisive(positions.scores)
    return {
        "all": share(int(right.sum()), len(right)),
        "decisive": share(int(right[some].sum()), int(some.sum())),
        "cpu_ms": (time.process_time() - began) * 1000 / len(boards),
    }


def world_model(reader: Reader, positions: Positions, seed: int) -> dict[str, Any]:
    """Next states, legal moves and ends of the game, against the rules."""
    rng = np.random.default_rng(seed)
    boards = [(int(own), int(other)) for own, other in zip(positions.own, positions.opponent, strict=True)]
    moves = [int(rng.choice(room_in(board))) for board in boards]
    states = []
    for start in range(0, len(boards), 256):
        some = [
            Question(board, move)
            for board, move in zip(boards[start : start + 256], moves[start : start + 256], strict=True)
        ]
        states += write_states(reader.model, some)
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


def leaf_speed(model: Any, positions: Positions) -> dict[str, Any]:
    """Positions a CPU second, read in batches of 64 and 256 and one by one."""
    rows = {}
    for batch, n in ((1, 128), (64, 1024), (256, 1024)):
        own, other = (np.resize(part, n) for part in (positions.own, positions.opponent))
        read(model, own[:batch], other[:batch], batch=batch)
        began = time.process_time()
        read(model, own, other, batch=batch)
        rows[str(batch)] = n / (time.process_time() - began)
    own, other = positions.own[:8], positions.opponent[:8]
    prompts = [prompt(int(a), int(b), depth=0, breadth=1) for a, b in zip(own, other, strict=True)]
    began = time.process_time()
    for one in prompts:
        write(model, [one], max_tokens=60)
    rows["decoded one by one"] = len(prompts) / (time.process_time() - began)
    return rows


def main() -> None:
    """Measure all, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--out", type=Path, default=Path("docs/studies/planning"))
    parser.add_argument("--weights", type=Path, default=shipped_weights())
    parser.add_argument("--data", type=Path, default=Path("training/positions"))
    parser.add_argument("--chunks", type=int, default=8, help="files of the data card, whose test split is used")
    parser.add_argument("--only", nargs="*", help="parts to measure: positions, internal, world, speed, matches")
    options = parser.parse_args()
    torch.set_num_threads(1)
    few = 10 if options.quick else 1
    parts = options.only or ["world", "positions", "internal", "speed", "matches"]
    options.out.mkdir(parents=True, exist_ok=True)
    kept_file = options.out / "numbers.json"
    numbers: dict[str, Any] = json.loads(kept_file.read_text()) if kept_file.exists() else {}
    reader = Reader(load_weights(options.weights))
    test = load_positions(make_chunks(options.data, n_chunks=options.chunks, games=1500))["test"]
    test = test.take(np.random.default_rng(5).permutation(len(test)))
    numbers["versions"] = {
        **{name: metadata.version(name) for name in ("torch", "transformers", "numpy", "bitbully", "open_spiel")},
        "python": platform.python_version(),
    }

    def note(part: str, name: str, found: Any) -> None:
        numbers.setdefault(part, {})[name] = found
        kept_file.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n")
        print(f"{time.process_time():7.0f} s  {part}: {name}: {json.dumps(found)[:300]}", flush=True)

    if "world" in parts:
        note("world", "model", world_model(reader, test.take(slice(2000 // few)), seed=6))
    if "positions" in parts:
        for scoring in ("mean", "max"):
            note(
                "positions", f"no search, {scoring}", kept_by(no_search(reader, scoring), test.take(slice(4732 // few)))
            )
        note("positions", "rules-aware", kept_by(rules_aware(reader), test.take(slice(4732 // few))))
        for depth, breadth in SHAPES[1:]:
            chooser = external_minimax(reader, depth, breadth)
            note("positions", f"minimax ({depth},{breadth})", kept_by(chooser, test.take(slice(1500 // few))))
        for simulations in SIMULATIONS:
            n = (1000 if simulations < 100 else 500) // few
            note("positions", f"mcts-{simulations}", kept_by(mcts(reader, simulations), test.take(slice(n))))
        imagining = mcts(reader, 64, imagined=True)
        note("positions", "mcts-64, imagined", kept_by(imagining, test.take(slice(300 // few))))
    if "internal" in parts:
        for depth, breadth in SHAPES:
            tally = Tally()
            found = kept_by(internal(reader, depth, breadth, tally), test.take(slice(400 // few)))
            found |= {
                "parsed": share(tally.parsed, tally.traces),
                "shape": share(tally.shape, tally.traces),
                "legal": share(tally.legal, tally.children),
                "child states": share(tally.true, tally.children),
                "backups": share(tally.consistent, tally.backups),
                "selections": share(tally.selected_best, tally.selections),
                "tokens": tally.tokens / max(tally.traces, 1),
            }
            note("internal", f"({depth},{breadth})", found)
    if "speed" in parts:
        note("speed", "positions a CPU second", leaf_speed(reader.model, test))
    if "matches" in parts:
        matches(reader, note, few)
    write_report(numbers, options.out)


def told(found: dict[str, Any]) -> str:
    """A share with its interval in percent."""
    if found["value"] is None:
        return "– (n = 0)"
    return f"{found['value']:.2%} [{found['low']:.2%}, {found['high']:.2%}], n = {found['n']}"


def write_report(numbers: dict[str, Any], folder: Path) -> None:
    """The numbers as a page."""
    lines = ["# The game model: what it knows, and what search makes of it", ""]
    lines += [
        "Written by `make study-planning` from `numbers.json` beside it; intervals are 95 %: Wilson's for shares, by the"
    ]
    lines += [
        "bootstrap over opening pairs (colours swapped) for scores. Positions are of the test split: neither they nor",
        "",
    ]
    lines[-1] = "their mirror images were trained on."
    lines += ["", "## World model, held-out positions", "", "| what | share |", "| --- | --- |"]
    for found in numbers.get("world", {}).values():
        lines += [f"| {key.replace('_', ' ')} | {told(one)} |" for key, one in found.items()]
    lines += [
        "",
        "## Result kept by the chosen move",
        "",
        "| player | all positions | decisive positions | CPU ms |",
        "| --- | --- | --- | --- |",
    ]
    for player, found in numbers.get("positions", {}).items():
        lines.append(f"| {player} | {told(found['all'])} | {told(found['decisive'])} | {found['cpu_ms']:.1f} |")
    lines += ["", "## Searches that it writes itself", ""]
    keys = ("decisive", "parsed", "shape", "child states", "backups", "selections")
    lines += [f"| (depth, breadth) | {' | '.join(keys)} | tokens |", "| --- |" + " --- |" * (len(keys) + 1)]
    for shape, found in numbers.get("internal", {}).items():
        lines.append(f"| {shape} | {' | '.join(told(found[key]) for key in keys)} | {found['tokens']:.0f} |")
    lines += ["", "## Matches", "", "| pairing | pairs | score | Elo |", "| --- | --- | --- | --- |"]
    for pairing, found in numbers.get("matches", {}).items():
        lines.append(
            f"| {pairing} | {found['pairs']} | {found['score']:.3f} [{found['low']:.3f}, {found['high']:.3f}] | "
            f"{found['elo']:+.0f} [{found['elo_low']:+.0f}, {found['elo_high']:+.0f}] |"
        )
    lines += ["", "## Positions read, a CPU second", ""]
    for found in numbers.get("speed", {}).values():
        lines += [f"- {how}: {rate:,.0f}" for how, rate in found.items()]
    lines += ["", f"Versions: {', '.join(f'{key} {value}' for key, value in numbers['versions'].items())}.", ""]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def matches(reader: Reader, note: Callable[[str, str, Any], None], few: int) -> None:
    """The pairings, the cheap ones first."""
    plain, aware = no_search(reader, "mean"), rules_aware(reader)
    starts = openings(100 // few, 8, seed=9)
    late = openings(100 // few, 16, seed=10)
    fields: list[tuple[str, Chooser, Chooser, list[Board]]] = [
        ("mean against max, 16 discs", plain, no_search(reader, "max"), late),
        ("mean against max, 8 discs", plain, no_search(reader, "max"), starts),
        ("rules-aware against no search", aware, plain, starts),
        ("minimax (1,3) against no search", external_minimax(reader, 1, 3), plain, starts),
        ("minimax (2,3) against no search", external_minimax(reader, 2, 3), plain, starts),
    ]
    fields += [(f"mcts-{n} against rules-aware", mcts(reader, n), aware, starts) for n in SIMULATIONS[:3]]
    fields += [("mcts-64 against no search", mcts(reader, 64), plain, starts)]
    fields += [("internal (1,3) against no search", internal(reader, 1, 3, Tally()), plain, starts[: 50 // few])]
    fields += [("mcts-200 against OpenSpiel MCTS 1000", mcts(reader, 200), open_spiel_mcts(1000), starts[: 25 // few])]
    fields += [
        ("mcts-64 imagined against mcts-64", mcts(reader, 64, imagined=True), mcts(reader, 64), starts[: 25 // few]),
        ("mcts-200 against rules-aware", mcts(reader, 200), aware, starts[: 50 // few]),
        ("internal (2,3) against no search", internal(reader, 2, 3, Tally()), plain, starts[: 25 // few]),
        (
            "internal (2,3) against minimax (2,3)",
            internal(reader, 2, 3, Tally()),
            external_minimax(reader, 2, 3),
            starts[: 25 // few],
        ),
    ]
    for name, first, second, some in fields:
        began = time.process_time()
        found = matched(play(first, second, some))
        note("matches", name, found | {"cpu_s": time.process_time() - began})


if __name__ == "__main__":
    main()
