"""A search as the record keeps it: its nodes with numbers for the seat that searched, from -1 (lost) to 1 (won)."""

from __future__ import annotations

from collections.abc import Iterator

from stratarena.agents.search import RootChoice, Search, most_visits
from stratarena.agents.search_tree import Node
from stratarena.agents.tree import SearchTree, TreeKind, TreeNode
from stratarena.games.base import Move, Seat

__all__ = ["signed", "tree_of"]

UNREADABLE = "what the model said of it could not be read"


def signed(value: float) -> float:
    """A value from 0 to 1 as one from -1 to 1."""
    return min(max(2 * value - 1, -1.0), 1.0)


def tree_of(
    search: Search,
    *,
    seat: Seat,
    kind: TreeKind,
    whole: bool,
    ended: str,
    first_move: Move | None,
    choose: RootChoice = most_visits,
    method: str | None = None,
) -> SearchTree:
    """The search as a tree: every visited node where it is to be whole, else the root and its visited moves.

    In an imagined world the moves that a model listed and nobody tried are told as well: they are claims.
    """
    root = search.root
    line = search.line(choose)
    after = None
    if root.result is not None:
        after = _for(seat, root.result, first=True)
    elif root.moves and (mean := root.mean(choose(root))) is not None:
        after = _for(seat, mean, first=root.first)
    return SearchTree(
        kind=kind,
        method=method or search.settings.selection,
        simulations=search.simulations,
        n_nodes=search.n_nodes,
        depth=search.depth,
        first_move=first_move,
        value_before=None if root.value is None or first_move is None else _for(seat, root.value, first=root.first),
        value_after=after,
        line=line,
        ended=ended,
        nodes=tuple(_told(search, seat, whole=whole, listed=kind is TreeKind.IMAGINED)),
        whole=whole,
    )


def _told(search: Search, seat: Seat, *, whole: bool, listed: bool) -> Iterator[TreeNode]:
    """The nodes, parents before children."""
    root = search.root
    places = {id(root): 0}
    value = None if root.value is None else _for(seat, root.value, first=root.first)
    yield TreeNode(
        parent=None,
        move=None,
        depth=0,
        visits=root.n,
        estimate=value,
        value=value if root.result is None else _for(seat, root.result, first=True),
        proven=root.result is not None,
        terminal=root.terminal,
        state=root.claim,
    )
    n_told = 1
    for node in search.nodes() if whole else (root,):
        for i, move in enumerate(node.moves or ()):
            tried = i < len(node.visits)
            if (not tried and not listed) or (tried and id(node.children[i]) in places):
                continue
            yield _child(node, i, move, seat, depth=node.depth + 1, parent=places[id(node)])
            if tried:
                places[id(node.children[i])] = n_told
            n_told += 1


def _child(node: Node, i: int, move: Move, seat: Seat, *, depth: int, parent: int) -> TreeNode:
    child = node.children[i] if i < len(node.visits) else None
    estimate = None
    if node.estimates is not None:
        estimate = _for(seat, node.estimates[i], first=node.first)
    elif child is not None and child.value is not None:
        estimate = _for(seat, child.value, first=child.first)
    mean = node.mean(i)
    return TreeNode(
        parent=parent,
        move=move,
        depth=depth,
        prior=min(node.prior(i), 1.0),
        visits=node.visits[i] if child is not None else 0,
        estimate=estimate,
        value=None if mean is None else _for(seat, mean, first=node.first),
        proven=child is not None and child.result is not None,
        terminal=child is not None and child.terminal,
        state=None if child is None else child.claim,
        problem=UNREADABLE if child is not None and node.standing(i) == -2 else None,
    )


def _for(seat: Seat, value: float, *, first: bool) -> float:
    """A value from 0 to 1 for FIRST or SECOND as one from -1 to 1 for the seat that searched."""
    return signed(value if first is (seat is Seat.FIRST) else 1 - value)
