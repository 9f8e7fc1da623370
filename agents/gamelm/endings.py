"""Chess endings of king and queen, or king and rook, against king: their rules and exact values, many positions at a time.

Every position of an ending is solved by retrograde analysis: from the mates backwards, one move of each side a round
(T. Ströhlein, *Untersuchungen über kombinatorische Spiele*, 1970). Squares are numbered as in python-chess, a1 0, b1 1 to
h8 63; `NOWHERE` is off the board. There are no pawns and no castling, so colours do not matter, and the board's eight
symmetries map the rules onto themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DRAWN",
    "ILLEGAL",
    "IMAGES",
    "KINDS",
    "MOVES",
    "NOWHERE",
    "QUEEN",
    "ROOK",
    "SQUARES",
    "TARGETS",
    "Solved",
    "attacked",
    "free",
    "lone_moves",
    "near",
    "solved",
    "strong_moves",
]

Squares = NDArray[np.int64]

SQUARES = 64
NOWHERE = 64
QUEEN, ROOK = 1, 2
KINDS = (QUEEN, ROOK)
"""The strong side's piece; 0 where there is none."""
MOVES = 8 + 32
"""Eight steps of a king, then eight places on each of the piece's four lines: along the rank and both diagonals to each
file, along the file to each rank."""
ILLEGAL, DRAWN = -2, -1
"""What a table holds of positions that cannot be, and of those that are not won."""

_FILE, _RANK = np.arange(SQUARES) % 8, np.arange(SQUARES) // 8
_STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def _square(file: int, rank: int) -> int:
    return 8 * rank + file if 0 <= file < 8 and 0 <= rank < 8 else NOWHERE


