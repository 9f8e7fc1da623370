"""The page, the figure and the numbers of the study, from its rows alone."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from math import log10
from pathlib import Path
from random import Random
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from stratarena.analysis.estimate import percentiles
from stratarena.analysis.ratio import share_over_clusters

from .play import C4, CHAT_DTYPE, HEX, NOISE, OPENINGS, PLAYOUTS, RULES, SEED, SIMULATIONS, SIZES, Row

FOLDER = Path(__file__).parents[2] / "docs" / "studies" / "external-search"
DRAWS = 2000
NEWLINE = "\n"
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
    """By `"rules"`, `"0"`, `"16"`, …"""


def collect(rows: Sequence[Row]) -> list[Quality]:
    """Every match of the study."""
    found: dict[tuple[str, str], Quality] = {}
    for row in rows:
        one = found.setdefault((row["game"], row["quality"]), Quality(row["quality"], row["game"], row["opponent"]))
        one.agents.setdefault(row["size"], {})[row["opening"]] = row["points"]
    return list(found.values())


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
        # Where no opening differs from another, resampling sees no variation: that is no interval.
        found |= {"low": round(low), "high": round(high)} if low < high else {}
    return found


def numbers(qualities: Sequence[Quality]) -> list[dict[str, Any]]:
    """A row for each agent that played."""
    rows = []
    for one in qualities:
        for size in SIZES:
            points = one.agents.get(size)
            if not points:
                continue
            score = share_over_clusters([(sum(x), len(x)) for x in points.values()])
            row: dict[str, Any] = {
                "game": one.game,
                "quality": one.name,
                "simulations": size,
                "opponent": one.opponent,
                "matches": count(points),
                "score": [score.value, score.low, score.high],
                "elo": difference(points, None),
            }
            if size not in ("0", RULES):
                row["gain over no search"] = difference(points, one.agents.get("0", {}))
                row["gain over rules-aware"] = difference(points, one.agents.get(RULES, {}))
            rows.append(row)
    return rows


def told(found: Mapping[str, float | int] | None) -> str:
    """A difference in Elo with its interval."""
    if found is None:
        return "–"
    span = f" [{found['low']:+}, {found['high']:+}]" if "low" in found else " (no interval)"
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
        size = "0, rules-aware" if row["simulations"] == RULES else row["simulations"]
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
        for axes, (game, title) in zip(figure.subplots(1, 2), TITLES.items(), strict=True):
            _panel(axes, [row for row in rows if row["game"] == game])
            axes.set_title(title, loc="left")
        for suffix in ("svg", "png"):
            kept = {"Date": None} if suffix == "svg" else None
            figure.savefig(FOLDER / f"external-search.{suffix}", dpi=150, metadata=kept)


def _panel(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(row["quality"] for row in rows))
    for place, name in enumerate(names):
        shift = 0.07 * (place - (len(names) - 1) / 2)
        mine = [row for row in rows if row["quality"] == name]
        ways = [(-0.35 + shift if row["simulations"] == RULES else _at(row) + shift, row) for row in mine]
        line = [(x, row["elo"]["elo"]) for x, row in ways if row["simulations"] != RULES]
        label = (f"{name} oracle" if name in NOISE else name) + f", against {mine[0]['opponent']}"
        look = {"color": COLOURS[name], "markersize": 5}
        axes.plot(*zip(*line, strict=True), MARKS[name] + "-", label=label, linewidth=1.4, **look)
        for x, row in ways:
            y = row["elo"]["elo"]
            if row["simulations"] == RULES:
                axes.plot([x], [y], MARKS[name], fillstyle="none", **look)
            if "low" in row["elo"]:
                axes.plot([x, x], [row["elo"]["low"], row["elo"]["high"]], color=COLOURS[name], alpha=0.5)
            elif row["score"][0] in (0.0, 1.0):
                # All won or all lost: the value says how many were played, not how strong it is.
                up = row["score"][0] == 1.0
                tip, word = (x, y + (60 if up else -60)), f"{'won' if up else 'lost'} all {row['matches']}"
                axes.annotate("", tip, (x, y), arrowprops={"arrowstyle": "->", "color": COLOURS[name]})
                axes.text(x, tip[1], word, ha="center", va="bottom" if up else "top", fontsize=6.5, color=COLOURS[name])
    axes.axhline(0, color="#999999", linewidth=1, linestyle=":")
    axes.set_xticks([-0.35, *range(len(SIMULATIONS))], ["0,\nrules-\naware", *map(str, SIMULATIONS)])
    axes.set_xlabel("simulations a move")
    axes.set_ylabel("Elo against the fixed opponent, 95 %")
    axes.grid(axis="y", color="#e5e5e5")
    axes.margins(y=0.12)
    if names:
        axes.legend(frameon=False, fontsize=7.5, loc="best")


def _at(row: Mapping[str, Any]) -> int:
    return SIMULATIONS.index(int(row["simulations"]))


def headline(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What 64 simulations gain for the middle oracle."""
    found = []
    for row in rows:
        if (row["quality"], row["simulations"]) == ("middle", "64"):
            plain, aware = told(row["gain over no search"]), told(row["gain over rules-aware"])
            found.append(f"- {TITLES[row['game']]}: {plain} Elo over no search, {aware} over the rules-aware agent.")
    return found


