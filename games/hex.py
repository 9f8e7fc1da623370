"""Hex on a rhombus of any size from 2 to 19, with or without the swap rule, on bitboards.

Source: Piet Hein 1942, John Nash 1948; the swap rule in its "swap pieces" form, as OpenSpiel plays it: the opening
stone goes over to the other colour and is mirrored along the long diagonal, so that the new owner's edges are met
alike. A board row takes `size + 1` bits, the last one always empty, so that a shift never runs over an edge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from stratarena.games.base import IllegalMove, MalformedMove, Move, Outcome, PositionError, Seat, SpecError, Traits

__all__ = ["Hex", "Position"]

SMALLEST, LARGEST = 2, 19
SWAP = Move("swap")
_FIRST_WON = Outcome(Seat.FIRST, "connected")
_SECOND_WON = Outcome(Seat.SECOND, "connected")
_CELL = re.compile(r"([a-s])([1-9][0-9]?)")


class Position(NamedTuple):
    """Bit `(size + 1) * row + column` of a board is the cell of that row and column, counted from 0 at the top left."""

    first: int
    """The stones of the seat that joins top and bottom."""

    second: int

    plies: int
    """Moves made; a swap is one, though it adds no stone."""

    connected: bool
    """Whether the seat that moved last has joined its edges: found once, when the stone is laid."""


_new = tuple.__new__
"""Calling a NamedTuple takes twice as long, and searches do little else."""


class Hex:
    """Hex, any size from 2 to 19. Moves are cells, `a1` the top left corner, `b1` the cell to its right; or `swap`."""

    def __init__(self, size: int = 11, swap: bool = False) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or not SMALLEST <= size <= LARGEST:
            raise SpecError(f"hex: size = {size!r}; expected a whole number from {SMALLEST} to {LARGEST}")
        if not isinstance(swap, bool):
            raise SpecError(f"hex: swap = {swap!r}; expected true or false")
        self.size = size
        self.swap = swap
        self._stride = size + 1
        cells = [(row, column) for row in range(size) for column in range(size)]
        self.cells = tuple(Move(f"{chr(ord('a') + column)}{row + 1}") for row, column in cells)
        self._bits = tuple(1 << (self._stride * row + column) for row, column in cells)
        self._bit_of = dict(zip(self.cells, self._bits, strict=True))
        self._top = (1 << size) - 1
        self._bottom = self._top << (self._stride * (size - 1))
        self._left = sum(1 << (self._stride * row) for row in range(size))
        self._right = self._left << (size - 1)
        self._mirrored = {
            1 << (self._stride * row + column): 1 << (self._stride * column + row) for row, column in cells
        }
        params = ([f"size={size}"] if size != 11 else []) + (["swap=true"] if swap else [])
        self.id = f"hex({', '.join(params)})" if params else "hex"
        self.traits = Traits(max_plies=size * size + swap, seat_names=("X", "O"))
        last = f"{chr(ord('a') + size - 1)}{size}"
        self.rules = (
            f"Hex on a {size} by {size} board of six-sided cells, drawn as a slanted rhombus. Two players, X and O, "
            "take turns placing one stone of their own on an empty cell; X begins. Stones never move. "
            "X wins by joining the top edge to the bottom edge with a connected chain of X stones; "
            "O wins by joining the left edge to the right edge with O stones. "
            "A cell touches up to six others: left, right, above, below, above right and below left. "
            "There are no draws.\n"
            + (
                "After X's first stone, O may answer swap instead of placing a stone: that stone is taken off, and O "
                "gets a stone on its mirror cell (column and row exchanged).\n"
                if swap
                else ""
            )
            + f"A move is written as a cell, its column letter then its row number, a1 (top left) to {last}"
            + (", or the word swap." if swap else ".")
        )

    @property
    def all_moves(self) -> tuple[Move, ...]:
        """Every move there can be, in a fixed order: cells row by row, then `swap` where the rule holds."""
        return (*self.cells, SWAP) if self.swap else self.cells

    def initial(self, rng: Random) -> Position:
        """The empty board; `rng` is not used."""
        return Position(0, 0, 0, False)

    def to_move(self, state: Position) -> Seat:
        """FIRST after an even number of moves."""
        return Seat.SECOND if state.plies & 1 else Seat.FIRST

    def legal_moves(self, state: Position) -> Sequence[Move]:
        """Empty cells, row by row from the top left, then `swap` where it is open; none once the game is over."""
        if state.connected:
            return ()
        taken = state.first | state.second
        moves = [move for move, bit in zip(self.cells, self._bits, strict=True) if not taken & bit]
        if self.swap and state.plies == 1:
            moves.append(SWAP)
        return tuple(moves)

    def play(self, state: Position, move: Move) -> Position:
        """The board after the move. Raises `IllegalMove`: a taken or foreign cell, a late swap, a finished game."""
        first, second, plies, connected = state
        bit = self._bit_of.get(move)
        if connected:
            raise self._illegal(state, move, "the game is over")
        if bit is None:
            if move == SWAP and self.swap and plies == 1:
                return Position(0, self._mirrored[first], 2, False)
            why = "swap is open only in answer to the first stone" if move == SWAP and self.swap else self._expected()
            raise self._illegal(state, move, why)
        if (first | second) & bit:
            raise self._illegal(state, move, f"cell {move} is taken")
        if plies & 1:
            second |= bit
            return _new(Position, (first, second, plies + 1, self._joins(second, bit, self._left, self._right)))
        first |= bit
        return _new(Position, (first, second, plies + 1, self._joins(first, bit, self._top, self._bottom)))

    def outcome(self, state: Position) -> Outcome | None:
        """A win for the seat that moved last, or None: Hex has no draws."""
        if not state.connected:
            return None
        return _FIRST_WON if state.plies & 1 else _SECOND_WON

    def visible(self, state: Position, seat: Seat) -> Position:
        """The state itself: nothing is hidden."""
        return state

    def parse(self, state: Position, text: str) -> Move:
        """The move that `text` names, in either letter case; see `Game.parse`."""
        word = text.strip().lower()
        match = _CELL.fullmatch(word)
        if match is None and word != SWAP:
            raise MalformedMove(text, game=self.id, position=self.encode(state), why=self._expected())
        move = Move(word)
        if state.connected:
            raise self._illegal(state, text, "the game is over")
        if move == SWAP:
            if not self.swap:
                raise self._illegal(state, text, f"this game is played without the swap rule; {self._expected()}")
            if state.plies != 1:
                raise self._illegal(state, text, "swap is open only in answer to the first stone")
            return move
        bit = self._bit_of.get(move)
        if bit is None:
            raise self._illegal(state, text, f"there is no such cell on this board; {self._expected()}")
        if (state.first | state.second) & bit:
            raise self._illegal(state, text, f"cell {move} is taken")
        return move

    def render(self, state: Position, seat: Seat) -> str:
        """The rhombus with column letters above and row numbers at the left, X for FIRST, O for SECOND, . for empty."""
        lines = ["   " + " ".join(chr(ord("a") + column) for column in range(self.size))]
        for row in range(self.size):
            cells = " ".join(self._glyph(state, self._stride * row + column) for column in range(self.size))
            lines.append(f"{' ' * row}{row + 1:2} {cells}")
        return "\n".join(lines)

    def encode(self, state: Position) -> str:
        """The rows from the top joined by `/`, then the mark to move: `X../.O./... X`."""
        rows = (
            "".join(self._glyph(state, self._stride * row + column) for column in range(self.size))
            for row in range(self.size)
        )
        return f"{'/'.join(rows)} {'O' if state.plies & 1 else 'X'}"

    def decode(self, text: str) -> Position:
        """The board that `encode` wrote; impossible counts and two winners are refused."""
        board, _, mark = text.strip().partition(" ")
        rows = board.split("/")
        size = self.size
        if (
            len(rows) != size
            or any(len(row) != size or set(row) - set("XO.") for row in rows)
            or mark not in ("X", "O")
        ):
            raise PositionError(
                f"{text!r} is no position of {self.id}: expected {size} rows of {size} cells X, O or ., joined by /, "
                "then a space and X or O to move"
            )
        stones = {"X": 0, "O": 0}
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell != ".":
                    stones[cell] |= 1 << (self._stride * row + column)
        lead = stones["X"].bit_count() - stones["O"].bit_count()
        # Without a swap X leads by one when O is to move, else by none; a swap takes one from that lead.
        expected = 1 if mark == "O" else 0
        swapped = lead == expected - 1
        if lead != expected and not (swapped and self.swap and stones["O"]):
            raise PositionError(f"{text!r}: {mark} cannot be to move with so many stones of each colour")
        x_joined = self._edges_joined(stones["X"], self._top, self._bottom)
        o_joined = self._edges_joined(stones["O"], self._left, self._right)
        if (x_joined and mark == "X") or (o_joined and mark == "O"):
            raise PositionError(f"{text!r}: the side to move has already joined its edges")
        total = stones["X"].bit_count() + stones["O"].bit_count() + swapped
        return Position(stones["X"], stones["O"], total, x_joined or o_joined)

    def digest(self, state: Position) -> str:
        """16 hexadecimal digits of the size, the rule, the stones and the number of moves."""
        text = b"hex:%d:%d:%d:%d:%d" % (self.size, self.swap, *state[:3])
        return blake2b(text, digest_size=8).hexdigest()

    def _joins(self, stones: int, seed: int, one: int, other: int) -> bool:
        """Whether the chain through the stone `seed` meets both edges."""
        if not (stones & one and stones & other):
            return False
        stride = self._stride
        chain = grown = seed
        while grown:
            grown = (
                (grown << 1)
                | (grown >> 1)
                | (grown << stride)
                | (grown >> stride)
                | (grown << (stride - 1))
                | (grown >> (stride - 1))
            )
            grown &= stones & ~chain
            chain |= grown
        return bool(chain & one and chain & other)

    def _edges_joined(self, stones: int, one: int, other: int) -> bool:
        """Whether any chain of these stones meets both edges."""
        starts = stones & one
        while starts:
            stone = starts & -starts
            if self._joins(stones, stone, one, other):
                return True
            starts ^= stone
        return False

    def _glyph(self, state: Position, index: int) -> str:
        return "X" if state.first >> index & 1 else "O" if state.second >> index & 1 else "."

    def _expected(self) -> str:
        last = f"{chr(ord('a') + self.size - 1)}{self.size}"
        return f"a move is an empty cell from a1 to {last}" + (", or swap" if self.swap else "")

    def _illegal(self, state: Position, text: str, why: str) -> IllegalMove:
        return IllegalMove(text, game=self.id, position=self.encode(state), why=why)
