"""Opponents for resource-limited games that need no model: plans at random, by price, or by trying against the other's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from stratarena.agents.base import AgentSpec, Deliberation, View, consult
from stratarena.agents.climb import Worth, climb
from stratarena.agents.engine_player import EnginePlayer
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.params import Params, checked_params
from stratarena.agents.planning import needs_plans, series_of, submit
from stratarena.games.base import Move, Seat
from stratarena.games.resource.registry import NAMES
from stratarena.games.resource.series import KEEP, SeriesState

__all__ = ["BestResponse", "PlanSearch", "greedy_submission", "random_submission"]


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
        start = own.plan if own.plan is not None and own.can_be_simulated else series.plans.greedy_plan(seat)
        found = climb(
            series.plans,
            seat,
            start,
            lambda plan: _worth(view, series.move_of(seat, plan), seat),
            tries=self._params.tries,
            rng=rng,
        )
        why = ""
        if found.worth is not None:
            why = f"margin {found.worth[1]:+.3f} against the plan in sight, best of {found.tried}"
        return (yield from submit(view, series.move_of(seat, found.plan), why=why))


class PlanSearchParams(Params):
    """Parameters of `plan_search`."""

    tries: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        200, description="plans simulated a turn where no exact search is possible"
    )
    exact: bool = Field(True, description="search turn-based combat, as written, to the proven best answer")


class PlanSearch(EnginePlayer):
    """Answers the plan that it sees with the best there is: proven in turn-based combat, the best found elsewhere.

    Opens with the greedy plan, and keeps its own where the other's is hidden. Repeats exactly.
    """

    games = NAMES

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(PlanSearchParams, spec.params, where=f"agent {spec.name!r}")
        super().__init__(spec, EngineSpec(kind="plan_search", options=tuple(sorted(params.model_dump().items()))), {})

    def deliberate(self, view: View[Any]) -> Deliberation:
        """Consult once about the plans in play; the answer is submitted."""
        series, seat = series_of(view.game.id), view.seat
        if view.state.plan_of(seat) is None:
            return (yield from greedy_submission(view))
        if view.state.plan_of(seat.other) is None:
            return (
                yield from submit(view, KEEP if series.keep else series.move_of(seat, series.plans.greedy_plan(seat)))
            )
        question = self.question(view.game.id, start=view.start, moves=view.moves, seed=view.seed)
        line = yield from consult(question.engine, question.query)
        return (yield from submit(view, line.move, why=line.score or ""))


def _worth(view: View[SeriesState], move: Move, seat: Seat) -> Worth:
    """Whether a round with this plan would be won, and its margin from the seat's side."""
    played = view.game.play(view.state, move).rounds[-1]
    margin = played.margin or 0.0
    return played.winner is seat, margin if seat is Seat.FIRST else -margin
