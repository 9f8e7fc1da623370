"""Gradings in the record: what judges said of positions, and how good the moves of matches were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import Engine, func, insert, select

from stratarena.agents.engines.base import centipawns_of
from stratarena.arena.grading import Considered, Evaluation, Grade
from stratarena.db.connect import told
from stratarena.db.records import MatchRecord
from stratarena.db.schema import metadata
from stratarena.games.base import Move
from stratarena.games.notation.record import Evaluation as Evaluated

__all__ = ["GradingStore", "read_centipawns"]

_T = metadata.tables
_SCORE = re.compile(r"(cp|mate) (-?[0-9]{1,8})")


def read_centipawns(engine: Engine, match: MatchRecord) -> dict[int, Evaluated]:
    """What a UCI engine said of the positions after the moves of a match, by the ply of the move, from FIRST's side.

    Of several engines the one that graded most moves. Of a move that was the engine's own it is what it said before the
    move, if the position after it was not looked at; a mate is then left out, since its length is not known.
    """
    gradings, judges, turns, evaluations = (_T[name] for name in ("gradings", "judges", "turns", "evaluations"))
    after = (
        (evaluations.c.judge_id == gradings.c.judge_id)
        & (evaluations.c.game == match.game)
        & (evaluations.c.digest == turns.c.digest)
    )
    query = (
        select(gradings.c.judge_id, gradings.c.ply, gradings.c.seat, gradings.c.value, evaluations.c.score)
        .select_from(
            gradings.join(judges, judges.c.id == gradings.c.judge_id)
            .join(turns, (turns.c.match_id == gradings.c.match_id) & (turns.c.ply == gradings.c.ply))
            .outerjoin(evaluations, after)
        )
        .where(
            (gradings.c.match_id == match.match_id)
            & (gradings.c.place == 0)
            & gradings.c.value.is_not(None)
            & judges.c.name.like("uci(%")
        )
    )
    by_judge: dict[int, dict[int, Evaluated]] = {}
    with told(engine.url.render_as_string(hide_password=False)), engine.connect() as connection:
        for judge, ply, seat, value, score in connection.execute(query):
            sign = 1 if seat == "first" else -1
            found = _SCORE.fullmatch(score or "")
            if found is not None:
                # Said by the side to move after the move, which is the other one.
                number = -sign * int(found[2])
                said = Evaluated(centipawns=number) if found[1] == "cp" else Evaluated(mate=number)
            elif abs(value) < 1:
                said = Evaluated(centipawns=sign * round(centipawns_of(value)))
            else:
                continue
            by_judge.setdefault(judge, {})[ply] = said
    return max(by_judge.values(), key=len, default={})


class GradingStore:
    """One judge's place in a database. A match is graded whole or not at all; positions are kept with it.

    Not for two threads at once.
    """

    def __init__(self, engine: Engine, *, name: str, identity: str) -> None:
        self._engine = engine
        self._url = engine.url.render_as_string(hide_password=False)
        self._fresh: dict[tuple[str, str], Evaluation] = {}
        judges = _T["judges"]
        mine = (judges.c.name == name) & (judges.c.identity == identity)
        with told(self._url), engine.begin() as connection:
            found = connection.execute(select(judges.c.id).where(mine)).scalar()
            if found is None:
                found = connection.execute(select(func.coalesce(func.max(judges.c.id), 0))).scalar_one() + 1
                connection.execute(insert(judges).values(id=found, name=name, identity=identity))
        self._judge_id = int(found)

    def graded(self, match_ids: Iterable[int]) -> frozenset[int]:
        """Those of these matches that the judge has graded."""
        table = _T["gradings"]
        query = select(table.c.match_id).where(table.c.judge_id == self._judge_id).distinct()
        with told(self._url), self._engine.connect() as connection:
            known = {match_id for (match_id,) in connection.execute(query)}
        return frozenset(known.intersection(match_ids))

    def get(self, game: str, digest: str) -> Evaluation | None:
        """What the judge said of a position, in this database or since it was opened."""
        fresh = self._fresh.get((game, digest))
        if fresh is not None:
            return fresh
        table = _T["evaluations"]
        query = select(table).where(
            (table.c.judge_id == self._judge_id) & (table.c.game == game) & (table.c.digest == digest)
        )
        with told(self._url), self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Evaluation(row["value"], Move(row["best"]), row["score"], row["exact"])

    def put(self, game: str, digest: str, evaluation: Evaluation) -> None:
        """Remember it; durable with the next match that is stored."""
        self._fresh[game, digest] = evaluation

    def store(self, match_id: int, turns: Sequence[tuple[Considered, Sequence[Grade]]]) -> None:
        """Make the grades of a match durable, with the positions that were evaluated on the way."""
        evaluations = [
            {
                "judge_id": self._judge_id,
                "game": game,
                "digest": digest,
                "value": found.value,
                "best": found.best,
                "score": found.score,
                "exact": found.exact,
            }
            for (game, digest), found in self._fresh.items()
        ]
        grades = [
            {
                "match_id": match_id,
                "ply": turn.ply,
                "judge_id": self._judge_id,
                # Without a played move there is no place 0.
                "place": place,
                "seat": turn.seat.value,
                "move": grade.move,
                "legal": grade.value is not None,
                "value": grade.value,
                "best": grade.best,
                "best_value": grade.best_value,
                "exact": grade.exact,
            }
            for turn, given in turns
            for place, grade in enumerate(given, start=0 if turn.played is not None else 1)
        ]
        with told(self._url), self._engine.begin() as connection:
            if evaluations:
                connection.execute(insert(_T["evaluations"]), evaluations)
            if grades:
                connection.execute(insert(_T["gradings"]), grades)
        self._fresh.clear()
