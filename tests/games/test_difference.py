"""Differences of plans: what stands for what, and nothing lost on the way."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stratarena.games.resource.base import Entry
from stratarena.games.resource.difference import difference

ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["Archer", "Wall", "Mage"]),
        st.sampled_from(["", "Gold"]),
        st.sampled_from(["slot 1", "slot 2", "slot 3"]),
        st.integers(0, 3),
        st.sampled_from(["", "priorities"]),
    ),
    max_size=8,
)


@given(ENTRIES, ENTRIES)
def test_every_entry_of_both_plans_stands_in_one_change(before, after):
    """Old entries are kept, moved, replaced or removed; new ones kept, moved, replaced or added; costs add up."""
    changes = difference(before, after)
    assert Counter(one.before for one in changes if one.before) == Counter(before)
    assert [one.after for one in changes if one.after] == after
    assert sum(one.cost for one in changes) == sum(e.cost for e in after) - sum(e.cost for e in before)
    for one in changes:
        assert (one.before is None) == (one.kind == "added")
        assert (one.after is None) == (one.kind == "removed")
        if one.before and one.after:
            assert one.before.group == one.after.group
            assert (one.kind == "kept") == (one.before == one.after)


@given(ENTRIES)
def test_equal_plans_differ_in_nothing(plan):
    """In any order of equal entries."""
    assert {one.kind for one in difference(plan, plan)} <= {"kept"}
    assert {one.kind for one in difference(plan, plan[::-1])} <= {"kept"}


@given(ENTRIES, ENTRIES)
def test_there_and_back_mirror_each_other(before, after):
    """As many added one way as removed the other way, as many kept both ways."""
    there, back = (Counter(one.kind for one in difference(*pair)) for pair in ((before, after), (after, before)))
    assert there["added"] == back["removed"]
    assert there["kept"] == back["kept"]


def test_moved_replaced_added_and_removed_are_told_apart():
    """One of each, read by a person."""

    def unit(item, place, cost=1):
        return Entry(item, "", place, cost)

    before = [unit("Archer", "slot 1"), unit("Wall", "slot 2"), unit("Mage", "slot 3"), unit("Ram", "slot 4")]
    after = [unit("Archer", "slot 5"), unit("Giant", "slot 2", 5), unit("Mage", "slot 3"), unit("Spy", "slot 6")]
    assert [(one.kind, one.cost) for one in difference(before, after)] == [
        ("moved", 0),
        ("replaced", 4),
        ("kept", 0),
        ("added", 1),
        ("removed", -1),
    ]
