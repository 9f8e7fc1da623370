"""PGN for chess and Chess960, one game at a time, however long the file.

Source: "Portable Game Notation Specification and Implementation Guide" (S. J. Edwards, 1994) and its supplement for
commands in comments (clk, emt, eval). Read strictly: every word is a legal move by our rules, a number, a glyph, a
comment, a variation or the result; nothing is skipped or mended. Of variations the brackets are counted and the rest
is left out. Written in the export format: the seven tags, then the others by name, lines of at most 80 columns but
for comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any, NoReturn

import chess

from stratarena.games.base import Game, Move, MoveError, PositionError, SpecError
from stratarena.games.notation.record import ROSTER, GameRecord, NotationError, NotedMove, Result, shown
from stratarena.games.notation.remarks import Remark, read_remark, write_remark
from stratarena.games.notation.source import LONGEST_GAME, Lines
from stratarena.games.plugins import load_game, parse_spec

__all__ = ["GAMES", "read_pgn", "write_pgn"]

GAMES = ("chess", "chess960")
_VARIANTS = {
    "": "chess",
    "standard": "chess",
    "chess": "chess",
    "normal": "chess",
    "from position": "chess",
    "chess960": "chess960",
    "chess 960": "chess960",
    "fischerandom": "chess960",
    "fischerrandom": "chess960",
    "fischer random": "chess960",
}
_TAG = re.compile(r'\[\s*([A-Za-z0-9][A-Za-z0-9_+#=:-]*)\s+"((?:[^"\\]|\\.)*)"\s*\]\s*')
_ESCAPE = re.compile(r'\\(["\\])')
_WORD = re.compile(r"[^\s{}()\[\]<>;$!?*\"]+")
_NUMBER = re.compile(r"[0-9]*\.+|[0-9]+\Z")
_GLYPH = re.compile(r"\$[0-9]{1,9}|[!?]+")
_MARKS = {"!": 1, "?": 2, "!!": 3, "??": 4, "!?": 5, "?!": 6}
_RESULTS = {result.value: result for result in Result}
_LONGEST_WORD = 20
_COLUMNS = 80
_NEXT_GAME = re.compile(r'\[\s*Event\s+"')


def read_pgn(lines: Lines, *, game: str | None = None) -> Iterator[GameRecord | NotationError]:
    """The games of a file in their order; for one that cannot be read, an error in its place.

    Reading goes on behind a bad game, at the next tag after a blank line. `game`, if given, is what every game must be.
    """
    games: dict[str, Game[Any]] = {}
    number = 0
    while True:
        try:
            if not _skip_to_game(lines):
                return
        except NotationError as error:
            number += 1
            yield _placed(error, number)
            if error.fatal or not _skip_bad_game(lines):
                return
            continue
        number += 1
        try:
            yield _Reading(lines, games, game).read()
        except NotationError as error:
            yield _placed(error, number)
            if error.fatal or not _skip_bad_game(lines):
                return


def write_pgn(record: GameRecord) -> str:
    """The game's text, ending in a newline, in characters that UTF-8 holds.

    Raises:
        NotationError: the game is not chess, or a move or the start is not possible.
    """
    name = parse_spec(record.game)[0]
    if name not in GAMES:
        raise NotationError(f"PGN holds {' and '.join(GAMES)}, not {record.game}; use another format")
    if record.start is None and name != "chess":
        raise NotationError(f"a game of {record.game} needs its start position")
    board = chess.Board(chess960=name == "chess960")
    try:
        if record.start is not None:
            board.set_fen(record.start)
    except ValueError as error:
        raise NotationError(f"{shown(record.start or '')} is no FEN: {error}") from None
    tags = {tag: record.header(tag) or unknown for tag, unknown in ROSTER.items()}
    tags |= {"White": record.first or "?", "Black": record.second or "?", "Result": record.result.value}
    others = {tag: value for tag, value in record.headers if tag not in ROSTER}
    if record.start is not None:
        others |= {"SetUp": "1", "FEN": record.start}
    if name == "chess960":
        others["Variant"] = "Chess960"
    lines = [f'[{tag} "{_escaped(value)}"]' for tag, value in (*tags.items(), *sorted(others.items()))]
    return "\n".join([*lines, "", *_wrapped(_tokens(record, board)), ""])


def _tokens(record: GameRecord, board: chess.Board) -> Iterator[str]:
    """Numbers, moves, glyphs, comments and the result, each in one piece."""
    remark = write_remark(Remark(record.comment))
    if remark:
        yield f"{{ {remark} }}"
    numbered = False
    for ply, noted in enumerate(record.moves, start=1):
        if board.turn == chess.WHITE:
            yield f"{board.fullmove_number}."
        elif not numbered:
            yield f"{board.fullmove_number}..."
        try:
            move = board.parse_uci(noted.move)
        except ValueError:
            move = chess.Move.null()
        # python-chess takes a null move for a legal one.
        if not move:
            raise NotationError(f"{noted.move} is no move in {board.fen()}", ply=ply)
        yield board.san_and_push(move)
        yield from (f"${nag}" for nag in noted.nags)
        remark = write_remark(Remark(noted.comment, noted.clock_ms, noted.elapsed_ms, noted.evaluation))
        if remark:
            yield f"{{ {remark} }}"
        numbered = not remark
    yield record.result.value


def _wrapped(tokens: Iterator[str]) -> Iterator[str]:
    line = ""
    for token in tokens:
        if line and len(line) + 1 + len(token) > _COLUMNS:
            yield line
            line = token
        else:
            line = f"{line} {token}" if line else token
    yield line


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _placed(error: NotationError, number: int) -> NotationError:
    return NotationError(error.why, game=number, line=error.line, ply=error.ply, fatal=error.fatal)


def _skip_to_game(lines: Lines) -> bool:
    """Go to the first line of the next game; False at the end of the file. Raises `NotationError` for a bad line."""
    while True:
        try:
            line = lines.peek()
        except NotationError:
            lines.take()
            raise
        if line is None:
            return False
        if line.strip() and not line.startswith(("%", ";")):
            return True
        lines.take()


def _skip_bad_game(lines: Lines) -> bool:
    """Go to the first tag of a game: an Event, or any tag behind a blank line. False at the end of the file."""
    blank = False
    while True:
        try:
            line = lines.peek()
            if line is None:
                return False
            if _NEXT_GAME.match(line) or (blank and _TAG.match(line)):
                return True
            blank = not line.strip()
            lines.take()
        except NotationError as error:
            if error.fatal:
                return False
            blank = False
            try:
                lines.take()
            except NotationError:
                continue


class _Reading:
    """One game being read."""

    def __init__(self, lines: Lines, games: dict[str, Game[Any]], wanted: str | None) -> None:
        self._lines = lines
        self._games = games
        self._wanted = wanted
        self._line = ""
        self._column = 0
        self._size = 0
        self._moves: list[NotedMove] = []
        self._remarks: list[str] = []
        """Comments since the last move, or since the start."""
        self._nags: list[int] = []
        self._comment = ""
        self._n_variations = 0

    def read(self) -> GameRecord:
        """The game whose first line is the next one. Raises `NotationError`."""
        first_line = self._lines.number + 1
        tags = self._read_tags()
        self._game = self._find_game(tags)
        start = self._find_start(tags)
        result = self._read_moves()
        stated = tags.get("Result")
        if stated is not None and stated not in _RESULTS:
            self._fail(f"Result is {shown(stated)}; expected 1-0, 0-1, 1/2-1/2 or *")
        if stated is not None and stated != result.value:
            self._fail(f"the Result tag says {stated}, but the moves end with {result.value}")
        named = {"White", "Black", "Result", "Variant", "SetUp", "FEN"}
        headers = tuple(
            (name, value) for name, value in tags.items() if value and name not in named and value != ROSTER.get(name)
        )
        try:
            return GameRecord(
                game=self._game.id,
                start=start,
                moves=tuple(self._moves),
                first=_player(tags.get("White")),
                second=_player(tags.get("Black")),
                result=result,
                headers=headers,
                comment=self._comment,
                line=first_line,
                n_variations=self._n_variations,
            )
        except SpecError as error:
            self._fail(str(error))

    def _read_tags(self) -> dict[str, str]:
        tags: dict[str, str] = {}
        self._next_line()
        while self._line.startswith("["):
            position = 0
            while position < len(self._line):
                tag = _TAG.match(self._line, position)
                if tag is None:
                    self._fail(f'{shown(self._line[position:])} is no tag; expected [Name "value"]')
                name, value = tag[1], _ESCAPE.sub(r"\1", tag[2])
                if name in tags:
                    self._fail(f"the tag {shown(name)} is given twice")
                tags[name] = value
                position = tag.end()
            if not self._next_line():
                break
        if tags:
            while not self._line.strip() or self._line.startswith("%"):
                following = self._lines.peek()
                if following is None or following.startswith("["):
                    self._fail("there is nothing behind the tags; expected moves and a result")
                self._next_line()
        return tags

    def _find_game(self, tags: dict[str, str]) -> Game[Any]:
        variant = tags.get("Variant", "")
        spec = _VARIANTS.get(variant.strip().lower())
        if spec is None:
            self._fail(f"the variant {shown(variant)} is none of ours; there are: Standard, Chess960")
        if self._wanted is not None and spec != self._wanted:
            self._fail(f"this is a game of {spec}; expected {self._wanted}")
        if spec not in self._games:
            try:
                self._games[spec] = load_game(spec)
            except SpecError as error:
                self._fail(f"games of {spec} are not available: {error}")
        return self._games[spec]

    def _find_start(self, tags: dict[str, str]) -> str | None:
        """The start position, where it is not the usual array; the state is set."""
        game, fen, setup = self._game, tags.get("FEN"), tags.get("SetUp")
        usual = game.initial(Random(0))
        if setup not in (None, "0", "1"):
            self._fail(f"SetUp is {shown(setup or '')}; expected 0 or 1")
        if setup == "1" and fen is None:
            self._fail("SetUp is 1, but there is no FEN")
        if setup == "0" and fen is not None:
            self._fail("SetUp is 0, but there is a FEN; expected SetUp 1 with it")
        if fen is None:
            if game.id != "chess":
                self._fail(f"a game of {game.id} needs the FEN of its start")
            self._state = usual
            return None
        try:
            if len(fen) > 200:
                raise PositionError(f"{shown(fen)} is no FEN: it is too long")
            # Castling rights come as KQkq or as files; the game's own spelling is found through python-chess.
            board = chess.Board(fen, chess960=game.id == "chess960")
            self._state = game.decode(board.shredder_fen() if game.id == "chess960" else fen)
        except (ValueError, IndexError) as error:
            self._fail(f"{shown(fen)} is no FEN: {error}")
        except PositionError as error:
            self._fail(str(error))
        start = game.encode(self._state)
        return None if game.id == "chess" and start == game.encode(usual) else start

    def _read_moves(self) -> Result:
        depth = opened = 0
        while True:
            piece = self._token()
            if piece is None:
                what = f"the variation of line {opened} is not closed" if depth else "the game has no result"
                self._fail(f"{what}; expected 1-0, 0-1, 1/2-1/2 or * at its end")
            if piece == "(":
                if not self._moves:
                    self._fail("a variation stands before any move")
                opened = opened if depth else self._lines.number
                depth += 1
                self._n_variations += 1
            elif piece == ")":
                if not depth:
                    self._fail("a variation is closed that was never opened")
                depth -= 1
            elif piece.startswith("{"):
                if not depth:
                    self._remarks.append(piece[1:])
            elif depth:
                continue
            elif piece[0] in "$!?":
                self._take_nag(piece)
            elif piece in _RESULTS:
                self._finish_line()
                self._take_remarks()
                return _RESULTS[piece]
            else:
                self._take_move(piece)

    def _take_move(self, word: str) -> None:
        number = _NUMBER.match(word)
        if number is not None:
            word = word[number.end() :]
            if not word:
                return
        self._take_remarks()
        ply = len(self._moves) + 1
        if len(word) > _LONGEST_WORD:
            self._fail(f"{shown(word)} is no move", ply=ply)
        try:
            move = self._game.parse(self._state, word)
            self._state = self._game.play(self._state, move)
        except MoveError as error:
            outcome = self._game.outcome(self._state)
            over = "" if outcome is None else f" by our rules, which need no claim: {outcome.reason.replace('_', ' ')}"
            self._fail(f"{error}{over}", ply=ply)
        self._moves.append(NotedMove(move=Move(move)))

    def _take_nag(self, token: str) -> None:
        if not self._moves:
            self._fail(f"the glyph {shown(token)} stands before any move")
        nag = int(token[1:]) if token[0] == "$" else _MARKS.get(token, 256)
        if nag > 255:
            self._fail(f"{shown(token)} is no glyph; expected $0 to $255, !, ?, !!, ??, !? or ?!")
        self._nags.append(nag)

    def _take_remarks(self) -> None:
        """Give what was said since the last move to that move, or to the game."""
        if not self._remarks and not self._nags:
            return
        remark = read_remark(" ".join(text.strip() for text in self._remarks))
        if self._moves:
            self._moves[-1] = NotedMove(
                move=self._moves[-1].move,
                comment=remark.comment,
                nags=tuple(self._nags) + remark.nags,
                clock_ms=remark.clock_ms,
                elapsed_ms=remark.elapsed_ms,
                evaluation=remark.evaluation,
            )
        else:
            # Commands before the first move belong to no move: they stay in the text.
            alone = remark._replace(clock_ms=None, elapsed_ms=None, evaluation=None, nags=())
            self._comment = (
                remark.comment if remark == alone else " ".join(text.strip() for text in self._remarks).strip()
            )
        self._remarks.clear()
        self._nags.clear()

    def _token(self) -> str | None:
        """The next token, a comment as `{` and its text; None where the game's text ends without a result."""
        while True:
            while self._column < len(self._line) and self._line[self._column].isspace():
                self._column += 1
            if self._column < len(self._line):
                break
            following = self._lines.peek()
            if following is None or (following.startswith("[") and _TAG.match(following)):
                return None
            self._next_line()
            if self._line.startswith("%"):
                self._column = len(self._line)
        character = self._line[self._column]
        if character == "{":
            return "{" + self._comment_text()
        if character == ";":
            text = self._line[self._column + 1 :]
            self._column = len(self._line)
            return "{" + text
        if character in "()*":
            self._column += 1
            return character
        match = (_GLYPH if character in "$!?" else _WORD).match(self._line, self._column)
        if match is None:
            self._fail(f"{shown(self._line[self._column :])} is neither move, number, glyph, comment nor result")
        self._column = match.end()
        return match[0]

    def _comment_text(self) -> str:
        """The text from the brace here to the one that closes it, line ends kept."""
        opened = self._lines.number
        begin = self._column + 1
        parts = []
        while True:
            end = self._line.find("}", begin)
            if end >= 0:
                parts.append(self._line[begin:end])
                self._column = end + 1
                return "\n".join(parts)
            parts.append(self._line[begin:])
            begin = 0
            blank = not self._line.strip()
            following = self._lines.peek()
            if following is None or (blank and _NEXT_GAME.match(following)):
                self._fail("this comment is not closed; expected }", line=opened)
            self._next_line()

    def _finish_line(self) -> None:
        """Behind the result only comments may stand in its line."""
        while self._line[self._column :].strip():
            token = self._token()
            if token is None or not token.startswith("{"):
                self._fail(f"{shown(token or '')} stands behind the result; expected the end of the line")
            self._remarks.append(token[1:])

    def _next_line(self) -> bool:
        line = self._lines.take()
        self._line = line or ""
        self._column = 0
        self._size += len(self._line)
        if self._size > LONGEST_GAME:
            self._fail(f"the game is longer than {LONGEST_GAME:,} characters")
        return line is not None

    def _fail(self, why: str, *, ply: int | None = None, line: int | None = None) -> NoReturn:
        raise NotationError(why, line=line or self._lines.number, ply=ply)


def _player(name: str | None) -> str | None:
    return None if name is None or name in ("", "?") else name
