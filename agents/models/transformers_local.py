"""Causal language models run here, by torch and transformers: one worker thread, batched, prompts' beginnings cached.

Everything that waits when the worker is free and begins with the same system message is answered as one left-padded
batch. Padding a batch differently can change the last bits of a logit, and with them, rarely, a greedy choice: where a
run must repeat to the letter whatever else is in flight, set `max_batch = 1`. Scores are computed one request at a
time and do not depend on others.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field

from stratarena.agents.models.base import (
    Constraint,
    ModelAnswer,
    ModelError,
    ModelRequest,
    Request,
)
from stratarena.agents.models.embedded import GGUF_SHA256, locate
from stratarena.agents.models.inference import Inference, Loaded, load, system_message
from stratarena.agents.params import Params, checked_params

__all__ = ["Answering", "LocalModel", "RuntimeParams", "from_folder", "smollm2"]


class RuntimeParams(Params):
    """How a local model is run."""

    max_batch: int = Field(16, ge=1, description="requests answered side by side; 1 repeats exactly")
    threads: int = Field(1, ge=1, description="torch threads; more than there are free cores is slower, not faster")
    device: str = Field("cpu", description="a torch device, such as cpu or cuda:0")
    dtype: Literal["float32", "bfloat16", "float16"] = Field("float32", description="number format of the weights")


class FolderParams(RuntimeParams):
    """Parameters of `transformers`."""

    folder: str = Field(description="a folder that AutoModelForCausalLM opens, or a GGUF file")
    chat: Literal["own", "plain"] = Field("own", description="the model's own chat template, or a simple one")


@dataclass(frozen=True, slots=True)
class _Job:
    request: ModelRequest
    future: Future[ModelAnswer]


_LOADING = threading.Lock()
"""Held while a model is opened: transformers does not bear being imported by two threads at once."""
TAKEN_FROM_TRANSFORMERS = (
    *("AutoConfig", "AutoModelForCausalLM", "AutoTokenizer", "DynamicCache", "GenerationMixin", "PreTrainedModel"),
    "PretrainedConfig",
)
"""All that is used of it. It loads each when it is first asked for, and a worker that answers asks while another opens."""


def _take_from_transformers() -> None:
    """Have it load all that is used of it. Nothing happens where it is missing: whoever opens a model says so."""
    try:
        transformers = import_module("transformers")
    except ImportError:
        return
    for name in TAKEN_FROM_TRANSFORMERS:
        getattr(transformers, name)


class Answering(Protocol):
    """Weights in memory that answer."""

    def answer(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelError]:
        """One answer a request, in order; a request that cannot be answered fails alone."""


class LocalModel:
    """A `Model` on this machine. Weights are loaded by the worker when the first request comes.

    Args:
        find_folder: where they lie, found when they are wanted.
        open_weights: makes what answers, where that is no chat model of transformers.
        trial: makes a short request to try it with, where it does not answer to plain words.
    """

    def __init__(
        self,
        name: str,
        find_folder: Callable[[], Path],
        params: RuntimeParams,
        identity: Mapping[str, str],
        open_weights: Callable[[], Answering] | None = None,
        trial: Callable[[], Request] | None = None,
    ) -> None:
        self.name = name
        self.trial = trial
        self._params = params
        self._is_chat = open_weights is None
        self._open = open_weights or (lambda: Inference(_loaded(find_folder(), params)))
        self._identity = dict(identity)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self._closed = False
        self._door = threading.Lock()
        """Held to take requests in and to close, so that nothing is taken in by a worker that has left."""

    @property
    def identity(self) -> dict[str, str]:
        """Weights, library versions and how it is run."""
        libraries = {f"{library} version": _version(library) for library in ("torch", "transformers")}
        runtime = {key: str(value) for key, value in self._params.model_dump().items() if key != "folder"}
        return {**self._identity, **libraries, **runtime}

    def enforces(self, constraint: Constraint) -> str | None:
        """How it holds answers to a form: a chat model to every form, token by token; others to none."""
        return constraint.kind if self._is_chat else None

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """Futures that the worker fills."""
        jobs = [_Job(request, Future()) for request in requests]
        with self._door:
            if self._closed:
                for job in jobs:
                    job.future.set_exception(ModelError(f"{self.name} is closed"))
            else:
                for job in jobs:
                    self._jobs.put(job)
                if self._worker is None:
                    self._worker = threading.Thread(target=self._work, name=f"model-{self.name}", daemon=True)
                    self._worker.start()
        return [job.future for job in jobs]

    def close(self) -> None:
        """Take no more; what still waits fails. The batch in hand is finished first."""
        with self._door:
            self._closed = True
            self._jobs.put(None)
        if self._worker is not None:
            self._worker.join()

    def _work(self) -> None:
        """The worker: batch after batch until closed."""
        waiting: deque[_Job] = deque()
        engine: Answering | None = None
        while True:
            self._gather(waiting, block=not waiting)
            if self._closed:
                # What came in between the look at the queue and the close still lies there.
                self._gather(waiting, block=False)
                for job in waiting:
                    if job.future.set_running_or_notify_cancel():
                        job.future.set_exception(ModelError(f"{self.name} was closed"))
                return
            batch = [
                job for job in _next_batch(waiting, self._params.max_batch) if job.future.set_running_or_notify_cancel()
            ]
            if not batch:
                continue
            try:
                if engine is None:
                    with _LOADING:
                        _take_from_transformers()
                        engine = self._open()
                answers = engine.answer([job.request for job in batch])
            except Exception as error:  # noqa: BLE001
                # Whatever goes wrong in here is infrastructure: the callers are told, and the worker goes on.
                told = error if isinstance(error, ModelError) else ModelError(f"{type(error).__name__}: {error}")
                for job in batch:
                    job.future.set_exception(told)
                continue
            for job, answer in zip(batch, answers, strict=True):
                if isinstance(answer, ModelError):
                    job.future.set_exception(answer)
                else:
                    job.future.set_result(answer)

    def _gather(self, waiting: deque[_Job], *, block: bool) -> None:
        """Take all that has come, up to the mark of the close; `block` waits for the first."""
        while True:
            try:
                job = self._jobs.get(block=block)
            except queue.Empty:
                return
            if job is None:
                return
            waiting.append(job)
            block = False


def _loaded(folder: Path, params: RuntimeParams) -> Loaded:
    return load(
        folder,
        threads=params.threads,
        device=params.device,
        dtype=params.dtype,
        plain=isinstance(params, FolderParams) and params.chat == "plain",
    )


def smollm2(name: str, params: Mapping[str, Any]) -> LocalModel:
    """SmolLM2-135M-Instruct on this machine's CPU; fetched once by `stratarena models fetch smollm2`."""
    checked = checked_params(RuntimeParams, params, where=f"model {name!r}")
    identity = {"name": "SmolLM2-135M-Instruct", "weights": f"sha256:{GGUF_SHA256} (Q4_1, run as {checked.dtype})"}
    return LocalModel(name, locate, checked, identity)


