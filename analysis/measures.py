"""Every number about every agent in one tidy list: what the agents' pages, the CSV and the Parquet file are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stratarena.analysis.calibration import Calibration
from stratarena.analysis.conduct import THIRDS, Conduct
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.facts import Facts
from stratarena.analysis.league import score_rates
from stratarena.analysis.learning import learning_by
from stratarena.analysis.process import DEFINITIONS as PROCESS
from stratarena.analysis.process import METRICS, SLOPE
from stratarena.analysis.process import TITLES as PROCESS_TITLES

__all__ = ["DEFINITIONS", "GROUPS", "TITLES", "Measure", "is_share", "measures"]

GROUPS = {
    "results": "Results",
    "conduct": "Legality and spending",
    "process": "Plans, revisions and move quality",
    "calibration": "Stated chances of winning",
}

_MEAN = "mean; interval over matches, an agent's side of a match being one observation"
_OWN: Mapping[str, tuple[str, str]] = {
    "score": ("score a match", "Points / matches that count; Wilson score interval with n = opening pairs."),
    "elo": ("Elo", "Of the joint fit; see Elo."),
    "score_slope": (
        "score by round",
        (
            "Least-squares slope of the points a match on the round (1, 2, …), pairs of matches as observations; t-interval "
            "with heteroskedasticity-consistent errors (HC1). It asks whether an agent got better as the tournament went on."
        ),
    ),
    "legal_at_once": (
        "legal at once",
        "Turns whose first answer was a legal move, or a legal plan whatever it costs / turns, void matches left out.",
    ),
    "tokens_per_turn": ("tokens a turn", f"Prompt and completion tokens, over turns that asked a model; {_MEAN}."),
    "think_ms_per_turn": ("think time a turn, ms", f"Work of model, engine and agent, waiting left out; {_MEAN}."),
    "nodes_per_turn": ("nodes a turn", f"Positions visited, over turns that visited any; {_MEAN}."),
    "cost_per_match": ("cost a match, US$", f"By the price table; none where any price is unknown; {_MEAN}."),
    **{
        f"{key}_{third}": (
            f"{title}, {third} third",
            f"{what} Turns that begin in the {third} third of a match's plies.",
        )
        for third in THIRDS
        for key, title, what in (
            ("legal_at_once", "legal at once", "As legal at once."),
            ("tokens_per_turn", "tokens a turn", "As tokens a turn."),
            ("think_ms_per_turn", "think time a turn, ms", "As think time a turn."),
        )
    },
    "brier": (
        "Brier score",
        (
            "Mean of (stated chance of winning - points of the match)², over turns that state one; interval over matches. "
            "0 is perfect, 0.25 is always saying one half."
        ),
    ),
    "brier_reliability": (
        "reliability",
        "Part of Brier's score (Murphy 1973), over tenths of the scale: Σ n (mean stated - mean points)² / Σ n. 0 is perfect.",
    ),
    "brier_resolution": (
        "resolution",
        "Part of Brier's score: Σ n (mean points of the tenth - of all)² / Σ n. More is better.",
    ),
    "brier_uncertainty": ("uncertainty", "Part of Brier's score: the variance of the points, whatever was stated."),
    "calibration_error": ("calibration error (ECE)", "Σ n |mean stated - mean points| / Σ n over tenths of the scale."),
}
TITLES = {key: title for key, (title, _) in _OWN.items()} | PROCESS_TITLES
DEFINITIONS = {key: what for key, (_, what) in _OWN.items()} | PROCESS
_SHARES = frozenset({"score", "legal_at_once", *(f"legal_at_once_{third}" for third in THIRDS)}) | frozenset(
    metric.key for metric in METRICS if metric.bounds == (0.0, 1.0)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number about one agent."""

    agent: str
    game: str
    """Empty for all games together."""
    group: str
    """A key of `GROUPS`."""
    key: str
    estimate: Estimate
    query: str
    """The named query whose rows it was computed from (`analysis.queries`)."""


def is_share(key: str) -> bool:
    """Whether the measure is a share, to be told in per cent."""
    return key in _SHARES


def measures(facts: Facts) -> tuple[Measure, ...]:
    """Of every agent in the order of strength: all games together, then each; only what has data."""
    found: dict[tuple[str, str], list[Measure]] = {}
    for measure in (*_results(facts), *_conduct(facts), *_process(facts), *_calibration(facts)):
        if measure.estimate.n:
            found.setdefault((measure.agent, measure.game), []).append(measure)
    order = {name: place for place, name in enumerate((*facts.standings.names, *facts.standings.idle))}
    games = {game: place for place, game in enumerate(("", *facts.games))}
    keys = sorted(found, key=lambda key: (order[key[0]], games[key[1]]))
    return tuple(measure for key in keys for measure in found[key])


def _results(facts: Facts) -> Iterator[Measure]:
    for name, estimate in facts.standings.ratings.elo.items():
        yield Measure(agent=name, game="", group="results", key="elo", estimate=estimate, query="matches")
    for (name, game), estimate in score_rates(facts.standings.matches).items():
        yield Measure(agent=name, game=game, group="results", key="score", estimate=estimate, query="matches")
    for (name, game), estimate in learning_by(facts.standings.matches).items():
        yield Measure(agent=name, game=game, group="results", key="score_slope", estimate=estimate, query="matches")


def _conduct(facts: Facts) -> Iterator[Measure]:
    for (name, game), conduct in facts.conduct.items():
        for key, estimate in _of_conduct(conduct):
            yield Measure(agent=name, game=game, group="conduct", key=key, estimate=estimate, query="sides")


def _of_conduct(conduct: Conduct) -> Iterator[tuple[str, Estimate]]:
    yield "legal_at_once", conduct.legal_at_once
    yield "tokens_per_turn", conduct.tokens_per_turn
    yield "think_ms_per_turn", conduct.think_ms_per_turn
    yield "nodes_per_turn", conduct.nodes_per_turn
    yield "cost_per_match", conduct.cost_per_match
    for name, third in zip(THIRDS, conduct.thirds, strict=True):
        yield f"legal_at_once_{name}", third.legal_at_once
        yield f"tokens_per_turn_{name}", third.tokens_per_turn
        yield f"think_ms_per_turn_{name}", third.think_ms_per_turn


def _process(facts: Facts) -> Iterator[Measure]:
    for (name, game), found in facts.process.items():
        for key in (*(metric.key for metric in METRICS), SLOPE):
            yield Measure(agent=name, game=game, group="process", key=key, estimate=found[key], query="plays")


def _calibration(facts: Facts) -> Iterator[Measure]:
    for (name, game), found in facts.calibration.items():
        for key, estimate in _of_calibration(found):
            yield Measure(agent=name, game=game, group="calibration", key=key, estimate=estimate, query="forecasts")


def _of_calibration(found: Calibration) -> Iterator[tuple[str, Estimate]]:
    n, method = found.brier.n, "no interval: a part of Brier's score"
    yield "brier", found.brier
    yield "brier_reliability", Estimate(found.reliability, n, None, None, method)
    yield "brier_resolution", Estimate(found.resolution, n, None, None, method)
    yield "brier_uncertainty", Estimate(found.uncertainty, n, None, None, method)
    yield (
        "calibration_error",
        Estimate(found.calibration_error, n, None, None, "no interval: biased upward where n is small"),
    )
