"""Hex as the model sees it: a token for each cell, which answers with the value of a stone there.

The mover always joins top and bottom (see `hex_boards`); texts and the arena show the board as it lies, so cells of the
side that joins left and right are named with row and column exchanged.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.forms import Board, Boards, Mirrored, NotInterchange
from stratarena.agents.gamelm.games import HEX_5X5
from stratarena.agents.gamelm.hex_boards import Cells
from stratarena.agents.gamelm.labels import Labelled
from stratarena.agents.gamelm.reading import STATUSES
from stratarena.agents.gamelm.vocabulary import Vocabulary
from stratarena.games.base import Move, Seat
from stratarena.games.hex import Hex, Position

__all__ = ["FORM_5X5", "GRADES", "HexForm"]

GRADES = 62
"""Scores are 1 to 1 + GRADES for moves that win, the clearest the highest, and the negatives of those for moves that lose."""


class HexForm(Mirrored):
    """See `forms.Form`, for one size and without the swap rule; the symmetry turns the board by half."""

    def __init__(self, size: int) -> None:
        self._rules = Hex(size)
        self._cells = Cells(size)
        self._names = [str(move) for move in self._rules.cells]
        self._state = re.compile(rf"([xo]) \|\| ([xo.](?: [xo.]){{{size * size - 1}}}) \|\|")
        self.game = self._rules.id
        self.tag = f"hex{size}"
        self.words = Vocabulary(moves=size * size, contents=3, places=size * size)
        self.order = tuple(sorted(range(size * size), key=self._from_the_centre))

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """0 where a cell is empty, 1 own, 2 the opponent's."""
        return self._cells.contents(own, opponent)

    def board_of(self, contents: tuple[int, ...]) -> Board:
        """The board whose cells hold that."""
        own = sum(1 << cell for cell, content in enumerate(contents) if content == 1)
        return own, sum(1 << cell for cell, content in enumerate(contents) if content == 2)

    def room(self, own: Boards, opponent: Boards) -> NDArray[np.bool_]:
        """Whether the cell is empty."""
        return ~self._cells.grid(own | opponent)

    def play(self, own: Boards, opponent: Boards, moves: NDArray[np.int64]) -> tuple[Boards, Boards]:
        """As `hex_boards.Cells.play`."""
        return self._cells.play(own, opponent, moves)

    def statuses(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """Lost where the opponent has joined its edges, won where the mover has, which play never leads to."""
        lost = self._cells.joined(self._cells.exchange(opponent))
        won = self._cells.joined(own)
        return np.where(lost, STATUSES.index("<lost>"), np.where(won, STATUSES.index("<won>"), 0)).astype(np.int64)

    def mirrored(self, boards: Boards) -> Boards:
        """Turned by half."""
        return self._cells.turn(boards)

    def chances(self, scores: NDArray[np.integer]) -> NDArray[np.float64]:
        """Wins lie from 0.75 to 1 and losses from 0 to 0.25, by the share of random fillings that the mover wins.

        Scores are 1 to 63 for moves that win and the negatives for moves that lose; see `hex_positions`.
        """
        return np.asarray(0.5 + np.sign(scores) * (0.25 + 0.25 * (np.abs(scores) - 1) / GRADES))

    def generate(self, n_games: int, seed: int) -> Labelled:
        """Games of mixed strength, every move proved."""
        from stratarena.agents.gamelm.hex_positions import generate

        return generate(self._rules.size, n_games, seed)

    def board(self, state: Any, seat: Seat) -> Board:
        """The stones of this seat, turned so that they join top and bottom, and those of the other."""
        found = self._rules.decode(state) if isinstance(state, str) else state
        grid = [self._row_major(stones) for stones in (found.first, found.second)]
        if seat is Seat.FIRST:
            return grid[0], grid[1]
        return self._exchanged(grid[1]), self._exchanged(grid[0])

    def encode(self, board: Board, mover: Seat, before: Any = None) -> str:
        """The arena's text."""
        first, second = board if mover is Seat.FIRST else (self._exchanged(board[1]), self._exchanged(board[0]))
        stones = self._padded(first), self._padded(second)
        return self._rules.encode(Position(*stones, plies=mover is Seat.SECOND, connected=False))

    def move(self, index: int, mover: Seat, board: Board) -> Move:
        """The cell's name on the board as it lies."""
        return self._rules.cells[index if mover is Seat.FIRST else int(self._cells.exchanged[index])]

    def index(self, move: Move, mover: Seat, board: Board) -> int:
        """The cell as the mover sees it. Raises `ValueError` for a text that names none."""
        index = self._names.index(str(move))
        return index if mover is Seat.FIRST else int(self._cells.exchanged[index])

    def first(self, board: Board) -> bool:
        """By the number of stones."""
        return _mover(board) is Seat.FIRST

    def state_text(self, board: Board) -> str:
        """`mover || cells ||`, row by row from the top as the board lies, `x` the first player's stones."""
        if _mover(board) is Seat.FIRST:
            (own, opponent), glyphs = board, ("x", "o")
        else:
            own, opponent = (self._exchanged(stones) for stones in board)
            glyphs = ("o", "x")
        cells = (
            glyphs[0] if own >> cell & 1 else glyphs[1] if opponent >> cell & 1 else "."
            for cell in range(self._cells.n)
        )
        return f"{glyphs[0]} || {' '.join(cells)} ||"

    def board_from_text(self, text: str) -> Board:
        """The mover's stones and the other's. Raises `NotInterchange` for any other text."""
        matched = self._state.fullmatch(text)
        if matched is None:
            raise NotInterchange(
                f"{text!r} is no state: expected x or o, then {self._cells.n} cells between double bars"
            )
        cells = matched[2].split()
        mine, theirs = (
            sum(1 << cell for cell, glyph in enumerate(cells) if glyph == of)
            for of in (matched[1], "o" if matched[1] == "x" else "x")
        )
        board = (mine, theirs) if matched[1] == "x" else (self._exchanged(mine), self._exchanged(theirs))
        if board[1].bit_count() - board[0].bit_count() != (matched[1] == "o"):
            raise NotInterchange(f"{text!r} cannot come about: {matched[1]} cannot be to move with so many stones")
        return board

    def move_text(self, index: int, board: Board) -> str:
        """The cell's name on the board as it lies, such as b3."""
        return str(self.move(index, _mover(board), board))

    def move_from_text(self, text: str, board: Board) -> int:
        """The cell as the mover sees it."""
        if text not in self._names:
            raise NotInterchange(f"{text!r} is no move: expected a cell from {self._names[0]} to {self._names[-1]}")
        return self.index(Move(text), _mover(board), board)

    def _from_the_centre(self, cell: int) -> int:
        """Four times the square of the cell's distance from the middle of the board, along its grid of hexagons."""
        row, column = (2 * part - (self._rules.size - 1) for part in divmod(cell, self._rules.size))
        return row * row + row * column + column * column

    def _exchanged(self, stones: int) -> int:
        size = self._rules.size
        return sum(1 << (cell % size * size + cell // size) for cell in range(size * size) if stones >> cell & 1)

    def _row_major(self, padded: int) -> int:
        """Without the empty bit that the arena's boards have after each row."""
        size = self._rules.size
        return sum((padded >> (size + 1) * row & (1 << size) - 1) << size * row for row in range(size))

    def _padded(self, stones: int) -> int:
        size = self._rules.size
        return sum((stones >> size * row & (1 << size) - 1) << (size + 1) * row for row in range(size))


def _mover(board: Board) -> Seat:
    """Who moves with so many stones on the board: the first side after an even number."""
    return Seat.SECOND if sum(stones.bit_count() for stones in board) % 2 else Seat.FIRST


FORM_5X5 = HexForm(5)
assert FORM_5X5.game == HEX_5X5
