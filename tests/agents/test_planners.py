"""Agents that submit plans: baselines, the climber, and a language model that writes JSON."""

from __future__ import annotations

import json

import pytest

from stratarena.agents.base import AgentSpec, Ask, Decision, Propose, Revise, View
from stratarena.agents.budget import BudgetExhausted, Spend
from stratarena.agents.models.base import Completion, Finish
from stratarena.agents.plan import Cause
from stratarena.agents.planning import needs_plans
from stratarena.arena.config import make_agent
from stratarena.arena.meter import MeteredGame
from stratarena.games.base import Seat
from stratarena.games.plugins import load_game
from stratarena.games.resource.base import VerdictKind
from stratarena.games.resource.registry import NAMES
from stratarena.games.resource.series import KEEP

GAMES = {name: load_game(f"{name}(rounds=4)") for name in NAMES}


def view_of(game, state, seat, *, bound=None, standing=None):
    metered = MeteredGame(game)
    metered.open(bound)
    visible = game.visible(state, seat)
    return View(
        game=metered,
        state=visible,
        seat=seat,
        ply=len(state.submissions),
        start="",
        moves=(),
        standing=standing,
        seed=7,
    )


def think(agent, view, *answers):
    """Every step and the decision; model answers are given in turn."""
    steps, said = [], list(answers)
    thinking = agent.deliberate(view)
    reply = None
    while True:
        try:
            step = thinking.send(reply)
        except StopIteration as stop:
            return steps, stop.value
        steps.append(step)
        reply = None
        if isinstance(step, Ask):
            reply = (Completion(text=said.pop(0), finish=Finish.STOP, spend=Spend(model_calls=1)),)


def agent(kind, **params):
    return make_agent(AgentSpec(kind, kind, params))


def opened(game, *, second=None):
    state = game.play(game.initial(None), game.move_of(Seat.FIRST, game.plans.greedy_plan(Seat.FIRST)))
    plan = second or game.plans.greedy_plan(Seat.SECOND)
    return game.play(state, game.move_of(Seat.SECOND, plan))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["random", "greedy", "best_response"])
def test_a_scripted_agent_opens_with_a_legal_plan_within_the_purse_and_declares_it(name, kind):
    """One proposal with its cost, and the move that submits the same plan."""
    game = GAMES[name]
    for seat, state in ((Seat.FIRST, game.initial(None)),):
        steps, decision = think(agent(kind), view_of(game, state, seat))
        (proposed,) = steps
        assert isinstance(proposed, Propose)
        verdict = game.judge(state, seat, decision.move)
        assert verdict.kind is VerdictKind.OK
        assert proposed.plan.cost == verdict.cost


@pytest.mark.parametrize("name", NAMES)
def test_the_climber_never_submits_a_worse_plan_than_it_has_and_revises_with_a_cause(name):
    """Against the plan in sight its margin grows or stays; every simulation is a node."""
    game = GAMES[name]
    state = opened(game)
    view = view_of(game, state, Seat.FIRST)
    steps, decision = think(agent("best_response", tries=40), view)
    assert view.game.nodes == 40
    after = game.play(state, decision.move)
    assert (after.rounds[-1].winner is Seat.FIRST, after.rounds[-1].margin) >= (
        state.rounds[-1].winner is Seat.FIRST,
        state.rounds[-1].margin,
    )
    assert all(isinstance(step, Propose) for step in steps)


def test_the_climber_submits_its_best_so_far_when_its_nodes_run_out():
    """A bound of three simulations."""
    game = GAMES["turn_based"]
    view = view_of(game, opened(game), Seat.FIRST, bound=3)
    _, decision = think(agent("best_response", tries=40), view)
    assert isinstance(decision, Decision)
    with pytest.raises(BudgetExhausted):
        view.game.play(view.state, KEEP)


def test_agents_that_cannot_plan_say_so():
    """Search engines, likelihood over listed moves, people, and the climber on boards."""
    assert needs_plans("turn_based(rounds=2)")
    assert not needs_plans("chess")
    assert not needs_plans("open_spiel:breakthrough")
    assert agent("best_response").plays("chess") == "best_response plays games of plans, not chess"
    for kind in ("mcts", "person", "hex_search"):
        assert agent(kind).plays("turn_based") is not None
    assert agent("llm_likelihood", model="m").plays("turn_based") is not None
    assert agent("llm", model="m").plays("turn_based") is None


