"""Tower defense: the published program to the last frame, and the rules as models are told them."""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.games.base import Seat, SpecError
from stratarena.games.resource.base import VerdictKind, canonical_text
from stratarena.games.resource.data import load_data
from stratarena.games.resource.wording import describe_event
from stratarena.games.tower_defense.events import Harmed, Jumped, Slowed, Spawned, Stripped
from stratarena.games.tower_defense.game import TowerDefense
from stratarena.games.tower_defense.plans import BattlePlan, Placement

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/advgamebench.json").read_text(encoding="utf-8"))
GOLDEN = GOLDEN["tower_defense_frame_locked"]
GAME = TowerDefense()
PUBLISHED = {ms: TowerDefense("published", ms) for ms in (33, 34)}
seeds = st.integers(0, 2**32)


def humans(*units):
    """Placements from (name, x, y) or (name, x, y, time)."""
    return BattlePlan(tuple(Placement(unit[3] if len(unit) > 3 else 0, unit[2], unit[1], unit[0]) for unit in units))


def demons(*units):
    """Placements from (name, y) or (name, y, time)."""
    return BattlePlan(tuple(Placement(unit[2] if len(unit) > 2 else 0, unit[1], None, unit[0]) for unit in units))


def fought(first, second):
    return GAME.simulate(first, second, trace=True)


def harms(result, seat, cause=None):
    return [
        event
        for event in result.trace
        if isinstance(event, Harmed) and event.seat is seat and cause in (None, event.cause)
    ]


@pytest.mark.parametrize("frame_ms", PUBLISHED)
@pytest.mark.parametrize("entry", GOLDEN, ids=[entry["id"] for entry in GOLDEN])
def test_published_rules_repeat_what_the_original_program_did(entry, frame_ms):
    """Winner, lost row, units left and frames, for 58 pairs of plans and both lengths of a frame."""
    game = PUBLISHED[frame_ms]
    first = game.check(Seat.FIRST, {"humans": entry["humans"]})
    second = game.check(Seat.SECOND, {"demons": entry["demons"]})
    assert game.as_published(game.simulate(first.plan, second.plan)) == entry["expected"][f"frame_ms_{frame_ms}"]


@given(seeds)
@settings(max_examples=40)
def test_a_battle_is_a_pure_function_of_the_plans_in_any_order_and_always_ends(seed):
    """Same plans, same result, with a trace or without, however they are listed; never past the time limit."""
    rng = Random(seed)
    first, second = GAME.random_plan(Seat.FIRST, rng), GAME.random_plan(Seat.SECOND, rng)
    result = GAME.simulate(first, second)
    traced = GAME.simulate(
        BattlePlan(tuple(rng.sample(first.units, len(first.units)))),
        BattlePlan(tuple(rng.sample(second.units, len(second.units)))),
        trace=True,
    )
    assert (traced.winner, traced.length, traced.survivors, traced.margin) == (
        result.winner,
        result.length,
        result.survivors,
        result.margin,
    )
    assert result.winner is not None
    assert result.length <= 180_000
    assert -1 <= result.margin <= 1
    assert (result.lost_row is None) == (result.winner is Seat.FIRST)
    times = [event.at for event in traced.trace]
    assert times == sorted(times)
    entered = [event for event in traced.trace if isinstance(event, Spawned) and event.seat is Seat.SECOND]
    assert len({event.unit for event in entered}) == len(entered)


@given(seeds)
@settings(max_examples=40)
def test_what_plays_at_random_is_legal_and_within_the_purse(seed):
    """Random plans, greedy plans and every small step from them."""
    rng = Random(seed)
    for seat in Seat:
        plan = GAME.random_plan(seat, rng)
        for found in (plan, GAME.vary(seat, plan, rng), GAME.greedy_plan(seat)):
            verdict = GAME.check(seat, GAME.dump(seat, found))
            assert verdict.kind is VerdictKind.OK
            assert verdict.plan == found == GAME.canonical(seat, found)
            assert verdict.cost == GAME.cost(seat, found) <= GAME.sides[seat].purse.amount


