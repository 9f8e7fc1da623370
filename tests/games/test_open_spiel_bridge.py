"""OpenSpiel's games behind our protocol: the same games, nothing hidden told, nothing of chance foreseen."""

from __future__ import annotations

from random import Random

import pytest

pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
import pyspiel

from stratarena.agents.base import AgentSpec, Decision
from stratarena.agents.baselines import Greedy
from stratarena.agents.baselines import Random as RandomAgent
from stratarena.agents.conformance import check_agent
from stratarena.agents.engine_player import OpenSpielMcts
from stratarena.arena.testing import ScriptedAgent, play_one
from stratarena.games.adapters.open_spiel import HiddenState, OpenSpiel, fitting
from stratarena.games.base import IllegalMove, Move, PositionError, Seat, SpecError
from stratarena.games.conformance import check_game
from stratarena.games.plugins import load_game

QUICK = [
    "open_spiel:breakthrough(columns=5, rows=5)",
    "open_spiel:hex(board_size=4)",
    "open_spiel:tic_tac_toe",
    "open_spiel:kuhn_poker",
    "open_spiel:leduc_poker",
    "open_spiel:liars_dice",
    "open_spiel:phantom_ttt",
    "open_spiel:dark_hex(board_size=3)",
    "open_spiel:bargaining",
    "open_spiel:pig",
    "open_spiel:oware",
    "open_spiel:tiny_hanabi",
    "open_spiel:nim",
    "open_spiel:backgammon",
]


@pytest.mark.parametrize("spec", QUICK)
def test_a_bridged_game_keeps_the_promises_of_games(spec):
    """Chance, hidden information and general sums included."""
    check_game(load_game(spec), n_games=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in fitting() if name not in ("go", "mnk", "gomoku", "crazy_eights")])
def test_every_game_that_fits_keeps_the_promises_of_games(name):
    """All of OpenSpiel's but those whose boards make it take long, and one for five players."""
    check_game(load_game(f"open_spiel:{name}"), n_games=1)


@pytest.mark.parametrize("spec", QUICK)
def test_a_random_game_goes_as_in_open_spiel(spec):
    """Who moves, what is legal, the end and the returns, ply by ply; chance draws what the bridge drew."""
    game = load_game(spec)
    assert isinstance(game, OpenSpiel)
    for seed in range(10):
        rng = Random(seed)
        state = game.initial(rng)
        while True:
            theirs = pyspiel.load_game(state.inner.get_game().to_string()).new_initial_state()
            for action in state.inner.history():
                theirs.apply_action(action)
            assert theirs.is_terminal() is (game.outcome(state) is not None)
            assert tuple(theirs.returns()) == game.returns(state)
            if theirs.is_terminal():
                first, second = theirs.returns()
                outcome = game.outcome(state)
                assert outcome is not None
                assert outcome.winner is (None if first == second else Seat.FIRST if first > second else Seat.SECOND)
                break
            assert not theirs.is_chance_node()
            assert (theirs.current_player() == 0) is (game.to_move(state) is Seat.FIRST)
            assert list(state.names.values()) == theirs.legal_actions()
            state = game.play(state, rng.choice(game.legal_moves(state)))


def everything_seen(game, state, seat):
    """All that an agent of this seat is handed."""
    seen = game.visible(state, seat)
    return (
        game.render(seen, seat),
        game.encode(seen),
        game.digest(seen),
        tuple(game.legal_moves(seen)),
        game.to_move(seen),
        game.outcome(seen),
    )


@pytest.mark.parametrize("name", ["kuhn_poker", "leduc_poker"])
def test_what_a_seat_sees_is_the_same_in_every_state_it_cannot_tell_apart(name):
    """Every state of the game: one information state of OpenSpiel, one view of ours."""
    game = OpenSpiel(name, {})
    seen = {}
    todo = [pyspiel.load_game(name).new_initial_state()]
    n_states = 0
    while todo:
        inner = todo.pop()
        if inner.is_terminal():
            continue
        todo += [inner.child(action) for action in inner.legal_actions()]
        if inner.is_chance_node():
            continue
        n_states += 1
        seat = Seat.FIRST if inner.current_player() == 0 else Seat.SECOND
        history = " ".join(map(str, inner.history()))
        for deal in (1, 2):
            view = everything_seen(game, game.decode(f"deal {deal} actions {history}"), seat)
            assert seen.setdefault(inner.information_state_string(), view) == view
    assert n_states > len(seen) > 10


def test_hidden_states_cannot_be_played_on():
    """Nobody looks ahead in what is not seen."""
    game = load_game("open_spiel:kuhn_poker")
    seen = game.visible(game.initial(Random(1)), Seat.FIRST)
    with pytest.raises(HiddenState):
        game.play(seen, Move("Pass"))


