"""The five metrics as the public evaluator of AdvGameBench computes them from a log, its defects included.

Kept so that our numbers can be held against published ones; `analysis.process` has the metrics that mean what their
names say. Source: the evaluator's own formulas (arXiv 2506.12012 gives none), in the order of its program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stratarena.games.base import ArenaError

__all__ = ["LogError", "LogRow", "PublishedMetrics", "metrics_of_log", "published_metrics", "scored_rows"]

PURSES: Mapping[str, Mapping[str, int]] = {
    "tower_defense": {"human": 2000, "demon": 1500},
    "battle_card": {"defender": 20, "invader": 20},
    "turn_based": {"defender": 20, "invader": 20},
    "battle_card_or_turn_based": {"defender": 20, "invader": 20},
}
"""What each role of a game may spend on a plan, in the published programs."""

Order = Literal["first", "second"]


class LogError(ArenaError):
    """A log of rounds has another shape."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One simulation, from the tested side's point of view."""

    label: int
    """The round as the log names it: the battle card game and the combat name two rows 10."""
    cost: int
    """Of the tested side's plan."""
    won: bool
    """A round without a winner is not won."""


@dataclass(frozen=True, slots=True)
class PublishedMetrics:
    """The evaluator's five numbers. What it cannot compute is 0.0 there, which is one of its defects."""

    win_rate: float
    """Rows won / rows."""
    correction_rate: float
    """The paper's over-correction risk rate: changes of the total cost from row to row / (rows - 1)."""
    correction_success_rate: float
    """Rows won right after a change of cost / changes of cost, whatever the row before was."""
    improvement_slope: float
    """Least-squares slope of won (1 or 0) on 0, 1, 2, …, across matches."""
    over_budget_ratio: float
    """Rows whose plan cost more than the purse / rows."""


def scored_rows(rows: Sequence[LogRow], order: Order) -> tuple[LogRow, ...]:
    """The rows that count: not label 1; even labels for a side that updates first, odd ones for one that updates second."""
    parity = 0 if order == "first" else 1
    return tuple(row for row in rows if row.label != 1 and row.label % 2 == parity)


def published_metrics(rows: Sequence[LogRow], *, order: Order, purse: int) -> PublishedMetrics:
    """The five metrics of one tested side in one order, all opponents' matches one after another."""
    kept = scored_rows(rows, order)
    n = len(kept)
    if n == 0:
        return PublishedMetrics(0.0, 0.0, 0.0, 0.0, 0.0)
    changed = [after for before, after in pairwise(kept) if after.cost != before.cost]
    return PublishedMetrics(
        win_rate=sum(row.won for row in kept) / n,
        correction_rate=len(changed) / (n - 1) if n > 1 else 0.0,
        correction_success_rate=sum(row.won for row in changed) / len(changed) if changed else 0.0,
        improvement_slope=_slope([float(row.won) for row in kept]),
        over_budget_ratio=sum(row.cost > purse for row in kept) / n,
    )


def _slope(values: Sequence[float]) -> float:
    n = len(values)
    if n < 2:
        return 0.0
    middle, average = (n - 1) / 2, math.fsum(values) / n
    above = math.fsum((place - middle) * (value - average) for place, value in enumerate(values))
    return above / math.fsum((place - middle) ** 2 for place in range(n))


class _Row(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)
    round: Annotated[int, Field(ge=0)]
    winner: str | None


class _Log(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    game: Literal["tower_defense", "battle_card", "turn_based", "battle_card_or_turn_based"]
    tested_model: str
    role: Literal["human", "demon", "defender", "invader"]
    tag: Order
    rows: list[_Row]


def metrics_of_log(value: object, *, where: str) -> dict[str, float]:
    """The five metrics of a log as JSON values, rounded to ten decimals, by the evaluator's names.

    `value` has `game`, `tested_model`, `role`, `tag` and `rows`; a row has `round`, `winner`, and for each role its
    cost and its model (`human_cost`, `human_LLM`).

    Raises:
        LogError: the value has another shape; names the place, which begins with `where`.
    """
    try:
        log = _Log.model_validate(value)
    except ValidationError as error:
        problem = error.errors()[0]
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
        raise LogError(f"{where}{place}: {problem['msg']}") from None
    purses = PURSES[log.game]
    if log.role not in purses:
        raise LogError(f"{where}.role: {log.role!r} has no part in {log.game}; expected {' or '.join(purses)}")
    rows = tuple(_row(row, log, f"{where}.rows[{index}]") for index, row in enumerate(log.rows))
    found = published_metrics(rows, order=log.tag, purse=purses[log.role])
    return {name: round(number, 10) for name, number in asdict(found).items()}


def _row(row: _Row, log: _Log, where: str) -> LogRow:
    more: Mapping[str, Any] = row.model_extra or {}
    cost = more.get(f"{log.role}_cost")
    if isinstance(cost, bool) or not isinstance(cost, int):
        raise LogError(f"{where}.{log.role}_cost: {cost!r}; expected a whole number")
    if more.get(f"{log.role}_LLM") != log.tested_model:
        raise LogError(
            f"{where}.{log.role}_LLM: {more.get(f'{log.role}_LLM')!r}; expected the tested model {log.tested_model!r}"
        )
    labels = {label for role in PURSES[log.game] for label in (role.capitalize(), f"{role.capitalize()}s")}
    if row.winner is not None and row.winner not in labels:
        raise LogError(f"{where}.winner: {row.winner!r}; expected one of {', '.join(sorted(labels))}, or null")
    own = {log.role.capitalize(), f"{log.role.capitalize()}s"}
    return LogRow(row.round, cost, row.winner in own)
