"""Engines at work on threads: one engine an idle thread and spec, opened when first needed, thrown away when it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from stratarena.agents.base import Appraise, Consult
from stratarena.agents.engines.base import Appraisals, Engine, EngineError, EngineLine, EngineSpec, appraise

__all__ = ["EngineRoom"]


class EngineRoom:
    """Answers consultations side by side; no engine is asked two things at once."""

    def __init__(
        self,
        open_engine: Callable[[EngineSpec], Engine],
        *,
        workers: int,
    ) -> None:
        self._open = open_engine
        self._idle: dict[EngineSpec, list[Engine]] = {}
        self._identities: dict[EngineSpec, Mapping[str, str]] = {}
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="engine")

    def submit(self, step: Consult | Appraise) -> Future[EngineLine | Appraisals]:
        """A future of the engine's line, or of what it says about many positions; it fails with `EngineError`."""
        return self._threads.submit(self._consult, step)

    @property
    def identities(self) -> Mapping[EngineSpec, Mapping[str, str]]:
        """What each engine that was opened so far says it is."""
        with self._lock:
            return dict(self._identities)

    def close(self) -> None:
        """Stop taking work, wait for what runs, close every engine."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            engines = [engine for idle in self._idle.values() for engine in idle]
            self._idle.clear()
        for engine in engines:
            engine.close()

    def _consult(self, step: Consult | Appraise) -> EngineLine | Appraisals:
        engine = self._take(step.engine)
        try:
            answer = (
                appraise(engine, step.query, step.lines) if isinstance(step, Appraise) else engine.consult(step.query)
            )
        except EngineError:
            engine.close()
            raise
        with self._lock:
            self._idle.setdefault(step.engine, []).append(engine)
        return answer

    def _take(self, spec: EngineSpec) -> Engine:
        with self._lock:
            idle = self._idle.get(spec)
            if idle:
                return idle.pop()
        engine = self._open(spec)
        with self._lock:
            self._identities.setdefault(spec, engine.identity)
        return engine
