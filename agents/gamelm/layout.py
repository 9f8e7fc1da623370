"""Where each token of a written text stands, what it may look at, and whether the text waits for a board to be read.

A text is made of nodes: a root, and below it the children that a search opens. A token sees what its own node and
the nodes above it hold; of a child that is closed only its move, its selection and the value carried back remain
visible, as on a stack. So every node, however deep or late, is written from the same surroundings.

When the last place of a board has been written, the board is read (see `reading`) by the same network as a block of
its own, and the answers of that reading, the *report*, follow in the text: one token for each place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.reading import HEAD
from stratarena.agents.gamelm.vocabulary import Vocabulary

__all__ = ["Laid", "Layout", "layout_of", "slots_of"]

_SLOTS = (
    *("<bos>", "<search>", "<depth>", "<breadth>", "<state>", "<prev>", "<act>", "act move", "<next>"),
    *("<want>", "<top>", "top move", "top value", "<play>", "play move", "<end>"),
    *("<expand>", *(f"expand move {index}" for index in range(7))),
)
_OF_CHILD = ("<child>", "child move", "<back>", "back move", "back value", "<select>", "select move", "select value")
"""What remains in sight of a child once it is closed. These have places of their own for every child of a node, the
first to the seventh: a token sees a set, and without a number it could not tell which move a value was carried back for."""
_CHILDREN = 7
_SLOT = {name: index for index, name in enumerate((*_SLOTS, *_OF_CHILD))}


@dataclass
class _Node:
    level: int
    number: int = 0
    """Which child of its parent it is."""
    children: int = 0
    seen: list[int] = field(default_factory=list)
    """Tokens that whoever is in this node or below it may look at."""
    opening: list[int] = field(default_factory=list)
    """Its own opening and its selection: what remains of it once it is closed."""
    board: int = 0
    """Where its board begins."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A whole text, laid out."""

    slots: NDArray[np.int64]
    """`[tokens]`."""
    levels: NDArray[np.int64]
    """`[tokens]`: 1 + depth."""
    visible: NDArray[np.bool_]
    """`[tokens, tokens]`: row t is what token t may look at."""


class Layout:
    """Lays out a text token by token. It judges nothing: text against the grammar is laid out somehow.

    Attributes:
        slots, levels: of the tokens so far.
        seen: for every token the tokens it may look at, itself among them.
    """

    def __init__(self, words: Vocabulary) -> None:
        self.slots: list[int] = []
        self.levels: list[int] = []
        self.seen: list[list[int]] = []
        self._words = words
        self._names = {number: name for name, number in words.number.items()}
        self._stack = [_Node(level=1)]
        self._tag = ""
        """The last tag written."""
        self._after = 0
        """Tokens since that tag."""
        self._board_left = 0
        self._report_left = 0
        self._reports = False
        """Whether the board that is being written will be read."""

    @property
    def report_due(self) -> bool:
        """Whether the board just finished is now to be read: its report comes next, nothing else."""
        return self._report_left == self._words.places + HEAD

    @property
    def in_report(self) -> bool:
        """Whether the next token belongs to a report."""
        return self._report_left > 0

    @property
    def in_board(self) -> bool:
        """Whether the next token is a place of a board."""
        return self._board_left > 0

    @property
    def child_due(self) -> tuple[int, int] | None:
        """Where the board of a child comes next, where its parent's begins and where the move stands; else None."""
        if self._tag == "<child>" and self._board_left == self._words.places and len(self._stack) > 1:
            return self._stack[-2].board, len(self.slots) - 1
        return None

    @property
    def depth(self) -> int:
        """Depth of the node that the next token belongs to; the root has 0."""
        return self._stack[-1].level - 1

    def push(self, token: int) -> None:
        """Lay out one more token."""
        index, words = len(self.slots), self._words
        if self._report_left:
            slot = words.places + HEAD - self._report_left
            self._report_left -= 1
        elif self._board_left:
            slot = HEAD + words.places - self._board_left
            if self._reports and self._board_left == words.places:
                self._stack[-1].board = index
            self._board_left -= 1
            if not self._board_left and self._reports:
                self._report_left = words.places + HEAD
        else:
            slot = self._place(token)
            if slot >= len(_SLOTS):
                # What is carried back stands in the parent, but under the number of the child.
                back = self._tag == "<back>"
                number = max(self._stack[-1].children - 1, 0) if back else self._stack[-1].number
                slot += len(_OF_CHILD) * min(number, _CHILDREN - 1)
            slot += self._base
            if self._tag in ("<child>", "<select>"):
                self._stack[-1].opening.append(index)
        node = self._stack[-1]
        node.seen.append(index)
        self.slots.append(slot)
        self.levels.append(node.level)
        self.seen.append([token for one in self._stack for token in one.seen])

    @property
    def _base(self) -> int:
        return self._words.places + HEAD

    def _place(self, token: int) -> int:
        """The slot of a token that is in no board and no report; notes what it begins."""
        name = self._names.get(token, "")
        if name.startswith("<v") or not name:
            self._after += 1
            return self._argument(bool(name))
        for kind in ("depth", "breadth", "want"):
            if name.startswith(f"<{kind}"):
                return _SLOT[f"<{kind}>"]
        self._tag, self._after = name, 0
        if name in ("<child>", "<act>", "<next>"):
            self._open()
        elif name == "<back>":
            self._close()
        if name in ("<state>", "<prev>", "<next>"):
            self._begin_board(reports=name == "<state>")
        return _SLOT.get(name, 0)

    def _argument(self, is_value: bool) -> int:
        """The slot of a move or a value after a tag."""
        tag, after = self._tag, self._after
        if tag == "<child>" and after == 1:
            self._begin_board(reports=True)
        if tag == "<expand>":
            return _SLOT[f"expand move {min(after - 1, 6)}"]
        name = tag.strip("<>") + (" value" if is_value else " move")
        return _SLOT.get(name, 0)

    def _begin_board(self, *, reports: bool) -> None:
        self._board_left, self._reports = self._words.places, reports

    def _open(self) -> None:
        # A text may open nodes without end; what is deeper than there are levels stays at the last one.
        parent = self._stack[-1]
        self._stack.append(_Node(level=min(parent.level + 1, 5), number=parent.children))
        parent.children += 1

    def _close(self) -> None:
        if len(self._stack) > 1:
            closed = self._stack.pop()
            self._stack[-1].seen.extend(closed.opening)


def slots_of(words: Vocabulary) -> int:
    """How many places within a node texts of this vocabulary tell apart."""
    return words.places + HEAD + len(_SLOTS) + len(_OF_CHILD) * _CHILDREN


def layout_of(words: Vocabulary, tokens: list[int]) -> Laid:
    """The layout of a whole text."""
    layout = Layout(words)
    for token in tokens:
        layout.push(token)
    visible = np.zeros((len(tokens), len(tokens)), np.bool_)
    for index, seen in enumerate(layout.seen):
        visible[index, seen] = True
    return Laid(np.array(layout.slots, np.int64), np.array(layout.levels, np.int64), visible)
