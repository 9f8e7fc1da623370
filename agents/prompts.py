"""A view as messages for a model. Templates are versioned; there is no logic here beyond formatting."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from stratarena.agents.base import Refusal, View
from stratarena.agents.models.base import Message
from stratarena.agents.planning import series_of
from stratarena.games.base import Game, Move, Seat
from stratarena.games.resource.base import Verdict

__all__ = ["LOOK_AGAIN", "TEMPLATE", "look_again_at", "move_messages", "plan_messages", "too_dear"]

TEMPLATE = "board-v1"

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
) -> tuple[Message, ...]:
    """The conversation that asks for a move: rules, position, and each refused answer with what was wrong.

    `history` is how many of the last plies are shown; `reasoning` invites thoughts before the move; `example` puts an
    exchange in front that shows the form of an answer, always the same for a game; `line` asks for the intended line,
    that many plies of it. The first message is the same for every turn of a game, so that a model need read it only
    once.
    """
    answer = _form(list_legal_moves=list_legal_moves, reasoning=reasoning, line=line)
    system = Message("system", f"You play a board game to win.\n{view.game.rules}")
    messages = [system]
    if example:
        messages += _example(view.game, answer, list_legal_moves=list_legal_moves, labelled=reasoning or line > 0)
    messages.append(Message("user", _position(view, answer, list_legal_moves=list_legal_moves, history=history)))
    for refusal in view.refused:
        messages.append(Message("assistant", refusal.text))
        messages.append(
            Message("user", f"That was refused ({refusal.kind}): {refusal.why}.\n{_after(refusal, answer)}")
        )
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


def _position(view: View[Any], answer: str, *, list_legal_moves: bool, history: int) -> str:
    first, second = view.game.traits.seat_names
    name = first if view.seat is Seat.FIRST else second
    parts = [view.game.render(view.state, view.seat), f"Position: {view.game.encode(view.state)}"]
    if history and view.moves:
        parts.append(f"Last moves: {' '.join(view.moves[-history:])}")
    moves = view.game.legal_moves(view.state) if list_legal_moves else ()
    parts.append(f"You are {name}. {_question(moves, answer)}")
    return "\n".join(parts)


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


def _example(game: Game[Any], answer: str, *, list_legal_moves: bool, labelled: bool) -> list[Message]:
    """A question without a board and the middle one of the game's first moves for an answer: a form, no advice."""
    moves = game.legal_moves(game.initial(Random(0)))
    middle = moves[len(moves) // 2]
    return [
        Message("user", _question(moves if list_legal_moves else (), answer)),
        Message("assistant", f"MOVE: {middle}" if labelled else middle),
    ]


def _question(moves: Sequence[Move], answer: str) -> str:
    listed = f"Your legal moves are: {', '.join(moves)}. " if moves else ""
    return f"{listed}Which move do you play? {answer}"
