"""`view`: the record over loopback, for its own pages only, for reading only, and live."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from stratarena.arena.cli import run_command_line

pytest.importorskip("starlette", reason="the web extra is not installed")
pytest.importorskip("uvicorn", reason="the web extra is not installed")
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

ENDED = "status, ending, winner, reason, at_fault, plies, closed_ms"


@pytest.fixture(scope="module")
def live(record, tmp_path_factory):
    """A copy of the record for a server to show and a test to change."""
    copy = tmp_path_factory.mktemp("live") / "live.db"
    with sqlite3.connect(record) as one, sqlite3.connect(copy) as two:
        one.backup(two)
    return copy


@pytest.fixture(scope="module")
def served(live):
    """The address of a server, started as a user would start it."""
    command = [sys.executable, "-m", "stratarena.arena", "view", "--db", str(live), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), process.stderr.read()
        yield address
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said
        assert "stopped" in said
        assert "Traceback" not in said


def fetch(address, **headers):
    """Status, headers and text of an answer."""
    request = urllib.request.Request(
        address, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


PATHS = ["", "replay.js", "replay.css", "match/1", "api/tournaments", "api/tournament/every-game", "api/match/1"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_for_this_server_s_own_pages_only(path, served):
    """Another name, another origin, another site: refused before anything is looked up. Headers lock the rest."""
    status, headers, _ = fetch(served + path)
    assert status == 200
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers
    port = served.split(":")[2].rstrip("/")
    for wrong in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://127.0.0.1:{port}"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors"},
    ):
        status, _, text = fetch(served + path, **wrong)
        assert (status, "this server answers" in text) == (403, True), wrong
    for right in ({"Host": f"localhost:{port}"}, {"Origin": served.rstrip("/")}, {"Sec_Fetch_Site": "same-origin"}):
        assert fetch(served + path, **right)[0] == 200, right


def test_there_is_nothing_to_write_and_nothing_beside_the_record(served, live):
    """Other methods, other files and strange numbers are refused in JSON; the database is as it was."""
    before = live.read_bytes()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        request = urllib.request.Request(served + "api/tournaments", method=method, data=b"{}")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 405
        refused.value.close()
    for path in (
        "../pyproject.toml",
        "static/main.js",
        "..%2f..%2fetc/passwd",
        "api/match/x",
        "api/match/99999",
        "nonesuch",
    ):
        assert fetch(served + path)[0] == 404, path
    assert fetch(served + "api/tournament/nonesuch")[0] == 404
    assert fetch(served + "api/tournament/every-game?offset=-1")[0] == 400
    assert fetch(served + "api/tournament/every-game?offset=1e9")[0] == 400
    assert fetch(served + "api/tournament/every-game?state=%27%20OR%201=1")[0] == 400
    assert '"total":0' in fetch(served + "api/tournament/every-game?agent=%27%20OR%201=1--")[2]
    assert fetch(served + "api/match/1/round/77")[0] == 404
    assert live.read_bytes() == before


def test_it_listens_on_loopback_only(served):
    """No other address of this machine answers."""
    port = int(served.split(":")[2].rstrip("/"))
    listening = subprocess.run(["ss", "-ltnH", f"sport = :{port}"], capture_output=True, text=True, check=False) if shutil.which("ss") else None  # fmt: skip
    if listening is None:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        addresses = {line.split()[1].split(":")[0] for line in lines if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"}  # fmt: skip
        assert addresses == {"0100007F"}
    else:
        assert {line.split()[3] for line in listening.stdout.splitlines()} == {f"127.0.0.1:{port}"}


def test_a_taken_port_and_a_missing_database_are_said_in_one_line(served, live, capsys):
    """Exit codes 2 and 1, no traceback."""
    port = served.split(":")[2].rstrip("/")
    assert run_command_line(["view", "--db", str(live), "--port", port]) == 2
    assert "cannot be served" in capsys.readouterr().err
    assert run_command_line(["view", "--db", str(live) + ".nonesuch"]) == 1
    assert "there is no database" in capsys.readouterr().err


def test_from_the_list_to_a_match_and_back(served, look):
    """Tournaments, matches by game, a replay, and only this server was asked."""
    with look(served) as page:
        page.get_by_role("link", name="every-game").click()
        page.wait_for_selector("tbody tr")
        page.select_option("select[name=game]", "battle_card(rounds=3)")
        expect(page.locator("tbody tr")).to_have_count(2)
        page.locator("tbody a").first.click()
        page.wait_for_selector(".replay")
        page.keyboard.press("End")
        page.wait_for_selector(".table .card")
        page.get_by_role("link", name="every-game").click()
        page.wait_for_selector("tbody tr")
        assert all(address.startswith((served, "data:")) for address in page.asked)
        assert page.wrong == []
        assert page.evaluate("window.violations") == []


def test_a_hostile_match_is_as_harmless_from_the_server(served, match_of, look):
    """The same page, the same words, nothing run."""
    with look(f"{served}match/{match_of('connect_four', 'attacker', plies=6)}") as page:
        page.wait_for_selector(".replay")
        for _ in range(int(page.locator(".scrub").get_attribute("max")) + 1):
            page.locator("#turn details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
            page.keyboard.press("ArrowRight")
        assert page.evaluate("window.pwned") is None
        assert page.evaluate("window.violations") == []
        assert all(address.startswith((served, "data:")) for address in page.asked)
        assert page.wrong == []


def test_a_match_in_play_goes_on_by_itself(served, live, record, match_of, look):
    """Plies appear as they are recorded; whoever looks at the last one stays with it, whoever looks back is left alone."""
    number = match_of("hex")
    with sqlite3.connect(live) as database:
        database.execute("ATTACH ? AS whole", (record,))
        database.execute(
            f"UPDATE matches SET status = 'playing', ending = NULL, winner = NULL, plies = NULL WHERE id = {number}"
        )
        for table in ("turns", "moves", "spends", "consultations"):
            database.execute(f"DELETE FROM {table} WHERE match_id = ? AND ply >= 4", (number,))
        database.commit()

        def play_on(ply):
            for table in ("turns", "moves", "spends", "consultations"):
                database.execute(
                    f"INSERT OR IGNORE INTO {table} SELECT * FROM whole.{table} WHERE match_id = ? AND ply <= ?",
                    (number, ply),
                )
            database.commit()

        with look(served) as page:
            page.wait_for_selector(".running .cards a")
            assert "ply 4" in page.locator(".running .cards").inner_text()
            page.locator(".running .cards a").click()
            page.wait_for_selector(".replay")
            at = lambda: int(page.locator(".scrub").input_value())  # noqa: E731
            assert at() == 4
            play_on(5)
            expect(page.locator(".scrub")).to_have_value("6")
            page.keyboard.press("Home")
            play_on(7)
            expect(page.locator(".scrub")).to_have_attribute("max", "8")
            assert at() == 0
            page.keyboard.press("End")
            play_on(1000)
            row = database.execute(f"SELECT {ENDED} FROM whole.matches WHERE id = ?", (number,)).fetchone()
            database.execute(f"UPDATE matches SET ({ENDED}) = (?, ?, ?, ?, ?, ?, ?) WHERE id = ?", (*row, number))
            database.commit()
            page.wait_for_selector(".result")
            assert page.locator(".headline .score").inner_text() != "in play"
            assert page.wrong == []


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    """One line and exit code 2."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run_command_line(["view"]) == 2
    assert "pip install 'stratarena[web]'" in capsys.readouterr().err
    assert os.environ.get("STRATARENA_DB") is None
