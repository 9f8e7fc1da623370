"""The search kernel: whole trees as stored, proven results, virtual tries, dead moves, transpositions, ties."""

from __future__ import annotations

import json
import os
from math import isclose
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.evaluators import Rollouts, Spot
from stratarena.agents.search import Search, best_mean, most_visits, secure
from stratarena.agents.search_record import tree_of
from stratarena.agents.search_tree import ByRules, Evaluation, Opened, Settings
from stratarena.agents.tree import TreeKind
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.fide_chess import Chess
from stratarena.games.hex import Hex

GOLDEN = Path(__file__).parents[1] / "golden" / "searches.json"
C4 = ConnectFour()
HEX = Hex(size=3)


def position(game, *moves):
    state = game.initial(Random(0))
    for move in moves:
        state = game.play(state, Move(move))
    return state


def searching(game, state, *, seed=1, transposing=False, **settings):
    world = ByRules(game)
    chosen = Settings(transpositions=transposing, **settings)
    return Search(world.open(state), world, settings=chosen, rng=Random(seed), key=game.digest)


def even(node):
    return Evaluation(0.5)


def rolled(game, seed):
    rollouts, rng = Rollouts(), Random(seed)

    def evaluate(node):
        seat = Seat.FIRST if node.first else Seat.SECOND
        return Evaluation(rollouts.value(game, Spot(node.state, seat, (), ()), rng))

    return evaluate


def centre_first(node):
    """A made-up model of Connect Four: the nearer the centre, the better, for whoever is to move."""
    moves = C4.legal_moves(node.state)
    values = tuple(0.5 + 0.05 * (3 - abs(int(move) - 4)) for move in moves)
    total = sum(values)
    return Evaluation(max(values), tuple(value / total for value in values), values)


def told(search, seat=Seat.FIRST):
    """A tree as a person can read it."""
    tree = tree_of(search, seat=seat, kind=TreeKind.EXTERNAL, whole=True, ended="simulations", first_move=None)
    return {
        "simulations": tree.simulations,
        "nodes": tree.n_nodes,
        "depth": tree.depth,
        "value": None if tree.value_after is None else round(tree.value_after, 9),
        "line": " ".join(tree.line),
        "tree": [
            f"{'  ' * node.depth}{node.move or 'root'} n={node.visits} v={node.value:+.6f}{' proven' * node.proven}"
            for node in tree.nodes
        ],
    }


