"""One turn: a deliberation run to its decision; refused, asked again, forfeited or void.

The referee is the only one who touches both sides: the agent's steps come in, facts go out to the record, and what
the outside world has to answer is handed up to whoever drives the match.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, assert_never

from stratarena.agents.base import (
    Agent,
    Appraise,
    Ask,
    Consult,
    Decision,
    Deliberation,
    Explored,
    Propose,
    Refusal,
    Reply,
    Resigned,
    Revise,
    Spent,
    View,
    known_to,
)
from stratarena.agents.budget import FREE, Budget, BudgetExhausted, Overrun, Spend
from stratarena.agents.engines.base import Appraisals, EngineLine, EngineSpec
from stratarena.agents.models.base import Attempt, Completion, Failure, ModelAnswer, ModelRequest, Request, Scores
from stratarena.agents.plan import Plan
from stratarena.arena.clock import Clock
from stratarena.arena.events import Appraised, Called, Consulted, Faulted, Overran, Proposed, Refused, Revised, Searched
from stratarena.arena.meter import MeteredGame, Scopes
from stratarena.arena.notes import Notes
from stratarena.arena.prices import Price, most_completion_tokens
from stratarena.arena.seeds import derive_seed
from stratarena.arena.specs import ModelSettings, Verdict
from stratarena.arena.tree_check import checked_tree
from stratarena.games.base import Game, Move, MoveError, Seat

__all__ = ["Arrival", "Pending", "Ruling", "Trouble", "Turn", "take_turn"]

Pending = Ask | Consult | Appraise
"""What a turn waits for."""


class Trouble(NamedTuple):
    """What the infrastructure failed with."""

    error: str
    failure: Failure = Failure.LOCAL
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the outside world answered: one entry a request of an `Ask`, a single one for everything else."""

    answers: tuple[ModelAnswer | EngineLine | Appraisals | None, ...]
    """None where the infrastructure failed."""
    troubles: tuple[Trouble | None, ...]
    waits_ms: tuple[float, ...]
    """Time from submission to answer, less the time that was worked."""


class Turn(NamedTuple):
    """Everything that a turn is taken on."""

    match_seed: int
    agent: Agent
    seat: Seat
    ply: int
    state: Any
    start: str
    moves: tuple[Move, ...]
    standing: Plan | None
    re_asks: int
    settings: Mapping[str, ModelSettings] = MappingProxyType({})
    """By model: what its table says of sampling."""
    prices: Mapping[str, Price | None] = MappingProxyType({})
    """By model."""


class Ruling(NamedTuple):
    """What came of a turn: a decision with the state after it, or a verdict."""

    decision: Decision | None
    after: Any
    verdict: Verdict | None
    spend: Spend
    wait_ms: float
    seed: int
    standing: Plan | None


class _Void(Exception):
    """Infrastructure failed underneath the agent."""


class _Sitting:
    """What the turn has spent so far, and the stopwatch on the agent's own work."""

    __slots__ = (
        *("_began", "_clock", "_counted", "_told", "appraised", "game", "notes", "overran", "prices", "real", "scopes"),
        *("seat", "settings", "spend", "standing", "state", "wait_ms"),
    )

    def __init__(
        self, turn: Turn, *, game: MeteredGame[Any], real: Game[Any], scopes: Scopes, notes: Notes, clock: Clock
    ) -> None:
        self.game = game
        self.real = real
        self.state = turn.state
        self.scopes = scopes
        self.notes = notes
        self.seat = turn.seat
        self.settings = turn.settings
        self.prices = turn.prices
        self.overran = False
        """A single call passed its bound."""
        self.standing = turn.standing
        self.spend = FREE
        self.wait_ms = 0.0
        self._clock = clock.seconds
        self._began: float | None = None
        self._counted = 0
        self._told = FREE
        self.appraised: dict[EngineSpec, Appraised] = {}

    def open(self, bound: float | None) -> None:
        """Start counting nodes from zero, at most `bound` of them."""
        self.game.open(None if bound is None else int(bound))
        self._counted = 0

    def start(self) -> None:
        """The agent works from now on."""
        self._began = self._clock()

    def stop(self) -> None:
        """The agent has stopped working: charge it its time and nodes. Without a `start` since, nothing happens."""
        if self._began is None:
            return
        think_ms = (self._clock() - self._began) * 1000
        nodes = self.game.nodes - self._counted
        self._began = None
        self._counted = self.game.nodes
        if self.spend is FREE:
            self.spend = Spend(nodes=nodes, think_ms=think_ms)
        else:
            self.spend = replace(self.spend, nodes=self.spend.nodes + nodes, think_ms=self.spend.think_ms + think_ms)

    def appraise(self, step: Appraise, found: Appraisals | None, *, error: str | None, wait_ms: float) -> None:
        """Count an ask about positions in; it is written when the turn ends."""
        before = self.appraised.get(step.engine)
        nodes, think_ms = (0, 0.0) if found is None else (found.nodes, found.think_ms)
        self.appraised[step.engine] = Appraised(
            engine=step.engine,
            n_asks=1 + (before.n_asks if before else 0),
            n_positions=len(step.lines) + (before.n_positions if before else 0),
            nodes=nodes + (before.nodes if before else 0),
            think_ms=think_ms + (before.think_ms if before else 0.0),
            wait_ms=wait_ms + (before.wait_ms if before else 0.0),
            error=error,
        )
        self.spend += Spend(nodes=nodes, think_ms=think_ms)

    def since_told(self) -> Spend:
        """What was spent since the last search was told, or from the turn's beginning."""
        since = self.spend - self._told
        self._told = self.spend
        return since


