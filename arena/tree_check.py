"""What the rules say of a tree in which a model said which moves there are and what they lead to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from stratarena.agents.tree import NodeCheck, SearchTree, TreeKind, TreeNode
from stratarena.games.base import Game, Move, MoveError, PositionError, Seat

__all__ = ["checked_tree"]


_NOTHING = NodeCheck(
    legal=None, legal_local=None, state_right=None, state_right_local=None, terminal_right=None, n_missed=None
)


class _Place(NamedTuple):
    """A node's two positions; None where there is none."""

    true: Any
    """Where the rules lead along the path."""
    claimed: Any
    """Where the node says that it is; where it does not say, where the move leads from its parent's claim."""


def checked_tree(tree: SearchTree, game: Game[Any], state: Any, seat: Seat) -> SearchTree:
    """The tree with every node that a model claims checked against the rules, from the position that was searched.

    `seat` searched. Trees by the rules, and trees of games in which a seat does not see everything, come back as they
    are. A node without a move that is legal along its path has no truth to be compared with, and neither have those below.

    Raises:
        ValueError: the tree is out of form.
    """
    problem = tree.problem()
    if problem is not None:
        raise ValueError(f"a search tree is out of form: {problem}")
    if tree.kind is TreeKind.EXTERNAL or not game.traits.open_information:
        return tree
    listed: list[set[Move]] = [set() for _ in tree.nodes]
    for node in tree.nodes:
        if node.parent is not None and node.move is not None:
            listed[node.parent].add(node.move)
    places: list[_Place] = []
    nodes = []
    for number, node in enumerate(tree.nodes):
        check, place = _check(node, listed[number], places, game=game, root=state, seat=seat)
        places.append(place)
        nodes.append(replace(node, check=check))
    return replace(tree, nodes=tuple(nodes))


def _check(
    node: TreeNode, listed: set[Move], places: list[_Place], *, game: Game[Any], root: Any, seat: Seat
) -> tuple[NodeCheck | None, _Place]:
    """What the rules say of a node, None where they have nothing to say, and where it stands."""
    legal = legal_local = None
    true, follows = root, root
    if node.parent is not None and node.move is not None:
        parent = places[node.parent]
        true = _after(game, parent.true, node.move)
        follows = _after(game, parent.claimed, node.move)
        legal = true is not None
        legal_local = None if parent.claimed is None else follows is not None
    claimed = follows if node.state is None else _read(game, node.state)
    claims = node.state is not None
    check = NodeCheck(
        legal=legal,
        legal_local=legal_local,
        state_right=_same(game, claimed, true) if claims and true is not None else None,
        state_right_local=_same(game, claimed, follows) if claims and follows is not None else None,
        terminal_right=_ending_right(game, node, true, seat) if true is not None and node.visits else None,
        n_missed=len(set(game.legal_moves(true)) - listed) if listed and true is not None else None,
    )
    return (None if check == _NOTHING else check), _Place(true, claimed)


def _after(game: Game[Any], state: Any, move: Move) -> Any:
    """The state after the move; None where there is no state, or the move is not legal in it."""
    if state is None:
        return None
    try:
        return game.play(state, move)
    except MoveError:
        return None


def _read(game: Game[Any], text: str) -> Any:
    try:
        return game.decode(text)
    except PositionError:
        return None


def _same(game: Game[Any], claimed: Any, expected: Any) -> bool:
    """Whether both are one position, as the game writes positions: history is not compared."""
    return claimed is not None and game.encode(claimed) == game.encode(expected)


def _ending_right(game: Game[Any], node: TreeNode, true: Any, seat: Seat) -> bool:
    outcome = game.outcome(true)
    if outcome is None or not node.terminal:
        return (outcome is not None) == node.terminal
    result = 0.0 if outcome.winner is None else 1.0 if outcome.winner is seat else -1.0
    return node.value is not None and abs(node.value - result) < 1e-9
