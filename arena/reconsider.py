"""Every chance to change one's mind that a match's declared plans show, taken or not.

A plan that stands says what is meant for a turn. It meets the next declaration in the same turn (a second look, a refusal,
a search), or one turn later, when the line had a move for now. Pure: works on what was declared and played, no rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stratarena.agents.plan import Cause
from stratarena.games.base import Move, Seat

__all__ = ["Declared", "Reconsideration", "reconsiderations"]

_TURN = 2
"""Plies from one turn of a seat to its next."""


class Declared(NamedTuple):
    """A plan as it was declared."""

    ply: int
    """Plies made before the turn."""
    seat: Seat
    moves: tuple[Move, ...]
    cause: Cause | None
    """Why it replaced the plan before it; None for a proposal."""


@dataclass(frozen=True, slots=True)
class Reconsideration:
    """What a seat meant to play in a turn, and what it meant after it looked again."""

    ply: int
    seat: Seat
    cause: Cause | None
    """None where the move was kept, or another one proposed without giving a cause."""
    before: Move
    after: Move

    @property
    def changed(self) -> bool:
        """Whether another move came of it."""
        return self.before != self.after


def reconsiderations(declared: Iterable[Declared], played: Mapping[int, Move]) -> tuple[Reconsideration, ...]:
    """In the order of the declarations; `played` holds the moves by ply.

    A line from the turn before counts if its own move was played and it has one for now, whatever the reply was. An older
    one, or one without a move for now, says nothing about this turn.
    """
    standing: dict[Seat, Declared] = {}
    found = []
    for plan in declared:
        before = _meant(standing.get(plan.seat), plan.ply, played)
        if before is not None and plan.moves:
            found.append(Reconsideration(plan.ply, plan.seat, plan.cause, before, plan.moves[0]))
        standing[plan.seat] = plan
    return tuple(found)


def _meant(plan: Declared | None, ply: int, played: Mapping[int, Move]) -> Move | None:
    """What this plan has for the turn at that ply."""
    if plan is None or not plan.moves:
        return None
    if plan.ply == ply:
        return plan.moves[0]
    if plan.ply == ply - _TURN and played.get(plan.ply) == plan.moves[0] and len(plan.moves) > _TURN:
        return plan.moves[_TURN]
    return None
