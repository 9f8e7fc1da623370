"""A search that the game model wrote, as the search tree that the record keeps, each node with what is wrong in it.

Faults have the names and the meaning of `linearized.check.Fault`, so that trees of both kinds are measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stratarena.agents.gamelm.forms import Board, Form
from stratarena.agents.gamelm.trace_reading import ReadNode, Trace, leaf_value
from stratarena.agents.gamelm.traces import OVER
from stratarena.agents.gamelm.values import mirror
from stratarena.agents.gamelm.vocabulary import BUCKETS
from stratarena.agents.linearized.check import Fault
from stratarena.agents.tree import SearchTree, TreeKind, TreeNode
from stratarena.games.base import Game, Move, MoveError, PositionError, Seat

__all__ = ["no_tree", "tree_of"]

_RESULTS = {"<won>": 1.0, "<drawn>": 0.0, "<lost>": -1.0}
_MIDDLE = (BUCKETS // 2, BUCKETS // 2 + 1)


def tree_of(game: Game[Any], trace: Trace, *, asked: tuple[int, int], state: Any, seat: Seat, ended: str) -> SearchTree:
    """Every node in the order of the text, then the moves that a node valued and did not look into.

    `asked` is the depth and breadth of the prompt; `state` is where the search began, `seat` who searches.
    """
    build = _Build(game, trace, asked, seat)
    build.add(trace.root, None, None, game.encode(state))
    root, top = trace.root, build.read[0]
    if (trace.depth, trace.breadth) != asked:
        build.problems[0].append(Fault.WRONG_HEADER)
    if root.selected is None:
        build.problems[0].append(Fault.NO_CHOICE)
    elif build.move(top, root.selected) not in game.legal_moves(state):
        build.problems[0].append(Fault.ILLEGAL_CHOICE)
    nodes = build.nodes()
    first = _best(trace.form, root.values)
    return SearchTree(
        kind=TreeKind.INTERNAL,
        method=f"game_lm(depth={asked[0]}, breadth={asked[1]})",
        simulations=len(build.read),
        n_nodes=len(build.read),
        depth=max(one.depth for one in build.read),
        first_move=None if first is None else build.move(top, first),
        value_before=nodes[0].estimate,
        value_after=nodes[0].value,
        line=build.line(),
        ended=ended,
        nodes=nodes,
        whole=True,
    )


def no_tree(asked: tuple[int, int], ended: str) -> SearchTree:
    """What the record keeps of a text that is no search."""
    method = f"game_lm(depth={asked[0]}, breadth={asked[1]})"
    return SearchTree(kind=TreeKind.INTERNAL, method=method, simulations=0, n_nodes=0, depth=0, ended=ended, whole=True)


@dataclass(frozen=True, slots=True)
class _Read:
    """A node with what the tree says of it."""

    node: ReadNode
    parent: int | None
    """Its parent's place."""
    came_by: int | None
    """The move from there."""
    depth: int
    mover: Seat
    board: Board
    """As it claims, like what follows."""
    text: str
    state: Any
    """None where the text is no position."""


