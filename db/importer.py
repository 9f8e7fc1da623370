"""Games from a file into the record: one file, one tournament, one transaction."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from stratarena.arena.schedule import slug
from stratarena.arena.specs import Ending
from stratarena.arena.store import Provenance
from stratarena.arena.transcript import Transcript
from stratarena.db.connect import told
from stratarena.db.errors import RecordError
from stratarena.db.reader import Reader
from stratarena.db.records import Origin
from stratarena.db.rows import Row, text_row
from stratarena.db.schema import metadata
from stratarena.db.state import insert_statement

__all__ = ["check_import", "import_games"]

_T = metadata.tables
_TABLES = ("texts", "matches", "moves", "imported_games", "imported_moves")
_LONGEST_NAME = 40
_MOST_ROUNDS = 2**31


def check_import(engine: Engine, *, name: str, sha256: str) -> None:
    """Nothing, when a file of this hash may be imported under this name.

    Raises:
        RecordError: its games are in the database already, or a tournament has the name.
    """
    reader = Reader(engine)
    there = reader.imported_file(sha256)
    if there is not None:
        raise RecordError(f"this file was imported before, as tournament {there!r}; nothing was done")
    if name in (tournament.name for tournament in reader.tournaments()):
        raise RecordError(f"there is a tournament {name!r} already; give this one another name with --name")


def import_games(
    engine: Engine, games: Iterable[Transcript | None], *, name: str, origin: Origin, provenance: Provenance
) -> int:
    """Write a tournament of imported games, all or nothing; how many there are.

    `games` are taken one at a time in the order of the file, None for one that is left out because it cannot be read.
    What `games` raises leaves the database as it was. `origin.n_refused` is not looked at: the Nones are counted.

    Raises:
        RecordError: see `check_import`; also when there are no games at all, or the database refused.
    """
    check_import(engine, name=name, sha256=origin.sha256)
    with told(engine.url.render_as_string(hide_password=False)), engine.begin() as connection:
        writing = _Writing(engine, connection, name, origin, provenance)
        n_games = n_refused = 0
        for number, transcript in enumerate(games, start=1):
            if transcript is None:
                n_refused += 1
                continue
            writing.add(number, transcript)
            n_games += 1
        if not n_games:
            raise RecordError(f"there are no games to import in {origin.file}; nothing was done")
        writing.finish(n_refused)
    return n_games


class _Writing:
    """The rows of one import, in an open transaction."""

    def __init__(
        self, engine: Engine, connection: Connection, name: str, origin: Origin, provenance: Provenance
    ) -> None:
        self._connection = connection
        self._name = name
        self._columns = {table: tuple(column.name for column in _T[table].columns) for table in _TABLES}
        self._statements = {table: insert_statement(engine, table, self._columns[table]) for table in _TABLES}
        self._agents: dict[str, int] = {}
        self._tournament_id = self._next_id("tournaments")
        self._match_id = self._next_id("matches")
        self._agent_id = self._next_id("agents")
        facts = {field: getattr(origin, field) for field in ("file", "sha256", "format", "encoding")}
        connection.execute(
            insert(_T["tournaments"]).values(
                id=self._tournament_id,
                name=name,
                spec=json.dumps({"name": name, "imported": facts}, ensure_ascii=False),
                source="",
                seed=0,
                created_ms=time.time_ns() // 1_000_000,
                program_version=provenance.program_version,
                source_revision=provenance.source_revision,
                python_version=provenance.python_version,
                packages=json.dumps(dict(provenance.packages), sort_keys=True),
            )
        )
        connection.execute(insert(_T["imports"]).values(tournament_id=self._tournament_id, n_refused=0, **facts))

    def add(self, number: int, transcript: Transcript) -> None:
        """One game, over or void from the beginning."""
        record, verdict = transcript.record, transcript.verdict
        texts: list[Row] = []

        def keep(content: str) -> str:
            texts.append(text_row(content))
            digest: str = texts[-1][0]
            return digest

        match_id = self._match_id
        self._match_id += 1
        first, second = _labels(record.first, record.second)
        key = f"{slug(record.game)}/{self._name}/g{number}"
        match = {
            "id": match_id,
            "tournament_id": self._tournament_id,
            "key": key,
            "attempt": 1,
            "game": record.game,
            "first_agent_id": self._agent(first),
            "second_agent_id": self._agent(second),
            "round": _round(record.header("Round")),
            "pair": key,
            "opening": "start" if record.start is None else "position",
            "start": transcript.start,
            "opening_moves": "",
            "seed": 0,
            "spec_digest": blake2b(
                "\n".join((record.game, transcript.start, *(noted.move for noted in record.moves))).encode(),
                digest_size=16,
            ).hexdigest(),
            "status": "void" if verdict.ending is Ending.VOID else "over",
            "ending": verdict.ending.value,
            "winner": None if verdict.winner is None else verdict.winner.value,
            "reason": verdict.reason,
            "plies": len(record.moves),
        }
        game = {
            "match_id": match_id,
            "number": number,
            "first": record.first,
            "second": record.second,
            "stated": record.result.value,
            "headers": keep(json.dumps(record.headers, ensure_ascii=False)),
            "comment": keep(record.comment) if record.comment else None,
            "n_variations": record.n_variations,
            "n_marks": record.n_marks,
        }
        moves, notes = [], []
        for ply, (noted, seat, digest) in enumerate(
            zip(record.moves, transcript.seats, transcript.digests, strict=True)
        ):
            value = noted.evaluation
            moves.append((match_id, ply, seat.value, noted.move, "import", None, None))
            notes.append(
                {
                    "match_id": match_id,
                    "ply": ply,
                    "seat": seat.value,
                    "digest": digest,
                    "comment": keep(noted.comment) if noted.comment else None,
                    "nags": " ".join(map(str, noted.nags)),
                    "clock_ms": noted.clock_ms,
                    "elapsed_ms": noted.elapsed_ms,
                    "centipawns": value.centipawns if value else None,
                    "mate": value.mate if value else None,
                    "depth": value.depth if value else None,
                }
            )
        # The driver's own cursor, as for turns: a large file has millions of moves.
        cursor = self._connection.connection.cursor()
        for table, rows in (
            ("texts", texts),
            ("matches", self._ordered("matches", [match])),
            ("moves", moves),
            ("imported_games", self._ordered("imported_games", [game])),
            ("imported_moves", self._ordered("imported_moves", notes)),
        ):
            if rows:
                cursor.executemany(self._statements[table], rows)
        cursor.close()

    def finish(self, n_refused: int) -> None:
        """Note how many games were left out."""
        imports = _T["imports"]
        here = imports.c.tournament_id == self._tournament_id
        self._connection.execute(update(imports).where(here).values(n_refused=n_refused))

    def _ordered(self, table: str, rows: Sequence[dict[str, Any]]) -> list[Row]:
        return [tuple(row.get(column) for column in self._columns[table]) for row in rows]

    def _agent(self, label: str) -> int:
        """The id of a player, who is entered when first met."""
        if label not in self._agents:
            self._connection.execute(
                insert(_T["agents"]).values(
                    id=self._agent_id,
                    tournament_id=self._tournament_id,
                    name=label,
                    kind="imported",
                    params="{}",
                )
            )
            self._agents[label] = self._agent_id
            self._agent_id += 1
        return self._agents[label]

    def _next_id(self, table: str) -> int:
        query = select(func.coalesce(func.max(_T[table].c.id), 0))
        return int(self._connection.execute(query).scalar_one()) + 1


def _labels(first: str | None, second: str | None) -> tuple[str, str]:
    """Two different names of at most 40 characters for the players, safe to print; the whole ones stay with the game."""
    one, two = (_short(_printable(name or "") or "unknown") for name in (first, second))
    if one != two:
        return one, two
    # A match is between two agents; here the file gives both one name, or none.
    return _short(f"{one} (first)"), _short(f"{two} (second)")


def _printable(name: str) -> str:
    """The name without marks that nobody sees, which could turn the direction of a whole line."""
    return "".join(character for character in name if unicodedata.category(character) != "Cf").strip()


def _short(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    digest = blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: _LONGEST_NAME - 9]}~{digest}"


def _round(text: str | None) -> int:
    """The round as a number; 1 where it is none. The header keeps what the file says."""
    number = int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 11 else 1
    return number if 1 <= number < _MOST_ROUNDS else 1
