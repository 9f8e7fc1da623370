"""Minimax on the kernel's tree against a recursion written straight from its definition, with either judgment of leaves."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.search import Search
from stratarena.agents.search_minimax import minimax, widen
from stratarena.agents.search_tree import ByRules, Evaluation
from stratarena.games.base import Seat
from stratarena.games.connect_four import ConnectFour

GAME = ConnectFour()


def estimates(state, seed):
    """What is thought of each legal move, for the side to move; drawn by the position."""
    rng = Random(f"{seed}:{GAME.encode(state)}")
    return {move: rng.random() for move in GAME.legal_moves(state)}


def by_definition(state, depth, breadth, seed, *, both, told=None):
    """The value of a position for its side to move; `told` is what the parent thought of it, for that side."""
    outcome = GAME.outcome(state)
    if outcome is not None:
        return 0.5 if outcome.winner is None else float(outcome.winner is GAME.to_move(state))
    thought = estimates(state, seed)
    if depth == 0:
        best = max(thought.values())
        return best if told is None or not both else (best + told) / 2
    favoured = sorted(thought, key=thought.__getitem__, reverse=True)[:breadth]
    return max(
        1 - by_definition(GAME.play(state, move), depth - 1, breadth, seed, both=both, told=1 - thought[move])
        for move in favoured
    )


def searched(state, depth, breadth, seed, *, both):
    """The same by the kernel."""
    world = ByRules(GAME)
    search = Search(world.open(state), world, rng=Random(0))

    def supply(leaves):
        for leaf in leaves:
            thought = tuple(estimates(leaf.node.state, seed).values())
            search.supply(leaf, Evaluation(max(thought), thought, thought))
        return [leaf.node for leaf in leaves]

    frontier = supply(search.gather(1))
    for _ in range(depth):
        frontier = supply([leaf for node in frontier for leaf in widen(search, node, breadth)])
    return minimax(search.root, both=both)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 36), st.integers(0, 2), st.integers(1, 3), st.booleans())
def test_minimax_on_the_tree_is_minimax_by_its_definition(seed, plies, depth, breadth, both):
    """Over random positions, shapes and opinions; ended games are worth their result in either way."""
    rng, state = Random(seed), GAME.initial(Random(0))
    for _ in range(plies):
        after = GAME.play(state, rng.choice(GAME.legal_moves(state)))
        if GAME.outcome(after) is not None:
            break
        state = after
    value = searched(state, depth, breadth, seed, both=both)
    assert abs(value - by_definition(state, depth, breadth, seed, both=both)) < 1e-9


def test_two_judgments_change_what_a_leaf_is_worth_and_not_a_root_alone():
    """A search of depth 0 has nothing to take the middle of."""
    state = GAME.initial(Random(0))
    assert GAME.to_move(state) is Seat.FIRST
    assert searched(state, 0, 1, 5, both=True) == searched(state, 0, 1, 5, both=False)
    assert searched(state, 1, 3, 5, both=True) != searched(state, 1, 3, 5, both=False)
