"""`import`: games from elsewhere into the record, to replay and study; never to be played on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from stratarena.analysis.boards import printable
from stratarena.arena.commands.console import err, out, print_json
from stratarena.arena.commands.provenance import find_provenance
from stratarena.arena.specs import Ending
from stratarena.arena.transcript import Transcript, transcribe
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.importer import import_games
from stratarena.db.records import Origin
from stratarena.games.base import Game, SpecError
from stratarena.games.notation.formats import Format, format_of
from stratarena.games.notation.record import GameRecord, NotationError
from stratarena.games.notation.source import Lines
from stratarena.games.plugins import load_game

__all__ = ["import_file"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")
_SHOWN = 10
_TOLD_EVERY = 1000


@dataclass(slots=True)
class _Tally:
    """What came of the games of a file."""

    refused: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    stated: int = 0
    unfinished: int = 0
    variations: int = 0
    marks: int = 0


def import_file(
    file: Path,
    *,
    db: str,
    name: str | None,
    game: str | None,
    format_name: str | None,
    encoding: str,
    keep_going: bool,
    as_json: bool,
) -> None:
    """Import every game of the file, or none; with `keep_going` every game that can be read."""
    form = format_of(format_name, file)
    tournament = _tournament_name(name, file)
    if game is not None:
        game = load_game(game).id
    tally = _Tally()
    try:
        with file.open("rb") as stream:
            sha256 = _hash(stream)
            stream.seek(0)
            lines = Lines(stream, encoding=encoding)
            origin = Origin(file=printable(file.name), sha256=sha256, format=form.name, encoding=encoding, n_refused=0)
            database = open_database(db, create=True)
            try:
                n_games = import_games(
                    database,
                    _transcripts(file, form, lines, game, tally, sha256=sha256, keep_going=keep_going),
                    name=tournament,
                    origin=origin,
                    provenance=find_provenance(),
                )
            finally:
                database.dispose()
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror or error}") from None
    except RecordError:
        _tell_refused(tally)
        raise
    _tell(tally, file=file, db=db, tournament=tournament, n_games=n_games, as_json=as_json)


def _transcripts(
    file: Path,
    form: Format,
    lines: Lines,
    wanted: str | None,
    tally: _Tally,
    *,
    sha256: str,
    keep_going: bool,
) -> Iterator[Transcript | None]:
    """Every game of the file, checked; None for one that is left out. Raises `SpecError` at the first bad one."""
    games: dict[str, Game[Any]] = {}
    console = err()
    for number, found in enumerate(form.read(lines, game=wanted), start=1):
        try:
            if isinstance(found, NotationError):
                raise found
            if found.game not in games:
                games[found.game] = load_game(found.game)
            transcript = transcribe(found, games[found.game])
        except NotationError as error:
            said = f"{file}: {error if error.game is not None else _numbered(error, number)}"
            if not keep_going:
                raise SpecError(f"{said}\nnothing was imported; --keep-going leaves bad games out") from None
            tally.refused.append(said)
            yield None
            continue
        _count(tally, number, transcript)
        if number % _TOLD_EVERY == 0 and console.is_terminal:
            console.print(f"{number:,} games read")
        yield transcript
    if lines.sha256 != sha256 and not (tally.refused and keep_going):
        raise RecordError(f"{file} changed while it was read; nothing was imported")


def _count(tally: _Tally, number: int, transcript: Transcript) -> None:
    record: GameRecord = transcript.record
    tally.variations += record.n_variations
    tally.marks += record.n_marks
    tally.stated += transcript.verdict.ending is Ending.STATED
    tally.unfinished += transcript.verdict.ending is Ending.VOID
    if transcript.disagreement is not None:
        tally.disagreements.append(f"game {number}: {transcript.disagreement}")


def _numbered(error: NotationError, number: int) -> NotationError:
    return NotationError(error.why, game=number, line=error.line, ply=error.ply)


def _tell(tally: _Tally, *, file: Path, db: str, tournament: str, n_games: int, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "tournament": tournament,
                "file": str(file),
                "games": n_games,
                "refused": tally.refused,
                "disagreements": tally.disagreements,
                "stated": tally.stated,
                "unfinished": tally.unfinished,
                "variations_left_out": tally.variations,
                "marks_left_out": tally.marks,
            }
        )
        return
    _tell_refused(tally)
    console = out()
    lines = [f"imported {_plural(n_games, 'game')} from {file} into {db} as tournament {tournament}"]
    if tally.stated:
        lines.append(f"{_plural(tally.stated, 'result')} taken from the file: the rules had not ended those games")
    if tally.unfinished:
        lines.append(f"{_plural(tally.unfinished, 'game')} without a result: in the record, but counted for nobody")
    if tally.disagreements:
        lines.append(f"{_plural(len(tally.disagreements), 'result')} wrong in the file; the rules decide:")
        lines += [f"  {said}" for said in tally.disagreements[:_SHOWN]]
        lines += [f"  and {len(tally.disagreements) - _SHOWN} more"] if len(tally.disagreements) > _SHOWN else []
    if tally.variations:
        lines.append(f"left out {_plural(tally.variations, 'variation')}: a match is the game itself")
    if tally.marks:
        lines.append(f"left out {_plural(tally.marks, 'mark')} and other properties that have no place here")
    if tally.refused:
        lines.append(f"left out {_plural(len(tally.refused), 'game')} that could not be read")
    for line in lines:
        console.print(line, soft_wrap=True)


def _tell_refused(tally: _Tally) -> None:
    console = err()
    for said in tally.refused[:_SHOWN]:
        console.print(f"left out: {said}", soft_wrap=True)
    if len(tally.refused) > _SHOWN:
        console.print(f"left out: {len(tally.refused) - _SHOWN} more", soft_wrap=True)


def _tournament_name(name: str | None, file: Path) -> str:
    """The given name, or the file's own as far as a name can hold it. Raises `SpecError` for a name that is none."""
    if name is None:
        return re.sub(r"[^A-Za-z0-9._+-]+", "-", file.stem).lstrip("._+-").rstrip("-")[:40] or "imported"
    if not _NAME.fullmatch(name):
        raise SpecError(f"{name!r} is no name; a name has 1 to 40 letters, digits, and . _ + - and begins with one")
    return name


def _hash(stream: BufferedReader) -> str:
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _plural(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
