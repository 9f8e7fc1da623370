"""The store as a running tournament writes it: events in, rows out, the turns of one tick in one transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, assert_never

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from stratarena.agents.budget import Spend
from stratarena.agents.plan import Plan
from stratarena.arena.events import (
    Appraised,
    Called,
    Consulted,
    Event,
    Faulted,
    MatchClosed,
    MatchOpened,
    Overran,
    Proposed,
    Refused,
    Revised,
    RoundPlayed,
    Searched,
    Submitted,
    Transcribed,
    TurnClosed,
)
from stratarena.arena.ledger import Account
from stratarena.arena.specs import Ending, MatchSpec, TournamentSpec, Verdict
from stratarena.arena.store import Entered, MatchProgress, Provenance
from stratarena.db.connect import told
from stratarena.db.errors import RecordError
from stratarena.db.lease import take_lease
from stratarena.db.receipts import Receipts, account_of, banked
from stratarena.db.rows import (
    COLUMNS,
    ORDER,
    appraisal_row,
    attempt_rows,
    call_rows,
    consultation_row,
    fault_row,
    overrun_row,
    plan_row,
    refusal_row,
    round_row,
    search_rows,
    submission_row,
    text_row,
)
from stratarena.db.schema import metadata
from stratarena.db.spec_json import to_json
from stratarena.db.state import insert_statement, match_progress, update_statement, verdict_of
from stratarena.games.base import Seat, SpecError

__all__ = ["SqlStore"]

_REMEMBERED_TEXTS = 50_000
_SEAT = {Seat.FIRST: "first", Seat.SECOND: "second"}


class SqlStore:
    """One tournament's record, for the one process that plays it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._url = engine.url.render_as_string(hide_password=False)
        self._tables = metadata.tables
        with told(self._url):
            self._connection: Connection = engine.connect()
        self._statements = {name: insert_statement(engine, name, COLUMNS[name]) for name in ORDER}
        self._rows: dict[str, list[Any]] = {name: [] for name in ORDER}
        self._turns, self._moves, self._spends = (self._rows[name] for name in ("turns", "moves", "spends"))
        self._opened: list[tuple[int, int]] = []
        self._closed: list[tuple[Any, ...]] = []
        self._open_statement = update_statement(engine, "matches", ("status", "opened_ms"), "id")
        self._close_statement = update_statement(
            engine, "matches", ("status", "ending", "winner", "reason", "at_fault", "plies", "closed_ms"), "id"
        )
        self._in_turn: dict[int, list[Event]] = {}
        """Events of turns that have not ended, by match."""
        self._calling: set[int] = set()
        """Matches with calls since the last flush, in turns that have not ended."""
        self._receipts = Receipts(engine)
        self._known_texts: dict[str, None] = {}
        self._specs: dict[int, MatchSpec] = {}
        self._standing: dict[tuple[int, Seat], int] = {}
        """Sequence number of each seat's standing plan, by match."""
        self._tournament_id: int | None = None
        self._release: Callable[[], None] = lambda: None

    def entered(self, name: str) -> tuple[Entered, ...]:
        """The matches of a tournament; see `Store.entered`."""
        matches, tournaments = self._tables["matches"], self._tables["tournaments"]
        first, second = self._tables["agents"].alias("first_agent"), self._tables["agents"].alias("second_agent")
        query = (
            select(matches, first.c.name.label("first"), second.c.name.label("second"))
            .select_from(
                matches.join(tournaments, tournaments.c.id == matches.c.tournament_id)
                .join(first, first.c.id == matches.c.first_agent_id)
                .join(second, second.c.id == matches.c.second_agent_id)
            )
            .where(tournaments.c.name == name)
            .order_by(matches.c.id)
        )
        with told(self._url), self._connection.begin():
            rows = {row["key"]: row for row in self._connection.execute(query).mappings()}
        return tuple(
            Entered(
                key=key,
                game=row["game"],
                first=row["first"],
                second=row["second"],
                round=row["round"],
                verdict=verdict_of(row),
            )
            for key, row in rows.items()
        )

    def enter(
        self, spec: TournamentSpec, schedule: Sequence[MatchSpec], provenance: Provenance
    ) -> tuple[MatchProgress, ...]:
        """Create the tournament or find it again; see `Store.enter`. Holds a lease on it until closed."""
        if self._tournament_id is None:
            self._release = take_lease(self._engine, spec.name)
        with told(self._url), self._connection.begin():
            found = self._connection.execute(
                select(self._tables["tournaments"].c.id).where(self._tables["tournaments"].c.name == spec.name)
            ).scalar()
            self._tournament_id = self._create(spec, provenance) if found is None else int(found)
            self._check_played_here(spec.name)
            self._check_unchanged(spec, schedule)
            agents = self._enter_agents(spec)
            self._enter_models(spec)
            self._add_matches(spec, schedule, agents)
        with told(self._url), self._connection.begin():
            progress = match_progress(self._connection, self._tournament_id, schedule)
            self._receipts.load(self._connection, self._tournament_id)
            paid = banked(self._connection, self._tournament_id)
        progress = tuple(
            replace(match, banked=paid.get((match.match_id, len(match.spec.opening.moves) + len(match.moves)), ()))
            for match in progress
        )
        self._specs = {match.match_id: match.spec for match in progress}
        return progress

    def spent_by_agent(self) -> Mapping[str, Spend]:
        """What each agent has spent in the tournament so far; see `Store.spent_by_agent`."""
        query = text(
            "SELECT agent, SUM(model_calls), SUM(prompt_tokens), SUM(completion_tokens), SUM(nodes), SUM(think_ms), "
            "SUM(cost_usd), COUNT(*) - COUNT(cost_usd) FROM v_turns "
            "WHERE tournament = (SELECT name FROM tournaments WHERE id = :id) GROUP BY agent"
        )
        with told(self._url), self._connection.begin():
            return {
                name: Spend(
                    model_calls=int(calls),
                    prompt_tokens=int(prompt),
                    completion_tokens=int(completion),
                    nodes=int(nodes),
                    think_ms=float(think),
                    cost_usd=None if unknown else float(cost or 0.0),
                )
                for name, calls, prompt, completion, nodes, think, cost, unknown in self._connection.execute(
                    query, {"id": self._tournament_id}
                )
            }

    def account(self) -> Account:
        """What all calls of the tournament came to so far; see `Store.account`."""
        assert self._tournament_id is not None
        with told(self._url), self._connection.begin():
            return account_of(self._connection, self._tournament_id)

    def retry(self, match_id: int) -> MatchProgress:
        """A fresh attempt at a void match; see `Store.retry`."""
        matches = self._tables["matches"]
        with told(self._url), self._connection.begin():
            row = self._connection.execute(select(matches).where(matches.c.id == match_id)).mappings().one()
            new_id = int(self._connection.execute(select(func.max(matches.c.id))).scalar_one()) + 1
            fresh = dict.fromkeys(("ending", "winner", "reason", "at_fault", "plies", "opened_ms", "closed_ms"))
            attempt = int(row["attempt"]) + 1
            self._connection.execute(
                insert(matches).values({**row, **fresh, "id": new_id, "attempt": attempt, "status": "pending"})
            )
        spec = self._specs[match_id]
        self._specs[new_id] = spec
        return MatchProgress(match_id=new_id, spec=spec, attempt=attempt)

    def identify(self, kind: str, name: str, identity: Mapping[str, str]) -> None:
        """Note what exactly a model or an engine is; see `Store.identify`."""
        table = self._tables["identities"]
        place = (table.c.tournament_id == self._tournament_id) & (table.c.kind == kind) & (table.c.name == name)
        facts = json.dumps(dict(identity), sort_keys=True, ensure_ascii=False)
        with told(self._url), self._connection.begin():
            done = self._connection.execute(update(table).where(place).values(facts=facts))
            if done.rowcount == 0:
                self._connection.execute(
                    insert(table).values(tournament_id=self._tournament_id, kind=kind, name=name, facts=facts)
                )

    def write(self, event: Event) -> None:
        """Take an event; it is durable after the `flush` that follows the end of its turn."""
        match_id, seq, ply, _, at_ms, body = event
        if isinstance(body, TurnClosed):
            if match_id in self._in_turn:
                self._take_turn(match_id)
            turn_seat, seed, opened_ms, move, digest, confidence, fallback, spend, wait_ms = body
            name = "first" if turn_seat is Seat.FIRST else "second"
            self._turns.append((match_id, ply, name, seq, seed, opened_ms, at_ms, spend.think_ms, wait_ms, digest))
            if spend.model_calls or spend.nodes or spend.cost_usd != 0:
                calls, nodes = spend.model_calls, spend.nodes
                tokens = (spend.prompt_tokens, spend.completion_tokens)
                self._spends.append((match_id, ply, name, calls, nodes, *tokens, spend.cost_usd))
            if move is not None:
                self._moves.append((match_id, ply, name, move, "agent", confidence, fallback))
            return
        self._in_turn.setdefault(match_id, []).append(event)
        if isinstance(body, Called):
            self._calling.add(match_id)
        elif isinstance(body, MatchClosed):
            self._take_turn(match_id)

    def _take_turn(self, match_id: int) -> None:
        """Turn the events of a turn that has ended into rows; until then they stay out of every transaction."""
        events = self._in_turn.pop(match_id)
        self._receipts.close(events)
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        match_id, seq, ply, seat, at_ms, body = event
        match body:
            case MatchOpened():
                self._open(match_id, at_ms)
            case MatchClosed():
                self._close(match_id, at_ms, body)
            case Called():
                row, messages = call_rows(event, body, self._keep)
                self._rows["model_calls"].append(row)
                self._rows["call_messages"].extend(messages)
                self._rows["call_attempts"].extend(attempt_rows(event, body))
            case Consulted():
                self._rows["consultations"].append(consultation_row(event, body))
            case Appraised():
                self._rows["appraisals"].append(appraisal_row(event, body))
            case Proposed(plan):
                self._plan(event, plan)
            case Revised(_, after, cause):
                assert seat is not None
                before_seq = self._standing_seq(match_id, seat)
                self._plan(event, after)
                self._rows["revisions"].append((match_id, seq, ply, at_ms, _SEAT[seat], before_seq, cause.value))
            case Searched():
                row, nodes = search_rows(event, body, self._keep)
                self._rows["searches"].append(row)
                self._rows["search_nodes"].extend(nodes)
            case Submitted():
                self._rows["submissions"].append(submission_row(event, body, self._keep))
            case RoundPlayed():
                self._rows["rounds"].append(round_row(event, body, self._keep))
            case Refused():
                self._rows["refusals"].append(refusal_row(event, body, self._keep))
            case Overran():
                self._rows["overruns"].append(overrun_row(event, body))
            case Faulted():
                self._rows["faults"].append(fault_row(event, body, self._keep))
            case TurnClosed():
                raise AssertionError("a turn's end is written at once")
            case Transcribed():
                raise AssertionError("imported games are written by their importer")
            case _:
                assert_never(body)

    def flush(self) -> None:
        """Make everything written durable, in one transaction.

        Raises:
            RecordError: the database refused; what was flushed before is safe.
        """
        receipts = self._receipts.rows(
            self._in_turn[match] for match in sorted(self._calling) if match in self._in_turn
        )
        self._calling.clear()
        if not self._turns and not self._closed and not receipts:
            return
        with told(self._url), self._connection.begin():
            # The driver's own cursor: at some ten microseconds a turn, SQLAlchemy's care for each call would double it.
            cursor = self._connection.connection.cursor()
            for name in ORDER:
                rows = self._rows[name]
                if rows:
                    cursor.executemany(self._statements[name], rows)
            if self._opened:
                rows = [("playing", at_ms, match_id) for at_ms, match_id in self._opened]
                cursor.executemany(self._open_statement, rows)
            self._receipts.write(cursor, receipts)
            if self._closed:
                cursor.executemany(self._close_statement, self._closed)
            cursor.close()
        for rows in self._rows.values():
            rows.clear()
        self._opened.clear()
        self._closed.clear()
        if len(self._known_texts) > _REMEMBERED_TEXTS:
            self._known_texts.clear()

    def close(self) -> None:
        """Let go of the connection and the lease; what was not flushed is given up."""
        self._connection.close()
        self._release()

    def _create(self, spec: TournamentSpec, provenance: Provenance) -> int:
        table = self._tables["tournaments"]
        new_id = int(self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1
        self._connection.execute(
            insert(table).values(
                id=new_id,
                name=spec.name,
                spec=json.dumps(to_json(spec), ensure_ascii=False),
                source=spec.source,
                seed=spec.seed,
                created_ms=time.time_ns() // 1_000_000,
                program_version=provenance.program_version,
                source_revision=provenance.source_revision,
                python_version=provenance.python_version,
                packages=json.dumps(dict(provenance.packages), sort_keys=True),
            )
        )
        return new_id

    def _check_played_here(self, name: str) -> None:
        """Raise `SpecError` for a tournament of imported games: they are over, whatever the file says."""
        imports = self._tables["imports"]
        file = self._connection.execute(
            select(imports.c.file).where(imports.c.tournament_id == self._tournament_id)
        ).scalar()
        if file is not None:
            raise SpecError(
                f"{name!r} holds games imported from {file}, which cannot be played on; give the tournament another "
                "name, or use another --db"
            )

    def _check_unchanged(self, spec: TournamentSpec, schedule: Sequence[MatchSpec]) -> None:
        """Raise `SpecError` unless every stored match is in the schedule, unchanged."""
        matches = self._tables["matches"]
        wanted = {match.key: match.digest for match in schedule}
        rows = self._connection.execute(
            select(matches.c.key, matches.c.spec_digest)
            .where(matches.c.tournament_id == self._tournament_id)
            .order_by(matches.c.id)
        )
        for key, digest in rows:
            if wanted.get(key) != digest:
                what = "is played differently by" if key in wanted else "is not in"
                raise SpecError(
                    f"the database already holds a tournament {spec.name!r}, whose match {key} {what} this file; give "
                    "the changed tournament another name, or use another --db"
                )

    def _enter_agents(self, spec: TournamentSpec) -> dict[str, int]:
        """The id of each agent, those that are new added."""
        table = self._tables["agents"]
        rows = self._connection.execute(
            select(table.c.name, table.c.id).where(table.c.tournament_id == self._tournament_id)
        )
        known = {name: int(agent_id) for name, agent_id in rows}
        next_id = int(self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1
        for agent in spec.agents:
            if agent.name not in known:
                params = json.dumps(to_json(agent.params), sort_keys=True, ensure_ascii=False)
                self._connection.execute(
                    insert(table).values(
                        id=next_id,
                        tournament_id=self._tournament_id,
                        name=agent.name,
                        kind=agent.kind,
                        params=params,
                    )
                )
                known[agent.name] = next_id
                next_id += 1
        return known

    def _enter_models(self, spec: TournamentSpec) -> None:
        table = self._tables["models"]
        rows = self._connection.execute(select(table.c.name).where(table.c.tournament_id == self._tournament_id))
        known = {name for (name,) in rows}
        next_id = int(self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1
        for number, model in enumerate(model for model in spec.models if model.name not in known):
            price, given = model.price, model.settings.given()
            self._connection.execute(
                insert(table).values(
                    id=next_id + number,
                    tournament_id=self._tournament_id,
                    name=model.name,
                    kind=model.kind,
                    params=json.dumps(to_json(model.params), sort_keys=True, ensure_ascii=False),
                    prompt_usd_per_million=price.prompt if price else None,
                    completion_usd_per_million=price.completion if price else None,
                    cached_usd_per_million=price.cached if price else None,
                    settings=json.dumps({name: value for name, value in given.items() if value is not None}),
                )
            )

    def _add_matches(self, spec: TournamentSpec, schedule: Sequence[MatchSpec], agents: Mapping[str, int]) -> None:
        """Rows for the matches that are not there yet; with them the stored spec is brought up to date."""
        table = self._tables["matches"]
        rows = self._connection.execute(select(table.c.key).where(table.c.tournament_id == self._tournament_id))
        known = {key for (key,) in rows}
        next_id = int(self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1
        new = [match for match in schedule if match.key not in known]
        if not new:
            return
        if known:
            tournaments = self._tables["tournaments"]
            self._connection.execute(
                update(tournaments)
                .where(tournaments.c.id == self._tournament_id)
                .values(spec=json.dumps(to_json(spec), ensure_ascii=False), source=spec.source)
            )
        self._connection.execute(
            insert(table),
            [
                {
                    "id": next_id + number,
                    "tournament_id": self._tournament_id,
                    "key": match.key,
                    "attempt": 1,
                    "game": match.game,
                    "first_agent_id": agents[match.first],
                    "second_agent_id": agents[match.second],
                    "round": match.round,
                    "pair": match.pair,
                    "opening": match.opening.name,
                    "start": match.opening.start,
                    "opening_moves": " ".join(match.opening.moves),
                    "seed": match.seed,
                    "spec_digest": match.digest,
                    "status": "pending",
                }
                for number, match in enumerate(new)
            ],
        )

    def _open(self, match_id: int, at_ms: int) -> None:
        opening = self._specs[match_id].opening
        first_to_move = _opening_seats(opening.start)
        self._moves.extend(
            (match_id, ply, _SEAT[first_to_move if ply % 2 == 0 else first_to_move.other], move, "opening", None, None)
            for ply, move in enumerate(opening.moves)
        )
        self._opened.append((at_ms, match_id))

    def _close(self, match_id: int, at_ms: int, body: MatchClosed) -> None:
        verdict: Verdict = body.verdict
        self._closed.append(
            (
                "void" if verdict.ending is Ending.VOID else "over",
                verdict.ending.value,
                _SEAT[verdict.winner] if verdict.winner else None,
                verdict.reason,
                _SEAT[verdict.at_fault] if verdict.at_fault else None,
                body.plies,
                at_ms,
                match_id,
            )
        )
        for seat in Seat:
            self._standing.pop((match_id, seat), None)

    def _plan(self, event: Event, plan: Plan) -> None:
        assert event.seat is not None
        self._rows["plans"].append(plan_row(event, plan, self._keep))
        self._standing[event.match_id, event.seat] = event.seq

    def _standing_seq(self, match_id: int, seat: Seat) -> int:
        """The number of the plan a seat has standing; looked up when the match was begun by an earlier process."""
        known = self._standing.get((match_id, seat))
        if known is not None:
            return known
        plans = self._tables["plans"]
        with told(self._url), self._connection.begin():
            found = self._connection.execute(
                select(func.max(plans.c.seq)).where((plans.c.match_id == match_id) & (plans.c.seat == _SEAT[seat]))
            ).scalar()
        if found is None:
            raise RecordError(f"match {match_id}: a plan was revised, but none is recorded")
        return int(found)

    def _keep(self, content: str) -> str:
        """The hash of a text, which is stored if it was not seen before."""
        row = text_row(content)
        digest: str = row[0]
        if digest not in self._known_texts:
            self._known_texts[digest] = None
            self._rows["texts"].append(row)
        return digest


def _opening_seats(start: str) -> Seat:
    """Who moves first from a start. Every game of ours begins with FIRST; a FEN may say otherwise."""
    fields = start.split()
    return Seat.SECOND if fields[-1:] == ["O"] or (len(fields) == 6 and fields[1] == "b") else Seat.FIRST
