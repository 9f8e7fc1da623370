"""What happens in a battle: its result and the kinds of events of its trace. `at` is the number of the attack, from 1."""

from __future__ import annotations

from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Result, Survivor

__all__ = ["Attacked", "BattleResult", "Changed", "Entered", "Harmed", "Left", "UnitLeft"]


@dataclass(frozen=True, slots=True)
class UnitLeft(Survivor):
    """A unit on the board at the end; `place` is its slot in its row, from 1."""

    attack: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BattleResult(Result):
    """A battle; `length` counts attacks."""

    survivors: tuple[UnitLeft, ...]
    """FIRST's units, then SECOND's, each row from left to right."""
    summoned: int
    """Units that came into a row in the course of the battle, both sides together."""
    fallen: int
    """Units that left a row, both sides together."""


@dataclass(frozen=True, slots=True)
class Entered(Event):
    """A unit stands in its row: at 0 as bought, before start effects; later at the right end, as summoned."""

    seat: Seat
    unit: int
    """Its number on its side, from 0, in the order in which the units came. Later events name units by it."""
    name: str
    attack: int
    health: int


@dataclass(frozen=True, slots=True)
class Attacked(Event):
    """A unit attacks a unit of the other side."""

    seat: Seat
    unit: int
    target: int


@dataclass(frozen=True, slots=True)
class Harmed(Event):
    """A unit loses health."""

    seat: Seat
    unit: int
    cause: str
    damage: int
    health: int
    """What is left; zero or less means that it is about to leave."""


@dataclass(frozen=True, slots=True)
class Changed(Event):
    """An effect other than damage on a unit, with what the unit is after it."""

    seat: Seat
    unit: int
    effect: str
    attack: int
    health: int


@dataclass(frozen=True, slots=True)
class Left(Event):
    """A unit leaves its row."""

    seat: Seat
    unit: int
