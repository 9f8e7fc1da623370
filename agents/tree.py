"""What a search looked at, as its agent declares it: one form for trees around a model and for trees that a model wrote.

Numbers are the agent's own. What the rules say of the nodes is added by the arena, afterwards: an agent claims, the
arena checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from stratarena.games.base import Move

__all__ = ["NodeCheck", "SearchTree", "TreeKind", "TreeNode"]


class TreeKind(Enum):
    """Who made the tree, and in which world."""

    EXTERNAL = "external"
    """A program searched; moves and positions are by the rules."""
    IMAGINED = "imagined"
    """A program searched; a model said which moves there are and what they lead to."""
    INTERNAL = "internal"
    """A model wrote the search out by itself: moves, positions and values are its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCheck:
    """What the rules say of a node. *Global*: from the real position along the whole path; *local*: from what the parent claims.

    Each is None where there is nothing to check, or nothing to check it by.
    """

    legal: bool | None
    """Global: every move from the root to here is legal. None at the root."""
    legal_local: bool | None
    """The move is legal in the position that the parent claims. None where that is no position."""
    state_right: bool | None
    """Global: the claimed position is the one that the path leads to. None without a claim, or off the legal paths."""
    state_right_local: bool | None
    """The claimed position is the one that the move makes of the parent's claimed position."""
    terminal_right: bool | None
    """Global: the game is over there exactly if the node says so, with the result it says. None off the legal paths."""
    n_missed: int | None
    """Global: legal moves that the node does not list among its children; None for a node that lists none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A position of the tree, or a move that was listed there and never tried.

    Values go from -1 (lost) to 1 (won) for the seat that searches, at every depth.
    """

    parent: int | None
    """Place of the parent among the nodes, which comes before; None for the root, which is the first."""
    move: Move | None
    """The move that leads here, as the tree has it; None for the root."""
    depth: int
    """Plies below the root."""
    prior: float | None = None
    """The weight, 0 to 1, that its move had among its siblings before any was tried."""
    visits: int = 0
    """Simulations through it; in a tree written by a model 1 for a node that was looked into. 0: listed only."""
    estimate: float | None = None
    """What it was held to be worth at first, before anything below it was looked at."""
    value: float | None = None
    """What it was held to be worth in the end; None where it was never visited."""
    proven: bool = False
    """Whether `value` is the game's result under best play, as far as the searching agent's world goes."""
    terminal: bool = False
    """Whether the game is over here, in the searching agent's world; `value` is then the result."""
    state: str | None = None
    """The position as the model claims it, in the game's one-line notation; None where the rules made it, or no claim is."""
    problem: str | None = None
    """What the agent itself found wrong with what a model said of the node, in words; several joined by `; `."""
    check: NodeCheck | None = None
    """Added by the arena where a model said what the node is; never by the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTree:
    """A search that has ended, or has come to a point worth telling. Values as in `TreeNode`."""

    kind: TreeKind
    method: str
    """How it was searched: `"puct"`, `"uct"`, `"minimax"`, `"vote"`, …"""
    simulations: int
    """Descents from the root; positions evaluated where there are none."""
    n_nodes: int
    """Positions that were visited, the root's included."""
    depth: int
    """Plies from the root to the deepest of them."""
    first_move: Move | None = None
    """The move held best before the search; None where there was no opinion."""
    value_before: float | None = None
    """The root's, before the search."""
    value_after: float | None = None
    """The root's, after it."""
    line: tuple[Move, ...] = ()
    """Principal variation."""
    ended: str = "simulations"
    """What ended it: `"simulations"`, `"proven"`, or the name of a budget."""
    nodes: tuple[TreeNode, ...] = ()
    """The root first, parents before children. A summary holds the root and those of its moves that were visited."""
    whole: bool = False
    """Whether `nodes` holds every visited position. A tree in which a model claims positions is always whole."""

    def problem(self) -> str | None:
        """What is wrong with its form, if anything is: order of nodes, depths, ranges."""
        for place, node in enumerate(self.nodes):
            if (node.parent is None) != (place == 0) or (node.move is None) != (place == 0):
                return f"node {place}: the first node, and no other, is the root, without parent and move"
            if node.parent is not None and not 0 <= node.parent < place:
                return f"node {place}: its parent {node.parent} does not come before it"
            if node.depth != (0 if node.parent is None else self.nodes[node.parent].depth + 1):
                return f"node {place}: depth {node.depth} is not one more than its parent's"
            if node.visits < 0 or not _within(node.prior, 0) or not (_within(node.estimate) and _within(node.value)):
                return f"node {place}: visits, prior, estimate or value out of range"
        if self.kind is not TreeKind.EXTERNAL and not self.whole:
            return "a tree in which a model claims positions must be whole"
        if not (_within(self.value_before) and _within(self.value_after)):
            return "the root's value is not within -1 and 1"
        return None


def _within(number: float | None, low: float = -1.0) -> bool:
    return number is None or low <= number <= 1.0
