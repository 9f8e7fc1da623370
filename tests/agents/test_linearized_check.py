"""The check by the rules: a classical searcher's trees are faultless, and each planted error is caught exactly."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.linearized.check import Asked, Fault, check_trace
from stratarena.agents.linearized.notation import read_state, write_state
from stratarena.agents.linearized.parser import parse_trace
from stratarena.agents.linearized.record import tree_of
from stratarena.agents.linearized.searcher import example_trace, placement, search_trace
from stratarena.agents.linearized.trace import Backup, MoveValue, Trace, TraceNode, print_trace
from stratarena.agents.tree import TreeKind
from stratarena.arena.tree_check import checked_tree
from stratarena.games.base import PositionError, Seat
from stratarena.games.plugins import load_game

GAMES = ("connect_four", "hex(size=3)", "hex(size=5)", "hex(size=4, swap=true)", "chess", "chess960")
HEX = load_game("hex(size=3)")


def random_position(game, rng):
    """A position of random play in which the game is not over."""
    states = [game.initial(rng)]
    for _ in range(rng.randrange(40)):
        if game.outcome(states[-1]) is None:
            states.append(game.play(states[-1], rng.choice(game.legal_moves(states[-1]))))
    return next(state for state in reversed(states) if game.outcome(state) is None)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(GAMES), st.integers(0, 2**32), st.integers(0, 2), st.integers(1, 3), st.booleans())
def test_a_classical_searchers_own_trace_is_faultless_through_print_and_parse(name, seed, depth, breadth, fen):
    """100 % legality, state accuracy, endings, minimax consistency, size and faithfulness, in every game."""
    game = load_game(name)
    state = random_position(game, Random(seed))
    form = "notation" if fen else "fields"
    # The form is what is tested: any fixed opinion will do for an evaluation.
    trace = search_trace(
        game, state, depth=depth, breadth=breadth, evaluate=lambda at: len(game.encode(at)) * 7 % 101, form=form
    )
    again = parse_trace(print_trace(trace))
    assert again == trace
    check = check_trace(game, state, again, asked=Asked(name, depth, breadth))
    assert check.faultless
    assert check.size_right and check.choice_legal and check.choice_faithful
    assert check.n_valid == len(trace.nodes)
    for node in check.nodes:
        assert node.state_local and node.state_global and node.end_right and node.backup_right
        assert node.legal_local is not False and node.legal_global is not False
        assert node.value_off == 0
        assert node.listed == node.listed_legal


@pytest.mark.parametrize("name", GAMES)
def test_examples_come_from_other_positions_and_are_faultless(name):
    """Never the position at hand, several examples from several positions, always the same ones."""
    game = load_game(name)
    first = example_trace(name, 0, depth=1, breadth=2, form="fields", without="")
    here = placement(game.encode(read_state(game, first.nodes[0].state)))
    other = example_trace(name, 0, depth=1, breadth=2, form="fields", without=here)
    second = example_trace(name, 1, depth=1, breadth=2, form="fields", without="")
    roots = {trace.nodes[0].state for trace in (first, other, second)}
    assert len(roots) == 3
    for trace in (first, other, second):
        state = read_state(game, trace.nodes[0].state)
        assert check_trace(game, state, trace, asked=Asked(name, 1, 2)).faultless


# A tree by hand: X joins top and bottom, O left and right. X. . / . O . / . . .
ROOT = HEX.decode("X../.O./... X")
ASKED = Asked("hex(size=3)", 2, 2)


def node(parent, move, state, moves="", back="", value=50, pick=None, end=None):
    def read(text):
        return tuple(
            MoveValue(*(kind(part) for kind, part in zip((str, int), each.split(":"), strict=True)))
            for each in text.split()
        )

    return TraceNode(
        parent=parent,
        move=move,
        state=state,
        moves=read(moves),
        end=end,
        backup=Backup(moves=read(back), value=value, pick=pick),
    )


GOOD = Trace(
    *ASKED,
    (
        node(None, None, "X../.O./... X", "a2:60 b1:55", "a2:30 b1:80", 80, "b1"),
        node(0, "a2", "X../XO./... O", "a3:70 b3:40", "a3:60 b3:70", 70, "b3"),
        node(1, "a3", "X../XO./O.. X", "b1:40", "", 40, "b1"),
        node(1, "b3", "X../XO./.O. X", "a3:30", "", 30, "a3"),
        node(0, "b1", "XX./.O./... O", "c1:20 a2:15", "c1:20 a2:10", 20, "c1"),
        node(4, "c1", "XXO/.O./... X", "a2:80", "", 80, "a2"),
        node(4, "a2", "XX./OO./... X", "c1:90", "", 90, "c1"),
    ),
    "b1",
)


def check(trace, asked=ASKED):
    return check_trace(HEX, ROOT, trace, asked=asked)


def faults(trace, asked=ASKED):
    """Everything that is wrong: the number of the node, or None for the whole trace, with the fault."""
    found = check(trace, asked)
    return {(number, fault) for number, each in enumerate(found.nodes) for fault in each.faults} | {
        (None, fault) for fault in found.faults
    }


def planted(number, **changes):
    """The good tree with one node changed."""
    backup = {key: changes.pop(key) for key in ("back", "value", "pick") if key in changes}
    nodes = list(GOOD.nodes)
    if backup:
        if "back" in backup:
            backup["moves"] = backup.pop("back")
        changes["backup"] = replace(nodes[number].backup, **backup)
    nodes[number] = replace(nodes[number], **changes)
    return replace(GOOD, nodes=tuple(nodes))


def test_the_tree_by_hand_is_faultless():
    """What the planted errors are planted in, read from its own text."""
    assert faults(parse_trace(print_trace(GOOD))) == set()


LISTED = (MoveValue("a2", 60), MoveValue("b1", 55))


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        # A leaf's position is one that its move does not lead to.
        (planted(2, state="X../XO./.O. X"), {(2, Fault.WRONG_STATE)}),
        (planted(3, state="X../XO./ X"), {(3, Fault.UNREADABLE_STATE)}),
        # The slip of a parent is its own; children that follow from what it claims are locally right.
        (planted(0, state="X../..O/... X"), {(0, Fault.WRONG_STATE), (1, Fault.WRONG_STATE), (4, Fault.WRONG_STATE)}),
        (planted(5, moves=(MoveValue("c1", 80),), pick="c1"), {(5, Fault.ILLEGAL_LISTING)}),
        (planted(5, moves=(MoveValue("a2", 80), MoveValue("a2", 70))), {(5, Fault.ILLEGAL_LISTING)}),
        (planted(5, end="O", moves=(), value=0, pick=None), {(5, Fault.WRONG_END), (4, Fault.CARRIED_WRONG)}),
        # Sign error: the child's value carried up without being turned round.
        (planted(1, back=(MoveValue("a3", 40), MoveValue("b3", 70))), {(1, Fault.CARRIED_WRONG)}),
        (planted(1, back=(MoveValue("b3", 70),)), {(1, Fault.CARRIED_WRONG)}),
        (planted(1, back=()), {(1, Fault.CARRIED_WRONG), (1, Fault.WRONG_PICK)}),
        (planted(2, value=41), {(2, Fault.WRONG_VALUE), (1, Fault.CARRIED_WRONG)}),
        (planted(0, value=30), {(0, Fault.WRONG_VALUE)}),
        (planted(0, pick="a2"), {(0, Fault.WRONG_PICK), (None, Fault.UNFAITHFUL_CHOICE)}),
        (planted(2, pick="c3"), {(2, Fault.WRONG_PICK)}),
        (planted(2, pick=None), {(2, Fault.WRONG_PICK)}),
        (planted(0, moves=(MoveValue("a2", 60), MoveValue("c3", 55))), {(4, Fault.UNLISTED_MOVE)}),
        (
            planted(6, move="a1"),
            {(6, Fault.ILLEGAL_MOVE), (6, Fault.UNLISTED_MOVE), (4, Fault.CARRIED_WRONG)},
        ),
        (replace(GOOD, play="a2"), {(None, Fault.UNFAITHFUL_CHOICE)}),
        (replace(GOOD, play="a1"), {(None, Fault.UNFAITHFUL_CHOICE), (None, Fault.ILLEGAL_CHOICE)}),
        (replace(GOOD, play=None), {(None, Fault.NO_CHOICE)}),
        (replace(GOOD, depth=1), {(None, Fault.WRONG_HEADER)}),
        (replace(GOOD, game="hex(size=4)"), {(None, Fault.WRONG_HEADER)}),
        # One child too few at node 4, and what was carried for it hangs in the air.
        (replace(GOOD, nodes=GOOD.nodes[:-1]), {(4, Fault.TOO_FEW_CHILDREN), (4, Fault.CARRIED_WRONG)}),
        (
            replace(GOOD, nodes=(*GOOD.nodes, node(6, "c1", "XXX/OO./... O", "a3:1", "", 1, "a3"))),
            {(6, Fault.TOO_MANY_CHILDREN), (6, Fault.CARRIED_WRONG)},
        ),
        (planted(5, backup=None), {(5, Fault.NOT_LEFT), (4, Fault.CARRIED_WRONG)}),
    ],
)
def test_a_planted_error_is_caught_where_it_is_and_nowhere_else(trace, expected):
    """Exactly the planted faults, each at its node; what necessarily hangs on one is listed with it."""
    assert faults(trace) == expected


def test_a_tree_of_another_size_than_asked_is_told():
    """Asked for depth 1 and breadth 1, a good tree of depth 2 and breadth 2 is too deep and too broad."""
    smaller = Asked(ASKED.game, 1, 1)
    assert faults(GOOD, smaller) == {
        (None, Fault.WRONG_HEADER),
        (0, Fault.TOO_MANY_CHILDREN),
        (1, Fault.TOO_MANY_CHILDREN),
        (4, Fault.TOO_MANY_CHILDREN),
    }
    assert not check(GOOD, smaller).size_right
    assert check(GOOD).size_right


def test_a_slip_that_is_carried_on_is_global_below_and_local_only_where_it_was_made():
    """Node 1 puts X on c1 instead of a2; its children follow from that."""
    slip = planted(1, state="X.X/.O./... O")
    slip = replace(slip, nodes=(*slip.nodes[:2], replace(slip.nodes[2], state="X.X/.O./O.. X"), *slip.nodes[3:]))
    found = check(slip)
    assert [each.state_local for each in found.nodes[:3]] == [True, False, True]
    assert [each.state_global for each in found.nodes[:3]] == [True, False, False]
    assert {fault for fault in faults(slip) if fault[1] is Fault.WRONG_STATE} == {
        (1, Fault.WRONG_STATE),
        (3, Fault.WRONG_STATE),
    }
    assert [each.valid for each in found.nodes] == [True, False, False, True, True, True, True]


def test_a_finished_game_is_worth_its_result_to_the_side_whose_turn_it_would_be():
    """The loser's view: 0; a stated win for the side to move is wrong by 100 points."""
    state = HEX.decode("XO./XO./... X")
    asked = Asked("hex(size=3)", 1, 1)
    end = node(0, "a3", "XO./XO./X.. O", value=0, end="X")
    good = Trace(*asked, (node(None, None, "XO./XO./... X", "a3:99", "a3:100", 100, "a3"), end), "a3")
    assert check_trace(HEX, state, good, asked=asked).faultless
    wrong = replace(good, nodes=(good.nodes[0], replace(end, backup=Backup(value=100))))
    found = check_trace(HEX, state, wrong, asked=asked)
    assert found.nodes[1].faults == (Fault.WRONG_VALUE,)
    assert found.nodes[1].value_off == 100
    denied = replace(good, nodes=(good.nodes[0], node(0, "a3", "XO./XO./X.. O", "b3:0", "", 0, "b3")))
    assert check_trace(HEX, state, denied, asked=asked).nodes[1].faults == (Fault.WRONG_END,)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(GAMES), st.integers(0, 2**32), st.data())
