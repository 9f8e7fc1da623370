"""What all HTTP models share: an answer or a failure as a plain value, and what a provider's SDK raised put into words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from stratarena.agents.models.base import Completion, Failure, Request

__all__ = [
    "LARGEST_ANSWER",
    "CallFailed",
    "Client",
    "clean",
    "count",
    "failure_of",
    "guessed_tokens",
    "raise_told",
    "read_object",
    "shortened",
    "tokens_in",
]

LARGEST_ANSWER = 8_000_000
"""Bytes of an HTTP response. What a bound on tokens lets through is far smaller; the rest is never kept in memory."""

_CHARACTERS_A_TOKEN = 3.5
_LONGEST_ERROR = 300


class CallFailed(Exception):
    """One attempt failed."""

    def __init__(
        self,
        failure: Failure,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        again: bool = True,
        charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message
        self.status = status
        self.retry_after = retry_after
        """Seconds, where the server said so."""
        self.again = again
        """Whether another attempt may help."""
        self.charged = charged
        """Whether the provider may have charged for it all the same."""


class Client(Protocol):
    """One provider's protocol."""

    async def call(self, request: Request) -> Completion:
        """One attempt. Raises `CallFailed`."""

    async def close(self) -> None:
        """Let go of its connections."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """The exceptions that the providers' SDKs share by name, being made by the same generator."""

    timeout: type[Exception]
    connection: Any
    status: Any
    base: type[Exception]


def sdk_of(module: Any) -> Sdk:
    """The exceptions of `openai` or `anthropic`."""
    return Sdk(module.APITimeoutError, module.APIConnectionError, module.APIStatusError, module.APIError)


def failure_of(error: Exception, sdk: Sdk) -> CallFailed:
    """The failure that an exception of a provider's SDK stands for."""
    if isinstance(error, CallFailed):
        return error
    cause: BaseException | None = error.__cause__ or error
    if isinstance(error, sdk.timeout):
        reached = type(cause).__name__ not in ("ConnectTimeout", "PoolTimeout")
        return CallFailed(Failure.TIMEOUT, "no answer in time", charged=reached)
    if isinstance(error, sdk.connection):
        if isinstance(cause, CallFailed):
            return cause
        reached = type(cause).__name__ != "ConnectError"
        return CallFailed(Failure.TRANSPORT, f"{type(cause).__name__}: {cause}", charged=reached)
    if isinstance(error, sdk.status) and error.status_code >= 300:
        return _by_status(int(error.status_code), error)
    body = getattr(error, "body", None)
    if isinstance(error, sdk.base) and isinstance(body, dict):
        # An error event in a stream that began well.
        try:
            raise_told(body if body.get("error") is not None else {"error": body})
        except CallFailed as told:
            return told
    # What breaks while a stream is read comes as the HTTP library raises it.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    failure = Failure.TIMEOUT if "TimeoutException" in kinds else Failure.GARBLED
    failure = Failure.TRANSPORT if "NetworkError" in kinds or "ProtocolError" in kinds else failure
    return CallFailed(failure, f"{type(error).__name__}: {error}", charged=True)


def _by_status(status: int, error: Any) -> CallFailed:
    message = f"HTTP {status}: {_said(error)}"
    retry_after = _retry_after(error.response.headers)
    if status == 429 or status == 402:
        # An empty account answers 429, too, and stays empty however long one waits.
        hopeless = status == 402 or "insufficient_quota" in message or "billing" in message
        return CallFailed(Failure.QUOTA, message, status=status, retry_after=retry_after, again=not hopeless)
    if status in (401, 403):
        return CallFailed(Failure.ACCESS, message, status=status, again=False)
    if status >= 500 or status in (408, 409, 425):
        # 529 is Anthropic's word for an overloaded service: it failed, and says nothing about our share of the load.
        return CallFailed(Failure.SERVER, message, status=status, retry_after=retry_after)
    return CallFailed(Failure.REJECTED, message, status=status, again=False)


def _said(error: Any) -> str:
    """The server's own message, and its code if that is a word, out of the body where it is one of the known forms."""
    body: Any = error.body
    code: Any = None
    for _ in range(3):
        if isinstance(body, dict):
            code = body.get("code") or code
            body = body.get("error") or body.get("message") or body.get("detail") or body
    text = body if isinstance(body, str) else error.message if body is None else json.dumps(body, default=str)
    return shortened(f"{text} ({code})" if isinstance(code, str) and code not in text else text)


def _retry_after(headers: Any) -> float | None:
    """Seconds, from `retry-after-ms` or `retry-after` as a number or a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            try:
                then = parsedate_to_datetime(value)
                now = parsedate_to_datetime(headers["date"])
                seconds = (then - now).total_seconds()
            except (KeyError, ValueError, TypeError):
                continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def read_object(content: bytes) -> dict[str, Any]:
    """The JSON object that a response's body is. Raises `CallFailed` for anything else."""
    try:
        value = json.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        start = shortened(content[:80].decode("utf-8", "replace"), 80)
        raise CallFailed(
            Failure.GARBLED, f"the answer is no JSON ({error}): it begins with {start!r}", charged=True
        ) from None
    if not isinstance(value, dict):
        raise CallFailed(Failure.GARBLED, f"the answer is a JSON {type(value).__name__}, no object", charged=True)
    return value


def raise_told(value: dict[str, Any]) -> None:
    """Raise `CallFailed` where a server tells of a failure under HTTP status 200, as some do."""
    error = value.get("error")
    if error is None:
        return
    told = shortened(json.dumps(error) if not isinstance(error, str) else error)
    codes = {str(error.get(name)) for name in ("code", "type")} if isinstance(error, dict) else set()
    if codes & {"429", "402", "rate_limit_exceeded", "rate_limit_error", "insufficient_quota"}:
        raise CallFailed(Failure.QUOTA, told, again=not codes & {"402", "insufficient_quota"})
    raise CallFailed(Failure.SERVER, told, charged=True)


def count(value: Any, *path: str) -> int | None:
    """The whole number, not negative, at this path of a JSON value; None where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    whole = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12 and value == int(value)
    return int(value) if whole else None


def clean(text: str) -> str:
    """The text with halves of surrogate pairs replaced: JSON can spell them, but no server takes them back."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def guessed_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return int(len(text) / _CHARACTERS_A_TOKEN) + 1


def tokens_in(request: Request) -> int:
    """About how many tokens a request's messages have."""
    return sum(guessed_tokens(message.content) + 4 for message in request.messages)


def shortened(text: str, longest: int = _LONGEST_ERROR) -> str:
    """The text on one line, cut at its end."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
