"""A search that the game model wrote, as the search tree that the record keeps, each node with what is wrong in it.

Faults have the names and the meaning of `linearized.check.Fault`, so that trees of both kinds are measured alike.
"""

from __future__ import annotations

from typing import Any

from stratarena.agents.gamelm.trace_reading import ReadNode, Trace, board_of, leaf_value
from stratarena.agents.gamelm.traces import OVER
from stratarena.agents.gamelm.values import mirror
from stratarena.agents.gamelm.vocabulary import BUCKETS
from stratarena.agents.linearized.check import Fault
from stratarena.agents.tree import SearchTree, TreeKind, TreeNode
from stratarena.games.base import Move, MoveError, PositionError, Seat
from stratarena.games.connect_four import ConnectFour, Position

__all__ = ["no_tree", "tree_of"]

_GAME = ConnectFour()
_RESULTS = {"<won>": 1.0, "<drawn>": 0.0, "<lost>": -1.0}
_MIDDLE = (BUCKETS // 2, BUCKETS // 2 + 1)


def tree_of(trace: Trace, *, asked: tuple[int, int], state: Any, seat: Seat, ended: str) -> SearchTree:
    """Every node in the order of the text, then the moves that a node valued and did not look into.

    `asked` is the depth and breadth of the prompt; `state` is where the search began, `seat` who searches.
    """
    build = _Build(trace, asked, seat)
    build.add(trace.root, None, None, _GAME.encode(state))
    root = trace.root
    if (trace.depth, trace.breadth) != asked:
        build.problems[0].append(Fault.WRONG_HEADER)
    if root.selected is None:
        build.problems[0].append(Fault.NO_CHOICE)
    elif _move(root.selected) not in _GAME.legal_moves(state):
        build.problems[0].append(Fault.ILLEGAL_CHOICE)
    nodes = build.nodes()
    first = _best(root.values)
    return SearchTree(
        kind=TreeKind.INTERNAL,
        method=f"game_lm(depth={asked[0]}, breadth={asked[1]})",
        simulations=len(build.read),
        n_nodes=len(build.read),
        depth=max(build.depths),
        first_move=None if first is None else _move(first),
        value_before=nodes[0].estimate,
        value_after=nodes[0].value,
        line=_line(root),
        ended=ended,
        nodes=nodes,
        whole=True,
    )


def no_tree(asked: tuple[int, int], ended: str) -> SearchTree:
    """What the record keeps of a text that is no search."""
    method = f"game_lm(depth={asked[0]}, breadth={asked[1]})"
    return SearchTree(kind=TreeKind.INTERNAL, method=method, simulations=0, n_nodes=0, depth=0, ended=ended, whole=True)


class _Build:
    """The nodes as they are read, parents before children."""

    def __init__(self, trace: Trace, asked: tuple[int, int], seat: Seat) -> None:
        self._asked = asked
        self._seat = seat
        self.read: list[tuple[ReadNode, int | None, int | None, str]] = []
        """Node, place of its parent, move, position in the game's notation."""
        self.depths: list[int] = []
        self.problems: list[list[Fault]] = []

    def add(self, node: ReadNode, parent: int | None, move: int | None, expected: str | None) -> None:
        """Add a node and all below it; `expected` is the position that its parent's leads to, None where there is none."""
        place, depth = len(self.read), 0 if parent is None else self.depths[parent] + 1
        text = self._notation(node, depth)
        claimed = _decoded(text)
        self.read.append((node, parent, move, text))
        self.depths.append(depth)
        faults: list[Fault] = []
        self.problems.append(faults)
        told = None
        if parent is not None:
            before = self.read[parent][0]
            said = None if move is None else before.values[move]
            told = None if said is None else mirror(said)
            if move not in before.announced or told is None:
                faults.append(Fault.UNLISTED_MOVE)
            if expected is None and _decoded(self.read[parent][3]) is not None:
                faults.append(Fault.ILLEGAL_MOVE)
        if claimed is None:
            faults.append(Fault.UNREADABLE_STATE)
        elif expected is not None and text != expected:
            faults.append(Fault.WRONG_STATE)
        faults += self._own(node, claimed, depth, told)
        for child_move, child, _ in node.children:
            self.add(child, place, child_move, _after(claimed, child_move))

    def _own(self, node: ReadNode, claimed: Position | None, depth: int, told: int | None) -> list[Fault]:
        """What is wrong with a node by itself: ending, listing, size, values carried up, choice.

        `told` is what its parent says of it, for its own mover.
        """
        faults = []
        going = node.status == "<going>"
        listed = [column for column, value in enumerate(node.values) if value is not None] if going else []
        if claimed is not None:
            if self._ending_wrong(node, claimed):
                faults.append(Fault.WRONG_END)
            if not {*map(_move, listed), *map(_move, node.announced)} <= set(_GAME.legal_moves(claimed)) and going:
                faults.append(Fault.ILLEGAL_LISTING)
        opened = [move for move, _, _ in node.children]
        wanted = min(self._asked[1], len(listed)) if depth < self._asked[0] else 0
        if len(opened) < wanted:
            faults.append(Fault.TOO_FEW_CHILDREN)
        if len(opened) > wanted or len(set(opened)) < len(opened):
            faults.append(Fault.TOO_MANY_CHILDREN)
        if any(back != mirror(child.value) for _, child, back in node.children):
            faults.append(Fault.CARRIED_WRONG)
        first = {column: value for column, value in enumerate(node.values) if going and value is not None}
        values = {move: back for move, _, back in node.children} or first
        best = max(values.values(), default=None)
        due = leaf_value(node, told) if going and not node.children else best
        if node.value != (due if going and due is not None else OVER.get(node.status, OVER["<drawn>"])):
            faults.append(Fault.WRONG_VALUE)
        picks = [column for column, value in values.items() if value == best] if going else [None]
        if node.selected not in (picks or [None]):
            faults.append(Fault.WRONG_PICK)
        return faults

    def _ending_wrong(self, node: ReadNode, claimed: Position) -> bool:
        outcome = _GAME.outcome(claimed)
        if outcome is None or node.status == "<going>":
            return (outcome is None) != (node.status == "<going>")
        mover = _GAME.to_move(claimed)
        true = 0.0 if outcome.winner is None else 1.0 if outcome.winner is mover else -1.0
        return _RESULTS.get(node.status) != true

    def _notation(self, node: ReadNode, depth: int) -> str:
        """The position that it claims: its boards are seen by the side to move."""
        own, opponent = board_of(node.board)
        mover = self._seat if depth % 2 == 0 else self._seat.other
        first, second = (own, opponent) if mover is Seat.FIRST else (opponent, own)
        text = _GAME.encode(Position(first, second, line=False))
        return f"{text[:-1]}{'X' if mover is Seat.FIRST else 'O'}"

    def nodes(self) -> tuple[TreeNode, ...]:
        """All of them, with the moves that were valued and not looked into behind."""
        found = []
        for (node, parent, move, text), depth, faults in zip(self.read, self.depths, self.problems, strict=True):
            over = node.status in _RESULTS
            value = _RESULTS[node.status] if over else _value(node.value)
            assert value is not None
            first = _best(node.values)
            estimate = None if first is None or over else _value(node.values[first])
            sign = -1 if depth % 2 else 1
            if parent is not None and move is not None:
                listed = _value(self.read[parent][0].values[move])
                estimate = None if listed is None else -listed
            found.append(
                TreeNode(
                    parent=parent,
                    move=None if move is None else _move(move),
                    depth=depth,
                    visits=1,
                    estimate=None if estimate is None else sign * estimate + 0.0,
                    value=sign * value + 0.0,
                    terminal=over,
                    state=text,
                    problem="; ".join(fault.value for fault in dict.fromkeys(faults)) or None,
                )
            )
        for place, ((node, *_), depth) in enumerate(zip(self.read, self.depths, strict=True)):
            tried = {move for move, _, _ in node.children}
            sign = -1 if depth % 2 else 1
            for column, bucket in enumerate(node.values):
                said = _value(bucket)
                if node.status == "<going>" and said is not None and column not in tried:
                    listed_move = _move(column)
                    found.append(TreeNode(parent=place, move=listed_move, depth=depth + 1, estimate=sign * said + 0.0))
        return tuple(found)


def _value(bucket: int | None) -> float | None:
    """A bucket as a value from -1 to 1 for the same side: the outer ones are certain, the two in the middle even."""
    if bucket is None:
        return None
    return 0.0 if bucket in _MIDDLE else (2 * bucket - BUCKETS - 1) / (BUCKETS - 1)


def _best(values: tuple[int | None, ...]) -> int | None:
    known = [(value, -column) for column, value in enumerate(values) if value is not None]
    return -max(known)[1] if known else None


def _line(node: ReadNode) -> tuple[Move, ...]:
    """The line of selections that the search tells."""
    line: list[Move] = []
    here: ReadNode | None = node
    while here is not None and here.selected is not None:
        line.append(_move(here.selected))
        here = next((child for move, child, _ in here.children if move == here.selected), None)
    return tuple(line)


def _after(claimed: Position | None, move: int) -> str | None:
    if claimed is None:
        return None
    try:
        return _GAME.encode(_GAME.play(claimed, _move(move)))
    except MoveError:
        return None


def _decoded(text: str) -> Position | None:
    try:
        return _GAME.decode(text)
    except PositionError:
        return None


def _move(column: int) -> Move:
    return Move(str(column + 1))
