"""Connect Four as the model sees it: a token for the content of each column."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm import columns
from stratarena.agents.gamelm.columns import ROWS, STRIDE
from stratarena.agents.gamelm.forms import Board, Boards, Mirrored, NotInterchange
from stratarena.agents.gamelm.games import CONNECT_FOUR
from stratarena.agents.gamelm.labels import Labelled
from stratarena.agents.gamelm.reading import CONNECT_FOUR as WORDS
from stratarena.agents.gamelm.reading import statuses
from stratarena.agents.gamelm.values import chance_of_score
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour, Position

__all__ = ["FORM", "ConnectFourForm"]

_LETTERS = "abcdefg"
_CELLS = [STRIDE * column + row for row in range(ROWS) for column in range(columns.COLUMNS)]
_BOTTOM = sum(1 << (STRIDE * column) for column in range(columns.COLUMNS))
_STATE = re.compile(r"([xo]) \|\| ([xo.](?: [xo.]){41}) \|\|")


class ConnectFourForm(Mirrored):
    """See `forms.Form`; moves are columns, and the symmetry exchanges left and right."""

    game = CONNECT_FOUR
    tag = CONNECT_FOUR
    words = WORDS
    order: tuple[int, ...] = (3, 2, 4, 1, 5, 0, 6)

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """As `columns.contents`."""
        return columns.contents(own, opponent)

    def board_of(self, contents: tuple[int, ...]) -> Board:
        """As `columns.board_of`."""
        return columns.board_of(contents)

    def room(self, own: Boards, opponent: Boards) -> NDArray[np.bool_]:
        """As `columns.room`."""
        return columns.room(own, opponent)

    def play(self, own: Boards, opponent: Boards, moves: NDArray[np.int64]) -> tuple[Boards, Boards]:
        """As `columns.play`."""
        return columns.play(own, opponent, moves)

    def statuses(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """Lost where the side that moved last has a line, drawn on a full board."""
        return statuses(own, opponent)

    def mirrored(self, boards: Boards) -> Boards:
        """Left and right exchanged."""
        return columns.mirrored(boards)

    def chances(self, scores: NDArray[np.integer]) -> NDArray[np.float64]:
        """As `values.chance_of_score`."""
        return chance_of_score(scores)

    def generate(self, n_games: int, seed: int) -> Labelled:
        """Games of mixed strength with the scores of bitbully."""
        from stratarena.agents.gamelm.connect_four_positions import generate

        return generate(n_games, seed)

    def board(self, state: Any, seat: Seat) -> Board:
        """The discs of this seat and of the other."""
        found = ConnectFour().decode(state) if isinstance(state, str) else state
        first, second = int(found.first), int(found.second)
        return (first, second) if seat is Seat.FIRST else (second, first)

    def encode(self, board: Board, mover: Seat, before: Any = None) -> str:
        """The arena's text; of discs that cannot be with this side to move it is a text that the arena refuses."""
        first, second = board if mover is Seat.FIRST else board[::-1]
        text = ConnectFour().encode(Position(first, second, line=False))
        return f"{text[:-1]}{'X' if mover is Seat.FIRST else 'O'}"

    def move(self, index: int, mover: Seat, board: Board) -> Move:
        """Columns are named from 1."""
        return Move(str(index + 1))

    def index(self, move: Move, mover: Seat, board: Board) -> int:
        """Columns are counted from 0."""
        return int(move) - 1

    def first(self, board: Board) -> bool:
        """Both have as many discs."""
        return (board[0] | board[1]).bit_count() % 2 == 0

    def state_text(self, board: Board) -> str:
        """`mover || 42 cells ||`, the bottom row first, `x` the first player's discs."""
        own, opponent = board
        glyphs = ("x", "o") if self.first(board) else ("o", "x")
        cells = (glyphs[0] if own >> cell & 1 else glyphs[1] if opponent >> cell & 1 else "." for cell in _CELLS)
        return f"{glyphs[0]} || {' '.join(cells)} ||"

    def board_from_text(self, text: str) -> Board:
        """The mover's discs and the other's. Raises `NotInterchange` for any other text."""
        matched = _STATE.fullmatch(text)
        if matched is None:
            raise NotInterchange(f"{text!r} is no state: expected x or o, then 42 cells between double bars")
        own = opponent = 0
        for cell, glyph in zip(_CELLS, matched[2].split(), strict=True):
            if glyph != ".":
                if glyph == matched[1]:
                    own |= 1 << cell
                else:
                    opponent |= 1 << cell
        taken = own | opponent
        if self.state_text((own, opponent)) != text or (taken + _BOTTOM) & taken:
            raise NotInterchange(f"{text!r} cannot come about: discs float, or the other side is to move")
        return own, opponent

    def move_text(self, index: int, board: Board) -> str:
        """A letter from a to g."""
        return _LETTERS[index]

    def move_from_text(self, text: str, board: Board) -> int:
        """The column of a letter."""
        if len(text) != 1 or text not in _LETTERS:
            raise NotInterchange(f"{text!r} is no move: expected a letter from a to g")
        return _LETTERS.index(text)


FORM = ConnectFourForm()
