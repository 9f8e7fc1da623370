"""The study's numbers as a page with figures."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import own_searches
from .measures import paired
from .pool import OWN_LEAVES, PAIRINGS, PLAIN
from .tables import Numbers, percent, share, signed, table

FAMILIES = ("mcts", "mcts, imagined", "minimax", "internal")


def aims(numbers: Numbers) -> Iterator[tuple[str, str, str, bool | None]]:
    """What is aimed at, the aim, what was measured, and whether it is met; None where it is not measured."""
    world, kept_ = numbers.get("world", {}), numbers.get("positions", {})
    written, met = numbers.get("internal", {}), numbers.get("matches", {})

    def least(name: str, found: Mapping[str, Any] | None, aim: float) -> tuple[str, str, str, bool | None]:
        if found is None or found["value"] is None:
            return name, f"{aim:.1%}", "not measured", None
        return name, f"{aim:.1%}", percent(found), found["value"] >= aim

    def won(name: str, pairing: str, aim: float) -> tuple[str, str, str, bool | None]:
        found = met.get(pairing)
        if found is None:
            return name, f"{aim:+.0f} Elo", "not measured", None
        return name, f"{aim:+.0f} Elo", f"{signed(found)}, {found['pairs']} pairs", found["elo"] >= aim

    model = world.get("model", {})
    yield least("next state exact", model.get("next_state"), 0.999)
    yield least("legal moves exact", model.get("legal_set"), 0.999)
    for player, all_, some in ((f"{PLAIN}, mean", 0.92, 0.85), ("mcts-200", 0.98, 0.95)):
        found = kept_.get(player, {})
        yield least(f"{player}: result kept", found.get("all"), all_)
        yield least(f"{player}: result kept, decisive", found.get("decisive"), some)
    yield won("mcts-64 over no search", f"mcts-64 against {PLAIN}", 150)
    yield won("mcts-200 over rules-aware", "mcts-200 against rules-aware", 80)
    against = [met.get(f"mcts-{n} against rules-aware") for n in (4, 16, 64, 200)]
    if all(found is not None for found in against):
        points = [found["elo"] for found in against if found is not None]
        rising = all(one < other for one, other in itertools.pairwise(points))
        yield "mcts 4 < 16 < 64 < 200, against rules-aware", "rising", ", ".join(f"{p:+.0f}" for p in points), rising
    for n in (16, 64):
        found = met.get(f"mcts-{n}, imagined against mcts-{n}")
        if found is not None:
            yield f"mcts-{n}, imagined, against true rules", "-30 Elo", signed(found), found["elo"] >= -30
    if f"{PLAIN}, mean" in kept_:
        split = paired(kept_[f"{PLAIN}, mean"]["right"], kept_[f"{PLAIN}, max"]["right"])
        told = f"{split['better']} positions better, {split['worse']} worse of {split['n']}, p = {split['p']:.2g}"
        yield "mean scoring against max", "not below", told, split["better"] >= split["worse"]
    if "internal (0,1)" in written and "internal (1,3)" in written:
        split = paired(written["internal (1,3)"]["right"], written["internal (0,1)"]["right"])
        told = f"{split['better']} positions better, {split['worse']} worse of {split['n']}, p = {split['p']:.2g}"
        good = split["better"] > split["worse"] and split["p"] < 0.05
        yield "internal (1,3) above no search, positions", "p < 0.05", told, good
    found = met.get(f"internal (1,3) against {PLAIN}")
    if found is not None:
        told = f"{signed(found)}, {found['pairs']} pairs, p = {found['p_not_above_half']:.2g}"
        yield "internal (1,3) above no search, matches", "p < 0.05", told, found["p_not_above_half"] < 0.05
    found = met.get("internal (2,3) against internal (1,3)")
    if found is not None:
        told = f"{signed(found)}, {found['pairs']} pairs"
        yield "internal (2,3) against internal (1,3)", "not below", told, found["score"] >= 0.5
    for shape in ("(1,3)", "(2,3)"):
        found = met.get(f"internal {shape} against minimax {shape}")
        if found is not None:
            told = f"{signed(found)}, {found['pairs']} pairs"
            yield f"internal {shape} against minimax {shape}", "interval holds 0", told, found["elo_high"] >= 0
    for shape in ("internal (1,3)", "internal (2,3)"):
        for key, aim in (("child states", 0.99), ("backups", 0.98), ("shape", 0.98)):
            yield least(f"{shape}: {key}", written.get(shape, {}).get(key), aim)
    found = met.get("mcts-200 against OpenSpiel MCTS 1000")
    if found is not None:
        told = f"{found['score']:.1%} [{found['low']:.1%}, {found['high']:.1%}], {found['pairs']} pairs"
        yield "mcts-200 against OpenSpiel MCTS 1000", "50.0%", told, found["score"] > 0.5
    speed = numbers.get("speed", {}).get("positions a CPU second")
    if speed is not None:
        ratio = max(speed.values()) / speed["decoded one by one"]
        yield "batched leaves against decoding one by one", "10 times", f"{ratio:.0f} times", ratio >= 10


def write_page(numbers: Numbers, folder: Path, curves: Sequence[tuple[str, Path]]) -> None:
    """`README.md` and the figures, of what has been measured so far."""
    verdict = {True: "met", False: "**missed**", None: "–"}
    lines = [
        "# Does search help a language model of games?",
        "",
        "The game model that ships with the arena (Connect Four) plays without search, with searches around it and with",
        "searches that it writes itself. Written by `make study-planning` from `numbers.json` beside it. Intervals are",
        "95 %: Wilson's for shares, by the bootstrap over opening pairs (colours swapped) for scores and ratings.",
        "Positions are of the test split: neither they nor their mirror images were trained on.",
        "",
        *_gist(numbers),
        "## Aims",
        "",
        *table(
            ("what", "aim", "measured", ""),
            [(what, aim, told, verdict[good]) for what, aim, told, good in aims(numbers)],
        ),
    ]
    lines += _world(numbers)
    lines += _positions(numbers)
    lines += own_searches.section(numbers.get("internal", {}))
    lines += _matches(numbers)
    lines += ["## Training", ""]
    rows = [(name, point) for name, path in curves if path.exists() for point in _curve(path)]
    if rows:
        _training_figure(rows, folder / "training")
        lines += [
            "![Held-out shares over CPU seconds of training](training.svg)",
            "",
            "Over CPU seconds of all trainings (dotted lines part them), on validation positions; what is written is measured",
            "on 100 of them at a point, what is chosen on all. The tables are `curve*.csv` beside the weights, and their",
            "model card tells what was trained how.",
            "",
        ]
    lines += ["## Speed", ""]
    for found in numbers.get("speed", {}).values():
        lines += table(("how", "positions a CPU second"), [(how, f"{rate:,.0f}") for how, rate in found.items()])
    made = numbers["made"]
    lines += [
        "## Made by",
        "",
        "```",
        "make study-planning        # python bench/planning_study.py; goes on where it stopped",
        "```",
        "",
        f"Weights: `sha256:{made['weights'][:16]}…`. Seeds: test positions in the order of seed 5, moves asked about 6,",
        "random games 7, openings 9, bootstrap 0; solver opponents 11, OpenSpiel 7. Versions: "
        + ", ".join(f"{key} {value}" for key, value in made["versions"].items())
        + ".",
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _gist(numbers: Numbers) -> list[str]:
    """One sentence a kind of search: what it gains over the model's best value, position by position."""
    base = numbers.get("positions", {}).get(f"{PLAIN}, mean")
    found = numbers.get("positions", {}) | numbers.get("internal", {})
    told = []
    for player in ("mcts-16", "minimax (2,2)", "minimax (2,3)", "internal (1,2)", "internal (2,2)", "internal (1,3)"):
        if base is not None and player in found:
            split = paired(found[player]["right"], base["right"])
            told.append(
                f"- {player}: the result kept in {split['better']} positions where the best value gives it away, given away in "
                f"{split['worse']} where the best value keeps it, of {split['n']:,} (p = {split['p']:.2g})"
            )
    return ["Against no search, position by position:", "", *told, ""] if told else []


