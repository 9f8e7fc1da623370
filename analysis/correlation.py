"""How two metrics go together over agents: correlations with their doubt, n always with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from random import Random
from statistics import NormalDist

__all__ = ["Correlation", "correlation", "fisher_interval", "pearson", "pearson_p", "permutation_p", "ranks"]

_EXACT_UP_TO = 8
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r and Spearman's rho of paired values."""

    n: int
    """Pairs in which both values are there."""
    r: float | None
    """None with fewer than 3 pairs, or where one side does not vary."""
    p: float | None
    """Two-sided, by Student's t with n - 2 degrees of freedom."""
    low: float | None
    """Lower end of Fisher's 95 % interval for r; None with fewer than 4 pairs."""
    high: float | None
    rho: float | None
    """Spearman's: Pearson's of the ranks, ties sharing theirs."""
    permutation_p: float | None
    """Two-sided for r: the share of orders that correlate at least as strongly; exact up to 8 pairs."""


def correlation(
    first: Sequence[float | None], second: Sequence[float | None], *, seed: int = 0, resamples: int = 10_000
) -> Correlation:
    """The correlation over those pairs of which both values are there."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    xs, ys = [a for a, _ in pairs], [b for _, b in pairs]
    n = len(pairs)
    r = pearson(xs, ys) if n >= 3 else None
    if r is None:
        return Correlation(n, None, None, None, None, None, None)
    low, high = fisher_interval(r, n)
    return Correlation(
        n=n,
        r=r,
        p=pearson_p(r, n),
        low=low,
        high=high,
        rho=pearson(ranks(xs), ranks(ys)),
        permutation_p=permutation_p(xs, ys, seed=seed, resamples=resamples),
    )


def pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's r; None where one side does not vary."""
    n = len(xs)
    if n < 2:
        return None
    mean_x, mean_y = math.fsum(xs) / n, math.fsum(ys) / n
    square_x = math.fsum((x - mean_x) ** 2 for x in xs)
    square_y = math.fsum((y - mean_y) ** 2 for y in ys)
    if not square_x or not square_y or len(set(xs)) == 1 or len(set(ys)) == 1:
        return None
    shared = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return max(-1.0, min(1.0, shared / math.sqrt(square_x * square_y)))


def pearson_p(r: float, n: int) -> float:
    """Two-sided p of `t = r sqrt((n - 2) / (1 - r²))` under Student's t with `n - 2` degrees of freedom; n at least 3."""
    degrees = n - 2
    # P(|T| > t) is the regularised incomplete beta function at 1 - r², which needs no t.
    return _incomplete_beta(degrees / 2, 0.5, 1 - r * r)


def fisher_interval(r: float, n: int) -> tuple[float | None, float | None]:
    """Fisher's 95 % interval by the z transformation; none with fewer than 4 pairs, a point for |r| = 1."""
    if n < 4:
        return None, None
    if abs(r) >= 1:
        return r, r
    half = _Z / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            found[index] = (start + end) / 2 + 1
        start = end + 1
    return found


def permutation_p(xs: Sequence[float], ys: Sequence[float], *, seed: int = 0, resamples: int = 10_000) -> float | None:
    """The two-sided share of orders of `ys` with a correlation at least as strong; None where one side does not vary.

    All orders up to 8 pairs; beyond, random ones, the order at hand counted in (Phipson and Smyth 2010).
    """
    observed = pearson(xs, ys)
    if observed is None:
        return None
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    left, right = [x - mean_x for x in xs], [y - mean_y for y in ys]
    target = abs(math.fsum(x * y for x, y in zip(left, right, strict=True)))
    # Rounding must not make the order at hand weaker than itself.
    target -= 1e-12 * max(1.0, target)
    if len(xs) <= _EXACT_UP_TO:
        strong = [abs(sum(x * y for x, y in zip(left, order, strict=True))) >= target for order in permutations(right)]
        return sum(strong) / len(strong)
    rng = Random(seed)
    hits = 1
    for _ in range(resamples):
        rng.shuffle(right)
        hits += abs(sum(x * y for x, y in zip(left, right, strict=True))) >= target
    return hits / (resamples + 1)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function by Lentz's continued fraction (NIST DLMF 8.17.22)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)))
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    tiny = 1e-300
    value, upper, lower = 1.0, 1.0, 0.0
    for step in range(1000):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        lower = 1 / ((1 + term * lower) or tiny)
        upper = (1 + term / upper) or tiny
        value *= upper * lower
        if abs(1 - upper * lower) < 1e-15:
            break
    return front * (value - 1) / a
