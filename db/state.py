"""How far each match of a tournament has come, read from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from stratarena.agents.budget import FREE, Spend
from stratarena.agents.plan import Plan
from stratarena.arena.specs import Ending, MatchSpec, Verdict
from stratarena.arena.store import MatchProgress
from stratarena.db.schema import metadata
from stratarena.db.texts import read_text
from stratarena.games.base import Move, Seat

__all__ = ["insert_statement", "match_progress", "update_statement", "verdict_of"]


def insert_statement(engine: Engine, table: str, columns: Sequence[str]) -> str:
    """The driver's own INSERT with places in column order; a text that is there already is left as it is."""
    place = "?" if engine.dialect.paramstyle == "qmark" else "%s"
    quoted = ", ".join(engine.dialect.identifier_preparer.quote(column) for column in columns)
    again = " ON CONFLICT DO NOTHING" if table == "texts" else ""
    return f"INSERT INTO {table} ({quoted}) VALUES ({', '.join([place] * len(columns))}){again}"  # noqa: S608  our own names only


def update_statement(engine: Engine, table: str, columns: Sequence[str], key: str) -> str:
    """The driver's own UPDATE of these columns, with a place for each and a last one for the key."""
    place = "?" if engine.dialect.paramstyle == "qmark" else "%s"
    return f"UPDATE {table} SET {', '.join(f'{column} = {place}' for column in columns)} WHERE {key} = {place}"  # noqa: S608  our own names only


def match_progress(
    connection: Connection, tournament_id: int, schedule: Sequence[MatchSpec]
) -> tuple[MatchProgress, ...]:
    """The latest attempt at each match of the schedule, in its order."""
    matches = metadata.tables["matches"]
    query = select(matches).where(matches.c.tournament_id == tournament_id).order_by(matches.c.attempt)
    latest = {row["key"]: row for row in connection.execute(query).mappings()}
    started = _Started(connection, tournament_id)
    return tuple(started.progress(latest[spec.key], spec) for spec in schedule)


def verdict_of(row: Any) -> Verdict | None:
    """The verdict in a row of `matches`; None while there is none."""
    if row["ending"] is None:
        return None
    return Verdict(
        ending=Ending(row["ending"]),
        winner=Seat(row["winner"]) if row["winner"] else None,
        reason=row["reason"],
        at_fault=Seat(row["at_fault"]) if row["at_fault"] else None,
    )


class _Started:
    """What was recorded of the matches in play, read in one query for each kind of row."""

    def __init__(self, connection: Connection, tournament_id: int) -> None:
        matches, turns, moves, spends, plans = (
            metadata.tables[name] for name in ("matches", "turns", "moves", "spends", "plans")
        )
        playing = (matches.c.tournament_id == tournament_id) & (matches.c.status == "playing")

        def rows(table: Any, *columns: Any) -> Iterable[Any]:
            joined = table.join(matches, matches.c.id == table.c.match_id)
            return connection.execute(
                select(table.c.match_id, *columns).select_from(joined).where(playing).order_by(table.c.match_id)
            )

        self.moves: dict[int, list[tuple[int, Move]]] = {}
        for match_id, ply, move, source in rows(moves, moves.c.ply, moves.c.move, moves.c.source):
            if source == "agent":
                self.moves.setdefault(match_id, []).append((ply, Move(move)))
        self.turns: dict[int, list[tuple[int, int, str | None]]] = {}
        for match_id, ply, seq, digest in rows(turns, turns.c.ply, turns.c.seq, turns.c.digest):
            self.turns.setdefault(match_id, []).append((ply, seq, digest))
        self.spends: dict[tuple[int, str], Spend] = {}
        for match_id, seat, think_ms in rows(turns, turns.c.seat, turns.c.think_ms):
            place = (match_id, seat)
            self.spends[place] = self.spends.get(place, FREE) + Spend(think_ms=think_ms)
        fields = ("model_calls", "prompt_tokens", "completion_tokens", "nodes", "cost_usd")
        for match_id, seat, *values in rows(spends, spends.c.seat, *(spends.c[name] for name in fields)):
            place = (match_id, seat)
            self.spends[place] = self.spends.get(place, FREE) + Spend(**dict(zip(fields, values, strict=True)))
        self.plans: dict[tuple[int, str], Plan] = {}
        last = (
            select(plans.c.match_id, plans.c.seat, func.max(plans.c.seq).label("seq"))
            .select_from(plans.join(matches, matches.c.id == plans.c.match_id))
            .where(playing)
            .group_by(plans.c.match_id, plans.c.seat)
            .subquery()
        )
        standing = plans.join(last, (last.c.match_id == plans.c.match_id) & (last.c.seq == plans.c.seq))
        for row in connection.execute(select(plans).select_from(standing)).mappings().all():
            self.plans[row["match_id"], row["seat"]] = Plan(
                moves=tuple(Move(move) for move in row["moves"].split()),
                cost=row["cost"],
                value=row["value"],
                why=read_text(connection, row["why"]),
            )

    def progress(self, row: Any, spec: MatchSpec) -> MatchProgress:
        match_id = int(row["id"])
        turns = sorted(self.turns.get(match_id, ()))
        return MatchProgress(
            match_id=match_id,
            spec=spec,
            attempt=int(row["attempt"]),
            next_seq=turns[-1][1] + 1 if turns else 0,
            moves=tuple(move for _, move in sorted(self.moves.get(match_id, ()))),
            digest=turns[-1][2] if turns else None,
            spent={seat: self.spends.get((match_id, seat.value), FREE) for seat in Seat},
            standing={seat: self.plans.get((match_id, seat.value)) for seat in Seat},
            verdict=verdict_of(row),
        )
