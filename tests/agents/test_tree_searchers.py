"""Agents that search around a model: their evaluators, budgets, declared plans, and the model's own world."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from math import isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.base import AgentSpec
from stratarena.agents.buckets import bucket, centre, labels_of, mirrored, move_scores
from stratarena.agents.budget import Budget, Spend
from stratarena.agents.conformance import check_agent
from stratarena.agents.engines.open import open_engine
from stratarena.agents.evaluation_prompts import read_move_values, read_percent
from stratarena.agents.evaluators import PriorShape
from stratarena.agents.external_mcts import LlmParams, evaluator_of
from stratarena.agents.imagination import told
from stratarena.agents.models.base import Completion, Finish, Request, Scores, Scoring
from stratarena.agents.params import checked_params
from stratarena.agents.plan import Cause
from stratarena.agents.tree import TreeKind
from stratarena.arena.config import make_agent
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.events import Appraised, Called, Proposed, Revised, Searched, TurnClosed
from stratarena.arena.specs import Budgets, Enforcement
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.games.base import Move, MoveError, PositionError, Seat, SpecError
from stratarena.games.connect_four import ConnectFour
from stratarena.games.hex import Hex

C4 = ConnectFour()
HEX = Hex(size=3)
SPEND = Spend(model_calls=1, prompt_tokens=20, completion_tokens=5, think_ms=1.0, cost_usd=0.0)


def agent(kind, **params):
    return make_agent(AgentSpec("searcher", kind, params))


def written(text):
    return Completion(text=text, finish=Finish.STOP, spend=SPEND)


def legal_in(request):
    """The moves that a prompt lists as legal."""
    return re.findall(r"Legal moves: ([^\n]+?)\.?(?:\n|$)", request.messages[-1].content)[-1].replace(",", " ").split()


def even_answers(request):
    """A model that holds every move for even."""
    if isinstance(request, Scoring):
        n = len(request.continuations)
        return Scores(logprobs=(-1.0,) * n, n_tokens=(1,) * n, spend=SPEND)
    return written(json.dumps({"moves": dict.fromkeys(legal_in(request), 50)}))


def first_turn(searcher, model=even_answers, *, game=C4, opening=(), budgets=None):
    """The facts of its first turn, played against moves in the game's own order."""
    other = ScriptedAgent.of_moves("other", "")
    models = {"m": InstantModel("m", model)}
    _, events = play_one(game, searcher, other, models=models, opening=tuple(opening), budgets=budgets)
    bodies = []
    for event in events:
        bodies.append(event.body)
        if isinstance(event.body, TurnClosed):
            break
    return bodies


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("mcts_rollouts", {"simulations": 12}),
        ("mcts_rollouts", {"simulations": 12, "selection": "puct", "policy": "greedy", "tree": "full"}),
        ("mcts_oracle", {"engine": "bitbully", "simulations": 6, "batch": 3}),
        ("mcts_llm", {"model": "m", "simulations": 6}),
        ("mcts_llm", {"model": "m", "simulations": 6, "evaluator": "likelihood", "value": "words"}),
        ("mcts_llm", {"model": "m", "simulations": 6, "evaluator": "percent", "samples": 2}),
        ("mcts_llm", {"model": "m", "simulations": 6, "evaluator": "buckets", "transpositions": True}),
        ("mcts_llm", {"model": "m", "simulations": 6, "world": "model"}),
        ("tree_of_thought", {"model": "m", "depth": 2, "breadth": 2, "evaluator": "likelihood"}),
        ("best_of_n", {"model": "m", "n": 3}),
    ],
)
def test_searchers_keep_their_promises_whatever_the_model_says(kind, params):
    """Also with a model that never says anything readable."""
    check_agent(lambda: agent(kind, **params), C4)


def test_unknown_combinations_are_refused_with_what_would_do():
    """The model's own world evaluates by its answers; its positions cannot be told apart by the rules."""
    with pytest.raises(SpecError, match="leave evaluator"):
        agent("mcts_llm", model="m", world="model", evaluator="percent")
    with pytest.raises(SpecError, match="transpositions need the rules"):
        agent("mcts_llm", model="m", world="model", transpositions=True)


