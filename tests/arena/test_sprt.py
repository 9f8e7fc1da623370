"""The sequential test: its likelihood against a direct maximisation, its error rates by simulation, and what cannot move it."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.arena.specs import Ending, Sprt, Verdict
from stratarena.arena.sprt import Stopping, expected_score, log_likelihood_ratio, sequential_test
from stratarena.games.base import Seat

WIDE = Sprt(elo0=0.0, elo1=200.0)


def likelihood_at(counts: list[int], score: float) -> float:
    """The greatest log-likelihood with this mean, by hill climbing over exponential tiltings of the observed shares and
    pairwise transfers: nothing of the code under test."""
    shares = [max(count, 1e-3) for count in counts]
    whole = sum(shares)
    shares = [share / whole for share in shares]
    trial = shares[:]
    low, high = -60.0, 60.0
    for _ in range(200):
        tilt = (low + high) / 2
        weights = [share * math.exp(tilt * place / 4) for place, share in enumerate(shares)]
        trial = [weight / sum(weights) for weight in weights]
        low, high = (low, tilt) if sum(p * i / 4 for i, p in enumerate(trial)) > score else (tilt, high)
    value = sum(share * math.log(p) for share, p in zip(shares, trial, strict=True))
    step = 0.01
    while step > 1e-9:
        better = False
        for i in range(5):
            for j in range(i + 1, 5):
                for k in range(j + 1, 5):
                    # Moves along which neither the sum nor the mean changes.
                    for sign in (step, -step):
                        move = [0.0] * 5
                        move[i], move[j], move[k] = sign * (k - j), -sign * (k - i), sign * (j - i)
                        moved = [p + m for p, m in zip(trial, move, strict=True)]
                        if min(moved) <= 0:
                            continue
                        reached = sum(share * math.log(p) for share, p in zip(shares, moved, strict=True))
                        if reached > value + 1e-15:
                            trial, value, better = moved, reached, True
        if not better:
            step /= 2
    return value


@pytest.mark.parametrize("counts", [[3, 5, 20, 9, 6], [0, 0, 4, 3, 1], [10, 1, 1, 1, 10]])
def test_the_ratio_is_that_of_the_two_likeliest_distributions(counts):
    """Compared with a climb over all distributions of five outcomes that have the mean."""
    expected = sum(counts) * (likelihood_at(counts, expected_score(200)) - likelihood_at(counts, expected_score(0)))
    assert log_likelihood_ratio(counts, WIDE) == pytest.approx(expected, abs=1e-4)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), max_size=60))
@settings(max_examples=60, deadline=None)
def test_swapping_sides_and_hypotheses_turns_the_ratio_round(points):
    """What speaks for one agent speaks as much against the other."""
    counts = [points.count(place / 2) for place in range(5)]
    mirrored = log_likelihood_ratio(counts[::-1], Sprt(elo0=0.0, elo1=-200.0))
    assert log_likelihood_ratio(counts, WIDE) == pytest.approx(mirrored, abs=1e-6)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), max_size=80), st.lists(st.just(2.0), max_size=20))
@settings(max_examples=60, deadline=None)
def test_what_comes_after_a_decision_changes_nothing(points, more):
    """A test that has stopped stays stopped, where it stopped."""
    state = sequential_test(points, WIDE)
    if state.decision is not None:
        assert sequential_test([*points, *more], WIDE) == state


def test_error_rates_are_held():
    """Of 400 tests of equals and of agents 200 Elo apart no more than the nominal 5 % (and chance) decide wrongly."""
    rng = Random(7)

    def pair(score: float) -> float:
        return sum(0.5 if rng.random() < 0.3 else float(rng.random() < (score - 0.15) / 0.7) for _ in range(2))

    wrong = {"elo0": 0, "elo1": 0}
    pairs = []
    for truth, mistake in (("elo0", "elo1"), ("elo1", "elo0")):
        score = expected_score(0 if truth == "elo0" else 200)
        for _ in range(400):
            state = sequential_test((pair(score) for _ in range(10_000)), WIDE)
            wrong[truth] += state.decision == mistake
            pairs.append(state.pairs)
    assert max(wrong.values()) <= 400 * 0.05 + 13
    assert sum(pairs) / len(pairs) < 40


class Planned:
    """A match of a pair."""

    def __init__(self, key: str, pair: str, first: str, second: str) -> None:
        self.key, self.pair, self.first, self.second = key, pair, first, second


def planned(n: int) -> list[Planned]:
    return [
        Planned(f"p{number}{side}", f"p{number}", *(("a", "b") if side == "a" else ("b", "a")))
        for number in range(n)
        for side in "ab"
    ]


def won_by(name: str, matches: list[Planned]) -> dict[str, Verdict]:
    return {
        one.key: Verdict(ending=Ending.RULES, winner=Seat.FIRST if one.first == name else Seat.SECOND, reason="x")
        for one in matches
    }


def test_a_pairing_stops_when_its_pairs_in_order_have_decided_it():
    """Whoever wins everything is found stronger; a void or missing match makes the test wait there, whatever came after."""
    matches = planned(40)
    verdicts = won_by("a", matches)
    stopping = Stopping(WIDE, matches)
    assert stopping.is_decided("p39b", verdicts.get)
    state = stopping.states(verdicts.get)["a", "b"]
    assert (state.decision, state.counts[:4]) == ("elo1", (0, 0, 0, 0))
    assert state.pairs < 15
    verdicts["p0b"] = Verdict.void("model_failed")
    waiting = Stopping(WIDE, matches)
    assert not waiting.is_decided("p39b", verdicts.get)
    assert waiting.states(verdicts.get)["a", "b"].pairs == 0


def test_losing_decides_for_the_other_hypothesis():
    """The points are those of the agent that is named first."""
    matches = planned(40)
    assert Stopping(WIDE, matches).states(won_by("b", matches).get)["a", "b"].decision == "elo0"
