"""A match's events read back as they were written, in order: of matches played here, and of imported games."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from stratarena.agents.base import Refusal
from stratarena.agents.budget import Overrun, Spend
from stratarena.agents.models.base import Attempt, Message
from stratarena.agents.plan import Cause
from stratarena.agents.tree import TreeNode
from stratarena.arena.events import (
    Appraised,
    Body,
    Event,
    Faulted,
    MatchClosed,
    MatchOpened,
    Overran,
    Proposed,
    Refused,
    Revised,
    Submitted,
    Transcribed,
    TurnClosed,
)
from stratarena.db.asking import Asking
from stratarena.db.bodies import (
    SPEND_FIELDS,
    attempt_of,
    call_of,
    consultation_of,
    engine_of,
    node_of,
    plan_of,
    round_of,
    search_of,
)
from stratarena.db.schema import metadata
from stratarena.db.state import verdict_of
from stratarena.db.texts import unpack
from stratarena.games.base import Move, Seat
from stratarena.games.notation.record import Evaluation, NotedMove

__all__ = ["MatchEvents"]

_T = metadata.tables


class MatchEvents(Asking):
    """Reads the events of one match at a time."""

    def read(self, match_id: int) -> list[Event]:
        """Every event of a match as it was written, in order.

        The envelope of a turn's events is whole; a match's own events carry the times of its row.
        """
        (row,) = self.mappings(select(_T["matches"]).where(_T["matches"].c.id == match_id))
        imported = self._imported_events(match_id, row)
        if imported:
            return imported
        texts = self._texts_of(match_id)
        events = [*self._turn_events(match_id), *self._step_events(match_id, row, texts)]
        if row["opened_ms"] is not None:
            events.append(Event(match_id, 0, _opening_length(row), None, row["opened_ms"], MatchOpened()))
        verdict = verdict_of(row)
        if verdict is not None:
            last = max((event.seq for event in events), default=-1) + 1
            events.append(
                Event(match_id, last, row["plies"], None, row["closed_ms"], MatchClosed(verdict, row["plies"]))
            )
        return sorted(events, key=lambda event: event.seq)

    def _imported_events(self, match_id: int, row: Any) -> list[Event]:
        """The events of an imported game, all at the time of the import; empty for a match played here."""
        imports, tournaments = _T["imports"], _T["tournaments"]
        joined = imports.join(tournaments, tournaments.c.id == imports.c.tournament_id)
        found = self.rows(
            select(tournaments.c.created_ms).select_from(joined).where(tournaments.c.id == row["tournament_id"])
        )
        verdict = verdict_of(row)
        if not found or verdict is None:
            return []
        at_ms = found[0][0]
        events = [Event(match_id, 0, 0, None, at_ms, MatchOpened())]
        for ply, (seat, noted, digest) in enumerate(self.imported_moves(match_id)):
            events.append(Event(match_id, ply + 1, ply, seat, at_ms, Transcribed(noted, digest)))
        plies = row["plies"]
        events.append(Event(match_id, len(events), plies, None, at_ms, MatchClosed(verdict, plies)))
        return events

    def imported_moves(self, match_id: int) -> Iterator[tuple[Seat, NotedMove, str]]:
        """Who made each move, the move with its notes, and the digest of the state it left."""
        notes, moves, texts = _T["imported_moves"], _T["moves"], _T["texts"]
        made = (moves.c.match_id == notes.c.match_id) & (moves.c.ply == notes.c.ply)
        query = (
            select(notes, moves.c.move, texts.c.codec, texts.c.body)
            .select_from(notes.join(moves, made).outerjoin(texts, texts.c.hash == notes.c.comment))
            .where(notes.c.match_id == match_id)
            .order_by(notes.c.ply)
        )
        for row in self.mappings(query):
            evaluation = None
            if row["centipawns"] is not None or row["mate"] is not None:
                evaluation = Evaluation(centipawns=row["centipawns"], mate=row["mate"], depth=row["depth"])
            noted = NotedMove(
                move=Move(row["move"]),
                comment="" if row["comment"] is None else unpack(row["codec"], row["body"]),
                nags=tuple(map(int, row["nags"].split())),
                clock_ms=row["clock_ms"],
                elapsed_ms=row["elapsed_ms"],
                evaluation=evaluation,
            )
            yield Seat(row["seat"]), noted, row["digest"]

    def moves(self, match_id: int) -> tuple[Move, ...]:
        """Every ply of a match, whoever made it."""
        moves = _T["moves"]
        query = select(moves.c.move).where(moves.c.match_id == match_id).order_by(moves.c.ply)
        return tuple(Move(move) for (move,) in self.rows(query))

    def _turn_events(self, match_id: int) -> list[Event]:
        turns, moves, spends = _T["turns"], _T["moves"], _T["spends"]
        same = (spends.c.match_id == turns.c.match_id) & (spends.c.ply == turns.c.ply)
        made = (moves.c.match_id == turns.c.match_id) & (moves.c.ply == turns.c.ply)
        query = (
            select(turns, spends, moves.c.move, moves.c.confidence, moves.c.fallback)
            .select_from(turns.outerjoin(spends, same).outerjoin(moves, made))
            .where(turns.c.match_id == match_id)
        )
        events = []
        for row in self.rows(query):
            value = row._mapping
            seat = Seat(value[turns.c.seat])
            spent = {} if value[spends.c.match_id] is None else {name: value[spends.c[name]] for name in SPEND_FIELDS}
            spend = Spend(think_ms=value[turns.c.think_ms], **spent)
            body = TurnClosed(
                seat,
                value[turns.c.seed],
                value[turns.c.opened_ms],
                value[moves.c.move],
                value[turns.c.digest],
                value[moves.c.confidence],
                value[moves.c.fallback],
                spend,
                value[turns.c.wait_ms],
            )
            events.append(Event(match_id, value[turns.c.seq], value[turns.c.ply], seat, value[turns.c.closed_ms], body))
        return events

    def _step_events(self, match_id: int, match: Any, texts: dict[str, str]) -> Iterator[Event]:
        """Calls, consultations, plans, revisions, refusals, overruns and faults."""
        messages: dict[int, list[Message]] = {}
        table = _T["call_messages"]
        for seq, _, role, digest in self.rows(
            select(table.c.seq, table.c.position, table.c.role, table.c.text)
            .where(table.c.match_id == match_id)
            .order_by(table.c.seq, table.c.position)
        ):
            messages.setdefault(seq, []).append(Message(role, texts[digest]))
        attempts: dict[int, list[Attempt]] = {}
        tries = _T["call_attempts"]
        for row in self.mappings(
            select(tries).where(tries.c.match_id == match_id).order_by(tries.c.seq, tries.c.number)
        ):
            attempts.setdefault(row["seq"], []).append(attempt_of(row))
        plans = {row["seq"]: plan_of(row, texts) for row in self._of(match_id, "plans")}
        revisions = {row["seq"]: row for row in self._of(match_id, "revisions")}

        def event(row: Any, body: Body) -> Event:
            seat = Seat(row["seat"]) if row["seat"] else None
            return Event(match_id, row["seq"], row["ply"], seat, row["at_ms"], body)

        for row in self._of(match_id, "plans"):
            revision = revisions.get(row["seq"])
            plan = plans[row["seq"]]
            if revision is None:
                yield event(row, Proposed(plan))
            else:
                yield event(row, Revised(plans[revision["before_seq"]], plan, Cause(revision["cause"])))
        for row in self._of(match_id, "model_calls"):
            seq = row["seq"]
            yield event(row, call_of(row, tuple(messages.get(seq, ())), tuple(attempts.get(seq, ())), texts))
        moves = self.moves(match_id)
        for row in self._of(match_id, "consultations"):
            yield event(row, consultation_of(row, match, moves))
        nodes: dict[int, list[TreeNode]] = {}
        table = _T["search_nodes"]
        for row in self.mappings(
            select(table).where(table.c.match_id == match_id).order_by(table.c.seq, table.c.number)
        ):
            nodes.setdefault(row["seq"], []).append(node_of(row, texts))
        for row in self._of(match_id, "searches"):
            yield event(row, search_of(row, tuple(nodes.get(row["seq"], ()))))
        for row in self._of(match_id, "appraisals"):
            facts = {name: row[name] for name in ("n_asks", "n_positions", "nodes", "think_ms", "wait_ms", "error")}
            yield event(row, Appraised(engine=engine_of(row["engine"]), **facts))
        for row in self._of(match_id, "submissions"):
            facts = {name: row[name] for name in ("verdict", "cost", "purse", "kept", "changed")}
            yield event(row, Submitted(**facts, problems=texts[row["problems"]]))
        for row in self._of(match_id, "rounds"):
            yield event(row, round_of(row, texts))
        for row in self._of(match_id, "refusals"):
            yield event(row, Refused(Refusal(row["kind"], texts[row["text"]], row["why"])))
        for row in self._of(match_id, "overruns"):
            yield event(row, Overran(row["scope"], Overrun(row["resource"], row["bound"], row["used"])))
        for row in self._of(match_id, "faults"):
            yield event(row, Faulted(row["place"], row["error"], texts[row["detail"]]))

    def _of(self, match_id: int, name: str) -> Sequence[Any]:
        table = _T[name]
        return self.mappings(select(table).where(table.c.match_id == match_id).order_by(table.c.seq))

    def _texts_of(self, match_id: int) -> dict[str, str]:
        """Every text that a match refers to, by hash."""
        columns = [
            (_T["call_messages"], "text"),
            (_T["model_calls"], "answer"),
            (_T["model_calls"], "continuations"),
            (_T["model_calls"], "constraint_body"),
            (_T["model_calls"], "thinking"),
            (_T["plans"], "why"),
            (_T["refusals"], "text"),
            (_T["search_nodes"], "state"),
            (_T["submissions"], "problems"),
            (_T["rounds"], "survivors"),
            (_T["faults"], "detail"),
        ]
        texts = _T["texts"]
        found: dict[str, str] = {}
        for table, name in columns:
            query = select(texts.c.hash, texts.c.codec, texts.c.body).where(
                texts.c.hash.in_(select(table.c[name]).where(table.c.match_id == match_id))
            )
            for digest, codec, body in self.rows(query):
                found[digest] = unpack(codec, body)
        return found


def _opening_length(match: Any) -> int:
    return len(match["opening_moves"].split())
