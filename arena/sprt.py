"""When to stop: a sequential probability ratio test over pairs of matches with one opening and the seats swapped.

A pair gives one agent 0, 0.5, 1, 1.5 or 2 points: five outcomes, whence *pentanomial*. The ratio compares the likeliest
distribution of these outcomes whose mean is the score expected at `elo1` with the likeliest at `elo0` (a generalized test,
since only the means are hypotheses; Van den Bergh, "The generalized maximum likelihood ratio for the expectation value of a distribution",
as Fishtest does for chess engines). Wald's bounds hold the error rates at `alpha` and `beta`, up to the overshoot of the last pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stratarena.arena.specs import Ending, Sprt, Verdict
from stratarena.games.base import Seat

__all__ = ["Paired", "SprtState", "Stopping", "expected_score", "log_likelihood_ratio", "sequential_test"]

_FLOOR = 1e-3
"""What an outcome that was never seen counts: none is impossible."""


@dataclass(frozen=True, slots=True)
class SprtState:
    """How far a test has come."""

    counts: tuple[int, int, int, int, int]
    """Pairs in which the agent got 0, 0.5, 1, 1.5 and 2 points, up to the decision."""
    llr: float
    """Logarithm of the likelihood ratio of `elo1` to `elo0`."""
    low: float
    """At or below it the test decides for `elo0`."""
    high: float
    decision: str | None
    """`"elo1"`, `"elo0"`, or None while it is open."""

    @property
    def pairs(self) -> int:
        """Pairs that were taken into account."""
        return sum(self.counts)


def expected_score(elo: float) -> float:
    """The points a match that go with a difference in Elo points."""
    return 1 / (1 + 10 ** (-elo / 400))


def log_likelihood_ratio(counts: Sequence[float], sprt: Sprt) -> float:
    """Of `elo1` to `elo0`, given how many pairs brought 0, 0.5, 1, 1.5 and 2 points."""
    total = sum(counts)
    if total == 0:
        return 0.0
    padded = [max(float(count), _FLOOR) for count in counts]
    whole = math.fsum(padded)
    shares = [count / whole for count in padded]
    likeliest = [_constrained(shares, expected_score(elo)) for elo in (sprt.elo0, sprt.elo1)]
    return total * math.fsum(share * math.log(one / zero) for share, zero, one in zip(shares, *likeliest, strict=True))


def _constrained(shares: Sequence[float], score: float) -> list[float]:
    """The distribution with this mean that makes the observed shares likeliest (0 to 1 point a match, in quarters)."""
    distances = [place / 4 - score for place in range(5)]
    # The multiplier's equation falls strictly between these bounds: a bisection cannot miss.
    low, high = -1 / max(distances), -1 / min(distances)
    for _ in range(200):
        middle = (low + high) / 2
        slope = math.fsum(
            share * distance / (1 + middle * distance) for share, distance in zip(shares, distances, strict=True)
        )
        low, high = (middle, high) if slope > 0 else (low, middle)
        if high - low < 1e-13:
            break
    multiplier = (low + high) / 2
    return [share / (1 + multiplier * distance) for share, distance in zip(shares, distances, strict=True)]


def sequential_test(points: Iterable[float], sprt: Sprt) -> SprtState:
    """The test after these pairs' points, 0 to 2 each, in the order in which they are to count.

    It stops at the first pair at which a bound is reached: what comes after changes nothing.
    """
    walk = _Walk(sprt)
    for pair in points:
        if walk.decision is not None:
            break
        walk.add(pair)
    return walk.state()


class _Walk:
    """A test that takes one pair after another."""

    def __init__(self, sprt: Sprt) -> None:
        self._sprt = sprt
        self._counts = [0] * 5
        self._low, self._high = math.log(sprt.beta / (1 - sprt.alpha)), math.log((1 - sprt.beta) / sprt.alpha)
        self._llr = 0.0
        self.decision: str | None = None

    def add(self, points: float) -> None:
        self._counts[round(2 * points)] += 1
        self._llr = log_likelihood_ratio(self._counts, self._sprt)
        self.decision = "elo1" if self._llr >= self._high else "elo0" if self._llr <= self._low else None

    def state(self) -> SprtState:
        zero, half, one, more, two = self._counts
        return SprtState((zero, half, one, more, two), self._llr, self._low, self._high, self.decision)


class Paired(Protocol):
    """A match of a pair, planned or recorded."""

    @property
    def key(self) -> str:
        """Its stable name."""

    @property
    def pair(self) -> str:
        """Shared by the two."""

    @property
    def first(self) -> str:
        """Who sits in seat FIRST."""

    @property
    def second(self) -> str:
        """Who sits in seat SECOND."""


class Stopping:
    """Which pairings of a schedule are decided. Each has its own test, over its pairs in the schedule's order.

    A pair counts once both its matches are over and all pairs before it count: so neither how many matches were played at
    once, nor which of them were quick, nor an interruption moves a decision.
    """

    def __init__(self, sprt: Sprt, schedule: Sequence[Paired]) -> None:
        self._queues: dict[tuple[str, str], list[tuple[Paired, Paired]]] = {}
        pairs: dict[str, list[Paired]] = {}
        for match in schedule:
            pairs.setdefault(match.pair, []).append(match)
        for found in pairs.values():
            one, two = found
            self._queues.setdefault((one.first, one.second), []).append((one, two))
        self._of_match = {
            match.key: pairing for pairing, queue in self._queues.items() for pair in queue for match in pair
        }
        self._walks = {pairing: _Walk(sprt) for pairing in self._queues}
        self._taken = dict.fromkeys(self._queues, 0)

    def is_decided(self, key: str, verdict_of: Callable[[str], Verdict | None]) -> bool:
        """Whether the pairing of this match needs no further match."""
        pairing = self._of_match[key]
        return self._advance(pairing, verdict_of).decision is not None

    def states(self, verdict_of: Callable[[str], Verdict | None]) -> Mapping[tuple[str, str], SprtState]:
        """Every pairing's test; the first of the two names is the one that gets the points."""
        return {pairing: self._advance(pairing, verdict_of).state() for pairing in self._queues}

    def _advance(self, pairing: tuple[str, str], verdict_of: Callable[[str], Verdict | None]) -> _Walk:
        walk, queue = self._walks[pairing], self._queues[pairing]
        while walk.decision is None and self._taken[pairing] < len(queue):
            points = 0.0
            for match in queue[self._taken[pairing]]:
                verdict = verdict_of(match.key)
                if verdict is None or verdict.ending is Ending.VOID:
                    return walk
                points += _points(verdict, Seat.FIRST if match.first == pairing[0] else Seat.SECOND)
            walk.add(points)
            self._taken[pairing] += 1
        return walk


def _points(verdict: Verdict, seat: Seat) -> float:
    return 0.5 if verdict.winner is None else float(verdict.winner is seat)
