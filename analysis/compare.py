"""Two agents compared in pairs: against each other, and against the same others from the same openings.

A *block* is what both agents met alike. Against each other it is a pair of matches (one opening, seats swapped); otherwise
the two pairs that the two agents played in one game and round against one and the same opponent, which share the opening. What
differs between blocks (openings, opponents, games) cancels within them. Agents are exchangeable within a block if they
are equal, so a permutation test that swaps their names block by block is exact whatever the scores look like.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random

from stratarena.analysis.estimate import CONFIDENCE, Estimate, no_data, t_quantile
from stratarena.analysis.league import lines
from stratarena.analysis.process import METRICS, Play, tally_of
from stratarena.db.records import MatchRecord, SideRecord

__all__ = ["Comparison", "MetricGap", "Paired", "compare", "exact_sign_flip", "holm", "paired"]

_QUARTER = 0.25
_SWAPS = 4000
_METHOD = "t-interval over blocks, 95 %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The difference of the points a match, first agent less second, over blocks."""

    difference: Estimate
    """n counts blocks."""
    p: float | None
    """Of the exact two-sided sign-flip test that the agents are equal; None without a block that differs."""
    effect: float | None
    """The mean difference in standard deviations of a block's (Cohen's d of paired differences); None where all agree."""
    won: int
    """Blocks in which the first agent got more."""
    drawn: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricGap:
    """One measure of both agents over the blocks, and the difference."""

    key: str
    first: float
    second: float
    n_first: int
    n_second: int
    difference: Estimate
    """n counts blocks; interval by resampling blocks."""
    p: float
    """Two-sided, by swapping the agents within blocks at random."""
    p_holm: float
    """Corrected for the number of measures (Holm 1979)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything about two agents of one tournament."""

    first: str
    second: str
    direct: Paired
    """Against each other."""
    pentanomial: tuple[int, int, int, int, int]
    """Pairs against each other in which the first agent got 0, 0.5, 1, 1.5 and 2 points."""
    elo: Estimate
    """The difference by the score against each other alone, in Elo points; no bound where it is infinite."""
    others: Paired
    """Against the same others."""
    opponents: tuple[str, ...]
    unpaired: int
    """Matches of the two that are in no block."""
    metrics: tuple[MetricGap, ...]


Block = tuple[tuple[int, ...], tuple[int, ...]]
"""The matches of the first agent and those of the second."""


def compare(
    one: str, other: str, *, matches: Sequence[MatchRecord], sides: Iterable[SideRecord], plays: Iterable[Play]
) -> Comparison:
    """Compare two agents over matches that count (see `league.counted`).

    Raises:
        ValueError: both are the same.
    """
    if one == other:
        raise ValueError("an agent cannot be compared with itself")
    scores = {(line.match.match_id, line.agent): line.score for line in lines(matches) if line.agent in (one, other)}
    direct, shared = _blocks(matches, one, other)
    taken = {match_id for block in (*direct, *shared) for half in block for match_id in half}
    involved = [
        match for match in matches if one in (match.first, match.second) or other in (match.first, match.second)
    ]
    points = [sum(scores[match_id, one] for match_id in mine) for mine, _ in direct]
    counts = Counter(round(2 * found) for found in points)
    against_each_other = paired([found - 1 for found in points])
    gaps = [(_mean(scores, mine, one) - _mean(scores, theirs, other)) for mine, theirs in shared]
    by_id = {match.match_id: match for match in matches}
    return Comparison(
        first=one,
        second=other,
        direct=against_each_other,
        pentanomial=(counts[0], counts[1], counts[2], counts[3], counts[4]),
        elo=_elo(against_each_other.difference),
        others=paired(gaps),
        opponents=tuple(
            sorted({name for mine, _ in shared for name in (by_id[mine[0]].first, by_id[mine[0]].second)} - {one})
        ),
        unpaired=sum(match.match_id not in taken for match in involved),
        metrics=_gaps(one, other, (*direct, *shared), _tallies((one, other), by_id, sides, plays)),
    )


