"""Hex boards as arrays, for kernels compiled by numba.

A board of size n is `int8[n * n]`: cell `row * n + column` is 0 (empty), `TOP_BOTTOM` (the colour of seat FIRST, which
joins top and bottom) or `LEFT_RIGHT`. Sets of cells are pairs of 63-bit masks, so that no sign bit is ever used; they
hold boards of up to 11x11 and two more points, the edges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stratarena.games.base import Seat
from stratarena.games.hex import Hex, Position

__all__ = [
    "LEFT_RIGHT",
    "MASKED_SIZE",
    "TOP_BOTTOM",
    "Board",
    "Geometry",
    "cells_of",
    "colour_of",
    "connects",
    "from_state",
]

TOP_BOTTOM, LEFT_RIGHT = 1, 2
MASKED_SIZE = 11
"""The largest size whose cells fit the masks."""
_WORD = 63

Board = NDArray[np.int8]


class Geometry(NamedTuple):
    """What depends on the size only."""

    size: int
    around: NDArray[np.int32]
    """`[n * n, 6]`: neighbours in circular order, -1 beyond the board."""
    low: NDArray[np.int64]
    """`[n * n + 2]`: each point's bit in the first mask, 0 if it is in the second; the last two are the edges."""
    high: NDArray[np.int64]

    @staticmethod
    def of(size: int) -> Geometry:
        """The geometry of a board of this size; masks are empty beyond `MASKED_SIZE`."""
        steps = ((-1, 0), (-1, 1), (0, 1), (1, 0), (1, -1), (0, -1))
        around = np.full((size * size, 6), -1, np.int32)
        for row in range(size):
            for column in range(size):
                for direction, (down, right) in enumerate(steps):
                    if 0 <= row + down < size and 0 <= column + right < size:
                        around[row * size + column, direction] = (row + down) * size + column + right
        low, high = np.zeros((2, size * size + 2), np.int64)
        if size <= MASKED_SIZE:
            for point in range(size * size + 2):
                word, bit = divmod(point, _WORD)
                (low, high)[word][point] = 1 << bit
        return Geometry(size, around, low, high)


def colour_of(seat: Seat) -> int:
    """The colour of a seat's stones."""
    return TOP_BOTTOM if seat is Seat.FIRST else LEFT_RIGHT


def from_state(game: Hex, state: Position) -> Board:
    """The stones of a state."""
    size = game.size
    board = np.zeros(size * size, np.int8)
    for row in range(size):
        for column in range(size):
            bit = 1 << ((size + 1) * row + column)
            if state.first & bit:
                board[row * size + column] = TOP_BOTTOM
            elif state.second & bit:
                board[row * size + column] = LEFT_RIGHT
    return board


def cells_of(low: int, high: int) -> tuple[int, ...]:
    """The points of a pair of masks, in order."""
    whole = int(low) | int(high) << _WORD
    return tuple(point for point in range(whole.bit_length()) if whole >> point & 1)


@njit(cache=True)
def connects(board: Any, size: int, around: Any, colour: int) -> bool:
    """Whether this colour's stones join its two edges."""
    seen = np.zeros(size * size, np.bool_)
    stack = np.empty(size * size, np.int32)
    n_stack = 0
    for i in range(size):
        cell = i if colour == 1 else i * size
        if board[cell] == colour:
            seen[cell] = True
            stack[n_stack] = cell
            n_stack += 1
    while n_stack > 0:
        n_stack -= 1
        cell = stack[n_stack]
        if (cell // size if colour == 1 else cell % size) == size - 1:
            return True
        for k in range(6):
            near = around[cell, k]
            if near >= 0 and not seen[near] and board[near] == colour:
                seen[near] = True
                stack[n_stack] = near
                n_stack += 1
    return False
