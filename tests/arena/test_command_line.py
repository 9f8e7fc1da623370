"""What a person can say to the command line, rightly and wrongly: one clear line, the right exit code, no traceback."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from stratarena.arena.cli import run_command_line
from stratarena.arena.commands import running
from stratarena.arena.config import load_tournament

SMALL = """
name = "small"
seed = 3
games = ["connect_four"]

[agents.random]
kind = "random"

[agents.greedy]
kind = "greedy"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with a small tournament file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRATARENA_DB", raising=False)
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


@pytest.fixture
def said(capsys):
    """Run a command: its exit code, standard output and standard error."""

    def run(*arguments):
        try:
            code = run_command_line([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def played(said, here):
    code, _, _ = said("run", "small.toml")
    assert code == 0
    return here / "stratarena.db"


def test_a_small_tournament_is_played_and_everything_can_be_read_back(here, said):
    """Run, standings, list, replay and report all work on the default database."""
    code, out, _ = said("run", "small.toml")
    assert code == 0
    assert "2 of 2 matches are over" in out
    assert "greedy" in said("standings")[1]
    assert "connect-four/random-vs-greedy/r1a" in said("list", "matches")[1]
    code, out, _ = said("replay", "1")
    assert code == 0
    assert "recorded positions are what the rules give" in out
    code, out, _ = said("report")
    assert code == 0
    assert (here / "reports/small/report.html").read_text().startswith("<!doctype html>")
    assert (here / "reports/small/report.md").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("standings", "--json"),
        ("list", "matches", "--json"),
        ("list", "tournaments", "--json"),
        ("list", "games", "--json"),
        ("list", "agents", "--json"),
        ("list", "models", "--json"),
        ("replay", "1", "--json"),
        ("report", "--json"),
        ("db", "info", "--json"),
        ("check", "small.toml", "--json"),
        ("run", "small.toml", "--dry-run", "--json"),
    ],
)
def test_every_reading_command_has_a_machine_readable_twin(here, said, command):
    """Standard output is one JSON document."""
    played(said, here)
    code, out, _ = said(*command)
    assert code == 0
    assert json.loads(out)


def test_a_run_says_in_json_when_it_is_safe_to_watch_and_when_it_is_done(here, said):
    """Two lines, and nothing else on standard output."""
    code, out, _ = said("run", "small.toml", "--json")
    assert code == 0
    started, done = (json.loads(line) for line in out.splitlines())
    assert started["event"] == "started"
    assert (done["event"], done["over"], done["played"]) == ("done", 2, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = = 1", ["small.toml", "not valid TOML", "line 1"]),
        (SMALL + "rounds = 2\n", ["small.toml:11", "unknown key 'rounds'", "takes none"]),
        ("round = 2\n" + SMALL, ["small.toml:1", "unknown key 'round'", "did you mean 'rounds'?", "valid here"]),
        (SMALL.replace('"greedy"', '"gredy"'), ["small.toml:10", "'gredy'", "did you mean 'greedy'?", "mcts"]),
        (SMALL.replace('"connect_four"', '"conect_four"'), ["small.toml:4", "did you mean 'connect_four'?"]),
        (SMALL.replace('"connect_four"', '"hex(size=99)"'), ["small.toml:4", "from 2 to 19"]),
        (SMALL.replace('"connect_four"', '"hex(sise=5)"'), ["small.toml:4", "did you mean 'size'?"]),
        (SMALL.replace("seed = 3", 'seed = "three"'), ["small.toml:3", "seed = 'three'", "valid integer"]),
        (SMALL + '[agents.m]\nkind = "llm"\nmodel = "gpt"\n', ["small.toml:13", "model 'gpt'", "[models.gpt]"]),
        (SMALL + '[agents.m]\nkind = "llm"\n', ["agent 'm'", "'model' is missing"]),
        (SMALL + '[agents.m]\nkind = "mcts"\nsimulatons = 5\n', ["did you mean 'simulations'?"]),
        (SMALL + '[agents.s]\nkind = "uci"\nnodes = 1\n', ["agent 's'", "can play none of the games"]),
        (SMALL + '[agents."a b"]\nkind = "random"\n', ["'a b' is no name"]),
        (SMALL + '[openings]\nconnect_four = "book"\n', ["no openings 'book'", "balanced"]),
        ('format = "gauntlet"\n' + SMALL, ["small.toml:1", "a gauntlet needs challengers"]),
        ('challengers = ["x"]\nformat = "gauntlet"\n' + SMALL, ["small.toml:1", "'x' is no agent"]),
        (SMALL + "[budgets]\nmove = { tokens = 3 }\n", ["small.toml:12", "unknown key 'tokens'", "completion_tokens"]),
        (SMALL.split("[agents.greedy]", maxsplit=1)[0], ["agents needs at least 2 entries"]),
    ],
)
def test_every_mistake_in_a_file_is_told_with_its_place_and_what_would_do(here, said, text, words):
    """Exit code 2, and nothing is written."""
    (here / "small.toml").write_text(text)
    code, _, err = said("run", "small.toml")
    assert code == 2
    for word in words:
        assert word in err, err
    assert all(line.startswith("error: ") for line in err.splitlines())
    assert not (here / "stratarena.db").exists()


