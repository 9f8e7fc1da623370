"""A model that answers from a script, at once and always alike: for tests, dry runs and examples without weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Annotated, Any

from pydantic import Field

from stratarena.agents.budget import Spend
from stratarena.agents.models.base import (
    Completion,
    Finish,
    ModelAnswer,
    ModelRequest,
    Scores,
    Scoring,
)
from stratarena.agents.models.keys import request_key
from stratarena.agents.models.stopping import Stopping
from stratarena.agents.params import Params, checked_params

__all__ = ["Scripted", "from_params"]


class ScriptedParams(Params):
    """Parameters of `scripted`."""

    answers: Annotated[list[str], Field(min_length=1)] = Field(description="texts to answer with")


class Scripted:
    """Chooses one of its answers by a hash of the request: no state, so a resumed match is answered alike.

    Scores are drawn from the same hash. Tokens are counted as words (those of scored texts as read, for nothing is
    written), and nothing costs anything.
    """

    def __init__(self, name: str, answers: Sequence[str]) -> None:
        self.name = name
        self._answers = tuple(answers)

    @property
    def identity(self) -> dict[str, str]:
        """How many answers it has."""
        return {"kind": "scripted", "answers": str(len(self._answers))}

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """Futures that are done already."""
        futures = []
        for request in requests:
            future: Future[ModelAnswer] = Future()
            future.set_result(self._answer(request))
            futures.append(future)
        return futures

    def close(self) -> None:
        """Nothing to let go of."""

    def _answer(self, request: ModelRequest) -> ModelAnswer:
        number = int(request_key(request), 16)
        prompt_tokens = sum(len(message.content.split()) for message in request.messages)
        if isinstance(request, Scoring):
            n_tokens = tuple(len(text.split()) or 1 for text in request.continuations)
            logprobs = tuple(-0.01 * ((number >> (index % 96)) % 1000 + 1) * n for index, n in enumerate(n_tokens))
            spend = Spend(model_calls=1, prompt_tokens=prompt_tokens + sum(n_tokens))
            return Scores(logprobs=logprobs, n_tokens=n_tokens, spend=spend)
        stopping = Stopping(request)
        stopping.read(self._answers[number % len(self._answers)])
        text = stopping.text
        return Completion(
            text=text,
            finish=Finish.STOP,
            spend=Spend(model_calls=1, prompt_tokens=prompt_tokens, completion_tokens=len(text.split())),
        )


def from_params(name: str, params: Mapping[str, Any]) -> Scripted:
    """Answers from a script: one of a list of texts, chosen by a hash of the request, always alike."""
    return Scripted(name, checked_params(ScriptedParams, params, where=f"model {name!r}").answers)
