"""More simulations, higher score? `make study-external-search`: oracles of three qualities and the embedded models.

    python bench/study_external_search.py [--only PART ...] [--report]

Plays a gauntlet of every agent against one fixed opponent, on even openings with seats swapped, part by part into
`external-search.db`, where a stopped run goes on, and writes `docs/studies/external-search/`: a page, its figure, its numbers.
`--only` plays the parts whose names begin so; `--report` plays nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stratarena.games.openings import lines

ROOT = Path(__file__).parents[1]
DATABASE = "external-search.db"
CPU_SECONDS = ROOT / "build" / "external-search-cpu.json"
SEED = 1
C4, HEX = "connect_four", "hex(size=7)"
OPENINGS = {C4: "late", HEX: "balanced"}
SIMULATIONS = (0, 16, 64, 256)
NOISE = {"good": 0.7, "middle": 1.5, "poor": 3.0}
"""Standard deviation, in logits, of the error on every value of the oracle."""


@dataclass(frozen=True)
class Part:
    """A gauntlet: agents of one game against one opponent, from both sides of some openings."""

    name: str
    game: str
    openings: range
    """Places among the openings of the game."""
    opponent: str
    """Kind and parameters in TOML, as of the agents."""
    agents: Mapping[str, str]
    """By name: `QUALITY-SIMULATIONS`, or `QUALITY-rules` for the agent without search that sees wins and losses in one."""
    models: str = ""

    @property
    def toml(self) -> str:
        """The tournament file."""
        agents = {"opponent": self.opponent, **self.agents}
        tables = "".join(f'[agents."{name}"]\n{params}\n' for name, params in agents.items())
        named = [lines(self.game, OPENINGS[self.game])[place].name for place in self.openings]
        return (
            f'name = "{self.name}"\nseed = {SEED}\ngames = ["{self.game}"]\nrounds = {len(named)}\nformat = "gauntlet"\n'
            f'challengers = ["opponent"]\nopenings = {{ "{self.game}" = {json.dumps(named)} }}\n{self.models}{tables}'
        )


def graded(quality: str, params: str, sizes: Sequence[int], *, rules: bool = True) -> dict[str, str]:
    """The agents of one quality: without search, rules-aware without search, and with each number of simulations."""
    agents = {f"{quality}-rules": f"{params}simulations = 0\nrules_aware = true"} if rules else {}
    return agents | {f"{quality}-{n}": f"{params}simulations = {n}" for n in sizes}


def oracles(game: str, engine: str, number: int, size: int) -> Part:
    """All oracles of a game on the openings of this number, so many at a time."""
    agents: dict[str, str] = {}
    for quality, noise in NOISE.items():
        params = f'kind = "mcts_oracle"\nengine = "{engine}"\nnoise = {noise}\nengine_simulations = 50\n'
        agents |= graded(quality, params, SIMULATIONS)
    name = f"oracle-{'hex' if game == HEX else 'connect-four'}-{number}"
    return Part(name, game, range(number * size - size, number * size), MCTS, agents)


def game_lm(number: int, size: int) -> Part:
    """The game model, which knows Connect Four only."""
    params = 'kind = "mcts_llm"\nmodel = "game_lm"\nevaluator = "game_lm"\ntau = 0.1\neps = 0.05\nbatch = 8\n'
    agents = graded("game_lm", params, SIMULATIONS)
    openings = range(number * size - size, number * size)
    return Part(f"game-lm-{number}", C4, openings, MCTS, agents, '[models.game_lm]\nkind = "game_lm"\n')


def smollm2(game: str, sizes: Sequence[int], n_openings: int) -> Part:
    """The embedded chat model, half a CPU second a position: few matches, against weaker opponents."""
    params = 'kind = "mcts_llm"\nmodel = "smollm2"\nevaluator = "likelihood"\nbatch = 4\n'
    opponent = 'kind = "greedy"' if game == C4 else 'kind = "random"'
    name = f"smollm2-{'hex' if game == HEX else 'connect-four'}-{sizes[0]}"
    agents = graded("smollm2", params, sizes, rules=sizes[0] == 0)
    return Part(name, game, range(n_openings), opponent, agents, '[models.smollm2]\nkind = "smollm2"\n')


MCTS = 'kind = "mcts"\nsimulations = 500'
PARTS = (
    oracles(C4, "bitbully", 1, 10),
    oracles(HEX, "hex_search", 1, 6),
    game_lm(1, 10),
    smollm2(C4, (0,), 6),
    oracles(C4, "bitbully", 2, 10),
    smollm2(HEX, (0,), 2),
    smollm2(C4, (16,), 3),
    game_lm(2, 10),
    oracles(HEX, "hex_search", 2, 6),
    oracles(C4, "bitbully", 3, 10),
    smollm2(C4, (64,), 1),
    smollm2(HEX, (16,), 1),
    oracles(HEX, "hex_search", 3, 6),
    oracles(C4, "bitbully", 4, 10),
)
"""In this order: whoever stops early has some of everything."""


def play(part: Part) -> None:
    """Play what is missing of a part, and add up what it took."""
    file = ROOT / "build" / f"{part.name}.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(part.toml, encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "stratarena.arena", "run", str(file), "--db", DATABASE, "--jobs", "8"]
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = json.loads(CPU_SECONDS.read_text(encoding="utf-8")) if CPU_SECONDS.exists() else {}
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    spent[part.name] = spent.get(part.name, 0.0) + took
    CPU_SECONDS.write_text(json.dumps(spent, indent=1), encoding="utf-8")


def main() -> None:
    """Play, then report on whatever was played."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", metavar="PART", help=", ".join(part.name for part in PARTS))
    parser.add_argument("--report", action="store_true", help="write the page from what was played")
    wanted = parser.parse_args()
    for part in PARTS:
        if not wanted.report and (wanted.only is None or part.name.startswith(tuple(wanted.only))):
            play(part)
    from study_external_search_report import write

    write()


if __name__ == "__main__":
    main()
