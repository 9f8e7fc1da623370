"""Climbing towards a good plan: small steps, kept when the plan fares better, and fresh starts when none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from stratarena.agents.budget import BudgetExhausted
from stratarena.games.base import Seat
from stratarena.games.resource.base import ResourceGame, Result

__all__ = ["Climbed", "Worth", "climb", "worth_of"]

Worth = tuple[bool, float]
"""Whether a round would be won, and its margin from the planning side's point of view: compared in this order."""


@dataclass(frozen=True, slots=True)
class Climbed:
    """The best plan that was tried; `worth` is None where the budget ended before the first try."""

    plan: Any
    worth: Worth | None
    tried: int


def worth_of(result: Result, seat: Seat) -> Worth:
    """The worth of a simulation's result to that seat."""
    return result.winner is seat, result.margin_of(seat)


def climb(
    rules: ResourceGame[Any], seat: Seat, start: Any, worth: Callable[[Any], Worth], *, tries: int, rng: Random
) -> Climbed:
    """Try plans one step from the best, `tries` in all, beginning with `start`.

    Starts again from a random plan whenever a fourth of the tries in a row did not help. Ends early when `worth` raises
    `BudgetExhausted`.
    """
    plan = best = current = start
    best_worth: Worth | None = None
    current_worth: Worth | None = None
    stale = tried = 0
    patience = max(10, tries // 4)
    try:
        while tried < tries:
            found = worth(plan)
            tried += 1
            if best_worth is None or found > best_worth:
                best, best_worth = plan, found
            if current_worth is None or found > current_worth:
                current, current_worth, stale = plan, found, 0
            else:
                stale += 1
            if stale >= patience:
                plan, current_worth, stale = rules.random_plan(seat, rng), None, 0
            else:
                plan = rules.vary(seat, current, rng)
    except BudgetExhausted:
        pass
    return Climbed(best, best_worth, tried)
