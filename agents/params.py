"""Checking of parameters, shared by agents and models: every mistake at once, each with what would be accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from stratarena.games.base import SpecError

__all__ = ["Params", "ParamsError", "checked_params"]


class Params(BaseModel):
    """Base of every parameter table: unknown keys are refused, types are strict, values cannot change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


P = TypeVar("P", bound=Params)


class ParamsError(SpecError):
    """Parameters are wrong; the message has one line for every mistake."""

    def __init__(self, where: str, problems: Sequence[tuple[str, str]]) -> None:
        self.where = where
        self.problems = tuple(problems)
        """Key and mistake; the key is empty where it concerns all of them."""
        super().__init__("\n".join(f"{where}: {message}" for _, message in problems))


def checked_params(model: type[P], params: Mapping[str, Any], *, where: str) -> P:
    """The parameters as the model's values; `where` names the agent or model in messages.

    Raises:
        ParamsError: one line for every mistake.
    """
    try:
        return model.model_validate(dict(params))
    except ValidationError as error:
        found = [
            (str(problem["loc"][0]) if problem["loc"] else "", _explain(model, problem)) for problem in error.errors()
        ]
        raise ParamsError(where, found) from None


def _explain(model: type[Params], problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        valid = sorted(model.model_fields)
        close = get_close_matches(key, valid, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"unknown key {key!r}; {hint}" + (f"valid here: {', '.join(valid)}" if valid else "it takes none")
    if problem["type"] == "missing":
        about = model.model_fields[key].description if key in model.model_fields else None
        return f"the key {key!r} is missing" + (f" ({about})" if about else "")
    message: str = problem["msg"].removeprefix("Value error, ")
    said = f"{key} = {problem['input']!r}: " if key else ""
    return said + message[0].lower() + message[1:]
