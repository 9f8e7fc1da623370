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
    "SERVING_KEYS",
    "Attempt",
    "Completion",
    "Constraint",
    "Failure",
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
    thinking_tokens: int = 0
    """Room for thinking on top of `max_tokens`, where a model thinks before it answers."""
    effort: str | None = None
    """How hard to think, in the provider's own word; None leaves it to the provider."""

    @property
    def most_tokens(self) -> int:
        """Tokens that the model may write in all."""
        return self.max_tokens + self.thinking_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A form that an answer is to have. What was done to enforce it stands in the `Completion`."""

    kind: Literal["schema", "choices"]
    body: str
    """A JSON schema, or a JSON list of the texts that the answer is one of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Please write an answer to these messages."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    watch: Watch | None = field(default=None, compare=False, repr=False)
    """Reads along, so that a model that can may stop as soon as enough is written; one that cannot writes on, and whoever
    asked reads no further than it wants. No part of what is asked: the record holds what was written."""
    constraint: Constraint | None = None


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
    FILTER = "filter"
    """The provider's filter or the model itself declined to answer."""


class Failure(Enum):
    """What kind of infrastructure failure a call met. None of them is the model's fault."""

    TRANSPORT = "transport"
    """No connection, or it broke."""
    TIMEOUT = "timeout"
    """No whole answer in time."""
    QUOTA = "quota"
    """More was asked than the provider allows for now, or the account is empty."""
    SERVER = "server"
    """The server says that it failed."""
    ACCESS = "access"
    """The key is missing, wrong, or may not do this."""
    REJECTED = "rejected"
    """The server does not take such a request; asking again would not help."""
    GARBLED = "garbled"
    """What came back is not what the protocol says."""
    LOCAL = "local"
    """Something on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a call over a network."""

    failure: Failure | None
    """None for the one that was answered."""
    status: int | None = None
    """The HTTP status, where there was one."""
    waited_ms: float
    """Since the try before it ended, or since the call was handed over: in queues, for limits, and to let a server rest."""
    took_ms: float
    """From sending to the answer or the failure."""
    error: str | None = None
    at_most_usd: float | None = 0.0
    """Money it may have cost without anybody saying so: 0 where nothing can have been charged, None where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A written answer."""

    text: str
    finish: Finish
    spend: Spend
    thinking: str = ""
    """What the model wrote for itself before it answered, where it shows that; its tokens are among those written."""
    thinking_tokens: int | None = None
    """Tokens of the thinking, where they were counted apart."""
    cached_tokens: int | None = None
    """Tokens of the prompt that the server had read before, where it says so."""
    usage_reported: bool = True
    """Whether somebody counted the tokens; otherwise they are guessed from the length of the texts, and no cost is known."""
    enforced: str | None = None
    """How the request's constraint was enforced: `"json"`, `"schema"`, `"choices"`, `"grammar"`; None where it was not."""
    served_by: str | None = None
    """The model's name as the server told it with the answer."""
    attempts: tuple[Attempt, ...] = ()
    """Every try at it, the last one answered; none for a model on this machine."""


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

    def __init__(self, message: str, *, failure: Failure = Failure.LOCAL, attempts: tuple[Attempt, ...] = ()) -> None:
        super().__init__(message)
        self.failure = failure
        self.attempts = attempts


SERVING_KEYS = frozenset(
    (
        "concurrency",
        "requests_per_minute",
        "tokens_per_minute",
        "timeout_s",
        "attempts",
        "patience_s",
        "shares_limits_of",
        "stream",
    )
)
"""Parameters that say how a model is reached and how fast, and have no part in what it answers."""


class Model(Protocol):
    """Something that answers.

    It may have `trial`, a function without arguments that makes a short `Request`, where `stratarena check` is to try it with
    that instead of plain words; and `enforces`, see `LocalModel`.
    """

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
