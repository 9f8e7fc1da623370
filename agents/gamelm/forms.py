"""The form in which the model sees a game: boards in numbers, tokens, labels, and names of moves and positions.

One game, one form; everything else here asks the form. Boards are two numbers, the mover's stones and the other side's,
and whatever a form's functions say is said for the side to move.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.games import CONNECT_FOUR, HEX_5X5
from stratarena.agents.gamelm.labels import Labelled
from stratarena.agents.gamelm.vocabulary import Vocabulary
from stratarena.games.base import Move, Seat, SpecError

__all__ = ["Board", "Boards", "Form", "form_of", "form_tagged"]

Board = tuple[int, int]
"""The mover's own discs or stones and the opponent's."""
Boards = NDArray[np.uint64]


class Form(Protocol):
    """What is particular to a game. A place of the board answers with the value of the move of the same number."""

    game: str
    """Its id in the arena."""
    tag: str
    """What texts call it."""
    words: Vocabulary

    def contents(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """`[n, places]`: what each place holds."""

    def board_of(self, contents: tuple[int, ...]) -> Board:
        """The board whose places hold that."""

    def room(self, own: Boards, opponent: Boards) -> NDArray[np.bool_]:
        """`[n, moves]`: whether the move is possible on a board that is not over."""

    def play(self, own: Boards, opponent: Boards, moves: NDArray[np.int64]) -> tuple[Boards, Boards]:
        """The boards after a possible move, seen by the other side, who is then to move."""

    def statuses(self, own: Boards, opponent: Boards) -> NDArray[np.int64]:
        """`[n]`: what the rules say, as indices into `reading.STATUSES`."""

    def mirrored(self, boards: Boards) -> Boards:
        """The boards under the game's symmetry, which takes the moves into their reverse order."""

    def chances(self, scores: NDArray[np.integer]) -> NDArray[np.float64]:
        """Scores of labels, none of them `ILLEGAL`, as the mover's chances of winning."""

    def generate(self, n_games: int, seed: int) -> Labelled:
        """Labelled positions of that many games."""

    def board(self, state: Any, seat: Seat) -> Board:
        """A state of the arena, or its text, as the seat sees it. Raises `PositionError` for a text that is none."""

    def encode(self, board: Board, mover: Seat) -> str:
        """The arena's text of a board with that side to move."""

    def move(self, index: int, mover: Seat) -> Move:
        """The arena's move of that number."""

    def index(self, move: Move, mover: Seat) -> int:
        """The number of the arena's move."""

    def state_text(self, board: Board) -> str:
        """The interchange text of a board."""

    def board_from_text(self, text: str) -> Board:
        """The board of such a text. Raises `NotInterchange` for any other."""

    def move_text(self, index: int, board: Board) -> str:
        """The interchange text of a move on that board."""

    def move_from_text(self, text: str, board: Board) -> int:
        """The number of such a move. Raises `NotInterchange` for any other text."""


def form_of(game: str) -> Form:
    """The form of this game, by its id in the arena. Raises `SpecError` for a game that no model knows."""
    # A form stands on the texts and solvers of its game, which stand on much of what asks for forms.
    if game == CONNECT_FOUR:
        from stratarena.agents.gamelm.connect_four_form import FORM

        return FORM
    if game == HEX_5X5:
        from stratarena.agents.gamelm.hex_form import FORM_5X5

        return FORM_5X5
    raise SpecError(f"there is no game model of {game}: expected {CONNECT_FOUR} or {HEX_5X5}")


def form_tagged(tag: str) -> Form | None:
    """The form that texts call so."""
    return next((form for form in map(form_of, (CONNECT_FOUR, HEX_5X5)) if form.tag == tag), None)
