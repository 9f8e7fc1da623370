"""A recorded match as a game: what each turn's facts become, from FIRST's side and after the move."""

from __future__ import annotations

from contextlib import closing

import pytest

from stratarena.agents.base import Refusal
from stratarena.agents.budget import Spend
from stratarena.agents.engines.base import EngineLine, EngineSpec, Query
from stratarena.arena.config import load_tournament
from stratarena.arena.events import Consulted, Event, MatchClosed, MatchOpened, Refused, TurnClosed
from stratarena.arena.schedule import make_schedule
from stratarena.arena.specs import Ending, Verdict
from stratarena.arena.store import Provenance
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.exporter import game_record
from stratarena.db.reader import Reader
from stratarena.db.recorder import SqlStore
from stratarena.games.base import Move, Seat
from stratarena.games.fide_chess import Chess
from stratarena.games.notation.pgn import write_pgn
from stratarena.games.notation.record import Evaluation, NotedMove, Result

PROVENANCE = Provenance(program_version="0", source_revision=None, python_version="3", packages={})
SOURCE = """
name = "t"
seed = 1
games = ["chess"]

[openings]
chess = "{opening}"

[budgets]
match = {{ think_ms = 10000 }}

[agents.ada]
kind = "random"

[agents.bob]
kind = "random"
"""
AT_MS = 1_714_521_600_000
"""2024-05-01 00:00:00 UTC."""


def exported(tmp_path, turns, verdict, *, opening="start"):
    """The first match with these turns (seat, move, engine's score and value, other facts) as a game, and its record."""
    loaded = load_tournament(SOURCE.format(opening=opening), place="t.toml")
    engine = open_database(str(tmp_path / "x.db"), create=True)
    with closing(SqlStore(engine)) as store:
        (first, *_) = store.enter(loaded.spec, make_schedule(loaded.spec, loaded.games), PROVENANCE)
        opened = len(first.spec.opening.moves)
        seq, ply = 0, opened

        def write(seat, body):
            nonlocal seq
            store.write(Event(first.match_id, seq, ply, seat, AT_MS, body))
            seq += 1

        write(None, MatchOpened())
        for seat, move, score, value, facts in turns:
            if score is not None or value is not None:
                line = EngineLine(move=Move(facts.get("line", move)), value=value, score=score, depth=9, think_ms=1.0)
                query = Query(game="chess", start=first.spec.opening.start, moves=(), seed=1, nodes=5)
                write(seat, Consulted(engine=EngineSpec(kind="uci"), query=query, line=line, wait_ms=0.0))
            for _ in range(facts.get("refused", 0)):
                write(seat, Refused(Refusal("illegal", "e9", "no")))
            digest = None if move is None else "0" * 16
            spend = Spend(think_ms=facts.get("think_ms", 0.0))
            confidence, fallback = facts.get("confidence"), facts.get("fallback")
            write(seat, TurnClosed(seat, 1, AT_MS, move, digest, confidence, fallback, spend, 0.0))
            ply += move is not None
        if verdict is not None:
            write(None, MatchClosed(verdict, ply))
        store.flush()
    reader = Reader(engine)
    tournament = reader.tournament("t")
    match = reader.matches(tournament)[0]
    try:
        return game_record(reader, tournament, match, Chess()), match
    finally:
        engine.dispose()


