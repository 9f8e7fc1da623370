"""A search tree as text, one line for each node entered and left: the values, and how they are written.

Source: the linearized minimax search of MAV (arXiv 2412.12119, section on internal search), in a form of our own that an
instruction-tuned model can be asked for. `docs/linearized-search.md` has the grammar with an example for every game.
Values are whole per cent, 0 to 100, of the chance to win (a draw is half a win) for the side that is to move at the
node which the line is about, so that a parent sees 100 less its child's value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

__all__ = [
    "DRAW",
    "ROOT",
    "Backup",
    "MoveValue",
    "Trace",
    "TraceNode",
    "back_line",
    "node_line",
    "print_trace",
    "search_line",
]

ROOT = "-"
"""The path of the root."""
DRAW = "draw"
"""How a node says that the game is drawn there."""

MOVE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+#=-]{0,15}")
GAME = re.compile(r"[^|\s](?:[^|\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*[^|\s])?")
STATE = GAME
END = re.compile(r"[A-Za-z]{1,16}")
PERCENT = re.compile(r"100|[1-9]?[0-9]")
DEPTH = re.compile(r"[1-9]?[0-9]")
BREADTH = re.compile(r"[1-9][0-9]{0,2}")


class MoveValue(NamedTuple):
    """A move and what it is worth, for the side that makes it."""

    move: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a node says of itself when it is left."""

    moves: tuple[MoveValue, ...] = ()
    """The expanded moves with the values carried up to them; empty where nothing was expanded."""
    value: int
    pick: str | None = None
    """The best of them; None where the game is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceNode:
    """A node as it is claimed: nothing here was checked."""

    parent: int | None = None
    """Number of the node that it was expanded from; None for the root."""
    move: str | None = None
    """The move that leads to it; None for the root."""
    state: str
    """The position after it, in the notation of the game."""
    moves: tuple[MoveValue, ...] = ()
    """The moves looked at with their first values, best first; empty where the game is over."""
    end: str | None = None
    """Where the game is over, the name of the winning side, or `draw`."""
    backup: Backup | None = None
    """None as long as the node is not left."""


@dataclass(frozen=True)
class Trace:
    """A written search: its nodes in the order in which they were entered, which is depth first.

    A trace that was cut off has nodes without a backup, and no move to play.
    """

    game: str
    depth: int
    """Plies that were to be looked ahead; 0 is the root alone."""
    breadth: int
    """Moves that were to be expanded at each node above that depth."""
    nodes: tuple[TraceNode, ...] = ()
    play: str | None = None
    """The final choice."""

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For every node the numbers of its children, in order."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for number, node in enumerate(self.nodes):
            if node.parent is not None:
                found[node.parent].append(number)
        return tuple(map(tuple, found))

    @cached_property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """For every node the moves that lead to it from the root."""
        found: list[tuple[str, ...]] = []
        for node in self.nodes:
            found.append(() if node.parent is None or node.move is None else (*found[node.parent], node.move))
        return tuple(found)

    @property
    def complete(self) -> bool:
        """Whether it says all that a trace has to say."""
        return self.play is not None and bool(self.nodes) and all(node.backup is not None for node in self.nodes)


def print_trace(trace: Trace) -> str:
    """The text of a trace, a complete one as `parse_trace` reads it back; ends with a newline.

    Raises:
        ValueError: the nodes are not in depth-first order, two siblings make one move, or a field cannot be written:
            a name or position with a bar or line break in it, a value outside 0 to 100.
    """
    return "".join(f"{line}\n" for line in _lines(trace))


def search_line(game: str, depth: int, breadth: int) -> str:
    """The first line of a trace, without a newline."""
    return f"SEARCH {_written(GAME, game)} | depth={_written(DEPTH, str(depth))} | breadth={_written(BREADTH, str(breadth))}"


def node_line(path: tuple[str, ...], node: TraceNode) -> str:
    """The line that enters a node, without a newline."""
    if (node.end is None) != bool(node.moves):
        raise ValueError(f"node {_path(path)} must either list moves or say how the game ended")
    what = f"moves={_values(node.moves)}" if node.end is None else f"end={_written(END, node.end)}"
    return f"NODE {_path(path)} | state={_written(STATE, node.state)} | {what}"


def back_line(path: tuple[str, ...], backup: Backup) -> str:
    """The line that leaves a node, without a newline."""
    moves = f" | moves={_values(backup.moves)}" if backup.moves else ""
    pick = f" | pick={_written(MOVE, backup.pick)}" if backup.pick is not None else ""
    return f"BACK {_path(path)}{moves} | value={_written(PERCENT, str(backup.value))}{pick}"


def _lines(trace: Trace) -> Iterator[str]:
    yield search_line(trace.game, trace.depth, trace.breadth)
    open_nodes: list[int] = []
    seen: set[tuple[str, ...]] = set()
    for number, node in enumerate(trace.nodes):
        while open_nodes and open_nodes[-1] != node.parent:
            yield from _left(trace, open_nodes.pop())
        path = trace.paths[number]
        is_root = number == 0
        if is_root != (node.parent is None) or is_root != (node.move is None) or (not is_root and not open_nodes):
            raise ValueError(f"node {number} is not behind its parent and that parent's earlier children, depth first")
        if path in seen:
            raise ValueError(f"node {number}: {_path(path)} was there before")
        seen.add(path)
        yield node_line(path, node)
        open_nodes.append(number)
    while open_nodes:
        yield from _left(trace, open_nodes.pop())
    if trace.play is not None:
        yield f"PLAY {_written(MOVE, trace.play)}"


def _left(trace: Trace, number: int) -> Iterator[str]:
    backup = trace.nodes[number].backup
    if backup is not None:
        yield back_line(trace.paths[number], backup)


def _path(path: tuple[str, ...]) -> str:
    return ">".join(_written(MOVE, move) for move in path) or ROOT


def _values(moves: tuple[MoveValue, ...]) -> str:
    return ",".join(f"{_written(MOVE, move)}:{_written(PERCENT, str(value))}" for move, value in moves)


def _written(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(f"{text!r} cannot be written in a trace")
    return text
