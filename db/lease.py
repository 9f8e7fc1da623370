"""One tournament is played by one process at a time: a lease that ends with the process, however it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, text

from stratarena.db.connect import told
from stratarena.db.errors import RecordError

__all__ = ["take_lease"]


def take_lease(engine: Engine, tournament: str) -> Callable[[], None]:
    """A function that gives the lease back.

    Raises:
        RecordError: another process is playing this tournament into this database.
    """
    refusal = RecordError(
        f"another process is playing {tournament!r} into this database; wait for it, or stop it with Ctrl-C"
    )
    if engine.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.blake2b(tournament.encode(), digest_size=7).digest())
        with told(engine.url.render_as_string(hide_password=False)):
            connection = engine.connect()
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar()
        if not taken:
            connection.close()
            raise refusal

        def give_back() -> None:
            connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})
            connection.close()

        return give_back
    database = engine.url.database
    if database in (None, "", ":memory:"):
        return lambda: None
    try:
        import fcntl
    except ImportError:
        # No such locks here; SQLite's own keep the data whole, but nobody warns of a second process.
        return lambda: None
    # Beside the database, because SQLite's own locks come and go with each transaction. One file per tournament; it
    # stays, since deleting it would let a third process lock a new file of that name.
    path = Path(f"{database}.{hashlib.blake2b(tournament.encode(), digest_size=4).hexdigest()}.lock")
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise refusal from error
    return file.close
