"""The baselines in any position of any game: what they may and may not choose, told by the rules alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.base import AgentSpec, Propose, View
from stratarena.agents.baselines import Greedy, Random
from stratarena.games.base import Move, Outcome, Seat, Traits
from stratarena.games.plugins import load_game

GREEDY, RANDOM = Greedy(AgentSpec("g", "greedy")), Random(AgentSpec("r", "random"))
GAMES = {name: load_game(name) for name in ("connect_four", "hex(size=4)", "hex(size=3, swap=true)")}


def turn(agent, game, state, *, seed):
    """The steps of one turn and its decision."""
    view = View(game=game, state=state, seat=game.to_move(state), ply=0, start="", moves=(), seed=seed)
    thinking, steps = agent.deliberate(view), []
    try:
        while True:
            steps.append(thinking.send(None))
    except StopIteration as stop:
        return steps, stop.value


def wander(game, *, n_plies, seed):
    """A state some random plies into the game, not yet over."""
    rng = random.Random(seed)
    state = game.initial(rng)
    for _ in range(n_plies):
        after = game.play(state, rng.choice(game.legal_moves(state)))
        if game.outcome(after) is not None:
            break
        state = after
    return state


def winner(game, state):
    outcome = game.outcome(state)
    return None if outcome is None else outcome.winner


def winning(game, state):
    """Every move that wins at once."""
    mover = game.to_move(state)
    return {move for move in game.legal_moves(state) if winner(game, game.play(state, move)) is mover}


def harmless(game, state):
    """Every move after which the opponent cannot win at once."""
    return {
        move
        for move in game.legal_moves(state)
        if game.outcome(game.play(state, move)) is not None or not winning(game, game.play(state, move))
    }


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(GAMES)), n_plies=st.integers(0, 40), seed=st.integers(0, 2**63 - 1))
def test_greedy_wins_if_it_can_and_else_is_safe_if_it_can(name, n_plies, seed):
    """Checked by trying every move and every reply."""
    game = GAMES[name]
    state = wander(game, n_plies=n_plies, seed=seed)
    steps, decision = turn(GREEDY, game, state, seed=seed)
    wins, safe = winning(game, state), harmless(game, state)
    legal = set(game.legal_moves(state))
    assert decision.move in (wins or safe or legal)
    if wins:
        assert [(step.plan.moves, step.plan.value) for step in steps] == [((decision.move,), 1.0)]
    elif safe and safe != legal:
        assert [step.plan.moves for step in steps if isinstance(step, Propose)] == [(decision.move,)]
    else:
        assert steps == []


@settings(max_examples=50, deadline=None)
@given(name=st.sampled_from(sorted(GAMES)), n_plies=st.integers(0, 40), seed=st.integers(0, 2**63 - 1))
def test_random_reaches_every_legal_move_and_no_other(name, n_plies, seed):
    """Consecutive seeds go round the legal moves; nothing is declared."""
    game = GAMES[name]
    state = wander(game, n_plies=n_plies, seed=seed)
    legal = game.legal_moves(state)
    turns = [turn(RANDOM, game, state, seed=seed % 2**40 + k) for k in range(len(legal))]
    assert sorted(decision.move for _, decision in turns) == sorted(legal)
    assert all(steps == [] for steps, _ in turns)


class Misere:
    """Three moves, of which `lose` ends the game for the opponent and `wait` and `rest` let the opponent move on."""

    traits = Traits(max_plies=10)

    def to_move(self, state):
        return Seat.FIRST if len(state) % 2 == 0 else Seat.SECOND

    def legal_moves(self, state):
        return () if self.outcome(state) else (Move("lose"), Move("rest"), Move("wait"))

    def play(self, state, move):
        return (*state, move)

    def outcome(self, state):
        if "lose" in state:
            return Outcome(Seat.FIRST if len(state) % 2 == 0 else Seat.SECOND, "lost")
        return None


@pytest.mark.parametrize("seed", range(6))
def test_greedy_does_not_end_a_game_that_it_loses_by_ending(seed):
    """Not every last move is a win: in a game where the last to move loses it keeps off that move."""
    _, decision = turn(GREEDY, Misere(), (), seed=seed)
    assert decision.move in ("wait", "rest")


def test_greedy_stops_a_mate_in_one():
    """After 1.e4 e5 2.Bc4 Nc6 3.Qh5 Black must guard f7 or make room for the king; most moves do neither."""
    game = load_game("chess")
    state = game.initial(random.Random(0))
    for move in ("e2e4", "e7e5", "f1c4", "b8c6", "d1h5"):
        state = game.play(state, Move(move))
    choices = {turn(GREEDY, game, state, seed=seed)[1].move for seed in range(40)}
    assert choices <= {"d8e7", "d8f6", "d8g5", "d8h4", "g7g6", "g8h6", "d7d5", "c6d8", "e8e7"}
    assert len(choices) > 2
