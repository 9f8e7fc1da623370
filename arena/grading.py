"""How good moves were, said afterwards by an engine or solver: the values of what was played and what was only meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from stratarena.agents.base import AgentSpec
from stratarena.agents.engine_player import EnginePlayer
from stratarena.agents.engines.base import Engine, EngineError
from stratarena.agents.plan import Plan
from stratarena.arena.config import make_agent
from stratarena.arena.events import Body, Proposed, Revised
from stratarena.arena.reconsider import Declared, reconsiderations
from stratarena.arena.replay import Frame
from stratarena.games.base import Game, Move, MoveError, Seat, SpecError
from stratarena.games.plugins import parse_spec, print_spec
from stratarena.games.resource.base import Verdict, VerdictKind, play_round
from stratarena.games.resource.series import Series

__all__ = [
    "BoardJudge",
    "Considered",
    "Evaluation",
    "Evaluations",
    "Grade",
    "Graded",
    "PlanJudge",
    "considered",
    "make_judge",
]

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
    """Before the turn."""
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


Graded = tuple[Considered, tuple[Grade, ...]]
"""A turn, and a grade for the played move, if there is one, then for each that was meant."""


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
            plan = _declared(step)
            if plan is not None:
                cause = step.cause if isinstance(step, Revised) else None
                declared.append(Declared(before.ply, seat, plan.moves, cause))
    again: dict[int, list[Move]] = {}
    for turn in reconsiderations(declared, played):
        again.setdefault(turn.ply, []).extend((turn.before, turn.after))
    for before, frame, seat in turns:
        meant = dict.fromkeys(move for move in again.get(before.ply, ()) if move != frame.move)
        if frame.move is not None or meant:
            yield Considered(before.ply, seat, before.state, frame.move, tuple(meant))


def _declared(step: Body) -> Plan | None:
    """The plan that a step declares, if it does."""
    match step:
        case Proposed(plan):
            return plan
        case Revised(after=plan):
            return plan
        case _:
            return None


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
            "mcts(simulations=5000), plan_search(tries=500)"
        )
    return agent


class BoardJudge:
    """Grades moves on a board by what an engine says of the positions they lead to. Not for two threads at once."""

    def __init__(self, player: EnginePlayer, engine: Engine, game: Game[Any], known: Evaluations) -> None:
        self._player = player
        self._engine = engine
        self._game = game
        self._known = known

    def of_match(self, frames: Sequence[Frame], *, start: str) -> list[Graded]:
        """Every turn of a replayed match that began at `start`, as `considered` has them, with its grades.

        Raises:
            EngineError: the engine failed, or gave no value.
        """
        moves = tuple(frame.move for frame in frames if frame.move is not None)
        return [
            (turn, self.grades(turn, start=start, moves=moves[: turn.ply])) for turn in considered(self._game, frames)
        ]

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
        return _asked(self._player, self._engine, self._known, self._game, state, start, moves)


class PlanJudge:
    """Grades plans by how they fare in a round against the other side's plan, beside the best answer to it.

    Each plan is graded against the plan that stands when its round is played: an update against the one it saw, an
    opening against the other's opening. Not for two threads at once.
    """

    def __init__(self, player: EnginePlayer, engine: Engine, game: Series, known: Evaluations) -> None:
        self._player = player
        self._engine = engine
        self._game = game
        self._known = known

    def of_match(self, frames: Sequence[Frame], *, start: str) -> list[Graded]:
        """For every answer of a replayed match the plan in play after it, then each other plan declared on the way to it.

        An answer that cannot be read leaves the plan before it in play, and that one is graded. The opening of a side whose
        opponent never opened is left out.

        Raises:
            EngineError: the engine failed, or gave no value.
        """
        found = []
        for before, frame in pairwise(frames):
            if frame.seat is None or frame.move is None:
                continue
            theirs = _first_plan(frames[frame.ply - 1 :], frame.seat.other)
            own = frame.state.plan_of(frame.seat)
            if theirs is None or own is None:
                continue
            plans = {self._spelt(frame.seat, own, frame.move): own}
            for step in frame.steps:
                declared = _declared(step)
                if declared is not None:
                    verdict = self._game.judge(before.state, frame.seat, declared.moves[0])
                    plans.setdefault(self._spelt(frame.seat, verdict, declared.moves[0]), verdict)
            played, *meant = plans
            turn = Considered(before.ply, frame.seat, before.state, played, tuple(meant))
            found.append((turn, self._grades(frame.seat, plans, theirs)))
        return found

    def _spelt(self, seat: Seat, verdict: Verdict[Any], move: Move) -> Move:
        """One spelling for all that plays alike; what is no plan stays as it came."""
        return move if verdict.plan is None else self._game.canonical_move(seat, verdict)

    def _grades(self, seat: Seat, plans: Mapping[Move, Verdict[Any]], theirs: Verdict[Any]) -> tuple[Grade, ...]:
        rules = self._game.plans
        found = {}
        for move, own in plans.items():
            first, second = (own, theirs) if seat is Seat.FIRST else (theirs, own)
            found[move] = play_round(rules, first, second).value_of(seat) if own.can_be_simulated else None
        answer = self._best_answer(seat, theirs)
        best, best_value = answer.best, answer.value
        for move, value in found.items():
            if value is not None and value > best_value:
                best, best_value = move, value
        return tuple(Grade(move, value, best, best_value, answer.exact) for move, value in found.items())

    def _best_answer(self, seat: Seat, theirs: Verdict[Any]) -> Evaluation:
        """What the engine answers to their plan where it is to replace the greedy plan, whatever stood in truth."""
        series = self._game
        own = series.move_of(seat, series.plans.greedy_plan(seat))
        if theirs.kind is not VerdictKind.OK:
            # It loses by itself to every plan that is neither bad nor too dear.
            return Evaluation(1.0, own, None, exact=True)
        other = series.canonical_move(seat.other, theirs)
        openings = (own, other) if seat is Seat.FIRST else (other, own)
        state = series.decode(" ".join((seat.value, *openings)))
        return _asked(self._player, self._engine, self._known, series, state, series.encode(state), ())


def _first_plan(frames: Sequence[Frame], seat: Seat) -> Verdict[Any] | None:
    """The first plan of that seat that stands in these frames."""
    standing = (frame.state.plan_of(seat) for frame in frames)
    return next((plan for plan in standing if plan is not None), None)


def _asked(
    player: EnginePlayer,
    engine: Engine,
    known: Evaluations,
    game: Game[Any],
    state: Any,
    start: str,
    moves: tuple[Move, ...],
) -> Evaluation:
    """What the engine says of a position, asked once. Raises `EngineError` where it gives no value."""
    digest = game.digest(state)
    before = known.get(game.id, digest)
    if before is not None:
        return before
    # The seed follows from the position, so that it does not matter in which match it came up first.
    question = player.question(game.id, start=start, moves=moves, seed=int(digest, 16) % 2**31)
    line = engine.consult(question.query)
    if line.value is None:
        raise EngineError(f"{player.spec.name} gave no value for {game.encode(state)!r}")
    exact = line.score is not None and line.score.startswith(_PROVEN)
    found = Evaluation(line.value, line.move, line.score, exact)
    known.put(game.id, digest, found)
    return found
