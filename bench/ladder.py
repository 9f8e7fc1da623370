"""Play the ladder's calibration leagues and store their ratings: `make ladder`. Takes some twenty minutes on two cores.

The leagues go into `ladder.db`, where a stopped run goes on, and the ratings into `agents/data/ladder.json`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stratarena.agents.ladder import LEAGUES, RUNGS, League
from stratarena.analysis.league import counted
from stratarena.analysis.ratings import rate
from stratarena.arena.commands.reading import opened
from stratarena.games.plugins import print_spec

ROOT = Path(__file__).parents[1]
STORED = ROOT / "agents" / "data" / "ladder.json"
PAGE = ROOT / "docs" / "ladder.md"
DATABASE = "ladder.db"


def tournament(league: League) -> str:
    """The league as a tournament file."""
    name = league.game.partition("(")[0]
    cap = f"policies = {{ max_plies = {league.max_plies} }}\n" if league.max_plies else ""
    agents = "".join(
        f'[agents."{rung.name}"]\nkind = "rung"\nname = "{rung.name}"\n' for rung in RUNGS if rung.game == name
    )
    return (
        f'name = "ladder-{name}"\nseed = 1\ngames = ["{league.game}"]\nrounds = {league.rounds}\n'
        f'openings = {{ "{league.game}" = "{league.openings}" }}\n{cap}{agents}'
    )


def table(found: Mapping[str, Mapping[str, float | int]]) -> str:
    """The page's table."""
    rows = ["| rung | what it is | Elo | 95 % | matches |", "| --- | --- | --- | --- | --- |"]
    for rung in RUNGS:
        row = found[rung.name]
        interval = "anchor" if row["low"] == row["high"] else f"{row['low']} to {row['high']}"
        what = f"`{print_spec(rung.kind, rung.params)}`"
        rows.append(f"| {rung.name} | {what} | {row['elo']} | {interval} | {row['matches']} |")
    return "\n".join(rows)


def main() -> None:
    """Play what is missing, rate, store."""
    found: dict[str, dict[str, float | int]] = {}
    leagues = []
    for league in LEAGUES:
        name = f"ladder-{league.game.partition('(')[0]}"
        file = ROOT / "build" / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(tournament(league), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "stratarena.arena", "run", str(file), "--db", DATABASE, "--jobs", "32"], check=True
        )
        with opened(DATABASE) as reader:
            record = reader.tournament(name)
            matches = counted(reader.matches(record))
        rated = rate(matches, anchor=f"{league.game.partition('(')[0]}-0")
        for rung in (rung for rung in RUNGS if rung.name in rated.elo):
            estimate = rated.elo[rung.name]
            assert estimate.value is not None
            found[rung.name] = {
                "elo": round(estimate.value),
                "low": round(estimate.value if estimate.low is None else estimate.low),
                "high": round(estimate.value if estimate.high is None else estimate.high),
                "matches": sum(rung.name in (match.first, match.second) for match in matches),
            }
        identities = {key: facts for key, facts in record.identities.items() if "name" in facts}
        leagues.append(
            {
                "game": league.game,
                "openings": league.openings,
                "rounds": league.rounds,
                "matches": len(matches),
                "engines": sorted({facts["name"] for facts in identities.values()}),
            }
        )
    STORED.write_text(json.dumps({"leagues": leagues, "ratings": found}, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition("| rung |")
    _, _, tail = rest.partition("\n\n")
    PAGE.write_text(f"{head}{table(found)}\n\n{tail}", encoding="utf-8")
    sys.stdout.write(f"stored in {STORED.relative_to(ROOT)}\n")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    main()
