"""What happens in a battle: its result and the kinds of events of its trace. `at` is game milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Result

__all__ = [
    "BattleResult",
    "Breached",
    "Exploded",
    "Fell",
    "Harmed",
    "Jumped",
    "Slowed",
    "Spawned",
    "Stripped",
    "Summoned",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BattleResult(Result):
    """A battle; `length` is game milliseconds, or frames under the published rules."""

    lost_row: int | None
    """The row in which a demon got through."""
    winner_units_left: int
    """Units of the winning side that were alive, those that had not entered yet left out."""


@dataclass(frozen=True, slots=True)
class Spawned(Event):
    """A unit enters."""

    seat: Seat
    unit: int
    """Its number on its side, from 0, summoned ones counted on."""
    name: str
    row: int


@dataclass(frozen=True, slots=True)
class Harmed(Event):
    """A unit takes damage."""

    seat: Seat
    unit: int
    cause: str
    damage: float
    health: float
    """What is left."""


@dataclass(frozen=True, slots=True)
class Slowed(Event):
    """Ice slows a demon down."""

    unit: int
    until: int


@dataclass(frozen=True, slots=True)
class Stripped(Event):
    """A pulse takes a demon's defence for good."""

    unit: int


@dataclass(frozen=True, slots=True)
class Exploded(Event):
    """A human goes off, and is gone."""

    unit: int


@dataclass(frozen=True, slots=True)
class Jumped(Event):
    """A demon jumps over what stands before it."""

    unit: int


@dataclass(frozen=True, slots=True)
class Summoned(Event):
    """A demon brings another one in."""

    unit: int
    summoned: int


@dataclass(frozen=True, slots=True)
class Fell(Event):
    """A unit is gone."""

    seat: Seat
    unit: int


@dataclass(frozen=True, slots=True)
class Breached(Event):
    """A demon is through."""

    unit: int
    row: int
