"""Whole tournaments against a server that fails: they come to their end, and the record says what it took."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from hashlib import blake2b
from threading import Lock

import pytest

from stratarena.arena.cli import run_command_line
from stratarena.arena.faults import FAULTS, Act, FaultServer

FILE = """
name = "remote"
games = ["connect_four"]
rounds = {rounds}

[policies]
void_retries = 5

[models.far]
kind = "openai"
provider = "custom"
base_url = "{url}"
model = "fault-1"
key_env = "PLANTED_KEY"
price_per_million = [1000.0, 2000.0]
attempts = {attempts}
concurrency = 16

[agents.one]
kind = "llm"
model = "far"

[agents.two]
kind = "llm"
model = "far"
list_legal_moves = false

[agents.three]
kind = "random"
"""


def write(folder, server, *, rounds=1, attempts=6):
    path = folder / "remote.toml"
    path.write_text(FILE.format(url=server.url, rounds=rounds, attempts=attempts))
    return str(path)


def move_for(asked):
    """One column for each prompt, drawn by its hash: what is asked decides the answer, and nothing else."""
    return str(1 + blake2b(asked.prompt.encode()).digest()[0] % 7)


def rows(db, query):
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", "sk-planted-0123456789")


def test_mixed_failures_change_nothing_but_the_time(tmp_path, monkeypatch, capsys):
    """With 30 % of calls failing in mixed ways, standings and moves equal a fault-free run's; nothing is spent twice.

    Every answer that the server charged for is one answered call of the record with its tokens and its cost.
    """
    monkeypatch.setattr("stratarena.agents.models.remote._FIRST_REST_S", 0.02)
    found = {}
    for name, rate in (("clean", 0.0), ("faulty", 0.3)):
        lock = Lock()
        seen = {}

        def script(asked, rate=rate, seen=seen, lock=lock):
            with lock:
                seen[asked.prompt] = number = seen.get(asked.prompt, 0) + 1
            draw = int.from_bytes(blake2b(f"{asked.prompt}{number}".encode()).digest()[:4], "big") / 2**32
            fault = FAULTS[int(draw / rate * len(FAULTS))] if draw < rate else "none"
            return Act(fault="none" if fault == "10 MB" else fault, text=move_for(asked), retry_after_s=0.01)

        db = str(tmp_path / f"{name}.db")
        with FaultServer(script) as server:
            # Few attempts, so that some calls fail for good: their matches are void and played again.
            file = write(tmp_path, server, rounds=2, attempts=3)
            assert run_command_line(["run", file, "--db", db, "--jobs", "12"]) == 0
            answered = rows(
                db, "SELECT COUNT(*), SUM(prompt_tokens + 0), SUM(cost_usd) FROM model_calls WHERE answer IS NOT NULL"
            )[0]
            assert answered[0] == server.n_charged
            tokens = [(served.prompt_tokens, served.completion_tokens) for served in server.served if served.charged]
            assert answered[1] == sum(prompt for prompt, _ in tokens)
            cost = sum(prompt * 1000 + completion * 2000 for prompt, completion in tokens) / 1e6
            assert answered[2] == pytest.approx(cost)
            attempts = rows(db, "SELECT COUNT(*), SUM(failure IS NULL) FROM call_attempts")[0]
            assert attempts == (len(server.served), server.n_charged)
        assert run_command_line(["standings", "--db", db, "--json"]) == 0
        found[name] = (
            json.loads("{" + capsys.readouterr().out.partition("\n{")[2])["standings"],
            rows(db, "SELECT key, ending, winner, reason, plies FROM v_matches ORDER BY key"),
            rows(db, "SELECT v.key, o.ply, o.move FROM v_matches v JOIN moves o USING (match_id) ORDER BY 1, 2"),
        )
        voids = rows(db, "SELECT COUNT(*) FROM matches WHERE status = 'void'")[0][0]
        failures = rows(db, "SELECT COUNT(*) FROM call_attempts WHERE failure IS NOT NULL")[0][0]
        assert (voids > 0, failures > 50) == (rate > 0, rate > 0)
        if rate:
            kinds = {
                kind for (kind,) in rows(db, "SELECT DISTINCT failure FROM call_attempts WHERE failure IS NOT NULL")
            }
            assert kinds == {"quota", "server", "transport", "garbled"}
            assert (
                rows(db, "SELECT COUNT(*) FROM call_attempts WHERE failure = 'quota' AND at_most_usd <> 0")[0][0] == 0
            )
            assert (
                rows(db, "SELECT COUNT(*) FROM call_attempts WHERE failure = 'garbled' AND at_most_usd > 0")[0][0] > 0
            )
    assert len(found["clean"][0]) == 3
    assert found["faulty"] == found["clean"]


def test_a_planted_key_is_nowhere_in_the_record_the_report_or_the_output(tmp_path, capsys):
    """Even where the server says it back in answers and errors."""
    db, out = tmp_path / "key.db", tmp_path / "report"

    def script(asked):
        said = asked.headers["authorization"]
        return Act(text=said if asked.number % 2 else "4", fault="none" if asked.number % 5 else "401")

    with FaultServer(script) as server, suppress(SystemExit):
        run_command_line(["run", write(tmp_path, server), "--db", str(db), "--jobs", "2"])
    run_command_line(["report", "--db", str(db), "--out", str(out)])
    run_command_line(["answers", "far", "--db", str(db)])
    printed = capsys.readouterr()
    assert "Bearer [key]" in printed.out
    with closing(sqlite3.connect(db)) as connection:
        dump = "\n".join(connection.iterdump())
        from stratarena.db.texts import unpack

        texts = "\n".join(unpack(*row) for row in connection.execute("SELECT codec, body FROM texts"))
    files = [path.read_text(errors="replace") for path in out.rglob("*") if path.is_file()]
    assert "Bearer [key]" in texts
    for written in (dump, texts, printed.out, printed.err, *files):
        assert "planted-0123456789" not in written
    assert b"planted-0123456789" not in db.read_bytes()


def test_waiting_is_recorded_apart_from_thinking(tmp_path):
    """A server that lets us wait half a second before it answers in a tenth: each in its own column."""

    def script(asked):
        fault = "429 with retry-after" if asked.number == 1 else "none"
        return Act(fault=fault, retry_after_s=0.5, delay_s=0.1, text=move_for(asked))

    db = str(tmp_path / "wait.db")
    with FaultServer(script) as server:
        assert run_command_line(["run", write(tmp_path, server), "--db", db, "--jobs", "1"]) == 0
    ((think, wait, tries),) = rows(
        db,
        "SELECT think_ms, wait_ms, (SELECT COUNT(*) FROM call_attempts a WHERE a.match_id = c.match_id AND a.seq = c.seq) "
        "FROM model_calls c ORDER BY match_id, seq LIMIT 1",
    )
    assert 100 <= think < 400
    assert wait >= 500
    assert tries == 2
