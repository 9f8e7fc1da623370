"""Many matches in flight without a barrier: each goes on the moment its own reply is there.

A tick steps every match that can move on, once, to its next ask or the end of its turn; then the turns that ended
are made durable together, and the asks go out, those to one model in one batch. So no match begins a turn before its
last one is on disk, and a killed process loses at most the turn in flight of each match.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from enum import Enum
from queue import Empty, SimpleQueue

from stratarena.agents.base import Appraise, Ask, Consult
from stratarena.agents.budget import Spend
from stratarena.agents.engines.base import Appraisals, EngineError, EngineLine
from stratarena.agents.models.base import Attempt, Completion, Model, ModelAnswer, ModelError, ModelRequest
from stratarena.agents.models.keys import request_key
from stratarena.arena.clock import Clock
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.events import Recorder
from stratarena.arena.ledger import Hold, Ledger, unsure_usd
from stratarena.arena.match import MatchPlay, TurnEnd
from stratarena.arena.prices import Price
from stratarena.arena.referee import Arrival, Trouble
from stratarena.arena.specs import MatchSpec, Verdict
from stratarena.arena.store import Banked

__all__ = ["Backstage", "Halt", "MatchInPlay", "drive"]


class Halt(Enum):
    """Why not all matches came to their end."""

    STOPPED = "stopped"
    """Somebody said so."""
    CAPPED = "capped"
    """No call that is wanted fits under the run's cap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backstage:
    """What answers asks and consultations."""

    models: Mapping[str, Model]
    prices: Mapping[str, Price | None]
    """By model; None leaves the model's own figure."""
    engines: EngineRoom
    ledger: Ledger = field(default_factory=Ledger)
    """The run's account, and the cap on it."""


class MatchInPlay:
    """A match being played, and what it waits for."""

    __slots__ = (
        *("_answers", "_awaited", "_banked", "_holds", "_price", "_submitted", "_troubles", "_waits"),
        *("play", "ply", "spec", "step"),
    )

    def __init__(self, spec: MatchSpec, play: MatchPlay, *, banked: Sequence[Banked] = ()) -> None:
        self.spec = spec
        self.play = play
        self._banked = list(banked)
        self.ply = 0
        self.step: Ask | Consult | Appraise | None = None
        """What it waits for; None while it can go on."""

    @property
    def waits_for(self) -> str:
        """In words: `"model smollm2"`, `"engine uci"`, or `"its turn"`."""
        match self.step:
            case Ask(model, requests) if not self._holds:
                return f"the run's cap (model {model})"
            case Ask(model, requests):
                return f"model {model}" + (f" ({len(requests)} requests)" if len(requests) > 1 else "")
            case Consult(engine=engine) | Appraise(engine=engine):
                return f"engine {engine.kind}"
            case None:
                return "its turn"

    def draw(self, step: Ask) -> list[ModelAnswer] | None:
        """Answers to this step that an earlier run paid for in the turn it did not finish; None unless to all of it."""
        drawn: list[Banked] = []
        for request in step.requests:
            key = request_key(request)
            left = [banked for banked in self._banked if not any(banked is taken for taken in drawn)]
            found = next((banked for banked in left if (banked.model, banked.key) == (step.model, key)), None)
            if found is None:
                return None
            drawn.append(found)
        self._banked = [banked for banked in self._banked if not any(banked is taken for taken in drawn)]
        return [banked.answer for banked in drawn]

    def wait_outside(self, step: Ask) -> None:
        """Wait until the step fits under the cap."""
        self.step = step
        self._holds: tuple[Hold, ...] = ()

    def expect(
        self, step: Ask | Consult | Appraise, *, price: Price | None = None, holds: tuple[Hold, ...] = (), now: float
    ) -> None:
        """Wait for the answers to this step."""
        self._holds = holds
        n = len(step.requests) if isinstance(step, Ask) else 1
        self.step = step
        self._answers: list[ModelAnswer | EngineLine | Appraisals | None] = [None] * n
        self._troubles: list[Trouble | None] = [None] * n
        self._waits = [0.0] * n
        self._awaited = n
        self._price = price
        self._submitted = now

    def arrive(
        self,
        index: int,
        future: Future[ModelAnswer] | Future[EngineLine | Appraisals],
        *,
        ledger: Ledger,
        now: float,
    ) -> Arrival | None:
        """Take one answer and settle it; everything that was awaited, once the last is in."""
        elapsed_ms = (now - self._submitted) * 1000
        worked_ms = 0.0
        try:
            answer = future.result()
        except EngineError as error:
            self._troubles[index] = Trouble(str(error))
        except ModelError as error:
            assert isinstance(self.step, Ask)
            attempts = _paid(error.attempts, self.step.requests[index], self._price)
            trouble = Trouble(str(error), error.failure, attempts)
            self._troubles[index] = trouble
            ledger.settle(
                self._holds[index], Spend(model_calls=1, cost_usd=0.0 if attempts else None), unsure_usd(attempts)
            )
        else:
            if isinstance(answer, EngineLine | Appraisals):
                worked_ms = answer.think_ms
                self._answers[index] = answer
            else:
                assert isinstance(self.step, Ask)
                worked_ms = answer.spend.think_ms
                priced = _priced(answer, self.step.requests[index], self._price)
                self._answers[index] = priced
                tries = priced.attempts if isinstance(priced, Completion) else ()
                ledger.settle(self._holds[index], priced.spend, unsure_usd(tries))
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
) -> Halt | None:
    """Play all matches, at most `jobs` at once; None when they all came to their end, else why not.

    `on_end` is called once a verdict is durable, and may give a match to be played in its place. `on_tick` sees the
    matches in play, by a number of their own, after every tick and at least every `tick_s` seconds. When `stop`
    says so, everything decided so far is durable and the turns in flight are given up. An ask that does not fit under the
    ledger's cap waits until something in flight has turned out cheaper than it might have been; when everything in play
    waits for that in vain, it is over.
    """
    in_play: dict[int, MatchInPlay] = {}
    ready: deque[tuple[int, Arrival | None]] = deque()
    arrivals: SimpleQueue[tuple[int, int, Future[ModelAnswer] | Future[EngineLine | Appraisals]]] = SimpleQueue()
    outside: deque[tuple[int, Ask | Consult | Appraise]] = deque()
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

    def take(item: tuple[int, int, Future[ModelAnswer] | Future[EngineLine | Appraisals]]) -> None:
        match_number, index, future = item
        arrival = in_play[match_number].arrive(index, future, ledger=backstage.ledger, now=clock.seconds())
        if arrival is not None:
            ready.append((match_number, arrival))

    admit()
    while in_play:
        if stop():
            return Halt.STOPPED
        asking: list[tuple[int, Ask | Consult | Appraise]] = []
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
        outside.extend(asking)
        outside = _send(outside, in_play, ready=ready, backstage=backstage, arrivals=arrivals, clock=clock)
        admit()
        on_tick(in_play)
        if outside and len(outside) == len(in_play) and not ready and backstage.ledger.idle:
            return Halt.CAPPED
        if in_play and not ready:
            while not ready and not stop():
                try:
                    take(arrivals.get(timeout=tick_s))
                except Empty:
                    on_tick(in_play)
        while not arrivals.empty():
            take(arrivals.get())
    return None


