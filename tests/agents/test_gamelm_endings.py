"""Exact values of chess endings: against what is published of them, against python-chess, and against themselves."""

from __future__ import annotations

from functools import cache

import chess
import numpy as np
import pytest

from stratarena.agents.gamelm.endings import DRAWN, ILLEGAL, IMAGES, KINDS, NOWHERE, QUEEN, ROOK, solved

PIECE = {QUEEN: chess.QUEEN, ROOK: chess.ROOK}
KRK_BLACK_TO_MOVE = (2796, 27, 78, 246, 81, 198, 471, 592, 683, 1433, 1712, 1985, 2854, 3597, 4194, 4553, 2166, 390)
"""Draws, then mates in 0, 1, … 16 moves: the class distribution of Bain and Hoff, *Chess (King-Rook vs. King)*, UCI Machine
Learning Repository (1994), over the 28,056 positions with Black to move that are no images of each other."""


def positions(kind, turn, n, seed):
    """Random positions that can be, the stronger side White: a board, and its three squares."""
    rng = np.random.default_rng(seed)
    table = solved(kind).strong if turn else solved(kind).lone
    squares = np.argwhere(table != ILLEGAL)
    for king, piece, lone in squares[rng.choice(len(squares), n, replace=False)].tolist():
        board = chess.Board.empty()
        board.set_piece_at(king, chess.Piece(chess.KING, chess.WHITE))
        board.set_piece_at(piece, chess.Piece(PIECE[kind], chess.WHITE))
        board.set_piece_at(lone, chess.Piece(chess.KING, chess.BLACK))
        board.turn = turn
        yield board, (king, piece, lone)


def distance(board):
    """What the tables hold of a board with White the stronger side."""
    men = {piece.piece_type: square for square, piece in board.piece_map().items() if piece.color}
    kind = next((kind for kind in KINDS if PIECE[kind] in men), None)
    if kind is None:
        return DRAWN
    table = solved(kind).strong if board.turn else solved(kind).lone
    return int(table[men[chess.KING], men[PIECE[kind]], board.king(chess.BLACK)])


@pytest.mark.parametrize(("kind", "moves"), [(QUEEN, 10), (ROOK, 16)])
def test_the_longest_mates_take_as_many_moves_as_is_published(kind, moves):
    """And every position with the stronger side to move is won."""
    found = solved(kind)
    assert (found.strong.max() + 1) // 2 == found.lone.max() // 2 == moves
    assert not (found.strong == DRAWN).any()


def test_king_and_rook_against_king_has_the_published_number_of_positions_of_every_length():
    """All 28,056 of them, one image for all."""
    table = solved(ROOK).lone
    squares = np.nonzero(table != ILLEGAL)
    names = np.stack([np.ravel_multi_index([goes[square] for square in squares], (64, 64, 64)) for goes in IMAGES])
    plain = names[0] == names.min(axis=0)
    plies, counts = np.unique(table[squares][plain], return_counts=True)
    assert plies.tolist() == [DRAWN, *range(0, 33, 2)]
    assert tuple(counts.tolist()) == KRK_BLACK_TO_MOVE


@pytest.mark.parametrize("kind", KINDS)
def test_a_position_and_its_images_take_equally_long(kind):
    """Under all eight symmetries, over the whole of both tables."""
    for table in (solved(kind).strong, solved(kind).lone):
        for goes in IMAGES:
            home = goes[:NOWHERE]
            assert (table[np.ix_(home, home, home)] == table).all()


@pytest.mark.parametrize("turn", [chess.WHITE, chess.BLACK], ids=["strong", "lone"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_distance_follows_from_those_after_the_moves_of_python_chess(kind, turn):
    """One more than the shortest of the stronger side, one more than the longest of the lone king, who draws if it can."""
    for board, squares in positions(kind, turn, 400, seed=1):
        assert board.is_valid()
        after = []
        for move in board.legal_moves:
            board.push(move)
            after.append(distance(board))
            board.pop()
        expected = DRAWN
        if board.is_checkmate():
            expected = 0
        elif turn and (won := [plies for plies in after if plies >= 0]):
            expected = 1 + min(won)
        elif not turn and after and DRAWN not in after:
            expected = 1 + max(after)
        assert distance(board) == expected, squares


@cache
def mates(fen, plies):
    """Whether the side to move mates within so many plies, by trying everything."""
    board = chess.Board(fen)
    for move in list(board.legal_moves):
        board.push(move)
        if board.is_checkmate():
            return True
        replies = []
        if plies > 1:
            for reply in list(board.legal_moves):
                board.push(reply)
                replies.append(board.fen())
                board.pop()
        board.pop()
        if replies and all(mates(after, plies - 2) for after in replies):
            return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_mates_in_two_are_those_that_trying_everything_finds(kind):
    """On random positions with the lone king at the edge, where such mates are."""
    found = {True: 0, False: 0}
    for board, (_, _, lone) in positions(kind, chess.WHITE, 500, seed=2):
        if chess.square_rank(lone) == 7:
            shortly = distance(board) <= 3
            assert mates(board.fen(), 3) is shortly
            found[shortly] += 1
    assert min(found.values()) >= 3


@pytest.mark.parametrize(
    ("fen", "plies"),
    [
        ("7k/8/6K1/8/8/8/8/R7 w - - 0 1", 1),
        ("7k/5Q2/6K1/8/8/8/8/8 b - - 0 1", DRAWN),
        ("7k/6Q1/6K1/8/8/8/8/8 b - - 0 1", 0),
        ("7k/6Q1/8/8/8/8/8/K7 b - - 0 1", DRAWN),
    ],
    ids=["mate at once", "stalemate", "mated", "takes the queen"],
)
def test_positions_that_anyone_can_check(fen, plies):
    """By looking."""
    assert distance(chess.Board(fen)) == plies
