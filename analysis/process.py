"""Process metrics: how a side plans, changes its mind, and spends its purse, in games of plans and on boards alike.

Pure functions over records, in two versions. OURS mean what their names say; each is a ratio of two counts over one
agent's side of its matches, with an interval from resampling matches. `published_of` gives the numbers that the public
evaluator would print for the same matches (`analysis.published_log`). Source of both: AdvGameBench (arXiv 2506.12012)
and what its reviewers asked for.

Words, where a move is a plan: an *update* is an answer after the opening; *before* and *after* are the rounds just before
and just after it, in which the other side's plan is the same, *right* is won (rounds without a winner are not); a
*revision* is an update after which another plan is in play. On boards: an *update* is every time a seat looked again at
a move that it meant (a second look, a refusal, a search, or a line from the turn before); *before* and *after* are what
it meant in the same position, *right* is a move that gives away at most `RIGHT_WITHIN` by the judge that graded it
(`stratarena annotate`); a *revision* is an update after which another move is meant. What no judge graded is in no
ratio that asks whether it was right. `analysis.board_process` makes the plays of boards. Where a move is a plan, second looks
within one turn count in the same way, once the plans were graded: right is a plan that wins its round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from statistics import fmean

from stratarena.analysis.correlation import Correlation, correlation
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.published_log import LogRow, PublishedMetrics, published_metrics
from stratarena.analysis.ratio import RatioSum
from stratarena.db.records import AnswerRecord, SeriesRecord
from stratarena.games.base import Seat

__all__ = [
    "BLUNDER",
    "DEFINITIONS",
    "METRICS",
    "RIGHT_WITHIN",
    "SLOPE",
    "TITLES",
    "Metric",
    "Play",
    "Scope",
    "Sums",
    "Update",
    "macro_mean",
    "measure",
    "plays_of",
    "published_of",
    "risk_against_success",
    "scopes_of",
    "tally_of",
]

_UNREADABLE = ("unparseable", "schema_error")
RIGHT_WITHIN = 0.05
"""Points (1 is a won game lost) that a move on the board may give away and be right; a solver's values differ by more."""


BLUNDER = 0.15
"""Points that a blunder gives away: a swing of 0.3 in winning chances from -1 to 1, as lichess.org draws the line."""


@dataclass(frozen=True, slots=True)
class Update:
    """One time that a seat looked again at what it meant to do."""

    revised: bool
    right_before: bool | None
    """None where nobody graded it."""
    right_after: bool | None
    broken_before: bool
    """What was meant before it was not within the rules and the purse."""
    broken_after: bool
    cause: str | None = None
    """Why it looked again; None where no cause was declared."""


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
    updates: tuple[Update, ...]
    looks: tuple[Update, ...]
    """Second looks within one turn, where a move is a plan; on boards they are updates like the others."""
    rounds: tuple[tuple[int, bool, int | None], ...]
    """Of every round, the opening round (label 0) first: label, whether it won, and the cost of its plan in play. On
    boards one round, the match."""
    n_turns: int
    n_overspent: int
    """Turns that passed a thinking budget."""
    judge: str | None = None
    """Who graded it; None where nobody did."""
    regrets: tuple[float, ...] = ()
    """Of every graded move: points given away, 0 to 1."""
    centipawns_lost: tuple[float, ...] = ()
    """Of every move graded by a chess engine."""
    foreseen: tuple[int, int] = (0, 0)
    """Replies that a line predicted and the opponent played, of all replies that a line predicted."""
    kept_lines: tuple[int, int] = (0, 0)
    """Own moves as the line of the turn before had them, of all turns for which a line had one and the reply was the
    predicted one."""
    kept_whatever: tuple[int, int] = (0, 0)
    """The same, whatever the reply was."""
    purse: int = 0
    answers: tuple[AnswerRecord, ...] = ()
    """Its own; none on boards."""


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
                    right_before=won,
                    right_after=now,
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
        updates=tuple(updates),
        looks=tuple(look for answer in own for look in _looks(answer)),
        rounds=tuple(rounds),
        n_turns=len(own),
        n_overspent=sum(answer.n_overruns > 0 for answer in own),
        judge=record.judge,
        # A plan that is against the rules loses its round.
        regrets=tuple(
            (grade.best_value - (-1.0 if grade.value is None else grade.value)) / 2
            for answer in own
            if (grade := answer.grade) is not None
        ),
        purse=own[0].purse,
        answers=own,
    )


