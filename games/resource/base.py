"""The shared vocabulary: rule sets, sides, verdicts on plans, results of simulations, and how a round is decided.

Source: Yuan et al., "Tracing LLM Reasoning Processes with Strategic Games" (arXiv 2506.12012). The defending side sits
in seat FIRST, the invading side in seat SECOND. A plan is complete before the simulation starts; nothing is decided
during it, and nothing in it is random.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from stratarena.games.base import Seat
from stratarena.games.purse import PriceList, Purse

__all__ = [
    "Decision",
    "Entry",
    "Event",
    "Problem",
    "ResourceGame",
    "Result",
    "Round",
    "RuleSet",
    "Side",
    "Survivor",
    "Verdict",
    "VerdictKind",
    "canonical_text",
    "decide",
    "judge_costs",
    "play_round",
]

P = TypeVar("P")
Q = TypeVar("Q")


class RuleSet(Enum):
    """Which of the two engines a game runs on."""

    AS_WRITTEN = "as_written"
    """The engine does what the models are told, every gap filled and told. The default."""

    PUBLISHED = "published"
    """The engine does what the published programs do, their faults included; models are told what theirs were told."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two named sides of a game."""

    key: str
    """The key of its plan in JSON: `"humans"`."""
    label: str
    """Its name as a winner: `"Human"`."""
    purse: Purse


