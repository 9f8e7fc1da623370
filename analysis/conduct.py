"""How agents behaved: legality of what they said, and what their thinking cost. Pure functions over turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stratarena.analysis.estimate import Estimate, mean, proportion
from stratarena.db.records import TurnRecord

__all__ = ["Conduct", "conduct_by"]


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
    overruns: int
    """Turns that passed a budget."""


def conduct_by(
    turns: Iterable[tuple[str, str, bool, TurnRecord]], refusals: Iterable[tuple[str, str, str]]
) -> dict[tuple[str, str], Conduct]:
    """Conduct by agent and game; under game `""` over all games.

    `turns` are agent, game, whether the match counts, and the turn; `refusals` are agent, game and kind.
    """
    grouped: dict[tuple[str, str], _Gathered] = {}
    for agent, game, counts, turn in turns:
        for key in ((agent, game), (agent, "")):
            grouped.setdefault(key, _Gathered()).add(turn, counts)
    for agent, game, kind in refusals:
        for key in ((agent, game), (agent, "")):
            grouped.setdefault(key, _Gathered()).refused[kind] += 1
    return {key: found.conduct() for key, found in grouped.items()}


class _Gathered:
    """Sums and lists of one agent's turns."""

    def __init__(self) -> None:
        self.turns = self.counted = self.legal = self.calls = self.overruns = 0
        self.refused: Counter[str] = Counter()
        self.tokens: list[float] = []
        self.think: list[float] = []
        self.nodes: list[float] = []
        self.cost: float | None = 0.0

    def add(self, turn: TurnRecord, counts: bool) -> None:
        self.turns += 1
        if counts:
            self.counted += 1
            self.legal += turn.n_refused == 0 and turn.move is not None and turn.verdict in (None, "ok", "over_budget")
        self.calls += turn.model_calls
        self.overruns += turn.n_overruns > 0
        if turn.model_calls:
            self.tokens.append(turn.prompt_tokens + turn.completion_tokens)
        if turn.nodes:
            self.nodes.append(turn.nodes)
        self.think.append(turn.think_ms)
        if self.cost is not None:
            self.cost = None if turn.cost_usd is None else self.cost + turn.cost_usd

    def conduct(self) -> Conduct:
        return Conduct(
            turns=self.turns,
            legal_at_once=proportion(self.legal, self.counted),
            refused=dict(sorted(self.refused.items())),
            model_calls=self.calls,
            tokens_per_turn=mean(self.tokens),
            think_ms_per_turn=mean(self.think),
            nodes_per_turn=mean(self.nodes),
            cost_usd=self.cost,
            overruns=self.overruns,
        )
