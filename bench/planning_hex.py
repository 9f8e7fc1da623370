"""The planning study of Hex 5x5: what the shipped model knows, and what search around it is worth. `make study-planning-hex`.

    python bench/planning_hex.py [--quick] [--only PART ...] [--out docs/studies/planning-hex]

Whoever plays here is an agent of the arena, as a tournament would make it; many think side by side, so that the model
reads in large batches. Positions: the test split of the data card, never trained on. Matches: the balanced openings of 2
to 4 plies, each played twice with colours swapped. Everything is drawn from seeds. Every number is written to `numbers.json`
as soon as it is there; cut off, the study goes on where it was.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from planning.matches import matched
from planning.measures import paired, share
from planning.page import percent, signed, table
from planning_study import Book

from stratarena.agents.base import AgentSpec, Appraise, Ask, Consult, Spent, View
from stratarena.agents.budget import FREE
from stratarena.agents.engines.base import Engine, EngineSpec
from stratarena.agents.engines.base import appraise as appraise_by
from stratarena.agents.engines.open import open_engine
from stratarena.agents.gamelm.games import HEX_5X5
from stratarena.agents.gamelm.hex_form import FORM_5X5 as FORM
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.model import GameInference, load_weights, shipped_weights, write_states
from stratarena.agents.gamelm.positions import Positions, load_positions, make_chunks, terminal_boards
from stratarena.agents.gamelm.reading import read
from stratarena.agents.gamelm.scores import decisive, kept
from stratarena.agents.gamelm.speech import Question
from stratarena.arena.config import make_agent
from stratarena.games.base import Move, MoveError, Seat
from stratarena.games.hex import Hex, Position
from stratarena.games.openings import Line, lines

GAME = Hex(5)
CHUNKS, GAMES = 8, 300
"""Of the data card."""
PARTS = ("world", "speed", "positions", "matches")
PLAIN = "no search"
BOTH_WAYS = "no search, both ways"
"""Each board is read as it is and turned by half, and the mean taken."""
SEARCH = {"kind": "mcts_llm", "model": "m", "evaluator": "game_lm", "tau": 0.1, "eps": 0.05}
PLAYERS: dict[str, dict[str, Any]] = {
    "random": {"kind": "random"},
    "greedy": {"kind": "greedy"},
    PLAIN: {"kind": "game_lm", "model": "m"},
    BOTH_WAYS: {"kind": "game_lm", "model": "m, both ways"},
    "no search, max": {"kind": "game_lm", "model": "m", "scoring": "max"},
    "minimax (1,3)": {"kind": "tree_of_thought", "model": "m", "evaluator": "game_lm", "depth": 1, "breadth": 3},
    "minimax (2,3)": {"kind": "tree_of_thought", "model": "m", "evaluator": "game_lm", "depth": 2, "breadth": 3},
    **{f"mcts-{n}": {**SEARCH, "simulations": n} for n in (4, 16, 64, 200)},
    "mcts-64, imagined": {**SEARCH, "simulations": 64, "world": "model"},
    **{f"hex-{n}": {"kind": "rung", "name": f"hex-{n}"} for n in range(1, 7)},
}
KEPT = (
    # Player, and on how many test positions.
    (PLAIN, 5000),
    ("no search, max", 5000),
    (BOTH_WAYS, 5000),
    ("minimax (1,3)", 500),
    ("mcts-16", 1000),
    ("mcts-64", 600),
    ("mcts-200", 400),
    ("mcts-64, imagined", 300),
)
PAIRINGS = (
    # Agents, and the number of openings.
    (PLAIN, "random", 40),
    (PLAIN, "greedy", 40),
    ("mcts-16", PLAIN, 40),
    (PLAIN, "no search, max", 40),
    (PLAIN, "hex-3", 40),
    ("mcts-64", PLAIN, 40),
    ("mcts-200", PLAIN, 40),
    ("mcts-64", "hex-5", 40),
    ("mcts-64", "mcts-16", 40),
    ("mcts-64, imagined", "mcts-64", 40),
)


@dataclass
class Hall:
    """Where agents think side by side: the model answers all at once, engines one after another."""

    models: dict[str, GameInference]
    engines: dict[EngineSpec, Engine] = field(default_factory=dict)
    evaluated: int = 0
    """Positions that the model was asked about."""

    def decide(self, player: str, views: Sequence[View[Any]]) -> list[Move | None]:
        """The moves of one agent on many views; None where its answer is refused, for no move is made up for it."""
        agent = make_agent(AgentSpec(player, PLAYERS[player]["kind"], _without_kind(PLAYERS[player])))
        thinking = [agent.deliberate(view) for view in views]
        moves: list[Move | None] = [None] * len(views)
        replies: list[Any] = [None] * len(views)
        open_ = set(range(len(views)))
        while open_:
            asks: list[tuple[int, Ask]] = []
            for index in sorted(open_):
                try:
                    step = thinking[index].send(replies[index])
                except StopIteration as stop:
                    moves[index] = stop.value.move
                    open_.remove(index)
                    continue
                except MoveError:
                    open_.remove(index)
                    continue
                replies[index] = self._reply(step)
                if isinstance(step, Ask):
                    asks.append((index, step))
            for name, model in self.models.items():
                of_it = [(index, step.requests) for index, step in asks if step.model == name]
                answers = iter(model.answer([request for _, requests in of_it for request in requests]))
                for index, requests in of_it:
                    replies[index] = tuple(next(answers) for _ in requests)
                    self.evaluated += len(requests)
        return moves

    def _reply(self, step: Any) -> Any:
        """To everything but questions to the model."""
        match step:
            case Consult(engine, query):
                return self._open(engine).consult(query)
            case Appraise(engine, query, sought):
                return appraise_by(self._open(engine), query, sought).found
            case Spent():
                return FREE
        return None

    def _open(self, spec: EngineSpec) -> Engine:
        if spec not in self.engines:
            self.engines[spec] = open_engine(spec)
        return self.engines[spec]

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()


def _without_kind(params: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key != "kind"}


def view_of(state: Position, seed: int, start: str, moves: tuple[Move, ...] = ()) -> View[Position]:
    """What an agent sees of a position that came about by these moves from that start."""
    return View(game=GAME, state=state, seat=GAME.to_move(state), ply=state.plies, start=start, moves=moves, seed=seed)


def kept_by(hall: Hall, player: str, positions: Positions) -> dict[str, Any]:
    """Result kept by the moves of an agent, over all positions and the decisive ones, one digit a position in `right`."""
    texts = list(texts_of(positions))
    states = [GAME.decode(text) for text in texts]
    began, before = time.process_time(), hall.evaluated
    views = [view_of(state, index, text) for index, (state, text) in enumerate(zip(states, texts, strict=True))]
    moves = hall.decide(player, views)
    chosen = [-1 if move is None else FORM.index(move, view.seat) for move, view in zip(moves, views, strict=True)]
    made = np.array(chosen) >= 0
    right = made & kept(positions.scores, np.maximum(chosen, 0))
    some = decisive(positions.scores)
    return {
        "all": share(int(right.sum()), len(right)),
        "decisive": share(int(right[some].sum()), int(some.sum())),
        "refused": share(int((~made).sum()), len(made)),
        "cpu_ms": (time.process_time() - began) * 1000 / len(right),
        "evaluated": (hall.evaluated - before) / len(right),
        "right": "".join("01"[int(one)] for one in right),
    }


def texts_of(positions: Positions) -> Iterable[str]:
    """The positions in the arena's notation."""
    for own, opponent in zip(positions.own.tolist(), positions.opponent.tolist(), strict=True):
        stones = own.bit_count() + opponent.bit_count()
        yield FORM.encode((own, opponent), Seat.SECOND if stones % 2 else Seat.FIRST)


