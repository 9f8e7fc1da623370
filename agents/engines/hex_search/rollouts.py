"""The tree search: UCT with RAVE, playouts that keep bridges whole. One compiled kernel, exactly repeatable.

Sources: S. Gelly and D. Silver, "Monte-Carlo tree search and rapid action value estimation in computer Go" (2011), for
RAVE and its schedule; B. Arneson, R. Hayward and P. Henderson, "Monte Carlo tree search in Hex" (2010), for the save-bridge
playout. The generator is xorshift64* and belongs to the search: nothing global is drawn from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from stratarena.agents.engines.hex_search.grid import connects

__all__ = ["search"]

_RAVE_BIAS = 0.0005
_EXPLORATION = 0.1
_MULTIPLIER = 2685821657736338717


@njit(cache=True)
def _next(state: Any) -> Any:
    """The next 31 random bits; `state` is `uint64[1]` and moves on."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64((x * np.uint64(_MULTIPLIER)) >> np.uint64(33))


@njit(cache=True, nogil=True)
def search(start: Any, to_move: int, allowed: Any, size: int, around: Any, simulations: int, seed: int) -> Any:
    """Visits and wins of every move, and the principal variation.

    Args:
        start: the board, `int8[n * n]`; must have an empty cell that is allowed.
        to_move: the colour to move.
        allowed: `bool[n * n]`, the moves looked at at the root.
        simulations: at least 1.

    Returns:
        `float32[n * n]` visits of the root's moves, `float32[n * n]` wins of the side to move among them, and
        `int32[k]` the most visited line.
    """
    cells = size * size
    random = np.empty(1, np.uint64)
    random[0] = np.uint64(seed) * np.uint64(2) + np.uint64(88172645463325253)
    for _ in range(8):
        _next(random)
    child = np.full((simulations + 1, cells), -1, np.int32)
    visits = np.zeros((simulations + 1, cells), np.float32)
    wins = np.zeros((simulations + 1, cells), np.float32)
    rave_visits = np.zeros((simulations + 1, cells), np.float32)
    rave_wins = np.zeros((simulations + 1, cells), np.float32)
    total = np.zeros(simulations + 1, np.float32)
    n_nodes = 1
    path_node = np.empty(cells + 1, np.int32)
    path_move = np.empty(cells + 1, np.int32)
    board = np.empty(cells, np.int8)
    empty = np.empty(cells, np.int32)
    place = np.empty(cells, np.int32)
    for _ in range(simulations):
        board[:] = start
        node = 0
        mover = to_move
        depth = 0
        last = -1
        while True:
            best = -1.0
            move = -1
            explore = _EXPLORATION * np.sqrt(np.log(total[node] + 1.0))
            for cell in range(cells):
                if board[cell] != 0 or (node == 0 and not allowed[cell]):
                    continue
                n, r = visits[node, cell], rave_visits[node, cell]
                beta = r / (r + n + 4.0 * _RAVE_BIAS * r * n + 1e-6) if r > 0 else 0.0
                q = wins[node, cell] / n if n > 0 else 0.5
                amaf = rave_wins[node, cell] / r if r > 0 else 0.5
                score = (1.0 - beta) * q + beta * amaf + explore / np.sqrt(n + 1.0)
                score += 1e-6 * (_next(random) & 1023) / 1024.0
                if score > best:
                    best = score
                    move = cell
            if move < 0:
                break
            path_node[depth] = node
            path_move[depth] = move
            depth += 1
            board[move] = mover
            last = move
            mover = 3 - mover
            if child[node, move] < 0:
                child[node, move] = n_nodes
                n_nodes += 1
                break
            node = child[node, move]
        n_empty = 0
        for cell in range(cells):
            if board[cell] == 0:
                empty[n_empty] = cell
                place[cell] = n_empty
                n_empty += 1
        while n_empty > 0:
            move = -1
            if last >= 0:
                # Where the last stone breaks into a bridge of the mover, the other half is answered.
                turn = _next(random) % 6
                for k in range(6):
                    one = around[last, (turn + k) % 6]
                    between = around[last, (turn + k + 1) % 6]
                    two = around[last, (turn + k + 2) % 6]
                    if (
                        one >= 0
                        and between >= 0
                        and two >= 0
                        and board[one] == mover
                        and board[two] == mover
                        and board[between] == 0
                    ):
                        move = between
                        break
            if move < 0:
                move = empty[_next(random) % n_empty]
            n_empty -= 1
            moved = empty[n_empty]
            empty[place[move]] = moved
            place[moved] = place[move]
            board[move] = mover
            last = move
            mover = 3 - mover
        winner = 1 if connects(board, size, around, 1) else 2
        mover = to_move
        for step in range(depth):
            node = path_node[step]
            won = 1.0 if winner == mover else 0.0
            total[node] += 1.0
            visits[node, path_move[step]] += 1.0
            wins[node, path_move[step]] += won
            for cell in range(cells):
                if board[cell] == mover and start[cell] == 0:
                    rave_visits[node, cell] += 1.0
                    rave_wins[node, cell] += won
            mover = 3 - mover
    line = np.empty(cells, np.int32)
    length = 0
    node = 0
    while length < cells:
        move = -1
        most = 0.0
        for cell in range(cells):
            if visits[node, cell] > most:
                most = visits[node, cell]
                move = cell
        if move < 0:
            break
        line[length] = move
        length += 1
        if child[node, move] < 0:
            break
        node = child[node, move]
    return visits[0].copy(), wins[0].copy(), line[:length].copy()
