"""Tournaments and matches in pages, for those who look at a record while it grows; cheap to ask again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Engine, and_, func, or_, select

from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord
from stratarena.db.schema import metadata

__all__ = ["Listing", "MatchPage", "TournamentSummary", "Wanted"]

_T = metadata.tables


@dataclass(frozen=True, slots=True, kw_only=True)
class TournamentSummary:
    """A tournament in a list; every attempt at a match counts."""

    tournament_id: int
    name: str
    created_ms: int
    n_agents: int
    counts: Mapping[str, int]
    """Matches by status: `pending`, `playing`, `over`, `void`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which matches; an empty text is every one."""

    game: str = ""
    agent: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class MatchPage:
    """Some matches of a longer list, in the order of the schedule."""

    matches: tuple[MatchRecord, ...]
    total: int


def _scanned(column: Column[int]) -> ColumnElement[int]:
    """The column, but not by its index: to look rows up one by one takes four times as long as to read them in a row."""
    return column + 0


class Listing(Reader):
    """A reader that also answers in pages."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._games: dict[int, tuple[int, tuple[str, ...]]] = {}
        """By tournament: how many matches it had, and their games."""

    def summaries(self) -> tuple[TournamentSummary, ...]:
        """Every tournament, the newest first."""
        tournaments, matches, agents = _T["tournaments"], _T["matches"], _T["agents"]
        # Most matches are over: how many there are is read from an index, and only the others are looked at.
        counts: dict[int, dict[str, int]] = {
            number: {"over": n}
            for number, n in self._pairs(
                select(matches.c.tournament_id, func.count()).group_by(matches.c.tournament_id)
            )
        }
        for number, status, n in self.rows(
            select(_scanned(matches.c.tournament_id), matches.c.status, func.count())
            .where(matches.c.status != "over")
            .group_by(_scanned(matches.c.tournament_id), matches.c.status)
        ):
            counts[number][status] = n
            counts[number]["over"] -= n
        of_agents: dict[int, int] = dict(
            self._pairs(select(agents.c.tournament_id, func.count()).group_by(agents.c.tournament_id))
        )
        return tuple(
            TournamentSummary(
                tournament_id=number,
                name=name,
                created_ms=created_ms,
                n_agents=of_agents.get(number, 0),
                counts=counts.get(number, {}),
            )
            for number, name, created_ms in self.rows(
                select(tournaments.c.id, tournaments.c.name, tournaments.c.created_ms).order_by(tournaments.c.id.desc())
            )
        )

    def playing(self, limit: int) -> tuple[tuple[str, int, MatchRecord], ...]:
        """Matches in play, at most so many, each with its tournament's name and the plies made so far."""
        matches, tournaments, moves = _T["matches"], _T["tournaments"], _T["moves"]
        rows = self.mappings(
            self._match_query().where(matches.c.status == "playing").order_by(matches.c.id).limit(limit)
        )
        names = dict(self._pairs(select(tournaments.c.id, tournaments.c.name)))
        found = [(names[row["tournament_id"]], self._match(row)) for row in rows]
        made = dict(
            self._pairs(
                select(moves.c.match_id, func.count())
                .where(moves.c.match_id.in_([match.match_id for _, match in found]))
                .group_by(moves.c.match_id)
            )
        )
        return tuple((name, made.get(match.match_id, 0), match) for name, match in found)

    def page(self, tournament_id: int, wanted: Wanted, *, offset: int, limit: int) -> MatchPage:
        """Some of the matches of a tournament, every attempt of them, and how many there are in all."""
        matches, agents = _T["matches"], _T["agents"]
        narrowed = bool(wanted.game or wanted.status or wanted.agent)
        fits = [(_scanned(matches.c.tournament_id) if narrowed else matches.c.tournament_id) == tournament_id]
        if wanted.game:
            fits.append(matches.c.game == wanted.game)
        if wanted.status:
            fits.append(matches.c.status == wanted.status)
        if wanted.agent:
            named = select(agents.c.id).where(agents.c.tournament_id == tournament_id, agents.c.name == wanted.agent)
            fits.append(or_(matches.c.first_agent_id.in_(named), matches.c.second_agent_id.in_(named)))
        total = self.rows(select(func.count()).select_from(matches).where(and_(*fits)))[0][0]
        # The numbers first: sorting whole rows would read all of them.
        numbers = [
            number
            for (number,) in self.rows(
                select(matches.c.id).where(and_(*fits)).order_by(matches.c.id).limit(limit).offset(offset)
            )
        ]
        rows = self.mappings(self._match_query().where(matches.c.id.in_(numbers)).order_by(matches.c.id))
        return MatchPage(tuple(self._match(row) for row in rows), total)

    def games_of(self, tournament_id: int) -> tuple[str, ...]:
        """The games that are played in a tournament; looked for again when it has more matches than before."""
        matches = _T["matches"]
        here = matches.c.tournament_id == tournament_id
        n = self.rows(select(func.count()).select_from(matches).where(here))[0][0]
        known = self._games.get(tournament_id)
        if known is None or known[0] != n:
            games = tuple(sorted(game for (game,) in self.rows(select(matches.c.game).where(here).distinct())))
            known = self._games[tournament_id] = (n, games)
        return known[1]

    def stamp(self, match_id: int) -> str | None:
        """A text that changes whenever more of a match is in the record; None where there is no such match."""
        matches, turns = _T["matches"], _T["turns"]
        last = select(func.max(turns.c.seq)).where(turns.c.match_id == match_id).scalar_subquery()
        found = self.rows(select(matches.c.status, last).where(matches.c.id == match_id))
        return f"{found[0][0]}:{found[0][1]}" if found else None

    def _pairs(self, query: Any) -> list[tuple[Any, Any]]:
        return [(one, two) for one, two in self.rows(query)]
