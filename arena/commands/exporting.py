"""`export`: recorded matches as PGN, SGF or move lists, and views of the record as tables, for other programs to read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stratarena.arena.commands.console import err
from stratarena.arena.commands.reading import opened
from stratarena.arena.specs import Ending
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.exporter import game_record
from stratarena.db.frames import table_format, view_named, view_rows, write_table
from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord, TournamentRecord
from stratarena.db.views import VIEWS
from stratarena.games.base import Game, SpecError
from stratarena.games.notation.formats import FORMATS, Format, format_of
from stratarena.games.notation.record import NotationError
from stratarena.games.plugins import load_game

__all__ = ["export", "export_view"]


def export(
    db: str, wanted: Sequence[str], *, format_name: str | None, out: Path | None, thoughts: bool = False
) -> None:
    """Write the matches and say on standard error how many, and which were left out and why."""
    form = format_of(format_name, out)
    if out is not None and out.exists():
        raise SpecError(f"{out} exists already; remove it, or name another file")
    with opened(db) as reader:
        chosen = _choose(reader, wanted)
        left_out = Counter(why for _, match in chosen if (why := _why_not(match, form)))
        kept = [(tournament, match) for tournament, match in chosen if not _why_not(match, form)]
        if not kept:
            whys = "; ".join(f"{n} {why}" for why, n in left_out.items()) or "there are no matches"
            raise RecordError(f"there is nothing to export as {form.name}: {whys}")
        texts = _texts(reader, kept, form, thoughts=thoughts)
        if out is None:
            for text in texts:
                sys.stdout.write(text)
        else:
            _write_file(out, texts)
    console = err()
    for why, n in left_out.items():
        console.print(f"left out: {n} {why}", soft_wrap=True)
    if out is not None:
        console.print(f"exported {_games(len(kept))} to {out}", soft_wrap=True)


def export_view(db: str, names: Sequence[str], *, view: str, format_name: str | None, out: Path | None) -> None:
    """Write a view of these tournaments, or of the only one there is, as a table; with `all` every view, into a folder.

    Raises:
        SpecError: there is no such view or format, or the file is there already.
        RecordError: there is no such tournament.
    """
    views = tuple(VIEWS) if view == "all" else (view_named(view),)
    if view == "all":
        if out is None:
            raise SpecError("all views are written into a folder; name it with --out")
        form = table_format(format_name or "csv", None)
    else:
        form = table_format(format_name, out)
    engine = open_database(db, read_only=True)
    try:
        reader = Reader(engine)
        tournaments = [reader.tournament(name).name for name in (names or (None,))]
        for one in views:
            target = out / f"{one.removeprefix('v_')}.{form}" if view == "all" and out is not None else out
            if target is not None and target is not out:
                target.parent.mkdir(parents=True, exist_ok=True)
            n = write_table(sys.stdout if target is None else target, form, one, view_rows(engine, one, tournaments))
            if target is not None:
                err().print(f"exported {n:,} {'row' if n == 1 else 'rows'} to {target}", soft_wrap=True)
    finally:
        engine.dispose()


def _choose(reader: Reader, wanted: Sequence[str]) -> list[tuple[TournamentRecord, MatchRecord]]:
    """The matches of each tournament, or the single match, that a word names; each once, in that order."""
    by_id = {tournament.tournament_id: tournament for tournament in reader.tournaments()}
    names = {tournament.name: tournament for tournament in by_id.values()}
    chosen: dict[int, tuple[TournamentRecord, MatchRecord]] = {}
    for word in wanted or [reader.tournament(None).name]:
        if word in names:
            for match in reader.matches(names[word]):
                chosen.setdefault(match.match_id, (names[word], match))
            continue
        try:
            match = reader.match(word)
        except RecordError as error:
            known = ", ".join(names) or "none"
            raise RecordError(f"{word!r} is no tournament (there are: {known}), and {error}") from None
        chosen.setdefault(match.match_id, (by_id[reader.tournament_id(match)], match))
    return list(chosen.values())


def _why_not(match: MatchRecord, form: Format) -> str:
    """Why a match cannot be written, for counting; empty when it can."""
    if not form.holds(match.game):
        holding = ", ".join(other.name for other in FORMATS.values() if other.holds(match.game))
        return f"of {match.game}, which {form.name} does not hold (use {holding})"
    if match.verdict is None:
        return "not over"
    if match.verdict.ending is Ending.VOID and match.stated is None:
        return "void: they count for nobody"
    return ""


def _texts(
    reader: Reader, kept: Sequence[tuple[TournamentRecord, MatchRecord]], form: Format, *, thoughts: bool
) -> Iterator[str]:
    games: dict[str, Game[Any]] = {}
    for number, (tournament, match) in enumerate(kept):
        if match.game not in games:
            games[match.game] = load_game(match.game)
        try:
            text = form.write(game_record(reader, tournament, match, games[match.game], thoughts=thoughts))
        except NotationError as error:
            raise RecordError(f"match {match.key} cannot be written as {form.name}: {error}") from None
        yield text if number == 0 else form.between + text


def _write_file(out: Path, texts: Iterator[str]) -> None:
    """Write a new file; nothing is left of it when something fails."""
    with out.open("x", encoding="utf-8", newline="\n") as file:
        try:
            for text in texts:
                file.write(text)
        except BaseException:
            out.unlink()
            raise


def _games(n: int) -> str:
    return f"{n} game" if n == 1 else f"{n} games"