def test_several_mistakes_are_told_at_once(here, said):
    """Two wrong keys in two tables are two lines."""
    (here / "small.toml").write_text("seeds = 1\n" + SMALL + "[policies]\nreasks = 1\n")
    code, _, err = said("run", "small.toml")
    assert code == 2
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "nothing.toml"), 2, ["nothing.toml", "No such file"]),
        (("rn",), 2, ["No such command 'rn'", "Did you mean 'run'"]),
        (("run",), 2, ["Missing argument 'FILE'"]),
        (("run", "small.toml", "--jobs", "0"), 2, ["--jobs"]),
        (("standings",), 1, ["there is no database stratarena.db"]),
        (("replay", "1", "--db", "other.db"), 1, ["there is no database other.db"]),
        (("run", "small.toml", "--db", "no/folder/x.db"), 1, ["there is no folder no/folder"]),
        (("run", "small.toml", "--db", "."), 1, ["is a folder"]),
        (("run", "small.toml", "--db", "mysql://x/y"), 1, ["no driver"]),
        (("models", "fetch", "gpt"), 2, ["no bundled model 'gpt'", "smollm2"]),
    ],
)
def test_a_wrong_word_gives_one_line_and_its_code(here, said, arguments, code, words):
    """2 for what was said wrongly, 1 for what failed."""
    found, _, err = said(*arguments)
    assert found == code
    assert len(err.splitlines()) == 1
    for word in words:
        assert word in err, err


def test_an_unknown_match_or_tournament_names_the_nearest(here, said):
    """The keys and names that there are help to find the right one."""
    played(said, here)
    code, _, err = said("replay", "connect-four/random-vs-gredy/r1a")
    assert code == 1
    assert "connect-four/random-vs-greedy/r1a" in err
    assert "numbered 1 to 2" in said("replay", "17")[2]
    assert "did you mean 'small'?" in said("report", "smal")[2]
    assert "plies 0 to" in said("replay", "1", "--ply", "500")[2]


def test_a_file_that_is_no_database_is_left_alone(here, said):
    """A text file is named as what it is not."""
    (here / "notes.db").write_text("my notes")
    for command in (("run", "small.toml"), ("standings",), ("db", "info")):
        code, _, err = said(*command, "--db", "notes.db")
        assert code == 1
        assert "notes.db is no SQLite database" in err
    assert (here / "notes.db").read_text() == "my notes"


def test_somebody_elses_database_is_left_alone(here, said):
    """A database with other tables is not written to."""
    connection = sqlite3.connect(here / "other.db")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    code, _, err = said("run", "small.toml", "--db", "other.db")
    assert code == 1
    assert "recipes" in err


def test_a_damaged_database_is_told(here, said):
    """Zeroed pages are noticed, not played over."""
    db = played(said, here)
    connection = sqlite3.connect(db)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(db.read_bytes())
    content[4096 : len(content)] = b"\x55" * (len(content) - 4096)
    db.write_bytes(content)
    code, _, err = said("standings")
    assert code == 1
    assert "damaged" in err


def test_a_database_of_a_newer_program_asks_for_an_upgrade_of_the_program(here, said):
    """The schema's revision is unknown, so nothing is read and nothing written."""
    db = played(said, here)
    connection = sqlite3.connect(db)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    for command in (("run", "small.toml"), ("standings",), ("db", "upgrade")):
        code, _, err = said(*command)
        assert code == 1
        assert "newer stratarena" in err
    code, out, _ = said("db", "info")
    assert code == 0
    assert "9999" in out


