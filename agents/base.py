"""What a thinker sees, the steps it may ask for, and the decision it comes to.

An agent is a generator: it *yields* what it wants from the world and *returns* a decision. It never holds a model
client, a database or a socket, so whatever it did has crossed one line, where it is recorded and charged.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from stratarena.agents.budget import UNLIMITED, Budget, Spend
from stratarena.agents.engines.base import Appraisal, EngineLine, EngineSpec, Query
from stratarena.agents.models.base import Completion, Message, ModelAnswer, ModelRequest, Request, Scores, Scoring
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.tree import SearchTree
from stratarena.games.base import ArenaError, Game, Move, Seat

__all__ = [
    "Agent",
    "AgentSpec",
    "Appraise",
    "Ask",
    "Choosy",
    "Consult",
    "Decision",
    "Deliberation",
    "Explored",
    "Propose",
    "Refusal",
    "Reply",
    "Resigned",
    "Revise",
    "Spent",
    "Step",
    "View",
    "appraise",
    "ask",
    "consult",
    "explored",
    "known_to",
    "propose",
    "revise",
    "score",
    "spent",
]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Who an agent is: round-trips through JSON. `name` is its identity, never the model's name alone."""

    name: str
    kind: str
    """The entry point that makes it: `"random"`, `"llm"`, `"uci"`."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Checked by the agent's own params model; only plain JSON values."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer the referee turned down this ply."""

    kind: str
    """`"malformed"`, `"ambiguous"` or `"illegal"`."""
    text: str
    """What the agent said: the model's whole answer, or the move."""
    why: str
    """One sentence: what was wrong and what would be accepted."""


class Resigned(ArenaError):
    """Raised by a deliberation that gives the match up."""


@dataclass(frozen=True, kw_only=True)
class View(Generic[S]):
    """Everything a thinker may know when it is to move."""

    game: Game[S]
    """The rules; each `play` through it is counted as a node."""
    state: S
    """What this seat may see of the state."""
    seat: Seat
    ply: int
    """Plies made so far, the opening's included."""
    start: str
    """The position before `moves`, in the game's one-line notation."""
    moves: tuple[Move, ...]
    """Every ply so far, the opening's included; none in games with chance or hidden information, where `start` is what
    the seat sees now."""
    remaining: Budget = UNLIMITED
    standing: Plan | None = None
    """The last plan this seat declared in this match."""
    refused: tuple[Refusal, ...] = ()
    """Answers turned down this ply, oldest first."""
    seed: int
    """Derived from the match, the ply and the number of refusals: uniform over 0 to 2**63 - 1."""

    @cached_property
    def rng(self) -> Random:
        """A generator from `seed`, made when first wanted; nobody else draws from it."""
        return Random(self.seed)


def known_to(
    game: Game[S], state: S, seat: Seat, *, start: str, moves: tuple[Move, ...]
) -> tuple[S, str, tuple[Move, ...]]:
    """What the view of a seat may hold of a match: state, start and moves, as `View` has them.

    With chance or hidden information the match's own start and moves would tell too much.
    """
    visible = game.visible(state, seat)
    if game.traits.open_information and not game.traits.chance:
        return visible, start, moves
    return visible, game.encode(visible), ()


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a model; all requests go out together. Answered by one `ModelAnswer` a request, in order."""

    model: str
    requests: tuple[ModelRequest, ...]


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask an engine; answered by an `EngineLine`."""

    engine: EngineSpec
    query: Query


@dataclass(frozen=True, slots=True)
class Appraise:
    """Ask an engine what many positions are worth; answered by one `Appraisal` a line, in order.

    The record keeps how many were asked about and what it cost, not each answer: asked again, the engine gives them again.
    """

    engine: EngineSpec
    query: Query
    """The position of the turn, with bounds for each position."""
    lines: tuple[tuple[Move, ...], ...]
    """The moves that lead from there to each position; none of them is over."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Ask what this turn has spent so far, as the arena measures it; answered by a `Spend`, and not recorded."""