def test_an_agent_is_told_neither_the_deal_nor_the_moves_it_cannot_see():
    """What the referee hands over: no start, no moves, another deal."""
    told = []

    def look(view):
        told.append((view.start, view.moves, view.game.encode(view.state)))
        return Decision(view.game.legal_moves(view.state)[0])
        yield

    for spec in ("open_spiel:pig", "open_spiel:phantom_ttt"):
        game = load_game(spec)
        start = game.encode(game.initial(Random(0)))
        told.clear()
        play_one(game, ScriptedAgent("a", look), ScriptedAgent("b", look))
        assert all(moves == () for _, moves, _ in told)
        assert all(begun == position for begun, _, position in told)
        if game.traits.chance:
            deal = start.split()[1]
            assert all(position.split()[1] != deal for _, _, position in told)


def test_a_look_ahead_draws_other_dice_than_the_match():
    """An agent that plays its own view forward learns nothing of what will come."""
    game = load_game("open_spiel:pig")
    differs = 0
    for seed in range(40):
        state = game.initial(Random(seed))
        seen = game.visible(state, game.to_move(state))
        differs += str(game.play(state, Move("roll")).inner) != str(game.play(seen, Move("roll")).inner)
    assert differs > 20


def test_equal_starts_are_dealt_alike_and_others_differ():
    """Which is what both matches of a pair rest on."""
    game = load_game("open_spiel:backgammon")
    dealt = [game.encode(game.initial(Random(seed))) for seed in (1, 1, 2)]
    assert dealt[0] == dealt[1] != dealt[2]
    one, two = (game.decode(dealt[0]) for _ in range(2))
    for _ in range(6):
        move = game.legal_moves(one)[0]
        one, two = game.play(one, move), game.play(two, move)
        assert game.digest(one) == game.digest(two)


@pytest.mark.parametrize("spec", ["open_spiel:kuhn_poker", "open_spiel:pig", "open_spiel:tic_tac_toe"])
def test_simple_agents_play_any_of_them(spec):
    """Greedy looks ahead where it can see."""
    game = load_game(spec)
    check_agent(lambda: RandomAgent(AgentSpec("r", "random")), game)
    check_agent(lambda: Greedy(AgentSpec("g", "greedy")), game)


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("open_spiel:hex(board_size=5)", "open_spiel:hex(board_size=5)"),
        ("open_spiel:hex(board_size=11)", "open_spiel:hex"),
        ("open_spiel:breakthrough(rows=5, columns=6)", "open_spiel:breakthrough(columns=6, rows=5)"),
    ],
)
def test_the_id_leaves_defaults_out_and_loads_again(given, printed):
    """In the order of the alphabet."""
    game = load_game(given)
    assert game.id == printed
    assert load_game(game.id).id == printed


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("open_spiel:matrix_rps", "move at the same time"),
        ("open_spiel:goofspiel", "move at the same time"),
        ("open_spiel:crazy_eights", "has 5 players with these parameters"),
        ("open_spiel:catch", "has 1 to 1 players"),
        ("open_spiel:kuhn_poker(players=3)", "has 3 players with these parameters"),
        ("open_spiel:brekthrough", "did you mean open_spiel:breakthrough"),
        ("open_spiel:hex(board_sise=5)", "did you mean 'board_size'"),
        ('open_spiel:hex(board_size="5")', "expected a value like 11"),
        ("open_spiel:hex(board_size=0)", "nothing can be played"),
        ("open_spiel:hex(board_size=-1)", "nothing can be played"),
        ("open_spiel:hex(board_size=1)", "nothing can be played|breaks down"),
        ("open_spiel:breakthrough(rows=0)", "OpenSpiel"),
        ("open_spiel:", "OpenSpiel has no game ''"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(spec, says):
    """One line; the process goes on."""
    with pytest.raises(SpecError, match=says):
        load_game(spec)


def test_positions_that_cannot_be_are_refused():
    """Chance's part included."""
    game = load_game("open_spiel:kuhn_poker")
    for text in ("", "actions 0 1", "deal 5 actions 0", "deal 5 actions 0 0", "deal 99999999999 actions 0 1", "deal 5"):
        with pytest.raises(PositionError):
            game.decode(text)
    state = game.decode("deal 5 actions 0 1")
    with pytest.raises(IllegalMove, match="not among the 2 legal moves"):
        game.play(state, Move("fold"))


def test_tree_search_plays_what_hides_nothing_and_says_so_of_the_rest():
    """With chance or without; every answer is legal."""
    mcts = OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 20}))
    for spec in ("open_spiel:tic_tac_toe", "open_spiel:pig(winscore=20)"):
        assert mcts.plays(spec) is None
        check_agent(lambda: mcts, load_game(spec))
    refusal = mcts.plays("open_spiel:leduc_poker")
    assert refusal is not None
    assert "hides its state" in refusal
