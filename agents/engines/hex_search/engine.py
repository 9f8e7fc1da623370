"""The Hex player behind the seam of engines."""

from __future__ import annotations

import time
from importlib import metadata

from stratarena.agents.engines.base import EngineError, EngineLine, EngineSpec, Query
from stratarena.agents.engines.hex_search.judge import Effort, assess
from stratarena.games.base import MoveError, PositionError, SpecError
from stratarena.games.hex import Hex
from stratarena.games.plugins import load_game

__all__ = ["HexSearch"]


class HexSearch:
    """Options, all of which may be left out: `simulations`, `connections`, `proof_nodes`; see `Effort`."""

    def __init__(self, spec: EngineSpec) -> None:
        self._effort = Effort(**dict(spec.options))  # type: ignore[arg-type]

    @property
    def identity(self) -> dict[str, str]:
        """Version and settings."""
        return {
            "name": "stratarena Hex search",
            "version": metadata.version("stratarena"),
            "numba": metadata.version("numba"),
            "simulations": str(self._effort.simulations),
            "connections": str(self._effort.connections).lower(),
            "proof_nodes": str(self._effort.proof_nodes),
        }

    def consult(self, query: Query) -> EngineLine:
        """The best move; `nodes` are simulations and positions of the proof, and the query may bound the former."""
        effort = self._effort
        if query.nodes is not None and query.nodes < effort.simulations:
            effort = Effort(
                simulations=query.nodes,
                connections=effort.connections,
                proof_nodes=min(effort.proof_nodes, query.nodes),
            )
        try:
            game = load_game(query.game)
            if not isinstance(game, Hex):
                raise EngineError(f"hex_search plays hex, not {query.game}")
            state = game.decode(query.start)
            for move in query.moves:
                state = game.play(state, move)
        except (MoveError, PositionError, SpecError) as error:
            raise EngineError(f"hex_search was asked about an impossible position: {error}") from error
        if game.outcome(state) is not None:
            raise EngineError("hex_search was asked for a move in a finished game")
        began = time.perf_counter()
        found = assess(game, state, effort=effort, seed=query.seed)
        think_ms = (time.perf_counter() - began) * 1000
        proved = "" if found.winner is None else "proved win, " if found.value > 0 else "proved loss, "
        visits = next((each.visits for each in found.moves if each.move == found.best), 0)
        return EngineLine(
            move=found.best,
            pv=found.line,
            value=found.value,
            score=f"{proved}visits {visits} of {found.simulations}",
            nodes=found.simulations + found.proof_nodes,
            think_ms=think_ms,
        )

    def close(self) -> None:
        """Nothing to let go of."""
