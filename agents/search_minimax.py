"""Depth-limited search on the kernel's tree, level by level: the b best moves of each kept position, values by minimax.

The external counterpart of a tree that a model writes by itself with the same depth and breadth (mav 7.2), and, with a
beam, the breadth-first tree of thought of Yao et al. (2305.10601). A level is one batch, so depth d takes d + 1 asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from stratarena.agents.search import Search
from stratarena.agents.search_tree import DRAW, Leaf, Node

__all__ = ["kept", "minimax", "widen"]


def widen(search: Search, node: Node, breadth: int) -> list[Leaf]:
    """The positions after the moves of a node that its evaluation favours most, as leaves; those that are over are none."""
    search.list_moves(node)
    leaves = []
    for _ in range(min(breadth, len(node.moves or ()))):
        child = search.open_next(node)
        search.simulations += 1
        search.depth = max(search.depth, child.depth)
        if child.result is None:
            leaf = Leaf(child)
            leaf.paths.append([])
            leaves.append(leaf)
    return leaves


def kept(nodes: Sequence[Node], beam: int | None) -> list[Node]:
    """The positions to go on from: those still open, at most `beam`, the best ones for the side that moved there."""
    still = [node for node in nodes if node.result is None and node.value is not None]
    if beam is None:
        return still
    return sorted(still, key=lambda node: node.value if node.value is not None else DRAW)[:beam]


def minimax(node: Node, *, both: bool = False) -> float:
    """The value of a node for its side to move, 0 to 1: its best widened move, else its own evaluation.

    The value of each widened move is kept as the result of a single visit. With `both` a move that leads to a leaf is worth
    the mean of what the leaf's evaluation and this node's say of it, where this node's says anything of single moves.
    """
    if node.result is not None:
        return node.result if node.first else 1.0 - node.result
    own = DRAW if node.value is None else node.value
    if node.moves is None or not node.children:
        return own
    best = None
    for i, child in enumerate(node.children):
        if child.value is None and child.result is None:
            # Nobody could tell what it leads to.
            continue
        value = minimax(child, both=both)
        value = value if child.first is node.first else 1.0 - value
        if both and node.estimates is not None and child.result is None and (child.moves is None or not child.children):
            value = (value + node.estimates[i]) / 2
        node.visits[i], node.totals[i] = 1, value
        best = value if best is None else max(best, value)
    return own if best is None else best