GOOD = {"name": "HandgunSoldier", "x": 3, "y": 2, "spawn_time": 0}


@pytest.mark.parametrize(
    ("change", "kind", "why"),
    [
        ({"x": 11}, VerdictKind.ILLEGAL, "no such column; expected 0 to 10"),
        ({"x": -1}, VerdictKind.ILLEGAL, "no such column"),
        ({"y": 5}, VerdictKind.ILLEGAL, "no such row; expected 0 to 4"),
        ({"name": "handgunsoldier"}, VerdictKind.ILLEGAL, "no such unit on this side"),
        ({"name": "NormalDemon"}, VerdictKind.ILLEGAL, "no such unit on this side"),
        ({"name": "Bomb"}, VerdictKind.ILLEGAL, "no such unit on this side"),
        ({"spawn_time": -1}, VerdictKind.ILLEGAL, "expected 0 to 60000"),
        ({"spawn_time": 10**30}, VerdictKind.ILLEGAL, "expected 0 to 60000"),
        ({"x": "3"}, VerdictKind.SCHEMA_ERROR, "valid integer"),
        ({"x": 3.0}, VerdictKind.SCHEMA_ERROR, "valid integer"),
        ({"x": float("nan")}, VerdictKind.SCHEMA_ERROR, "valid integer"),
        ({"x": True}, VerdictKind.SCHEMA_ERROR, "valid integer"),
        ({"name": 7}, VerdictKind.SCHEMA_ERROR, "valid string"),
        ({"tier": "Gold"}, VerdictKind.SCHEMA_ERROR, "Extra inputs"),
    ],
)
def test_each_rule_broken_alone_gets_its_verdict(change, kind, why):
    """With the place, the offending entry and what would be accepted."""
    assert GAME.check(Seat.FIRST, {"humans": [GOOD]}).kind is VerdictKind.OK
    verdict = GAME.check(Seat.FIRST, {"humans": [{**GOOD, **change}]})
    assert verdict.kind is kind
    assert why in verdict.problems[0].why
    assert verdict.problems[0].where.startswith("humans[0]")


def test_two_humans_on_a_cell_too_many_units_and_a_missing_time_are_refused():
    """Stacking, the cap on units, and a field left out."""
    assert GAME.check(Seat.FIRST, {"humans": [GOOD, GOOD]}).problems[0].why == "a second human on this cell"
    many = [{"name": "NormalDemon", "y": 0, "spawn_time": 0}] * 201
    assert GAME.check(Seat.SECOND, {"demons": many}).problems[0].why == "more than 200 units"
    late = copy.copy(GOOD)
    del late["spawn_time"]
    assert GAME.check(Seat.FIRST, {"humans": [late]}).kind is VerdictKind.SCHEMA_ERROR


def test_a_plan_over_the_purse_is_legal_but_too_dear():
    """Sixteen demons of 100."""
    plan = {"demons": [{"name": "NormalDemon", "y": 0, "spawn_time": 1000 * place} for place in range(16)]}
    verdict = GAME.check(Seat.SECOND, plan)
    assert (verdict.kind, verdict.cost) == (VerdictKind.OVER_PURSE, 1600)


def test_the_published_program_gets_verdicts_where_it_would_stop_or_never_end():
    """A unit that crashes it, a time that never comes, a missing time."""
    game = PUBLISHED[33]
    for unit in ({"name": "HealingDemon"}, {"spawn_time": 10**400}):
        plan = {"demons": [{"name": "NormalDemon", "y": 0, "spawn_time": 0, **unit}]}
        assert game.check(Seat.SECOND, plan).kind is VerdictKind.ILLEGAL
    with pytest.raises(SpecError, match="expected 33 or 34"):
        TowerDefense("published", 35)


