"""Matches of the study: oracles by the kernel itself, the game model many boards at once, the chat model through the referee.

Oracles and the game model need not go through the arena, whose record costs several times the search: the evaluators, constants and
choices are those of its agents `mcts_oracle` and `mcts_llm`. Every result is a row: who, where, and the points on both sides.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from stratarena.agents.base import AgentSpec
from stratarena.agents.baselines import safe_moves, wins_at_once
from stratarena.agents.engines.base import Appraisal, Engine, EngineSpec, Query
from stratarena.agents.engines.open import open_engine
from stratarena.agents.evaluators import NoisyOracle, PriorShape, Spot
from stratarena.agents.models.base import Model, ModelAnswer, ModelRequest
from stratarena.agents.search import Search, most_visits
from stratarena.agents.search_tree import ByRules, Evaluation, Node, Settings
from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.config import make_agent
from stratarena.arena.testing import play_one
from stratarena.games.base import Game, Move, Seat
from stratarena.games.openings import Line, lines
from stratarena.games.plugins import load_game

C4, HEX = "connect_four", "hex(size=7)"
OPENINGS = {C4: "late", HEX: "balanced"}
NOISE = {"good": 0.7, "middle": 1.5, "poor": 3.0}
"""Standard deviation, in logits, of the error on every value of the oracle."""
PLAYOUTS = 50
"""Of `hex_search` for each position."""
RULES = "rules"
"""Instead of a number of simulations: no search, but a win in one taken and none left."""
SIMULATIONS = (0, 16, 64, 256)
SIZES = (RULES, *map(str, SIMULATIONS))
MCTS = 500
"""Simulations of the fixed opponent, OpenSpiel's search with random rollouts."""
CHAT_OPPONENT = {C4: "greedy", HEX: "random"}
CHAT_DTYPE = "bfloat16"
SEED = 1
_ENGINES = {
    C4: EngineSpec(kind="bitbully"),
    HEX: EngineSpec(kind="hex_search", options=(("connections", False), ("proof_nodes", 0), ("simulations", PLAYOUTS))),
}
_SHAPE = PriorShape(tau=0.1, eps=0.05)

Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """A game as all its matches share it."""

    game: Game[Any]
    start: str
    opponent: Engine

    @staticmethod
    def of(name: str) -> Setting:
        """The game of this id, and its opponent."""
        game = load_game(name)
        opponent = open_engine(EngineSpec(kind="open_spiel_mcts", options=(("simulations", MCTS),)))
        return Setting(game, game.encode(game.initial(Random(0))), opponent)

    def reply(self, moves: Sequence[Move], seed: int) -> Move:
        """The opponent's move after these."""
        return self.opponent.consult(Query(game=self.game.id, start=self.start, moves=tuple(moves), seed=seed)).move


class Oracle:
    """One noisy oracle; what it said of a position is kept, and what the engine said is shared with others."""

    def __init__(self, setting: Setting, engine: Engine, noise: float, truth: dict[str, Appraisal]) -> None:
        self._setting, self._engine, self._truth = setting, engine, truth
        self._oracle = NoisyOracle(_ENGINES[setting.game.id], noise=noise, seed=0, shape=_SHAPE)
        self._said: dict[str, Evaluation] = {}

    def of(self, state: Any, first: bool, moves: Callable[[], tuple[Move, ...]]) -> Evaluation:
        """Its evaluation of the position after these moves from the start."""
        game = self._setting.game
        digest = game.digest(state)
        if digest not in self._said:
            if digest not in self._truth:
                query = Query(game=game.id, start=self._setting.start, moves=moves(), seed=0)
                self._truth[digest] = self._engine.appraise((query,)).found[0]
            spot = Spot(state, Seat.FIRST if first else Seat.SECOND, tuple(game.legal_moves(state)), ())
            self._said[digest] = self._oracle.judged(game, spot, self._truth[digest])
        return self._said[digest]

    def move(self, state: Any, moves: tuple[Move, ...], size: str, seed: int) -> Move:
        """What an agent with this oracle plays."""
        game = self._setting.game
        world = ByRules(game)
        search = Search(world.open(state), world, settings=Settings(), rng=Random(seed))

        def evaluate(node: Node) -> Evaluation:
            return self.of(node.state, node.first, lambda: (*moves, *_line(node)))

        if size != RULES:
            search.run(evaluate, int(size))
        else:
            search.run(evaluate, 0)
        search.list_moves(search.root)
        root = search.root
        assert root.moves is not None
        if size != RULES:
            return root.moves[most_visits(root)]
        view: Any = SimpleNamespace(game=game, state=state, seat=game.to_move(state))
        wins = [move for move in root.moves if wins_at_once(view, state, move)]
        left = wins or safe_moves(view, root.moves) or root.moves
        estimates = root.estimates
        places = (root.moves.index(move) for move in left)
        best = max(places, key=lambda i: (0.0 if estimates is None else estimates[i], root.prior(i)))
        return root.moves[best]


def _line(node: Node) -> tuple[Move, ...]:
    found = []
    above: Node | None = node
    while above is not None and above.move is not None:
        found.append(above.move)
        above = above.parent
    return tuple(reversed(found))