def play(hall: Hall, first: str, second: str, openings: Sequence[Line]) -> list[tuple[float, float]]:
    """Points of the first named agent in each opening: where it has seat FIRST, and where the other has.

    An answer that is refused loses the match.
    """
    states = []
    for line in openings:
        state = empty = GAME.initial(Random(0))
        for move in line.moves:
            state = GAME.play(state, move)
        states += [state, state]
    paths = [line.moves for line in openings for _ in range(2)]
    refused: dict[int, str] = {}
    names = [(first, second) if index % 2 == 0 else (second, first) for index in range(len(states))]
    while True:
        for player in (first, second):
            turns = [
                index
                for index, state in enumerate(states)
                if GAME.outcome(state) is None
                and index not in refused
                and names[index][GAME.to_move(state) is Seat.SECOND] == player
            ]
            views = [
                view_of(states[index], 1000 * index + states[index].plies, GAME.encode(empty), paths[index])
                for index in turns
            ]
            for index, move in zip(turns, hall.decide(player, views), strict=True):
                if move is None:
                    refused[index] = player
                else:
                    states[index] = GAME.play(states[index], move)
                    paths[index] = (*paths[index], move)
        outcomes = [GAME.outcome(state) for state in states]
        if all(outcome is not None or index in refused for index, outcome in enumerate(outcomes)):
            break
    points = [
        float(second == refused[index] if outcome is None else names[index][outcome.winner is Seat.SECOND] == first)
        for index, outcome in enumerate(outcomes)
    ]
    return list(zip(points[::2], points[1::2], strict=True))