CASES = {
    "connect four, puct, rollouts": lambda: (searching(C4, position(C4, *"4455")), rolled(C4, 3), 40),
    "connect four, uct, rollouts": lambda: (searching(C4, position(C4), selection="uct", c=1.0), rolled(C4, 3), 40),
    "connect four, puct, a model of the centre": lambda: (searching(C4, position(C4)), centre_first, 40),
    "connect four, puct, own estimates": lambda: (searching(C4, position(C4), first_play=None), centre_first, 40),
    "connect four, puct, noise at the root": lambda: (
        searching(C4, position(C4), noise_share=0.25), centre_first, 20),
    "connect four, a win in one": lambda: (searching(C4, position(C4, *"414141")), even, 40),
    "hex 3x3, puct, solved": lambda: (searching(HEX, position(HEX, "b2")), even, 400),
    "hex 3x3, transpositions": lambda: (searching(HEX, position(HEX), transposing=True), even, 60),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_whole_searches_are_reproduced_exactly(name):
    """Golden trees, reviewed by eye; set UPDATE_GOLDEN=1 to write them anew after a change that was meant."""
    search, evaluate, simulations = CASES[name]()
    search.run(evaluate, simulations)
    found = told(search)
    stored = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("UPDATE_GOLDEN"):
        stored[name] = found
        GOLDEN.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == stored[name]


@settings(max_examples=30, deadline=None)
@given(moves=st.lists(st.integers(0, 6), max_size=20), seed=st.integers(0, 99), n=st.integers(1, 60))
def test_visits_add_up_and_means_stay_in_range(moves, seed, n):
    """From any position: a node was visited once more than its moves together, and every mean is a value."""
    state = C4.initial(Random(0))
    for choice in moves:
        legal = C4.legal_moves(state)
        if legal:
            state = C4.play(state, legal[choice % len(legal)])
    if C4.outcome(state) is not None:
        return
    search = searching(C4, state, seed=seed)
    search.run(rolled(C4, seed), n)
    assert search.simulations == n or search.is_over
    for node in search.nodes():
        if node.moves is not None and not node.terminal:
            assert node.n == 1 + sum(node.visits)
            assert all(0 <= node.mean(i) <= 1 for i in range(len(node.visits)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), batch=st.integers(2, 9), n=st.integers(1, 50))
def test_batches_leave_no_virtual_tries_behind(seed, batch, n):
    """Whatever the size of the batches: every simulation is counted once, and nothing waits any more."""
    search = searching(C4, position(C4, *"44"), seed=seed)
    while search.simulations < n and not search.is_over:
        for leaf in search.gather(min(batch, max(n - search.simulations, 1))):
            search.supply(leaf, centre_first(leaf.node))
    assert search.simulations == n
    assert search.root.n == 1 + n
    assert all(node.virtual is None and node.pending is None for node in search.nodes())


def test_virtual_tries_are_halved_towards_the_root_and_kept_at_their_least():
    """mav 3.7: 8 at the leaf, then 4, 2, 2 where the least is 2; two waiting leaves add up where they meet."""
    search = searching(C4, position(C4), virtual_max=8, virtual_min=2)
    search.run(centre_first, 300)
    leaves = search.gather(2)
    path = leaves[0].paths[0]
    alone = [path[-1 - up] for up in range(len(path))]
    counts = [node.virtual[i] for node, i in alone]
    expected = [max(2, 8 >> up) for up in range(len(path))]
    shared = [sum((node, i) in other for leaf in leaves for other in leaf.paths) for node, i in alone]
    assert len(path) >= 3
    assert all(count >= least for count, least in zip(counts, expected, strict=True))
    assert [c for c, s in zip(counts, shared, strict=True) if s == 1] == [
        e for e, s in zip(expected, shared, strict=True) if s == 1
    ]
    assert sum(search.root.virtual) == sum(max(2, 8 >> (len(leaf.paths[0]) - 1)) for leaf in leaves)


def test_a_batch_that_meets_itself_expands_a_leaf_once_and_counts_both():
    """One legal move: every descent of the batch ends in the same leaf."""

    class Corridor:
        def enter(self, state, move):
            return Opened(state + 1, True, None)

        def moves(self, state):
            return (Move("on"),)

    search = Search(Opened(0, True, None), Corridor(), rng=Random(0))
    (root,) = search.gather(4)
    search.supply(root, Evaluation(0.5))
    (leaf,) = search.gather(3)
    search.supply(leaf, Evaluation(1.0))
    assert (search.simulations, search.n_nodes, search.root.visits, search.root.totals) == (3, 2, [3], [3.0])


def test_proven_results_decide_and_end_the_search():
    """A win in one is found and proven; a lost position is proven by all its moves."""
    search = searching(C4, position(C4, *"414141"))
    search.run(even, 200)
    assert search.root.result == 1.0
    assert search.root.moves[most_visits(search.root)] == "4"
    # FIRST has two open ends of three in the bottom row: SECOND is to move and cannot stop both.
    lost = searching(C4, position(C4, *"33445"))
    lost.run(even, 3000)
    assert lost.root.result == 1.0
    assert lost.simulations < 3000


def test_without_solving_nothing_is_proven_but_the_end_itself():
    """The option leaves only means."""
    search = searching(C4, position(C4, *"414141"), solve=False)
    search.run(even, 100)
    assert search.root.result is None
    assert search.root.moves[most_visits(search.root)] == "4"


def test_a_move_that_nobody_can_tell_about_is_given_up():
    """It keeps its simulation, is never tried again and never chosen; a root without any other move ends the search."""
    search = searching(C4, position(C4))
    for leaf in search.gather(1):
        search.supply(leaf, centre_first(leaf.node))
    dead = []
    for _ in range(30):
        for leaf in search.gather(1):
            gone = leaf.node.depth == 1 and leaf.node.move in ("4", "3")
            dead += [leaf.node.move] * gone
            search.supply(leaf, None if gone else centre_first(leaf.node))
    assert sorted(dead) == ["3", "4"]
    assert search.root.moves[most_visits(search.root)] not in ("3", "4")
    other = searching(C4, position(C4))
    for leaf in other.gather(1):
        other.supply(leaf, centre_first(leaf.node))
    while not other.is_over:
        for leaf in other.gather(1):
            other.supply(leaf, None)
    assert other.simulations == 7
    assert other.root.result is None


def test_transpositions_share_a_node():
    """Two orders of the same two moves lead to one node; the results of both ways are counted in it."""
    apart, together = searching(C4, position(C4)), searching(C4, position(C4), transposing=True)
    for search in (apart, together):
        search.run(even, 300)
    shared, alone = ([C4.digest(node.state) for node in search.nodes()] for search in (together, apart))
    assert len(shared) == len(set(shared)) == together.n_nodes == 301
    assert len(set(alone)) < len(alone) == 301


def test_no_move_is_favoured_by_its_place_in_the_list():
    """With equal priors and values, which move is tried first depends on the seed only: all come up about as often."""
    firsts = []
    for seed in range(700):
        search = searching(C4, position(C4), seed=seed)
        search.run(even, 1)
        firsts.append(search.root.moves[0])
    assert all(60 <= firsts.count(move) <= 140 for move in C4.legal_moves(position(C4)))


def test_root_choices_differ_as_they_say():
    """Most visits, highest mean, highest lower bound; a proven win before all, a proven loss after all."""
    search = searching(C4, position(C4))
    search.run(centre_first, 1)
    root = search.root
    root.visits, root.totals = [100, 4, 40], [55.0, 3.2, 24.0]
    root.children = root.children * 3
    root.proofs = None
    assert (most_visits(root), best_mean(root), secure(root)) == (0, 1, 0 if 0.55 - 0.1 > 0.6 - 1 / 40**0.5 else 2)
    root.proofs = [0.0, None, 1.0]
    assert most_visits(root) == best_mean(root) == secure(root) == 2
    root.proofs = [0.0, None, None]
    assert most_visits(root) == 2


def test_the_value_of_a_position_is_told_for_the_seat_that_searches():
    """The same tree, told for FIRST and for SECOND, has mirrored values at every depth."""
    search = searching(C4, position(C4, *"4"))
    search.run(rolled(C4, 1), 60)
    trees = [
        tree_of(search, seat=seat, kind=TreeKind.EXTERNAL, whole=True, ended="simulations", first_move=None)
        for seat in Seat
    ]
    assert all(isclose(a.value, -b.value, abs_tol=1e-12) for a, b in zip(trees[0].nodes, trees[1].nodes, strict=True))
    assert trees[0].problem() is None


def test_chess_is_searched_as_well():
    """A game with many moves, through the same door: mate in one is proven."""
    game = Chess()
    search = searching(game, game.decode("6k1/5ppp/8/8/8/8/8/R3K3 w - - 0 1"))
    search.run(even, 60)
    assert search.root.moves[most_visits(search.root)] == "a1a8"
    assert search.root.result == 1.0