def test_the_arenas_own_check_of_the_recorded_tree_agrees(name, seed, data):
    """Two checkers, one of text and one of the record, say the same of legality and positions, also of broken trees."""
    game = load_game(name)
    rng = Random(seed)
    state = random_position(game, rng)
    trace = search_trace(game, state, depth=2, breadth=2, evaluate=lambda at: 37)
    nodes = list(trace.nodes)
    for number in data.draw(st.lists(st.integers(0, len(nodes) - 1), max_size=3)):
        elsewhere = random_position(game, rng)
        nodes[number] = replace(
            nodes[number], state=data.draw(st.sampled_from([write_state(game, elsewhere), "nonsense"]))
        )
    broken = replace(trace, nodes=tuple(nodes))
    asked = Asked(name, 2, 2)
    found = check_trace(game, state, broken, asked=asked)
    seat = game.to_move(state)
    tree = checked_tree(tree_of(game, broken, found, asked=asked, seat=seat, ended="complete"), game, state, seat)
    assert tree.kind is TreeKind.INTERNAL and tree.n_nodes == len(nodes)
    for ours, theirs in zip(found.nodes, tree.nodes, strict=False):
        assert theirs.check is not None
        assert (theirs.check.legal, theirs.check.legal_local) == (ours.legal_global, ours.legal_local)
        assert theirs.check.state_right == ours.state_global
        assert theirs.check.state_right_local == ours.state_local


