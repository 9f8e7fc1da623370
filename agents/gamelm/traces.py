"""Search traces: depth-first minimax in the model's own words, with its own values.

Source: Schultz et al. (2025) for the traversal, the mirror image of values and the selection. The values are the
model's own readings, never a solver's: with exact values a root and the minimax of its subtree always agree, so a model
could learn to copy its first guess; with its own they differ, and every selection is the exact minimax of what stands
below it. A leaf is judged twice, by its own report and by its parent's of the move that led there; its value lies in the
middle of both, since two readings err less than one. (By its own report alone, a search of depth 1 plays no better than no
search: the highest of seven noisy values is too high, by more than a ply of looking ahead is worth.)

    trace  := <bos> <search> <depth d> <breadth b> <state> BOARD REPORT body <end>
    body   := <expand> move{b} (<child> move BOARD REPORT body <back> move value){b} <select> move value
            | <select> move value           at the depth limit: the best move reported, and what it is worth by
                                            its report and by the parent's
            | <select> value                where the game is over

Where a model reads out what a move leads to (see `turning`), the board of a child is given to it like a report; else it
writes the board itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from stratarena.agents.gamelm.forms import Boards, Form
from stratarena.agents.gamelm.reading import STATUSES, Readings
from stratarena.agents.gamelm.values import bucket_of, mirror, together

__all__ = ["OVER", "Node", "Report", "Text", "board_tokens", "grow", "prompt", "report_of", "write_trace"]

OVER = {"<won>": 64, "<drawn>": 32, "<lost>": 1}
"""The bucket of a finished game, for the side that would be to move."""
OPENING = 3.0
"""What a move opened, or a value carried back, weighs in training: if one is wrong, the whole search is of the wrong shape."""
DECISION = 4.0
"""What a choice among children weighs in training: it is two tokens of a long text, and what the text is for."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was read off a board."""

    form: Form
    status: str
    best: int
    """The move of the highest value; 0 where the game is over."""
    values: tuple[int | None, ...]
    """The bucket of each move, by the mean; None for what is taken for no move."""

    def ranked(self) -> list[int]:
        """Moves by value, the highest first, among equals the most central one."""
        moves = [move for move in self.form.order if self.values[move] is not None]
        return sorted(moves, key=lambda move: -(self.values[move] or 0))

    def tokens(self) -> list[int]:
        """The report as it stands in a text."""
        words = self.form.words
        values = [words["<illegal>"] if value is None else words.first_value + value - 1 for value in self.values]
        return [words[self.status], words.first_move + self.best, *values]


def report_of(form: Form, readings: Readings, index: int, *, status: str | None = None) -> Report:
    """The report of one of these readings; `status` overrides what the model says of it."""
    named = STATUSES[readings.status[index]] if status is None else status
    values: tuple[int | None, ...] = (None,) * len(readings.legal[index])
    if named == "<going>":
        values = tuple(
            bucket_of(float(value)) if legal else None
            for value, legal in zip(readings.mean[index], readings.legal[index], strict=True)
        )
    report = Report(form, named, 0, values)
    return replace(report, best=next(iter(report.ranked()), 0))


@dataclass(slots=True)
class Node:
    """A node of a search, grown by the true rules."""

    own: int
    opponent: int
    report: Report
    told: int | None = None
    """What the parent's report said of the move that led here, for the side to move here; None at the root."""
    children: list[tuple[int, Node]] = field(default_factory=list)

    def value(self) -> tuple[int | None, int]:
        """The selected move and its bucket for the side to move here."""
        if self.report.status != "<going>":
            return None, OVER[self.report.status]
        if self.children:
            backed = [(mirror(child.value()[1]), move) for move, child in self.children]
            value = max(value for value, _ in backed)
            return next(move for other, move in backed if other == value), value
        ranked = self.report.ranked()
        if not ranked:
            return None, OVER["<drawn>"]
        best = self.report.values[ranked[0]] or 1
        return ranked[0], best if self.told is None else together(best, self.told)


