"""The seam behind which game engines and solvers stand. They are asked for a move; they never hold a match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from stratarena.games.base import ArenaError, Move

__all__ = ["Engine", "EngineError", "EngineLine", "EngineSpec", "Query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """Which engine, set up how. Hashable: engines with equal specs are shared."""

    kind: str
    """As `open_engine` knows them: `"uci"`, `"open_spiel_mcts"`, `"bitbully"`, …"""
    options: tuple[tuple[str, str | int | float | bool], ...] = ()
    """Sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A position, and how long to think about it. Bounds that are None are not given to the engine."""

    game: str
    """The game's id."""
    start: str
    """The position before `moves`, in the game's one-line notation."""
    moves: tuple[Move, ...]
    seed: int
    """For engines that draw lots; equal queries get equal answers wherever the engine can promise it."""
    nodes: int | None = None
    depth: int | None = None
    move_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLine:
    """An engine's answer."""

    move: Move
    pv: tuple[Move, ...] = ()
    """Principal variation, `move` first; empty when the engine gave none."""
    value: float | None = None
    """-1 (lost) to 1 (won) for the side to move; None when the engine gave none."""
    score: str | None = None
    """The engine's own words for the value: `"cp 35"`, `"mate -3"`, `"solved 2"`."""
    nodes: int | None = None
    depth: int | None = None
    think_ms: float


class EngineError(ArenaError):
    """The engine is missing, died, hung or answered nonsense. The match is void: nobody loses by it."""


class Engine(Protocol):
    """One running engine. Not thread-safe: its owner asks one query at a time."""

    @property
    def identity(self) -> dict[str, str]:
        """Name and version as the engine tells them, and the options in force."""

    def consult(self, query: Query) -> EngineLine:
        """The engine's move, within the query's bounds and a hard timeout of ours.

        Whatever was asked before has no influence: tables are cleared, random generators seeded from the query.

        Raises:
            EngineError: no answer in time, a dead process, or a move the rules refuse.
        """

    def close(self) -> None:
        """End it, whatever it is doing."""
