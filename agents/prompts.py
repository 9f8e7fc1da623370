"""A view as messages for a model. Templates are versioned; there is no logic here beyond formatting."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from stratarena.agents.base import Refusal, View
from stratarena.agents.budget import Budget
from stratarena.agents.models.base import Message
from stratarena.agents.planning import series_of
from stratarena.agents.structured import Field, form_in_words
from stratarena.agents.templates import TEMPLATES, Notation, Template
from stratarena.games.base import Game, Move, Seat
from stratarena.games.resource.base import Verdict

__all__ = ["LOOK_AGAIN", "look_again_at", "move_messages", "plan_messages", "too_dear"]

_ANSWER = "Answer with just one of them."
_ANSWER_UNLISTED = "Answer with just the move."
_ANSWER_AFTER_THOUGHT = "Think as briefly as you can, then end with a line of its own: MOVE: followed by your move."
_BRIEFLY = (
    "Do not think aloud, do not explain: answer with this one line and no other text: MOVE: followed by your move."
)
_LINE_FORM = (
    "two lines: MOVE: followed by your move, and LINE: followed by the next {plies} moves that you expect, yours first, "
    "then the other side's reply, and so on in turn, with spaces between"
)


def move_messages(
    view: View[Any],
    *,
    list_legal_moves: bool,
    history: int,
    reasoning: bool = False,
    example: bool = False,
    line: int = 0,
    fields: Sequence[Field] | None = None,
    template: Template = TEMPLATES["board-v1"],
    notation: Sequence[Notation] = ("grid", "position"),
    show_budget: bool = False,
) -> tuple[Message, ...]:
    """The conversation that asks for a move: rules, position, and each refused answer with what was wrong.

    `history` is how many of the last plies are shown; `reasoning` invites thoughts before the move; `example` puts an
    exchange in front that shows the form of an answer, always the same for a game; `line` asks for the intended line,
    that many plies of it; `fields` asks for a JSON object with these fields beside the move. The first message is the same
    for every turn of a game, so that a model need read it only once.
    """
    answer = _form(list_legal_moves=list_legal_moves, reasoning=reasoning, line=line)
    if fields is not None:
        answer = form_in_words(fields)
    messages = [Message("system", template.system.format(rules=view.game.rules))]
    if example:
        labelled = reasoning or line > 0
        messages += _example(
            view.game,
            answer,
            template,
            list_legal_moves=list_legal_moves,
            labelled=labelled,
            as_json=fields is not None,
        )
    position = _position(
        view,
        answer,
        template,
        notation=notation,
        list_legal_moves=list_legal_moves,
        history=history,
        budget=show_budget,
    )
    messages.append(Message("user", position))
    for refusal in view.refused:
        again = _after(refusal, answer) if fields is None else answer
        messages.append(Message("assistant", refusal.text))
        messages.append(Message("user", template.refused.format(kind=refusal.kind, why=refusal.why, answer=again)))
    return tuple(messages)


def look_again_at(move: Move, *, line: int) -> str:
    """What is said of a legal move before it is played, so that the model looks at it again."""
    form = _LINE_FORM.format(plies=line) if line else "MOVE: followed by that move"
    return (
        f"You mean to play {move}. It is not played yet: look at the position again. If another move is better, answer "
        f"with {form}; if not, answer keep."
    )


def plan_messages(view: View[Any]) -> tuple[Message, ...]:
    """The conversation that asks for a whole plan: the rules, and all that the seat is told now."""
    return (
        Message("system", f"You play a game of plans to win.\n{view.game.rules}"),
        Message("user", series_of(view.game.id).brief(view.state, view.seat)),
    )


def too_dear(verdict: Verdict[Any], *, attempt: int) -> str:
    """What is said of a plan that costs more than its purse before it is asked for again."""
    return (
        f"Attempt {attempt} costs {verdict.cost}, {verdict.purse.excess(verdict.cost or 0)} more than your purse of "
        f"{verdict.purse.amount}. Submit a plan within the purse: one JSON object and no other text."
    )


LOOK_AGAIN = (
    "Look at your plan again before it is submitted. If it can be better, answer with the better plan as one JSON object "
    "and no other text; if not, answer keep."
)


def _position(
    view: View[Any],
    answer: str,
    template: Template,
    *,
    notation: Sequence[Notation],
    list_legal_moves: bool,
    history: int,
    budget: bool,
) -> str:
    first, second = view.game.traits.seat_names
    name = first if view.seat is Seat.FIRST else second
    parts = []
    if "grid" in notation:
        parts.append(view.game.render(view.state, view.seat))
    if "position" in notation:
        parts.append(template.position.format(position=view.game.encode(view.state)))
    if "moves" in notation:
        parts.append(template.all_moves.format(start=view.start, moves=" ".join(view.moves) or "none"))
    elif history and view.moves:
        parts.append(template.last_moves.format(moves=" ".join(view.moves[-history:])))
    left = _left(view.remaining) if budget else ""
    if left:
        parts.append(template.budget.format(left=left))
    moves = view.game.legal_moves(view.state) if list_legal_moves else ()
    parts.append(template.turn.format(seat=name, question=_question(moves, answer, template)))
    return "\n".join(parts)


def _left(budget: Budget) -> str:
    """What remains, in words; empty where nothing is bounded."""
    parts = []
    for resource, limit in budget.limits():
        if limit is not None:
            words = resource.replace("_", " ")
            parts.append(f"${limit:.4f}" if resource == "cost_usd" else f"{limit:,.0f} {words}")
    return ", ".join(parts)


def _after(refusal: Refusal, answer: str) -> str:
    """How to answer after a refusal: as before, but in one line once an answer was too long for its bound."""
    return _BRIEFLY if refusal.kind == "cut_off" else answer


def _form(*, list_legal_moves: bool, reasoning: bool, line: int) -> str:
    """How the answer is to look."""
    if line and reasoning:
        return f"Think as briefly as you can, then end with {_LINE_FORM.format(plies=line)}."
    if line:
        return f"Answer with {_LINE_FORM.format(plies=line)}."
    return _ANSWER_AFTER_THOUGHT if reasoning else _ANSWER if list_legal_moves else _ANSWER_UNLISTED


def _example(
    game: Game[Any], answer: str, template: Template, *, list_legal_moves: bool, labelled: bool, as_json: bool
) -> list[Message]:
    """A question without a board and the middle one of the game's first moves for an answer: a form, no advice."""
    moves = game.legal_moves(game.initial(Random(0)))
    middle = moves[len(moves) // 2]
    shown = json.dumps({"move": middle}) if as_json else f"MOVE: {middle}" if labelled else middle
    return [
        Message("user", _question(moves if list_legal_moves else (), answer, template)),
        Message("assistant", shown),
    ]


def _question(moves: Sequence[Move], answer: str, template: Template) -> str:
    listed = template.listed.format(moves=", ".join(moves)) if moves else ""
    return listed + template.question.format(answer=answer)
