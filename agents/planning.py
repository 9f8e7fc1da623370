"""Whole plans as moves: what every agent of a resource-limited game shares when it submits one."""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any

from stratarena.agents.base import Decision, Reply, Step, View, propose, revise
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import Game, Move
from stratarena.games.plugins import load_game, parse_spec
from stratarena.games.resource.registry import NAMES
from stratarena.games.resource.series import KEEP, Series

__all__ = ["needs_plans", "series_of", "submit"]


@lru_cache(maxsize=32)
def _is_series(game_id: str) -> bool:
    return not game_id.startswith(("open_spiel:", "pettingzoo:")) and parse_spec(game_id)[0] in NAMES


def needs_plans(game_id: str) -> bool:
    """Whether a move of this game is a whole plan."""
    return _is_series(game_id)


@lru_cache(maxsize=32)
def series_of(game_id: str) -> Series:
    """The series of this id. Raises `SpecError` where there is none."""
    game: Game[Any] = load_game(game_id)
    assert isinstance(game, Series)
    return game


def submit(
    view: View[Any], move: Move, *, why: str = "", cause: Cause = Cause.SERIES
) -> Generator[Step, Reply, Decision]:
    """Declare the plan that a move submits and decide on it.

    The first readable plan of a seat is proposed, each later one that differs from the plan in play is a revision with
    its cause. An answer that keeps the plan, or that cannot be read as one, declares nothing.
    """
    yield from declare(view, move, why=why, cause=cause)
    return Decision(move)


def declare(
    view: View[Any], move: Move, *, why: str = "", cause: Cause = Cause.SERIES, standing: Plan | None = None
) -> Generator[Step, Reply, Plan | None]:
    """Declare the plan that a move submits, if it is a new one; the plan that stands afterwards.

    `standing` is the plan declared before in the same turn, which is then looked at again: keeping it is declared, too.
    Without one the view's counts.
    """
    before = standing or view.standing
    if move == KEEP:
        if standing is not None:
            yield from propose(standing)
        return before
    series = series_of(view.game.id)
    verdict = series.judge(view.state, view.seat, move)
    if verdict.plan is None:
        return before
    # One spelling for all that plays alike, so that a revision is a change of the plan and not of its wording.
    plan = Plan(moves=(series.canonical_move(view.seat, verdict),), cost=verdict.cost, why=why)
    if before is None:
        yield from propose(plan)
    elif before.moves != plan.moves:
        yield from revise(plan, cause)
    elif standing is not None:
        yield from propose(plan)
    else:
        return before
    return plan
