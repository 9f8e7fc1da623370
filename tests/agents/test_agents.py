"""Every agent keeps its promises, and does what its name says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stratarena.agents.base import AgentSpec, Ask, Decision, Propose, Refusal, Revise, View
from stratarena.agents.baselines import Greedy, Random
from stratarena.agents.budget import FREE, Budget, Spend
from stratarena.agents.conformance import ConformanceError, check_agent
from stratarena.agents.direct import Direct
from stratarena.agents.engine_player import OpenSpielMcts, PerfectConnectFour, Uci
from stratarena.agents.likelihood import Likelihood
from stratarena.agents.models.base import Completion, Finish, Scores
from stratarena.agents.plan import Cause, Plan
from stratarena.arena.testing import ScriptedAgent
from stratarena.games.base import MalformedMove, Move, Seat, SpecError
from stratarena.games.plugins import load_game


def decide(agent, game, state, *, seed=0, answers=(), refused=()):
    """All steps of one turn and its decision, model answers given in order."""
    view = View(
        game=game, state=state, seat=game.to_move(state), ply=0, start=game.encode(state), moves=(), seed=seed,
        refused=tuple(refused),
    )  # fmt: skip
    thinking, steps, reply, given = agent.deliberate(view), [], None, iter(answers)
    try:
        while True:
            step = thinking.send(reply)
            steps.append(step)
            reply = tuple(next(given) for _ in step.requests) if isinstance(step, Ask) else None
    except StopIteration as stop:
        return steps, stop.value


def said(text, finish=Finish.STOP):
    return Completion(text=text, finish=finish, spend=Spend(model_calls=1))


def after(game, *moves):
    state = game.initial(None)
    for move in moves:
        state = game.play(state, Move(move))
    return state


@pytest.mark.parametrize("game", ["connect_four", "hex(size=4, swap=true)"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: Random(AgentSpec("r", "random")),
        lambda: Greedy(AgentSpec("g", "greedy")),
        lambda: Direct(AgentSpec("d", "llm", {"model": "m"})),
        lambda: Direct(AgentSpec("d", "llm", {"model": "m", "temperature": 0.5, "reader": "tolerant"})),
        lambda: Likelihood(AgentSpec("l", "llm_likelihood", {"model": "m"})),
    ],
)
def test_every_agent_without_an_engine_keeps_its_promises(make, game):
    """Legal, repeatable, without memory, in two games."""
    check_agent(make, load_game(game))


def test_random_is_uniform():
    """7,000 draws of seven columns: each within five standard deviations of 1,000."""
    game, agent = load_game("connect_four"), Random(AgentSpec("r", "random"))
    state, counts = game.initial(None), {}
    from stratarena.arena.seeds import derive_seed

    for number in range(7000):
        _, decision = decide(agent, game, state, seed=derive_seed(1, "draw", number))
        counts[decision.move] = counts.get(decision.move, 0) + 1
    assert set(counts) == set("1234567")
    assert all(abs(count - 1000) < 5 * 29.3 for count in counts.values())


@pytest.mark.parametrize(
    ("game", "moves", "best"),
    [
        ("connect_four", "1212127", "2"),  # SECOND completes its own column rather than blocking
        ("connect_four", "121212", "1"),
        ("chess", "f2f3 e7e5 g2g4", "d8h4"),
        ("hex(size=3)", "b1 a1 b2 a2", "a3"),
    ],
)
def test_greedy_takes_an_immediate_win(game, moves, best):
    """And says so in its plan."""
    game = load_game(game)
    state = after(game, *(moves.split() if " " in moves else moves))
    if game.outcome(state) is not None:
        pytest.fail("the example is over already")
    steps, decision = decide(Greedy(AgentSpec("g", "greedy")), game, state)
    assert decision.move == best
    assert steps == [Propose(Plan(moves=(Move(best),), value=1.0, why="wins at once"))]


@pytest.mark.parametrize("seed", range(5))
def test_greedy_blocks_an_immediate_loss(seed):
    """Three of X in column 1: O has one safe column."""
    game = load_game("connect_four")
    steps, decision = decide(Greedy(AgentSpec("g", "greedy")), game, after(game, *"17161"), seed=seed)
    assert decision.move == "1"
    assert steps[0].plan.why == "keeps the opponent from winning at once"


def test_greedy_does_not_dig_its_own_grave():
    """A move that opens a winning cell for the opponent is not among its choices."""
    game = load_game("connect_four")
    # X holds 2-3-4 on the second row with column 1 and 5 one disc short of it: playing there would lift X to the win.
    state = after(game, *"2233447")
    if game.to_move(state) is not Seat.SECOND:
        pytest.fail("the example is for SECOND")
    for seed in range(20):
        _, decision = decide(Greedy(AgentSpec("g", "greedy")), game, state, seed=seed)
        following = game.play(state, decision.move)
        if game.outcome(following) is None:
            replies = [game.outcome(game.play(following, reply)) for reply in game.legal_moves(following)]
            safe_exists = any(
                all(
                    game.outcome(game.play(game.play(state, move), reply)) is None
                    for reply in game.legal_moves(game.play(state, move))
                )
                for move in game.legal_moves(state)
                if game.outcome(game.play(state, move)) is None
            )
            assert not safe_exists or all(outcome is None for outcome in replies)


def test_a_models_move_is_read_and_played():
    """The prompt holds the rules, the board and the legal moves; the answer is the move."""
    game = load_game("connect_four")
    agent = Direct(AgentSpec("d", "llm", {"model": "m"}))
    (step,), decision = decide(agent, game, after(game, "4"), answers=[said("MOVE: 3")])
    assert decision == Decision(Move("3"))
    system, user = step.requests[0].messages
    assert game.rules in system.content
    assert game.render(after(game, "4"), Seat.SECOND) in user.content
    assert "1, 2, 3, 4, 5, 6, 7" in user.content
    assert "You are O." in user.content
    assert step.requests[0].sampling.seed is None


def test_sampling_stores_its_seed():
    """The request carries the turn's own seed, so it can be repeated."""
    game = load_game("connect_four")
    agent = Direct(AgentSpec("d", "llm", {"model": "m", "temperature": 0.7}))
    (step,), _ = decide(agent, game, game.initial(None), seed=99, answers=[said("3")])
    assert (step.requests[0].sampling.seed, step.requests[0].sampling.temperature) == (99, 0.7)


