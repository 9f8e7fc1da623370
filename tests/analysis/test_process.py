"""Process metrics on matches written out by hand: what counts as an update, a revision, a win before and after."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.analysis.process import DEFINITIONS, macro_mean, measure, plays_of, published_of, scopes_of
from stratarena.db.records import AnswerRecord, SeriesRecord
from stratarena.games.base import Seat

ONE, TWO = Seat.FIRST, Seat.SECOND


def answer(seat, label, winner, *, verdict="ok", cost=20, kept=False, changed=True, overruns=0):
    """An answer and the round after it; the opening of FIRST has none."""
    return AnswerRecord(
        ply=0 if label is None else label + 1, seat=seat, verdict=verdict, cost=cost, purse=20, kept=kept, changed=changed, label=label, winner=winner,
        n_overruns=overruns,
    )  # fmt: skip


def match(*updates, match_id=1, opening=TWO, first="a", second="b"):
    """A match whose opening round goes to `opening`."""
    answers = (answer(ONE, None, None), answer(TWO, 0, opening), *updates)
    return SeriesRecord(match_id=match_id, key=f"m{match_id}", game="g", first=first, second=second, answers=answers)


def measured(records, agent="a"):
    plays = [play for play in plays_of(records) if play.agent == agent]
    return {key: (one.value, one.n) for key, one in measure(plays).items()}


def test_a_match_worked_by_hand():
    """Five own updates: turned, kept a win, harmed one, failed, repeated the same plan."""
    record = match(
        answer(ONE, 1, ONE),  # lost before, revised, won: turned
        answer(TWO, 2, ONE),
        answer(ONE, 3, ONE, kept=True, changed=False),  # won before, kept
        answer(TWO, 4, ONE),
        answer(ONE, 5, TWO),  # won before, revised, lost: harmed
        answer(TWO, 6, TWO),
        answer(ONE, 7, TWO),  # lost before, revised, lost: failed
        answer(TWO, 8, None),
        answer(ONE, 9, TWO, changed=False),  # nobody before, the same plan again
        answer(TWO, 10, TWO),
    )
    found = measured([record])
    assert found["win_rate"] == (0.4, 10)
    assert found["opening_win_rate"] == (0.0, 1)
    assert found["revision_rate"] == (0.6, 5)
    assert found["over_correction_risk"] == (0.5, 2)
    assert found["revision_after_loss"] == (pytest.approx(2 / 3), 3)
    assert found["harmful_revision"] == (1.0, 1)
    assert found["correction_success"] == (0.5, 2)
    assert found["wins_after_revision"] == (pytest.approx(1 / 3), 3)
    assert found["net_revision_gain"] == (0.0, 3)
    # Outcomes after its updates: 1, 1, 0, 0, 0.
    assert found["improvement_slope"] == (pytest.approx(-0.3), 1)
    assert found["over_purse_ratio"] == (0.0, 5)


def test_nothing_measured_is_none_and_n_is_0():
    """A side that never wins has no over-correction to show, and one that never revises no success."""
    record = match(answer(ONE, 1, TWO, kept=True, changed=False), answer(TWO, 2, TWO, kept=True, changed=False))
    found = measured([record])
    for key in (
        "over_correction_risk",
        "correction_success",
        "harmful_revision",
        "net_revision_gain",
        "improvement_slope",
    ):
        assert found[key] == (None, 0), key


def test_a_mended_plan_is_a_success_as_worded_and_an_unreadable_answer_leaves_the_plan_as_it_was():
    """Over the purse, then within it, still lost; an unreadable answer in between changes nothing."""
    record = match(
        answer(ONE, 1, TWO, verdict="over_budget", cost=25),
        answer(TWO, 2, TWO),
        answer(ONE, 3, TWO, verdict="unparseable", cost=None, changed=False),
        answer(TWO, 4, TWO),
        answer(ONE, 5, TWO, cost=19),
    )
    found = measured([record])
    assert found["correction_success_as_worded"] == (0.5, 2)
    assert found["correction_success"] == (0.0, 2)
    assert found["over_purse_ratio"] == (pytest.approx(1 / 3), 3)
    assert found["purse_excess"] == (pytest.approx(0.25 / 3), 3)
    assert found["unreadable_rate"] == (0.25, 4)


def test_thinking_budgets_are_counted_apart_from_the_purse():
    """A turn that passed a budget, with a plan within its purse."""
    found = measured([match(answer(ONE, 1, ONE, overruns=2), answer(TWO, 2, ONE))])
    assert found["over_budget_ratio"] == (0.5, 2)
    assert found["over_purse_ratio"] == (0.0, 2)


def test_the_published_numbers_follow_rows_by_order_and_cost():
    """The worked example of the specification, spread over a match in which FIRST updates first."""
    costs = (1900, 1900, 2100, 2000, 2000)
    won = (TWO, TWO, TWO, ONE, ONE)
    updates = []
    for index, (cost, winner) in enumerate(zip(costs, won, strict=True)):
        updates += [answer(ONE, 2 * index + 1, winner, cost=cost), answer(TWO, 2 * index + 2, winner, cost=1)]
    record = match(*updates)
    answers = tuple(
        AnswerRecord(**{name: getattr(one, name) for name in one.__slots__ if name != "purse"}, purse=2000)
        for one in record.answers
    )
    record = SeriesRecord(match_id=1, key="m", game="g", first="a", second="b", answers=answers)
    (play,) = [play for play in plays_of([record]) if play.agent == "a"]
    assert play.updates_first
    found = published_of([play])
    assert (found.win_rate, found.over_budget_ratio, found.correction_rate) == (0.4, 0.2, 0.5)
    assert found.correction_success_rate == 0.5
    assert found.improvement_slope == pytest.approx(0.3)
    assert published_of([]) is None


def test_scopes_are_all_games_each_game_and_each_side():
    """Only what was played, in the order of the agents given."""
    records = [match(answer(ONE, 1, ONE), match_id=1), match(answer(ONE, 1, ONE), match_id=2, first="b", second="a")]
    scopes = scopes_of(plays_of(records), ["b", "a", "nobody"])
    assert [(scope.agent, scope.game, scope.side, len(scope.plays)) for scope in scopes] == [
        ("b", "", "", 2), ("b", "g", "", 2), ("b", "g", "first", 1), ("b", "g", "second", 1),
        ("a", "", "", 2), ("a", "g", "", 2), ("a", "g", "first", 1), ("a", "g", "second", 1),
    ]  # fmt: skip


def test_the_mean_over_games_leaves_out_games_without_a_value_and_counts_the_others():
    """Two of three."""
    plays = plays_of([match(answer(ONE, 1, ONE))])
    found = measure([play for play in plays if play.agent == "a"])
    cells = [found["win_rate"], found["over_correction_risk"], found["correction_success"]]
    assert macro_mean(cells) == (1.0, 2)
    assert macro_mean([]) == (None, 0)


winners = st.none() | st.sampled_from(Seat)


@given(
    st.lists(st.tuples(winners, st.booleans(), st.sampled_from(["ok", "illegal", "unparseable"])), max_size=12), winners
)
def test_every_estimate_lies_in_its_interval_and_wins_of_both_sides_never_exceed_the_rounds(rounds, opening):
    """Whatever happens in a match, of either side."""
    updates = [
        answer(ONE if place % 2 == 0 else TWO, place + 1, winner, changed=changed, verdict=verdict)
        for place, (winner, changed, verdict) in enumerate(rounds)
    ]
    records = [match(*updates, opening=opening, match_id=number) for number in (1, 2, 3)]
    plays = plays_of(records)
    found = {agent: measure([play for play in plays if play.agent == agent]) for agent in ("a", "b")}
    for one in found.values():
        assert set(one) == set(DEFINITIONS)
        for estimate in one.values():
            assert (estimate.value is None) == (estimate.n == 0)
            if estimate.low is not None:
                assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9
    if rounds:
        assert found["a"]["win_rate"].value + found["b"]["win_rate"].value <= 1 + 1e-9
