"""Move lists: a plain text for games of any kind that a person can read and write, and the same as JSON Lines.

The text; only `game:`, `moves:` and `end:` are needed, and notes stand behind their move, in a line with spaces before::

    game: connect_four
    first: Ada
    second: Bob
    result: 1-0
    Event: An afternoon
    comment: "Played slowly."
    moves:
    4 4
        clock=0:04:58.500 comment="Too close."
    5
    end:

Words in quotes are JSON strings. In JSON Lines each line is one object; a move is a string, or an object with its notes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NoReturn

from stratarena.games.base import Game, Move, MoveError, PositionError, SpecError
from stratarena.games.notation.record import Evaluation, GameRecord, NotationError, NotedMove, Result, shown
from stratarena.games.notation.remarks import Remark, read_remark, write_remark
from stratarena.games.notation.source import LONGEST_GAME, Lines
from stratarena.games.plugins import load_game, parse_spec

__all__ = ["read_json_lines", "read_move_list", "write_json_line", "write_move_list"]

_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_+#=-]*): ?(.*)")
_NOTE = re.compile(r'\s*(clock|elapsed|eval|nags|comment)=("(?:[^"\\]|\\.)*"|[^\s"]+)')
_NUMBERS = re.compile(r"[0-9]{1,3}(?:,[0-9]{1,3})*")
_OWN = ("game", "start", "first", "second", "result", "comment")
_RESULTS = {result.value: result for result in Result}
_COLUMNS = 80
_LONGEST_MOVE = 100
_LONGEST_START = 10_000


def read_move_list(lines: Lines, *, game: str | None = None) -> Iterator[GameRecord | NotationError]:
    """The games of a move list in their order; for one that cannot be read, an error in its place.

    `game`, if given, is the game where the file does not say it, and what every game must be where it does.
    """
    games = _Games(game)
    number = 0
    at_game = _skip_blank(lines)
    while at_game:
        number += 1
        try:
            yield _Reading(lines, games).read()
            at_game = _skip_blank(lines)
        except NotationError as error:
            yield NotationError(error.why, game=number, line=error.line, ply=error.ply, fatal=error.fatal)
            at_game = not error.fatal and _skip_bad_game(lines)


def write_move_list(record: GameRecord) -> str:
    """The game's text, ending in a newline. Moves are written as they are, not played."""
    lines = [f"game: {record.game}"]
    lines += [] if record.start is None else [f"start: {record.start}"]
    for name, value in (("first", record.first), ("second", record.second)):
        lines += [] if value is None else [f"{name}: {_value_text(value)}"]
    lines.append(f"result: {record.result.value}")
    for name, value in record.headers:
        own = name in (*_OWN, "header", "moves", "end") or ":" in name
        lines.append(f"header: {json.dumps([name, value])}" if own else f"{name}: {_value_text(value)}")
    lines += [f"comment: {json.dumps(record.comment)}"] if record.comment else []
    lines.append("moves:")
    row = ""
    for noted in record.moves:
        if row and len(row) + 1 + len(noted.move) > _COLUMNS:
            lines.append(row)
            row = ""
        row = f"{row} {noted.move}" if row else noted.move
        notes = _notes_text(noted)
        if notes:
            lines += [row, f"    {notes}"]
            row = ""
    lines += [row, "end:"] if row else ["end:"]
    return "\n".join(lines) + "\n"


def read_json_lines(lines: Lines, *, game: str | None = None) -> Iterator[GameRecord | NotationError]:
    """The games of a JSON Lines file; blank lines are skipped. See `read_move_list`."""
    games = _Games(game)
    number = 0
    while True:
        try:
            line = lines.take()
            if line is None:
                return
            if not line.strip():
                continue
            number += 1
            try:
                yield _of_json(_json(line), games, lines.number)
            except SpecError as error:
                ply = error.ply if isinstance(error, NotationError) else None
                why = error.why if isinstance(error, NotationError) else str(error)
                yield NotationError(why, game=number, line=lines.number, ply=ply)
        except NotationError as error:
            number += 1
            yield NotationError(error.why, game=number, line=error.line, fatal=error.fatal)
            if error.fatal:
                return


