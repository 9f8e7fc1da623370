"""Stored texts, read back."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, select

from stratarena.db.errors import RecordError
from stratarena.db.schema import metadata

__all__ = ["read_text", "unpack"]


def unpack(codec: str, body: bytes) -> str:
    """The text that a row of `texts` holds. Raises `RecordError` when it is damaged."""
    try:
        raw = zlib.decompress(body) if codec == "zlib" else bytes(body)
        return raw.decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError) as error:
        raise RecordError(f"a stored text is damaged: {error}") from error


def read_text(connection: Connection, digest: str) -> str:
    """The text of this hash. Raises `RecordError` when it is missing."""
    texts = metadata.tables["texts"]
    row = connection.execute(select(texts.c.codec, texts.c.body).where(texts.c.hash == digest)).one_or_none()
    if row is None:
        raise RecordError(f"the text {digest} is not in the database")
    return unpack(row.codec, row.body)
