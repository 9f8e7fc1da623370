"""A person at the table, as an agent: one consultation a turn, answered at the terminal by `stratarena play`."""

from __future__ import annotations

from typing import TypeVar

from stratarena.agents.base import AgentSpec, Decision, Deliberation, Resigned, View, consult
from stratarena.agents.engines.base import EngineSpec, Query
from stratarena.agents.params import Params, checked_params
from stratarena.games.base import Move

__all__ = ["PERSON", "RESIGNS", "Person"]

S = TypeVar("S")

PERSON = EngineSpec(kind="person")
"""What a person is to the match: asked for a move like any engine, and recorded like one."""

RESIGNS = Move("resign")
"""The answer of a person who gives up; no game has a move of this name."""


class PersonParams(Params):
    """Takes none."""


class Person:
    """A person, asked at the terminal by `stratarena play`; any game."""

    models: tuple[str, ...] = ()
    engines: tuple[EngineSpec, ...] = (PERSON,)

    def __init__(self, spec: AgentSpec) -> None:
        checked_params(PersonParams, spec.params, where=f"agent {spec.name!r}")
        self.spec = spec

    def plays(self, game: str) -> str | None:
        """Every game."""
        return None

    def deliberate(self, view: View[S]) -> Deliberation:
        """Whatever the person says. Raises `Resigned`."""
        query = Query(game=view.game.id, start=view.start, moves=view.moves, seed=view.seed)
        line = yield from consult(PERSON, query)
        if line.move == RESIGNS:
            raise Resigned
        return Decision(line.move)
