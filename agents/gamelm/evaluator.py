"""The game model as the evaluator of a tree search: values of every move in one question a position, in batches.

In the world of the rules it is asked about positions; in its own it is asked what a move leads to, and its answer is the
position. Source: Schultz et al. (2412.12119), section on external search.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from stratarena.agents.base import Reply, Step, View, ask
from stratarena.agents.evaluators import Cost, PriorShape, Spot, Thinking
from stratarena.agents.gamelm.forms import Form, NotInterchange, form_of
from stratarena.agents.gamelm.speech import Answer, Board, Question, foreign_question, parse_answer, question_text
from stratarena.agents.models.base import Completion, Message, Request, Sampling
from stratarena.agents.search_tree import Evaluation, Opened
from stratarena.games.base import Game, PositionError, Seat

__all__ = ["GameModelValues", "known_board", "plays_from", "request_of"]

_MOST_TOKENS = 4096
"""Room for the longest search that it writes."""


class GameModelValues:
    """A position is worth its best move. What cannot be read is no opinion."""

    has_opinion = True
    cost = Cost(calls=1, words="1 call: reads a board, in the model's own world also writes one")

    def __init__(self, model: str, *, scoring: str, shape: PriorShape) -> None:
        self._model = model
        self._scoring = scoring
        self._shape = shape

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """All positions of a batch are asked about together; there is no second ask, since the same answer would come."""
        form = form_of(view.game.id)
        yield from known_board(self._model, view)
        questions = [self._question(form, spot) for spot in spots]
        asked = [question for question in questions if question is not None]
        answers = iter((yield from ask(self._model, *map(request_of, asked))) if asked else ())
        return [
            None if question is None else self._evaluation(form, spot, question, next(answers))
            for spot, question in zip(spots, questions, strict=True)
        ]

    def _question(self, form: Form, spot: Spot) -> Question | None:
        """None where the model's own words of a position are no position at all."""
        try:
            if spot.before is None:
                return Question(form.board(spot.state, spot.seat), None, self._scoring, game=form.game)
            mover = spot.seat.other
            board = form.board(spot.before, mover)
            return Question(board, form.index(spot.line[-1], mover, board), self._scoring, game=form.game)
        except (PositionError, ValueError):
            return None

    def _evaluation(self, form: Form, spot: Spot, question: Question, answer: Completion) -> Evaluation | None:
        try:
            said = parse_answer(question, answer.text)
        except NotInterchange:
            return None
        if spot.before is not None:
            return self._imagined(form, spot, said)
        values = {form.move(index, spot.seat, question.board): value for index, value in said.values.items()}
        if not any(move in values for move in spot.moves):
            return None
        # A legal move that it holds for illegal is one it would not play.
        every = tuple(values.get(move, 0.0) for move in spot.moves)
        claim = spot.state if isinstance(spot.state, str) else None
        return Evaluation(max(every), self._shape.priors(every), every, moves=spot.moves, claim=claim)

    def _imagined(self, form: Form, spot: Spot, said: Answer) -> Evaluation:
        text = form.encode(said.board, spot.seat, spot.before)
        if said.result is not None:
            result = said.result if spot.seat is Seat.FIRST else 1 - said.result
            return Evaluation(said.result, opened=Opened(text, spot.seat is Seat.FIRST, result), claim=text)
        moves = tuple(form.move(index, spot.seat, said.board) for index in said.values)
        every = tuple(said.values.values())
        opened = Opened(text, spot.seat is Seat.FIRST, None)
        return Evaluation(max(every), self._shape.priors(every), every, opened=opened, moves=moves, claim=text)


def known_board(model: str, view: View[Any]) -> Generator[Step, Reply, Board]:
    """The turn's position as the model sees it.

    One that it does not know is shown to the model, which refuses it as it refuses every such question: the match is void
    and nobody's loss.
    """
    try:
        return form_of(view.game.id).board(view.state, view.seat)
    except PositionError:
        yield from ask(model, _request(foreign_question(view.game.id, view.game.encode(view.state))))
        raise


def plays_from(game: Game[Any], state: Any) -> str | None:
    """None where the model knows this position of a game that it plays, else one sentence."""
    try:
        form_of(game.id).board(state, game.to_move(state))
    except PositionError as error:
        return f"the game model does not play {game.id} from there: {error}"
    return None


def request_of(question: Question) -> Request:
    """The question as it goes over the seam of all models."""
    return _request(question_text(question))


def _request(text: str) -> Request:
    return Request(messages=(Message("user", text),), sampling=Sampling(max_tokens=_MOST_TOKENS))
