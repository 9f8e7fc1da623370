"""Both bridges to PettingZoo, held to its own conformance tests and to our rules."""

from __future__ import annotations

import warnings
from random import Random

import pytest

pytest.importorskip("pettingzoo", reason="the pettingzoo extra is not installed")
from pettingzoo.test import api_test, render_test, seed_test

from stratarena.games.adapters.aec import as_aec, env, raw_env
from stratarena.games.base import Move, PositionError, Seat, SpecError
from stratarena.games.conformance import check_game
from stratarena.games.plugins import load_game

NAME = {Seat.FIRST: "player_0", Seat.SECOND: "player_1"}
OURS = ["connect_four", "hex(size=5)", "hex(size=4, swap=true)", "hex", "chess", "chess960"]
OF_PLANS = ["turn_based(rounds=3)", "battle_card(rounds=2)", "tower_defense(rounds=2)"]


@pytest.mark.parametrize("spec", OURS)
def test_every_game_of_ours_passes_pettingzoos_own_tests(spec, capsys):
    """`api_test`, with every observation in its space, and `seed_test`."""
    with warnings.catch_warnings():
        # PettingZoo warns of an empty board, and of dict spaces other than those of its own classic games.
        warnings.filterwarnings("ignore", message="Observation", category=UserWarning)
        api_test(env(spec), num_cycles=200 if spec.startswith("chess") else 1000)
        seed_test(lambda: env(spec), num_cycles=100)
    assert "Passed API test" in capsys.readouterr().out


@pytest.mark.parametrize("spec", OF_PLANS)
def test_games_of_plans_pass_pettingzoos_own_tests(spec, capsys):
    """Their actions are drawn from all texts, so every answer here is an unreadable one, and none may be fatal."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Action space for each agent", category=UserWarning)
        api_test(env(spec), num_cycles=40)
        seed_test(lambda: env(spec), num_cycles=20)
    assert "Passed API test" in capsys.readouterr().out


@pytest.mark.parametrize("spec", OF_PLANS)
def test_an_environment_of_plans_plays_a_series_to_its_end(spec):
    """What an agent is told is what a model is told; a legal plan is taken; the rewards are the series' result."""
    aec = as_aec(load_game(spec))
    aec.reset(seed=1)
    game, state = load_game(spec), load_game(spec).initial(Random(1))
    rng = Random(2)
    while game.outcome(state) is None:
        agent, seat = aec.agent_selection, game.to_move(state)
        assert agent == NAME[seat]
        told = bytes(aec.observe(agent)).rstrip(b"\0").decode()
        assert told == game.brief(game.visible(state, seat), seat)[:30_000] == aec.told(agent)
        move = rng.choice(game.legal_moves(state))
        aec.step(move)
        state = game.play(state, game.parse(state, move))
    winner = game.outcome(state).winner
    assert aec.rewards == {NAME[seat]: 0 if winner is None else 1 if seat is winner else -1 for seat in Seat}


def test_boards_are_rendered_as_text():
    """PettingZoo's own test of rendering has no mode for text only, so the text is looked at here."""
    game = raw_env("connect_four", render_mode="ansi")
    game.reset()
    game.step(3)
    board = game.render()
    assert board is not None
    assert board.splitlines()[-2] == ". . . X . . ."
    render_test(lambda render_mode=None: raw_env("hex(size=3)", render_mode))


@pytest.mark.parametrize("spec", OURS)
def test_an_environment_and_the_rules_play_the_same_game(spec):
    """The mask is the list of legal moves; the rewards are the result; nobody but the mover may act."""
    game, rng = load_game(spec), Random(1)
    aec = as_aec(game)
    aec.reset(seed=5)
    state = game.initial(Random(5))
    plies = 0
    while game.outcome(state) is None and plies < 200:
        mover = game.to_move(state)
        assert aec.agent_selection == NAME[mover]
        legal = game.legal_moves(state)
        mask = aec.observe(NAME[mover])["action_mask"]
        assert sorted(aec.moves[number] for number in mask.nonzero()[0]) == sorted(legal)
        assert not aec.observe(NAME[mover.other])["action_mask"].any()
        move = rng.choice(legal)
        aec.step(aec.moves.index(move))
        state = game.play(state, move)
        plies += 1
    outcome = game.outcome(state)
    if outcome is not None:
        wins = {NAME[seat]: 0 if outcome.winner is None else 1 if outcome.winner is seat else -1 for seat in Seat}
        assert aec.rewards == wins
        assert all(aec.terminations.values())


