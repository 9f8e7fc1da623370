"""Hex boards in numbers, many at a time: the mover's own stones and the opponent's, on boards up to 8 by 8.

Bit `size * row + column` is a cell. Everything is seen by the side to move, whose edges are always top and bottom:
for the seat that joins left and right the board is mirrored along its long diagonal (row and column exchanged), which
maps the rules onto themselves. So a position and the same one with colours exchanged and mirrored are one.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Boards", "Cells"]

Boards = NDArray[np.uint64]


class Cells:
    """The board of one size: pure functions of arrays of boards."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.n = size * size
        rows, columns = np.divmod(np.arange(self.n), size)
        self.exchanged: NDArray[np.int64] = columns * size + rows
        """`[n]`: where a cell goes when row and column are exchanged; the same way back."""
        self.turned: NDArray[np.int64] = np.arange(self.n)[::-1].copy()
        """`[n]`: where a cell goes when the board is turned by half; the same way back."""

    @cached_property
    def _edges(self) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
        """Masks of the top and bottom rows, and of all cells but those of the first and of the last column."""
        top = (1 << self.size) - 1
        first = sum(1 << (self.size * row) for row in range(self.size))
        whole = (1 << self.n) - 1
        last = first << (self.size - 1)
        bottom = top << (self.n - self.size)
        return np.uint64(top), np.uint64(bottom), np.uint64(whole & ~first), np.uint64(whole & ~last)

    def grid(self, boards: Boards) -> NDArray[np.bool_]:
        """`[n boards, cells]`: whether there is a stone."""
        return ((boards[:, None] >> np.arange(self.n, dtype=np.uint64)) & np.uint64(1)).astype(np.bool_)

    def boards(self, grid: NDArray[np.bool_]) -> Boards:
        """The boards of such a grid."""
        bits = np.uint64(1) << np.arange(self.n, dtype=np.uint64)
        return np.asarray((grid * bits).sum(axis=1, dtype=np.uint64))

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """`[n boards, cells]`: 0 where a cell is empty, 1 own, 2 the opponent's."""
        return self.grid(own) + 2 * self.grid(opponent).astype(np.int64)

    def room(self, own: Boards, opponent: Boards) -> NDArray[np.bool_]:
        """`[n boards, cells]`: whether the cell is empty; none where a side has joined its edges."""
        over = self.joined(own) | self.joined(self.exchange(opponent))
        return ~self.grid(own | opponent) & ~over[:, None]

    def play(self, own: Boards, opponent: Boards, cells: NDArray[np.int64]) -> tuple[Boards, Boards]:
        """The boards after the mover's stone, seen by the other side, who is then to move."""
        stone = np.uint64(1) << cells.astype(np.uint64)
        return self.exchange(opponent), self.exchange(own | stone)

    def exchange(self, boards: Boards) -> Boards:
        """The boards with row and column exchanged."""
        return self.boards(self.grid(boards)[:, self.exchanged])

    def turn(self, boards: Boards) -> Boards:
        """The boards turned by half, which keeps every edge's owner."""
        return self.boards(self.grid(boards)[:, self.turned])

    def joined(self, stones: Boards) -> NDArray[np.bool_]:
        """`[n boards]`: whether these stones join top and bottom."""
        top, bottom, not_first, not_last = self._edges
        one, size, rise = np.uint64(1), np.uint64(self.size), np.uint64(self.size - 1)
        found = stones & top
        while True:
            right, left = found & not_last, found & not_first
            more = found << size | found >> size | right << one | left >> one | right >> rise | left << rise
            more = (more | found) & stones
            if (more == found).all():
                return np.asarray((found & bottom) != 0)
            found = more
