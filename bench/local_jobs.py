"""Whether more matches in play make a local model slower: the same small tournament with --jobs 1, 2 and 16, side by side.

Each run is a process of its own, one thread, with a fresh database; games are those of the same seed. Printed are seconds
of wall clock and of CPU, loading included; on a machine that others use, those of CPU tell more.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILE = """
name = "jobs"
seed = 3
games = ["connect_four"]
rounds = {rounds}

[models.smollm2]
kind = "smollm2"

[agents.model]
kind = "llm"
model = "smollm2"
example = true

[agents.random]
kind = "random"
"""


def timed(file: Path, db: Path, jobs: int) -> tuple[float, float]:
    """Seconds of wall clock and CPU of one run."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "stratarena.arena", "run", str(file), "--db", str(db), "--jobs", str(jobs)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--best-of", type=int, default=2)
    given = parser.parse_args()
    found: dict[int, list[tuple[float, float]]] = {}
    calls = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jobs.toml"
        file.write_text(FILE.format(rounds=given.rounds))
        for number in range(given.best_of):
            for jobs in (1, 2, 16):
                db = Path(folder) / f"{jobs}-{number}.db"
                found.setdefault(jobs, []).append(timed(file, db, jobs))
                connection = sqlite3.connect(db)
                (calls,) = connection.execute("SELECT COUNT(*) FROM model_calls").fetchone()
                connection.close()
    print(f"{2 * given.rounds} matches, {calls} calls of the embedded model, best of {given.best_of}, one thread")
    fastest, cheapest = (min(run[column] for run in found[1]) for column in (0, 1))
    for jobs, runs in found.items():
        wall, cpu = (min(run[column] for run in runs) for column in (0, 1))
        print(
            f"--jobs {jobs:<3} {wall:7.1f} s wall   {cpu:7.1f} s CPU   as fast as --jobs 1: {fastest / wall:5.2f} x by wall, "
            f"{cheapest / cpu:5.2f} x by CPU"
        )


if __name__ == "__main__":
    main()
