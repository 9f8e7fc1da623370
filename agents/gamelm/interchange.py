"""The interchange text of examples: a model's tokens as the readable MAV text, and back, without loss.

Source: Schultz et al. (2025), the format of their Figure 1; state texts of Connect Four, the numbers of results and what is
not recoverable of the format are our own. Texts here are for the side to move as `x` (the first player) or `o`; tokens
know only the mover's own discs and the other's. The first player moves when both have as many discs, so nothing is lost
between them. Searches have a text of their own: see `trace_text`.

What a model reads off a board (the reports among its tokens) is no part of an example's text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.forms import Board, Form, NotInterchange
from stratarena.agents.gamelm.reading import CONNECT_FOUR, HEAD, STATUSES
from stratarena.agents.gamelm.traces import board_tokens

__all__ = ["example_text", "example_tokens", "result_text", "status_of", "valued_moves", "without_reports"]


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

    def board(self) -> Board:
        words = CONNECT_FOUR
        return FORM.board_of(
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
        board = source.board()
        inputs.append(f"[%prev_state {FORM.state_text(board)}]")
        source.tag("<act>")
        inputs.append(f"[%prev_action {FORM.move_text(source.move(), board)}]")
        source.tag("<state>")
        board = source.board()
        outputs.append(f"[%state {FORM.state_text(board)}]")
    else:
        given = ["state"]
        source.tag("<state>")
        board = source.board()
        inputs.append(f"[%state {FORM.state_text(board)}]")
    while source.name() != "<end>":
        name = source.name()
        source.take()
        if name == "<top>":
            listed = []
            while source.name() == "":
                listed.append(f"{FORM.move_text(source.move(), board)}:<ctrl{source.value()}>")
            outputs.append(f"[%top_{top} {' '.join(listed)}]")
        elif name == "<select>":
            outputs.append(f'[%top_{top} invalid : "{result_text(source.name(), first=FORM.first(board))}"]')
            source.take()
        elif name == "<play>":
            outputs.append(f"[%best_action {FORM.move_text(source.move(), board)}]")
        elif name == "<next>":
            outputs.append(f"[%state {FORM.state_text(source.board())}]")
        else:
            raise NotInterchange(f"token {source.at - 1}: expected an output, found {name or 'a move or a place'}")
    commands = " ".join(f"%{word}" for word in [*given, *(_command(want, top) for want in wants)])
    return "\n".join([f"<mav game={FORM.tag}> {commands} </mav>", "", *inputs, "", *outputs, ""])


def _command(want: str, top: str) -> str:
    return {"top": f"top_{top}", "best": "best_action"}.get(want, "state")


_HEADER = re.compile(r"<mav game=(\w+)> ((?:%\w+ )+)</mav>")
_FIELD = re.compile(r"\[%(\w+) ([^\]]*)\]")
_OVER = re.compile(r'invalid : "([^"]+)"')


def example_tokens(text: str) -> list[int]:
    """The tokens of a MAV example, without reports. Raises `NotInterchange`, saying what was expected."""
    words, lines = CONNECT_FOUR, [line for line in text.split("\n") if line]
    header = _HEADER.fullmatch(lines[0]) if lines else None
    if header is None or header[1] != FORM.tag:
        raise NotInterchange(
            f"expected <mav game={FORM.tag}> with commands, found {lines[0] if lines else 'nothing'!r}"
        )
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
            board = FORM.board_from_text(content)
            tokens += [words["<prev>"], *board_tokens(FORM, *board)]
        elif command == "prev_action":
            tokens += [words["<act>"], words.first_move + FORM.move_from_text(content, board)]
        elif command == "state":
            states += 1
            board = FORM.board_from_text(content) if states == 1 else board
            tokens += [
                words["<state>" if states == 1 else "<next>"],
                *board_tokens(FORM, *FORM.board_from_text(content)),
            ]
        elif command == "best_action":
            tokens += [words["<play>"], words.first_move + FORM.move_from_text(content, board)]
        elif command.startswith("top_"):
            over = _OVER.fullmatch(content)
            if over is not None:
                tokens += [words["<select>"], words[status_of(over[1], first=FORM.first(board))]]
            else:
                tokens.append(words["<top>"])
                for move, value in valued_moves(FORM, content, board):
                    tokens += [words.first_move + move, words.first_value + value - 1]
        else:
            raise NotInterchange(f"{line!r}: there is no output {command!r}")
    return [*tokens, words["<end>"]]


def _word(name: str, said: str) -> int:
    number = CONNECT_FOUR.number.get(name)
    if number is None:
        raise NotInterchange(f"there is no command {said!r}")
    return number


_PAIR = re.compile(r"(\w+):<ctrl([1-9]|[1-5]\d|6[0-4])>")


def valued_moves(form: Form, content: str, board: Board) -> list[tuple[int, int]]:
    """Moves with their buckets as a list tells them, such as `d:<ctrl33> a:<ctrl4>`. Raises `NotInterchange`."""
    pairs = []
    for part in content.split():
        matched = _PAIR.fullmatch(part)
        if matched is None:
            raise NotInterchange(f"{part!r} is no valued move: expected one like d:<ctrl33>")
        pairs.append((form.move_from_text(matched[1], board), int(matched[2])))
    return pairs
