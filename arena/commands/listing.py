"""`list games|agents|models|openings|rungs`: what there is, found without importing a plugin that nobody asked for."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from random import Random

from stratarena.arena.commands.console import err, make_table, out, print_json
from stratarena.games.base import SpecError
from stratarena.games.openings import kinds, lines
from stratarena.games.plugins import BRIDGES, load, load_game, names, print_spec

__all__ = ["list_openings", "list_plugins", "list_rungs"]


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
    if kind == "games":
        out().print(f"and games of other libraries: {', '.join(f'{library}:NAME(…)' for library in BRIDGES)}")


def list_openings(game: str, *, as_json: bool) -> None:
    """Print every opening of the game that a tournament file can name, by kind."""
    rules = load_game(game)
    start = rules.encode(rules.initial(Random(0)))
    rows = [
        (kind, line.name, " ".join(line.moves), line.start or start)
        for kind in kinds(rules.id)
        for line in lines(rules.id, kind)
    ]
    if as_json:
        print_json(
            [{"kind": kind, "name": name, "moves": moves.split(), "start": start} for kind, name, moves, start in rows]
        )
        return
    shown = [(kind, name, moves or start) for kind, name, moves, start in rows]
    out().print(make_table("", ["kind", "name", "moves, or position where there are none"], shown))


def list_rungs(*, as_json: bool) -> None:
    """Print every rung of the ladder with its stored rating."""
    from stratarena.agents.ladder import RUNGS, ratings

    stored = ratings()
    rows = [(rung, stored.get(rung.name)) for rung in RUNGS]
    if as_json:
        print_json(
            [
                {
                    "name": rung.name,
                    "game": rung.game,
                    "agent": print_spec(rung.kind, rung.params),
                    **({} if rating is None else asdict(rating)),
                }
                for rung, rating in rows
            ]
        )
        return
    shown = [
        (
            rung.name,
            print_spec(rung.kind, rung.params),
            "not rated" if rating is None else str(rating.elo),
            "" if rating is None else "anchor" if rating.low == rating.high else f"[{rating.low}, {rating.high}]",
            "" if rating is None else str(rating.matches),
        )
        for rung, rating in rows
    ]
    out().print(make_table("", ["rung", "what it is", "Elo", "95 %", "matches"], shown, right="Elo|95 %|matches"))
    out().print("Elo above random play, by game; games cannot be compared with each other")


def _first_line(thing: object) -> str:
    """The first sentence of its docstring, white space folded."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    head, stop, _ = text.partition(". ")
    return head + stop.strip() if head else "no description"
