"""The interchange text: a model's tokens as the readable MAV text, and back, without loss.

Source: Schultz et al. (2025), the format of their Figures 1 and 4; state texts of Connect Four, the numbers of results
and what is not recoverable of the format are our own. Texts here are for the side to move as `x` (the first player) or
`o`; tokens know only the mover's own discs and the other's. The first player moves when both have as many discs, so
nothing is lost between them.

What a model reads off a board (the reports among its tokens) is no part of an example's text; in a search every node
shows its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stratarena.agents.gamelm.reading import CONNECT_FOUR, HEAD, STATUSES
from stratarena.agents.gamelm.trace_reading import ReadNode, board_of, read_trace
from stratarena.agents.gamelm.traces import Report, board_tokens
from stratarena.games.base import ArenaError

__all__ = [
    "COLUMNS",
    "NotInterchange",
    "board_from_text",
    "example_text",
    "example_tokens",
    "first_moves",
    "result_text",
    "state_text",
    "status_of",
    "trace_text",
    "trace_tokens",
    "without_reports",
]

COLUMNS = "abcdefg"
_CELLS = [(column, row) for row in range(6) for column in range(7)]
_GAME = "connect_four"


class NotInterchange(ArenaError):
    """A text that is not in the format; says where and what was expected."""


def first_moves(own: int, opponent: int) -> bool:
    """Whether the first player is to move on a Connect Four board."""
    return (own | opponent).bit_count() % 2 == 0


def state_text(own: int, opponent: int) -> str:
    """`mover || 42 cells ||`, the bottom row first, `x` the first player's discs."""
    glyphs = ("x", "o") if first_moves(own, opponent) else ("o", "x")
    cells = (
        glyphs[0] if own >> (7 * column + row) & 1 else glyphs[1] if opponent >> (7 * column + row) & 1 else "."
        for column, row in _CELLS
    )
    return f"{glyphs[0]} || {' '.join(cells)} ||"


_STATE = re.compile(r"([xo]) \|\| ([xo.](?: [xo.]){41}) \|\|")


def board_from_text(text: str) -> tuple[int, int]:
    """The mover's discs and the other's. Raises `NotInterchange` for any other text."""
    matched = _STATE.fullmatch(text)
    if matched is None:
        raise NotInterchange(f"{text!r} is no state: expected x or o, then 42 cells between double bars")
    own = opponent = 0
    for (column, row), cell in zip(_CELLS, matched[2].split(), strict=True):
        if cell != ".":
            bit = 1 << (7 * column + row)
            if cell == matched[1]:
                own |= bit
            else:
                opponent |= bit
    taken = own | opponent
    if state_text(own, opponent) != text or (taken + sum(1 << (7 * column) for column in range(7))) & taken:
        raise NotInterchange(f"{text!r} cannot come about: discs float, or the other side is to move")
    return own, opponent


def result_text(status: str, *, first: bool) -> str:
    """The result as in PGN, of a board that is over in that way for its mover, who is the first player or the second."""
    return {"<drawn>": "1/2-1/2", "<lost>": "0-1" if first else "1-0", "<won>": "1-0" if first else "0-1"}[status]


def status_of(result: str, *, first: bool) -> str:
    """How a board with that result is over for its mover, the first player or the second. Raises `NotInterchange` for a text that is no result."""
    for status in ("<drawn>", "<lost>", "<won>"):
        if result_text(status, first=first) == result:
            return status
    raise NotInterchange(f"{result!r} is no result: expected 1-0, 0-1 or 1/2-1/2")


def without_reports(tokens: list[int]) -> list[int]:
    """The tokens of an example but for what was read off its board."""
    words, kept = CONNECT_FOUR, list(tokens)
    if words["<state>"] in kept:
        after = kept.index(words["<state>"]) + 1 + words.places
        if after < len(kept) and kept[after] in {words[status] for status in STATUSES}:
            del kept[after : after + words.places + HEAD]
    return kept


