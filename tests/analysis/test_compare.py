"""Two agents in pairs: exact tests against brute force, error rates by simulation, and a comparison worked by hand."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_by_hand import DRAWN, match, won

from stratarena.analysis.compare import compare, exact_sign_flip, holm, paired
from stratarena.db.records import SideRecord
from stratarena.games.base import Seat

QUARTERS = st.sampled_from([-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0])


@given(st.lists(QUARTERS, max_size=9))
def test_the_sign_flip_test_is_the_count_over_all_signs(differences):
    """All 2^n assignments of signs, counted one by one."""
    nonzero = [gap for gap in differences if gap]
    found = exact_sign_flip(differences)
    if not nonzero:
        assert found is None
        return
    reached = abs(sum(differences))
    flips = [abs(sum(sign * gap for sign, gap in zip(signs, nonzero, strict=True))) for signs in product((1, -1), repeat=len(nonzero))]  # fmt: skip
    assert found == pytest.approx(sum(total >= reached - 1e-9 for total in flips) / len(flips))


def test_equals_are_told_apart_as_seldom_as_the_level_says():
    """Of 1000 comparisons of equals over 40 pairs at most some 5 % have p below 0.05, and intervals hold 0 as often."""
    rng = Random(11)
    low, outside = 0, 0
    for _ in range(1000):
        gaps = [rng.choice([-1, -0.5, 0, 0, 0.5, 1]) for _ in range(40)]
        found = paired(gaps)
        low += found.p < 0.05
        outside += not found.difference.low <= 0 <= found.difference.high
    assert low <= 65
    assert 25 <= outside <= 80


def test_holm_by_hand():
    """Sorted: 0.01 * 3, 0.02 * 2, 0.5 * 1; never less than the one before, never more than 1."""
    assert holm([0.5, 0.01, 0.02]) == pytest.approx([0.5, 0.03, 0.04])
    assert holm([0.03, 0.02]) == pytest.approx([0.04, 0.04])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def side(match_id, seat, **facts):
    known = {
        "third": 0, "turns": 10, "legal_at_once": 10, "asked": 0, "model_calls": 0, "tokens": 0, "searched": 0, "nodes": 0,
        "think_ms": 10.0, "wait_ms": 0.0, "cost_usd": 0.0, "overrun": 0,
    }  # fmt: skip
    return SideRecord(match_id=match_id, seat=seat, **{**known, **facts})


def pair(number, one, other, results, *, number_of_round=1):
    """Two matches with seats swapped, whose results are the winner's names or None."""
    facts = {"round": number_of_round, "pair": f"{one}-{other}-{number_of_round}"}
    seats = [(one, other), (other, one)]
    return [
        match(
            number + place, *names, DRAWN if winner is None else won(Seat.FIRST if winner == names[0] else Seat.SECOND),
            key=f"{facts['pair']}{place}", **facts,
        )
        for place, (names, winner) in enumerate(zip(seats, results, strict=True))
    ]  # fmt: skip


def test_a_comparison_by_hand():
    """Two pairs against each other, one against a common other in the same round; a half pair is left out."""
    matches = [
        *pair(1, "a", "b", ["a", "a"], number_of_round=1),
        *pair(3, "a", "b", ["a", None], number_of_round=2),
        *pair(5, "a", "c", ["a", "c"], number_of_round=1),
        *pair(7, "b", "c", ["c", "c"], number_of_round=1),
        *pair(9, "b", "c", ["b", "b"], number_of_round=2),
    ]
    found = compare("a", "b", matches=matches, sides=(), plays=())
    assert found.pentanomial == (0, 0, 0, 1, 1)
    assert (found.direct.difference.value, found.direct.difference.n) == (0.75, 2)
    assert found.direct.p == 0.5
    assert (found.others.difference.value, found.others.difference.n, found.others.won) == (0.5, 1, 1)
    assert found.opponents == ("c",)
    assert found.unpaired == 2
    turned = compare("b", "a", matches=matches, sides=(), plays=())
    assert turned.direct.difference.value == -0.75
    assert turned.elo.value == pytest.approx(-found.elo.value)


def test_a_measure_that_differs_in_every_block_is_told_and_one_that_does_not_is_not():
    """Over 20 pairs one agent is legal in 9 of 10 turns and the other in 6; both think alike."""
    matches = [
        one for number in range(20) for one in pair(2 * number + 1, "a", "b", ["a", "b"], number_of_round=number + 1)
    ]
    sides = [
        side(one.match_id, seat, legal_at_once=9 if one.agent_at(seat) == "a" else 6)
        for one in matches
        for seat in Seat
    ]
    found = {gap.key: gap for gap in compare("a", "b", matches=matches, sides=sides, plays=()).metrics}
    legal = found["legal_at_once"]
    assert (legal.first, legal.second, legal.difference.value) == (0.9, 0.6, pytest.approx(0.3))
    assert legal.p_holm < 0.01
    assert found["think_ms_per_turn"].difference.value == 0.0
    assert found["think_ms_per_turn"].p == 1.0
    assert "tokens_per_turn" not in found


def test_an_agent_is_not_compared_with_itself():
    """Refused."""
    with pytest.raises(ValueError, match="itself"):
        compare("a", "a", matches=(), sides=(), plays=())
