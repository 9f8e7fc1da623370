"""The plainest model player: rules and position in, one move out."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field

from stratarena.agents.base import AgentSpec, Decision, Deliberation, View, ask, propose, revise
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.lines import declare_line, legal_prefix
from stratarena.agents.models.base import Completion, Finish, Message, Request, Sampling
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.planning import declare, needs_plans, series_of
from stratarena.agents.prompts import LOOK_AGAIN, look_again_at, move_messages, plan_messages, too_dear
from stratarena.agents.reading import Reader, named_line, named_move, read_move
from stratarena.games.base import IllegalMove, Move, MoveError
from stratarena.games.resource.base import VerdictKind
from stratarena.games.resource.series import KEEP, says_keep

__all__ = ["Direct"]

S = TypeVar("S")


class DirectParams(Params):
    """Parameters of `llm`."""

    model: str = Field(description="a model of the tournament file")
    temperature: Annotated[float, Field(ge=0, le=5)] = Field(0.0, description="0 takes the likeliest token")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="nucleus of the sampling")
    max_tokens: Annotated[int, Field(ge=1)] = Field(16, description="bound on one answer")
    list_legal_moves: bool = Field(True, description="whether the prompt lists them")
    history: Annotated[int, Field(ge=0)] = Field(10, description="plies of the past that the prompt shows")
    reasoning: bool = Field(False, description="whether the prompt invites thoughts before the move")
    example: bool = Field(False, description="whether the prompt begins with an example of an answer")
    reader: Reader = Field("strict", description="how an answer is read: strict or tolerant")
    plan_tokens: Annotated[int, Field(ge=1)] = Field(2048, description="bound on one answer where a move is a plan")
    opening_attempts: Annotated[int, Field(ge=1, le=20)] = Field(
        1, description="answers it may give until its opening plan is within the purse"
    )
    self_checks: Annotated[int, Field(ge=0, le=20)] = Field(
        0, description="times it looks at its move or plan again before it settles on it"
    )
    line: Annotated[int, Field(ge=0, le=20)] = Field(
        0, description="plies of the intended line that an answer tells beside its move, which become its plan"
    )


class Direct:
    """A language model that writes its move. What it writes is read strictly; no move is ever invented for it.

    An unreadable or illegal answer is refused by the referee, who asks again with what was wrong, as often as the
    tournament's policy says; then the seat forfeits.
    """

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(DirectParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """Every game that can be put into words, which is every game."""
        return None

    def deliberate(self, view: View[S]) -> Deliberation:
        """One request; whatever it answers is read once. Plans and second looks take more, as the parameters say."""
        if view.game.traits.purse and needs_plans(view.game.id):
            return (yield from self._plan(view))
        return (yield from self._move(view))

    def _move(self, view: View[Any]) -> Deliberation:
        """A move: asked for, declared with its line, looked at again, settled on."""
        params = self._params
        sampling = self._sampling(view, params.max_tokens)
        messages = move_messages(
            view,
            list_legal_moves=params.list_legal_moves,
            history=params.history,
            reasoning=params.reasoning,
            example=params.example,
            line=params.line,
        )
        declares = params.line > 0 or params.self_checks > 0
        (answer,) = yield from ask(params.model, Request(messages=messages, sampling=sampling))
        try:
            move = self._read(view, answer)
        except IllegalMove:
            named = named_move(answer.text)
            if declares and named is not None:
                # Meant, if against the rules: what replaces it after the refusal is a revision.
                yield from declare_line(view, Plan(moves=(Move(named),)), changed_by=Cause.SELF_CHECK)
            raise
        if not declares:
            return Decision(move)
        plan = self._line(view, move, answer)
        yield from declare_line(view, plan, changed_by=Cause.SELF_CHECK)
        for _ in range(params.self_checks):
            again = Message("user", look_again_at(plan.moves[0], line=params.line))
            messages = (*messages, Message("assistant", answer.text), again)
            (answer,) = yield from ask(params.model, Request(messages=messages, sampling=sampling))
            if says_keep(answer.text):
                yield from propose(plan)
                break
            try:
                second = self._line(view, self._read(view, answer), answer)
            except MoveError:
                # It names no move to change to, so what was said before stands.
                continue
            if second.moves[0] == plan.moves[0]:
                yield from propose(second)
            else:
                yield from revise(second, Cause.SELF_CHECK)
            plan = second
        return Decision(plan.moves[0])

    def _read(self, view: View[Any], answer: Completion) -> Move:
        return read_move(
            view.game,
            view.state,
            answer.text,
            reader=self._params.reader,
            cut_off=answer.finish is Finish.LENGTH,
        )

    def _line(self, view: View[Any], move: Move, answer: Completion) -> Plan:
        """The move with the line that the answer tells, if that begins with the move; a broken line as far as it is legal."""
        told = named_line(answer.text, longest=self._params.line) if self._params.line else ()
        if answer.finish is Finish.LENGTH:
            told = told[:-1]
        line = legal_prefix(view.game.id, view.state, told) if told else ()
        if line[:1] != (move,):
            return Plan(moves=(move,))
        broken = (
            f"its line breaks at {told[len(line)]!r}, which is no legal move there" if len(line) < len(told) else ""
        )
        return Plan(moves=line, why=broken)

    def _plan(self, view: View[Any]) -> Deliberation:
        """A whole plan: asked for, asked again while an opening is too dear, looked at again, submitted."""
        params, series = self._params, series_of(view.game.id)
        sampling = self._sampling(view, params.plan_tokens)
        messages = plan_messages(view)
        opening = view.state.plan_of(view.seat) is None
        standing: Plan | None = None
        cause = Cause.SERIES
        for attempt in range(1, (params.opening_attempts if opening else 1) + 1):
            (answer,) = yield from ask(params.model, Request(messages=messages, sampling=sampling))
            move = series.parse(view.state, answer.text)
            if move == KEEP and params.self_checks:
                # What is kept is what the second looks are about.
                standing = view.standing
            standing = yield from declare(view, move, cause=cause, standing=standing)
            messages = (*messages, Message("assistant", answer.text))
            verdict = None if move == KEEP else series.judge(view.state, view.seat, move)
            if attempt == params.opening_attempts or verdict is None or verdict.kind is not VerdictKind.OVER_PURSE:
                break
            messages = (*messages, Message("user", too_dear(verdict, attempt=attempt)))
            cause = Cause.OVER_PURSE
        for _ in range(params.self_checks):
            messages = (*messages, Message("user", LOOK_AGAIN))
            (answer,) = yield from ask(params.model, Request(messages=messages, sampling=sampling))
            messages = (*messages, Message("assistant", answer.text))
            second = series.parse(view.state, answer.text)
            if says_keep(answer.text):
                standing = yield from declare(view, KEEP, standing=standing)
            elif series.judge(view.state, view.seat, second).plan is not None:
                move = second
                standing = yield from declare(view, move, cause=Cause.SELF_CHECK, standing=standing)
            # An answer that holds no plan leaves what was said before as it is.
        return Decision(move)

    def _sampling(self, view: View[Any], max_tokens: int) -> Sampling:
        params = self._params
        return Sampling(
            max_tokens=max_tokens,
            temperature=params.temperature,
            top_p=params.top_p,
            seed=view.seed if params.temperature > 0 else None,
        )