def test_a_search_that_changes_its_mind_revises_for_that_cause_and_is_recorded():
    """The model holds another move for best, but the rules show a win in one: the plan is revised with cause SEARCH."""

    def misled(request):
        return written(json.dumps({"moves": {move: 90 if move == "7" else 10 for move in legal_in(request)}}))

    bodies = first_turn(agent("mcts_llm", model="m", simulations=64, batch=1), misled, opening="414141")
    proposed = [body for body in bodies if isinstance(body, Proposed)]
    revised = [body for body in bodies if isinstance(body, Revised)]
    assert proposed[0].plan.moves[0] == "7"
    assert revised[-1].cause is Cause.SEARCH
    assert revised[-1].after.moves == ("4",)
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    tree = searched.tree
    assert (tree.kind, tree.first_move, tree.line, tree.ended) == (TreeKind.EXTERNAL, "7", ("4",), "proven")
    assert tree.value_after == 1.0
    assert bodies[-1].move == "4"


def test_positions_may_be_told_to_the_scorer_in_one_line():
    """Every position of the tree, in the notation that was asked for and in no other."""
    asked = []

    def scored(request):
        asked.append(request.messages[-1].content)
        n = len(request.continuations)
        return Scores(logprobs=(-1.0,) * n, n_tokens=(1,) * n, spend=Spend(model_calls=1))

    first_turn(
        agent("mcts_llm", model="m", simulations=6, evaluator="likelihood", notation=["position"]), scored, opening="44"
    )
    assert len(asked) == 7
    assert all(text.startswith("Position: ") and len(text.splitlines()) == 2 for text in asked)


def test_every_simulation_is_spent_and_the_record_adds_up():
    """Visits of the root's moves are the simulations; a summary holds the root and its visited moves."""
    bodies = first_turn(agent("mcts_llm", model="m", simulations=30, batch=4))
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    tree = searched.tree
    assert tree.simulations == 30
    assert sum(node.visits for node in tree.nodes if node.depth == 1) == 30
    assert {node.depth for node in tree.nodes} == {0, 1}
    assert searched.spend.model_calls == len([body for body in bodies if isinstance(body, Called)])


@pytest.mark.parametrize(
    ("params", "budgets", "ended"),
    [
        ({"max_calls": 7}, None, "model_calls"),
        ({}, Budgets(move=Budget(completion_tokens=31), enforcement=Enforcement.STRICT), "completion_tokens"),
        ({}, Budgets(move=Budget(model_calls=5), enforcement=Enforcement.RECORD), "model_calls"),
    ],
)
def test_a_budget_ends_the_search_with_its_best_move_so_far(params, budgets, ended):
    """Within the budget, whoever set it, and the record says which it was."""
    bodies = first_turn(agent("mcts_llm", model="m", simulations=500, batch=1, **params), budgets=budgets)
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    calls = [body for body in bodies if isinstance(body, Called)]
    assert searched.tree.ended == ended
    assert 1 <= len(calls) <= 7
    assert bodies[-1].move is not None
    assert bodies[-1].fallback is None


def test_a_budget_of_nothing_plays_a_declared_substitute():
    """No thought was had, and the record says so."""
    budgets = Budgets(move=Budget(model_calls=0), enforcement=Enforcement.STRICT)
    bodies = first_turn(agent("mcts_llm", model="m"), budgets=budgets)
    assert bodies[-1].fallback == "a budget ended before any thought"


def test_an_oracle_without_noise_plays_the_solvers_move_and_is_recorded_in_one_line():
    """However many positions it was asked about."""
    room = EngineRoom(open_engine, workers=1)
    searcher = agent("mcts_oracle", engine="bitbully", noise=0.0, simulations=8)
    try:
        _, events = play_one(C4, searcher, ScriptedAgent.of_moves("other", "1"), engines=room)
    finally:
        room.close()
    asked = [event.body for event in events if isinstance(event.body, Appraised) and event.ply == 0]
    assert len(asked) == 1
    assert asked[0].n_positions >= 8
    assert next(event.body.move for event in events if isinstance(event.body, TurnClosed)) == "4"