def write_json_line(record: GameRecord) -> str:
    """The game as one JSON object, ending in a newline."""
    value: dict[str, Any] = {
        "game": record.game,
        "start": record.start,
        "first": record.first,
        "second": record.second,
        "result": record.result.value,
        "headers": dict(record.headers),
        "comment": record.comment,
        "moves": [_move_json(noted) for noted in record.moves],
    }
    kept = {name: item for name, item in value.items() if item or name in ("game", "result", "moves")}
    return json.dumps(kept, ensure_ascii=True) + "\n"


class _Games:
    """The games of a file by spec, each made once."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = None if wanted is None else load_game(wanted)
        self._made: dict[str, Game[Any]] = {}

    def find(self, spec: str | None) -> Game[Any]:
        """The game of a spec, or the wanted one. Raises `SpecError`."""
        if spec is None:
            if self._wanted is None:
                raise SpecError("the game is not named; name it in the file, or with --game")
            return self._wanted
        if spec not in self._made:
            self._made[spec] = load_game(spec)
        found = self._made[spec]
        if self._wanted is not None and found.id != self._wanted.id:
            raise SpecError(f"this is a game of {found.id}; expected {self._wanted.id}")
        return found


class _Table:
    """The board that moves are tried on."""

    def __init__(self, game: Game[Any], start: str | None) -> None:
        self._game = game
        usual = game.initial(Random(0))
        self._state = usual
        self.start: str | None = None
        self.ply = 0
        if start is None:
            if game.id == "chess960":
                raise SpecError("a game of chess960 needs its start position")
            return
        if len(start) > _LONGEST_START:
            raise SpecError(f"{shown(start)} is no position: it is too long")
        try:
            self._state = game.decode(start)
        except PositionError as error:
            raise SpecError(str(error)) from None
        encoded = game.encode(self._state)
        # Of Chess960 the start is always said: only with it a game can be read elsewhere.
        known = encoded == game.encode(usual) and parse_spec(game.id)[0] != "chess960"
        self.start = None if known else encoded

    def play(self, word: str) -> Move:
        """The move of this word, which is made. Raises `NotationError`."""
        self.ply += 1
        if len(word) > _LONGEST_MOVE:
            raise NotationError(f"{shown(word)} is no move", ply=self.ply)
        try:
            move = self._game.parse(self._state, word)
            self._state = self._game.play(self._state, move)
        except MoveError as error:
            raise NotationError(str(error), ply=self.ply) from None
        return move


class _Reading:
    """One game of a move list being read."""

    def __init__(self, lines: Lines, games: _Games) -> None:
        self._lines = lines
        self._games = games
        self._size = 0

    def read(self) -> GameRecord:
        """The game whose first line is the next one. Raises `NotationError`."""
        first_line = self._lines.number + 1
        try:
            own, headers = self._read_fields()
            game = self._games.find(own.get("game"))
            table = _Table(game, own.get("start"))
            result = own.get("result", "*")
            if result not in _RESULTS:
                self._fail(f"result: {shown(result)}; expected 1-0, 0-1, 1/2-1/2 or *")
            moves = self._read_moves(table)
            return GameRecord(
                game=game.id,
                start=table.start,
                moves=tuple(moves),
                first=own.get("first"),
                second=own.get("second"),
                result=_RESULTS[result],
                headers=tuple(headers),
                comment=own.get("comment", ""),
                line=first_line,
            )
        except NotationError as error:
            if error.line is not None:
                raise
            raise NotationError(error.why, line=self._lines.number, ply=error.ply) from None
        except SpecError as error:
            self._fail(str(error))

    def _read_fields(self) -> tuple[dict[str, str], list[tuple[str, str]]]:
        own: dict[str, str] = {}
        headers: list[tuple[str, str]] = []
        while True:
            line = self._take()
            if line is None:
                self._fail("the file ends before the moves; expected moves:")
            if line.rstrip() == "moves:":
                return own, headers
            field = _FIELD.fullmatch(line)
            if field is None:
                self._fail(f"{shown(line)} is no field; expected `name: value`, or `moves:` before the moves")
            name, text = field[1], field[2]
            if name == "header":
                pair = self._string(text)
                if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
                    self._fail(f'header: {shown(text)}; expected ["name", "value"]')
                headers.append((pair[0], pair[1]))
                continue
            quoted = text.startswith('"')
            value = self._string(text) if quoted else text
            if not isinstance(value, str) or (name == "comment" and not quoted):
                self._fail(f"{name}: {shown(text)}; expected a JSON string")
            if name not in _OWN:
                headers.append((name, value))
            elif name in own:
                self._fail(f"{name} is given twice")
            else:
                own[name] = value

    def _read_moves(self, table: _Table) -> list[NotedMove]:
        moves: list[NotedMove] = []
        noted = False
        while True:
            line = self._lines.peek()
            if line is None or line.startswith("game:"):
                self._fail("the moves have no end; expected end: behind them")
            self._take()
            if line.rstrip() == "end:":
                return moves
            if not line.strip():
                continue
            if not line[0].isspace():
                moves += [NotedMove(move=table.play(word)) for word in line.split()]
                noted = False
                continue
            if noted or not moves:
                self._fail("notes stand behind no move; expected moves")
            moves[-1] = self._noted(moves[-1].move, line)
            noted = True

    def _noted(self, move: Move, line: str) -> NotedMove:
        notes: dict[str, str] = {}
        position = 0
        while line[position:].strip():
            note = _NOTE.match(line, position)
            if note is None:
                self._fail(
                    f"{shown(line[position:].strip())} is no note; expected clock=, elapsed=, eval=, nags= or comment="
                )
            if note[1] in notes:
                self._fail(f"{note[1]} is given twice")
            notes[note[1]] = note[2]
            position = note.end()
        commands = {"clock": "clk", "elapsed": "emt", "eval": "eval"}
        for name, command in commands.items():
            if name in notes and read_remark(f"[%{command} {notes[name]}]") == Remark(f"[%{command} {notes[name]}]"):
                self._fail(f"{name}={shown(notes[name])}; expected {_FORMS[name]}")
        remark = read_remark(" ".join(f"[%{commands[name]} {notes[name]}]" for name in commands if name in notes))
        nags = notes.get("nags")
        if nags is not None and not _NUMBERS.fullmatch(nags):
            self._fail(f"nags={shown(nags)}; expected numbers with commas between them")
        comment = self._string(notes["comment"]) if "comment" in notes else ""
        if not isinstance(comment, str):
            self._fail(f"comment={shown(notes['comment'])}; expected a JSON string")
        return NotedMove(
            move=move,
            comment=comment,
            nags=() if nags is None else tuple(map(int, nags.split(","))),
            clock_ms=remark.clock_ms,
            elapsed_ms=remark.elapsed_ms,
            evaluation=remark.evaluation,
        )

    def _string(self, text: str) -> Any:
        try:
            return _json(text)
        except SpecError as error:
            self._fail(str(error))

    def _take(self) -> str | None:
        line = self._lines.take()
        self._size += len(line or "")
        if self._size > LONGEST_GAME:
            self._fail(f"the game is longer than {LONGEST_GAME:,} characters")
        return line

    def _fail(self, why: str) -> NoReturn:
        raise NotationError(why, line=self._lines.number)


_FORMS: Mapping[str, str] = {
    "clock": "hours:minutes:seconds",
    "elapsed": "hours:minutes:seconds",
    "eval": "pawns such as -0.35, or #3, with ,depth behind it if known",
}


def _skip_blank(lines: Lines) -> bool:
    """Go to the next line that says something; False at the end. A bad line is the next game's fault."""
    while True:
        try:
            line = lines.peek()
        except NotationError:
            return True
        if line is None:
            return False
        if line.strip():
            return True
        lines.take()


