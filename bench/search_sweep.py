"""Why c = 0.75 and first-play urgency 0.5 are the defaults, and an untried move that counts as lost a mistake: `make search-sweep`.

    python bench/search_sweep.py [--openings 100] [--simulations 64] [--out build/search-sweep.jsonl]

Connect Four from the bundled even positions of 16 discs: searches with other constants against searches with the default ones, on the
same noisy oracle (bitbully's values, an error of 1.5 logits on each: the middle one of docs/studies/external-search). Each opening is
played from both sides; the oracle's errors belong to the seat, so each side gets either oracle once. Each pair is written when it ends:
a stopped run goes on where it was. Nothing here asks a clock: the same numbers come again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib import metadata
from math import log10
from pathlib import Path
from random import Random

from stratarena.agents.engines.base import Appraisal, EngineSpec, Query
from stratarena.agents.engines.bitbully_solver import BitBullySolver
from stratarena.agents.evaluators import NoisyOracle, PriorShape, Spot
from stratarena.agents.search import Search, most_visits
from stratarena.agents.search_tree import ByRules, Evaluation, Node, Settings
from stratarena.analysis.ratio import share_over_clusters
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.openings import Line, lines

DEFAULT = Settings()
SETTINGS = {
    "c = 0.2": Settings(c=0.2),
    "c = 0.4": Settings(c=0.4),
    "c = 1.5": Settings(c=1.5),
    "c = 3": Settings(c=3.0),
    "untried = lost (first-play 0)": Settings(first_play=0.0),
    "untried = lost, c = 1.5": Settings(first_play=0.0, c=1.5),
    "untried = won (first-play 1)": Settings(first_play=1.0),
    "untried = its own estimate": Settings(first_play=None),
    "proven results not backed up": Settings(solve=False),
}
NOISE = 1.5
GAME = ConnectFour()
START = GAME.encode(GAME.initial(Random(0)))
SOLVER = BitBullySolver(EngineSpec(kind="bitbully"))
WORLD = ByRules(GAME)


_SOLVED: dict[str, Appraisal] = {}


def solved_at(digest: str, moves: tuple[Move, ...]) -> Appraisal:
    """As the solver says, each position once, however it was reached."""
    found = _SOLVED.get(digest)
    if found is None:
        found = _SOLVED[digest] = SOLVER.appraise((Query(game=GAME.id, start=START, moves=moves, seed=0),)).found[0]
    return found


def evaluator(
    oracle: NoisyOracle, moves: tuple[Move, ...], known: dict[str, Evaluation]
) -> Callable[[Node], Evaluation]:
    """The oracle as the kernel asks it, after these moves."""

    def evaluate(node: Node) -> Evaluation:
        digest = GAME.digest(node.state)
        found = known.get(digest)
        if found is None:
            line, above = [], node
            while above.parent is not None and above.move is not None:
                line.append(above.move)
                above = above.parent
            seat = Seat.FIRST if node.first else Seat.SECOND
            spot = Spot(node.state, seat, tuple(GAME.legal_moves(node.state)), tuple(reversed(line)))
            found = known[digest] = oracle.judged(GAME, spot, solved_at(digest, (*moves, *spot.line)))
        return found

    return evaluate


def play(first: Settings, second: Settings, opening: Line, number: int, simulations: int) -> float:
    """What FIRST scores."""
    state, moves = GAME.initial(Random(0)), opening.moves
    for move in moves:
        state = GAME.play(state, move)
    shape = PriorShape(tau=0.1, eps=0.05)
    oracles = {
        seat: NoisyOracle(EngineSpec(kind="bitbully"), noise=NOISE, seed=2 * number + side, shape=shape)
        for side, seat in enumerate(Seat)
    }
    known: dict[Seat, dict[str, Evaluation]] = {seat: {} for seat in Seat}
    while (outcome := GAME.outcome(state)) is None:
        seat = GAME.to_move(state)
        settings = first if seat is Seat.FIRST else second
        search = Search(WORLD.open(state), WORLD, settings=settings, rng=Random(f"{number} {len(moves)}"))
        search.run(evaluator(oracles[seat], moves, known[seat]), simulations)
        search.list_moves(search.root)
        assert search.root.moves is not None
        move = search.root.moves[most_visits(search.root)]
        state, moves = GAME.play(state, move), (*moves, move)
    return 0.5 if outcome.winner is None else float(outcome.winner is Seat.FIRST)


def told(name: str, pairs: list[list[float]]) -> str:
    """A row of the table."""
    score = share_over_clusters([(sum(pair), 2) for pair in pairs])
    value, low, high = (elo(each) for each in (score.value, score.low, score.high))
    n = 2 * len(pairs)
    return f"| {name} | {n} | {100 * (score.value or 0):.1f} % | {value:+.0f} [{low:+.0f}, {high:+.0f}] |"


def elo(share: float | None) -> float:
    """The difference that a share of the points stands for."""
    assert share is not None
    share = min(max(share, 0.001), 0.999)
    return 400 * log10(share / (1 - share))


def main() -> None:
    """Play what is missing, and print a row for each setting."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--openings", type=int, default=100)
    parser.add_argument("--simulations", type=int, default=64)
    parser.add_argument("--out", type=Path, default=Path("build/search-sweep.jsonl"))
    wanted = parser.parse_args()
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(row) for row in wanted.out.read_text().splitlines()] if wanted.out.exists() else []
    done = {(row["settings"], row["simulations"], row["number"]): row["points"] for row in rows}
    found: dict[str, list[list[float]]] = {name: [] for name in SETTINGS}
    # Opening by opening, so that the solver's answers serve all settings.
    for number, opening in enumerate(lines(GAME.id, "late")[: wanted.openings]):
        for name, settings in SETTINGS.items():
            key = (name, wanted.simulations, number)
            if key not in done:
                one = play(settings, DEFAULT, opening, number, wanted.simulations)
                other = 1 - play(DEFAULT, settings, opening, number, wanted.simulations)
                done[key] = [one, other]
                row = {"settings": name, "simulations": wanted.simulations, "number": number, "points": done[key]}
                with wanted.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
            found[name].append(done[key])
        _SOLVED.clear()
    print(f"{wanted.simulations} simulations a move, noise {NOISE}, bitbully {metadata.version('bitbully')}")
    print(f"{time.process_time():.0f} CPU s in this run\n")
    print(f"| against c = {DEFAULT.c}, first-play {DEFAULT.first_play} | matches | score | Elo [95 %] |")
    print("| --- | --- | --- | --- |")
    for name, pairs in found.items():
        print(told(name, pairs))


if __name__ == "__main__":
    main()
