"""When an answer that is being written has said enough: one reading of `stop` and `watch` for every model."""

from __future__ import annotations

from stratarena.agents.models.base import Request

__all__ = ["Stopping"]

_HALF_A_CHARACTER = "\ufffd"
"""How a tokenizer decodes a character of which not all bytes are there yet."""


class Stopping:
    """Reads one answer along. Its `text` is the answer, without the stop that ended it."""

    def __init__(self, request: Request) -> None:
        self._stop = request.sampling.stop
        self._enough = request.watch() if request.watch is not None else None
        self._longest = max(map(len, self._stop), default=0)
        self.text = ""

    @property
    def idle(self) -> bool:
        """Whether nothing could end the answer early, so that there is no need to read along."""
        return not self._stop and self._enough is None

    def read(self, text: str) -> bool:
        """Take all of the answer as it stands now, and say whether it is enough."""
        text = text.rstrip(_HALF_A_CHARACTER)
        before = len(self.text)
        # A stop may have begun in what was read before.
        found = [text.find(stop, max(0, before - self._longest + 1)) for stop in self._stop]
        end = min((place for place in found if place >= 0), default=None)
        self.text = text[:end]
        piece = self.text[before:]
        enough = bool(piece) and self._enough is not None and self._enough(piece)
        return enough or end is not None
