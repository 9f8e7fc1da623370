"""The rules' own vocabulary: seats, moves, outcomes, the `Game` protocol and the errors that bad move text raises.

Everything here is pure. A game is a value of rules; a state is a frozen value; a function of the two gives a new
state. Imports nothing of ours: every other folder may import this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import NewType, Protocol, TypeVar

__all__ = [
    "AmbiguousMove",
    "ArenaError",
    "Game",
    "IllegalMove",
    "MalformedMove",
    "Move",
    "MoveError",
    "Outcome",
    "PositionError",
    "Seat",
    "SpecError",
    "Traits",
]

Move = NewType("Move", str)
"""A game's one canonical notation for one move: `"e2e4"`, `"4"`, `"c3"`. Hashable, sortable, storable, readable."""

S = TypeVar("S")


class Seat(Enum):
    """A role in a game, never an agent's identity. FIRST makes the first move of the game from its start."""

    FIRST = "first"
    SECOND = "second"

    other: Seat
    """The opponent's seat."""


Seat.FIRST.other = Seat.SECOND
Seat.SECOND.other = Seat.FIRST


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a game ended by its own rules. Forfeits and caps are not outcomes: they are the referee's verdicts."""

    winner: Seat | None
    """The winning seat, or None for a draw."""

    reason: str
    """The rule that ended the game, in snake case: `"four_in_a_row"`, `"checkmate"`, `"stalemate"`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a caller may rely on for every play of a game."""

    open_information: bool = True
    """Both seats see the whole state."""

    chance: bool = False
    """Some moves are made by chance."""

    zero_sum: bool = True

    max_plies: int
    """No play of the game is longer than this many plies."""

    purse: bool = False
    """Moves cost an in-game resource."""

    lists_moves: bool = True
    """`legal_moves` lists every legal move. Where a move is a whole plan, it lists a sample, and `parse` takes any text."""

    seat_names: tuple[str, str] = ("first", "second")
    """What the rules and the board call FIRST and SECOND: White and Black, X and O."""


class Game(Protocol[S]):
    """Rules as pure functions on frozen states of type `S`.

    No method changes its arguments, reads a clock or draws randomness other than from the `rng` it is handed.
    """

    @property
    def id(self) -> str:
        """The spec that makes this game again, defaults left out: `"chess"`, `"hex(size=7, swap=true)"`."""

    @property
    def traits(self) -> Traits:
        """What may be relied on for every play of the game."""

    @property
    def rules(self) -> str:
        """The rules in words for a reader who has never seen the game, ending with how a move is written."""

    def initial(self, rng: Random) -> S:
        """The state before the first move. `rng` is used only by games whose setup is random."""

    def to_move(self, state: S) -> Seat:
        """The seat whose turn it is; unspecified once the game is over."""

    def legal_moves(self, state: S) -> Sequence[Move]:
        """Every legal move in the game's fixed order; empty exactly when the game is over."""

    def play(self, state: S, move: Move) -> S:
        """The state after `move`.

        Raises:
            IllegalMove: the move is not legal here (also when the game is over, or it is not in the notation).
        """

    def outcome(self, state: S) -> Outcome | None:
        """How the game ended, or None while it goes on."""

    def visible(self, state: S, seat: Seat) -> S:
        """What `seat` may know of the state: the state itself in games of open information."""

    def parse(self, state: S, text: str) -> Move:
        """The legal move that `text` names, canonical spelling or one the field also uses (SAN in chess).

        Surrounding white space is ignored; nothing else is repaired.

        Raises:
            MalformedMove: the text is not in the notation at all.
            AmbiguousMove: the text could be several legal moves.
            IllegalMove: well-formed, but not legal here.
        """

    def render(self, state: S, seat: Seat) -> str:
        """The board as plain text for people and models, as `seat` sees it; lines joined by newlines, none trailing."""

    def encode(self, state: S) -> str:
        """The position on one line in the field's notation (FEN for chess); `decode` reads it back.

        History that a position notation does not hold (repetitions in chess) is left out.
        """

    def decode(self, text: str) -> S:
        """The state that `encode` wrote.

        Raises:
            PositionError: the text is no position of this game.
        """

    def digest(self, state: S) -> str:
        """16 hexadecimal digits that depend on everything that matters for the rest of the game, history included."""


class ArenaError(Exception):
    """The root of every error this project raises on purpose; the whole tree is drawn in `stratarena.arena`."""


class SpecError(ArenaError):
    """A game, agent, model or tournament is described wrongly; the message says what would be accepted."""


class PositionError(ArenaError):
    """A text is no position of the game."""


class MoveError(ArenaError):
    """A move, or the text of one, is at fault."""

    kind = "move"

    def __init__(self, text: str, *, game: str, position: str, why: str) -> None:
        self.text = text
        """The offending text, as given."""
        self.game = game
        self.position = position
        """The position it was meant for, in the game's one-line notation."""
        self.why = why
        """One sentence without the text: what is wrong, and what would be accepted."""
        super().__init__(f"{text!r}: {why}")


class MalformedMove(MoveError):
    """The text is not in the game's notation at all."""

    kind = "malformed"


class AmbiguousMove(MoveError):
    """The text could be several moves; never resolved at random."""

    kind = "ambiguous"


class IllegalMove(MoveError):
    """A well-formed move that the rules do not allow here."""

    kind = "illegal"
