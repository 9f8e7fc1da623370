"""When the next call to a provider may start: concurrency that finds its own measure, and limits by the minute.

A window of calls in flight begins small, grows with every answer while it is in use, and is halved when the provider
says that it is too much, as TCP does with its congestion window (RFC 5681: slow start, additive increase,
multiplicative decrease). Failures of the server do not shrink it: they say nothing about how much is too much.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import inf

__all__ = ["Limits", "Pacer"]

_MINUTE_S = 60.0
_FIRST_WINDOW = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a provider allows, and how patient we are with it."""

    concurrency: int = 32
    """Most calls in flight."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Prompt and answer together."""
    timeout_s: float = 300.0
    """For one attempt, from sending to the whole answer."""
    attempts: int = 6
    patience_s: float = 900.0
    """From the start of a call's first attempt to the start of its last."""


class Pacer:
    """Counts what is in flight and what was sent in the last minute. Deals in seconds of one clock that it is given."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.in_flight = 0
        self._window = min(_FIRST_WINDOW, float(limits.concurrency))
        self._slow_start = True
        self._last_cut = -inf
        self._paused_until = -inf
        self._sent: deque[list[float]] = deque()
        """Time and tokens of each call of the last minute, oldest first."""
        self._tokens = 0.0

    @property
    def window(self) -> int:
        """How many calls may be in flight now."""
        return max(int(self._window), 1)

    def delay(self, now: float, tokens: int) -> float:
        """Seconds until a call of about so many tokens may start: 0 for now, infinite while the window is full."""
        if self.in_flight >= self.window:
            return inf
        self._forget(now)
        until = self._paused_until
        limits = self.limits
        if limits.requests_per_minute is not None and len(self._sent) >= limits.requests_per_minute:
            until = max(until, self._sent[-limits.requests_per_minute][0] + _MINUTE_S)
        if limits.tokens_per_minute is not None:
            # A call that is larger than the limit goes when nothing else was sent for a minute: the provider decides.
            excess = self._tokens + min(tokens, limits.tokens_per_minute) - limits.tokens_per_minute
            for sent, spent in self._sent:
                if excess <= 0:
                    break
                excess -= spent
                until = max(until, sent + _MINUTE_S)
        return max(until - now, 0.0)

    def start(self, now: float, tokens: int) -> list[float]:
        """Count a call in; what is returned goes to `end`."""
        self.in_flight += 1
        entry = [now, float(tokens)]
        self._sent.append(entry)
        self._tokens += tokens
        return entry

    def end(self, entry: list[float], *, tokens: int | None = None) -> None:
        """Count a call out; `tokens` replaces the guess where somebody counted."""
        self.in_flight -= 1
        if tokens is not None:
            if entry[1] >= 0:
                self._tokens += tokens - entry[1]
                entry[1] = float(tokens)
            self._grow()

    def throttle(self, entry: list[float], now: float, retry_after: float | None) -> None:
        """The provider said that it is too much: halve the window, once for all calls sent before, and wait if told to."""
        if entry[0] >= self._last_cut:
            self._window = max(min(self._window, float(self.in_flight)) / 2, 1.0)
            self._slow_start = False
            self._last_cut = now
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + retry_after)

    def _grow(self) -> None:
        # One more was in flight until now. A window that is not used says nothing about what the provider bears.
        if self.in_flight + 1 >= self.window:
            step = 1.0 if self._slow_start else 1.0 / self._window
            self._window = min(self._window + step, float(self.limits.concurrency))

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0][0] <= now - _MINUTE_S:
            entry = self._sent.popleft()
            self._tokens -= entry[1]
            entry[1] = -1.0