def test_a_locked_database_is_told_and_nothing_is_lost(here, said, monkeypatch):
    """Another program's write lock ends the run with one line; the rows before it stay."""
    monkeypatch.setattr("stratarena.db.connect._BUSY_S", 0.1)
    db = played(said, here)
    connection = sqlite3.connect(db, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    (here / "small.toml").write_text("rounds = 3\n" + SMALL)
    code, _, err = said("run", "small.toml")
    connection.execute("ROLLBACK")
    connection.close()
    assert code == 1
    assert "locked by another program" in err
    assert "2 of 2" in said("standings")[1]


def test_a_read_only_database_can_be_read_but_not_played_into(here, said, monkeypatch):
    """Reading needs no right to write, neither to the file nor to its folder."""
    db = played(said, here)
    (here / "small.toml").write_text("rounds = 3\n" + SMALL)
    db.chmod(0o444)
    # To the superuser every file is writable, so the system's answer is given for it.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    code, _, err = said("run", "small.toml")
    assert code == 1
    assert "stratarena.db is read-only; playing writes to it" in err
    code, out, _ = said("standings")
    assert code == 0
    assert "2 of 2 matches" in out
    code, _, err = said("run", "small.toml", "--db", "new.db")
    assert code == 1
    assert "is read-only" in err


def test_a_tampered_record_is_an_error_that_names_the_ply(here, said):
    """One changed move is found by its digest or by the rules."""
    db = played(said, here)
    connection = sqlite3.connect(db)
    connection.execute(
        "UPDATE moves SET move = CASE move WHEN '4' THEN '5' ELSE '4' END WHERE match_id = 1 AND ply = 2"
    )
    connection.commit()
    connection.close()
    code, _, err = said("replay", "1")
    assert code == 1
    assert "ply 3" in err


def test_a_missing_engine_fails_the_check_and_voids_the_match(here, said):
    """`check` says what to install; `run` gives nobody a loss and can be repeated."""
    (here / "chess.toml").write_text(
        SMALL.replace("connect_four", "chess") + '[agents.e]\nkind = "uci"\ncommand = "no-such-engine"\nnodes = 1\n'
    )
    code, out, _ = said("check", "chess.toml")
    assert code == 1
    assert "there is no engine 'no-such-engine'" in out
    (here / "chess.toml").write_text(
        (here / "chess.toml").read_text().replace("[agents", "[policies]\nmax_plies = 8\n\n[agents", 1)
    )
    code, out, _ = said("run", "chess.toml")
    assert code == 1
    assert "4 void, to be played again by the same command" in out


def test_a_model_that_cannot_load_fails_the_check_and_voids_the_match(here, said):
    """The folder is named; nobody loses."""
    (here / "model.toml").write_text(
        SMALL + '[models.m]\nkind = "transformers"\nfolder = "nowhere"\n[agents.l]\nkind = "llm"\nmodel = "m"\n'
    )
    code, out, _ = said("check", "model.toml")
    assert code == 1
    assert "nowhere is no model folder" in out
    code, out, _ = said("run", "model.toml")
    assert code == 1
    assert "4 void" in out


@pytest.mark.parametrize("weights", ["connect_four", "hex_5x5", "chess_endings"])
def test_a_game_model_is_tried_with_a_position_of_its_game(here, said, weights):
    """It answers to nothing else, and a check that fails is one that a user has to look into."""
    pytest.importorskip("torch", reason="the torch extra is not installed")
    folder = Path(__file__).parents[2] / "agents" / "data" / "gamelm" / weights
    (here / "model.toml").write_text(
        SMALL + f'[models.m]\nkind = "game_lm"\nfolder = "{folder}"\n[agents.l]\nkind = "mcts_llm"\nmodel = "m"\n'
    )
    code, out, _ = said("check", "model.toml")
    assert "answered" in out
    assert code == 0


def test_a_dry_run_plays_nothing_and_tells_what_a_model_would_be_asked(here, said):
    """Matches, calls and tokens; no database is made."""
    (here / "model.toml").write_text(
        SMALL
        + '[models.m]\nkind = "scripted"\nanswers = ["4"]\nprice_per_million = [1.0, 2.0]\n'
        + '[agents.l]\nkind = "llm"\nmodel = "m"\n'
    )
    code, out, _ = said("run", "model.toml", "--dry-run")
    assert code == 0
    assert "6 matches, nothing played" in out
    assert "at most $0.0" in out
    assert not (here / "stratarena.db").exists()


def test_help_costs_less_than_a_fifth_of_a_cpu_second():
    """Nothing heavy is imported to print it; the best of three, since machines are noisy."""
    script = (
        "import resource, sys; from stratarena.arena.cli import run_command_line; run_command_line(['--help']); "
        "heavy = {'torch', 'transformers', 'pyspiel', 'matplotlib', 'sqlalchemy', 'chess', 'alembic'} & set(sys.modules); "
        "usage = resource.getrusage(resource.RUSAGE_SELF); "
        "print(sorted(heavy), usage.ru_utime + usage.ru_stime, file=sys.stderr)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr.rsplit(" ", 1)
        for _ in range(3)
    ]
    assert {heavy for heavy, _ in runs} == {"[]"}
    assert min(float(seconds) for _, seconds in runs) < 0.2


def test_the_demo_goes_on_without_an_engine_that_is_missing():
    """The bundled file loads, and loads again with any agent left out."""
    source = (Path(running.__file__).parents[1] / "demo.toml").read_text(encoding="utf-8")
    whole = load_tournament(source, place="demo.toml")
    assert len(whole.agents) >= 5
    for name in ("stockfish-1", "perfect"):
        smaller = load_tournament(running._without(source, {name: "missing"}), place="demo.toml")
        assert set(smaller.agents) == set(whole.agents) - {name}


def test_every_example_is_a_tournament_file_that_loads():
    """Whatever stands in examples/ can be run."""
    examples = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
    assert examples
    for example in examples:
        load_tournament(example.read_text(encoding="utf-8"), place=example.name)


def test_the_tournament_of_the_readme_loads():
    """What a newcomer copies works."""
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    for source in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        load_tournament(source, place="README.md")
