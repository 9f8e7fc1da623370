"""Simulations per CPU second of the resource-limited games, full-purse plans drawn at random, one process."""

from __future__ import annotations

import argparse
import time
from random import Random

from stratarena.games.base import Seat
from stratarena.games.resource.base import RuleSet
from stratarena.games.resource.registry import NAMES, resource_game

AIMS = {"tower_defense": 200, "battle_card": 2000, "turn_based": 2000}
PAIRS = 300
REPEATS = 3


def main() -> None:
    """Print a line for each game and rule set: the best of three runs over the same pairs."""
    print(f"{'game':<14} {'rules':<11} {'pairs':>6} {'simulations per CPU second':>27}  aim (as written)")
    for name in NAMES:
        for rule_set in RuleSet:
            game = resource_game(name, rule_set.value)
            rng = Random(1)
            pairs = [(game.random_plan(Seat.FIRST, rng), game.random_plan(Seat.SECOND, rng)) for _ in range(PAIRS)]
            best = min(_seconds(game, pairs) for _ in range(REPEATS))
            aim = f"{AIMS[name]:,}" if rule_set is RuleSet.AS_WRITTEN else ""
            print(f"{name:<14} {rule_set.value:<11} {PAIRS:>6} {PAIRS / best:>27,.0f}  {aim}")


def _seconds(game, pairs) -> float:
    began = time.process_time()
    for first, second in pairs:
        game.simulate(first, second)
    return time.process_time() - began


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