def _skip_bad_game(lines: Lines) -> bool:
    """Go to the next line that begins a game; False at the end."""
    while True:
        try:
            line = lines.peek()
            if line is None:
                return False
            if line.startswith("game:"):
                return True
            lines.take()
        except NotationError as error:
            if error.fatal:
                return False
            try:
                lines.take()
            except NotationError:
                continue


def _value_text(value: str) -> str:
    """A value as it is, or as a JSON string where it would be read as something else."""
    plain = value == value.strip() and value and not value.startswith('"')
    return value if plain else json.dumps(value)


def _notes_text(noted: NotedMove) -> str:
    parts = []
    for name, command, remark in (
        ("clock", "clk", Remark(clock_ms=noted.clock_ms)),
        ("elapsed", "emt", Remark(elapsed_ms=noted.elapsed_ms)),
        ("eval", "eval", Remark(evaluation=noted.evaluation)),
    ):
        text = write_remark(remark)
        if text:
            parts.append(f"{name}={text.removeprefix(f'[%{command} ').removesuffix(']')}")
    parts += [f"nags={','.join(map(str, noted.nags))}"] if noted.nags else []
    parts += [f"comment={json.dumps(noted.comment)}"] if noted.comment else []
    return " ".join(parts)


def _json(text: str) -> Any:
    """A JSON value; a name given twice, NaN and the like are refused. Raises `SpecError`."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise SpecError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise SpecError(f"this is no JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise SpecError("a name is given twice in one object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise SpecError(f"{name} is no JSON number")


def _move_json(noted: NotedMove) -> str | dict[str, Any]:
    evaluation = noted.evaluation
    value = {
        "move": noted.move,
        "comment": noted.comment or None,
        "nags": list(noted.nags) or None,
        "clock_ms": noted.clock_ms,
        "elapsed_ms": noted.elapsed_ms,
        "centipawns": evaluation.centipawns if evaluation else None,
        "mate": evaluation.mate if evaluation else None,
        "depth": evaluation.depth if evaluation else None,
    }
    kept = {name: item for name, item in value.items() if item is not None}
    return noted.move if len(kept) == 1 else kept


def _of_json(value: Any, games: _Games, line: int) -> GameRecord:
    """The game of a JSON object. Raises `SpecError`."""
    fields = _typed(
        value,
        {
            "game": str,
            "start": str,
            "first": str,
            "second": str,
            "result": str,
            "headers": dict,
            "comment": str,
            "moves": list,
        },
    )
    if "moves" not in fields:
        raise SpecError("moves is missing")
    game = games.find(fields.get("game"))
    table = _Table(game, fields.get("start"))
    result = fields.get("result", "*")
    if result not in _RESULTS:
        raise SpecError(f"result is {shown(result)}; expected 1-0, 0-1, 1/2-1/2 or *")
    headers = fields.get("headers", {})
    if not all(isinstance(text, str) for text in headers.values()):
        raise SpecError("headers must be texts by name")
    return GameRecord(
        game=game.id,
        start=table.start,
        moves=tuple(_move_of_json(item, table) for item in fields["moves"]),
        first=fields.get("first"),
        second=fields.get("second"),
        result=_RESULTS[result],
        headers=tuple(headers.items()),
        comment=fields.get("comment", ""),
        line=line,
    )


def _move_of_json(item: Any, table: _Table) -> NotedMove:
    if isinstance(item, str):
        return NotedMove(move=table.play(item))
    notes = _typed(
        item,
        {
            "move": str,
            "comment": str,
            "nags": list,
            "clock_ms": int,
            "elapsed_ms": int,
            "centipawns": int,
            "mate": int,
            "depth": int,
        },
    )
    if "move" not in notes:
        raise NotationError("a move has no `move`", ply=table.ply + 1)
    nags = notes.get("nags", [])
    if not all(isinstance(nag, int) and not isinstance(nag, bool) for nag in nags):
        raise NotationError("nags must be numbers", ply=table.ply + 1)
    evaluation = None
    if {"centipawns", "mate", "depth"} & notes.keys():
        evaluation = Evaluation(centipawns=notes.get("centipawns"), mate=notes.get("mate"), depth=notes.get("depth"))
    return NotedMove(
        move=table.play(notes["move"]),
        comment=notes.get("comment", ""),
        nags=tuple(nags),
        clock_ms=notes.get("clock_ms"),
        elapsed_ms=notes.get("elapsed_ms"),
        evaluation=evaluation,
    )


def _typed(value: Any, kinds: Mapping[str, type]) -> dict[str, Any]:
    """An object with these fields, null ones left out. Raises `SpecError`."""
    if not isinstance(value, dict):
        raise SpecError(f"expected an object, found {type(value).__name__}")
    for name, item in value.items():
        if name not in kinds:
            raise SpecError(f"{shown(name)} is no field; there are: {', '.join(kinds)}")
        if item is not None and (not isinstance(item, kinds[name]) or isinstance(item, bool)):
            raise SpecError(f"{name} is {shown(json.dumps(item))}; expected {kinds[name].__name__}")
    return {name: item for name, item in value.items() if item is not None}
