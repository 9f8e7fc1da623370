"""Ratios of sums over matches: the same numbers as from all matches at once, and intervals that hold."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.analysis.estimate import ratio_over_clusters, wilson
from stratarena.analysis.ratio import RESAMPLED, RatioSum


def gathered(clusters):
    ratio = RatioSum()
    for a, b in clusters:
        ratio.add(a, b)
    return ratio


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=80))
def test_the_value_is_the_ratio_of_the_sums(clusters):
    """Clusters without a count say nothing; without any there is no data."""
    clusters = [(min(a, b), b) for a, b in clusters]
    found = gathered(clusters).estimate(bounds=(0.0, 1.0))
    total = sum(b for _, b in clusters)
    if total == 0:
        assert (found.value, found.n) == (None, 0)
        return
    assert (found.value, found.n) == (pytest.approx(sum(a for a, _ in clusters) / total), total)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_few_clusters_of_what_is_no_share_are_resampled():
    """Exactly as by the function for lists."""
    clusters = [(number % 4 + 100, 4) for number in range(RESAMPLED)]
    assert gathered(clusters).estimate() == ratio_over_clusters(clusters)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=60), st.integers(0, 60))
def test_sums_that_are_joined_are_those_of_all_clusters(clusters, cut):
    """However they were parted; resampled ones, too."""
    whole, part = gathered(clusters[:cut]), gathered(clusters[cut:])
    whole.join(part)
    assert whole.estimate(bounds=(0.0, 1.0)) == gathered(clusters).estimate(bounds=(0.0, 1.0))
    assert whole.estimate() == gathered(clusters).estimate()


def test_five_swept_pairs_do_not_prove_certainty():
    """They count as five observations, and one as one; rounding in thirds is no variation."""
    swept = gathered([(2.0, 2.0)] * 5).estimate(bounds=(0.0, 1.0))
    assert (swept.value, swept.n, swept.high) == (1.0, 10, 1.0)
    assert swept.low == pytest.approx(5 / (5 + 1.96**2), abs=1e-3)
    single = gathered([(1, 3)]).estimate(bounds=(0.0, 1.0))
    assert (single.low, single.high) == wilson(1 / 3, 1)
    thirds = gathered([(1.1, 3.3), (0.7, 2.1), (0.1, 0.3)] * 20).estimate(bounds=(0.0, 1.0))
    assert (thirds.low, thirds.high) == pytest.approx(wilson(1 / 3, 60))


@pytest.mark.parametrize(
    ("share", "matches", "most"),
    [
        (0.02, 60, 0.985),
        (0.1, 60, 0.985),
        (0.3, 60, 0.985),
        (0.98, 60, 0.985),
        (0.02, 20, 0.995),
        (0.5, 6, 0.985),
        (0.1, 12, 0.985),
    ],
)
def test_intervals_of_shares_hold_the_truth_as_often_as_they_say(share, matches, most):
    """400 samples of matches whose turns go together: 92 % and more of the intervals hold it, few matches and rare bunches too."""
    rng = Random(5)
    held = 0
    for _ in range(400):
        ratio = RatioSum()
        for _ in range(matches):
            # A match's own chance varies about the share (beta distributed), so that its turns are not independent.
            chance = rng.betavariate(8 * share, 8 * (1 - share))
            n = rng.randrange(5, 30)
            ratio.add(sum(rng.random() < chance for _ in range(n)), n)
        found = ratio.estimate(bounds=(0.0, 1.0))
        held += found.low <= share <= found.high
    assert 0.92 <= held / 400 <= most


def test_intervals_of_means_hold_the_truth_as_often_as_they_say():
    """Skewed times with a match's own speed."""
    rng = Random(6)
    held = 0
    for _ in range(400):
        ratio = RatioSum()
        for _ in range(80):
            speed = rng.uniform(0.5, 1.5)
            n = rng.randrange(5, 30)
            ratio.add(sum(rng.expovariate(1 / speed) for _ in range(n)), n)
        found = ratio.estimate()
        held += found.low <= 1.0 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_clusters_that_agree_are_so_many_observations():
    """A hundred matches without a refusal: the interval is Wilson's over a hundred, not over their turns."""
    found = gathered([(20, 20)] * 100).estimate(bounds=(0.0, 1.0))
    assert (found.value, found.n, found.high) == (1.0, 2000, 1.0)
    assert found.low == pytest.approx(0.963, abs=0.001)
