"""When an answer that is being written has said enough: one reading of `stop` and `watch` for every model."""

from __future__ import annotations

from dataclasses import replace

from stratarena.agents.models.base import Completion, Finish, Request
from stratarena.agents.models.thinking import answer_so_far

__all__ = ["Stopping", "cut_at_stop"]

_HALF_A_CHARACTER = "\ufffd"
"""How a tokenizer decodes a character of which not all bytes are there yet."""


class Stopping:
    """Reads one answer along, what the model thinks before it left out. Its `text` is the answer, without the stop that
    ended it."""

    def __init__(self, request: Request) -> None:
        self._stop = request.sampling.stop
        self._enough = request.watch() if request.watch is not None else None
        self._longest = max(map(len, self._stop), default=0)
        self.text = ""
        self.stopped = False
        """Whether it was enough at any time."""

    @property
    def idle(self) -> bool:
        """Whether nothing could end the answer early, so that there is no need to read along."""
        return not self._stop and self._enough is None

    def read(self, text: str) -> bool:
        """Take all that was written as it stands now, and say whether it is enough."""
        text = answer_so_far(text.rstrip(_HALF_A_CHARACTER))
        before = len(self.text)
        # A stop may have begun in what was read before.
        found = [text.find(stop, max(0, before - self._longest + 1)) for stop in self._stop]
        end = min((place for place in found if place >= 0), default=None)
        self.text = text[:end]
        piece = self.text[before:]
        enough = bool(piece) and self._enough is not None and self._enough(piece)
        self.stopped = self.stopped or enough or end is not None
        return self.stopped


def cut_at_stop(answer: Completion, request: Request) -> Completion:
    """The answer up to where the first of the request's stops begins, whether or not whoever wrote it knew of them."""
    ends = [place for stop in request.sampling.stop if (place := answer.text.find(stop)) >= 0]
    return replace(answer, text=answer.text[: min(ends)], finish=Finish.STOP) if ends else answer
