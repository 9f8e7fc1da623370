"""How true the searches are that models write out by themselves: moves, positions, values and choices, from the record.

Pure functions over `SearchRecord`s of kind `internal`. Source: the hallucination measures of MAV (arXiv 2412.12119, table 2)
and their extension to whole traces. A *node* is a position that the model looked into. *Global* goes by the whole way from
the real position, *local* by the one step from what the parent claims. Each share counts nodes or searches, as its
definition says, with an interval from resampling matches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from stratarena.agents.linearized.check import Fault
from stratarena.agents.linearized.player import CHOSEN
from stratarena.agents.tree import TreeNode
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.search_ratios import Count, ratio_by_match, scopes
from stratarena.db.records import SearchRecord
from stratarena.games.base import Game, MoveError
from stratarena.games.plugins import load_game

__all__ = ["DEFINITIONS", "Accuracy", "WrittenSearches", "accuracy_by_depth", "faults_of", "measure_searches"]

_SLIP = 1e-6
_CONSISTENCY = frozenset((Fault.CARRIED_WRONG.value, Fault.WRONG_VALUE.value, Fault.WRONG_PICK.value))
_SIZE = frozenset((Fault.TOO_FEW_CHILDREN.value, Fault.TOO_MANY_CHILDREN.value, Fault.NOT_LEFT.value))

DEFINITIONS: dict[str, str] = {
    "complete": "Searches that were read to their final choice / searches asked for.",
    "legal": "Nodes below the root whose way from the real position is legal throughout / nodes below the root.",
    "legal_local": "Nodes whose move is legal in what their parent claims / those whose parent claims a position.",
    "state": "Nodes that claim exactly the position that their way leads to / nodes whose way is legal, the root included.",
    "state_local": (
        "Nodes that claim exactly the position that their move makes of what their parent claims / nodes for which there is "
        "one; at the root the position that was given."
    ),
    "valid": "Nodes whose way is legal and whose position is right / nodes: what of the tree is there in truth.",
    "ending": "Nodes that say rightly that the game is over, and how, or that it goes on / nodes whose way is legal.",
    "consistent": (
        "Nodes that were left whose value is the best of what was carried up to them, each carried value 100 less the "
        "child's, and whose pick has that value, and leaves worth what their notation makes of the values listed there "
        "/ nodes that were left."
    ),
    "faithful": "Moves that are the root's pick / moves played by the final choice of a complete search.",
    "size": "Searches with the asked breadth at every node above the asked depth, as far as there are legal moves / searches.",
    "changed": "Complete searches that end with another move than they favoured first / complete searches.",
    "n_nodes": "Nodes a search.",
    "depth": "Effective depth: plies to the deepest valid node, mean over searches with a valid root; others count 0.",
    "breadth": "Effective breadth: valid nodes below the root / valid nodes that were expanded.",
    "tokens": "Tokens that the model wrote / nodes.",
    "first_error": (
        "Points (1 is a won game taken for lost) between a valid node's first value and the judge's of its position, mean over "
        "nodes that it evaluated."
    ),
    "value_error": "The same of the value carried up to the node, or of the root's after the search.",
}
"""What each measure counts, by key."""


@dataclass(frozen=True, slots=True)
class WrittenSearches:
    """The searches of one agent in one game, measured."""

    agent: str
    game: str
    """Empty for all games together."""
    n: int
    measures: dict[str, Estimate]
    endings: dict[str, int]
    """How the searches ended, in one word, and how often."""
    judges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How true the nodes at one depth are."""

    agent: str
    game: str
    depth: int
    n_nodes: int
    legal: Estimate
    legal_local: Estimate
    state: Estimate
    state_local: Estimate


def measure_searches(searches: Iterable[SearchRecord], agents: Sequence[str]) -> tuple[WrittenSearches, ...]:
    """For each agent that wrote searches, all games together if it has several, then each game."""
    found = []
    for agent, game, those in scopes(searches, agents):
        judged = [_judged(record) for record in those]
        measures = {
            key: ratio_by_match(those, count, _BOUNDS.get(key, (0.0, 1.0))) for key, count in _MEASURES.items()
        } | {
            key: ratio_by_match(list(zip(those, judged, strict=True)), _error(place), (0.0, 1.0))
            for place, key in enumerate(("first_error", "value_error"))
        }
        endings = Counter(map(_ending_of, those))
        judges = tuple(sorted({record.judge for record in those if record.judge is not None}))
        found.append(WrittenSearches(agent, game, len(those), measures, dict(endings.most_common()), judges))
    return tuple(found)


