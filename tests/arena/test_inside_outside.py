"""The comparison of searches inside and outside a model: one model, one budget, and a report that shows all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stratarena.arena.cli import run_command_line
from stratarena.arena.config import load_tournament
from stratarena.arena.specs import Enforcement

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = ("inside_vs_outside.toml", "inside_vs_outside_game_lm.toml")


@pytest.mark.parametrize("name", FILES)
def test_the_example_asks_one_model_in_three_ways_under_one_strict_budget(name):
    """At once, inside its answer, around it; the same bounds on tokens for everybody."""
    pytest.importorskip("torch", reason="the torch extra is not installed")
    spec = load_tournament((EXAMPLES / name).read_text(), place=name).spec
    assert len(spec.models) == 1
    asked = [agent for agent in spec.agents if "model" in agent.params]
    assert {agent.params["model"] for agent in asked} == {spec.models[0].name}
    assert {agent.name.partition("-")[0] for agent in asked} == {"direct", "inside", "outside"}
    assert any(agent.kind == "mcts_llm" for agent in asked)
    assert spec.budgets.enforcement is Enforcement.STRICT
    assert spec.budgets.move.prompt_tokens and spec.budgets.move.completion_tokens


def play(name, folder, capsys, **changes):
    """The example with some lines changed, played, graded and reported; the report."""
    text = (EXAMPLES / name).read_text()
    for key, value in changes.items():
        text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
    file, db = folder / "small.toml", str(folder / "small.db")
    file.write_text(text)
    tournament = Path(name).stem.replace("_", "-")
    assert run_command_line(["run", str(file), "--db", db, "--jobs", "12"]) == 0
    assert run_command_line(["annotate", tournament, "--db", db]) == 0
    out = folder / "report"
    assert run_command_line(["report", tournament, "--db", db, "--out", str(out)]) == 0
    capsys.readouterr()
    return next(out.rglob("*.md")).read_text()


SHOWN = ("Standings", "Legality", "Move quality", "Plans and revisions", "Searches that models wrote", "Thinking")


@pytest.mark.slow
def test_the_game_models_comparison_runs_to_its_report(tmp_path, capsys):
    """Strength, cost, errors and process metrics of every way of asking, side by side."""
    pytest.importorskip("torch", reason="the torch extra is not installed")
    page = play(FILES[1], tmp_path, capsys, rounds=1, connect_four='"late"')
    for title in SHOWN:
        assert f"## {title}" in page
    for measure in ("positions right", "minimax consistent", "over-correction risk", "tokens"):
        assert measure in page
    for agent in ("direct", "inside-100", "outside-100", "inside-300", "outside-300"):
        assert agent in page


@pytest.mark.slow
@pytest.mark.model
def test_the_embedded_models_comparison_runs_to_its_report(tmp_path, capsys):
    """The same of the model that writes the documented form, cut to two plies a match."""
    pytest.importorskip("torch", reason="the torch extra is not installed")
    page = play(FILES[0], tmp_path, capsys, rounds=1, re_asks="0\nmax_plies = 18")
    for title in SHOWN:
        assert f"## {title}" in page
