"""How strong the search kernel plays with a uniform prior and random rollouts: against OpenSpiel's MCTSBot, at equal simulations.

    python bench/kernel_strength.py [--game connect_four|hex] [--games 400] [--out build/kernel-strength.jsonl]

Both sides search by UCT with one random rollout a leaf and proven results backed up, and play the most visited move (a proven
win first). Their weights of exploration are the same: OpenSpiel's `uct_c` 2 on results from -1 to 1 is the kernel's `c` 1 on
results from 0 to 1. OpenSpiel spends its first simulation on the position itself, the kernel none: it gets one more, so that
both play as many rollouts below it. Openings are the bundled balanced ones, each played from both sides. Each game is drawn
from its number and written when it ends: a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any

import pyspiel

from stratarena.agents.evaluators import Rollouts, Spot
from stratarena.agents.search import Search, most_visits
from stratarena.agents.search_tree import ByRules, Evaluation, Node, Settings
from stratarena.analysis.ratio import share_over_clusters
from stratarena.games.base import Game, Move, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.hex import Hex
from stratarena.games.openings import Line, lines

SETTINGS = Settings(selection="uct", c=1.0)
UCT_C = 2.0
MEMORY_MB = 500
GAMES: dict[str, tuple[Game[Any], str, int]] = {
    "connect_four": (ConnectFour(), "connect_four", 1000),
    "hex": (Hex(size=7), "hex(board_size=7)", 500),
}
"""Ours, OpenSpiel's name of it, and simulations a move."""


def kernel_move(game: Game[Any], state: Any, simulations: int, seed: int) -> Move:
    """The kernel's move."""
    rollouts, rng = Rollouts(), Random(seed)

    def evaluate(node: Node) -> Evaluation:
        if node.parent is None:
            return Evaluation(0.5)
        seat = Seat.FIRST if node.first else Seat.SECOND
        return Evaluation(rollouts.value(game, Spot(node.state, seat, (), ()), rng))

    world = ByRules(game)
    search = Search(world.open(state), world, settings=SETTINGS, rng=rng)
    search.run(evaluate, simulations)
    assert search.root.moves is not None
    return search.root.moves[most_visits(search.root)]


def open_spiel_action(state: Any, simulations: int, seed: int) -> int:
    """OpenSpiel's action."""
    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    bot = pyspiel.MCTSBot(state.get_game(), evaluator, UCT_C, simulations + 1, MEMORY_MB, True, seed, False)
    action: int = bot.step(state)
    return action


def play(name: str, opening: Line, kernel: Seat, number: int) -> dict[str, Any]:
    """One game: the kernel's points, and the CPU seconds of both."""
    game, theirs, simulations = GAMES[name]
    # A column's number, or a cell's place in the order of rows, in both worlds.
    action_of = {move: action for action, move in enumerate(game.all_moves)}
    move_of = list(action_of)
    rng = Random(f"{name} {number}")
    state, other = game.initial(rng), pyspiel.load_game(theirs).new_initial_state()
    seconds = {"kernel": 0.0, "open_spiel": 0.0}
    waiting = list(opening.moves)
    while (outcome := game.outcome(state)) is None:
        seed = rng.randrange(2**31)
        began = time.process_time()
        if waiting:
            move = waiting.pop(0)
        elif game.to_move(state) is kernel:
            move = kernel_move(game, state, simulations, seed)
            seconds["kernel"] += time.process_time() - began
        else:
            move = move_of[open_spiel_action(other, simulations, seed)]
            seconds["open_spiel"] += time.process_time() - began
        state = game.play(state, move)
        other.apply_action(action_of[move])
    assert other.is_terminal()
    points = 0.5 if outcome.winner is None else 1.0 if outcome.winner is kernel else 0.0
    return {"points": points, **{f"{who}_s": round(spent, 3) for who, spent in seconds.items()}}


def told(name: str, rows: list[dict[str, Any]]) -> str:
    """What was played so far, in a line; the interval resamples pairs of games."""
    pairs: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        pairs[row["number"] // 2].append(row["points"])
    score = share_over_clusters([(sum(points), len(points)) for points in pairs.values()])
    won, drawn = (sum(row["points"] == points for row in rows) for points in (1.0, 0.5))
    low, high = (score.value if end is None else end for end in (score.low, score.high))
    return (
        f"{name:13} {GAMES[name][2]:5} simulations  kernel scores {score.value:.3f} [{low:.3f}, {high:.3f}], "
        f"{won} won {drawn} drawn {len(rows) - won - drawn} lost of {len(rows)}; CPU s: kernel "
        f"{sum(row['kernel_s'] for row in rows):.0f}, OpenSpiel {sum(row['open_spiel_s'] for row in rows):.0f}"
    )


def main() -> None:
    """Play what is missing."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--game", choices=list(GAMES), action="append")
    parser.add_argument("--games", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("build/kernel-strength.jsonl"))
    wanted = parser.parse_args()
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(row) for row in wanted.out.read_text().splitlines()] if wanted.out.exists() else []
    print(f"OpenSpiel {metadata.version('open_spiel')}; UCT, c = {SETTINGS.c} on 0 to 1, one rollout a leaf, solving")
    for name in wanted.game or GAMES:
        game, _, simulations = GAMES[name]
        openings = lines(game.id, "balanced")
        rows = [row for row in done if (row["game"], row["simulations"]) == (name, simulations)][: wanted.games]
        for number in range(len(rows), wanted.games):
            opening = openings[number // 2 % len(openings)]
            found = play(name, opening, list(Seat)[number % 2], number)
            rows.append({"game": name, "simulations": simulations, "number": number, "opening": opening.name, **found})
            with wanted.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            if (number + 1) % 50 == 0 and number + 1 < wanted.games:
                print(told(name, rows), flush=True)
        print(told(name, rows), flush=True)


if __name__ == "__main__":
    main()
