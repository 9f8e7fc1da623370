"""A model's answer to a JSON value: the one place where text becomes data. Nothing is evaluated, nothing is guessed.

The strict reader (rule set `as_written`) takes an answer that is one JSON object, or that has exactly one fenced block
with one in it. The reader of the published programs (rule set `published`) is rebuilt with its repairs, which can damage
valid JSON, since they decide what counted as an answer there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from stratarena.games.base import ArenaError, Seat
from stratarena.games.resource.base import Problem, ResourceGame, RuleSet, Verdict, VerdictKind

__all__ = ["LONGEST_ANSWER", "MOST_PROBLEMS", "NoJson", "cut", "explain_schema", "parse_json", "read_plan"]

P = TypeVar("P")

LONGEST_ANSWER = 100_000
"""Characters. The largest legal plan has some thousands."""
DEEPEST = 32
"""Levels of nesting. A plan has four."""
MOST_PROBLEMS = 20
_LONGEST_SHOWN = 200
_FENCE = re.compile(r"^[ \t]*```[ \t]*([A-Za-z0-9]*)[ \t]*$", re.MULTILINE)
_FENCED_JSON = re.compile(r"```json(.*)```", re.DOTALL)


class NoJson(ArenaError):
    """A text is not one JSON value."""


def read_plan(rules: ResourceGame[P], seat: Seat, text: str) -> Verdict[P]:
    """The verdict on an answer: what plan of that side it holds, or everything that is wrong with it. Never raises."""
    try:
        value = find_object(text) if rules.rule_set is RuleSet.AS_WRITTEN else find_published(text, game=rules.name)
    except NoJson as error:
        problem = Problem("", cut(text), str(error))
        purse = rules.sides[seat].purse
        return Verdict(kind=VerdictKind.UNPARSEABLE, plan=None, cost=None, purse=purse, problems=(problem,))
    return rules.check(seat, value)


def find_object(text: str) -> dict[str, Any]:
    """The JSON object that an answer is, or that stands alone in its one fenced block.

    Raises:
        NoJson: there is none; says why, and what would be accepted.
    """
    if len(text) > LONGEST_ANSWER:
        raise NoJson(f"the answer has {len(text)} characters; at most {LONGEST_ANSWER} are read")
    fences = list(_FENCE.finditer(text))
    if fences:
        if len(fences) != 2 or fences[0][1].lower() not in ("", "json") or fences[1][1]:
            raise NoJson("expected one JSON object, alone or in exactly one ```json block")
        text = text[fences[0].end() : fences[1].start()]
    value = parse_json(text)
    if not isinstance(value, dict):
        raise NoJson(f"expected a JSON object, got {_kind(value)}")
    return value


def find_published(text: str, *, game: str) -> Any:
    """The JSON value that the published programs would have read, after their repairs; duplicate keys: the last counts.

    Raises:
        NoJson: they would have stopped the whole run here.
    """
    if len(text) > LONGEST_ANSWER:
        raise NoJson(f"the answer has {len(text)} characters; at most {LONGEST_ANSWER} are read")
    fenced = _FENCED_JSON.search(text)
    text = (fenced[1] if fenced else text).strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    text = text.replace("\\n", "\n")
    if "'" in text and '"' not in text:
        text = text.replace("'", '"')
    if game == "turn_based":
        text = text.strip()
        if text.endswith("}}"):
            text = text[:-1]
        text = re.sub(r'"\s*\}\Z', "}", text)
    return parse_json(text, strict=False)


def parse_json(text: str, *, strict: bool = True) -> Any:
    """The JSON value of a text. Strict: no key twice in an object, no NaN, no Infinity.

    Raises:
        NoJson: it is none, is nested too deeply, or has a number of thousands of digits.
    """
    pairs = _unique if strict else None
    foreign = _refuse if strict else None
    if _depth(text) > DEEPEST:
        raise NoJson(f"nested more than {DEEPEST} levels deep")
    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=foreign)
    except json.JSONDecodeError as error:
        raise NoJson(f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except ValueError:
        raise NoJson("not JSON that can be kept: a number has thousands of digits") from None


def cut(text: str) -> str:
    """The text, or its beginning where it is long."""
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def show(value: object) -> str:
    """A JSON value on one line, cut to a readable length."""
    try:
        return cut(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return cut(type(value).__name__)


def explain_schema(error: ValidationError, value: object) -> tuple[Problem, ...]:
    """What is wrong with the shape of a value, each with its place and the offending entry."""
    return tuple(_explain(problem["loc"], problem["msg"], value) for problem in error.errors()[:MOST_PROBLEMS])


def check_shape(model: type[BaseModel], value: object) -> tuple[Any, tuple[Problem, ...]]:
    """The value read by a schema, or None and what is wrong with it."""
    try:
        return model.model_validate(value), ()
    except ValidationError as error:
        return None, explain_schema(error, value)


def _explain(loc: Sequence[int | str], message: str, value: object) -> Problem:
    entry: Any = value
    # The entry that holds the field is more telling than the field alone.
    for step in loc[:-1] if loc and isinstance(loc[-1], str) and len(loc) > 1 else loc:
        try:
            entry = entry[step]
        except (KeyError, IndexError, TypeError):
            break
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).removeprefix(".")
    return Problem(cut(where), show(entry), message)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NoJson(f"the key {cut(twice)!r} is given twice in one object")
    return found


def _refuse(name: str) -> Any:
    raise NoJson(f"{name} is not JSON; expected a number")


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside strings; in one pass, so that no text makes it slow."""
    depth = deepest = 0
    inside = escaped = False
    for mark in text:
        if inside:
            if escaped:
                escaped = False
            elif mark == "\\":
                escaped = True
            elif mark == '"':
                inside = False
        elif mark == '"':
            inside = True
        elif mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
