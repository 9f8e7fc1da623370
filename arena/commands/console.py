"""Output for people: one console for each stream, and tables that look alike everywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

__all__ = ["err", "make_table", "out", "print_json"]


_WIDE = 1000
"""Where nobody looks at the edge of a window, nothing is cut or broken."""
_PROSE = frozenset({"what it is", "detail", "value"})
"""Columns whose text may go on in the next line."""


def out() -> Console:
    """Standard output."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDE)


def err() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, markup=False, width=None if sys.stderr.isatty() else _WIDE)


def print_json(value: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, sort_keys=False) + "\n")
    sys.stdout.flush()


def make_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: str = "") -> Table:
    """A table whose columns named in `right` (separated by `|`) are right-aligned."""
    table = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    numbers = set(right.split("|"))
    for column in columns:
        prose = column in _PROSE
        justify: Literal["right", "left"] = "right" if column in numbers else "left"
        table.add_column(column, justify=justify, no_wrap=not prose, overflow="fold" if prose else "ellipsis")
    for row in rows:
        table.add_row(*row)
    return table
