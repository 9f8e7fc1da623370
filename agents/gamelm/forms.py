"""The form in which the model sees a game: boards in numbers, tokens, labels, and names of moves and positions.

One game, one form; everything else here asks the form. Boards are two numbers, the mover's men and the other side's,
and whatever a form's functions say is said for the side to move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.games import CHESS, CONNECT_FOUR, FOLDERS, HEX_5X5, known_games
from stratarena.agents.gamelm.labels import Labelled
from stratarena.agents.gamelm.vocabulary import Vocabulary
from stratarena.games.base import ArenaError, Move, Seat, SpecError

__all__ = ["Board", "Boards", "Form", "Mirrored", "NotInterchange", "form_of", "form_tagged"]

Board = tuple[int, int]
"""The mover's own discs, stones or chessmen and the opponent's."""
Boards = NDArray[np.uint64]


class NotInterchange(ArenaError):
    """A text that is not in the format; says where and what was expected."""


class Form(Protocol):
    """What is particular to a game.

    Each move has a place that answers with its value: the place of the board of the same number, or, where moves are
    asked about apart (`words.asked`), one of as many places behind the board's.
    """

    game: str
    """Its id in the arena."""
    tag: str
    """What texts call it."""
    words: Vocabulary
    order: tuple[int, ...]
    """The order among moves of equal value: the most central first."""

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """`[n, places]`: what each place holds."""

    def asked(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """`[n, words.asked]`: what the places of moves hold, where they are apart from the board's."""

    def board_of(self, contents: tuple[int, ...]) -> Board:
        """The board whose places hold that."""

    def room(self, own: Boards, opponent: Boards) -> NDArray[np.bool_]:
        """`[n, moves]`: whether the move is possible on a board that is not over."""

    def play(self, own: Boards, opponent: Boards, moves: NDArray[np.int64]) -> tuple[Boards, Boards]:
        """The boards after a possible move, seen by the other side, who is then to move."""

    def statuses(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """`[n]`: what the rules say, as indices into `reading.STATUSES`."""

    @property
    def images(self) -> int:
        """How many images of a board the game's symmetries make, the board itself, number 0, among them."""

    def image(self, own: Boards, opponent: Boards, which: NDArray[np.int64] | int) -> tuple[Boards, Boards]:
        """Boards' images of these numbers."""

    def image_moves(self, own: Boards, opponent: Boards, which: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """`[n, moves]`: which move of the board becomes each move of its image of that number."""

    def chances(self, scores: NDArray[np.integer]) -> NDArray[np.float64]:
        """Scores of labels, none of them `ILLEGAL`, as the mover's chances of winning."""

    def generate(self, n_games: int, seed: int) -> Labelled:
        """Labelled positions of that many games."""

    def finished(self) -> tuple[Boards, Boards]:
        """All boards that are over, of whatever split, where play ends too seldom to show them; else none."""

    def board(self, state: Any, seat: Seat) -> Board:
        """A state of the arena, or its text, as the seat sees it. Raises `PositionError` for a text that is none, and for a
        position that the model does not know."""

    def encode(self, board: Board, mover: Seat, before: Any = None) -> str:
        """The arena's text of a board with that side to move.

        What the arena knows beside the board, such as a count of moves, goes on from the position before.
        """

    def move(self, index: int, mover: Seat, board: Board) -> Move:
        """The arena's move of that number on the board."""

    def index(self, move: Move, mover: Seat, board: Board) -> int:
        """The number of the arena's move. Raises `ValueError` for a text that names none."""

    def first(self, board: Board) -> bool:
        """Whether texts take the mover for the first player."""

    def state_text(self, board: Board) -> str:
        """The interchange text of a board."""

    def board_from_text(self, text: str) -> Board:
        """The board of such a text. Raises `NotInterchange` for any other."""

    def move_text(self, index: int, board: Board) -> str:
        """The interchange text of a move on that board."""

    def move_from_text(self, text: str, board: Board) -> int:
        """The number of such a move. Raises `NotInterchange` for any other text."""


class Mirrored(ABC):
    """For forms of games with one symmetry, which takes the moves into their reverse order; the board's places answer."""

    words: Vocabulary
    images = 2

    @abstractmethod
    def mirrored(self, boards: Boards) -> Boards:
        """The boards under the symmetry."""

    def asked(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """No places beside the board's."""
        return np.empty((len(own), 0), np.int64)

    def finished(self) -> tuple[Boards, Boards]:
        """None: every game comes to an end soon."""
        return np.empty(0, np.uint64), np.empty(0, np.uint64)

    def image(self, own: Boards, opponent: Boards, which: NDArray[np.int64] | int) -> tuple[Boards, Boards]:
        """Itself, 0, or the mirrored one, 1."""
        mirrored = np.asarray(which) == 1
        return np.where(mirrored, self.mirrored(own), own), np.where(mirrored, self.mirrored(opponent), opponent)

    def image_moves(self, own: Boards, opponent: Boards, which: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """As they are, or in reverse."""
        mirrored = np.broadcast_to(np.asarray(which) == 1, own.shape)[:, None]
        moves = np.arange(self.words.moves)
        return np.where(mirrored, moves[::-1], moves)


def form_of(game: str) -> Form:
    """The form of this game, by its id in the arena. Raises `SpecError` for a game that no model knows."""
    # A form stands on the texts and solvers of its game, which stand on much of what asks for forms.
    if game == CONNECT_FOUR:
        from stratarena.agents.gamelm.connect_four_form import FORM

        return FORM
    if game == HEX_5X5:
        from stratarena.agents.gamelm.hex_form import FORM_5X5

        return FORM_5X5
    if game == CHESS:
        from stratarena.agents.gamelm.chess_form import FORM as CHESS_FORM

        return CHESS_FORM
    raise SpecError(f"there is no game model of {game}: expected {known_games('or')}")


def form_tagged(tag: str) -> Form | None:
    """The form that texts call so."""
    return next((form for form in map(form_of, FOLDERS) if form.tag == tag), None)
