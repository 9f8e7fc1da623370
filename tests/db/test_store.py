"""What is written is what is read, on both kinds of database; what is wrong is refused."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from stratarena.agents.base import Refusal
from stratarena.agents.budget import Overrun, Spend
from stratarena.agents.engines.base import EngineLine, EngineSpec, Query
from stratarena.agents.models.base import Completion, Finish, Message, Request, Sampling, Scores, Scoring
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.tree import NodeCheck, SearchTree, TreeKind, TreeNode
from stratarena.arena.config import load_tournament
from stratarena.arena.events import (
    Appraised,
    Called,
    Consulted,
    Event,
    Faulted,
    MatchClosed,
    MatchOpened,
    Overran,
    Proposed,
    Refused,
    Revised,
    RoundPlayed,
    Searched,
    Submitted,
    TurnClosed,
)
from stratarena.arena.schedule import make_schedule
from stratarena.arena.specs import Ending, Verdict
from stratarena.arena.store import Provenance
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.reader import Reader
from stratarena.db.recorder import SqlStore
from stratarena.db.rows import text_row
from stratarena.db.schema import metadata
from stratarena.db.schema_doc import schema_document
from stratarena.db.texts import unpack
from stratarena.db.views import VIEWS
from stratarena.games.base import Move, Seat, SpecError

PROVENANCE = Provenance(
    program_version="0.0", source_revision="abc+changes", python_version="3.11", packages={"chess": "1.11"}
)
SOURCE = """
name = "{name}"
seed = 9
games = ["connect_four"]
rounds = {rounds}

[openings]
connect_four = "balanced"

[models.m]
kind = "scripted"
answers = ["4"]
price_per_million = [1.0, 2.5]

[agents.a]
kind = "llm"
model = "m"

