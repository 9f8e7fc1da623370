"""One frozen type for each fact of a match, the envelope it travels in, and the seam where a recorder plugs in.

Facts only: whatever can be computed from them is computed in analysis. The events of one turn are made durable
together, by the `flush` that follows its `TurnClosed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from stratarena.agents.base import Refusal
from stratarena.agents.budget import Overrun, Spend
from stratarena.agents.engines.base import EngineLine, EngineSpec, Query
from stratarena.agents.models.base import Attempt, Failure, ModelAnswer, ModelRequest
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.tree import SearchTree
from stratarena.arena.specs import Verdict
from stratarena.games.base import Move, Seat
from stratarena.games.notation.record import NotedMove

__all__ = [
    "Appraised",
    "Body",
    "Called",
    "Consulted",
    "Event",
    "Faulted",
    "MatchClosed",
    "MatchOpened",
    "MemoryRecorder",
    "Overran",
    "Proposed",
    "Recorder",
    "Refused",
    "Revised",
    "RoundPlayed",
    "Searched",
    "Submitted",
    "Transcribed",
    "TurnClosed",
]


@dataclass(frozen=True, slots=True)
class MatchOpened:
    """A match began; ply 0, seq 0. The opening's moves are those of the match's spec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A model was asked one thing."""

    model: str
    request: ModelRequest
    answer: ModelAnswer | None
    """None when the call failed."""
    error: str | None = None
    failure: Failure | None = None
    """What kind of failure it was."""
    wait_ms: float
    """From submission to answer, less the time the model worked."""
    attempts: tuple[Attempt, ...] = ()
    """Every try at it over a network; those of the answer itself are none, so that each is told once."""

    @property
    def spend(self) -> Spend:
        """What is known to have been spent on it. A failed call costs nothing unless a try may have been charged."""
        if self.answer is not None:
            return self.answer.spend
        free = bool(self.attempts) and all(attempt.at_most_usd == 0 for attempt in self.attempts)
        return Spend(model_calls=1, cost_usd=0.0 if free else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted:
    """An engine was asked for a move."""

    engine: EngineSpec
    query: Query
    line: EngineLine | None
    """None when the engine failed."""
    error: str | None = None
    wait_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraised:
    """What an engine was asked about positions in a turn, added up; written once a turn and engine, at its end."""

    engine: EngineSpec
    n_asks: int
    """Batches."""
    n_positions: int
    nodes: int
    think_ms: float
    wait_ms: float
    error: str | None = None
    """Why the last ask failed."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A seat declared a plan where none stood, or anew."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Revised:
    """A seat declared that its standing plan is replaced."""

    before: Plan
    after: Plan
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A search ended, or told how it stands."""

    tree: SearchTree
    """As the agent declared it; nodes that a model claims with what the rules say of them."""
    spend: Spend
    """What the turn spent from its beginning, or from the search before, until it was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A seat answered in a resource-limited game: what its answer was by the rules, whatever came of it."""

    verdict: str
    """`"ok"`, `"over_budget"` (of the purse), `"illegal"`, `"schema_error"` or `"unparseable"`; of a kept plan its own."""
    cost: int | None
    """By the price list; None where there is no plan, or an item has no price."""
    purse: int
    kept: bool
    """The answer was to keep the plan."""
    changed: bool
    """The plan in play is another one than before."""
    problems: str
    """Everything wrong with it, a line each; empty for a good one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPlayed:
    """A round was simulated with the plans in play, and decided."""

    label: int
    """0 for the opening plans, then the scored rounds."""
    winner: Seat | None
    decided_by: str
    """`"bad_plan"`, `"over_budget"` (of the purse) or `"simulation"`."""
    simulated: Seat | None
    """Who won the simulation; None without a winner or without a simulation."""
    reason: str | None
    """The rule that ended the simulation; None without one."""
    length: int | None
    margin: float | None
    """Of the simulation, -1 to 1, from FIRST's point of view."""
    survivors: tuple[tuple[Seat, str, float, str], ...]
    """Seat, name, health and place of what was left."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The referee turned an answer down."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Overran:
    """A seat spent more than a budget allows. Written once for each scope and resource in a turn, and once for each call."""

    scope: str
    """`"call"`, `"move"`, `"match"` or `"agent"`."""
    overrun: Overrun


@dataclass(frozen=True, slots=True)
class Faulted:
    """Code or infrastructure failed."""

    where: str
    """`"agent"` (its seat forfeits), `"model"` or `"engine"` (the match is void)."""
    error: str
    """Type and message."""
    detail: str
    """The traceback."""


class TurnClosed(NamedTuple):
    """A turn ended: everything it spent, the move it made if it made one, and the state it left."""

    seat: Seat
    seed: int
    opened_ms: int
    """Milliseconds since the epoch."""
    move: Move | None
    """None when the turn ended the match without a move."""
    digest: str | None
    """Digest of the state the move left; None without a move."""
    confidence: float | None
    fallback: str | None
    spend: Spend
    wait_ms: float
    """Waiting for places in queues, over the whole turn."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """A move of an imported game: nobody's turn was taken, so nothing was asked or spent."""

    noted: NotedMove
    """The move with what the file says about it."""
    digest: str
    """Digest of the state the move left."""


@dataclass(frozen=True, slots=True)
class MatchClosed:
    """The match is over, or void."""

    verdict: Verdict
    plies: int
    """Moves made, the opening's included."""


Body = (
    MatchOpened
    | Called
    | Consulted
    | Appraised
    | Proposed
    | Revised
    | Searched
    | Submitted
    | RoundPlayed
    | Refused
    | Overran
    | Faulted
    | TurnClosed
    | Transcribed
    | MatchClosed
)


class Event(NamedTuple):
    """A fact with its place and time."""

    match_id: int
    seq: int
    """Counted from 0 within the match, without gaps."""
    ply: int
    """Plies made before the turn it belongs to, the opening's included."""
    seat: Seat | None
    """Whose turn it was; None for the match's own events."""
    at_ms: int
    """Milliseconds since the epoch."""
    body: Body


class Recorder(Protocol):
    """Where events go."""

    def write(self, event: Event) -> None:
        """Take an event. It need not be durable yet."""

    def flush(self) -> None:
        """Make every event written so far durable, all of them or none."""


class MemoryRecorder:
    """Keeps events in a list: for tests and for matches that nobody stores."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def write(self, event: Event) -> None:
        """Append the event."""
        self.events.append(event)

    def flush(self) -> None:
        """Nothing to do."""
