"""Opening an engine by its spec; each kind's library is imported only when it is wanted."""

from __future__ import annotations

from stratarena.agents.engines.base import Engine, EngineError, EngineSpec

__all__ = ["open_engine"]


def open_engine(spec: EngineSpec) -> Engine:
    """A running engine.

    Raises:
        EngineError: it is not installed or does not start; says what to install.
    """
    match spec.kind:
        case "uci":
            from stratarena.agents.engines.uci import UciEngine

            return UciEngine(spec)
        case "open_spiel_mcts":
            from stratarena.agents.engines.open_spiel_bots import OpenSpielMcts

            return OpenSpielMcts(spec)
        case "hex_search":
            try:
                from stratarena.agents.engines.hex_search.engine import HexSearch
            except ImportError as error:
                raise EngineError(f"{error}; install the extra: pip install 'stratarena[hex]'") from error

            return HexSearch(spec)
        case "plan_search":
            from stratarena.agents.engines.plan_search.engine import PlanSearch

            return PlanSearch(spec)
        case "bitbully":
            from stratarena.agents.engines.bitbully_solver import BitBullySolver

            return BitBullySolver(spec)
        case "person":
            raise EngineError("a person plays by `stratarena play`, one match at a time")
        case _:
            raise EngineError(
                f"there is no kind of engine {spec.kind!r}; there are: bitbully, hex_search, open_spiel_mcts, plan_search, uci"
            )
