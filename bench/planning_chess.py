"""The planning study of chess endings: what the shipped model knows, whether it mates, and what search around it is worth.

    python bench/planning_chess.py [--quick] [--only PART ...] [--out docs/studies/planning-chess]

Whoever plays here is an agent of the arena, as a tournament would make it; many think side by side, so that the model
reads in large batches. Positions: the test split of the data card, never trained on. Practice: from such positions against a
defender and an attacker that know every distance to mate. Matches: the arena's `endings` openings, each played twice with
colours swapped. Everything is drawn from seeds. Every number is written to `numbers.json` as soon as it is there; cut off, the
study goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from planning import sections
from planning.begin import begun
from planning.hall import SEARCH, Hall, Match, kept_by, pairing, play_out, speed, world_model
from planning.measures import paired
from planning.tables import in_order, percent, share, table

from stratarena.agents.base import View
from stratarena.agents.gamelm.chess_form import FORM, moves_to_mate
from stratarena.agents.gamelm.games import CHESS
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.model import GameInference
from stratarena.agents.gamelm.positions import Positions, finished_of
from stratarena.agents.gamelm.reading import read
from stratarena.games.base import Move, Seat
from stratarena.games.fide_chess import Chess
from stratarena.games.openings import lines

GAME = Chess()
PARTS = ("world", "speed", "positions", "practice", "matches")
ENDINGS = ("king and queen", "king and rook")
PLAIN = "no search"
ALL_WAYS = "no search, all images"
"""Each board is read under all eight symmetries, and the mean taken."""
TAU = 0.02
"""A move that mates one move sooner is worth 1/64 more: priors must tell such values apart."""
PLAYERS: dict[str, dict[str, Any]] = {
    "random": {"kind": "random"},
    "greedy": {"kind": "greedy"},
    PLAIN: {"kind": "game_lm", "model": "m"},
    ALL_WAYS: {"kind": "game_lm", "model": "m, all images"},
    "no search, max": {"kind": "game_lm", "model": "m", "scoring": "max"},
    "minimax (1,3)": {"kind": "tree_of_thought", "model": "m", "evaluator": "game_lm", "depth": 1, "breadth": 3},
    "minimax (2,3)": {"kind": "tree_of_thought", "model": "m", "evaluator": "game_lm", "depth": 2, "breadth": 3},
    **{f"mcts-{n}": {**SEARCH, "tau": TAU, "simulations": n} for n in (16, 64)},
    **{f"mcts-{n}, imagined": {**SEARCH, "tau": TAU, "simulations": n, "world": "model"} for n in (16, 64)},
}
KEPT = (
    # Player, and on how many test positions.
    (PLAIN, 5000),
    ("no search, max", 5000),
    (ALL_WAYS, 1000),
    ("minimax (1,3)", 800),
    ("minimax (2,3)", 400),
    ("mcts-16", 400),
    ("mcts-64", 200),
    ("mcts-16, imagined", 200),
    ("mcts-64, imagined", 100),
)
PRACTICE = (
    # Player, and from how many test positions of each ending it is to mate, and to hold out.
    ("random", 60),
    (PLAIN, 150),
    (ALL_WAYS, 100),
    ("minimax (1,3)", 100),
    ("mcts-16", 100),
    ("mcts-64", 25),
    ("mcts-16, imagined", 25),
)
PAIRINGS = (
    # Agents, and the number of openings.
    (PLAIN, "greedy", 80),
    ("mcts-16", PLAIN, 40),
)
AIMS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("next state exact", ("world", "model", "next state exact"), 0.995),
    ("legal moves exact", ("world", "model", "legal moves exact"), 0.995),
    ("end and result told", ("world", "model", "end and result told"), 0.99),
    ("result kept, no search", ("positions", PLAIN, "all"), 0.97),
    ("result kept where some move throws it away, no search", ("positions", PLAIN, "decisive"), 0.95),
    ("mate with the queen against perfect defence, no search", ("practice", PLAIN, ENDINGS[0], "mated"), 0.9),
    ("mate with the rook against perfect defence, no search", ("practice", PLAIN, ENDINGS[1], "mated"), 0.8),
    ("mate with the queen, mcts-64", ("practice", "mcts-64", ENDINGS[0], "mated"), 0.98),
    ("mate with the rook, mcts-64", ("practice", "mcts-64", ENDINGS[1], "mated"), 0.95),
)
"""What was aimed at before anything was measured: shares."""


class PracticeHall(Hall):
    """A hall in which one player is perfect: it knows every distance to mate."""

    def decide(self, player: str, views: Sequence[View[Any]]) -> list[Move | None]:
        """As the hall; the perfect one takes the quickest mate, the longest way to it, or a draw, any that is as good."""
        if player != "perfect":
            return super().decide(player, views)
        if not views:
            return []
        boards = [FORM.board(view.state, view.seat) for view in views]
        own, opponent = (np.array([board[side] for board in boards], np.uint64) for side in (0, 1))
        scores = FORM.scores(own, opponent)
        best = scores == scores.max(axis=1, keepdims=True)
        return [
            FORM.move(view.rng.choice(np.flatnonzero(row).tolist()), view.seat, board)
            for view, row, board in zip(views, best, boards, strict=True)
        ]


def states_of(positions: Positions) -> Iterator[Any]:
    """The positions in the arena, White to move and Black to move in turn."""
    boards = zip(positions.own.tolist(), positions.opponent.tolist(), strict=True)
    for index, board in enumerate(boards):
        yield GAME.decode(FORM.encode(board, (Seat.FIRST, Seat.SECOND)[index % 2]))


def keeps(hall: Hall, player: str, positions: Positions) -> dict[str, Any]:
    """Result kept, and how many moves a chosen move gives away of the distance to mate, where the result is kept."""
    found, chosen = kept_by(hall, player, GAME, FORM, positions, list(states_of(positions)))
    best = np.where(positions.scores == ILLEGAL, -99, positions.scores).max(axis=1).astype(int)
    made = np.array(chosen)
    got = positions.scores[np.arange(len(made)), np.maximum(made, 0)].astype(int)
    right = np.array([digit == "1" for digit in found["right"]])
    for name, side in (("mating", best > 0), ("held out", best < 0)):
        fair = right & side
        given = np.abs(best - got)[fair]
        found[name] = {
            "best": share(int((given == 0).sum()), int(side.sum())),
            "moves given away": float(given.mean()) if len(given) else None,
        }
    return found


def practice(hall: Hall, player: str, positions: Positions, n: int) -> dict[str, Any]:
    """From so many positions of each ending, won for the side with the piece to move: mates, and holding out.

    `mated` within the rules of the arena, by which fifty moves and repetitions draw; `over` is how many moves longer than
    the shortest it took where it mated; `short` how many moves fewer than the longest it held out against a perfect attacker.
    """
    best = positions.scores.max(axis=1)
    queens = (positions.own >> np.uint64(14) & np.uint64(3)) == 1
    found: dict[str, Any] = {}
    for name, those in zip(ENDINGS, (queens, ~queens), strict=True):
        some = positions.take(np.flatnonzero(those & (best > 0))[:n])
        shortest = moves_to_mate(some.scores.max(axis=1))
        states = list(states_of(some))
        began, before = time.process_time(), hall.evaluated

        def matches(strong: str, lone: str, states: Sequence[Any] = states) -> list[Match]:
            seats = ((strong, lone), (lone, strong))
            return [
                Match(
                    state, GAME.encode(state), dict(zip(Seat, seats[GAME.to_move(state) is Seat.SECOND], strict=True))
                )
                for state in states
            ]

        attacked = matches(player, "perfect")
        play_out(hall, GAME, attacked)
        defended = matches("perfect", player)
        play_out(hall, GAME, defended, seed=7)
        ends = [GAME.outcome(match.state) for match in attacked]
        mated = np.array([end is not None and end.winner is not None for end in ends])
        over = [
            (len(match.moves) + 1) // 2 - int(m) for match, m, won in zip(attacked, shortest, mated, strict=True) if won
        ]
        held = [int(m) - (len(match.moves) + 1) // 2 for match, m in zip(defended, shortest, strict=True)]
        whys = ["refused" if end is None else end.reason for end in ends]
        found[name] = {
            "mated": share(int(mated.sum()), len(mated)),
            "over": spread(over),
            "short": spread(held),
            "ends": {why: whys.count(why) for why in sorted(set(whys))},
            "right": "".join("01"[int(one)] for one in mated),
            "evaluated": hall.evaluated - before,
            "cpu_s": time.process_time() - began,
        }
    return found


def spread(values: Sequence[int]) -> dict[str, Any]:
    """The mean with its 95 % interval by the bootstrap; None of nothing."""
    if not values:
        return {"mean": None, "low": None, "high": None, "n": 0}
    drawn = np.random.default_rng(0).choice(np.array(values), size=(4000, len(values))).mean(axis=1)
    low, high = (float(edge) for edge in np.quantile(drawn, (0.025, 0.975)))
    return {"mean": float(np.mean(values)), "low": low, "high": high, "n": len(values)}


def finished_held_out(model: Any) -> dict[str, Any]:
    """Whether finished boards of the test split, all their images, are told."""
    own, opponent = finished_of(CHESS, "test")
    images = [FORM.image(own, opponent, image) for image in range(FORM.images)]
    boards = [np.concatenate([image[side] for image in images]) for side in (0, 1)]
    right = read(model, *boards).status == FORM.statuses(*boards)
    return share(int(right.sum()), len(right))


def moves_told(found: dict[str, Any]) -> str:
    """A mean number of moves."""
    return "–" if found["mean"] is None else f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def aims(numbers: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """What was aimed at, what was measured, and whether that is as much."""
    for name, path, aim in AIMS:
        found: Any = numbers
        for step in path:
            found = found.get(step, {})
        if found and found["value"] is not None:
            yield name, f"{aim:.1%}", percent(found), "yes" if found["value"] >= aim else "**no**"
        else:
            yield name, f"{aim:.1%}", "not measured", "–"


def write_page(numbers: dict[str, Any], folder: Path) -> None:
    """The numbers as a page."""
    trained = numbers.get("practice", {})
    rows = [
        (
            player,
            name,
            percent(found[name]["mated"]),
            moves_told(found[name]["over"]),
            ", ".join(f"{why} {n}" for why, n in found[name]["ends"].items() if why != "checkmate") or "–",
            ""
            if player == PLAIN or PLAIN not in trained
            else f"{paired(found[name]['right'], trained[PLAIN][name]['right'])['p']:.2g}",
            moves_told(found[name]["short"]),
        )
        for player, found in in_order(numbers, "practice", (player for player, _ in PRACTICE))
        for name in ENDINGS
    ]
    text = [
        "# Chess endings: what the game model knows, whether it mates, and what search around it is worth",
        "",
        "Written by `make study-planning-chess` (`python bench/planning_chess.py`) from `numbers.json` beside it. Intervals are 95 %:",
        "Wilson's for shares, by the bootstrap for means and, over openings each played twice with colours swapped, for scores.",
        "Positions are of the test split: neither they nor any of their eight images were trained on. But there are only 95,961",
        "positions in all, and 95 % of the others were: this measures how well the model fills the gaps, not how it does elsewhere.",
        "Labels are exact.",
        "",
        *sections.origin(numbers),
        "## What was aimed at",
        "",
        *table(("what", "aim", "measured", "reached"), list(aims(numbers))),
        *sections.world(numbers),
        "## Result kept by the chosen move",
        "",
        "Decisive: some legal move throws the result away. `p`: exact sign test against no search on the same positions. Refused: the",
        "model took the game for over, or valued no legal move; that keeps nothing, and loses a match. Best moves: among positions",
        "where the mover mates, and where it is mated, the share in which no move mates sooner, or is mated later; given away: the mean",
        "number of moves by which the mate comes later, or sooner, where the result is kept.",
        "",
        *table(
            (
                *("player", "all positions", "decisive positions", "p", "refused", "best mating moves", "given away"),
                *("best lone king's moves", "given away", "boards read", "CPU ms"),
            ),
            [
                (
                    player,
                    percent(found["all"]),
                    percent(found["decisive"]),
                    ""
                    if player == PLAIN
                    else f"{paired(found['right'], numbers['positions'][PLAIN]['right'])['p']:.2g}",
                    f"{found['refused']['value']:.2%}",
                    percent(found["mating"]["best"]),
                    _given(found["mating"]),
                    percent(found["held out"]["best"]),
                    _given(found["held out"]),
                    f"{found['evaluated']:.1f}",
                    f"{found['cpu_ms']:.1f}",
                )
                for player, found in in_order(numbers, "positions", (player for player, _ in KEPT))
            ],
        ),
        "## Does it mate?",
        "",
        "From test positions that the side with the piece, to move, wins, against a defender that knows every distance to mate and takes",
        "the longest way; by the arena's rules, so fifty moves and the third repetition are draws. `over`: moves more than the shortest mate,",
        "where it mated. `p`: sign test against no search from the same positions. Holding out: the player has the lone king against the",
        "quickest mate; `short`: moves fewer than a perfect defender would last.",
        "",
        *table(("player", "ending", "mated", "over", "otherwise", "p", "holding out: short"), rows),
        *sections.matches(
            numbers,
            [pairing(one, other) for one, other, _ in PAIRINGS],
            [
                "From the arena's `endings` openings, won for the side to move, each player once with either side: players who always mate score 0.5.",
            ],
        ),
        *sections.speed(numbers),
    ]
    (folder / "README.md").write_text("\n".join(text).rstrip("\n") + "\n", encoding="utf-8")


def _given(found: dict[str, Any]) -> str:
    given = found["moves given away"]
    return "–" if given is None else f"{given:.3f}"


def main() -> None:
    """Measure what is missing, and write it down."""
    study = begun(
        __doc__,
        out="docs/studies/planning-chess",
        game=CHESS,
        parts=PARTS,
        chunks=2,
        games=1,
        page=write_page,
        libraries=("torch", "transformers", "numpy", "chess"),
    )
    model, test, few = study.model, study.test, study.few
    hall = PracticeHall(PLAYERS, {"m": GameInference(model), "m, all images": GameInference(model, both_ways=True)})
    openings = lines(GAME.id, "endings")

    def world() -> dict[str, Any]:
        found = world_model(model, FORM, test.take(slice(max(1, len(test) // few))), seed=6)
        return found | {"end and result told, boards of the test split": finished_held_out(model)}

    try:
        if "world" in study.only:
            study.measure("world", "model", world)
        if "speed" in study.only:
            study.measure("speed", "boards", lambda: speed(model, test))
        if "positions" in study.only:
            for player, n in KEPT:
                study.measure("positions", player, lambda p=player, n=n: keeps(hall, p, test.take(slice(n // few))))
        if "practice" in study.only:
            for player, n in PRACTICE:
                study.measure("practice", player, lambda p=player, n=n: practice(hall, p, test, n // few))
        if "matches" in study.only:
            # Every so many, so that few openings are of both endings, too.
            study.play(hall, GAME, PAIRINGS, lambda n: openings[:: max(1, len(openings) * few // n)])
    finally:
        hall.close()
    write_page(study.book.numbers, study.out)


if __name__ == "__main__":
    main()
