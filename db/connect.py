"""Opening a database, bringing it to this program's schema, and saying in one sentence what is wrong with it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError, SQLAlchemyError

from stratarena.db.errors import RecordError
from stratarena.db.schema import metadata
from stratarena.db.views import VIEWS

__all__ = ["SCHEMA", "DatabaseInfo", "info", "open_database", "told", "upgrade"]

SCHEMA = "0007"
"""The newest migration."""

_OLDER = ("0000", "0001", "0002", "0003", "0004", "0005", "0006")
_BUSY_S = 20.0
_SQLITE_MAGIC = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """What a database holds."""

    database: str
    kind: str
    schema: str
    """Its schema's revision."""
    program_schema: str
    usable: bool
    bytes: int | None
    """Size of the file; None for a server."""
    tables: dict[str, int]
    """Rows by table."""


def open_database(url: str, *, create: bool = False, read_only: bool = False) -> Engine:
    """An engine on a database of this program's schema; with `create` a missing or empty one is made.

    Raises:
        RecordError: it is missing, unreadable, no database, locked, or of another schema.
    """
    engine = _engine(url, create=create, read_only=read_only)
    try:
        with told(url), engine.connect() as connection:
            found = _revision(connection)
        if found is None and create:
            upgrade(url)
        else:
            _check_revision(found, url)
    except RecordError:
        engine.dispose()
        raise
    return engine


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the database to this program's schema; its revision before and after.

    Raises:
        RecordError: as `open_database`, and when it is newer than this program.
    """
    from alembic import command
    from alembic.config import Config

    engine = _engine(url, create=True, read_only=False, migrates=True)
    try:
        with told(url):
            with engine.connect() as connection:
                before = _revision(connection)
            if before is not None and before != SCHEMA and before not in _OLDER:
                raise RecordError(_newer(url, before))
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                # Views belong to the program, not to the data: they are made anew by every upgrade. They go before
                # the tables change, since a view that has lost its table stops SQLite from renaming another.
                for name in reversed(VIEWS):
                    connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
                command.upgrade(config, "head")
                for name, (_, query) in VIEWS.items():
                    connection.execute(text(f"CREATE VIEW {name} AS {query}"))
    finally:
        engine.dispose()
    return before, SCHEMA


def info(url: str) -> DatabaseInfo:
    """What the database holds, also when its schema is not this program's."""
    engine = _engine(url, create=False, read_only=True)
    try:
        with told(url), engine.connect() as connection:
            found = _revision(connection)
            there = set(inspect(connection).get_table_names())
            counts = {
                table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in metadata.sorted_tables
                if table.name in there
            }
    finally:
        engine.dispose()
    path = _sqlite_path(engine.url)
    return DatabaseInfo(
        database=engine.url.render_as_string(hide_password=True),
        kind=engine.dialect.name,
        schema=found or "none",
        program_schema=SCHEMA,
        usable=found == SCHEMA,
        bytes=path.stat().st_size if path is not None else None,
        tables=counts,
    )


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turns what a driver raises into one sentence about the database at this URL."""
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordError(_explain(error, url)) from error
    except sqlite3.Error as error:
        raise RecordError(_sentence(str(error), url)) from error


def _engine(url: str, *, create: bool, read_only: bool, migrates: bool = False) -> Engine:
    """An engine, the file behind it looked at first: SQLite would make a missing one without a word."""
    parsed = _parse(url)
    path = _sqlite_path(parsed)
    if path is not None:
        _check_file(path, create=create)
    try:
        if parsed.get_backend_name() == "sqlite":
            sealed = read_only and path is not None and not os.access(path.parent, os.W_OK)
            engine = create_engine(_sealed(parsed) if sealed else parsed, connect_args={"timeout": _BUSY_S})
            _set_pragmas(engine, read_only=read_only, migrates=migrates)
        else:
            engine = create_engine(parsed)
    except (NoSuchModuleError, ImportError) as error:
        raise RecordError(
            f"{_shown(parsed)}: no driver for {parsed.drivername}: {error}; for PostgreSQL install the extra: "
            "pip install 'stratarena[postgres]', and write postgresql+psycopg://…"
        ) from error
    return engine


def _parse(url: str) -> URL:
    """A file's path or a URL as a URL."""
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except (ArgumentError, ValueError) as error:
        raise RecordError(f"{url!r} is neither a file nor a database URL: {error}") from error
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _sqlite_path(url: URL) -> Path | None:
    return (
        Path(url.database)
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        else None
    )