[agents.b]
kind = "random"
"""


def entered(engine, *, name="t", rounds=1):
    loaded = load_tournament(SOURCE.format(name=name, rounds=rounds), place="t.toml")
    schedule = make_schedule(loaded.spec, loaded.games)
    store = SqlStore(engine)
    try:
        return store, store.enter(loaded.spec, schedule, PROVENANCE)
    except (RecordError, SpecError):
        store.close()
        raise


# Short words are kept in text columns, where PostgreSQL refuses the character that ends strings in C; whole texts are
# kept as bytes, and take every character there is.
words = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
any_text = st.text(st.characters(exclude_categories=[]), max_size=300)
numbers = st.integers(0, 2**31 - 1)
times = st.floats(0, 1e9, allow_nan=False)
costs = st.none() | st.floats(0, 100, allow_nan=False)
plans = st.builds(
    Plan,
    moves=st.lists(st.sampled_from("1234567"), max_size=5).map(tuple),
    cost=st.none() | st.integers(0, 999),
    value=st.none() | st.floats(-1, 1),
    why=any_text,
)
submissions = st.builds(
    Submitted,
    verdict=st.sampled_from(["ok", "over_budget", "illegal", "schema_error", "unparseable"]),
    cost=st.none() | numbers,
    purse=numbers,
    kept=st.booleans(),
    changed=st.booleans(),
    problems=any_text,
)
rounds = st.builds(
    RoundPlayed,
    label=numbers,
    winner=st.none() | st.sampled_from(Seat),
    decided_by=st.sampled_from(["bad_plan", "over_budget", "simulation"]),
    simulated=st.none() | st.sampled_from(Seat),
    reason=st.none() | words,
    length=st.none() | numbers,
    margin=st.none() | st.floats(-1, 1),
    survivors=st.lists(st.tuples(st.sampled_from(Seat), words, st.floats(-10, 1000), words), max_size=3).map(tuple),
)
messages = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), any_text), max_size=4).map(
    tuple
)
call_spends = st.builds(
    Spend,
    model_calls=st.just(1),
    prompt_tokens=numbers,
    completion_tokens=numbers,
    think_ms=times,
    cost_usd=costs,
)

facts = st.none() | st.booleans()
checks = st.builds(
    NodeCheck,
    legal=st.booleans(),
    legal_local=facts,
    state_right=facts,
    state_right_local=facts,
    terminal_right=facts,
    n_missed=st.none() | numbers,
)
signed = st.none() | st.floats(-1, 1)


@st.composite
def searches(draw):
    nodes = []
    for place in range(draw(st.integers(0, 5))):
        parent = draw(st.integers(0, place - 1)) if place else None
        nodes.append(
            TreeNode(
                parent=parent,
                move=None if parent is None else draw(st.sampled_from(["1", "4", "e9"])),
                depth=0 if parent is None else nodes[parent].depth + 1,
                prior=draw(st.none() | st.floats(0, 1)),
                visits=draw(numbers),
                estimate=draw(signed),
                value=draw(signed),
                proven=draw(st.booleans()),
                terminal=draw(st.booleans()),
                state=draw(st.none() | any_text),
                problem=draw(st.none() | words),
                check=draw(st.none() | checks),
            )
        )
    tree = SearchTree(
        kind=draw(st.sampled_from(TreeKind)),
        method=draw(st.sampled_from(["puct", "minimax"])),
        simulations=draw(numbers),
        n_nodes=draw(numbers),
        depth=draw(numbers),
        first_move=draw(st.none() | st.just("4")),
        value_before=draw(signed),
        value_after=draw(signed),
        line=tuple(draw(st.lists(st.sampled_from("1234567"), max_size=4))),
        ended=draw(st.sampled_from(["simulations", "proven", "model_calls"])),
        nodes=tuple(nodes),
        whole=draw(st.booleans()),
    )
    return Searched(tree=tree, spend=replace(draw(call_spends), nodes=draw(numbers)))


@st.composite
def calls(draw):
    error = draw(st.none() | words)
    if draw(st.booleans()):
        sampling = st.builds(
            Sampling,
            max_tokens=st.integers(1, 999),
            temperature=st.floats(0, 5),
            top_p=st.floats(0.1, 1),
            seed=st.none() | st.integers(0, 2**63 - 1),
            stop=st.lists(words, max_size=2).map(tuple),
        )
        request = Request(messages=draw(messages), sampling=draw(sampling))
        answer = Completion(text=draw(any_text), finish=draw(st.sampled_from(Finish)), spend=draw(call_spends))
    else:
        texts = tuple(draw(st.lists(words, min_size=1, max_size=4)))
        request = Scoring(messages=draw(messages), continuations=texts)
        answer = Scores(
            logprobs=tuple(-1.5 * n for n in range(len(texts))), n_tokens=(3,) * len(texts), spend=draw(call_spends)
        )
    return Called(
        model=draw(st.sampled_from(["m", "other"])),
        request=request,
        answer=None if error is not None else answer,
        error=error,
        wait_ms=draw(times),
    )


@st.composite
def streams(draw, spec):
    """All events of a match: turns with steps of every kind, and an end."""
    moves = list(spec.opening.moves)
    ply, seq = len(moves), 0
    events = []

    def add(seat, body):
        nonlocal seq
        events.append(Event(1, seq, ply, seat, 1_700_000_000_000 + seq, body))
        seq += 1

    add(None, MatchOpened())
    standing = dict.fromkeys(Seat)
    for _ in range(draw(st.integers(1, 4))):
        seat = draw(st.sampled_from(Seat))
        for _ in range(draw(st.integers(0, 4))):
            kind = draw(
                st.sampled_from(
                    [
                        "call",
                        "consult",
                        "plan",
                        "revise",
                        "appraise",
                        "search",
                        "submit",
                        "round",
                        "refuse",
                        "overrun",
                        "fault",
                    ]
                )
            )
            if kind == "call":
                add(seat, draw(calls()))
            elif kind == "consult":
                query = Query(
                    game=spec.game, start=spec.opening.start, moves=tuple(moves),
                    seed=draw(st.integers(0, 2**63 - 1)), nodes=draw(st.none() | numbers),
                )  # fmt: skip
                line = EngineLine(
                    move=Move("4"), pv=(Move("4"), Move("3")), value=draw(st.none() | st.floats(-1, 1)),
                    score=draw(st.none() | words), nodes=draw(st.none() | numbers), think_ms=draw(times),
                )  # fmt: skip
                engine = EngineSpec(kind="uci", options=(("Hash", 16), ("command", draw(words))))
                error = draw(st.none() | words)
                add(
                    seat,
                    Consulted(
                        engine=engine,
                        query=query,
                        line=None if error else line,
                        error=error or None,
                        wait_ms=draw(times),
                    ),
                )
            elif kind == "plan" or (kind == "revise" and standing[seat] is None):
                standing[seat] = draw(plans)
                add(seat, Proposed(standing[seat]))
            elif kind == "revise":
                after = draw(plans)
                add(seat, Revised(standing[seat], after, draw(st.sampled_from(Cause))))
                standing[seat] = after
            elif kind == "appraise":
                add(
                    seat,
                    Appraised(
                        engine=EngineSpec(kind="bitbully"),
                        n_asks=draw(numbers),
                        n_positions=draw(numbers),
                        nodes=draw(numbers),
                        think_ms=draw(times),
                        wait_ms=draw(times),
                        error=draw(st.none() | words),
                    ),
                )
            elif kind == "search":
                add(seat, draw(searches()))
            elif kind == "refuse":
                add(
                    seat,
                    Refused(
                        Refusal(
                            draw(st.sampled_from(["malformed", "ambiguous", "illegal"])), draw(any_text), draw(words)
                        )
                    ),
                )
            elif kind == "submit":
                add(seat, draw(submissions))
            elif kind == "round":
                add(seat, draw(rounds))
            elif kind == "overrun":
                add(
                    seat, Overran(draw(st.sampled_from(["move", "match", "agent"])), Overrun("nodes", 5.0, draw(times)))
                )
            else:
                add(seat, Faulted(draw(st.sampled_from(["agent", "model", "engine"])), draw(words), draw(any_text)))
        spend = draw(
            st.builds(
                Spend,
                model_calls=numbers,
                prompt_tokens=numbers,
                completion_tokens=numbers,
                nodes=numbers,
                think_ms=times,
                cost_usd=costs,
            )
        )
        if not (spend.model_calls or spend.nodes or spend.cost_usd != 0):
            spend = Spend(think_ms=spend.think_ms)
        add(
            seat,
            TurnClosed(
                seat, draw(st.integers(0, 2**63 - 1)), 1_700_000_000_000, Move("4"), "0123456789abcdef",
                draw(st.none() | st.floats(0, 1)), draw(st.none() | words), spend, draw(times),
            ),
        )  # fmt: skip
        moves.append(Move("4"))
        ply += 1
    if draw(st.booleans()):
        ending = draw(st.sampled_from(Ending))
        winner = draw(st.none() | st.sampled_from(Seat)) if ending is not Ending.VOID else None
        verdict = Verdict(
            ending=ending, winner=winner, reason="a_reason", at_fault=draw(st.none() | st.sampled_from(Seat))
        )
        add(None, MatchClosed(verdict, ply))
    return events


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_written_is_what_is_read(tmp_path_factory, data):
    """Any stream of events comes back as it went in, strange texts and unknown costs included."""
    engine = open_database(str(tmp_path_factory.mktemp("db") / "x.db"), create=True)
    store, (first, _) = entered(engine)
    # Closed in every case: hypothesis leaves an example in the middle of a draw when it has seen enough.
    with closing(store):
        events = data.draw(streams(first.spec))
        for event in events:
            store.write(event)
            if data.draw(st.booleans()):
                store.flush()
        store.flush()
    assert Reader(engine).events(1) == events
    engine.dispose()


@settings(max_examples=5, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.postgres
def test_what_is_written_is_what_is_read_on_a_server(postgres_url, data):
    """The same on PostgreSQL."""
    engine = open_database(postgres_url, create=True)
    try:
        store, (first, _) = entered(engine)
        with closing(store):
            events = data.draw(streams(first.spec))
            for event in events:
                store.write(event)
            store.flush()
        assert Reader(engine).events(1) == events
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()


def test_the_migrations_make_the_schema_of_the_code(database):
    """Comparing the two finds nothing to change, and every view answers."""
    with database.connect() as connection:
        # Comments of columns live in PostgreSQL only, but are compared there, too.
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert set(inspect(connection).get_view_names()) >= set(VIEWS)
        for view in VIEWS:
            assert connection.execute(text(f"SELECT * FROM {view}")).all() == []


def test_the_document_of_the_schema_is_current():
    """`make docs` writes it."""
    assert (Path(__file__).parents[2] / "docs/schema.md").read_text(encoding="utf-8") == schema_document()


def test_a_tournament_and_its_progress_are_read_back(database):
    """Names, spec, seeds, versions and prices; matches in the order of the schedule."""
    store, progress = entered(database, rounds=3)
    reader = Reader(database)
    tournament = reader.tournament("t")
    assert (tournament.seed, tournament.source_revision) == (9, "abc+changes")
    assert [agent.name for agent in tournament.agents] == ["a", "b"]
    assert tournament.packages == {"chess": "1.11"}
    assert [match.key for match in reader.matches(tournament)] == [match.spec.key for match in progress]
    assert [match.match_id for match in progress] == [1, 2, 3, 4, 5, 6]
    store.identify("model", "m", {"weights": "x"})
    store.identify("model", "m", {"weights": "y"})
    assert reader.tournament("t").identities == {"model:m": {"weights": "y"}}
    store.close()


def test_an_open_turn_is_not_written_before_it_ends(database):
    """A flush in the middle of a turn leaves nothing of it; the turn's end brings all of it."""
    store, (first, *_) = entered(database)
    ply = len(first.spec.opening.moves)
    store.write(Event(1, 0, ply, None, 1, MatchOpened()))
    store.write(Event(1, 1, ply, Seat.FIRST, 2, Proposed(Plan(moves=(Move("4"),)))))
    store.flush()
    assert Reader(database).events(1) == []
    store.write(
        Event(1, 2, ply, Seat.FIRST, 3, TurnClosed(Seat.FIRST, 1, 2, Move("4"), "ab", None, None, Spend(), 0.0))
    )
    store.flush()
    assert [event.seq for event in Reader(database).events(1)] == [0, 1, 2]
    store.close()


