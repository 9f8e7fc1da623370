"""Plans and their declared revisions: what an agent means to do, and why it changed its mind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from stratarena.games.base import Move

__all__ = ["Cause", "Plan", "Revision"]


class Cause(Enum):
    """Why a plan was replaced."""

    OPPONENT = "opponent"
    """The opponent did not play the reply the plan expected."""
    REFUSED = "refused"
    """The referee turned the plan's move down."""
    SELF_CHECK = "self_check"
    """The agent looked again, unprompted by anything new."""
    SEARCH = "search"
    """A search changed its best move."""
    OVER_PURSE = "over_purse"
    """The plan cost more than the purse holds."""
    SERIES = "series"
    """The result of an earlier round or match of the series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An intended line."""

    moves: tuple[Move, ...]
    """The first is meant for now, then the expected reply, and so on in turn."""
    cost: int | None = None
    """In the game's in-game resource; None where the game has none."""
    value: float | None = None
    """The agent's own estimate, -1 (lost) to 1 (won), from the point of view of the seat that plans."""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A declared replacement of one plan by another; never inferred later from a difference."""

    before: Plan
    after: Plan
    cause: Cause
