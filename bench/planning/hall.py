"""Agents of the arena that think side by side, as a tournament would make them, and what is measured of them.

The model answers all that are thinking at once, so that it reads in large batches; engines answer one after another.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from stratarena.agents.base import AgentSpec, Appraise, Ask, Consult, Spent, View
from stratarena.agents.budget import FREE
from stratarena.agents.engines.base import Engine, EngineSpec
from stratarena.agents.engines.base import appraise as appraise_by
from stratarena.agents.engines.open import open_engine
from stratarena.agents.gamelm.forms import Form
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.model import GameInference, write_states
from stratarena.agents.gamelm.positions import Positions, terminal_boards
from stratarena.agents.gamelm.reading import read
from stratarena.agents.gamelm.scores import decisive, kept
from stratarena.agents.gamelm.speech import Question
from stratarena.arena.config import make_agent
from stratarena.games.base import Game, Move, MoveError, Seat
from stratarena.games.openings import Line

from .tables import share

SEARCH = {"kind": "mcts_llm", "model": "m", "evaluator": "game_lm", "eps": 0.05}
"""Of a tree search around the model; `tau` is the game's."""


@dataclass
class Hall:
    """Where agents think side by side: the model answers all at once, engines one after another."""

    players: Mapping[str, dict[str, Any]]
    """The table of each agent, as a tournament file would have it."""
    models: dict[str, GameInference]
    engines: dict[EngineSpec, Engine] = field(default_factory=dict)
    evaluated: int = 0
    """Positions that the model was asked about."""

    def decide(self, player: str, views: Sequence[View[Any]]) -> list[Move | None]:
        """The moves of one agent on many views; None where its answer is refused, for no move is made up for it."""
        params = dict(self.players[player])
        agent = make_agent(AgentSpec(player, params.pop("kind"), params))
        thinking = [agent.deliberate(view) for view in views]
        moves: list[Move | None] = [None] * len(views)
        replies: list[Any] = [None] * len(views)
        open_ = set(range(len(views)))
        while open_:
            asks: list[tuple[int, Ask]] = []
            for index in sorted(open_):
                try:
                    step = thinking[index].send(replies[index])
                except StopIteration as stop:
                    moves[index] = stop.value.move
                    open_.remove(index)
                    continue
                except MoveError:
                    open_.remove(index)
                    continue
                replies[index] = self._reply(step)
                if isinstance(step, Ask):
                    asks.append((index, step))
            for name, model in self.models.items():
                of_it = [(index, step.requests) for index, step in asks if step.model == name]
                answers = iter(model.answer([request for _, requests in of_it for request in requests]))
                for index, requests in of_it:
                    replies[index] = tuple(next(answers) for _ in requests)
                    self.evaluated += len(requests)
        return moves

    def _reply(self, step: Any) -> Any:
        """To everything but questions to the model."""
        match step:
            case Consult(engine, query):
                return self._open(engine).consult(query)
            case Appraise(engine, query, sought):
                return appraise_by(self._open(engine), query, sought).found
            case Spent():
                return FREE
        return None

    def _open(self, spec: EngineSpec) -> Engine:
        if spec not in self.engines:
            self.engines[spec] = open_engine(spec)
        return self.engines[spec]

    def close(self) -> None:
        """Close all engines."""
        for engine in self.engines.values():
            engine.close()


def view_of(game: Game[Any], state: Any, seed: int, start: str, moves: tuple[Move, ...] = ()) -> View[Any]:
    """What an agent sees of a position that came about by these moves from that start."""
    return View(game=game, state=state, seat=game.to_move(state), ply=len(moves), start=start, moves=moves, seed=seed)


def chosen_by(hall: Hall, player: str, game: Game[Any], form: Form, states: Sequence[Any]) -> list[int]:
    """The number of the move that an agent makes in each position; -1 where its answer is refused."""
    views = [view_of(game, state, index, game.encode(state)) for index, state in enumerate(states)]
    moves = hall.decide(player, views)
    return [
        -1 if move is None else form.index(move, view.seat, form.board(view.state, view.seat))
        for move, view in zip(moves, views, strict=True)
    ]


