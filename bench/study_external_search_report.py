"""The page, the figure and the numbers of `make study-external-search`, from its database alone."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from math import log10
from random import Random
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from study_external_search import C4, CPU_SECONDS, DATABASE, HEX, NOISE, OPENINGS, PARTS, ROOT, SEED, SIMULATIONS

from stratarena.analysis.estimate import percentiles, ratio_over_clusters
from stratarena.analysis.league import counted, lines
from stratarena.arena.commands.reading import opened
from stratarena.db.errors import RecordError

FOLDER = ROOT / "docs" / "studies" / "external-search"
DRAWS = 2000
TITLES = {C4: "Connect Four", HEX: "Hex 7x7"}
LIBRARIES = ("bitbully", "numba", "numpy", "open_spiel", "torch", "transformers")
COLOURS = {"good": "#0072B2", "middle": "#009E73", "poor": "#D55E00", "game_lm": "#CC79A7", "smollm2": "#222222"}
MARKS = {"good": "o", "middle": "^", "poor": "s", "game_lm": "D", "smollm2": "v"}

Points = dict[str, list[float]]
"""By opening: what one agent scored in it."""


@dataclass
class Quality:
    """All agents of one evaluator in one game."""

    name: str
    game: str
    opponent: str
    agents: dict[str, Points] = field(default_factory=dict)
    """By `"0"`, `"16"`, … and `"rules"`."""
    n_asked: dict[str, int] = field(default_factory=dict)
    """Matches that its part of the study asks for."""


def collect() -> list[Quality]:
    """Every match of the study that counts, in the order of its parts."""
    found: dict[tuple[str, str], Quality] = {}
    with opened(DATABASE) as reader:
        for part in PARTS:
            try:
                matches = counted(reader.matches(reader.tournament(part.name)))
            except RecordError:
                matches = ()
            for name in part.agents:
                quality, _, size = name.rpartition("-")
                one = found.setdefault((part.game, quality), Quality(quality, part.game, told_opponent(part.opponent)))
                one.n_asked[size] = one.n_asked.get(size, 0) + 2 * len(part.openings)
                points = one.agents.setdefault(size, {})
                for line in lines(matches):
                    if line.agent == name:
                        points.setdefault(line.match.opening, []).append(line.score)
    return list(found.values())


def told_opponent(params: str) -> str:
    """An opponent's kind and parameters, in a few words."""
    rows = dict(row.replace('"', "").split(" = ") for row in params.splitlines())
    kind = rows.pop("kind")
    return f"{kind}({', '.join(f'{key}={value}' for key, value in rows.items())})" if rows else kind


def count(points: Points) -> int:
    return sum(map(len, points.values()))


def elo(points: float, n: int) -> float:
    """The difference in Elo that so many points of n stand for, half a win and half a loss added."""
    return 400 * log10((points + 0.5) / (n - points + 0.5))


def elo_of(points: Points, openings: Sequence[str]) -> float:
    results = [score for opening in openings for score in points[opening]]
    return elo(sum(results), len(results))


def difference(one: Points, other: Points | None) -> dict[str, float | int] | None:
    """Elo of one above another, or above the opponent, over the openings that both had; resampled by opening."""
    shared = sorted(opening for opening in one if other is None or opening in other)
    if not shared:
        return None

    def value(openings: Sequence[str]) -> float:
        return elo_of(one, openings) - (0.0 if other is None else elo_of(other, openings))

    found: dict[str, float | int] = {"elo": round(value(shared)), "openings": len(shared)}
    if len(shared) > 2:
        rng = Random(SEED)
        draws = [value(rng.choices(shared, k=len(shared))) for _ in range(DRAWS)]
        low, high = percentiles(draws, clusters=len(shared))
        found |= {"low": round(low), "high": round(high)}
    return found


