"""Agents that play by the game model: its values alone, a tree search over them, minimax over them, or its own search.

Whatever the model says goes over the seam of all models, as text, so it is recorded, charged and can be replayed.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from stratarena.agents.base import AgentSpec, Decision, Deliberation, Reply, Step, View, ask
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.gamelm.interchange import NotInterchange, trace_tokens
from stratarena.agents.gamelm.minimax import minimax
from stratarena.agents.gamelm.puct import Known, Settings, Tree, Wanted, puct
from stratarena.agents.gamelm.speech import Board, Question, parse_answer, question_text
from stratarena.agents.gamelm.trace_reading import BrokenTrace, ReadNode, read_trace
from stratarena.agents.gamelm.worlds import over_by_rules, played
from stratarena.agents.lines import declare_line
from stratarena.agents.models.base import Completion, Message, Request, Sampling
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import MalformedMove, Move, Seat

__all__ = ["GameModelPlayer"]

S = TypeVar("S")


class GameModelParams(Params):
    """Parameters of `game_lm`."""

    model: str = Field(description="a model of the tournament file, of kind game_lm")
    search: Literal["none", "mcts", "minimax", "internal"] = Field(
        "none", description="none; a tree search around the model; minimax around it; or one that it writes itself"
    )
    scoring: Literal["mean", "max"] = Field("mean", description="a move's expected value, or its likeliest bucket")
    world: Literal["rules", "imagined"] = Field(
        "rules", description="whose word it is what a move leads to in a tree search: the rules' or the model's"
    )
    simulations: Annotated[int, Field(ge=1, le=100_000)] = Field(64, description="of a tree search")
    batch: Annotated[int, Field(ge=1, le=64)] = Field(8, description="leaves that a tree search asks about together")
    depth: Annotated[int, Field(ge=0, le=3)] = Field(1, description="plies of minimax or of the model's own search")
    breadth: Annotated[int, Field(ge=1, le=7)] = Field(3, description="moves looked into at each of their nodes")

    @model_validator(mode="after")
    def _world_needs_mcts(self) -> GameModelParams:
        if self.world == "imagined" and self.search != "mcts":
            raise ValueError("world = 'imagined' goes with search = 'mcts'")
        return self


class GameModelPlayer:
    """Connect Four by the arena's own language model; repeats exactly with a model of `max_batch = 1`."""

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(GameModelParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """Connect Four, which its model was trained on."""
        return None if game == "connect_four" else f"the game model plays connect_four, not {game}"

    def deliberate(self, view: View[S]) -> Deliberation:
        """Ask, search, declare the line, play. Raises `MalformedMove` where the model values no legal move."""
        state: Any = view.state
        board: Board = (
            (int(state.first), int(state.second)) if view.seat is Seat.FIRST else (int(state.second), int(state.first))
        )
        legal = [int(move) - 1 for move in view.game.legal_moves(view.state)]
        params = self._params
        if params.search == "internal":
            return (yield from self._internal(view, board, legal))
        root = yield from self._root(view, board, legal)
        line: list[int]
        if params.search == "none":
            line = [max(root.values, key=lambda move: root.values[move])]
            value = root.values[line[0]]
        elif params.search == "minimax":
            value, line = yield from minimax(
                root, depth=params.depth, breadth=params.breadth, ask=self._asked, reached=_by_rules
            )
        else:
            tree = yield from self._tree(root)
            line = _principal(tree)
            value = tree.best().mean() or tree.best().estimate
        plan = Plan(moves=tuple(_move(move) for move in line), value=2 * value - 1)
        yield from declare_line(view, plan, changed_by=Cause.SEARCH)
        return Decision(_move(line[0]), confidence=min(max(value, 0.0), 1.0))

    def _root(self, view: View[Any], board: Board, legal: list[int]) -> Generator[Step, Reply, Known[Board]]:
        """Values of the legal moves of the position that is played. Raises `MalformedMove` without any."""
        (root,) = yield from self._ask(Question(board, None, self._params.scoring))
        values = {} if root is None else {move: value for move, value in root.values.items() if move in legal}
        if not values:
            raise MalformedMove(
                "", game=view.game.id, position=view.game.encode(view.state), why="the model valued no legal move"
            )
        return Known(board, values)

    def _ask(self, *questions: Question) -> Generator[Step, Reply, list[Known[Board] | None]]:
        """What the model says of each; None where it cannot be read."""
        answers = yield from ask(self._params.model, *(_request(question) for question in questions))
        return [_known(question, answer) for question, answer in zip(questions, answers, strict=True)]

    def _asked(self, boards: list[Board]) -> Generator[Step, Reply, list[Known[Board] | None]]:
        return (yield from self._ask(*(Question(board, None, self._params.scoring) for board in boards)))

    def _tree(self, root: Known[Board]) -> Generator[Step, Reply, Tree[Board]]:
        params = self._params
        settings = Settings(simulations=params.simulations, batch=params.batch)
        search = puct(root, settings, _by_rules if params.world == "rules" else _by_model)
        answers: list[Known[Board] | None] | None = None
        while True:
            try:
                wanted = next(search) if answers is None else search.send(answers)
            except StopIteration as stop:
                tree: Tree[Board] = stop.value
                return tree
            answers = yield from self._ask(
                *(
                    Question(one.parent, one.move, params.scoring)
                    if one.state is None
                    else Question(one.state, None, params.scoring)
                    for one in wanted
                )
            )

    def _internal(self, view: View[Any], board: Board, legal: list[int]) -> Deliberation:
        question = Question(board, search=(self._params.depth, self._params.breadth))
        (answer,) = yield from ask(self._params.model, _request(question))
        try:
            root = read_trace(trace_tokens(answer.text)).root
        except (NotInterchange, BrokenTrace):
            root = None
        if root is None or root.selected not in legal:
            # What it first thought of the board stands in its answer, unless that is unreadable, too.
            known = yield from self._root(view, board, legal)
            move = max(known.values, key=lambda move: known.values[move])
            return Decision(_move(move), fallback="its own search was broken or chose no legal move")
        value = (root.value - 0.5) / 64
        plan = Plan(moves=tuple(_move(move) for move in _told(root)), value=2 * value - 1)
        yield from declare_line(view, plan, changed_by=Cause.SEARCH)
        return Decision(_move(root.selected), confidence=value)


def _request(question: Question) -> Request:
    return Request(messages=(Message("user", question_text(question)),), sampling=Sampling(max_tokens=4096))


def _known(question: Question, answer: Completion) -> Known[Board] | None:
    try:
        said = parse_answer(question, answer.text)
    except NotInterchange:
        return None
    return Known(said.board, said.values, said.result)


def _by_rules(board: Board, move: int) -> Known[Board] | Wanted[Board]:
    after = played(board, move)
    assert after is not None
    result = over_by_rules(after)
    return Wanted(board, move, after) if result is None else Known(after, {}, result)


def _by_model(board: Board, move: int) -> Wanted[Board]:
    return Wanted(board, move, None)


def _principal(tree: Tree[Board]) -> list[int]:
    """The moves of most visits, as far as there are visits; at least one."""
    line = [tree.best().move]
    node = tree.best().child
    while node is not None and node.edges and any(edge.visits for edge in node.edges):
        line.append(node.best().move)
        node = node.best().child
    return line


def _told(node: ReadNode) -> list[int]:
    """The line of selections that the model's own search tells."""
    line: list[int] = []
    here: ReadNode | None = node
    while here is not None and here.selected is not None:
        line.append(here.selected)
        here = next((child for move, child, _ in here.children if move == here.selected), None)
    return line


def _move(column: int) -> Move:
    return Move(str(column + 1))
