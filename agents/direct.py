"""The plainest model player: rules and position in, one move out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from stratarena.agents.base import AgentSpec, Decision, Deliberation, View, ask, propose, revise
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.lines import declare_line, legal_prefix
from stratarena.agents.models.base import Completion, Constraint, Finish, Message, Request, Sampling
from stratarena.agents.params import Params, ParamsError, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.planning import declare, needs_plans, series_of
from stratarena.agents.prompts import LOOK_AGAIN, look_again_at, move_messages, plan_messages, too_dear
from stratarena.agents.reading import Reader, named_line, named_move, read_move
from stratarena.agents.structured import Field as JsonField
from stratarena.agents.structured import answer_schema, read_structured
from stratarena.agents.templates import TEMPLATES, Notation, TemplateName
from stratarena.games.base import IllegalMove, Move, MoveError
from stratarena.games.resource.base import VerdictKind
from stratarena.games.resource.series import KEEP, says_keep

__all__ = ["Constrained", "Direct"]

S = TypeVar("S")

_LONGEST_LINE = 20
_MOST_CANDIDATES = 20


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
    answer: Literal["text", "json"] = Field("text", description="whether an answer is a line of text or a JSON object")
    fields: list[JsonField] = Field(
        default_factory=list,
        description="what a JSON answer tells beside its move: reasoning, candidates, plan, confidence",
    )
    template: TemplateName = Field("board-v1", description="the words of the prompt")
    notation: Annotated[list[Notation], Field(min_length=1)] = Field(
        ["grid", "position"],
        description="how the state is told: grid, position (one line, such as a FEN), moves (all of them)",
    )
    show_budget: bool = Field(False, description="whether the prompt says what is left to spend")
    line: Annotated[int, Field(ge=0, le=20)] = Field(
        0, description="plies of the intended line that an answer tells beside its move, which become its plan"
    )


class Direct:
    """A language model that writes its move. What it writes is read strictly; no move is ever invented for it.

    An unreadable or illegal answer is refused by the referee, who asks again with what was wrong, as often as the
    tournament's policy says; then the seat forfeits.
    """

    engines: tuple[EngineSpec, ...] = ()
    only_legal = False
    """Whether its model is held to the legal moves."""

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(DirectParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)
        told_twice = self._params.answer == "json" and (self._params.line or self._params.self_checks)
        if told_twice:
            message = "with answer = 'json', ask for the field plan instead of line, and set self_checks to 0"
            raise ParamsError(f"agent {spec.name!r}", [("answer", message)])
        if self.only_legal and self._params.answer == "text":
            free = [key for key in ("reasoning", "line", "self_checks") if getattr(self._params, key)]
            if free:
                message = (
                    f"an answer that is held to the legal moves has no room for {free[0]}; ask with answer = 'json'"
                )
                raise ParamsError(f"agent {spec.name!r}", [(free[0], message)])

    @property
    def prompt(self) -> Mapping[str, str]:
        """The template that it asks with, word for word, with its hash."""
        template = TEMPLATES[self._params.template]
        words = {name: str(value) for name, value in asdict(template).items()}
        return {**words, "hash": template.hash, "notation": " ".join(self._params.notation)}

    @property
    def must_enforce(self) -> tuple[str, ...]:
        """Kinds of constraints that its model has to enforce."""
        return (("schema" if self._params.answer == "json" else "choices"),) if self.only_legal else ()

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
            fields=params.fields if params.answer == "json" else None,
            template=TEMPLATES[params.template],
            notation=params.notation,
            show_budget=params.show_budget,
        )
        if params.answer == "json":
            return (yield from self._json_move(view, messages, sampling))
        declares = params.line > 0 or params.self_checks > 0
        (answer,) = yield from ask(
            params.model, Request(messages=messages, sampling=sampling, constraint=self._constraint(view))
        )
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

    def _json_move(self, view: View[Any], messages: tuple[Message, ...], sampling: Sampling) -> Deliberation:
        """A move out of a JSON answer; its plan, candidates and reasons are declared, its confidence is recorded."""
        params = self._params
        request = Request(messages=messages, sampling=sampling, constraint=self._constraint(view))
        (answer,) = yield from ask(params.model, request)
        said = read_structured(view.game, view.state, answer, params.fields)
        if params.fields:
            line = legal_prefix(view.game.id, view.state, said.plan[:_LONGEST_LINE])
            value = next((value for name, value in said.candidates if name == said.move), None)
            candidates = ", ".join(f"{name} {value:+.2f}" for name, value in said.candidates[:_MOST_CANDIDATES])
            why = "\n".join(filter(None, (said.reasoning, candidates and f"candidates: {candidates}")))
            plan = Plan(moves=line if line[:1] == (said.move,) else (said.move,), value=value, why=why)
            yield from declare_line(view, plan, changed_by=Cause.SELF_CHECK)
        return Decision(said.move, confidence=said.confidence)

    def _constraint(self, view: View[Any]) -> Constraint | None:
        """The form that the answer is to have, where the model can be held to one."""
        moves = tuple(view.game.legal_moves(view.state)) if self.only_legal else ()
        if self._params.answer == "json":
            return Constraint(kind="schema", body=answer_schema(self._params.fields, moves=moves))
        return Constraint(kind="choices", body=json.dumps(moves)) if moves else None

    def _read(self, view: View[Any], answer: Completion) -> Move:
        return read_move(
            view.game,
            view.state,
            answer.text,
            reader=self._params.reader,
            finish=answer.finish,
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


class Constrained(Direct):
    """A language model whose answers are held to the legal moves while it writes them: it cannot break the rules.

    A kind of its own, so that nobody compares its legality with a free model's. Its model must be able to enforce forms:
    one on this machine, or a server with a grammar, with choices or with JSON schemas.
    """

    only_legal = True

    def plays(self, game: str) -> str | None:
        """Every game whose legal moves can be listed."""
        return f"{game} has no list of legal moves to be held to" if needs_plans(game) else None
