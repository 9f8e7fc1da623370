"""Connect Four boards in numbers, many at a time: the mover's own discs and the opponent's, as 49-bit boards.

The layout is that of `stratarena.games.connect_four`: bit `7 * column + row`. Everything is relative to the side to
move, so a board and its negative with colours exchanged are one position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "CONTENTS", "ROWS", "Boards", "board_of", "contents", "lines", "mirrored", "play", "room"]

COLUMNS, ROWS, STRIDE = 7, 6, 7
CONTENTS = (1 << (ROWS + 1)) - 1
"""How many different contents a column can have: every string over {own, opponent} of length 0 to 6."""

Boards = NDArray[np.uint64]
_ONE = np.uint64(1)


def _column(boards: Boards, column: int) -> NDArray[np.int64]:
    return ((boards >> np.uint64(STRIDE * column)) & np.uint64((1 << STRIDE) - 1)).astype(np.int64)


def _heights(taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many discs lie in columns whose cells, from the bottom, are all taken or all empty."""
    return np.asarray(_HEIGHT_OF[taken])


_HEIGHT_OF = np.array([bits.bit_count() for bits in range(1 << STRIDE)], np.int64)


def contents(own: Boards, opponent: Boards) -> NDArray[np.int64]:
    """`[n, 7]`: the content of every column as a number below `CONTENTS`.

    A column of h discs is numbered `2**h - 1` and the bits of the mover's own discs, the bottom one first.
    """
    result = np.empty((len(own), COLUMNS), np.int64)
    for column in range(COLUMNS):
        mine, theirs = _column(own, column), _column(opponent, column)
        result[:, column] = (1 << _heights(mine | theirs)) - 1 + mine
    return result


def board_of(contents: tuple[int, ...]) -> tuple[int, int]:
    """The mover's own and the opponent's discs of a board given by its columns' contents."""
    own = opponent = 0
    for column, content in enumerate(contents):
        height = (content + 1).bit_length() - 1
        mine = content + 1 - (1 << height)
        own |= mine << (STRIDE * column)
        opponent |= (((1 << height) - 1) & ~mine) << (STRIDE * column)
    return own, opponent


def room(own: Boards, opponent: Boards) -> NDArray[np.bool_]:
    """`[n, 7]`: whether another disc fits into the column."""
    taken = own | opponent
    return np.stack([_column(taken, column) < (1 << ROWS) - 1 for column in range(COLUMNS)], axis=1)


def play(own: Boards, opponent: Boards, columns: NDArray[np.int64]) -> tuple[Boards, Boards]:
    """The boards after the mover's disc fell into its column, seen by the other side, who is then to move."""
    taken = own | opponent
    bottom = _ONE << (columns.astype(np.uint64) * np.uint64(STRIDE))
    disc = (taken + bottom) & ~taken & (bottom * np.uint64((1 << ROWS) - 1))
    return opponent, own | disc


def lines(discs: Boards) -> NDArray[np.bool_]:
    """`[n]`: whether four of these discs stand in a line."""
    found: NDArray[np.bool_] = np.zeros(len(discs), np.bool_)
    for step in (1, STRIDE, STRIDE - 1, STRIDE + 1):
        pairs = discs & (discs >> np.uint64(step))
        found |= (pairs & (pairs >> np.uint64(2 * step))) != 0
    return found


def mirrored(boards: Boards) -> Boards:
    """The boards with left and right exchanged."""
    result = np.zeros_like(boards)
    mask = np.uint64((1 << STRIDE) - 1)
    for column in range(COLUMNS):
        part = (boards >> np.uint64(STRIDE * column)) & mask
        result |= part << np.uint64(STRIDE * (COLUMNS - 1 - column))
    return result
