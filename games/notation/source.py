"""A file of games line by line, never whole in memory; what is no text is told with its line."""

from __future__ import annotations

import codecs
import hashlib
from io import BytesIO
from typing import BinaryIO

from stratarena.games.base import SpecError
from stratarena.games.notation.record import NotationError

__all__ = ["ENCODINGS", "LONGEST_GAME", "Lines", "lines_of"]

ENCODINGS = ("utf-8", "latin-1", "cp1252")
LONGEST_GAME = 1 << 26
"""Characters of one game's text, and bytes of one line: no real game comes near."""


class Lines:
    """The lines of a binary file in one encoding, line ends dropped, with a look at the next one.

    A byte order mark of UTF-8 at the start is dropped; one of UTF-16 or UTF-32 is an error.
    """

    def __init__(self, file: BinaryIO, *, encoding: str = "utf-8") -> None:
        if encoding not in ENCODINGS:
            raise SpecError(f"encoding {encoding!r} is not known; there are: {', '.join(ENCODINGS)}")
        self.encoding = encoding
        self.number = 0
        """The line that was given last, from 1."""
        self._file = file
        self._digest = hashlib.sha256()
        self._next: str | NotationError | None = None

    @property
    def sha256(self) -> str:
        """Hash of every byte read so far, in hexadecimal."""
        return self._digest.hexdigest()

    def peek(self) -> str | None:
        """The next line, which stays the next; None at the end. Raises as `take`."""
        if self._next is None:
            self._next = self._read()
        if isinstance(self._next, NotationError):
            raise self._next
        return self._next

    def take(self) -> str | None:
        """The next line; None at the end.

        Raises:
            NotationError: the line is not text in this encoding (the one after it can still be taken), or it is
                binary or longer than any game (fatal).
        """
        found = self._read() if self._next is None else self._next
        self._next = None
        if found is None:
            return None
        if isinstance(found, NotationError) and found.fatal:
            self._next = found
            raise found
        self.number += 1
        if isinstance(found, NotationError):
            raise found
        return found

    def _read(self) -> str | NotationError | None:
        raw = self._file.readline(LONGEST_GAME + 1)
        self._digest.update(raw)
        here = self.number + 1
        if not raw:
            return None
        if len(raw) > LONGEST_GAME:
            return NotationError(f"the line is longer than {LONGEST_GAME:,} bytes", line=here, fatal=True)
        if here == 1:
            if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return NotationError("the file is UTF-16; save it as UTF-8", line=here, fatal=True)
            if raw.startswith(codecs.BOM_UTF8) and self.encoding == "utf-8":
                raw = raw[len(codecs.BOM_UTF8) :]
        if b"\x00" in raw:
            return NotationError("there is a zero byte: this is no text file", line=here, fatal=True)
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            others = ", ".join(name for name in ENCODINGS if name != self.encoding)
            return NotationError(
                f"byte {raw[error.start]:#04x} at column {error.start + 1} is not {self.encoding}; if the file is in "
                f"another encoding, say so with --encoding ({others})",
                line=here,
            )
        return text.removesuffix("\n").removesuffix("\r")


def lines_of(text: str) -> Lines:
    """The lines of a text in memory."""
    return Lines(BytesIO(text.encode("utf-8", "surrogatepass")))
