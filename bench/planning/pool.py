"""Who takes part in the study, by name, and who meets whom."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from .boards import room_in
from .players import Chooser, Reader, external_minimax, internal, mcts, no_search, open_spiel_mcts, rules_aware, solver

SHAPES = ((0, 1), (1, 2), (1, 3), (2, 2), (2, 3))
SIMULATIONS = (4, 16, 64, 200)
OWN_LEAVES = ", own leaves"
"""Leaves of a minimax that are judged by their own report alone; without it, by their parent's as well, see `traces`."""
PLAIN, MAX, AWARE = "no search", "no search, max", "rules-aware"


def at_random(seed: int = 13) -> Chooser:
    rng = Random(seed)
    return lambda boards: [rng.choice(room_in(board)) for board in boards]


def makers(reader: Reader) -> dict[str, Callable[[], Chooser]]:
    """Every player; made anew for every pairing, so that those that draw begin from their seed."""
    return {
        PLAIN: lambda: no_search(reader),
        MAX: lambda: no_search(reader, "max"),
        AWARE: lambda: rules_aware(reader),
        **{f"minimax ({d},{b})": lambda d=d, b=b: external_minimax(reader, d, b, both=True) for d, b in SHAPES[1:]},
        **{
            f"minimax ({d},{b}){OWN_LEAVES}": lambda d=d, b=b: external_minimax(reader, d, b, both=False)
            for d, b in SHAPES[1:]
        },
        **{f"internal ({d},{b})": lambda d=d, b=b: internal(reader, d, b) for d, b in SHAPES},
        **{f"mcts-{n}": lambda n=n: mcts(reader, n) for n in SIMULATIONS},
        **{f"mcts-{n}, imagined": lambda n=n: mcts(reader, n, imagined=True) for n in SIMULATIONS},
        **{f"OpenSpiel MCTS {n}": lambda n=n: open_spiel_mcts(n) for n in (100, 1000)},
        **{f"solver, {errors:.0%} random": lambda errors=errors: solver(errors) for errors in (0.3, 0.1, 0.0)},
        "random": at_random,
    }


PAIRINGS: tuple[tuple[str, str, int], ...] = (
    # First and second, and opening pairs: the cheap ones and those that an aim names come first.
    (PLAIN, MAX, 200),
    (AWARE, PLAIN, 200),
    ("minimax (1,3)", PLAIN, 200),
    ("minimax (2,3)", PLAIN, 200),
    ("minimax (1,2)", PLAIN, 200),
    ("minimax (2,2)", PLAIN, 200),
    (f"minimax (1,3){OWN_LEAVES}", PLAIN, 200),
    ("mcts-4", AWARE, 200),
    ("mcts-16", AWARE, 200),
    ("mcts-64", AWARE, 200),
    ("mcts-64", PLAIN, 100),
    ("mcts-200", AWARE, 200),
    ("mcts-200", "OpenSpiel MCTS 1000", 40),
    ("internal (1,3)", PLAIN, 200),
    ("internal (2,2)", PLAIN, 100),
    ("internal (2,3)", PLAIN, 50),
    ("internal (2,3)", "internal (1,3)", 50),
    ("internal (1,3)", "minimax (1,3)", 100),
    ("internal (2,3)", "minimax (2,3)", 40),
    ("mcts-64, imagined", "mcts-64", 40),
    ("mcts-16, imagined", "mcts-16", 100),
    (PLAIN, "OpenSpiel MCTS 100", 100),
    (PLAIN, "OpenSpiel MCTS 1000", 100),
    ("mcts-16", "OpenSpiel MCTS 1000", 60),
    ("mcts-64", "OpenSpiel MCTS 1000", 40),
    (PLAIN, "random", 50),
    (PLAIN, "solver, 30% random", 100),
    ("mcts-16", "solver, 10% random", 60),
    ("mcts-64", "solver, 10% random", 40),
    ("mcts-200", "solver, 0% random", 20),
)