def _blocks(matches: Sequence[MatchRecord], one: str, other: str) -> tuple[list[Block], list[Block]]:
    """Those against each other, and those against the same others; only whole pairs."""
    pairs: dict[str, list[MatchRecord]] = {}
    for match in matches:
        pairs.setdefault(match.pair, []).append(match)
    direct: list[Block] = []
    halves: dict[tuple[str, int, str, str], dict[str, tuple[int, ...]]] = {}
    for found in pairs.values():
        if len(found) != 2:
            continue
        names = {found[0].first, found[0].second}
        ids = tuple(match.match_id for match in found)
        if names == {one, other}:
            direct.append((ids, ids))
        elif (one in names) != (other in names):
            (mine,) = names & {one, other}
            (opponent,) = names - {mine}
            place = (found[0].game, found[0].round, found[0].opening, opponent)
            halves.setdefault(place, {}).setdefault(mine, ids)
    shared = [(found[one], found[other]) for found in halves.values() if len(found) == 2]
    return direct, shared


def _mean(scores: Mapping[tuple[int, str], float], ids: tuple[int, ...], name: str) -> float:
    return sum(scores[match_id, name] for match_id in ids) / len(ids)


def paired(differences: Sequence[float]) -> Paired:
    """Of differences that are multiples of a quarter of a point."""
    n = len(differences)
    signs = {
        "won": sum(gap > 0 for gap in differences),
        "drawn": sum(gap == 0 for gap in differences),
        "lost": sum(gap < 0 for gap in differences),
    }
    if n == 0:
        return Paired(difference=no_data(_METHOD), p=None, effect=None, **signs)
    middle = math.fsum(differences) / n
    if n == 1 or len(set(differences)) == 1:
        estimate = Estimate(middle, n, None, None, "no interval: blocks do not vary")
        return Paired(difference=estimate, p=exact_sign_flip(differences), effect=None, **signs)
    deviation = math.sqrt(math.fsum((gap - middle) ** 2 for gap in differences) / (n - 1))
    half = t_quantile((1 + CONFIDENCE) / 2, n - 1) * deviation / math.sqrt(n)
    return Paired(
        difference=Estimate(middle, n, max(middle - half, -1.0), min(middle + half, 1.0), _METHOD),
        p=exact_sign_flip(differences),
        effect=middle / deviation,
        **signs,
    )


def exact_sign_flip(differences: Sequence[float]) -> float | None:
    """Two-sided p that a sum of multiples of a quarter is as far from 0 as this one when every sign is a fair coin's.

    Exact: the distribution of the sum, one difference after another. None where all differences are 0.
    """
    sizes = [round(abs(gap) / _QUARTER) for gap in differences if gap]
    if not sizes:
        return None
    # Shares by sum, shifted by the greatest sum; adding a size k is averaging the shares shifted by k either way.
    shares = {0: 1.0}
    for size, group in groupby(sorted(sizes)):
        for _ in group:
            moved: dict[int, float] = {}
            for total, share in shares.items():
                if share > 1e-300:
                    moved[total + size] = moved.get(total + size, 0.0) + share / 2
                    moved[total - size] = moved.get(total - size, 0.0) + share / 2
            shares = moved
    reached = abs(sum(round(gap / _QUARTER) for gap in differences))
    return min(1.0, math.fsum(share for total, share in shares.items() if abs(total) >= reached))


def _elo(difference: Estimate) -> Estimate:
    """The same difference of points as Elo points."""
    value, low, high = (
        None if gap is None or not -1 < gap < 1 else 400 * math.log10((1 + gap) / (1 - gap)) + 0.0
        for gap in (difference.value, difference.low, difference.high)
    )
    return Estimate(value, difference.n, low, high, difference.method)


_CONDUCT = ("legal_at_once", "tokens_per_turn", "think_ms_per_turn", "nodes_per_turn", "cost_per_match")
Tally = dict[str, tuple[float, float]]
"""Both counts of each measure."""


def _tallies(
    names: tuple[str, str], matches: Mapping[int, MatchRecord], sides: Iterable[SideRecord], plays: Iterable[Play]
) -> dict[tuple[int, str], Tally]:
    """By match and agent."""
    found: dict[tuple[int, str], Tally] = {}
    for (match_id, seat), parts in groupby(sides, key=lambda side: (side.match_id, side.seat)):
        match = matches.get(match_id)
        if match is None or match.agent_at(seat) not in names:
            continue
        whole = tuple(parts)
        turns = sum(part.turns for part in whole)
        costs = [part.cost_usd for part in whole]
        known = [cost for cost in costs if cost is not None]
        found[match_id, match.agent_at(seat)] = {
            "legal_at_once": (sum(part.legal_at_once for part in whole), turns),
            "tokens_per_turn": (sum(part.tokens for part in whole), sum(part.asked for part in whole)),
            "think_ms_per_turn": (sum(part.think_ms for part in whole), turns),
            "nodes_per_turn": (sum(part.nodes for part in whole), sum(part.searched for part in whole)),
            "cost_per_match": (sum(known), float(len(known) == len(costs))),
        }
    for play in plays:
        if play.agent in names:
            tally = found.setdefault((play.match_id, play.agent), {})
            tally.update(zip((metric.key for metric in METRICS), tally_of(play), strict=True))
    return found


