"""Answers as JSON: read strictly, held to a schema, told in full."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.base import AgentSpec, Ask, Propose, View
from stratarena.agents.budget import Budget, Spend
from stratarena.agents.direct import Constrained, Direct
from stratarena.agents.models.base import Completion, Finish
from stratarena.agents.prompts import move_messages
from stratarena.agents.structured import FIELDS, answer_schema, form_in_words, read_structured
from stratarena.agents.templates import TEMPLATES
from stratarena.games.base import IllegalMove, MalformedMove, Move, MoveError, SpecError
from stratarena.games.plugins import load_game

GAME = load_game("connect_four")
START = GAME.initial(None)
WHOLE = {
    "reasoning": "the middle is worth most",
    "candidates": [{"move": "4", "value": 0.3}, {"move": "3", "value": -0.1}],
    "move": "4",
    "plan": ["4", "4", "3"],
    "confidence": 0.7,
}


def said(text, finish=Finish.STOP):
    return Completion(text=text, finish=finish, spend=Spend(model_calls=1))


def view_of(game=GAME, **more):
    state = game.initial(None)
    return View(
        game=game, state=state, seat=game.to_move(state), ply=0, start=game.encode(state), moves=(), seed=1, **more
    )


def think(agent, answer):
    """Every step of the first deliberation, with the decision last."""
    thinking = agent.deliberate(view_of())
    steps, reply = [], None
    while True:
        try:
            steps.append(thinking.send(reply))
        except StopIteration as stop:
            return [*steps, stop.value]
        reply = (answer,) if isinstance(steps[-1], Ask) else None


def test_a_whole_answer_is_read_field_by_field():
    """Also out of a fence, and whatever order its fields have."""
    for text in (json.dumps(WHOLE), f"```json\n{json.dumps(WHOLE)}\n```"):
        found = read_structured(GAME, START, said(text), FIELDS)
        assert found.move == "4"
        assert found.candidates == (("4", 0.3), ("3", -0.1))
        assert (found.plan, found.confidence, found.reasoning) == (("4", "4", "3"), 0.7, "the middle is worth most")


@pytest.mark.parametrize(
    ("text", "finish", "kind", "why"),
    [
        ("4", Finish.STOP, "unparseable", "no JSON object"),
        ("I play 4", Finish.STOP, "unparseable", "no JSON"),
        ("", Finish.STOP, "empty", "empty"),
        ('{"move": "4', Finish.LENGTH, "cut_off", "briefly"),
        ("no", Finish.FILTER, "filtered", "declined"),
        ('{"mov": "4"}', Finish.STOP, "unparseable", '"move" is missing'),
        ('{"move": "9"}', Finish.STOP, "illegal", ""),
        ('{"move": "the middle"}', Finish.STOP, "malformed", ""),
        (json.dumps({**WHOLE, "confidence": 70}), Finish.STOP, "unparseable", "'confidence'"),
        (json.dumps({**WHOLE, "candidates": ["4"]}), Finish.STOP, "unparseable", "'candidates'"),
        (json.dumps({**WHOLE, "plan": None}), Finish.STOP, "unparseable", "'plan'"),
        (json.dumps({**WHOLE, "confidence": True}), Finish.STOP, "unparseable", "'confidence'"),
    ],
)
def test_every_way_to_fail_has_its_kind(text, finish, kind, why):
    """And says what would be accepted."""
    with pytest.raises(MoveError) as caught:
        read_structured(GAME, START, said(text, finish), FIELDS)
    assert caught.value.kind == kind
    assert why in caught.value.why
    assert isinstance(caught.value, MalformedMove | IllegalMove)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["move", *FIELDS]), inner),
    )
)
def test_whatever_json_a_stranger_writes_is_a_move_or_a_refusal(value):
    """Nothing else is raised."""
    with suppress(MoveError):
        assert read_structured(GAME, START, said(json.dumps(value)), FIELDS).move in GAME.legal_moves(START)


def test_the_schema_asks_for_reasons_before_the_move_and_holds_it_to_the_legal_ones():
    """What is written first can be thought of; strict schemas need every field."""
    schema = json.loads(answer_schema(FIELDS, moves=("3", "4")))
    assert list(schema["properties"]) == ["reasoning", "candidates", "move", "plan", "confidence"]
    assert schema["required"] == list(schema["properties"])
    assert schema["properties"]["move"]["enum"] == ["3", "4"]
    assert '"confidence": your chance of winning, from 0 to 1' in form_in_words(FIELDS)


def test_an_agent_tells_its_plan_its_candidates_and_its_confidence():
    """The plan as far as it is legal, with the value of its own move; the confidence goes with the decision."""
    agent = Direct(AgentSpec("d", "llm", {"model": "m", "answer": "json", "fields": list(FIELDS), "max_tokens": 200}))
    asked, plan, decision = think(agent, said(json.dumps(WHOLE)))
    assert asked.requests[0].constraint.kind == "schema"
    assert "Answer with one JSON object" in asked.requests[0].messages[-1].content
    assert isinstance(plan, Propose)
    assert (plan.plan.moves, plan.plan.value) == (("4", "4", "3"), 0.3)
    assert plan.plan.why == "the middle is worth most\ncandidates: 4 +0.30, 3 -0.10"
    assert (decision.move, decision.confidence) == (Move("4"), 0.7)


def test_a_constrained_agent_is_a_kind_of_its_own_that_asks_for_legal_moves_only():
    """As choices, or as a schema; what leaves no room for anything else is refused when it is made."""
    asked, decision = think(Constrained(AgentSpec("c", "llm_constrained", {"model": "m"})), said("4"))
    assert json.loads(asked.requests[0].constraint.body) == list("1234567")
    assert decision.move == "4"
    agent = Constrained(AgentSpec("c", "llm_constrained", {"model": "m", "answer": "json"}))
    asked, _ = think(agent, said('{"move": "4"}'))
    assert json.loads(asked.requests[0].constraint.body)["properties"]["move"]["enum"] == list("1234567")
    assert agent.must_enforce == ("schema",)
    assert Direct(AgentSpec("d", "llm", {"model": "m"})).must_enforce == ()
    with pytest.raises(SpecError, match="no room for reasoning; ask with answer = 'json'"):
        Constrained(AgentSpec("c", "llm_constrained", {"model": "m", "reasoning": True}))
    with pytest.raises(SpecError, match="ask for the field plan instead of line"):
        Direct(AgentSpec("d", "llm", {"model": "m", "answer": "json", "line": 3}))


@pytest.mark.parametrize("spec", ["connect_four", "chess", "hex(size=5)"])
def test_templates_differ_in_words_and_not_in_what_they_tell(spec):
    """Rules, position, legal moves and the form of an answer are in each; a name stands for its words."""
    game = load_game(spec)
    view = view_of(game)
    for template in TEMPLATES.values():
        system, user = move_messages(view, list_legal_moves=True, history=5, template=template)
        assert game.rules in system.content
        assert game.encode(view.state) in user.content
        assert ", ".join(game.legal_moves(view.state)) in user.content
    assert {name: template.hash for name, template in TEMPLATES.items()} == {
        "board-v1": "71151c8815da8b3b68197006d2a69717", "terse-v1": "4246f5d342ec8d686b82717d9ec32ab6",
    }  # fmt: skip


def test_the_state_is_told_in_the_notations_asked_for_and_the_budget_if_wanted():
    """Any of grid, one line, all moves."""
    view = view_of(remaining=Budget(model_calls=3, completion_tokens=1500, cost_usd=0.25))

    def told(*notation, **more):
        return move_messages(view, list_legal_moves=False, history=5, notation=notation, **more)[-1].content

    grid, line = GAME.render(START, view.seat), f"Position: {GAME.encode(START)}"
    assert (grid in told("grid"), line in told("grid")) == (True, False)
    assert (grid in told("position"), line in told("position")) == (False, True)
    assert "these moves were made: none" in told("moves")
    assert "Left to you for thinking: 3 model calls, 1,500 completion tokens, $0.2500." in told(
        "grid", show_budget=True
    )
    assert "Left" not in told("grid")


def test_after_a_cut_off_answer_the_next_is_demanded_briefly():
    """And after other refusals the form is repeated as it was."""
    from stratarena.agents.base import Refusal

    cut, other = Refusal("cut_off", "Let me think", "cut off"), Refusal("illegal", "9", "no such column")
    messages = move_messages(view_of(refused=(other, cut)), list_legal_moves=True, history=0, reasoning=True)
    assert "Think as briefly as you can" in messages[-3].content
    assert "Do not think aloud" in messages[-1].content
