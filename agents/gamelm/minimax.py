"""Minimax around the model, of the shape that its own searches have: what those are measured against.

Depth by depth: all boards of one depth are asked about together. The rules tell what moves lead to.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from stratarena.agents.gamelm.puct import Known, Wanted
from stratarena.agents.gamelm.traces import CENTRE_FIRST

__all__ = ["minimax"]

S = TypeVar("S")


@dataclass(slots=True)
class _Node(Generic[S]):
    known: Known[S]
    children: list[tuple[int, _Node[S]]] = field(default_factory=list)

    def solved(self) -> tuple[float, list[int]]:
        """The mover's chance, and the line that it comes from."""
        if self.children:
            lines = [(1.0 - child.solved()[0], [move, *child.solved()[1]]) for move, child in self.children]
            return max(lines, key=lambda line: line[0])
        if self.known.result is not None or not self.known.values:
            return (0.5 if self.known.result is None else self.known.result), []
        move = _ranked(self.known)[0]
        return self.known.values[move], [move]


def _ranked(known: Known[Any]) -> list[int]:
    return sorted(known.values, key=lambda move: (-known.values[move], CENTRE_FIRST.index(move)))


def minimax(
    root: Known[S],
    *,
    depth: int,
    breadth: int,
    ask: Callable[[list[S]], Generator[Any, Any, list[Known[S] | None]]],
    reached: Callable[[S, int], Known[S] | Wanted[S]],
) -> Generator[Any, Any, tuple[float, list[int]]]:
    """`yield from` this for the root mover's chance and the line of best play.

    The best moves of each node by the model are looked into; at the limit the best action value counts. A position
    that the model's answer does not tell is left out.

    Args:
        ask: `yield from` it to know boards.
        reached: what a move leads to.
    """
    top: _Node[S] = _Node(root)
    layer = [top]
    for _ in range(depth):
        opened = [
            (node, move, reached(node.known.state, move)) for node in layer for move in _ranked(node.known)[:breadth]
        ]
        boards = [found.state for *_, found in opened if isinstance(found, Wanted) and found.state is not None]
        told = iter((yield from ask(boards)) if boards else [])
        layer = []
        for node, move, found in opened:
            known = next(told) if isinstance(found, Wanted) else found
            if known is not None:
                child = _Node(known)
                node.children.append((move, child))
                layer.append(child)
    return top.solved()
