"""A checked trace as the search tree that the record keeps."""

from __future__ import annotations

from typing import Any

from stratarena.agents.linearized.check import Asked, Fault, TraceCheck
from stratarena.agents.linearized.course import favourites, line_of_picks
from stratarena.agents.linearized.notation import read_state
from stratarena.agents.linearized.trace import DRAW, Trace, TraceNode
from stratarena.agents.tree import SearchTree, TreeKind, TreeNode
from stratarena.games.base import Game, Move, PositionError, Seat

__all__ = ["tree_of"]


def tree_of(game: Game[Any], trace: Trace, check: TraceCheck, *, asked: Asked, seat: Seat, ended: str) -> SearchTree:
    """Every node of the trace in its order, then the moves that were listed and not looked into.

    A node's `problem` holds its faults by name, joined by `; `; the root's also those of the whole trace. `method` says
    what was asked for. `ended` says what ended the reading.
    """
    nodes = [
        TreeNode(
            parent=node.parent,
            move=None if node.move is None else Move(node.move),
            depth=len(trace.paths[number]),
            visits=1,
            estimate=_estimate(trace, number),
            value=_value(game, trace, number, seat),
            terminal=node.end is not None,
            state=_notation(game, node.state),
            problem=_named((*check.nodes[number].faults, *(check.faults if number == 0 else ()))),
        )
        for number, node in enumerate(trace.nodes)
    ]
    for number, node in enumerate(trace.nodes):
        tried = {trace.nodes[child].move for child in trace.children[number]}
        depth = len(trace.paths[number]) + 1
        for move, value in {move: value for move, value in reversed(node.moves) if move not in tried}.items():
            nodes.append(TreeNode(parent=number, move=Move(move), depth=depth, estimate=_for_root(value, depth - 1)))
    found = favourites(trace)
    root = trace.nodes[0] if trace.nodes else None
    pick = root.backup.pick if root is not None and root.backup is not None else None
    return SearchTree(
        kind=TreeKind.INTERNAL,
        method=f"linearized(depth={asked.depth}, breadth={asked.breadth})",
        simulations=len(trace.nodes),
        n_nodes=len(trace.nodes),
        depth=max(map(len, trace.paths), default=0),
        first_move=Move(found[0].line[0]) if found else None,
        value_before=_estimate(trace, 0) if root is not None else None,
        value_after=_value(game, trace, 0, seat) if root is not None else None,
        line=tuple(map(Move, line_of_picks(trace, pick) if pick is not None else found[-1].line if found else ())),
        ended=ended,
        nodes=tuple(nodes),
        whole=True,
    )


def _named(faults: tuple[Fault, ...]) -> str | None:
    return "; ".join(fault.value for fault in faults) or None


def _notation(game: Game[Any], text: str) -> str:
    """The position in the game's own notation, whatever form it was written in; as it stands where it is none."""
    try:
        return game.encode(read_state(game, text))
    except PositionError:
        return text


def _estimate(trace: Trace, number: int) -> float | None:
    """What a node was held to be worth before it was looked into: by its parent's list; the root by its own."""
    node = trace.nodes[number]
    if node.parent is None:
        return _for_root(max((value for _, value in node.moves), default=None), 0)
    listed = next((value for move, value in trace.nodes[node.parent].moves if move == node.move), None)
    return _for_root(listed, len(trace.paths[number]) - 1)


def _value(game: Game[Any], trace: Trace, number: int, seat: Seat) -> float | None:
    """What a node was held to be worth when it was left, or by the result that it claims."""
    node: TraceNode = trace.nodes[number]
    if node.end is not None:
        return _result(game, node.end, seat)
    return None if node.backup is None else _for_root(node.backup.value, len(trace.paths[number]))


def _result(game: Game[Any], end: str, seat: Seat) -> float | None:
    first, second = game.traits.seat_names
    if end == DRAW:
        return 0.0
    if end not in (first, second):
        return None
    return 1.0 if (end == first) == (seat is Seat.FIRST) else -1.0


def _for_root(value: int | None, depth: int) -> float | None:
    """Per cent for the side to move at a depth, as -1 to 1 for the side to move at the root."""
    if value is None:
        return None
    return (2 * value - 100) / 100 * (-1 if depth % 2 else 1)
