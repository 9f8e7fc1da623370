"""Squads as values: their shape, their legality and their canonical form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from stratarena.games.resource.base import Problem, RuleSet
from stratarena.games.resource.reading import show

__all__ = ["Fighter", "SquadPlan"]


@dataclass(frozen=True, slots=True)
class Fighter:
    """One fighter and the skills it will use in turn."""

    element: str
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SquadPlan:
    """Fighters in the order in which they step in. Order has a meaning throughout, so a plan is its own canonical form."""

    fighters: tuple[Fighter, ...]


class _Fighter(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    element: str
    skills: list[str]


class _LooseFighter(_Fighter):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Defenders(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    defenders: list[_Fighter]


class _Invaders(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    invaders: list[_Fighter]


class _LooseDefenders(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    defenders: list[_LooseFighter]


class _LooseInvaders(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    invaders: list[_LooseFighter]


def schema(key: str, rule_set: RuleSet) -> type[BaseModel]:
    """The shape of a plan under that key; the published programs pass over fields they do not know."""
    if rule_set is RuleSet.AS_WRITTEN:
        return _Defenders if key == "defenders" else _Invaders
    return _LooseDefenders if key == "defenders" else _LooseInvaders


def from_shape(shape: Any, key: str) -> SquadPlan:
    """The plan that a checked shape holds."""
    return SquadPlan(tuple(Fighter(fighter.element, tuple(fighter.skills)) for fighter in getattr(shape, key)))


def problems(
    plan: SquadPlan, key: str, *, elements: Sequence[str], element_of: Mapping[str, str], fighters: int, skills: int
) -> list[Problem]:
    """What the rules as written do not allow in a plan."""
    found = []
    if len(plan.fighters) != fighters:
        found.append(Problem(key, show(len(plan.fighters)), f"{len(plan.fighters)} fighters; expected {fighters}"))
    seen: Counter[str] = Counter()
    for number, fighter in enumerate(plan.fighters):
        place, entry = f"{key}[{number}]", show({"element": fighter.element, "skills": fighter.skills})
        seen[fighter.element] += 1
        if fighter.element not in elements:
            found.append(Problem(f"{place}.element", entry, f"no element of this side; expected {', '.join(elements)}"))
        elif seen[fighter.element] == 2:
            found.append(
                Problem(f"{place}.element", entry, f"a second {fighter.element}; expected one of each element")
            )
        if len(fighter.skills) != skills:
            found.append(Problem(f"{place}.skills", entry, f"{len(fighter.skills)} skills; expected {skills}"))
        for index, skill in enumerate(fighter.skills):
            where = f"{place}.skills[{index}]"
            if skill not in element_of:
                found.append(Problem(where, show(skill), "no such skill; names are in snake_case"))
            elif fighter.element in elements and element_of[skill] != fighter.element:
                found.append(Problem(where, show(skill), f"a skill of {element_of[skill]}, not of {fighter.element}"))
            elif skill in fighter.skills[:index]:
                found.append(Problem(where, show(skill), f"the same skill twice; expected {skills} different ones"))
    return found
