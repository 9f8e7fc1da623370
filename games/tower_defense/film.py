"""Where everything was in a battle: the tracks of units and shots, for those who want to look at it move."""

from __future__ import annotations

from dataclasses import dataclass, field

from stratarena.games.base import Seat

__all__ = ["Film", "ShotTrack"]

_STRAIGHT = 0.004
"""Cells by which a place may lie off the straight line between two corners."""

Point = tuple[int, float]
"""Game milliseconds, and the left edge in cells from the left edge of the ground."""


@dataclass(slots=True)
class ShotTrack:
    """One shot: its row, the kind of its shooter, and where it was first and last seen; it flies straight."""

    row: int
    kind: str
    first: Point
    last: Point


@dataclass(slots=True)
class Film:
    """Fills up as an engine runs. A track holds its corners only: between two of them a unit moves evenly."""

    units: dict[tuple[Seat, int], list[Point]] = field(default_factory=dict)
    """By side and by the number that the events of the trace use."""
    shots: dict[int, ShotTrack] = field(default_factory=dict)

    def see_unit(self, seat: Seat, unit: int, at: int, place: float) -> None:
        """A unit is here now."""
        track = self.units.setdefault((seat, unit), [])
        if len(track) > 1 and _straight(track[-2], track[-1], (at, place)):
            track[-1] = (at, place)
        else:
            track.append((at, place))

    def see_shot(self, number: int, row: int, kind: str, at: int, place: float) -> None:
        """A shot is here now."""
        shot = self.shots.get(number)
        if shot is None:
            self.shots[number] = ShotTrack(row, kind, (at, place), (at, place))
        else:
            shot.last = (at, place)


def _straight(one: Point, two: Point, three: Point) -> bool:
    """Whether the middle point lies on the way from the first to the third."""
    share = (two[0] - one[0]) / (three[0] - one[0]) if three[0] != one[0] else 1.0
    return abs(one[1] + share * (three[1] - one[1]) - two[1]) <= _STRAIGHT
