"""The best answer to a plan: proven in turn-based combat, and never beaten by what was tried elsewhere."""

from __future__ import annotations

import copy
from itertools import permutations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.climb import climb
from stratarena.agents.engines.base import EngineError, EngineSpec, Query
from stratarena.agents.engines.open import open_engine
from stratarena.agents.engines.plan_search.answers import best_answer
from stratarena.agents.engines.plan_search.squads import best_squad
from stratarena.games.base import Seat
from stratarena.games.plugins import load_game
from stratarena.games.resource.base import play_round
from stratarena.games.resource.data import load_data
from stratarena.games.resource.registry import NAMES
from stratarena.games.turn_based.game import TurnBased
from stratarena.games.turn_based.plans import SquadPlan

COMBAT = TurnBased()


def margin(game, seat, own, theirs):
    first, second = (own, theirs) if seat is Seat.FIRST else (theirs, own)
    return game.simulate(first, second).margin_of(seat)


def small_combat(rng):
    """The same rules with two skills a fighter out of three an element, and a purse that pinches."""
    data = copy.deepcopy(load_data("turn_based"))
    data["combat"]["skills"] = 2
    kept = {}
    for skill, facts in data["skills"].items():
        kept.setdefault(facts["element"], []).append(skill)
    wanted = {skill for skills in kept.values() for skill in rng.sample(skills, 3)}
    data["skills"] = {skill: facts for skill, facts in data["skills"].items() if skill in wanted}
    prices = {}
    for _, facts in sorted(data["skills"].items()):
        prices.setdefault(facts["element"], []).append(facts["cost"])
    for side in data["sides"].values():
        cheapest = sum(sum(sorted(prices[element])[:2]) for element in side["elements"])
        side["purse"] = cheapest + rng.randint(1, 3)
    return TurnBased(data=data)


def every_squad(game, seat):
    """All legal squads within the purse, by trying everything."""
    for order in permutations(game.elements[seat]):
        for fighters in product(*(game.fighters(element) for element in order)):
            plan = SquadPlan(fighters)
            if not game.sides[seat].purse.excess(game.cost(seat, plan)):
                yield plan


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("seat", Seat)
def test_no_squad_does_better_than_the_proven_best(seat, seed):
    """Against trying all squads of a smaller game: 1,296 of them, less those over the purse."""
    game = small_combat(Random(seed))
    plan = Random(seed).choice(list(every_squad(game, seat.other)))
    found = best_squad(game, seat, plan)
    assert found.exact
    assert found.margin == pytest.approx(max(margin(game, seat, own, plan) for own in every_squad(game, seat)))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(Seat))
def test_the_proven_margin_is_that_of_the_simulation_and_no_climb_passes_it(seed, seat):
    """The squad is legal and within the purse; 30 tries find nothing better."""
    rng = Random(seed)
    theirs = COMBAT.random_plan(seat.other, rng)
    found = best_squad(COMBAT, seat, theirs)
    assert found.exact
    assert margin(COMBAT, seat, found.plan, theirs) == pytest.approx(found.margin)
    assert COMBAT.check(seat, COMBAT.dump(seat, found.plan)).kind.value == "ok"
    climbed = climb(
        COMBAT,
        seat,
        COMBAT.greedy_plan(seat),
        lambda plan: (True, margin(COMBAT, seat, plan, theirs)),
        tries=30,
        rng=rng,
    )
    assert climbed.worth is not None
    assert climbed.worth[1] <= found.margin + 1e-12


def test_a_search_that_may_not_go_on_says_that_it_is_not_exact():
    """And still has a legal plan whose margin is true."""
    theirs = COMBAT.greedy_plan(Seat.SECOND)
    found = best_squad(COMBAT, Seat.FIRST, theirs, most_relays=500)
    assert not found.exact
    assert margin(COMBAT, Seat.FIRST, found.plan, theirs) >= found.margin


@pytest.mark.parametrize("name", NAMES)
def test_a_best_answer_is_worth_at_least_what_the_greedy_plan_is(name):
    """In every game, for both sides; its value is the round's."""
    rules = load_game(name).plans
    for seat in Seat:
        theirs = rules.check(seat.other, rules.dump(seat.other, rules.greedy_plan(seat.other)))
        greedy = rules.check(seat, rules.dump(seat, rules.greedy_plan(seat)))
        found = best_answer(rules, seat, theirs, tries=20, rng=Random(1))
        own = rules.check(seat, rules.dump(seat, found.plan))
        pairs = [(one, theirs) if seat is Seat.FIRST else (theirs, one) for one in (own, greedy)]
        value, least = (play_round(rules, *pair).value_of(seat) for pair in pairs)
        assert found.value == pytest.approx(value)
        assert value >= least


def test_any_good_plan_answers_one_that_is_illegal_or_too_dear():
    """Nothing is searched for."""
    theirs = COMBAT.check(Seat.SECOND, {"invaders": []})
    found = best_answer(COMBAT, Seat.FIRST, theirs, tries=10, rng=Random(1))
    assert (found.value, found.exact, found.simulations) == (1.0, True, 0)


def test_the_engine_answers_the_plan_in_sight_and_counts_its_simulations():
    """The same question gets the same answer; without a plan in sight it is an error."""
    game = load_game("battle_card(rounds=4)")
    openings = [game.move_of(seat, game.plans.greedy_plan(seat)) for seat in Seat]
    engine = open_engine(EngineSpec(kind="plan_search", options=(("tries", 12),)))
    query = Query(game=game.id, start=f"first {openings[0]} {openings[1]}", moves=(), seed=3)
    line = engine.consult(query)
    assert line == type(line)(**{**{name: getattr(engine.consult(query), name) for name in line.__slots__}, "think_ms": line.think_ms})  # fmt: skip
    assert line.nodes == 12
    assert line.score is not None
    assert line.score.startswith("best of 12, margin ")
    assert engine.consult(Query(game=game.id, start=query.start, moves=(), seed=3, nodes=5)).nodes == 5
    with pytest.raises(EngineError, match="a plan in sight"):
        engine.consult(Query(game=game.id, start="first", moves=(), seed=3))
    with pytest.raises(EngineError, match="games of plans"):
        engine.consult(Query(game="connect_four", start="", moves=(), seed=3))