def _send(
    asking: deque[tuple[int, Ask | Consult | Appraise]],
    in_play: Mapping[int, MatchInPlay],
    *,
    ready: deque[tuple[int, Arrival | None]],
    backstage: Backstage,
    arrivals: SimpleQueue[tuple[int, int, Future[ModelAnswer] | Future[EngineLine | Appraisals]]],
    clock: Clock,
) -> deque[tuple[int, Ask | Consult | Appraise]]:
    """Hand the steps out, all requests to one model in one submission; those that do not fit under the cap come back.

    What an earlier run has paid for is answered out of the record.
    """
    by_model: dict[str, list[tuple[int, int, Ask]]] = {}
    outside: deque[tuple[int, Ask | Consult | Appraise]] = deque()
    for match_number, step in asking:
        match = in_play[match_number]
        if isinstance(step, Consult | Appraise):
            match.expect(step, now=clock.seconds())
            line = backstage.engines.submit(step)
            line.add_done_callback(lambda done, n=match_number: arrivals.put((n, 0, done)))  # type: ignore[misc]
            continue
        known = match.draw(step)
        if known is not None:
            n = len(known)
            ready.append((match_number, Arrival(tuple(known), (None,) * n, (0.0,) * n)))
            continue
        price = backstage.prices.get(step.model)
        holds = backstage.ledger.admit(step.requests, price)
        if holds is None:
            match.wait_outside(step)
            outside.append((match_number, step))
            continue
        match.expect(step, price=price, holds=holds, now=clock.seconds())
        rows = by_model.setdefault(step.model, [])
        rows.extend((match_number, index, step) for index in range(len(step.requests)))
    for model, rows in by_model.items():
        futures = backstage.models[model].submit([step.requests[index] for _, index, step in rows])
        for (match_number, index, _), future in zip(rows, futures, strict=True):
            future.add_done_callback(
                lambda done, n=match_number, i=index: arrivals.put((n, i, done))  # type: ignore[misc]
            )
    return outside


def _priced(answer: ModelAnswer, request: ModelRequest, price: Price | None) -> ModelAnswer:
    """The answer with its cost by the price table, where there is one."""
    if isinstance(answer, Completion):
        answer = replace(answer, attempts=_paid(answer.attempts, request, price))
    return answer if price is None else replace(answer, spend=replace(answer.spend, cost_usd=price.of(answer)))


def _paid(attempts: tuple[Attempt, ...], request: ModelRequest, price: Price | None) -> tuple[Attempt, ...]:
    return attempts if price is None else tuple(price.paid(attempt, request) for attempt in attempts)