def world_model(model: Any, positions: Positions, seed: int) -> dict[str, Any]:
    """Next states, legal moves and ends of the game, against the rules."""
    rng = np.random.default_rng(seed)
    room = FORM.room(positions.own, positions.opponent)
    moves = np.where(room, rng.random(room.shape), -1.0).argmax(axis=1)
    boards = zip(positions.own.tolist(), positions.opponent.tolist(), strict=True)
    asked = [Question(board, int(move), game=HEX_5X5) for board, move in zip(boards, moves, strict=True)]
    true = zip(*(side.tolist() for side in FORM.play(positions.own, positions.opponent, moves)), strict=True)
    right = sum(state == board for state, board in zip(write_states(model, asked), true, strict=True))
    readings = read(model, positions.own, positions.opponent)
    legal = int(((positions.scores != ILLEGAL) == readings.legal).all(axis=1).sum())
    over = terminal_boards(positions)
    pick = rng.permutation(len(over[0]))[: len(positions)]
    ended = read(model, over[0][pick], over[1][pick])
    told = int((ended.status == FORM.statuses(over[0][pick], over[1][pick])).sum())
    return {
        "next state exact": share(right, len(asked)),
        "legal moves exact": share(legal, len(positions)),
        "going on told": share(int((readings.status == 0).sum()), len(positions)),
        "end and result told": share(told, len(pick)),
    }


def speed(model: Any, positions: Positions) -> dict[str, float]:
    """Positions read a CPU second, in batches and one by one."""
    found = {}
    for batch, n in ((1, 64), (64, 512), (256, 512)):
        own, other = (np.resize(part, n) for part in (positions.own, positions.opponent))
        read(model, own[:batch], other[:batch], batch=batch)
        began = time.process_time()
        read(model, own, other, batch=batch)
        found[f"batches of {batch}"] = n / (time.process_time() - began)
    return found


def write_page(numbers: dict[str, Any], folder: Path) -> None:
    """The numbers as a page."""
    made = numbers["made"]
    lines_ = [
        "# Hex 5x5: what the game model knows, and what search around it is worth",
        "",
        "Written by `make study-planning-hex` from `numbers.json` beside it. Intervals are 95 %: Wilson's for shares, by the",
        "bootstrap over openings (each played twice, colours swapped) for scores. Positions are of the test split: neither they",
        "nor their images under the board's symmetries were trained on. Labels and results are exact.",
        "",
        f"Weights: `sha256:{made['weights'][:16]}…`. Seeds: order of test positions 5, moves asked about 6, bootstrap 0. "
        + ", ".join(f"{name} {version}" for name, version in made["versions"].items())
        + ".",
        "",
        "## The model as a world",
        "",
        *table(("what", "held-out boards"), [(name, percent(found)) for name, found in _of(numbers, "world", "model")]),
        "## Result kept by the chosen move",
        "",
        "Decisive: some legal move throws the win away. `p`: exact sign test against no search on the same positions. Refused: the",
        "model took the game for over, or valued no legal move; that keeps nothing, and loses a match.",
        "",
        *table(
            ("player", "all positions", "decisive positions", "p", "refused", "boards read", "CPU ms"),
            [
                (
                    player,
                    percent(found["all"]),
                    percent(found["decisive"]),
                    "" if player == PLAIN else f"{_against_plain(numbers, found)['p']:.2g}",
                    f"{found['refused']['value']:.2%}",
                    f"{found['evaluated']:.1f}",
                    f"{found['cpu_ms']:.1f}",
                )
                for player, found in _in_order(numbers, "positions", (player for player, _ in KEPT))
            ],
        ),
        "## Matches",
        "",
        "`hex-N` are the rungs of the ladder (docs/ladder.md; rated on 7x7). On a solved board each opening is won for one",
        "side, so two perfect players would score 0.5 over a swapped pair.",
        "",
        *table(
            ("pairing", "openings", "score of the first", "Elo"),
            [
                (
                    pairing,
                    str(found["pairs"]),
                    *_told(found),
                )
                for pairing, found in _in_order(
                    numbers, "matches", (_pairing(one, other) for one, other, _ in PAIRINGS)
                )
            ],
        ),
        "## Boards read a CPU second",
        "",
        *table(
            ("how", "boards"),
            [(how, f"{rate:,.0f}") for how, rate in sorted(_of(numbers, "speed", "boards"), key=lambda row: row[1])],
        ),
    ]
    (folder / "README.md").write_text("\n".join(lines_).rstrip("\n") + "\n", encoding="utf-8")


