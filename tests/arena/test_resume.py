"""A run that is killed and started again gives the rows of a run that was left alone."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

TOURNAMENT = """
name = "kill"
seed = 11
rounds = {rounds}
games = ["connect_four", "hex(size=5, swap=true)"]

[openings]
connect_four = "balanced"

[policies]
re_asks = 1

[models.script]
kind = "scripted"
answers = ["4", "MOVE: 3", "c3", "b2", "the middle", "MOVE: 2", "swap"]

[agents.random]
kind = "random"

[agents.greedy]
kind = "greedy"

[agents.scripted]
kind = "llm"
model = "script"

[agents.scripted-likeliest]
kind = "llm_likelihood"
model = "script"
"""
# Everything that says when, or how long, differs between any two runs.
TIMES = {"at_ms", "opened_ms", "closed_ms", "created_ms", "think_ms", "wait_ms"}


def command(file, db, *, jobs=8):
    return [sys.executable, "-m", "stratarena.arena", "run", str(file), "--db", str(db), "--jobs", str(jobs)]


def play(file, db, *, jobs=8):
    done = subprocess.run(command(file, db, jobs=jobs), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done


def rows(db):
    """Every row of every table, times left out; texts without the order they came in."""
    connection = sqlite3.connect(db)
    tables = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        if name != "alembic_version"
    ]
    found = {}
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in TIMES]
        found[table] = sorted(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
    connection.close()
    return found


@pytest.fixture(scope="module")
def tournament(tmp_path_factory):
    """A tournament file, and the rows of a run that was left alone."""
    folder = tmp_path_factory.mktemp("kill")
    file = folder / "kill.toml"
    file.write_text(TOURNAMENT.format(rounds=6))
    play(file, folder / "whole.db")
    return file, rows(folder / "whole.db")


def kill_and_resume(file, db, *, kills, seed):
    """Kill the run at random moments, then let it finish; how often it was really killed while playing."""
    rng = random.Random(seed)
    hit = 0
    for _ in range(kills):
        process = subprocess.Popen(command(file, db), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.3, 1.1))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            hit += 1
        process.wait()
    play(file, db)
    return hit


def test_a_killed_run_goes_on_and_ends_with_the_same_rows(tournament, tmp_path):
    """Three kills at random moments leave no trace in any table."""
    file, whole = tournament
    kill_and_resume(file, tmp_path / "killed.db", kills=3, seed=1)
    again = rows(tmp_path / "killed.db")
    for table, expected in whole.items():
        assert again[table] == expected, table


@pytest.mark.slow
def test_twenty_kills_leave_no_trace(tournament, tmp_path):
    """As above, at 20 random moments, of which at least 10 hit the run while it played."""
    file, whole = tournament
    file = tmp_path / "kill.toml"
    file.write_text(TOURNAMENT.format(rounds=60))
    play(file, tmp_path / "whole.db")
    assert kill_and_resume(file, tmp_path / "killed.db", kills=20, seed=2) >= 10
    whole, again = rows(tmp_path / "whole.db"), rows(tmp_path / "killed.db")
    for table, expected in whole.items():
        assert again[table] == expected, table


@pytest.mark.parametrize("jobs", [1, 64])
def test_the_number_of_jobs_does_not_change_a_game(tournament, tmp_path, jobs):
    """One match at a time and all at once give the same rows."""
    file, whole = tournament
    play(file, tmp_path / "jobs.db", jobs=jobs)
    again = rows(tmp_path / "jobs.db")
    for table, expected in whole.items():
        assert again[table] == expected, table


def test_a_finished_run_says_so_and_plays_nothing(tournament, tmp_path):
    """The same command again exits with 0 and names what is left: nothing."""
    file, _ = tournament
    play(file, tmp_path / "twice.db")
    before = rows(tmp_path / "twice.db")
    done = play(file, tmp_path / "twice.db")
    assert "nothing left to do" in done.stderr
    assert rows(tmp_path / "twice.db") == before


def test_more_rounds_extend_a_tournament_and_keep_what_was_played(tournament, tmp_path):
    """The first rounds' matches are the same rows; the new ones follow."""
    file, whole = tournament
    play(file, tmp_path / "more.db")
    longer = tmp_path / "kill.toml"
    longer.write_text(TOURNAMENT.format(rounds=7))
    play(longer, tmp_path / "more.db")
    again = rows(tmp_path / "more.db")
    assert set(whole["moves"]) < set(again["moves"])
    assert len(again["matches"]) == len(whole["matches"]) * 7 // 6


def test_a_changed_tournament_under_the_same_name_is_refused(tournament, tmp_path):
    """Another policy would mix two tournaments into one; what is recorded stays as it is."""
    file, _ = tournament
    play(file, tmp_path / "changed.db")
    before = rows(tmp_path / "changed.db")
    other = tmp_path / "kill.toml"
    other.write_text(TOURNAMENT.format(rounds=6).replace("re_asks = 1", "re_asks = 2"))
    done = subprocess.run(command(other, tmp_path / "changed.db"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "already holds a tournament 'kill'" in done.stderr
    assert rows(tmp_path / "changed.db") == before


def test_two_processes_cannot_play_one_tournament_at_once(tmp_path):
    """The second is told so at once, and the first is not disturbed."""
    file = tmp_path / "kill.toml"
    file.write_text(TOURNAMENT.format(rounds=200))
    first = subprocess.Popen(command(file, tmp_path / "two.db"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("two.db.*.lock")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        second = subprocess.run(command(file, tmp_path / "two.db"), capture_output=True, text=True, check=False)
        assert first.poll() is None
        assert second.returncode == 1
        assert "another process is playing 'kill'" in second.stderr
    finally:
        first.kill()
        first.wait()


def test_an_interrupt_saves_and_prints_the_command_that_goes_on(tmp_path):
    """Ctrl-C ends the run with 130; the printed command finishes it."""
    file = tmp_path / "kill.toml"
    file.write_text(TOURNAMENT.format(rounds=60))
    process = subprocess.Popen(
        command(file, tmp_path / "int.db"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("int.db.*.lock")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"go on with: stratarena run {file} --db {tmp_path / 'int.db'} --jobs 8" in told.replace("\n", " ").replace(
        "  ", " "
    )
    play(file, tmp_path / "int.db")
