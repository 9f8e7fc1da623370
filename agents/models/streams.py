"""Answers that come in pieces: gathered as the provider's events bring them, and left as soon as enough is written.

A provider's events are put together to the value that the same answer would have been in one piece, so that one reading
serves both. What has no end is no answer: a stream that breaks off fails like a connection that does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from stratarena.agents.models.base import Completion, Failure, Finish, Request
from stratarena.agents.models.stopping import Stopping
from stratarena.agents.models.wire import CallFailed, count, raise_told

__all__ = ["ChatPieces", "MessagePieces", "Pieces", "ResponsePieces", "read_pieces"]

_GRACE_EVENTS = 4
_GRACE_S = 1.0
"""How long an answer that is enough may take to end by itself, for its tokens are counted at its end."""


class Pieces(Protocol):
    """One answer, as far as it has come."""

    over: bool
    """Whether it has come to its own end."""
    n_pieces: int
    """Pieces of text or thinking so far: each holds a token at least."""

    @property
    def text(self) -> str:
        """What was written for the answer."""

    def take(self, event: Mapping[str, Any]) -> None:
        """One more event. Raises `CallFailed` where it is none of the protocol, or tells of a failure."""

    @property
    def counted(self) -> bool:
        """Whether the server has counted the tokens of all that has come."""

    def whole(self) -> dict[str, Any]:
        """The value that the protocol would bring in one piece."""


async def read_pieces(
    stream: Any,
    pieces: Pieces,
    request: Request,
    *,
    read: Callable[[bytes], Completion],
    broke: tuple[type[Exception], ...],
) -> Completion:
    """The answer in a provider's stream, left as soon as it is enough; `read` reads what comes in one piece, and `broke` is
    what the stream may raise when it breaks.

    An answer that is enough is given a moment to end by itself, unless its tokens are counted already. Where nobody
    counted them, they are guessed, no fewer than there were pieces. A server that does not stream is read all the same.

    Raises:
        CallFailed: the stream broke the protocol, told of a failure, or ended before the answer did.
    """
    try:
        if "event-stream" not in stream.response.headers.get("content-type", ""):
            return read(await stream.response.aread())
        stopped = await _gather(stream, pieces, request, broke)
    finally:
        await stream.close()
    answer = read(json.dumps(pieces.whole()).encode())
    if not answer.usage_reported:
        written = max(answer.spend.completion_tokens, pieces.n_pieces)
        answer = replace(answer, spend=replace(answer.spend, completion_tokens=written))
    return replace(answer, finish=Finish.STOP) if stopped and not pieces.over else answer


async def _gather(
    events: AsyncIterator[Any], pieces: Pieces, request: Request, broke: tuple[type[Exception], ...]
) -> bool:
    """Take the events of an answer until it is over or enough; whether it was enough."""
    stopping = Stopping(request)
    async for event in events:
        _take(pieces, event)
        if stopping.read(pieces.text):
            if not pieces.counted and not pieces.over:
                await _linger(events, pieces, broke)
            return True
    if not pieces.over:
        raise CallFailed(Failure.TRANSPORT, "the stream ended before the answer did", charged=True)
    return False


async def _linger(events: AsyncIterator[Any], pieces: Pieces, broke: tuple[type[Exception], ...]) -> None:
    # The answer is whole. Whatever becomes of the rest, only the count of its tokens is lost.
    lost: tuple[type[Exception], ...] = (TimeoutError, CallFailed, *broke)
    try:
        async with asyncio.timeout(_GRACE_S):
            left = _GRACE_EVENTS
            async for event in events:
                _take(pieces, event)
                left -= not pieces.over
                if pieces.counted or not left:
                    return
    except lost:
        return


def _take(pieces: Pieces, event: Any) -> None:
    if not isinstance(event, dict):
        raise _garbled("an event that is no object")
    raise_told(event)
    pieces.take(event)


def _garbled(what: str) -> CallFailed:
    return CallFailed(Failure.GARBLED, f"the stream is not as the protocol says: {what}", charged=True)


def _piece(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise _garbled(f"a text that is a {type(value).__name__}")


class ChatPieces:
    """A chat completion. Some servers count tokens with every piece, most at the end."""

    def __init__(self) -> None:
        self.text = ""
        self.over = False
        self.n_pieces = 0
        self._thinking = ""
        self._refusal = ""
        self._reason: Any = None
        self._usage: Any = None
        self._model: Any = None

    def take(self, event: Mapping[str, Any]) -> None:
        """A chunk. Raises `CallFailed`."""
        self._model = event.get("model") or self._model
        if isinstance(event.get("usage"), dict):
            self._usage = event["usage"]
        elif (running := _llama_cpp_usage(event.get("timings"))) is not None:
            self._usage = running
        choices = event.get("choices")
        if not choices:
            # The count of tokens comes in a chunk of its own.
            return
        if not isinstance(choices, list) or len(choices) > 1 or not isinstance(choices[0], dict):
            raise _garbled("a chunk without one choice")
        if choices[0].get("index") not in (0, None):
            raise _garbled("a second choice where one was asked for")
        delta = choices[0].get("delta")
        if isinstance(delta, dict):
            text, refusal = _piece(delta.get("content")), _piece(delta.get("refusal"))
            thinking = _piece(delta.get("reasoning_content") or delta.get("reasoning"))
            self.text += text
            self._thinking += thinking
            self._refusal += refusal
            self.n_pieces += bool(text or thinking or refusal)
        if choices[0].get("finish_reason") is not None:
            self._reason = choices[0]["finish_reason"]
            self.over = True

    @property
    def counted(self) -> bool:
        """Whether the server has counted the tokens so far: a count that came before the last pieces is none of them."""
        written = count(self._usage, "completion_tokens")
        known = written is not None and count(self._usage, "prompt_tokens") is not None
        return known and (self.over or (written or 0) >= self.n_pieces)

    def whole(self) -> dict[str, Any]:
        """A chat completion."""
        message = {
            "content": self.text,
            "reasoning_content": self._thinking or None,
            "refusal": self._refusal or None,
        }
        choice = {"index": 0, "message": message, "finish_reason": self._reason}
        return {"model": self._model, "choices": [choice], "usage": self._usage if self.counted else None}


def _llama_cpp_usage(timings: Any) -> dict[str, Any] | None:
    """Usage out of the timings that llama.cpp's server writes with every piece when asked to."""
    fresh, cached, written = (count(timings, name) for name in ("prompt_n", "cache_n", "predicted_n"))
    if fresh is None or written is None:
        return None
    return {
        "prompt_tokens": fresh + (cached or 0),
        "completion_tokens": written,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


class ResponsePieces:
    """A response of OpenAI's: its last event holds all of it."""

    def __init__(self) -> None:
        self.text = ""
        self.over = False
        self.n_pieces = 0
        self._whole: dict[str, Any] | None = None

    def take(self, event: Mapping[str, Any]) -> None:
        """An event. Raises `CallFailed`."""
        kind = event.get("type")
        if kind in ("response.output_text.delta", "response.reasoning_text.delta"):
            piece = _piece(event.get("delta"))
            self.n_pieces += bool(piece)
            if kind == "response.output_text.delta":
                self.text += piece
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            whole = event.get("response")
            if not isinstance(whole, dict):
                raise _garbled("an end without a response")
            raise_told(whole)
            self._whole, self.over = whole, True
        elif kind == "error":
            raise CallFailed(Failure.SERVER, str(event.get("message") or "an error event"), charged=True)

    @property
    def counted(self) -> bool:
        """Whether the last event has come."""
        return self.over

    def whole(self) -> dict[str, Any]:
        """A response; of one that was left early, what had come."""
        if self._whole is not None:
            return self._whole
        part = {"type": "output_text", "text": self.text}
        return {"output": [{"type": "message", "content": [part]}]}


class MessagePieces:
    """A message of Anthropic's. Its prompt is counted at the beginning, the answer at the end."""

    def __init__(self) -> None:
        self.over = False
        self.n_pieces = 0
        self._message: dict[str, Any] = {}
        self._blocks: dict[Any, dict[str, Any]] = {}
        self._usage: dict[str, Any] = {}
        self._reason: Any = None

    @property
    def text(self) -> str:
        """The blocks of text."""
        return "".join(block["text"] for block in self._blocks.values() if block["type"] == "text")

    def take(self, event: Mapping[str, Any]) -> None:
        """An event. Raises `CallFailed`."""
        match event.get("type"):
            case "message_start":
                message = event.get("message")
                self._message = message if isinstance(message, dict) else {}
                usage = self._message.get("usage")
                # The answer's tokens are counted when it is over.
                self._usage = dict(usage, output_tokens=None) if isinstance(usage, dict) else {}
            case "content_block_start":
                block = event.get("content_block")
                if not isinstance(block, dict):
                    raise _garbled("a block that is no object")
                kind = block.get("type")
                self._blocks[event.get("index")] = {
                    "type": kind,
                    "text": _piece(block.get("text")),
                    "thinking": _piece(block.get("thinking")),
                }
            case "content_block_delta":
                known, delta = self._blocks.get(event.get("index")), event.get("delta")
                if known is None or not isinstance(delta, dict):
                    raise _garbled("a piece of no block")
                for field in ("text", "thinking"):
                    known[field] += _piece(delta.get(field))
                self.n_pieces += bool(delta.get("text") or delta.get("thinking"))
            case "message_delta":
                delta, usage = event.get("delta"), event.get("usage")
                self._reason = delta.get("stop_reason") if isinstance(delta, dict) else None
                if isinstance(usage, dict):
                    self._usage |= {name: value for name, value in usage.items() if value is not None}
                self.over = self.over or self._reason is not None
            case "message_stop":
                self.over = True
            case _:
                return

    @property
    def counted(self) -> bool:
        """Whether the answer's tokens are counted."""
        return count(self._usage, "output_tokens") is not None

    def whole(self) -> dict[str, Any]:
        """A message."""
        return {
            **self._message,
            "content": list(self._blocks.values()),
            "stop_reason": self._reason,
            "usage": self._usage or None,
        }
