"""Tactics by search alone: with a uniform prior and no opinion of any position, proven results find every forced win of two sets.

The sets are files beside this one, made and verified by `bench/make_tactics.py`: `tactics/mates_in_2.txt` exhaustively with
python-chess, `tactics/wins_in_3.txt` by the perfect solver bitbully.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import chess
import pytest

from stratarena.agents.search import Search, most_visits
from stratarena.agents.search_tree import ByRules, Evaluation, Settings
from stratarena.games.base import Move
from stratarena.games.connect_four import ConnectFour
from stratarena.games.fide_chess import Chess

FOLDER = Path(__file__).parent / "tactics"
SIMULATIONS_FOR_A_MATE = 15_000
SIMULATIONS_FOR_A_WIN = 6_000


def puzzles(name):
    """Positions with the moves that solve them."""
    rows = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    parts = (row.split(";") for row in rows if not row.startswith("#"))
    return [(position.strip(), moves.split()) for position, moves in parts]


MATES, WINS = puzzles("mates_in_2.txt"), puzzles("wins_in_3.txt")


def found(game, state, simulations):
    """The root's choice and whether its win is proven, after so many simulations at most."""
    world = ByRules(game)
    search = Search(world.open(state), world, settings=Settings(), rng=Random(0))
    even = Evaluation(0.5)
    search.run(lambda node: even, simulations)
    root = search.root
    return root.moves[most_visits(root)], root.result == (1.0 if root.first else 0.0)


def after(columns):
    game = ConnectFour()
    state = game.initial(Random(0))
    for column in columns:
        state = game.play(state, Move(column))
    return state


def test_the_sets_are_as_large_as_they_say_and_hold_no_position_twice():
    """At least 50 mates and 100 wins."""
    assert len({position for position, _ in MATES}) == len(MATES) >= 50
    assert len({position for position, _ in WINS}) == len(WINS) >= 100


def has_mate(board):
    for move in board.legal_moves:
        board.push(move)
        mate = board.is_checkmate()
        board.pop()
        if mate:
            return True
    return False


def forces_mate(board, move):
    """Whether every reply to a move, and there is one, can be answered by a mate."""
    board.push(move)
    replies = list(board.legal_moves)
    for reply in replies:
        board.push(reply)
        mate = has_mate(board)
        board.pop()
        if not mate:
            board.pop()
            return False
    board.pop()
    return bool(replies)


@pytest.mark.slow
@pytest.mark.parametrize(("fen", "solutions"), MATES)
def test_the_mates_of_the_set_are_mates_in_2(fen, solutions):
    """All moves and replies tried with python-chess: no mate at once, and exactly the stated first moves force one."""
    board = chess.Board(fen)
    assert not has_mate(board)
    assert sorted(move.uci() for move in board.legal_moves if forces_mate(board, move)) == sorted(solutions)


@pytest.mark.slow
def test_the_wins_of_the_set_are_wins_in_3_moves():
    """By the perfect solver: exactly the stated moves win, each with the third disc from here. 22 less its score is the disc."""
    bitbully = pytest.importorskip("bitbully")
    solver = bitbully.BitBully()
    for columns, solutions in WINS:
        board = bitbully.Board()
        for column in columns:
            assert board.play(int(column) - 1)
        scores = solver.score_all_moves(board)
        third = 22 - (len(columns) // 2 + 3)
        assert {str(column + 1): score for column, score in scores.items() if score > 0} == dict.fromkeys(
            solutions, third
        )


@pytest.mark.parametrize(("columns", "solutions"), WINS)
def test_every_win_in_three_moves_is_found(columns, solutions):
    """The chosen move is one that wins, and the win is proven."""
    move, proven = found(ConnectFour(), after(columns), SIMULATIONS_FOR_A_WIN)
    assert proven
    assert move in solutions


@pytest.mark.parametrize(("fen", "solutions"), MATES)
def test_every_mate_in_two_is_found(fen, solutions):
    """The chosen move is one that mates in 2, and the mate is proven."""
    move, proven = found(Chess(), Chess().decode(fen), SIMULATIONS_FOR_A_MATE)
    assert proven
    assert move in solutions
