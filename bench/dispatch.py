"""How busy a provider's limit is kept: 200 matches against a server of lognormal latency that allows 64 calls at once.

Each agent asks the same model once a turn. The server sleeps a second in the median (sigma 0.7) and answers with a legal
move of the prompt. Until the tail, which begins when fewer matches are left than the limit allows calls, the share of the
64 places that were in use is printed beside the ideal, in which every place is always taken.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.commands.provenance import find_provenance
from stratarena.arena.commands.running import set_stage
from stratarena.arena.config import load_tournament
from stratarena.arena.faults import Act, FaultServer
from stratarena.arena.tournament import Watcher, play_tournament

FILE = """
name = "dispatch"
games = ["connect_four"]
rounds = {rounds}

[models.far]
kind = "openai"
provider = "custom"
model = "fault-1"
base_url = "{url}"
concurrency = {limit}

[agents.one]
kind = "llm"
model = "far"

[agents.two]
kind = "llm"
model = "far"
"""


def serve(median_s: float, sigma: float, seed: int) -> None:
    """The server, in a process of its own: prints its URL, and when its input ends what it did, as JSON."""
    rng, lock = Random(seed), threading.Lock()

    def script(asked):
        moves = re.search(r"legal moves are: ([^.]*)\.", asked.prompt)
        with lock:
            return Act(text=rng.choice(moves[1].split(", ")), delay_s=median_s * rng.lognormvariate(0.0, sigma))

    with FaultServer(script) as server:
        print(server.url, flush=True)
        sys.stdin.read(1)
        print(json.dumps([(served.began, served.ended) for served in server.served]), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matches", type=int, default=200)
    parser.add_argument("--limit", type=int, default=64)
    parser.add_argument("--median", type=float, default=1.0, help="seconds")
    parser.add_argument("--sigma", type=float, default=0.7)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.median, given.sigma, seed=1)
        return
    command = [sys.executable, __file__, "--serve", "--median", str(given.median), "--sigma", str(given.sigma)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        url = server.stdout.readline().strip()
        loaded = load_tournament(FILE.format(rounds=given.matches // 2, url=url, limit=given.limit), place="dispatch")
        ends: list[float] = []
        with set_stage(loaded, str(Path(folder) / "d.db"), lambda engine: None) as (store, backstage):
            cpu = time.process_time()
            standing = play_tournament(
                loaded,
                store=store,
                backstage=backstage,
                provenance=find_provenance(),
                clock=SYSTEM_CLOCK,
                jobs=given.matches,
                watcher=Watcher(
                    lambda matches, spent: None,
                    lambda match, verdict: ends.append(time.monotonic()),
                    lambda in_play: None,
                ),
                stop=lambda: False,
            )
            cpu = time.process_time() - cpu
        server.stdin.write("x")
        server.stdin.flush()
        served = json.loads(server.stdout.readline())
    began = min(start for start, _ in served)
    tail = sorted(ends)[-given.limit] if len(ends) > given.limit else max(ends)
    used = sum(max(min(end, tail) - start, 0.0) for start, end in served)
    whole = max(end for _, end in served) - began
    work = sum(end - start for start, end in served)
    busy = used / (given.limit * (tail - began))
    print(
        f"{standing.over} matches, {len(served):,} calls, latency lognormal (median {given.median:g} s, sigma "
        f"{given.sigma:g}), {given.limit} at once"
    )
    print(f"busy until the tail   {busy:7.1%}   ideal 100 %")
    print(f"until the tail        {tail - began:6.1f} s   ideal {used / given.limit:6.1f} s")
    print(f"the whole run         {whole:6.1f} s   ideal {work / given.limit:6.1f} s if there were no tail")
    print(f"CPU of the arena      {cpu:6.1f} s   {1000 * cpu / len(served):.1f} ms a call")


if __name__ == "__main__":
    main()