def test_the_recorded_tree_holds_values_for_the_seat_that_searches():
    """By hand: per cent of the mover at each depth becomes -1 to 1 of the root's mover; listed moves have no visits."""
    tree = tree_of(HEX, GOOD, check(GOOD), asked=ASKED, seat=Seat.FIRST, ended="complete")
    assert tree.problem() is None
    assert (tree.first_move, tree.value_before, tree.value_after) == ("a2", 0.2, 0.6)
    assert tree.line == ("b1", "c1", "a2")
    assert (tree.n_nodes, tree.depth, tree.method) == (7, 2, "linearized(depth=2, breadth=2)")
    assert [(each.move, each.estimate, each.value) for each in tree.nodes[:4]] == [
        (None, 0.2, 0.6),
        ("a2", 0.2, -0.4),
        ("a3", -0.4, -0.2),
        ("b3", 0.2, -0.4),
    ]
    assert [(each.parent, each.move, each.visits, each.value) for each in tree.nodes[7:]] == [
        (2, "b1", 0, None),
        (3, "a3", 0, None),
        (5, "a2", 0, None),
        (6, "c1", 0, None),
    ]
    assert {each.problem for each in tree.nodes} == {None}
    wrong = planted(2, value=41)
    told = tree_of(
        HEX, replace(wrong, play="a2"), check(replace(wrong, play="a2")), asked=ASKED, seat=Seat.FIRST, ended="x"
    )
    assert [each.problem for each in told.nodes[:3]] == ["unfaithful_choice", "carried_wrong", "wrong_value"]


@pytest.mark.parametrize("name", GAMES)
def test_positions_survive_both_forms(name):
    """Written and read back it is the same position; chess has 64 fields, one symbol each."""
    game = load_game(name)
    rng = Random(7)
    for _ in range(20):
        state = random_position(game, rng)
        for form in ("fields", "notation"):
            assert game.encode(read_state(game, write_state(game, state, form))) == game.encode(state)
    if name.startswith("chess"):
        assert {len(rank) for rank in write_state(game, state).split(" ", maxsplit=1)[0].split("/")} == {8}
        with pytest.raises(PositionError):
            read_state(game, write_state(game, state).replace("/", "./", 1))
