"""Grading after the fact, by the command line: boards and plans, once each, and what the metrics make of it."""

from __future__ import annotations

import json
import sqlite3

import pytest

from stratarena.arena.cli import run_command_line

TOURNAMENT = """
name = "graded"
seed = 3
games = ["connect_four", "turn_based(rounds=2)", "battle_card(rounds=2)"]

[models.planner]
kind = "scripted"
answers = ["I will win.", "keep"]

[agents.random]
kind = "random"

[agents.solver]
kind = "plan_search"
tries = 20

[agents.mcts]
kind = "mcts"
simulations = 20

[agents.llm]
kind = "llm"
model = "planner"
games = ["turn_based(rounds=2)"]
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The database of a tournament, played and graded once."""
    folder = tmp_path_factory.mktemp("graded")
    (folder / "t.toml").write_text(TOURNAMENT, encoding="utf-8")
    database = folder / "t.db"
    assert run_command_line(["run", str(folder / "t.toml"), "--db", str(database)]) == 0
    assert (
        run_command_line(["annotate", "--db", str(database), "--with", "bitbully", "--with", "plan_search(tries=30)"])
        == 0
    )
    return database


def rows(database, query):
    with sqlite3.connect(database) as connection:
        return connection.execute(query).fetchall()


def test_every_turn_has_a_grade_and_no_move_is_better_than_the_best(graded):
    """Boards by the solver, plans by the best answer; a plan that is none is not legal and has no value."""
    turns = rows(graded, "SELECT count(*) FROM moves WHERE source != 'opening'")[0][0]
    assert rows(graded, "SELECT count(*) FROM gradings WHERE place = 0")[0][0] == turns
    assert rows(graded, "SELECT count(*) FROM gradings WHERE value > best_value") == [(0,)]
    unreadable = rows(
        graded,
        "SELECT DISTINCT g.legal FROM gradings g JOIN submissions s USING (match_id, ply) WHERE s.verdict = 'unparseable'",
    )
    assert unreadable == [(0,)]


def test_the_exact_player_gives_nothing_away_once_it_sees_a_plan(graded):
    """Its updates in turn-based combat have no regret, and both values are proven."""
    found = rows(
        graded,
        "SELECT v.regret, v.exact FROM v_gradings v WHERE v.agent = 'solver' AND v.game LIKE 'turn_based%' "
        "AND v.ply > 1 AND v.place = 0",
    )
    assert found
    assert all(regret == 0 and exact for regret, exact in found)


def test_grading_again_asks_nothing_again(graded, capsys):
    """One line for each judge says so, and no row is added."""
    before = rows(graded, "SELECT count(*) FROM gradings")
    assert run_command_line(["annotate", "--db", str(graded), "--with", "bitbully"]) == 0
    assert "were graded before" in capsys.readouterr().out
    assert rows(graded, "SELECT count(*) FROM gradings") == before


def test_regret_is_told_with_its_n_for_boards_and_plans(graded, capsys):
    """The random player gives away more than the exact one."""
    capsys.readouterr()
    assert run_command_line(["metrics", "--db", str(graded), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["metrics"]
    regret = {
        (one["agent"], one["game"]): one["regret"] for one in found if one["side"] == "both" and one["game"] != "all"
    }
    assert regret["random", "connect_four"]["n"] > 0
    assert regret["random", "turn_based(rounds=2)"]["value"] > regret["solver", "turn_based(rounds=2)"]["value"]
    assert regret["llm", "turn_based(rounds=2)"]["value"] > 0.5


def test_a_judge_that_is_none_is_one_line(graded, capsys):
    """Exit code 2, and what would be accepted."""
    capsys.readouterr()
    assert run_command_line(["annotate", "--db", str(graded), "--with", "random"]) == 2
    err = capsys.readouterr().err
    assert "is no judge" in err
    assert "Traceback" not in err