def test_a_refused_answer_comes_back_with_what_was_wrong():
    """The next prompt holds the answer and the reason, so that greedy decoding is not asked the same thing twice."""
    game = load_game("connect_four")
    agent = Direct(AgentSpec("d", "llm", {"model": "m"}))
    refusal = Refusal("illegal", "MOVE: 9", "there is no such column")
    (step,), _ = decide(agent, game, game.initial(None), answers=[said("3")], refused=[refusal])
    *_, answer, nudge = step.requests[0].messages
    assert (answer.role, answer.content) == ("assistant", "MOVE: 9")
    assert "illegal" in nudge.content
    assert "there is no such column" in nudge.content


def test_a_cut_off_answer_is_told_apart():
    """What was wrong was not the move but the length."""
    game = load_game("connect_four")
    agent = Direct(AgentSpec("d", "llm", {"model": "m"}))
    with pytest.raises(MalformedMove, match="cut off"):
        decide(agent, game, game.initial(None), answers=[said("Let me think about the", Finish.LENGTH)])


@pytest.mark.parametrize(("norm", "best"), [("mean", "2"), ("sum", "1")])
def test_the_likeliest_legal_move_is_chosen_and_named_as_such(norm, best):
    """By tokens or whole; the plan says how it was found."""
    game = load_game("connect_four")
    agent = Likelihood(AgentSpec("l", "llm_likelihood", {"model": "m", "norm": norm}))
    scores = Scores(
        logprobs=(-2.0, -3.0, -9.0, -9.0, -9.0, -9.0, -9.0), n_tokens=(1, 2, 1, 1, 1, 1, 1), spend=Spend(model_calls=1)
    )
    (step, plan), decision = decide(agent, game, game.initial(None), answers=[scores])
    assert step.requests[0].continuations == tuple("1234567")
    assert decision.move == best
    assert "likeliest of 7 legal moves" in plan.plan.why


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Direct(AgentSpec("d", "llm", {})), ["agent 'd'", "'model' is missing"]),
        (lambda: Direct(AgentSpec("d", "llm", {"model": "m", "temprature": 1.0})), ["did you mean 'temperature'"]),
        (lambda: Direct(AgentSpec("d", "llm", {"model": "m", "max_tokens": "9"})), ["max_tokens", "valid integer"]),
        (lambda: Random(AgentSpec("r", "random", {"seed": 1})), ["unknown key 'seed'", "takes none"]),
        (
            lambda: OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 0})),
            ["simulations", "greater than or equal to 1"],
        ),
        (lambda: Uci(AgentSpec("u", "uci", {})), ["give nodes, depth or move_ms"]),
    ],
)
def test_wrong_parameters_are_told_with_what_would_do(make, words):
    """The agent, the key, and the nearest valid one."""
    with pytest.raises(SpecError) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("agent", "game", "plays"),
    [
        (Uci(AgentSpec("u", "uci", {"nodes": 1})), "chess", True),
        (Uci(AgentSpec("u", "uci", {"nodes": 1})), "hex", False),
        (OpenSpielMcts(AgentSpec("m", "mcts")), "hex(size=5)", True),
        (PerfectConnectFour(AgentSpec("p", "perfect")), "connect_four", True),
        (PerfectConnectFour(AgentSpec("p", "perfect")), "chess", False),
    ],
)
def test_an_engine_player_says_which_games_it_knows(agent, game, plays):
    """None is yes; else a sentence says why not."""
    assert (agent.plays(game) is None) is plays


