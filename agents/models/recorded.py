"""A model that answers what an earlier run's record says: thinking runs again, nothing is asked.

Its file has a line of JSON for each answer, `{"request": …, "answer": …}`, as `stratarena answers` exports them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import Field

from stratarena.agents.models.base import ModelAnswer, ModelError, ModelRequest
from stratarena.agents.models.keys import (
    answer_from_json,
    answer_to_json,
    request_from_json,
    request_key,
    request_to_json,
)
from stratarena.agents.params import Params, checked_params

__all__ = ["Recorded", "dump", "from_params", "load"]


class RecordedParams(Params):
    """Parameters of `recorded`."""

    path: str = Field(description="file of recorded answers, one JSON object a line")


class Recorded:
    """Answers each request as it was answered before; of several answers to equal requests, in their order.

    A request that was never made fails with `ModelError`: nothing is made up.
    """

    def __init__(self, name: str, answers: Iterable[tuple[ModelRequest, ModelAnswer]]) -> None:
        self.name = name
        self._answers: dict[str, list[ModelAnswer]] = {}
        for request, answer in answers:
            self._answers.setdefault(request_key(request), []).append(answer)
        self._served: dict[str, int] = {}
        self._lock = Lock()

    @property
    def identity(self) -> dict[str, str]:
        """How many different requests it knows."""
        return {"kind": "recorded", "requests": str(len(self._answers))}

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """Futures that are done already."""
        return [self._serve(request) for request in requests]

    def close(self) -> None:
        """Nothing to let go of."""

    def _serve(self, request: ModelRequest) -> Future[ModelAnswer]:
        future: Future[ModelAnswer] = Future()
        key = request_key(request)
        with self._lock:
            known = self._answers.get(key, [])
            number = self._served.get(key, 0)
            self._served[key] = number + 1
        if known:
            # A run that asks more often than the record did, after a kill for instance, gets the last answer again.
            future.set_result(known[min(number, len(known) - 1)])
        else:
            last = request.messages[-1].content.splitlines()[-1:] or [""]
            future.set_exception(ModelError(f"{self.name}: no recorded answer to this request (…{last[0][-80:]!r})"))
        return future


def dump(answers: Iterable[tuple[ModelRequest, ModelAnswer]]) -> Iterator[str]:
    """A line of JSON for each answer."""
    for request, answer in answers:
        yield json.dumps({"request": request_to_json(request), "answer": answer_to_json(answer)}, ensure_ascii=False)


def load(path: Path) -> Iterator[tuple[ModelRequest, ModelAnswer]]:
    """The answers of a file.

    Raises:
        ModelError: the file cannot be read, or a line is not as `dump` writes it; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
            yield request_from_json(value["request"]), answer_from_json(value["answer"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path}:{number}: no recorded answer: {error}") from error


def from_params(name: str, params: Mapping[str, Any]) -> Recorded:
    """Answers from an earlier run's record, exported to a file; asks nothing and makes nothing up."""
    return Recorded(name, load(Path(checked_params(RecordedParams, params, where=f"model {name!r}").path)))
