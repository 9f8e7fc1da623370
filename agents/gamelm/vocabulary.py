"""The tokens of a game: a shared core of words and value buckets, then the game's moves and what boards are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

__all__ = ["BUCKETS", "CORE", "Vocabulary"]

BUCKETS = 64
CORE = (
    *("<pad>", "<bos>", "<end>"),
    *("<read>", "<best>"),
    # What the rules say of a position, for the side to move.
    *("<going>", "<won>", "<drawn>", "<lost>"),
    "<illegal>",
    *("<prev>", "<act>", "<state>", "<top>", "<play>", "<next>", "<spare>"),
    *("<search>", "<expand>", "<child>", "<back>", "<select>"),
    *(f"<depth{depth}>" for depth in range(4)),
    *(f"<breadth{breadth}>" for breadth in range(1, 8)),
    *(f"<want-{word}>" for word in ("state", "top", "best", "next")),
    *(f"<v{bucket}>" for bucket in range(1, BUCKETS + 1)),
)
"""Tokens that every game has, at the same numbers."""


@dataclass(frozen=True)
class Vocabulary:
    """All tokens of one game, by number.

    Args:
        moves: the game's moves as words of the model.
        contents: how many different things a place of the board can hold.
        places: places of a board as the model sees it.
        asked: places of moves behind those of the board; 0 where the board's own places answer for the moves.
        nothing: what such a place holds where there cannot be a move.
        lengths: of how many such places the first are read: as many as reach to the last that holds something.
    """

    moves: int
    contents: int
    places: int
    asked: int = 0
    nothing: int = 0
    lengths: tuple[int, ...] = ()

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of each core token."""
        return {token: index for index, token in enumerate(CORE)}

    def __getitem__(self, token: str) -> int:
        return self.number[token]

    @property
    def first_value(self) -> int:
        """The number of bucket 1; bucket b is `first_value + b - 1`."""
        return self.number["<v1>"]

    @property
    def first_move(self) -> int:
        """The number of move 0."""
        return len(CORE)

    @property
    def first_content(self) -> int:
        """The number of content 0."""
        return len(CORE) + self.moves

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(CORE) + self.moves + self.contents
