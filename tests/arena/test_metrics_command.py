"""A tournament of plans from file to figure: played, stopped and gone on with, replayed, measured and reported."""

from __future__ import annotations

import csv
import io
import json

import pytest

from stratarena.arena.cli import run_command_line

TOURNAMENT = """
name = "plans"
seed = 4
games = ["turn_based(rounds=4)", "battle_card(rounds=4, feedback='survivors')", "tower_defense(rounds=2)"]
rounds = 2

[openings]
turn_based = "orders"
battle_card = "orders"
tower_defense = "orders"

[models.mumbler]
kind = "scripted"
answers = ["I will win.", "keep", '{"defenders": []}', '{"humans": [], "demons": []}']

[agents.llm]
kind = "llm"
model = "mumbler"

[agents.random]
kind = "random"

[agents.greedy]
kind = "greedy"

[agents.climber]
kind = "best_response"
tries = 10
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The database of the tournament, played once."""
    folder = tmp_path_factory.mktemp("plans")
    (folder / "plans.toml").write_text(TOURNAMENT, encoding="utf-8")
    database = folder / "plans.db"
    assert run_command_line(["run", str(folder / "plans.toml"), "--db", str(database), "--jobs", "4"]) == 0
    return database


@pytest.fixture
def said(capsys):
    """Runs a command: exit code, standard output, standard error."""

    def run(*arguments):
        capsys.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_metrics_are_told_as_a_table_json_and_csv_with_the_same_numbers(played, said):
    """By agent, game and side; every estimate with its n."""
    code, out, _ = said("metrics", "plans", "--db", played)
    assert code == 0
    assert "over-correction risk against correction success, n = " in out or "no correlation over" in out
    found = json.loads(said("metrics", "plans", "--db", played, "--json")[1])
    whole = {one["agent"]: one for one in found["metrics"] if one["game"] == "all"}
    assert set(whole) == {"llm", "random", "greedy", "climber"}
    assert whole["greedy"]["revision_rate"]["value"] == 0.0
    assert whole["random"]["revision_rate"]["value"] == 1.0
    assert whole["greedy"]["correction_success"] == {
        "value": None, "n": 0, "low": None, "high": None, "method": whole["greedy"]["correction_success"]["method"]
    }  # fmt: skip
    assert whole["llm"]["unreadable_rate"]["value"] > 0
    assert whole["llm"]["mean_over_games"]["win_rate"]["games"] == 3
    rows = list(csv.DictReader(io.StringIO(said("metrics", "plans", "--db", played, "--csv")[1])))
    table = {
        (row["agent"], row["metric"]): row["value"] for row in rows if (row["game"], row["side"]) == ("all", "both")
    }
    assert float(table["climber", "win_rate"]) == whole["climber"]["win_rate"]["value"]
    assert table["greedy", "correction_success"] == ""


def test_the_published_numbers_are_told_by_agent_and_game(played, said):
    """Without intervals, as the public evaluator prints them."""
    found = json.loads(said("metrics", "--db", played, "--definition", "published", "--json")[1])
    assert len(found["metrics"]) == 12
    assert set(found["metrics"][0]) >= {"win_rate", "correction_rate", "improvement_slope", "over_budget_ratio"}


def test_every_match_of_plans_replays_to_the_recorded_states(played, said):
    """Also those of a model that says nothing readable."""
    listed = json.loads(said("list", "matches", "--db", played, "--json")[1])
    for match in [one for one in listed if "llm" in json.dumps(one)][:6]:
        code, out, _ = said("replay", match["match"], "--db", played, "--plain")
        assert code == 0
        assert "recorded positions are what the rules give" in out


def test_the_report_has_the_process_metrics_their_definitions_and_the_figure(played, said, tmp_path):
    """And does not call an unreadable answer legal."""
    code, _, _ = said("report", "plans", "--db", played, "--out", tmp_path / "report")
    assert code == 0
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "## Plans and revisions" in page
    assert "Revisions of what was right / updates of what was right." in page
    # The mumbler is in every second match, and never stays within the rules for a whole one.
    assert "Played by the rules: **50 %" in page
    assert "nobody forfeited, with every plan a legal one, n = 72" in page
    assert "by the public evaluator" in page or "public evaluator's formulas" in page.replace("\\", "")


def test_a_tournament_without_plans_has_no_such_metrics(tmp_path, said):
    """One clear line."""
    file = tmp_path / "board.toml"
    file.write_text(
        'name = "board"\ngames = ["connect_four"]\n[agents.a]\nkind = "random"\n[agents.b]\nkind = "random"\n',
        encoding="utf-8",
    )
    database = tmp_path / "board.db"
    assert said("run", file, "--db", database)[0] == 0
    code, _, err = said("metrics", "--db", database)
    assert code == 1
    assert err == (
        "error: tournament 'board' has no finished match in which a plan was declared; moves can be graded with "
        "`stratarena annotate`\n"
    )
    assert said("metrics", "--db", database, "--definition", "fair")[0] == 2
    assert said("metrics", "--db", database, "--json", "--csv")[0] == 2
