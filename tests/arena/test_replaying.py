"""Replays in the terminal hold what the browser shows: plans as differences, standings, spending so far, and jumps."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from stratarena.agents.base import Refusal
from stratarena.agents.plan import Cause, Plan
from stratarena.analysis.boards import standing_text
from stratarena.analysis.evaluation import Standing
from stratarena.arena.cli import run_command_line
from stratarena.arena.commands.replaying import _moved
from stratarena.arena.events import Refused, Revised
from stratarena.games.base import Move, Seat

FILE = """
name = "t"
seed = 4
games = ["battle_card", "connect_four"]

[agents.random]
kind = "random"

[agents.greedy]
kind = "greedy"
"""
NAMES = {Seat.FIRST: "ada", Seat.SECOND: "bob\x1b[2J"}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """A battle of cards and a game of Connect Four, graded."""
    folder = tmp_path_factory.mktemp("replays")
    (folder / "t.toml").write_text(FILE, encoding="utf-8")
    path = str(folder / "t.db")
    assert run_command_line(["run", str(folder / "t.toml"), "--db", path]) == 0
    assert run_command_line(["annotate", "--with", "bitbully", "--db", path]) == 0
    return path


def number_of(db, game, capsys):
    capsys.readouterr()
    run_command_line(["list", "matches", "--json", "--db", db])
    listed = json.loads(capsys.readouterr().out)
    return next(str(match["match"]) for match in listed if match["game"] == game)


def test_a_revised_plan_is_told_by_its_entries_not_as_json(db, capsys):
    """Sign, difference of cost, item and place; the headline says that it is a plan."""
    assert run_command_line(["replay", number_of(db, "battle_card", capsys), "--db", db]) == 0
    told = capsys.readouterr().out
    assert "answers with a plan" in told
    assert '{"' not in told
    revised = [line for line in told.splitlines() if line.startswith("revised")]
    assert revised
    assert any(" → " in line and line.lstrip()[0] in "~>" for line in told.splitlines())
    assert "by the margin of the round" in told
    assert "verified: 12 of 12" in told


def test_standings_and_spending_until_then_are_told(db, capsys):
    """By the judge that graded the game, with its best move; in JSON the value alone."""
    number = number_of(db, "connect_four", capsys)
    assert run_command_line(["replay", number, "--db", db]) == 0
    told = capsys.readouterr().out
    assert ", by perfect" in told
    assert "; best " in told or ", best " in told
    assert "so far    " in told
    assert "by the rules (four in a row)" in told
    assert run_command_line(["replay", number, "--json", "--db", db]) == 0
    frames = json.loads(capsys.readouterr().out)["frames"]
    assert abs(frames[-1]["value"]) in (0.0, 1.0)


def test_a_standing_names_who_is_ahead_and_what_the_ply_changed():
    """Strangers' words are made harmless."""
    good = Standing(value=0.4, source="judge", words="cp 90\x1b[31m", best=Move("e2e4"))
    assert (
        standing_text(good, 0.3, NAMES, "uci")
        == "stands    +0.40: ada ahead, by uci (cp 90, best e2e4); +0.30 by this ply"
    )
    assert standing_text(Standing(value=-1.0, source="rules", exact=True), None, NAMES, None) == (
        "stands    -1.00: bob ahead, by the rules"
    )
    assert "even, by a judge" in standing_text(Standing(value=0.0, source="judge", exact=True), 0.0, NAMES, None)


def test_keys_jump_to_revisions_refusals_and_the_largest_swings_and_back():
    """A key without anything to go to stays where it is."""
    revised = Revised(Plan(moves=(Move("1"),)), Plan(moves=(Move("2"),)), Cause.SEARCH)
    refused = Refused(Refusal(kind="illegal", text="9", why="no"))
    frames = [SimpleNamespace(steps=steps) for steps in ((), (revised,), (refused,), (), (revised,), ())]
    assert [_moved(frames, 0, "v"), _moved(frames, 1, "v"), _moved(frames, 4, "v"), _moved(frames, 4, "V")] == [
        1,
        4,
        4,
        1,
    ]
    assert [_moved(frames, 0, "r"), _moved(frames, 2, "r"), _moved(frames, 5, "R")] == [2, 2, 2]
    turning = (3, 1)
    assert [_moved(frames, 0, "s", turning), _moved(frames, 3, "s", turning), _moved(frames, 1, "s", turning)] == [
        3,
        1,
        1,
    ]
    assert _moved(frames, 1, "S", turning) == 3
    assert _moved(frames, 2, "s") == 2
    assert [_moved(frames, 0, "G"), _moved(frames, 5, "g"), _moved(frames, 5, " "), _moved(frames, 0, "k")] == [
        5,
        0,
        5,
        0,
    ]
