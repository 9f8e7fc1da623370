"""Connect Four on two bitboards: the reference implementation of the `Game` protocol, to be read first.

Source: the rules of the 1974 Milton Bradley game; 7 columns of 6 cells. The bitboard layout is the usual one of 7
bits a column, six cells and one empty guard bit, so that a shift never carries a line across a column's edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from stratarena.games.base import (
    IllegalMove,
    MalformedMove,
    Move,
    Outcome,
    PositionError,
    Seat,
    Traits,
)

__all__ = ["ConnectFour", "Position"]

COLUMNS, ROWS = 7, 6
_STRIDE = ROWS + 1
_MOVES = tuple(Move(str(column + 1)) for column in range(COLUMNS))
_BOTTOM = tuple(1 << (column * _STRIDE) for column in range(COLUMNS))
_TOP = tuple(1 << (column * _STRIDE + ROWS - 1) for column in range(COLUMNS))
_COLUMN_OF = {move: index for index, move in enumerate(_MOVES)}
_TOP_ROW = sum(_TOP)
_FULL = sum(bottom * ((1 << ROWS) - 1) for bottom in _BOTTOM)
_FIRST_WON = Outcome(Seat.FIRST, "four_in_a_row")
_SECOND_WON = Outcome(Seat.SECOND, "four_in_a_row")
_DRAWN = Outcome(None, "board_full")
_FIRST, _SECOND = Seat.FIRST, Seat.SECOND


class Position(NamedTuple):
    """Bit `7 * column + row` of a board is the cell of that column and row, counted from 0 at the bottom left."""

    first: int
    """The discs of the seat that began."""

    second: int

    line: bool
    """Whether the seat that moved last has four in a line: found once, when the disc falls."""


_new = tuple.__new__
"""Calling a NamedTuple takes twice as long, and searches do little else."""


def _has_line(discs: int) -> bool:
    """Whether four of these discs stand in a row, a column or a diagonal."""
    pairs = discs & (discs >> _STRIDE)
    if pairs & (pairs >> 2 * _STRIDE):
        return True
    pairs = discs & (discs >> 1)
    if pairs & (pairs >> 2):
        return True
    pairs = discs & (discs >> (_STRIDE + 1))
    if pairs & (pairs >> 2 * (_STRIDE + 1)):
        return True
    pairs = discs & (discs >> (_STRIDE - 1))
    return bool(pairs & (pairs >> 2 * (_STRIDE - 1)))


class ConnectFour:
    """Connect Four, 7 columns by 6 rows. Moves are the columns `1` to `7`, counted from the left."""

    id = "connect_four"
    traits = Traits(max_plies=COLUMNS * ROWS, seat_names=("X", "O"))
    rules = (
        "Connect Four. The board has 7 columns and 6 rows. Two players, X and O, take turns; X begins. "
        "A player drops one disc into a column that is not full; it falls to the lowest empty cell of that column. "
        "Whoever first has four discs in a straight line (across, up, or diagonal) wins. "
        "If the board is full and nobody has four in a line, the game is a draw.\n"
        "A move is written as the number of the column, 1 to 7, counted from the left."
    )

    @property
    def all_moves(self) -> tuple[Move, ...]:
        """Every move there can be, in a fixed order."""
        return tuple(Move(str(column + 1)) for column in range(COLUMNS))

    def initial(self, rng: Random) -> Position:
        """The empty board; `rng` is not used."""
        return Position(0, 0, False)

    def to_move(self, state: Position) -> Seat:
        """FIRST whenever both have as many discs."""
        return _SECOND if (state.first | state.second).bit_count() & 1 else _FIRST

    def legal_moves(self, state: Position) -> Sequence[Move]:
        """The columns with room, from left to right; none once the game is over."""
        first, second, line = state
        if line:
            return ()
        taken = first | second
        if not taken & _TOP_ROW:
            return _MOVES
        return tuple([_MOVES[i] for i in range(COLUMNS) if not taken & _TOP[i]])

    def play(self, state: Position, move: Move) -> Position:
        """The board with one more disc. Raises `IllegalMove` for a full column, a foreign text or a finished game."""
        first, second, line = state
        taken = first | second
        column = _COLUMN_OF.get(move)
        if column is None:
            raise self._illegal(state, move, "a move is a column from 1 to 7")
        if line:
            raise self._illegal(state, move, "the game is over")
        if taken & _TOP[column]:
            raise self._illegal(state, move, f"column {move} is full")
        disc = (taken + _BOTTOM[column]) & ~taken & (((1 << ROWS) - 1) << (column * _STRIDE))
        if taken.bit_count() & 1:
            second |= disc
            return _new(Position, (first, second, _has_line(second)))
        first |= disc
        return _new(Position, (first, second, _has_line(first)))

    def outcome(self, state: Position) -> Outcome | None:
        """A win for the seat that moved last, a draw on a full board, or None."""
        first, second, line = state
        taken = first | second
        if line:
            return _FIRST_WON if taken.bit_count() & 1 else _SECOND_WON
        return _DRAWN if taken == _FULL else None

    def visible(self, state: Position, seat: Seat) -> Position:
        """The state itself: nothing is hidden."""
        return state

    def parse(self, state: Position, text: str) -> Move:
        """The column that `text` names; see `Game.parse`."""
        stripped = text.strip()
        column = _COLUMN_OF.get(Move(stripped))
        if column is None:
            if stripped.isascii() and stripped.lstrip("-").isdigit():
                raise self._illegal(state, text, "there is no such column; a move is a column from 1 to 7")
            raise MalformedMove(
                text, game=self.id, position=self.encode(state), why="a move is one digit, the column from 1 to 7"
            )
        move = _MOVES[column]
        if self.outcome(state) is not None:
            raise self._illegal(state, text, "the game is over")
        if (state.first | state.second) & _TOP[column]:
            raise self._illegal(
                state, text, f"column {move} is full; open columns: {' '.join(self.legal_moves(state))}"
            )
        return move

    def render(self, state: Position, seat: Seat) -> str:
        """Six lines of cells, X for FIRST, O for SECOND and a dot for empty, then the column numbers."""
        lines = [
            " ".join(self._glyph(state, column, row) for column in range(COLUMNS)) for row in reversed(range(ROWS))
        ]
        return "\n".join([*lines, " ".join(_MOVES)])

    def encode(self, state: Position) -> str:
        """The six rows from the top, joined by `/`, then the mark to move: `......./…/...XO.. X`."""
        rows = ("".join(self._glyph(state, column, row) for column in range(COLUMNS)) for row in reversed(range(ROWS)))
        return f"{'/'.join(rows)} {'X' if self.to_move(state) is _FIRST else 'O'}"

    def decode(self, text: str) -> Position:
        """The board that `encode` wrote; floating discs, wrong counts and two winners are refused."""
        board, _, mark = text.strip().partition(" ")
        rows = board.split("/")
        if len(rows) != ROWS or any(len(row) != COLUMNS or set(row) - set("XO.") for row in rows):
            raise PositionError(f"{text!r} is no Connect Four board: expected 6 rows of 7 cells X, O or ., joined by /")
        discs = {"X": 0, "O": 0}
        for row, cells in zip(reversed(range(ROWS)), rows, strict=True):
            for column, cell in enumerate(cells):
                if cell != ".":
                    discs[cell] |= 1 << (column * _STRIDE + row)
        taken = discs["X"] | discs["O"]
        odd = taken.bit_count() & 1
        state = Position(discs["X"], discs["O"], _has_line(discs["X"] if odd else discs["O"]))
        if (taken + sum(_BOTTOM)) & taken:
            raise PositionError(f"{text!r}: a disc floats above an empty cell")
        if state.first.bit_count() - state.second.bit_count() not in (0, 1):
            raise PositionError(f"{text!r}: X must have as many discs as O, or one more")
        if _has_line(state.second if odd else state.first):
            raise PositionError(f"{text!r}: the side to move already has four in a line")
        if mark != ("X" if self.to_move(state) is _FIRST else "O"):
            raise PositionError(f"{text!r}: the discs say that the other side is to move")
        return state

    def digest(self, state: Position) -> str:
        """16 hexadecimal digits of the two boards."""
        return blake2b(b"connect_four:%d:%d" % state[:2], digest_size=8).hexdigest()

    def _glyph(self, state: Position, column: int, row: int) -> str:
        bit = 1 << (column * _STRIDE + row)
        return "X" if state.first & bit else "O" if state.second & bit else "."

    def _illegal(self, state: Position, text: str, why: str) -> IllegalMove:
        return IllegalMove(text, game=self.id, position=self.encode(state), why=why)
