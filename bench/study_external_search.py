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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATABASE = "external-search.db"
CPU_SECONDS = ROOT / "build" / "external-search-cpu.json"
SEED = 1
C4, HEX = "connect_four", "hex(size=7)"
OPENINGS = {C4: "late", HEX: "balanced"}
NOISE = {"good": 0.7, "middle": 1.5, "poor": 3.0}
"""Standard deviation, in logits, of the error on every value of the oracle."""


@dataclass(frozen=True)
class Part:
    """One gauntlet: agents of one game against one opponent, each on `rounds` openings from both sides."""

    name: str
    game: str
    rounds: int
    opponent: str
    """Kind and parameters in TOML, as of the agents."""
    agents: Mapping[str, str]
    """By name: `QUALITY-SIMULATIONS`, or `QUALITY-rules` for the agent without search that sees wins and losses in one."""
    models: str = ""

    @property
    def toml(self) -> str:
        agents = {"opponent": self.opponent, **self.agents}
        tables = "".join(f'[agents."{name}"]\n{params}\n' for name, params in agents.items())
        return (
            f'name = "{self.name}"\nseed = {SEED}\ngames = ["{self.game}"]\nrounds = {self.rounds}\nformat = "gauntlet"\n'
            f'challengers = ["opponent"]\nopenings = {{ "{self.game}" = "{OPENINGS[self.game]}" }}\n{self.models}{tables}'
        )


def graded(quality: str, params: str, sizes: tuple[int, ...], *, rules: bool = True) -> dict[str, str]:
    """The agents of one quality: without search, rules-aware without search, and with each number of simulations."""
    agents = {f"{quality}-rules": f"{params}simulations = 0\nrules_aware = true"} if rules else {}
    return agents | {f"{quality}-{n}": f"{params}simulations = {n}" for n in sizes}


def oracles(game: str, engine: str, rounds: int) -> Part:
    agents: dict[str, str] = {}
    for quality, noise in NOISE.items():
        params = f'kind = "mcts_oracle"\nengine = "{engine}"\nnoise = {noise}\nengine_simulations = 50\n'
        agents |= graded(quality, params, (0, 16, 64, 256))
    name = f"oracle-{'hex' if game == HEX else 'connect-four'}"
    return Part(name, game, rounds, 'kind = "mcts"\nsimulations = 500', agents)


GAME_LM = 'kind = "mcts_llm"\nmodel = "game_lm"\nevaluator = "game_lm"\ntau = 0.1\neps = 0.05\nbatch = 8\n'
SMOLLM2 = 'kind = "mcts_llm"\nmodel = "smollm2"\nevaluator = "likelihood"\nbatch = 4\n'
SMOLLM2_MODEL = '[models.smollm2]\nkind = "smollm2"\n'


def smollm2(name: str, game: str, rounds: int, opponent: str, agents: Mapping[str, str]) -> Part:
    return Part(f"smollm2-{name}", game, rounds, f'kind = "{opponent}"', agents, SMOLLM2_MODEL)


PARTS = (
    oracles(C4, "bitbully", 40),
    Part(
        "game-lm-connect-four",
        C4,
        20,
        'kind = "mcts"\nsimulations = 500',
        graded("game_lm", GAME_LM, (0, 16, 64, 256)),
        '[models.game_lm]\nkind = "game_lm"\n',
    ),
    oracles(HEX, "hex_search", 16),
    # A third of a CPU second a position: a match with 64 simulations takes minutes. So few are played, and n is told.
    smollm2("connect-four-0", C4, 8, "greedy", graded("smollm2", SMOLLM2, (0,))),
    smollm2("connect-four-16", C4, 3, "greedy", graded("smollm2", SMOLLM2, (16,), rules=False)),
    smollm2("hex-0", HEX, 3, "random", graded("smollm2", SMOLLM2, (0,))),
    smollm2("connect-four-64", C4, 1, "greedy", graded("smollm2", SMOLLM2, (64,), rules=False)),
    smollm2("hex-16", HEX, 1, "random", graded("smollm2", SMOLLM2, (16,), rules=False)),
)


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
