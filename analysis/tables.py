"""A report's numbers as plain tables, for other programs: CSV, and Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from stratarena.analysis.facts import Facts
from stratarena.analysis.measures import TITLES, measures
from stratarena.arena.specs import Ending

__all__ = [
    "PlainTable",
    "Value",
    "matches_table",
    "numbers_table",
    "to_csv",
    "write_parquet",
]

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class PlainTable:
    """Named columns, each of one kind or missing."""

    columns: tuple[tuple[str, type], ...]
    """Name and kind: `str`, `int`, `float` or `bool`."""
    rows: Sequence[tuple[Value, ...]]


def numbers_table(facts: Facts) -> PlainTable:
    """Every measure of every agent, a row each: what the agents' pages show, unrounded."""
    columns = (
        ("tournament", str), ("agent", str), ("game", str), ("group", str), ("measure", str), ("title", str),
        ("value", float), ("low", float), ("high", float), ("n", int), ("method", str), ("query", str),
    )  # fmt: skip
    return PlainTable(
        columns,
        [
            (
                facts.tournament.name, one.agent, one.game or "all", one.group, one.key, TITLES[one.key],
                one.estimate.value, one.estimate.low, one.estimate.high, one.estimate.n, one.estimate.method, one.query,
            )
            for one in measures(facts)
        ],
    )  # fmt: skip


def matches_table(facts: Facts) -> PlainTable:
    """The latest attempt at every match; `points` are those of the agent in seat FIRST, missing where it does not count."""
    columns = (
        ("match", int), ("key", str), ("game", str), ("first", str), ("second", str), ("round", int), ("pair", str),
        ("opening", str), ("points", float), ("ending", str), ("reason", str), ("at_fault", str), ("plies", int),
        ("attempt", int), ("seconds", float),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    for match in facts.matches:
        verdict = match.verdict
        counts = verdict is not None and verdict.ending is not Ending.VOID
        points = None
        if verdict is not None and counts:
            points = 0.5 if verdict.winner is None else float(verdict.winner.value == "first")
        rows.append(
            (
                match.match_id, match.key, match.game, match.first, match.second, match.round, match.pair, match.opening,
                points, None if verdict is None else verdict.ending.value, None if verdict is None else verdict.reason,
                None if verdict is None or verdict.at_fault is None else match.agent_at(verdict.at_fault),
                None if verdict is None else match.plies, match.attempt,
                None if match.opened_ms is None or match.closed_ms is None else (match.closed_ms - match.opened_ms) / 1000,
            )
        )  # fmt: skip
    return PlainTable(columns, rows)


def to_csv(table: PlainTable) -> str:
    """With a heading; what is missing is empty, numbers are written so that reading gives them back."""
    page = StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow([name for name, _ in table.columns])
    for row in table.rows:
        writer.writerow(["" if value is None else repr(value) if isinstance(value, float) else value for value in row])
    return page.getvalue()


def write_parquet(table: PlainTable, path: Path) -> None:
    """Needs pyarrow; see `db.frames.check_parquet`."""
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    arrays = [
        pa.array([row[place] for row in table.rows], type=kinds[kind]) for place, (_, kind) in enumerate(table.columns)
    ]
    parquet.write_table(pa.table(arrays, names=[name for name, _ in table.columns]), path)