def accuracy_by_depth(searches: Iterable[SearchRecord], agents: Sequence[str]) -> tuple[Accuracy, ...]:
    """Legality and positions by depth, for each agent and game."""
    found = []
    for agent, game, those in scopes(searches, agents):
        if not game:
            continue
        deepest = max((node.depth for record in those for node in _looked_into(record)), default=-1)
        for depth in range(deepest + 1):
            counts = {
                key: ratio_by_match(those, _among(check, depth), (0.0, 1.0))
                for key, check in (("legal", _legal), ("legal_local", _legal_local), ("state", _state), ("state_local", _state_local))
            }  # fmt: skip
            n = sum(node.depth == depth for record in those for node in _looked_into(record))
            found.append(Accuracy(agent, game, depth, n, **counts))
    return tuple(found)


def faults_of(searches: Iterable[SearchRecord]) -> dict[str, Counter[str]]:
    """For each agent how often each fault was found, at a node or in a whole search."""
    found: dict[str, Counter[str]] = {}
    for record in searches:
        counts = found.setdefault(record.agent, Counter())
        for node in record.tree.nodes:
            counts.update(_problems(node))
    return found


def _looked_into(record: SearchRecord) -> list[TreeNode]:
    """The nodes of the tree, moves that were only listed left out."""
    return [node for node in record.tree.nodes if node.visits]


def _problems(node: TreeNode) -> list[str]:
    return node.problem.split("; ") if node.problem else []


def _ending_of(record: SearchRecord) -> str:
    """What ended the search, in one word."""
    return record.tree.ended.partition(" ")[0].rstrip(";")


def _complete(record: SearchRecord) -> bool:
    return _ending_of(record) == CHOSEN


def _legal(node: TreeNode) -> bool | None:
    return None if node.check is None or node.parent is None else node.check.legal


def _legal_local(node: TreeNode) -> bool | None:
    return None if node.check is None or node.parent is None else node.check.legal_local


def _state(node: TreeNode) -> bool | None:
    return None if node.check is None else node.check.state_right


def _state_local(node: TreeNode) -> bool | None:
    return None if node.check is None else node.check.state_right_local


def _ending(node: TreeNode) -> bool | None:
    return None if node.check is None else node.check.terminal_right


def _valid(node: TreeNode) -> bool:
    return node.check is not None and node.check.legal is not False and node.check.state_right is True


def _among(check: Callable[[TreeNode], bool | None], depth: int | None = None) -> Callable[[SearchRecord], Count]:
    """Nodes of which this is true / nodes of which it is true or false, at one depth or at all."""

    def count(record: SearchRecord) -> Count:
        answers = [check(node) for node in _looked_into(record) if depth is None or node.depth == depth]
        known = [answer for answer in answers if answer is not None]
        return float(sum(known)), float(len(known))

    return count


def _consistent(record: SearchRecord) -> Count:
    nodes = record.tree.nodes
    children: list[list[TreeNode]] = [[] for _ in nodes]
    for node in nodes:
        if node.parent is not None:
            children[node.parent].append(node)
    left = right = 0
    for node, below in zip(nodes, children, strict=True):
        if not node.visits or node.value is None:
            continue
        left += 1
        looked_into = [child.value for child in below if child.visits]
        # What a leaf is worth is for its notation to say: one may take its own estimates alone, another its parent's as well.
        bound = bool(looked_into) or any(child.estimate is not None for child in below)
        right += (
            _CONSISTENCY.isdisjoint(_problems(node))
            and (node.terminal or bound)
            and (not looked_into or _is_best(node, looked_into))
        )
    return float(right), float(left)