def test_a_match_in_play_is_picked_up_where_it_stands(database):
    """Moves, digest, spends by seat, the standing plan and the next number."""
    store, (first, *_) = entered(database)
    ply = len(first.spec.opening.moves)
    plan = Plan(moves=(Move("4"), Move("5")), value=0.5, why="because")
    spend = Spend(model_calls=2, prompt_tokens=7, think_ms=1.5, cost_usd=None)
    store.write(Event(1, 0, ply, None, 1, MatchOpened()))
    store.write(Event(1, 1, ply, Seat.FIRST, 2, Proposed(plan)))
    store.write(Event(1, 2, ply, Seat.FIRST, 3, TurnClosed(Seat.FIRST, 1, 2, Move("4"), "ab", None, None, spend, 0.0)))
    store.write(
        Event(
            1,
            3,
            ply + 1,
            Seat.SECOND,
            4,
            TurnClosed(Seat.SECOND, 1, 2, Move("3"), "cd", None, None, Spend(think_ms=2.0), 0.0),
        )
    )
    store.flush()
    assert store.spent_by_agent()["a"] == spend
    store.close()
    store, (again, *_) = entered(database)
    assert again.moves == ("4", "3")
    assert again.digest == "cd"
    assert again.next_seq == 4
    assert again.spent == {Seat.FIRST: spend, Seat.SECOND: Spend(think_ms=2.0)}
    assert again.standing == {Seat.FIRST: plan, Seat.SECOND: None}
    store.write(Event(1, 4, ply + 2, Seat.FIRST, 5, Revised(plan, Plan(moves=()), Cause.OPPONENT)))
    store.write(
        Event(1, 5, ply + 2, Seat.FIRST, 6, TurnClosed(Seat.FIRST, 1, 2, Move("1"), "ef", None, None, Spend(), 0.0))
    )
    store.flush()
    assert Reader(database).events(1)[-2].body == Revised(plan, Plan(moves=()), Cause.OPPONENT)
    store.close()