class _Build:
    """The nodes as they are read, parents before children."""

    def __init__(self, game: Game[Any], trace: Trace, asked: tuple[int, int], seat: Seat) -> None:
        self._game = game
        self._form: Form = trace.form
        self._asked = asked
        self._seat = seat
        self.read: list[_Read] = []
        self.problems: list[list[Fault]] = []

    def move(self, at: _Read, index: int) -> Move:
        """The arena's move of that number, at a node."""
        return self._form.move(index, at.mover, at.board)

    def line(self) -> tuple[Move, ...]:
        """The line of selections that the search tells."""
        line: list[Move] = []
        here: int | None = 0
        while here is not None and (selected := self.read[here].node.selected) is not None:
            line.append(self.move(self.read[here], selected))
            here = next(
                (place for place, one in enumerate(self.read) if one.parent == here and one.came_by == selected), None
            )
        return tuple(line)

    def add(self, node: ReadNode, parent: int | None, move: int | None, expected: str | None) -> None:
        """Add a node and all below it; `expected` is the position that its parent's leads to, None where there is none."""
        place, depth = len(self.read), 0 if parent is None else self.read[parent].depth + 1
        mover = self._seat if depth % 2 == 0 else self._seat.other
        board = self._form.board_of(node.board)
        text = self._form.encode(board, mover)
        here = _Read(node, parent, move, depth, mover, board, text, self._decoded(text))
        self.read.append(here)
        faults: list[Fault] = []
        self.problems.append(faults)
        told = None
        if parent is not None:
            before = self.read[parent]
            said = None if move is None else before.node.values[move]
            told = None if said is None else mirror(said)
            if move not in before.node.announced or told is None:
                faults.append(Fault.UNLISTED_MOVE)
            if expected is None and before.state is not None:
                faults.append(Fault.ILLEGAL_MOVE)
        if here.state is None:
            faults.append(Fault.UNREADABLE_STATE)
        elif expected is not None and text != expected:
            faults.append(Fault.WRONG_STATE)
        faults += self._own(here, told)
        for child_move, child, _ in node.children:
            self.add(child, place, child_move, self._after(here, child_move))

    def _own(self, here: _Read, told: int | None) -> list[Fault]:
        """What is wrong with a node by itself: ending, listing, size, values carried up, choice.

        `told` is what its parent says of it, for its own mover.
        """
        faults = []
        node, claimed = here.node, here.state
        going = node.status == "<going>"
        listed = [column for column, value in enumerate(node.values) if value is not None] if going else []
        if claimed is not None:
            if self._ending_wrong(node, claimed):
                faults.append(Fault.WRONG_END)
            named = {self.move(here, index) for index in (*listed, *node.announced)}
            if going and not named <= set(self._game.legal_moves(claimed)):
                faults.append(Fault.ILLEGAL_LISTING)
        opened = [move for move, _, _ in node.children]
        wanted = min(self._asked[1], len(listed)) if here.depth < self._asked[0] else 0
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

    def _ending_wrong(self, node: ReadNode, claimed: Any) -> bool:
        outcome = self._game.outcome(claimed)
        if outcome is None or node.status == "<going>":
            return (outcome is None) != (node.status == "<going>")
        mover = self._game.to_move(claimed)
        true = 0.0 if outcome.winner is None else 1.0 if outcome.winner is mover else -1.0
        return _RESULTS.get(node.status) != true

    def _after(self, here: _Read, move: int) -> str | None:
        if here.state is None:
            return None
        try:
            return self._game.encode(self._game.play(here.state, self.move(here, move)))
        except MoveError:
            return None

    def _decoded(self, text: str) -> Any:
        try:
            return self._game.decode(text)
        except PositionError:
            return None

    def nodes(self) -> tuple[TreeNode, ...]:
        """All of them, with the moves that were valued and not looked into behind."""
        found = []
        for here, faults in zip(self.read, self.problems, strict=True):
            node = here.node
            over = node.status in _RESULTS
            value = _RESULTS[node.status] if over else _value(node.value)
            assert value is not None
            first, move = _best(self._form, node.values), None
            estimate = None if first is None or over else _value(node.values[first])
            sign = -1 if here.depth % 2 else 1
            if here.parent is not None and here.came_by is not None:
                before = self.read[here.parent]
                move = self.move(before, here.came_by)
                listed = _value(before.node.values[here.came_by])
                estimate = None if listed is None else -listed
            found.append(
                TreeNode(
                    parent=here.parent,
                    move=move,
                    depth=here.depth,
                    visits=1,
                    estimate=None if estimate is None else sign * estimate + 0.0,
                    value=sign * value + 0.0,
                    terminal=over,
                    state=here.text,
                    problem="; ".join(fault.value for fault in dict.fromkeys(faults)) or None,
                )
            )
        for place, here in enumerate(self.read):
            tried = {move for move, _, _ in here.node.children}
            sign = -1 if here.depth % 2 else 1
            for index, bucket in enumerate(here.node.values):
                said = _value(bucket)
                if here.node.status == "<going>" and said is not None and index not in tried:
                    listed_move, estimate = self.move(here, index), sign * said + 0.0
                    found.append(TreeNode(parent=place, move=listed_move, depth=here.depth + 1, estimate=estimate))
        return tuple(found)


def _value(bucket: int | None) -> float | None:
    """A bucket as a value from -1 to 1 for the same side: the outer ones are certain, the two in the middle even."""
    if bucket is None:
        return None
    return 0.0 if bucket in _MIDDLE else (2 * bucket - BUCKETS - 1) / (BUCKETS - 1)


def _best(form: Form, values: tuple[int | None, ...]) -> int | None:
    """The move of the highest value, among equals the most central one."""
    return max(
        (move for move in form.order if values[move] is not None), key=lambda move: values[move] or 0, default=None
    )
