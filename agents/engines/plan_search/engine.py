"""The best answer to the other side's plan, behind the seam of engines."""

from __future__ import annotations

import time
from importlib import metadata
from random import Random
from typing import cast

from stratarena.agents.engines.base import EngineError, EngineLine, EngineSpec, Query
from stratarena.agents.engines.plan_search.answers import best_answer
from stratarena.games.base import MoveError, PositionError, SpecError
from stratarena.games.plugins import load_game
from stratarena.games.resource.base import VerdictKind
from stratarena.games.resource.series import Series

__all__ = ["PlanSearch"]


class PlanSearch:
    """Options: `tries`, plans simulated where no exact search is possible; `exact`, whether one is made where it is."""

    def __init__(self, spec: EngineSpec) -> None:
        options = dict(spec.options)
        self._tries = cast("int", options.get("tries", 200))
        self._exact = bool(options.get("exact", True))

    @property
    def identity(self) -> dict[str, str]:
        """Version and settings."""
        return {
            "name": "stratarena plan search",
            "version": metadata.version("stratarena"),
            "tries": str(self._tries),
            "exact": str(self._exact).lower(),
        }

    def consult(self, query: Query) -> EngineLine:
        """The best plan found; `nodes` are simulations, and the query may bound them.

        Its value is the margin of the simulation against the plan in sight.
        """
        try:
            series = load_game(query.game)
            if not isinstance(series, Series):
                raise EngineError(f"plan_search plays games of plans, not {query.game}")
            state = series.decode(query.start)
            for move in query.moves:
                state = series.play(state, move)
        except (MoveError, PositionError, SpecError) as error:
            raise EngineError(f"plan_search was asked about an impossible position: {error}") from error
        seat = series.to_move(state)
        own, theirs = state.plan_of(seat), state.plan_of(seat.other)
        if series.outcome(state) is not None or theirs is None:
            raise EngineError("plan_search answers a plan in sight, and there is none")
        began = time.perf_counter()
        found = best_answer(
            series.plans,
            seat,
            theirs,
            tries=self._tries if query.nodes is None else max(1, min(self._tries, query.nodes)),
            rng=Random(query.seed),
            start=own.plan if own is not None and own.kind is VerdictKind.OK else None,
            exact=self._exact,
        )
        think_ms = (time.perf_counter() - began) * 1000
        move = series.move_of(seat, found.plan)
        told = "proved best" if found.exact else f"best of {found.simulations}"
        return EngineLine(
            move=move,
            pv=(move,),
            value=found.value,
            score=f"{told}, margin {found.value:+.3f}",
            nodes=found.simulations,
            think_ms=think_ms,
        )

    def close(self) -> None:
        """Nothing to let go of."""
