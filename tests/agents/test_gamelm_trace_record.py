"""The game model's own searches in the record: true ones are faultless, and each planted error is caught where it is."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.reading import Readings
from stratarena.agents.gamelm.trace_reading import read_trace
from stratarena.agents.gamelm.trace_record import no_tree, tree_of
from stratarena.agents.gamelm.traces import grow, write_trace
from stratarena.agents.linearized.check import Fault
from stratarena.agents.tree import TreeKind
from stratarena.arena.tree_check import checked_tree
from stratarena.games.connect_four import ConnectFour

GAME = ConnectFour()


def position(seed, plies):
    """A position of random play in which the game goes on."""
    rng = Random(seed)
    states = [GAME.initial(rng)]
    for _ in range(plies):
        if GAME.outcome(states[-1]) is None:
            states.append(GAME.play(states[-1], rng.choice(GAME.legal_moves(states[-1]))))
    return next(state for state in reversed(states) if GAME.outcome(state) is None)


def opinion(own, opponent):
    """Values that differ from board to board, drawn by the boards themselves."""
    seeds = own.astype(np.uint64) * np.uint64(31) + opponent.astype(np.uint64)
    mean = np.stack([np.random.default_rng(int(seed)).uniform(0.05, 0.95, 7) for seed in seeds])
    n = len(own)
    return Readings(
        status=np.zeros(n, np.int64),
        best=mean.argmax(-1),
        legal=np.ones((n, 7), bool),
        mean=mean,
        mode=np.ones((n, 7), np.int64),
    )


def written(state, depth, breadth):
    """A search by the rules with these opinions, written and read back."""
    own, opponent = FORM.board(state, GAME.to_move(state))
    (root,) = grow(
        FORM, np.array([own], np.uint64), np.array([opponent], np.uint64), depth=depth, breadth=breadth, read=opinion
    )
    return read_trace(FORM, write_trace(root, depth=depth, breadth=breadth).tokens)


def told(trace, state, asked=None):
    tree = tree_of(
        GAME, trace, asked=asked or (trace.depth, trace.breadth), state=state, seat=GAME.to_move(state), ended="choice"
    )
    assert tree.problem() is None
    return tree


def faults(trace, state, asked=None):
    return {
        (place, fault)
        for place, node in enumerate(told(trace, state, asked).nodes)
        for fault in (node.problem or "").split("; ")
        if fault
    }


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 41), st.integers(0, 2), st.integers(1, 4))
def test_a_search_by_the_rules_is_faultless_and_the_arena_finds_it_true(seed, plies, depth, breadth):
    """100 % legality, positions, endings, size and minimax consistency, for both sides, ends of games included."""
    state = position(seed, plies)
    tree = told(written(state, depth, breadth), state)
    assert {node.problem for node in tree.nodes} == {None}
    seat = GAME.to_move(state)
    checked = checked_tree(tree, GAME, state, seat)
    for node in checked.nodes:
        if not node.visits:
            continue
        assert node.check.state_right and node.check.state_right_local and node.check.terminal_right
        assert node.check.legal is not False and node.check.legal_local is not False
        assert not node.check.n_missed
    assert tree.kind is TreeKind.INTERNAL
    assert tree.line[0] in GAME.legal_moves(state)


def test_values_are_for_the_seat_that_searches_at_every_depth():
    """A node's value is the best of its children's: the highest at even depths, the lowest at odd ones.

    That of a leaf lies in the middle of its own best and its parent's estimate of it, to a bucket.
    """
    state = position(3, 9)
    tree = told(written(state, 2, 3), state)
    for place, node in enumerate(tree.nodes):
        below = [child for child in tree.nodes if child.parent == place]
        looked_into = [child.value for child in below if child.visits]
        if node.visits and not node.terminal:
            best = (min if node.depth % 2 else max)(looked_into or [child.estimate for child in below])
            if looked_into:
                assert node.value == best
            else:
                assert abs(node.value - (best + node.estimate) / 2) < 2 / 63


STATE = GAME.decode("......./......./......./...O.../...X.../..XXO.. O")


def planted(change):
    """The search of depth 1 and breadth 2 from a fixed position, one thing changed; and whether it was faultless before."""
    trace = written(STATE, 1, 2)
    assert faults(trace, STATE) == set()
    change(trace.root)
    return trace


def set_child(root, number, **changes):
    move, child, back = root.children[number]
    root.children[number] = (
        changes.pop("move", move),
        replace(child, **{key: value for key, value in changes.items() if key != "back"}),
        changes.get("back", back),
    )


def over(value, status="<lost>"):
    return {"status": status, "value": value, "selected": None}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda root: set_child(root, 0, board=root.board), {(1, Fault.UNREADABLE_STATE)}),
        (lambda root: set_child(root, 0, board=root.children[1][1].board), {(1, Fault.WRONG_STATE)}),
        (lambda root: set_child(root, 0, back=root.children[0][2] % 64 + 1), "carried"),
        (lambda root: setattr(root, "value", root.value % 64 + 1), {(0, Fault.WRONG_VALUE)}),
        (
            lambda root: setattr(root, "selected", next(m for m, *_ in root.children if m != root.selected)),
            {(0, Fault.WRONG_PICK)},
        ),
        (lambda root: root.children.pop(), "fewer"),
        (lambda root: setattr(root, "announced", root.announced[:1]), {(2, Fault.UNLISTED_MOVE)}),
        (lambda root: setattr(root, "selected", None), {(0, Fault.WRONG_PICK), (0, Fault.NO_CHOICE)}),
        (lambda root: set_child(root, 0, **over(64, "<won>"), children=[]), "ended"),
    ],
)
def test_a_planted_error_is_caught_where_it_is(change, expected):
    """Each kind at its node; what necessarily hangs on it is among the rest."""
    found = faults(planted(change), STATE)
    found = {(place, Fault(name)) for place, name in found}
    match expected:
        case "carried":
            assert (0, Fault.CARRIED_WRONG) in found
            assert found <= {(0, Fault.CARRIED_WRONG), (0, Fault.WRONG_VALUE), (0, Fault.WRONG_PICK)}
        case "fewer":
            assert (0, Fault.TOO_FEW_CHILDREN) in found
            assert found <= {(0, Fault.TOO_FEW_CHILDREN), (0, Fault.WRONG_VALUE), (0, Fault.WRONG_PICK)}
        case "ended":
            assert found == {(1, Fault.WRONG_END), (0, Fault.CARRIED_WRONG)}
        case _:
            assert found == expected


def test_a_move_that_cannot_be_made_is_told():
    """Into a column that is full in what the parent claims."""
    state = GAME.decode("X....../O....../X....../O....../X....../O...... X")
    trace = written(state, 1, 2)
    set_child(trace.root, 0, move=0)
    found = {(place, Fault(name)) for place, name in faults(trace, state)}
    assert {(1, Fault.ILLEGAL_MOVE), (1, Fault.UNLISTED_MOVE)} <= found


def test_a_search_of_another_size_than_asked_is_told():
    """The header and every node that is opened too far."""
    trace = written(STATE, 1, 3)
    assert faults(trace, STATE, asked=(1, 2)) == {
        (0, Fault.TOO_MANY_CHILDREN.value),
        (0, Fault.WRONG_HEADER.value),
    }
    assert (0, Fault.TOO_FEW_CHILDREN.value) in faults(trace, STATE, asked=(1, 4))


def test_what_is_no_search_is_kept_as_such():
    """Without a node, with what was wrong."""
    tree = no_tree((1, 3), "strict text: token 3")
    assert (tree.problem(), tree.nodes, tree.ended, tree.line) == (None, (), "strict text: token 3", ())
