"""The Hex player: every claim of proof against brute force, exact openings, and play that repeats."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba", reason="the hex extra is not installed")

import numpy as np

from stratarena.agents.base import AgentSpec
from stratarena.agents.conformance import check_agent
from stratarena.agents.engine_player import HexSearch
from stratarena.agents.engines.base import EngineError, EngineSpec, Query
from stratarena.agents.engines.hex_search.grid import Geometry, connects, from_state
from stratarena.agents.engines.hex_search.inferior import fill_in
from stratarena.agents.engines.hex_search.judge import Effort, assess
from stratarena.agents.engines.hex_search.proof import Prover, look
from stratarena.agents.engines.open import open_engine
from stratarena.arena.testing import play_one
from stratarena.games.base import Move, Seat
from stratarena.games.hex import SWAP, Hex

QUICK = Effort(simulations=50, proof_nodes=20)


@cache
def winner(cells: tuple[int, ...], size: int, to_move: int) -> int:
    """Who wins, by trying everything."""
    board = np.array(cells, np.int8)
    around = Geometry.of(size).around
    for colour in (1, 2):
        if connects(board, size, around, colour):
            return colour
    for cell, stone in enumerate(cells):
        if stone == 0 and winner((*cells[:cell], to_move, *cells[cell + 1 :]), size, 3 - to_move) == to_move:
            return to_move
    return 3 - to_move


@st.composite
def boards(draw: st.DrawFn) -> tuple[int, np.ndarray]:
    """Boards of size 2 to 4 with at most 9 empty cells, in any proportion of colours."""
    size = draw(st.integers(2, 4))
    n_empty = draw(st.integers(1, min(9, size * size)))
    order = draw(st.permutations(range(size * size)))
    board = np.zeros(size * size, np.int8)
    for cell in order[n_empty:]:
        board[cell] = draw(st.integers(1, 2))
    return size, board


@settings(max_examples=300)
@given(boards(), st.integers(1, 2))
def test_filling_in_changes_no_winner(case, to_move):
    """Dead and captured cells are what they are called."""
    size, board = case
    filled, _ = fill_in(board, *Geometry.of(size))
    assert winner(tuple(filled.tolist()), size, to_move) == winner(tuple(board.tolist()), size, to_move)


@settings(max_examples=400)
@given(boards(), st.integers(1, 2))
def test_what_connections_claim_is_so(case, to_move):
    """The winner, the winning move, and that every move outside the must-play region loses."""
    size, board = case
    cells = tuple(board.tolist())
    seen = look(board, to_move, Geometry.of(size), work=4000)
    if seen.winner is not None:
        assert winner(cells, size, to_move) == seen.winner
        if seen.key is not None:
            after = (*cells[: seen.key], to_move, *cells[seen.key + 1 :])
            assert winner(after, size, 3 - to_move) == to_move
        return
    for cell in range(size * size):
        if board[cell] == 0 and seen.board[cell] == 0 and not seen.must_play >> cell & 1:
            after = (*cells[:cell], to_move, *cells[cell + 1 :])
            assert winner(after, size, 3 - to_move) != to_move


@settings(max_examples=300)
@given(boards(), st.integers(1, 2))
def test_a_proof_agrees_with_trying_everything(case, to_move):
    """And names a move that wins."""
    size, board = case
    cells = tuple(board.tolist())
    proved, move = Prover(Geometry.of(size), nodes=10_000).prove(board, to_move)
    assert proved == winner(cells, size, to_move)
    if move is not None:
        assert proved == to_move
        after = (*cells[:move], to_move, *cells[move + 1 :])
        assert winner(after, size, 3 - to_move) == to_move


@settings(max_examples=300)
@given(boards(), st.integers(1, 2))
def test_all_winning_moves_are_those_of_trying_everything(case, to_move):
    """None is missing and none is too many, though most losing moves are settled by the refutation of another."""
    size, board = case
    cells = tuple(board.tolist())
    geometry = Geometry.of(size)
    if any(connects(board, size, geometry.around, colour) for colour in (1, 2)):
        return
    wins = {
        cell
        for cell, stone in enumerate(cells)
        if stone == 0 and winner((*cells[:cell], to_move, *cells[cell + 1 :]), size, 3 - to_move) == to_move
    }
    assert Prover(geometry, nodes=10_000).winning_moves(board, to_move) == tuple(sorted(wins))


def test_winning_moves_are_not_told_where_the_nodes_do_not_suffice():
    """None instead of some of them."""
    assert Prover(Geometry.of(6), nodes=3).winning_moves(np.zeros(36, np.int8), 1) is None


def winning_openings(size: int) -> str:
    """Which first moves win, row by row: X wins, . loses."""
    prover = Prover(Geometry.of(size), nodes=100_000)
    rows = []
    for row in range(size):
        marks = ""
        for column in range(size):
            board = np.zeros(size * size, np.int8)
            board[size * row + column] = 1
            proved = prover.winner(board, 2)
            assert proved is not None
            marks += "X" if proved == 1 else "."
        rows.append(marks)
    return "/".join(rows)


def test_every_opening_of_3x3_is_what_trying_everything_says():
    """No published table is needed."""
    by_force = ""
    for cell in range(9):
        by_force += "X" if winner(tuple(1 if at == cell else 0 for at in range(9)), 3, 2) == 1 else "."
    assert winning_openings(3).replace("/", "") == by_force


@pytest.mark.parametrize(
    ("size", "table"),
    [
        (2, ".X/X."),
        (3, "..X/XXX/X.."),
        (4, "...X/..X./.X../X..."),
        (5, "....X/.XXXX/.XXX./XXXX./X...."),
    ],
)
def test_the_winning_openings_are_the_known_ones(size, table):
    """The short diagonal always wins; on 4x4 nothing else does. Turning the board half round changes nothing."""
    assert winning_openings(size) == table
    assert table == table[::-1]
    if size == 5:
        page = (Path(__file__).parents[2] / "docs" / "hex.md").read_text(encoding="utf-8")
        assert table.replace("/", "\n") in page


def test_the_centre_wins_on_7x7_by_proof_of_most_replies():
    """The opening that is known to win is judged best after a reply in the corner, and proved."""
    game = Hex(7)
    state = game.initial(Random(0))
    for move in ("d4", "a1"):
        state = game.play(state, Move(move))
    found = assess(game, state, effort=Effort(simulations=200, proof_nodes=300), seed=1)
    assert found.winner is Seat.FIRST
    assert found.value == 1.0


@settings(max_examples=25)
@given(st.integers(2, 13), st.booleans(), st.integers(0, 2**32), st.integers(0, 30))
def test_every_answer_is_legal_and_comes_again(size, swap, seed, plies):
    """On boards beyond the masks too, where connections are not looked for."""
    game, rng = Hex(size, swap), Random(seed)
    state = game.initial(rng)
    for _ in range(plies):
        if game.outcome(state) is not None:
            return
        state = game.play(state, rng.choice(game.legal_moves(state)))
    if game.outcome(state) is not None:
        return
    found = assess(game, state, effort=QUICK, seed=seed)
    assert found == assess(game, state, effort=QUICK, seed=seed)
    ahead = state
    for move in found.line:
        ahead = game.play(ahead, move)
    assert found.line[0] == found.best
    assert {each.move for each in found.moves} == set(game.legal_moves(state)) - {SWAP}
    assert -1.0 <= found.value <= 1.0


def test_a_win_in_sight_is_played_and_a_loss_is_known():
    """Two bridges from edge to edge cannot be cut."""
    game = Hex(5)
    state = game.decode("...../..X../...../...../....O X")
    found = assess(game, state, effort=QUICK, seed=1)
    assert found.winner is Seat.FIRST
    engine = open_engine(EngineSpec(kind="hex_search"))
    line = engine.consult(Query(game="hex(size=3)", start=".../.../... X", moves=(), seed=3))
    assert (line.move, line.value) == ("b2", 1.0)
    assert line.score is not None
    assert line.score.startswith("proved win")
    lost = engine.consult(Query(game="hex(size=3)", start=".../.../... X", moves=(Move("b2"),), seed=3))
    assert lost.value == -1.0


def test_a_strong_opening_is_swapped_and_a_weak_one_is_not():
    """By proof on 5x5."""
    game = Hex(5, True)
    start = game.initial(Random(0))
    assert assess(game, game.play(start, Move("c3")), effort=QUICK, seed=1).best == SWAP
    assert assess(game, game.play(start, Move("a1")), effort=QUICK, seed=1).best != SWAP


def test_under_the_swap_rule_the_first_move_is_no_gift():
    """Not the centre, which would be taken over."""
    game = Hex(7, True)
    first = assess(game, game.initial(Random(0)), effort=Effort(simulations=3000), seed=1)
    assert first.best not in ("d4", "c4", "d3", "e4", "d5")
    assert abs(first.value) < 0.3


@pytest.mark.parametrize("game", [Hex(4), Hex(4, True)], ids=lambda game: game.id)
def test_the_agent_keeps_the_promises_of_agents(game):
    """As every agent."""
    check_agent(lambda: HexSearch(AgentSpec("h", "hex_search", {"simulations": 30})), game)


def test_the_player_beats_a_random_one():
    """From both seats."""
    from stratarena.agents.baselines import Random as RandomAgent
    from stratarena.arena.engine_room import EngineRoom

    ours = HexSearch(AgentSpec("h", "hex_search", {"simulations": 50}))
    other = RandomAgent(AgentSpec("r", "random"))
    for seat, players in ((Seat.FIRST, (ours, other)), (Seat.SECOND, (other, ours))):
        verdict, _ = play_one(Hex(6), *players, engines=EngineRoom(open_engine, workers=1), seed=5)
        assert verdict.winner is seat


def test_without_numba_the_extra_is_named(monkeypatch):
    """One line that says what to install."""
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [name for name in sys.modules if name.startswith("stratarena.agents.engines.hex_search")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(EngineError, match=r"pip install 'stratarena\[hex\]'"):
        open_engine(EngineSpec(kind="hex_search"))


def test_a_board_is_read_as_the_rules_hold_it():
    """Cell by cell."""
    game = Hex(3)
    assert from_state(game, game.decode("X../.O./..X O")).tolist() == [1, 0, 0, 0, 2, 0, 0, 0, 1]