def _world(numbers: Numbers) -> list[str]:
    world = numbers.get("world", {})
    lines = ["## The model as a world", ""]
    lines += table(
        ("held-out positions", "share"),
        [(key.replace("_", " "), percent(one)) for key, one in world.get("model", {}).items()],
    )
    lines += ["Hallucinations by depth: in random games of which the model alone keeps the board, and in searches.", ""]
    rows = [
        ("random games", ply, percent(one), "–", "–")
        for ply, one in sorted(world.get("compounded", {}).items(), key=lambda item: int(item[0]))
    ]
    for name, by_depth in numbers.get("dreams", {}).items():
        rows += [
            (name, depth, percent(one["states"]), percent(one["ends"]), percent(one["legal sets"]))
            for depth, one in sorted(by_depth.items(), key=lambda item: int(item[0]))
        ]
    for name, found in numbers.get("internal", {}).items():
        rows += [(name, depth, percent(one), "–", "–") for depth, one in found["by depth"].items()]
    return lines + table(("where", "depth", "board true", "end and result", "legal moves"), rows)


def _positions(numbers: Numbers) -> list[str]:
    found = numbers.get("positions", {}) | numbers.get("internal", {})
    rows = []
    base = found.get(f"{PLAIN}, mean")
    for player, one in sorted(found.items(), key=lambda item: item[1]["tokens"]):
        split = paired(one["right"], base["right"]) if base else None
        against = "–" if split is None or one is base else f"+{split['better']} −{split['worse']}, p = {split['p']:.2g}"
        rows.append(
            (
                player,
                percent(one["all"]),
                percent(one["decisive"]),
                against,
                f"{one['tokens']:,.0f}",
                f"{one['cpu_ms']:.1f}",
            )
        )
    head = ("player", "all positions", "decisive positions", "against no search", "tokens a move", "CPU ms a move")
    lines = ["## Result kept by the chosen move", ""]
    lines += [
        "Decisive: some legal move throws the result away. Against no search, position by position: where only the one or",
        "only the other keeps the result, and the two-sided sign test. Tokens: read and written by the network.",
        "",
    ]
    lines += table(head, rows)
    leaves = numbers.get("leaves", {}).get("best reply")
    if leaves:
        lines += [
            (
                "The move of the highest value is among the best by exact score: at the root "
                f"{percent(leaves['root'])}; at the leaves of a search of depth 1 {percent(leaves['leaves'])}."
            ),
            "",
        ]
    return lines


