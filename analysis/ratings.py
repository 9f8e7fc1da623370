"""One joint rating of everybody over all matches: Bradley–Terry with Davidson's draws and a first-seat advantage.

For a match of game g between agents f (FIRST) and s (SECOND) with strengths θ, seat advantage γ_g and draw weight δ_g::

    P(f wins) ∝ exp(θ_f + γ_g)    P(s wins) ∝ exp(θ_s)    P(draw) ∝ exp(δ_g + (θ_f + γ_g + θ_s) / 2)

(Davidson 1970; Davidson and Beaver 1977). A game without a single draw has no δ_g. Every parameter has a normal
prior of mean 0 and standard deviation 800 Elo, weak enough to matter only where the games say nothing, and so an
unbeaten or winless agent has a finite rating. The log-likelihood is concave; Newton's method finds its one maximum.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

from stratarena.analysis.estimate import CONFIDENCE, Estimate
from stratarena.analysis.league import score_of_first
from stratarena.analysis.resampling import resampled_counts
from stratarena.db.records import MatchRecord

__all__ = ["ELO_PER_NAT", "PRIOR_SD_ELO", "Bout", "Bouts", "Prediction", "Ratings", "predict", "rate", "strengths"]

ELO_PER_NAT = 400 / math.log(10)
"""Elo points for one unit of θ."""
PRIOR_SD_ELO = 800.0

_FEW_PAIRS = 10
"""With fewer an agent's bootstrap is not trusted alone."""
_SETTLED = 2e-4
"""A step of the bootstrap's fits that no longer matters: 0.03 Elo points."""
_STEEPEST = 300.0
"""A gap of strengths beyond which nothing is left to tell, and short of what overflows."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_METHOD = "normal, 95 %, by the spread over a bootstrap of pairs"
Bout = tuple[str, str, str, float]
"""Game, first, second, and the points of first."""
Bouts = Mapping[Bout, int]
"""How often each happened."""
_RESULTS = {1.0: 0, 0.0: 1, 0.5: 2}
_Counts = tuple[int, int, int, int | None, int, int, int]
"""Places of first, second, seat and draw among the parameters; wins of first, losses, draws."""
_Unit = tuple[tuple[Bout, int], ...]
"""The results of the matches of one pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Ratings on the Elo scale."""

    anchor: str | None
    """The agent that all are measured from; None: the mean of all is 0."""
    anchor_elo: float
    """The anchor's stated rating."""
    elo: Mapping[str, Estimate]
    """By agent; n counts its matches. The anchor's has no interval."""
    ranks: Mapping[str, int]
    """1 plus the number of agents that are clearly stronger: the whole interval of the difference lies above 0."""
    superiority: Mapping[tuple[str, str], float]
    """Of each ordered pair of agents: how likely it is that the first is the stronger, by the normal approximation."""
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


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the ratings after some matches expect of the next."""

    _fit: _Fit

    def strength(self, agent: str) -> float:
        """In natural units, not anchored."""
        return self._fit.values[self._fit.index[agent]]

    def covariance(self, one: str, two: str) -> float:
        """Of two agents' strengths, in squared natural units."""
        return self._fit.covariance[self._fit.index[one]][self._fit.index[two]]

    def shares(self, game: str, first: str, second: str) -> Mapping[float, float]:
        """The probability of each number of points for the agent in seat FIRST."""
        index = {**self._fit.index}
        values = self._fit.values
        if _seat(game) not in index:
            index[_seat(game)] = len(values)
            values = (*values, 0.0)
        (row,) = _rows({(game, first, second, 1.0): 1}, index, seats=True)
        shares, _ = _shares(row, values)
        return dict(zip((1.0, 0.0, 0.5), shares, strict=False))


def predict(bouts: Bouts, agents: Sequence[str]) -> Prediction:
    """By the fit of `rate` to these results; of an agent without any only the prior is known."""
    return Prediction(_solve(bouts, agents, seats=True, prior_sd=PRIOR_SD_ELO / ELO_PER_NAT))


