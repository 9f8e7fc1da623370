"""What goes wrong in worlds that models imagine while a program searches them: positions, moves and ends, by depth.

Pure functions over `SearchRecord`s of kind `imagined`, whose nodes the arena has checked against the rules. After the
hallucination measures of MAV (arXiv 2412.12119, table 2). *Locally* a node is held against what its parent claims, so that each
depth shows the errors made there; *globally* against where its way leads from the real position, so that errors add up on the
way down. Every share has an interval from resampling matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stratarena.agents.tree import TreeNode
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.search_ratios import Count, ratio_by_match, scopes
from stratarena.db.records import SearchRecord

__all__ = ["DEFINITIONS", "ErrorsAtDepth", "errors_by_depth"]

_Check = Callable[[TreeNode], bool | None]

DEFINITIONS: dict[str, str] = {
    "state_local": (
        "Positions that are not the one that their move makes of what their parent claims / positions told of whose move is "
        "legal there."
    ),
    "state": "Positions that are not the one that their way leads to / positions told of whose way is legal throughout.",
    "move_local": "Moves, tried or merely listed, that are illegal in what their parent claims / moves of parents that claim a position.",
    "move": "Moves, tried or merely listed, whose way from the real position is not legal throughout / moves.",
    "ending": "Positions of which the model says wrongly that the game is over, or how, or that it goes on / positions with a legal way.",
    "missing": "Positions that leave out a legal move of theirs / positions that list moves and have a legal way.",
    "given_up": "Moves given up, because the model's answer could not be read or called them illegal, or the rules repaired them / moves tried.",
}
"""What each share counts, by the names of `ErrorsAtDepth`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsAtDepth:
    """Shares of errors among the nodes of one agent's imagined trees at one depth; `DEFINITIONS` says of what."""

    agent: str
    game: str
    depth: int | None
    """Plies below the root, whose position is given; None for all depths together."""
    n_searches: int
    n_nodes: int
    """Positions told of."""
    state_local: Estimate
    state: Estimate
    move_local: Estimate
    move: Estimate
    ending: Estimate
    missing: Estimate
    given_up: Estimate


def errors_by_depth(searches: Iterable[SearchRecord], agents: Sequence[str]) -> tuple[ErrorsAtDepth, ...]:
    """For each agent and game all depths together, then each depth from 1 on."""
    found = []
    for agent, game, those in scopes(searches, agents):
        if not game:
            continue
        deepest = max((node.depth for record in those for node in record.tree.nodes if node.visits), default=0)
        found += [_errors(agent, game, those, depth) for depth in (None, *range(1, deepest + 1))]
    return tuple(found)


def _errors(agent: str, game: str, searches: Sequence[SearchRecord], depth: int | None) -> ErrorsAtDepth:
    def share(wrong: _Check) -> Estimate:
        def count(record: SearchRecord) -> Count:
            said = [wrong(node) for node in _below(record, depth)]
            return float(sum(answer is True for answer in said)), float(sum(answer is not None for answer in said))

        return ratio_by_match(searches, count, (0.0, 1.0))

    return ErrorsAtDepth(
        agent=agent,
        game=game,
        depth=depth,
        n_searches=len(searches),
        n_nodes=sum(node.state is not None for record in searches for node in _below(record, depth)),
        **{name: share(wrong) for name, wrong in _WRONG.items()},
    )


def _below(record: SearchRecord, depth: int | None) -> list[TreeNode]:
    """The nodes at one depth, or all below the root."""
    return [node for node in record.tree.nodes if node.depth and (depth is None or node.depth == depth)]


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _missing(node: TreeNode) -> bool | None:
    return None if node.check is None or node.check.n_missed is None else node.check.n_missed > 0


def _ending(node: TreeNode) -> bool | None:
    return None if node.check is None or node.state is None else _not(node.check.terminal_right)


_WRONG: dict[str, _Check] = {
    "state_local": lambda node: None if node.check is None else _not(node.check.state_right_local),
    "state": lambda node: None if node.check is None else _not(node.check.state_right),
    "move_local": lambda node: None if node.check is None else _not(node.check.legal_local),
    "move": lambda node: None if node.check is None else _not(node.check.legal),
    "ending": _ending,
    "missing": _missing,
    "given_up": lambda node: node.problem is not None if node.visits or node.problem else None,
}
