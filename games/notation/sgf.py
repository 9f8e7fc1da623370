"""SGF FF[4] for Hex (GM[11]), one game at a time. Reading needs the extra `sgf` (sgfmill's grammar); writing does not.

Source: the SGF FF[4] specification for Hex (red-bean.com/sgf/hex.html). Black is FIRST: moves first and joins the top
to the bottom; White joins left to right. A cell is its column's letter and its row's number from the top left, `a1`;
the swap of stones is `swap-pieces`. Read besides: upper case, Go's two letters for a cell, `swap`, and the files of
Little Golem, which leave out GM, begin with W and mean PB by it. `swap-sides` is refused: our players keep their edges.

sgfmill knows grammar and escapes; its own idea of a game is Go's, so nothing else of it is used. Comments carry the
commands of `remarks`; time left is BL and WL. Of variations the first is the game, the others are counted.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, NoReturn

from stratarena.games.base import Game, Move, MoveError, PositionError, Seat, SpecError
from stratarena.games.notation.record import GameRecord, NotationError, NotedMove, Result, shown
from stratarena.games.notation.remarks import Remark, read_remark, write_remark
from stratarena.games.notation.source import LONGEST_GAME, Lines
from stratarena.games.plugins import load_game, parse_spec

__all__ = ["read_sgf", "write_sgf"]

_SGF_MISSING = "reading SGF needs sgfmill: pip install 'stratarena[sgf]'"
_COLOUR = {Seat.FIRST: "B", Seat.SECOND: "W"}
_STEP = re.compile(r"[\[\]()\\]")
_ROOT = re.compile(r"\(\s*;")
_SIZE = re.compile(r"([0-9]{1,4})(?::([0-9]{1,4}))?")
_RESULT = re.compile(r"([bw])(?:\+(|r|resign|t|time|f|forfeit))?")
_HOW = {"r": "resignation", "t": "time forfeit", "f": "forfeit"}
_DATE = re.compile(r"([0-9]{4})[.]([0-9]{2})[.]([0-9]{2})")
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?")
_HEADERS = {"EV": "Event", "PC": "Site", "RO": "Round"}
_OTHER_HEADERS = frozenset({"AN", "BR", "BT", "CP", "GC", "GN", "ON", "OT", "SO", "TM", "US", "WR", "WT"})
"""Properties of the whole game that are a header of the same name."""
_RULES = {True: "swap-pieces", False: "no swap"}
_LONGEST_WORD = 20
_MOVES_A_LINE = 10


def read_sgf(lines: Lines, *, game: str | None = None) -> Iterator[GameRecord | NotationError]:
    """The games of a file in their order; for one that cannot be read, an error in its place.

    `game`, if given, is the spec that every game must be of; otherwise the size is the file's, and the swap rule is
    played where RU says so or where a swap was made.

    Raises:
        SpecError: sgfmill is not installed, or `game` is not Hex.
    """
    grammar = _grammar()
    if game is not None and parse_spec(game)[0] != "hex":
        raise SpecError(f"SGF holds hex here, not {game}")
    texts = _split(lines)
    number = 0
    while True:
        number += 1
        try:
            found = next(texts, None)
            if found is None:
                return
            line, text = found
            try:
                yield _Reading(grammar, game, lines.encoding, line).read(text)
            except NotationError as error:
                yield NotationError(error.why, game=number, line=line, ply=error.ply)
        except NotationError as error:
            yield NotationError(error.why, game=number, line=error.line, fatal=True)
            return


def write_sgf(record: GameRecord) -> str:
    """The game's text, ending in a newline, in characters that UTF-8 holds.

    Raises:
        NotationError: the game is not Hex, or its start is no position of it.
    """
    name, params = parse_spec(record.game)
    if name != "hex":
        raise NotationError(f"SGF holds hex here, not {record.game}; use another format")
    size = params.get("size", 11)
    root = f"(;FF[4]GM[11]CA[UTF-8]AP[stratarena]SZ[{size}]RU[{_RULES[bool(params.get('swap', False))]}]"
    for ident, who in (("PB", record.first), ("PW", record.second)):
        root += "" if who is None else f"{ident}[{_escaped(who)}]"
    headers = dict(record.headers)
    for ident, header in _HEADERS.items():
        if header in headers:
            root += f"{ident}[{_escaped(headers.pop(header))}]"
    date = _DATE.fullmatch(headers.get("Date", ""))
    if date is not None:
        root += f"DT[{'-'.join(date.groups())}]"
        del headers["Date"]
    ending = _result_text(record.result, headers.get("Termination"))
    if ending is None:
        ending = {"1-0": "B+", "0-1": "W+", "1/2-1/2": "0", "*": "?"}[record.result.value]
    else:
        headers.pop("Termination", None)
    root += f"RE[{ending}]"
    for header, value in headers.items():
        if header in _OTHER_HEADERS:
            root += f"{header}[{_escaped(value)}]"
        else:
            root += f"HD[{_escaped(header).replace(':', chr(92) + ':')}:{_escaped(value)}]"
    root += _setup(record) + _commented(Remark(record.comment))
    seat = _first_to_move(record)
    nodes = []
    for noted in record.moves:
        word = "swap-pieces" if noted.move == "swap" else noted.move
        clock = "" if noted.clock_ms is None else f"{_COLOUR[seat]}L[{_seconds_text(noted.clock_ms)}]"
        remark = Remark(noted.comment, None, noted.elapsed_ms, noted.evaluation, noted.nags)
        nodes.append(f";{_COLOUR[seat]}[{word}]{clock}{_commented(remark)}")
        seat = seat.other
    rows = ["".join(nodes[at : at + _MOVES_A_LINE]) for at in range(0, len(nodes), _MOVES_A_LINE)]
    return "\n".join([root, *rows]) + ")\n"


def _grammar() -> Any:
    try:
        from sgfmill import sgf_grammar
    except ImportError:
        raise SpecError(_SGF_MISSING) from None
    return sgf_grammar


def _split(lines: Lines) -> Iterator[tuple[int, str]]:
    """The text of each game with the line it begins at: from a bracket to the one that closes it."""
    parts: list[str] = []
    depth, begun, size = 0, 0, 0
    in_value = False
    while True:
        line = lines.take()
        if line is None:
            if depth:
                what = "a value that is not closed; expected ]" if in_value else "a game that is not closed; expected )"
                raise NotationError(f"the file ends in {what}", line=begun)
            return
        begin = position = 0
        while True:
            if not depth:
                rest = line[position:].lstrip(" \t\r\f\v")
                if not rest:
                    break
                if rest[0] != "(":
                    raise NotationError(f"{shown(rest)} is no game; expected (", line=lines.number)
                begin, begun, size = position, lines.number, 0
            step = _STEP.search(line, position)
            if step is None:
                break
            position = step.end()
            character = step[0]
            if character == "\\" and in_value:
                # What it stands for is the next character, which may be the line's end.
                position += 1
            elif character == "[":
                in_value = True
            elif character == "]":
                in_value = False
            elif character == "(" and not in_value:
                depth += 1
            elif character == ")" and not in_value:
                depth -= 1
                if not depth:
                    yield begun, "\n".join([*parts, line[begin:position]])
                    parts = []
                    begin = position
        if depth:
            parts.append(line[begin:])
            size += len(line)
            if size > LONGEST_GAME:
                raise NotationError(f"the game is longer than {LONGEST_GAME:,} characters", line=begun)


class _Reading:
    """One game being read."""

    def __init__(self, grammar: Any, wanted: str | None, encoding: str, line: int) -> None:
        self._grammar = grammar
        self._wanted = wanted
        self._encoding = encoding
        self._line = line
        self._moves: list[NotedMove] = []
        self._headers: dict[str, str] = {}
        self._n_marks = 0

    def read(self, text: str) -> GameRecord:
        """The game of this text. Raises `NotationError`, without its number and line."""
        if not _ROOT.match(text):
            self._fail("expected (; at the beginning of a game")
        try:
            tree = self._grammar.parse_sgf_game(text.encode())
        except ValueError as error:
            self._fail(f"this is no SGF: {error}")
        nodes, n_variations = self._main_line(tree)
        root = nodes[0]
        words = [self._word(node) for node in nodes]
        golem = self._check_kind(root, words, ascii_only=text.isascii())
        self._game = self._find_game(root, words)
        start = self._find_start(root)
        first, second = self._name(root, "PB"), self._name(root, "PW")
        result = self._read_result(root)
        self._read_headers(root)
        comment, quitter = self._read_moves(nodes, words, golem)
        if quitter is not None:
            won = Result.of(quitter.other)
            if result not in (None, won):
                assert result is not None
                self._fail(f"RE says {result.value}, but the last node says that {won.value}")
            result = won
        try:
            return GameRecord(
                game=self._game.id,
                start=start,
                moves=tuple(self._moves),
                first=first,
                second=second,
                result=result or Result.OPEN,
                headers=tuple(self._headers.items()),
                comment=comment,
                line=self._line,
                n_variations=n_variations,
                n_marks=self._n_marks,
            )
        except SpecError as error:
            self._fail(str(error))

    def _main_line(self, tree: Any) -> tuple[list[dict[str, list[bytes]]], int]:
        """The nodes of the game itself, and how many variations branch off anywhere."""
        nodes: list[dict[str, list[bytes]]] = []
        here = tree
        while True:
            nodes.extend(here.sequence)
            if not here.children:
                break
            here = here.children[0]
        n_variations = 0
        open_trees = [tree]
        while open_trees:
            children = open_trees.pop().children
            n_variations += max(len(children) - 1, 0)
            open_trees.extend(children)
        return nodes, n_variations

    def _word(self, node: Mapping[str, list[bytes]]) -> tuple[str, str] | None:
        """Colour and value of the node's move in lower case; None without one."""
        there = [colour for colour in ("B", "W") if colour in node]
        if not there:
            return None
        if len(there) > 1 or len(node[there[0]]) > 1:
            self._fail("a node holds several moves; expected one")
        return there[0], self._simple(node, there[0]).strip().lower()

    def _check_kind(
        self, root: Mapping[str, list[bytes]], words: list[tuple[str, str] | None], *, ascii_only: bool
    ) -> bool:
        """Whether this is a file of Little Golem; an error if it is not of Hex at all."""
        form = self._simple(root, "FF") if "FF" in root else "4"
        if form.strip() not in ("3", "4"):
            self._fail(f"FF is {shown(form)}; expected 4")
        if "CA" in root and not ascii_only:
            named = self._simple(root, "CA")
            try:
                known = codecs.lookup(named.strip()).name
            except (LookupError, ValueError):
                known = ""
            if known != codecs.lookup(self._encoding).name:
                self._fail(f"the game is in {shown(named)}, but was read as {self._encoding}; see --encoding")
        moves = [word for word in words if word is not None]
        if "GM" not in root:
            if moves and moves[0][0] == "W" and re.fullmatch("[a-z]{2}", moves[0][1]):
                return True
            self._fail("GM is missing, which means Go; expected GM[11], Hex")
        kind = self._simple(root, "GM").strip()
        if kind != "11":
            self._fail(f"GM is {shown(kind)}{', Go' if kind == '1' else ''}; expected 11, Hex")
        return False

    def _find_game(self, root: Mapping[str, list[bytes]], words: list[tuple[str, str] | None]) -> Game[Any]:
        text = self._simple(root, "SZ").strip() if "SZ" in root else "11"
        size = _SIZE.fullmatch(text)
        if size is None or size[2] not in (None, size[1]):
            self._fail(f"SZ is {shown(text)}; expected the size of a square board, 2 to 19")
        rules = {text: swap for swap, text in _RULES.items()}.get(
            self._simple(root, "RU").strip().lower() if "RU" in root else ""
        )
        swapped = any(word is not None and word[1] in ("swap", "swap-pieces") for word in words)
        swap = swapped if rules is None else rules
        if rules is None and "RU" in root:
            self._put("RU", self._simple(root, "RU").strip())
        try:
            game = load_game(self._wanted or f"hex(size={int(size[1])}, swap={'true' if swap else 'false'})")
        except SpecError as error:
            self._fail(str(error))
        if getattr(game, "size", None) != int(size[1]):
            self._fail(f"SZ is {size[1]}; expected {game.id}")
        return game

    def _find_start(self, root: Mapping[str, list[bytes]]) -> str | None:
        """The start position where stones are set up; the state is set."""
        usual = self._game.initial(Random(0))
        self._state = usual
        if not {"AB", "AW", "AE", "PL"} & root.keys():
            return None
        size: int = self._game.size  # type: ignore[attr-defined]
        rows = [["."] * size for _ in range(size)]
        for ident, glyph in (("AB", "X"), ("AW", "O")):
            for raw in root.get(ident, ()):
                word = self._cell(self._value(raw))
                cell = re.fullmatch(r"([a-z])([0-9]{1,2})", word)
                column, row = (ord(cell[1]) - ord("a"), int(cell[2]) - 1) if cell else (-1, -1)
                if not (0 <= column < size and 0 <= row < size) or rows[row][column] != ".":
                    self._fail(f"{ident}[{word[:_LONGEST_WORD]}] is no empty cell of the board")
                rows[row][column] = glyph
        if "AE" in root:
            self._fail("AE at the beginning of a game empties nothing; expected AB and AW")
        to_move = self._simple(root, "PL").strip().lower() if "PL" in root else "b"
        if to_move not in ("b", "black", "w", "white"):
            self._fail(f"PL is {shown(to_move)}; expected B or W")
        text = f"{'/'.join(map(''.join, rows))} {'X' if to_move[0] == 'b' else 'O'}"
        try:
            self._state = self._game.decode(text)
        except PositionError as error:
            self._fail(f"the stones set up are no position: {error}")
        return None if text == self._game.encode(usual) else self._game.encode(self._state)

    def _read_moves(
        self, nodes: list[dict[str, list[bytes]]], words: list[tuple[str, str] | None], golem: bool
    ) -> tuple[str, Seat | None]:
        """The comment before the first move, and who gave the game up, if somebody did."""
        before: list[str] = []
        texts: list[str] = []
        quitter: Seat | None = None
        for at, (node, word) in enumerate(zip(nodes, words, strict=True)):
            known = _ROOT_PROPERTIES if at == 0 else {"B", "W", "BL", "WL", "C"}
            self._n_marks += sum(ident not in known for ident in node)
            if at and {"AB", "AW", "AE", "PL"} & node.keys():
                self._fail("stones are set up within the game; expected moves", ply=len(self._moves) + 1)
            if word is not None:
                if quitter is not None:
                    self._fail("a move follows after the game was given up", ply=len(self._moves) + 1)
                seat = self._check_turn(word[0], golem)
                if word[1] in ("resign", "forfeit"):
                    quitter = seat
                    self._headers.setdefault("Termination", "resignation" if word[1] == "resign" else "forfeit")
                else:
                    self._play(word[1], self._clock(node, word[0]))
                    texts = []
            if "C" in node and not self._moves:
                before.append(self._text(node, "C"))
            elif "C" in node:
                texts.append(self._text(node, "C"))
                self._note("\n".join(texts))
        comment = "\n".join(before)
        remark = read_remark(comment)
        return (remark.comment if remark == Remark(remark.comment) else comment.strip()), quitter

    def _check_turn(self, colour: str, golem: bool) -> Seat:
        """Who makes this move, which must be who is to move."""
        turn: Seat = self._game.to_move(self._state)
        seat = Seat.FIRST if (colour == "W") is golem else Seat.SECOND
        if seat is not turn and self._game.outcome(self._state) is None:
            expected = _COLOUR[turn.other if golem else turn]
            self._fail(f"{colour} moves, but it is the turn of {expected}", ply=len(self._moves) + 1)
        return seat

    def _play(self, word: str, clock_ms: int | None) -> None:
        ply = len(self._moves) + 1
        if word == "swap-sides":
            self._fail("swap-sides is not played here: our players keep their edges; expected swap-pieces", ply=ply)
        if len(word) > _LONGEST_WORD:
            self._fail(f"{shown(word)} is no move", ply=ply)
        text = "swap" if word == "swap-pieces" else self._cell(word)
        try:
            move = self._game.parse(self._state, text)
            self._state = self._game.play(self._state, move)
        except MoveError as error:
            self._fail(str(error), ply=ply)
        self._moves.append(NotedMove(move=Move(move), clock_ms=clock_ms))

    def _note(self, text: str) -> None:
        """Give the last move what was said behind it."""
        last, remark = self._moves[-1], read_remark(text)
        self._moves[-1] = NotedMove(
            move=last.move,
            comment=remark.comment,
            nags=remark.nags,
            clock_ms=last.clock_ms if last.clock_ms is not None else remark.clock_ms,
            elapsed_ms=remark.elapsed_ms,
            evaluation=remark.evaluation,
        )

    def _clock(self, node: Mapping[str, list[bytes]], colour: str) -> int | None:
        ident = f"{colour}L"
        if ident not in node:
            return None
        seconds = _SECONDS.fullmatch(self._simple(node, ident).strip())
        if seconds is None:
            self._fail(f"{ident} is {shown(self._simple(node, ident))}; expected seconds", ply=len(self._moves) + 1)
        return int(seconds[1]) * 1000 + int((seconds[2] or "").ljust(3, "0"))

    def _read_result(self, root: Mapping[str, list[bytes]]) -> Result | None:
        """The result that RE states; None where it states none."""
        text = self._simple(root, "RE").strip() if "RE" in root else "?"
        word = text.lower()
        if word == "?":
            return None
        if word == "void":
            self._headers["Termination"] = "void"
            return None
        if word in ("0", "draw"):
            return Result.DRAWN
        found = _RESULT.fullmatch(word)
        if found is None:
            self._fail(f"RE is {shown(text)}; expected B+, W+, with R, T or F behind it, 0, Void or ?")
        if found[2]:
            self._headers["Termination"] = _HOW[found[2][0]]
        return Result.FIRST_WON if found[1] == "b" else Result.SECOND_WON

    def _read_headers(self, root: Mapping[str, list[bytes]]) -> None:
        for ident, header in _HEADERS.items():
            if ident in root:
                self._put(header, self._simple(root, ident))
        if "DT" in root:
            date = self._simple(root, "DT")
            dotted = date.replace("-", ".")
            self._put("Date", dotted if _DATE.fullmatch(dotted) else date)
        for ident in sorted(_OTHER_HEADERS & root.keys()):
            self._put(ident, self._simple(root, ident))
        for raw in root.get("HD", ()):
            name, value = self._grammar.parse_compose(raw)
            if value is None:
                self._fail(f"HD is {shown(self._value(raw))}; expected name:value")
            self._put(self._value(name), self._value(value))

    def _put(self, name: str, value: str) -> None:
        if name in self._headers:
            self._fail(f"{shown(name)} is given twice")
        if value:
            self._headers[name] = value

    def _name(self, root: Mapping[str, list[bytes]], ident: str) -> str | None:
        name = self._simple(root, ident) if ident in root else ""
        return None if name in ("", "?") else name

    def _cell(self, word: str) -> str:
        """A cell as we write it; Go's two letters are column and row."""
        word = word.strip().lower()
        return f"{word[0]}{ord(word[1]) - ord('a') + 1}" if re.fullmatch("[a-z]{2}", word) else word

    def _simple(self, node: Mapping[str, list[bytes]], ident: str) -> str:
        values = node[ident]
        if len(values) != 1:
            self._fail(f"{ident} has {len(values)} values; expected one")
        return self._value(values[0])

    def _value(self, raw: bytes) -> str:
        value: bytes = self._grammar.simpletext_value(raw)
        return value.decode()

    def _text(self, node: Mapping[str, list[bytes]], ident: str) -> str:
        if len(node[ident]) != 1:
            self._fail(f"{ident} has {len(node[ident])} values; expected one")
        value: bytes = self._grammar.text_value(node[ident][0])
        return value.decode()

    def _fail(self, why: str, *, ply: int | None = None) -> NoReturn:
        raise NotationError(why, ply=ply)


