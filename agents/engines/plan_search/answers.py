"""The best answer to a plan in sight, by whatever search the game allows."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from stratarena.agents.climb import climb, worth_of
from stratarena.agents.engines.plan_search.squads import best_squad
from stratarena.games.base import Seat
from stratarena.games.resource.base import ResourceGame, RuleSet, Verdict, VerdictKind
from stratarena.games.turn_based.game import TurnBased

__all__ = ["Answer", "best_answer"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan within the rules and the purse, and how a round with it goes."""

    plan: Any
    value: float
    """-1 to 1 from the side's point of view, as `Round.value_of` counts."""
    exact: bool
    """No plan is worth more."""
    simulations: int
    """Simulations, or runs of one fighter, that it took."""


def best_answer(
    rules: ResourceGame[Any],
    seat: Seat,
    theirs: Verdict[Any],
    *,
    tries: int,
    rng: Random,
    start: Any = None,
    exact: bool = True,
) -> Answer:
    """The best plan of this side against the other's, as far as it can be found.

    Exact in turn-based combat as written (but for `exact=False`, or where the search would grow too large), and wherever
    the other side's plan loses by itself. Elsewhere the best of `tries` plans of a climb from `start`, or from the greedy
    plan.
    """
    beginning = rules.greedy_plan(seat) if start is None else start
    if theirs.kind is not VerdictKind.OK:
        # Not to be played, or too dear: every plan of ours that is neither wins.
        return Answer(beginning, 1.0, True, 0)
    assert theirs.plan is not None
    if exact and isinstance(rules, TurnBased) and rules.rule_set is RuleSet.AS_WRITTEN:
        squad = best_squad(rules, seat, theirs.plan)
        return Answer(squad.plan, squad.margin, squad.exact, squad.relays)

    def worth(plan: Any) -> tuple[bool, float]:
        first, second = (plan, theirs.plan) if seat is Seat.FIRST else (theirs.plan, plan)
        return worth_of(rules.simulate(first, second), seat)

    found = climb(rules, seat, beginning, worth, tries=tries, rng=rng)
    assert found.worth is not None
    return Answer(found.plan, found.worth[1], found.worth[1] >= 1.0, found.tried)
