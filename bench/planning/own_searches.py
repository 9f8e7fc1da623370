"""Searches that a model writes itself: what is right in them, counted over many, and told on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stratarena.agents.gamelm.forms import Board, Form
from stratarena.agents.gamelm.model import longest_search
from stratarena.agents.gamelm.trace_reading import BrokenTrace, check, read_trace
from stratarena.agents.gamelm.traces import prompt
from stratarena.agents.gamelm.writer import Written, write

from .tables import percent, share, table

_KEYS = ("parsed", "shape", "child states", "backups", "selections", "leaf values")
_BATCH = 32
_COUNTED = (
    *("children", "legal", "true", "backups", "consistent", "selections", "selected_best"),
    *("judged", "judged_right", "judged_off"),
)


@dataclass
class Tally:
    """What searches that the model wrote got right, summed."""

    traces: int = 0
    parsed: int = 0
    shape: int = 0
    tokens: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Of nodes, by the names of `trace_reading.Checks`."""
    by_depth: dict[int, list[int]] = field(default_factory=dict)
    """Children and true boards among them, by depth."""

    def add(self, form: Form, tokens: list[int], board: Board) -> int | None:
        """Count a written search; its move, if it can be read and is legal."""
        self.traces += 1
        self.tokens += len(tokens)
        try:
            trace = read_trace(form, tokens)
        except BrokenTrace:
            return None
        self.parsed += 1
        found = check(trace, *board)
        self.shape += found.asked_shape
        self.counts.update({name: getattr(found, name) for name in _COUNTED})
        for depth, (all_, good) in found.by_depth.items():
            counts = self.by_depth.setdefault(depth, [0, 0])
            counts[0] += all_
            counts[1] += good
        return trace.root.selected


def written(model: Any, form: Form, boards: list[Board], depth: int, breadth: int) -> Iterable[tuple[Board, Written]]:
    """The search that the model writes about each board, many side by side."""
    longest = longest_search(form, depth, breadth)
    for start in range(0, len(boards), _BATCH):
        some = boards[start : start + _BATCH]
        prompts = [prompt(form, *board, depth=depth, breadth=breadth) for board in some]
        yield from zip(some, write(model, prompts, max_tokens=longest), strict=True)


def of_searches(tally: Tally) -> dict[str, Any]:
    """Shares of what the model's own searches got right."""
    counts = tally.counts
    return {
        "parsed": share(tally.parsed, tally.traces),
        "shape": share(tally.shape, tally.traces),
        "legal": share(counts["legal"], counts["children"]),
        "child states": share(counts["true"], counts["children"]),
        "backups": share(counts["consistent"], counts["backups"]),
        "selections": share(counts["selected_best"], counts["selections"]),
        "leaf values": share(counts["judged_right"], counts["judged"]),
        "leaf values off": counts["judged_off"] / counts["judged"] if counts["judged"] else None,
        "by depth": {str(depth): share(good, n) for depth, (n, good) in sorted(tally.by_depth.items())},
    }


def section(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The shares of searches, by shape."""
    rows = [
        (name, *(percent(one[key]) for key in _KEYS), _or_dash(one["leaf values off"]), f"{one['written']:.0f}")
        for name, one in found.items()
    ]
    return [
        "## Searches that it writes itself",
        "",
        "Shares of whole searches (parsed, shape) and of their nodes. A selection is right if it is the highest of what is",
        "written above or below it; the value of a leaf, if it is the bucket in the middle of the leaf's own report and its",
        "parent's. Off: how many buckets of 64 it is away from there, on average.",
        "",
        *table(("(depth, breadth)", *_KEYS, "off", "tokens in all"), rows),
    ]


def _or_dash(mean: float | None) -> str:
    return "–" if mean is None else f"{mean:.2f}"
