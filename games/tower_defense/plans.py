"""Placements as values: their shape, their legality and their canonical form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["BattlePlan", "Placement"]


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """One unit: when and where it enters. Demons have no column: they enter at the right edge."""

    spawn_ms: int
    y: int
    x: int | None
    name: str


@dataclass(frozen=True, slots=True)
class BattlePlan:
    """The units of one side. As written their order has no meaning; in the published program it has."""

    units: tuple[Placement, ...]


class _Demon(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    y: int
    spawn_time: int


class _Human(_Demon):
    x: int


class _LooseDemon(_Demon):
    model_config = ConfigDict(extra="ignore", strict=True)


class _LooseHuman(_Human):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Humans(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    humans: list[_Human]


class _Demons(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    demons: list[_Demon]


class _LooseHumans(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    humans: list[_LooseHuman]


class _LooseDemons(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    demons: list[_LooseDemon]


def schema(key: str, *, loose: bool) -> type[BaseModel]:
    """The shape of a plan under that key; the published program passes over fields it does not know."""
    if loose:
        return _LooseHumans if key == "humans" else _LooseDemons
    return _Humans if key == "humans" else _Demons


def from_shape(shape: Any, key: str) -> BattlePlan:
    """The plan that a checked shape holds."""
    return BattlePlan(
        tuple(
            Placement(unit.spawn_time, unit.y, unit.x if key == "humans" else None, unit.name)
            for unit in getattr(shape, key)
        )
    )
