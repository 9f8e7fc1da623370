"""What is said to the game model and what it answers, as the texts that go over the seam of all models.

A question is the beginning of a MAV example: a header that names what is wanted, and the position as a state, or as a
state and a move. The answer is the rest of it. Beside the paper's commands there is one of our own, `%mean_all`: the
expected chance of winning after each move with four digits, where `%top_all` gives the likeliest bucket. A question that
begins with `Minimax breadth=b depth=d` is answered by a whole search.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stratarena.agents.gamelm.forms import Board, NotInterchange, form_of, form_tagged
from stratarena.agents.gamelm.games import CONNECT_FOUR, FOLDERS
from stratarena.agents.gamelm.interchange import result_text, status_of
from stratarena.agents.gamelm.values import centres

__all__ = [
    "Answer",
    "Board",
    "Question",
    "answer_text",
    "foreign_question",
    "game_asked",
    "parse_answer",
    "parse_question",
    "question_text",
]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the model."""

    board: Board
    """The position, or the one before the move."""
    move: int | None = None
    """Asked is what it leads to, and that position's values."""
    scoring: str = "mean"
    """`"mean"` or `"max"`."""
    search: tuple[int, int] | None = None
    """Depth and breadth, for a search instead of an evaluation."""
    game: str = CONNECT_FOUR


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
    form = form_of(question.game)
    opening, state = f"<mav game={form.tag}>", form.state_text(question.board)
    if question.search is not None:
        depth, breadth = question.search
        return f"Minimax breadth={breadth} depth={depth}\n{opening} %state </mav>\n\n[%state {state}]\n"
    listed = _LIST[question.scoring]
    if question.move is None:
        return f"{opening} %state %{listed} %best_action </mav>\n\n[%state {state}]\n"
    inputs = f"[%prev_state {state}]\n[%prev_action {form.move_text(question.move, question.board)}]\n"
    return f"{opening} %prev_state %prev_action %state %{listed} %best_action </mav>\n\n{inputs}"


def foreign_question(game: str, position: str) -> str:
    """A question about a position that has no form here, in the arena's own text: whoever reads it refuses it by name."""
    return f"<mav game={form_of(game).tag}> %state %{_LIST['mean']} %best_action </mav>\n\n[%state {position}]\n"


def game_asked(text: str) -> str | None:
    """The game that a question is about, as its header calls it; None without a header."""
    tag = re.search(r"^<mav game=(\w+)>", text, re.MULTILINE)
    return None if tag is None else tag[1]


def parse_question(text: str) -> Question:
    """The question that this text asks. Raises `NotInterchange` where it asks none."""
    form = form_tagged(game_asked(text) or CONNECT_FOUR)
    if form is None:
        tags = ", ".join(form_of(game).tag for game in FOLDERS)
        raise NotInterchange(f"there is no game {game_asked(text)!r}: expected one of {tags}")
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
        board = form.board_from_text(fields["prev_state"])
        return Question(board, form.move_from_text(fields["prev_action"], board), scoring, game=form.game)
    if "state" not in fields:
        raise NotInterchange("expected a field [%state …], or [%prev_state …] and [%prev_action …]")
    return Question(form.board_from_text(fields["state"]), None, scoring, search, form.game)


def answer_text(
    question: Question, board: Board, status: str, best: int, means: list[float | None], modes: list[int | None]
) -> str:
    """What the model says of a board, as the rest of the question's text."""
    form = form_of(question.game)
    lines = [] if question.move is None else [f"[%state {form.state_text(board)}]"]
    listed = _LIST[question.scoring]
    if status != "<going>":
        return "\n".join([*lines, f'[%{listed} invalid : "{result_text(status, first=form.first(board))}"]', ""])
    names = [form.move_text(move, board) for move in range(form.words.moves)]
    if question.scoring == "mean":
        said = [f"{names[move]}:{mean:.4f}" for move, mean in enumerate(means) if mean is not None]
    else:
        said = [f"{names[move]}:<ctrl{mode}>" for move, mode in enumerate(modes) if mode is not None]
    return "\n".join([*lines, f"[%{listed} {' '.join(said)}]", f"[%best_action {names[best]}]", ""])


_VALUED = re.compile(r"(\w+):(?:<ctrl([1-9]|[1-5]\d|6[0-4])>|([01]\.\d{4}))")


def parse_answer(question: Question, text: str) -> Answer:
    """What an answer says. Raises `NotInterchange` where it cannot be read."""
    form, fields = form_of(question.game), dict(_FIELD.findall(text))
    board = question.board
    if question.move is not None:
        if "state" not in fields:
            raise NotInterchange("the answer has no [%state …]")
        board = form.board_from_text(fields["state"])
    listed = fields.get(_LIST[question.scoring])
    if listed is None:
        raise NotInterchange(f"the answer has no [%{_LIST[question.scoring]} …]")
    over = re.fullmatch(r'invalid : "([^"]+)"', listed)
    if over is not None:
        return Answer(board, {}, None, _STATUS_VALUE[status_of(over[1], first=form.first(board))])
    values: dict[int, float] = {}
    middle = centres()
    for part in listed.split():
        pair = _VALUED.fullmatch(part)
        if pair is None:
            raise NotInterchange(f"{part!r} is no valued move")
        value = float(middle[int(pair[2]) - 1]) if pair[2] else float(pair[3])
        values[form.move_from_text(pair[1], board)] = value
    if not values:
        raise NotInterchange("the answer lists no move")
    best = fields.get("best_action")
    return Answer(board, values, None if best is None else form.move_from_text(best, board), None)
