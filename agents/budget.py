"""Thinking resources: what may be spent and what was. In-game resources are a purse, and live with the games."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from stratarena.games.base import ArenaError

__all__ = ["FREE", "UNLIMITED", "Budget", "BudgetExhausted", "Overrun", "Spend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Thinking resources used. A field that nobody could measure is None, and makes a sum None: unknown is not zero."""

    model_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nodes: int = 0
    """Positions that a search visited: plies played inside the agent's own search, plus the nodes an engine reports."""
    think_ms: float = 0.0
    """Milliseconds the model, engine or search worked; waiting in a queue is left out."""
    cost_usd: float | None = 0.0
    """Money by the price table; None when a price is unknown."""

    def __add__(self, other: Spend) -> Spend:
        known = self.cost_usd is not None and other.cost_usd is not None
        return Spend(
            model_calls=self.model_calls + other.model_calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            nodes=self.nodes + other.nodes,
            think_ms=self.think_ms + other.think_ms,
            cost_usd=(self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
        )

    def __sub__(self, other: Spend) -> Spend:
        """What came on top of `other`, an earlier state of the same sum."""
        known = self.cost_usd is not None and other.cost_usd is not None
        return Spend(
            model_calls=self.model_calls - other.model_calls,
            prompt_tokens=self.prompt_tokens - other.prompt_tokens,
            completion_tokens=self.completion_tokens - other.completion_tokens,
            nodes=self.nodes - other.nodes,
            think_ms=self.think_ms - other.think_ms,
            cost_usd=(self.cost_usd or 0.0) - (other.cost_usd or 0.0) if known else None,
        )


FREE = Spend()


@dataclass(frozen=True, slots=True)
class Overrun:
    """One resource of which more was spent than allowed."""

    resource: str
    """The name of a field of `Spend`."""
    limit: float
    used: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Upper bounds on a `Spend`, field by field; None is unlimited. What equals its bound is within it."""

    model_calls: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    nodes: int | None = None
    think_ms: float | None = None
    cost_usd: float | None = None

    def left(self, spend: Spend) -> Budget:
        """What remains after `spend`, never below zero. An unknown cost leaves the money bound as it was."""
        left: dict[str, Any] = {
            name: None if limit is None else max(limit - (getattr(spend, name) or 0), 0)
            for name, limit in self.limits()
        }
        return Budget(**left)

    def tightest(self, other: Budget) -> Budget:
        """The smaller bound of the two, field by field."""

        def least(mine: float | None, theirs: float | None) -> float | None:
            return theirs if mine is None else mine if theirs is None else min(mine, theirs)

        smaller: dict[str, Any] = {name: least(limit, getattr(other, name)) for name, limit in self.limits()}
        return Budget(**smaller)

    def exceeded_by(self, spend: Spend) -> tuple[Overrun, ...]:
        """Every bound that `spend` passes, in field order; an unknown cost passes none."""
        return tuple(
            Overrun(name, limit, used)
            for name, limit in self.limits()
            if limit is not None and (used := getattr(spend, name)) is not None and used > limit
        )

    def limits(self) -> tuple[tuple[str, float | None], ...]:
        """Pairs of resource and bound, in field order."""
        return tuple((name, getattr(self, name)) for name in _RESOURCES)


_RESOURCES = tuple(field.name for field in fields(Budget))
UNLIMITED = Budget()


class BudgetExhausted(ArenaError):
    """A turnstile refused to let more be spent. Raised into an agent, which may catch it and return its best so far."""

    def __init__(self, overrun: Overrun) -> None:
        self.overrun = overrun
        super().__init__(f"the budget of {overrun.limit:g} {overrun.resource} is used up ({overrun.used:g} spent)")
