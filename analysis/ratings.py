"""One joint rating of everybody over all matches: Bradley–Terry with Davidson's draws and a first-seat advantage.

For a match of game g between agents f (FIRST) and s (SECOND) with strengths θ, seat advantage γ_g and draw weight δ_g::

    P(f wins) ∝ exp(θ_f + γ_g)    P(s wins) ∝ exp(θ_s)    P(draw) ∝ exp(δ_g + (θ_f + γ_g + θ_s) / 2)

(Davidson 1970; Davidson and Beaver 1977). A game without a single draw has no δ_g. Every parameter has a normal
prior of mean 0 and standard deviation 800 Elo, weak enough to matter only where the games say nothing, and so an
unbeaten or winless agent has a finite rating. The log-likelihood is concave; Newton's method finds its one maximum.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from stratarena.analysis.estimate import CONFIDENCE, Estimate, percentiles
from stratarena.analysis.league import score_of_first
from stratarena.db.records import MatchRecord

__all__ = ["ELO_PER_NAT", "PRIOR_SD_ELO", "Ratings", "rate", "strengths"]

ELO_PER_NAT = 400 / math.log(10)
"""Elo points for one unit of θ."""
PRIOR_SD_ELO = 800.0

_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_METHOD = "the wider of a bootstrap over pairs and the fit's normal approximation, 95 %"
Bout = tuple[str, str, str, float]
"""Game, first, second, and the points of first."""
Bouts = Mapping[Bout, int]
"""How often each happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Ratings on the Elo scale."""

    anchor: str | None
    """The agent whose rating is 0; None: the mean of all is 0."""
    elo: Mapping[str, Estimate]
    """By agent; n counts its matches. The anchor's has no interval."""
    ranks: Mapping[str, int]
    """1 plus the number of agents that are clearly stronger: the whole interval of the difference lies above 0."""
    seat_advantage: Mapping[str, Estimate]
    """By game: what sitting FIRST is worth, in Elo points; n counts matches."""
    connected: bool
    """Whether every agent can be compared with every other through a chain of matches; if not, only the prior holds
    the groups together."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """A maximum of the penalised likelihood, in units of θ."""

    index: Mapping[str, int]
    """Place of each parameter: agents by name, `("seat", game)`, `("draw", game)` as text."""
    values: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    """The inverse of the negative Hessian."""


def strengths(
    matches: Iterable[MatchRecord], *, seat_advantage: bool = True, prior_sd: float = PRIOR_SD_ELO / ELO_PER_NAT
) -> dict[str, float]:
    """The strength θ of every agent, in natural units (`ELO_PER_NAT` points each); not anchored."""
    bouts = _bouts(matches)
    agents = _agents(bouts)
    solution = _solve(bouts, agents, seats=seat_advantage, prior_sd=prior_sd)
    return {agent: solution.values[solution.index[agent]] for agent in agents}


def rate(matches: Sequence[MatchRecord], *, anchor: str | None = None, seed: int = 0, resamples: int = 200) -> Ratings:
    """Ratings of every agent in these matches, which must all count (see `league.counted`).

    The two matches of a pair share opening and players, so a pair is resampled as a whole. The anchor's rating is 0 by
    definition; one that never played is no anchor. Same matches in any order, same ratings.
    """
    pairs: dict[str, list[MatchRecord]] = {}
    for match in sorted(matches, key=lambda match: (match.pair, match.key)):
        pairs.setdefault(match.pair, []).append(match)
    units = [_bouts(unit) for unit in pairs.values()]
    bouts: Counter[Bout] = Counter()
    for unit in units:
        bouts.update(unit)
    agents = _agents(bouts)
    anchor = anchor if anchor in agents else None
    if not agents:
        return Ratings(anchor=None, elo={}, ranks={}, seat_advantage={}, connected=True)
    best = _solve(bouts, agents, seats=True, prior_sd=PRIOR_SD_ELO / ELO_PER_NAT)
    draws = tuple(_resampled(units, agents, best, seed=seed, resamples=resamples)) if len(units) > 1 else ()
    played = Counter(name for match in matches for name in (match.first, match.second))
    games = Counter(match.game for match in matches)
    origin = {anchor: 1.0} if anchor is not None else dict.fromkeys(agents, 1 / len(agents))

    def interval(weights: Mapping[str, float], n: int) -> Estimate:
        return _estimate(weights, best, draws, n=n, clusters=len(units))

    def better(one: str, other: str) -> bool:
        low = interval({one: 1.0, other: -1.0}, 0).low if one != other else None
        return low is not None and low > 0

    elo = {agent: interval(_less(agent, origin), played[agent]) for agent in agents}
    if anchor is not None:
        elo[anchor] = Estimate(0.0, played[anchor], None, None, "anchor, 0 by definition")
    return Ratings(
        anchor=anchor,
        elo=elo,
        ranks={agent: 1 + sum(better(other, agent) for other in agents) for agent in agents},
        seat_advantage={game: interval({_seat(game): 1.0}, games[game]) for game in sorted(games)},
        connected=_is_connected(agents, bouts),
    )


def _resampled(
    units: Sequence[Counter[Bout]], agents: Sequence[str], best: _Fit, *, seed: int, resamples: int
) -> Iterator[_Fit]:
    """Fits to pairs drawn with replacement."""
    rng = Random(seed)
    for _ in range(resamples):
        sample: Counter[Bout] = Counter()
        for unit in rng.choices(units, k=len(units)):
            sample.update(unit)
        yield _solve(sample, agents, seats=True, prior_sd=PRIOR_SD_ELO / ELO_PER_NAT, start=best)


def _less(agent: str, origin: Mapping[str, float]) -> dict[str, float]:
    """The weights of an agent's strength less the origin's."""
    weights = {name: -weight for name, weight in origin.items()}
    weights[agent] = weights.get(agent, 0.0) + 1
    return weights


def _estimate(weights: Mapping[str, float], best: _Fit, draws: Sequence[_Fit], *, n: int, clusters: int) -> Estimate:
    """A weighted sum of parameters in Elo points."""
    value = ELO_PER_NAT * sum(weight * best.values[best.index[name]] for name, weight in weights.items())
    terms = [(best.index[name], weight) for name, weight in weights.items()]
    variance = sum(one * two * best.covariance[i][j] for i, one in terms for j, two in terms)
    half = ELO_PER_NAT * _Z * math.sqrt(max(variance, 0.0))
    low, high = value - half, value + half
    if draws:
        spread = [
            ELO_PER_NAT * sum(weight * draw.values[draw.index[name]] for name, weight in weights.items())
            for draw in draws
        ]
        least, most = percentiles(spread, clusters=clusters)
        low, high = min(low, least), max(high, most)
    return Estimate(value, n, low, high, _METHOD)


def _seat(game: str) -> str:
    return f"\0seat {game}"


def _draw(game: str) -> str:
    return f"\0draw {game}"


def _bouts(matches: Iterable[MatchRecord]) -> Counter[Bout]:
    return Counter((match.game, match.first, match.second, score_of_first(match)) for match in matches)


def _agents(bouts: Bouts) -> tuple[str, ...]:
    return tuple(sorted({name for _, first, second, _ in bouts for name in (first, second)}))


def _is_connected(agents: Sequence[str], bouts: Bouts) -> bool:
    reached, frontier = {agents[0]}, [agents[0]]
    while frontier:
        one = frontier.pop()
        near = {other for _, a, b, _ in bouts if one in (a, b) for other in (a, b)} - reached
        reached |= near
        frontier.extend(near)
    return len(reached) == len(agents)


def _solve(bouts: Bouts, agents: Sequence[str], *, seats: bool, prior_sd: float, start: _Fit | None = None) -> _Fit:
    """The maximum, by Newton's method with halved steps; ends when no parameter moves by 1e-10."""
    games = sorted({game for game, *_ in bouts}) if start is None else []
    drawn = {game for game, _, _, points in bouts if points == 0.5}
    if start is None:
        names = [*agents, *(_seat(game) for game in games), *(_draw(game) for game in games if game in drawn)]
        index: Mapping[str, int] = {name: place for place, name in enumerate(names)}
        values = [0.0] * len(names)
    else:
        index, values = start.index, list(start.values)
    rows = _rows(bouts, index, seats=seats)
    precision = 1 / prior_sd**2
    height = _height(rows, values, precision)
    for _ in range(100):
        gradient, hessian = _slopes(rows, values, precision)
        step = _linear(hessian, [gradient])[0]
        size = 1.0
        while True:
            trial = [value + size * move for value, move in zip(values, step, strict=True)]
            reached = _height(rows, trial, precision)
            if reached >= height - 1e-12 or size < 1e-6:
                break
            size /= 2
        values, height = trial, reached
        if max(abs(size * move) for move in step) < (1e-10 if start is None else 1e-6):
            break
    if start is not None:
        return _Fit(index, tuple(values), ())
    _, hessian = _slopes(rows, values, precision)
    unit = [[float(i == j) for j in range(len(values))] for i in range(len(values))]
    return _Fit(index, tuple(values), tuple(map(tuple, _linear(hessian, unit))))


