"""The record read back: tournaments, matches and turns as plain values, and a match's events as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Engine, Select, func, select, text

from stratarena.agents.models.base import ModelAnswer, ModelRequest
from stratarena.agents.tree import TreeKind
from stratarena.arena.events import Called, Event
from stratarena.arena.grading import Evaluation
from stratarena.arena.specs import Ending
from stratarena.db.asking import Asking
from stratarena.db.boards import read_boards, read_plan_grades
from stratarena.db.connect import told
from stratarena.db.errors import RecordError
from stratarena.db.gradings import read_centipawns
from stratarena.db.match_events import MatchEvents
from stratarena.db.records import (
    AgentRecord,
    AnswerRecord,
    BoardRecord,
    FaultRecord,
    ForecastRecord,
    Judgement,
    MatchRecord,
    Origin,
    PlyRecord,
    SearchRecord,
    SearchSum,
    SeriesRecord,
    SideRecord,
    TournamentRecord,
    TurnRecord,
)
from stratarena.db.schema import metadata
from stratarena.db.searches import read_search_sums, read_searches
from stratarena.db.sides import read_forecasts, read_plies, read_sides
from stratarena.db.state import verdict_of
from stratarena.db.texts import read_text
from stratarena.games.base import Move, Seat
from stratarena.games.notation.record import Evaluation as StatedEvaluation
from stratarena.games.notation.record import GameRecord, Result

__all__ = ["Reader"]

_T = metadata.tables
_AT_ONCE = 500
"""Positions asked for in one query."""


class Reader(Asking):
    """Reads one database; writes nothing."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._events = MatchEvents(engine)

    def tournaments(self) -> tuple[TournamentRecord, ...]:
        """Every tournament, the oldest first."""
        return tuple(self.tournament(name) for (name,) in self.rows(select(_T["tournaments"].c.name).order_by("id")))

    def tournament(self, name: str | None) -> TournamentRecord:
        """The tournament of this name; None stands for the only one there is.

        Raises:
            RecordError: there is none of this name, or several when no name was given; lists the names.
        """
        tournaments = _T["tournaments"]
        names = [found for (found,) in self.rows(select(tournaments.c.name).order_by(tournaments.c.id))]
        if name is None:
            if len(names) != 1:
                listed = f"there are: {', '.join(names)}; name one" if names else "play one with `stratarena run FILE`"
                raise RecordError(f"the database holds {len(names) or 'no'} tournaments; {listed}")
            name = names[0]
        if name not in names:
            close = get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise RecordError(f"there is no tournament {name!r}; {hint}there are: {', '.join(names) or 'none'}")
        (row,) = self.mappings(select(tournaments).where(tournaments.c.name == name))
        agents, identities, imports = _T["agents"], _T["identities"], _T["imports"]
        here = row["id"]
        origins = self.mappings(select(imports).where(imports.c.tournament_id == here))
        return TournamentRecord(
            tournament_id=here,
            name=name,
            spec=json.loads(row["spec"]),
            source=row["source"],
            seed=row["seed"],
            created_ms=row["created_ms"],
            program_version=row["program_version"],
            source_revision=row["source_revision"],
            python_version=row["python_version"],
            packages=json.loads(row["packages"]),
            agents=tuple(
                AgentRecord(name=agent["name"], kind=agent["kind"], params=json.loads(agent["params"]))
                for agent in self.mappings(select(agents).where(agents.c.tournament_id == here).order_by(agents.c.id))
            ),
            identities={
                f"{kind}:{label}": json.loads(facts)
                for kind, label, facts in self.rows(
                    select(identities.c.kind, identities.c.name, identities.c.facts)
                    .where(identities.c.tournament_id == here)
                    .order_by(identities.c.kind, identities.c.name)
                )
            },
            origin=Origin(**{name: origins[0][name] for name in _ORIGIN_FIELDS}) if origins else None,
        )

    def matches(self, tournament: TournamentRecord, *, all_attempts: bool = False) -> tuple[MatchRecord, ...]:
        """Its matches in the order of the schedule; of one played several times the latest attempt, unless all are wanted."""
        query = self._match_query().where(_T["matches"].c.tournament_id == tournament.tournament_id)
        rows = [self._match(row) for row in self.mappings(query.order_by(_T["matches"].c.id))]
        if all_attempts:
            return tuple(rows)
        latest = {row.key: row for row in rows}
        return tuple(latest.values())

    def match(self, reference: str) -> MatchRecord:
        """The match of this number, key, or end of a key that no other match shares.

        Raises:
            RecordError: there is none, or several; names some of them.
        """
        matches = _T["matches"]
        query = self._match_query()
        if reference.isdecimal():
            rows = self.mappings(query.where(matches.c.id == int(reference)))
            if not rows:
                highest = self.rows(text("SELECT MAX(id) FROM matches"))[0][0]
                there = f"they are numbered 1 to {highest}" if highest else "there are no matches"
                raise RecordError(f"there is no match {reference}; {there}")
            return self._match(rows[0])
        keys = [key for (key,) in self.rows(select(matches.c.key).distinct().order_by(matches.c.key))]
        fitting = [key for key in keys if key == reference] or [key for key in keys if key.endswith(reference)]
        if not fitting:
            close = get_close_matches(reference, keys, n=3, cutoff=0.4)
            hint = f"; nearest: {', '.join(close)}" if close else ""
            raise RecordError(f"there is no match {reference!r}{hint}; see `stratarena list matches`")
        if len(fitting) > 1:
            raise RecordError(f"{len(fitting)} matches end in {reference!r}: {', '.join(fitting[:4])}, …; name one")
        rows = self.mappings(query.where(matches.c.key == fitting[0]).order_by(matches.c.id))
        tournaments = {row["tournament_id"] for row in rows}
        if len(tournaments) > 1:
            numbers = ", ".join(str(row["id"]) for row in rows)
            raise RecordError(f"match {fitting[0]} is in several tournaments; name it by its number: {numbers}")
        return self._match(rows[-1])

    def turns(self, tournament: TournamentRecord) -> Iterator[tuple[str, TurnRecord]]:
        """Every turn of every attempt with the agent's name, match by match."""
        query = text(
            "SELECT v.agent, v.match_id, v.ply, v.seat, v.move, v.digest, v.confidence, v.fallback, v.opened_ms, "
            "v.closed_ms, v.model_calls, v.prompt_tokens, v.completion_tokens, v.nodes, v.think_ms, v.wait_ms, "
            "v.cost_usd, v.refused, v.overruns, v.verdict FROM v_turns v WHERE v.tournament = :name ORDER BY v.match_id, v.ply"
        )
        with told(self.url), self.engine.connect() as connection:
            result = connection.execution_options(stream_results=True).execute(query, {"name": tournament.name})
            for agent, match_id, ply, seat, move, *rest in result:
                yield (
                    agent,
                    TurnRecord(
                        match_id=match_id,
                        ply=ply,
                        seat=Seat(seat),
                        move=None if move is None else Move(move),
                        **dict(zip(_TURN_FIELDS, rest, strict=True)),
                    ),
                )

    def sides(self, tournament: TournamentRecord) -> Iterator[SideRecord]:
        """What each seat did in each third of every attempt at a match."""
        return read_sides(self.engine, tournament)

    def plies(self, tournament: TournamentRecord) -> Iterator[PlyRecord]:
        """Legality by agent, game and tens of plies, void matches left out."""
        return read_plies(self.engine, tournament)

    def forecasts(self, tournament: TournamentRecord) -> Iterator[ForecastRecord]:
        """Stated chances of winning in matches that are over, by match, seat and tenth of the scale."""
        return read_forecasts(self.engine, tournament)

    def series(
        self, tournament: TournamentRecord, matches_read: Sequence[MatchRecord] | None = None
    ) -> tuple[SeriesRecord, ...]:
        """Every match whose moves are plans and that did not end void, as far as it was played; answers in order.

        `matches_read` is what `matches` gave, if it was asked before: at a hundred thousand it takes seconds.
        """
        counted = {match.match_id: match for match in self._counted(tournament, matches_read)}
        answers, rounds, overruns, matches = _T["submissions"], _T["rounds"], _T["overruns"], _T["matches"]
        here = matches.c.tournament_id == tournament.tournament_id
        followed = (rounds.c.match_id == answers.c.match_id) & (rounds.c.ply == answers.c.ply)
        passed = {
            (match_id, ply): number
            for match_id, ply, number in self.rows(
                select(overruns.c.match_id, overruns.c.ply, func.count())
                .select_from(overruns.join(matches, matches.c.id == overruns.c.match_id))
                .where(here)
                .group_by(overruns.c.match_id, overruns.c.ply)
            )
        }
        query = (
            select(answers, rounds.c.label, rounds.c.winner)
            .select_from(answers.join(matches, matches.c.id == answers.c.match_id).outerjoin(rounds, followed))
            .where(here)
            .order_by(answers.c.match_id, answers.c.seq)
        )
        rows = [row for row in self.mappings(query) if row["match_id"] in counted]
        graded = read_plan_grades(self.engine, [counted[match_id] for match_id in {row["match_id"] for row in rows}])
        found: dict[int, list[AnswerRecord]] = {}
        for row in rows:
            turn = row["match_id"], row["ply"]
            found.setdefault(row["match_id"], []).append(
                AnswerRecord(
                    ply=row["ply"],
                    seat=Seat(row["seat"]),
                    verdict=row["verdict"],
                    cost=row["cost"],
                    purse=row["purse"],
                    kept=row["kept"],
                    changed=row["changed"],
                    label=row["label"],
                    winner=Seat(row["winner"]) if row["winner"] else None,
                    n_overruns=passed.get(turn, 0),
                    declared=tuple(graded.declared.get(turn, ())),
                    grade=graded.played.get(turn),
                    grades=graded.grades.get(turn, {}),
                )
            )
        return tuple(
            SeriesRecord(
                match_id=match_id,
                key=counted[match_id].key,
                game=counted[match_id].game,
                first=counted[match_id].first,
                second=counted[match_id].second,
                answers=tuple(given),
                judge=graded.judges.get(counted[match_id].game),
            )
            for match_id, given in found.items()
        )

    def boards(
        self, tournament: TournamentRecord, matches_read: Sequence[MatchRecord] | None = None
    ) -> Iterator[BoardRecord]:
        """Every match that counts in which a plan was declared or a move was graded, games of plans left out."""
        return read_boards(self.engine, self._counted(tournament, matches_read))

    def searches(
        self, tournament: TournamentRecord, kind: TreeKind, matches_read: Sequence[MatchRecord] | None = None
    ) -> Iterator[SearchRecord]:
        """Every search of this kind in matches that count, whole as it was told, in the order of matches and turns."""
        return read_searches(self.engine, self._counted(tournament, matches_read), kind, self.events)

    def search_sums(
        self, tournament: TournamentRecord, matches_read: Sequence[MatchRecord] | None = None
    ) -> tuple[SearchSum, ...]:
        """Every search in matches that count, without its nodes."""
        return read_search_sums(self.engine, self._counted(tournament, matches_read))

    def _counted(self, tournament: TournamentRecord, matches_read: Sequence[MatchRecord] | None) -> list[MatchRecord]:
        """The matches that are over and not void."""
        return [
            match
            for match in (self.matches(tournament) if matches_read is None else matches_read)
            if match.verdict is not None and match.verdict.ending is not Ending.VOID
        ]

    def refusals(self, tournament: TournamentRecord) -> tuple[tuple[int, Seat, str], ...]:
        """Match, seat and kind of every refused answer."""
        refusals, matches = _T["refusals"], _T["matches"]
        query = (
            select(refusals.c.match_id, refusals.c.seat, refusals.c.kind)
            .select_from(refusals.join(matches, matches.c.id == refusals.c.match_id))
            .where(matches.c.tournament_id == tournament.tournament_id)
            .order_by(refusals.c.match_id, refusals.c.seq)
        )
        return tuple((match_id, Seat(seat), kind) for match_id, seat, kind in self.rows(query))

    def faults(self, tournament: TournamentRecord) -> tuple[FaultRecord, ...]:
        """Every fault, by match."""
        faults, matches = _T["faults"], _T["matches"]
        query = (
            select(matches.c.key, matches.c.attempt, faults.c.ply, faults.c.seat, faults.c.place, faults.c.error)
            .select_from(faults.join(matches, matches.c.id == faults.c.match_id))
            .where(matches.c.tournament_id == tournament.tournament_id)
            .order_by(faults.c.match_id, faults.c.seq)
        )
        return tuple(
            FaultRecord(key=key, attempt=attempt, ply=ply, seat=Seat(seat) if seat else None, place=place, error=error)
            for key, attempt, ply, seat, place, error in self.rows(query)
        )

    def events(self, match_id: int) -> list[Event]:
        """Every event of a match as it was written, in order.

        The envelope of a turn's events is whole; a match's own events carry the times of its row.
        """
        return self._events.read(match_id)

    def moves(self, match_id: int) -> tuple[Move, ...]:
        """Every ply of a match, whoever made it."""
        return self._events.moves(match_id)

    def imported_game(self, match: MatchRecord) -> GameRecord:
        """The game as its file told it: what was read is what comes back.

        Raises:
            RecordError: the match was played here.
        """
        games, matches = _T["imported_games"], _T["matches"]
        rows = self.mappings(select(games).where(games.c.match_id == match.match_id))
        if not rows:
            raise RecordError(f"match {match.key} was not imported")
        (row,) = rows
        headers = self._text(row["headers"])
        own_start = self.rows(select(matches.c.opening).where(matches.c.id == match.match_id))[0][0] == "start"
        return GameRecord(
            game=match.game,
            start=None if own_start else match.start,
            moves=tuple(noted for _, noted, _ in self._events.imported_moves(match.match_id)),
            first=row["first"],
            second=row["second"],
            result=Result(row["stated"]),
            headers=tuple((name, value) for name, value in json.loads(headers)),
            comment="" if row["comment"] is None else self._text(row["comment"]),
            n_variations=row["n_variations"],
            n_marks=row["n_marks"],
        )

    def tournament_id(self, match: MatchRecord) -> int:
        """The number of the tournament that a match belongs to."""
        matches = _T["matches"]
        found: int = self.rows(select(matches.c.tournament_id).where(matches.c.id == match.match_id))[0][0]
        return found

    def tournament_of(self, match: MatchRecord) -> TournamentRecord:
        """The tournament that a match belongs to."""
        tournaments = _T["tournaments"]
        query = select(tournaments.c.name).where(tournaments.c.id == self.tournament_id(match))
        return self.tournament(self.rows(query)[0][0])

    def imported_file(self, sha256: str) -> str | None:
        """The name of the tournament that holds the games of a file with this hash, if there is one."""
        imports, tournaments = _T["imports"], _T["tournaments"]
        joined = imports.join(tournaments, tournaments.c.id == imports.c.tournament_id)
        rows = self.rows(select(tournaments.c.name).select_from(joined).where(imports.c.sha256 == sha256))
        return str(rows[0][0]) if rows else None

    def judgement(self, match: MatchRecord, digests: Sequence[str]) -> Judgement | None:
        """What a judge said of these positions of a match: of several the one that graded most of its moves, then the
        latest; None where nobody was asked."""
        gradings, judges, known = _T["gradings"], _T["judges"], _T["evaluations"]
        found = self.rows(
            select(gradings.c.judge_id, judges.c.name)
            .select_from(gradings.join(judges, judges.c.id == gradings.c.judge_id))
            .where(gradings.c.match_id == match.match_id)
            .group_by(gradings.c.judge_id, judges.c.name)
            .order_by(func.count().desc(), gradings.c.judge_id.desc())
            .limit(1)
        )
        if not found:
            return None
        judge_id, name = found[0]
        wanted = list(dict.fromkeys(digests))
        positions: dict[str, Evaluation] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            said = (known.c.judge_id == judge_id) & (known.c.game == match.game)
            said &= known.c.digest.in_(wanted[start : start + _AT_ONCE])
            for row in self.mappings(select(known).where(said)):
                positions[row["digest"]] = Evaluation(row["value"], Move(row["best"]), row["score"], row["exact"])
        return Judgement(judge=name, positions=positions)

    def centipawns(self, match: MatchRecord) -> Mapping[int, StatedEvaluation]:
        """What a chess engine that graded a match said of it, by ply, from FIRST's side; see `stratarena annotate`."""
        return read_centipawns(self.engine, match)

    def answers(self, tournament: TournamentRecord, model: str) -> Iterator[tuple[ModelRequest, ModelAnswer]]:
        """Every answered request to a model, in the order of matches and turns: what a recorded model plays from."""
        for match in self.matches(tournament, all_attempts=True):
            for event in self.events(match.match_id):
                body = event.body
                if isinstance(body, Called) and body.model == model and body.answer is not None:
                    yield body.request, body.answer

    def _text(self, digest: str) -> str:
        with told(self.url), self.engine.connect() as connection:
            return read_text(connection, digest)

    def _match_query(self) -> Select[Any]:
        matches = _T["matches"]
        first, second = _T["agents"].alias("first_agent"), _T["agents"].alias("second_agent")
        imported = _T["imported_games"]
        names = (first.c.name.label("first_name"), second.c.name.label("second_name"))
        return select(matches, *names, imported.c.stated).select_from(
            matches.join(first, first.c.id == matches.c.first_agent_id)
            .join(second, second.c.id == matches.c.second_agent_id)
            .outerjoin(imported, imported.c.match_id == matches.c.id)
        )

    def _match(self, row: Any) -> MatchRecord:
        return MatchRecord(
            match_id=row["id"],
            key=row["key"],
            game=row["game"],
            first=row["first_name"],
            second=row["second_name"],
            round=row["round"],
            pair=row["pair"],
            opening=row["opening"],
            start=row["start"],
            opening_moves=tuple(Move(move) for move in row["opening_moves"].split()),
            seed=row["seed"],
            attempt=row["attempt"],
            opened_ms=row["opened_ms"],
            closed_ms=row["closed_ms"],
            verdict=verdict_of(row),
            plies=row["plies"] or 0,
            stated=row["stated"],
        )


_TURN_FIELDS = (
    "digest",
    "confidence",
    "fallback",
    "opened_ms",
    "closed_ms",
    "model_calls",
    "prompt_tokens",
    "completion_tokens",
    "nodes",
    "think_ms",
    "wait_ms",
    "cost_usd",
    "n_refused",
    "n_overruns",
    "verdict",
)
_ORIGIN_FIELDS = ("file", "sha256", "format", "encoding", "n_refused")
