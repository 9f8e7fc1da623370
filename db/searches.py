"""What agents' searches looked at, read back with the moves that came of them and what judges say of the positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, func, select

from stratarena.agents.budget import Spend
from stratarena.agents.tree import TreeKind
from stratarena.arena.events import Event, Searched, TurnClosed
from stratarena.db.connect import told
from stratarena.db.records import MatchRecord, SearchRecord, SearchSum
from stratarena.db.schema import metadata
from stratarena.games.base import Move, Seat

__all__ = ["read_search_sums", "read_searches"]

_T = metadata.tables


def read_searches(
    engine: Engine, matches: Sequence[MatchRecord], kind: TreeKind, events: Callable[[int], Sequence[Event]]
) -> Iterator[SearchRecord]:
    """Every search of this kind in these matches, match by match. `events` gives what happened in a match.

    Evaluations are those of one judge a game: the one that evaluated most positions of it, of several the latest.
    """
    searches = _T["searches"]
    url = engine.url.render_as_string(hide_password=False)
    with told(url), engine.connect() as connection:
        query = select(searches.c.match_id).where(searches.c.kind == kind.value).distinct()
        there = {match_id for (match_id,) in connection.execute(query)}
    judged: dict[str, tuple[str | None, Mapping[str, float]]] = {}
    for match in matches:
        if match.match_id in there:
            if match.game not in judged:
                judged[match.game] = _evaluations(engine, url, match.game)
            yield from _of_match(match, events(match.match_id), kind, *judged[match.game])


def _evaluations(engine: Engine, url: str, game: str) -> tuple[str | None, Mapping[str, float]]:
    """A judge's name, and what it said of positions of the game."""
    table, judges = _T["evaluations"], _T["judges"]
    with told(url), engine.connect() as connection:
        counts = connection.execute(
            select(table.c.judge_id, func.count()).where(table.c.game == game).group_by(table.c.judge_id)
        ).all()
        if not counts:
            return None, {}
        judge_id, _ = max(counts, key=lambda each: (each[1], each[0]))
        name = connection.execute(select(judges.c.name).where(judges.c.id == judge_id)).scalar_one()
        mine = (table.c.game == game) & (table.c.judge_id == judge_id)
        rows = connection.execute(select(table.c.digest, table.c.value).where(mine)).all()
    return str(name), dict(map(tuple, rows))


def _of_match(
    match: MatchRecord, events: Sequence[Event], kind: TreeKind, judge: str | None, evaluations: Mapping[str, float]
) -> Iterator[SearchRecord]:
    turns: dict[int, TurnClosed] = {event.ply: event.body for event in events if isinstance(event.body, TurnClosed)}
    told_last = {event.ply: event.seq for event in events if isinstance(event.body, Searched)}
    moves: list[Move] = list(match.opening_moves)
    made = {ply: turn.move for ply, turn in turns.items() if turn.move is not None}
    while len(moves) in made:
        moves.append(made[len(moves)])
    for event in events:
        body: Any = event.body
        if not isinstance(body, Searched) or body.tree.kind is not kind or event.seat is None:
            continue
        turn = turns.get(event.ply)
        last = turn is not None and told_last[event.ply] == event.seq
        yield SearchRecord(
            match_id=match.match_id,
            game=match.game,
            agent=match.first if event.seat is Seat.FIRST else match.second,
            seat=event.seat,
            ply=event.ply,
            start=match.start,
            moves=tuple(moves[: event.ply]),
            tree=body.tree,
            spend=body.spend,
            played=turn.move if turn is not None and last else None,
            fallback=turn.fallback if turn is not None and last else None,
            judge=judge,
            evaluations=evaluations,
        )


def read_search_sums(engine: Engine, matches: Sequence[MatchRecord]) -> tuple[SearchSum, ...]:
    """Every search in these matches without its nodes, in the order of matches and turns."""
    table = _T["searches"]
    wanted = {match.match_id: match for match in matches}
    with told(engine.url.render_as_string(hide_password=False)), engine.connect() as connection:
        rows = connection.execute(select(table).order_by(table.c.match_id, table.c.seq)).mappings().all()
    return tuple(
        SearchSum(
            match_id=row["match_id"],
            game=wanted[row["match_id"]].game,
            agent=wanted[row["match_id"]].agent_at(Seat(row["seat"])),
            kind=TreeKind(row["kind"]),
            method=row["method"],
            simulations=row["simulations"],
            n_nodes=row["n_nodes"],
            depth=row["depth"],
            first_move=None if row["first_move"] is None else Move(row["first_move"]),
            last_move=Move(row["line"].split()[0]) if row["line"] else None,
            ended=row["ended"],
            spend=Spend(
                model_calls=row["model_calls"],
                nodes=row["nodes"],
                prompt_tokens=row["prompt_tokens"],
                completion_tokens=row["completion_tokens"],
                think_ms=row["think_ms"],
                cost_usd=row["cost_usd"],
            ),
        )
        for row in rows
        if row["match_id"] in wanted
    )