def take_turn(
    turn: Turn, *, game: MeteredGame[Any], real: Game[Any], scopes: Scopes, notes: Notes, clock: Clock
) -> Generator[Pending, Arrival, Ruling]:
    """Run deliberations until a legal move is decided on, or the policies or the infrastructure end the match.

    `game` is the metered game that the agent gets, `real` the plain one that the decision is played on.
    """
    seat = turn.seat
    sitting = _Sitting(turn, game=game, real=real, scopes=scopes, notes=notes, clock=clock)
    refused: tuple[Refusal, ...] = ()
    decision: Decision | None = None
    after: Any = None
    while True:
        seed = derive_seed(turn.match_seed, "ply", turn.ply, len(refused))
        remaining = scopes.remaining(sitting.spend)
        sitting.open(remaining.nodes if scopes.strict else None)
        verdict: Verdict | None = None
        state, start, moves = known_to(real, turn.state, seat, start=turn.start, moves=turn.moves)
        try:
            decision = yield from _deliberate(
                turn.agent.deliberate(
                    View(
                        game=game,
                        state=state,
                        seat=seat,
                        ply=turn.ply,
                        start=start,
                        moves=moves,
                        remaining=remaining,
                        standing=sitting.standing,
                        refused=refused,
                        seed=seed,
                    )
                ),
                sitting,
            )
            after = real.play(turn.state, decision.move)
        except MoveError as error:
            refusal = Refusal(error.kind, error.text, error.why)
            refused = (*refused, refusal)
            notes.write(seat, Refused(refusal))
            if len(refused) > turn.re_asks:
                verdict = Verdict.forfeit(seat, error.kind)
        except Resigned:
            verdict = Verdict.forfeit(seat, "resigned")
        except BudgetExhausted:
            verdict = Verdict.forfeit(seat, "over_budget")
        except _Void as void:
            verdict = Verdict.void(str(void))
        except Exception as fault:  # noqa: BLE001
            # An agent's code is a stranger's: whatever it raises is its own fault and is kept.
            notes.write(seat, Faulted("agent", f"{type(fault).__name__}: {fault}", traceback.format_exc()))
            verdict = Verdict.forfeit(seat, "agent_fault")
        else:
            sitting.stop()
            break
        sitting.stop()
        if verdict is not None:
            decision = None
            break
    for fact in sitting.appraised.values():
        notes.write(seat, fact)
    scopes.hold(None)
    overruns = scopes.overruns(sitting.spend)
    for scope, overrun in overruns:
        notes.write(seat, Overran(scope, overrun))
    if (overruns or sitting.overran) and verdict is None and scopes.forfeits:
        decision, verdict = None, Verdict.forfeit(seat, "over_budget")
    return Ruling(decision, after, verdict, sitting.spend, sitting.wait_ms, seed, sitting.standing)


def _deliberate(thinking: Deliberation, sitting: _Sitting) -> Generator[Pending, Arrival, Decision]:
    """Step the agent to its decision: plans are written, asks and consultations handed up."""
    reply: Reply = None
    refusal: BudgetExhausted | None = None
    while True:
        sitting.start()
        try:
            step = thinking.send(reply) if refusal is None else thinking.throw(refusal)
        except StopIteration as stop:
            if not isinstance(stop.value, Decision):
                raise TypeError(f"a deliberation must return a Decision, not {stop.value!r}") from None
            return stop.value
        sitting.stop()
        reply, refusal = None, None
        match step:
            case Propose(plan):
                sitting.notes.write(sitting.seat, Proposed(plan))
                sitting.standing = plan
            case Revise(plan, cause):
                if sitting.standing is None:
                    raise RuntimeError("a plan was revised that was never proposed")
                sitting.notes.write(sitting.seat, Revised(sitting.standing, plan, cause))
                sitting.standing = plan
            case Explored(tree):
                tree = checked_tree(tree, sitting.real, sitting.state, sitting.seat)
                sitting.notes.write(sitting.seat, Searched(tree=tree, spend=sitting.since_told()))
            case Spent():
                reply = sitting.spend
            case Ask() | Consult() | Appraise():
                if isinstance(step, Ask) and step.model in sitting.settings:
                    applied = sitting.settings[step.model].applied_to
                    step = replace(step, requests=tuple(map(applied, step.requests)))
                if sitting.scopes.strict:
                    try:
                        step = _within(step, sitting.scopes.remaining(sitting.spend), sitting.scopes.budgets.call)
                    except BudgetExhausted as exhausted:
                        refusal = exhausted
                        continue
                    sitting.scopes.hold(sitting.spend + _most(step, sitting.prices))
                arrival = yield step
                _charge(step, arrival, sitting)
                sitting.scopes.hold(sitting.spend)
                reply = _reply(step, arrival)
            case _:
                raise TypeError(f"a deliberation must yield a Step, not {step!r}")


