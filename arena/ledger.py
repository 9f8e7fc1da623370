"""The run's own account: what was spent, what is in flight at its worst, and whether one more call fits.

A call is let through only if it fits even when everything in flight comes to the most it can. So a cap is never passed but
by what nobody could know in advance: calls of models without a price, answers whose tokens nobody counted, and tries that
may have been charged although they failed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from stratarena.agents.budget import FREE, UNLIMITED, Budget, Overrun, Spend
from stratarena.agents.models.base import Attempt, ModelRequest
from stratarena.arena.prices import Price, most_completion_tokens, most_prompt_tokens

__all__ = ["Account", "Hold", "Ledger", "unsure_usd"]


@dataclass(frozen=True, slots=True)
class Account:
    """What has been spent: what is known, and what may have been charged besides."""

    known: Spend = FREE
    unsure_usd: float = 0.0
    """At most so much more, by tries that failed and may have been charged all the same."""
    n_unknown: int = 0
    """Calls whose cost nobody knows; they count as nothing in `known`."""

    def with_call(self, spend: Spend, unsure: float | None) -> Account:
        """The account after one more call; `unsure` is None where not even a bound is known."""
        unknown = spend.cost_usd is None or unsure is None
        known = self.known + replace(spend, cost_usd=spend.cost_usd or 0.0)
        return Account(known, self.unsure_usd + (unsure or 0.0), self.n_unknown + unknown)

    @property
    def at_most(self) -> Spend:
        """The spend with everything in it that may have been charged."""
        return replace(self.known, cost_usd=(self.known.cost_usd or 0.0) + self.unsure_usd)


@dataclass(frozen=True, slots=True)
class Hold:
    """What a call in flight can come to at most."""

    most: Spend


class Ledger:
    """Counts the calls of a run under one cap."""

    def __init__(self, cap: Budget = UNLIMITED, *, spent: Account | None = None) -> None:
        self.cap = cap
        self.account = spent or Account()
        self._held = FREE
        self._n_held = 0

    @property
    def idle(self) -> bool:
        """Nothing is in flight: what does not fit now never will."""
        return self._n_held == 0

    def admit(self, requests: tuple[ModelRequest, ...], price: Price | None) -> tuple[Hold, ...] | None:
        """A hold for each request if all of them fit together, else None."""
        holds = tuple(Hold(_most(request, price)) for request in requests)
        if self.cap != UNLIMITED:
            together = sum((hold.most for hold in holds), self._held + self.account.at_most)
            if self.cap.exceeded_by(together):
                return None
        self._n_held += len(holds)
        self._held = sum((hold.most for hold in holds), self._held)
        return holds

    def settle(self, hold: Hold, spend: Spend, unsure: float | None) -> None:
        """The call is over: what it came to takes the place of what it could have come to."""
        self.account = self.account.with_call(spend, unsure)
        self._n_held -= 1
        self._held = FREE if self._n_held == 0 else _less(self._held, hold.most)

    def reached(self, requests: tuple[ModelRequest, ...], price: Price | None) -> tuple[Overrun, ...]:
        """The bounds that these requests would pass with nothing else in flight."""
        together = sum((_most(request, price) for request in requests), self.account.at_most)
        return self.cap.exceeded_by(together)


def unsure_usd(attempts: tuple[Attempt, ...]) -> float | None:
    """What failed tries may have cost; None where one has no bound."""
    bounds = [attempt.at_most_usd for attempt in attempts]
    return None if None in bounds else sum(bound for bound in bounds if bound is not None)


def _most(request: ModelRequest, price: Price | None) -> Spend:
    return Spend(
        model_calls=1,
        prompt_tokens=most_prompt_tokens(request),
        completion_tokens=most_completion_tokens(request),
        cost_usd=0.0 if price is None else price.at_most(request),
    )


def _less(total: Spend, part: Spend) -> Spend:
    fields: dict[str, Any] = {
        name: getattr(total, name) - getattr(part, name)
        for name in ("model_calls", "prompt_tokens", "completion_tokens")
    }
    return Spend(**fields, cost_usd=max((total.cost_usd or 0.0) - (part.cost_usd or 0.0), 0.0))
