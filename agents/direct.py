"""The plainest model player: rules and position in, one move out."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from stratarena.agents.base import AgentSpec, Decision, Deliberation, View, ask
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.models.base import Finish, Request, Sampling
from stratarena.agents.params import Params, checked_params
from stratarena.agents.prompts import move_messages
from stratarena.agents.reading import Reader, read_move

__all__ = ["Direct"]

S = TypeVar("S")


class DirectParams(Params):
    """Parameters of `llm`."""

    model: str = Field(description="a model of the tournament file")
    temperature: Annotated[float, Field(ge=0, le=5)] = Field(0.0, description="0 takes the likeliest token")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="nucleus of the sampling")
    max_tokens: Annotated[int, Field(ge=1)] = Field(16, description="bound on one answer")
    list_legal_moves: bool = Field(True, description="whether the prompt lists them")
    history: Annotated[int, Field(ge=0)] = Field(10, description="plies of the past that the prompt shows")
    reasoning: bool = Field(False, description="whether the prompt invites thoughts before the move")
    example: bool = Field(False, description="whether the prompt begins with an example of an answer")
    reader: Reader = Field("strict", description="how an answer is read: strict or tolerant")


class Direct:
    """A language model that writes its move. What it writes is read strictly; no move is ever invented for it.

    An unreadable or illegal answer is refused by the referee, who asks again with what was wrong, as often as the
    tournament's policy says; then the seat forfeits.
    """

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(DirectParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """Every game that can be put into words, which is every game."""
        return None

    def deliberate(self, view: View[S]) -> Deliberation:
        """One request; whatever it answers is read once."""
        params = self._params
        sampling = Sampling(
            max_tokens=params.max_tokens,
            temperature=params.temperature,
            top_p=params.top_p,
            seed=view.seed if params.temperature > 0 else None,
        )
        messages = move_messages(
            view,
            list_legal_moves=params.list_legal_moves,
            history=params.history,
            reasoning=params.reasoning,
            example=params.example,
        )
        (answer,) = yield from ask(params.model, Request(messages=messages, sampling=sampling))
        move = read_move(
            view.game, view.state, answer.text, reader=params.reader, cut_off=answer.finish is Finish.LENGTH
        )
        return Decision(move)
