"""The agent: one answer holds a whole search, which is read, checked, declared and followed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field, model_validator

from stratarena.agents.base import AgentSpec, Decision, Deliberation, Reply, Step, View, ask, explored, propose, revise
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.linearized.check import Asked, check_trace
from stratarena.agents.linearized.course import Favourite, favourites
from stratarena.agents.linearized.notation import StateForm
from stratarena.agents.linearized.parser import Reading, TraceError, TraceParser, TraceUnfinished
from stratarena.agents.linearized.prompt import fitting_shape, trace_messages
from stratarena.agents.linearized.record import tree_of
from stratarena.agents.linearized.searcher import BEST
from stratarena.agents.linearized.trace import Trace
from stratarena.agents.lines import declare_line, legal_prefix
from stratarena.agents.models.base import Completion, Finish, Request, Sampling
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import MalformedMove, Move, MoveError
from stratarena.games.plugins import load_game

__all__ = ["CHOSEN", "CUT_OFF", "GAMES", "Linearized"]

S = TypeVar("S")
GAMES = ("connect_four", "hex", "chess", "chess960")
_LONGEST_KEPT = 2000
# Neither can stand in a trace: whatever comes there is no part of one.
_STOPS = ("\n\n", "\nSEARCH")


class LinearizedParams(Params):
    """Parameters of `linearized`."""

    model: str = Field(description="a model of the tournament file")
    depth: Annotated[int, Field(ge=0, le=9)] | None = Field(
        None, description="plies to look ahead, 0 the root alone; goes with breadth"
    )
    breadth: Annotated[int, Field(ge=1, le=99)] | None = Field(
        None,
        description="moves to expand at each node; without both, the largest search that max_tokens and the budget allow",
    )
    max_tokens: Annotated[int, Field(ge=1)] = Field(1024, description="bound on one answer")
    characters_per_token: Annotated[float, Field(gt=0)] = Field(
        1.5, description="what a token holds of a trace, for choosing a size that fits"
    )
    examples: Annotated[int, Field(ge=0, le=8)] = Field(
        1, description="searches shown, made by a classical searcher from other positions"
    )
    list_legal_moves: bool = Field(True, description="whether the prompt lists the root's")
    state: StateForm = Field("fields", description="how chess positions are written: fields or notation (FEN)")
    reading: Reading = Field("strict", description="how the answer is read: strict or tolerant")
    fallback: Literal["cut_off", "always", "never"] = Field(
        "cut_off",
        description="when the best move so far stands in for a missing final choice: if the answer was cut off, also if "
        "it breaks off the form, or never",
    )
    temperature: Annotated[float, Field(ge=0, le=5)] = Field(0.0, description="0 takes the likeliest token")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="nucleus of the sampling")

    @model_validator(mode="after")
    def _both_or_none(self) -> LinearizedParams:
        if (self.depth is None) != (self.breadth is None):
            raise ValueError("give depth and breadth, or neither to have them chosen")
        return self


class Linearized:
    """A language model that writes out its search in one answer: every node is checked, the final choice is played.

    Source: internal search of MAV (arXiv 2412.12119), asked of any model that follows instructions. The best move of the
    first look is its plan, every search of a move at the root a chance to revise it. A final choice that is missing
    because the answer was cut off may be made up for by the best move so far, which the record then says; an illegal one
    is refused like any other move.
    """

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(LinearizedParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """The board games, in every size: sides move in turn and hide nothing, and a position fits on a line."""
        name = game.partition("(")[0]
        return None if name in GAMES else f"{self.spec.kind} plays {', '.join(GAMES)}, not {game}"

    def deliberate(self, view: View[S]) -> Deliberation:
        """One request; its answer is read along as it is written, as far as it is a trace."""
        params = self._params
        asked = self._asked(view)
        messages = trace_messages(
            view,
            asked,
            n_examples=params.examples,
            list_legal_moves=params.list_legal_moves,
            form=params.state,
        )
        sampling = Sampling(
            max_tokens=params.max_tokens,
            temperature=params.temperature,
            top_p=params.top_p,
            seed=view.seed if params.temperature > 0 else None,
            stop=_STOPS if params.reading == "strict" else (),
        )
        watch = partial(_watch, params.reading, asked)
        (answer,) = yield from ask(params.model, Request(messages=messages, sampling=sampling, watch=watch))
        read = _read(answer, params.reading, asked)
        trace = read.trace
        # Checking what was said is no search of its own: it runs on plain rules and costs no nodes.
        game = load_game(view.game.id)
        check = check_trace(game, view.state, trace, asked=asked)
        yield from explored(tree_of(game, trace, check, asked=asked, seat=view.seat, ended=read.ended))
        yield from _declare(view, favourites(trace))
        if trace.play is not None:
            root = trace.nodes[0].backup
            stated = root.value / BEST if root is not None and root.pick == trace.play else None
            return Decision(view.game.parse(view.state, trace.play), confidence=stated)
        if params.fallback == "always" or (params.fallback == "cut_off" and read.cut_off):
            substitute = _best_so_far(view, trace)
            if substitute is not None:
                return substitute
        raise MalformedMove(
            answer.text[:_LONGEST_KEPT],
            game=view.game.id,
            position=view.game.encode(view.state),
            why=f"no search could be read: {read.error}",
        )

    def _asked(self, view: View[Any]) -> Asked:
        """The size of this turn's search."""
        params = self._params
        if params.depth is not None and params.breadth is not None:
            return Asked(view.game.id, params.depth, params.breadth)
        left = view.remaining.completion_tokens
        return fitting_shape(
            view.game,
            view.state,
            tokens=params.max_tokens if left is None else min(params.max_tokens, left),
            characters_per_token=params.characters_per_token,
            form=params.state,
        )


