"""Many matches in flight without a barrier: each goes on the moment its own reply is there.

A tick steps every match that can move on, once, to its next ask or the end of its turn; then the turns that ended
are made durable together, and the asks go out, those to one model in one batch. So no match begins a turn before its
last one is on disk, and a killed process loses at most the turn in flight of each match.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from stratarena.agents.base import Ask, Consult
from stratarena.agents.engines.base import EngineError, EngineLine
from stratarena.agents.models.base import Attempt, Completion, Model, ModelAnswer, ModelError, ModelRequest
from stratarena.arena.clock import Clock
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.events import Recorder
from stratarena.arena.match import MatchPlay, TurnEnd
from stratarena.arena.prices import Price
from stratarena.arena.referee import Arrival, Trouble
from stratarena.arena.specs import MatchSpec, Verdict

__all__ = ["Backstage", "MatchInPlay", "drive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backstage:
    """What answers asks and consultations."""

    models: Mapping[str, Model]
    prices: Mapping[str, Price | None]
    """By model; None leaves the model's own figure."""
    engines: EngineRoom


class MatchInPlay:
    """A match being played, and what it waits for."""

    __slots__ = ("_answers", "_awaited", "_price", "_submitted", "_troubles", "_waits", "play", "ply", "spec", "step")

    def __init__(self, spec: MatchSpec, play: MatchPlay) -> None:
        self.spec = spec
        self.play = play
        self.ply = 0
        self.step: Ask | Consult | None = None
        """What it waits for; None while it can go on."""

    @property
    def waits_for(self) -> str:
        """In words: `"model smollm2"`, `"engine uci"`, or `"its turn"`."""
        match self.step:
            case Ask(model, requests):
                return f"model {model}" + (f" ({len(requests)} requests)" if len(requests) > 1 else "")
            case Consult(engine, _):
                return f"engine {engine.kind}"
            case None:
                return "its turn"

    def expect(self, step: Ask | Consult, *, price: Price | None, now: float) -> None:
        """Wait for the answers to this step."""
        n = len(step.requests) if isinstance(step, Ask) else 1
        self.step = step
        self._answers: list[ModelAnswer | EngineLine | None] = [None] * n
        self._troubles: list[Trouble | None] = [None] * n
        self._waits = [0.0] * n
        self._awaited = n
        self._price = price
        self._submitted = now

    def arrive(self, index: int, future: Future[ModelAnswer] | Future[EngineLine], *, now: float) -> Arrival | None:
        """Take one answer; everything that was awaited, once the last is in."""
        elapsed_ms = (now - self._submitted) * 1000
        worked_ms = 0.0
        try:
            answer = future.result()
        except EngineError as error:
            self._troubles[index] = Trouble(str(error))
        except ModelError as error:
            assert isinstance(self.step, Ask)
            attempts = _paid(error.attempts, self.step.requests[index], self._price)
            self._troubles[index] = Trouble(str(error), error.failure, attempts)
        else:
            if isinstance(answer, EngineLine):
                worked_ms = answer.think_ms
                self._answers[index] = answer
            else:
                assert isinstance(self.step, Ask)
                worked_ms = answer.spend.think_ms
                self._answers[index] = _priced(answer, self.step.requests[index], self._price)
        self._waits[index] = max(elapsed_ms - worked_ms, 0.0)
        self._awaited -= 1
        if self._awaited:
            return None
        self.step = None
        return Arrival(tuple(self._answers), tuple(self._troubles), tuple(self._waits))


