"""`stratarena simulate` and `stratarena metrics --from-log`: what goes in, what comes out, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stratarena.arena.cli import run_command_line

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/advgamebench.json").read_text(encoding="utf-8"))
KEYS = {"turn_based": "turn_based", "battle_card": "battle_card", "tower_defense": "tower_defense_frame_locked"}


@pytest.fixture
def said(capsys):
    """Runs a command: exit code, standard output, standard error."""

    def run(*arguments):
        code = run_command_line([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


@pytest.mark.parametrize("game", KEYS)
def test_a_batch_prints_what_the_published_programs_recorded(tmp_path, said, game):
    """One object a line, in order, with exactly the golden keys and values."""
    entries = GOLDEN[KEYS[game]]
    code, out, _ = said("simulate", game, "--rules", "published", "--batch", write(tmp_path / "b.json", entries))
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [entry["expected"] for entry in entries]


def test_one_pair_is_told_in_words_and_as_json(tmp_path, said):
    """Costs, verdicts, winner and survivors; with a trace also every event."""
    file = write(tmp_path / "p.json", GOLDEN["turn_based"][0])
    code, out, _ = said("simulate", "turn_based", "--plans", file)
    assert code == 0
    assert "Defenders: cost 19 of 20, ok" in out
    assert "simulation: Defenders win" in out
    code, out, _ = said("simulate", "turn_based", "--plans", file, "--json", "--trace")
    found = json.loads(out)
    assert (found["winner"], found["round_winner"], found["decided_by"]) == ("Defenders", "Defenders", "simulation")
    assert found["trace"][0] == {"event": "DuelOpened", "at": 0, "first": 0, "second": 0}


def test_a_plan_that_cannot_be_played_is_a_verdict_and_not_an_error(tmp_path, said):
    """The other side wins the round; nothing is simulated."""
    pair = {**GOLDEN["turn_based"][0], "defenders": [{"element": "Wood", "skills": ["no_such_skill"]}]}
    code, out, _ = said("simulate", "turn_based", "--plans", write(tmp_path / "p.json", pair), "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["winner"], found["round_winner"], found["decided_by"]) == (None, "Invaders", "bad_plan")
    assert "no such skill" in found["plans"]["defenders"]["problems"][2]["why"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "expected an object with two plans"),
        ("{", "not JSON"),
        ('{"defenders": []}', "no key 'invaders'; expected defenders and invaders"),
        ('{"defenders": NaN, "invaders": []}', "NaN is not JSON"),
        ('{"defenders": [], "defenders": []}', "'defenders' is given twice"),
        ("[" * 100_000, "nested more than 32 levels"),
    ],
)
def test_a_file_without_two_plans_is_one_clear_line(tmp_path, said, content, message):
    """Exit code 1, and no traceback."""
    file = tmp_path / "p.json"
    file.write_text(content, encoding="utf-8")
    code, out, err = said("simulate", "turn_based", "--plans", file)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_wrong_game_rule_set_or_choice_of_files_is_said_wrongly(tmp_path, said):
    """Exit code 2, with what would be accepted."""
    file = write(tmp_path / "p.json", GOLDEN["turn_based"][0])
    for arguments, message in (
        (("chess", "--plans", file), "expected tower_defense, battle_card, turn_based"),
        (("turn_based", "--plans", file, "--rules", "fair"), "expected as_written or published"),
        (("turn_based",), "give either --plans FILE"),
        (("turn_based", "--plans", file, "--batch", file), "give either --plans FILE"),
    ):
        code, _, err = said("simulate", *arguments)
        assert code == 2
        assert message in err


def test_logs_of_the_published_programs_are_measured_line_by_line(tmp_path, said):
    """One object for each log, with exactly the golden keys and values."""
    logs = GOLDEN["public_evaluator"]
    file = write(tmp_path / "logs.json", logs)
    code, out, _ = said("metrics", "--from-log", file, "--definition", "published", "--json")
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [log["expected"] for log in logs]
    code, _, err = said("metrics", "--from-log", write(tmp_path / "one.json", {}))
    assert (code, err) == (1, f"error: {tmp_path}/one.json: expected a list of logs\n")
