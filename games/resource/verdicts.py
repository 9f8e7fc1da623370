"""From a plan, its cost and its problems to a verdict: the same for every game."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from stratarena.games.purse import Purse
from stratarena.games.resource.base import Problem, Verdict, VerdictKind
from stratarena.games.resource.reading import MOST_PROBLEMS

__all__ = ["malformed", "verdict_on"]

P = TypeVar("P")


def malformed(problems: Sequence[Problem], purse: Purse) -> Verdict[P]:
    """The verdict on JSON of another shape."""
    return Verdict(kind=VerdictKind.SCHEMA_ERROR, plan=None, cost=None, purse=purse, problems=tuple(problems))


def verdict_on(
    plan: P, *, cost: int | None, purse: Purse, illegal: Sequence[Problem], key: str, warnings: Sequence[Problem] = ()
) -> Verdict[P]:
    """The verdict on a plan of the right shape: illegal before over the purse."""
    problems = tuple(illegal[:MOST_PROBLEMS])
    kind = VerdictKind.OK
    if problems:
        kind = VerdictKind.ILLEGAL
    elif cost is not None and purse.excess(cost):
        kind = VerdictKind.OVER_PURSE
        why = f"costs {cost}, {purse.excess(cost)} more than the purse of {purse.amount}"
        problems = (Problem(key, str(cost), why),)
    return Verdict(
        kind=kind, plan=plan, cost=cost, purse=purse, problems=problems, warnings=tuple(warnings[:MOST_PROBLEMS])
    )
