"""Traces read back: from tokens to a tree, strictly, and what is right and wrong in it by the rules and by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stratarena.agents.gamelm.forms import Board, Form
from stratarena.agents.gamelm.reading import STATUSES
from stratarena.agents.gamelm.values import mirror, together
from stratarena.agents.gamelm.vocabulary import BUCKETS

__all__ = ["BrokenTrace", "Checks", "ReadNode", "Trace", "check", "leaf_value", "read_trace"]


class BrokenTrace(Exception):
    """A text that is no trace; says at which token and what was expected."""


@dataclass(slots=True)
class ReadNode:
    """A node as the text claims it."""

    board: tuple[int, ...]
    """Contents of its places."""
    status: str
    best: int
    values: tuple[int | None, ...]
    announced: tuple[int, ...] = ()
    """The moves it said it would expand."""
    children: list[tuple[int, ReadNode, int]] = field(default_factory=list)
    """Move, child, and the bucket carried back for this node's mover."""
    selected: int | None = None
    value: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole search."""

    form: Form
    depth: int
    breadth: int
    root: ReadNode


class _Reader:
    def __init__(self, form: Form, tokens: list[int]) -> None:
        self.words = form.words
        self.tokens = tokens
        self.at = 0
        self.names = {number: name for name, number in self.words.number.items()}

    def fail(self, expected: str) -> BrokenTrace:
        found = "the end" if self.at >= len(self.tokens) else self.word(self.tokens[self.at])
        return BrokenTrace(f"token {self.at}: expected {expected}, found {found}")

    def word(self, token: int) -> str:
        words = self.words
        if token in self.names:
            return self.names[token]
        if token < words.first_content:
            return f"move {token - words.first_move}"
        return f"content {token - words.first_content}"

    def peek(self) -> str:
        return self.names.get(self.tokens[self.at], "") if self.at < len(self.tokens) else ""

    def tag(self, *names: str) -> str:
        found = self.peek()
        if found not in names:
            raise self.fail(" or ".join(names))
        self.at += 1
        return found

    def number(self, first: int, n: int, what: str) -> int:
        if self.at >= len(self.tokens) or not first <= self.tokens[self.at] < first + n:
            raise self.fail(what)
        self.at += 1
        return self.tokens[self.at - 1] - first

    def move(self) -> int:
        return self.number(self.words.first_move, self.words.moves, "a move")

    def value(self) -> int:
        return self.number(self.words.first_value, BUCKETS, "a value") + 1

    def board(self) -> tuple[int, ...]:
        words = self.words
        return tuple(
            self.number(words.first_content, words.contents, "a place of a board") for _ in range(words.places)
        )

    def node(self) -> ReadNode:
        board = self.board()
        status, best = self.tag(*STATUSES), self.move()
        values: list[int | None] = []
        for _ in range(self.words.places):
            if self.peek() == "<illegal>":
                self.at += 1
                values.append(None)
            else:
                values.append(self.value())
        return ReadNode(board, status, best, tuple(values))

    def body(self, node: ReadNode) -> None:
        if self.tag("<expand>", "<select>") == "<expand>":
            announced = [self.move()]
            while self.peek() == "":
                announced.append(self.move())
            node.announced = tuple(announced)
            while self.peek() == "<child>":
                self.at += 1
                move = self.move()
                child = self.node()
                self.body(child)
                self.tag("<back>")
                if self.move() != move:
                    self.at -= 1
                    raise self.fail(f"move {move}, which was opened last")
                node.children.append((move, child, self.value()))
            self.tag("<select>")
        if self.peek() == "":
            node.selected = self.move()
        node.value = self.value()


def read_trace(form: Form, tokens: list[int]) -> Trace:
    """The search that these tokens tell. Raises `BrokenTrace` at the first token that does not fit the grammar."""
    reader = _Reader(form, tokens)
    reader.tag("<bos>")
    reader.tag("<search>")
    depth = int(reader.tag(*(f"<depth{depth}>" for depth in range(4)))[6:-1])
    breadth = int(reader.tag(*(f"<breadth{breadth}>" for breadth in range(1, 8)))[8:-1])
    reader.tag("<state>")
    root = reader.node()
    reader.body(root)
    reader.tag("<end>")
    return Trace(form, depth, breadth, root)


@dataclass
class Checks:
    """Counts of what was looked at and what was right."""

    asked_shape: bool = True
    """Every node has as many children as asked for and its report offers, and none lies deeper than asked for."""
    children: int = 0
    legal: int = 0
    local: int = 0
    """Children whose board is the parent's claimed board after the move."""
    true: int = 0
    """Children whose board is the true one after the moves from the root."""
    backups: int = 0
    consistent: int = 0
    """Values carried back that are the mirror of what the child selected."""
    selections: int = 0
    selected_best: int = 0
    """Moves selected that are the highest of what stands above or below them, at inner nodes with that value."""
    judged: int = 0
    judged_right: int = 0
    """Leaves whose value lies in the middle of their own report and their parent's."""
    judged_off: int = 0
    """Buckets by which the values of leaves are away from there, in all."""
    by_depth: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Children and true boards among them, by depth."""


def check(trace: Trace, own: int, opponent: int) -> Checks:
    """What holds of a trace that began from this board."""
    checks = Checks()
    _check(checks, trace, trace.root, (own, opponent), told=None, depth=0)
    return checks


def leaf_value(node: ReadNode, told: int | None) -> int | None:
    """The value that a leaf should have by its report and what its parent's says of the move there, for its mover.

    None where its report offers no move.
    """
    offered = [value for value in node.values if value is not None]
    if not offered:
        return None
    return max(offered) if told is None else together(max(offered), told)


def _check(checks: Checks, trace: Trace, node: ReadNode, truth: Board | None, *, told: int | None, depth: int) -> None:
    offered = [value for value in node.values if value is not None] if node.status == "<going>" else []
    expected = min(trace.breadth, len(offered)) if depth < trace.depth else 0
    opened = tuple(move for move, _, _ in node.children)
    if len(opened) != expected or len(set(opened)) != len(opened) or node.announced != opened:
        checks.asked_shape = False
    form = trace.form
    claimed = form.board_of(node.board)
    for move, child, back in node.children:
        checks.children += 1
        after = _after(form, claimed, move)
        checks.legal += after is not None
        checks.local += after == form.board_of(child.board)
        true = None if truth is None else _after(form, truth, move)
        right = true is not None and true == form.board_of(child.board)
        checks.true += right
        all_, good = checks.by_depth.get(depth + 1, (0, 0))
        checks.by_depth[depth + 1] = (all_ + 1, good + right)
        checks.backups += 1
        checks.consistent += back == mirror(child.value)
        said = node.values[move]
        _check(checks, trace, child, true, told=None if said is None else mirror(said), depth=depth + 1)
    if node.children:
        backed = {move: back for move, _, back in node.children}
        best = max(backed.values())
        checks.selections += 1
        checks.selected_best += node.selected is not None and backed.get(node.selected) == best == node.value
    elif offered:
        checks.selections += 1
        checks.selected_best += node.selected is not None and node.values[node.selected] == max(offered)
        due = leaf_value(node, told)
        assert due is not None
        checks.judged += 1
        checks.judged_right += node.value == due
        checks.judged_off += abs(node.value - due)


def _after(form: Form, board: Board, move: int) -> Board | None:
    """The board after the move; None where the rules do not allow it."""
    own, opponent = (np.array([side], np.uint64) for side in board)
    if not form.room(own, opponent)[0, move]:
        return None
    (mine,), (theirs,) = form.play(own, opponent, np.array([move]))
    return int(mine), int(theirs)
