"""Answers as JSON: the schema that is asked for, and the strict reading of what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from stratarena.agents.models.base import Completion, Finish
from stratarena.agents.reading import CutOffAnswer, EmptyAnswer, FilteredAnswer, UnparseableAnswer
from stratarena.games.base import Game, MalformedMove, Move, MoveError

__all__ = ["FIELDS", "Field", "Structured", "answer_schema", "form_in_words", "read_structured"]

Field = Literal["reasoning", "candidates", "plan", "confidence"]
FIELDS: tuple[Field, ...] = ("reasoning", "candidates", "plan", "confidence")
"""What may be asked for beside the move, in the order of the answer: reasons come before what they are for."""

_LONGEST_READ = 200_000
_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
_MEANINGS = {
    "reasoning": '"reasoning": a text, as short as you can',
    "candidates": '"candidates": a list of objects with "move" and "value", from -1 (you lose) to 1 (you win)',
    "move": '"move": your move',
    "plan": '"plan": a list of the moves that you expect, yours first, then the other side\'s reply, and so on in turn',
    "confidence": '"confidence": your chance of winning, from 0 to 1',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """What a JSON answer says."""

    move: Move
    candidates: tuple[tuple[str, float], ...] = ()
    """Moves with values, -1 to 1 from the mover's side, as they were written."""
    plan: tuple[str, ...] = ()
    """As written; whether they are moves is not looked at."""
    confidence: float | None = None
    reasoning: str = ""


def _order(fields: Sequence[Field]) -> tuple[str, ...]:
    wanted = [field for field in FIELDS if field in fields]
    before = [field for field in wanted if field in ("reasoning", "candidates")]
    return (*before, "move", *(field for field in wanted if field not in before))


def answer_schema(fields: Sequence[Field], *, moves: Sequence[Move] = ()) -> str:
    """The JSON schema of an answer with these fields; `moves`, where given, are the only ones it may name as its own."""
    text: dict[str, Any] = {"type": "string"}
    move = {"type": "string", "enum": list(moves)} if moves else text
    candidate = {
        "type": "object",
        "properties": {"move": move, "value": {"type": "number"}},
        "required": ["move", "value"],
        "additionalProperties": False,
    }
    kinds = {
        "reasoning": text,
        "candidates": {"type": "array", "items": candidate},
        "move": move,
        "plan": {"type": "array", "items": text},
        "confidence": {"type": "number"},
    }
    names = _order(fields)
    return json.dumps(
        {
            "type": "object",
            "properties": {name: kinds[name] for name in names},
            "required": list(names),
            "additionalProperties": False,
        }
    )


def form_in_words(fields: Sequence[Field]) -> str:
    """What a prompt says of the form."""
    listed = "; ".join(_MEANINGS[name] for name in _order(fields))
    return f"Answer with one JSON object and no other text. Its fields: {listed}."


def read_structured(game: Game[Any], state: Any, answer: Completion, fields: Sequence[Field]) -> Structured:
    """The legal move of a JSON answer, and what it says besides.

    A fence of three backticks around the whole is taken off; nothing else is repaired.

    Raises:
        UnparseableAnswer: it is no JSON object, or a field is missing or of another kind; says which.
        EmptyAnswer, CutOffAnswer, FilteredAnswer: there is none, because of that.
        MalformedMove, AmbiguousMove, IllegalMove: of its move.
    """
    text = answer.text[:_LONGEST_READ]

    def wrong(why: str) -> MalformedMove:
        kind: type[MalformedMove] = UnparseableAnswer
        if answer.finish is Finish.FILTER:
            kind, why = FilteredAnswer, "the answer was declined"
        elif answer.finish is Finish.LENGTH:
            kind, why = CutOffAnswer, "the answer was cut off before its end; answer briefly"
        elif not text.strip():
            kind, why = EmptyAnswer, "the answer is empty"
        shown = text if len(text) <= 400 else text[:399] + "…"
        return kind(
            shown, game=game.id, position=game.encode(state), why=f"{why}; expected one JSON object with a move"
        )

    fenced = _FENCED.match(text)
    try:
        value = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        raise wrong("the answer is no JSON") from None
    if not isinstance(value, dict):
        raise wrong("the answer is no JSON object")
    move = value.get("move")
    if not isinstance(move, str):
        raise wrong('"move" is missing or no text')
    try:
        legal = game.parse(state, move)
    except MoveError as error:
        shown = text if len(text) <= 400 else text[:399] + "…"
        raise type(error)(shown, game=error.game, position=error.position, why=error.why) from None
    found: dict[str, Any] = {}
    for field in fields:
        found[field] = value.get(field)
        if not _fits(field, found[field]):
            raise wrong(f"{field!r} is missing or not as asked for")
    return Structured(
        move=legal,
        candidates=tuple((one["move"], float(one["value"])) for one in found.get("candidates") or ()),
        plan=tuple(found.get("plan") or ()),
        confidence=None if found.get("confidence") is None else float(found["confidence"]),
        reasoning=found.get("reasoning") or "",
    )


def _fits(field: Field, value: Any) -> bool:
    match field:
        case "reasoning":
            return isinstance(value, str)
        case "confidence":
            return _number(value, 0)
        case "plan":
            return isinstance(value, list) and len(value) <= 100 and all(isinstance(move, str) for move in value)
        case "candidates":
            return (
                isinstance(value, list)
                and len(value) <= 500
                and all(
                    isinstance(one, dict) and isinstance(one.get("move"), str) and _number(one.get("value"), -1)
                    for one in value
                )
            )


def _number(value: Any, least: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= 1
