"""OpenAI's protocol, chat completions and responses, as a great many servers speak it. Through the official SDK.

Sources: the API reference of OpenAI; for reasoning kept apart and structured outputs also those of vLLM, llama.cpp's
server, Ollama and OpenRouter.
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
from stratarena.agents.models.streams import ChatPieces, ResponsePieces, read_pieces
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
from stratarena.agents.params import ParamsError, checked_params

__all__ = ["PROVIDERS", "OpenAIParams", "chat_body", "from_params", "read_chat", "read_responses", "responses_body"]

PROVIDERS: Mapping[str, tuple[str, str | None]] = {
    "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": ("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "vllm": ("http://127.0.0.1:8000/v1", None),
    "llama_cpp": ("http://127.0.0.1:8080/v1", None),
    "ollama": ("http://127.0.0.1:11434/v1", None),
    "lm_studio": ("http://127.0.0.1:1234/v1", None),
    "transformers_serve": ("http://127.0.0.1:8000/v1", None),
    "custom": ("", None),
}
"""By name: where it is reached, and the environment variable that holds its key; None where a key is seldom needed."""

Provider = Literal[
    "openai", "openrouter", "gemini", "vllm", "llama_cpp", "ollama", "lm_studio", "transformers_serve", "custom"
]
Structured = Literal["none", "json", "schema", "grammar"]


class OpenAIParams(RemoteParams):
    """Parameters of `openai`."""

    provider: Provider = Field("openai", description="who answers; custom needs a base_url")
    api: Literal["chat", "responses"] = Field("chat", description="chat completions, or OpenAI's responses")
    structured: Structured = Field(
        "none", description="how the server enforces a form: JSON mode, a JSON schema, or a grammar or list of choices"
    )
    token_limit: Literal["auto", "max_tokens", "max_completion_tokens"] = Field(
        "auto", description="the name of the bound on tokens; auto: OpenAI's own models take max_completion_tokens"
    )


def chat_body(request: Request, params: OpenAIParams) -> dict[str, Any]:
    """The body of a chat completion."""
    sampling = request.sampling
    limit = params.token_limit
    if limit == "auto":
        limit = "max_completion_tokens" if params.provider == "openai" else "max_tokens"
    body: dict[str, Any] = {
        "model": params.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        limit: sampling.most_tokens,
    }
    if "temperature" not in params.leave_out:
        body["temperature"] = sampling.temperature
    if sampling.top_p < 1 and "top_p" not in params.leave_out:
        body["top_p"] = sampling.top_p
    if sampling.seed is not None and "seed" not in params.leave_out:
        # Servers take 32 bits, some of them signed.
        body["seed"] = sampling.seed % 2**31
    # A server would find a stop in what is thought before the answer, too; there the answer is cut when it has come.
    if sampling.stop and not sampling.thinking_tokens and "stop" not in params.leave_out:
        body["stop"] = list(sampling.stop)
    if sampling.effort is not None:
        body["reasoning_effort"] = sampling.effort
    if params.provider == "openrouter":
        body["usage"] = {"include": True}
    if request.constraint is not None:
        body |= _form(request.constraint, params)
    return body | dict(params.extra)


def responses_body(request: Request, params: OpenAIParams) -> dict[str, Any]:
    """The body of a response; nothing is kept by the server."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": params.model,
        "input": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_output_tokens": sampling.most_tokens,
        "store": False,
    }
    if "temperature" not in params.leave_out:
        body["temperature"] = sampling.temperature
    if sampling.top_p < 1 and "top_p" not in params.leave_out:
        body["top_p"] = sampling.top_p
    if sampling.effort is not None:
        body["reasoning"] = {"effort": sampling.effort}
    if request.constraint is not None:
        match enforced(request.constraint, params):
            case "json":
                body["text"] = {"format": {"type": "json_object"}}
            case "schema":
                schema = json.loads(request.constraint.body)
                body["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}}
            case _:
                pass
    return body | dict(params.extra)


def streaming(params: OpenAIParams) -> dict[str, Any]:
    """What asks for an answer in pieces, its tokens counted with every piece where the server can, else at its end."""
    if params.api == "responses" or params.provider == "transformers_serve":
        return {"stream": True}
    options: dict[str, Any] = {"include_usage": True}
    if params.provider == "vllm":
        options["continuous_usage_stats"] = True
    running = {"timings_per_token": True} if params.provider == "llama_cpp" else {}
    return {"stream": True, "stream_options": options, **running}


def enforced(constraint: Constraint | None, params: OpenAIParams) -> str | None:
    """How a constraint is enforced with these parameters; None where it is not."""
    if constraint is None or params.structured == "none":
        return None
    if constraint.kind == "choices":
        return "choices" if params.structured == "grammar" else None
    return "json" if params.structured == "json" else "schema"


def _form(constraint: Constraint, params: OpenAIParams) -> dict[str, Any]:
    match enforced(constraint, params):
        case "json":
            return {"response_format": {"type": "json_object"}}
        case "schema":
            form = {"name": "answer", "schema": json.loads(constraint.body), "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": form}}
        case "choices" if params.provider == "vllm":
            return {"structured_outputs": {"choice": json.loads(constraint.body)}}
        case "choices":
            # GBNF, the grammars of llama.cpp, writes texts as JSON does.
            texts = " | ".join(json.dumps(text) for text in json.loads(constraint.body))
            return {"grammar": f"root ::= {texts}"}
        case _:
            return {}


