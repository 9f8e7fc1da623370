"""A match's own pen: numbers its events and hands them to the recorder."""

from __future__ import annotations

from stratarena.arena.clock import Clock
from stratarena.arena.events import Body, Event, Recorder
from stratarena.games.base import Seat

__all__ = ["Notes"]


class Notes:
    """Writes the events of one match, numbered without gaps."""

    __slots__ = ("_epoch_ms", "_match_id", "_seq", "_write", "ply")

    def __init__(self, recorder: Recorder, *, match_id: int, next_seq: int, ply: int, clock: Clock) -> None:
        self._write = recorder.write
        self._match_id = match_id
        self._seq = next_seq
        self._epoch_ms = clock.epoch_ms
        self.ply = ply
        """The ply whose turn is being taken."""

    def write(self, seat: Seat | None, body: Body) -> None:
        """Write one fact about the turn in hand."""
        self._write(Event(self._match_id, self._seq, self.ply, seat, self._epoch_ms(), body))
        self._seq += 1
