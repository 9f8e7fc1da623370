"""Shares of what searches hold, by agent and game, with intervals over matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stratarena.analysis.estimate import Estimate, no_data
from stratarena.analysis.ratio import RatioSum
from stratarena.db.records import SearchRecord

__all__ = ["Count", "ratio_by_match", "scopes"]

Count = tuple[float, float]
"""What is counted, and among how many."""


def scopes(searches: Iterable[SearchRecord], agents: Sequence[str]) -> list[tuple[str, str, list[SearchRecord]]]:
    """Agent, game and searches: for each agent all games together, under the game `""`, if it has several, then each game."""
    pool = list(searches)
    found = []
    for agent in agents:
        own = [record for record in pool if record.agent == agent]
        games = list(dict.fromkeys(record.game for record in own))
        if len(games) > 1:
            found.append((agent, "", own))
        found += [(agent, game, [record for record in own if record.game == game]) for game in games]
    return found


def ratio_by_match(
    records: Sequence[Any], count: Callable[[Any], Count], bounds: tuple[float, float] | None = None
) -> Estimate:
    """The ratio of two counts, each match one draw."""
    clusters: dict[int, Count] = {}
    for record in records:
        match_id = record[0].match_id if isinstance(record, tuple) else record.match_id
        above, below = count(record)
        before = clusters.get(match_id, (0.0, 0.0))
        clusters[match_id] = (before[0] + above, before[1] + below)
    if not clusters:
        return no_data("no search")
    gathered = RatioSum()
    for above, below in clusters.values():
        gathered.add(above, below)
    return gathered.estimate(bounds=bounds)