def _sealed(url: URL) -> URL:
    """The file as one that nobody changes: SQLite wants to put its locks beside it, and here it may not."""
    path = quote(str(Path(url.database or "").resolve()))
    return url.set(database=f"file:{path}", query={"immutable": "1", "uri": "true"})


def _check_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise RecordError(f"{path} is a folder; expected a database file")
    if not path.exists():
        if not create:
            raise RecordError(f"there is no database {path}; make one with `stratarena run`, or name another with --db")
        if not path.parent.is_dir():
            raise RecordError(f"{path}: there is no folder {path.parent}")
        if not os.access(path.parent, os.W_OK):
            raise RecordError(f"{path}: the folder {path.parent} is read-only")
        return
    if not os.access(path, os.R_OK):
        raise RecordError(f"{path} cannot be read: {os.strerror(errno.EACCES)}")
    if not _is_sqlite(path):
        raise RecordError(f"{path} is no SQLite database")
    if create and not os.access(path, os.W_OK):
        raise RecordError(f"{path} is read-only; playing writes to it")


def _is_sqlite(path: Path) -> bool:
    """Whether the file is an SQLite database, or empty.

    Looked at by SQLite itself where it may be in use: whoever closes a file by its own hand takes away every lock that this
    process has on it, and the next reader elsewhere would throw away what was written (sqlite.org/howtocorrupt.html, 2.2).
    """
    if not os.access(path.parent, os.W_OK):
        with path.open("rb") as file:
            return file.read(len(_SQLITE_MAGIC)) in (b"", _SQLITE_MAGIC)
    looking = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
    try:
        looking.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode != sqlite3.SQLITE_NOTADB
    finally:
        looking.close()
    return True


def _set_pragmas(engine: Engine, *, read_only: bool, migrates: bool) -> None:
    # A migration makes tables anew, and a table that others refer to can be dropped only while nobody looks.
    pragmas = ["foreign_keys=OFF" if migrates else "foreign_keys=ON", "cache_size=-65536"]
    pragmas += ["query_only=ON"] if read_only else ["journal_mode=WAL", "synchronous=NORMAL"]

    def on_connect(connection: sqlite3.Connection, record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        if migrates:
            # The driver would commit before every CREATE and DROP: a migration is done whole or not at all.
            connection.isolation_level = None

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    if migrates:
        event.listen(engine, "begin", on_begin)


def _revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty database. Raises `RecordError` for somebody else's."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables:
        if tables:
            raise RecordError(
                f"{_shown(connection.engine.url)} holds other tables ({', '.join(sorted(tables)[:3])}, …) and no record "
                "of stratarena; name another database with --db"
            )
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _check_revision(found: str | None, url: str) -> None:
    if found == SCHEMA:
        return
    if found is None:
        raise RecordError(f"{url} is empty; play something into it with `stratarena run`")
    if found in _OLDER:
        raise RecordError(
            f"{url} has the older schema {found}; this program needs {SCHEMA}: run `stratarena db upgrade --db {url}`"
        )
    raise RecordError(_newer(url, found))


def _newer(url: str, found: str) -> str:
    return f"{url} was written by a newer stratarena (schema {found}; this program knows {SCHEMA}): upgrade stratarena"


def _shown(url: URL) -> str:
    return str(_sqlite_path(url) or url.render_as_string(hide_password=True))


def _explain(error: SQLAlchemyError, url: str) -> str:
    message = str(error.orig) if isinstance(error, DatabaseError) and error.orig is not None else str(error)
    if isinstance(error, OperationalError) and "postgres" in url:
        return f"{_shown(_parse(url))}: the server cannot be reached: {' '.join(message.split())}"
    return _sentence(message, url)


def _sentence(message: str, url: str) -> str:
    """What SQLite's few words mean."""
    shown = _shown(_parse(url))
    first = message.splitlines()[0] if message else "no message"
    if "locked" in first:
        return f"{shown} is locked by another program; nothing was lost, try again when it is done"
    if "malformed" in first or "not a database" in first or "corrupt" in first:
        return f"{shown} is damaged ({first}); restore a copy, or recover what is left with `sqlite3 {shown} .recover`"
    if "readonly" in first or "read-only" in first:
        return f"{shown} is read-only; playing writes to it"
    if "full" in first:
        return f"{shown}: the disk is full; everything up to the last finished turn is saved"
    return f"{shown}: {first}"
