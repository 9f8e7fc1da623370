"""Measures of searches that models write: counted by hand on small trees, and perfect for a perfect writer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stratarena.agents.budget import Spend
from stratarena.agents.linearized.check import Asked, check_trace
from stratarena.agents.linearized.parser import parse_trace
from stratarena.agents.linearized.record import tree_of
from stratarena.analysis.linearized import DEFINITIONS, accuracy_by_depth, faults_of, measure_searches
from stratarena.analysis.linearized_blocks import linearized_blocks
from stratarena.analysis.page import Paragraph, Table
from stratarena.arena.tree_check import checked_tree
from stratarena.db.records import SearchRecord
from stratarena.games.base import Move, Seat
from stratarena.games.plugins import load_game

HEX = load_game("hex(size=3)")
START = ".../.../... X"
MOVES = (Move("a1"), Move("b2"))
ROOT = HEX.decode("X../.O./... X")
ASKED = Asked("hex(size=3)", 1, 2)
GOOD = """\
SEARCH hex(size=3) | depth=1 | breadth=2
NODE - | state=X../.O./... X | moves=a2:70,b1:40
NODE a2 | state=X../XO./... O | moves=a3:90
BACK a2 | value=90 | pick=a3
NODE b1 | state=XX./.O./... O | moves=c1:45
BACK b1 | value=45 | pick=c1
BACK - | moves=a2:10,b1:55 | value=55 | pick=b1
PLAY b1
"""


def record(text, *, match_id=1, played="b1", fallback=None, ended="choice", tokens=60, evaluations=None, agent="x"):
    """A search as the arena records it."""
    trace = parse_trace(text)
    tree = tree_of(HEX, trace, check_trace(HEX, ROOT, trace, asked=ASKED), asked=ASKED, seat=Seat.FIRST, ended=ended)
    return SearchRecord(
        match_id=match_id,
        game="hex(size=3)",
        agent=agent,
        seat=Seat.FIRST,
        ply=2,
        start=START,
        moves=MOVES,
        tree=checked_tree(tree, HEX, ROOT, Seat.FIRST),
        spend=Spend(model_calls=1, completion_tokens=tokens),
        played=None if played is None else Move(played),
        fallback=fallback,
        judge="oracle" if evaluations else None,
        evaluations=evaluations or {},
    )


def measures(*records):
    (found,) = measure_searches(records, ["x"])
    return found.measures


def values(found, *keys):
    return tuple(found[key].value for key in keys)


def test_a_perfect_search_has_perfect_measures():
    """Every share is 1; three nodes, a depth of one ply, two moves expanded, twenty tokens a node."""
    found = measures(record(GOOD))
    shares = (
        "complete",
        "legal",
        "legal_local",
        "state",
        "state_local",
        "valid",
        "ending",
        "consistent",
        "faithful",
        "size",
    )
    assert values(found, *shares) == (1.0,) * len(shares)
    assert values(found, "n_nodes", "depth", "breadth", "tokens", "changed") == (3.0, 1.0, 2.0, 20.0, 1.0)
    assert found["first_error"].value is found["value_error"].value is None
    assert set(found) == set(DEFINITIONS)


def test_wrong_nodes_are_counted_where_they_are():
    """One wrong position, one wrong value, one choice against the tree: each in its own share only."""
    wrong_state = measures(record(GOOD.replace("XX./.O./... O", "X.X/.O./... O")))
    assert values(wrong_state, "state", "state_local", "valid", "legal", "consistent") == (
        2 / 3,
        2 / 3,
        2 / 3,
        1.0,
        1.0,
    )
    assert values(wrong_state, "breadth", "depth") == (1.0, 1.0)
    wrong_value = measures(record(GOOD.replace("a2:10,b1:55 | value=55", "a2:10,b1:55 | value=65")))
    assert values(wrong_value, "consistent", "state", "faithful") == (2 / 3, 1.0, 1.0)
    unturned = measures(record(GOOD.replace("a2:10,b1:55 | value=55", "a2:10,b1:45 | value=45")))
    assert values(unturned, "consistent", "valid") == (2 / 3, 1.0)
    astray = measures(record(GOOD.replace("PLAY b1", "PLAY a2"), played="a2"))
    assert values(astray, "faithful", "consistent") == (0.0, 1.0)


def test_an_illegal_move_takes_what_is_below_it_out_of_the_positions_that_are_asked_about():
    """Off the rules there is no right position: it counts against legality and validity."""
    found = measures(record(GOOD.replace("NODE b1", "NODE b2").replace("BACK b1", "BACK b2")))
    assert values(found, "legal", "legal_local", "valid") == (0.5, 0.5, 2 / 3)
    assert (found["state"].value, found["state"].n) == (1.0, 2)


def test_what_does_not_arise_is_no_data():
    """A refused answer chose nothing; a fallback is no choice; a search without nodes is a search all the same."""
    refused = measures(record(GOOD, played=None))
    assert (refused["faithful"].value, refused["faithful"].n) == (None, 0)
    substitute = measures(record(GOOD, fallback="best_backed_up", ended="completion_tokens"))
    assert (substitute["faithful"].n, substitute["changed"].n, substitute["complete"].value) == (0, 0, 0.0)
    empty = record(GOOD)
    empty = replace(empty, tree=replace(empty.tree, nodes=(), n_nodes=0, ended="malformed text: line 1, column 1: x"))
    found = measures(empty)
    assert values(found, "complete", "size", "n_nodes", "depth") == (0.0, 0.0, 0.0, 0.0)
    assert found["legal"].n == found["tokens"].n == 0
    assert measure_searches([empty], ["x"])[0].endings == {"malformed": 1}
    assert measure_searches([], ["x"]) == ()


def test_values_are_held_against_the_judges():
    """Half the distance on -1 to 1, seen by the seat that searches; nodes that nobody evaluated are left out."""
    after_a2 = HEX.digest(HEX.play(ROOT, "a2"))
    # The root is won for X, to move; after a2 the side to move is O, who is lost.
    found = measures(record(GOOD, evaluations={HEX.digest(ROOT): 1.0, after_a2: -1.0}))
    # Root: first 0.4, after 0.1 of 1. a2: first 0.4, after -0.8 of 1.
    assert found["first_error"].value == pytest.approx((0.3 + 0.3) / 2)
    assert found["value_error"].value == pytest.approx((0.45 + 0.9) / 2)
    assert found["value_error"].n == 2


def test_depths_are_told_apart():
    """The root's position is given; one of two positions below it is wrong."""
    rows = accuracy_by_depth([record(GOOD.replace("XX./.O./... O", "X.X/.O./... O"))], ["x"])
    assert [(row.depth, row.n_nodes, row.state.value, row.legal.value) for row in rows] == [
        (0, 1, 1.0, None),
        (1, 2, 0.5, 1.0),
    ]


