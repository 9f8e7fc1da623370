"""Swiss pairing: everybody meets somebody with as many points, if it can be, whom it has not met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from stratarena.arena.specs import Ending
from stratarena.arena.store import Entered
from stratarena.games.base import Seat

__all__ = ["points_of", "swiss_pairs"]

_BYE = 2.0
"""Points for a round in which there was nobody to meet: as many as a pair of matches can bring."""
_PATIENCE = 20_000
"""Attempts before one more rematch is allowed."""


def points_of(agents: Sequence[str], entered: Sequence[Entered]) -> dict[str, float]:
    """Points by agent of the matches that are over; a round an agent sat out counts as won."""
    points = dict.fromkeys(agents, 0.0)
    rounds: dict[str, set[int]] = {name: set() for name in agents}
    for match in entered:
        for name in (match.first, match.second):
            rounds[name].add(match.round)
        verdict = match.verdict
        if verdict is not None and verdict.ending is not Ending.VOID:
            first = 0.5 if verdict.winner is None else float(verdict.winner is Seat.FIRST)
            points[match.first] += first
            points[match.second] += 1 - first
    last = max((match.round for match in entered), default=0)
    return {name: points[name] + _BYE * (last - len(rounds[name])) for name in agents}


def swiss_pairs(agents: Sequence[str], entered: Sequence[Entered]) -> tuple[tuple[str, str], ...]:
    """Who meets whom in the next round of one game, given its rounds so far; `agents` in the order of their seeding.

    Those with the same points are paired upper half against lower half, by seeding; rematches only where nothing else is
    left, and then as few per pairing as possible. Of an odd number the lowest who sat out least sits out. In each pair the
    one that is seeded higher is named first. Deterministic.
    """
    points = points_of(agents, entered)
    met = Counter(frozenset((match.first, match.second)) for match in entered if match.key.endswith("a"))
    seeding = {name: place for place, name in enumerate(agents)}
    order = sorted(agents, key=lambda name: (-points[name], seeding[name]))
    if len(order) % 2:
        last = max((match.round for match in entered), default=0)
        played = Counter(dict.fromkeys(agents, 0))
        for name, _ in {(name, match.round) for match in entered for name in (match.first, match.second)}:
            played[name] += 1
        fewest = min(last - played[name] for name in order)
        order.remove(next(name for name in reversed(order) if last - played[name] == fewest))
    for rematches in range(max(met.values(), default=0) + 1):
        found = _Search(order, points, met, rematches).pairs()
        if found is not None:
            break
    assert found is not None, "with enough rematches everybody can be paired"
    return tuple((one, two) if seeding[one] < seeding[two] else (two, one) for one, two in found)


class _Search:
    """Depth first, the highest unpaired agent and its best opponent first; gives up after too many attempts."""

    def __init__(
        self, order: Sequence[str], points: Mapping[str, float], met: Mapping[frozenset[str], int], rematches: int
    ) -> None:
        self._order = order
        self._points = points
        self._met = met
        self._rematches = rematches
        self._left = _PATIENCE
        groups: dict[float, list[str]] = {}
        for name in order:
            groups.setdefault(points[name], []).append(name)
        self._groups = groups

    def pairs(self) -> list[tuple[str, str]] | None:
        return self._pairs(list(self._order))

    def _pairs(self, unpaired: list[str]) -> list[tuple[str, str]] | None:
        if not unpaired:
            return []
        one, rest = unpaired[0], unpaired[1:]
        for two in sorted(rest, key=lambda name: self._distance(one, name)):
            if self._met.get(frozenset((one, two)), 0) > self._rematches:
                continue
            self._left -= 1
            if self._left < 0:
                return None
            found = self._pairs([name for name in rest if name != two])
            if found is not None:
                return [(one, two), *found]
        return None

    def _distance(self, one: str, two: str) -> tuple[float, int]:
        """How far from the ideal opponent: in points, then in places from the one half a group below."""
        gap = abs(self._points[one] - self._points[two])
        group = self._groups[self._points[one]]
        if gap:
            return gap, self._order.index(two)
        return gap, abs(group.index(two) - group.index(one) - len(group) // 2)
