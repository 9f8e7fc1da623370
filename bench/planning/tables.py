"""Shares with their intervals, and numbers as they stand in tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Numbers = Mapping[str, Any]


def share(good: int, n: int) -> dict[str, Any]:
    """A share with its 95 % Wilson interval."""
    if not n:
        return {"value": None, "n": 0, "low": None, "high": None}
    z, p = 1.959964, good / n
    middle, spread = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return {"value": p, "n": n, "low": max(0.0, (middle - spread) / whole), "high": min(1.0, (middle + spread) / whole)}


def percent(found: Mapping[str, Any]) -> str:
    """A share with its interval."""
    if found["value"] is None:
        return "– (n = 0)"
    return f"{found['value']:.2%} [{found['low']:.2%}, {found['high']:.2%}], n = {found['n']}"


def signed(found: Mapping[str, Any], low: str = "elo_low", high: str = "elo_high") -> str:
    """Elo with its interval; of a side that never or always scored only that it is out of reach."""
    if found.get("score") in (0.0, 1.0):
        return f"beyond {_whole(found['elo'])}"
    return f"{_whole(found['elo'])} [{_whole(found[low])}, {_whole(found[high])}]"


def _whole(elo: float) -> str:
    """With its sign; what rounds to nothing is no less than nothing."""
    return f"{round(elo) or 0:+d}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, or a word that there is nothing yet."""
    if not rows:
        return ["Not measured yet.", ""]
    return [
        f"| {' | '.join(head)} |",
        "| --- " * len(head) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def of_part(numbers: Numbers, part: str, name: str) -> Iterable[tuple[str, Any]]:
    """What was measured under that name; nothing where it was not."""
    found: Mapping[str, Any] = numbers.get(part, {}).get(name, {})
    return found.items()


def in_order(numbers: Numbers, part: str, names: Iterable[str]) -> list[tuple[str, Any]]:
    """What was measured of these names, in their order."""
    found = numbers.get(part, {})
    return [(name, found[name]) for name in names if name in found]


def told(found: Mapping[str, Any]) -> tuple[str, str]:
    """Score and Elo; where all openings gave the same, the bootstrap knows no interval."""
    if found["low"] == found["high"]:
        return f"{found['score']:.3f}, in every opening", "–" if found["score"] in (0, 1) else _whole(found["elo"])
    return f"{found['score']:.3f} [{found['low']:.3f}, {found['high']:.3f}]", signed(found)
