"""Tree search over a model's action values: AlphaZero's selection, priors from values, leaves in batches.

Source: Schultz et al. (2025) for the prior (softmax of the values, mixed with a uniform share), the leaf's value (the
best action value), dead edges and virtual counts that halve towards the root; OpenSpiel's `async_mcts` for the
selection, in which an unvisited move counts as a draw and a known result as itself; most visits decide, total value
among equals.

All chances lie between 0 and 1, for the side to move where nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, sqrt
from typing import Generic, TypeVar

__all__ = ["Edge", "Known", "Settings", "Tree", "Wanted", "puct"]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Known(Generic[S]):
    """What is known of a position."""

    state: S
    values: Mapping[int, float]
    """The mover's chance of winning after each move; empty where the game is over."""
    result: float | None = None
    """1 won, 0.5 drawn, 0 lost for the side to move, where the game is over."""

    def value(self) -> float:
        """The result, or the best action value."""
        return self.result if self.result is not None else max(self.values.values())


@dataclass(frozen=True, slots=True)
class Wanted(Generic[S]):
    """A position that has to be evaluated: what a move leads to."""

    parent: S
    move: int
    state: S | None
    """The position itself, where the rules tell it; None where the model has to."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Constants of the search."""

    simulations: int
    batch: int = 8
    """Leaves evaluated together."""
    c: float = 0.75
    unvisited: float = 0.5
    """What a move without a visit is held to be worth."""
    uniform: float = 0.05
    """Share of the prior that all moves have alike."""
    temperature: float = 0.1
    """Of the softmax over values."""
    virtual_most: int = 4
    """Virtual visits of a pending leaf; halved at each parent."""
    virtual_least: int = 1


@dataclass(slots=True)
class Edge(Generic[S]):
    """A move of a position in the tree."""

    move: int
    prior: float
    estimate: float
    """The model's value of the move, before any search."""
    visits: int = 0
    total: float = 0.0
    """Sum of chances over the visits, for the side that makes the move."""
    virtual: int = 0
    dead: bool = False
    """Whether the model's answer about it could not be read."""
    child: Tree[S] | None = None

    def mean(self) -> float | None:
        """Mean chance of the side that makes the move; None without a visit."""
        if self.child is not None and self.child.known.result is not None:
            return 1.0 - self.child.known.result
        return self.total / self.visits if self.visits else None


@dataclass(slots=True)
class Tree(Generic[S]):
    """A position in the tree with its moves."""

    known: Known[S]
    edges: list[Edge[S]] = field(default_factory=list)

    def best(self) -> Edge[S]:
        """The move of most visits, of the highest total among equals; the highest estimate without any."""
        alive = [edge for edge in self.edges if not edge.dead] or self.edges
        return max(alive, key=lambda edge: (edge.visits, edge.total, edge.estimate))


def puct(
    root: Known[S], settings: Settings, reached: Callable[[S, int], Known[S] | Wanted[S]]
) -> Generator[tuple[Wanted[S], ...], Sequence[Known[S] | None], Tree[S]]:
    """Search from a position: yields positions to evaluate, takes one answer for each (None for an unreadable one), in
    order, and returns the tree.

    Args:
        reached: what a move leads to, or what has to be asked to know it.
    """
    tree = _opened(root, settings)
    done = 0
    while done < settings.simulations and any(not edge.dead for edge in tree.edges):
        pending: list[tuple[list[Edge[S]], Wanted[S]]] = []
        while len(pending) < settings.batch and done + len(pending) < settings.simulations:
            path = _descend(tree, settings)
            if path is None:
                break
            leaf = path[-1]
            if leaf.child is not None:
                _back_up(path, leaf.child.known.value())
                done += 1
                continue
            if any(other[-1] is leaf for other, _ in pending):
                break
            parent = tree if len(path) == 1 else path[-2].child
            assert parent is not None
            found = reached(parent.known.state, leaf.move)
            if isinstance(found, Wanted):
                pending.append((path, found))
                _virtual(path, settings, 1)
            else:
                leaf.child = _opened(found, settings)
                _back_up(path, found.value())
                done += 1
        if not pending:
            if path is None:
                break
            continue
        answers = yield tuple(wanted for _, wanted in pending)
        for (path, _), answer in zip(pending, answers, strict=True):
            _virtual(path, settings, -1)
            done += 1
            if answer is None or (answer.result is None and not answer.values):
                path[-1].dead = True
            else:
                path[-1].child = _opened(answer, settings)
                _back_up(path, answer.value())
    return tree


def _opened(known: Known[S], settings: Settings) -> Tree[S]:
    values = known.values
    if not values:
        return Tree(known)
    best = max(values.values())
    weights = {move: exp((value - best) / settings.temperature) for move, value in values.items()}
    whole, even = sum(weights.values()), settings.uniform / len(values)
    edges: list[Edge[S]] = [
        Edge(move, (1 - settings.uniform) * weights[move] / whole + even, value) for move, value in values.items()
    ]
    return Tree(known, edges)


def _descend(tree: Tree[S], settings: Settings) -> list[Edge[S]] | None:
    """The path to a move not yet tried, or to a finished position; None if all that is left is dead."""
    path: list[Edge[S]] = []
    while True:
        alive = [edge for edge in tree.edges if not edge.dead]
        if not alive:
            if not path:
                return None
            # Everything below is unreadable, and so the move that leads here is, too.
            path[-1].dead = True
            return None
        visits = sum(edge.visits + edge.virtual for edge in alive) + 1
        edge = max(alive, key=lambda edge: _score(edge, visits, settings))
        path.append(edge)
        if edge.child is None or edge.child.known.result is not None:
            return path
        tree = edge.child


def _score(edge: Edge[S], visits: int, settings: Settings) -> float:
    n = edge.visits + edge.virtual
    if edge.child is not None and edge.child.known.result is not None:
        mean = 1.0 - edge.child.known.result
    else:
        mean = edge.total / n if n else settings.unvisited
    return mean + settings.c * edge.prior * sqrt(visits) / (1 + n)


def _back_up(path: list[Edge[S]], value: float) -> None:
    """Count a visit along the path; `value` is for the side to move at its end."""
    for edge in reversed(path):
        value = 1.0 - value
        edge.visits += 1
        edge.total += value


def _virtual(path: list[Edge[S]], settings: Settings, sign: int) -> None:
    for height, edge in enumerate(reversed(path)):
        edge.virtual += sign * max(settings.virtual_least, settings.virtual_most >> height)
