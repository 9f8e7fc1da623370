"""Anthropic's messages, through the official SDK.

Source: the API reference of Anthropic.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from stratarena.agents.budget import Spend
from stratarena.agents.models.base import Completion, Constraint, Failure, Finish, Request
from stratarena.agents.models.http_client import connections
from stratarena.agents.models.pacing import Limits
from stratarena.agents.models.remote import RemoteModel, RemoteParams, find_key
from stratarena.agents.models.stopping import cut_at_stop
from stratarena.agents.models.streams import MessagePieces, read_pieces
from stratarena.agents.models.thinking import split_thinking
from stratarena.agents.models.wire import (
    CallFailed,
    clean,
    count,
    failure_of,
    guessed_tokens,
    raise_told,
    read_object,
    sdk_of,
    shortened,
    tokens_in,
)
from stratarena.agents.params import checked_params

__all__ = ["AnthropicParams", "from_params", "messages_body", "read_message"]

_FINISHES: Mapping[str, Finish] = {
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "refusal": Finish.FILTER,
}


class AnthropicParams(RemoteParams):
    """Parameters of `anthropic`."""

    thinking: Literal["off", "budget", "adaptive"] = Field(
        "off", description="budget: thinks up to thinking_tokens; adaptive: as long as it finds right"
    )
    structured: Literal["none", "schema"] = Field("none", description="whether a JSON schema is enforced")


def messages_body(request: Request, params: AnthropicParams) -> dict[str, Any]:
    """The body of a message."""
    sampling = request.sampling
    system = "\n\n".join(message.content for message in request.messages if message.role == "system")
    body: dict[str, Any] = {
        "model": params.model,
        "max_tokens": sampling.most_tokens,
        "messages": [
            {"role": message.role, "content": message.content}
            for message in request.messages
            if message.role != "system"
        ],
    }
    if system:
        body["system"] = system
    # A model that thinks takes no temperature of ours.
    if "temperature" not in params.leave_out and params.thinking == "off":
        body["temperature"] = min(sampling.temperature, 1.0)
    if sampling.top_p < 1 and "top_p" not in params.leave_out and params.thinking == "off":
        body["top_p"] = sampling.top_p
    if sampling.stop and not sampling.thinking_tokens and "stop" not in params.leave_out:
        body["stop_sequences"] = list(sampling.stop)
    if params.thinking == "budget":
        body["thinking"] = {"type": "enabled", "budget_tokens": sampling.thinking_tokens}
    elif params.thinking == "adaptive":
        body["thinking"] = {"type": "adaptive"}
    output: dict[str, Any] = {}
    if sampling.effort is not None:
        output["effort"] = sampling.effort
    if enforced(request.constraint, params) == "schema" and request.constraint is not None:
        output["format"] = {"type": "json_schema", "schema": json.loads(request.constraint.body)}
    if output:
        body["output_config"] = output
    return body | dict(params.extra)


def enforced(constraint: Constraint | None, params: AnthropicParams) -> str | None:
    """How a constraint is enforced with these parameters; None where it is not."""
    if constraint is None or constraint.kind != "schema" or params.structured == "none":
        return None
    return "schema"


def read_message(content: bytes, request: Request, *, enforced: str | None, took_ms: float) -> Completion:
    """The answer in a message. Raises `CallFailed` where the protocol is broken."""
    value = read_object(content)
    raise_told(value)
    blocks = value.get("content")
    if not isinstance(blocks, list) or any(not isinstance(block, dict) for block in blocks):
        raise CallFailed(Failure.GARBLED, "the answer is not as the protocol says: no list of blocks", charged=True)
    texts = [str(block.get("text") or "") for block in blocks if block.get("type") == "text"]
    thoughts = [str(block.get("thinking") or "") for block in blocks if block.get("type") == "thinking"]
    text, thinking = "".join(texts), "\n".join(thoughts)
    if not thinking:
        thinking, text = split_thinking(text)
    usage = value.get("usage")
    fresh, completion_tokens = count(usage, "input_tokens"), count(usage, "output_tokens")
    cached = count(usage, "cache_read_input_tokens")
    prompt_tokens = (
        None if fresh is None else fresh + (cached or 0) + (count(usage, "cache_creation_input_tokens") or 0)
    )
    served_by = value.get("model")
    return Completion(
        text=clean(text),
        finish=_FINISHES.get(str(value.get("stop_reason")), Finish.STOP),
        thinking=clean(thinking),
        thinking_tokens=count(usage, "output_tokens_details", "thinking_tokens"),
        cached_tokens=cached,
        usage_reported=prompt_tokens is not None and completion_tokens is not None,
        enforced=enforced,
        served_by=shortened(clean(served_by), 100) if isinstance(served_by, str) else None,
        spend=Spend(
            model_calls=1,
            prompt_tokens=tokens_in(request) if prompt_tokens is None else prompt_tokens,
            completion_tokens=guessed_tokens(text + thinking) if completion_tokens is None else completion_tokens,
            think_ms=took_ms,
            cost_usd=None,
        ),
    )


class AnthropicClient:
    """The protocol over the official SDK, its own retries off."""

    def __init__(self, params: AnthropicParams, limits: Limits, key: str | None, base_url: str | None) -> None:
        import anthropic
        import httpx2

        self._params = params
        self._sdk = sdk_of(anthropic)
        # While a stream is read, the HTTP library's own errors and those of decoding come as they are.
        self._broke = (anthropic.AnthropicError, httpx2.HTTPError, ValueError)
        self._stream = anthropic.AsyncStream[object]
        self._raw = httpx2.Response
        self._client = anthropic.AsyncAnthropic(api_key=key or "none", base_url=base_url, **connections(limits))

    async def call(self, request: Request) -> Completion:
        """One attempt. Raises `CallFailed`."""
        body = messages_body(request, self._params)
        began = time.perf_counter()

        def read(content: bytes) -> Completion:
            answer = read_message(
                content,
                request,
                enforced=enforced(request.constraint, self._params),
                took_ms=(time.perf_counter() - began) * 1000,
            )
            return cut_at_stop(answer, request)

        try:
            if request.watch is None or not self._params.stream:
                response = await self._client.post("/v1/messages", cast_to=self._raw, body=body)
                return read(await response.aread())
            stream = await self._client.post(
                "/v1/messages", cast_to=object, body=body | {"stream": True}, stream=True, stream_cls=self._stream
            )
            return await read_pieces(stream, MessagePieces(), request, read=read, broke=self._broke)
        except self._broke as error:
            raise failure_of(error, self._sdk) from error

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def from_params(name: str, params: Mapping[str, Any]) -> RemoteModel:
    """A model behind Anthropic's messages: Anthropic itself, or a server that speaks them."""
    checked = checked_params(AnthropicParams, params, where=f"model {name!r}")
    usual_key = "ANTHROPIC_API_KEY" if checked.base_url is None else None
    key = find_key(name, checked, usual_key)
    limits = checked.limits()
    base_url = checked.base_url.rstrip("/").removesuffix("/v1") if checked.base_url else "https://api.anthropic.com"
    return RemoteModel(
        name,
        lambda: AnthropicClient(checked, limits, key, base_url),
        limits=limits,
        identity={"protocol": "anthropic messages", "model": checked.model, "base_url": base_url},
        secret=key,
        enforces=lambda constraint: enforced(constraint, checked),
        library="anthropic",
        shares_limits_of=checked.shares_limits_of,
    )
