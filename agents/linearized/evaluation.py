"""Quick classical values of positions, for the searches that a model is shown as examples: good enough to teach the form.

A value is whole per cent, 0 to 100, of the chance to win for the side to move; each is a function of the position alone,
so that an example is the same whenever it is made.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import chess

from stratarena.games.base import Game, Seat
from stratarena.games.fide_chess import Position as ChessPosition
from stratarena.games.hex import Hex

__all__ = ["Evaluate", "evaluation_of"]

Evaluate = Callable[[Any], int]
"""From a position in which the game is not over to a value."""

_ROLLOUTS = 16
_PIECES = {chess.PAWN: 100, chess.KNIGHT: 305, chess.BISHOP: 333, chess.ROOK: 563, chess.QUEEN: 950, chess.KING: 0}
_CENTIPAWN = 0.00368208
"""The slope of Lichess's curve from centipawns to chances (lichess.org/page/accuracy)."""
_STONE = 0.5
"""Logits that a stone less to the goal is worth in Hex; rough, by choice."""


def evaluation_of(game: Game[Any]) -> Evaluate:
    """Material in chess, distances between the edges in Hex, random playouts in every other game."""
    name = game.id.partition("(")[0]
    if name in ("chess", "chess960"):
        return _material
    if isinstance(game, Hex):
        return _Distances(game)
    return lambda state: _playouts(game, state)


def _playouts(game: Game[Any], state: Any) -> int:
    """The mean result of random games."""
    rng = Random(game.digest(state))
    mover = game.to_move(state)
    points = 0.0
    for _ in range(_ROLLOUTS):
        at = state
        while (outcome := game.outcome(at)) is None:
            at = game.play(at, rng.choice(game.legal_moves(at)))
        points += 0.5 if outcome.winner is None else float(outcome.winner is mover)
    return _bounded(points / _ROLLOUTS)


def _material(state: ChessPosition) -> int:
    """Who has more men, with a little for squares in the middle."""
    board = state.board
    balance = 0
    for square, piece in board.piece_map().items():
        middle = 3.5 - max(abs(chess.square_file(square) - 3.5), abs(chess.square_rank(square) - 3.5))
        worth = _PIECES[piece.piece_type] + (0 if piece.piece_type == chess.KING else round(4 * middle))
        balance += worth if piece.color == board.turn else -worth
    return _bounded(1 / (1 + math.exp(-_CENTIPAWN * balance)))


class _Distances:
    """Who needs fewer stones to join its edges, the side to move half a stone ahead."""

    def __init__(self, game: Hex) -> None:
        self._game = game

    def __call__(self, state: Any) -> int:
        rows = self._game.encode(state).split(" ", maxsplit=1)[0].split("/")
        down = _stones_needed(rows, "X")
        across = _stones_needed(["".join(column) for column in zip(*rows, strict=True)], "O")
        first = self._game.to_move(state) is Seat.FIRST
        lead = (across - down if first else down - across) + 0.5
        return _bounded(1 / (1 + math.exp(-2 * _STONE * lead)))


def _stones_needed(rows: list[str], own: str) -> int:
    """The fewest stones that join the first row to the last, the other side never answering."""
    size = len(rows)
    best: dict[tuple[int, int], int] = {}
    queue: deque[tuple[int, int, int]] = deque()

    def reach(row: int, column: int, cost: int) -> None:
        cell = rows[row][column]
        if cell not in (own, "."):
            return
        cost += cell == "."
        if cost < best.get((row, column), size * size + 1):
            best[row, column] = cost
            (queue.append if cell == "." else queue.appendleft)((cost, row, column))

    for column in range(size):
        reach(0, column, 0)
    while queue:
        cost, row, column = queue.popleft()
        if best[row, column] == cost:
            for near in _neighbours(row, column, size):
                reach(*near, cost)
    return min((cost for (row, _), cost in best.items() if row == size - 1), default=size)


def _neighbours(row: int, column: int, size: int) -> Iterator[tuple[int, int]]:
    for down, right in ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, 1), (1, -1)):
        if 0 <= row + down < size and 0 <= column + right < size:
            yield row + down, column + right


def _bounded(chance: float) -> int:
    """Per cent, the ends kept for what is certain."""
    return min(max(round(100 * chance), 1), 99)
