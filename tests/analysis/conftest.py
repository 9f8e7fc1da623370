"""A small league written by hand, and a reader that gives it out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from records_by_hand import BEGAN_MS, CAPPED, DRAWN, match, turn, won

from stratarena.arena.specs import Ending, Verdict
from stratarena.db.records import (
    AgentRecord,
    BoardRecord,
    FaultRecord,
    ForecastRecord,
    MatchRecord,
    PlyRecord,
    SeriesRecord,
    SideRecord,
    TournamentRecord,
    TurnRecord,
)
from stratarena.games.base import Seat


@dataclass
class StillReader:
    """Gives out what it was made of, by the names of `db.reader.Reader`."""

    record: TournamentRecord
    attempts: Sequence[MatchRecord]
    turn_list: Sequence[tuple[str, TurnRecord]] = ()
    refusal_list: Sequence[tuple[int, Seat, str]] = ()
    fault_list: Sequence[FaultRecord] = field(default_factory=tuple)

    def tournament(self, name: str | None) -> TournamentRecord:
        """The only one."""
        return self.record

    def matches(self, tournament: TournamentRecord, *, all_attempts: bool = False) -> tuple[MatchRecord, ...]:
        """All attempts, or of each match the last one."""
        return tuple(self.attempts) if all_attempts else tuple({one.key: one for one in self.attempts}.values())

    def turns(self, tournament: TournamentRecord) -> Iterator[tuple[str, TurnRecord]]:
        """As given."""
        return iter(self.turn_list)

    def refusals(self, tournament: TournamentRecord) -> tuple[tuple[int, Seat, str], ...]:
        """As given."""
        return tuple(self.refusal_list)

    def sides(self, tournament: TournamentRecord) -> Iterator[SideRecord]:
        """Made of the turns, a turn each, as the database would add them up."""
        plies = {one.match_id: one.plies for one in self.attempts if one.verdict is not None}
        for _, one in sorted(self.turn_list, key=lambda item: (item[1].match_id, item[1].seat.value, item[1].ply)):
            asked = one.model_calls > 0
            clean = one.n_refused == 0 and one.move is not None and one.verdict in (None, "ok", "over_budget")
            yield SideRecord(
                match_id=one.match_id,
                seat=one.seat,
                third=None if one.match_id not in plies else min(3 * one.ply // max(plies[one.match_id], 1), 2),
                turns=1,
                legal_at_once=int(clean),
                asked=int(asked),
                model_calls=one.model_calls,
                tokens=one.prompt_tokens + one.completion_tokens if asked else 0,
                searched=int(one.nodes > 0),
                nodes=one.nodes,
                think_ms=one.think_ms,
                wait_ms=one.wait_ms,
                cost_usd=one.cost_usd,
                overrun=int(one.n_overruns > 0),
            )

    def plies(self, tournament: TournamentRecord) -> Iterator[PlyRecord]:
        """Made of the turns that are not in void matches."""
        games = {
            one.match_id: one.game
            for one in self.attempts
            if one.verdict is None or one.verdict.ending is not Ending.VOID
        }
        for agent, one in self.turn_list:
            if one.match_id in games:
                clean = one.n_refused == 0 and one.move is not None
                yield PlyRecord(
                    agent=agent, game=games[one.match_id], ten=one.ply // 10, turns=1, legal_at_once=int(clean)
                )

    def forecasts(self, tournament: TournamentRecord) -> Iterator[ForecastRecord]:
        """Made of the turns with a confidence."""
        over = {one.match_id for one in self.attempts if one.verdict and one.verdict.ending is not Ending.VOID}
        for _, one in sorted(self.turn_list, key=lambda item: (item[1].match_id, item[1].seat.value)):
            if one.confidence is not None and one.match_id in over:
                yield ForecastRecord(
                    match_id=one.match_id,
                    seat=one.seat,
                    tenth=min(int(10 * one.confidence), 9),
                    n=1,
                    stated=one.confidence,
                    squared=one.confidence**2,
                )

    def series(self, tournament: TournamentRecord, matches_read: object = None) -> tuple[SeriesRecord, ...]:
        """None: the league plays on a board."""
        return ()

    def boards(self, tournament: TournamentRecord, matches_read: object = None) -> Iterator[BoardRecord]:
        """None: nobody declared a plan, and nobody graded a move."""
        return iter(())

    def search_sums(self, tournament: TournamentRecord, matches_read: object = None) -> tuple[()]:
        """None: nobody searched a tree."""
        return ()

    def searches(self, tournament: TournamentRecord, kind: object, matches_read: object = None) -> tuple[()]:
        """None: nobody wrote a search."""
        return ()

    def faults(self, tournament: TournamentRecord) -> tuple[FaultRecord, ...]:
        """As given."""
        return tuple(self.fault_list)


def tournament(agents: Sequence[tuple[str, str]], *, source: str = 'name = "small"\n') -> TournamentRecord:
    """A tournament of agents given as name and kind."""
    return TournamentRecord(
        tournament_id=1,
        name="small",
        spec={"name": "small"},
        source=source,
        seed=42,
        created_ms=BEGAN_MS,
        program_version="0.1.0",
        source_revision="0123abc",
        python_version="3.11.7",
        packages={"sqlalchemy": "2.1.9", "chess": "1.11.2"},
        agents=tuple(AgentRecord(name=name, kind=kind, params={}) for name, kind in agents),
        identities={"model:tiny": {"weights": "sha256:00", "kind": "scripted"}},
    )


def small_league(names: Sequence[str] = ("dice", "grabber", "talker", "picker")) -> StillReader:
    """Four agents, two games, and one of everything that can happen to a match."""
    dice, grabber, talker, picker = names
    forfeit = Verdict.forfeit(Seat.FIRST, "illegal")
    attempts = [
        match(1, dice, grabber, won(Seat.SECOND)),
        match(2, grabber, dice, won(Seat.FIRST)),
        match(3, dice, talker, DRAWN, plies=42),
        match(4, talker, dice, forfeit, plies=3),
        match(5, grabber, picker, CAPPED, plies=20),
        match(6, picker, grabber, won(Seat.SECOND)),
        match(7, dice, picker, Verdict.void("model_failed"), plies=2),
        match(8, dice, picker, won(Seat.FIRST), attempt=2),
        match(9, picker, dice, None, plies=4),
        match(10, grabber, talker, won(Seat.FIRST, "connected"), game="hex(size=5)"),
        match(11, talker, grabber, won(Seat.FIRST, "connected"), game="hex(size=5)"),
    ]
    asked = {"model_calls": 1, "prompt_tokens": 100, "completion_tokens": 3, "think_ms": 40.0, "cost_usd": None}
    turns = [
        (dice, turn(1, 0, Seat.FIRST)),
        (grabber, turn(1, 1, Seat.SECOND, nodes=7)),
        (talker, turn(3, 1, Seat.SECOND, **asked)),
        (talker, turn(4, 0, Seat.FIRST, **{**asked, "model_calls": 2, "prompt_tokens": 220, "n_refused": 1})),
        (talker, turn(4, 2, Seat.FIRST, **{**asked, "model_calls": 3, "n_refused": 3, "move": None, "digest": None})),
        (picker, turn(7, 1, Seat.SECOND, **{**asked, "move": None, "digest": None, "completion_tokens": 0})),
        (picker, turn(8, 1, Seat.SECOND, **{**asked, "completion_tokens": 0})),
    ]
    refusals = [(4, Seat.FIRST, kind) for kind in ("malformed", "illegal", "illegal", "illegal")]
    faults = [
        FaultRecord(
            key=attempts[6].key, attempt=1, ply=1, seat=Seat.SECOND, place="model", error="ModelError: out of memory"
        )
    ]
    kinds = ("random", "greedy", "llm", "llm_likelihood")
    return StillReader(tournament(tuple(zip(names, kinds, strict=True))), attempts, turns, refusals, faults)


@pytest.fixture
def league() -> StillReader:
    """The small league."""
    return small_league()


@pytest.fixture
def make_league() -> object:
    """The function that makes the small league with other names."""
    return small_league