def read_chat(content: bytes, request: Request, *, enforced: str | None, took_ms: float) -> Completion:
    """The answer in a chat completion. Raises `CallFailed` where the protocol is broken."""
    value = read_object(content)
    raise_told(value)
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _garbled("no choices")
    if len(choices) > 1:
        raise _garbled(f"{len(choices)} choices where one was asked for")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise _garbled("a choice without a message")
    text = _text(message.get("content"))
    thinking = _text(message.get("reasoning_content") or message.get("reasoning"))
    refusal = message.get("refusal")
    finish = _FINISHES.get(str(choices[0].get("finish_reason")), Finish.STOP)
    if isinstance(refusal, str) and refusal and not text:
        text, finish = refusal, Finish.FILTER
    return _completion(
        value,
        request,
        text=text,
        thinking=thinking,
        finish=finish,
        enforced=enforced,
        took_ms=took_ms,
        fields=("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details"),
    )


def read_responses(content: bytes, request: Request, *, enforced: str | None, took_ms: float) -> Completion:
    """The answer in a response. Raises `CallFailed` where the protocol is broken."""
    value = read_object(content)
    raise_told(value)
    output = value.get("output")
    if not isinstance(output, list):
        raise _garbled("no output")
    texts: list[str] = []
    thoughts: list[str] = []
    refused = False
    for item in output:
        if not isinstance(item, dict):
            raise _garbled("an output that is no object")
        for part in [*_parts(item.get("content")), *_parts(item.get("summary"))]:
            kind = part.get("type")
            if kind == "refusal":
                refused = True
                texts.append(_text(part.get("refusal")))
            elif item.get("type") == "reasoning":
                thoughts.append(_text(part.get("text")))
            elif kind == "output_text":
                texts.append(_text(part.get("text")))
    details = value.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    usage = value.get("usage")
    # Not every server says why a response ended.
    full = reason is None and count(usage, "output_tokens") == request.sampling.most_tokens
    finish = Finish.LENGTH if reason == "max_output_tokens" or full else Finish.STOP
    if refused or reason == "content_filter":
        finish = Finish.FILTER
    return _completion(
        value,
        request,
        text="".join(texts),
        thinking="\n".join(thoughts),
        finish=finish,
        enforced=enforced,
        took_ms=took_ms,
        fields=("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
    )


_FINISHES: Mapping[str, Finish] = {
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "content_filter": Finish.FILTER,
    "safety": Finish.FILTER,
}


def _completion(
    value: dict[str, Any],
    request: Request,
    *,
    text: str,
    thinking: str,
    finish: Finish,
    enforced: str | None,
    took_ms: float,
    fields: tuple[str, str, str, str],
) -> Completion:
    usage = value.get("usage")
    prompt_tokens, completion_tokens = count(usage, fields[0]), count(usage, fields[1])
    reported = prompt_tokens is not None and completion_tokens is not None
    cost = usage.get("cost") if isinstance(usage, dict) else None
    known = isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1e6
    if not thinking:
        thinking, text = split_thinking(text)
    served_by = value.get("model")
    return Completion(
        text=clean(text),
        finish=finish,
        thinking=clean(thinking),
        thinking_tokens=count(usage, fields[3], "reasoning_tokens"),
        cached_tokens=count(usage, fields[2], "cached_tokens"),
        usage_reported=reported,
        enforced=enforced,
        served_by=shortened(clean(served_by), 100) if isinstance(served_by, str) else None,
        spend=Spend(
            model_calls=1,
            prompt_tokens=tokens_in(request) if prompt_tokens is None else prompt_tokens,
            completion_tokens=guessed_tokens(text + thinking) if completion_tokens is None else completion_tokens,
            think_ms=took_ms,
            cost_usd=float(cost) if known and cost is not None else None,
        ),
    )


def _garbled(what: str) -> CallFailed:
    return CallFailed(Failure.GARBLED, f"the answer is not as the protocol says: {what}", charged=True)


def _parts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    """A content as text: itself, nothing, or the texts of its parts. Raises `CallFailed` for anything else."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in _parts(value))
    raise _garbled(f"a text that is a {type(value).__name__}")


class OpenAIClient:
    """The protocol over the official SDK, its own retries off."""

    def __init__(self, params: OpenAIParams, limits: Limits, key: str | None, base_url: str) -> None:
        import httpx2
        import openai

        self._params = params
        self._sdk = sdk_of(openai)
        # While a stream is read, the HTTP library's own errors and those of decoding come as they are.
        self._broke = (openai.OpenAIError, httpx2.HTTPError, ValueError)
        self._stream = openai.AsyncStream[object]
        self._client = openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, **connections(limits))
        self._raw = httpx2.Response

    async def call(self, request: Request) -> Completion:
        """One attempt. Raises `CallFailed`."""
        params = self._params
        chat = params.api == "chat"
        body = chat_body(request, params) if chat else responses_body(request, params)
        path = "/chat/completions" if chat else "/responses"
        began = time.perf_counter()

        def read(content: bytes) -> Completion:
            answer = (read_chat if chat else read_responses)(
                content,
                request,
                enforced=enforced(request.constraint, params),
                took_ms=(time.perf_counter() - began) * 1000,
            )
            return cut_at_stop(answer, request)

        try:
            if request.watch is None or not params.stream:
                response = await self._client.post(path, cast_to=self._raw, body=body)
                return read(await response.aread())
            stream = await self._client.post(
                path,
                cast_to=object,
                body=body | streaming(params),
                stream=True,
                stream_cls=self._stream,
            )
            return await read_pieces(
                stream, ChatPieces() if chat else ResponsePieces(), request, read=read, broke=self._broke
            )
        except self._broke as error:
            raise failure_of(error, self._sdk) from error

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def from_params(name: str, params: Mapping[str, Any]) -> RemoteModel:
    """A model behind OpenAI's protocol: OpenAI, OpenRouter, Gemini, vLLM, llama.cpp, Ollama, LM Studio and others."""
    checked = checked_params(OpenAIParams, params, where=f"model {name!r}")
    usual_url, usual_key = PROVIDERS[checked.provider]
    if checked.provider == "custom" and checked.base_url is None:
        missing = "provider = 'custom' needs a base_url, such as http://127.0.0.1:8000/v1"
        raise ParamsError(f"model {name!r}", [("base_url", missing)])
    base_url = (checked.base_url or usual_url).rstrip("/")
    key = find_key(name, checked, usual_key)
    limits = checked.limits()
    return RemoteModel(
        name,
        lambda: OpenAIClient(checked, limits, key, base_url),
        limits=limits,
        identity={"protocol": f"openai {checked.api}", "model": checked.model, "base_url": base_url},
        secret=key,
        enforces=lambda constraint: enforced(constraint, checked),
        library="openai",
        shares_limits_of=checked.shares_limits_of,
    )
