"""How often 95 % intervals hold the truth, and how often sequential tests are wrong, by simulation.

`python bench/interval_coverage.py [--leagues 400] [--samples 4000] [--tests 2000]`: ratings of simulated leagues; shares and means over
the turns of simulated matches, as the process metrics are; sequential tests of two agents. Each row names what was simulated.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from itertools import combinations
from random import Random

from stratarena.analysis.estimate import Estimate
from stratarena.analysis.ratings import ELO_PER_NAT, rate
from stratarena.analysis.ratio import RatioSum
from stratarena.arena.specs import Ending, Sprt, Verdict
from stratarena.arena.sprt import expected_score, sequential_test
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


def share_coverage(samples: int, *, share: float, matches: int, turns: int, alike: float) -> tuple[int, int, float]:
    """Intervals of a share of turns that held it, how many there were, and their mean width.

    A match's own chance is drawn from a beta distribution about the share; `alike` is how far the turns of a match go
    together: their correlation.
    """
    rng = Random(1)
    held, width = 0, 0.0
    for _ in range(samples):
        ratio = RatioSum()
        for _ in range(matches):
            chance = rng.betavariate(share * (1 / alike - 1), (1 - share) * (1 / alike - 1))
            n = rng.randrange(turns // 2, turns * 3 // 2 + 1)
            ratio.add(sum(rng.random() < chance for _ in range(n)), n)
        found = ratio.estimate(bounds=(0.0, 1.0))
        held += holds(found, share)
        assert found.low is not None
        assert found.high is not None
        width += (found.high - found.low) / samples
    return held, samples, width


def mean_coverage(samples: int, *, matches: int, turns: int, spread: float) -> tuple[int, int, float]:
    """The same of the mean of a skewed amount a turn, whose scale differs by match (lognormal, mean 1)."""
    rng = Random(1)
    held, width = 0, 0.0
    for _ in range(samples):
        ratio = RatioSum()
        for _ in range(matches):
            scale = rng.lognormvariate(-spread * spread / 2, spread)
            n = rng.randrange(turns // 2, turns * 3 // 2 + 1)
            ratio.add(sum(rng.expovariate(1 / scale) for _ in range(n)), n)
        found = ratio.estimate()
        held += holds(found, 1.0)
        assert found.low is not None
        assert found.high is not None
        width += (found.high - found.low) / samples
    return held, samples, width


def sequential(tests: int, *, elo: float, drawn: float, sprt: Sprt) -> tuple[float, float, float]:
    """Shares of tests that decide for elo1 and for elo0, and the mean number of pairs; the truth is `elo`."""
    rng = Random(1)
    score = expected_score(elo)
    win = score - drawn / 2

    def points() -> float:
        place = rng.random()
        return 1.0 if place < win else 0.5 if place < win + drawn else 0.0

    ones = zeros = pairs = 0
    for _ in range(tests):
        state = sequential_test((points() + points() for _ in range(20_000)), sprt)
        ones += state.decision == "elo1"
        zeros += state.decision == "elo0"
        pairs += state.pairs
    return ones / tests, zeros / tests, pairs / tests


SHARES = (
    (0.5, 6, 10, 0.2), (0.1, 12, 20, 0.2), (0.5, 24, 20, 0.2), (0.1, 60, 20, 0.2), (0.02, 24, 20, 0.3), (0.02, 60, 20, 0.3),
    (0.98, 60, 20, 0.3), (0.02, 60, 20, 0.05), (0.02, 300, 20, 0.3), (0.5, 300, 20, 0.2),
)  # fmt: skip
MEANS = ((12, 20, 0.3), (36, 20, 0.3), (60, 20, 0.3), (60, 20, 0.8), (300, 20, 0.8))


def tell_ratings(leagues: int) -> None:
    """Print a table."""
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
        held, n = rating_coverage(leagues, **facts)
        print(f"{words:58}{n:>10}{100 * held / n:>8.1f}%", flush=True)


def tell_ratios(samples: int) -> None:
    """Print two tables."""
    rows: list[tuple[str, Callable[[], tuple[int, int, float]]]] = [
        (
            f"share {share:g}, {matches} matches of {turns} turns, correlated {alike:g}",
            lambda share=share, matches=matches, turns=turns, alike=alike: share_coverage(
                samples, share=share, matches=matches, turns=turns, alike=alike
            ),
        )
        for share, matches, turns, alike in SHARES
    ] + [
        (
            f"mean, {matches} matches of {turns} turns, scale varies by {spread:g}",
            lambda matches=matches, turns=turns, spread=spread: mean_coverage(
                samples, matches=matches, turns=turns, spread=spread
            ),
        )
        for matches, turns, spread in MEANS
    ]
    print(f"\n{'what turns are counted for':58}{'intervals':>10}{'held':>9}{'width':>8}")
    for words, simulate in rows:
        held, n, width = simulate()
        print(f"{words:58}{n:>10}{100 * held / n:>8.1f}%{width:>8.3f}", flush=True)


def tell_tests(tests: int) -> None:
    """Print a table."""
    print(f"\n{'sequential tests, alpha = beta = 0.05':48}{'tests':>8}{'for elo1':>10}{'for elo0':>10}{'pairs':>8}")
    for low, high, drawn in ((0.0, 50.0, 0.2), (0.0, 50.0, 0.6), (-20.0, 20.0, 0.2), (0.0, 200.0, 0.1)):
        for elo in (low, (low + high) / 2, high):
            ones, zeros, pairs = sequential(tests, elo=elo, drawn=drawn, sprt=Sprt(elo0=low, elo1=high))
            words = f"elo0 {low:g}, elo1 {high:g}, {100 * drawn:g} % drawn; truly {elo:g}"
            print(f"{words:48}{tests:>8}{100 * ones:>9.1f}%{100 * zeros:>9.1f}%{pairs:>8.0f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leagues", type=int, default=400)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--tests", type=int, default=2000)
    options = parser.parse_args()
    if options.leagues:
        tell_ratings(options.leagues)
    if options.samples:
        tell_ratios(options.samples)
    if options.tests:
        tell_tests(options.tests)


if __name__ == "__main__":
    main()
