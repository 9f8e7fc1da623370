"""How often 95 % intervals hold the truth: ratings of simulated leagues, and ratios over simulated matches.

`python bench/interval_coverage.py [--leagues 400]`: each row names what was simulated and the share of intervals that held.
"""

from __future__ import annotations

import argparse
import math
from itertools import combinations
from random import Random

from stratarena.analysis.estimate import Estimate
from stratarena.analysis.ratings import ELO_PER_NAT, rate
from stratarena.arena.specs import Ending, Verdict
from stratarena.db.records import MatchRecord
from stratarena.games.base import Seat

STRENGTHS = {"dice": 0.0, "a": 120.0, "b": 180.0, "c": 400.0, "d": 560.0}
"""True ratings in Elo points."""


def league(rng: Random, *, rounds: int, seat: float, drawn: float, same: float) -> list[MatchRecord]:
    """A round robin by the model itself, but for pairs: with chance `same` the second match repeats the first's luck."""
    found: list[MatchRecord] = []
    for number in range(rounds):
        for one, other in combinations(STRENGTHS, 2):
            luck = rng.random()
            for first, second in ((one, other), (other, one)):
                gap = (STRENGTHS[first] - STRENGTHS[second] + seat) / ELO_PER_NAT
                win, loss, draw = math.exp(gap / 2), math.exp(-gap / 2), drawn
                whole = win + loss + draw
                # Where the opening decides, it favours the same agent again: its luck is mirrored with the seats.
                alike = first != one and rng.random() < same
                place = 1 - luck if alike else luck if first == one else rng.random()
                place *= whole
                winner = Seat.FIRST if place < win else None if place < win + draw else Seat.SECOND
                found.append(
                    MatchRecord(
                        match_id=len(found), key=f"{len(found)}", game="g", first=first, second=second, round=number + 1,
                        pair=f"{one}{other}{number}", opening="start", start="", opening_moves=(), seed=0, attempt=1,
                        opened_ms=0, closed_ms=1, verdict=Verdict(ending=Ending.RULES, winner=winner, reason="x"), plies=1,
                    )
                )  # fmt: skip
    return found


def holds(estimate: Estimate, truth: float) -> bool:
    """Whether the interval holds the truth."""
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low <= truth <= estimate.high


def rating_coverage(
    leagues: int, *, rounds: int, seat: float, drawn: float, same: float, seed: int = 1
) -> tuple[int, int]:
    """Intervals of ratings above the anchor that held the truth, and how many there were."""
    rng = Random(seed)
    held = n = 0
    for _ in range(leagues):
        ratings = rate(league(rng, rounds=rounds, seat=seat, drawn=drawn, same=same), anchor="dice")
        for name, truth in STRENGTHS.items():
            if name != "dice":
                held += holds(ratings.elo[name], truth)
                n += 1
    return held, n


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leagues", type=int, default=400)
    leagues = parser.parse_args().leagues
    print(f"{'ratings of five agents, by':58}{'intervals':>10}{'held':>9}")
    for words, facts in (
        ("3 pairs a pairing, no draws", {"rounds": 3, "seat": 0.0, "drawn": 0.0, "same": 0.0}),
        ("10 pairs a pairing, seat worth 60 Elo, draws", {"rounds": 10, "seat": 60.0, "drawn": 0.7, "same": 0.0}),
        ("30 pairs a pairing, seat worth 60 Elo, draws", {"rounds": 30, "seat": 60.0, "drawn": 0.7, "same": 0.0}),
        (
            "10 pairs a pairing whose matches go alike half the time",
            {"rounds": 10, "seat": 0.0, "drawn": 0.7, "same": 0.5},
        ),
    ):
        held, n = rating_coverage(leagues, **facts)  # type: ignore[arg-type]
        print(f"{words:58}{n:>10}{100 * held / n:>8.1f}%", flush=True)


if __name__ == "__main__":
    main()
