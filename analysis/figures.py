"""Pictures for reports: data to SVG, the same bytes for the same data, intervals drawn, counts stated.

Colours are Okabe and Ito's (2008), told apart with every common kind of colour vision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from stratarena.analysis.calibration import Calibration
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.league import Tally
from stratarena.analysis.page import Picture

__all__ = [
    "PLOTS_MISSING",
    "available",
    "correction_figure",
    "cost_figure",
    "endings_figure",
    "forest_figure",
    "heat_figure",
    "plies_figure",
    "ratings_figure",
    "reliability_figure",
    "risk_figure",
    "seats_figure",
]

PLOTS_MISSING = "Figures need matplotlib: pip install 'stratarena[plots]', then write the report again."

_BLUE, _ORANGE, _GREEN, _PINK, _SKY, _RED, _YELLOW, _BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#222222",
)  # fmt: skip
_COLOURS = (_BLUE, _ORANGE, _GREEN, _RED, _SKY, _PINK, _BLACK, "#999999")
_MARKS = "o^sDvP*X"
_DOTS_PER_INCH = 200
_SETTINGS: Any = {
    "svg.hashsalt": "stratarena",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.axisbelow": True,
    "text.parse_math": False,
}


def available() -> bool:
    """Whether pictures can be drawn here."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def ratings_figure(ratings: Mapping[str, Estimate], anchor: str | None, anchor_elo: float = 0.0) -> Picture:
    """Ratings with their intervals, the strongest on top."""

    def draw(axes: Any) -> None:
        ordered = sorted(ratings.items(), key=lambda item: item[1].value or 0.0)
        for row, (_, estimate) in enumerate(ordered):
            if estimate.low is not None:
                axes.plot([estimate.low, estimate.high], [row, row], color=_BLUE, linewidth=2, alpha=0.55)
            axes.plot([estimate.value], [row], "o", color=_BLUE if estimate.low is not None else _BLACK, markersize=6)
        axes.set_yticks(range(len(ordered)), [f"{_short(name)}  (n={estimate.n})" for name, estimate in ordered])
        if anchor is None:
            axes.set_xlabel("Elo above the mean of all")
        else:
            axes.set_xlabel(f"Elo ({_short(anchor)} = {anchor_elo:g})" if anchor_elo else f"Elo above {_short(anchor)}")
        axes.grid(axis="x", color="#dddddd")
        axes.margins(y=0.08)

    return _picture(draw, height=1.1 + 0.34 * len(ratings))


def heat_figure(agents: Sequence[str], cells: Mapping[tuple[str, str], Tally]) -> Picture:
    """Score of the row's agent against the column's, in per cent, with the number of matches."""

    def draw(axes: Any) -> None:
        for row, one in enumerate(agents):
            for column, other in enumerate(agents):
                cell = cells.get((one, other))
                if cell is None or cell.games == 0:
                    axes.add_patch(_rectangle(column, row, "#eeeeee"))
                    continue
                share = cell.points / cell.games
                axes.add_patch(_rectangle(column, row, _diverging(share)))
                ink = "white" if abs(share - 0.5) > 0.35 else _BLACK
                axes.text(column, row - 0.08, f"{100 * share:.0f}", ha="center", va="center", color=ink, fontsize=10)
                axes.text(column, row + 0.28, f"n={cell.games}", ha="center", va="center", color=ink, fontsize=6)
        names = [_short(name) for name in agents]
        axes.set_xlim(-0.5, len(agents) - 0.5)
        axes.set_ylim(len(agents) - 0.5, -0.5)
        axes.set_xticks(range(len(agents)), names, rotation=35, ha="right")
        axes.set_yticks(range(len(agents)), names)
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)

    return _picture(draw, height=1.6 + 0.5 * len(agents), width=2.4 + 0.72 * len(agents))


def seats_figure(rates: Mapping[str, tuple[Estimate, Estimate]]) -> Picture:
    """Score in seat FIRST and in seat SECOND with intervals."""

    def draw(axes: Any) -> None:
        names = list(rates)
        for offset, index, colour, label in ((-0.14, 0, _BLUE, "FIRST"), (0.14, 1, _ORANGE, "SECOND")):
            for row, name in enumerate(names):
                estimate = rates[name][index]
                if estimate.value is None:
                    continue
                shown = label if row == 0 else None
                axes.plot([estimate.value], [row + offset], "o", color=colour, label=shown)
                axes.plot([estimate.low, estimate.high], [row + offset] * 2, color=colour, linewidth=2, alpha=0.55)
        axes.axvline(0.5, color="#999999", linewidth=1, linestyle=":")
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.invert_yaxis()
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("score a match")
        axes.grid(axis="x", color="#dddddd")
        axes.legend(title="seat", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)

    return _picture(draw, height=1.2 + 0.42 * len(rates))


