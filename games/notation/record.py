"""A played game as a value: what every notation is read to and written from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from stratarena.games.base import Move, Seat, SpecError

__all__ = ["ROSTER", "Evaluation", "GameRecord", "NotationError", "NotedMove", "Result", "shown"]

ROSTER: Mapping[str, str] = {"Event": "?", "Site": "?", "Date": "????.??.??", "Round": "?"}
"""The headers that every PGN game has, and how each says that it is not known."""

_OWN_FIELDS = frozenset({"White", "Black", "Result", "Variant", "SetUp", "FEN"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+#=:-]{0,254}")
_MOST_MS = 10**15
_SHOWN = 60
_LONGEST_WHY = 400


class NotationError(SpecError):
    """A game in a file cannot be read or written; says which, where, and what was expected."""

    def __init__(
        self, why: str, *, game: int | None = None, line: int | None = None, ply: int | None = None, fatal: bool = False
    ) -> None:
        if len(why) > _LONGEST_WHY:
            why = f"{why[:_LONGEST_WHY]}…"
        self.why = why
        self.game = game
        """The game's place in the file, from 1."""
        self.line = line
        """The line of the file, from 1; None where there is no file."""
        self.ply = ply
        """The ply that could not be made, from 1; None outside the moves."""
        self.fatal = fatal
        """Whether nothing behind this place can be read."""
        numbers = (("game", game), ("line", line), ("ply", ply))
        place = ", ".join(f"{name} {number}" for name, number in numbers if number is not None)
        super().__init__(f"{place}: {why}" if place else why)


class Result(Enum):
    """A result as the file states it; FIRST's points come first."""

    FIRST_WON = "1-0"
    SECOND_WON = "0-1"
    DRAWN = "1/2-1/2"
    OPEN = "*"
    """Unfinished, or not known."""

    @property
    def winner(self) -> Seat | None:
        """The winning seat; None for a draw and for an open game."""
        return {"1-0": Seat.FIRST, "0-1": Seat.SECOND}.get(self.value)

    @staticmethod
    def of(winner: Seat | None) -> Result:
        """The result of a finished game; None is a draw."""
        if winner is None:
            return Result.DRAWN
        return Result.FIRST_WON if winner is Seat.FIRST else Result.SECOND_WON


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A stated evaluation of the position that a move left, always from FIRST's (White's) side."""

    centipawns: int | None = None
    """Hundredths of a pawn. Exactly one of this and `mate` is set."""
    mate: int | None = None
    """Moves to mate: FIRST mates when positive, SECOND when negative; 0 is mate on the board."""
    depth: int | None = None
    """Plies looked ahead."""

    def __post_init__(self) -> None:
        if (self.centipawns is None) == (self.mate is None):
            raise SpecError("an evaluation has centipawns or moves to mate, one of the two")
        if not abs(self.centipawns or 0) < 10**9 or not abs(self.mate or 0) < 10**4:
            raise SpecError("an evaluation is out of range: centipawns below 10**9, moves to mate below 10**4")
        if self.depth is not None and not 0 <= self.depth < 10**4:
            raise SpecError(f"an evaluation's depth is {self.depth}; expected 0 to 9999")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedMove:
    """A move, and what was noted about it."""

    move: Move
    comment: str = ""
    """Any text; empty where there is none."""
    nags: tuple[int, ...] = ()
    """Numeric annotation glyphs, 0 to 255, in their order: 1 is `!`, 2 `?`, 3 `!!`, 4 `??`, 5 `!?`, 6 `?!`."""
    clock_ms: int | None = None
    """Milliseconds left on the mover's clock after the move."""
    elapsed_ms: int | None = None
    """Milliseconds the mover took for it."""
    evaluation: Evaluation | None = None

    def __post_init__(self) -> None:
        if not self.move or any(character.isspace() for character in self.move):
            raise SpecError(f"{self.move!r} is no move: expected a word without spaces")
        if not all(0 <= nag <= 255 for nag in self.nags):
            raise SpecError(f"NAGs are {self.nags}; expected numbers from 0 to 255")
        for name, value in (("clock", self.clock_ms), ("elapsed time", self.elapsed_ms)):
            if value is not None and not 0 <= value < _MOST_MS:
                raise SpecError(f"the {name} is {value} ms; expected 0 or more, below 10**15")


@dataclass(frozen=True, slots=True, kw_only=True)
class GameRecord:
    """One game as a file tells it. Equal records are written as equal texts.

    Raises:
        SpecError: a name or header is no single line of plain text, or says only that it is not known.
    """

    game: str
    """The spec, as `load_game` reads it."""
    start: str | None = None
    """The position before the first move, in the game's one-line notation; None is the game's own start."""
    moves: tuple[NotedMove, ...] = ()
    first: str | None = None
    """Who plays FIRST; None where the file does not say."""
    second: str | None = None
    result: Result = Result.OPEN
    """As stated; the rules may say otherwise."""
    headers: tuple[tuple[str, str], ...] = ()
    """Everything else that is said of the game, by PGN's names: Event, Site, Date and Round, then by name."""
    comment: str = ""
    """What is said before the first move."""
    line: int | None = field(default=None, compare=False)
    """The line of the file where the game begins."""
    n_variations: int = field(default=0, compare=False)
    """Variations of the file that were left out: a record holds the game itself."""
    n_marks: int = field(default=0, compare=False)
    """Board marks and such of the file that have no place here and were left out."""

    def __post_init__(self) -> None:
        for role, name in (("first", self.first), ("second", self.second)):
            if name is not None and (not name or name == "?" or not _one_line(name)):
                raise SpecError(f"{role} = {shown(name)}; expected one line of plain text, or no name at all")
        seen = set()
        for name, value in self.headers:
            if not _HEADER_NAME.fullmatch(name) or name in _OWN_FIELDS:
                raise SpecError(f"{shown(name)} is no header: expected letters, digits and _ + # = : -")
            if name in seen:
                raise SpecError(f"header {name} is given twice")
            seen.add(name)
            if not value or not _one_line(value) or value == ROSTER.get(name):
                raise SpecError(f"header {name} = {shown(value)}; expected one line of plain text that says something")
        order = list(ROSTER)
        ranked = sorted(self.headers, key=lambda pair: (order.index(pair[0]) if pair[0] in ROSTER else 9, pair[0]))
        object.__setattr__(self, "headers", tuple(ranked))

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return dict(self.headers).get(name)


def shown(text: str) -> str:
    """A stranger's text for a message: quoted, escaped, not long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}… ({len(text):,} characters)"


def _one_line(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)
