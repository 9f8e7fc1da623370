"""What any agent must satisfy, ours or a stranger's: `check_agent(make, game)` raises where a promise is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

from stratarena.agents.base import (
    Agent,
    Appraise,
    Ask,
    Consult,
    Decision,
    Explored,
    Propose,
    Refusal,
    Reply,
    Revise,
    Spent,
    Step,
    View,
    known_to,
)
from stratarena.agents.budget import FREE, Spend
from stratarena.agents.engines.base import Appraisal, Engine, EngineLine, EngineSpec
from stratarena.agents.engines.base import appraise as appraise_by
from stratarena.agents.engines.open import open_engine
from stratarena.agents.models.base import Completion, Finish, ModelAnswer, ModelRequest, Scores, Scoring
from stratarena.agents.plan import Plan
from stratarena.games.base import ArenaError, Game, Move, MoveError, Seat

__all__ = ["ConformanceError", "check_agent"]

Answerer = Callable[[ModelRequest], ModelAnswer]
Consultant = Callable[[Consult], EngineLine]
_MOST_STEPS = 1000


class ConformanceError(ArenaError):
    """An agent breaks a promise of its protocol; says which, and after which moves."""


def check_agent(
    make: Callable[[], Agent],
    game: Game[Any],
    *,
    answer: Answerer | None = None,
    consult: Consultant | None = None,
    n_matches: int = 2,
    seed: int = 0,
) -> None:
    """Play matches against a random opponent and check every turn of the agent.

    `answer` stands for its models (the default says nothing readable) and `consult` for its engines (the default opens
    the real ones). Checked: the spec survives JSON; it plays the game; only steps are yielded; plans are revised only
    when one stands; search trees are in form; a decision is legal, or the answer is refused by a `MoveError`, and then the agent goes on when it
    is asked again with the refusal; the same view gives the same steps and decision again, from another agent of the
    same make, whatever the first did before.

    Raises:
        ConformanceError: a promise is broken.
        EngineError: an engine that it consults is missing or failed.
    """
    agent = make()
    _check_spec(agent, game)
    engines: dict[EngineSpec, Engine] = {}

    def opened(spec: EngineSpec) -> Engine:
        if spec not in engines:
            engines[spec] = open_engine(spec)
        return engines[spec]

    def ask_engine(step: Consult) -> EngineLine:
        return opened(step.engine).consult(step.query)

    def ask_values(step: Appraise) -> tuple[Appraisal, ...]:
        return appraise_by(opened(step.engine), step.query, step.lines).found

    stage = _Stage(agent, make, answer or _mumble, consult or ask_engine, ask_values)
    try:
        for number in range(n_matches):
            _play_match(stage, game, seat=list(Seat)[number % 2], rng=Random(f"{seed} {number}"))
    finally:
        for engine in engines.values():
            engine.close()


@dataclass(frozen=True, slots=True)
class _Stage:
    """The agent under test, and who answers it."""

    agent: Agent
    make: Callable[[], Agent]
    answer: Answerer
    consult: Consultant
    appraise: Callable[[Appraise], tuple[Appraisal, ...]]


class _Thought(NamedTuple):
    """A deliberation from its first step to its end."""

    steps: tuple[Step, ...]
    decision: Decision | None
    """None where the answer was refused."""
    refusal: Refusal | None
    standing: Plan | None


def _check_spec(agent: Agent, game: Game[Any]) -> None:
    """Raise unless the parameters survive JSON and the agent plays the game."""
    spec = agent.spec
    params = dict(spec.params)
    try:
        again = json.loads(json.dumps(params, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConformanceError(f"{spec.name}: its parameters are not plain JSON: {error}") from error
    if again != params:
        raise ConformanceError(f"{spec.name}: its parameters are {params!r}, but {again!r} after a way through JSON")
    refusal = agent.plays(game.id)
    if refusal is not None:
        raise ConformanceError(f"{spec.name} does not play {game.id}: {refusal}")


def _play_match(stage: _Stage, game: Game[Any], *, seat: Seat, rng: Random) -> None:
    """One match of the agent in `seat`; a refused turn is made up for by a random move."""
    state = game.initial(rng)
    start = game.encode(state)
    moves: tuple[Move, ...] = ()
    standing: Plan | None = None
    while game.outcome(state) is None:
        move = rng.choice(game.legal_moves(state))
        turn_seed = rng.getrandbits(63)
        if game.to_move(state) is seat:
            seen, begun, told = known_to(game, state, seat, start=start, moves=moves)
            view: View[Any] = View(
                game=game,
                state=seen,
                seat=seat,
                ply=len(moves),
                start=begun,
                moves=told,
                standing=standing,
                seed=turn_seed,
            )
            thought = _think_twice(stage, view)
            if thought.refusal is not None:
                thought = _think_twice(stage, replace(view, refused=(thought.refusal,), standing=thought.standing))
            standing = thought.standing
            if thought.decision is not None:
                move = thought.decision.move
        state = game.play(state, move)
        moves = (*moves, move)


def _think_twice(stage: _Stage, view: View[Any]) -> _Thought:
    """The thought on a view, the same from the agent and from a new one of its make, its decision legal."""
    where = _where(stage.agent, view)
    first = _think(stage, stage.agent, view)
    # A copy, since a view makes its generator once.
    second = _think(stage, stage.make(), replace(view))
    if first != second:
        raise ConformanceError(
            f"{where}: the same view gave {first!r} and then {second!r}; an agent keeps nothing between turns and draws "
            "lots from the view only"
        )
    if first.decision is None:
        return first
    try:
        # Not played, since a state of which only a part is seen cannot be.
        view.game.parse(view.state, first.decision.move)
    except MoveError as illegal:
        raise ConformanceError(f"{where}: decided on an illegal move: {illegal}") from illegal
    confidence = first.decision.confidence
    if confidence is not None and not 0 <= confidence <= 1:
        raise ConformanceError(f"{where}: confidence {confidence} is not in 0 to 1")
    return first


def _think(stage: _Stage, agent: Agent, view: View[Any]) -> _Thought:
    """One deliberation with every step answered."""
    where = _where(agent, view)
    steps: list[Step] = []
    standing = view.standing
    thinking = agent.deliberate(view)
    reply: Reply = None
    try:
        for _ in range(_MOST_STEPS):
            step = thinking.send(reply)
            steps.append(step)
            reply = None
            match step:
                case Propose(plan):
                    standing = plan
                case Revise(plan, _):
                    if standing is None:
                        raise ConformanceError(f"{where}: revised a plan that was never proposed")
                    standing = plan
                case Explored(tree):
                    problem = tree.problem()
                    if problem is not None:
                        raise ConformanceError(f"{where}: declared a search tree that is out of form: {problem}")
                case Spent():
                    reply = FREE
                case Appraise(engine, _, _):
                    if engine not in agent.engines:
                        raise ConformanceError(f"{where}: asks {engine.kind}, which it does not list as an engine")
                    reply = stage.appraise(step)
                case Ask(model, requests):
                    if model not in agent.models:
                        raise ConformanceError(f"{where}: asks {model!r}, which it does not list as a model")
                    reply = tuple(stage.answer(request) for request in requests)
                case Consult(engine, _):
                    if engine not in agent.engines:
                        raise ConformanceError(f"{where}: consults {engine.kind}, which it does not list as an engine")
                    reply = stage.consult(step)
                case _:
                    raise ConformanceError(f"{where}: yielded {step!r}, which is no step")
    except StopIteration as stop:
        if not isinstance(stop.value, Decision):
            raise ConformanceError(f"{where}: returned {stop.value!r}; a deliberation returns a Decision") from None
        return _Thought(tuple(steps), stop.value, None, standing)
    except MoveError as error:
        return _Thought(tuple(steps), None, Refusal(error.kind, error.text, error.why), standing)
    raise ConformanceError(f"{where}: still thinking after {_MOST_STEPS} steps")


def _where(agent: Agent, view: View[Any]) -> str:
    return f"{agent.spec.name} after {' '.join(view.moves) or 'no moves'}"


def _mumble(request: ModelRequest) -> ModelAnswer:
    """An answer that is no move; equal scores for everything."""
    if isinstance(request, Scoring):
        n = len(request.continuations)
        return Scores(logprobs=(-1.0,) * n, n_tokens=(1,) * n, spend=Spend(model_calls=1))
    return Completion(text="hm", finish=Finish.STOP, spend=Spend(model_calls=1))