def test_scores_are_from_the_first_seats_side_after_the_move(tmp_path):
    """Centipawns and mates of both seats; a mate counts one move less for the mover; a line not played says nothing."""
    turns = [
        (Seat.FIRST, Move("e2e4"), "cp 34", 0.1, {"think_ms": 1500.0}),
        (Seat.SECOND, Move("e7e5"), "cp 20", 0.1, {"think_ms": 250.4}),
        (Seat.FIRST, Move("d1h5"), "mate 3", 1.0, {"think_ms": 9000.0}),
        (Seat.SECOND, Move("b8c6"), "mate -2", -1.0, {}),
        (Seat.FIRST, Move("f1c4"), "cp 99", 0.2, {"line": "g1f3"}),
        (Seat.SECOND, Move("g8f6"), "mate 1", 1.0, {}),
    ]
    record, _ = exported(tmp_path, turns, Verdict(ending=Ending.CAP, winner=None, reason="ply_cap"))
    assert record.moves[0] == NotedMove(
        move="e2e4", clock_ms=8500, elapsed_ms=1500, evaluation=Evaluation(centipawns=34, depth=9)
    )
    assert [noted.evaluation and (noted.evaluation.centipawns, noted.evaluation.mate) for noted in record.moves] == [
        (34, None), (-20, None), (None, 2), (None, 2), None, (None, 0),
    ]  # fmt: skip
    assert [noted.clock_ms for noted in record.moves] == [8500, 9750, 0, 9750, 0, 9750]
    assert record.moves[-1].comment == "draw: ply cap"
    assert (record.result, record.header("Termination")) == (Result.DRAWN, "adjudication")
    assert (record.header("Date"), record.header("UTCTime")) == ("2024.05.01", "00:00:00")
    assert "[%eval 0.34,9] [%clk 0:00:08.500] [%emt 0:00:01.500]" in write_pgn(record)


def test_comments_say_what_has_no_notation(tmp_path):
    """Refusals, values without a score, confidence, fallbacks, and at last the forfeit."""
    turns = [
        (Seat.FIRST, Move("e2e4"), "visits 3 of 9", 0.25, {"refused": 2, "confidence": 0.6}),
        (Seat.SECOND, Move("e7e5"), None, None, {"fallback": "out of time"}),
        (Seat.FIRST, None, None, None, {"refused": 3}),
    ]
    record, match = exported(tmp_path, turns, Verdict.forfeit(Seat.FIRST, "illegal"))
    assert [noted.comment for noted in record.moves] == [
        "2 answers refused before; value +0.25 for the mover; believes 60% to win",
        f"fallback: out of time; {match.first} forfeits: illegal",
    ]
    assert (record.result, record.header("Termination")) == (Result.SECOND_WON, "rules infraction")


def test_a_forfeit_before_any_move_is_said_of_the_game(tmp_path):
    """There is no move to say it of."""
    record, match = exported(tmp_path, [(Seat.FIRST, None, None, None, {})], Verdict.forfeit(Seat.FIRST, "agent_fault"))
    assert (record.moves, record.comment) == ((), f"{match.first} forfeits: agent fault")


def test_a_resignation_is_no_infraction(tmp_path):
    """It is said as what it is."""
    turns = [(Seat.FIRST, Move("e2e4"), None, None, {}), (Seat.SECOND, None, None, None, {})]
    record, match = exported(tmp_path, turns, Verdict.forfeit(Seat.SECOND, "resigned"))
    assert (record.result, record.header("Termination")) == (Result.FIRST_WON, "resignation")
    assert record.moves[-1].comment == f"{match.second} resigns"


def test_the_opening_stands_before_the_agents_moves(tmp_path):
    """By name and length; the whole line is legal from the start."""
    record, match = exported(tmp_path, [], Verdict.forfeit(Seat.FIRST, "illegal"), opening="book")
    assert tuple(noted.move for noted in record.moves) == match.opening_moves != ()
    assert record.header("Opening") == match.opening
    assert record.header("OpeningPlies") == str(len(match.opening_moves))


@pytest.mark.parametrize(("verdict", "word"), [(None, "not over"), (Verdict.void("model_failed"), "void")])
def test_a_match_that_counts_for_nobody_is_no_game(tmp_path, verdict, word):
    """It is refused by what it is."""
    with pytest.raises(RecordError, match=word):
        exported(tmp_path, [(Seat.FIRST, Move("e2e4"), None, None, {})], verdict)