def rate(
    matches: Sequence[MatchRecord],
    *,
    anchor: str | None = None,
    anchor_elo: float = 0.0,
    seed: int = 0,
    resamples: int = 200,
) -> Ratings:
    """Ratings of every agent in these matches, which must all count (see `league.counted`).

    The two matches of a pair share opening and players, so a pair is resampled as a whole. The anchor's rating is the
    stated one; one that never played is no anchor. Same matches in any order, same ratings.
    """
    pairs: dict[str, list[MatchRecord]] = {}
    for match in matches:
        pairs.setdefault(match.pair, []).append(match)
    # Pairs that went alike are one kind of unit: what is drawn and fitted is how often each kind came up.
    units = Counter(tuple(sorted(_bouts(pair).items())) for pair in pairs.values())
    kinds = sorted(units)
    bouts = _pooled(units)
    agents = _agents(bouts)
    anchor = anchor if anchor in agents else None
    if not agents:
        return Ratings(anchor=None, anchor_elo=0.0, elo={}, ranks={}, superiority={}, seat_advantage={}, connected=True)
    best = _solve(bouts, agents, seats=True, prior_sd=PRIOR_SD_ELO / ELO_PER_NAT)
    draws = tuple(_resampled(units, kinds, agents, best, seed=seed, resamples=resamples)) if len(pairs) > 1 else ()
    played = Counter(name for match in matches for name in (match.first, match.second))
    games = Counter(match.game for match in matches)
    origin = {anchor: 1.0} if anchor is not None else dict.fromkeys(agents, 1 / len(agents))

    n_pairs = Counter(name for pair in pairs.values() for name in {pair[0].first, pair[0].second})
    unvaried = _one_sided(bouts, agents) | {agent for agent in agents if n_pairs[agent] < _FEW_PAIRS}

    def interval(weights: Mapping[str, float], n: int) -> Estimate:
        value, half = _sum(weights, best), _Z * _standard_error(weights, best, draws, unvaried)
        return Estimate(ELO_PER_NAT * value, n, ELO_PER_NAT * (value - half), ELO_PER_NAT * (value + half), _METHOD)

    gaps = {
        (one, other): (
            interval(weights, 0),
            _superiority(weights, _standard_error(weights, best, draws, unvaried), best),
        )
        for one in agents
        for other in agents
        if one < other
        for weights in ({one: 1.0, other: -1.0},)
    }

    def better(one: str, other: str) -> bool:
        if one == other:
            return False
        gap = gaps[min(one, other), max(one, other)][0]
        assert gap.low is not None
        assert gap.high is not None
        return gap.low > 0 if one < other else gap.high < 0

    elo = {agent: interval(_less(agent, origin), played[agent]) for agent in agents}
    if anchor is not None:
        elo = {agent: _raised(estimate, anchor_elo) for agent, estimate in elo.items()}
        elo[anchor] = Estimate(anchor_elo, played[anchor], None, None, f"anchor, {anchor_elo:g} as stated")
    return Ratings(
        anchor=anchor,
        anchor_elo=anchor_elo if anchor is not None else 0.0,
        elo=elo,
        superiority={
            pair: likely
            for (one, other), (_, above) in gaps.items()
            for pair, likely in (((one, other), above), ((other, one), 1 - above))
        },
        ranks={agent: 1 + sum(better(other, agent) for other in agents) for agent in agents},
        seat_advantage={game: interval({_seat(game): 1.0}, games[game]) for game in sorted(games)},
        connected=_is_connected(agents, bouts),
    )


def _resampled(
    units: Mapping[_Unit, int],
    kinds: Sequence[_Unit],
    agents: Sequence[str],
    best: _Fit,
    *,
    seed: int,
    resamples: int,
) -> Iterator[_Fit]:
    """Fits to pairs drawn with replacement."""
    rng = Random(seed)
    counts = [units[kind] for kind in kinds]
    meetings = sorted({bout[:3] for kind in kinds for bout, _ in kind})
    place_of = {meeting: place for place, meeting in enumerate(meetings)}
    # What a pair of each kind adds: the meeting's place, which of its three results, and how often.
    adds = [[(place_of[bout[:3]], _RESULTS[bout[3]], n) for bout, n in kind] for kind in kinds]
    for _ in range(resamples):
        drawn = resampled_counts(rng, counts)
        results = [[0, 0, 0] for _ in meetings]
        for n, added in zip(drawn, adds, strict=True):
            if n:
                for place, result, times in added:
                    results[place][result] += n * times
        yield _nudged(meetings, results, best) or _solve(
            _pooled({kind: n for kind, n in zip(kinds, drawn, strict=True) if n}),
            agents,
            seats=True,
            prior_sd=PRIOR_SD_ELO / ELO_PER_NAT,
            start=best,
        )


