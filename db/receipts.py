"""Receipts: calls that cost money in turns that are not over, so that a broken-off run neither forgets nor repeats them.

A turn's events are written when it ends; a run that is stopped or killed in the middle gives them up. What was paid for is
therefore kept at once, and deleted with the turn's end, when the call itself is in the record. A run that goes on takes the
turn again, asks the same, and is answered from here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from stratarena.agents.budget import Spend
from stratarena.agents.models.keys import answer_from_json, answer_to_json, request_key
from stratarena.arena.events import Called, Event
from stratarena.arena.ledger import Account, unsure_usd
from stratarena.arena.store import Banked
from stratarena.db.schema import metadata
from stratarena.db.state import insert_statement

__all__ = ["Receipts", "account_of", "banked"]

_T = metadata.tables
_COLUMNS = tuple(column.name for column in _T["receipts"].columns)


class Receipts:
    """Keeps the table in step with the turns of one tournament."""

    def __init__(self, engine: Engine) -> None:
        place = "?" if engine.dialect.paramstyle == "qmark" else "%s"
        self._insert = insert_statement(engine, "receipts", _COLUMNS)
        self._delete = f"DELETE FROM receipts WHERE match_id = {place} AND ply = {place} AND number = {place}"  # noqa: S608  our own names only
        self._kept: dict[tuple[int, int], list[str]] = {}
        """Keys of the requests that have receipts, by match and ply, in the order of their numbers."""
        self._over: list[tuple[int, int, int]] = []

    def load(self, connection: Connection, tournament_id: int) -> None:
        """Take what earlier runs left."""
        for row in _rows(connection, tournament_id):
            self._kept.setdefault((row["match_id"], row["ply"]), []).append(row["request_key"])

    def close(self, events: Iterable[Event]) -> None:
        """A turn is over: its calls are in the record, so their receipts go. Those of calls that were not made again stay."""
        if not self._kept:
            return
        calls = [event for event in events if isinstance(event.body, Called)]
        for place in {(event.match_id, event.ply) for event in calls}:
            kept = self._kept.pop(place, None)
            if kept is None:
                continue
            made = Counter(request_key(event.body.request) for event in calls if isinstance(event.body, Called))
            for number, key in enumerate(kept):
                if made[key]:
                    made[key] -= 1
                    self._over.append((*place, number))

    def rows(self, open_turns: Iterable[Sequence[Event]]) -> list[tuple[Any, ...]]:
        """A row for each call of these turns that cost something and has no receipt yet."""
        rows = []
        for events in open_turns:
            had = {
                place: Counter(kept)
                for place in {(event.match_id, event.ply) for event in events}
                if (kept := self._kept.get(place))
            }
            for event in events:
                call = event.body
                if not isinstance(call, Called) or event.seat is None:
                    continue
                unsure = unsure_usd(call.attempts)
                spend = call.spend
                if spend.cost_usd == 0 and unsure == 0:
                    continue
                place, key = (event.match_id, event.ply), request_key(call.request)
                if had.get(place, Counter())[key]:
                    had[place][key] -= 1
                    continue
                kept = self._kept.setdefault(place, [])
                answer = None if call.answer is None else json.dumps(answer_to_json(call.answer))
                tokens = (spend.prompt_tokens, spend.completion_tokens, spend.cost_usd)
                head = (*place, len(kept), event.seat.value, event.at_ms, call.model, key, answer)
                rows.append((*head, *tokens, unsure))
                kept.append(key)
        return rows

    def write(self, cursor: Any, rows: list[tuple[Any, ...]]) -> None:
        """Bring the table up to date, in the transaction of this cursor."""
        if rows:
            cursor.executemany(self._insert, rows)
        if self._over:
            cursor.executemany(self._delete, self._over)
            self._over.clear()


def banked(connection: Connection, tournament_id: int) -> Mapping[tuple[int, int], tuple[Banked, ...]]:
    """Answers that were paid for in turns that were never finished, by match and ply."""
    found: dict[tuple[int, int], list[Banked]] = {}
    for row in _rows(connection, tournament_id):
        if row["answer"] is not None:
            answer = answer_from_json(json.loads(row["answer"]))
            one = Banked(model=row["model"], key=row["request_key"], answer=answer)
            found.setdefault((row["match_id"], row["ply"]), []).append(one)
    return {place: tuple(answers) for place, answers in found.items()}


def account_of(connection: Connection, tournament_id: int) -> Account:
    """What all calls of a tournament came to so far."""
    calls, attempts, receipts, matches = (_T[name] for name in ("model_calls", "call_attempts", "receipts", "matches"))
    account = Account()
    for table in (calls, receipts):
        n, prompt, completion, cost, n_known = connection.execute(
            select(
                func.count(),
                func.sum(table.c.prompt_tokens),
                func.sum(table.c.completion_tokens),
                func.sum(table.c.cost_usd),
                func.count(table.c.cost_usd),
            )
            .select_from(table.join(matches, matches.c.id == table.c.match_id))
            .where(matches.c.tournament_id == tournament_id)
        ).one()
        spend = Spend(
            model_calls=int(n),
            prompt_tokens=int(prompt or 0),
            completion_tokens=int(completion or 0),
            cost_usd=float(cost or 0.0),
        )
        account = Account(account.known + spend, account.unsure_usd, account.n_unknown + int(n) - int(n_known))
    for table in (attempts, receipts):
        unsure = connection.execute(
            select(func.sum(table.c.at_most_usd))
            .select_from(table.join(matches, matches.c.id == table.c.match_id))
            .where(matches.c.tournament_id == tournament_id)
        ).scalar()
        account = Account(account.known, account.unsure_usd + float(unsure or 0.0), account.n_unknown)
    return account


def _rows(connection: Connection, tournament_id: int) -> Sequence[Any]:
    receipts, matches = _T["receipts"], _T["matches"]
    return (
        connection.execute(
            select(receipts)
            .select_from(receipts.join(matches, matches.c.id == receipts.c.match_id))
            .where(matches.c.tournament_id == tournament_id)
            .order_by(receipts.c.match_id, receipts.c.ply, receipts.c.number)
        )
        .mappings()
        .all()
    )
