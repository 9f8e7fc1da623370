"""Chances to change one's mind, found in what was declared and played."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.plan import Cause
from stratarena.arena.reconsider import Declared, Reconsideration, reconsiderations
from stratarena.games.base import Seat

ONE, TWO = Seat.FIRST, Seat.SECOND


def declared(ply, *moves, cause=None, seat=None):
    return Declared(ply, seat or (ONE if ply % 2 == 0 else TWO), moves, cause)


def found(*plans, played):
    return [
        (each.ply, each.cause, each.before, each.after) for each in reconsiderations(plans, dict(enumerate(played)))
    ]


def test_a_second_look_in_the_same_turn_counts_kept_or_not():
    """Both looks are about the same position."""
    plans = (declared(0, "4"), declared(0, "4"), declared(0, "3", cause=Cause.SELF_CHECK))
    assert found(*plans, played="3") == [(0, None, "4", "4"), (0, Cause.SELF_CHECK, "4", "3")]


def test_a_line_meets_the_next_turn_whatever_the_reply_was():
    """Carried on, given up, and overtaken by the other's move."""
    line = declared(0, "4", "3", "5")
    assert found(line, declared(2, "5"), played="435") == [(2, None, "5", "5")]
    assert found(line, declared(2, "1", cause=Cause.SEARCH), played="431") == [(2, Cause.SEARCH, "5", "1")]
    assert found(line, declared(2, "1", cause=Cause.OPPONENT), played="421") == [(2, Cause.OPPONENT, "5", "1")]


def test_a_line_that_was_left_or_ended_or_is_older_says_nothing():
    """Its own move was not played; it has no move for now; it is two turns old; nothing is meant."""
    assert found(declared(0, "4", "3", "5"), declared(2, "5"), played="635") == []
    assert found(declared(0, "4", "3"), declared(2, "5"), played="435") == []
    assert found(declared(0, "4", "3", "5"), declared(4, "5"), played="43545") == []
    assert found(declared(0, "4", "3", "5"), declared(2), declared(2, "1"), played="435") == []


def test_seats_do_not_mix():
    """Each side's plans are its own."""
    plans = (declared(0, "4", "3", "5"), declared(1, "3", "5", "2"), declared(2, "5"), declared(3, "2"))
    assert found(*plans, played="4352") == [(2, None, "5", "5"), (3, None, "2", "2")]


moves = st.sampled_from("1234567")
plans = st.lists(
    st.tuples(st.integers(0, 12), st.lists(moves, max_size=4), st.none() | st.sampled_from(Cause)), max_size=20
)


@given(plans, st.lists(moves, max_size=13))
def test_a_reconsideration_is_between_two_declared_plans(drawn, played):
    """At most one a declaration, its move after is that plan's, its move before was declared, and it knows a change."""
    line = [declared(ply, *line, cause=cause) for ply, line, cause in sorted(drawn, key=lambda each: each[0])]
    again = reconsiderations(line, dict(enumerate(played)))
    assert len(again) <= len(line)
    for each in again:
        assert isinstance(each, Reconsideration)
        assert each.changed == (each.before != each.after)
        assert any(plan.ply == each.ply and plan.moves[:1] == (each.after,) for plan in line)
        assert any(each.before in plan.moves and plan.ply <= each.ply and plan.seat is each.seat for plan in line)
