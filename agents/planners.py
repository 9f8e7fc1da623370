"""Opponents for resource-limited games that need no model: plans at random, by price, or by trying against the other's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from stratarena.agents.base import AgentSpec, Deliberation, View
from stratarena.agents.budget import BudgetExhausted
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.params import Params, checked_params
from stratarena.agents.planning import needs_plans, series_of, submit
from stratarena.games.base import Move, Seat
from stratarena.games.resource.series import KEEP, SeriesState

__all__ = ["BestResponse", "greedy_submission", "random_submission"]


def random_submission(view: View[Any]) -> Deliberation:
    """A new legal plan within the purse, drawn from the turn's seed, at every turn."""
    series = series_of(view.game.id)
    plan = series.plans.random_plan(view.seat, view.rng)
    decision = yield from submit(view, series.move_of(view.seat, plan), why="drawn at random")
    return decision


def greedy_submission(view: View[Any]) -> Deliberation:
    """The plan with the most strength for the coin, and no other after it."""
    series = series_of(view.game.id)
    if view.standing is not None and series.keep:
        return (yield from submit(view, KEEP))
    plan = series.plans.greedy_plan(view.seat)
    return (yield from submit(view, series.move_of(view.seat, plan), why="the most strength for the coin"))


class BestResponseParams(Params):
    """Parameters of `best_response`."""

    tries: Annotated[int, Field(ge=1, le=1_000_000)] = Field(200, description="plans simulated a turn")


class BestResponse:
    """Climbs towards the best answer to the plan that it sees: small steps, kept when the simulated margin grows.

    Opens with the greedy plan. Where the other's plan is hidden it keeps its own. Every simulation counts as a node;
    when the budget ends, the best plan so far is submitted.
    """

    models: tuple[str, ...] = ()
    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(BestResponseParams, spec.params, where=f"agent {spec.name!r}")

    def plays(self, game: str) -> str | None:
        """Games in which a move is a plan."""
        return None if needs_plans(game) else f"best_response plays games of plans, not {game}"

    def deliberate(self, view: View[SeriesState]) -> Deliberation:
        """Restarts from a random plan whenever a fourth of the tries in a row did not help."""
        series, seat, rng = series_of(view.game.id), view.seat, view.rng
        theirs, own = view.state.plan_of(seat.other), view.state.plan_of(seat)
        if own is None:
            return (yield from greedy_submission(view))
        if theirs is None or not theirs.can_be_simulated:
            return (
                yield from submit(view, KEEP if series.keep else series.move_of(seat, series.plans.greedy_plan(seat)))
            )
        plan = own.plan if own.plan is not None and own.can_be_simulated else series.plans.greedy_plan(seat)
        best = current = plan
        best_worth: tuple[bool, float] | None = None
        current_worth: tuple[bool, float] | None = None
        stale = tried = 0
        patience = max(10, self._params.tries // 4)
        try:
            while tried < self._params.tries:
                tried += 1
                worth = _worth(view, series.move_of(seat, plan), seat)
                if best_worth is None or worth > best_worth:
                    best, best_worth = plan, worth
                if current_worth is None or worth > current_worth:
                    current, current_worth, stale = plan, worth, 0
                else:
                    stale += 1
                if stale >= patience:
                    plan, current_worth, stale = series.plans.random_plan(seat, rng), None, 0
                else:
                    plan = series.plans.vary(seat, current, rng)
        except BudgetExhausted:
            pass
        why = "" if best_worth is None else f"margin {best_worth[1]:+.3f} against the plan in sight, best of {tried}"
        return (yield from submit(view, series.move_of(seat, best), why=why))


def _worth(view: View[SeriesState], move: Move, seat: Seat) -> tuple[bool, float]:
    """Whether a round with this plan would be won, and its margin from the seat's side."""
    played = view.game.play(view.state, move).rounds[-1]
    margin = played.margin or 0.0
    return played.winner is seat, margin if seat is Seat.FIRST else -margin
