"""Inferior cells: those whose colour cannot matter (dead), and those that one colour owns already (captured).

Source: Y. Björnsson, R. Hayward, M. Johanson and J. van Rijswijck, "Dead cell analysis in Hex and the Shannon game"
(2007). In one colour's Shannon graph (its stones contracted, the other's taken out) a cell whose neighbours are all
neighbours of each other lies on no shortest path: it is dead, whoever fills it. Two cells are captured by a colour if,
wherever the other colour plays in them, its answer in the other one leaves the intruder dead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["fill_in"]


@njit(cache=True)
def _neighbours(board: Any, size: int, around: Any, low: Any, high: Any, colour: int, cell: int) -> Any:
    """The points next to an empty cell in this colour's graph, through its stones too, as two masks."""
    cells = size * size
    m0 = np.int64(0)
    m1 = np.int64(0)
    seen = np.zeros(cells, np.bool_)
    stack = np.empty(cells, np.int32)
    stack[0] = cell
    seen[cell] = True
    n_stack = 1
    while n_stack > 0:
        n_stack -= 1
        here = stack[n_stack]
        along = here // size if colour == 1 else here % size
        if along == 0:
            m0 |= low[cells]
            m1 |= high[cells]
        if along == size - 1:
            m0 |= low[cells + 1]
            m1 |= high[cells + 1]
        for k in range(6):
            near = around[here, k]
            if near < 0 or seen[near]:
                continue
            if board[near] == 0:
                seen[near] = True
                m0 |= low[near]
                m1 |= high[near]
            elif board[near] == colour:
                seen[near] = True
                stack[n_stack] = near
                n_stack += 1
    return m0, m1


@njit(cache=True)
def _is_dead(board: Any, size: int, around: Any, low: Any, high: Any, cell: int) -> bool:
    """Whether an empty cell's neighbours are all neighbours of each other, in one colour's graph or the other's."""
    cells = size * size
    for colour in range(1, 3):
        m0, m1 = _neighbours(board, size, around, low, high, colour, cell)
        edges = 0
        for edge in range(cells, cells + 2):
            if (m0 & low[edge]) != 0 or (m1 & high[edge]) != 0:
                edges += 1
        if edges == 2:
            continue
        clique = True
        for near in range(cells):
            if (m0 & low[near]) == 0 and (m1 & high[near]) == 0:
                continue
            n0, n1 = _neighbours(board, size, around, low, high, colour, near)
            if (m0 & ~(n0 | low[near])) != 0 or (m1 & ~(n1 | high[near])) != 0:
                clique = False
                break
        if clique:
            return True
    return False


@njit(cache=True, nogil=True)
def fill_in(board: Any, size: int, around: Any, low: Any, high: Any) -> Any:
    """The board with dead and captured cells filled, and the cells that each colour captured.

    Returns:
        a new `int8[n * n]`, and `int64[3, 2]`: row 0 the dead cells, rows 1 and 2 those captured by either colour.
    """
    cells = size * size
    filled = board.copy()
    owned = np.zeros((3, 2), np.int64)
    changed = True
    while changed:
        changed = False
        for cell in range(cells):
            if filled[cell] == 0 and _is_dead(filled, size, around, low, high, cell):
                filled[cell] = 1
                owned[0, 0] |= low[cell]
                owned[0, 1] |= high[cell]
                changed = True
        for one in range(cells):
            if filled[one] != 0:
                continue
            for k in range(3):
                two = around[one, k]
                if two < 0 or filled[two] != 0 or filled[one] != 0:
                    continue
                for colour in range(1, 3):
                    filled[two] = colour
                    captured = _is_dead(filled, size, around, low, high, one)
                    filled[two] = 0
                    if captured:
                        filled[one] = colour
                        captured = _is_dead(filled, size, around, low, high, two)
                        filled[one] = 0
                    if captured:
                        filled[one] = colour
                        filled[two] = colour
                        owned[colour, 0] |= low[one] | low[two]
                        owned[colour, 1] |= high[one] | high[two]
                        changed = True
                        break
    return filled, owned