CHOSEN = "choice"
"""How a search ended that was read to its final choice; more may follow behind a space or semicolon."""
CUT_OFF = "completion_tokens"
"""How one ended that its bound on tokens cut off."""
_MOST_NOTES = 5


class _Answer(NamedTuple):
    """What an answer is, read as a trace."""

    trace: Trace
    """All of it that could be read."""
    error: TraceError | None
    """What is wrong with the rest; None for a complete trace."""
    cut_off: bool
    """Whether the bound on tokens is what is wrong."""
    ended: str
    """In words for the record."""


def _watch(reading: Reading, asked: Asked) -> Callable[[str], bool]:
    """Says when an answer is complete, or can no longer become a trace."""
    parser = TraceParser(reading=reading, asked=asked)

    def enough(piece: str) -> bool:
        try:
            return parser.feed(piece)
        except TraceError:
            return True

    return enough


def _read(answer: Completion, reading: Reading, asked: Asked) -> _Answer:
    parser = TraceParser(reading=reading, asked=asked)
    error: TraceError | None = None
    try:
        # What stands behind the final choice belongs to nothing: a model that cannot stop is read no further.
        if not parser.feed(answer.text):
            parser.close(cut_off=answer.finish is Finish.LENGTH)
    except TraceError as problem:
        error = problem
    trace = parser.trace or Trace(*asked)
    if parser.complete:
        error = None
    cut_off = answer.finish is Finish.LENGTH and isinstance(error, TraceUnfinished)
    ended = CHOSEN if error is None else CUT_OFF if cut_off else f"{error.kind} text: {error}"
    if parser.complete and parser.unread.strip():
        ended += "; text behind the final choice was not read"
    if parser.notes:
        told = "; ".join(f"line {note.line}: {note.what}" for note in parser.notes[:_MOST_NOTES])
        more = len(parser.notes) - _MOST_NOTES
        ended += f" ({len(parser.notes)} let pass: {told}{f'; {more} more' if more > 0 else ''})"
    return _Answer(trace, error, cut_off, ended)


def _declare(view: View[Any], found: tuple[Favourite, ...]) -> Generator[Step, Reply, None]:
    """The first favourite as the plan of the turn, then each look at a move: kept, or revised with its evidence."""
    before: Plan | None = None
    for favourite in found:
        plan = _plan(view, favourite)
        if before is None:
            yield from declare_line(view, plan, changed_by=Cause.SEARCH)
        elif plan.moves[0] == before.moves[0]:
            yield from propose(plan)
        else:
            yield from revise(plan, Cause.SEARCH if favourite.searched else Cause.SELF_CHECK)
        before = plan


def _plan(view: View[Any], favourite: Favourite) -> Plan:
    """The line as far as it is legal; its first move as it was meant, even against the rules."""
    line = legal_prefix(view.game.id, view.state, favourite.line) or (Move(favourite.line[0]),)
    value = None if favourite.value is None else (2 * favourite.value - BEST) / BEST
    return Plan(moves=line, value=value, why=favourite.why)


def _best_so_far(view: View[Any], trace: Trace) -> Decision | None:
    """The legal move at the root that was carried up with the best value; without any, the best of the first values."""
    if not trace.nodes:
        return None
    children = [trace.nodes[child] for child in trace.children[0]]
    carried = [(node.move, BEST - node.backup.value) for node in children if node.move and node.backup is not None]
    for name, valued in (("best_backed_up", carried), ("first_guess", list(trace.nodes[0].moves))):
        for text, value in sorted(valued, key=lambda each: -each[1]):
            try:
                return Decision(view.game.parse(view.state, text), confidence=value / BEST, fallback=name)
            except MoveError:
                continue
    return None