@dataclass
class _Tokens:
    """Takes tokens one after another."""

    tokens: list[int]
    at: int = 0

    def name(self) -> str:
        return _NAMES.get(self.tokens[self.at], "") if self.at < len(self.tokens) else ""

    def take(self) -> int:
        if self.at >= len(self.tokens):
            raise NotInterchange("the tokens end before the text is whole")
        self.at += 1
        return self.tokens[self.at - 1]

    def tag(self, name: str) -> None:
        if self.name() != name:
            raise NotInterchange(f"token {self.at}: expected {name}, found {self.name() or 'a move or a place'}")
        self.at += 1

    def move(self) -> int:
        return self._number(CONNECT_FOUR.first_move, CONNECT_FOUR.moves, "a move")

    def value(self) -> int:
        return self._number(CONNECT_FOUR.first_value, 64, "a value") + 1

    def board(self) -> tuple[int, int]:
        words = CONNECT_FOUR
        return board_of(
            tuple(self._number(words.first_content, words.contents, "a place") for _ in range(words.places))
        )

    def _number(self, first: int, n: int, what: str) -> int:
        number = self.take() - first
        if not 0 <= number < n:
            raise NotInterchange(f"token {self.at - 1}: expected {what}")
        return number


_NAMES = {number: name for name, number in CONNECT_FOUR.number.items()}


def example_text(tokens: list[int]) -> str:
    """The text of a MAV example; reports are left out. Raises `NotInterchange` for tokens that are no example."""
    source = _Tokens(without_reports(tokens))
    source.tag("<bos>")
    wants, top = [], "all"
    while source.name().startswith("<want-"):
        wants.append(source.name()[6:-1])
        source.take()
        if source.name().startswith("<breadth"):
            top = source.name()[8:-1]
            source.take()
    inputs, outputs, given = [], [], []
    if source.name() == "<prev>":
        source.take()
        given = ["prev_state", "prev_action"]
        inputs.append(f"[%prev_state {state_text(*source.board())}]")
        source.tag("<act>")
        inputs.append(f"[%prev_action {COLUMNS[source.move()]}]")
        source.tag("<state>")
        board = source.board()
        outputs.append(f"[%state {state_text(*board)}]")
    else:
        given = ["state"]
        source.tag("<state>")
        board = source.board()
        inputs.append(f"[%state {state_text(*board)}]")
    while source.name() != "<end>":
        name = source.name()
        source.take()
        if name == "<top>":
            listed = []
            while source.name() == "":
                listed.append(f"{COLUMNS[source.move()]}:<ctrl{source.value()}>")
            outputs.append(f"[%top_{top} {' '.join(listed)}]")
        elif name == "<select>":
            outputs.append(f'[%top_{top} invalid : "{result_text(source.name(), first=first_moves(*board))}"]')
            source.take()
        elif name == "<play>":
            outputs.append(f"[%best_action {COLUMNS[source.move()]}]")
        elif name == "<next>":
            outputs.append(f"[%state {state_text(*source.board())}]")
        else:
            raise NotInterchange(f"token {source.at - 1}: expected an output, found {name or 'a move or a place'}")
    commands = " ".join(f"%{word}" for word in [*given, *(_command(want, top) for want in wants)])
    return "\n".join([f"<mav game={_GAME}> {commands} </mav>", "", *inputs, "", *outputs, ""])


def _command(want: str, top: str) -> str:
    return {"top": f"top_{top}", "best": "best_action"}.get(want, "state")


_HEADER = re.compile(r"<mav game=(\w+)> ((?:%\w+ )+)</mav>")
_FIELD = re.compile(r"\[%(\w+) ([^\]]*)\]")
_OVER = re.compile(r'invalid : "([^"]+)"')


