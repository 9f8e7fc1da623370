"""What a tournament needs from the record besides a place to write: which matches exist and how far each has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from stratarena.agents.budget import FREE, Spend
from stratarena.agents.models.base import ModelAnswer
from stratarena.agents.plan import Plan
from stratarena.arena.events import Recorder
from stratarena.arena.ledger import Account
from stratarena.arena.specs import MatchSpec, TournamentSpec, Verdict
from stratarena.games.base import Move, Seat

__all__ = ["Banked", "Entered", "MatchProgress", "Provenance", "Store"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What played: enough to play it again elsewhere."""

    program_version: str
    source_revision: str | None
    """Commit of the checkout, with `+changes` when it is not clean; None outside one."""
    python_version: str
    packages: Mapping[str, str]
    """Installed versions of our dependencies, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Banked:
    """An answer that was paid for in a turn that was never finished."""

    model: str
    key: str
    """Of the request; see `models.keys.request_key`."""
    answer: ModelAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchProgress:
    """How far a match has come."""

    match_id: int
    spec: MatchSpec
    attempt: int = 1
    """Counted from 1; a void match is played again under a new match id."""
    next_seq: int = 0
    """0 when nothing was written yet."""
    moves: tuple[Move, ...] = ()
    """Agents' moves so far, the opening's left out."""
    digest: str | None = None
    """Digest that the last recorded turn left."""
    spent: Mapping[Seat, Spend] = field(default_factory=lambda: dict.fromkeys(Seat, FREE))
    standing: Mapping[Seat, Plan | None] = field(default_factory=lambda: dict.fromkeys(Seat))
    verdict: Verdict | None = None
    banked: tuple[Banked, ...] = ()
    """What was paid for in the turn that is to be taken next, in the order in which it was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A match that the record has, and how it ended."""

    key: str
    game: str
    first: str
    second: str
    round: int
    verdict: Verdict | None
    """Of its latest attempt."""

    @staticmethod
    def of(match: MatchSpec) -> Entered:
        """A match of which nothing is known yet."""
        return Entered(
            key=match.key, game=match.game, first=match.first, second=match.second, round=match.round, verdict=None
        )


class Store(Recorder, Protocol):
    """The record as a running tournament sees it."""

    def entered(self, name: str) -> tuple[Entered, ...]:
        """The matches of the tournament of this name in the order in which they were entered; none of an unknown one."""

    def enter(
        self, spec: TournamentSpec, schedule: Sequence[MatchSpec], provenance: Provenance
    ) -> tuple[MatchProgress, ...]:
        """Create the tournament or find it again, add matches it does not have yet, and say how far each is.

        Of a match played several times only the latest attempt is given. Matches come in the schedule's order. May be
        called again with a schedule that has grown.

        Raises:
            SpecError: a tournament of this name exists and one of its matches is not in this schedule, or differs.
        """

    def spent_by_agent(self) -> Mapping[str, Spend]:
        """What each agent has spent in the tournament so far, void matches included."""

    def account(self) -> Account:
        """What all calls of the tournament came to so far, those of unfinished turns and void matches included."""

    def retry(self, match_id: int) -> MatchProgress:
        """A fresh attempt at a void match; durable at once."""

    def identify(self, kind: str, name: str, identity: Mapping[str, str]) -> None:
        """Note what exactly a model, an engine or an agent's prompt of this name is (`kind` says which); durable at once."""
