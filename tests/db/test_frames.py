"""Views as tables: every view in every form, the same on both kinds of database, with columns that are documented."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from stratarena.arena.cli import run_command_line
from stratarena.db.connect import open_database
from stratarena.db.frames import read_frame, table_format, view_named, view_rows, write_table
from stratarena.db.view_columns import VIEW_COLUMNS
from stratarena.db.views import VIEWS
from stratarena.games.base import SpecError

ROWS = """
INSERT INTO tournaments (id, name, spec, source, seed, created_ms, program_version, python_version, packages)
  VALUES (1, 'cup', '{}', '', 1, 0, '0', '3', '{}'), (2, 'other', '{}', '', 1, 0, '0', '3', '{}');
INSERT INTO agents (id, tournament_id, name, kind, params)
  VALUES (1, 1, 'ada', 'random', '{}'), (2, 1, 'bob, "b"', 'random', '{}'), (3, 2, 'ada', 'random', '{}'), (4, 2, 'eve', 'random', '{}');
INSERT INTO matches (id, tournament_id, key, attempt, game, first_agent_id, second_agent_id, round, pair, opening, start,
                     opening_moves, seed, spec_digest, status, ending, winner, reason, plies, opened_ms, closed_ms)
  VALUES (1, 1, 'k1', 1, 'hex', 1, 2, 1, 'p', 'start', 's', '', 1, 'd', 'over', 'rules', 'first', 'connected', 2, 1000, 3500),
         (2, 1, 'k2', 1, 'hex', 2, 1, 1, 'p', 'start', 's', '', 1, 'd', 'over', 'rules', NULL, 'drawn', 1, 1000, 2000),
         (3, 2, 'k1', 1, 'hex', 3, 4, 1, 'p', 'start', 's', '', 1, 'd', 'pending', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO turns (match_id, ply, seat, seq, seed, opened_ms, closed_ms, think_ms, wait_ms, digest)
  VALUES (1, 0, 'first', 1, 1, 0, 1, 12.5, 0.25, 'x'), (1, 1, 'second', 2, 1, 1, 2, 3, 0, NULL),
         (2, 0, 'first', 1, 1, 0, 1, 7, 0, 'z');
INSERT INTO moves (match_id, ply, seat, move, source, confidence) VALUES (1, 0, 'first', 'a1', 'agent', 0.75), (2, 0, 'first', 'b2', 'agent', NULL);
INSERT INTO spends (match_id, ply, seat, model_calls, nodes, prompt_tokens, completion_tokens, cost_usd)
  VALUES (1, 0, 'first', 2, 0, 100, 9, NULL);
INSERT INTO judges (id, name, identity) VALUES (1, 'perfect', '{}');
INSERT INTO gradings (match_id, ply, judge_id, place, seat, move, legal, value, best, best_value, exact)
  VALUES (1, 0, 1, 0, 'first', 'a1', true, 0.5, 'b2', 1.0, false), (1, 0, 1, 1, 'first', 'zz', false, NULL, 'b2', 1.0, false)
"""


@pytest.fixture
def filled(database):
    """Two tournaments, three matches, three turns, two gradings."""
    with database.begin() as connection:
        for statement in ROWS.split(";"):
            connection.execute(text(statement.replace(":", "\\:")))
    return database


@pytest.fixture
def file(tmp_path):
    """The same in a file."""
    path = tmp_path / "cup.db"
    engine = open_database(str(path), create=True)
    with engine.begin() as connection:
        for statement in ROWS.split(";"):
            connection.execute(text(statement.replace(":", "\\:")))
    engine.dispose()
    return path


def rows_of(engine, view, *tournaments):
    """All of them, each as a dict."""
    names = [column.name for column in VIEW_COLUMNS[view]]
    return [dict(zip(names, row, strict=True)) for some in view_rows(engine, view, tournaments) for row in some]


def test_the_columns_that_are_documented_are_those_of_the_views(database):
    """By name and in order, on both kinds of database."""
    assert list(VIEW_COLUMNS) == list(VIEWS)
    with database.connect() as connection:
        for view, columns in VIEW_COLUMNS.items():
            assert list(connection.execute(text(f"SELECT * FROM {view}")).keys()) == [column.name for column in columns]


def test_values_have_the_kind_that_their_column_states(filled):
    """Truth is truth, sums of whole numbers are whole, whichever database adds them up."""
    for view, columns in VIEW_COLUMNS.items():
        for row in rows_of(filled, view):
            for column in columns:
                assert row[column.name] is None or type(row[column.name]) is column.kind, (view, column.name)
    one, other = rows_of(filled, "v_gradings")
    assert (one["legal"], one["regret"], one["exact"]) == (True, 0.25, False)
    assert (other["legal"], other["regret"]) == (False, None)
    (cost,) = [row for row in rows_of(filled, "v_cost") if row["agent"] == "ada"]
    assert (cost["prompt_tokens"], cost["cost_usd"], cost["turns"]) == (100, None, 1)


def test_rows_come_in_the_order_of_matches_and_turns_and_of_the_tournaments_that_are_asked_for(filled):
    """All of them where none is named."""
    assert [(row["match_id"], row["ply"]) for row in rows_of(filled, "v_turns", "cup")] == [(1, 0), (1, 1), (2, 0)]
    assert [row["match_id"] for row in rows_of(filled, "v_matches", "other")] == [3]
    assert [row["match_id"] for row in rows_of(filled, "v_matches")] == [1, 2, 3]
    assert rows_of(filled, "v_turns", "'; DROP TABLE matches; --") == []


def test_csv_and_json_lines_hold_what_the_view_has(filled):
    """Read back by other readers, with names that need quoting."""
    page = io.StringIO()
    assert write_table(page, "csv", "v_scores", view_rows(filled, "v_scores", ["cup"])) == 4
    read = list(csv.DictReader(io.StringIO(page.getvalue())))
    assert [(row["agent"], float(row["score"])) for row in read if row["match_id"] == "1"] == [
        ("ada", 1.0),
        ('bob, "b"', 0.0),
    ]
    lines = io.StringIO()
    write_table(lines, "jsonl", "v_turns", view_rows(filled, "v_turns", ["cup"]))
    first, second, _ = map(json.loads, lines.getvalue().splitlines())
    assert (first["confidence"], first["cost_usd"], first["think_ms"]) == (0.75, None, 12.5)
    assert second["move"] is None


def test_parquet_keeps_kinds_also_where_a_view_is_empty(file, tmp_path):
    """So files of several records fit together; what a column means is written beside it."""
    parquet = pytest.importorskip("pyarrow.parquet")
    engine = open_database(str(file), read_only=True)
    for view, columns in VIEW_COLUMNS.items():
        path = tmp_path / f"{view}.parquet"
        n = write_table(path, "parquet", view, view_rows(engine, view))
        table = parquet.read_table(path)
        assert table.num_rows == n
        kinds = {str: "string", int: "int64", float: "double", bool: "bool"}
        assert [(field.name, str(field.type)) for field in table.schema] == [(c.name, kinds[c.kind]) for c in columns]
        assert table.to_pylist() == rows_of(engine, view)
        assert table.schema.field(0).metadata[b"meaning"].decode() == columns[0].meaning
    engine.dispose()


def test_a_frame_of_pandas_bears_missing_values_in_every_kind(file):
    """Whole numbers stay whole; groups and means work on it."""
    pytest.importorskip("pandas")
    frame = read_frame(str(file), "turns", "cup")
    assert frame["model_calls"].tolist() == [2, 0, 0]
    assert str(frame["ply"].dtype) == "Int64"
    assert frame["confidence"].isna().tolist() == [False, True, True]
    assert frame.groupby("agent")["think_ms"].mean()["ada"] == 12.5
    assert len(read_frame(str(file), "v_matches")) == 3
    assert str(read_frame(str(file), "searches")["simulations"].dtype) == "Int64"
    assert not len(read_frame(str(file), "searches"))


def test_a_view_and_a_form_that_are_none_are_told_with_what_there_is():
    """The nearest name first."""
    assert view_named("turns") == view_named("v_turns") == "v_turns"
    with pytest.raises(SpecError, match=r"no view 'turn'; did you mean 'turns'\? there are: matches, "):
        view_named("turn")
    with pytest.raises(SpecError, match="suffix 'xlsx'; expected one of csv, jsonl, parquet"):
        table_format(None, Path("turns.xlsx"))
    assert table_format(None, Path("turns.jsonl")) == "jsonl"
    assert table_format(None, None) == "csv"


def test_a_record_from_before_a_view_was_made_has_it_too(file):
    """Views are the program's: nothing is upgraded for them."""
    engine = open_database(str(file))
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW v_plans"))
    assert rows_of(engine, "v_plans") == []
    engine.dispose()


def test_views_are_exported_at_the_command_line(file, tmp_path, capsys):
    """One to standard output or a file that is new, all of them into a folder."""
    assert run_command_line(["export", str(file), "cup", "--view", "standings"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "cup,ada,1.5,2,1,1,0,0.75"
    out = tmp_path / "turns.csv"
    assert run_command_line(["export", str(file), "cup", "--view", "turns", "--out", str(out)]) == 0
    assert f"exported 3 rows to {out}" in capsys.readouterr().err
    before = out.read_text()
    assert run_command_line(["export", str(file), "cup", "--view", "turns", "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert out.read_text() == before
    folder = tmp_path / "all"
    assert (
        run_command_line(["export", str(file), "cup", "--view", "all", "--out", str(folder), "--format", "jsonl"]) == 0
    )
    assert sorted(path.stem for path in folder.iterdir()) == sorted(view.removeprefix("v_") for view in VIEWS)
    assert run_command_line(["export", str(file), "--view", "turns"]) != 0
    assert "cup, other" in capsys.readouterr().err


def test_the_example_goes_from_a_database_to_a_figure(file, tmp_path):
    """As its first lines say how to call it."""
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    script = Path(__file__).parents[2] / "examples/from_database_to_figure.py"
    figure = tmp_path / "figure.svg"
    done = subprocess.run([sys.executable, script, file, figure, "cup"], capture_output=True, text=True, check=True)
    assert "</svg>" in figure.read_text(encoding="utf-8")
    first, *_ = done.stdout.splitlines()[1:]
    assert first.split() == ["ada", "0.75", "0.75", "0.75", "1.0", "12.5"]
