"""What tree searches did and what their simulations cost, from a recorded tournament, in the report."""

from __future__ import annotations

from stratarena.agents.budget import Spend
from stratarena.agents.tree import TreeKind
from stratarena.analysis.effort_blocks import effort_blocks
from stratarena.analysis.page import Table
from stratarena.arena.cli import run_command_line
from stratarena.arena.commands.reading import opened
from stratarena.arena.events import Called, Proposed, Revised, Searched
from stratarena.db.records import SearchSum
from stratarena.games.base import Move

TOURNAMENT = """
name = "searched"
seed = 3
games = ["hex(size=3)"]

[models.m]
kind = "scripted"
answers = ['{"moves": {"b2": 60}}', '{"moves": {"a1": 40}}', 'hm']

[agents.rolls]
kind = "mcts_rollouts"
simulations = 20

[agents.asks]
kind = "mcts_llm"
model = "m"
simulations = 5
batch = 1
"""


def search(match_id, *, first, last, simulations, calls, agent="x", ended="simulations"):
    return SearchSum(
        match_id=match_id, game="g", agent=agent, kind=TreeKind.EXTERNAL, method="puct", simulations=simulations,
        n_nodes=simulations + 1, depth=3, first_move=first, last_move=last, ended=ended,
        spend=Spend(model_calls=calls, prompt_tokens=10 * calls, completion_tokens=calls, think_ms=5.0),
    )  # fmt: skip


def test_shares_and_costs_are_ratios_of_sums():
    """8 calls in 16 simulations are half a call each; one of the two searches with an opinion changed the move."""
    a, b = Move("a"), Move("b")
    blocks = effort_blocks(
        [
            search(1, first=a, last=b, simulations=4, calls=4),
            search(2, first=a, last=a, simulations=4, calls=2, ended="model_calls"),
            search(2, first=None, last=a, simulations=8, calls=2),
        ],
        ["x"],
    )
    did, cost = (block for block in blocks if isinstance(block, Table))
    assert did.rows[0][:4] == ("x", "g", "puct", "3")
    assert did.rows[0][7].startswith("50 % [")
    assert did.rows[0][7].endswith("n = 2")
    assert did.rows[0][8] == "simulations 2, model_calls 1"
    assert [cell.split(" ")[0] for cell in cost.rows[0][2:]] == ["0.5", "5", "0.5", "0.938"]
    assert effort_blocks([], ["x"]) == ()


def test_the_record_tells_searches_and_what_every_look_at_them_had_cost(tmp_path, capsys):
    """Sums are those of the events; the calls between two declared plans are what the simulations between them spent."""
    (tmp_path / "t.toml").write_text(TOURNAMENT, encoding="utf-8")
    database = str(tmp_path / "t.db")
    assert run_command_line(["run", str(tmp_path / "t.toml"), "--db", database]) == 0
    with opened(database) as reader:
        tournament = reader.tournament("searched")
        sums = reader.search_sums(tournament)
        events = [event for match in reader.matches(tournament) for event in reader.events(match.match_id)]
    told = [event.body for event in events if isinstance(event.body, Searched)]
    assert [(one.simulations, one.n_nodes, one.ended, one.spend) for one in sums] == [
        (body.tree.simulations, body.tree.n_nodes, body.tree.ended, body.spend) for body in told
    ]
    assert {one.agent for one in sums} == {"rolls", "asks"}
    asked = [one for one in sums if one.agent == "asks"]
    assert all(one.spend.model_calls > 0 for one in asked)
    calls, spent_at = 0, []
    for event in events:
        body = event.body
        if isinstance(body, Called):
            calls += 1
        elif isinstance(body, Proposed | Revised) and body_plan(body).why.startswith("after ") and calls:
            spent_at.append((int(body_plan(body).why.split()[1]), calls))
        elif isinstance(body, Searched):
            if calls:
                assert [simulations for simulations, _ in spent_at] == sorted(
                    simulations for simulations, _ in spent_at
                )
                assert spent_at[-1] == (body.tree.simulations, body.spend.model_calls)
            calls, spent_at = 0, []
    capsys.readouterr()
    assert run_command_line(["report", "--db", database, "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "## Tree searches" in page
    assert "model calls a simulation" in page


def body_plan(body):
    return body.plan if isinstance(body, Proposed) else body.after
