"""Trees in which a model makes claims are compared with the rules by the arena, and recorded with what it found."""

from __future__ import annotations

from random import Random

import pytest

from stratarena.agents.base import Decision, Explored
from stratarena.agents.budget import Spend
from stratarena.agents.tree import NodeCheck, SearchTree, TreeKind, TreeNode
from stratarena.arena.events import Faulted, Searched
from stratarena.arena.testing import ScriptedAgent, play_one
from stratarena.arena.tree_check import checked_tree
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour

GAME = ConnectFour()
EMPTY = GAME.initial(Random(0))
EMPTY_TEXT = "......./......./......./......./......./....... X"
ONE = "......./......./......./......./......./...X... O"
TWO = "......./......./......./......./...O.../...X... X"


def tree_of(*nodes, kind=TreeKind.IMAGINED, whole=True, **more):
    depth = max((node.depth for node in nodes), default=0)
    return SearchTree(
        kind=kind, method="puct", simulations=3, n_nodes=len(nodes), depth=depth, nodes=nodes, whole=whole, **more
    )


def node(parent, move, depth, state=None, **more):
    return TreeNode(
        parent=parent, move=None if move is None else Move(move), depth=depth, state=state, visits=1, **more
    )


def checks(*nodes, state=EMPTY, seat=Seat.FIRST):
    return [found.check for found in checked_tree(tree_of(*nodes), GAME, state, seat).nodes]


def test_what_is_right_is_found_right_at_every_depth():
    """Legal moves to the positions that the rules give, no ending where there is none, every move listed or counted."""
    root, first, second = checks(node(None, None, 0, EMPTY_TEXT), node(0, "4", 1, ONE), node(1, "4", 2, TWO))
    assert root == NodeCheck(
        legal=None, legal_local=None, state_right=True, state_right_local=True, terminal_right=True, n_missed=6
    )
    right = {"legal": True, "legal_local": True, "state_right": True, "state_right_local": True, "terminal_right": True}
    assert first == NodeCheck(**right, n_missed=6)
    assert second == NodeCheck(**right, n_missed=None)


def test_an_error_is_local_once_and_global_from_there_on():
    """The child of a wrong position is right by its parent and wrong by the rules."""
    wrong = "......./......./......./......./......./..X.... O"
    follows = "......./......./......./......./..O..../..X.... X"
    _, first, second = checks(node(None, None, 0), node(0, "4", 1, wrong), node(1, "3", 2, follows))
    assert (first.legal, first.state_right, first.state_right_local) == (True, False, False)
    assert (second.legal, second.legal_local, second.state_right, second.state_right_local) == (True, True, False, True)


def test_nothing_is_said_of_positions_below_an_illegal_move():
    """Neither right nor wrong: the rules know no position there."""
    _, first, second = checks(node(None, None, 0), node(0, "8", 1, ONE), node(1, "4", 2, TWO))
    assert (first.legal, first.legal_local, first.state_right, first.terminal_right) == (False, False, None, None)
    assert (second.legal, second.legal_local, second.state_right) == (False, True, None)
    assert second.state_right_local is True


def test_a_text_that_is_no_position_is_a_wrong_position():
    """And what follows from it cannot be checked locally, only globally."""
    _, first, second = checks(node(None, None, 0), node(0, "4", 1, "a fine board"), node(1, "4", 2, TWO))
    assert (first.state_right, first.state_right_local) == (False, False)
    assert (second.legal, second.legal_local, second.state_right, second.state_right_local) == (True, None, True, None)


def test_the_end_of_the_game_must_be_claimed_where_it_is_with_its_result():
    """Missed, invented, with the wrong winner, or right."""
    state = EMPTY
    for move in "414141":
        state = GAME.play(state, move)
    won = {"terminal": True, "value": 1.0}
    lost = {"terminal": True, "value": -1.0}
    root = node(None, None, 0)
    assert checks(root, node(0, "4", 1, **won), state=state)[1].terminal_right is True
    assert checks(root, node(0, "4", 1, **lost), state=state)[1].terminal_right is False
    assert checks(root, node(0, "4", 1, **lost), state=state, seat=Seat.SECOND)[1].terminal_right is True
    assert checks(root, node(0, "4", 1), state=state)[1].terminal_right is False
    assert checks(root, node(0, "3", 1, **won), state=state)[1].terminal_right is False
    assert checks(root, node(0, "3", 1), state=state)[1].terminal_right is True


def test_trees_by_the_rules_come_back_as_they_are():
    """Nobody claimed anything."""
    tree = tree_of(node(None, None, 0), node(0, "4", 1), kind=TreeKind.EXTERNAL)
    assert checked_tree(tree, GAME, EMPTY, Seat.FIRST) is tree


@pytest.mark.parametrize(
    "tree",
    [
        tree_of(node(0, "4", 1)),
        tree_of(node(None, None, 0), node(None, "4", 1)),
        tree_of(node(None, None, 0), node(1, "4", 1)),
        tree_of(node(None, None, 0), node(0, "4", 2)),
        tree_of(node(None, None, 0, value=1.5)),
        tree_of(node(None, None, 0, prior=-0.1)),
        tree_of(node(None, None, 0), whole=False),
        tree_of(node(None, None, 0), value_after=float("nan")),
    ],
)
def test_a_tree_out_of_form_is_the_agents_fault(tree):
    """It forfeits, with the reason in the record."""
    with pytest.raises(ValueError, match="out of form"):
        checked_tree(tree, GAME, EMPTY, Seat.FIRST)

    def think(view):
        yield Explored(tree)
        return Decision(Move("4"))

    verdict, events = play_one(GAME, ScriptedAgent("a", think), ScriptedAgent.of_moves("b", []))
    assert verdict.reason == "agent_fault"
    assert any(isinstance(event.body, Faulted) and "out of form" in event.body.error for event in events)


def test_what_a_search_cost_is_measured_by_the_arena():
    """From the turn's beginning to the first search, then from search to search."""

    def think(view):
        view.game.play(view.state, "1")
        yield Explored(tree_of(node(None, None, 0), node(0, "9", 1)))
        view.game.play(view.state, "1")
        view.game.play(view.state, "2")
        yield Explored(tree_of(node(None, None, 0)))
        return Decision(Move("4"))

    _, events = play_one(GAME, ScriptedAgent("a", think), ScriptedAgent.of_moves("b", ["1"]))
    first, second = [event.body for event in events if isinstance(event.body, Searched)][:2]
    assert (first.spend.nodes, second.spend.nodes) == (1, 2)
    assert first.spend != Spend(nodes=1)
    assert first.tree.nodes[1].check.legal is False
