"""How agents behaved: legality of what they said, and what their thinking cost. Pure functions over sides of matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from stratarena.analysis.estimate import Estimate
from stratarena.analysis.ratio import RatioSum
from stratarena.arena.specs import Ending
from stratarena.db.records import MatchRecord, SideRecord
from stratarena.games.base import Seat

__all__ = ["THIRDS", "Conduct", "Third", "conduct_by", "counts"]

THIRDS = ("opening", "middle", "end")
"""Names of the thirds of a match's plies."""
_SHARE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Third:
    """The turns of one third of the matches' plies; matches that are not over are in none."""

    legal_at_once: Estimate
    tokens_per_turn: Estimate
    think_ms_per_turn: Estimate


@dataclass(frozen=True, slots=True)
class Conduct:
    """One agent's turns in one game, or in all."""

    turns: int
    legal_at_once: Estimate
    """Turns whose first answer was a legal move, or a legal plan whatever it costs / turns, void matches left out."""
    refused: Mapping[str, int]
    """Refused answers by kind."""
    model_calls: int
    tokens_per_turn: Estimate
    """Prompt and completion tokens a turn, over turns that asked a model."""
    think_ms_per_turn: Estimate
    """Milliseconds of work a turn, waiting left out."""
    nodes_per_turn: Estimate
    """Positions visited a turn, over turns that visited any."""
    cost_usd: float | None
    """Of all turns together; None when the price of any is unknown."""
    cost_per_match: Estimate
    """US dollars a match; no data when the price of any turn is unknown."""
    overruns: int
    """Turns that passed a budget."""
    thirds: tuple[Third, Third, Third]


def counts(match: MatchRecord) -> bool:
    """Whether what was said in a match counts: it is not void. Of one in play the turns so far do."""
    return match.verdict is None or match.verdict.ending is not Ending.VOID


def conduct_by(
    sides: Iterable[SideRecord], refusals: Iterable[tuple[int, Seat, str]], matches: Mapping[int, MatchRecord]
) -> dict[tuple[str, str], Conduct]:
    """Conduct by agent and game; under game `""` over all games.

    `sides` come match by match and seat by seat; `refusals` are match, seat and kind; `matches` has every attempt.
    Spending counts whatever came of a match, since it was paid for; legality does not count in void ones.
    """
    grouped: dict[tuple[str, str], _Gathered] = {}

    def of(agent: str, game: str) -> _Gathered:
        found = grouped.get((agent, game))
        if found is None:
            found = grouped[agent, game] = _Gathered()
        return found

    for (match_id, seat), parts in groupby(sides, key=itemgetter(0, 1)):
        match = matches[match_id]
        of(match.agent_at(seat), match.game).add(tuple(parts), counts(match))
    for match_id, seat, kind in refusals:
        match = matches[match_id]
        if counts(match):
            of(match.agent_at(seat), match.game).refused[kind] += 1
    for (agent, _), found in tuple(grouped.items()):
        of(agent, "").join(found)
    return {key: found.conduct() for key, found in grouped.items()}


class _Gathered:
    """Sums over one agent's sides of matches."""

    def __init__(self) -> None:
        self.turns = self.calls = self.overruns = 0
        self.refused: Counter[str] = Counter()
        self.legal, self.tokens, self.think, self.nodes, self.priced = (RatioSum() for _ in range(5))
        self.thirds = tuple((RatioSum(), RatioSum(), RatioSum()) for _ in THIRDS)
        self.cost: float | None = 0.0

    def add(self, parts: tuple[SideRecord, ...], counted: bool) -> None:
        """One side of one match, in its thirds."""
        columns = zip(*parts, strict=True)
        _, _, _, turns, legal, asked, calls, tokens, searched, nodes, think_ms, _, costs, overrun = columns
        n = sum(turns)
        self.turns += n
        self.calls += sum(calls)
        self.overruns += sum(overrun)
        self.tokens.add(sum(tokens), sum(asked))
        self.nodes.add(sum(nodes), sum(searched))
        self.think.add(sum(think_ms), n)
        if None in costs:
            self.cost = None
        elif self.cost is not None:
            cost = sum(costs)
            self.cost += cost
            self.priced.add(cost, 1)
        if counted:
            self.legal.add(sum(legal), n)
        for part in parts:
            if part.third is not None:
                in_third = self.thirds[part.third]
                in_third[1].add(part.tokens, part.asked)
                in_third[2].add(part.think_ms, part.turns)
                if counted:
                    in_third[0].add(part.legal_at_once, part.turns)

    def join(self, other: _Gathered) -> None:
        """All that another one has gathered besides."""
        self.turns += other.turns
        self.calls += other.calls
        self.overruns += other.overruns
        self.refused += other.refused
        self.cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        for own, its in zip(self._ratios(), other._ratios(), strict=True):
            own.join(its)

    def _ratios(self) -> Iterator[RatioSum]:
        yield from (self.legal, self.tokens, self.think, self.nodes, self.priced)
        for third in self.thirds:
            yield from third

    def conduct(self) -> Conduct:
        """What the sums say."""
        opening, middle, end = (
            Third(legal.estimate(bounds=_SHARE), tokens.estimate(), think.estimate())
            for legal, tokens, think in self.thirds
        )
        return Conduct(
            turns=self.turns,
            legal_at_once=self.legal.estimate(bounds=_SHARE),
            refused=dict(sorted(self.refused.items())),
            model_calls=self.calls,
            tokens_per_turn=self.tokens.estimate(),
            think_ms_per_turn=self.think.estimate(),
            nodes_per_turn=self.nodes.estimate(),
            cost_usd=self.cost,
            cost_per_match=(self.priced if self.cost is not None else RatioSum()).estimate(),
            overruns=self.overruns,
            thirds=(opening, middle, end),
        )