@dataclass(frozen=True, slots=True)
class _Row:
    """The bouts of one (game, first, second): utilities are sums of parameters; the chosen ones are counted."""

    options: tuple[tuple[tuple[int, float], ...], ...]
    counts: tuple[float, ...]


def _rows(bouts: Bouts, index: Mapping[str, int], *, seats: bool) -> tuple[_Row, ...]:
    grouped: dict[tuple[str, str, str], dict[float, float]] = {}
    for (game, first, second, points), n in sorted(bouts.items()):
        grouped.setdefault((game, first, second), {})[points] = n
    rows = []
    for (game, first, second), by_points in grouped.items():
        seat = ((index[_seat(game)], 1.0),) if seats else ()
        win = ((index[first], 1.0), *seat)
        loss = ((index[second], 1.0),)
        options, counts = [win, loss], [by_points.get(1.0, 0.0), by_points.get(0.0, 0.0)]
        if _draw(game) in index:
            half = tuple((place, weight / 2) for place, weight in (*win, *loss))
            options.append(((index[_draw(game)], 1.0), *half))
            counts.append(by_points.get(0.5, 0.0))
        rows.append(_Row(tuple(options), tuple(counts)))
    return tuple(rows)


def _shares(row: _Row, values: Sequence[float]) -> tuple[list[float], float]:
    """The probability of each option, and the log of their sum of weights."""
    utilities = [sum(values[place] * weight for place, weight in option) for option in row.options]
    top = max(utilities)
    weights = [math.exp(utility - top) for utility in utilities]
    total = sum(weights)
    return [weight / total for weight in weights], top + math.log(total)


