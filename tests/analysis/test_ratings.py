"""Ratings against an independent implementation, and what must not change them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from stratarena.analysis.league import counted
from stratarena.analysis.ratings import ELO_PER_NAT, PRIOR_SD_ELO, rate, strengths
from stratarena.arena.specs import Ending, Verdict
from stratarena.db.records import MatchRecord
from stratarena.games.base import Seat


def result(number: int, first: str, second: str, winner: Seat | None, *, ending: Ending = Ending.RULES) -> MatchRecord:
    """A finished match; a pair is two matches in a row."""
    return MatchRecord(
        match_id=number, key=f"g/{number}", game="g", first=first, second=second, round=1, pair=f"g/{number // 2}",
        opening="start", start="", opening_moves=(), seed=0, attempt=1, opened_ms=0, closed_ms=1,
        verdict=Verdict(ending=ending, winner=winner, reason="x"), plies=1,
    )  # fmt: skip


def league(seed: int, *, names: str = "abcdef", rounds: int = 12, draws: float = 0.0) -> list[MatchRecord]:
    """Random results in which later names are stronger; every pairing is played with seats swapped."""
    rng, found = Random(seed), []
    for _ in range(rounds):
        for i, j in combinations(range(len(names)), 2):
            for first, second in ((i, j), (j, i)):
                chance = 1 / (1 + 2.0 ** (second - first))
                winner = Seat.FIRST if rng.random() < chance else Seat.SECOND
                if rng.random() < draws:
                    winner = None
                found.append(result(len(found), names[first], names[second], winner))
    return found


def elo(matches: list[MatchRecord], anchor: str | None = None) -> dict[str, float]:
    """The point estimates."""
    return {name: estimate.value for name, estimate in rate(matches, anchor=anchor).elo.items()}


@pytest.mark.parametrize("seed", range(3))
def test_ratings_without_draws_agree_with_choix(seed):
    """A penalised Bradley-Terry fit by another hand gives the same strengths to four digits."""
    choix = pytest.importorskip("choix", reason="choix is not installed")
    matches = league(seed)
    wins = []
    for match in matches:
        one, two = "abcdef".index(match.first), "abcdef".index(match.second)
        wins.append((one, two) if match.verdict.winner is Seat.FIRST else (two, one))
    alpha = 1 / (2 * (PRIOR_SD_ELO / ELO_PER_NAT) ** 2)
    theirs = choix.opt_pairwise(6, wins, alpha=alpha)
    ours = strengths(matches, seat_advantage=False)
    assert [ours[name] for name in "abcdef"] == pytest.approx(list(theirs), abs=1e-4)


def test_the_unbeaten_and_the_winless_have_finite_ratings():
    """A league where the alphabet decides every match: ratings fall with the letters and none runs away."""
    matches = [
        result(
            2 * number + swapped, *((one, two) if not swapped else (two, one)), Seat.SECOND if swapped else Seat.FIRST
        )
        for number, (one, two) in enumerate(combinations("abcd", 2))
        for swapped in (0, 1)
    ]
    ratings = rate(matches).elo
    assert ratings["a"].value > ratings["b"].value > ratings["c"].value > ratings["d"].value
    assert all(
        abs(estimate.value) < 2000 and estimate.low < estimate.value < estimate.high for estimate in ratings.values()
    )


def test_renaming_agents_changes_no_rating():
    """Names decide nothing, also where they change the order of the alphabet."""
    matches = league(3, draws=0.2)
    swapped = dict(zip("abcdef", "zyxwvu", strict=True))
    renamed = [
        result(match.match_id, swapped[match.first], swapped[match.second], match.verdict.winner) for match in matches
    ]
    after = elo(renamed)
    assert {swapped[name]: value for name, value in elo(matches).items()} == pytest.approx(after, abs=1e-6)


def test_the_order_of_matches_changes_no_rating():
    """The record may be read in any order."""
    matches = league(4, draws=0.2)
    assert rate(matches[::-1]) == rate(matches)


def test_swapped_results_mirror_the_ratings():
    """Losing everything one won turns the scale round."""
    matches = league(5, draws=0.2)
    turned = [result(match.match_id, match.second, match.first, match.verdict.winner) for match in matches]
    mirrored = [
        result(match.match_id, match.first, match.second, match.verdict.winner and match.verdict.winner.other)
        for match in turned
    ]
    assert elo(matches) == pytest.approx(elo(mirrored), abs=1e-6)


def test_the_anchor_is_zero_and_has_no_interval():
    """The others are told as differences to it; an anchor that never played is no anchor."""
    matches = league(6)
    free, anchored = elo(matches), rate(matches, anchor="a")
    assert (anchored.anchor, anchored.elo["a"].value, anchored.elo["a"].low) == ("a", 0.0, None)
    assert anchored.elo["d"].value == pytest.approx(free["d"] - free["a"])
    assert rate(matches, anchor="nobody").anchor is None


def test_the_first_seat_gets_the_advantage_it_earns():
    """Where FIRST always wins, equals stay equal and the seat is worth a lot; the mirrored league mirrors it."""
    ahead = [result(number, *("ab" if number % 2 else "ba"), Seat.FIRST) for number in range(20)]
    behind = [result(number, *("ab" if number % 2 else "ba"), Seat.SECOND) for number in range(20)]
    assert elo(ahead)["a"] == pytest.approx(0, abs=1e-6)
    assert rate(ahead).seat_advantage["g"].low > 0
    assert rate(ahead).seat_advantage["g"].value == pytest.approx(-rate(behind).seat_advantage["g"].value)


def test_intervals_narrow_as_matches_come_in():
    """Sixteen times the matches, a quarter of the width or little more."""
    few, many = rate(league(7, rounds=4)).elo["c"], rate(league(7, rounds=64)).elo["c"]
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(0.25, abs=0.08)


def test_nobody_played_and_nobody_is_rated():
    """No match, no ratings; void matches never reach the fit."""
    assert rate([]).elo == {}
    assert counted([result(0, "a", "b", None, ending=Ending.VOID)]) == ()


def test_agents_that_cannot_be_told_apart_share_a_rank():
    """After two matches everybody is first; after many the alphabet's order shows."""
    assert set(rate(league(8, rounds=1)[:2]).ranks.values()) == {1}
    assert rate(league(8, names="adg", rounds=60)).ranks == {"g": 1, "d": 2, "a": 3}


def test_groups_that_never_met_are_told():
    """Without a chain of matches between them only the prior compares them."""
    apart = [result(0, "a", "b", Seat.FIRST), result(2, "c", "d", Seat.FIRST)]
    assert not rate(apart).connected
    assert rate([*apart, result(4, "b", "c", None)]).connected


def test_a_seat_is_worth_what_it_is_worth_in_each_game():
    """In game g FIRST always wins, in game h SECOND does: two advantages of opposite sign, not one of nothing."""
    here = [result(number, *("ab" if number % 2 else "ba"), Seat.FIRST) for number in range(20)]
    there = [
        replace(result(100 + number, *("ab" if number % 2 else "ba"), Seat.SECOND), game="h") for number in range(20)
    ]
    worth = rate([*here, *there]).seat_advantage
    assert worth["g"].low > 0 > worth["h"].high
