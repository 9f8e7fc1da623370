"""Models behind an HTTP API: many calls in flight on one thread, each tried again until it is answered or hopeless.

The one event loop of a provider runs here, on a thread of its own. Calls start oldest first, as the pacer lets them; a
call that waits to be tried again holds no place in flight. What happened to each try goes with the answer.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from importlib import metadata
from importlib.util import find_spec
from itertools import count
from math import inf
from random import Random
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from stratarena.agents.models.base import (
    Attempt,
    Completion,
    Constraint,
    Failure,
    ModelAnswer,
    ModelError,
    ModelRequest,
    Scoring,
)
from stratarena.agents.models.pacing import Limits, Pacer
from stratarena.agents.models.wire import CallFailed, Client, shortened, tokens_in
from stratarena.agents.params import Params
from stratarena.games.base import SpecError

__all__ = ["RemoteModel", "RemoteParams", "find_key"]

_FIRST_REST_S = 0.5
_LONGEST_REST_S = 60.0


class RemoteParams(Params):
    """What every model behind an HTTP API can be told."""

    model: str = Field(description="the provider's name of the model")
    base_url: str | None = Field(None, description="where the API is, such as http://127.0.0.1:8000/v1")
    key_env: str | None = Field(None, description="the environment variable that holds the key")
    leave_out: list[Literal["temperature", "top_p", "seed", "stop"]] = Field(
        default_factory=list, description="settings that this model does not take"
    )
    stream: bool = Field(
        True, description="whether an answer that is read along comes in pieces, so that it ends when it is complete"
    )
    extra: dict[str, Any] = Field(default_factory=dict, description="more fields of the request's body, as they are")
    concurrency: Annotated[int, Field(ge=1, le=4096)] = Field(32, description="most calls in flight")
    requests_per_minute: Annotated[int, Field(ge=1)] | None = Field(None, description="the provider's limit")
    tokens_per_minute: Annotated[int, Field(ge=1)] | None = Field(None, description="the provider's limit")
    timeout_s: Annotated[float, Field(gt=0)] = Field(300.0, description="seconds for one attempt")
    attempts: Annotated[int, Field(ge=1, le=100)] = Field(6, description="tries at a call")
    patience_s: Annotated[float, Field(ge=0)] = Field(900.0, description="seconds from a call's first try to its last")
    shares_limits_of: str | None = Field(None, description="another model, under whose limits this one is asked, too")

    @field_validator("base_url")
    @classmethod
    def _no_secrets_in_urls(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected a URL such as http://127.0.0.1:8000/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "a URL with a password or a query would be recorded; keys come from the environment (key_env)"
            )
        return value

    def limits(self) -> Limits:
        """The limits among these parameters."""
        return Limits(**{name: getattr(self, name) for name in Limits.__dataclass_fields__})


def find_key(name: str, params: RemoteParams, usual: str | None) -> str | None:
    """The key for a model, out of the environment; None where none is asked for and none is usual.

    Raises:
        SpecError: the variable is not set.
    """
    variable = params.key_env or (usual if params.base_url is None or params.key_env else None)
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise SpecError(
            f"model {name!r}: the environment variable {variable} with its key is not set; keys are never read from "
            "the tournament file (another variable is named by key_env)"
        )
    return key


class _Job:
    """One call, from hand-over to answer."""

    __slots__ = ("attempts", "began", "future", "handed_over", "rank", "request", "tokens")

    def __init__(self, request: ModelRequest, future: Future[ModelAnswer], now: float) -> None:
        self.rank: int | None = None
        self.request = request
        self.future = future
        self.handed_over = now
        """When it was handed over, then when the last try ended."""
        self.began: float | None = None
        self.attempts: list[Attempt] = []
        self.tokens = 0


class _Line:
    """The waiting line in front of one provider, and the event loop that works it off. Used by its own thread only."""

    def __init__(self, limits: Limits) -> None:
        self.pacer = Pacer(limits)
        self.loop = asyncio.new_event_loop()
        self._waiting: list[tuple[int, _Job, Callable[[_Job, list[float]], None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ranks = count()
        self._thread = threading.Thread(target=self.loop.run_forever, name="remote-models", daemon=True)
        self._thread.start()
        self._users = 0

    def join(self) -> None:
        """One more model uses the line."""
        self._users += 1

    def enter(self, job: _Job, start: Callable[[_Job, list[float]], None]) -> None:
        """Let the call start when its turn comes; one that is tried again keeps its place."""
        if job.rank is None:
            job.rank = next(self._ranks)
        heapq.heappush(self._waiting, (job.rank, job, start))
        self.pump()

    def pump(self) -> None:
        """Start whatever may start now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _, job, start = self._waiting[0]
            if job.future.cancelled():
                heapq.heappop(self._waiting)
                continue
            now = time.monotonic()
            delay = self.pacer.delay(now, job.tokens)
            if delay == inf:
                return
            if delay > 0:
                self._timer = self.loop.call_later(delay, self.pump)
                return
            heapq.heappop(self._waiting)
            start(job, self.pacer.start(now, job.tokens))

    def leave(self) -> None:
        """One model less uses the line; the last one stops the thread."""
        self._users -= 1
        if self._users == 0:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


