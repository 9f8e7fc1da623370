"""The report's section on searches that models wrote out: how they ended, what of them is true, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from stratarena.agents.linearized.check import Fault
from stratarena.agents.linearized.player import CHOSEN, CUT_OFF
from stratarena.analysis.linearized import (
    DEFINITIONS,
    WrittenSearches,
    accuracy_by_depth,
    faults_of,
    measure_searches,
)
from stratarena.analysis.page import Block, Columns, Paragraph, Table
from stratarena.analysis.wording import DASH, measured
from stratarena.db.records import SearchRecord

__all__ = ["TITLES", "linearized_blocks"]

_SOURCE = "tables searches and search_nodes"
TITLES = {
    "complete": "complete",
    "size": "asked size",
    "valid": "valid nodes",
    "legal": "moves legal",
    "legal_local": "legal locally",
    "state": "positions right",
    "state_local": "right locally",
    "ending": "endings right",
    "consistent": "minimax consistent",
    "faithful": "choice faithful",
    "changed": "changed its mind",
    "n_nodes": "nodes",
    "depth": "effective depth",
    "breadth": "effective breadth",
    "tokens": "tokens a node",
    "first_error": "error of first values",
    "value_error": "error after search",
}
_ENDINGS = {CHOSEN: "complete", CUT_OFF: "cut off"}
_TABLES = (
    ("complete", "size", "changed", "faithful"),
    ("valid", "legal", "state", "ending", "consistent"),
    ("n_nodes", "depth", "breadth", "tokens"),
    ("first_error", "value_error"),
)
_PLAIN = frozenset(("n_nodes", "depth", "breadth", "tokens", "first_error", "value_error"))


def linearized_blocks(searches: Sequence[SearchRecord], agents: Sequence[str]) -> tuple[Block, ...]:
    """Tables by agent and game, legality and positions by depth, faults, and what each number counts; none without searches."""
    written = measure_searches(searches, agents)
    if not written:
        return ()
    blocks: list[Block] = [
        Paragraph(
            "Trees that a model wrote out in its answer, every node replayed by the rules. Shares are with 95 % intervals from "
            "resampling matches; n is what was counted."
        ),
        _endings(written),
    ]
    for keys in _TABLES:
        shown = [key for key in keys if any(found.measures[key].n for found in written)]
        if shown:
            blocks.append(_measures(written, shown))
    judges = sorted({judge for found in written for judge in found.judges})
    blocks += [
        *([Paragraph(f"Positions were evaluated by {', '.join(judges)}.")] if judges else []),
        *_by_depth(searches, agents),
        *_faults(searches, agents),
        *(Paragraph(f"{TITLES[key]}: {meaning}") for key, meaning in DEFINITIONS.items()),
    ]
    return tuple(blocks)


def _endings(written: Sequence[WrittenSearches]) -> Table:
    kinds = list(dict.fromkeys(kind for found in written for kind in (CHOSEN, CUT_OFF, *found.endings)))
    columns = (
        Columns("agent"), Columns("game"), Columns("searches", True), *(Columns(_ENDINGS.get(kind, kind), True) for kind in kinds),
    )  # fmt: skip
    rows = tuple(
        (found.agent, found.game or "all", str(found.n), *(str(found.endings.get(kind, 0) or DASH) for kind in kinds))
        for found in written
    )
    return Table(columns, rows, "table searches; how the reading of each ended")


def _measures(written: Sequence[WrittenSearches], keys: Sequence[str]) -> Table:
    columns = (Columns("agent"), Columns("game"), *(Columns(TITLES[key], True) for key in keys))
    rows = tuple(
        (found.agent, found.game or "all", *(measured(found.measures[key], share=key not in _PLAIN) for key in keys))
        for found in written
    )
    return Table(columns, rows, _SOURCE)


def _by_depth(searches: Sequence[SearchRecord], agents: Sequence[str]) -> list[Block]:
    found = accuracy_by_depth(searches, agents)
    if not found:
        return []
    keys = ("legal", "legal_local", "state", "state_local")
    columns = (
        Columns("agent"), Columns("game"), Columns("depth", True), Columns("nodes", True),
        *(Columns(TITLES[key], True) for key in keys),
    )  # fmt: skip
    rows = tuple(
        (
            each.agent,
            each.game,
            str(each.depth),
            str(each.n_nodes),
            *(measured(getattr(each, key), share=True) for key in keys),
        )
        for each in found
    )
    return [
        Paragraph("By depth; the root is depth 0, whose position is given and has no move."),
        Table(columns, rows, _SOURCE),
    ]


def _faults(searches: Sequence[SearchRecord], agents: Sequence[str]) -> list[Block]:
    counts = faults_of(searches)
    there = [agent for agent in agents if agent in counts]
    names = [fault.value for fault in Fault if any(counts[agent][fault.value] for agent in there)]
    if not names:
        return [Paragraph("No fault was found in any node.")]
    rows = tuple((name.replace("_", " "), *(str(counts[agent][name] or DASH) for agent in there)) for name in names)
    return [
        Paragraph(
            "Faults, each counted once, at the node where it was made; docs/linearized-search.md says what each is."
        ),
        Table(
            (Columns("fault"), *(Columns(agent, True) for agent in there)), rows, "table search_nodes, column problem"
        ),
    ]
