"""From the database to a figure of one's own: score against thinking time, an agent a point.

    python examples/from_database_to_figure.py stratarena.db figure.svg [TOURNAMENT]

Needs the extras `tables` and `plots`. The views and their columns are listed in docs/schema.md; `read_frame` gives any of
them as a pandas DataFrame.
"""

from __future__ import annotations

import sys

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from stratarena.db.frames import read_frame


def over_pairs(values: pd.DataFrame, column: str, resamples: int = 1000) -> pd.Series:
    """The mean with its 95 % percentile interval. Matches of one opening pair are not independent: pairs are resampled."""
    pairs = values.groupby("pair")[column].agg(["sum", "count"]).to_numpy(dtype=float)
    drawn = pairs[np.random.default_rng(0).integers(len(pairs), size=(resamples, len(pairs)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return pd.Series({"mean": pairs[:, 0].sum() / pairs[:, 1].sum(), "low": low, "high": high, "pairs": len(pairs)})


def main(database: str, figure: str, tournament: str | None = None) -> None:
    """Read two views, put them together, draw."""
    scores = read_frame(database, "scores", tournament)
    turns = read_frame(database, "turns", tournament)
    thought = turns.groupby(["match_id", "agent"])["think_ms"].mean().reset_index()
    both = scores.merge(thought, on=["match_id", "agent"], how="left")
    found = pd.DataFrame({agent: over_pairs(rows, "score") for agent, rows in both.groupby("agent")}).T.join(
        both.groupby("agent")["think_ms"].mean().astype(float)
    )
    print(found.sort_values("mean", ascending=False).round(3).to_string())

    axes = plt.figure(figsize=(6, 4), layout="constrained").subplots()
    for agent, row in found.iterrows():
        axes.errorbar(
            row["think_ms"],
            row["mean"],
            yerr=[[row["mean"] - row["low"]], [row["high"] - row["mean"]]],
            fmt="o",
            capsize=3,
        )
        axes.annotate(
            f"{agent} (n={row['pairs']:.0f})",
            (row["think_ms"], row["mean"]),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=8,
        )
    axes.margins(x=0.2)
    axes.set(xscale="log", xlabel="thinking a turn, ms", ylabel="score a match, 95 % over pairs", ylim=(-0.05, 1.05))
    plt.savefig(figure)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python examples/from_database_to_figure.py DATABASE FIGURE [TOURNAMENT]")
    main(*sys.argv[1:])