def _of(numbers: dict[str, Any], part: str, name: str) -> Iterable[tuple[str, Any]]:
    return numbers.get(part, {}).get(name, {}).items()


def _in_order(numbers: dict[str, Any], part: str, names: Iterable[str]) -> Iterable[tuple[str, Any]]:
    found = numbers.get(part, {})
    return [(name, found[name]) for name in names if name in found]


def _told(found: dict[str, Any]) -> tuple[str, str]:
    """Score and Elo; where all openings gave the same, the bootstrap knows no interval."""
    if found["low"] == found["high"]:
        return f"{found['score']:.3f}, in every opening", "–" if found["score"] in (0, 1) else f"{found['elo']:+.0f}"
    return f"{found['score']:.3f} [{found['low']:.3f}, {found['high']:.3f}]", signed(found)


def _pairing(first: str, second: str) -> str:
    return f"{first} against {second}"


def _against_plain(numbers: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return paired(found["right"], numbers["positions"][PLAIN]["right"])


def main() -> None:
    """Measure what is missing, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--out", type=Path, default=Path("docs/studies/planning-hex"))
    parser.add_argument("--weights", type=Path, default=shipped_weights(HEX_5X5))
    parser.add_argument("--data", type=Path, default=Path("training/positions"))
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="parts to measure, in this order")
    options = parser.parse_args()
    torch.set_num_threads(1)
    few = 10 if options.quick else 1
    options.out.mkdir(parents=True, exist_ok=True)
    weights = sha256((options.weights / "model.safetensors").read_bytes()).hexdigest()
    versions = {name: metadata.version(name) for name in ("torch", "transformers", "numpy", "numba", "open_spiel")}
    made = {"weights": weights, "quick": options.quick, "versions": versions | {"python": platform.python_version()}}
    book = Book(options.out / "numbers.json", made)
    model = load_weights(options.weights)
    hall = Hall({"m": GameInference(model), "m, both ways": GameInference(model, both_ways=True)})
    test = load_positions(make_chunks(options.data, n_chunks=CHUNKS, games=GAMES, game=HEX_5X5), HEX_5X5)["test"]
    test = test.take(np.random.default_rng(5).permutation(len(test)))
    openings = lines(GAME.id, "balanced")

    def measure(part: str, name: str, what: Callable[[], Any]) -> None:
        book.note(part, name, what)
        write_page(book.numbers, options.out)

    try:
        if "world" in options.only:
            measure("world", "model", lambda: world_model(model, test.take(slice(max(1, len(test) // few))), seed=6))
        if "speed" in options.only:
            measure("speed", "boards", lambda: speed(model, test))
        if "positions" in options.only:
            for player, n in KEPT:
                measure("positions", player, lambda p=player, n=n: kept_by(hall, p, test.take(slice(n // few))))
        if "matches" in options.only:
            for first, second, n in PAIRINGS:

                def match(first: str = first, second: str = second, n: int = n) -> dict[str, Any]:
                    began = time.process_time()
                    results = play(hall, first, second, openings[: max(2, n // few)])
                    return matched(results) | {"results": results, "cpu_s": time.process_time() - began}

                measure("matches", _pairing(first, second), match)
    finally:
        hall.close()
    write_page(book.numbers, options.out)


if __name__ == "__main__":
    main()