def oracles(name: str, openings: range, done: Callable[[str, str, str], bool]) -> Iterator[Row]:
    """All oracles of a game on these openings, opening by opening."""
    setting = Setting.of(name)
    engine = open_engine(_ENGINES[name])
    for opening in _chosen(name, openings):
        truth: dict[str, Appraisal] = {}
        for quality, noise in NOISE.items():
            oracle = Oracle(setting, engine, noise, truth)
            for size in SIZES:
                if not done(quality, size, opening.name):
                    points = [_match(setting, oracle, size, opening, seat) for seat in Seat]
                    yield _row(quality, name, size, opening, f"mcts({MCTS})", points)


def _match(setting: Setting, oracle: Oracle, size: str, opening: Line, seat: Seat) -> float:
    """What the oracle's agent scores in this seat."""
    game, moves = setting.game, opening.moves
    state = game.decode(setting.start)
    for move in moves:
        state = game.play(state, move)
    while (outcome := game.outcome(state)) is None:
        seed = Random(f"{SEED} {opening.name} {size} {seat.value} {len(moves)}").randrange(2**31)
        mine = game.to_move(state) is seat
        move = oracle.move(state, moves, size, seed) if mine else setting.reply(moves, seed)
        state, moves = game.play(state, move), (*moves, move)
    return 0.5 if outcome.winner is None else float(outcome.winner is seat)


def game_model(openings: range, done: Callable[[str, str, str], bool]) -> Iterator[Row]:
    """The game model on these openings, all boards of a number of simulations side by side."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from planning.boards import moves_to, name, played
    from planning.matches import play
    from planning.players import Chooser, Reader, mcts, no_search, rules_aware

    from stratarena.agents.gamelm.model import load_weights, shipped_weights

    setting = Setting.of(C4)
    reader = Reader(load_weights(shipped_weights()))
    makers: dict[str, Chooser] = {RULES: rules_aware(reader), "0": no_search(reader)}
    makers |= {str(n): mcts(reader, n) for n in SIMULATIONS if n}

    def reply(boards: list[tuple[int, int]]) -> list[int]:
        found = []
        for board in boards:
            moves = tuple(map(name, moves_to(board)))
            found.append(int(setting.reply(moves, Random(f"{SEED} {board}").randrange(2**31))) - 1)
        return found

    for size, chooser in makers.items():
        wanted = [opening for opening in _chosen(C4, openings) if not done("game_lm", size, opening.name)]
        starts = []
        for opening in wanted:
            board: Any = (0, 0)
            for move in opening.moves:
                board = played(board, int(move) - 1)
            starts.append(board)
        if starts:
            for opening, points in zip(wanted, play(chooser, reply, starts), strict=True):
                yield _row("game_lm", C4, size, opening, f"mcts({MCTS})", list(points))


class Remembered:
    """A model that answers the same every time, asked once only: searches from one opening meet many positions again."""

    def __init__(self, model: Model) -> None:
        self.name, self.identity, self.close = model.name, model.identity, model.close
        self._model = model
        self._answers: dict[ModelRequest, Future[ModelAnswer]] = {}

    def submit(self, requests: Sequence[ModelRequest]) -> Sequence[Future[ModelAnswer]]:
        """Futures, of which those that were asked for before are filled."""
        new = [request for request in dict.fromkeys(requests) if request not in self._answers]
        self._answers |= dict(zip(new, self._model.submit(new), strict=True))
        return [self._answers[request] for request in requests]


def chat_model(name: str, openings: Mapping[str, int], done: Callable[[str, str, str], bool]) -> Iterator[Row]:
    """The embedded chat model by candidate scoring against a weaker opponent, opening by opening.

    `openings` says how many each size plays. Positions are told in one line and the weights run in half precision, for
    less than half of the time.
    """
    from stratarena.agents.models.transformers_local import smollm2

    game, kind = load_game(name), CHAT_OPPONENT[name]
    other = make_agent(AgentSpec(kind, kind, {}))
    model = Remembered(smollm2("smollm2", {"dtype": CHAT_DTYPE}))
    try:
        for number, opening in enumerate(_chosen(name, range(max(openings.values())))):
            for size, most in openings.items():
                if number >= most or done("smollm2", size, opening.name):
                    continue
                params: dict[str, Any] = {"model": "smollm2", "evaluator": "likelihood", "notation": ["position"]}
                params |= {"simulations": 0, "rules_aware": True} if size == RULES else {"simulations": int(size)}
                ours = make_agent(AgentSpec("smollm2", "mcts_llm", params))
                points = []
                for seat in Seat:
                    pair = (ours, other) if seat is Seat.FIRST else (other, ours)
                    models, moves, seed = {"smollm2": model}, tuple(opening.moves), SEED + number
                    verdict, _ = play_one(game, *pair, models=models, opening=moves, seed=seed, clock=SYSTEM_CLOCK)
                    points.append(0.5 if verdict.winner is None else float(verdict.winner is seat))
                yield _row("smollm2", name, size, opening, kind, points)
    finally:
        model.close()


def _chosen(name: str, openings: range) -> list[Line]:
    every = lines(name, OPENINGS[name])
    return [every[place] for place in openings]


def _row(quality: str, game: str, size: str, opening: Line, opponent: str, points: list[float]) -> Row:
    return {
        "quality": quality,
        "game": game,
        "size": size,
        "opening": opening.name,
        "opponent": opponent,
        "points": points,
    }
