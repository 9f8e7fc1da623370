"""A request as JSON and back, and the key under which its answer is found again."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any

from stratarena.agents.budget import Spend
from stratarena.agents.models.base import (
    Completion,
    Constraint,
    Finish,
    Message,
    ModelAnswer,
    ModelRequest,
    Request,
    Sampling,
    Scores,
    Scoring,
)

__all__ = ["answer_from_json", "answer_to_json", "request_from_json", "request_key", "request_to_json"]

_DETAILS = ("thinking", "thinking_tokens", "cached_tokens", "usage_reported", "enforced", "served_by")
"""What an answer over a network tells besides; its attempts are the record's alone."""


def request_to_json(request: ModelRequest) -> dict[str, Any]:
    """Plain JSON values that hold all of the request but its `watch`, which asks for nothing."""
    messages = [[message.role, message.content] for message in request.messages]
    if isinstance(request, Scoring):
        return {"kind": "score", "messages": messages, "continuations": list(request.continuations)}
    sampling, constraint = request.sampling, request.constraint
    return {
        "kind": "complete",
        "messages": messages,
        "sampling": {
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            # Left out where there are none, so that keys and files from before there were any stay good.
            **({"stop": list(sampling.stop)} if sampling.stop else {}),
            # Only where set: older files of answers know neither, and their requests keep their keys.
            **({"thinking_tokens": sampling.thinking_tokens} if sampling.thinking_tokens else {}),
            **({"effort": sampling.effort} if sampling.effort is not None else {}),
        },
        **({"constraint": [constraint.kind, constraint.body]} if constraint is not None else {}),
    }


def request_from_json(value: dict[str, Any]) -> ModelRequest:
    """The request that `request_to_json` wrote."""
    messages = tuple(Message(role, content) for role, content in value["messages"])
    if value["kind"] == "score":
        return Scoring(messages=messages, continuations=tuple(value["continuations"]))
    sampling = {**value["sampling"], "stop": tuple(value["sampling"].get("stop", ()))}
    form = value.get("constraint")
    constraint = None if form is None else Constraint(kind=form[0], body=form[1])
    return Request(messages=messages, sampling=Sampling(**sampling), constraint=constraint)


def request_key(request: ModelRequest) -> str:
    """32 hexadecimal digits that are equal exactly for equal requests."""
    text = json.dumps(request_to_json(request), sort_keys=True, ensure_ascii=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def answer_to_json(answer: ModelAnswer) -> dict[str, Any]:
    """Plain JSON values that hold all of the answer."""
    spend = {name: getattr(answer.spend, name) for name in Spend.__dataclass_fields__}
    if isinstance(answer, Scores):
        return {"logprobs": list(answer.logprobs), "n_tokens": list(answer.n_tokens), "spend": spend}
    usual = Completion(text=answer.text, finish=answer.finish, spend=answer.spend)
    unusual = {name: getattr(answer, name) for name in _DETAILS if getattr(answer, name) != getattr(usual, name)}
    return {"text": answer.text, "finish": answer.finish.value, "spend": spend, **unusual}


def answer_from_json(value: dict[str, Any]) -> ModelAnswer:
    """The answer that `answer_to_json` wrote."""
    spend = Spend(**value["spend"])
    if "logprobs" in value:
        return Scores(logprobs=tuple(value["logprobs"]), n_tokens=tuple(value["n_tokens"]), spend=spend)
    details = {name: value[name] for name in _DETAILS if name in value}
    return Completion(text=value["text"], finish=Finish(value["finish"]), spend=spend, **details)