def test_every_number_that_is_told_is_the_number_that_is_played():
    """Doubling any number of a unit changes the text that models read, and the engine's facts alike."""
    for seat, side in GAME.sides.items():
        for name, row in load_data("tower_defense")[side.key].items():
            for key, value in row.items():
                if not isinstance(value, int) or isinstance(value, bool) or value == 0:
                    continue
                data = load_data("tower_defense")
                data[side.key][name][key] = value * 2
                changed = TowerDefense(data=data)
                assert changed.catalogue(seat) != GAME.catalogue(seat), (name, key)
                assert changed.units[seat][name].facts[key] == value * 2
    for key, value in load_data("tower_defense")["battle"].items():
        data = load_data("tower_defense")
        data["battle"][key] = value * 2
        assert TowerDefense(data=data).rules_text() != GAME.rules_text(), key


def test_an_unopposed_demon_needs_the_told_time_and_nobody_waits_for_nothing():
    """Eleven cells at speed 2 in 14.67 s; no demons at all: humans win at once."""
    result = fought(humans(), demons(("NormalDemon", 3)))
    assert (result.winner, result.lost_row, result.length) == (Seat.SECOND, 3, 14_650)
    assert fought(humans(), demons(("SpeedyDemon", 0))).length == 7_300
    empty = fought(humans(), demons())
    assert (empty.winner, empty.length) == (Seat.FIRST, 0)


def test_a_shooter_fires_after_one_interval_and_hits_the_first_demon_of_its_row():
    """Ten shots a second apart kill a NormalDemon; another row is left alone."""
    result = fought(humans(("HandgunSoldier", 0, 2)), demons(("NormalDemon", 2)))
    shots = harms(result, Seat.SECOND, "HandgunSoldier")
    assert [event.health for event in shots] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0][: len(shots)]
    assert shots[0].at >= 1000
    assert result.winner is Seat.FIRST
    assert not harms(fought(humans(("HandgunSoldier", 0, 1)), demons(("NormalDemon", 2))), Seat.SECOND)


def test_only_anti_air_hits_what_flies_and_nothing_else():
    """A FlyingDemon passes over shields and shots."""
    flying = demons(("FlyingDemon", 2))
    assert not harms(fought(humans(("MachineGunSoldier", 0, 2), ("ShieldSoldier", 5, 2)), flying), Seat.SECOND)
    assert harms(fought(humans(("AntiAirSoldier", 0, 2)), flying), Seat.SECOND)
    assert not harms(fought(humans(("AntiAirSoldier", 0, 2)), demons(("NormalDemon", 2))), Seat.SECOND)


def test_defences_lessen_normal_shots_only_and_a_pulse_takes_them_away():
    """ShieldDemon 0.3 of a point, MachineDemon half; fire in full; one pulse and they are bare."""

    def first(soldier, demon):
        return harms(fought(humans((soldier, 0, 2)), demons((demon, 2))), Seat.SECOND)[0].damage

    assert first("HandgunSoldier", "ShieldDemon") == pytest.approx(0.3)
    assert first("HandgunSoldier", "MachineDemon") == 0.5
    assert first("FlamethrowerSoldier", "ShieldDemon") == 2
    bare = fought(humans(("HandgunSoldier", 0, 2), ("MagneticSoldier", 1, 2)), demons(("ShieldDemon", 2)))
    assert [type(event) for event in bare.trace].count(Stripped) == 1
    assert harms(bare, Seat.SECOND)[-1].damage == 1


def test_fire_and_ice_do_nothing_to_those_immune_to_them():
    """FireDemon and FrostDemon; ice slows everybody else."""
    assert not harms(fought(humans(("FlamethrowerSoldier", 0, 2)), demons(("FireDemon", 2))), Seat.SECOND)
    frost = fought(humans(("IceSoldier", 0, 2)), demons(("FrostDemon", 2)))
    assert not harms(frost, Seat.SECOND)
    assert not [event for event in frost.trace if isinstance(event, Slowed)]
    slowed = fought(humans(("IceSoldier", 0, 2)), demons(("GreatDemon", 2)))
    assert [event for event in slowed.trace if isinstance(event, Slowed)]
    assert slowed.length > fought(humans(), demons(("GreatDemon", 2))).length


