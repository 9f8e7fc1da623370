"""What a Hex position is worth: proof where there is one, search elsewhere. Serves play, annotation and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stratarena.agents.engines.hex_search.grid import MASKED_SIZE, Board, Geometry, cells_of, colour_of, from_state
from stratarena.agents.engines.hex_search.proof import Prover, Situation, look
from stratarena.agents.engines.hex_search.rollouts import search
from stratarena.games.base import Move, Seat
from stratarena.games.hex import SWAP, Hex, Position

__all__ = ["Assessment", "Effort", "MoveValue", "assess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard to look. Counts only, never time: equal efforts give equal answers."""

    simulations: int = 1000
    """Playouts of the tree search."""
    connections: bool = True
    """Look for virtual connections and inferior cells; boards up to 11x11 only."""
    proof_nodes: int = 200
    """Positions that a proof may look at; 0 is no proof beyond the connections. Needs `connections`."""
    work: int = 4000
    """Connections looked at for each colour and position."""


@dataclass(frozen=True, slots=True)
class MoveValue:
    """One legal move of an assessed position."""

    move: Move
    visits: int
    """Playouts through it; 0 where the search had no need to look."""
    value: float | None
    """Mean result of those, -1 to 1 for the side to move; None without any."""
    wins: bool | None
    """True and False are proved; None is unknown."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A position as judged for the side to move."""

    best: Move
    value: float
    """-1 (lost) to 1 (won) for the side to move; exactly these where it is proved."""
    winner: Seat | None
    """Who wins for certain; None where nothing is proved."""
    line: tuple[Move, ...]
    """Principal variation, `best` first."""
    moves: tuple[MoveValue, ...]
    """Every placement, in the game's order; `swap` is not among them."""
    simulations: int
    proof_nodes: int
    """Positions that the proof looked at."""


def assess(game: Hex, state: Position, *, effort: Effort, seed: int) -> Assessment:
    """Judge a position that is not over; the same arguments give the same answer.

    Where `swap` is open it is `best` if the position is better for the other side. The first move under the swap rule
    is chosen to be as even as the search can tell, since a good one would be taken over.
    """
    seat = game.to_move(state)
    colour = colour_of(seat)
    board = from_state(game, state)
    geometry = Geometry.of(game.size)
    if game.swap and state.plies == 0:
        return _even_opening(game, geometry, effort, seed)
    found = _judge(game, board, colour, geometry, effort, seed)
    found = replace(found, line=_until_over(game, state, found.line))
    if game.swap and state.plies == 1 and found.value < 0:
        return Assessment(
            SWAP,
            -found.value,
            None if found.winner is None else seat,
            (SWAP,),
            found.moves,
            found.simulations,
            found.proof_nodes,
        )
    return found


def _until_over(game: Hex, state: Position, line: tuple[Move, ...]) -> tuple[Move, ...]:
    """The line up to the move that ends the game: the search fills boards to the brim."""
    for ply, move in enumerate(line):
        if game.outcome(state) is not None:
            return line[:ply]
        state = game.play(state, move)
    return line


def _judge(game: Hex, board: Board, colour: int, geometry: Geometry, effort: Effort, seed: int) -> Assessment:
    """A position without a choice to swap."""
    empty = np.flatnonzero(board == 0)
    allowed, searched = board == 0, board
    winner: int | None = None
    certain: dict[int, bool] = {}
    prover: Prover | None = None
    if effort.connections and game.size <= MASKED_SIZE:
        seen = look(board, colour, geometry, work=effort.work)
        winner = seen.winner
        if winner is None and effort.proof_nodes:
            prover = Prover(geometry, nodes=effort.proof_nodes, work=effort.work)
            winner, move = prover.prove(board, colour)
            if move is not None:
                certain[move] = True
        if winner == colour and seen.key is not None:
            certain[seen.key] = True
        if winner == 3 - colour:
            certain = dict.fromkeys(map(int, empty), False)
        allowed, searched, lost = _region(board, seen, won=winner == colour, lost=winner == 3 - colour)
        if winner is None:
            certain |= dict.fromkeys(lost, False)
    visits, wins, line = search(searched, colour, allowed, game.size, geometry.around, effort.simulations, seed % 2**62)
    cells = [int(cell) for cell in line]
    sure = next((cell for cell, holds in certain.items() if holds), None)
    if sure is not None and cells[:1] != [sure]:
        cells = [sure]
    names = game.cells
    values = tuple(
        MoveValue(
            names[cell],
            int(visits[cell]),
            2 * float(wins[cell] / visits[cell]) - 1 if visits[cell] else None,
            certain.get(cell),
        )
        for cell in map(int, empty)
    )
    best = cells[0]
    value = 2 * float(wins[best] / visits[best]) - 1 if visits[best] else 0.0
    if winner is not None:
        value = 1.0 if winner == colour else -1.0
    return Assessment(
        names[best],
        value,
        None if winner is None else (Seat.FIRST if winner == 1 else Seat.SECOND),
        tuple(names[cell] for cell in cells),
        values,
        effort.simulations,
        prover.spent if prover else 0,
    )


def _region(board: Board, seen: Situation, *, won: bool, lost: bool) -> tuple[Any, Board, tuple[int, ...]]:
    """The moves to search among, the board to search on, and the moves that are known to lose."""
    empty = board == 0
    if lost:
        # Every move loses; the tree search finds the one that makes it hardest.
        return empty, board, ()
    if won:
        region = np.zeros(board.size, np.bool_)
        region[[cell for cell in _cells(seen.carrier) if empty[cell]]] = True
        return (region if region.any() else empty), board, ()
    region = np.zeros(board.size, np.bool_)
    region[list(_cells(seen.must_play))] = True
    outside = tuple(int(cell) for cell in np.flatnonzero((seen.board == 0) & ~region))
    return region, seen.board, outside


def _cells(mask: int) -> tuple[int, ...]:
    return cells_of(mask & (1 << 63) - 1, mask >> 63)


def _even_opening(game: Hex, geometry: Geometry, effort: Effort, seed: int) -> Assessment:
    """The opening that a short search of each finds nearest to even, the first of them in the board's order."""
    cells = game.size * game.size
    each = max(effort.simulations // cells, 30)
    values = []
    for cell in range(cells):
        board = np.zeros(cells, np.int8)
        board[cell] = 1
        visits, wins, _ = search(board, 2, board == 0, game.size, geometry.around, each, seed % 2**62)
        values.append(MoveValue(game.cells[cell], each, 1 - 2 * float(wins.sum() / visits.sum()), None))
    best = min(values, key=lambda found: abs(found.value or 0.0))
    return Assessment(best.move, best.value or 0.0, None, (best.move,), tuple(values), each * cells, 0)