def _nudged(meetings: Sequence[tuple[str, str, str]], results: Sequence[Sequence[int]], best: _Fit) -> _Fit | None:
    """The fit to these results from that to similar ones, whose curvature is kept; None where that does not settle.

    `meetings` are game, first and second; `results` how often first won, second won and neither.
    """
    index = best.index
    rows: list[_Counts] = [
        (index[first], index[second], index[_seat(game)], index.get(_draw(game)), counts[0], counts[1], counts[2])
        for (game, first, second), counts in zip(meetings, results, strict=True)
        if any(counts)
    ]
    precision = (ELO_PER_NAT / PRIOR_SD_ELO) ** 2
    values, last = list(best.values), math.inf
    for _ in range(25):
        gradient = _gradient(rows, values, precision)
        step = [math.fsum(map(operator.mul, row, gradient)) for row in best.covariance]
        values = [value + move for value, move in zip(values, step, strict=True)]
        size = max(map(abs, step))
        if size < _SETTLED:
            return _Fit(best.index, tuple(values), ())
        if size > 0.9 * last:
            return None
        last = size
    return None


def _pooled(units: Mapping[_Unit, int]) -> Counter[Bout]:
    """The results of all pairs together."""
    bouts: Counter[Bout] = Counter()
    for unit, times in units.items():
        for bout, n in unit:
            bouts[bout] += n * times
    return bouts


def _raised(estimate: Estimate, by: float) -> Estimate:
    """The estimate on a scale whose origin lies lower by this much."""
    value, low, high = (None if one is None else one + by for one in (estimate.value, estimate.low, estimate.high))
    return Estimate(value, estimate.n, low, high, estimate.method)


def _superiority(weights: Mapping[str, float], error: float, best: _Fit) -> float:
    """How likely it is that a weighted sum of parameters is above 0."""
    return NormalDist().cdf(_sum(weights, best) / error) if error > 0 else 0.5


def _standard_error(weights: Mapping[str, float], best: _Fit, draws: Sequence[_Fit], unvaried: Container[str]) -> float:
    """Of a weighted sum of parameters, in natural units: the spread over the bootstrap's fits.

    Resampling the matches of an agent that won or lost them all, or has only a few, varies too little, so that with such
    an agent the fit's own standard error counts where it is larger, as it does without a bootstrap.
    """
    by_fit = math.sqrt(max(_variance(weights, best), 0.0))
    if len(draws) < 2:
        return by_fit
    sums = [_sum(weights, draw) for draw in draws]
    middle = math.fsum(sums) / len(sums)
    spread = math.sqrt(math.fsum((one - middle) ** 2 for one in sums) / (len(sums) - 1))
    return max(spread, by_fit) if any(name in unvaried for name in weights) else spread


def _sum(weights: Mapping[str, float], fit: _Fit) -> float:
    return sum(weight * fit.values[fit.index[name]] for name, weight in weights.items())


def _variance(weights: Mapping[str, float], fit: _Fit) -> float:
    terms = [(fit.index[name], weight) for name, weight in weights.items()]
    return sum(one * two * fit.covariance[i][j] for i, one in terms for j, two in terms)


def _one_sided(bouts: Bouts, agents: Iterable[str]) -> frozenset[str]:
    """Agents that won all their matches, or lost them all."""
    scores: dict[str, set[float]] = {agent: set() for agent in agents}
    for (_, first, second, points), n in bouts.items():
        if n:
            scores[first].add(points)
            scores[second].add(1 - points)
    return frozenset(agent for agent, found in scores.items() if len(found) == 1 and found != {0.5})


def _less(agent: str, origin: Mapping[str, float]) -> dict[str, float]:
    """The weights of an agent's strength less the origin's."""
    weights = {name: -weight for name, weight in origin.items()}
    weights[agent] = weights.get(agent, 0.0) + 1
    return weights


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


def _gradient(rows: Iterable[_Counts], values: Sequence[float], precision: float) -> list[float]:
    """Of the penalised log-likelihood, as `_slopes` has it: written out, since the bootstrap lives here."""
    gradient = [-precision * value for value in values]
    for first, second, seat, draw, wins, losses, draws in rows:
        gap = min(values[first] + values[seat] - values[second], _STEEPEST)
        n = wins + losses + draws
        # Weights are told over that of a lost match.
        win = math.exp(gap)
        if draw is None:
            surplus = wins - n * win / (win + 1)
        else:
            half = math.exp(min(values[draw] + gap / 2, _STEEPEST))
            whole = win + 1 + half
            drawn = draws - n * half / whole
            gradient[draw] += drawn
            surplus = wins - n * win / whole + drawn / 2
        gradient[first] += surplus
        gradient[seat] += surplus
        gradient[second] -= surplus
    return gradient


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
