"""Drawing with replacement by how often each kind of thing comes up: the work is by kinds, however many things there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

__all__ = ["binomial", "resampled_counts"]

_BY_WAITING = 10.0
"""Below this mean, successes are counted by the gaps between them; else drawn by rejection."""


def resampled_counts(rng: Random, counts: Sequence[int]) -> list[int]:
    """How often each kind comes up when as many are drawn, with replacement, as there are.

    Multinomial, one binomial after the other: of what is left to draw, by the kind's share of what is left.
    """
    to_draw = left = sum(counts)
    drawn = []
    for count in counts:
        n = to_draw if count == left else binomial(rng, to_draw, count / left)
        drawn.append(n)
        to_draw -= n
        left -= count
    return drawn


def binomial(rng: Random, n: int, p: float) -> int:
    """Successes of `n` tries with chance `p`, 0 to 1; exact.

    By the gaps between successes (Devroye 1986, X.4) where few are expected, else by transformed rejection with squeeze
    (BTRS, Hörmann 1993), whose time does not grow with `n`.
    """
    if n == 0 or p <= 0:
        return 0
    if p > 0.5:
        return n - binomial(rng, n, 1 - p)
    if n * p < _BY_WAITING:
        found, place, scale = 0, 0, math.log1p(-p)
        while True:
            place += math.floor(math.log(1 - rng.random()) / scale) + 1
            if place > n:
                return found
            found += 1
    spread = math.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre = n * p + 0.5
    squeeze = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    log_odds = math.log(p / (1 - p))
    mode = math.floor((n + 1) * p)
    height = math.lgamma(mode + 1) + math.lgamma(n - mode + 1)
    while True:
        u = rng.random() - 0.5
        reach = 0.5 - abs(u)
        if reach <= 0:
            continue
        k = math.floor((2 * a / reach + b) * u + centre)
        if not 0 <= k <= n:
            continue
        v = 1 - rng.random()
        if reach >= 0.07 and v <= squeeze:
            return k
        v *= alpha / (a / (reach * reach) + b)
        if math.log(v) <= height - math.lgamma(k + 1) - math.lgamma(n - k + 1) + (k - mode) * log_odds:
            return k