def imagining(error_rate):
    """A model that knows Hex, and writes a wrong position in a stated share of its answers, drawn by their text."""

    def answer(request):
        assert isinstance(request, Request)
        asked = request.messages[-1].content
        state_text = re.search(r"Position: (.+)", asked)[1]
        if "Legal moves:" in asked:
            return written(json.dumps({"moves": dict.fromkeys(legal_in(request), 50)}))
        move = re.search(r"Move: (\S+)", asked)[1]
        try:
            after = HEX.play(HEX.decode(state_text), Move(move))
        except (MoveError, PositionError):
            return written(json.dumps({"legal": False, "state": "", "over": None, "moves": {}}))
        outcome = HEX.outcome(after)
        names = HEX.traits.seat_names
        over = None if outcome is None else names[0] if outcome.winner is Seat.FIRST else names[1]
        moves = {} if over else dict.fromkeys(HEX.legal_moves(after), 50)
        drawn = int.from_bytes(blake2b(asked.encode(), digest_size=8).digest()) / 2**64
        text = HEX.encode(after)
        if drawn < error_rate:
            # One stone more than there is.
            text = text.replace(".", "X", 1) if "." in text else text
        return written(json.dumps({"legal": True, "state": text, "over": over, "moves": moves}))

    return answer


def test_errors_planted_in_an_imagined_world_are_measured_by_depth():
    """Locally they come at the planted rate at every depth; globally they add up on the way down."""
    rate = 0.3
    bodies = first_turn(
        agent("mcts_llm", model="m", world="model", simulations=400, batch=4, c=3.0, solve=False),
        imagining(rate),
        game=HEX,
    )
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    assert searched.tree.kind is TreeKind.IMAGINED
    local, overall = {}, {}
    for node in searched.tree.nodes:
        if node.check is None or node.depth == 0:
            continue
        if node.check.state_right_local is not None:
            local.setdefault(node.depth, []).append(node.check.state_right_local)
        if node.check.state_right is not None:
            overall.setdefault(node.depth, []).append(node.check.state_right)
    seen = [right for found in local.values() for right in found]
    assert len(seen) > 100
    wrong = seen.count(False) / len(seen)
    # Four standard errors.
    assert abs(wrong - rate) < 4 * (rate * (1 - rate) / len(seen)) ** 0.5
    assert sum(overall[1]) / len(overall[1]) > sum(overall[2]) / len(overall[2])


def test_a_world_without_errors_has_none():
    """Every imagined node is legal, right and complete."""
    bodies = first_turn(agent("mcts_llm", model="m", world="model", simulations=60, batch=4), imagining(0.0), game=HEX)
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    checks = [node.check for node in searched.tree.nodes if node.check is not None and node.visits]
    assert checks
    assert all(check.legal is not False and check.state_right is not False for check in checks)
    assert all(check.terminal_right is not False and check.n_missed in (None, 0) for check in checks)


def test_best_of_n_plays_the_move_with_the_most_votes():
    """Answers that cannot be read are no votes; the first answer is the first opinion."""
    said = iter(["MOVE: 3", "hm", "MOVE: 5", "MOVE: 5", "MOVE: 2"])
    bodies = first_turn(agent("best_of_n", model="m", n=5), lambda request: written(next(said)))
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    assert bodies[-1].move == "5"
    assert (searched.tree.method, searched.tree.first_move, searched.tree.line) == ("vote", "3", ("5",))
    assert [body.cause for body in bodies if isinstance(body, Revised)] == [Cause.SEARCH]


def test_best_of_n_keeps_to_the_budget_that_a_search_would_have():
    """Three calls are three votes, and the record says what ended them; no call is a declared substitute."""
    three = Budgets(move=Budget(model_calls=3), enforcement=Enforcement.STRICT)
    bodies = first_turn(agent("best_of_n", model="m", n=5), lambda request: written("MOVE: 3"), budgets=three)
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    assert (searched.tree.simulations, searched.tree.ended, bodies[-1].move) == (3, "model_calls", "3")
    none = Budgets(move=Budget(model_calls=0), enforcement=Enforcement.STRICT)
    bodies = first_turn(agent("best_of_n", model="m", n=5), lambda request: written("MOVE: 3"), budgets=none)
    assert bodies[-1].fallback == "a budget ended before any thought"


