"""Process metrics of games in which a move is a plan: how a side plans, revises, and spends its purse.

Pure functions over records, in two versions. OURS mean what their names say; each is a ratio of two counts over one
agent's side of its matches, with an interval from resampling matches. `published_of` gives the numbers that the public
evaluator would print for the same matches (`analysis.published_log`). Source of both: AdvGameBench (arXiv 2506.12012)
and what its reviewers asked for.

Words: an *update* is an answer after the opening; *before* and *after* are the rounds just before and just after it, in
which the other side's plan is the same; a *revision* is an update after which another plan is in play. Rounds without a
winner count as not won.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from statistics import fmean

from stratarena.analysis.correlation import Correlation, correlation
from stratarena.analysis.estimate import Estimate, ratio_over_clusters
from stratarena.analysis.published_log import LogRow, PublishedMetrics, published_metrics
from stratarena.db.records import AnswerRecord, SeriesRecord
from stratarena.games.base import Seat

__all__ = [
    "DEFINITIONS",
    "METRICS",
    "SLOPE",
    "TITLES",
    "Metric",
    "Play",
    "Scope",
    "Update",
    "macro_mean",
    "measure",
    "plays_of",
    "published_of",
    "risk_against_success",
    "scopes_of",
]

_UNREADABLE = ("unparseable", "schema_error")


@dataclass(frozen=True, slots=True)
class Update:
    """One own answer after the opening, with the rounds on both sides of it."""

    revised: bool
    won_before: bool
    won_after: bool
    broken_before: bool
    """The plan in play before it was not within the rules and the purse."""
    broken_after: bool


@dataclass(frozen=True, slots=True)
class Play:
    """One agent's side of one match."""

    match_id: int
    game: str
    agent: str
    opponent: str
    seat: Seat
    updates_first: bool
    """Whether it was the first to update."""
    purse: int
    answers: tuple[AnswerRecord, ...]
    """Its own."""
    updates: tuple[Update, ...]
    rounds: tuple[tuple[int, bool, int | None], ...]
    """Of every round, the opening round (label 0) first: label, whether it won, and the cost of its plan in play."""


def plays_of(series: Iterable[SeriesRecord]) -> tuple[Play, ...]:
    """Both sides of every match in which a round was played."""
    return tuple(
        _play(record, seat)
        for record in series
        if any(answer.label is not None for answer in record.answers)
        for seat in Seat
    )


def _play(record: SeriesRecord, seat: Seat) -> Play:
    in_play: dict[Seat, AnswerRecord] = {}
    updates, rounds = [], []
    won = False
    for answer in record.answers:
        before = in_play.get(answer.seat)
        # What cannot be read leaves the plan before it in play.
        if before is None or (answer.verdict not in _UNREADABLE and not answer.kept):
            in_play[answer.seat] = answer
        if answer.label is None:
            continue
        now = answer.winner is seat
        if answer.seat is seat and answer.label > 0 and before is not None:
            updates.append(
                Update(
                    revised=answer.changed,
                    won_before=won,
                    won_after=now,
                    broken_before=before.verdict != "ok",
                    broken_after=in_play[seat].verdict != "ok",
                )
            )
        won = now
        rounds.append((answer.label, now, in_play[seat].cost))
    own = tuple(answer for answer in record.answers if answer.seat is seat)
    first_update = next((answer.seat for answer in record.answers if answer.label == 1), None)
    return Play(
        match_id=record.match_id,
        game=record.game,
        agent=record.first if seat is Seat.FIRST else record.second,
        opponent=record.second if seat is Seat.FIRST else record.first,
        seat=seat,
        updates_first=first_update is seat,
        purse=own[0].purse,
        answers=own,
        updates=tuple(updates),
        rounds=tuple(rounds),
    )


