"""Simulations per CPU second of the search kernel, beside OpenSpiel's Python and C++ searches, and what a model leaves of them.

The same positions, UCT, exploration and number of simulations for all, every leaf worth a draw, so that nothing but the searches is
timed: best of three runs each, in turn, over positions after the bundled openings. C++ has no constant evaluator in
reach of Python, so it plays one random rollout a leaf; the kernel's figure with such rollouts stands beside it.
With a model: the share of the CPU time of a whole search that is spent inside the model's forward passes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pyspiel
from open_spiel.python.algorithms import mcts as python_mcts

from stratarena.agents import search as search_kernel
from stratarena.agents.base import AgentSpec
from stratarena.agents.compiled import PURE_PYTHON
from stratarena.agents.evaluators import Rollouts, Spot
from stratarena.agents.models.embedded import locate
from stratarena.agents.models.inference import Inference, load
from stratarena.agents.models.transformers_local import LocalModel, RuntimeParams
from stratarena.agents.search import Search
from stratarena.agents.search_tree import ByRules, Evaluation, Node, Settings
from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.config import make_agent
from stratarena.arena.events import Called
from stratarena.arena.testing import play_one
from stratarena.games.base import Game, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.hex import Hex
from stratarena.games.openings import lines

SIMULATIONS = 2000
POSITIONS = 5
REPEATS = 3
AIM = 5.0
GAMES: tuple[tuple[str, Game[Any], str], ...] = (
    ("connect_four", ConnectFour(), "connect_four"),
    ("hex 7x7", Hex(size=7), "hex(board_size=7)"),
)
UCT, PUCT = Settings(selection="uct", c=1.0), Settings()


class Draw(python_mcts.Evaluator):
    """OpenSpiel's form of a constant evaluator."""

    def evaluate(self, state: Any) -> Any:
        return np.zeros(2)

    def prior(self, state: Any) -> list[tuple[int, float]]:
        actions = state.legal_actions()
        return [(action, 1 / len(actions)) for action in actions]


def kernel(game: Game[Any], settings: Settings, *, rolled: bool = False) -> Callable[[Any, Any], int]:
    """A search by the kernel; how many simulations it made."""
    rollouts, rng, even = Rollouts(), Random(1), Evaluation(0.5)

    def by_rollout(node: Node) -> Evaluation:
        return Evaluation(
            rollouts.value(game, Spot(node.state, Seat.FIRST if node.first else Seat.SECOND, (), ()), rng)
        )

    def run(state: Any, other: Any) -> int:
        world = ByRules(game)
        search = Search(world.open(state), world, settings=settings, rng=Random(1))
        search.run(by_rollout if rolled else lambda node: even, SIMULATIONS)
        return search.simulations

    return run


def open_spiel_python(state: Any, other: Any) -> int:
    bot = python_mcts.MCTSBot(
        other.get_game(), 2.0, SIMULATIONS, Draw(), solve=True, random_state=np.random.RandomState(1)
    )
    return int(bot.mcts_search(other).explore_count)


def open_spiel_cpp(state: Any, other: Any) -> int:
    evaluator = pyspiel.RandomRolloutEvaluator(1, 1)
    bot = pyspiel.MCTSBot(other.get_game(), evaluator, 2.0, SIMULATIONS, 500, True, 1, False)
    return int(bot.mcts_search(other).explore_count)


def positions(game: Game[Any], theirs: str) -> list[tuple[Any, Any]]:
    """The same positions for both."""
    action_of = {move: action for action, move in enumerate(game.all_moves)}
    found = []
    for opening in lines(game.id, "balanced")[:POSITIONS]:
        state, other = game.initial(Random(0)), pyspiel.load_game(theirs).new_initial_state()
        for move in opening.moves:
            state = game.play(state, move)
            other.apply_action(action_of[move])
        found.append((state, other))
    return found


def speeds() -> None:
    """A line for each game and search."""
    machine_code = not str(getattr(search_kernel.__spec__, "origin", "")).endswith(".py")
    print(f"the kernel runs as {'machine code' if machine_code else 'Python'} ({PURE_PYTHON}=1 forbids machine code)")
    print(f"{'game':<14} {'search':<38} {'simulations a CPU second':>25}  against OpenSpiel's Python search")
    for name, game, theirs in GAMES:
        searches: dict[str, Callable[[Any, Any], int]] = {
            "OpenSpiel Python, constant": open_spiel_python,
            "kernel UCT, constant": kernel(game, UCT),
            "kernel PUCT, constant": kernel(game, PUCT),
            "kernel UCT, a random rollout": kernel(game, UCT, rolled=True),
            "OpenSpiel C++, a random rollout": open_spiel_cpp,
        }
        places = positions(game, theirs)
        best = dict.fromkeys(searches, 0.0)
        for _ in range(REPEATS):
            for search, run in searches.items():
                began = time.process_time()
                made = sum(run(*place) for place in places)
                best[search] = max(best[search], made / (time.process_time() - began))
        base = best["OpenSpiel Python, constant"]
        for search, rate in best.items():
            aim = f" (aim {AIM:g})" if search == "kernel UCT, constant" else ""
            print(f"{name:<14} {search:<38} {rate:>25,.0f}  {rate / base:.1f}x{aim}", flush=True)


class Timed:
    """A model whose forward passes are timed, in CPU seconds of the thread that makes them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.seconds = 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return self._model(*args, **kwargs)
        finally:
            self.seconds += time.thread_time() - began

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def share_of_the_model() -> None:
    """Whole matches of a search around the embedded model, through referee and driver, model already loaded."""
    loaded = load(locate(), threads=1, device="cpu", dtype="float32")
    timed = Timed(loaded.model)
    inference = Inference(replace(loaded, model=timed))
    searcher = make_agent(
        AgentSpec("searcher", "mcts_llm", {"model": "m", "evaluator": "likelihood", "simulations": 16, "batch": 8})
    )
    other = make_agent(AgentSpec("other", "random", {}))
    model = LocalModel("m", locate, RuntimeParams(), {}, lambda: inference)
    opening = lines("connect_four", "late")[0].moves
    try:
        # The first match warms everything up.
        for number in range(2):
            began, before = time.process_time(), timed.seconds
            _, events = play_one(
                ConnectFour(), searcher, other, models={"m": model}, opening=opening, seed=number, clock=SYSTEM_CLOCK
            )
            took, inside = time.process_time() - began, timed.seconds - before
    finally:
        model.close()
    calls = sum(isinstance(event.body, Called) for event in events)
    print(
        f"mcts_llm on smollm2 by likelihood, a match of {calls} positions: {took:.1f} CPU s, {inside / took:.1%} of them "
        f"inside the model's forward passes (aim 90 %); {1000 * (took - inside) / calls:.1f} ms a position outside"
    )


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    speeds()
    share_of_the_model()
