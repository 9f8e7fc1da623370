"""The rules of Connect Four on one board, seen by the side to move: what searches with true rules go by."""

from __future__ import annotations

from stratarena.agents.gamelm.speech import Board

__all__ = ["over_by_rules", "played", "room_in"]

_STRIDE, _ROWS, _COLUMNS = 7, 6, 7
_FULL = sum(((1 << _ROWS) - 1) << (_STRIDE * column) for column in range(_COLUMNS))


def room_in(board: Board) -> list[int]:
    """The columns with room, from left to right; of a board that is not over."""
    taken = board[0] | board[1]
    return [column for column in range(_COLUMNS) if not taken >> (_STRIDE * column + _ROWS - 1) & 1]


def played(board: Board, column: int) -> Board | None:
    """The board after the mover's disc, seen by the other side; None where the column is full or there is none."""
    own, opponent = board
    taken = own | opponent
    if not 0 <= column < _COLUMNS or taken >> (_STRIDE * column + _ROWS - 1) & 1:
        return None
    bottom = 1 << (_STRIDE * column)
    return opponent, own | ((taken + bottom) & ~taken & (bottom * ((1 << _ROWS) - 1)))


def over_by_rules(board: Board) -> float | None:
    """0 where the side that moved last has a line, 0.5 on a full board, None where the game goes on."""
    for step in (1, _STRIDE - 1, _STRIDE, _STRIDE + 1):
        pairs = board[1] & (board[1] >> step)
        if pairs & (pairs >> 2 * step):
            return 0.0
    return 0.5 if (board[0] | board[1]) == _FULL else None
