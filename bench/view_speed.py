"""How fast `stratarena view` answers over a large record: `python bench/view_speed.py DATABASE [--browser]`.

A generated database (`bench/big_record.py`). Each request is made several times; printed are the median time until the whole
answer was there and the server's CPU time for it. With `--browser` also the time until headless Chromium shows a board.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import urlsplit

from big_record import SPOKEN
from sqlalchemy import text

from stratarena.db.connect import open_database

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
TIMES = 20


def cpu_ms(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_MS


def fetch(port: int, path: str) -> tuple[float, int]:
    """Milliseconds and bytes of one answer."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    answer = connection.getresponse()
    size = len(answer.read())
    took = 1000 * (time.perf_counter() - began)
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    return took, size


def measure(port: int, pid: int, words: str, paths: list[str]) -> None:
    """Print a row."""
    before = cpu_ms(pid)
    found = [fetch(port, path) for path in paths]
    spent = (cpu_ms(pid) - before) / len(paths)
    print(
        f"{words:34}{median(took for took, _ in found):>9.0f}{max(took for took, _ in found):>8.0f}{spent:>9.0f}"
        f"{median(size for _, size in found) / 1000:>8.1f}",
        flush=True,
    )


def in_browser(address: str, numbers: list[int]) -> None:
    """Print how long Chromium takes from the address to the board."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        page = browser.new_page()
        page.goto(address)
        took = []
        for number in numbers:
            began = time.perf_counter()
            page.goto(f"{address}match/{number}")
            page.wait_for_selector(".stage svg", state="visible")
            took.append(1000 * (time.perf_counter() - began))
        browser.close()
    print(f"{'match, until the board is seen':34}{median(took):>9.0f}{max(took):>8.0f}   (Chromium)")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    engine = open_database(str(options.database), read_only=True)
    with engine.connect() as connection:
        n = connection.execute(text("SELECT COUNT(*) FROM matches")).scalar_one()
    engine.dispose()
    server = subprocess.Popen(
        [sys.executable, "-m", "stratarena.arena", "view", "--db", str(options.database), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        port = urlsplit(address).port
        assert port is not None
        fetch(port, "/")
        rng = Random(1)
        spoken = [SPOKEN * rng.randrange(n // SPOKEN) + 1 for _ in range(TIMES)]
        print(f"{f'{n:,} matches':34}{'median ms':>9}{'most':>8}{'CPU ms':>9}{'kB':>8}")
        measure(port, server.pid, "start page", ["/api/tournaments"] * TIMES)
        measure(port, server.pid, "tournament, first page", ["/api/tournament/big"] * TIMES)
        measure(port, server.pid, "tournament, last page", [f"/api/tournament/big?offset={n - 100}"] * TIMES)
        measure(
            port, server.pid, "one agent's matches of one game", ["/api/tournament/big?agent=omega&game=chess"] * TIMES
        )
        measure(port, server.pid, "match with prompts and answers", [f"/api/match/{number}" for number in spoken])
        if options.browser:
            in_browser(address, [SPOKEN * rng.randrange(n // SPOKEN) + 1 for _ in range(TIMES)])
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
