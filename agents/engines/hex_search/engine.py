"""The Hex player behind the seam of engines."""

from __future__ import annotations

import time
from importlib import metadata

from stratarena.agents.engines.base import Appraisal, Appraisals, EngineError, EngineLine, EngineSpec, Query
from stratarena.agents.engines.hex_search.judge import Effort, assess
from stratarena.games.base import MoveError, PositionError, SpecError
from stratarena.games.hex import Hex, Position
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
        game, state = _position(query)
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

    def appraise(self, queries: tuple[Query, ...]) -> Appraisals:
        """What the search makes of positions; a move's weight is its share of the playouts."""
        began = time.perf_counter()
        found, nodes = [], 0
        for query in queries:
            game, state = _position(query)
            judged = assess(game, state, effort=self._effort, seed=query.seed)
            nodes += judged.simulations + judged.proof_nodes
            tried = [(each.move, each.visits) for each in judged.moves if each.visits]
            total = sum(visits for _, visits in tried)
            found.append(
                Appraisal(
                    judged.value,
                    tuple((each.move, each.value) for each in judged.moves if each.value is not None),
                    tuple((move, visits / total) for move, visits in tried),
                )
            )
        return Appraisals(found=tuple(found), nodes=nodes, think_ms=(time.perf_counter() - began) * 1000)

    def close(self) -> None:
        """Nothing to let go of."""


def _position(query: Query) -> tuple[Hex, Position]:
    """The query's position. Raises `EngineError` for another game, an impossible position, or a finished game."""
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
    return game, state