def write(played: Sequence[Row]) -> None:
    """The page, `numbers.json`, and the figure as SVG and PNG."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    qualities = collect(played)
    rows = numbers(qualities)
    cpu: dict[str, float] = {}
    for row in played:
        cpu[row["part"]] = cpu.get(row["part"], 0.0) + row["cpu_s"]
    versions = {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}
    draw(rows)
    kept = {"seed": SEED, "versions": versions, "cpu_s": {key: round(took) for key, took in cpu.items()}, "rows": rows}
    (FOLDER / "numbers.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    there = {(row["quality"], row["game"], row["simulations"]) for row in rows}
    wanted = [(quality, game) for game in TITLES for quality in (*NOISE, "smollm2")] + [("game_lm", C4)]
    unsized = [
        f"{quality} with {n} simulations in {TITLES[game]}"
        for quality, game in wanted
        for n in SIMULATIONS
        if (quality, game, str(n)) not in there
    ]
    noise = ", ".join(f"{name} {value}" for name, value in NOISE.items())
    costs = ", ".join(f"{name} {took:.0f}" for name, took in cpu.items())
    told_versions = ", ".join(f"{name} {version}" for name, version in versions.items())
    page = f"""\
# More simulations, higher score?

Written by `make study-external-search`; the numbers are in `numbers.json` beside it.

![Elo over simulations](external-search.svg)

For the middle oracle, 64 simulations against none:

{NEWLINE.join(headline(rows))}

## How

Oracles: an engine's values (bitbully in Connect Four, `hex_search` with {PLAYOUTS} playouts a position in Hex) with a seeded normal
error on every value, of a standard deviation in logits of {noise}. Models: `game_lm`, the game model that ships, by its
action values (Connect Four only, which is what it knows); `smollm2`, the embedded SmolLM2-135M, by candidate scoring (priors from the
likelihood of each legal move, values from one random rollout), with positions told in one line and weights in {CHAT_DTYPE}: 0.19 and 0.20 CPU
seconds a position instead of 0.43 and 0.51. All search by PUCT with the default constants, `smollm2` with 8 leaves at a time.

Every agent meets the same opponent in the same openings (`{OPENINGS[C4]}` in Connect Four, `{OPENINGS[HEX]}` in Hex), each
opening from both sides; `mcts(n)` is OpenSpiel's search with n simulations and random rollouts. *Rules-aware* does not
search: it takes a win in one, leaves none where it can, and else plays as the agent without search; what search gains over it is more
than one-ply tactics. Oracles and the game model play by the kernel itself with the arena's evaluators and constants,
`smollm2` through the referee, and positions that come again from the same opening are not asked about again, as it answers the same.
It is slow, so it plays few matches, fewest with most simulations: look at n and intervals.

Score: mean points a match. Elo: of the score, half a win and half a loss added, so that the unbeaten stay finite. Gain:
difference of two such numbers over the openings that both had. Intervals: 95 %, {DRAWS} bootstrap draws of whole openings, both
sides and both agents together (expanded percentiles); of the score Wilson's, at the number of matches that openings, which differ from each
other, are worth. Where an agent won or lost everything, its share of an interval of Elo is too narrow.

{NEWLINE.join(f"## {title}{NEWLINE}{NEWLINE}{NEWLINE.join(table(rows, game))}{NEWLINE}" for game, title in TITLES.items())}
## Reproduce

`make study-external-search` goes on where it stopped; `python bench/study_external_search.py --only PART` plays a part. Seed
{SEED}. CPU seconds: {costs}. Versions: {told_versions}.
"""
    if unsized:
        page += f"{NEWLINE}Not measured, for what it would cost: {'; '.join(unsized)}.{NEWLINE}"
    (FOLDER / "README.md").write_text(page, encoding="utf-8")
    print(f"written: {FOLDER / 'README.md'}")