def _matches(numbers: Numbers) -> list[str]:
    lines = [
        "## Matches",
        "",
        "Drawn openings of 8 discs without a threat, each played twice with colours swapped.",
        "Tree searches evaluate leaf by leaf and take an untried move for what the model says of it; of four settings, tried with",
        "64 simulations against no search from the first 100 of these same openings with the weights before their last training, that",
        "one scored most (`players.SETTINGS`).",
        "",
    ]
    lines += table(
        ("pairing", "pairs", "score", "Elo"),
        [
            (name, str(one["pairs"]), f"{one['score']:.3f} [{one['low']:.3f}, {one['high']:.3f}]", signed(one))
            for name, one in (
                (f"{one} against {other}", numbers.get("matches", {}).get(f"{one} against {other}"))
                for one, other, _ in PAIRINGS
            )
            if one is not None
        ],
    )
    n = len(numbers.get("matches", {}))
    if n < len(PAIRINGS):
        lines += [
            f"{n} of {len(PAIRINGS)} pairings are measured so far; `make study-planning` goes on with the next.",
            "",
        ]
    rated = numbers.get("ratings", {}).get("all", {})
    if rated:
        ordered = sorted(rated.items(), key=lambda item: -item[1]["elo"])
        lines += [
            "![Ratings over tokens a move](budget.svg)",
            "",
            "Joint ratings above no search (Bradley–Terry, Davidson's draws, first-seat advantage):",
            "",
        ]
        lines += table(
            ("player", "Elo", "games"), [(name, signed(one, "low", "high"), str(one["games"])) for name, one in ordered]
        )
    seen: dict[str, list[int]] = {}
    for one in numbers.get("matches", {}).values():
        for phase, found in one["overlap"].items():
            counts = seen.setdefault(phase, [0, 0])
            counts[0] += found["n"]
            counts[1] += round(found["value"] * found["n"])
    if seen:
        lines += [
            "Positions of these matches that were trained on, as they are or mirrored, by discs on the board:",
            "",
        ]
        lines += table(
            ("discs", "share"), [(phase, percent(share(good, n))) for phase, (n, good) in sorted(seen.items())]
        )
    return lines


