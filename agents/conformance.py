"""What any agent must satisfy, ours or a stranger's: `check_agent(make, game)` raises where a promise is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from stratarena.agents.base import Agent, Ask, Consult, Decision, Propose, Reply, Revise, View
from stratarena.agents.budget import Spend
from stratarena.agents.models.base import Completion, Finish, ModelAnswer, ModelRequest, Scores, Scoring
from stratarena.games.base import ArenaError, Game, IllegalMove, Move, MoveError, Seat

__all__ = ["ConformanceError", "check_agent"]

Answerer = Callable[[ModelRequest], ModelAnswer]
Consultant = Callable[[Consult], Any]
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

    `answer` stands for its models (the default says nothing readable) and `consult` for its engines. Checked: the spec
    survives JSON; it plays the game; only steps are yielded; plans are revised only when one stands; a decision is
    legal, or the answer is refused by a `MoveError`; the same view gives the same steps and decision again, from
    another agent of the same make, whatever it did before.

    Raises:
        ConformanceError: a promise is broken.
    """
    agent = make()
    spec = agent.spec
    try:
        json.dumps(dict(spec.params))
    except TypeError as error:
        raise ConformanceError(f"{spec.name}: its parameters are not plain JSON: {error}") from error
    refusal = agent.plays(game.id)
    if refusal is not None:
        raise ConformanceError(f"{spec.name} does not play {game.id}: {refusal}")
    for number in range(n_matches):
        rng = Random(f"{seed} {number}")
        own = Seat.FIRST if number % 2 == 0 else Seat.SECOND
        state = game.initial(rng)
        start = game.encode(state)
        moves: tuple[Move, ...] = ()
        while game.outcome(state) is None:
            if game.to_move(state) is own:
                view: View[Any] = View(
                    game=game,
                    state=game.visible(state, own),
                    seat=own,
                    ply=len(moves),
                    start=start,
                    moves=moves,
                    seed=rng.getrandbits(63),
                )
                chosen = _turn(agent, make(), view, answer=answer or _mumble, consult=consult)
                move = chosen if chosen is not None else rng.choice(game.legal_moves(state))
            else:
                move = rng.choice(game.legal_moves(state))
            state = game.play(state, move)
            moves = (*moves, move)


def _turn(agent: Agent, twin: Agent, view: View[Any], *, answer: Answerer, consult: Consultant | None) -> Move | None:
    """The move of a turn taken twice alike; None where the answer was refused both times."""
    after = " ".join(view.moves) or "no moves"
    first = _deliberate(agent, view, answer=answer, consult=consult, after=after)
    # A copy, since a view makes its generator once.
    second = _deliberate(twin, replace(view), answer=answer, consult=consult, after=after)
    if first != second:
        raise ConformanceError(
            f"{agent.spec.name} after {after}: the same view gave {first!r} and then {second!r}; an agent keeps nothing "
            "between turns and draws lots from the view only"
        )
    decided = first[-1]
    if not isinstance(decided, Decision):
        return None
    try:
        view.game.play(view.state, decided.move)
    except IllegalMove as illegal:
        raise ConformanceError(f"{agent.spec.name} after {after}: decided on an illegal move: {illegal}") from illegal
    if decided.confidence is not None and not 0 <= decided.confidence <= 1:
        raise ConformanceError(f"{agent.spec.name} after {after}: confidence {decided.confidence} is not in 0 to 1")
    return decided.move


def _deliberate(
    agent: Agent, view: View[Any], *, answer: Answerer, consult: Consultant | None, after: str
) -> tuple[Any, ...]:
    """Every step of a deliberation, then its decision or the refusal's text."""
    steps: list[Any] = []
    thinking = agent.deliberate(view)
    reply: Reply = None
    standing = view.standing
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
                        raise ConformanceError(
                            f"{agent.spec.name} after {after}: revised a plan that was never proposed"
                        )
                    standing = plan
                case Ask(model, requests):
                    if model not in agent.models:
                        raise ConformanceError(f"{agent.spec.name} asks {model!r}, which it does not list as a model")
                    reply = tuple(answer(request) for request in requests)
                case Consult(engine, _):
                    if engine not in agent.engines:
                        raise ConformanceError(f"{agent.spec.name} consults an engine that it does not list")
                    if consult is None:
                        raise ConformanceError(f"{agent.spec.name} consults an engine, but none was given to the check")
                    reply = consult(step)
                case _:
                    raise ConformanceError(f"{agent.spec.name} after {after}: yielded {step!r}, which is no step")
    except StopIteration as stop:
        if not isinstance(stop.value, Decision):
            raise ConformanceError(
                f"{agent.spec.name} after {after}: returned {stop.value!r}; a deliberation returns a Decision"
            ) from None
        return (*steps, stop.value)
    except MoveError as error:
        return (*steps, str(error))
    raise ConformanceError(f"{agent.spec.name} after {after}: still thinking after {_MOST_STEPS} steps")


def _mumble(request: ModelRequest) -> ModelAnswer:
    """An answer that is no move; equal scores for everything."""
    if isinstance(request, Scoring):
        n = len(request.continuations)
        return Scores(logprobs=(-1.0,) * n, n_tokens=(1,) * n, spend=Spend(model_calls=1))
    return Completion(text="hm", finish=Finish.STOP, spend=Spend(model_calls=1))
