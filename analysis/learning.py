"""Whether agents get better from round to round."""

from __future__ import annotations

import math
from collections.abc import Iterable

from stratarena.analysis.estimate import CONFIDENCE, Estimate, no_data, t_quantile
from stratarena.analysis.league import lines
from stratarena.db.records import MatchRecord

__all__ = ["learning_by", "slope"]

_LEAST_ROUNDS = 3
_METHOD = "t-interval with HC1 errors, 95 %"


def learning_by(matches: Iterable[MatchRecord]) -> dict[tuple[str, str], Estimate]:
    """By agent and game, under game `""` over all: the slope of the points a match on the round, per round.

    n counts pairs of matches; no data with fewer than three rounds. Over all games the games' means are taken out first,
    so that a game that comes later in the schedule is no trend.
    """
    pairs: dict[tuple[str, str, str], tuple[int, list[float]]] = {}
    for line in lines(matches):
        key = (line.agent, line.match.game, line.match.pair)
        pairs.setdefault(key, (line.match.round, []))[1].append(line.score)
    by_game: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for (agent, game, _), (number, scores) in pairs.items():
        by_game.setdefault((agent, game), []).append((float(number), math.fsum(scores) / len(scores)))
    whole: dict[str, list[tuple[float, float]]] = {}
    for (agent, _), points in by_game.items():
        middle = math.fsum(y for _, y in points) / len(points)
        whole.setdefault(agent, []).extend((x, y - middle) for x, y in points)
    found = {(agent, ""): slope(points) for agent, points in whole.items()}
    return found | {key: slope(points) for key, points in by_game.items()}


def slope(points: list[tuple[float, float]]) -> Estimate:
    """Of y on x by least squares; no data with fewer than three different x or as few points."""
    n = len(points)
    if n <= _LEAST_ROUNDS or len({x for x, _ in points}) < _LEAST_ROUNDS:
        return no_data(_METHOD)
    middle_x, middle_y = (math.fsum(values) / n for values in zip(*points, strict=True))
    square = math.fsum((x - middle_x) ** 2 for x, _ in points)
    value = math.fsum((x - middle_x) * (y - middle_y) for x, y in points) / square
    scatter = math.fsum(((x - middle_x) * (y - middle_y - value * (x - middle_x))) ** 2 for x, y in points)
    error = math.sqrt(n / (n - 2) * scatter) / square
    if error == 0:
        return Estimate(value, n, None, None, "no interval: no scatter")
    half = t_quantile((1 + CONFIDENCE) / 2, n - 2) * error
    return Estimate(value, n, value - half, value + half, _METHOD)