@dataclass(frozen=True, slots=True)
class Propose:
    """Declare a plan; answered by None."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class Revise:
    """Declare that the standing plan is replaced; answered by None. Without a standing plan it is an agent's fault."""

    plan: Plan
    cause: Cause


@dataclass(frozen=True, slots=True)
class Explored:
    """Declare what a search looked at; answered by None. What it cost is measured by the arena, not told."""

    tree: SearchTree


Step = Ask | Consult | Appraise | Spent | Propose | Revise | Explored
Reply = tuple[ModelAnswer, ...] | EngineLine | tuple[Appraisal, ...] | Spend | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The move an agent settles on."""

    move: Move
    confidence: float | None = None
    """The agent's stated probability of winning, 0 to 1; None when it stated none."""
    fallback: str | None = None
    """Set when the move is not what a finished thought chose but a declared substitute; says which."""


Deliberation = Generator[Step, Reply, Decision]


class Agent(Protocol):
    """A thinker. Holds no state between turns: what it may remember is in the view."""

    @property
    def spec(self) -> AgentSpec:
        """Who it is."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models it may ask."""

    @property
    def engines(self) -> tuple[EngineSpec, ...]:
        """Engines it may consult."""

    def plays(self, game: str) -> str | None:
        """None if it can play the game of this id, else one sentence that says why not."""

    def deliberate(self, view: View[S]) -> Deliberation:
        """Think about one turn.

        May raise a `MoveError` (what the agent said is no legal move: the referee refuses it and may ask again), or
        `Resigned`.
        `BudgetExhausted` may be raised into it at a yield.
        """


@runtime_checkable
class Choosy(Protocol):
    """An agent that plays some games from certain positions only, so that openings decide whether it can enter."""

    def plays_from(self, game: Game[S], state: S) -> str | None:
        """None if it can play a game that it plays from this position on, else one sentence that says why not."""


def ask(model: str, *requests: Request) -> Generator[Step, Reply, tuple[Completion, ...]]:
    """`yield from` this to have requests answered."""
    reply = yield Ask(model, requests)
    assert isinstance(reply, tuple)
    return tuple(answer for answer in reply if isinstance(answer, Completion))


def score(model: str, messages: tuple[Message, ...], continuations: tuple[str, ...]) -> Generator[Step, Reply, Scores]:
    """`yield from` this to have texts scored as answers to the messages."""
    reply = yield Ask(model, (Scoring(messages=messages, continuations=continuations),))
    assert isinstance(reply, tuple)
    assert isinstance(reply[0], Scores)
    return reply[0]


def consult(engine: EngineSpec, query: Query) -> Generator[Step, Reply, EngineLine]:
    """`yield from` this to have an engine's move."""
    reply = yield Consult(engine, query)
    assert isinstance(reply, EngineLine)
    return reply


def appraise(
    engine: EngineSpec, query: Query, lines: tuple[tuple[Move, ...], ...]
) -> Generator[Step, Reply, tuple[Appraisal, ...]]:
    """`yield from` this to have an engine say what many positions are worth."""
    reply = yield Appraise(engine, query, lines)
    assert isinstance(reply, tuple)
    return tuple(found for found in reply if isinstance(found, Appraisal))


def spent() -> Generator[Step, Reply, Spend]:
    """`yield from` this to learn what the turn has spent so far."""
    reply = yield Spent()
    assert isinstance(reply, Spend)
    return reply


def propose(plan: Plan) -> Generator[Step, Reply, None]:
    """`yield from` this to declare a plan."""
    yield Propose(plan)


def revise(plan: Plan, cause: Cause) -> Generator[Step, Reply, None]:
    """`yield from` this to declare that the standing plan is replaced."""
    yield Revise(plan, cause)


def explored(tree: SearchTree) -> Generator[Step, Reply, None]:
    """`yield from` this to declare what a search looked at."""
    yield Explored(tree)
