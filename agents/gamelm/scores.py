"""How good chosen moves are by exact labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.positions import Positions
from stratarena.agents.gamelm.reading import read

if TYPE_CHECKING:
    from stratarena.agents.gamelm.network import GameLm

__all__ = ["Kept", "decisive", "kept", "kept_shares"]


@dataclass(frozen=True, slots=True)
class Kept:
    """Shares of positions where the chosen move keeps the result that perfect play would have."""

    all: float
    n: int
    decisive: float | None
    """Among positions where some legal move gives the result away; None without any."""
    n_decisive: int


def kept(scores: NDArray[np.int8], chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`[n]`: whether the move has the sign of the best one."""
    best = np.where(scores == ILLEGAL, -99, scores).max(axis=1)
    return np.asarray(np.sign(scores[np.arange(len(chosen)), chosen]) == np.sign(best))


def decisive(scores: NDArray[np.int8]) -> NDArray[np.bool_]:
    """`[n]`: whether the position has legal moves of different results."""
    legal = scores != ILLEGAL
    best, worst = np.where(legal, scores, -99).max(axis=1), np.where(legal, scores, 99).min(axis=1)
    return np.asarray(np.sign(best) != np.sign(worst))


def kept_shares(model: GameLm, positions: Positions, *, both_ways: bool = False) -> Kept:
    """What the legal move of the highest mean value keeps."""
    readings = read(model, positions.own, positions.opponent, both_ways=both_ways)
    chosen = np.where(positions.scores == ILLEGAL, -1.0, readings.mean).argmax(axis=1)
    right, some = kept(positions.scores, chosen), decisive(positions.scores)
    return Kept(
        all=float(right.mean()),
        n=len(right),
        decisive=float(right[some].mean()) if some.any() else None,
        n_decisive=int(some.sum()),
    )