def _king_steps(square: int) -> list[int]:
    return [_square(square % 8 + file, square // 8 + rank) for file, rank in _STEPS]


def _line_places(kind: int, square: int) -> list[int]:
    file, rank = square % 8, square // 8
    straight = [_square(to, rank) for to in range(8)] + [_square(file, to) for to in range(8)]
    rising = [_square(to, rank + to - file) for to in range(8)]
    falling = [_square(to, rank - to + file) for to in range(8)]
    diagonal = rising + falling if kind == QUEEN else [NOWHERE] * 16
    return [NOWHERE if to == square else to for to in straight + diagonal]


TARGETS: NDArray[np.int64] = np.full((3, SQUARES + 1, 32), NOWHERE)
"""`[kind, square, 32]`: where the piece would go on an empty board; `NOWHERE` without a piece, and off the board."""
STEPS: NDArray[np.int64] = np.full((SQUARES + 1, 8), NOWHERE)
"""`[square, 8]`: where a king would go on an empty board."""
for _one in range(SQUARES):
    STEPS[_one] = _king_steps(_one)
    for _kind in KINDS:
        TARGETS[_kind, _one] = _line_places(_kind, _one)


def _images() -> NDArray[np.int64]:
    found = []
    for image in range(8):
        file, rank = (_RANK, _FILE) if image & 4 else (_FILE, _RANK)
        file, rank = 7 - file if image & 1 else file, 7 - rank if image & 2 else rank
        found.append([*(8 * rank + file).tolist(), NOWHERE])
    return np.array(found)


IMAGES = _images()
"""`[8, square]`: where each of the board's symmetries takes a square; the first leaves all where it is."""


def _between() -> NDArray[np.uint64]:
    """`[64, 65]`: the squares strictly between two on a line, as bits; 0 where they are on none."""
    found = np.zeros((SQUARES, SQUARES + 1), np.uint64)
    for origin in range(SQUARES):
        for file, rank in _STEPS:
            passed, x, y = 0, origin % 8 + file, origin // 8 + rank
            while _square(x, y) != NOWHERE:
                found[origin, _square(x, y)] = passed
                passed |= 1 << _square(x, y)
                x, y = x + file, y + rank
    return found


_BETWEEN = _between()
_REACHES = np.zeros((3, SQUARES, SQUARES + 1), np.bool_)
for _kind in KINDS:
    for _one in range(SQUARES):
        _REACHES[_kind, _one, TARGETS[_kind, _one]] = True
_REACHES[..., NOWHERE] = False
_NEAR = np.zeros((SQUARES + 1, SQUARES + 1), np.bool_)
for _one in range(SQUARES):
    _NEAR[_one, STEPS[_one]] = True
_NEAR[:, NOWHERE] = False


def near(one: Squares, other: Squares) -> NDArray[np.bool_]:
    """Whether a king's step leads from the one square to the other."""
    return np.asarray(_NEAR[one, other])


def free(origin: Squares, target: Squares, blocker: Squares) -> NDArray[np.bool_]:
    """Whether the blocker is not between two squares of a line."""
    return np.asarray((_BETWEEN[origin, target] >> (blocker & 63).astype(np.uint64)) & np.uint64(1) == 0)


def attacked(kind: Squares | int, piece: Squares, square: Squares, blocker: Squares) -> NDArray[np.bool_]:
    """Whether the piece attacks the square, the blocker, a king of its own side, standing where it stands."""
    return np.asarray(_REACHES[kind, piece, square] & free(piece, square, blocker))


def lone_moves(kind: Squares | int, king: Squares, piece: Squares, lone: Squares) -> NDArray[np.bool_]:
    """`[n, 8]`: the legal steps of the lone king; to take the piece is one where its king does not guard it."""
    to = STEPS[lone]
    king, piece = king[:, None], piece[:, None]
    kinds = np.broadcast_to(np.asarray(kind), lone.shape)[:, None]
    safe = (to == piece) | ~attacked(kinds, piece, to, king)
    return np.asarray((to != NOWHERE) & ~near(king, to) & safe)


def strong_moves(kind: Squares | int, king: Squares, piece: Squares, lone: Squares) -> NDArray[np.bool_]:
    """`[n, 40]`: the legal moves of the side with the piece, the other's king not being in check."""
    steps, to = STEPS[king], TARGETS[np.asarray(kind), piece]
    king, piece, lone = king[:, None], piece[:, None], lone[:, None]
    walks = (steps != NOWHERE) & (steps != piece) & ~near(lone, steps)
    slides = (to != NOWHERE) & (to != king) & (to != lone) & free(piece, to, king) & free(piece, to, lone)
    return np.concatenate([walks, slides], axis=1)


@dataclass(frozen=True, slots=True)
class Solved:
    """An ending's distances to mate in plies, with best play of both, by `[strong king, piece, lone king]`."""

    strong: NDArray[np.int8]
    """The side with the piece to move: an odd number, `DRAWN` or `ILLEGAL`."""
    lone: NDArray[np.int8]
    """The lone king to move: an even number, 0 where it is mated, `DRAWN` or `ILLEGAL`."""


def _grid() -> tuple[Squares, Squares, Squares]:
    king, piece, lone = (part.ravel() for part in np.indices((SQUARES, SQUARES, SQUARES)))
    return king, piece, lone


@lru_cache(maxsize=len(KINDS))
def solved(kind: int) -> Solved:
    """The whole ending, solved in a second or two of CPU time, once a process."""
    king, piece, lone = _grid()
    apart = (king != piece) & (piece != lone) & (king != lone) & ~near(king, lone)
    check = attacked(kind, piece, lone, king)
    strong = np.where(apart & ~check, DRAWN, ILLEGAL).astype(np.int8)
    weak = np.where(apart, DRAWN, ILLEGAL).astype(np.int8)

    # Only positions that can be are worked on: as one list for each side, moves as positions in the other's table.
    mine, theirs = np.flatnonzero(strong != ILLEGAL), np.flatnonzero(weak != ILLEGAL)
    after_strong = _after_strong(kind, king[mine], piece[mine], lone[mine])
    able = lone_moves(kind, king[theirs], piece[theirs], lone[theirs])
    to = STEPS[lone[theirs]]
    takes = (able & (to == piece[theirs][:, None])).any(axis=1)
    after_lone = np.where(able, (king[theirs][:, None] * 64 + piece[theirs][:, None]) * 64 + to, -1)

    weak[theirs[~able.any(axis=1) & check[theirs]]] = 0
    held = theirs[able.any(axis=1) & ~takes]
    after_lone = after_lone[able.any(axis=1) & ~takes]
    for plies in range(1, 127, 2):
        # Unsolved so far, and some move leads to a position lost in one ply less.
        open_ = strong[mine] == DRAWN
        wins = ((weak[after_strong[open_]] == plies - 1) & (after_strong[open_] >= 0)).any(axis=1)
        found = mine[open_][wins]
        if not len(found):
            break
        strong[found] = plies
        open_ = weak[held] == DRAWN
        lost = ((after_lone[open_] < 0) | (strong[after_lone[open_]] > 0)).all(axis=1)
        weak[held[open_][lost]] = plies + 1
    shape = (SQUARES, SQUARES, SQUARES)
    return Solved(strong.reshape(shape), weak.reshape(shape))


def _after_strong(kind: int, king: Squares, piece: Squares, lone: Squares) -> Squares:
    """`[n, 40]`: the position after each move as a number, -1 where the move is not legal."""
    able = strong_moves(kind, king, piece, lone)
    walked = (STEPS[king] * 64 + piece[:, None]) * 64 + lone[:, None]
    slid = (king[:, None] * 64 + TARGETS[kind, piece]) * 64 + lone[:, None]
    return np.where(able, np.concatenate([walked, slid], axis=1), -1)
