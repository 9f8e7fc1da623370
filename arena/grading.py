"""How good moves were, said afterwards by an engine or solver: the values of what was played and what was only meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from stratarena.agents.base import AgentSpec
from stratarena.agents.engine_player import EnginePlayer
from stratarena.agents.engines.base import Engine, EngineError
from stratarena.arena.config import make_agent
from stratarena.arena.events import Proposed, Revised
from stratarena.arena.reconsider import Declared, reconsiderations
from stratarena.arena.replay import Frame
from stratarena.games.base import Game, Move, MoveError, Seat, SpecError
from stratarena.games.plugins import parse_spec, print_spec

__all__ = ["Considered", "EngineJudge", "Evaluation", "Evaluations", "Grade", "considered", "make_judge"]

_SHORT_NAMES = {"stockfish": "uci", "bitbully": "perfect"}
_PROVEN = ("solved", "proved")
"""How the scores of proven values begin, by the engines that prove them."""


@dataclass(frozen=True, slots=True)
class Considered:
    """The moves of one turn that are to be graded, in the position where they were considered."""

    ply: int
    """Plies made before the turn."""
    seat: Seat
    state: Any
    played: Move | None
    """None for a turn that ended without a move."""
    meant: tuple[Move, ...]
    """What else was meant for the turn, in the order in which it came up."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a judge says of a position."""

    value: float
    """-1 (lost) to 1 (won) for the side to move."""
    best: Move
    score: str | None
    """Its own words for the value."""
    exact: bool


@dataclass(frozen=True, slots=True)
class Grade:
    """How good a move is."""

    move: Move
    value: float | None
    """-1 to 1 for the mover, after the move; None for one that the rules do not allow."""
    best: Move
    best_value: float
    exact: bool
    """Both values are proven."""


class Evaluations(Protocol):
    """What is known of positions, so that each is asked about once."""

    def get(self, game: str, digest: str) -> Evaluation | None:
        """What the judge said of the position, if it was asked before."""

    def put(self, game: str, digest: str, evaluation: Evaluation) -> None:
        """Remember it."""


def considered(game: Game[Any], frames: Sequence[Frame]) -> Iterator[Considered]:
    """Every turn of a replayed match with what was played in it and what was meant for it, openings left out."""
    declared: list[Declared] = []
    played: dict[int, Move] = {}
    turns = [(before, frame, frame.seat) for before, frame in pairwise(frames) if frame.seat is not None]
    for before, frame, seat in turns:
        if frame.move is not None:
            played[before.ply] = frame.move
        for step in frame.steps:
            if isinstance(step, Proposed | Revised):
                plan = step.plan if isinstance(step, Proposed) else step.after
                cause = step.cause if isinstance(step, Revised) else None
                declared.append(Declared(before.ply, seat, plan.moves, cause))
    again: dict[int, list[Move]] = {}
    for turn in reconsiderations(declared, played):
        again.setdefault(turn.ply, []).extend((turn.before, turn.after))
    for before, frame, seat in turns:
        meant = dict.fromkeys(move for move in again.get(before.ply, ()) if move != frame.move)
        if frame.move is not None or meant:
            yield Considered(before.ply, seat, before.state, frame.move, tuple(meant))


def make_judge(text: str) -> EnginePlayer:
    """The judge that a text asks for: an engine player's kind with its parameters, such as `uci(nodes=100000)`.

    `stockfish` stands for `uci`, `bitbully` for `perfect`.

    Raises:
        SpecError: no such kind, wrong parameters, or one without an engine.
    """
    name, params = parse_spec(text)
    kind = _SHORT_NAMES.get(name, name)
    agent = make_agent(AgentSpec(print_spec(kind, params), kind, params))
    if not isinstance(agent, EnginePlayer):
        raise SpecError(
            f"{text!r} is no judge; judges are engines: stockfish(nodes=100000), bitbully, hex_search(simulations=2000), "
            "mcts(simulations=5000)"
        )
    return agent


class EngineJudge:
    """Grades moves by what an engine says of the positions they lead to. Not for two threads at once."""

    def __init__(self, player: EnginePlayer, engine: Engine, game: Game[Any], known: Evaluations) -> None:
        self._player = player
        self._engine = engine
        self._game = game
        self._known = known

    def grades(self, turn: Considered, *, start: str, moves: tuple[Move, ...]) -> tuple[Grade, ...]:
        """A grade for the played move, if there is one, then for each that was meant.

        `moves` lead from `start` to the position. A move's value is the negative of what the engine says of the position
        after it (the side to move there being the other's), or the result where the game ends with it. The best is
        the engine's own move, unless it values one of the others higher afterwards: no move loses less than nothing.

        Raises:
            EngineError: the engine failed, or gave no value.
        """
        root = self._evaluate(turn.state, start, moves)
        wanted = (*(() if turn.played is None else (turn.played,)), *turn.meant)
        found = {move: self._after(turn.state, start, moves, move, root) for move in wanted}
        best, best_value, exact = root.best, root.value, root.exact
        for move, (value, _) in found.items():
            if value is not None and value > best_value:
                best, best_value = move, value
        return tuple(Grade(move, value, best, best_value, exact and proven) for move, (value, proven) in found.items())

    def _after(
        self, state: Any, start: str, moves: tuple[Move, ...], move: Move, root: Evaluation
    ) -> tuple[float | None, bool]:
        """The value of a move for its mover, and whether that is proven."""
        if move == root.best:
            return root.value, root.exact
        mover = self._game.to_move(state)
        try:
            following = self._game.play(state, move)
        except MoveError:
            return None, True
        outcome = self._game.outcome(following)
        if outcome is not None:
            return (0.0 if outcome.winner is None else 1.0 if outcome.winner is mover else -1.0), True
        answer = self._evaluate(following, start, (*moves, move))
        same_side = self._game.to_move(following) is mover
        return (answer.value if same_side else -answer.value), answer.exact

    def _evaluate(self, state: Any, start: str, moves: tuple[Move, ...]) -> Evaluation:
        digest = self._game.digest(state)
        known = self._known.get(self._game.id, digest)
        if known is not None:
            return known
        # The seed follows from the position, so that it does not matter in which match it came up first.
        question = self._player.question(self._game.id, start=start, moves=moves, seed=int(digest, 16) % 2**31)
        line = self._engine.consult(question.query)
        if line.value is None:
            raise EngineError(f"{self._player.spec.name} gave no value for {self._game.encode(state)!r}")
        exact = line.score is not None and line.score.startswith(_PROVEN)
        found = Evaluation(line.value, line.move, line.score, exact)
        self._known.put(self._game.id, digest, found)
        return found