def _is_best(node: TreeNode, values: Sequence[float | None]) -> bool:
    """Whether a node's value is the best of its children's, for the side to move there."""
    known = [value for value in values if value is not None]
    if len(known) < len(values) or not known or node.value is None:
        return False
    best = min(known) if node.depth % 2 else max(known)
    return abs(best - node.value) < _SLIP


def _faithful(record: SearchRecord) -> Count:
    if not _complete(record) or record.played is None or record.fallback is not None or not record.tree.line:
        return 0.0, 0.0
    return float(record.played == record.tree.line[0]), 1.0


def _size(record: SearchRecord) -> Count:
    nodes = _looked_into(record)
    return float(bool(nodes) and all(_SIZE.isdisjoint(_problems(node)) for node in nodes)), 1.0


def _changed(record: SearchRecord) -> Count:
    if not _complete(record) or record.tree.first_move is None or not record.tree.line:
        return 0.0, 0.0
    return float(record.tree.line[0] != record.tree.first_move), 1.0


def _depth(record: SearchRecord) -> Count:
    return float(max((node.depth for node in _looked_into(record) if _valid(node)), default=0)), 1.0


def _breadth(record: SearchRecord) -> Count:
    nodes = record.tree.nodes
    valid = [node for node in _looked_into(record) if _valid(node)]
    expanded = {node.parent for node in nodes if node.visits and node.parent is not None and _valid(nodes[node.parent])}
    return float(sum(node.parent is not None for node in valid)), float(len(expanded))


_MEASURES: dict[str, Callable[[SearchRecord], Count]] = {
    "complete": lambda record: (float(_complete(record)), 1.0),
    "legal": _among(_legal),
    "legal_local": _among(_legal_local),
    "state": _among(_state),
    "state_local": _among(_state_local),
    "valid": _among(_valid),
    "ending": _among(_ending),
    "consistent": _consistent,
    "faithful": _faithful,
    "size": _size,
    "changed": _changed,
    "n_nodes": lambda record: (float(record.tree.n_nodes), 1.0),
    "depth": _depth,
    "breadth": _breadth,
    "tokens": lambda record: (float(record.spend.completion_tokens), float(record.tree.n_nodes)),
}
_BOUNDS: dict[str, tuple[float, float] | None] = dict.fromkeys(("n_nodes", "depth", "breadth", "tokens"))


def _judged(record: SearchRecord) -> list[tuple[TreeNode, float]]:
    """The valid nodes whose positions a judge evaluated, with what they are worth to the seat that searches."""
    if not record.evaluations or not record.tree.nodes:
        return []
    game = load_game(record.game)
    states: list[Any] = [_position(game, record)]
    for node in record.tree.nodes[1:]:
        states.append(None if node.parent is None or not node.visits else _after(game, states[node.parent], node))
    found = []
    for node, state in zip(record.tree.nodes, states, strict=True):
        if state is None or not node.visits or not _valid(node):
            continue
        worth = _worth(game, state, record)
        if worth is not None:
            found.append((node, worth))
    return found


def _position(game: Game[Any], record: SearchRecord) -> Any:
    state = game.decode(record.start)
    for move in record.moves:
        state = game.play(state, move)
    return state


def _after(game: Game[Any], state: Any, node: TreeNode) -> Any:
    try:
        return None if state is None or node.move is None else game.play(state, node.move)
    except MoveError:
        return None


def _worth(game: Game[Any], state: Any, record: SearchRecord) -> float | None:
    """By the rules where the game is over, else by the judge; None where it did not say."""
    outcome = game.outcome(state)
    if outcome is not None:
        return 0.0 if outcome.winner is None else 1.0 if outcome.winner is record.seat else -1.0
    said = record.evaluations.get(game.digest(state))
    if said is None:
        return None
    return said if game.to_move(state) is record.seat else -said


def _error(place: int) -> Callable[[tuple[SearchRecord, list[tuple[TreeNode, float]]]], Count]:
    def count(pair: tuple[SearchRecord, list[tuple[TreeNode, float]]]) -> Count:
        said = [((node.estimate, node.value)[place], worth) for node, worth in pair[1]]
        errors = [abs(value - worth) / 2 for value, worth in said if value is not None]
        return sum(errors), float(len(errors))

    return count