def llm(**params):
    return agent("llm", model="m", **params)


def squad(game, seat):
    return json.dumps(game.plans.dump(seat, game.plans.greedy_plan(seat)))


def test_a_model_is_told_rules_purse_and_prices_and_what_it_writes_is_its_plan():
    """One request; the answer is proposed with its cost and submitted."""
    game = GAMES["turn_based"]
    view = view_of(game, game.initial(None), Seat.FIRST)
    steps, decision = think(llm(), view, squad(game, Seat.FIRST))
    asked, proposed = steps
    told = "\n".join(message.content for message in asked.requests[0].messages)
    assert "purse: 20" in told.lower()
    assert "bud_healing (cost 1)" in told
    assert asked.requests[0].sampling.max_tokens == 2048
    assert proposed.plan.cost == game.judge(view.state, Seat.FIRST, decision.move).cost


def test_a_model_that_changes_its_plan_after_a_round_declares_a_revision_and_keep_declares_none():
    """The cause is the series; the same plan spelled anew is no revision either."""
    game = GAMES["turn_based"]
    state = opened(game)
    _, decision = think(llm(), view_of(game, game.initial(None), Seat.FIRST), squad(game, Seat.FIRST))
    standing = next(
        step.plan
        for step in think(llm(), view_of(game, game.initial(None), Seat.FIRST), squad(game, Seat.FIRST))[0]
        if isinstance(step, Propose)
    )
    view = view_of(game, state, Seat.FIRST, standing=standing)
    for text in ("keep", squad(game, Seat.FIRST), json.dumps(json.loads(decision.move), indent=1), "Hm."):
        steps, _ = think(llm(), view, text)
        assert [type(step) for step in steps] == [Ask], text
    other = json.loads(squad(game, Seat.FIRST))
    other["defenders"].reverse()
    steps, _ = think(llm(), view, json.dumps(other))
    assert isinstance(steps[1], Revise)
    assert steps[1].cause is Cause.SERIES


def test_a_model_may_mend_an_opening_that_is_too_dear_as_often_as_it_is_allowed():
    """It is told the excess; the mended plan is a revision because of the purse."""
    game = GAMES["turn_based"]
    dear = json.dumps(
        {
            "defenders": [
                {"element": "Wood", "skills": ["poison_vine", "forest_reincarnation", "natural_purification"]},
                {"element": "Earth", "skills": ["core_rebound", "earth_pulse", "quicksand_trap"]},
                {"element": "Light", "skills": ["divine_sword", "angelic_sanctuary", "luminous_dispel"]},
            ]
        }
    )
    view = view_of(game, game.initial(None), Seat.FIRST)
    steps, decision = think(llm(opening_attempts=3), view, dear, squad(game, Seat.FIRST))
    assert [type(step) for step in steps] == [Ask, Propose, Ask, Revise]
    assert steps[3].cause is Cause.OVER_PURSE
    assert "costs 36, 16 more than your purse of 20" in steps[2].requests[0].messages[-1].content
    assert game.judge(view.state, Seat.FIRST, decision.move).kind is VerdictKind.OK
    steps, decision = think(llm(), view, dear)
    assert game.judge(view.state, Seat.FIRST, decision.move).kind is VerdictKind.OVER_PURSE


def test_a_model_that_looks_again_revises_by_itself_or_leaves_its_plan():
    """A better plan is a revision by self-check; keep is declared and leaves the first, as does an answer without a plan."""
    game = GAMES["turn_based"]
    view = view_of(game, game.initial(None), Seat.FIRST)
    other = json.loads(squad(game, Seat.FIRST))
    other["defenders"].reverse()
    steps, decision = think(llm(self_checks=1), view, squad(game, Seat.FIRST), json.dumps(other))
    assert isinstance(steps[-1], Revise)
    assert steps[-1].cause is Cause.SELF_CHECK
    assert json.loads(decision.move) == other
    for second, declared in (("keep", [Propose]), ("It is fine.", [])):
        steps, decision = think(llm(self_checks=1), view, squad(game, Seat.FIRST), second)
        assert [type(step) for step in steps] == [Ask, Propose, Ask, *declared]
        assert json.loads(decision.move) == json.loads(squad(game, Seat.FIRST))
