"""How agents behaved: legality of what they said, and what their thinking cost. Pure functions over sides of matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

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

    def of(agent: str, game: str) -> tuple[_Gathered, _Gathered]:
        return grouped.setdefault((agent, game), _Gathered()), grouped.setdefault((agent, ""), _Gathered())

    for (match_id, seat), parts in groupby(sides, key=lambda side: (side.match_id, side.seat)):
        match = matches[match_id]
        found = tuple(parts)
        for gathered in of(match.agent_at(seat), match.game):
            gathered.add(found, counts(match))
    for match_id, seat, kind in refusals:
        match = matches[match_id]
        if counts(match):
            for gathered in of(match.agent_at(seat), match.game):
                gathered.refused[kind] += 1
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
        turns = sum(part.turns for part in parts)
        self.turns += turns
        self.calls += sum(part.model_calls for part in parts)
        self.overruns += sum(part.overrun for part in parts)
        self.tokens.add(sum(part.tokens for part in parts), sum(part.asked for part in parts))
        self.nodes.add(sum(part.nodes for part in parts), sum(part.searched for part in parts))
        self.think.add(sum(part.think_ms for part in parts), turns)
        cost = 0.0
        for part in parts:
            if part.cost_usd is None:
                self.cost = None
            else:
                cost += part.cost_usd
        if self.cost is not None:
            self.cost += cost
            self.priced.add(cost, 1)
        if counted:
            self.legal.add(sum(part.legal_at_once for part in parts), turns)
        for part in parts:
            if part.third is not None:
                legal, tokens, think = self.thirds[part.third]
                tokens.add(part.tokens, part.asked)
                think.add(part.think_ms, part.turns)
                if counted:
                    legal.add(part.legal_at_once, part.turns)

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
