"""The plan-revise protocol: who answers when, what each answer does, who sees what, and that nothing aborts it."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.games.base import IllegalMove, PositionError, Seat, SpecError
from stratarena.games.conformance import check_game
from stratarena.games.plugins import load_game
from stratarena.games.resource.base import VerdictKind
from stratarena.games.resource.registry import NAMES, resource_game
from stratarena.games.resource.series import HIDDEN, KEEP, Series

GAME = load_game("turn_based(rounds=4)")


def plans(seed, seat):
    return GAME.move_of(seat, GAME.plans.random_plan(seat, Random(seed)))


def opened(game=GAME, updates_first=Seat.FIRST):
    state = game.decode(updates_first.value)
    for seat in Seat:
        state = game.play(state, plans(1, seat))
    return state


def too_dear(seat):
    """A legal squad of the dearest skills."""
    rules = GAME.plans
    fighters = [
        {
            "element": element,
            "skills": sorted(rules._skills_of(element), key=lambda skill: -rules.skills[skill].cost)[:3],
        }
        for element in rules.elements[seat]
    ]
    return json.dumps({rules.sides[seat].key: fighters})


@pytest.mark.parametrize("name", NAMES)
def test_a_series_keeps_every_promise_of_a_game(name):
    """The conformance check, in every variant of what is told."""
    for spec in (
        f"{name}(rounds=3)",
        f"{name}(rounds=2, private=true, keep=false)",
        f"{name}(rules='published', rounds=2)",
    ):
        game = load_game(spec.replace("'", '"'))
        check_game(game, n_games=2)
        assert load_game(game.id).id == game.id


@pytest.mark.parametrize("updates_first", Seat)
def test_sides_answer_in_turn_and_every_answer_after_the_opening_is_followed_by_one_round(updates_first):
    """Rounds are labelled 0 to N, no label twice, and name who had just answered."""
    state = opened(updates_first=updates_first)
    assert [played.label for played in state.rounds] == [0]
    order = []
    while GAME.outcome(state) is None:
        order.append(GAME.to_move(state))
        state = GAME.play(state, KEEP)
    assert order == [updates_first, updates_first.other] * 2
    assert [played.label for played in state.rounds] == [0, 1, 2, 3, 4]
    assert [played.updated for played in state.rounds] == [None, *order]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_round_after_an_answer_differs_only_by_that_sides_plan(one, two):
    """The simulation of a round is that of the two plans in play, and the other's plan is the one before."""
    state = opened()
    state = GAME.play(state, plans(one, Seat.FIRST))
    before = state.standing
    after = GAME.play(state, plans(two, Seat.SECOND))
    assert after.standing[0] is before[0]
    direct = GAME.plans.simulate(after.standing[0].plan, after.standing[1].plan)
    assert (after.rounds[-1].simulated, after.rounds[-1].margin) == (direct.winner, direct.margin)
    assert after.submissions[-1].changed == (GAME.move_of(Seat.SECOND, before[1].plan) != after.submissions[-1].move)


def test_the_series_goes_to_whoever_wins_more_scored_rounds():
    """The opening round is not scored."""
    state = opened()
    while GAME.outcome(state) is None:
        state = GAME.play(state, KEEP)
    winner = state.rounds[0].winner
    assert {played.winner for played in state.rounds} == {winner}
    assert (GAME.outcome(state).winner, GAME.outcome(state).reason) == (winner, "rounds_won")


def test_what_cannot_be_read_leaves_the_plan_before_it_in_play():
    """The answer is classified and stands in the record; the round is played with the old plan."""
    state = opened()
    for text, kind in (("I think I would rather not.", "unparseable"), ('{"defenders": 3}', "schema_error")):
        after = GAME.play(state, GAME.parse(state, text))
        answer = after.submissions[-1]
        assert answer.verdict.kind.value == kind
        assert not answer.changed
        assert after.standing == state.standing
        assert after.rounds[-1].decided_by == "simulation"


