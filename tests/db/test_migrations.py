"""A database of the first release becomes this program's: same rows, same schema, or nothing changed at all."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

import stratarena.db
from stratarena.agents.budget import Spend
from stratarena.arena.config import load_tournament
from stratarena.arena.events import Event, MatchClosed, MatchOpened, TurnClosed
from stratarena.arena.schedule import make_schedule
from stratarena.arena.specs import Ending, Verdict
from stratarena.arena.store import Provenance
from stratarena.db.connect import SCHEMA, info, open_database, upgrade
from stratarena.db.errors import RecordError
from stratarena.db.recorder import SqlStore
from stratarena.db.schema import metadata
from stratarena.db.views import VIEWS
from stratarena.games.base import Move, Seat

SOURCE = """
name = "old"
games = ["connect_four"]

[agents.a]
kind = "random"

[agents.b]
kind = "random"
"""


OF_0001 = frozenset(
    (
        "agents", "call_messages", "consultations", "faults", "identities", "matches", "model_calls", "models", "moves",
        "overruns", "plans", "refusals", "revisions", "spends", "texts", "tournaments", "turns",
    )
)  # fmt: skip


def first_release(url, folder):
    """A database as the first release left it, with one match that a forfeit ended in its first turn."""
    recorded = open_database(f"{folder}/recorded.db", create=True)
    loaded = load_tournament(SOURCE, place="t.toml")
    provenance = Provenance(program_version="0.1.0", source_revision=None, python_version="3.11", packages={})
    with closing(SqlStore(recorded)) as store:
        progress = store.enter(loaded.spec, make_schedule(loaded.spec, loaded.games), provenance)
        number, ply = progress[0].match_id, len(progress[0].spec.opening.moves)
        turn = TurnClosed(Seat.FIRST, 1, 2, Move("4"), "ab", None, None, Spend(model_calls=1), 0.0)
        store.write(Event(number, 0, ply, None, 1, MatchOpened()))
        store.write(Event(number, 1, ply, Seat.FIRST, 2, turn))
        verdict = Verdict(ending=Ending.FORFEIT, winner=Seat.SECOND, reason="refused moves", at_fault=Seat.FIRST)
        store.write(Event(number, 2, ply + 1, None, 3, MatchClosed(verdict, ply + 1)))
        store.flush()
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(stratarena.db.__file__).parent / "migrations"))
    with engine.begin() as connection, recorded.connect() as source:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        # A view of the first release stands in a migration's way as a real one does.
        connection.execute(text(f"CREATE VIEW {next(iter(VIEWS))} AS SELECT id FROM matches"))
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                found = source.execute(select(metadata.tables[table.name])).mappings().all()
                if found:
                    connection.execute(insert(table), [dict(row) for row in found])
    engine.dispose()
    recorded.dispose()


def rows(url):
    """Every row of every table of the first schema, by table."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            names = [name for name in inspect(connection).get_table_names() if name in OF_0001]
            return {
                name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")).mappings().all()))
                for name in names
            }
    finally:
        engine.dispose()


def check_upgraded(url, folder):
    """An upgrade keeps every row, and leaves the schema of the code with all its checks."""
    first_release(url, folder)
    with pytest.raises(RecordError, match=r"older schema 0001; this program needs .*: run `stratarena db upgrade"):
        open_database(url)
    before = rows(url)
    assert before["moves"] and before["matches"]
    assert upgrade(url) == ("0001", SCHEMA)
    assert rows(url) == before
    assert info(url).usable
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            assert set(inspect(connection).get_view_names()) >= set(VIEWS)
        with engine.begin() as connection:
            connection.execute(text("UPDATE matches SET ending = 'stated' WHERE status = 'over'"))
        for wrong in (
            "UPDATE matches SET ending = 'nobody' WHERE status = 'over'",
            "UPDATE matches SET status = 'nobody'",
            "UPDATE matches SET first_agent_id = second_agent_id",
            "UPDATE moves SET source = 'nobody'",
            "UPDATE moves SET match_id = 999",
        ):
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(text(wrong))
    finally:
        engine.dispose()


def test_a_file_of_the_first_release_becomes_this_programs(tmp_path):
    """On SQLite, where tables are made anew; what is there afterwards is what a new file holds, to the letter."""
    check_upgraded(f"sqlite:///{tmp_path}/old.db", tmp_path)
    open_database(str(tmp_path / "new.db"), create=True).dispose()

    def schema(name):
        engine = create_engine(f"sqlite:///{tmp_path}/{name}")
        with engine.connect() as connection:
            found = connection.execute(text("SELECT type, name, sql FROM sqlite_master")).all()
        engine.dispose()
        # A table that was renamed is quoted, and a table made anew lists its checks in another order.
        return {
            (kind, name, "".join(sorted((sql or "").replace('"', "").replace(",", "").split())))
            for kind, name, sql in found
        }

    assert schema("old.db") == schema("new.db")


@pytest.mark.postgres
def test_a_server_of_the_first_release_becomes_this_programs(postgres_url, tmp_path):
    """The same on PostgreSQL."""
    try:
        check_upgraded(postgres_url, tmp_path)
    finally:
        engine = create_engine(postgres_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        engine.dispose()


def test_an_upgrade_that_fails_changes_nothing(tmp_path):
    """A table in its way stops it half-way: the file is as it was, and the error says what is wrong."""
    url = f"sqlite:///{tmp_path}/old.db"
    first_release(url, tmp_path)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE imported_games (mine INTEGER)"))
    with engine.connect() as connection:
        before = connection.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")).all()
    with pytest.raises(RecordError, match="imported_games already exists"):
        upgrade(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")).all() == before
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
    engine.dispose()
