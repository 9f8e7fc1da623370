"""Sections that the pages of models that are only read have in common."""

from __future__ import annotations

from collections.abc import Iterable

from .tables import Numbers, in_order, of_part, percent, table, told


def origin(numbers: Numbers) -> list[str]:
    """Of which weights, by which seeds and versions."""
    made = numbers["made"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    seeds = "order of test positions 5, moves asked about 6, bootstrap 0"
    return [f"Weights: `sha256:{made['weights'][:16]}…`. Seeds: {seeds}. {versions}.", ""]


def world(numbers: Numbers) -> list[str]:
    """What the model says of what moves lead to."""
    rows = [(name, percent(found)) for name, found in of_part(numbers, "world", "model")]
    return ["## The model as a world", "", *table(("what", "held-out boards"), rows)]


def matches(numbers: Numbers, pairings: Iterable[str], about: Iterable[str]) -> list[str]:
    """Scores of these pairings; `about` says from which openings."""
    rows = [(name, str(found["pairs"]), *told(found)) for name, found in in_order(numbers, "matches", pairings)]
    return ["## Matches", "", *about, "", *table(("pairing", "openings", "score of the first", "Elo"), rows)]


def speed(numbers: Numbers) -> list[str]:
    """Boards read a CPU second, the slowest way first."""
    rows = sorted(of_part(numbers, "speed", "boards"), key=lambda row: row[1])
    told_ = [(how, f"{rate:,.0f}") for how, rate in rows]
    return ["## Boards read a CPU second", "", *table(("how", "boards"), told_)]