def _height(rows: Sequence[_Row], values: Sequence[float], precision: float) -> float:
    """The penalised log-likelihood."""
    height = -precision / 2 * sum(value * value for value in values)
    for row in rows:
        _, log_total = _shares(row, values)
        for option, count in zip(row.options, row.counts, strict=True):
            if count:
                height += count * (sum(values[place] * weight for place, weight in option) - log_total)
    return height


def _slopes(rows: Sequence[_Row], values: Sequence[float], precision: float) -> tuple[list[float], list[list[float]]]:
    """The gradient, and the negative Hessian."""
    size = len(values)
    gradient = [-precision * value for value in values]
    hessian = [[precision if i == j else 0.0 for j in range(size)] for i in range(size)]
    for row in rows:
        shares, _ = _shares(row, values)
        n = sum(row.counts)
        expected: dict[int, float] = {}
        for option, share, count in zip(row.options, shares, row.counts, strict=True):
            for place, weight in option:
                gradient[place] += (count - n * share) * weight
                expected[place] = expected.get(place, 0.0) + share * weight
                for other, second in option:
                    hessian[place][other] += n * share * weight * second
        for place, weight in expected.items():
            for other, second in expected.items():
                hessian[place][other] -= n * weight * second
    return gradient, hessian


def _linear(matrix: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> list[list[float]]:
    """The solutions x of `matrix x = b` for each b of `right`; the matrix is symmetric and positive definite."""
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
    solutions = []
    for side in right:
        forward: list[float] = []
        for i in range(size):
            forward.append((side[i] - sum(lower[i][k] * forward[k] for k in range(i))) / lower[i][i])
        back = [0.0] * size
        for i in reversed(range(size)):
            back[i] = (forward[i] - sum(lower[k][i] * back[k] for k in range(i + 1, size))) / lower[i][i]
        solutions.append(back)
    return solutions
