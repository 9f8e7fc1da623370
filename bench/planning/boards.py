"""Connect Four on pairs of bit boards, each seen by its side to move: fast rules for thousands of games side by side."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.splits import plainest
from stratarena.agents.search_tree import Opened
from stratarena.games.base import Move

Board = tuple[int, int]
"""The discs of the side to move, and the other's."""
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


def arrays(boards: Sequence[Board]) -> tuple[np.ndarray, np.ndarray]:
    """The boards as two columns of numbers."""
    return np.array([own for own, _ in boards], np.uint64), np.array([other for _, other in boards], np.uint64)


def name(column: int) -> Move:
    return Move(str(column + 1))


def is_first(board: Board) -> bool:
    """Whether the side that began is to move."""
    return (board[0] | board[1]).bit_count() % 2 == 0


class ByBoards:
    """The world of the rules, on boards seen by their mover."""

    def open(self, board: Board) -> Opened:
        result = over_by_rules(board)
        first = is_first(board)
        return Opened(board, first, None if result is None else result if first else 1 - result)

    def enter(self, state: Board, move: Move) -> Opened:
        after = played(state, int(move) - 1)
        assert after is not None
        return self.open(after)

    def moves(self, state: Board) -> tuple[Move, ...]:
        return tuple(map(name, room_in(state)))


def tactics(board: Board) -> int | None:
    """A winning move, or else the one that stops the opponent's."""
    for mine, theirs in (board, board[::-1]):
        for column in room_in(board):
            after = played((mine, theirs), column)
            if after is not None and over_by_rules(after) == 0.0:
                return column
    return None


def openings(n: int, discs: int, seed: int) -> list[Board]:
    """Different openings of that many discs without a line or a threat that wins at once."""
    rng, found = Random(seed), {}
    while len(found) < n:
        board: Board | None = (0, 0)
        for _ in range(discs):
            board = None if board is None else played(board, rng.randrange(7))
            if board is None or over_by_rules(board) is not None:
                board = None
                break
        if board is not None and tactics(board) is None:
            own, other = arrays([board])
            key = plainest(FORM, own, other)
            found[int(key[0][0]), int(key[1][0])] = board
    return list(found.values())


def moves_to(board: Board) -> list[int]:
    """Columns that lead from the empty board to this one, in some order in which nobody wins on the way."""
    n = (board[0] | board[1]).bit_count()
    first, second = board if n % 2 == 0 else board[::-1]
    dead: set[tuple[int, ...]] = set()
    """Heights from which there is no way on."""

    def go(at: Board, heights: tuple[int, ...], ply: int) -> list[int] | None:
        if ply == n:
            return []
        if heights in dead:
            return None
        for column in range(_COLUMNS):
            if (first, second)[ply % 2] >> (_STRIDE * column + heights[column]) & 1:
                after = played(at, column)
                if after is not None and (ply + 1 == n or over_by_rules(after) is None):
                    rest = go(after, (*heights[:column], heights[column] + 1, *heights[column + 1 :]), ply + 1)
                    if rest is not None:
                        return [column, *rest]
        dead.add(heights)
        return None

    found = go((0, 0), (0,) * _COLUMNS, 0)
    assert found is not None, "every position of a game can be reached"
    return found
