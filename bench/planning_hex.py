"""The planning study of Hex 5x5: what the shipped model knows, and what search around it is worth. `make study-planning-hex`.

    python bench/planning_hex.py [--quick] [--only PART ...] [--out docs/studies/planning-hex]

The model plays without search, with searches around it, and with searches that it writes itself. Whoever plays here is an agent of the arena, as a tournament would make it; many think side by side, so that the model
reads in large batches. Positions: the test split of the data card, never trained on. Matches: the balanced openings of 2
to 4 plies, each played twice with colours swapped. Everything is drawn from seeds. Every number is written to `numbers.json`
as soon as it is there; cut off, the study goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from planning import own_searches, sections
from planning.begin import begun
from planning.hall import SEARCH, Hall, kept_by, pairing, speed, world_model
from planning.measures import paired
from planning.tables import in_order, percent, table

from stratarena.agents.gamelm.games import HEX_5X5
from stratarena.agents.gamelm.hex_form import FORM_5X5 as FORM
from stratarena.agents.gamelm.model import GameInference
from stratarena.agents.gamelm.positions import Positions
from stratarena.games.base import Seat
from stratarena.games.hex import Hex
from stratarena.games.openings import lines

GAME = Hex(5)
CHUNKS, GAMES = 20, 300
"""Of the data card."""
PARTS = ("world", "speed", "positions", "searches", "matches")
PLAIN = "no search"
BOTH_WAYS = "no search, both ways"
"""Each board is read as it is and turned by half, and the mean taken."""
SHAPES = ((1, 3), (2, 3))
"""Depth and breadth of minimax searches, those around the model and its own."""
PLAYERS: dict[str, dict[str, Any]] = {
    "random": {"kind": "random"},
    "greedy": {"kind": "greedy"},
    PLAIN: {"kind": "game_lm", "model": "m"},
    BOTH_WAYS: {"kind": "game_lm", "model": "m, both ways"},
    "no search, max": {"kind": "game_lm", "model": "m", "scoring": "max"},
    **{
        f"minimax ({d},{b})": {
            "kind": "tree_of_thought",
            "model": "m",
            "evaluator": "game_lm",
            "depth": d,
            "breadth": b,
            "leaves": "both",
        }
        for d, b in SHAPES
    },
    **{
        f"internal ({d},{b})": {"kind": "game_lm", "model": "m", "search": "internal", "depth": d, "breadth": b}
        for d, b in SHAPES
    },
    **{f"mcts-{n}": {**SEARCH, "tau": 0.1, "simulations": n} for n in (4, 16, 64, 200)},
    "mcts-64, imagined": {**SEARCH, "tau": 0.1, "simulations": 64, "world": "model"},
    **{f"hex-{n}": {"kind": "rung", "name": f"hex-{n}"} for n in range(1, 7)},
}
KEPT = (
    # Player, and on how many test positions.
    (PLAIN, 5000),
    ("no search, max", 5000),
    (BOTH_WAYS, 5000),
    ("minimax (1,3)", 5000),
    ("internal (1,3)", 5000),
    ("minimax (2,3)", 1000),
    ("internal (2,3)", 500),
    ("mcts-16", 1000),
    ("mcts-64", 600),
    ("mcts-200", 400),
    ("mcts-64, imagined", 300),
)
WRITTEN = {(1, 3): 5000, (2, 3): 500}
"""Test positions that its own searches of a shape are looked at on."""
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
    ("internal (1,3)", PLAIN, 40),
    ("internal (2,3)", PLAIN, 40),
    ("internal (2,3)", "internal (1,3)", 40),
    ("internal (1,3)", "minimax (1,3)", 40),
    ("internal (2,3)", "minimax (2,3)", 40),
)


def states_of(positions: Positions) -> Iterable[Any]:
    """The positions in the arena."""
    for own, opponent in zip(positions.own.tolist(), positions.opponent.tolist(), strict=True):
        stones = own.bit_count() + opponent.bit_count()
        yield GAME.decode(FORM.encode((own, opponent), Seat.SECOND if stones % 2 else Seat.FIRST))


def write_page(numbers: dict[str, Any], folder: Path) -> None:
    """The numbers as a page."""
    lines_ = [
        "# Hex 5x5: what the game model knows, and what search around it is worth",
        "",
        "Written by `make study-planning-hex` from `numbers.json` beside it. Intervals are 95 %: Wilson's for shares, by the",
        "bootstrap over openings (each played twice, colours swapped) for scores. Positions are of the test split: neither they",
        "nor their images under the board's symmetries were trained on. Labels and results are exact.",
        "",
        *sections.origin(numbers),
        *sections.world(numbers),
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
                for player, found in in_order(numbers, "positions", (player for player, _ in KEPT))
            ],
        ),
        *own_searches.section(numbers.get("searches", {})),
        *sections.matches(
            numbers,
            [pairing(one, other) for one, other, _ in PAIRINGS],
            [
                "`hex-N` are the rungs of the ladder (docs/ladder.md; rated on 7x7). On a solved board each opening is won for one",
                "side, so two perfect players would score 0.5 over a swapped pair.",
            ],
        ),
        *sections.speed(numbers),
    ]
    (folder / "README.md").write_text("\n".join(lines_).rstrip("\n") + "\n", encoding="utf-8")


def _against_plain(numbers: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return paired(found["right"], numbers["positions"][PLAIN]["right"])


def main() -> None:
    """Measure what is missing, and write it down."""
    study = begun(
        __doc__,
        out="docs/studies/planning-hex",
        game=HEX_5X5,
        parts=PARTS,
        chunks=CHUNKS,
        games=GAMES,
        page=write_page,
        libraries=("torch", "transformers", "numpy", "numba", "open_spiel"),
    )
    model, test, few = study.model, study.test, study.few
    hall = Hall(PLAYERS, {"m": GameInference(model), "m, both ways": GameInference(model, both_ways=True)})
    openings = lines(GAME.id, "balanced")

    def keeps(player: str, some: Positions) -> dict[str, Any]:
        return kept_by(hall, player, GAME, FORM, some, list(states_of(some)))[0]

    def searches(depth: int, breadth: int, some: Positions) -> dict[str, Any]:
        boards = list(zip(some.own.tolist(), some.opponent.tolist(), strict=True))
        tally = own_searches.Tally()
        for board, one in own_searches.written(model, FORM, boards, depth, breadth):
            tally.add(FORM, one.tokens, board)
        return own_searches.of_searches(tally) | {"written": tally.tokens / tally.traces}

    try:
        if "world" in study.only:
            study.measure(
                "world", "model", lambda: world_model(model, FORM, test.take(slice(max(1, len(test) // few))), seed=6)
            )
        if "speed" in study.only:
            study.measure("speed", "boards", lambda: speed(model, test))
        if "positions" in study.only:
            for player, n in KEPT:
                study.measure("positions", player, lambda p=player, n=n: keeps(p, test.take(slice(n // few))))
        if "searches" in study.only:
            for (depth, breadth), n in WRITTEN.items():
                some = test.take(slice(n // few))
                study.measure(
                    "searches", f"({depth},{breadth})", lambda d=depth, b=breadth, some=some: searches(d, b, some)
                )
        if "matches" in study.only:
            study.play(hall, GAME, PAIRINGS, lambda n: openings[: max(2, n // few)])
    finally:
        hall.close()
    write_page(study.book.numbers, study.out)


if __name__ == "__main__":
    main()
