"""Plays of board games: what a seat meant, looked at again and played, with what a judge says of each."""

from __future__ import annotations

import math
from collections.abc import Iterable

from stratarena.agents.engines.base import centipawns_of
from stratarena.agents.plan import Cause
from stratarena.analysis.process import RIGHT_WITHIN, Play, Update
from stratarena.arena.reconsider import Reconsideration, reconsiderations
from stratarena.db.records import BoardRecord
from stratarena.games.base import Move, Seat

__all__ = ["centipawns", "plays_of_boards"]

_MOST_CENTIPAWNS = 1000.0
"""A loss of more says nothing more."""


def plays_of_boards(records: Iterable[BoardRecord]) -> tuple[Play, ...]:
    """Both sides of every match in which a plan was declared or a move was graded."""
    found = []
    for record in records:
        again = reconsiderations(record.declared, {ply: move for ply, (_, move) in record.played.items()})
        found += [_play(record, seat, [turn for turn in again if turn.seat is seat]) for seat in Seat]
    return tuple(found)


def _play(record: BoardRecord, seat: Seat, again: list[Reconsideration]) -> Play:
    grades = [
        grade
        for ply, (mover, move) in record.played.items()
        if mover is seat and (grade := record.grades.get((ply, move))) is not None and grade.value is not None
    ]
    by_engine = record.judge is not None and record.judge.partition("(")[0] == "uci"
    foreseen, kept, whatever = _lines(record, seat)
    return Play(
        match_id=record.match_id,
        game=record.game,
        agent=record.first if seat is Seat.FIRST else record.second,
        opponent=record.second if seat is Seat.FIRST else record.first,
        seat=seat,
        updates_first=seat is Seat.FIRST,
        updates=tuple(_update(record, turn) for turn in again),
        looks=(),
        rounds=((1, record.winner is seat, None),),
        n_turns=record.n_turns[seat],
        n_overspent=record.n_overspent[seat],
        judge=record.judge,
        regrets=tuple((grade.best_value - (grade.value or 0.0)) / 2 for grade in grades),
        centipawns_lost=tuple(centipawns(grade.best_value) - centipawns(grade.value or 0.0) for grade in grades)
        if by_engine
        else (),
        foreseen=foreseen,
        kept_lines=kept,
        kept_whatever=whatever,
    )


def centipawns(value: float) -> float:
    """What a UCI engine's value from -1 to 1 was in centipawns (`agents.engines.uci`), cut at 1000; mates are 1000."""
    if abs(value) >= 1:
        return math.copysign(_MOST_CENTIPAWNS, value)
    return max(-_MOST_CENTIPAWNS, min(_MOST_CENTIPAWNS, centipawns_of(value)))


def _lines(record: BoardRecord, seat: Seat) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """How the lines that stood when their first move was played went on: replies foreseen, own moves kept after them,
    own moves kept whatever the reply; each as (hits, chances)."""
    standing = {plan.ply: plan.moves for plan in record.declared if plan.seat is seat and plan.moves}
    hits, n, kept, due, kept_any, due_any = 0, 0, 0, 0, 0, 0
    played = record.played
    for ply, line in standing.items():
        if ply not in played or played[ply][1] != line[0] or len(line) < 2 or ply + 1 not in played:
            continue
        foresaw = played[ply + 1][1] == line[1]
        n += 1
        hits += foresaw
        if len(line) > 2 and ply + 2 in played and played[ply + 2][0] is seat:
            as_planned = played[ply + 2][1] == line[2]
            due_any += 1
            kept_any += as_planned
            due += foresaw
            kept += foresaw and as_planned
    return (hits, n), (kept, due), (kept_any, due_any)


def _update(record: BoardRecord, turn: Reconsideration) -> Update:
    refused = turn.cause is Cause.REFUSED
    right_before, broken_before = _judged(record, turn.ply, turn.before)
    right_after, broken_after = _judged(record, turn.ply, turn.after)
    return Update(
        revised=turn.changed,
        right_before=False if refused else right_before,
        right_after=right_after,
        broken_before=refused or broken_before,
        broken_after=broken_after,
        cause=None if turn.cause is None else turn.cause.value,
    )


def _judged(record: BoardRecord, ply: int, move: Move) -> tuple[bool | None, bool]:
    """Whether a move was right, and whether it was against the rules; ungraded is neither."""
    grade = record.grades.get((ply, move))
    if grade is None:
        return None, False
    if grade.value is None:
        return False, True
    return (grade.best_value - grade.value) / 2 <= RIGHT_WITHIN, False
