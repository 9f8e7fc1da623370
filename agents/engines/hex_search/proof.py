"""Proof: who wins a position, by depth-first search over must-play regions.

Source: R. Hayward, Y. Björnsson, M. Johanson, M. Kan, N. Po and J. van Rijswijck, "Solving 7x7 Hex with domination, fill-in,
and virtual connections" (2005). The side to move must play into every semi connection of the other's edges; a refuted
move narrows that region to the cells its refutation needs. Every step is sound, so an answer is a proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratarena.agents.engines.hex_search.connections import find_connections
from stratarena.agents.engines.hex_search.grid import Board, Geometry, connects
from stratarena.agents.engines.hex_search.inferior import fill_in
from stratarena.agents.engines.hex_search.rollouts import search

__all__ = ["Prover", "Situation", "look"]

_WORD = 63
_ORDERING_SIMULATIONS = 60


@dataclass(frozen=True, slots=True)
class Situation:
    """What virtual connections say of a position. Sets of cells are masks, bit = cell."""

    board: Board
    """With dead and captured cells filled."""
    winner: int | None
    """The colour that has won or will, if the connections tell."""
    carrier: int
    """Cells that the winner's proof needs; 0 without one."""
    key: int | None
    """The winning move of the side to move, if that is how it wins."""
    must_play: int
    """Cells outside which every move of the side to move loses; all empty cells if nothing is known. Without a winner."""
    threats: int
    """Union of the other side's connections that `must_play` comes from, and of the cells it captured."""


def look(board: Board, to_move: int, geometry: Geometry, *, work: int) -> Situation:
    """What fill-in and virtual connections tell; `work` bounds the connections looked at for each colour."""
    size, around, low, high = geometry
    filled, owned = fill_in(board, size, around, low, high)
    captured = [_whole(row) for row in owned]
    empty = sum(1 << int(cell) for cell in np.flatnonzero(filled == 0))
    other = 3 - to_move
    for colour in (to_move, other):
        if connects(filled, size, around, colour):
            return Situation(filled, colour, captured[colour], None, 0, 0)
    full, semi = find_connections(filled, size, around, low, high, to_move, True, work)
    if len(full):
        return Situation(filled, to_move, _whole(full[0]) | captured[to_move], None, 0, 0)
    if len(semi):
        return Situation(filled, to_move, _whole(semi[0]) | captured[to_move], int(semi[0][2]), 0, 0)
    full, semi = find_connections(filled, size, around, low, high, other, False, work)
    if len(full):
        return Situation(filled, other, _whole(full[0]) | captured[other], None, 0, 0)
    must_play, threats = empty, captured[other]
    for row in semi:
        carrier = _whole(row)
        must_play &= carrier
        threats |= carrier
    if not len(semi):
        threats = empty | captured[other]
    if not must_play:
        return Situation(filled, other, threats, None, 0, 0)
    return Situation(filled, None, 0, None, must_play, threats)


def _whole(pair: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    return int(pair[0]) | int(pair[1]) << _WORD


class OutOfNodes(Exception):
    """The search was cut off: nothing is proved."""


class Prover:
    """Finds winners within a bound on nodes; remembers what it proved.

    Args:
        nodes: positions looked at in one call of `winner`.
        work: connections looked at for each colour and position.
    """

    def __init__(self, geometry: Geometry, *, nodes: int, work: int = 4000) -> None:
        self._geometry = geometry
        self._nodes = nodes
        self._work = work
        self._left = 0
        self._proved: dict[tuple[bytes, int], tuple[int, int]] = {}

    @property
    def spent(self) -> int:
        """Nodes of the last call."""
        return self._nodes - self._left

    def winning_moves(self, board: Board, to_move: int) -> tuple[int, ...] | None:
        """All cells where a stone of the side to move wins, or None if the nodes did not suffice. Nobody may have won yet."""
        self._left = self._nodes
        open_ = sum(1 << int(cell) for cell in np.flatnonzero(board == 0))
        won = []
        try:
            for cell in self._order(board, to_move, open_):
                if not open_ >> cell & 1:
                    continue
                after = board.copy()
                after[cell] = to_move
                winner, carrier = self._solve(after, 3 - to_move)
                if winner == to_move:
                    won.append(cell)
                else:
                    # What refutes this move refutes every move that leaves its cells alone.
                    open_ &= carrier
        except OutOfNodes:
            return None
        return tuple(sorted(won))

    def winner(self, board: Board, to_move: int) -> int | None:
        """The colour that wins, or None if the nodes did not suffice to prove it."""
        self._left = self._nodes
        try:
            return self._solve(board, to_move)[0]
        except OutOfNodes:
            return None

    def prove(self, board: Board, to_move: int) -> tuple[int | None, int | None]:
        """The colour that wins and, if it is the side to move, a move that does; None for what was not proved."""
        winner = self.winner(board, to_move)
        if winner != to_move:
            return winner, None
        seen = look(board, to_move, self._geometry, work=self._work)
        if seen.winner is not None:
            return winner, seen.key
        for cell in self._order(seen.board, to_move, seen.must_play):
            after = seen.board.copy()
            after[cell] = to_move
            known = self._proved.get((after.tobytes(), 3 - to_move))
            if known is not None and known[0] == to_move:
                return winner, cell
        raise AssertionError("a won position has a move that wins it")

    def _solve(self, board: Board, to_move: int) -> tuple[int, int]:
        """The winner, and the cells that its proof needs."""
        key = (board.tobytes(), to_move)
        known = self._proved.get(key)
        if known is None:
            known = self._proved[key] = self._search(board, to_move)
        return known

    def _search(self, board: Board, to_move: int) -> tuple[int, int]:
        if self._left <= 0:
            raise OutOfNodes
        self._left -= 1
        seen = look(board, to_move, self._geometry, work=self._work)
        if seen.winner is not None:
            return seen.winner, seen.carrier
        must_play, needed = seen.must_play, seen.threats
        for cell in self._order(seen.board, to_move, must_play):
            if not must_play >> cell & 1:
                continue
            after = seen.board.copy()
            after[cell] = to_move
            winner, carrier = self._solve(after, 3 - to_move)
            if winner == to_move:
                return winner, carrier | 1 << cell | self._own(board, seen.board, to_move)
            must_play &= carrier
            needed |= carrier
        return 3 - to_move, needed

    def _own(self, board: Board, filled: Board, colour: int) -> int:
        """Cells that fill-in gave to this colour."""
        return sum(1 << int(cell) for cell in np.flatnonzero((board == 0) & (filled == colour)))

    def _order(self, board: Board, to_move: int, must_play: int) -> list[int]:
        """The region's cells, the most visited by a short tree search first."""
        cells = [cell for cell in range(board.size) if must_play >> cell & 1]
        if len(cells) == 1:
            return cells
        allowed = np.zeros(board.size, np.bool_)
        allowed[cells] = True
        visits, _, _ = search(
            board, to_move, allowed, self._geometry.size, self._geometry.around, _ORDERING_SIMULATIONS, 1
        )
        return sorted(cells, key=lambda cell: (-visits[cell], cell))