class VerdictKind(Enum):
    """What a submitted plan is, the worst first."""

    UNPARSEABLE = "unparseable"
    """No JSON object could be read."""
    SCHEMA_ERROR = "schema_error"
    """JSON of another shape: a field is missing, misspelt or of the wrong type."""
    ILLEGAL = "illegal"
    """The right shape, but the rules do not allow an entry."""
    OVER_PURSE = "over_budget"
    """Legal, but its cost is more than the purse holds. The record uses the paper's word."""
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a plan."""

    where: str
    """The place in the JSON: `"humans[3].x"`; empty for the whole text."""
    entry: str
    """The offending entry as JSON (or the offending text), cut to a readable length."""
    why: str
    """What is wrong and what would be accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict(Generic[P]):
    """What became of one answer."""

    kind: VerdictKind
    plan: P | None
    """The plan, whenever its shape could be read, legal or not."""
    cost: int | None
    """By the price list; None where there is no plan, or an item has no price."""
    purse: Purse
    problems: tuple[Problem, ...] = ()
    """Why the plan is not OK; at most 20."""
    warnings: tuple[Problem, ...] = ()
    """What is allowed but without effect."""

    @property
    def can_be_simulated(self) -> bool:
        """Whether the plan may enter a simulation: it is OK or merely too dear."""
        return self.kind in (VerdictKind.OK, VerdictKind.OVER_PURSE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One priced thing in a plan, in words that every game shares."""

    item: str
    """What it is: a unit's, card's or skill's name."""
    variant: str
    """What else decides its price: a tier; empty where nothing does."""
    place: str
    """Where and when: `"x=1 y=2 at 0 ms"`, `"slot 3"`."""
    cost: int
    group: str = ""
    """Entries are compared within their group only: a fighter's skills, a list of priorities."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a simulation. Each game has its own kinds."""

    at: int
    """The game's clock: milliseconds in tower defense, else the number of the attack or action."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A unit left at the end."""

    seat: Seat
    name: str
    health: float
    """In health points; a fraction only where the game has them."""
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a simulation ended. Games add their own facts in subclasses."""

    winner: Seat | None
    reason: str
    """The rule that ended it, in snake case."""
    length: int
    """The game's clock at the end, in the unit of `Event.at` (frames in the published tower defense)."""
    margin: float
    """From FIRST's point of view, -1 to 1: the sign is the winner's, the size says how clearly; 0 without a winner."""
    survivors: tuple[Survivor, ...]
    trace: tuple[Event, ...] = ()
    """What happened, in order; empty unless asked for."""

    def margin_of(self, seat: Seat) -> float:
        """The margin from that seat's point of view."""
        return self.margin if seat is Seat.FIRST else -self.margin

    def points_of(self, seat: Seat) -> float:
        """1 for a win, 1/2 without a winner, 0 for a loss."""
        return 0.5 if self.winner is None else float(self.winner is seat)


class ResourceGame(Protocol[P]):
    """A game of two plans under one rule set, as a value. No method changes anything."""

    @property
    def name(self) -> str:
        """The game without its rule set: `"tower_defense"`."""

    @property
    def rule_set(self) -> RuleSet:
        """Which engine it runs on."""

    @property
    def sides(self) -> Mapping[Seat, Side]:
        """Both sides, by seat."""

    def rules_text(self) -> str:
        """The rules as models are told them, without the catalogues; made from the engine's own data."""

    def catalogue(self, seat: Seat, items: Sequence[str] | None = None) -> str:
        """What that side can buy, one a line, with prices and effects; only `items`, where given."""

    def example(self, seat: Seat) -> str:
        """A tiny legal plan as JSON."""

    def prices(self, seat: Seat) -> PriceList:
        """What that side's items cost."""

    def check(self, seat: Seat, value: object) -> Verdict[P]:
        """The verdict on a JSON value that should be that side's plan."""

    def dump(self, seat: Seat, plan: P) -> dict[str, Any]:
        """The plan as the JSON value that `check` reads."""

    def canonical(self, seat: Seat, plan: P) -> P:
        """The one plan that stands for all that play alike: sorted where order has no meaning, defaults written out."""

    def entries(self, seat: Seat, plan: P) -> tuple[Entry, ...]:
        """What the plan buys, for differences and for people."""

    def cost(self, seat: Seat, plan: P) -> int:
        """What the plan costs.

        Raises:
            UnknownItem: an item has no price (as written; the published programs charge nothing for it).
        """

    def simulate(self, first: P, second: P, *, trace: bool = False) -> Result:
        """How the two plans fare against each other.

        Both plans must come from verdicts that `can_be_simulated`, or be legal by construction.
        """

    def as_published(self, result: Any) -> dict[str, Any]:
        """The result in the words of the published programs' records, as the golden file keeps them."""

    def random_plan(self, seat: Seat, rng: Random) -> P:
        """A legal plan within the purse that leaves little of it."""

    def greedy_plan(self, seat: Seat) -> P:
        """The plan that buys the most strength for the coin, unit by unit, without a look at the opponent."""

    def vary(self, seat: Seat, plan: P, rng: Random) -> P:
        """A legal plan within the purse, one small step from this one."""


def canonical_text(rules: ResourceGame[P], seat: Seat, plan: P) -> str:
    """The canonical plan on one line of JSON: equal texts, equal play."""
    return json.dumps(rules.dump(seat, rules.canonical(seat, plan)), separators=(",", ":"), sort_keys=True)


class Decision(Enum):
    """What decided a round, the first that applies."""

    BAD_PLAN = "bad_plan"
    """At least one side's plan could not be played: unparseable, of the wrong shape or illegal."""
    OVER_PURSE = "over_budget"
    """At least one side's plan cost more than its purse. The record uses the paper's word."""
    SIMULATION = "simulation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Generic[P]):
    """One round: two verdicts, the simulation if both plans could be played, and the winner on record."""

    winner: Seat | None
    decided_by: Decision
    verdicts: Mapping[Seat, Verdict[P]]
    result: Result | None
    """The simulation, which runs whenever both plans can be played, even if a purse decides."""

    def value_of(self, seat: Seat) -> float:
        """-1 to 1 for that seat: the simulation's margin where that decided, else 1 for a win, 0 without a winner, -1."""
        if self.decided_by is Decision.SIMULATION:
            assert self.result is not None
            return self.result.margin_of(seat)
        return 0.0 if self.winner is None else 1.0 if self.winner is seat else -1.0


def judge_costs(winner: Seat | None, costs: Mapping[Seat, int], purses: Mapping[Seat, Purse]) -> Seat | None:
    """The winner after the purses are judged (paper's code: the simulation runs first).

    One side over its purse loses; if both are, the one with the smaller excess relative to its own purse wins, and
    equal excesses leave no winner.
    """
    first, second = (purses[seat].relative_excess(costs[seat]) for seat in (Seat.FIRST, Seat.SECOND))
    if first == second:
        return winner if first == 0 else None
    return Seat.FIRST if first < second else Seat.SECOND


def decide(verdicts: Mapping[Seat, Verdict[P]], result: Result | None) -> tuple[Seat | None, Decision]:
    """The winner on record and what decided it: bad plans before purses, purses before the simulation.

    A bad plan loses to one that can be played; two bad plans leave no winner.
    """
    bad = [seat for seat, verdict in verdicts.items() if not verdict.can_be_simulated]
    if bad:
        return (bad[0].other if len(bad) == 1 else None), Decision.BAD_PLAN
    assert result is not None
    costs = {seat: verdict.cost or 0 for seat, verdict in verdicts.items()}
    purses = {seat: verdict.purse for seat, verdict in verdicts.items()}
    over = any(purses[seat].excess(costs[seat]) for seat in costs)
    return judge_costs(result.winner, costs, purses), Decision.OVER_PURSE if over else Decision.SIMULATION


def play_round(rules: ResourceGame[P], first: Verdict[P], second: Verdict[P], *, trace: bool = False) -> Round[P]:
    """One round between two submitted plans. Never raises for a bad plan: it loses."""
    verdicts = {Seat.FIRST: first, Seat.SECOND: second}
    result = None
    if first.can_be_simulated and second.can_be_simulated:
        assert first.plan is not None
        assert second.plan is not None
        result = rules.simulate(first.plan, second.plan, trace=trace)
    winner, decided_by = decide(verdicts, result)
    return Round(winner=winner, decided_by=decided_by, verdicts=verdicts, result=result)
