"""Training, validation and test positions, told apart by a hash of the position without its symmetries."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPLITS", "Split", "Symmetric", "plainest", "split_of"]

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


class Symmetric(Protocol):
    """A game's symmetries, as `forms.Form` tells of them."""

    @property
    def images(self) -> int:
        """How many images of a board there are, itself among them."""

    def image(
        self, own: NDArray[np.uint64], opponent: NDArray[np.uint64], which: NDArray[np.int64] | int
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """See `forms.Form.image`."""


def plainest(
    game: Symmetric, own: NDArray[np.uint64], opponent: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Of all images of every board the one with the smallest numbers, so that all have one name; and which it is."""
    which = np.zeros(len(own), np.int64)
    least_own, least_opponent = own, opponent
    for number in range(1, game.images):
        mine, theirs = game.image(own, opponent, number)
        swap = _smaller(mine, theirs, least_own, least_opponent)
        least_own, least_opponent = np.where(swap, mine, least_own), np.where(swap, theirs, least_opponent)
        which[swap] = number
    return least_own, least_opponent, which


def _smaller(
    own: NDArray[np.uint64],
    opponent: NDArray[np.uint64],
    than_own: NDArray[np.uint64],
    than_opponent: NDArray[np.uint64],
) -> NDArray[np.bool_]:
    return np.asarray((own < than_own) | ((own == than_own) & (opponent < than_opponent)))


def split_of(own: NDArray[np.uint64], opponent: NDArray[np.uint64]) -> NDArray[np.int8]:
    """`[n]`: indices into `SPLITS` of canonical positions: 4 % test, 1 % validation, the rest for training.

    It depends on the position alone, so a generator that runs again, with other seeds or for longer, can never move a
    test position or a mirror image of one into training.
    """
    hashed = _mixed(_mixed(own + np.uint64(0x9E3779B97F4A7C15)) + opponent)
    share = (hashed >> np.uint64(11)) % np.uint64(1000)
    test = _OF_A_THOUSAND["test"]
    return np.where(share < test, 2, np.where(share < test + _OF_A_THOUSAND["validation"], 1, 0)).astype(np.int8)