def numbers(qualities: Sequence[Quality]) -> list[dict[str, Any]]:
    """A row for each agent that played."""
    rows = []
    for one in qualities:
        for size in ("rules", *map(str, SIMULATIONS)):
            points = one.agents.get(size)
            if not points:
                continue
            score = ratio_over_clusters([(sum(x), len(x)) for x in points.values()], bounds=(0.0, 1.0))
            row: dict[str, Any] = {
                "game": one.game,
                "quality": one.name,
                "simulations": size,
                "opponent": one.opponent,
                "matches": count(points),
                "score": [score.value, score.low, score.high],
                "elo": difference(points, None),
            }
            if size not in ("0", "rules"):
                row["gain over no search"] = difference(points, one.agents.get("0", {}))
                row["gain over rules-aware"] = difference(points, one.agents.get("rules", {}))
            rows.append(row)
    return rows


def told(found: Mapping[str, float | int] | None) -> str:
    """A difference in Elo with its interval."""
    if found is None:
        return "–"
    span = f" [{found['low']:+}, {found['high']:+}]" if "low" in found else " (too few openings for an interval)"
    return f"{found['elo']:+}{span}"


def table(rows: Sequence[dict[str, Any]], game: str) -> list[str]:
    lines_ = [
        (
            "| evaluator | simulations | opponent | matches | score | Elo against the opponent | gain over no search | "
            "gain over rules-aware |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        if row["game"] != game:
            continue
        value, low, high = row["score"]
        span = f" [{low:.1%}, {high:.1%}]" if low is not None else ""
        size = "0, rules-aware" if row["simulations"] == "rules" else row["simulations"]
        lines_.append(
            f"| {row['quality']} | {size} | `{row['opponent']}` | {row['matches']} | {value:.1%}{span} | {told(row['elo'])} | "
            f"{told(row.get('gain over no search'))} | {told(row.get('gain over rules-aware'))} |"
        )
    return lines_


def draw(rows: Sequence[dict[str, Any]]) -> None:
    """Elo over simulations, a panel a game, written as SVG and PNG."""
    style = {"svg.hashsalt": "stratarena", "svg.fonttype": "path", "font.family": "DejaVu Sans", "font.size": 9.0}
    with rc_context({**style, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(10.0, 4.6), layout="constrained")
        panels = figure.subplots(1, 2)
        for axes, (game, title) in zip(panels, TITLES.items(), strict=True):
            of_game = [row for row in rows if row["game"] == game]
            names = list(dict.fromkeys(row["quality"] for row in of_game))
            for place, name in enumerate(names):
                shift = 0.07 * (place - (len(names) - 1) / 2)
                mine = [row for row in of_game if row["quality"] == name and row["simulations"] != "rules"]
                label = name if name not in NOISE else f"{name} oracle"
                label += f", against {mine[0]['opponent']}" if mine else ""
                xs = [SIMULATIONS.index(int(row["simulations"])) + shift for row in mine]
                ys = [row["elo"]["elo"] for row in mine]
                axes.plot(xs, ys, MARKS[name] + "-", color=COLOURS[name], label=label, linewidth=1.4, markersize=5)
                aware = [row for row in of_game if row["quality"] == name and row["simulations"] == "rules"]
                for x, row in [*zip(xs, mine, strict=True), *((-0.35 + shift, row) for row in aware)]:
                    if "low" in row["elo"]:
                        axes.plot([x, x], [row["elo"]["low"], row["elo"]["high"]], color=COLOURS[name], alpha=0.5)
                for row in aware:
                    axes.plot(
                        [-0.35 + shift],
                        [row["elo"]["elo"]],
                        MARKS[name],
                        color=COLOURS[name],
                        fillstyle="none",
                        markersize=5,
                    )
            axes.axhline(0, color="#999999", linewidth=1, linestyle=":")
            axes.set_xticks([-0.35, *range(len(SIMULATIONS))], ["0,\nrules-\naware", *map(str, SIMULATIONS)])
            axes.set_xlabel("simulations a move")
            axes.set_title(title, loc="left")
            axes.grid(axis="y", color="#e5e5e5")
            axes.legend(frameon=False, fontsize=7.5, loc="best")
        panels[0].set_ylabel("Elo against the fixed opponent")
        for suffix in ("svg", "png"):
            kept = {"Date": None} if suffix == "svg" else None
            figure.savefig(FOLDER / f"external-search.{suffix}", dpi=150, metadata=kept)


def headline(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What 64 simulations gain for the middle oracle."""
    found = []
    for row in rows:
        if (row["quality"], row["simulations"]) == ("middle", "64"):
            plain, aware = told(row["gain over no search"]), told(row["gain over rules-aware"])
            found.append(f"- {TITLES[row['game']]}: {plain} Elo over no search, {aware} over the rules-aware agent.")
    return found


def write() -> None:
    """The page, `numbers.json`, and the figure as SVG and PNG."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    qualities = collect()
    rows = numbers(qualities)
    cpu = json.loads(CPU_SECONDS.read_text(encoding="utf-8")) if CPU_SECONDS.exists() else {}
    versions = {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}
    draw(rows)
    kept = {"seed": SEED, "versions": versions, "cpu_s": {key: round(took) for key, took in cpu.items()}, "rows": rows}
    (FOLDER / "numbers.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    missing = [
        f"{one.name} with {size} simulations in {TITLES[one.game]}: {count(one.agents[size])} of {asked} matches"
        for one in qualities
        for size, asked in one.n_asked.items()
        if count(one.agents[size]) < asked
    ]
    unsized = [
        f"{one.name} with {n} simulations in {TITLES[one.game]}"
        for one in qualities
        for n in SIMULATIONS
        if str(n) not in one.n_asked
    ]
    noise = ", ".join(f"{name} {value}" for name, value in NOISE.items())
    page = [
        "# More simulations, higher score?",
        "",
        "Written by `make study-external-search`; the numbers are in `numbers.json` beside it.",
        "",
        "![Elo over simulations](external-search.svg)",
        "",
        "For the middle oracle, 64 simulations against none:",
        "",
        *headline(rows),
        "",
        "## How",
        "",
        (
            f"Oracles: an engine's values (bitbully in Connect Four, `hex_search` with 50 playouts a position in Hex) with a seeded "
            f"normal error on every value, of a standard deviation in logits of {noise}. Models: `game_lm`, the game model that "
            "ships, by its action values; `smollm2`, the embedded SmolLM2-135M, by candidate scoring (priors from the likelihood of each "
            "legal move, values from one random rollout). All search by PUCT with the default constants."
        ),
        "",
        (
            f"Every agent of a game and evaluator meets the same opponent in the same openings (`{OPENINGS[C4]}` in Connect Four, "
            f"`{OPENINGS[HEX]}` in Hex), each opening from both sides. *Rules-aware* does not search: it takes a win in one, leaves "
            "none where it can, and else plays as the agent without search; what search gains over it is more than one-ply tactics."
        ),
        "",
        (
            "Score: mean points a match. Elo: of the score, half a win and half a loss added, so that the unbeaten stay finite. "
            f"Gain: difference of two such numbers over the openings that both had. Intervals: 95 %, {DRAWS} bootstrap draws of whole "
            "openings, both sides and both agents together (expanded percentiles; for the score Wilson's interval where "
            "no opening differs from another). Where an agent won or lost everything, its share of an interval is too narrow."
        ),
        "",
        *(f"## {title}\n\n" + "\n".join(table(rows, game)) + "\n" for game, title in TITLES.items()),
        *(["Not all matches were played: " + "; ".join(missing) + ".", ""] if missing else []),
        *(
            [
                "Not measured, because a simulation with this model takes about a third of a CPU second: "
                + "; ".join(unsized)
                + ".",
                "",
            ]
            if unsized
            else []
        ),
        "## Reproduce",
        "",
        (
            "`make study-external-search` (goes on where it stopped; `bench/study_external_search.py --only PART` plays a part). Root "
            f"seed {SEED}. CPU seconds: {', '.join(f'{name} {took:.0f}' for name, took in cpu.items())}. Versions: "
            f"{', '.join(f'{name} {version}' for name, version in versions.items())}."
        ),
        "",
    ]
    (FOLDER / "README.md").write_text("\n".join(page), encoding="utf-8")
    print(f"written: {FOLDER / 'README.md'}")


if __name__ == "__main__":
    write()