def test_faults_are_counted_by_name():
    """Of nodes and of whole searches."""
    counts = faults_of([record(GOOD.replace("PLAY b1", "PLAY a2").replace("XX./.O./... O", "nonsense"), played="a2")])
    assert dict(counts["x"]) == {"unreadable_state": 1, "unfaithful_choice": 1}


def test_matches_are_the_draws_of_the_intervals():
    """Two searches of one match are one draw: the interval is that of two matches, not of three searches."""
    good, bad = record(GOOD), record(GOOD.replace("XX./.O./... O", "nonsense"), match_id=2)
    found = measures(good, good, bad)["valid"]
    assert found.value == 8 / 9
    assert found.n == 9
    assert found.low < 8 / 9 < found.high


def test_the_section_shows_what_was_measured_and_what_it_means():
    """Tables with their sources; every measure defined; nothing at all without searches."""
    assert linearized_blocks([], ["x"]) == ()
    blocks = linearized_blocks(
        [record(GOOD), record(GOOD.replace("PLAY b1", "PLAY a2"), played="a2", match_id=2)], ["x"]
    )
    tables = [block for block in blocks if isinstance(block, Table)]
    cells = [cell for table in tables for row in table.rows for cell in row]
    assert "unfaithful choice" in cells
    assert any(cell.startswith("100 % [") and cell.endswith("n = 6") for cell in cells)
    words = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert sum(
        text.split(": ")[-1] in DEFINITIONS.values() or any(d in text for d in DEFINITIONS.values()) for text in words
    ) == len(DEFINITIONS)
