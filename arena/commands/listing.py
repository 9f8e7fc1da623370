"""`list games|agents|models`: what there is, found without importing a plugin that nobody asked for."""

from __future__ import annotations

import inspect

from stratarena.arena.commands.console import err, make_table, out, print_json
from stratarena.games.base import SpecError
from stratarena.games.plugins import load, names

__all__ = ["list_plugins"]


def list_plugins(group: str, *, as_json: bool) -> None:
    """Print every plugin of the group with its first line of documentation; one that fails to import is a warning."""
    rows = []
    for plugin in names(group):
        try:
            about = _first_line(load(group, plugin.name))
        except SpecError as error:
            err().print(f"warning: {error}")
            about = "cannot be loaded"
        rows.append((plugin.name, about, plugin.distribution))
    if as_json:
        print_json([{"name": name, "about": about, "distribution": source} for name, about, source in rows])
        return
    kind = group.rpartition(".")[2]
    strangers = any(source != "stratarena" for _, _, source in rows)
    columns = [kind, "what it is", *(["from"] if strangers else [])]
    out().print(make_table("", columns, [row[: len(columns)] for row in rows]))


def _first_line(thing: object) -> str:
    """The first sentence of its docstring, white space folded."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    head, stop, _ = text.partition(". ")
    return head + stop.strip() if head else "no description"
