"""Connect Four as the model sees it: a token for the content of each column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm import columns
from stratarena.agents.gamelm.forms import Board, Boards, Mirrored
from stratarena.agents.gamelm.games import CONNECT_FOUR
from stratarena.agents.gamelm.interchange import COLUMNS, NotInterchange, board_from_text, first_moves, state_text
from stratarena.agents.gamelm.labels import Labelled
from stratarena.agents.gamelm.reading import CONNECT_FOUR as WORDS
from stratarena.agents.gamelm.reading import statuses
from stratarena.agents.gamelm.trace_reading import board_of
from stratarena.agents.gamelm.values import chance_of_score
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour, Position

__all__ = ["FORM", "ConnectFourForm"]


class ConnectFourForm(Mirrored):
    """See `forms.Form`; moves are columns, and the symmetry exchanges left and right."""

    game = CONNECT_FOUR
    tag = CONNECT_FOUR
    words = WORDS

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """As `columns.contents`."""
        return columns.contents(own, opponent)

    def board_of(self, contents: tuple[int, ...]) -> Board:
        """As `trace_reading.board_of`."""
        return board_of(contents)

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
        """The arena's text."""
        first, second = board if mover is Seat.FIRST else board[::-1]
        return ConnectFour().encode(Position(first, second, line=False))

    def move(self, index: int, mover: Seat, board: Board) -> Move:
        """Columns are named from 1."""
        return Move(str(index + 1))

    def index(self, move: Move, mover: Seat, board: Board) -> int:
        """Columns are counted from 0."""
        return int(move) - 1

    def first(self, board: Board) -> bool:
        """Both have as many discs."""
        return first_moves(*board)

    def state_text(self, board: Board) -> str:
        """As `interchange.state_text`."""
        return state_text(*board)

    def board_from_text(self, text: str) -> Board:
        """As `interchange.board_from_text`."""
        return board_from_text(text)

    def move_text(self, index: int, board: Board) -> str:
        """A letter from a to g."""
        return COLUMNS[index]

    def move_from_text(self, text: str, board: Board) -> int:
        """The column of a letter."""
        if len(text) != 1 or text not in COLUMNS:
            raise NotInterchange(f"{text!r} is no move: expected a letter from a to g")
        return COLUMNS.index(text)


FORM = ConnectFourForm()