def test_an_opening_that_cannot_be_read_loses_until_a_plan_comes():
    """Both unreadable: nobody wins."""
    state = GAME.play(GAME.initial(Random(0)), GAME.parse(GAME.initial(Random(0)), "?"))
    lost = GAME.play(state, plans(1, Seat.SECOND))
    assert (lost.rounds[0].winner, lost.rounds[0].decided_by) == (Seat.SECOND, "bad_plan")
    nobody = GAME.play(state, GAME.parse(state, "no"))
    assert (nobody.rounds[0].winner, nobody.rounds[0].decided_by) == (None, "bad_plan")
    mended = GAME.play(lost, plans(1, Seat.FIRST))
    assert mended.rounds[1].decided_by == "simulation"


def test_an_illegal_plan_stands_and_loses_every_round_until_it_is_replaced():
    """Also while the other side answers."""
    state = opened()
    state = GAME.play(state, GAME.parse(state, '{"defenders": []}'))
    assert state.submissions[-1].verdict.kind is VerdictKind.ILLEGAL
    state = GAME.play(state, KEEP)
    assert [(one.winner, one.decided_by) for one in state.rounds[1:]] == [(Seat.SECOND, "bad_plan")] * 2
    assert GAME.play(state, plans(1, Seat.FIRST)).rounds[-1].decided_by == "simulation"


def test_the_purse_decides_before_the_simulation_and_the_smaller_excess_wins():
    """One side over: it loses; both over by the same share: nobody wins."""
    state = opened()
    over = GAME.play(state, GAME.parse(state, too_dear(Seat.FIRST)))
    assert (over.rounds[-1].winner, over.rounds[-1].decided_by) == (Seat.SECOND, "over_budget")
    both = GAME.play(over, GAME.parse(over, too_dear(Seat.SECOND)))
    costs = [verdict.cost for verdict in both.standing]
    expected = None if costs[0] == costs[1] else Seat.FIRST if costs[0] < costs[1] else Seat.SECOND
    assert (both.rounds[-1].winner, both.rounds[-1].decided_by) == (expected, "over_budget")


def test_the_second_opening_is_made_without_a_look_at_the_first():
    """It cannot be seen, rendered, or read from the position; afterwards it can."""
    state = GAME.play(GAME.initial(Random(0)), plans(1, Seat.FIRST))
    seen = GAME.visible(state, Seat.SECOND)
    assert seen.plan_of(Seat.FIRST) is None
    assert GAME.encode(seen) == f"first {HIDDEN}"
    assert plans(1, Seat.FIRST) not in repr(seen)
    assert GAME.brief(seen, Seat.SECOND) == GAME.brief(
        GAME.visible(GAME.play(GAME.initial(Random(0)), plans(2, Seat.FIRST)), Seat.SECOND), Seat.SECOND
    )
    with pytest.raises(PositionError, match="hidden plan"):
        GAME.decode(GAME.encode(seen))
    assert GAME.visible(opened(), Seat.SECOND).plan_of(Seat.FIRST) is not None


def test_private_plans_stay_hidden_and_feedback_tells_what_it_says():
    """Winner only, what was left, or the whole trace."""
    private = load_game("turn_based(private=true)")
    assert private.visible(opened(private), Seat.FIRST).plan_of(Seat.SECOND) is None
    told = {
        feedback: load_game(f'turn_based(feedback="{feedback}")').brief(
            load_game(f'turn_based(feedback="{feedback}")').visible(opened(), Seat.FIRST), Seat.FIRST
        )
        for feedback in ("winner", "survivors", "trace")
    }
    assert "left:" not in told["winner"]
    assert "left:" in told["survivors"] and "SkillUsed" not in told["survivors"]
    assert "SkillUsed" in told["trace"]
    assert GAME.visible(opened(), Seat.FIRST).rounds[0].survivors == ()