def _curve(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def save_figure(figure: Any, path: Path) -> None:
    """As SVG and PNG, the same bytes for the same numbers."""
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None, "Creator": None})
    figure.savefig(path.with_suffix(".png"), metadata={"Software": None}, dpi=160)


def budget_figure(numbers: Numbers, path: Path) -> None:
    """Joint rating over tokens a move, one line a kind of search."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    costs = {name: one["tokens"] for name, one in (numbers.get("positions", {}) | numbers.get("internal", {})).items()}
    costs[PLAIN] = costs.get(f"{PLAIN}, mean", 9)
    rated = numbers["ratings"]["all"]
    colours = dict(zip(FAMILIES, ("#0072B2", "#56B4E9", "#E69F00", "#009E73"), strict=True))
    labels = ("search around it, true rules", "search around it, imagined", "minimax around it", "search it writes")
    with mpl.rc_context(
        {"svg.hashsalt": "stratarena", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(7.6, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for family, label in zip(FAMILIES, labels, strict=True):
            names = [name for name in rated if _family(name) == family and name in costs]
            points = sorted((costs[name], rated[name], name) for name in names)
            if not points:
                continue
            x, y = [cost for cost, *_ in points], [one["elo"] for _, one, _ in points]
            low = [one["elo"] - one["low"] for _, one, _ in points]
            high = [one["high"] - one["elo"] for _, one, _ in points]
            axes.errorbar(
                x, y, yerr=[low, high], fmt="o-", color=colours[family], label=label, capsize=2, linewidth=1.4
            )
            for cost, one, name in points:
                short = name.removeprefix("mcts-").removeprefix("minimax ").removeprefix("internal ")
                axes.annotate(short.split(",")[0] if family.startswith("mcts") else short, (cost, one["elo"]),
                              xytext=(5, -10), textcoords="offset points", fontsize=7.5, color=colours[family])  # fmt: skip
        axes.plot([costs[PLAIN]], [0], "s", color="#222222", label="no search")
        for name in ("OpenSpiel MCTS 1000", "rules-aware", "solver, 0% random"):
            if name in rated:
                axes.axhline(rated[name]["elo"], color="#999999", linewidth=0.8, linestyle="--")
                axes.annotate(name.replace("solver, 0% random", "perfect play"), (1, rated[name]["elo"]), fontsize=7.5,
                              xycoords=("axes fraction", "data"), ha="right", va="bottom", color="#666666")  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("tokens a move, read and written")
        axes.set_ylabel("Elo above no search")
        axes.grid(color="#e5e5e5")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower left", fontsize=8)
        save_figure(figure, path)


def _family(name: str) -> str:
    if name.startswith("mcts"):
        return "mcts, imagined" if name.endswith("imagined") else "mcts"
    return name if name.endswith(OWN_LEAVES) else name.split(" ", maxsplit=1)[0]


def _training_figure(rows: list[tuple[str, dict[str, str]]], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = (
        ("kept", "result kept", "#0072B2"),
        ("kept_decisive", "result kept, decisive", "#56B4E9"),
        ("legal_set", "legal moves exact", "#222222"),
        ("next_state", "next state exact", "#009E73"),
        ("child_states", "child states true", "#E69F00"),
        ("backups", "values carried back", "#D55E00"),
        ("selections", "selections right", "#CC79A7"),
        ("leaf_values", "values of leaves right", "#B8A800"),
    )
    with mpl.rc_context(
        {"svg.hashsalt": "stratarena", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(7.6, 4.2), layout="constrained")
        axes = figure.add_subplot()
        start, edges, lines = 0.0, [], {key: ([], []) for key, *_ in shown}
        last = None
        for name, point in rows:
            if last is not None and name != last[0]:
                start += float(last[1]["cpu_s"])
                edges.append(start)
            last = (name, point)
            for key, *_ in shown:
                if point.get(key) not in (None, ""):
                    lines[key][0].append(start + float(point["cpu_s"]))
                    lines[key][1].append(100 * float(point[key]))
        for key, label, colour in shown:
            if lines[key][0]:
                axes.plot(*lines[key], "-", color=colour, label=label, linewidth=1.5)
        for edge in edges:
            axes.axvline(edge, color="#bbbbbb", linewidth=0.8, linestyle=":")
        axes.set_xlabel("CPU seconds of training")
        axes.set_ylabel("held-out positions, %")
        axes.grid(color="#e5e5e5")
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        save_figure(figure, path)
