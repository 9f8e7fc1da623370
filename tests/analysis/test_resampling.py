"""Resampling by counts: binomial and multinomial draws have the distribution that they should have."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.analysis.resampling import binomial, resampled_counts

DRAWS = 20_000


@pytest.mark.parametrize(
    ("n", "p"), [(1, 0.3), (12, 0.5), (40, 0.2), (40, 0.9), (400, 0.25), (5000, 0.004), (100_000, 0.37)]
)
def test_binomial_draws_pass_a_chi_square_test_against_the_probabilities(n, p):
    """Both ways of drawing, and p above one half; cells of at least 20 expected draws."""
    stats = pytest.importorskip("scipy.stats")
    rng = Random(7)
    found = Counter(binomial(rng, n, p) for _ in range(DRAWS))
    edges = sorted({int(stats.binom.ppf(q / 40, n, p)) for q in range(1, 40)})
    cells = [*zip([-1, *edges], [*edges, n], strict=True)]
    expected = [DRAWS * (stats.binom.cdf(high, n, p) - stats.binom.cdf(low, n, p)) for low, high in cells]
    seen = [sum(times for k, times in found.items() if low < k <= high) for low, high in cells]
    kept = [(one, other) for one, other in zip(seen, expected, strict=True) if other >= 20]
    chi = sum((one - other) ** 2 / other for one, other in kept)
    assert stats.chi2.sf(chi, max(len(kept) - 1, 1)) > 1e-4
    assert sum(found.values()) == DRAWS
    assert all(0 <= k <= n for k in found)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(0, 1000))
def test_as_many_are_drawn_as_there_are_and_none_of_an_empty_kind(counts, seed):
    """Whatever the counts."""
    drawn = resampled_counts(Random(seed), counts)
    assert sum(drawn) == sum(counts)
    assert all(n == 0 for n, count in zip(drawn, counts, strict=True) if count == 0)


def test_counts_vary_as_those_of_single_draws_do():
    """Mean, variance and covariance are those of the multinomial distribution."""
    rng, counts = Random(3), [30, 60, 10]
    n = sum(counts)
    draws = [resampled_counts(rng, counts) for _ in range(DRAWS)]
    means = [math.fsum(column) / DRAWS for column in zip(*draws, strict=True)]
    assert means == pytest.approx(counts, rel=0.01)
    for i, one in enumerate(counts):
        for j, other in enumerate(counts):
            together = math.fsum((draw[i] - means[i]) * (draw[j] - means[j]) for draw in draws) / DRAWS
            assert together == pytest.approx(one * (i == j) - one * other / n, abs=0.6)