def _gaps(
    one: str, other: str, blocks: Sequence[Block], tallies: Mapping[tuple[int, str], Tally]
) -> tuple[MetricGap, ...]:
    """Every measure that both agents have."""
    found: list[tuple[str, MetricGap]] = []
    for key in (*_CONDUCT, *(metric.key for metric in METRICS if metric.key not in ("win_rate", "opening_win_rate"))):
        rows = []
        for mine, theirs in blocks:
            a, b = _added(tallies, mine, one, key)
            c, d = _added(tallies, theirs, other, key)
            if b or d:
                rows.append((a, b, c, d))
        whole = _gap(rows)
        if whole is None or len(rows) < 2:
            continue
        first, second = (
            (sum(row[0] for row in rows), sum(row[1] for row in rows)),
            (
                sum(row[2] for row in rows),
                sum(row[3] for row in rows),
            ),
        )
        low, high, p = _resampled(rows, whole)
        gap = MetricGap(
            key=key,
            first=first[0] / first[1],
            second=second[0] / second[1],
            n_first=round(first[1]),
            n_second=round(second[1]),
            difference=Estimate(whole, len(rows), low, high, f"bootstrap over blocks, {_SWAPS // 4} resamples, 95 %"),
            p=p,
            p_holm=p,
        )
        found.append((key, gap))
    corrected = holm([gap.p for _, gap in found])
    return tuple(
        MetricGap(
            key=gap.key,
            first=gap.first,
            second=gap.second,
            n_first=gap.n_first,
            n_second=gap.n_second,
            difference=gap.difference,
            p=gap.p,
            p_holm=p,
        )
        for (_, gap), p in zip(found, corrected, strict=True)
    )


Row = tuple[float, float, float, float]
"""Both counts of the first agent, and of the second, in one block."""


def _added(tallies: Mapping[tuple[int, str], Tally], ids: tuple[int, ...], name: str, key: str) -> tuple[float, float]:
    counts = [tallies.get((match_id, name), {}).get(key, (0.0, 0.0)) for match_id in ids]
    return sum(a for a, _ in counts), sum(b for _, b in counts)


def _gap(rows: Sequence[Row]) -> float | None:
    """The first agent's ratio less the second's; None where one has none."""
    a, b, c, d = (math.fsum(column) for column in zip(*rows, strict=True)) if rows else (0.0,) * 4
    return a / b - c / d if b and d else None


def _resampled(rows: Sequence[Row], whole: float) -> tuple[float | None, float | None, float]:
    """Both ends of the bootstrap's interval, and the permutation test's p."""
    if not any(row[:2] != row[2:] for row in rows):
        return None, None, 1.0
    rng = Random(0)
    pool = sorted(rows)
    drawn = sorted(gap for _ in range(_SWAPS // 4) if (gap := _gap(rng.choices(pool, k=len(pool)))) is not None)
    at_least = 1
    turned = [(c, d, a, b) for a, b, c, d in pool]
    for _ in range(_SWAPS):
        swaps = rng.getrandbits(len(pool))
        gap = _gap([turned[place] if swaps >> place & 1 else pool[place] for place in range(len(pool))])
        at_least += gap is not None and abs(gap) >= abs(whole) - 1e-12
    tail = (1 - CONFIDENCE) / 2
    low, high = drawn[int(tail * len(drawn))], drawn[min(int((1 - tail) * len(drawn)), len(drawn) - 1)]
    return low, high, at_least / (_SWAPS + 1)


def holm(ps: Sequence[float]) -> list[float]:
    """Each p corrected for their number, so that the chance of any wrong rejection stays at the level (Holm 1979)."""
    order = sorted(range(len(ps)), key=lambda place: ps[place])
    corrected = [0.0] * len(ps)
    worst = 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = worst
    return corrected