def _most(step: Pending, prices: Mapping[str, Price | None]) -> Spend:
    """What is in flight with this step at most, as far as it can be known."""
    if not isinstance(step, Ask):
        return FREE
    price = prices.get(step.model)
    return Spend(
        model_calls=len(step.requests),
        completion_tokens=sum(most_completion_tokens(request) for request in step.requests),
        cost_usd=0.0 if price is None else sum(price.at_most(request) for request in step.requests),
    )


def _within(step: Pending, left: Budget, call: Budget) -> Pending:
    """The step cut down to what is left, and each request to the bound on a call. Raises `BudgetExhausted` where nothing
    useful is left."""

    def need(resource: str, least: float) -> None:
        limit = getattr(left, resource)
        if limit is not None and limit < least:
            raise BudgetExhausted(Overrun(resource, limit, least))

    for resource in ("think_ms", "cost_usd"):
        limit = getattr(left, resource)
        if limit is not None and limit <= 0:
            raise BudgetExhausted(Overrun(resource, 0, 0))
    match step:
        case Ask():
            need("model_calls", len(step.requests))
            need("prompt_tokens", 1)
            need("completion_tokens", len(step.requests))
            shares = [call.completion_tokens] if call.completion_tokens is not None else []
            shares += [left.completion_tokens // len(step.requests)] if left.completion_tokens is not None else []
            if not shares:
                return step
            return replace(step, requests=tuple(_shortened(request, min(shares)) for request in step.requests))
        case Consult() | Appraise():
            need("nodes", 1)
            query = step.query
            if left.nodes is not None and (query.nodes is None or query.nodes > left.nodes):
                query = replace(query, nodes=left.nodes)
            if left.think_ms is not None and query.move_ms is not None and query.move_ms > left.think_ms:
                query = replace(query, move_ms=max(1, int(left.think_ms)))
            return replace(step, query=query)
        case _:
            assert_never(step)


def _shortened(request: ModelRequest, share: int) -> ModelRequest:
    """The request with no more tokens to write than its share: first the room for thinking goes, then the answer's."""
    if not isinstance(request, Request) or request.sampling.most_tokens <= share:
        return request
    answer = max(min(request.sampling.max_tokens, share), 1)
    sampling = replace(request.sampling, max_tokens=answer, thinking_tokens=max(share - answer, 0))
    return replace(request, sampling=sampling)


def _charge(step: Pending, arrival: Arrival, sitting: _Sitting) -> None:
    """Write what was asked and answered, and add up what it cost.

    Raises:
        _Void: the infrastructure failed; what it cost is in the record all the same.
    """
    failure: Faulted | None = None
    for index, (answer, trouble, wait_ms) in enumerate(
        zip(arrival.answers, arrival.troubles, arrival.waits_ms, strict=True)
    ):
        sitting.wait_ms += wait_ms
        error = None if trouble is None else trouble.error
        match step:
            case Ask(model, requests):
                assert not isinstance(answer, EngineLine | Appraisals)
                attempts = trouble.attempts if trouble is not None else ()
                if isinstance(answer, Completion):
                    answer, attempts = replace(answer, attempts=()), answer.attempts
                call = Called(
                    model=model,
                    request=requests[index],
                    answer=answer,
                    error=error,
                    failure=None if trouble is None else trouble.failure,
                    wait_ms=wait_ms,
                    attempts=attempts,
                )
                sitting.notes.write(sitting.seat, call)
                sitting.spend += call.spend
                for overrun in sitting.scopes.overrun_by_call(call.spend):
                    sitting.notes.write(sitting.seat, Overran("call", overrun))
                    sitting.overran = True
            case Consult(engine, query):
                assert answer is None or isinstance(answer, EngineLine)
                sitting.notes.write(
                    sitting.seat, Consulted(engine=engine, query=query, line=answer, error=error, wait_ms=wait_ms)
                )
                if answer is not None:
                    sitting.spend += Spend(nodes=answer.nodes or 0, think_ms=answer.think_ms)
            case Appraise():
                assert answer is None or isinstance(answer, Appraisals)
                sitting.appraise(step, answer, error=error, wait_ms=wait_ms)
            case _:
                assert_never(step)
        if error is not None:
            failure = Faulted("model" if isinstance(step, Ask) else "engine", error, "")
    if failure is not None:
        sitting.notes.write(sitting.seat, failure)
        raise _Void(f"{failure.where}_failed")


def _reply(step: Pending, arrival: Arrival) -> Reply:
    if isinstance(step, Consult):
        line = arrival.answers[0]
        assert isinstance(line, EngineLine)
        return line
    if isinstance(step, Appraise):
        found = arrival.answers[0]
        assert isinstance(found, Appraisals)
        return found.found
    return tuple(answer for answer in arrival.answers if isinstance(answer, Completion | Scores))
