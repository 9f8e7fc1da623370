"""Connect Four positions with exact labels: games of mixed strength, every move of a position scored by bitbully.

Two players of a drawn strength meet; what they would choose by is the label. A strength is a share of random moves,
whether immediate wins and threats are seen, and how greedily exact scores are followed. From 12 to 15 discs, where
the solver takes tens of milliseconds, positions are labelled seldom and players follow tactics only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.labels import ILLEGAL, Labelled

__all__ = ["ILLEGAL", "LABEL_SHARE", "Labelled", "generate", "label"]

_CELLS = 42
LABEL_SHARE = (0.05, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.01, 0.02, 0.05, 0.1, 0.25)
"""How often a position of that many discs is labelled; always beyond. From 12 discs on the opening book is left."""
_TACTICS_ONLY = range(12, 17)
"""Where scores cost most: players do not look at them here."""
_REMEMBERED = 7
"""Up to so many discs, positions come again and again."""


@dataclass(frozen=True, slots=True)
class _Strength:
    random: float
    tactics: bool
    temperature: float
    """Of the softmax over exact scores."""


def _drawn(rng: Random) -> _Strength:
    return _Strength(
        random=rng.choice((0.0, 0.1, 0.25, 0.5, 1.0)),
        tactics=rng.random() < 0.75,
        temperature=rng.choice((0.3, 1.0, 3.0, 8.0)),
    )


def generate(n_games: int, seed: int) -> Labelled:
    """Labelled positions from that many games, in the order met, mirror images and repetitions among them."""
    from bitbully import BitBully, Board

    solver, rng = BitBully(), Random(seed)
    known: dict[tuple[int, int], dict[int, int]] = {}
    own_boards: list[int] = []
    opponent_boards: list[int] = []
    scores: list[list[int]] = []
    for _ in range(n_games):
        players = (_drawn(rng), _drawn(rng))
        board: Any = Board()
        own = opponent = 0
        for ply in range(_CELLS):
            player = players[ply % 2]
            legal: list[int] = board.legal_moves()
            randomly = rng.random() < player.random
            exact: dict[int, int] | None = None
            labelled = ply >= len(LABEL_SHARE) or rng.random() < LABEL_SHARE[ply]
            if labelled or (not randomly and ply not in _TACTICS_ONLY and player.temperature < 8.0):
                exact = known.get((own, opponent))
                if exact is None:
                    exact = solver.score_all_moves(board)
                    if ply <= _REMEMBERED:
                        known[own, opponent] = exact
            if exact is not None and (labelled or ply > _REMEMBERED):
                own_boards.append(own)
                opponent_boards.append(opponent)
                scores.append([exact.get(column, ILLEGAL) for column in range(7)])
            column = _choice(rng, player, own, opponent, legal, None if randomly else exact)
            disc = _disc(own | opponent, column)
            board.play(column)
            own, opponent = opponent, own | disc
            if board.is_game_over():
                break
    return Labelled(
        np.array(own_boards, np.uint64), np.array(opponent_boards, np.uint64), np.array(scores, np.int8).reshape(-1, 7)
    )


def label(own: NDArray[np.uint64], opponent: NDArray[np.uint64], solver: Any = None) -> Labelled:
    """These positions, none of them over, with the exact score of every move, by this solver or a new one."""
    from bitbully import BitBully, Board

    solver = solver or BitBully()
    scores = np.full((len(own), 7), ILLEGAL, np.int8)
    for index, (mine, theirs) in enumerate(zip(own.tolist(), opponent.tolist(), strict=True)):
        exact = solver.score_all_moves(Board(_rows(mine, theirs)))
        for column, score in exact.items():
            scores[index, column] = score
    return Labelled(own, opponent, scores)


def _rows(own: int, opponent: int) -> list[list[int]]:
    """The position as bitbully takes it: rows from the top, 1 for the side that began, 2 for the other."""
    first, second = (own, opponent) if (own | opponent).bit_count() % 2 == 0 else (opponent, own)
    return [
        [1 if first >> (7 * column + row) & 1 else 2 if second >> (7 * column + row) & 1 else 0 for column in range(7)]
        for row in reversed(range(6))
    ]


def _disc(taken: int, column: int) -> int:
    bottom = 1 << (7 * column)
    return (taken + bottom) & ~taken & (bottom * 63)


def _lined(discs: int) -> bool:
    for step in (1, 6, 7, 8):
        pairs = discs & (discs >> step)
        if pairs & (pairs >> 2 * step):
            return True
    return False


def _choice(
    rng: Random, player: _Strength, own: int, opponent: int, legal: list[int], exact: dict[int, int] | None
) -> int:
    if exact is not None and player.temperature < 8.0:
        best = max(exact.values())
        columns = list(exact)
        weights = [math.exp((exact[column] - best) / player.temperature) for column in columns]
        return rng.choices(columns, weights)[0]
    if player.tactics:
        taken = own | opponent
        for discs in (own, opponent):
            for column in legal:
                if _lined(discs | _disc(taken, column)):
                    return column
    return rng.choice(legal)
