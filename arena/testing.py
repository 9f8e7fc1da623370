"""Fakes that implement the seams, for our tests and a plugin author's: no mocks, no network, no clock of their own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from random import Random
from typing import Any

from stratarena.agents.base import Agent, AgentSpec, Decision, Deliberation, Reply, Step, View
from stratarena.agents.budget import FREE, Spend
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.models.base import Model, ModelAnswer, ModelRequest
from stratarena.arena.clock import Clock
from stratarena.arena.driver import Backstage, MatchInPlay, drive
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.events import Event, MemoryRecorder
from stratarena.arena.match import Venue, play_match
from stratarena.arena.meter import Tally
from stratarena.arena.specs import Budgets, MatchSpec, Opening, Policies, Verdict
from stratarena.arena.store import MatchProgress
from stratarena.games.base import Game, Move, Seat

__all__ = ["HandClock", "InstantModel", "ScriptedAgent", "play_one"]


class HandClock:
    """A clock that moves only when told to, plus `step_s` at every reading of its seconds."""

    def __init__(self, *, step_s: float = 0.0, epoch_ms: int = 1_700_000_000_000) -> None:
        self.now_s = 0.0
        self._step_s = step_s
        self._epoch_ms = epoch_ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds

    def clock(self) -> Clock:
        """The clock to hand over."""
        return Clock(self._seconds, lambda: self._epoch_ms + round(self.now_s * 1000))

    def _seconds(self) -> float:
        self.now_s += self._step_s
        return self.now_s


class ScriptedAgent:
    """An agent whose deliberations are given: one generator function for all its turns."""

    def __init__(
        self,
        name: str,
        think: Callable[[View[Any]], Generator[Step, Reply, Decision]],
        *,
        models: tuple[str, ...] = (),
        engines: tuple[EngineSpec, ...] = (),
    ) -> None:
        self.spec = AgentSpec(name, "scripted")
        self.models = models
        self.engines = engines
        self._think = think

    def plays(self, game: str) -> str | None:
        """Every game."""
        return None

    def deliberate(self, view: View[Any]) -> Deliberation:
        """What was given."""
        return self._think(view)

    @staticmethod
    def of_moves(name: str, moves: Iterable[str]) -> ScriptedAgent:
        """An agent that makes these moves in turn, one at every deliberation, then falls out of its script."""
        script = iter(moves)

        def think(view: View[Any]) -> Generator[Step, Reply, Decision]:
            return Decision(Move(next(script)))
            yield

        return ScriptedAgent(name, think)


class InstantModel:
    """A model that answers at once by a function; an exception it returns fails the call."""

    def __init__(self, name: str, answer: Callable[[ModelRequest], ModelAnswer | Exception]) -> None:
        self.name = name
        self.identity: dict[str, str] = {"kind": "instant"}
        self.requests: list[ModelRequest] = []
        """Everything it was asked, in order."""
        self.submissions: list[int] = []
        """The size of every batch."""
        self._answer = answer

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """Futures that are done already."""
        self.submissions.append(len(requests))
        return [self._one(request) for request in requests]

    def close(self) -> None:
        """Nothing to let go of."""

    def _one(self, request: ModelRequest) -> Future[ModelAnswer]:
        self.requests.append(request)
        future: Future[ModelAnswer] = Future()
        answer = self._answer(request)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future


def play_one(
    game: Game[Any],
    first: Agent,
    second: Agent,
    *,
    models: Mapping[str, Model] | None = None,
    engines: EngineRoom | None = None,
    budgets: Budgets | None = None,
    policies: Policies | None = None,
    opening: tuple[str, ...] = (),
    seed: int = 0,
    clock: Clock | None = None,
    progress: Mapping[str, Any] | None = None,
    spent: Mapping[Seat, Spend] | None = None,
) -> tuple[Verdict, list[Event]]:
    """Play one match in memory: its verdict and everything recorded. `progress` continues an earlier one."""
    recorder = MemoryRecorder()
    ticking = clock or HandClock(step_s=0.001).clock()
    spec = MatchSpec(
        key="test/first-vs-second/r1a",
        game=game.id,
        first=first.spec.name,
        second=second.spec.name,
        round=1,
        pair="test/first-vs-second/r1",
        opening=Opening(
            name="test" if opening else "start",
            start=game.encode(game.initial(Random(0))),
            moves=tuple(Move(move) for move in opening),
        ),
        seed=seed,
        digest="0" * 32,
    )
    play = play_match(
        MatchProgress(match_id=1, spec=spec, **(progress or {})),
        game=game,
        agents={Seat.FIRST: first, Seat.SECOND: second},
        spent={seat: Tally((spent or {}).get(seat, FREE)) for seat in Seat},
        venue=Venue(budgets=budgets or Budgets(), policies=policies or Policies(), recorder=recorder, clock=ticking),
    )
    verdicts: list[Verdict] = []

    def on_end(match: MatchInPlay, verdict: Verdict) -> None:
        verdicts.append(verdict)

    room = engines or EngineRoom(_no_engine, workers=1)
    try:
        drive(
            iter([MatchInPlay(spec, play)]),
            jobs=1,
            backstage=Backstage(models=models or {}, prices={}, engines=room),
            recorder=recorder,
            clock=ticking,
            on_end=on_end,
        )
    finally:
        room.close()
    (verdict,) = verdicts
    return verdict, recorder.events


def _no_engine(spec: EngineSpec) -> Any:
    raise AssertionError(f"no engine was expected: {spec}")
