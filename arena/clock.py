"""The only clock: handed to whoever needs the time, faked in tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["SYSTEM_CLOCK", "Clock"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Two readings of time."""

    seconds: Callable[[], float]
    """A monotonic reading, for durations."""
    epoch_ms: Callable[[], int]
    """Milliseconds since 1970, for the record."""


SYSTEM_CLOCK = Clock(time.perf_counter, lambda: time.time_ns() // 1_000_000)
