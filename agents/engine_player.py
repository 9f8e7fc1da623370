"""Agents that play what an engine or solver says: UCI engines, OpenSpiel's tree search, a perfect Connect Four player."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, TypeVar

from pydantic import Field, model_validator

from stratarena.agents.base import AgentSpec, Consult, Decision, Deliberation, View, consult
from stratarena.agents.engines.base import EngineSpec, Query
from stratarena.agents.lines import declare_line
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import Move
from stratarena.games.plugins import load_game

__all__ = ["EnginePlayer", "HexSearch", "OpenSpielMcts", "PerfectConnectFour", "Uci"]

S = TypeVar("S")
Count = Annotated[int, Field(ge=1)]


class EnginePlayer:
    """What all share: one engine, one query a turn, its principal variation declared as the plan."""

    models: tuple[str, ...] = ()
    games: tuple[str, ...] = ()
    """Names of the games the engine knows."""

    def __init__(
        self, spec: AgentSpec, engine: EngineSpec, limits: dict[str, int | None], *, blunders: float = 0.0
    ) -> None:
        self.spec = spec
        self.engines = (engine,)
        self._engine = engine
        self._limits = limits
        self._blunders = blunders

    def plays(self, game: str) -> str | None:
        """Only the games that the engine knows, in every size."""
        name = game.partition("(")[0]
        return None if name in self.games else f"{self.spec.kind} plays {', '.join(self.games)}, not {game}"

    def question(self, game: str, *, start: str, moves: tuple[Move, ...], seed: int) -> Consult:
        """What it asks its engine in a position."""
        return Consult(self._engine, Query(game=game, start=start, moves=moves, seed=seed, **self._limits))

    def deliberate(self, view: View[S]) -> Deliberation:
        """Consult once, declare the engine's line as the plan, play its first move.

        In that share of turns that are to be blunders, drawn by the turn's seed, a legal move drawn alike is played.
        """
        if self._blunders and view.rng.random() < self._blunders:
            return Decision(view.rng.choice(view.game.legal_moves(view.state)))
        question = self.question(view.game.id, start=view.start, moves=view.moves, seed=view.seed)
        line = yield from consult(question.engine, question.query)
        plan = Plan(moves=line.pv or (line.move,), value=line.value, why=line.score or "")
        yield from declare_line(view, plan, changed_by=Cause.SEARCH)
        return Decision(line.move)


_OWN_KEYS = {
    "command": "command",
    "args": "args",
    "timeout_s": "timeout_s",
    "threads": "threads",
    "hash": "hash_mb",
    "skill level": "skill_level",
    "uci_elo": "elo",
    "uci_limitstrength": "elo",
}
"""UCI options, in small letters, that are not given by name."""


class EngineParams(Params):
    """What every engine player takes."""

    blunders: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="share of turns in which a random legal move is played, drawn by the turn's seed"
    )


class UciParams(EngineParams):
    """Parameters of `uci`."""

    command: str = Field("stockfish", description="the engine's name on the PATH, or its path")
    args: list[str] = Field([], description="arguments of the command")
    nodes: Count | None = Field(None, description="nodes a move: repeats exactly with one thread")
    depth: Count | None = Field(None, description="plies a move: repeats exactly with one thread")
    move_ms: Count | None = Field(None, description="milliseconds a move: never repeats exactly")
    threads: Count | None = Field(None, description="the engine's threads; 1 where it has the option")
    hash_mb: Count | None = Field(None, description="its hash table in MiB; 16 where it has the option")
    skill_level: int | None = Field(None, description="Stockfish's Skill Level; seeded by the clock: never repeats")
    elo: int | None = Field(None, description="UCI_Elo; seeded by the clock: never repeats")
    timeout_s: Annotated[float, Field(gt=0)] = Field(
        30.0, description="hard limit on one answer, beyond the time it is given"
    )
    options: dict[str, str | int | float | bool] = Field({}, description="further UCI options by name")

    @model_validator(mode="after")
    def _bounded(self) -> UciParams:
        if self.nodes is None and self.depth is None and self.move_ms is None:
            raise ValueError("give nodes, depth or move_ms: an engine without a bound thinks for ever")
        for name in self.options:
            own = _OWN_KEYS.get(name.casefold())
            if own is not None:
                raise ValueError(f"options: {name!r} has a key of its own, {own!r}")
        return self


class Uci(EnginePlayer):
    """A UCI chess engine such as Stockfish, by nodes, depth, time, Skill Level or UCI_Elo.

    With nodes or depth and one thread it repeats exactly. `skill_level` and `elo` do not: Stockfish draws those
    blunders from the clock, and its Elo figures were calibrated at 60 s + 0.6 s a game, not at small limits.
    """

    games = ("chess", "chess960")

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(UciParams, spec.params, where=f"agent {spec.name!r}")
        options: dict[str, str | int | float | bool] = {
            "command": params.command,
            "timeout_s": params.timeout_s,
            **params.options,
        }
        if params.args:
            options["args"] = shlex.join(params.args)
        # Only what was asked for is sent: not every engine has the option.
        if params.threads is not None:
            options["Threads"] = params.threads
        if params.hash_mb is not None:
            options["Hash"] = params.hash_mb
        if params.skill_level is not None:
            options["Skill Level"] = params.skill_level
        if params.elo is not None:
            options |= {"UCI_LimitStrength": True, "UCI_Elo": params.elo}
        super().__init__(
            spec,
            EngineSpec(kind="uci", options=tuple(sorted(options.items()))),
            {"nodes": params.nodes, "depth": params.depth, "move_ms": params.move_ms},
            blunders=params.blunders,
        )


class MctsParams(EngineParams):
    """Parameters of `mcts`."""

    simulations: Count = Field(1000, description="simulations a move")
    uct_c: Annotated[float, Field(gt=0)] = Field(2.0, description="exploration constant of UCT")
    rollouts: Count = Field(1, description="random rollouts a leaf")
    solve: bool = Field(True, description="back up proven wins and losses, and stop when the root is proven")


class OpenSpielMcts(EnginePlayer):
    """OpenSpiel's C++ Monte Carlo tree search with random rollouts; repeats exactly under a seed."""

    games = ("connect_four", "hex", "chess", "chess960")

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(MctsParams, spec.params, where=f"agent {spec.name!r}")
        options: dict[str, Any] = params.model_dump(exclude={"blunders"})
        super().__init__(
            spec,
            EngineSpec(kind="open_spiel_mcts", options=tuple(sorted(options.items()))),
            {},
            blunders=params.blunders,
        )

    def plays(self, game: str) -> str | None:
        """Our board games, and OpenSpiel's own that hide nothing, with chance or without."""
        if not game.startswith("open_spiel:"):
            return super().plays(game)
        return (
            None
            if load_game(game).traits.open_information
            else f"mcts cannot look ahead in {game}, which hides its state"
        )


class HexSearchParams(EngineParams):
    """Parameters of `hex_search`."""

    simulations: Annotated[int, Field(ge=1, le=100_000)] = Field(1000, description="playouts a move")
    connections: bool = Field(True, description="virtual connections and inferior cells, on boards up to 11x11")
    proof_nodes: Annotated[int, Field(ge=0)] = Field(200, description="positions a proof may look at")


class HexSearch(EnginePlayer):
    """A strong Hex player: tree search with RAVE, virtual connections, inferior cells and proof; repeats exactly."""

    games = ("hex",)

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(HexSearchParams, spec.params, where=f"agent {spec.name!r}")
        options: dict[str, Any] = params.model_dump(exclude={"blunders"})
        super().__init__(
            spec, EngineSpec(kind="hex_search", options=tuple(sorted(options.items()))), {}, blunders=params.blunders
        )


class PerfectParams(EngineParams):
    """Parameters of `perfect`."""


class PerfectConnectFour(EnginePlayer):
    """A perfect Connect Four player, by the solver bitbully; repeats exactly."""

    games = ("connect_four",)

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(PerfectParams, spec.params, where=f"agent {spec.name!r}")
        super().__init__(spec, EngineSpec(kind="bitbully"), {}, blunders=params.blunders)