_ROOT_PROPERTIES = frozenset(
    {
        "FF",
        "GM",
        "CA",
        "AP",
        "SZ",
        "RU",
        "PB",
        "PW",
        "DT",
        "RE",
        "HD",
        "AB",
        "AW",
        "AE",
        "PL",
        "B",
        "W",
        "BL",
        "WL",
        "C",
    }
    | _HEADERS.keys()
    | _OTHER_HEADERS
)


def _result_text(result: Result, how: str | None) -> str | None:
    """RE with what ended the game; None where it has no word for that."""
    if result.winner is not None and how in _HOW.values():
        letter = next(letter for letter, word in _HOW.items() if word == how)
        return f"{_COLOUR[result.winner]}+{letter.upper()}"
    return "Void" if result is Result.OPEN and how == "void" else None


def _setup(record: GameRecord) -> str:
    """The stones of a start position, and who is to move."""
    if record.start is None:
        return ""
    game = load_game(record.game)
    try:
        game.decode(record.start)
    except PositionError as error:
        raise NotationError(str(error)) from None
    board, _, mark = record.start.partition(" ")
    cells: dict[str, list[str]] = {"X": [], "O": [], ".": []}
    for row, line in enumerate(board.split("/"), start=1):
        for column, glyph in enumerate(line):
            cells[glyph].append(f"[{chr(ord('a') + column)}{row}]")
    stones = "".join(f"{ident}{''.join(cells[glyph])}" for ident, glyph in (("AB", "X"), ("AW", "O")) if cells[glyph])
    return f"{stones}PL[{'B' if mark == 'X' else 'W'}]"


def _first_to_move(record: GameRecord) -> Seat:
    return Seat.SECOND if record.start is not None and record.start.endswith(" O") else Seat.FIRST


def _commented(remark: Remark) -> str:
    text = write_remark(remark)
    return f"C[{_escaped(text)}]" if text else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("]", "\\]")


def _seconds_text(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds}.{rest:03}" if rest else str(seconds)