def test_an_observation_is_seen_from_the_agents_own_side():
    """Own men first."""
    aec = raw_env("hex(size=3)")
    aec.reset()
    aec.step(aec.moves.index(Move("b2")))
    first, second = (aec.observe(agent)["observation"] for agent in ("player_0", "player_1"))
    assert (first[1, 1].tolist(), second[1, 1].tolist()) == ([1, 0, 1], [0, 1, 0])
    chess = raw_env("chess")
    chess.reset()
    white = chess.observe("player_0")["observation"]
    assert white[7, 4, 5] == 1
    assert white[0, 4, 11] == 1
    assert white[..., 13:17].all()


def test_every_chess_move_has_a_number():
    """1,968 of them."""
    assert len(load_game("chess").all_moves) == 1968  # type: ignore[attr-defined]


def test_a_game_that_does_not_list_its_moves_says_so():
    """Unless they are given."""
    game = load_game("pettingzoo:tictactoe_v3")
    with pytest.raises(SpecError, match="give them as moves"):
        as_aec(game)
    numbered = as_aec(game, moves=[Move(str(number)) for number in range(9)])
    numbered.reset()
    assert numbered.observe("player_0")["observation"].shape == (512,)


@pytest.mark.parametrize(
    "spec", ["pettingzoo:connect_four_v3", "pettingzoo:tictactoe_v3", "pettingzoo:go_v5(board_size=3)"]
)
def test_a_game_of_pettingzoo_keeps_the_promises_of_games(spec):
    """As ours do."""
    check_game(load_game(spec), n_games=1)


def test_connect_four_goes_the_same_way_by_all_three_roads():
    """Ours, OpenSpiel's and PettingZoo's."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    ours = load_game("connect_four")
    others = [load_game("open_spiel:connect_four"), load_game("pettingzoo:connect_four_v3")]
    for seed in range(5):
        rng = Random(seed)
        state, states = ours.initial(rng), [game.initial(rng) for game in others]
        while ours.outcome(state) is None:
            index = rng.randrange(len(ours.legal_moves(state)))
            for number, game in enumerate(others):
                legal = game.legal_moves(states[number])
                assert len(legal) == len(ours.legal_moves(state))
                assert game.to_move(states[number]) is ours.to_move(state)
                states[number] = game.play(states[number], legal[index])
            state = ours.play(state, ours.legal_moves(state)[index])
        expected = ours.outcome(state)
        assert expected is not None
        for game, end in zip(others, states, strict=True):
            outcome = game.outcome(end)
            assert outcome is not None
            assert outcome.winner is expected.winner


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("pettingzoo:chess_v6", "there are: connect_four_v3, go_v5, tictactoe_v3"),
        ("pettingzoo:os.system", "no bridge to PettingZoo's 'os.system'"),
        ("pettingzoo:go_v5(size=3)", "refused its parameters"),
        ("gymnasium:x", "there is no bridge 'gymnasium'; there are: open_spiel, pettingzoo"),
    ],
)
def test_what_does_not_fit_is_refused(spec, says):
    """Only listed environments are imported."""
    with pytest.raises(SpecError, match=says):
        load_game(spec)


def test_a_position_that_was_never_reached_is_refused():
    """Actions are tried one by one."""
    game = load_game("pettingzoo:tictactoe_v3")
    for text in ("actions 0 0", "actions 9", "0 1", "actions", "actions 1  2"):
        with pytest.raises(PositionError):
            game.decode(text)
