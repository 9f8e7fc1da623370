"""Training, validation and test positions, told apart by a hash of the position without its symmetries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLITS", "Split", "one_of_both", "split_of"]

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_OF_A_THOUSAND = {"test": 40, "validation": 10}


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: every bit of the input reaches every bit of the result."""
    values = values ^ (values >> np.uint64(30))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    values = values ^ (values >> np.uint64(27))
    values = values * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def one_of_both(
    mirrored: Callable[[NDArray[np.uint64]], NDArray[np.uint64]], own: NDArray[np.uint64], opponent: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Of every board and its mirror image the one with the smaller numbers, so that both have one name."""
    own_mirrored, opponent_mirrored = mirrored(own), mirrored(opponent)
    swap = (own_mirrored < own) | ((own_mirrored == own) & (opponent_mirrored < opponent))
    return np.where(swap, own_mirrored, own), np.where(swap, opponent_mirrored, opponent)


def split_of(own: NDArray[np.uint64], opponent: NDArray[np.uint64]) -> NDArray[np.int8]:
    """`[n]`: indices into `SPLITS` of canonical positions: 4 % test, 1 % validation, the rest for training.

    It depends on the position alone, so a generator that runs again, with other seeds or for longer, can never move a
    test position or a mirror image of one into training.
    """
    hashed = _mixed(_mixed(own + np.uint64(0x9E3779B97F4A7C15)) + opponent)
    share = (hashed >> np.uint64(11)) % np.uint64(1000)
    test = _OF_A_THOUSAND["test"]
    return np.where(share < test, 2, np.where(share < test + _OF_A_THOUSAND["validation"], 1, 0)).astype(np.int8)