Count = Callable[[Play], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Metric:
    """A ratio of two counts over plays; `definition` says which."""

    key: str
    title: str
    definition: str
    count: Count
    bounds: tuple[float, float] = (0.0, 1.0)


def _updates(play: Play, wanted: Callable[[Update], bool], among: Callable[[Update], bool]) -> tuple[float, float]:
    pool = [update for update in play.updates if among(update)]
    return float(sum(wanted(update) for update in pool)), float(len(pool))


def _win_rate(play: Play) -> tuple[float, float]:
    """Scored rounds won / scored rounds."""
    scored = [won for label, won, _ in play.rounds if label > 0]
    return float(sum(scored)), float(len(scored))


def _opening_win_rate(play: Play) -> tuple[float, float]:
    """Opening rounds won / opening rounds: planning without feedback."""
    opening = [won for label, won, _ in play.rounds if label == 0]
    return float(sum(opening)), float(len(opening))


def _revision_rate(play: Play) -> tuple[float, float]:
    """Revisions / updates: the paper's over-correction risk rate, by plans instead of costs."""
    return _updates(play, lambda update: update.revised, lambda update: True)


def _over_correction(play: Play) -> tuple[float, float]:
    """Revisions after a won round / updates after a won round."""
    return _updates(play, lambda update: update.revised, lambda update: update.won_before)


def _revision_after_loss(play: Play) -> tuple[float, float]:
    """Revisions after a round not won / updates after a round not won."""
    return _updates(play, lambda update: update.revised, lambda update: not update.won_before)


def _harm(play: Play) -> tuple[float, float]:
    """Revisions that turned a won round into one not won / revisions after a won round."""
    return _updates(play, lambda update: not update.won_after, lambda update: update.revised and update.won_before)


def _correction_success(play: Play) -> tuple[float, float]:
    """Revisions that turned a round not won into a won one / revisions after a round not won."""
    return _updates(play, lambda update: update.won_after, lambda update: update.revised and not update.won_before)


def _correction_success_paper(play: Play) -> tuple[float, float]:
    """Revisions that mended a broken plan or turned a round not won into a won one / revisions (as the paper words it)."""
    return _updates(
        play,
        lambda update: (
            (update.broken_before and not update.broken_after) or (update.won_after and not update.won_before)
        ),
        lambda update: update.revised,
    )


def _wins_after_revision(play: Play) -> tuple[float, float]:
    """Revisions followed by a won round / revisions: what the public evaluator calls correction success."""
    return _updates(play, lambda update: update.won_after, lambda update: update.revised)


def _net_gain(play: Play) -> tuple[float, float]:
    """(Rounds gained - rounds lost by revisions) / revisions."""
    revised = [update for update in play.updates if update.revised]
    return float(sum(update.won_after - update.won_before for update in revised)), float(len(revised))


def _over_purse(play: Play) -> tuple[float, float]:
    """Submitted plans that cost more than the purse / submitted plans with a cost. Kept plans are not counted again."""
    costs = [answer.cost for answer in play.answers if not answer.kept and answer.cost is not None]
    return float(sum(cost > play.purse for cost in costs)), float(len(costs))


def _over_budget(play: Play) -> tuple[float, float]:
    """Turns that passed a thinking budget / turns."""
    return float(sum(answer.n_overruns > 0 for answer in play.answers)), float(len(play.answers))


def _excess(play: Play) -> tuple[float, float]:
    """Mean excess over the purse as a share of it, over submitted plans with a cost; 0 for those within it."""
    costs = [answer.cost for answer in play.answers if not answer.kept and answer.cost is not None]
    return sum(max(cost - play.purse, 0) / play.purse for cost in costs), float(len(costs))


def _illegal(play: Play) -> tuple[float, float]:
    """Answers that were illegal plans / answers that kept nothing."""
    given = [answer.verdict for answer in play.answers if not answer.kept]
    return float(given.count("illegal")), float(len(given))


def _unreadable(play: Play) -> tuple[float, float]:
    """Answers that could not be read as a plan / answers that kept nothing."""
    given = [answer.verdict for answer in play.answers if not answer.kept]
    return float(sum(verdict in _UNREADABLE for verdict in given)), float(len(given))


def _metric(key: str, title: str, count: Count, bounds: tuple[float, float] = (0.0, 1.0)) -> Metric:
    return Metric(key, title, " ".join((count.__doc__ or "").split()), count, bounds)


METRICS: tuple[Metric, ...] = (
    _metric("win_rate", "win rate", _win_rate),
    _metric("opening_win_rate", "opening win rate", _opening_win_rate),
    _metric("revision_rate", "revision rate", _revision_rate),
    _metric("over_correction_risk", "over-correction risk", _over_correction),
    _metric("revision_after_loss", "revision after loss", _revision_after_loss),
    _metric("harmful_revision", "harmful revision", _harm),
    _metric("correction_success", "correction success", _correction_success),
    _metric("correction_success_as_worded", "correction success, as worded", _correction_success_paper),
    _metric("wins_after_revision", "wins after revision", _wins_after_revision),
    _metric("net_revision_gain", "net revision gain", _net_gain, (-1.0, 1.0)),
    _metric("over_purse_ratio", "over-budget ratio (purse)", _over_purse),
    _metric("purse_excess", "excess over the purse", _excess, (0.0, float("inf"))),
    _metric("over_budget_ratio", "over-budget ratio (thinking)", _over_budget),
    _metric("illegal_rate", "illegal plans", _illegal),
    _metric("unreadable_rate", "unreadable answers", _unreadable),
)
"""Ours, in the order of reports."""

SLOPE = "improvement_slope"
SLOPE_DEFINITION = (
    "Least-squares slope of the outcomes (1 won, 0 not) after a match's own updates on 0, 1, 2, …; the mean over matches "
    "with at least two own updates. n counts matches."
)


TITLES = {metric.key: metric.title for metric in METRICS} | {SLOPE: "improvement slope"}
DEFINITIONS = {metric.key: metric.definition for metric in METRICS} | {SLOPE: SLOPE_DEFINITION}
"""What each metric counts, by key."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The plays of one agent that are measured together."""

    agent: str
    game: str
    """Empty for all games."""
    side: str
    """`"first"` or `"second"`; empty for both."""
    plays: tuple[Play, ...]


def scopes_of(plays: Iterable[Play], agents: Sequence[str]) -> tuple[Scope, ...]:
    """For each agent all games together, each game, and each side of each game; only what was played."""
    found = []
    pool = tuple(plays)
    games = list(dict.fromkeys(play.game for play in pool))
    for agent in agents:
        own = tuple(play for play in pool if play.agent == agent)
        if not own:
            continue
        found.append(Scope(agent, "", "", own))
        for game in games:
            here = tuple(play for play in own if play.game == game)
            if here:
                found.append(Scope(agent, game, "", here))
                sides = {seat: tuple(play for play in here if play.seat is seat) for seat in Seat}
                found += [Scope(agent, game, seat.value, those) for seat, those in sides.items() if those]
    return tuple(found)


def macro_mean(cells: Sequence[Estimate]) -> tuple[float | None, int]:
    """The unweighted mean of those cells that have a value, and how many they are; None without any."""
    values = [cell.value for cell in cells if cell.value is not None]
    return (fmean(values), len(values)) if values else (None, 0)


def risk_against_success(measured: Sequence[tuple[float | None, float | None]]) -> Correlation:
    """Over agents: how over-correction risk and correction success go together (the paper's figure)."""
    return correlation([risk for risk, _ in measured], [success for _, success in measured])


def measure(plays: Sequence[Play]) -> dict[str, Estimate]:
    """Every metric of ours over these plays, by key; intervals by resampling matches, no data is None with n = 0."""
    found = {metric.key: _estimate(metric, plays) for metric in METRICS}
    slopes = [slope for play in plays if (slope := _slope(play.updates)) is not None]
    found[SLOPE] = ratio_over_clusters([(slope, 1.0) for slope in slopes])
    return found


def _estimate(metric: Metric, plays: Sequence[Play]) -> Estimate:
    bounded = None if metric.bounds[1] == float("inf") else metric.bounds
    # A match is one draw, also where an agent sits on both sides of it.
    clusters: dict[int, tuple[float, float]] = {}
    for play in plays:
        above, below = metric.count(play)
        before = clusters.get(play.match_id, (0.0, 0.0))
        clusters[play.match_id] = (before[0] + above, before[1] + below)
    return ratio_over_clusters(tuple(clusters.values()), bounds=bounded)


def _slope(updates: Sequence[Update]) -> float | None:
    n = len(updates)
    if n < 2:
        return None
    middle = (n - 1) / 2
    won = [float(update.won_after) for update in updates]
    average = fmean(won)
    above = sum((place - middle) * (value - average) for place, value in enumerate(won))
    return above / sum((place - middle) ** 2 for place in range(n))


def published_of(plays: Sequence[Play]) -> PublishedMetrics | None:
    """What the public evaluator would print for one agent's plays of one game; None without any.

    Rows of all matches with the same side and order one after another, one file for each side and order, unweighted
    means over the files. Its labels begin at 1 with the opening round; a plan without a price costs 0 there.
    """
    files: dict[tuple[Seat, bool], list[Play]] = {}
    for play in plays:
        files.setdefault((play.seat, play.updates_first), []).append(play)
    if not files:
        return None
    found = [
        published_metrics(
            [LogRow(label + 1, cost or 0, won) for play in those for label, won, cost in play.rounds],
            order="first" if first else "second",
            purse=those[0].purse,
        )
        for (_, first), those in files.items()
    ]
    return PublishedMetrics(*(fmean(values) for values in zip(*map(astuple, found), strict=True)))
