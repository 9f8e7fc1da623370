"""One joint rating of everybody over all matches, draws and the first seat's advantage included.

The model is Davidson's extension of Bradley and Terry's (Davidson 1970), with a seat advantage: of two agents with
strengths a (in seat FIRST, advantage included) and b, FIRST wins with weight a, SECOND with b, and they draw with weight
nu * sqrt(a * b). A weak normal prior on log-strengths (standard deviation 600 Elo) keeps the unbeaten and the winless
finite. Intervals are the normal approximation at the posterior's peak.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from stratarena.analysis.estimate import Estimate
from stratarena.analysis.league import score_of_first
from stratarena.db.records import MatchRecord

__all__ = ["ELO_PER_NAT", "Ratings", "rate", "shared_ranks"]

ELO_PER_NAT = 400 / log(10)
_PRIOR_SD = 600 / ELO_PER_NAT
_SHAPE_PRIOR_SD = 2.0
_Z = 1.959963984540054
_MOST_STEPS = 100
_DONE = 1e-9

Key = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Ratings:
    """A fitted league."""

    elo: Mapping[str, Estimate]
    """By agent, in Elo above the anchor; `n` counts its matches."""
    anchor: str | None
    """The agent at 0 Elo; None where the mean of all is 0."""
    seat_advantage: Estimate
    """Of seat FIRST, in Elo."""


def rate(matches: Sequence[MatchRecord], *, anchor: str | None = None) -> Ratings:
    """Ratings of every agent in these matches, which must all count (see `league.counted`).

    The anchor's rating is 0 by definition and carries no interval; without one the mean of all agents is 0.
    """
    names = sorted({name for match in matches for name in (match.first, match.second)})
    method = "Bradley-Terry-Davidson, normal 95 % interval"
    counts = Counter((match.first, match.second, score_of_first(match)) for match in matches)
    if not names:
        return Ratings({}, None, Estimate(None, 0, None, None, method))
    place = {name: index for index, name in enumerate(names)}
    peak, covariance = _fit(counts, place)
    n = len(names)
    played = Counter(name for match in matches for name in (match.first, match.second))
    reference = [0.0] * (n + 2)
    if anchor in place:
        reference[place[anchor]] = 1.0
    else:
        anchor = None
        reference[:n] = [1 / n] * n
    elo = {}
    for name, index in place.items():
        contrast = [-part for part in reference]
        contrast[index] += 1.0
        value, error = _along(contrast, peak, covariance)
        fixed = name == anchor
        elo[name] = Estimate(
            value,
            played[name],
            None if fixed else value - _Z * error,
            None if fixed else value + _Z * error,
            "anchor, 0 by definition" if fixed else method,
        )
    seat = [0.0] * (n + 2)
    seat[n] = 1.0
    value, error = _along(seat, peak, covariance)
    advantage = Estimate(value, len(matches), value - _Z * error, value + _Z * error, method)
    return Ratings(elo, anchor, advantage)


def shared_ranks(estimates: Mapping[str, Estimate]) -> dict[str, int]:
    """Ranks from 1: an agent stands behind those only whose whole interval is above its own."""

    def low(estimate: Estimate) -> float:
        return estimate.value or 0.0 if estimate.low is None else estimate.low

    def high(estimate: Estimate) -> float:
        return estimate.value or 0.0 if estimate.high is None else estimate.high

    return {
        name: 1 + sum(low(other) > high(estimate) for other in estimates.values())
        for name, estimate in estimates.items()
    }


def _fit(counts: Mapping[Key, int], place: Mapping[str, int]) -> tuple[list[float], list[list[float]]]:
    """The posterior's peak and the inverse of its curvature there.

    The parameters are the log-strengths, then the seat advantage, then the log of nu.
    """
    n = len(place)
    size = n + 2
    precision = [1 / _PRIOR_SD**2] * n + [1 / _SHAPE_PRIOR_SD**2] * 2
    point = [0.0] * size
    rows = [(place[first], place[second], score, count) for (first, second, score), count in sorted(counts.items())]
    value = _objective(point, rows, precision)
    curvature: list[list[float]] = []
    for _ in range(_MOST_STEPS):
        gradient, curvature = _slopes(point, rows, precision)
        step = _solve(curvature, gradient)
        scale = 1.0
        while scale > 1e-6:
            candidate = [x + scale * s for x, s in zip(point, step, strict=True)]
            reached = _objective(candidate, rows, precision)
            if reached >= value:
                break
            scale /= 2
        moved = max(abs(scale * s) for s in step)
        point, value = candidate, reached
        if moved < _DONE:
            break
    inverse = [_solve(curvature, [float(i == j) for j in range(size)]) for i in range(size)]
    return point, inverse


def _weights(point: Sequence[float], first: int, second: int) -> tuple[float, float, float]:
    """Chances of a win, a draw and a loss of the agent in seat FIRST."""
    n = len(point) - 2
    lead = point[first] + point[n] - point[second]
    win, loss, draw = exp(lead / 2), exp(-lead / 2), exp(point[n + 1])
    total = win + loss + draw
    return win / total, draw / total, loss / total


def _objective(
    point: Sequence[float], rows: Iterable[tuple[int, int, float, int]], precision: Sequence[float]
) -> float:
    """The log-posterior but for a constant."""
    value = -0.5 * sum(p * x * x for p, x in zip(precision, point, strict=True))
    for first, second, score, count in rows:
        win, draw, loss = _weights(point, first, second)
        value += count * log(win if score == 1 else loss if score == 0 else draw)
    return value


def _slopes(
    point: Sequence[float], rows: Iterable[tuple[int, int, float, int]], precision: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    """The gradient of the log-posterior, and the negative of its second derivatives (always positive definite)."""
    size, n = len(point), len(point) - 2
    gradient = [-p * x for p, x in zip(precision, point, strict=True)]
    curvature = [[precision[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
    for first, second, score, count in rows:
        win, draw, loss = _weights(point, first, second)
        # In the two directions that a match depends on: its lead (+1/2 for a win, -1/2 for a loss) and its log nu.
        slope_lead = (0.5 if score == 1 else -0.5 if score == 0 else 0.0) - 0.5 * (win - loss)
        slope_draw = (1.0 if score == 0.5 else 0.0) - draw
        var_lead = 0.25 * (win + loss - (win - loss) ** 2)
        var_draw = draw * (1 - draw)
        cov = -0.5 * (win - loss) * draw
        lead = ((first, 1.0), (second, -1.0), (n, 1.0))
        for i, a in lead:
            gradient[i] += count * slope_lead * a
            for j, b in lead:
                curvature[i][j] += count * var_lead * a * b
            curvature[i][n + 1] += count * cov * a
            curvature[n + 1][i] += count * cov * a
        gradient[n + 1] += count * slope_draw
        curvature[n + 1][n + 1] += count * var_draw
    return gradient, curvature


def _along(
    contrast: Sequence[float], peak: Sequence[float], covariance: Sequence[Sequence[float]]
) -> tuple[float, float]:
    """Value and standard error of a linear combination of the parameters, in Elo."""
    value = sum(c * x for c, x in zip(contrast, peak, strict=True))
    variance = sum(
        ci * cj * covariance[i][j] for i, ci in enumerate(contrast) if ci for j, cj in enumerate(contrast) if cj
    )
    return value * ELO_PER_NAT, sqrt(max(variance, 0.0)) * ELO_PER_NAT


def _solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """The solution of a positive definite system, by Gaussian elimination."""
    size = len(right)
    rows = [[*matrix[i], right[i]] for i in range(size)]
    for i in range(size):
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            if factor:
                for k in range(i, size + 1):
                    rows[j][k] -= factor * rows[i][k]
    solution = [0.0] * size
    for i in reversed(range(size)):
        solution[i] = (rows[i][size] - sum(rows[i][k] * solution[k] for k in range(i + 1, size))) / rows[i][i]
    return solution
