"""More simulations, higher score? `make study-external-search`: oracles of three qualities and the embedded model.

Plays gauntlets of every agent against one fixed opponent a game, on openings with seats swapped, into `external-search.db`,
where a stopped run goes on, and writes `docs/studies/external-search.md` and its figure. `--only oracle|model` plays a part,
`--report` plays nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATABASE = "external-search.db"
PAGE = ROOT / "docs" / "studies" / "external-search.md"
FIGURE = ROOT / "docs" / "studies" / "external-search.svg"
SIMULATIONS = (0, 16, 64, 256)
DRAWS = 2000
SEED = 1


@dataclass(frozen=True)
class Part:
    """One gauntlet."""

    name: str
    game: str
    openings: str
    rounds: int
    opponent: str
    """Its parameters in TOML."""
    agents: dict[str, str]
    """Name and parameters in TOML of each; names are `QUALITY-SIMULATIONS`, or `QUALITY-rules`."""
    model: str = ""
    jobs: int = 8

    @property
    def toml(self) -> str:
        agents = {"opponent": self.opponent, **self.agents}
        tables = "".join(f'[agents."{name}"]\n{params}\n' for name, params in agents.items())
        return (
            f'name = "{self.name}"\nseed = {SEED}\ngames = ["{self.game}"]\nrounds = {self.rounds}\nformat = "gauntlet"\n'
            f'challengers = ["opponent"]\nopenings = {{ "{self.game}" = "{self.openings}" }}\n{self.model}{tables}'
        )


def oracle(game: str, engine: str, noises: dict[str, float], rounds: int, opponent: str, openings: str) -> Part:
    agents = {}
    for quality, noise in noises.items():
        base = f'kind = "mcts_oracle"\nengine = "{engine}"\nnoise = {noise}\nengine_simulations = 50\n'
        agents[f"{quality}-rules"] = f"{base}simulations = 0\nrules_aware = true"
        for n in SIMULATIONS:
            agents[f"{quality}-{n}"] = f"{base}simulations = {n}"
    return Part(f"oracle-{game.partition('(')[0].replace('_', '-')}", game, openings, rounds, opponent, agents)


def embedded(game: str, sizes: Sequence[int], rounds: int, opponent: str, openings: str) -> Part:
    agents = {
        f"smollm2-{n}": f'kind = "mcts_llm"\nmodel = "smollm2"\nevaluator = "likelihood"\nsimulations = {n}\nbatch = 4'
        for n in sizes
    }
    model = '[models.smollm2]\nkind = "smollm2"\n'
    name = f"model-{game.partition('(')[0].replace('_', '-')}"
    return Part(name, game, openings, rounds, opponent, agents, model)


ORACLES = (
    oracle(
        "connect_four", "bitbully", {"good": 0.7, "middle": 1.5, "poor": 3.0}, 40,
        'kind = "mcts"\nsimulations = 500', "late",
    ),
    oracle(
        "hex(size=7)", "hex_search", {"good": 0.7, "middle": 1.5, "poor": 3.0}, 20,
        'kind = "mcts"\nsimulations = 500', "balanced",
    ),
)  # fmt: skip
MODELS = (
    embedded("connect_four", (0, 16), 4, 'kind = "greedy"', "late"),
    embedded("hex(size=7)", (0, 16), 1, 'kind = "random"', "balanced"),
)


def play(part: Part) -> None:
    file = ROOT / "build" / f"{part.name}.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(part.toml, encoding="utf-8")
    command = [sys.executable, "-m", "stratarena.arena", "run", str(file), "--db", DATABASE, "--jobs", str(part.jobs)]
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["oracle", "model"])
    parser.add_argument("--game")
    parser.add_argument("--report", action="store_true")
    wanted = parser.parse_args()
    if not wanted.report:
        for part in (*ORACLES, *MODELS):
            of_kind = wanted.only is None or part.name.startswith(wanted.only)
            if of_kind and (wanted.game is None or wanted.game in part.name):
                play(part)
    if wanted.only is None or wanted.report:
        from study_external_search_report import write

        write()


if __name__ == "__main__":
    main()
