"""The one seam behind which every language model stands: requests in batches, answers by futures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol

from stratarena.agents.budget import Spend
from stratarena.games.base import ArenaError

__all__ = [
    "Completion",
    "Finish",
    "Message",
    "Model",
    "ModelAnswer",
    "ModelError",
    "ModelRequest",
    "Request",
    "Sampling",
    "Scores",
    "Scoring",
    "Watch",
]

Watch = Callable[[], Callable[[str], bool]]
"""Makes, for one answer, a function that is given each further piece of its text and says whether that is enough."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an answer is drawn."""

    max_tokens: int = 64
    temperature: float = 0.0
    """0 is greedy decoding."""
    top_p: float = 1.0
    seed: int | None = None
    """Stored with the request; None when greedy."""
    stop: tuple[str, ...] = ()
    """The answer ends where the first of these texts would begin; the text itself is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Please write an answer to these messages."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    watch: Watch | None = field(default=None, compare=False, repr=False)
    """Reads along, so that a model that can may stop as soon as enough is written; one that cannot writes on, and whoever
    asked reads no further than it wants. No part of what is asked: the record holds what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Please say how likely each of these texts is as the answer to these messages."""

    messages: tuple[Message, ...]
    continuations: tuple[str, ...]
    """Not empty; each is a whole answer."""


class Finish(Enum):
    """Why an answer ended."""

    STOP = "stop"
    """The model said it was done, or what it wrote met the request's `stop` or was enough for its `watch`."""
    LENGTH = "length"
    """Cut off by the bound on tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A written answer."""

    text: str
    finish: Finish
    spend: Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Likelihoods of the continuations of a `Scoring`, in its order."""

    logprobs: tuple[float, ...]
    """Natural log of the probability of each whole continuation, its end not counted."""
    n_tokens: tuple[int, ...]
    """Tokens of each continuation."""
    spend: Spend = field(default_factory=Spend)


ModelRequest = Request | Scoring
ModelAnswer = Completion | Scores


class ModelError(ArenaError):
    """The model's infrastructure failed. The match is void: nobody loses by it."""


class Model(Protocol):
    """Something that answers."""

    @property
    def name(self) -> str:
        """The name it goes by in the tournament file and in the record."""

    @property
    def identity(self) -> dict[str, str]:
        """What exactly answers: weights' hash, library versions, sampling defaults. Goes into the record."""

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """One future for each request, in order; never blocks on the answers.

        A `Request` is answered by a `Completion`, a `Scoring` by `Scores`. A future that fails raises `ModelError`.
        """

    def close(self) -> None:
        """Let go of threads, sockets and weights. Futures not yet answered fail with `ModelError`."""
