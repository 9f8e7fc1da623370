"""What happens in a combat: its result and the kinds of events of its trace. `at` is the number of the action, from 1."""

from __future__ import annotations

from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Result

__all__ = ["CombatResult", "DuelOpened", "Fell", "Gained", "Harmed", "Healed", "SkillUsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CombatResult(Result):
    """A combat; `length` counts actions. A fighter's `place` among survivors is its number in its squad, from 1."""

    duels: int
    """Duels opened."""


@dataclass(frozen=True, slots=True)
class DuelOpened(Event):
    """Two fighters face each other; `at` is the action before."""

    first: int
    """The number of FIRST's fighter in its squad, from 0."""
    second: int


@dataclass(frozen=True, slots=True)
class SkillUsed(Event):
    """A fighter uses a skill (or wastes its turn on an unknown one)."""

    seat: Seat
    fighter: int
    skill: str


@dataclass(frozen=True, slots=True)
class Harmed(Event):
    """A fighter takes damage."""

    seat: Seat
    fighter: int
    cause: str
    damage: float
    """After all reductions; shields may have taken a part of it."""
    health: float
    """What is left."""


@dataclass(frozen=True, slots=True)
class Healed(Event):
    """A fighter gains health."""

    seat: Seat
    fighter: int
    amount: float
    health: float


@dataclass(frozen=True, slots=True)
class Gained(Event):
    """A fighter comes under an effect."""

    seat: Seat
    fighter: int
    effect: str


@dataclass(frozen=True, slots=True)
class Fell(Event):
    """A fighter is out."""

    seat: Seat
    fighter: int
