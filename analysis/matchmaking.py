"""Who should meet next, so that the ratings become certain soonest.

A pair of matches between i and j in a game tells w = Var(points) about θ_i - θ_j (the Fisher information of the model of
`analysis.ratings`, summed over both seatings). With the posterior's covariance C it lowers the entropy of the ratings by
½ log(1 + w · Var(θ_i - θ_j)): the expected gain of Bayesian D-optimal design (Chaloner and Verdinelli 1995). Pairs are taken
one after another, the covariance brought up to date after each, so that the pairs of one round do not tell the same.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

from stratarena.analysis.ratings import Bout, Prediction, predict
from stratarena.arena.growth import Round
from stratarena.arena.specs import Ending
from stratarena.games.base import Seat

__all__ = ["informative_pairs"]


def informative_pairs(before: Round) -> dict[str, tuple[tuple[str, str], ...]]:
    """The pairs of the next round by game: as many in each as a Swiss round has, nobody twice against the same.

    The ratings are joint over all games, as in the report. An agent may meet several others in one round, or nobody.
    Deterministic; among equals the order of the file decides.
    """
    bouts: Counter[Bout] = Counter()
    for match in before.entered:
        verdict = match.verdict
        if verdict is not None and verdict.ending is not Ending.VOID:
            points = 0.5 if verdict.winner is None else float(verdict.winner is Seat.FIRST)
            bouts[match.game, match.first, match.second, points] += 1
    agents = list(dict.fromkeys(name for names in before.entrants.values() for name in names))
    prediction = predict(bouts, agents)
    covariance = {(one, two): prediction.covariance(one, two) for one in agents for two in agents}
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for game, entrants in before.entrants.items():
        free = {(one, two): _information(prediction, game, one, two) for one, two in combinations(entrants, 2)}
        taken: list[tuple[str, str]] = []
        for _ in range(min(len(entrants) // 2, len(free))):
            pair = max(free, key=lambda pair: _gain(covariance, pair, free[pair]))
            taken.append(pair)
            _learn(covariance, agents, pair, free.pop(pair))
        found[game] = tuple(taken)
    return found


def _information(prediction: Prediction, game: str, one: str, two: str) -> float:
    """Of both matches of a pair about the difference of the two strengths."""
    return sum(
        share * (points - expected) ** 2
        for first, second in ((one, two), (two, one))
        for shares in (prediction.shares(game, first, second),)
        for expected in (sum(share * points for points, share in shares.items()),)
        for points, share in shares.items()
    )


def _variance(covariance: dict[tuple[str, str], float], one: str, two: str) -> float:
    return covariance[one, one] + covariance[two, two] - 2 * covariance[one, two]


def _gain(covariance: dict[tuple[str, str], float], pair: tuple[str, str], information: float) -> float:
    """Rounded, so that a last bit does not decide between equals."""
    return round(0.5 * math.log1p(information * _variance(covariance, *pair)), 9)


def _learn(
    covariance: dict[tuple[str, str], float], agents: list[str], pair: tuple[str, str], information: float
) -> None:
    """The covariance after the pair was played, whatever came of it."""
    one, two = pair
    toward = {name: covariance[name, one] - covariance[name, two] for name in agents}
    scale = information / (1 + information * _variance(covariance, one, two))
    for a in agents:
        for b in agents:
            covariance[a, b] -= scale * toward[a] * toward[b]
