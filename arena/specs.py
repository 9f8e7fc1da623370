"""What is to be played: frozen specs of a match and of a tournament, and how a match can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from stratarena.agents.base import AgentSpec
from stratarena.agents.budget import UNLIMITED, Budget
from stratarena.agents.models.base import ModelRequest, Request
from stratarena.arena.prices import Price
from stratarena.games.base import Move, Outcome, Seat

__all__ = [
    "Anchor",
    "Budgets",
    "Ending",
    "Enforcement",
    "Format",
    "MatchSpec",
    "ModelSettings",
    "ModelSpec",
    "Opening",
    "Policies",
    "Sprt",
    "TournamentSpec",
    "Verdict",
]


class Enforcement(Enum):
    """What happens when more is spent than a budget allows."""

    RECORD = "record"
    """It is let through and written down."""
    STRICT = "strict"
    """The turnstile raises before the spending; an agent that does not catch it forfeits."""
    FORFEIT = "forfeit"
    """The turn that overspent loses the match."""


class Format(Enum):
    """Who meets whom."""

    ROUND_ROBIN = "round_robin"
    DOUBLE_ROUND_ROBIN = "double_round_robin"
    GAUNTLET = "gauntlet"
    """The named challengers meet everybody else; nobody else meets."""
    SWISS = "swiss"
    """Round after round, in each game agents meet others with as many points, if they can whom they have not met."""
    ADAPTIVE = "adaptive"
    """Round after round, those meet whose matches tell most about everybody's strength."""

    @property
    def grows(self) -> bool:
        """Whether who meets whom in a round follows from the results of the rounds before."""
        return self in (Format.SWISS, Format.ADAPTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sprt:
    """A stopping rule: each pairing is played until it is decided whether the one named first is stronger."""

    elo0: float
    """It is at most this much stronger, in Elo points, or ..."""
    elo1: float
    """... at least this much."""
    alpha: float = 0.05
    """How often it may be wrong to decide for `elo1`."""
    beta: float = 0.05
    """How often it may be wrong to decide for `elo0`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The agent from whose stated rating all others are measured."""

    agent: str
    elo: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Bounds on thinking resources by scope; each is a seat's own."""

    move: Budget = UNLIMITED
    match: Budget = UNLIMITED
    agent: Budget = UNLIMITED
    """Over the whole tournament."""
    call: Budget = UNLIMITED
    """One request to a model."""
    run: Budget = UNLIMITED
    """Everybody together over the whole tournament: always kept, whatever the enforcement. It is not part of what decides
    a match, and may be raised when the run goes on."""
    enforcement: Enforcement = Enforcement.RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What the referee does where the rules of the game are silent."""

    re_asks: int = 2
    """How often an agent may answer again after a refused answer, each turn; then it forfeits."""
    void_retries: int = 1
    """How often a void match is played again within one run."""
    failure_limit: float = 0.5
    """A run stops when more than this share of one agent's games in it were void by its models or engines."""
    failure_minimum: int = 10
    """But not before so many of its games have ended."""
    max_plies: Mapping[str, int] = field(default_factory=dict)
    """By game id: a match that reaches this many plies is closed as a draw by cap; a game without one is left to
    its rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where both games of a pair begin."""

    name: str
    """`"start"` for the game's own beginning."""
    start: str
    """The position before `moves`, in the game's one-line notation."""
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpec:
    """One match to be played, and everything that decides how it goes."""

    key: str
    """Stable name inside the tournament, made of the game, the agents, the round and the seating."""
    game: str
    """The game's id."""
    first: str
    """The name of the agent in seat FIRST."""
    second: str
    round: int
    """Counted from 1."""
    pair: str
    """Shared by the two matches of a pair: same opening, seats swapped."""
    opening: Opening
    seed: int
    digest: str
    """Hash of all that decides the match: both agents with their models and engines, opening, seed, policies."""

    def agent_at(self, seat: Seat) -> str:
        """The name of the agent in that seat."""
        return self.first if seat is Seat.FIRST else self.second


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What a model's table says of sampling, whoever asks: it goes before what an agent asks for."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    thinking_tokens: int | None = None
    effort: str | None = None

    def applied_to(self, request: ModelRequest) -> ModelRequest:
        """The request as it is sent and recorded."""
        given = {name: value for name, value in self.given().items() if value is not None}
        if not given or not isinstance(request, Request):
            return request
        sampling = replace(request.sampling, **given)
        if sampling.temperature == 0:
            sampling = replace(sampling, seed=None)
        return replace(request, sampling=sampling)

    def given(self) -> dict[str, Any]:
        """Every setting by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A named model of the tournament file."""

    name: str
    kind: str
    params: Mapping[str, Any]
    price: Price | None = None
    """None is unknown."""
    settings: ModelSettings = ModelSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class TournamentSpec:
    """A whole tournament file, checked and resolved."""

    name: str
    seed: int
    games: tuple[str, ...]
    agents: tuple[AgentSpec, ...]
    agent_games: Mapping[str, frozenset[str]]
    """Games each agent enters, by its name."""
    models: tuple[ModelSpec, ...]
    format: Format
    challengers: tuple[str, ...]
    rounds: int
    """Pairs of matches for each pairing in each game."""
    openings: Mapping[str, tuple[str, ...]]
    """By game: kinds (`"start"`, `"book"`, `"balanced"`) and names of single lines."""
    budgets: Budgets
    policies: Policies
    sprt: Sprt | None = None
    """With it, `rounds` is the most that a pairing plays."""
    anchor: Anchor | None = None
    source: str
    """The file's text, verbatim."""


class Ending(Enum):
    """Who or what ended a match."""

    RULES = "rules"
    FORFEIT = "forfeit"
    """The seat at fault broke the referee's policy and lost."""
    CAP = "cap"
    """The ply cap: a draw."""
    STATED = "stated"
    """By the rules it was not over; the file it was imported from states the result (resignation, time, agreement)."""
    VOID = "void"
    """Our infrastructure failed, or an imported game was left unfinished: counts for nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a match ended."""

    ending: Ending
    winner: Seat | None
    reason: str
    """In snake case: the rule for RULES, else what happened (`"illegal"`, `"over_budget"`, `"ply_cap"`)."""
    at_fault: Seat | None = None
    """The seat that forfeited."""

    @staticmethod
    def by_rules(outcome: Outcome) -> Verdict:
        """The verdict on a game that ended by its own rules."""
        return Verdict(ending=Ending.RULES, winner=outcome.winner, reason=outcome.reason)

    @staticmethod
    def forfeit(seat: Seat, reason: str) -> Verdict:
        """`seat` loses."""
        return Verdict(ending=Ending.FORFEIT, winner=seat.other, reason=reason, at_fault=seat)

    @staticmethod
    def void(reason: str) -> Verdict:
        """Nobody loses."""
        return Verdict(ending=Ending.VOID, winner=None, reason=reason)