def kept_by(
    hall: Hall, player: str, game: Game[Any], form: Form, positions: Positions, states: Sequence[Any]
) -> tuple[dict[str, Any], list[int]]:
    """Result kept by the moves of an agent, over all positions and the decisive ones, one digit a position in `right`.

    And the moves, as `chosen_by` gives them; `states` are the positions in the arena.
    """
    began, before = time.process_time(), hall.evaluated
    chosen = chosen_by(hall, player, game, form, states)
    made = np.array(chosen) >= 0
    right = made & kept(positions.scores, np.maximum(chosen, 0))
    some = decisive(positions.scores)
    found = {
        "all": share(int(right.sum()), len(right)),
        "decisive": share(int(right[some].sum()), int(some.sum())),
        "refused": share(int((~made).sum()), len(made)),
        "cpu_ms": (time.process_time() - began) * 1000 / len(right),
        "evaluated": (hall.evaluated - before) / len(right),
        "right": "".join("01"[int(one)] for one in right),
    }
    return found, chosen


@dataclass
class Match:
    """A match that is being played."""

    state: Any
    start: str
    seats: Mapping[Seat, str]
    """Who plays."""
    moves: tuple[Move, ...] = ()
    refused: str | None = None
    """Whose answer was refused, which ends it."""


def play_out(hall: Hall, game: Game[Any], matches: Sequence[Match], seed: int = 0) -> None:
    """Play all matches to their ends, side by side."""
    players = sorted({player for match in matches for player in match.seats.values()})

    def going(match: Match) -> bool:
        return match.refused is None and game.outcome(match.state) is None

    while any(map(going, matches)):
        for player in players:
            turns = [
                (index, match)
                for index, match in enumerate(matches)
                if going(match) and match.seats[game.to_move(match.state)] == player
            ]
            views = [
                view_of(game, match.state, seed + 1000 * index + len(match.moves), match.start, match.moves)
                for index, match in turns
            ]
            for (_, match), move in zip(turns, hall.decide(player, views), strict=True):
                if move is None:
                    match.refused = player
                else:
                    match.state, match.moves = game.play(match.state, move), (*match.moves, move)


def play(hall: Hall, game: Game[Any], first: str, second: str, openings: Iterable[Line]) -> list[tuple[float, float]]:
    """Points of the first named agent in each opening: where it has seat FIRST, and where the other has.

    An answer that is refused loses the match.
    """
    matches = []
    for line in openings:
        state = game.initial(Random(0)) if line.start is None else game.decode(line.start)
        start = game.encode(state)
        for move in line.moves:
            state = game.play(state, move)
        for names in ((first, second), (second, first)):
            matches.append(Match(state, start, dict(zip(Seat, names, strict=True)), line.moves))
    play_out(hall, game, matches)
    points = []
    for match in matches:
        outcome = game.outcome(match.state)
        if match.refused is not None or outcome is None:
            points.append(float(match.refused == second))
        else:
            points.append(0.5 if outcome.winner is None else float(match.seats[outcome.winner] == first))
    return list(zip(points[::2], points[1::2], strict=True))


def world_model(model: Any, form: Form, positions: Positions, seed: int) -> dict[str, Any]:
    """Next states, legal moves and ends of the game, against the rules."""
    rng = np.random.default_rng(seed)
    room = form.room(positions.own, positions.opponent)
    moves = np.where(room, rng.random(room.shape), -1.0).argmax(axis=1)
    boards = zip(positions.own.tolist(), positions.opponent.tolist(), strict=True)
    asked = [Question(board, int(move), game=form.game) for board, move in zip(boards, moves, strict=True)]
    true = zip(*(side.tolist() for side in form.play(positions.own, positions.opponent, moves)), strict=True)
    right = sum(state == board for state, board in zip(write_states(model, asked), true, strict=True))
    readings = read(model, positions.own, positions.opponent)
    legal = int(((positions.scores != ILLEGAL) == readings.legal).all(axis=1).sum())
    over = terminal_boards(positions)
    pick = rng.permutation(len(over[0]))[: len(positions)]
    ended = read(model, over[0][pick], over[1][pick])
    told = int((ended.status == form.statuses(over[0][pick], over[1][pick])).sum())
    return {
        "next state exact": share(right, len(asked)),
        "legal moves exact": share(legal, len(positions)),
        "going on told": share(int((readings.status == 0).sum()), len(positions)),
        "end and result told": share(told, len(pick)),
    }


def speed(model: Any, positions: Positions) -> dict[str, float]:
    """Positions read a CPU second, in batches and one by one."""
    found = {}
    for batch, n in ((1, 64), (64, 512), (256, 512)):
        own, other = (np.resize(part, n) for part in (positions.own, positions.opponent))
        read(model, own[:batch], other[:batch], batch=batch)
        began = time.process_time()
        read(model, own, other, batch=batch)
        found[f"batches of {batch}"] = n / (time.process_time() - began)
    return found


def pairing(first: str, second: str) -> str:
    """What a pairing is called."""
    return f"{first} against {second}"
