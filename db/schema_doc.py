"""`docs/schema.md`, made from the metadata: `python -m stratarena.db.schema_doc > docs/schema.md`."""

from __future__ import annotations

import sys

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from stratarena.db.connect import SCHEMA
from stratarena.db.schema import metadata
from stratarena.db.view_columns import VIEW_COLUMNS
from stratarena.db.views import VIEWS

__all__ = ["schema_document"]

_HEAD = f"""# The database

Schema {SCHEMA}; made from the code by `make docs`, do not edit. SQLite (WAL mode) or PostgreSQL.

Every row of a match is keyed by the match and its place in it: `ply` for what there is once a turn (`turns`, `moves`,
`spends`), `seq` for what happened in it, counted over the whole match. The rows of a turn are written in one transaction
when the turn ends. Times are milliseconds; those in columns ending in `_ms` beside `opened`, `closed`, `at` and `created`
count from 1970. Long texts are stored once in `texts` and named by their hash.
"""

_VIEWS = (
    "They answer the usual questions; any SQL client can ask them, and `stratarena export DATABASE --view turns --out FILE` "
    "writes them as CSV, JSON Lines or Parquet."
)
_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def schema_document() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD, "## Views", _VIEWS, ""]
    parts += ["| view | question |", "| --- | --- |"]
    parts += [f"| `{name}` | {question} |" for name, (question, _) in VIEWS.items()]
    for name, columns in VIEW_COLUMNS.items():
        parts += ["", f"### {name}", "", "| column | kind | meaning |", "| --- | --- | --- |"]
        parts += [f"| `{column.name}` | {_KINDS[column.kind]} | {column.meaning} |" for column in columns]
    parts += ["", "## Tables", "", "```mermaid", "erDiagram"]
    tables = sorted(metadata.sorted_tables, key=lambda table: table.name)
    parts += sorted({_relation(table, key) for table in tables for key in table.foreign_key_constraints})
    parts += ["```", ""]
    for table in tables:
        parts += [f"### {table.name}", "", table.comment or "", "", *_columns(table), "", *_rules(table)]
    return "\n".join(parts).rstrip() + "\n"


def _relation(table: Table, key: ForeignKeyConstraint) -> str:
    return f"    {key.referred_table.name} ||--o{{ {table.name} : {'_'.join(key.column_keys)}"


def _columns(table: Table) -> list[str]:
    rows = ["| column | type | null | meaning |", "| --- | --- | --- | --- |"]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for column in table.columns:
        kind = column.type.compile(dialect).lower()
        key = " (key)" if column.primary_key else ""
        rows.append(f"| `{column.name}`{key} | {kind} | {'yes' if column.nullable else ''} | {column.comment} |")
    return rows


def _rules(table: Table) -> list[str]:
    """Foreign keys, unique keys and checks, one a line."""
    rules = []
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            here, there = ", ".join(constraint.column_keys), constraint.referred_table.name
            rules.append(f"- ({here}) refers to `{there}`")
        elif isinstance(constraint, UniqueConstraint):
            rules.append(f"- unique: {', '.join(column.name for column in constraint.columns)}")
        elif isinstance(constraint, CheckConstraint):
            rules.append(f"- check: `{constraint.sqltext}`")
    return [*sorted(rules), ""] if rules else []


if __name__ == "__main__":
    sys.stdout.write(schema_document())