def test_an_explosion_clears_its_own_row_of_what_walks():
    """30 damage to each half a second after it enters; the rows beside it and flyers are spared."""
    result = fought(
        humans(("LinearExplosion", 4, 2)),
        demons(("NormalDemon", 2), ("DemonKing", 2), ("NormalDemon", 1), ("NormalDemon", 3), ("FlyingDemon", 2)),
    )
    found = harms(result, Seat.SECOND, "LinearExplosion")
    assert {event.at for event in found} == {500}
    assert sorted(event.health for event in found) == [-20, 50]


def test_demons_stop_at_the_first_human_and_hit_it_once_an_interval():
    """At once, then every second; five times as hard on shields where they break them."""
    result = fought(humans(("ShieldSoldier", 5, 2), ("ShieldSoldier", 4, 2)), demons(("NormalDemon", 2)))
    blows = harms(result, Seat.FIRST)
    assert {after.at - before.at for before, after in pairwise(blows[:15])} == {1000}
    assert [event.unit for event in blows[:15]] == [1] * 15
    broken = harms(fought(humans(("ShieldSoldier", 5, 2)), demons(("ShieldBreakerDemon", 2))), Seat.FIRST)
    assert [event.health for event in broken] == [10, 5, 0]


def test_a_bouncing_demon_jumps_once_and_never_over_an_enhanced_shield():
    """Two cells in one step."""
    jumped = fought(humans(("ShieldSoldier", 5, 2), ("ShieldSoldier", 1, 2)), demons(("BouncingDemon", 2)))
    assert [type(event) for event in jumped.trace].count(Jumped) == 1
    assert {event.unit for event in harms(jumped, Seat.FIRST)} == {0}
    stopped = fought(humans(("EnhancedShieldSoldier", 5, 2)), demons(("BouncingDemon", 2)))
    assert Jumped not in [type(event) for event in stopped.trace]


def test_a_machine_demon_wakes_up_and_a_summoner_calls_every_five_seconds():
    """Speed 3 from the first wound on; NormalDemons in its own row."""
    awake = fought(humans(("HandgunSoldier", 0, 2)), demons(("MachineDemon", 2)))
    assert awake.length < fought(humans(), demons(("MachineDemon", 2))).length
    called = [
        event
        for event in fought(humans(), demons(("SummoningDemon", 4))).trace
        if isinstance(event, Spawned) and event.name == "NormalDemon"
    ]
    assert [(event.at, event.row) for event in called[:3]] == [(5000, 4), (10_000, 4), (15_000, 4)]


def test_humans_that_hold_out_to_the_time_limit_win():
    """A wall that is hit for three minutes and stands."""
    wall = humans(*[("EnhancedShieldSoldier", x, 2) for x in range(11)])
    result = fought(wall, demons(("NormalDemon", 2)))
    assert (result.winner, result.reason, result.length) == (Seat.FIRST, "time_limit", 180_000)


def test_the_golden_battle_of_the_rules_as_written(golden):
    """A short battle with its trace, to be read and checked by a person."""
    first = humans(("IceSoldier", 0, 2), ("HandgunSoldier", 1, 2), ("ShieldSoldier", 6, 2))
    second = demons(("BouncingDemon", 2), ("SpeedyDemon", 2, 4000))
    result = fought(first, second)
    lines = [canonical_text(GAME, seat, plan) for seat, plan in ((Seat.FIRST, first), (Seat.SECOND, second))]
    lines += [describe_event(event) for event in result.trace]
    lines.append(f"{result.winner} {result.reason} after {result.length} ms, row {result.lost_row}: {result.survivors}")
    golden("advgame/tower_defense.txt", "\n".join(lines) + "\n")