@pytest.mark.parametrize(
    ("params", "calls"),
    [
        ({"evaluator": "likelihood"}, 1),
        ({"evaluator": "likelihood", "value": "words"}, 2),
        ({"evaluator": "answers"}, 2),
        ({"evaluator": "percent", "samples": 3}, 3),
        ({"evaluator": "buckets"}, 1),
        ({"world": "model"}, 2),
    ],
)
def test_no_position_costs_more_calls_than_its_evaluator_states(params, calls):
    """The stated cost is the most that a position takes, also with a model that is never understood."""
    llm = checked_params(LlmParams, {"model": "m", **params}, where="here")
    assert evaluator_of(llm).cost.calls == calls
    bodies = first_turn(
        agent("mcts_llm", simulations=6, batch=1, **llm.model_dump(include={"model", *params})),
        lambda request: even_answers(request) if isinstance(request, Scoring) else written("hm"),
    )
    spent = sum(isinstance(body, Called) for body in bodies)
    (searched,) = (body for body in bodies if isinstance(body, Searched))
    assert 0 < spent <= calls * (1 + searched.tree.simulations)


def test_the_leaves_of_a_batch_are_asked_about_together():
    """All calls of a batch are in flight before any is answered: 1 for the root, then 4 and 4."""
    seen = []

    class Room(InstantModel):
        def submit(self, requests):
            seen.append(len(requests))
            return super().submit(requests)

    searcher = agent("mcts_llm", model="m", simulations=8, batch=4)
    play_one(C4, searcher, ScriptedAgent.of_moves("other", ""), models={"m": Room("m", even_answers)})
    assert seen == [1, 4, 4]


def test_answers_are_read_strictly():
    """Anything but the object that was asked for is no evaluation."""
    moves = (Move("1"), Move("2"))
    assert read_move_values('{"moves": {"1": 40}}', moves) == {"1": 0.4}
    for text in ("", "[]", '{"moves": {}}', '{"moves": {"9": 1}}', '{"moves": {"1": 101}}', '{"moves": {"1": true}}',
                 '{"moves": {"1": 1}, "best": "1"}', "NaN", '{"moves": {"1": NaN}}'):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            read_move_values(text, moves)
    assert (read_percent("55 %"), read_percent("100."), read_percent("about 50"), read_percent("101")) == (
        0.55, 1.0, None, None,
    )  # fmt: skip


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_of_a_told_world(text):
    """It is read, or refused with a ValueError."""
    try:
        told(text, HEX)
    except ValueError as error:
        assert str(error)


@given(st.floats(0, 1), st.integers(1, 64))
def test_buckets_mirror_and_hold_their_values(value, number):
    """A chance lies in its bucket; seen from the other side it is the mirrored one's."""
    assert abs(centre(bucket(value)) - value) <= 1 / 128 + 1e-12
    assert isclose(centre(mirrored(number)), 1 - centre(number))
    assert mirrored(mirrored(number)) == number


def test_mean_and_max_scoring_differ_as_they_say():
    """The mode of a distribution, or its mean."""
    digits = labels_of("digits")
    weights = [0.0] * len(digits)
    weights[0], weights[9] = 0.6, 0.4
    logprobs = [log(weight) if weight else -50.0 for weight in weights]
    (mean,) = move_scores(logprobs, n_buckets=10, scoring="mean")
    (mode,) = move_scores(logprobs, n_buckets=10, scoring="max")
    assert mode == pytest.approx(0.05)
    assert mean == pytest.approx(0.6 * 0.05 + 0.4 * 0.95)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0, 1), st.integers(1, 12))
def test_priors_add_up_and_favour_better_moves(values, eps, k):
    """Of two moves the better one never weighs less; every move keeps its even share of eps."""
    priors = PriorShape(k=k, eps=eps).priors(values)
    assert isclose(sum(priors), 1.0)
    assert all(prior >= eps / len(values) - 1e-12 for prior in priors)
    best = max(range(len(values)), key=lambda i: values[i])
    assert priors[best] >= max(priors) - 1e-9
