"""The ladder: named opponents of graded strength for each game, with ratings from a stored calibration league.

Each rung repeats exactly under a seed: bounds are simulations and nodes, blunders are drawn by the turn's seed. Stockfish's
Skill Level and UCI_Elo are no rungs, since it draws their blunders from the clock. `make ladder` plays the league again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from stratarena.agents.base import Agent, AgentSpec, Deliberation, View
from stratarena.agents.params import Params, checked_params
from stratarena.games.base import SpecError
from stratarena.games.plugins import load

__all__ = ["LEAGUES", "RUNGS", "League", "Rating", "Rung", "RungPlayer", "ratings"]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Rung:
    """An opponent: the agent that a name stands for. A name never changes its meaning; a new opponent is a new name."""

    name: str
    game: str
    """The name of the game; every size of it can be played."""
    kind: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class League:
    """How a game's rungs are rated."""

    game: str
    """The game's id."""
    openings: str
    rounds: int
    max_plies: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What the stored league says of a rung."""

    elo: float
    """Above the rung that plays at random, which is 0."""
    low: float
    high: float
    """95 % interval."""
    matches: int


def _climb(game: str, *agents: tuple[str, Mapping[str, Any]]) -> tuple[Rung, ...]:
    return tuple(Rung(f"{game}-{number}", game, kind, params) for number, (kind, params) in enumerate(agents))


RUNGS: tuple[Rung, ...] = (
    *_climb(
        "connect_four",
        ("random", {}),
        ("greedy", {}),
        ("mcts", {"simulations": 30}),
        ("mcts", {"simulations": 100}),
        ("mcts", {"simulations": 400}),
        ("mcts", {"simulations": 2000}),
        ("perfect", {}),
    ),
    *_climb(
        "hex",
        ("random", {}),
        ("mcts", {"simulations": 50}),
        ("mcts", {"simulations": 200}),
        ("mcts", {"simulations": 1000}),
        ("hex_search", {"simulations": 100, "connections": False}),
        ("hex_search", {"simulations": 1000, "connections": False}),
        ("hex_search", {"simulations": 1000, "proof_nodes": 200}),
    ),
    *_climb(
        "chess",
        ("random", {}),
        ("greedy", {}),
        ("uci", {"nodes": 1, "blunders": 0.6}),
        ("uci", {"nodes": 1, "blunders": 0.3}),
        ("uci", {"nodes": 1, "blunders": 0.1}),
        ("uci", {"nodes": 1}),
        ("uci", {"nodes": 300}),
        ("uci", {"nodes": 3000}),
    ),
)

LEAGUES: tuple[League, ...] = (
    League("connect_four", "balanced", 20),
    League("hex(size=7)", "balanced", 15),
    League("chess", "book", 10, max_plies=300),
)


@lru_cache(maxsize=1)
def ratings() -> Mapping[str, Rating]:
    """The stored league's ratings by name of the rung."""
    stored = json.loads((Path(__file__).parent / "data" / "ladder.json").read_text(encoding="utf-8"))
    return {name: Rating(**row) for name, row in stored["ratings"].items()}


class RungParams(Params):
    """Parameters of `rung`."""

    name: str = Field(description="the rung, such as chess-3; `stratarena list rungs` names all")


class RungPlayer:
    """A named opponent of the ladder, from random play to the best there is; repeats exactly."""

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(RungParams, spec.params, where=f"agent {spec.name!r}")
        rung = next((rung for rung in RUNGS if rung.name == params.name), None)
        if rung is None:
            known = ", ".join(rung.name for rung in RUNGS)
            raise SpecError(f"agent {spec.name!r}: there is no rung {params.name!r}; there are: {known}")
        self.spec = spec
        self._rung = rung
        self._agent: Agent = load("stratarena.agents", rung.kind)(AgentSpec(spec.name, rung.kind, rung.params))
        self.models = self._agent.models
        self.engines = self._agent.engines

    def plays(self, game: str) -> str | None:
        """Every size of the rung's game, if its engine does."""
        if game.partition("(")[0] != self._rung.game:
            return f"the rung {self._rung.name} plays {self._rung.game}, not {game}"
        return self._agent.plays(game)

    def deliberate(self, view: View[S]) -> Deliberation:
        """As the agent that the name stands for."""
        return self._agent.deliberate(view)
