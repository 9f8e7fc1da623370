"""Plays of board games: what a seat meant, looked at again and played, with what a judge says of each."""

from __future__ import annotations

from collections.abc import Iterable

from stratarena.agents.plan import Cause
from stratarena.analysis.process import RIGHT_WITHIN, Play, Update
from stratarena.arena.reconsider import Reconsideration, reconsiderations
from stratarena.db.records import BoardRecord
from stratarena.games.base import Move, Seat

__all__ = ["plays_of_boards"]


def plays_of_boards(records: Iterable[BoardRecord]) -> tuple[Play, ...]:
    """Both sides of every match in which a plan was declared or a move was graded."""
    found = []
    for record in records:
        again = reconsiderations(record.declared, {ply: move for ply, (_, move) in record.played.items()})
        found += [_play(record, seat, [turn for turn in again if turn.seat is seat]) for seat in Seat]
    return tuple(found)


def _play(record: BoardRecord, seat: Seat, again: list[Reconsideration]) -> Play:
    regrets = [
        (grade.best_value - grade.value) / 2
        for ply, (mover, move) in record.played.items()
        if mover is seat and (grade := record.grades.get((ply, move))) is not None and grade.value is not None
    ]
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
        regrets=tuple(regrets),
    )


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
    )


def _judged(record: BoardRecord, ply: int, move: Move) -> tuple[bool | None, bool]:
    """Whether a move was right, and whether it was against the rules; ungraded is neither."""
    grade = record.grades.get((ply, move))
    if grade is None:
        return None, False
    if grade.value is None:
        return False, True
    return (grade.best_value - grade.value) / 2 <= RIGHT_WITHIN, False
