"""Rows of cards as values: their shape, their legality and their canonical form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict

from stratarena.games.resource.base import Problem, RuleSet
from stratarena.games.resource.reading import show

__all__ = ["BRONZE", "GOLD", "TIERS", "RowPlan", "Unit", "priority_key"]

BRONZE = "Bronze"
GOLD = "Gold"
TIERS = (BRONZE, GOLD)


@dataclass(frozen=True, slots=True)
class Unit:
    """One character as bought."""

    name: str
    tier: str = BRONZE


@dataclass(frozen=True, slots=True)
class RowPlan:
    """Units from left to right, and whom they attack first. Order has a meaning throughout, so a plan with its defaults
    filled in, as here, is its own canonical form."""

    units: tuple[Unit, ...]
    priorities: tuple[str, ...] = ()
    """Names of enemy units, the most wanted first."""


class _Unit(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    tier: str = BRONZE


class _LooseUnit(_Unit):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Defenders(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    defenders: list[_Unit]
    target_priority_for_defenders: list[str] = []


class _Invaders(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    invaders: list[_Unit]
    target_priority_for_invaders: list[str] = []


class _LooseDefenders(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    defenders: list[_LooseUnit]
    target_priority_for_defenders: list[str] = []


class _LooseInvaders(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    invaders: list[_LooseUnit]
    target_priority_for_invaders: list[str] = []


def priority_key(key: str) -> str:
    """The key of the priority list beside the row's key."""
    return f"target_priority_for_{key}"


def schema(key: str, rule_set: RuleSet) -> type[BaseModel]:
    """The shape of a plan under that key; the published programs pass over fields they do not know."""
    if rule_set is RuleSet.AS_WRITTEN:
        return _Defenders if key == "defenders" else _Invaders
    return _LooseDefenders if key == "defenders" else _LooseInvaders


def from_shape(shape: Any, key: str) -> RowPlan:
    """The plan that a checked shape holds, defaults written out."""
    units = tuple(Unit(unit.name, unit.tier) for unit in getattr(shape, key))
    return RowPlan(units, tuple(getattr(shape, priority_key(key))))


def problems(plan: RowPlan, key: str, *, names: Collection[str], row: int) -> list[Problem]:
    """What the rules as written do not allow in a plan."""
    found = []
    if len(plan.units) > row:
        found.append(Problem(key, show(len(plan.units)), f"{len(plan.units)} characters; expected at most {row}"))
    for number, unit in enumerate(plan.units):
        place, entry = f"{key}[{number}]", show({"name": unit.name, "tier": unit.tier})
        if unit.name not in names:
            why = "no character of this side" + _closest(unit.name, names)
            found.append(Problem(f"{place}.name", entry, why))
        if unit.tier not in TIERS:
            found.append(Problem(f"{place}.tier", entry, f"no such tier; expected {' or '.join(TIERS)}"))
    return found


def warnings(plan: RowPlan, key: str, *, enemies: Collection[str]) -> list[Problem]:
    """What is allowed in a list of priorities, but without effect."""
    found = []
    seen = set()
    for number, name in enumerate(plan.priorities):
        where = f"{priority_key(key)}[{number}]"
        if name not in enemies:
            found.append(Problem(where, show(name), "no enemy character; without effect"))
        elif name in seen:
            found.append(Problem(where, show(name), "named before; without effect"))
        seen.add(name)
    return found


def _closest(name: str, names: Collection[str]) -> str:
    """A hint at the name that was meant; letters count as equal whatever their case."""
    lower = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=0.6) if len(name) < 100 else []
    return f"; did you mean {lower[close[0]]!r}?" if close else f"; expected one of {', '.join(names)}"
