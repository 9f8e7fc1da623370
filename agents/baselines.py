"""Opponents that need no model and no engine: the floor that every agent should stand above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from stratarena.agents.base import AgentSpec, Decision, Deliberation, View, propose
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Plan
from stratarena.agents.planners import greedy_submission, random_submission
from stratarena.agents.planning import needs_plans
from stratarena.games.base import Move

__all__ = ["Greedy", "Random", "safe_moves", "wins_at_once"]

S = TypeVar("S")


class NoParams(Params):
    """Takes none."""


class _Baseline:
    """What both share: any game, no model, no engine, no parameters."""

    models: tuple[str, ...] = ()
    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        checked_params(NoParams, spec.params, where=f"agent {spec.name!r}")
        self.spec = spec

    def plays(self, game: str) -> str | None:
        """Every game."""
        return None


class Random(_Baseline):
    """Plays a legal move chosen uniformly at random, from the turn's own seed; where a move is a plan, a random plan."""

    def deliberate(self, view: View[S]) -> Deliberation:
        """One uniform draw; the seed is itself uniform over 63 bits, so its remainder needs no generator."""
        if view.game.traits.purse and needs_plans(view.game.id):
            return (yield from random_submission(view))
        moves = view.game.legal_moves(view.state)
        return Decision(moves[view.seed % len(moves)])


class Greedy(_Baseline):
    """Wins at once if it can, else does not let the opponent win at once, else plays at random.

    Sees two plies ahead through the rules alone, in any game: every agent that claims to plan should beat it. In a game
    of hidden information it plays at random. Where a move is a plan, it buys the most strength for the coin and stays
    with that.
    """

    def deliberate(self, view: View[Any]) -> Deliberation:
        """Declares a plan when it wins, or when all but some moves lose."""
        if view.game.traits.purse and needs_plans(view.game.id):
            return (yield from greedy_submission(view))
        moves = view.game.legal_moves(view.state)
        if not view.game.traits.open_information:
            # What cannot be seen cannot be looked ahead in.
            return Decision(moves[view.seed % len(moves)])
        win = next((move for move in moves if wins_at_once(view, view.state, move)), None)
        if win is not None:
            yield from propose(Plan(moves=(win,), value=1.0, why="wins at once"))
            return Decision(win)
        safe = safe_moves(view, moves)
        if safe and len(safe) < len(moves):
            move = safe[view.seed % len(safe)]
            yield from propose(Plan(moves=(move,), why="keeps the opponent from winning at once"))
            return Decision(move)
        return Decision(moves[view.seed % len(moves)])


def wins_at_once(view: View[Any], state: Any, move: Move) -> bool:
    """Whether the move ends the game in favour of the one who makes it."""
    mover = view.game.to_move(state)
    outcome = view.game.outcome(view.game.play(state, move))
    return outcome is not None and outcome.winner is mover


def safe_moves(view: View[Any], moves: Sequence[Move]) -> list[Move]:
    """The moves after which the opponent cannot win at once.

    A reply that wins after one move is tried first after the next: threats outlast most moves, so most unsafe moves
    are found out by a single try. Costs at most moves times replies plays: about 15 ms in Hex 11, 30 ms in chess.
    """
    safe: list[Move] = []
    killers: list[Move] = []
    for move in moves:
        after = view.game.play(view.state, move)
        outcome = view.game.outcome(after)
        if outcome is not None:
            if outcome.winner in (None, view.seat):
                safe.append(move)
            continue
        replies = view.game.legal_moves(after)
        known = [killer for killer in killers if killer in replies]
        killer = next((reply for reply in (*known, *replies) if wins_at_once(view, after, reply)), None)
        if killer is None:
            safe.append(move)
        elif killer not in killers:
            killers.insert(0, killer)
    return safe
