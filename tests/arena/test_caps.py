"""Runs under a cap, and runs whose infrastructure fails: they stop by themselves, say why, and go on where they were."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from hashlib import blake2b

import pytest

from stratarena.arena.cli import run_command_line
from stratarena.arena.config import load_tournament
from stratarena.arena.faults import Act, FaultServer
from stratarena.arena.prices import Price, read_price_table
from stratarena.games.base import SpecError

FILE = """
name = "capped"
games = ["connect_four"]
rounds = {rounds}

[policies]
void_retries = 0
failure_minimum = 4

[models.far]
kind = "openai"
provider = "custom"
base_url = "{url}"
model = "fault-1"
attempts = 1
concurrency = 8
price_per_million = [100.0, 2000.0]

[agents.one]
kind = "llm"
model = "far"
self_checks = {checks}

[agents.two]
kind = "random"
"""


def write(folder, url, *, rounds=2, checks=0):
    path = folder / "capped.toml"
    path.write_text(FILE.format(url=url, rounds=rounds, checks=checks))
    return str(path)


def run(*arguments):
    try:
        return run_command_line(["run", *arguments])
    except SystemExit as stop:
        return stop.code


def one(db, query):
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchone()


def move_for(asked):
    return "MOVE: " + str(1 + blake2b(asked.prompt.encode()).digest()[0] % 7)


def test_a_cap_stops_the_run_cleanly_and_can_be_raised(tmp_path, capsys):
    """Nothing above it is spent, every paid answer is in the record once, and a higher cap goes on to the end."""
    db = str(tmp_path / "c.db")
    with FaultServer(lambda asked: Act(text=move_for(asked), delay_s=0.002)) as server:
        file = write(tmp_path, server.url)
        assert run(file, "--db", db, "--max-usd", "1.0", "--jobs", "4") == 1
        told = capsys.readouterr().err
        assert "the run's cap leaves no room for another call: $" in told
        assert "--max-usd 2" in told
        spent, calls = one(db, "SELECT SUM(cost_usd), COUNT(*) FROM model_calls")
        kept = one(db, "SELECT COALESCE(SUM(cost_usd), 0), COUNT(*) FROM receipts")
        assert 0.5 < spent + kept[0] <= 1.0
        assert calls + kept[1] == server.n_charged
        assert run(file, "--db", db, "--max-usd", "1.0") == 1
        assert calls + kept[1] == server.n_charged
        assert run(file, "--db", db, "--max-usd", "100") == 0
        assert one(db, "SELECT COUNT(*), SUM(answer IS NOT NULL) FROM model_calls") == (server.n_charged,) * 2
        assert one(db, "SELECT COUNT(*) FROM receipts") == (0,)


def test_a_cap_without_a_price_is_warned_of(tmp_path, capsys):
    """It cannot hold back what nobody knows."""
    db = str(tmp_path / "c.db")
    with FaultServer(lambda asked: Act(text=move_for(asked))) as server:
        file = write(tmp_path, server.url, rounds=1)
        text = (tmp_path / "capped.toml").read_text().replace("price_per_million = [100.0, 2000.0]\n", "")
        (tmp_path / "capped.toml").write_text(text + "\n[budgets.run]\ncost_usd = 0.5\n")
        assert run(file, "--db", db) == 0
    assert "no price is known of far: the cap of $0.5 cannot hold back what they cost" in capsys.readouterr().err


def test_a_run_stops_by_itself_when_one_agents_infrastructure_keeps_failing(tmp_path, capsys):
    """It names agent and cause, and the command that plays the failed games again plays those only."""
    db = str(tmp_path / "f.db")
    down = [True]

    def script(asked):
        return Act(fault="500" if down[0] and asked.number > 3 else "none", text=move_for(asked))

    with FaultServer(script) as server:
        file = write(tmp_path, server.url, rounds=8)
        assert run(file, "--db", db, "--jobs", "1") == 1
        told = capsys.readouterr().err
        assert (
            "games of agent 'one' in this run were void; the last one by far: server: HTTP 500: something broke" in told
        )
        assert f"play the void ones again with: stratarena run {file} --db {db} --jobs 1 --failed" in " ".join(
            told.split()
        )
        void, pending = one(db, "SELECT SUM(status = 'void'), SUM(status = 'pending') FROM matches")
        assert 3 <= void <= 6
        assert pending >= 8
        down[0] = False
        assert run(file, "--db", db, "--jobs", "1", "--failed") == 0
        assert one(db, "SELECT SUM(attempt = 2), SUM(status = 'pending') FROM matches") == (void, pending)
        assert one(db, "SELECT COUNT(*) FROM matches WHERE attempt = 2 AND status <> 'over'") == (0,)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_a_killed_turn_had_paid_for_is_neither_lost_nor_paid_for_again(tmp_path):
    """A turn of two calls is killed after the first: the run that goes on asks only for the second."""
    db, stuck = str(tmp_path / "k.db"), [True]

    def script(asked):
        again = "not played yet" in asked.prompt
        return Act(fault="hang" if stuck[0] and again else "none", text="keep" if again else "4")

    with FaultServer(script) as server:
        file = write(tmp_path, server.url, rounds=1, checks=1)
        command = [sys.executable, "-m", "stratarena.arena", "run", file, "--db", db, "--jobs", "1"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        patience = time.monotonic() + 60
        while server.in_flight == 0 or server.n_charged == 0:
            assert time.monotonic() < patience
            time.sleep(0.02)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert one(db, "SELECT COUNT(*), SUM(cost_usd) > 0 FROM receipts") == (1, 1)
        stuck[0] = False
        assert run(file, "--db", db, "--jobs", "1") == 0
        assert one(db, "SELECT COUNT(*) FROM receipts") == (0,)
        assert one(db, "SELECT COUNT(*) FROM model_calls WHERE answer IS NOT NULL") == (server.n_charged,)
        first = next(served for served in server.served if served.charged).asked.prompt
        assert sum(served.asked.prompt == first for served in server.served) == 1


def test_a_cap_binds_where_nobody_counts_tokens(tmp_path):
    """What such an answer cost is unknown and stays so; the cap counts the most that it can have cost, over both runs."""
    db = str(tmp_path / "n.db")
    with FaultServer(lambda asked: Act(fault="no usage", text=move_for(asked))) as server:
        file = write(tmp_path, server.url)
        assert run(file, "--db", db, "--max-usd", "0.5", "--jobs", "2") == 1
        first = server.n_charged
        spent, at_most = one(db, "SELECT SUM(c.cost_usd), SUM(a.at_most_usd) FROM model_calls c JOIN call_attempts a USING (match_id, seq)")  # fmt: skip
        banked = one(db, "SELECT COALESCE(SUM(at_most_usd), 0) FROM receipts")[0]
        assert spent is None
        assert 0 < at_most + banked <= 0.5
        assert run(file, "--db", db, "--max-usd", "0.5", "--jobs", "2") == 1
        assert server.n_charged == first > 1


PRICES = '"fault-1" = [10.0, 20.0]\n"another" = {prompt = 1.0, completion = 2.0, cached = 0.1}\n'


def test_prices_come_from_a_table_by_the_providers_name_and_the_unknown_stays_unknown(tmp_path, capsys):
    """A model's own price goes first; one that is in neither has none; a table that is none is told with its place."""
    folder = tmp_path
    (folder / "prices.toml").write_text(PRICES)
    text = (
        'prices = "prices.toml"\n'
        + FILE.format(url="http://127.0.0.1:9/v1", rounds=1, checks=0).replace(
            "price_per_million = [100.0, 2000.0]\n", ""
        )
        + '\n[models.own]\nkind = "scripted"\nanswers = ["4"]\nprice_per_million = [7.0, 8.0]\n'
    )

    def priced():
        return {model.name: model.price for model in load_tournament(text, place="t.toml", folder=folder).spec.models}

    assert priced() == {"far": Price(10.0, 20.0), "own": Price(7.0, 8.0)}
    assert read_price_table(PRICES, place="p")["another"] == Price(1.0, 2.0, 0.1)
    (folder / "prices.toml").write_text('"someone-else" = [1.0, 2.0]\n')
    assert priced()["far"] is None
    for wrong, why in (('"fault-1" = [1.0]\n', "prices.toml: fault-1: a price is"), ("= 3", "not valid TOML")):
        (folder / "prices.toml").write_text(wrong)
        with pytest.raises(SpecError, match=why):
            priced()
    (folder / "prices.toml").unlink()
    with pytest.raises(SpecError, match=r"prices\.toml cannot be read"):
        priced()