def endings_figure(endings: Mapping[str, Mapping[str, int]]) -> Picture:
    """How each agent's matches ended: shares of all its matches, stacked."""

    def draw(axes: Any) -> None:
        names = list(endings)
        kinds = sorted({kind for found in endings.values() for kind in found})
        colours = (_BLUE, _ORANGE, _GREEN, _RED, _SKY, _PINK, _YELLOW, "#999999")
        left = [0.0] * len(names)
        for number, kind in enumerate(kinds):
            shares = [endings[name].get(kind, 0) / max(sum(endings[name].values()), 1) for name in names]
            hatch = "//" if number >= len(colours) else None
            axes.barh(
                range(len(names)), shares, left=left, color=colours[number % len(colours)], label=kind,
                height=0.7, edgecolor="white", linewidth=0.5, hatch=hatch,
            )  # fmt: skip
            left = [before + share for before, share in zip(left, shares, strict=True)]
        labels = [f"{_short(name)}  (n={sum(endings[name].values())})" for name in names]
        axes.set_yticks(range(len(names)), labels)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of its matches")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)

    return _picture(draw, height=1.2 + 0.36 * len(endings))


def cost_figure(points: Mapping[str, tuple[Estimate, Estimate]], *, unit: str, frontier: Sequence[str]) -> Picture:
    """Score against cost, both with intervals, cost on a logarithmic axis; steps join the efficient ones."""

    def draw(axes: Any) -> None:
        shown = {name: pair for name, pair in points.items() if pair[0].value and pair[1].value is not None}
        for number, (name, (cost, score)) in enumerate(shown.items()):
            colour = _COLOURS[number % len(_COLOURS)]
            label = f"{_short(name)} (n={score.n})"
            axes.plot([cost.value], [score.value], _mark(number), color=colour, markersize=7, label=label)
            axes.plot([cost.value] * 2, [score.low, score.high], color=colour, linewidth=1.5, alpha=0.5)
            if cost.low is not None and cost.low > 0:
                axes.plot([cost.low, cost.high], [score.value] * 2, color=colour, linewidth=1.5, alpha=0.5)
        best = [shown[name] for name in frontier if name in shown]
        if len(best) > 1:
            axes.step(
                [cost.value for cost, _ in best], [score.value for _, score in best], where="post", color="#777777",
                linewidth=1, linestyle="--", label="efficient frontier", zorder=0,
            )  # fmt: skip
        costs = [cost.value for cost, _ in shown.values() if cost.value]
        if max(costs) > 4 * min(costs):
            axes.set_xscale("log")
            # A log axis labels itself with formulas, which would show raw: `text.parse_math` is off for strangers' names.
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.xaxis.set_minor_formatter(
                lambda value, _: f"{value:g}" if max(costs) < 40 * min(costs) and f"{value:g}"[0] in "25" else ""
            )
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel(f"{unit} (mean)")
        axes.set_ylabel("score a match")
        axes.grid(color="#dddddd")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)

    return _picture(draw, height=3.6)


def forest_figure(rows: Sequence[tuple[str, Estimate]], label: str) -> Picture:
    """One measure of many, with intervals and n, in the order given from the top."""

    def draw(axes: Any) -> None:
        shown = [(name, estimate) for name, estimate in rows if estimate.value is not None]
        for row, (_, estimate) in enumerate(shown):
            if estimate.low is not None:
                axes.plot([estimate.low, estimate.high], [row, row], color=_BLUE, linewidth=2, alpha=0.55)
            axes.plot([estimate.value], [row], "o", color=_BLUE, markersize=6)
        axes.set_yticks(range(len(shown)), [f"{_short(name, 40)}  (n={estimate.n})" for name, estimate in shown])
        axes.invert_yaxis()
        axes.set_xlabel(label)
        axes.grid(axis="x", color="#dddddd")
        axes.margins(y=0.08)

    return _picture(draw, height=1.1 + 0.3 * len(rows))


def reliability_figure(found: Mapping[str, Calibration]) -> Picture:
    """Mean result against mean stated chance in each tenth of the scale, with intervals; an agent a panel's line."""

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":", label="perfect")
        for number, (name, calibration) in enumerate(found.items()):
            colour = _COLOURS[number % len(_COLOURS)]
            tenths = [tenth for tenth in calibration.tenths if tenth is not None]
            label = f"{_short(name)} (n={calibration.brier.n})"
            axes.plot(
                [tenth.stated for tenth in tenths], [tenth.result.value for tenth in tenths],
                f"-{_mark(number)}", color=colour, markersize=5, linewidth=1, label=label,
            )  # fmt: skip
            for tenth in tenths:
                if tenth.result.low is not None:
                    axes.plot([tenth.stated] * 2, [tenth.result.low, tenth.result.high], color=colour, alpha=0.4)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        axes.set_xlabel("stated chance of winning (mean of a tenth)")
        axes.set_ylabel("points a match")
        axes.grid(color="#dddddd")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)

    return _picture(draw, height=4.2, width=6.6)


