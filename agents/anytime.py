"""How much more a search can afford, so that it ends with its best move so far when a budget ends."""

from __future__ import annotations

from collections.abc import Generator

from stratarena.agents.base import Reply, Step, spent
from stratarena.agents.budget import FREE, UNLIMITED, Budget

__all__ = ["Allowance"]


class Allowance:
    """What a turn may still spend on positions: the budget that is left, against the most that a position has cost so far.

    The arena measures; nothing is asked of it while nothing is limited.
    """

    def __init__(self, budget: Budget, *, calls: int) -> None:
        """`calls` are the model calls that a position may take."""
        self._budget = budget
        self._limited = budget != UNLIMITED
        self._peak = {name: 0.0 for name, _ in budget.limits()} | {"model_calls": float(calls)}
        self._before = FREE
        self._began = FREE
        self._n = 0
        self.short_of: str | None = None
        """The resource of which too little is left, once `room` is 0."""

    def begin(self) -> Generator[Step, Reply, None]:
        """Count from now on."""
        if self._limited:
            self._began = self._before = yield from spent()

    def room(self, wanted: int) -> Generator[Step, Reply, int]:
        """How many positions of those wanted can be evaluated; 0 when not even one can."""
        if not self._limited:
            return wanted
        now = yield from spent()
        if self._n:
            since = now - self._before
            for name in self._peak:
                used = getattr(since, name)
                if used is not None and name != "model_calls":
                    self._peak[name] = max(self._peak[name], used / self._n)
        self._before = now
        left: Budget = self._budget.left(now - self._began)
        room = wanted
        for name, limit in left.limits():
            if limit is None or not self._peak[name]:
                if limit is not None and limit <= 0 and name != "model_calls":
                    room, self.short_of = 0, name
                continue
            affordable = int(limit / self._peak[name])
            if affordable < room:
                room = affordable
                self.short_of = name
        self._n = room
        return room