def example_tokens(text: str) -> list[int]:
    """The tokens of a MAV example, without reports. Raises `NotInterchange`, saying what was expected."""
    words, lines = CONNECT_FOUR, [line for line in text.split("\n") if line]
    header = _HEADER.fullmatch(lines[0]) if lines else None
    if header is None or header[1] != _GAME:
        raise NotInterchange(f"expected <mav game={_GAME}> with commands, found {lines[0] if lines else 'nothing'!r}")
    commands = header[2].split()
    start = 2 if commands[0] == "%prev_state" else 1
    tokens = [words["<bos>"]]
    seen_best = False
    for command in commands[start:]:
        if command.startswith("%top_"):
            tokens.append(words["<want-top>"])
            if command != "%top_all":
                tokens.append(_word(f"<breadth{command[5:]}>", command))
        elif command == "%state":
            tokens.append(words["<want-next>" if seen_best or start == 1 else "<want-state>"])
        else:
            tokens.append(_word("<want-best>" if command == "%best_action" else command, command))
        seen_best |= command == "%best_action"
    board, states = (0, 0), 0
    for line in lines[1:]:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise NotInterchange(f"{line!r} is no field: expected [%command content]")
        command, content = field[1], field[2]
        if command == "prev_state":
            tokens += [words["<prev>"], *board_tokens(*board_from_text(content))]
        elif command == "prev_action":
            tokens += [words["<act>"], words.first_move + _column(content)]
        elif command == "state":
            states += 1
            board = board_from_text(content) if states == 1 else board
            tokens += [words["<state>" if states == 1 else "<next>"], *board_tokens(*board_from_text(content))]
        elif command == "best_action":
            tokens += [words["<play>"], words.first_move + _column(content)]
        elif command.startswith("top_"):
            over = _OVER.fullmatch(content)
            if over is not None:
                tokens += [words["<select>"], words[status_of(over[1], first=first_moves(*board))]]
            else:
                tokens.append(words["<top>"])
                for move, value in _listed(content):
                    tokens += [words.first_move + move, words.first_value + value - 1]
        else:
            raise NotInterchange(f"{line!r}: there is no output {command!r}")
    return [*tokens, words["<end>"]]


def _word(name: str, said: str) -> int:
    number = CONNECT_FOUR.number.get(name)
    if number is None:
        raise NotInterchange(f"there is no command {said!r}")
    return number


def _column(text: str) -> int:
    if len(text) != 1 or text not in COLUMNS:
        raise NotInterchange(f"{text!r} is no move: expected a letter from a to g")
    return COLUMNS.index(text)


_PAIR = re.compile(r"([a-g]):<ctrl([1-9]|[1-5]\d|6[0-4])>")


def _listed(content: str) -> list[tuple[int, int]]:
    pairs = []
    for part in content.split():
        matched = _PAIR.fullmatch(part)
        if matched is None:
            raise NotInterchange(f"{part!r} is no valued move: expected one like d:<ctrl33>")
        pairs.append((COLUMNS.index(matched[1]), int(matched[2])))
    return pairs


def trace_text(tokens: list[int]) -> str:
    """The text of a search. Raises `BrokenTrace` for tokens that are none."""
    trace = read_trace(tokens)
    lines = [f"Minimax breadth={trace.breadth} depth={trace.depth}"]
    _tell(lines, trace.root, None, ())
    played = trace.root.selected
    return "\n".join([*lines, *([] if played is None else [f"Playing {COLUMNS[played]}!"]), ""])


def _path(moves: tuple[int, ...]) -> str:
    return f"<{' '.join(['root', *(COLUMNS[move] for move in moves)])}>"


def _tell(lines: list[str], node: ReadNode, parent: ReadNode | None, path: tuple[int, ...]) -> None:
    board = board_of(node.board)
    lines.append(f"Evaluation for node: {_path(path)}")
    before = "" if parent is None else "%prev_state %prev_action "
    lines.append(f"<mav game={_GAME}> {before}%state %top_all %best_action </mav>")
    if parent is not None:
        lines.append(f"[%prev_state {state_text(*board_of(parent.board))}]")
        lines.append(f"[%prev_action {COLUMNS[path[-1]]}]")
    lines.append(f"[%state {state_text(*board)}]")
    if node.status == "<going>":
        values = (f"{COLUMNS[move]}:<ctrl{value}>" for move, value in enumerate(node.values) if value is not None)
        lines.append(f"[%top_all {' '.join(values)}]")
        lines.append(f"[%best_action {COLUMNS[node.best]}]")
    else:
        lines.append(f'[%top_all invalid : "{result_text(node.status, first=first_moves(*board))}"]')
    if node.announced:
        lines.append(f"Expand from node {_path(path)}: {' '.join(_path((*path, move)) for move in node.announced)}")
    for move, child, _ in node.children:
        _tell(lines, child, node, (*path, move))
    lines.append(f"Decision for node: {_path(path)}")
    lines += [f'{COLUMNS[move]} : "<ctrl{back}>"' for move, _, back in node.children]
    selected = "none" if node.selected is None else COLUMNS[node.selected]
    lines.append(f'Selecting: {selected} : "<ctrl{node.value}>"')


