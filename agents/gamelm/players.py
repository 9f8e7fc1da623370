"""The game model as a player: by its values alone, or by a search that it writes itself, in one answer.

Searches around it are those of every model: `mcts_llm` and `tree_of_thought` with `evaluator = "game_lm"`. Whatever the model
says goes over the seam of all models, as text, so it is recorded, charged and can be replayed.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from stratarena.agents.base import AgentSpec, Decision, Deliberation, Reply, Step, View, ask, explored, propose, revise
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.gamelm.evaluator import known_board, plays_from, request_of
from stratarena.agents.gamelm.forms import NotInterchange, form_of
from stratarena.agents.gamelm.games import FOLDERS, WRITING, refusal
from stratarena.agents.gamelm.speech import Board, Question, parse_answer
from stratarena.agents.gamelm.trace_reading import BrokenTrace, read_trace
from stratarena.agents.gamelm.trace_record import no_tree, tree_of
from stratarena.agents.gamelm.trace_text import trace_tokens
from stratarena.agents.gamelm.vocabulary import BUCKETS
from stratarena.agents.linearized.player import CHOSEN, CUT_OFF
from stratarena.agents.lines import declare_line, legal_prefix
from stratarena.agents.models.base import Finish
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import Game, MalformedMove

__all__ = ["GameModelPlayer"]

S = TypeVar("S")
Opinion = Generator[Step, Reply, tuple[int, float]]


class GameModelParams(Params):
    """Parameters of `game_lm`."""

    model: str = Field(description="a model of the tournament file, of kind game_lm")
    search: Literal["none", "internal"] = Field("none", description="none, or one that the model writes itself")
    scoring: Literal["mean", "max"] = Field("mean", description="a move's expected value, or its likeliest bucket")
    depth: Annotated[int, Field(ge=0, le=3)] = Field(1, description="plies of the model's own search")
    breadth: Annotated[int, Field(ge=1, le=7)] = Field(3, description="moves looked into at each of its nodes")


class GameModelPlayer:
    """A game by the arena's own language model of it; repeats exactly with a model of `max_batch = 1`."""

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(GameModelParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """The games that there are weights of; of chess no model writes searches."""
        if self._params.search == "internal" and game in FOLDERS and game not in WRITING:
            return f"the game model writes searches of {' and '.join(WRITING)} only, not of {game}"
        return refusal(game)

    def plays_from(self, game: Game[S], state: S) -> str | None:
        """Of chess only endings."""
        return plays_from(game, state)

    def deliberate(self, view: View[S]) -> Deliberation:
        """Ask once, declare the line, play. Raises `MalformedMove` where the model values no legal move."""
        form = form_of(view.game.id)
        board = yield from known_board(self._params.model, view)
        legal = [form.index(move, view.seat, board) for move in view.game.legal_moves(view.state)]
        if self._params.search == "internal":
            return (yield from self._internal(view, board, legal))
        move, value = yield from self._first_opinion(view, board, legal)
        best = form.move(move, view.seat, board)
        yield from declare_line(view, Plan(moves=(best,), value=2 * value - 1), changed_by=Cause.SEARCH)
        return Decision(best, confidence=value)

    def _first_opinion(self, view: View[Any], board: Board, legal: list[int]) -> Opinion:
        """The legal move that it values most, and its value, 0 to 1. Raises `MalformedMove` without any."""
        question = Question(board, None, self._params.scoring, game=view.game.id)
        (answer,) = yield from ask(self._params.model, request_of(question))
        why = "the model valued no legal move"
        values: dict[int, float] = {}
        try:
            values = {
                move: value for move, value in parse_answer(question, answer.text).values.items() if move in legal
            }
        except NotInterchange as error:
            why = str(error)
        if not values:
            raise MalformedMove(answer.text[:200], game=view.game.id, position=view.game.encode(view.state), why=why)
        move = max(values, key=lambda move: values[move])
        return move, min(max(values[move], 0.0), 1.0)

    def _internal(self, view: View[Any], board: Board, legal: list[int]) -> Deliberation:
        """A search in one answer: what it favoured first is the plan, what it selected a revision if that is another."""
        asked, form = (self._params.depth, self._params.breadth), form_of(view.game.id)
        (answer,) = yield from ask(self._params.model, request_of(Question(board, search=asked, game=form.game)))
        try:
            trace = read_trace(form, trace_tokens(form, answer.text))
        except (NotInterchange, BrokenTrace) as error:
            ended = CUT_OFF if answer.finish is Finish.LENGTH else f"strict text: {error}"
            yield from explored(no_tree(asked, ended))
            root = None
        else:
            tree = tree_of(view.game, trace, asked=asked, state=view.state, seat=view.seat, ended=CHOSEN)
            yield from explored(tree)
            root = trace.root
        if root is None or root.selected not in legal:
            # What it first thought of the board stands in its answer, unless that is unreadable, too.
            move, _ = yield from self._first_opinion(view, board, legal)
            return Decision(
                form.move(move, view.seat, board), fallback="its own search was broken or chose no legal move"
            )
        value = (root.value - 0.5) / BUCKETS
        best = form.move(root.selected, view.seat, board)
        line = legal_prefix(view.game.id, view.state, tree.line) or (best,)
        why = ", ".join(
            f"{form.move(move, view.seat, board)} searched: {(back - 0.5) / BUCKETS:.2f}"
            for move, _, back in root.children
        )
        plan = Plan(moves=line, value=2 * value - 1, why=why)
        first = tree.first_move if tree.first_move in view.game.legal_moves(view.state) else None
        if first is None:
            yield from declare_line(view, plan, changed_by=Cause.SEARCH)
        else:
            yield from declare_line(view, Plan(moves=(first,), value=tree.value_before), changed_by=Cause.SEARCH)
            yield from propose(plan) if first == line[0] else revise(plan, Cause.SEARCH)
        return Decision(best, confidence=value)
