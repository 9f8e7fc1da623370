"""What a labelled position is, whatever the game."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ILLEGAL", "Labelled"]

ILLEGAL = -128


@dataclass(frozen=True, slots=True)
class Labelled:
    """Positions and the exact score of every move."""

    own: NDArray[np.uint64]
    """`[n]`: the mover's stones or discs."""
    opponent: NDArray[np.uint64]
    """`[n]`."""
    scores: NDArray[np.int8]
    """`[n, moves]`: the mover's score, above 0 for a win and higher the better, or `ILLEGAL`."""
