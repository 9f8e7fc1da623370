"""A model player that cannot break the rules: it chooses among the legal moves by their likelihood as an answer."""

from __future__ import annotations

from math import exp
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from stratarena.agents.base import AgentSpec, Decision, Deliberation, View, propose, score
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Plan
from stratarena.agents.planning import needs_plans
from stratarena.agents.prompts import move_messages

__all__ = ["Likelihood"]

S = TypeVar("S")


class LikelihoodParams(Params):
    """Parameters of `llm_likelihood`."""

    model: str = Field(description="a model of the tournament file; it must be able to score texts")
    norm: Literal["mean", "sum"] = Field("mean", description="log-likelihood per token, or of the whole move")
    list_legal_moves: bool = Field(False, description="whether the prompt lists them")
    history: Annotated[int, Field(ge=0)] = Field(10, description="plies of the past that the prompt shows")


class Likelihood:
    """Chooses the legal move that a language model finds likeliest as its answer: constrained, so never refused.

    Not to be compared with a free model's legality: reports name it as what it is.
    """

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(LikelihoodParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """Every game whose legal moves can be listed."""
        return f"{game} has no list of legal moves to score" if needs_plans(game) else None

    def deliberate(self, view: View[S]) -> Deliberation:
        """Scores every legal move in one request; of equals the first in the game's order is chosen."""
        params = self._params
        moves = tuple(view.game.legal_moves(view.state))
        messages = move_messages(view, list_legal_moves=params.list_legal_moves, history=params.history)
        scores = yield from score(params.model, messages, tuple(moves))
        values = [
            logprob / n if params.norm == "mean" else logprob
            for logprob, n in zip(scores.logprobs, scores.n_tokens, strict=True)
        ]
        best = max(range(len(moves)), key=lambda index: values[index])
        weights = [exp(value - values[best]) for value in values]
        share = weights[best] / sum(weights)
        why = f"likeliest of {len(moves)} legal moves, {share:.1%} of their softmax ({params.norm} log-likelihood)"
        yield from propose(Plan(moves=(moves[best],), why=why))
        return Decision(moves[best])