def from_folder(name: str, params: Mapping[str, Any]) -> LocalModel:
    """Any causal language model in a local folder or GGUF file that transformers opens; nothing is downloaded."""
    checked = checked_params(FolderParams, params, where=f"model {name!r}")
    path = Path(checked.folder).expanduser()

    def find() -> Path:
        if not path.is_file() and not (path / "config.json").exists():
            raise ModelError(f"{path} is no model folder: there is no config.json in it")
        return path

    return LocalModel(name, find, checked, {"name": path.name, "files": _fingerprint(path)})


def _fingerprint(folder: Path) -> str:
    """16 hexadecimal digits of the folder's files: names and sizes, and the contents of those below a megabyte."""
    digest = blake2b(digest_size=8)
    try:
        files = [folder] if folder.is_file() else sorted(path for path in folder.glob("*") if path.is_file())
        for path in files:
            size = path.stat().st_size
            digest.update(f"{path.name}\0{size}\0".encode())
            if size < 1_000_000:
                digest.update(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def _next_batch(waiting: deque[_Job], most: int) -> list[_Job]:
    """The oldest job, and with it those of the same kind and system message that are nearest to it in length.

    What is shorter than the longest of a batch is padded, and padding costs as much as text.
    """
    first = waiting.popleft()
    if not isinstance(first.request, Request):
        return [first]
    system, length = system_message(first.request.messages), _length(first)
    alike = [
        job for job in waiting if isinstance(job.request, Request) and system_message(job.request.messages) == system
    ]
    nearest = sorted(alike, key=lambda job: abs(_length(job) - length))[: most - 1]
    chosen = {id(job) for job in nearest}
    rest = [job for job in waiting if id(job) not in chosen]
    waiting.clear()
    waiting.extend(rest)
    return [first, *nearest]


def _length(job: _Job) -> int:
    """Characters that the job's prompt has."""
    return sum(len(message.content) for message in job.request.messages)