def test_a_void_match_gets_a_fresh_attempt_and_counts_once(database):
    """The void attempt stays on record; views and progress show the latest."""
    store, (first, *_) = entered(database)
    store.write(Event(1, 0, 0, None, 1, MatchOpened()))
    store.write(Event(1, 1, 0, None, 2, MatchClosed(Verdict.void("model_failed"), 0)))
    store.flush()
    fresh = store.retry(1)
    assert (fresh.match_id, fresh.attempt, fresh.spec) == (3, 2, first.spec)
    store.write(Event(3, 0, 0, None, 3, MatchOpened()))
    store.write(Event(3, 1, 0, None, 4, MatchClosed(Verdict.forfeit(Seat.FIRST, "illegal"), 0)))
    store.flush()
    reader = Reader(database)
    matches = reader.matches(reader.tournament("t"))
    assert [match.attempt for match in matches] == [2, 1]
    assert len(reader.matches(reader.tournament("t"), all_attempts=True)) == 3
    with database.connect() as connection:
        scores = connection.execute(text("SELECT agent, score FROM v_scores ORDER BY agent")).all()
    assert [tuple(row) for row in scores] == [("a", 0.0), ("b", 1.0)]
    store.close()


def test_a_changed_schedule_is_refused_and_a_longer_one_is_taken(database):
    """Same matches and more: fine. One match played differently: not under this name."""
    store, _ = entered(database)
    store.close()
    store, progress = entered(database, rounds=2)
    assert len(progress) == 4
    store.close()
    changed = load_tournament(SOURCE.format(name="t", rounds=2).replace("seed = 9", "seed = 10"), place="t")
    store = SqlStore(database)
    with pytest.raises(SpecError, match="already holds a tournament 't'"):
        store.enter(changed.spec, make_schedule(changed.spec, changed.games), PROVENANCE)
    store.close()


