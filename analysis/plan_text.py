"""Plans of the resource-limited games in words: what separates two of them, a line an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from stratarena.games.base import Move, Seat
from stratarena.games.resource.base import Entry, Verdict
from stratarena.games.resource.difference import Change, difference
from stratarena.games.resource.series import KEEP, Series, SeriesState

__all__ = ["change_lines", "changes_counted", "plan_changes", "plan_entries"]

_SIGNS = {"added": "+", "removed": "-", "moved": ">", "replaced": "~"}


def plan_entries(series: Series, seat: Seat, verdict: Verdict[Any] | None) -> tuple[Entry, ...]:
    """What stands in a plan that was judged; nothing where there is none to read."""
    return () if verdict is None or verdict.plan is None else series.plans.entries(seat, verdict.plan)


def plan_changes(
    series: Series, state: SeriesState, seat: Seat, before: Sequence[Move], after: Sequence[Move]
) -> tuple[Change, ...]:
    """What separates two declared plans of a seat; an empty line of moves is no plan."""
    old, new = (
        plan_entries(series, seat, series.judge(state, seat, line[0])) if line and line[0] != KEEP else ()
        for line in (before, after)
    )
    return difference(old, new)


def changes_counted(changes: Sequence[Change]) -> str:
    """How many entries changed in which way, and what that costs."""
    counts = Counter(change.kind for change in changes)
    parts = [f"{counts[kind]} {kind}" for kind in _SIGNS if counts[kind]]
    if not parts:
        return "nothing is different" if changes else "no plan that can be read"
    cost = sum(change.cost for change in changes)
    return f"{', '.join(parts)}; cost {f'{cost:+d}' if cost else 'unchanged'}"


def change_lines(changes: Sequence[Change]) -> Iterator[str]:
    """What changed: sign, difference of cost, item and place; what was kept is only counted."""
    for change in changes:
        before, after = change.before, change.after
        if change.kind == "kept":
            continue
        if before is not None and after is not None:
            words = f"{_item(before)}, {before.place} → {after.place}"
            if change.kind == "replaced":
                words = f"{_item(before)} → {_item(after)}, {after.place}"
        else:
            entry = before or after
            assert entry is not None
            words = f"{_item(entry)}, {entry.place}"
        yield f"{_SIGNS[change.kind]} {change.cost:+5d}  {words}"
    kept = sum(change.kind == "kept" for change in changes)
    if kept:
        yield f"  {kept} kept as {'it was' if kept == 1 else 'they were'}"


def _item(entry: Entry) -> str:
    return f"{entry.variant} {entry.item}" if entry.variant else entry.item
