"""Stated chances of winning against results: Brier's parts add up, and what is right by construction is found right."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_by_hand import match, won

from stratarena.analysis.calibration import calibration_by
from stratarena.analysis.learning import slope
from stratarena.db.records import ForecastRecord
from stratarena.games.base import Seat


def stated(found):
    """Calibration of an agent that made these statements, each in a match of its own, as (chance, won)."""
    matches, forecasts = {}, []
    for number, (chance, is_won) in enumerate(found, start=1):
        matches[number] = match(number, "seer", "other", won(Seat.FIRST if is_won else Seat.SECOND))
        forecasts.append(
            ForecastRecord(
                match_id=number, seat=Seat.FIRST, tenth=min(int(10 * chance), 9), n=1, stated=chance, squared=chance**2
            )
        )
    return calibration_by(forecasts, matches)["seer", ""]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_the_parts_add_up_to_the_mean_squared_error(found):
    """Brier's score is what it is by its definition, and reliability - resolution + uncertainty + within."""
    result = stated(found)
    brier = sum((chance - is_won) ** 2 for chance, is_won in found) / len(found)
    assert result.brier.value == pytest.approx(brier)
    parts = result.reliability - result.resolution + result.uncertainty + result.within
    assert parts == pytest.approx(brier)
    assert result.brier.n == len(found)


def test_a_seer_by_hand():
    """Four statements in two tenths: 0.25 twice with one win, 0.85 twice with two."""
    result = stated([(0.25, True), (0.25, False), (0.85, True), (0.85, True)])
    assert result.brier.value == pytest.approx((0.75**2 + 0.25**2 + 2 * 0.15**2) / 4)
    assert result.reliability == pytest.approx((2 * 0.25**2 + 2 * 0.15**2) / 4)
    assert result.resolution == pytest.approx((2 * 0.25**2 + 2 * 0.25**2) / 4)
    assert result.uncertainty == pytest.approx(0.75 * 0.25)
    assert result.calibration_error == pytest.approx((2 * 0.25 + 2 * 0.15) / 4)
    assert [tenth.n if tenth else 0 for tenth in result.tenths] == [0, 0, 2, 0, 0, 0, 0, 0, 2, 0]


def test_chances_that_come_true_as_often_as_they_say_are_reliable():
    """Of 3000 matches won with the stated chance: nearly no unreliability, and every tenth's interval holds its mean."""
    rng = Random(3)
    chances = [rng.random() for _ in range(3000)]
    result = stated([(chance, rng.random() < chance) for chance in chances])
    assert result.reliability < 0.003
    inside = [tenth.result.low <= tenth.stated <= tenth.result.high for tenth in result.tenths]
    assert sum(inside) >= 8


def test_statements_of_one_match_are_one_observation():
    """A thousand of them in one match do not make it certain."""
    one = match(1, "seer", "other", won(Seat.FIRST))
    record = ForecastRecord(match_id=1, seat=Seat.FIRST, tenth=8, n=1000, stated=800.0, squared=640.0)
    result = calibration_by([record], {1: one})["seer", "connect_four"]
    assert (result.brier.n, result.brier.value) == (1000, pytest.approx(0.04))
    assert result.brier.high - result.brier.low > 0.5


def test_a_trend_over_rounds_is_found_with_its_interval():
    """Least squares by hand; no data with two rounds; a flat line without scatter has no interval."""
    points = [(1.0, 0.0), (1.0, 0.5), (2.0, 0.5), (2.0, 0.5), (3.0, 1.0), (3.0, 0.5)]
    found = slope(points)
    assert (found.value, found.n) == (pytest.approx(0.25), 6)
    assert found.low < 0.25 < found.high
    assert slope(points[:4]).value is None
    flat = slope([(float(x), 0.5) for x in range(6)])
    assert (flat.value, flat.low) == (0.0, None)