def test_the_conformance_check_finds_what_is_wrong():
    """Memory, illegal moves, foreign steps and unfounded revisions are each told."""
    game = load_game("connect_four")

    def broken(think):
        agent = ScriptedAgent("x", think)
        return lambda: agent

    count = iter(range(10**6))

    def forgetful(view):
        moves = view.game.legal_moves(view.state)
        return Decision(moves[next(count) % len(moves)])
        yield

    def illegal(view):
        return Decision(Move("8"))
        yield

    def foreign(view):
        yield "a thought"

    def unfounded(view):
        yield Revise(Plan(moves=()), Cause.SEARCH)

    for think, words in (
        (forgetful, "the same view gave"),
        (illegal, "illegal move"),
        (foreign, "no step"),
        (unfounded, "never proposed"),
    ):
        with pytest.raises(ConformanceError, match=words):
            check_agent(broken(think), game)


def test_the_example_of_the_readme_is_an_agent():
    """The code in agents/README.md, as it stands there, keeps every promise."""
    page = (Path(__file__).parents[2] / "agents/README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    space = {}
    exec(code, space)
    check_agent(lambda: space["Centre"](AgentSpec("c", "centre")), load_game("connect_four"))


def test_spends_add_up_and_an_unknown_cost_stays_unknown():
    """None is not zero."""
    one = Spend(model_calls=1, prompt_tokens=5, cost_usd=0.5)
    assert (one + FREE) == one
    assert (one + Spend(cost_usd=None)).cost_usd is None
    assert Budget(cost_usd=1.0).exceeded_by(Spend(cost_usd=None)) == ()
    assert Budget(prompt_tokens=5).exceeded_by(one) == ()
    assert Budget(prompt_tokens=4).exceeded_by(one)[0].used == 5
    assert Budget(prompt_tokens=4, nodes=3).left(one) == Budget(prompt_tokens=0, nodes=3)
