"""The seam behind which game engines and solvers stand. They are asked for a move; they never hold a match."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from stratarena.games.base import ArenaError, Move

__all__ = [
    "CENTIPAWNS_TO_EVEN_ODDS",
    "Appraisal",
    "Appraisals",
    "Appraiser",
    "Engine",
    "EngineError",
    "EngineLine",
    "EngineSpec",
    "Query",
    "appraise",
    "centipawns_of",
]


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


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What an engine holds a position to be worth. Values go from -1 (lost) to 1 (won) for the side to move."""

    value: float
    moves: tuple[tuple[Move, float], ...] = ()
    """Values of moves, for the same side; of as many as the engine can tell."""
    weights: tuple[tuple[Move, float], ...] = ()
    """Shares of its attention that moves had, where it searched among them; they add up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisals:
    """An engine's answer about many positions, in the order in which they were asked about."""

    found: tuple[Appraisal, ...]
    nodes: int = 0
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


@runtime_checkable
class Appraiser(Protocol):
    """An engine that can say what many positions are worth faster than by being asked for a move in each."""

    def appraise(self, queries: tuple[Query, ...]) -> Appraisals:
        """What each position is worth; none of them may be over.

        Raises:
            EngineError: as `Engine.consult`.
        """


def appraise(engine: Engine, query: Query, lines: tuple[tuple[Move, ...], ...]) -> Appraisals:
    """What the positions are worth that these lines lead to from the query's position, by whatever engine.

    Raises:
        EngineError: the engine failed, or gave no value.
    """
    queries = tuple(replace(query, moves=query.moves + line) for line in lines)
    if isinstance(engine, Appraiser):
        return engine.appraise(queries)
    found, nodes, think_ms = [], 0, 0.0
    for each in queries:
        answer = engine.consult(each)
        if answer.value is None:
            raise EngineError(f"the engine gave no value after {' '.join(each.moves) or 'no moves'}")
        found.append(Appraisal(answer.value, moves=((answer.move, answer.value),)))
        nodes += answer.nodes or 0
        think_ms += answer.think_ms
    return Appraisals(found=tuple(found), nodes=nodes, think_ms=think_ms)


CENTIPAWNS_TO_EVEN_ODDS = 400.0
"""A lead of so many gives odds of ten to one, on the logistic curve by which a chess engine's score becomes a value."""


def centipawns_of(value: float) -> float:
    """The centipawns that a chess engine's value, strictly between -1 and 1, was made of."""
    return CENTIPAWNS_TO_EVEN_ODDS * math.log10((1 + value) / (1 - value))
