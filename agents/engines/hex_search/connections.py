"""Virtual connections: what a colour can join although the other moves next, found by H-search.

Source: V. Anshelevich, "A hierarchical approach to computer Hex" (2002). A *full* connection of two points holds although
the opponent moves first; a *semi* connection holds if its owner moves first, and names the key cell to be played. Its
*carrier* is the set of empty cells it needs. Rules: neighbours are fully connected with an empty carrier; two full
connections with disjoint carriers that meet in a stone make a full one (AND), that meet in an empty cell a semi one with
that cell as key; semi connections of the same points with no cell in common make a full one (OR, up to four at once here).

Everything found holds; not everything that holds is found, and the bounds on work only leave more of it out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["find_connections"]

_FULLS, _SEMIS = 8, 24
"""Connections kept for a pair of points."""


@njit(cache=True)
def _points(board: Any, size: int, around: Any, colour: int) -> Any:
    """The point that stands for each cell: itself if empty, its group's stone or edge if it is this colour's, else -1."""
    cells = size * size
    point = np.full(cells, -1, np.int32)
    stack = np.empty(cells, np.int32)
    for edge_pass in range(3):
        for cell in range(cells):
            along = cell // size if colour == 1 else cell % size
            if board[cell] != colour or point[cell] >= 0:
                continue
            if edge_pass == 0 and along != 0:
                continue
            if edge_pass == 1 and along != size - 1:
                continue
            label = cells if edge_pass == 0 else cells + 1 if edge_pass == 1 else cell
            point[cell] = label
            stack[0] = cell
            n_stack = 1
            while n_stack > 0:
                n_stack -= 1
                here = stack[n_stack]
                for k in range(6):
                    near = around[here, k]
                    if near >= 0 and board[near] == colour and point[near] < 0:
                        point[near] = label
                        stack[n_stack] = near
                        n_stack += 1
    for cell in range(cells):
        if board[cell] == 0:
            point[cell] = cell
    return point


@njit(cache=True)
def _add_full(kept: Any, n: int, u0: int, u1: int) -> int:
    """Put a carrier last, without those that contain it; how many there are then, or -1 if nothing is gained."""
    for i in range(n):
        if (kept[i, 0] & ~u0) == 0 and (kept[i, 1] & ~u1) == 0:
            return -1
    left = 0
    for i in range(n):
        if (u0 & ~kept[i, 0]) != 0 or (u1 & ~kept[i, 1]) != 0:
            kept[left, 0], kept[left, 1] = kept[i, 0], kept[i, 1]
            left += 1
    if left == kept.shape[0]:
        return -1
    kept[left, 0], kept[left, 1] = u0, u1
    return left + 1


@njit(cache=True)
def _add_semi(full: Any, n_full: int, kept: Any, n: int, u0: int, u1: int, key: int) -> int:
    """The same for a semi connection, which also gains nothing beside a full one inside it."""
    for i in range(n_full):
        if (full[i, 0] & ~u0) == 0 and (full[i, 1] & ~u1) == 0:
            return -1
    for i in range(n):
        if (kept[i, 0] & ~u0) == 0 and (kept[i, 1] & ~u1) == 0:
            return -1
    left = 0
    for i in range(n):
        if (u0 & ~kept[i, 0]) != 0 or (u1 & ~kept[i, 1]) != 0:
            kept[left, 0], kept[left, 1], kept[left, 2] = kept[i, 0], kept[i, 1], kept[i, 2]
            left += 1
    if left == kept.shape[0]:
        return -1
    kept[left, 0], kept[left, 1], kept[left, 2] = u0, u1, key
    return left + 1


@njit(cache=True)
def _or_rule(semi: Any, n: int, found: Any) -> int:
    """Unions of the last semi connection with up to three others that have no cell in common; how many were found."""
    n_found = 0
    s0, s1 = semi[n - 1, 0], semi[n - 1, 1]
    for i in range(n - 1):
        i0, i1 = s0 & semi[i, 0], s1 & semi[i, 1]
        a0, a1 = s0 | semi[i, 0], s1 | semi[i, 1]
        if i0 == 0 and i1 == 0:
            if n_found < found.shape[0]:
                found[n_found, 0], found[n_found, 1] = a0, a1
                n_found += 1
            continue
        for j in range(i):
            j0, j1 = i0 & semi[j, 0], i1 & semi[j, 1]
            if j0 == i0 and j1 == i1:
                continue
            b0, b1 = a0 | semi[j, 0], a1 | semi[j, 1]
            if j0 == 0 and j1 == 0:
                if n_found < found.shape[0]:
                    found[n_found, 0], found[n_found, 1] = b0, b1
                    n_found += 1
                continue
            for k in range(j):
                if (j0 & semi[k, 0]) == 0 and (j1 & semi[k, 1]) == 0 and n_found < found.shape[0]:
                    found[n_found, 0], found[n_found, 1] = b0 | semi[k, 0], b1 | semi[k, 1]
                    n_found += 1
    return n_found


@njit(cache=True, nogil=True)
def find_connections(
    board: Any, size: int, around: Any, low: Any, high: Any, colour: int, first: bool, work: int
) -> Any:
    """The connections of this colour's two edges.

    Args:
        first: stop at the first semi connection of the edges (its owner is to move); else at the first full one.
        work: at most so many full connections are looked at.

    Returns:
        `int64[f, 2]` carriers of full and `int64[s, 3]` carriers and keys of semi connections of the edges. A full
        connection with an empty carrier means that they are joined already.
    """
    cells = size * size
    n_points = cells + 2
    point = _points(board, size, around, colour)
    n_full = np.zeros((n_points, n_points), np.int32)
    n_semi = np.zeros((n_points, n_points), np.int32)
    full = np.empty((n_points, n_points, _FULLS, 2), np.int64)
    semi = np.empty((n_points, n_points, _SEMIS, 3), np.int64)
    queue = np.empty((work + 64, 4), np.int64)
    head = 0
    tail = 0
    top, bottom = cells, cells + 1
    live = np.zeros(n_points, np.bool_)
    live[top] = True
    live[bottom] = True
    for cell in range(cells):
        if point[cell] >= 0:
            live[point[cell]] = True
    for cell in range(cells):
        here = point[cell]
        if here < 0:
            continue
        for k in range(8):
            along = cell // size if colour == 1 else cell % size
            if k < 6:
                near = around[cell, k]
                there = point[near] if near >= 0 else -1
            elif k == 6:
                there = top if along == 0 else -1
            else:
                there = bottom if along == size - 1 else -1
            if there < 0 or there == here:
                continue
            a, b = min(here, there), max(here, there)
            if n_full[a, b] == 0 and tail < queue.shape[0]:
                full[a, b, 0, 0] = 0
                full[a, b, 0, 1] = 0
                n_full[a, b] = 1
                queue[tail, 0], queue[tail, 1], queue[tail, 2], queue[tail, 3] = a, b, 0, 0
                tail += 1
    found = np.empty((64, 2), np.int64)
    while head < tail and head < work:
        if first and n_semi[top, bottom] > 0:
            break
        if n_full[top, bottom] > 0:
            break
        x, y = queue[head, 0], queue[head, 1]
        c0, c1 = queue[head, 2], queue[head, 3]
        head += 1
        for side in range(2):
            end = x if side == 0 else y
            pivot = y if side == 0 else x
            if pivot >= cells:
                continue
            stone = board[pivot] != 0
            e0, e1 = low[end], high[end]
            for other in range(n_points):
                if not live[other] or other in (end, pivot):
                    continue
                pa, pb = min(pivot, other), max(pivot, other)
                if n_full[pa, pb] == 0 or (c0 & low[other]) != 0 or (c1 & high[other]) != 0:
                    continue
                a, b = min(end, other), max(end, other)
                for i in range(n_full[pa, pb]):
                    d0, d1 = full[pa, pb, i, 0], full[pa, pb, i, 1]
                    if (c0 & d0) != 0 or (c1 & d1) != 0 or (d0 & e0) != 0 or (d1 & e1) != 0:
                        continue
                    u0, u1 = c0 | d0, c1 | d1
                    if stone:
                        found[0, 0], found[0, 1] = u0, u1
                        n_found = 1
                    else:
                        n = _add_semi(
                            full[a, b], n_full[a, b], semi[a, b], n_semi[a, b], u0 | low[pivot], u1 | high[pivot], pivot
                        )
                        if n < 0:
                            continue
                        n_semi[a, b] = n
                        n_found = _or_rule(semi[a, b], n, found)
                    for j in range(n_found):
                        n = _add_full(full[a, b], n_full[a, b], found[j, 0], found[j, 1])
                        if n > 0:
                            n_full[a, b] = n
                            if tail < queue.shape[0]:
                                queue[tail, 0], queue[tail, 1] = a, b
                                queue[tail, 2], queue[tail, 3] = found[j, 0], found[j, 1]
                                tail += 1
    return full[top, bottom, : n_full[top, bottom]].copy(), semi[top, bottom, : n_semi[top, bottom]].copy()