def test_one_tournament_is_played_by_one_process_at_a_time(database):
    """A second store is refused until the first is closed; another tournament is not affected."""
    store, _ = entered(database)
    with pytest.raises(RecordError, match="another process is playing 't'"):
        entered(database)
    other, _ = entered(database, name="other")
    other.close()
    store.close()
    again, _ = entered(database)
    again.close()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "lost"},
        {"ending": "magic"},
        {"winner": "third"},
        {"attempt": 0},
        {"first_agent_id": 99},
        {"second_agent_id": 1},
        {"status": "over"},
        {"key": None},
        {"id": 1},
    ],
)
def test_a_row_that_cannot_be_true_is_refused(database, change):
    """Constraints hold in the database itself, whoever writes."""
    store, _ = entered(database)
    store.close()
    table = metadata.tables["matches"]
    with database.connect() as connection:
        row = dict(connection.execute(select(table).where(table.c.id == 1)).mappings().one())
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(insert(table).values({**row, "id": 50, "key": "another", **change}))


def test_equal_texts_are_stored_once_and_long_ones_compressed(database):
    """Ten calls with one system prompt keep it in a single row."""
    store, (first, *_) = entered(database)
    prompt = "the rules of the game, told at length. " * 50
    ply = len(first.spec.opening.moves)
    store.write(Event(1, 0, ply, None, 1, MatchOpened()))
    for seq in range(1, 11):
        request = Request(messages=(Message("system", prompt), Message("user", f"turn {seq}")))
        store.write(
            Event(1, seq, ply, Seat.FIRST, 1, Called(model="m", request=request, answer=None, error="x", wait_ms=0.0))
        )
    store.write(
        Event(1, 11, ply, Seat.FIRST, 3, TurnClosed(Seat.FIRST, 1, 2, Move("4"), "ab", None, None, Spend(), 0.0))
    )
    store.flush()
    with database.connect() as connection:
        rows = connection.execute(text("SELECT codec, LENGTH(body) FROM texts WHERE n_chars > 1000")).all()
    assert len(rows) == 1
    assert rows[0][0] == "zlib"
    assert rows[0][1] < len(prompt) / 10
    store.close()


@given(any_text)
def test_a_text_comes_back_whole(content):
    """Compressed or not, whatever characters it has."""
    _, codec, n_chars, body = text_row(content)
    assert unpack(codec, body) == content
    assert n_chars == len(content)


def test_a_reader_names_what_there_is(database):
    """Unknown tournaments and matches get the nearest names."""
    store, _ = entered(database, name="autumn")
    store.close()
    reader = Reader(database)
    assert reader.tournament(None).name == "autumn"
    with pytest.raises(RecordError, match="did you mean 'autumn'"):
        reader.tournament("autum")
    assert reader.match("r1b").key == "connect-four/a-vs-b/r1b"
    with pytest.raises(RecordError, match="numbered 1 to 2"):
        reader.match("9")
    with pytest.raises(RecordError, match="there is no match"):
        reader.match("nonsense")


def test_a_reader_elsewhere_takes_nothing_from_a_writer_that_looked_twice(tmp_path):
    """A process that opens its database again keeps its locks: another one that reads and leaves must not clear the log
    of what was written but not yet moved into the file."""
    db = str(tmp_path / "busy.db")
    engine = open_database(db, create=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (n INTEGER)")
        connection.commit()
        open_database(db, read_only=True).dispose()
        look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT COUNT(*) FROM kept').fetchone()[0]); c.close()"
        for n in range(3):
            connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
            connection.commit()
            told = subprocess.run([sys.executable, "-c", look, db], capture_output=True, text=True, check=True).stdout
            assert int(told) == n + 1
            assert (tmp_path / "busy.db-wal").exists()
    engine.dispose()
