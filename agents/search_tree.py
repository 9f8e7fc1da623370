"""What the search kernel stands on: worlds to search in, what is told of a position, the settings, and the nodes of the tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from stratarena.games.base import Game, Move, Seat

__all__ = ["DEAD", "DRAW", "ByRules", "Evaluation", "Leaf", "Node", "Opened", "Settings", "World"]

DRAW = 0.5
DEAD = -1.0
"""In `Node.proofs`: a move that is not to be tried again, though nothing is proven about it."""
_FIRST = Seat.FIRST


class Opened(NamedTuple):
    """A position as the world shows it."""

    state: Any
    first: bool
    """Whether FIRST is to move."""
    result: float | None
    """For FIRST, 0 to 1, where the game is over; None while it goes on."""


class Evaluation(NamedTuple):
    """What somebody thinks of a position. Values are for the side to move there."""

    value: float
    """0 to 1."""
    priors: tuple[float, ...] | None = None
    """Weights of the moves, in the order in which the world lists them, adding up to 1; None is no opinion."""
    estimates: tuple[float, ...] | None = None
    """What each move is worth, 0 to 1, in the same order; None is no opinion."""
    opened: Opened | None = None
    """The position itself, where the world could not show it."""
    moves: tuple[Move, ...] | None = None
    """Its moves, where the world could not list them."""
    claim: str | None = None
    """The position in the words of whoever told of it."""


class World(Protocol):
    """Where a search moves."""

    def enter(self, state: Any, move: Move) -> Opened | None:
        """Where a move leads; None where it takes an evaluation to know."""

    def moves(self, state: Any) -> Sequence[Move]:
        """The moves of a position that is not over."""


_new = tuple.__new__
"""Calling a NamedTuple takes twice as long, and searches do little else."""


class ByRules:
    """The world as the rules of a game make it."""

    def __init__(self, game: Game[Any]) -> None:
        self._play, self._outcome, self._to_move = game.play, game.outcome, game.to_move
        self.moves: Callable[[Any], Sequence[Move]] = game.legal_moves
        """The legal moves of a state."""

    def open(self, state: Any) -> Opened:
        """The position of a state."""
        outcome = self._outcome(state)
        if outcome is None:
            return Opened(state, self._to_move(state) is Seat.FIRST, None)
        winner = outcome.winner
        result = DRAW if winner is None else 1.0 if winner is Seat.FIRST else 0.0
        return Opened(state, self._to_move(state) is Seat.FIRST, result)

    def enter(self, state: Any, move: Move) -> Opened:
        """The position after a move."""
        after = self._play(state, move)
        if self._outcome(after) is None:
            return _new(Opened, (after, self._to_move(after) is _FIRST, None))
        return self.open(after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to search, on values from 0 to 1. What other constants than the defaults cost is measured by `make search-sweep`."""

    selection: Literal["puct", "uct"] = "puct"
    """`uct` is UCB1: every move once, then mean plus `c` · sqrt(ln N / n); priors decide only what is tried first."""
    c: float = 0.75
    """Weight of exploration."""
    first_play: float | None = DRAW
    """What an untried move counts as, for the side to move; None: the evaluation's own estimate of it."""
    solve: bool = True
    """Whether proven results are backed up and proven positions are left alone."""
    transpositions: bool = False
    """Whether positions that are reached on several ways are one node."""
    virtual_max: int = 4
    virtual_min: int = 1
    virtual_value: float = DRAW
    """What a virtual try counts as, for the side that makes it: 0.5 is a draw, 0 a loss."""
    noise_share: float = 0.0
    """Share of Dirichlet noise in the root's priors."""
    noise_alpha: float = 0.3


class Node:
    """A position. `visits[i]`, `totals[i]`, `children[i]` belong to `moves[i]`, for as many moves as were tried."""

    __slots__ = (
        *("children", "claim", "depth", "estimates", "evaluation", "exhausted", "first", "means", "move", "moves"),
        *("n", "parent", "pending", "priors", "proofs", "result", "state", "terminal", "totals", "urges", "value"),
        *("virtual", "visits"),
    )

    def __init__(self, opened: Opened | None, parent: Node | None, move: Move | None) -> None:
        self.parent = parent
        self.move = move
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.n = 0
        """Simulations that came here, the one that evaluated it included."""
        self.value: float | None = None
        """What the evaluation made of it, for the side to move; None until it is evaluated."""
        self.evaluation: Evaluation | None = None
        """Kept from the evaluation until the first descent through the node lists its moves."""
        self.moves: list[Move] | None = None
        """None until then."""
        self.visits: list[int]
        self.totals: list[float]
        """Sums of results, for the side to move here."""
        self.means: list[float]
        """`totals` by `visits`, and"""
        self.urges: list[float]
        """what exploration adds for each unit of its weight: kept as counted, since selection reads them most."""
        self.children: list[Node]
        self.priors: list[float] | None = None
        """None where all moves weigh the same."""
        self.estimates: list[float] | None = None
        self.proofs: list[float | None] | None = None
        """Proven results of the tried moves, for the side to move here; None while there are none."""
        self.virtual: list[int] | None = None
        self.pending: Leaf | None = None
        self.exhausted = False
        """No move is left that could be tried."""
        self.claim: str | None = None
        self.state: Any
        self.first: bool
        self.result: float | None
        """The proven result, for FIRST."""
        self.state, self.first, self.result = (None, True, None) if opened is None else opened
        self.terminal = self.result is not None

    def mean(self, i: int) -> float | None:
        """The mean result of a move, or the proven one, for the side to move here; None if it was never tried."""
        if i >= len(self.visits):
            return None
        if self.proofs is not None and (proof := self.proofs[i]) is not None and proof != DEAD:
            return proof
        return self.totals[i] / self.visits[i] if self.visits[i] else None

    def standing(self, i: int) -> float:
        """1 for a move that is proven to win, -1 for one that is proven to lose, -2 for a dead one, 0 for all others."""
        proof = None if self.proofs is None or i >= len(self.proofs) else self.proofs[i]
        if proof is None or proof == DRAW:
            return 0.0
        return 1.0 if proof == 1.0 else -2.0 if proof == DEAD else -1.0

    def prior(self, i: int) -> float:
        """The weight of a move."""
        assert self.moves is not None
        return 1 / len(self.moves) if self.priors is None else self.priors[i]


class Leaf:
    """A node that waits for its evaluation, and the ways on which simulations came to it."""

    __slots__ = ("node", "paths")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.paths: list[list[tuple[Node, int]]] = []

    @property
    def line(self) -> tuple[Move, ...]:
        """The moves that lead here from the root."""
        moves = []
        node: Node | None = self.node
        while node is not None and node.move is not None:
            moves.append(node.move)
            node = node.parent
        return tuple(reversed(moves))
