"""Turn-based combat: the published programs to the last digit, and the rules as models are told them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.games.base import Seat
from stratarena.games.resource.base import VerdictKind, canonical_text
from stratarena.games.turn_based.game import TurnBased

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/advgamebench.json").read_text(encoding="utf-8"))["turn_based"]
AS_WRITTEN = TurnBased()
PUBLISHED = TurnBased("published")
seeds = st.integers(0, 2**32)


def squads(game, seed):
    rng = Random(seed)
    return game.random_plan(Seat.FIRST, rng), game.random_plan(Seat.SECOND, rng)


@pytest.mark.parametrize("entry", GOLDEN, ids=[entry["id"] for entry in GOLDEN])
def test_published_rules_repeat_what_the_original_programs_did(entry):
    """Winner, number of actions and the survivors' health, for 39 pairs of squads, one of which never ends."""
    first = PUBLISHED.check(Seat.FIRST, {"defenders": entry["defenders"]})
    second = PUBLISHED.check(Seat.SECOND, {"invaders": entry["invaders"]})
    result = PUBLISHED.simulate(first.plan, second.plan)
    assert PUBLISHED.as_published(result) == entry["expected"]


@given(seeds)
def test_a_combat_is_a_pure_function_of_the_squads_and_always_ends(seed):
    """Same squads, same result, with a trace or without; no duel outlives its cap."""
    first, second = squads(AS_WRITTEN, seed)
    result = AS_WRITTEN.simulate(first, second)
    traced = AS_WRITTEN.simulate(first, second, trace=True)
    assert AS_WRITTEN.simulate(first, second) == result
    assert (traced.winner, traced.length, traced.survivors) == (result.winner, result.length, result.survivors)
    assert result.winner is not None
    assert result.length <= AS_WRITTEN.most_actions * result.duels
    assert result.duels <= 2 * AS_WRITTEN.n_fighters
    assert all(0 < survivor.health <= AS_WRITTEN.health for survivor in result.survivors)
    assert {survivor.seat for survivor in result.survivors} <= {result.winner}


@given(seeds)
def test_what_plays_at_random_is_legal_and_within_the_purse(seed):
    """Random plans, greedy plans and every small step from them."""
    rng = Random(seed)
    for seat in Seat:
        plan = AS_WRITTEN.random_plan(seat, rng)
        for found in (plan, AS_WRITTEN.vary(seat, plan, rng), AS_WRITTEN.greedy_plan(seat)):
            verdict = AS_WRITTEN.check(seat, AS_WRITTEN.dump(seat, found))
            assert verdict.kind is VerdictKind.OK
            assert verdict.plan == found
            assert verdict.cost == AS_WRITTEN.cost(seat, found) <= AS_WRITTEN.sides[seat].purse.amount


WRONG = [
    ({"invaders": []}, VerdictKind.SCHEMA_ERROR, "defenders"),
    ({"defenders": [], "more": 1}, VerdictKind.SCHEMA_ERROR, "more"),
    ({"defenders": {}}, VerdictKind.SCHEMA_ERROR, "defenders"),
    ({"defenders": [{"element": "Wood", "skills": "bud_healing"}]}, VerdictKind.SCHEMA_ERROR, "defenders[0].skills"),
    ([], VerdictKind.SCHEMA_ERROR, ""),
    ({"defenders": []}, VerdictKind.ILLEGAL, "defenders"),
]


@pytest.mark.parametrize(("value", "kind", "where"), WRONG)
def test_a_plan_of_another_shape_gets_a_verdict_that_names_the_place(value, kind, where):
    """Missing and unknown keys, wrong types, too few fighters."""
    verdict = AS_WRITTEN.check(Seat.FIRST, value)
    assert verdict.kind is kind
    assert where in [problem.where for problem in verdict.problems]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda squad: squad.append(squad[0]), "4 fighters; expected 3"),
        (lambda squad: squad[0].update(element="Fire"), "no element of this side"),
        (lambda squad: squad[0].update(element="wood"), "no element of this side"),
        (lambda squad: squad[0].update(squad[1]), "a second Earth"),
        (lambda squad: squad[0]["skills"].pop(), "2 skills; expected 3"),
        (lambda squad: squad[0]["skills"].__setitem__(0, "earth_shock"), "a skill of Earth, not of Wood"),
        (lambda squad: squad[0]["skills"].__setitem__(0, squad[0]["skills"][1]), "the same skill twice"),
        (lambda squad: squad[0]["skills"].__setitem__(0, "Bud Healing"), "no such skill"),
    ],
)
def test_an_illegal_plan_is_told_what_the_rules_expect(change, why):
    """Each rule on squads, broken alone."""
    squad = [
        {"element": "Wood", "skills": ["bud_healing", "parasitic_seed", "life_totem"]},
        {"element": "Earth", "skills": ["rock_armor", "earth_shock", "granite_barrier"]},
        {"element": "Light", "skills": ["holy_glimmer", "faith_emblem", "divine_link"]},
    ]
    assert AS_WRITTEN.check(Seat.FIRST, {"defenders": squad}).kind is VerdictKind.OK
    change(squad)
    verdict = AS_WRITTEN.check(Seat.FIRST, {"defenders": squad})
    assert verdict.kind is VerdictKind.ILLEGAL
    assert why in " ".join(problem.why for problem in verdict.problems)


def test_a_plan_over_the_purse_is_legal_but_too_dear():
    """Its cost and the excess are told."""
    squad = [
        {"element": "Wood", "skills": ["poison_vine", "forest_reincarnation", "natural_purification"]},
        {"element": "Earth", "skills": ["core_rebound", "earth_pulse", "quicksand_trap"]},
        {"element": "Light", "skills": ["divine_sword", "angelic_sanctuary", "luminous_dispel"]},
    ]
    verdict = AS_WRITTEN.check(Seat.FIRST, {"defenders": squad})
    assert (verdict.kind, verdict.cost) == (VerdictKind.OVER_PURSE, 36)
    assert verdict.problems[0].why == "costs 36, 16 more than the purse of 20"


def test_every_number_that_is_told_is_the_number_that_is_played():
    """Doubling any number of the data file changes the text that models read, and the engine's facts alike."""
    from stratarena.games.resource.data import load_data

    for skill, row in load_data("turn_based")["skills"].items():
        for key, value in row.items():
            if not isinstance(value, int):
                continue
            data = load_data("turn_based")
            data["skills"][skill][key] = value * 2
            changed = TurnBased(data=data)
            seat = Seat.FIRST if row["element"] in AS_WRITTEN.elements[Seat.FIRST] else Seat.SECOND
            assert changed.catalogue(seat) != AS_WRITTEN.catalogue(seat), (skill, key)
            assert changed.skills[skill].facts[key] == value * 2


def test_the_golden_duel_of_the_rules_as_written(golden):
    """A whole combat with its trace, to be read and checked by a person."""
    first, second = squads(AS_WRITTEN, 1)
    result = AS_WRITTEN.simulate(first, second, trace=True)
    lines = [canonical_text(AS_WRITTEN, seat, plan) for seat, plan in ((Seat.FIRST, first), (Seat.SECOND, second))]
    lines += [str(event) for event in result.trace]
    lines.append(f"{result.winner} {result.reason} after {result.length} actions: {result.survivors}")
    golden("advgame/turn_based.txt", "\n".join(lines) + "\n")
