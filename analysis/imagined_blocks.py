"""The report's section on worlds that models imagined: what of their positions, moves and ends is wrong, by depth."""

from __future__ import annotations

from collections.abc import Sequence

from stratarena.analysis.imagined import DEFINITIONS, ErrorsAtDepth, errors_by_depth
from stratarena.analysis.page import Block, Columns, Paragraph, Table
from stratarena.analysis.wording import measured
from stratarena.db.records import SearchRecord

__all__ = ["imagined_blocks"]

_SOURCE = "tables searches and search_nodes"
_TITLES = {
    "state_local": "position wrong, locally",
    "state": "position wrong, globally",
    "move_local": "move illegal, locally",
    "move": "move illegal, globally",
    "ending": "end wrong",
    "missing": "misses a legal move",
    "given_up": "given up",
}
_TABLES = (("state_local", "state", "ending"), ("move_local", "move", "missing", "given_up"))


def imagined_blocks(searches: Sequence[SearchRecord], agents: Sequence[str]) -> tuple[Block, ...]:
    """Two tables of errors by agent, game and depth, and what each number counts; none without searches."""
    found = errors_by_depth(searches, agents)
    if not found:
        return ()
    return (
        Paragraph(
            "Trees that a program searched while a model said what each move leads to, every node checked against the rules "
            "afterwards. Shares of errors, with 95 % intervals from resampling matches; n is what was counted. Locally: made "
            "in this step, from what the parent claims. Globally: against the real position, with all errors on the way. "
            "The root's position and moves are given; what the model said of a position's moves counts at their depth."
        ),
        *(_table(found, keys) for keys in _TABLES),
        *(Paragraph(f"{_TITLES[key]}: {meaning}") for key, meaning in DEFINITIONS.items()),
    )


def _table(found: Sequence[ErrorsAtDepth], keys: Sequence[str]) -> Table:
    columns = (
        Columns("agent"), Columns("game"), Columns("depth", True), Columns("searches", True), Columns("positions", True),
        *(Columns(_TITLES[key], True) for key in keys),
    )  # fmt: skip
    rows = tuple(
        (
            each.agent,
            each.game,
            "all" if each.depth is None else str(each.depth),
            str(each.n_searches),
            str(each.n_nodes),
            *(measured(getattr(each, key), share=True) for key in keys),
        )
        for each in found
    )
    return Table(columns, rows, _SOURCE)
