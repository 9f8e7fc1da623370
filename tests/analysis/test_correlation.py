"""Correlations with their doubt, against SciPy and the figures of the paper."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stratarena.analysis.correlation import correlation, fisher_interval, pearson, pearson_p, permutation_p, ranks

numbers = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=4, max_size=30)


def test_the_papers_correlations_have_these_p_values_at_n_12():
    """r = -0.51 gives 0.0903; the printed 0.093 needs an r between -0.5070 and -0.5057."""
    assert round(pearson_p(-0.51, 12), 4) == 0.0903
    assert round(pearson_p(-0.468, 12), 4) == 0.1249
    assert pearson_p(-0.5070, 12) == pytest.approx(0.0925, abs=5e-5)
    assert pearson_p(-0.5057, 12) == pytest.approx(0.0935, abs=5e-5)
    low, high = fisher_interval(-0.506, 12)
    assert (round(low, 2), round(high, 2)) == (-0.84, 0.10)


@given(numbers)
def test_r_p_and_rho_agree_with_scipy(pairs):
    """On any pairs that vary on both sides."""
    stats = pytest.importorskip("scipy.stats", reason="SciPy is not installed (it comes with the extra open-spiel)")
    xs, ys = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    assume(len(set(xs)) > 1 and len(set(ys)) > 1)
    found = correlation(xs, ys, resamples=10)
    assume(abs(found.r) < 1 - 1e-9)
    theirs = stats.pearsonr(xs, ys)
    assert found.r == pytest.approx(theirs.statistic, abs=1e-9)
    assert found.p == pytest.approx(theirs.pvalue, abs=1e-8)
    assert found.rho == pytest.approx(stats.spearmanr(xs, ys).statistic, abs=1e-9)
    interval = theirs.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_a_permutation_test_of_few_pairs_counts_every_order():
    """Of the 24 orders of four rising values two correlate perfectly: up and down."""
    assert permutation_p([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(2 / 24)


def test_a_permutation_test_of_many_pairs_is_near_the_exact_p_and_repeats():
    """Twelve pairs, ten thousand orders: within five standard errors of Student's p, and the same again."""
    xs = [0.1, 0.9, 0.3, 0.7, 0.2, 0.8, 0.5, 0.4, 0.6, 0.15, 0.85, 0.45]
    ys = [0.8, 0.2, 0.9, 0.4, 0.5, 0.6, 0.1, 0.7, 0.3, 0.95, 0.35, 0.55]
    found = permutation_p(xs, ys)
    assert found == permutation_p(xs, ys)
    p = pearson_p(pearson(xs, ys), 12)
    assert abs(found - p) < max(0.01, 5 * (p * (1 - p) / 10_000) ** 0.5)


def test_missing_values_are_left_out_and_too_few_give_no_correlation():
    """n counts whole pairs only; what cannot be said is None."""
    found = correlation([1, None, 2, 3, 5], [2, 1, None, 1, 4])
    assert found.n == 3
    assert found.r is not None
    assert found.low is None
    assert correlation([1, None], [1, 2]).r is None
    assert correlation([], []).n == 0
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]).r is None


def test_equal_values_share_their_ranks():
    """The mean of the places they take."""
    assert ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]