def plies_figure(rates: Mapping[str, Mapping[int, Estimate]]) -> Picture:
    """Share of turns that were legal at once by tens of plies, an agent a line, with intervals."""

    def draw(axes: Any) -> None:
        for number, (name, by_ten) in enumerate(rates.items()):
            colour = _COLOURS[number % len(_COLOURS)]
            tens = sorted(by_ten)
            n = sum(estimate.n for estimate in by_ten.values())
            axes.plot(
                [10 * ten + 5 for ten in tens], [by_ten[ten].value for ten in tens], f"-{_mark(number)}",
                color=colour, markersize=5, linewidth=1, label=f"{_short(name)} (n={n})",
            )  # fmt: skip
            for ten in tens:
                axes.plot([10 * ten + 5] * 2, [by_ten[ten].low, by_ten[ten].high], color=colour, alpha=0.4)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlim(left=0)
        axes.set_xlabel("ply (middle of ten)")
        axes.set_ylabel("legal at once, share of turns")
        axes.grid(color="#dddddd")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)

    return _picture(draw, height=3.4)


def correction_figure(counts: Mapping[str, tuple[int, int, int, int]]) -> Picture:
    """What revisions led to: right to right, wrong to right, right to wrong, wrong to wrong; shares, stacked."""

    def draw(axes: Any) -> None:
        names = list(counts)
        left = [0.0] * len(names)
        kinds = ("right → right", "wrong → right", "right → wrong", "wrong → wrong")
        for place, (kind, colour) in enumerate(zip(kinds, (_SKY, _BLUE, _RED, _YELLOW), strict=True)):
            shares = [counts[name][place] / max(sum(counts[name]), 1) for name in names]
            axes.barh(
                range(len(names)), shares, left=left, color=colour, label=kind, height=0.7, edgecolor="white", linewidth=0.5,
                hatch="//" if place == 2 else None,
            )  # fmt: skip
            left = [before + share for before, share in zip(left, shares, strict=True)]
        axes.set_yticks(range(len(names)), [f"{_short(name)}  (n={sum(counts[name])})" for name in names])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of graded revisions")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)

    return _picture(draw, height=1.2 + 0.36 * len(counts))


def risk_figure(points: Mapping[str, tuple[Estimate, Estimate]]) -> Picture:
    """Correction success against over-correction risk, an agent each, both with intervals; only agents that have both."""

    def draw(axes: Any) -> None:
        colours = _COLOURS
        for number, (name, (risk, success)) in enumerate(points.items()):
            if risk.value is None or success.value is None:
                continue
            colour = colours[number % len(colours)]
            label = f"{_short(name)} (n={risk.n}, {success.n})"
            axes.plot([risk.value], [success.value], _mark(number), color=colour, markersize=7, label=label)
            if success.low is not None:
                axes.plot([risk.value] * 2, [success.low, success.high], color=colour, linewidth=1.5, alpha=0.5)
            if risk.low is not None:
                axes.plot([risk.low, risk.high], [success.value] * 2, color=colour, linewidth=1.5, alpha=0.5)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel("over-correction risk: revisions of what was right")
        axes.set_ylabel("correction success:\nwrong made right by a revision")
        axes.grid(color="#dddddd")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)

    return _picture(draw, height=3.8)


def _picture(draw: Any, *, height: float, width: float = 7.6) -> Picture:
    """The figure without dates and without anything random."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    def save(form: str, metadata: dict[str, None], **facts: Any) -> bytes:
        with mpl.rc_context(_SETTINGS):
            figure = Figure(figsize=(width, height), layout="constrained")
            draw(figure.add_subplot())
            page = BytesIO()
            figure.savefig(page, format=form, metadata=metadata, **facts)
        return page.getvalue()

    return Picture(
        save("svg", {"Date": None, "Creator": None}).decode(),
        lambda: save("png", {"Software": None}, dpi=_DOTS_PER_INCH),
    )


def _mark(number: int) -> str:
    """A marker, another one each time the colours begin again."""
    return _MARKS[(number + number // len(_COLOURS)) % len(_MARKS)]


def _rectangle(column: int, row: int, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.48, row - 0.46), 0.96, 0.92, color=colour, linewidth=0)


def _diverging(share: float) -> str:
    """From orange (0) over near-white (0.5) to blue (1)."""
    low, middle, high = (0xD5, 0x5E, 0x00), (0xF7, 0xF7, 0xF7), (0x00, 0x55, 0x99)
    start, end, part = (low, middle, share * 2) if share < 0.5 else (middle, high, share * 2 - 1)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(start, end, strict=True))


def _short(name: str, longest: int = 24) -> str:
    """A name that fits beside an axis, what cannot be printed left out."""
    clean = "".join(letter for letter in name if letter.isprintable())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"