def _looks(answer: AnswerRecord) -> Iterator[Update]:
    """Each time that a plan declared in a turn was looked at again in the same turn."""
    for before, after in pairwise(answer.declared):
        graded = [answer.grades.get(before), answer.grades.get(after)]
        right_before, right_after = (None if grade is None else (grade.value or -1.0) > 0 for grade in graded)
        broken_before, broken_after = (grade is not None and grade.value is None for grade in graded)
        yield Update(
            revised=before != after,
            right_before=right_before,
            right_after=right_after,
            broken_before=broken_before,
            broken_after=broken_after,
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
    pool = [update for update in (*play.updates, *play.looks) if among(update)]
    return float(sum(wanted(update) for update in pool)), float(len(pool))


def _win_rate(play: Play) -> tuple[float, float]:
    """Scored rounds won / scored rounds; on boards matches won / matches."""
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
    """Revisions of what was right / updates of what was right."""
    return _updates(play, lambda update: update.revised, lambda update: update.right_before is True)


def _revision_of_wrong(play: Play) -> tuple[float, float]:
    """Revisions of what was not right / updates of what was not right."""
    return _updates(play, lambda update: update.revised, lambda update: update.right_before is False)


def _harm(play: Play) -> tuple[float, float]:
    """Revisions from right to not right / revisions of what was right."""
    return _updates(
        play,
        lambda update: update.right_after is False,
        lambda update: _judged_revision(update) and update.right_before is True,
    )


def _correction_success(play: Play) -> tuple[float, float]:
    """Revisions from not right to right / revisions of what was not right."""
    return _updates(
        play,
        lambda update: update.right_after is True,
        lambda update: _judged_revision(update) and update.right_before is False,
    )


def _correction_success_paper(play: Play) -> tuple[float, float]:
    """Revisions that mended what was against the rules, or went from not right to right / revisions (as the paper words it)."""
    return _updates(
        play,
        lambda update: (
            (update.broken_before and not update.broken_after)
            or (update.right_after is True and update.right_before is False)
        ),
        _judged_revision,
    )


def _right_after_revision(play: Play) -> tuple[float, float]:
    """Revisions after which it was right / revisions: what the public evaluator calls correction success."""
    return _updates(play, lambda update: update.right_after is True, _judged_revision)


def _net_gain(play: Play) -> tuple[float, float]:
    """(Revisions from not right to right - revisions from right to not right) / revisions."""
    revised = [update for update in (*play.updates, *play.looks) if _judged_revision(update)]
    gains = [(update.right_after is True) - (update.right_before is True) for update in revised]
    return float(sum(gains)), float(len(revised))


def _judged_revision(update: Update) -> bool:
    """Whether it was a revision of which is known what was right before and after."""
    return update.revised and update.right_before is not None and update.right_after is not None


def _regret(play: Play) -> tuple[float, float]:
    """Points (1 is a won game lost) given away against the judge's best move or plan, mean over graded moves."""
    return sum(play.regrets), float(len(play.regrets))


def _centipawns(play: Play) -> tuple[float, float]:
    """Centipawns given away against the best move found by the engine, from -1000 to 1000 at most, mean over graded moves."""
    return sum(play.centipawns_lost), float(len(play.centipawns_lost))


def _best_moves(play: Play) -> tuple[float, float]:
    """Moves that gave nothing away by the judge / graded moves."""
    return float(sum(regret <= 1e-9 for regret in play.regrets)), float(len(play.regrets))


def _blunders(play: Play) -> tuple[float, float]:
    """Moves that gave away 0.15 points or more by the judge / graded moves."""
    return float(sum(regret >= BLUNDER for regret in play.regrets)), float(len(play.regrets))


def _foresight(play: Play) -> tuple[float, float]:
    """Predicted replies that the opponent played / replies that a declared line predicted, its own first move being played."""
    hit, n = play.foreseen
    return float(hit), float(n)


def _adherence(play: Play) -> tuple[float, float]:
    """Own moves as the line of the turn before had them / turns for which it had one, after the reply it predicted."""
    hit, n = play.kept_lines
    return float(hit), float(n)


def _adherence_whatever(play: Play) -> tuple[float, float]:
    """Own moves as the line of the turn before had them / turns for which it had one, whatever the reply was."""
    hit, n = play.kept_whatever
    return float(hit), float(n)


def _over_purse(play: Play) -> tuple[float, float]:
    """Submitted plans that cost more than the purse / submitted plans with a cost. Kept plans are not counted again."""
    costs = [answer.cost for answer in play.answers if not answer.kept and answer.cost is not None]
    return float(sum(cost > play.purse for cost in costs)), float(len(costs))


def _over_budget(play: Play) -> tuple[float, float]:
    """Turns that passed a thinking budget / turns."""
    return float(play.n_overspent), float(play.n_turns)


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
    _metric("revision_after_loss", "revision of what was wrong", _revision_of_wrong),
    _metric("harmful_revision", "harmful revision", _harm),
    _metric("correction_success", "correction success", _correction_success),
    _metric("correction_success_as_worded", "correction success, as worded", _correction_success_paper),
    _metric("wins_after_revision", "right after revision", _right_after_revision),
    _metric("net_revision_gain", "net revision gain", _net_gain, (-1.0, 1.0)),
    _metric("regret", "regret", _regret),
    _metric("centipawn_loss", "centipawn loss", _centipawns, (0.0, float("inf"))),
    _metric("best_move_rate", "best moves", _best_moves),
    _metric("blunder_rate", "blunders", _blunders),
    _metric("plan_foresight", "plan foresight", _foresight),
    _metric("plan_adherence", "plan adherence", _adherence),
    _metric("plan_adherence_whatever", "plan adherence, any reply", _adherence_whatever),
    _metric("over_purse_ratio", "over-budget ratio (purse)", _over_purse),
    _metric("purse_excess", "excess over the purse", _excess, (0.0, float("inf"))),
    _metric("over_budget_ratio", "over-budget ratio (thinking)", _over_budget),
    _metric("illegal_rate", "illegal plans", _illegal),
    _metric("unreadable_rate", "unreadable answers", _unreadable),
)
"""Ours, in the order of reports."""