def grow(
    form: Form, own: Boards, opponent: Boards, *, depth: int, breadth: int, read: Callable[[Boards, Boards], Readings]
) -> list[Node]:
    """Searches of this shape for each board, breadth by breadth: all boards of one depth are read together."""

    def nodes_of(own: Boards, opponent: Boards) -> list[Node]:
        if not len(own):
            return []
        # The report is the model's but for what can be played: the rules are what a trace has to teach.
        readings, truth = replace(read(own, opponent), legal=form.room(own, opponent)), form.statuses(own, opponent)
        return [
            Node(int(own[index]), int(opponent[index]), report_of(form, readings, index, status=STATUSES[truth[index]]))
            for index in range(len(own))
        ]

    roots = layer = nodes_of(own, opponent)
    for _ in range(depth):
        opened = [(node, move) for node in layer for move in node.report.ranked()[:breadth]]
        parents = [node for node, _ in opened]
        after = form.play(
            np.array([node.own for node in parents], np.uint64),
            np.array([node.opponent for node in parents], np.uint64),
            np.array([move for _, move in opened], np.int64),
        )
        layer = nodes_of(*after)
        for (parent, move), child in zip(opened, layer, strict=True):
            child.told = mirror(parent.report.values[move] or 1)
            parent.children.append((move, child))
    return roots


@dataclass(slots=True)
class Text:
    """Tokens, and what each weighs in training."""

    tokens: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    """0 for what is given to the model."""

    def give(self, *tokens: int) -> None:
        """Add what is given to the model: prompts, and reports, which come from readings."""
        self.tokens += tokens
        self.weights += [0.0] * len(tokens)

    def write(self, *tokens: int, weight: float = 1.0) -> None:
        """Add what the model writes."""
        self.tokens += tokens
        self.weights += [weight] * len(tokens)


def board_tokens(form: Form, own: int, opponent: int) -> list[int]:
    """The places of one board."""
    (row,) = form.contents(np.array([own], np.uint64), np.array([opponent], np.uint64))
    return [form.words.first_content + int(content) for content in row]


def prompt(form: Form, own: int, opponent: int, *, depth: int, breadth: int) -> list[int]:
    """What a search begins with, up to where the board is read."""
    words = form.words
    return [
        words["<bos>"],
        words["<search>"],
        words[f"<depth{depth}>"],
        words[f"<breadth{breadth}>"],
        words["<state>"],
        *board_tokens(form, own, opponent),
    ]


def write_trace(root: Node, *, depth: int, breadth: int, turned: bool = False) -> Text:
    """The text of a search; `turned` says that boards of children are read out, not written."""
    text, form = Text(), root.report.form
    text.give(*prompt(form, root.own, root.opponent, depth=depth, breadth=breadth), *root.report.tokens())
    _write_body(text, root, turned=turned)
    text.write(form.words["<end>"])
    return text


def _write_body(text: Text, node: Node, *, turned: bool) -> None:
    form = node.report.form
    words = form.words
    if node.children:
        text.write(words["<expand>"], *(words.first_move + move for move, _ in node.children), weight=OPENING)
        for move, child in node.children:
            text.write(words["<child>"], words.first_move + move)
            board = board_tokens(form, child.own, child.opponent)
            if turned:
                text.give(*board)
            else:
                text.write(*board)
            text.give(*child.report.tokens())
            _write_body(text, child, turned=turned)
            backed = words.first_value + mirror(child.value()[1]) - 1
            text.write(words["<back>"], words.first_move + move, backed, weight=OPENING)
    move_, value = node.value()
    text.write(words["<select>"])
    weight = DECISION if node.children else 1.0
    if move_ is not None:
        text.write(words.first_move + move_, weight=weight)
    text.write(words.first_value + value - 1, weight=weight)