def drive(
    matches: Iterator[MatchInPlay],
    *,
    jobs: int,
    backstage: Backstage,
    recorder: Recorder,
    clock: Clock,
    on_end: Callable[[MatchInPlay, Verdict], MatchInPlay | None],
    on_tick: Callable[[Mapping[int, MatchInPlay]], None] = lambda in_play: None,
    stop: Callable[[], bool] = lambda: False,
    tick_s: float = 0.25,
) -> bool:
    """Play all matches, at most `jobs` at once; whether they all came to their end.

    `on_end` is called once a verdict is durable, and may give a match to be played in its place. `on_tick` sees the
    matches in play, by a number of their own, after every tick and at least every `tick_s` seconds. When `stop`
    says so, everything decided so far is durable and the turns in flight are given up.
    """
    in_play: dict[int, MatchInPlay] = {}
    ready: deque[tuple[int, Arrival | None]] = deque()
    arrivals: SimpleQueue[tuple[int, int, Future[ModelAnswer] | Future[EngineLine]]] = SimpleQueue()
    number = 0

    def enter(match: MatchInPlay) -> None:
        nonlocal number
        in_play[number] = match
        ready.append((number, None))
        number += 1

    def admit() -> None:
        while len(in_play) < jobs:
            match = next(matches, None)
            if match is None:
                return
            enter(match)

    def take(item: tuple[int, int, Future[ModelAnswer] | Future[EngineLine]]) -> None:
        match_number, index, future = item
        arrival = in_play[match_number].arrive(index, future, now=clock.seconds())
        if arrival is not None:
            ready.append((match_number, arrival))

    admit()
    while in_play:
        if stop():
            return False
        asking: list[tuple[int, Ask | Consult]] = []
        ended: list[tuple[int, Verdict]] = []
        for _ in range(len(ready)):
            match_number, arrival = ready.popleft()
            match = in_play[match_number]
            try:
                step = match.play.send(arrival)
            except StopIteration as end:
                ended.append((match_number, end.value))
                continue
            if isinstance(step, TurnEnd):
                match.ply = step.ply
                ready.append((match_number, None))
            else:
                asking.append((match_number, step))
        recorder.flush()
        for match_number, verdict in ended:
            successor = on_end(in_play.pop(match_number), verdict)
            if successor is not None:
                enter(successor)
        _send(asking, in_play, backstage=backstage, arrivals=arrivals, clock=clock)
        admit()
        on_tick(in_play)
        if in_play and not ready:
            while not ready and not stop():
                try:
                    take(arrivals.get(timeout=tick_s))
                except Empty:
                    on_tick(in_play)
        while not arrivals.empty():
            take(arrivals.get())
    return True


def _send(
    asking: list[tuple[int, Ask | Consult]],
    in_play: Mapping[int, MatchInPlay],
    *,
    backstage: Backstage,
    arrivals: SimpleQueue[tuple[int, int, Future[ModelAnswer] | Future[EngineLine]]],
    clock: Clock,
) -> None:
    """Hand the steps out: all requests to one model in one submission."""
    by_model: dict[str, list[tuple[int, int, Ask]]] = {}
    for match_number, step in asking:
        match = in_play[match_number]
        match.expect(
            step, price=backstage.prices.get(step.model) if isinstance(step, Ask) else None, now=clock.seconds()
        )
        if isinstance(step, Ask):
            rows = by_model.setdefault(step.model, [])
            rows.extend((match_number, index, step) for index in range(len(step.requests)))
        else:
            line = backstage.engines.submit(step)
            line.add_done_callback(lambda done, n=match_number: arrivals.put((n, 0, done)))  # type: ignore[misc]
    for model, rows in by_model.items():
        futures = backstage.models[model].submit([step.requests[index] for _, index, step in rows])
        for (match_number, index, _), future in zip(rows, futures, strict=True):
            future.add_done_callback(
                lambda done, n=match_number, i=index: arrivals.put((n, i, done))  # type: ignore[misc]
            )


def _priced(answer: ModelAnswer, request: ModelRequest, price: Price | None) -> ModelAnswer:
    """The answer with its cost by the price table, where there is one."""
    if isinstance(answer, Completion):
        answer = replace(answer, attempts=_paid(answer.attempts, request, price))
    return answer if price is None else replace(answer, spend=replace(answer.spend, cost_usd=price.of(answer)))


def _paid(attempts: tuple[Attempt, ...], request: ModelRequest, price: Price | None) -> tuple[Attempt, ...]:
    return attempts if price is None else tuple(price.paid(attempt, request) for attempt in attempts)
