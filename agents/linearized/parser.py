"""Text to a trace, piece by piece as it comes: strictly, or by the tolerant reading, which notes all that it let pass.

The strict reading takes the grammar of `docs/linearized-search.md` and nothing else; at the first character that does
not fit it raises, and what was read up to there stays known. The tolerant reading is for models that cannot keep to it:
whatever it overlooks stands in `notes`, line by line, and goes into the record with the reading's name.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, NamedTuple

from stratarena.agents.linearized.trace import (
    BREADTH,
    DEPTH,
    END,
    GAME,
    MOVE,
    PERCENT,
    ROOT,
    STATE,
    Backup,
    MoveValue,
    Trace,
    TraceNode,
)
from stratarena.games.base import ArenaError

__all__ = [
    "Note",
    "Reading",
    "TraceError",
    "TraceOrderError",
    "TraceParser",
    "TraceSyntaxError",
    "TraceUnfinished",
    "parse_trace",
]

Reading = Literal["strict", "tolerant"]
LONGEST_LINE = 4_000
"""Characters; a line of a trace has no need of more, and one without an end is stopped here."""
MOST_NODES = 10_000
DEEPEST = 99
_SHOWN = 40


class TraceError(ArenaError):
    """A text is no trace; says where and what was expected."""

    def __init__(self, why: str, *, line: int, column: int) -> None:
        self.why = why
        """What is wrong and what would be accepted, without the place."""
        self.line = line
        """Counted from 1."""
        self.column = column
        """Characters into the line, counted from 1."""
        super().__init__(f"line {line}, column {column}: {why}")

    kind = "wrong"
    """In one word."""


class TraceSyntaxError(TraceError):
    """A line is none of the four forms."""

    kind = "malformed"


class TraceOrderError(TraceError):
    """A line is well formed but cannot stand where it does."""

    kind = "misplaced"


class TraceUnfinished(TraceError):
    """The text ended before the final choice."""

    kind = "unfinished"


class Note(NamedTuple):
    """Something that the tolerant reading let pass."""

    line: int
    """Counted from 1."""
    what: str


def parse_trace(text: str, *, reading: Reading = "strict") -> Trace:
    """The complete trace that a text is.

    Raises:
        TraceError: it is none, by the first place that does not fit; by the tolerant reading only where no tree and no
            final choice can be made of it.
    """
    parser = TraceParser(reading=reading)
    parser.feed(text)
    return parser.close()


class TraceParser:
    """Reads a trace as it is being written. A parser that has raised stays as it was and raises the same again."""

    def __init__(self, *, reading: Reading = "strict", asked: tuple[str, int, int] | None = None) -> None:
        """`asked` is the game, depth and breadth that the tolerant reading supposes where no line SEARCH says them."""
        self.reading: Reading = reading
        self._asked = asked
        self.notes: list[Note] = []
        """What the tolerant reading let pass; stays empty in the strict one."""
        self.error: TraceError | None = None
        self.lines = 0
        """Complete lines read."""
        self._header: tuple[str, int, int] | None = None
        self._nodes: list[TraceNode] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._open: list[tuple[str, ...]] = []
        self._play: str | None = None
        self._rest = ""

    @property
    def complete(self) -> bool:
        """Whether the final choice has been read: nothing behind it belongs to the trace."""
        return self._play is not None

    @property
    def unread(self) -> str:
        """What came and was not read: behind the final choice, or the beginning of a line."""
        return self._rest

    @property
    def trace(self) -> Trace | None:
        """What has been read so far; None before the first line has."""
        if self._header is None:
            return None
        game, depth, breadth = self._header
        return Trace(game, depth, breadth, tuple(self._nodes), self._play)

    def feed(self, text: str) -> bool:
        """Read on; a line is read when its end has come. Returns whether the trace is complete: what follows is not read.

        Raises:
            TraceError: the text cannot be the beginning of a trace.
        """
        if self.error is not None:
            raise self.error
        self._rest += text
        at = 0
        try:
            while self._play is None and (end := self._rest.find("\n", at)) >= 0:
                self._line(self._rest[at:end])
                at = end + 1
            self._rest = self._rest[at:]
            if self._play is None and len(self._rest) > LONGEST_LINE:
                self._line(self._rest)
                self._rest = ""
        except TraceError as error:
            self.error = error
            raise
        return self.complete

    def close(self, *, cut_off: bool = False) -> Trace:
        """The whole trace, once no more text will come; its last line needs no line break.

        `cut_off` says that the text was cut off by a bound on its length: the line it broke off in is not read, since
        half a number or move may look like a whole one.

        Raises:
            TraceError: what came is no complete trace.
        """
        if self.error is not None:
            raise self.error
        try:
            rest = self._rest
            if self._play is not None:
                self._behind(rest)
            elif rest and not cut_off:
                self._line(rest)
                self._rest = ""
            if self._play is None:
                how = "is cut off" if cut_off else "ends"
                raise TraceUnfinished(
                    f"the text {how} here; expected {self._expected()}",
                    line=self.lines + 1,
                    column=len(rest) + 1 if cut_off else 1,
                )
        except TraceError as error:
            self.error = error
            raise
        trace = self.trace
        assert trace is not None
        return trace

    def _line(self, text: str) -> None:
        """Read one line."""
        number = self.lines + 1
        if self.reading == "tolerant":
            self._tolerantly(text, number)
        else:
            self._strictly(_Scanner(text, number))
        self.lines = number

    def _behind(self, rest: str) -> None:
        """Text behind the final choice."""
        if self.reading == "tolerant":
            if rest.strip():
                self.notes.append(Note(self.lines + 1, "text behind the final choice was not read"))
        elif rest:
            raise TraceOrderError("nothing may follow the final choice", line=self.lines + 1, column=1)

    def _strictly(self, scan: _Scanner) -> None:
        if len(scan.text) > LONGEST_LINE:
            raise TraceSyntaxError(
                f"a line is longer than {LONGEST_LINE} characters", line=scan.line, column=LONGEST_LINE + 1
            )
        word = scan.keyword("SEARCH", "NODE", "BACK", "PLAY", expected=self._expected())
        if self._header is None and word == "NODE" and self.reading == "tolerant" and self._asked is not None:
            self._header = self._asked
            self.notes.append(Note(scan.line, "the line SEARCH is missing; what was asked for is supposed"))
        if self._header is None and word != "SEARCH":
            raise scan.misplaced(f"a trace begins with SEARCH, not {word}")
        match word:
            case "SEARCH":
                if self._header is not None:
                    raise scan.misplaced("a trace has one line SEARCH, its first")
                self._header = scan.header()
            case "NODE":
                path, node = scan.node()
                self._enter(path, node, scan)
            case "BACK":
                path, backup = scan.back()
                self._leave(path, backup, scan)
            case _:
                move = scan.play()
                self._choose(move, scan)

    def _enter(self, path: tuple[str, ...], node: TraceNode, scan: _Scanner) -> None:
        if not path:
            if self._nodes:
                raise scan.misplaced("the root was entered before")
        else:
            if self.reading == "tolerant":
                self._close_until(path[:-1], scan)
            if not self._open or self._open[-1] != path[:-1]:
                raise scan.misplaced(self._order())
            if path in self._numbers:
                raise scan.misplaced(f"{'>'.join(path)} was entered before")
            if len(path) > DEEPEST:
                raise scan.misplaced(f"a path has at most {DEEPEST} moves")
            node = replace(node, parent=self._numbers[path[:-1]], move=path[-1])
        if len(self._nodes) >= MOST_NODES:
            raise scan.misplaced(f"a trace has at most {MOST_NODES} nodes")
        self._numbers[path] = len(self._nodes)
        self._nodes.append(node)
        self._open.append(path)

    def _leave(self, path: tuple[str, ...], backup: Backup, scan: _Scanner) -> None:
        if self.reading == "tolerant":
            self._close_until(path, scan)
        if not self._open or self._open[-1] != path:
            raise scan.misplaced(self._order())
        number = self._numbers[path]
        self._nodes[number] = replace(self._nodes[number], backup=backup)
        self._open.pop()

    def _choose(self, move: str, scan: _Scanner) -> None:
        if self.reading == "tolerant" and self._nodes:
            while self._open:
                self._leave_unsaid(scan)
        if not self._nodes or self._open:
            raise scan.misplaced(self._order())
        self._play = move

    def _order(self) -> str:
        return f"this line cannot stand here; expected {self._expected()}"

    def _expected(self) -> str:
        """What the next line may be."""
        if self._header is None:
            return "SEARCH game | depth=… | breadth=…"
        if not self._nodes:
            return f"NODE {ROOT} | state=… | moves=…"
        if self._open:
            path = ">".join(self._open[-1])
            child = f"NODE {path}>… | …" if path else "NODE … | …"
            return f"{child} or BACK {path or ROOT} | …"
        return "PLAY …" if self._play is None else "nothing more"

    # The tolerant reading.

    def _tolerantly(self, text: str, number: int) -> None:
        """Read a line in whatever dress it comes; what is no line of a trace is overlooked and noted."""
        tidy = _tidied(text[:LONGEST_LINE])
        if not tidy:
            self.notes.append(Note(number, "a line without words was overlooked"))
            return
        try:
            self._strictly(_Scanner(tidy, number))
        except TraceError as error:
            self.notes.append(Note(number, f"a line was overlooked: {error.why}"))
            return
        if tidy != text:
            self.notes.append(Note(number, "white space, letter case or marks around the line were put right"))

    def _close_until(self, path: tuple[str, ...], scan: _Scanner) -> None:
        """Leave nodes that nothing was said of, as far as that makes `path` the innermost open one."""
        if path in self._open:
            while self._open[-1] != path:
                self._leave_unsaid(scan)

    def _leave_unsaid(self, scan: _Scanner) -> None:
        left = self._open.pop()
        self.notes.append(Note(scan.line, f"{'>'.join(left) or ROOT} is left without a line BACK"))


_MARKS = re.compile(r"(?:[ >*•`-]|\d+[.)] )+")
_SPACED = re.compile(r" ?([|=:,>]) ?")
_KEYWORD = re.compile(r"(search|node|back|play)\b[\s:]*", re.IGNORECASE)
_PERCENT_SIGN = re.compile(r"(?<=\d) ?%")


def _tidied(text: str) -> str:
    """The line as the grammar would have it, where white space, letter case of keywords and marks around it differ."""
    # White space first: what follows then takes no longer than the line is long.
    bare = " ".join(text.split()).rstrip("`* ")
    marks = _MARKS.match(bare)
    bare = bare[marks.end() :] if marks is not None else bare
    keyword = _KEYWORD.match(bare)
    if keyword is None:
        return bare
    fields = [_SPACED.sub(r"\1", _PERCENT_SIGN.sub("", field.strip())) for field in bare[keyword.end() :].split("|")]
    if fields[0].casefold() in ("root", "<root>"):
        fields[0] = ROOT
    return f"{keyword[1].upper()} {' | '.join(fields)}"


class _Scanner:
    """One line, read from the left."""

    def __init__(self, text: str, line: int) -> None:
        self.text = text
        self.line = line
        self._at = 0

    def keyword(self, *words: str, expected: str) -> str:
        """One of these words and the space behind it."""
        for word in words:
            if self.text.startswith(f"{word} "):
                self._at = len(word) + 1
                return word
        raise self._unexpected(expected)

    def header(self) -> tuple[str, int, int]:
        """Game, depth and breadth."""
        game = self._take(GAME, "the name of the game", until=" | ")
        self._literal(" | depth=")
        depth = int(self._take(DEPTH, "a number from 0 to 99"))
        self._literal(" | breadth=")
        breadth = int(self._take(BREADTH, "a number from 1 to 999"))
        self._end()
        return game, depth, breadth

    def node(self) -> tuple[tuple[str, ...], TraceNode]:
        """A path, and what is said on entering it."""
        path = self._path()
        self._literal(" | state=")
        state = self._take(STATE, "a position", until=" | ")
        if self.text.startswith(" | end=", self._at):
            self._literal(" | end=")
            end = self._take(END, "the name of the winning side, or draw")
            self._end()
            return path, TraceNode(state=state, end=end)
        self._literal(" | moves=", told="' | moves=' or ' | end='")
        moves = self._values()
        self._end()
        return path, TraceNode(state=state, moves=moves)

    def back(self) -> tuple[tuple[str, ...], Backup]:
        """A path, and what is said on leaving it."""
        path = self._path()
        moves: tuple[MoveValue, ...] = ()
        if self.text.startswith(" | moves=", self._at):
            self._literal(" | moves=")
            moves = self._values()
        self._literal(" | value=", told="' | value='" if moves else "' | moves=' or ' | value='")
        value = self._percent()
        pick = None
        if self._at < len(self.text):
            self._literal(" | pick=", told="' | pick=' or the end of the line")
            pick = self._take(MOVE, "a move")
        self._end()
        return path, Backup(moves=moves, value=value, pick=pick)

    def play(self) -> str:
        """The final choice."""
        move = self._take(MOVE, "a move")
        self._end()
        return move

    def misplaced(self, why: str) -> TraceOrderError:
        """The whole line stands in the wrong place."""
        return TraceOrderError(why, line=self.line, column=1)

    def _path(self) -> tuple[str, ...]:
        if self.text.startswith(ROOT, self._at):
            self._at += len(ROOT)
            return ()
        path = [self._take(MOVE, f"a path: {ROOT} for the root, or moves joined by >")]
        while self.text.startswith(">", self._at):
            self._at += 1
            path.append(self._take(MOVE, "a move"))
        return tuple(path)

    def _values(self) -> tuple[MoveValue, ...]:
        values = [self._value()]
        while self.text.startswith(",", self._at):
            self._at += 1
            values.append(self._value())
        return tuple(values)

    def _value(self) -> MoveValue:
        move = self._take(MOVE, "a move")
        self._literal(":")
        return MoveValue(move, self._percent())

    def _percent(self) -> int:
        value = int(self._take(PERCENT, "a whole number from 0 to 100"))
        if self._at < len(self.text) and self.text[self._at].isdigit():
            raise self._unexpected("a whole number from 0 to 100, without leading zeros")
        return value

    def _literal(self, text: str, *, told: str | None = None) -> None:
        if not self.text.startswith(text, self._at):
            raise self._unexpected(told or repr(text))
        self._at += len(text)

    def _take(self, form: re.Pattern[str], what: str, *, until: str | None = None) -> str:
        """The longest text of this form; with `until`, all up to there."""
        if until is None:
            found = form.match(self.text, self._at)
        else:
            end = self.text.find(until, self._at)
            found = form.fullmatch(self.text, self._at, len(self.text) if end < 0 else end)
        if found is None:
            raise self._unexpected(what)
        self._at = found.end()
        return found[0]

    def _end(self) -> None:
        if self._at < len(self.text):
            raise self._unexpected("the end of the line")

    def _unexpected(self, expected: str) -> TraceSyntaxError:
        rest = self.text[self._at :]
        shown = rest if len(rest) <= _SHOWN else rest[: _SHOWN - 1] + "…"
        found = repr(shown) if rest else "the end of the line"
        return TraceSyntaxError(f"expected {expected}, found {found}", line=self.line, column=self._at + 1)
