"""`replay --html`: a match, or a whole tournament, as one file that any browser opens, without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stratarena.analysis.boards import printable
from stratarena.analysis.web.bundle import write_page
from stratarena.analysis.web.document import match_document, play_again, summary
from stratarena.arena.commands.console import err
from stratarena.arena.commands.reading import opened
from stratarena.db.errors import RecordError
from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord, TournamentRecord
from stratarena.games.base import SpecError

__all__ = ["write_html"]


def write_html(reference: str, *, db: str, out: Path) -> None:
    """Write the page and say on standard error what is in it; nothing is left of the file when something fails.

    Raises:
        SpecError: the file exists already.
        RecordError: there is no such match or tournament, or nothing in it has been played.
    """
    if out.exists():
        raise SpecError(f"{out} exists already; remove it, or name another file")
    disagreeing: list[str] = []
    with opened(db) as reader:
        title, chosen = _choose(reader, reference)
        index = [summary(match) for _, match in chosen]
        with out.open("x", encoding="utf-8", newline="\n") as file:
            try:
                for part in write_page(title, index, _documents(reader, chosen, disagreeing)):
                    file.write(part)
            except BaseException:
                out.unlink()
                raise
    console = err()
    for message in disagreeing:
        console.print(f"warning: {message}", soft_wrap=True)
    matches = "1 match" if len(chosen) == 1 else f"{len(chosen)} matches"
    console.print(
        f"wrote {matches} to {out} ({out.stat().st_size / 1e6:.1f} MB); open it in any browser", soft_wrap=True
    )


def _choose(reader: Reader, reference: str) -> tuple[str, Sequence[tuple[TournamentRecord, MatchRecord]]]:
    """A title, and the matches that have begun of a tournament, or the one match, that a word names."""
    by_id = {tournament.tournament_id: tournament for tournament in reader.tournaments()}
    named = next((tournament for tournament in by_id.values() if tournament.name == reference), None)
    if named is not None:
        begun = [(named, match) for match in reader.matches(named, all_attempts=True) if _has_begun(match)]
        if not begun:
            raise RecordError(f"no match of {reference} has begun; there is nothing to show")
        return f"Tournament {named.name}", begun
    try:
        match = reader.match(reference)
    except RecordError as error:
        names = ", ".join(tournament.name for tournament in by_id.values()) or "none"
        raise RecordError(f"{reference!r} is no tournament (there are: {names}), and {error}") from None
    return printable(f"{match.first} – {match.second}, {match.game}"), [(by_id[reader.tournament_id(match)], match)]


def _has_begun(match: MatchRecord) -> bool:
    return match.opened_ms is not None or match.stated is not None


def _documents(
    reader: Reader, chosen: Sequence[tuple[TournamentRecord, MatchRecord]], disagreeing: list[str]
) -> Iterator[Mapping[str, Any]]:
    for tournament, match in chosen:
        played = play_again(reader, match)
        if played.mismatch is not None:
            disagreeing.append(str(played.mismatch))
        yield match_document(played, tournament)