class RemoteModel:
    """A `Model` behind an HTTP API."""

    def __init__(
        self,
        name: str,
        make_client: Callable[[], Client],
        *,
        limits: Limits,
        identity: Mapping[str, str],
        secret: str | None = None,
        enforces: Callable[[Constraint], str | None] = lambda constraint: None,
        library: str | None = None,
        shares_limits_of: str | None = None,
        jitter: Random | None = None,
    ) -> None:
        if library is not None and find_spec(library) is None:
            raise ModelError(f"{library} is not installed; install the extra: pip install 'stratarena[api]'")
        self.name = name
        self.limits = limits
        self.enforces = enforces
        """How it would enforce a constraint; None where it would not."""
        self.shares_limits_of = shares_limits_of
        """The model in whose line its calls wait, if it is not its own."""
        self._make_client = make_client
        self._identity = dict(identity)
        if library is not None:
            self._identity[f"{library} version"] = metadata.version(library)
        self._secret = secret
        self._jitter = jitter or Random()
        self._line: _Line | None = None
        self._client: Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._jobs: set[_Job] = set()
        self._closed = False
        self._door = threading.Lock()

    @property
    def identity(self) -> dict[str, str]:
        """Protocol, place and name; never a key."""
        return dict(self._identity)

    def share(self, other: RemoteModel) -> None:
        """Stand in the other model's line, under its limits. Before anything is asked."""
        self._line = other.line()
        self._line.join()

    def line(self) -> _Line:
        """Its waiting line, made when first wanted."""
        if self._line is None:
            self._line = _Line(self.limits)
            self._line.join()
        return self._line

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """Futures that the event loop fills."""
        now = time.monotonic()
        jobs = [_Job(request, Future(), now) for request in requests]
        with self._door:
            if self._closed:
                for job in jobs:
                    job.future.set_exception(ModelError(f"{self.name} is closed"))
            else:
                self.line().loop.call_soon_threadsafe(self._take, jobs)
        return [job.future for job in jobs]

    def close(self) -> None:
        """Give up what is in flight; what still waits fails."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            line = self._line
        if line is None:
            return
        asyncio.run_coroutine_threadsafe(self._wind_up(), line.loop).result()
        line.leave()

    def _take(self, jobs: list[_Job]) -> None:
        for job in jobs:
            if isinstance(job.request, Scoring):
                job.future.set_exception(
                    ModelError(f"{self.name} is behind an API that scores no texts", failure=Failure.REJECTED)
                )
                continue
            job.tokens = tokens_in(job.request) + job.request.sampling.most_tokens
            self._jobs.add(job)
            self.line().enter(job, self._start)

    def _start(self, job: _Job, entry: list[float]) -> None:
        task = self.line().loop.create_task(self._attempt(job, entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, job: _Job, entry: list[float]) -> None:
        """Try once; then answer, or wait and stand in line again, or give up."""
        line = self.line()
        if self._client is None:
            # Made here, since it belongs to this loop; importing an SDK takes a second that nobody's call shall bear.
            self._client = self._make_client()
        began = time.monotonic()
        if job.began is None:
            job.began = began
        waited_ms = (began - job.handed_over) * 1000
        answer: Completion | None = None
        failed: CallFailed | None = None
        try:
            assert not isinstance(job.request, Scoring)
            async with asyncio.timeout(self.limits.timeout_s):
                answer = await self._client.call(job.request)
        except CallFailed as failure:
            failed = failure
        except TimeoutError:
            failed = CallFailed(Failure.TIMEOUT, f"no whole answer within {self.limits.timeout_s:g} s", charged=True)
        except asyncio.CancelledError:
            line.pacer.end(entry)
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever goes wrong in a client is infrastructure: the caller is told, and the others go on.
            failed = CallFailed(Failure.LOCAL, f"{type(error).__name__}: {error}", again=False)
        now = time.monotonic()
        if failed is not None and failed.failure is Failure.QUOTA:
            line.pacer.throttle(entry, now, failed.retry_after)
        spend = None if answer is None else answer.spend
        line.pacer.end(entry, tokens=None if spend is None else spend.prompt_tokens + spend.completion_tokens)
        # An answer whose tokens nobody counted has cost something, too.
        unsure = failed.charged if failed is not None else answer is not None and not answer.usage_reported
        job.attempts.append(
            Attempt(
                failure=None if failed is None else failed.failure,
                status=200 if failed is None else failed.status,
                waited_ms=waited_ms,
                took_ms=(now - began) * 1000,
                error=None if failed is None else self._without_key(failed.message),
                at_most_usd=None if unsure else 0.0,
            )
        )
        job.handed_over = now
        if answer is not None:
            text, thinking = self._without_key(answer.text), self._without_key(answer.thinking)
            self._finish(job, answer=replace(answer, text=text, thinking=thinking, attempts=tuple(job.attempts)))
        elif failed is not None:
            rest = self._rest(job, failed, now)
            if rest is None:
                self._finish(job, error=self._hopeless(job, failed))
            else:
                line.loop.call_later(rest, self._again, job)
        line.pump()

    def _again(self, job: _Job) -> None:
        if not job.future.done():
            self.line().enter(job, self._start)

    def _rest(self, job: _Job, failed: CallFailed, now: float) -> float | None:
        """Seconds until the next try; None when there is to be none."""
        if not failed.again or len(job.attempts) >= self.limits.attempts:
            return None
        longest = min(_FIRST_REST_S * 2 ** (len(job.attempts) - 1), _LONGEST_REST_S)
        # Half of the pause is random, so that calls that failed together do not come back together.
        rest = longest * (0.5 + 0.5 * self._jitter.random())
        if failed.retry_after is not None:
            rest = max(failed.retry_after, rest if failed.retry_after == 0 else 0.0)
        assert job.began is not None
        return rest if now + rest - job.began <= self.limits.patience_s else None

    def _hopeless(self, job: _Job, failed: CallFailed) -> ModelError:
        tries = len(job.attempts)
        often = f" ({tries} tries)" if tries > 1 else ""
        return ModelError(
            f"{self.name}: {failed.failure.value}: {self._without_key(failed.message)}{often}",
            failure=failed.failure,
            attempts=tuple(job.attempts),
        )

    def _finish(self, job: _Job, *, answer: Completion | None = None, error: ModelError | None = None) -> None:
        self._jobs.discard(job)
        if not job.future.set_running_or_notify_cancel():
            return
        if answer is not None:
            job.future.set_result(answer)
        else:
            job.future.set_exception(error)

    def _without_key(self, text: str) -> str:
        """The text with the key taken out, should a server have said it back."""
        return text.replace(self._secret, "[key]") if self._secret and len(self._secret) >= 4 else text

    async def _wind_up(self) -> None:
        """Cancel what is in flight, fail what waits, close the connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in tuple(self._jobs):
            job.handed_over = time.monotonic()
            self._finish(
                job,
                error=ModelError(
                    shortened(f"{self.name} was closed"), failure=Failure.LOCAL, attempts=tuple(job.attempts)
                ),
            )
        if self._client is not None:
            await self._client.close()
