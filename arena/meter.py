"""The turnstiles: whatever an agent spends passes here, is counted, and may be refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from stratarena.agents.budget import UNLIMITED, Budget, BudgetExhausted, Overrun, Spend
from stratarena.arena.specs import Budgets, Enforcement
from stratarena.games.base import Game, Move

__all__ = ["MeteredGame", "Scopes", "Tally"]

S = TypeVar("S")


class Tally:
    """A running sum of spends."""

    __slots__ = ("completion_tokens", "cost_usd", "model_calls", "nodes", "open", "prompt_tokens", "think_ms")

    def __init__(self, start: Spend | None = None) -> None:
        self.model_calls = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.nodes = 0
        self.think_ms = 0.0
        self.cost_usd: float | None = 0.0
        self.open: dict[object, Spend] = {}
        """What turns that are not over have spent and have in flight, by whoever holds it."""
        if start is not None:
            self.add(start)

    def add(self, spend: Spend) -> None:
        """Count `spend` in; an unknown cost makes the sum's cost unknown."""
        self.model_calls += spend.model_calls
        self.prompt_tokens += spend.prompt_tokens
        self.completion_tokens += spend.completion_tokens
        self.nodes += spend.nodes
        self.think_ms += spend.think_ms
        if self.cost_usd is not None:
            self.cost_usd = None if spend.cost_usd is None else self.cost_usd + spend.cost_usd

    def total(self) -> Spend:
        """The sum so far."""
        return Spend(
            model_calls=self.model_calls,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            nodes=self.nodes,
            think_ms=self.think_ms,
            cost_usd=self.cost_usd,
        )


class MeteredGame(Generic[S]):
    """A game whose every `play` counts one node and, under a bound, is refused once the bound is reached.

    One serves both seats of a match; `open` starts a new count. All other methods are the game's own.
    """

    def __init__(self, game: Game[S]) -> None:
        self._play = game.play
        self._bound: int | None = None
        self.nodes = 0
        """Plays since `open`."""
        self.id = game.id
        self.traits = game.traits
        self.rules = game.rules
        self.initial = game.initial
        self.to_move = game.to_move
        self.legal_moves = game.legal_moves
        self.outcome = game.outcome
        self.visible = game.visible
        self.parse = game.parse
        self.render = game.render
        self.encode = game.encode
        self.decode = game.decode
        self.digest = game.digest

    def open(self, bound: int | None) -> None:
        """Count from zero; with a bound, `play` raises `BudgetExhausted` when it is reached."""
        self.nodes = 0
        self._bound = bound

    def play(self, state: S, move: Move) -> S:
        """As the game's `play`, counted. Raises `BudgetExhausted` under a bound."""
        if self._bound is not None and self.nodes >= self._bound:
            raise BudgetExhausted(Overrun("nodes", self._bound, self.nodes))
        self.nodes += 1
        return self._play(state, move)


class Scopes:
    """What one seat may still spend, over the scopes move, match and agent."""

    __slots__ = ("_agent", "_limited", "_match", "_shared", "budgets")

    def __init__(self, budgets: Budgets, *, match: Tally, agent: Tally) -> None:
        self.budgets = budgets
        self._match = match
        self._agent = agent
        self._limited = any(
            budget != UNLIMITED for budget in (budgets.move, budgets.match, budgets.agent, budgets.call)
        )
        self._shared = budgets.agent != UNLIMITED and budgets.enforcement is Enforcement.STRICT

    def add(self, spend: Spend) -> None:
        """Count a closed turn in."""
        self._agent.add(spend)
        if self._limited:
            self._match.add(spend)

    def hold(self, spend: Spend | None) -> None:
        """Reserve what the turn in hand has spent and what it has in flight at most, so that the agent's other matches
        leave it alone; None when the turn is over."""
        if not self._shared:
            return
        if spend is None:
            self._agent.open.pop(self, None)
        else:
            self._agent.open[self] = spend

    def overrun_by_call(self, spend: Spend) -> tuple[Overrun, ...]:
        """Every bound on a single call that this one passed."""
        return self.budgets.call.exceeded_by(spend)

    def remaining(self, turn: Spend) -> Budget:
        """The tightest of what the scopes leave after this turn's spend so far."""
        if not self._limited:
            return UNLIMITED
        budgets = self.budgets
        left = budgets.move.left(turn)
        left = left.tightest(budgets.match.left(self._match.total() + turn))
        others = [spend for holder, spend in self._agent.open.items() if holder is not self]
        return left.tightest(budgets.agent.left(sum(others, self._agent.total() + turn)))

    def overruns(self, turn: Spend) -> tuple[tuple[str, Overrun], ...]:
        """Every bound passed once this turn is counted, with its scope."""
        if not self._limited:
            return ()
        spends: Mapping[str, tuple[Budget, Spend]] = {
            "move": (self.budgets.move, turn),
            "match": (self.budgets.match, self._match.total() + turn),
            "agent": (self.budgets.agent, self._agent.total() + turn),
        }
        return tuple(
            (scope, overrun) for scope, (budget, spend) in spends.items() for overrun in budget.exceeded_by(spend)
        )

    @property
    def strict(self) -> bool:
        """Whether turnstiles refuse."""
        return self._limited and self.budgets.enforcement is Enforcement.STRICT

    @property
    def forfeits(self) -> bool:
        """Whether an overspent turn loses."""
        return self.budgets.enforcement is Enforcement.FORFEIT