def test_history_bounds_how_many_rounds_are_told():
    """None, one, or several."""
    state = opened()
    for _ in range(3):
        state = GAME.play(state, KEEP)
    for history in (0, 1, 3):
        game = load_game(f"turn_based(history={history})")
        brief = game.brief(game.visible(state, Seat.FIRST), Seat.FIRST)
        assert sum(line.startswith(("Round", "Opening round")) for line in brief.splitlines()) == history


@given(st.text())
@settings(max_examples=200)
def test_any_text_is_an_answer_and_the_record_reads_it_back(text):
    """Parsed once to one word without white space, classified, encoded and decoded to the same state."""
    state = opened()
    move = GAME.parse(state, text)
    assert not any(character.isspace() for character in move)
    after = GAME.play(state, move)
    assert GAME.decode(GAME.encode(after)) == after
    assert GAME.digest(GAME.decode(GAME.encode(after))) == GAME.digest(after)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rules", ["as_written", "published"])
@given(value=json_values, data=st.data())
@settings(max_examples=60)
def test_any_json_gets_a_verdict_and_no_plan_crashes_a_round(name, rules, value, data):
    """Arbitrary values at the top, as the plan, and as an entry of a good plan."""
    game = Series(resource_game(name, rules))
    for seat in Seat:
        side = game.plans.sides[seat]
        good = game.plans.dump(seat, game.plans.greedy_plan(seat))
        entries = list(good[side.key])
        entries[data.draw(st.integers(0, len(entries) - 1))] = value
        for candidate in (value, {side.key: value}, {**good, side.key: entries}, {**good, "more": value}):
            state = game.initial(Random(0))
            other = game.move_of(seat.other, game.plans.greedy_plan(seat.other))
            text = json.dumps(candidate)
            if seat is Seat.SECOND:
                state = game.play(state, other)
            state = game.play(state, game.parse(state, text))
            if seat is Seat.FIRST:
                state = game.play(state, other)
            assert len(state.rounds) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"defenders": ' * 5000,
        "x" * 1_000_000,
        '{"a": ' + "9" * 5000 + "}",
        '{"defenders": [NaN]}',
        "\x00",
    ],
)
def test_hostile_answers_are_classified_quickly(text):
    """Deep nesting, a megabyte, a number of thousands of digits, NaN, a null character."""
    state = opened()
    after = GAME.play(state, GAME.parse(state, text))
    assert after.submissions[-1].verdict.kind in (VerdictKind.UNPARSEABLE, VerdictKind.SCHEMA_ERROR)
    assert len(after.submissions[-1].move) < 700_000


def test_a_move_of_another_form_is_illegal_and_so_is_one_too_many():
    """The record holds what `parse` gives and nothing else."""
    state = opened()
    with pytest.raises(IllegalMove, match="expected JSON"):
        GAME.play(state, "nonsense")
    while GAME.outcome(state) is None:
        state = GAME.play(state, KEEP)
    with pytest.raises(IllegalMove, match="the series is over"):
        GAME.play(state, KEEP)
    assert GAME.legal_moves(state) == ()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("turn_based(rounds=0)", "rounds = 0; expected 1 to 100"),
        ('turn_based(feedback="all")', "feedback = 'all'; expected winner, survivors, trace"),
        ('turn_based(rules="fair")', "expected as_written or published"),
        ("turn_based(history=-1)", "history = -1"),
    ],
)
def test_wrong_parameters_are_told_what_would_be_accepted(spec, message):
    """Before anything is played."""
    with pytest.raises(SpecError, match=message):
        load_game(spec)


def test_a_kept_plan_is_no_change_and_neither_is_the_same_plan_again():
    """`keep` and the plan in play spelled anew both leave it unchanged."""
    state = opened()
    again = json.dumps(GAME.plans.dump(Seat.FIRST, state.standing[0].plan), indent=2)
    for text in ("keep", " Keep. ", '"keep"', again, f"```json\n{again}\n```"):
        after = GAME.play(state, GAME.parse(state, text))
        assert not after.submissions[-1].changed
        assert after.rounds[-1].margin == state.rounds[-1].margin
    assert load_game("turn_based(keep=false)").parse(state, "keep") == '"keep"'
