"""Intervals against values worked out by hand or printed in the literature."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.analysis.estimate import mean, no_data, percentiles, proportion, ratio_over_clusters, t_quantile


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (5, 10, 0.2366, 0.7634),
    ],
)
def test_wilson_intervals_equal_published_and_hand_made_values(successes, n, low, high):
    """81 of 263 is Newcombe's (1998) example; at the ends one bound is n / (n + z²)."""
    estimate = proportion(successes, n)
    assert estimate.value == pytest.approx(successes / n)
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_wilson_interval_holds_its_value_and_stays_within_bounds(case):
    """0 ≤ low ≤ value ≤ high ≤ 1, and the mirror image of the shares mirrors the interval."""
    successes, n = case
    estimate, mirror = proportion(successes, n), proportion(n - successes, n)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert mirror.low == pytest.approx(1 - estimate.high)


def test_nothing_counted_is_no_value_and_never_zero():
    """Every kind of estimate of nothing is None with n = 0."""
    for nothing in (
        proportion(0, 0),
        mean([]),
        ratio_over_clusters([]),
        ratio_over_clusters([(0.0, 0.0)]),
        no_data("x"),
    ):
        assert (nothing.value, nothing.n, nothing.low, nothing.high) == (None, 0, None, None)


def test_a_mean_of_one_value_has_no_interval():
    """One value says nothing about its spread."""
    assert (mean([3.0]).value, mean([3.0]).low, mean([3.0]).n) == (3.0, None, 1)


def test_the_interval_of_a_mean_is_the_normal_one():
    """Of 1, 2, 3 the standard deviation is 1: 2 ± 1.96 / √3."""
    estimate = mean([1.0, 2.0, 3.0])
    assert (estimate.value, estimate.low, estimate.high) == (
        2.0,
        pytest.approx(0.8684, abs=1e-4),
        pytest.approx(3.1316, abs=1e-4),
    )


@pytest.mark.parametrize(
    ("degrees", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042)]
)
def test_quantiles_of_student_t_are_those_of_the_tables(degrees, quantile):
    """At 97.5 %, within half a per cent."""
    assert t_quantile(0.975, degrees) == pytest.approx(quantile, rel=5e-3)


def test_percentiles_of_few_clusters_are_wider_than_the_plain_ones():
    """Over many clusters they approach the plain 2.5 and 97.5 per cent."""
    draws = [float(value) for value in range(1001)]
    few, many = percentiles(draws, clusters=5), percentiles(draws, clusters=10_000)
    assert few[0] < many[0] < many[1] < few[1]
    assert many == (pytest.approx(25, abs=0.1), pytest.approx(975, abs=0.1))


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), st.just(2.0)), min_size=1, max_size=12), st.randoms()
)
def test_the_order_of_clusters_changes_nothing(clusters, random):
    """Same clusters shuffled, same estimate to the last bit."""
    shuffled = list(clusters)
    random.shuffle(shuffled)
    assert ratio_over_clusters(shuffled, resamples=20) == ratio_over_clusters(clusters, resamples=20)


def test_clusters_that_all_agree_have_no_interval_from_resampling():
    """Every sample is alike."""
    sweep = ratio_over_clusters([(2.0, 2.0)] * 5)
    assert (sweep.value, sweep.n, sweep.low, sweep.high) == (1.0, 10, None, None)
