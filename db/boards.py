"""What was meant, played and graded on boards, read back match by match."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, and_, func, select

from stratarena.agents.plan import Cause
from stratarena.arena.reconsider import Declared
from stratarena.db.connect import told
from stratarena.db.records import BoardRecord, GradeRecord, MatchRecord
from stratarena.db.schema import metadata
from stratarena.games.base import Move, Seat

__all__ = ["PlanGrades", "read_boards", "read_plan_grades"]

_T = metadata.tables


class PlanGrades(NamedTuple):
    """What was declared in turns in which a move is a plan, and how it was graded; turns by match and ply."""

    judges: Mapping[str, str]
    """By game."""
    declared: Mapping[tuple[int, int], Sequence[Move]]
    played: Mapping[tuple[int, int], GradeRecord]
    """Of the plan in play after the turn."""
    grades: Mapping[tuple[int, int], Mapping[Move, GradeRecord]]


# Looking a member up by its value calls the enum, which at millions of rows is a third of the time.
_SEATS = {seat.value: seat for seat in Seat}
_CAUSES = {cause.value: cause for cause in Cause}
_AT_ONCE = 500
"""Matches read together: bounds memory, whatever the size of the tournament."""


def read_boards(engine: Engine, matches: Sequence[MatchRecord]) -> Iterator[BoardRecord]:
    """Those of these matches in which a plan was declared or a move was graded, games of plans left out.

    Grades are those of one judge a game: the one that graded most moves in these matches, of several the latest.
    """
    by_id = {match.match_id: match for match in matches}
    url = engine.url.render_as_string(hide_password=False)
    with told(url), engine.connect() as connection:

        def rows(query: Select[Any]) -> Sequence[Any]:
            # The driver's own cursor: at millions of rows SQLAlchemy's care for each of them is half of the time. Whole
            # numbers of ours are all that is written into the text.
            cursor = connection.connection.cursor()
            cursor.execute(str(query.compile(connection, compile_kwargs={"literal_binds": True})))
            return cursor.fetchall()

        plans, gradings, answers = _T["plans"], _T["gradings"], _T["submissions"]
        of_plans = {match_id for (match_id,) in rows(select(answers.c.match_id).distinct())}
        graded = rows(
            select(gradings.c.match_id, gradings.c.judge_id, func.count()).group_by(
                gradings.c.match_id, gradings.c.judge_id
            )
        )
        there = {match_id for (match_id,) in rows(select(plans.c.match_id).distinct())}
        there |= {match_id for match_id, _, _ in graded}
        names = dict(rows(select(_T["judges"].c.id, _T["judges"].c.name)))
        judges = {game: (number, names[number]) for game, number in _judges(graded, by_id).items()}
        wanted = sorted((there & by_id.keys()) - of_plans)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            yield from _read(rows, {match_id: by_id[match_id] for match_id in some}, judges)


def read_plan_grades(engine: Engine, matches: Sequence[MatchRecord]) -> PlanGrades:
    """What was declared and how it was graded in these matches, whose moves are plans.

    Grades are those of one judge a game, as in `read_boards`.
    """
    by_id = {match.match_id: match for match in matches}
    url = engine.url.render_as_string(hide_password=False)
    declared: dict[tuple[int, int], list[Move]] = {}
    played: dict[tuple[int, int], GradeRecord] = {}
    grades: dict[tuple[int, int], dict[Move, GradeRecord]] = {}
    plans, gradings = _T["plans"], _T["gradings"]
    with told(url), engine.connect() as connection:

        def rows(query: Select[Any]) -> Sequence[Any]:
            return connection.execute(query).all()

        counts = select(gradings.c.match_id, gradings.c.judge_id, func.count())
        judges = _judges(rows(counts.group_by(gradings.c.match_id, gradings.c.judge_id)), by_id)
        names = dict(rows(select(_T["judges"].c.id, _T["judges"].c.name)))
        wanted = sorted(by_id)
        for start in range(0, len(wanted), _AT_ONCE):
            first, last = wanted[start], wanted[start : start + _AT_ONCE][-1]
            for match_id, ply, line in rows(
                select(plans.c.match_id, plans.c.ply, plans.c.moves)
                .where(plans.c.match_id.between(first, last))
                .order_by(plans.c.match_id, plans.c.seq)
            ):
                if match_id in by_id:
                    declared.setdefault((match_id, ply), []).append(Move(line))
            for match_id, ply, place, move, value, best_value, judge in rows(
                select(
                    gradings.c.match_id,
                    gradings.c.ply,
                    gradings.c.place,
                    gradings.c.move,
                    gradings.c.value,
                    gradings.c.best_value,
                    gradings.c.judge_id,
                ).where(gradings.c.match_id.between(first, last))
            ):
                if match_id in by_id and judge == judges[by_id[match_id].game]:
                    grade = GradeRecord(value, best_value)
                    grades.setdefault((match_id, ply), {})[Move(move)] = grade
                    if place == 0:
                        played[match_id, ply] = grade
    return PlanGrades({game: names[judge] for game, judge in judges.items()}, declared, played, grades)


def _judges(graded: Sequence[Any], by_id: Mapping[int, MatchRecord]) -> dict[str, int]:
    """The judge of each game."""
    counts: dict[str, Counter[int]] = {}
    for match_id, judge, n in graded:
        if match_id in by_id:
            counts.setdefault(by_id[match_id].game, Counter())[judge] += n
    return {game: max(found, key=lambda judge: (found[judge], judge)) for game, found in counts.items()}


def _read(rows: Any, wanted: Mapping[int, MatchRecord], judges: Mapping[str, tuple[int, str]]) -> Iterator[BoardRecord]:
    plans, revisions, moves, turns = _T["plans"], _T["revisions"], _T["moves"], _T["turns"]
    overruns, gradings = _T["overruns"], _T["gradings"]
    caused = and_(revisions.c.match_id == plans.c.match_id, revisions.c.seq == plans.c.seq)
    # Millions of rows pass here: named tuples, and no call for what is a name to the type checker only.
    declared: defaultdict[int, list[Declared]] = defaultdict(list)
    for match_id, ply, seat, line, cause in rows(
        select(plans.c.match_id, plans.c.ply, plans.c.seat, plans.c.moves, revisions.c.cause)
        .select_from(plans.outerjoin(revisions, caused))
        .where(plans.c.match_id.in_(wanted))
        .order_by(plans.c.match_id, plans.c.seq)
    ):
        declared[match_id].append(Declared(ply, _SEATS[seat], tuple(line.split()), _CAUSES[cause] if cause else None))
    played: defaultdict[int, dict[int, tuple[Seat, Move]]] = defaultdict(dict)
    for match_id, ply, seat, move in rows(
        select(moves.c.match_id, moves.c.ply, moves.c.seat, moves.c.move).where(
            moves.c.match_id.in_(wanted) & (moves.c.source != "opening")
        )
    ):
        played[match_id][ply] = (_SEATS[seat], move)
    grades: defaultdict[int, dict[tuple[int, Move], GradeRecord]] = defaultdict(dict)
    for match_id, ply, move, value, best_value, judge in rows(
        select(
            gradings.c.match_id,
            gradings.c.ply,
            gradings.c.move,
            gradings.c.value,
            gradings.c.best_value,
            gradings.c.judge_id,
        ).where(gradings.c.match_id.in_(wanted))
    ):
        if judge == judges[wanted[match_id].game][0]:
            grades[match_id][ply, move] = GradeRecord(value, best_value)
    taken = _count(rows, select(turns.c.match_id, turns.c.seat, func.count()), turns, wanted)
    over = _count(
        rows, select(overruns.c.match_id, overruns.c.seat, func.count(overruns.c.ply.distinct())), overruns, wanted
    )
    for match_id, match in wanted.items():
        yield BoardRecord(
            match_id=match_id,
            game=match.game,
            first=match.first,
            second=match.second,
            winner=match.verdict.winner if match.verdict else None,
            declared=tuple(declared.get(match_id, ())),
            played=played.get(match_id, {}),
            judge=judges[match.game][1] if match.game in judges else None,
            grades=grades.get(match_id, {}),
            n_turns={seat: taken.get((match_id, seat), 0) for seat in Seat},
            n_overspent={seat: over.get((match_id, seat), 0) for seat in Seat},
        )


def _count(rows: Any, query: Select[Any], table: Any, wanted: Mapping[int, MatchRecord]) -> dict[tuple[int, Seat], int]:
    """A number for each match and seat."""
    counted = query.where(table.c.match_id.in_(wanted)).group_by(table.c.match_id, table.c.seat)
    return {(match_id, _SEATS[seat]): n for match_id, seat, n in rows(counted)}
