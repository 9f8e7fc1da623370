"""What is said to the game model and what it answers, as the texts that go over the seam of all models.

A question is the beginning of a MAV example: a header that names what is wanted, and the position as a state, or as a
state and a move. The answer is the rest of it. Beside the paper's commands there is one of our own, `%mean_all`: the
expected chance of winning after each move with four digits, where `%top_all` gives the likeliest bucket. A question that
begins with `Minimax breadth=b depth=d` is answered by a whole search.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stratarena.agents.gamelm.interchange import (
    COLUMNS,
    NotInterchange,
    board_from_text,
    result_text,
    state_text,
    status_of,
)
from stratarena.agents.gamelm.values import centres

__all__ = ["Answer", "Board", "Question", "answer_text", "parse_answer", "parse_question", "question_text"]

Board = tuple[int, int]
"""The mover's own discs and the opponent's."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the model."""

    board: Board
    """The position, or the one before the move."""
    move: int | None = None
    """A column: asked is what it leads to, and that position's values."""
    scoring: str = "mean"
    """`"mean"` or `"max"`."""
    search: tuple[int, int] | None = None
    """Depth and breadth, for a search instead of an evaluation."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of a position."""

    board: Board
    values: dict[int, float]
    """The mover's chance of winning after each move it takes for legal; empty where it takes the game for over."""
    best: int | None
    result: float | None
    """1 won, 0.5 drawn, 0 lost for the mover, where it takes the game for over."""


_LIST = {"mean": "mean_all", "max": "top_all"}
_STATUS_VALUE = {"<won>": 1.0, "<drawn>": 0.5, "<lost>": 0.0}
_FIELD = re.compile(r"\[%(\w+) ([^\]]*)\]")


def question_text(question: Question) -> str:
    """The question as text."""
    if question.search is not None:
        depth, breadth = question.search
        head = f"Minimax breadth={breadth} depth={depth}\n"
        return f"{head}<mav game=connect_four> %state </mav>\n\n[%state {state_text(*question.board)}]\n"
    listed = _LIST[question.scoring]
    if question.move is None:
        inputs = f"[%state {state_text(*question.board)}]\n"
        return f"<mav game=connect_four> %state %{listed} %best_action </mav>\n\n{inputs}"
    inputs = f"[%prev_state {state_text(*question.board)}]\n[%prev_action {COLUMNS[question.move]}]\n"
    return f"<mav game=connect_four> %prev_state %prev_action %state %{listed} %best_action </mav>\n\n{inputs}"


def parse_question(text: str) -> Question:
    """The question that this text asks. Raises `NotInterchange` where it asks none."""
    search = None
    if text.startswith("Minimax "):
        shape = re.match(r"Minimax breadth=([1-7]) depth=([0-3])\n", text)
        if shape is None:
            raise NotInterchange("expected Minimax breadth=1..7 depth=0..3 in the first line")
        search = int(shape[2]), int(shape[1])
        text = text[shape.end() :]
    header, _, rest = text.partition("\n")
    fields = dict(_FIELD.findall(rest))
    scoring = "max" if "%top_all" in header.split() else "mean"
    if "prev_state" in fields and "prev_action" in fields:
        move = COLUMNS.find(fields["prev_action"])
        if move < 0 or len(fields["prev_action"]) != 1:
            raise NotInterchange(f"{fields['prev_action']!r} is no move: expected a letter from a to g")
        return Question(board_from_text(fields["prev_state"]), move, scoring)
    if "state" not in fields:
        raise NotInterchange("expected a field [%state …], or [%prev_state …] and [%prev_action …]")
    return Question(board_from_text(fields["state"]), None, scoring, search)


def answer_text(
    question: Question, board: Board, status: str, best: int, means: list[float | None], modes: list[int | None]
) -> str:
    """What the model says of a board, as the rest of the question's text."""
    lines = [] if question.move is None else [f"[%state {state_text(*board)}]"]
    listed = _LIST[question.scoring]
    if status != "<going>":
        return "\n".join([*lines, f'[%{listed} invalid : "{result_text(status, *board)}"]', ""])
    if question.scoring == "mean":
        said = [f"{COLUMNS[move]}:{mean:.4f}" for move, mean in enumerate(means) if mean is not None]
    else:
        said = [f"{COLUMNS[move]}:<ctrl{mode}>" for move, mode in enumerate(modes) if mode is not None]
    return "\n".join([*lines, f"[%{listed} {' '.join(said)}]", f"[%best_action {COLUMNS[best]}]", ""])


def parse_answer(question: Question, text: str) -> Answer:
    """What an answer says. Raises `NotInterchange` where it cannot be read."""
    fields = dict(_FIELD.findall(text))
    board = question.board
    if question.move is not None:
        if "state" not in fields:
            raise NotInterchange("the answer has no [%state …]")
        board = board_from_text(fields["state"])
    listed = fields.get(_LIST[question.scoring])
    if listed is None:
        raise NotInterchange(f"the answer has no [%{_LIST[question.scoring]} …]")
    over = re.fullmatch(r'invalid : "([^"]+)"', listed)
    if over is not None:
        return Answer(board, {}, None, _STATUS_VALUE[status_of(over[1], *board)])
    values: dict[int, float] = {}
    middle = centres()
    for part in listed.split():
        pair = re.fullmatch(r"([a-g]):(?:<ctrl([1-9]|[1-5]\d|6[0-4])>|([01]\.\d{4}))", part)
        if pair is None:
            raise NotInterchange(f"{part!r} is no valued move")
        values[COLUMNS.index(pair[1])] = float(middle[int(pair[2]) - 1]) if pair[2] else float(pair[3])
    if not values:
        raise NotInterchange("the answer lists no move")
    best = COLUMNS.find(fields.get("best_action", "?"))
    return Answer(board, values, best if best >= 0 else None, None)
