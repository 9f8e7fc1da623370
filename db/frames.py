"""The views of a record as tables for other programs: streamed to CSV, JSON Lines or Parquet, or as a pandas frame.

A view is what `docs/schema.md` lists; `turns` stands for `v_turns`. Rows come in the order of tournaments, matches and
turns. A column is of one kind, whatever its rows hold (`view_columns`), so files of several records fit together. Views
are this program's: a record that was written before one of them was made has it, too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, text

from stratarena.db.connect import open_database, told
from stratarena.db.view_columns import VIEW_COLUMNS, ViewColumn
from stratarena.db.views import VIEWS
from stratarena.games.base import ArenaError, SpecError

__all__ = [
    "TABLE_FORMATS",
    "Rows",
    "check_parquet",
    "read_frame",
    "table_format",
    "view_named",
    "view_rows",
    "write_table",
]

TABLE_FORMATS = ("csv", "jsonl", "parquet")
_AT_ONCE = 20_000
"""Rows held in memory together."""
_MISSING = "{} needs {}: pip install 'stratarena[tables]'"
_ORDER = ("tournament", "match_id", "ply", "seq", "judge", "place", "game", "agent", "opponent", "seat")
"""What rows are ordered by, as far as a view has it: no two rows of a view are alike in these."""
Rows = Iterator[Sequence[tuple[Any, ...]]]
"""Some rows at a time."""


def check_parquet() -> None:
    """Raise `ArenaError` where pyarrow is not installed."""
    if find_spec("pyarrow") is None:
        raise ArenaError(_MISSING.format("Parquet", "pyarrow"))


def view_named(name: str) -> str:
    """The view's full name. Raises `SpecError`: there is none; names the nearest and all."""
    view = name if name in VIEWS else f"v_{name}"
    if view not in VIEWS:
        short = [one.removeprefix("v_") for one in VIEWS]
        close = get_close_matches(name.removeprefix("v_"), short, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise SpecError(f"there is no view {name!r}; {hint}there are: {', '.join(short)}")
    return view


def table_format(name: str | None, file: Path | None) -> str:
    """The format of this name, else of this file's suffix, else CSV. Raises `SpecError`: it is none for tables."""
    found = name or (file.suffix.removeprefix(".").lower() if file is not None and file.suffix else "csv")
    if found not in TABLE_FORMATS:
        told_by = "format" if name else "suffix"
        raise SpecError(f"no table is written in {told_by} {found!r}; expected one of {', '.join(TABLE_FORMATS)}")
    if found == "parquet":
        check_parquet()
    return found


def view_rows(engine: Engine, view: str, tournaments: Sequence[str] = ()) -> Rows:
    """Rows of a view with Python's own values, of these tournaments or of all. Raises `RecordError` as `told` does."""
    columns = VIEW_COLUMNS[view]
    truths = [place for place, column in enumerate(columns) if column.kind is bool]
    reals = [place for place, column in enumerate(columns) if column.kind is float]
    with told(engine.url.render_as_string(hide_password=False)), engine.connect() as connection:
        result = connection.execution_options(stream_results=True).execute(_query(connection, view, tournaments))
        for rows in result.partitions(_AT_ONCE):
            yield [_plain(row, truths, reals) for row in rows]


def _plain(row: Sequence[Any], truths: Sequence[int], reals: Sequence[int]) -> tuple[Any, ...]:
    """SQLite has 0 and 1 for truth; PostgreSQL has decimals for sums."""
    values = list(row)
    for place in truths:
        values[place] = None if values[place] is None else bool(values[place])
    for place in reals:
        values[place] = None if values[place] is None else float(values[place])
    return tuple(values)


def _query(connection: Connection, view: str, tournaments: Sequence[str]) -> Any:
    """Every row in order. Names of views and columns are ours; those of tournaments are bound."""
    columns = VIEW_COLUMNS[view]
    named = {f"t{number}": name for number, name in enumerate(tournaments)}
    where = f" WHERE tournament IN ({', '.join(f':{key}' for key in named)})" if named else ""
    there = {column.name for column in columns}
    order = ", ".join(name for name in _ORDER if name in there)
    ours = ", ".join(f"{name} AS ({query})" for name, (_, query) in VIEWS.items())
    listed = ", ".join(
        # A sum of whole numbers is a decimal on PostgreSQL.
        f"CAST({column.name} AS BIGINT) AS {column.name}"
        if column.kind is int and connection.dialect.name == "postgresql"
        else column.name
        for column in columns
    )
    return text(f"WITH {ours} SELECT {listed} FROM {view}{where} ORDER BY {order}").bindparams(**named)  # noqa: S608


def write_table(out: Path | IO[str], form: str, view: str, rows: Rows) -> int:
    """Write a new file, or CSV or JSON Lines to a stream; the number of rows.

    Raises:
        SpecError: the file is there already, or Parquet is wanted on a stream.
    """
    columns = VIEW_COLUMNS[view]
    write: Callable[[IO[str], Sequence[ViewColumn], Rows], int] = _write_jsonl if form == "jsonl" else _write_csv
    if not isinstance(out, Path):
        if form == "parquet":
            raise SpecError("Parquet is written to a file; name it with --out")
        return write(out, columns, rows)
    try:
        if form == "parquet":
            if out.exists():
                raise FileExistsError
            return _whole(out, lambda: _write_parquet(out, columns, rows))
        with out.open("x", encoding="utf-8", newline="") as file:
            return _whole(out, lambda: write(file, columns, rows))
    except FileExistsError:
        raise SpecError(f"{out} exists already; remove it, or name another file") from None
    except FileNotFoundError:
        raise SpecError(f"{out}: there is no folder {out.parent}") from None


def _whole(path: Path, write: Callable[[], int]) -> int:
    """Nothing is left of the file when something fails."""
    try:
        return write()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_frame(url: str, view: str, tournament: str | None = None) -> Any:
    """A view of one tournament, or of all, as a pandas DataFrame.

    Columns have pandas' kinds that bear missing values: `string`, `Int64`, `Float64`, `boolean`.

    Raises:
        SpecError: there is no such view.
        ArenaError: pandas is not installed.
        RecordError: as `open_database`.
    """
    view = view_named(view)
    if find_spec("pandas") is None:
        raise ArenaError(_MISSING.format("A data frame", "pandas"))
    import pandas as pd

    engine = open_database(url, read_only=True)
    try:
        rows = [row for some in view_rows(engine, view, () if tournament is None else (tournament,)) for row in some]
    finally:
        engine.dispose()
    kinds = {str: "string", int: "Int64", float: "Float64", bool: "boolean"}
    by_column: Any = zip(*rows, strict=True) if rows else ([] for _ in VIEW_COLUMNS[view])
    return pd.DataFrame(
        {
            column.name: pd.array(list(values), dtype=kinds[column.kind])
            for column, values in zip(VIEW_COLUMNS[view], by_column, strict=True)
        }
    )


def _write_csv(file: IO[str], columns: Sequence[ViewColumn], rows: Rows) -> int:
    """What is missing is empty; numbers are written so that reading gives them back."""
    n = 0
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for some in rows:
        writer.writerows(some)
        n += len(some)
    return n


def _write_jsonl(file: IO[str], columns: Sequence[ViewColumn], rows: Rows) -> int:
    names = [column.name for column in columns]
    n = 0
    for some in rows:
        for row in some:
            file.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")
        n += len(some)
    return n


def _write_parquet(path: Path, columns: Sequence[ViewColumn], rows: Rows) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema(
        [pa.field(column.name, kinds[column.kind], metadata={"meaning": column.meaning}) for column in columns]
    )
    n = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for some in rows:
            arrays = [
                pa.array(values, type=field.type) for values, field in zip(zip(*some, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.table(arrays, schema=schema))
            n += len(some)
    return n
