"""How far stated chances of winning are what they say: Brier's score with Murphy's parts, calibration error, reliability.

A turn's stated chance p is compared with the points y of its match: 1 won, 0.5 drawn, 0 lost. Brier (1950) is the mean of
(p - y)². Over the tenths of the scale, with n_k statements of mean p_k and mean result y_k, and y over all (Murphy 1973)::

    reliability = Σ n_k (p_k - y_k)² / n      how far off the statements are: 0 is perfect
    resolution  = Σ n_k (y_k - y)² / n        how far they tell won from lost: more is better
    uncertainty = Σ (result - y)² / n         what was there to be told
    ECE         = Σ n_k |p_k - y_k| / n       expected calibration error

Brier = reliability - resolution + uncertainty + what the statements within a tenth differ by, which is told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from stratarena.analysis.estimate import Estimate
from stratarena.analysis.ratio import RatioSum
from stratarena.db.records import ForecastRecord, MatchRecord

__all__ = ["Calibration", "Tenth", "calibration_by"]

_SHARE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Tenth:
    """The statements in one tenth of the scale."""

    n: int
    stated: float
    """Their mean."""
    result: Estimate
    """The mean of the points of their matches; interval over matches."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one agent in one game, or in all."""

    brier: Estimate
    """n counts statements; interval over matches."""
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    """What is left of Brier's score: statements that differ within a tenth."""
    calibration_error: float
    """ECE."""
    tenths: tuple[Tenth | None, ...]
    """From 0 to 0.1 up to 0.9 to 1; None where nothing was stated."""


def calibration_by(
    forecasts: Iterable[ForecastRecord], matches: Mapping[int, MatchRecord]
) -> dict[tuple[str, str], Calibration]:
    """By agent and game, under game `""` over all games; `forecasts` come match by match, of matches that are over."""
    grouped: dict[tuple[str, str], _Gathered] = {}
    for (match_id, seat), found in groupby(forecasts, key=itemgetter(0, 1)):
        match = matches[match_id]
        assert match.verdict is not None
        winner = match.verdict.winner
        result = 0.5 if winner is None else float(winner is seat)
        key = match.agent_at(seat), match.game
        if key not in grouped:
            grouped[key] = _Gathered()
        grouped[key].add(tuple(found), result)
    for (agent, _), gathered in tuple(grouped.items()):
        grouped.setdefault((agent, ""), _Gathered()).join(gathered)
    return {key: gathered.calibration() for key, gathered in grouped.items()}


class _Gathered:
    """Sums over one agent's statements."""

    def __init__(self) -> None:
        self.brier = RatioSum()
        self.results = [RatioSum() for _ in range(10)]
        self.stated = [0.0] * 10
        self.n, self.points, self.squares = 0, 0.0, 0.0

    def add(self, forecasts: tuple[ForecastRecord, ...], result: float) -> None:
        """The statements of one side of one match, which ended with this result for it."""
        n = sum(one.n for one in forecasts)
        stated = sum(one.stated for one in forecasts)
        squared = sum(one.squared for one in forecasts)
        self.brier.add(max(squared - 2 * result * stated + n * result * result, 0.0), n)
        self.n += n
        self.points += n * result
        self.squares += n * result * result
        for one in forecasts:
            self.results[one.tenth].add(one.n * result, one.n)
            self.stated[one.tenth] += one.stated

    def join(self, other: _Gathered) -> None:
        """All that another one has gathered besides."""
        self.n += other.n
        self.points += other.points
        self.squares += other.squares
        self.stated = [own + its for own, its in zip(self.stated, other.stated, strict=True)]
        for own, its in zip((self.brier, *self.results), (other.brier, *other.results), strict=True):
            own.join(its)

    def calibration(self) -> Calibration:
        """What the sums say."""
        base = self.points / self.n
        reliability = resolution = error = 0.0
        for stated, results in zip(self.stated, self.results, strict=True):
            if results.b:
                gap = (stated - results.a) / results.b
                reliability += results.b * gap * gap / self.n
                error += results.b * abs(gap) / self.n
                resolution += results.b * (results.a / results.b - base) ** 2 / self.n
        uncertainty = max(self.squares / self.n - base * base, 0.0)
        brier = self.brier.estimate(bounds=_SHARE)
        assert brier.value is not None
        return Calibration(
            brier=brier,
            reliability=reliability,
            resolution=resolution,
            uncertainty=uncertainty,
            within=brier.value - (reliability - resolution + uncertainty),
            calibration_error=error,
            tenths=tuple(
                Tenth(round(results.b), stated / results.b, results.estimate(bounds=_SHARE)) if results.b else None
                for stated, results in zip(self.stated, self.results, strict=True)
            ),
        )