class _Lines:
    def __init__(self, text: str) -> None:
        self.lines = text.rstrip("\n").split("\n")
        self.at = 0

    def match(self, pattern: str) -> re.Match[str]:
        found = self.lines[self.at] if self.at < len(self.lines) else "the end"
        matched = re.fullmatch(pattern, found)
        if matched is None:
            raise NotInterchange(f"line {self.at + 1}: expected {pattern}, found {found!r}")
        self.at += 1
        return matched

    def starts(self, with_: str) -> bool:
        return self.at < len(self.lines) and self.lines[self.at].startswith(with_)


_SELECTED = r'Selecting: ([a-g]|none) : "<ctrl(\d+)>"'


def trace_tokens(text: str) -> list[int]:
    """The tokens of a search. Raises `NotInterchange` at the first line that does not fit."""
    words, lines = CONNECT_FOUR, _Lines(text)
    shape = lines.match(r"Minimax breadth=([1-7]) depth=([0-3])")
    tokens = [words["<bos>"], words["<search>"], words[f"<depth{shape[2]}>"], words[f"<breadth{shape[1]}>"]]
    tokens += [words["<state>"], *_node_tokens(lines)]
    if lines.starts("Playing"):
        lines.match(r"Playing [a-g]!")
    return [*tokens, words["<end>"]]


def _node_tokens(lines: _Lines) -> list[int]:
    words = CONNECT_FOUR
    lines.match(r"Evaluation for node: <[^>]+>")
    lines.match(r"<mav .*</mav>")
    if lines.starts("[%prev_state"):
        lines.match(r"\[%prev_state .*\]")
        lines.match(r"\[%prev_action [a-g]\]")
    board = board_from_text(lines.match(r"\[%state (.*)\]")[1])
    listed = lines.match(r"\[%top_all (.*)\]")[1]
    over = _OVER.fullmatch(listed)
    values: list[int | None] = [None] * words.moves
    best = 0
    if over is None:
        for move, value in _listed(listed):
            values[move] = value
        best = _column(lines.match(r"\[%best_action (.*)\]")[1])
    status = "<going>" if over is None else status_of(over[1], first=first_moves(*board))
    tokens = [*board_tokens(*board), *Report(status, best, tuple(values)).tokens()]
    announced: list[int] = []
    if lines.starts("Expand"):
        said = lines.match(r"Expand from node <[^>]+>: (.+)")[1]
        announced = [_column(path[-1]) for path in re.findall(r"<([^>]+)>", said)]
        tokens += [words["<expand>"], *(words.first_move + move for move in announced)]
    opened, backs = [], []
    while lines.starts("Evaluation"):
        opened.append((_column(lines.lines[lines.at][-2]), _node_tokens(lines)))
    lines.match(r"Decision for node: <[^>]+>")
    for _ in opened:
        backs.append(int(lines.match(r'[a-g] : "<ctrl(\d+)>"')[1]))
    for (move, child), back in zip(opened, backs, strict=True):
        tokens += [words["<child>"], words.first_move + move, *child]
        tokens += [words["<back>"], words.first_move + move, words.first_value + back - 1]
    selected = lines.match(_SELECTED)
    tokens.append(words["<select>"])
    if selected[1] != "none":
        tokens.append(words.first_move + _column(selected[1]))
    return [*tokens, words.first_value + int(selected[2]) - 1]