SLOPE = "improvement_slope"
SLOPE_DEFINITION = (
    "Least-squares slope of the outcomes (1 right, 0 not) after a match's own updates on 0, 1, 2, …; the mean over "
    "matches with at least two own updates whose outcome is known; second looks within a turn of plans are left out. n "
    "counts matches."
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


class Sums:
    """Every metric of ours, gathered play by play."""

    def __init__(self) -> None:
        self._ratios = tuple(RatioSum() for _ in METRICS)
        self._slopes = RatioSum()

    def add(self, play: Play) -> None:
        """One more play."""
        for ratio, (amount, count) in zip(self._ratios, tally_of(play), strict=True):
            if count:
                ratio.add(amount, count)
        slope = _slope(play.updates)
        if slope is not None:
            self._slopes.add(slope, 1.0)

    def join(self, other: Sums) -> None:
        """All plays of another one more."""
        for ratio, its in zip(self._ratios, other._ratios, strict=True):
            ratio.join(its)
        self._slopes.join(other._slopes)

    def estimates(self) -> dict[str, Estimate]:
        """By key; intervals over matches, no data is None with n = 0."""
        found = {
            metric.key: ratio.estimate(bounds=None if metric.bounds[1] == float("inf") else metric.bounds)
            for metric, ratio in zip(METRICS, self._ratios, strict=True)
        }
        found[SLOPE] = self._slopes.estimate()
        return found


def measure(plays: Iterable[Play]) -> dict[str, Estimate]:
    """Every metric of ours over these plays, by key; see `Sums.estimates`."""
    sums = Sums()
    for play in plays:
        sums.add(play)
    return sums.estimates()


def tally_of(play: Play) -> tuple[tuple[float, float], ...]:
    """The two counts of each metric, in the order of `METRICS`."""
    return tuple(metric.count(play) for metric in METRICS)


def _slope(updates: Sequence[Update]) -> float | None:
    right = [float(update.right_after) for update in updates if update.right_after is not None]
    n = len(right)
    if n < 2:
        return None
    middle = (n - 1) / 2
    average = fmean(right)
    above = sum((place - middle) * (value - average) for place, value in enumerate(right))
    return above / sum((place - middle) ** 2 for place in range(n))


def published_of(plays: Sequence[Play]) -> PublishedMetrics | None:
    """What the public evaluator would print for one agent's plays of one game of plans; None without any.

    Rows of all matches with the same side and order one after another, one file for each side and order, unweighted
    means over the files. Its labels begin at 1 with the opening round; a plan without a price costs 0 there.
    """
    files: dict[tuple[Seat, bool], list[Play]] = {}
    for play in plays:
        if play.answers:
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
