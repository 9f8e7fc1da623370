"""The battle card game: the published programs to the last digit, and the rules as models are told them."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.games.base import Seat
from stratarena.games.battle_card.events import Attacked, Changed, Entered, Harmed, Left
from stratarena.games.battle_card.game import BattleCard
from stratarena.games.battle_card.plans import RowPlan, Unit
from stratarena.games.purse import UnknownItem
from stratarena.games.resource.base import VerdictKind, canonical_text
from stratarena.games.resource.data import load_data

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/advgamebench.json").read_text(encoding="utf-8"))["battle_card"]
AS_WRITTEN = BattleCard()
PUBLISHED = BattleCard("published")
seeds = st.integers(0, 2**32)


def rows(game, seed):
    rng = Random(seed)
    return game.random_plan(Seat.FIRST, rng), game.random_plan(Seat.SECOND, rng)


def row(text, priorities=""):
    """A plan from words: `"King Sapling*"`, where a star stands for Gold."""
    units = (Unit(word.rstrip("*"), "Gold" if word.endswith("*") else "Bronze") for word in text.split())
    return RowPlan(tuple(units), tuple(priorities.split()))


def fight(defenders, invaders, wanted_first="", wanted_second="", *, attacks=None, game=AS_WRITTEN):
    """Both rows after so many attacks (all, if not said): `"King 3/12, Soldier 1/1 | TideLord 4/10"`."""
    if attacks is not None:
        data = load_data("battle_card")
        data["battle"]["most_attacks"] = attacks
        game = BattleCard(data=data)
    result = game.simulate(row(defenders, wanted_first), row(invaders, wanted_second))
    left = {seat: [unit for unit in result.survivors if unit.seat is seat] for seat in Seat}
    return " | ".join(", ".join(f"{u.name} {u.attack}/{u.health:g}" for u in left[seat]) for seat in Seat)


@pytest.mark.parametrize("entry", GOLDEN, ids=[entry["id"] for entry in GOLDEN])
def test_published_rules_repeat_what_the_original_programs_did(entry):
    """Winner, number of attacks and both rows at the end, for 54 pairs of rows."""
    first = PUBLISHED.check(Seat.FIRST, {"defenders": entry["defenders"]})
    second = PUBLISHED.check(Seat.SECOND, {"invaders": entry["invaders"]})
    result = PUBLISHED.simulate(first.plan, second.plan)
    assert PUBLISHED.as_published(result) == entry["expected"]


@pytest.mark.parametrize("game", [AS_WRITTEN, PUBLISHED], ids=lambda game: game.id)
@given(seed=seeds)
def test_a_battle_is_a_pure_function_of_the_rows_and_always_ends(game, seed):
    """Same rows, same result, with a trace or without; every unit that came has left or is still there."""
    first, second = rows(game, seed)
    result = game.simulate(first, second)
    traced = game.simulate(first, second, trace=True)
    assert game.simulate(first, second) == result
    same = (result.winner, result.length, result.margin, result.survivors, result.summoned, result.fallen)
    assert (traced.winner, traced.length, traced.margin, traced.survivors, traced.summoned, traced.fallen) == same
    assert result.length <= 500
    assert (result.reason, result.winner is None) in (("wiped_out", False), ("attack_cap", True))
    bought = len(first.units) + len(second.units)
    assert bought + result.summoned == result.fallen + len(result.survivors)
    assert all(unit.health > 0 and unit.attack >= 0 for unit in result.survivors)
    if result.winner:
        assert {unit.seat for unit in result.survivors} <= {result.winner}
        assert 0.5 <= result.margin_of(result.winner) <= 1


@given(seeds)
def test_a_trace_tells_the_whole_battle(seed):
    """Entries and departures give the survivors, the last change of each unit its attack or health, attacks alternate."""
    result = AS_WRITTEN.simulate(*rows(AS_WRITTEN, seed), trace=True)
    board = {}
    for event in result.trace:
        key = (event.seat, event.unit)
        if isinstance(event, Entered):
            assert sum(seat is event.seat for seat, _ in board) < AS_WRITTEN.row
            board[key] = (event.name, event.attack, event.health)
        elif isinstance(event, Left):
            assert board.pop(key)[2] <= 0
        elif isinstance(event, Harmed):
            name, attack, health = board[key]
            assert event.health == health - event.damage < health
            board[key] = (name, attack, event.health)
        elif isinstance(event, Changed):
            board[key] = (board[key][0], event.attack, event.health)
        else:
            assert isinstance(event, Attacked)
            assert (event.seat.other, event.target) in board
    left = sorted((unit.seat.value, unit.name, unit.attack, unit.health) for unit in result.survivors)
    assert sorted((seat.value, *unit) for (seat, _), unit in board.items()) == left
    attacks = [event for event in result.trace if isinstance(event, Attacked)]
    assert len({event.at for event in attacks}) == len(attacks)
    assert len({(event.at + (event.seat is Seat.FIRST)) % 2 for event in attacks}) == 1


@given(seeds)
def test_what_plays_at_random_is_legal_and_within_the_purse(seed):
    """Random plans, greedy plans and small steps from them, even from an empty row."""
    rng = Random(seed)
    for seat in Seat:
        purse = AS_WRITTEN.sides[seat].purse.amount
        plan = AS_WRITTEN.random_plan(seat, rng)
        assert AS_WRITTEN.cost(seat, plan) > purse - 3
        for found in (plan, AS_WRITTEN.greedy_plan(seat), AS_WRITTEN.vary(seat, RowPlan(()), rng)):
            varied = AS_WRITTEN.vary(seat, found, rng)
            assert varied != found
            for each in (found, varied):
                verdict = AS_WRITTEN.check(seat, json.loads(json.dumps(AS_WRITTEN.dump(seat, each))))
                assert verdict.kind is VerdictKind.OK
                assert not verdict.warnings
                assert verdict.plan == each == AS_WRITTEN.canonical(seat, each)
                assert verdict.cost == AS_WRITTEN.cost(seat, each) <= purse
                assert sum(entry.cost for entry in AS_WRITTEN.entries(seat, each)) == verdict.cost


def test_small_steps_reach_every_kind_of_change():
    """Rows grow and shrink, change their order, names, tiers and priorities."""
    rng = Random(0)
    plan = row("King Sapling RockBeetle", "Phoenix TideLord")
    seen = set()
    for _ in range(400):
        found = AS_WRITTEN.vary(Seat.FIRST, plan, rng)
        names, old = [unit.name for unit in found.units], [unit.name for unit in plan.units]
        if found.priorities != plan.priorities:
            seen.add(("priority", len(found.priorities)))
        elif names == old:
            seen.add("tier")
        elif len(names) == len(old):
            seen.add("swap" if sorted(names) == sorted(old) else "replace")
        else:
            seen.add("add" if len(names) > len(old) else "remove")
    wanted = {"tier", "swap", "replace", "add", "remove", ("priority", 1), ("priority", 2), ("priority", 3)}
    assert seen == wanted


def test_the_greedy_rows_beat_most_random_rows():
    """Of 300 random opponents more than half fall, from either seat."""
    for seat in Seat:
        plan = AS_WRITTEN.greedy_plan(seat)
        wins = 0
        for seed in range(300):
            other = rows(AS_WRITTEN, seed)[1 if seat is Seat.FIRST else 0]
            result = AS_WRITTEN.simulate(*((plan, other) if seat is Seat.FIRST else (other, plan)))
            wins += result.winner is seat
        assert wins > 150


KING = {"name": "King"}
WRONG = [
    ({}, VerdictKind.SCHEMA_ERROR, "defenders"),
    ({"defenders": [], "more": 1}, VerdictKind.SCHEMA_ERROR, "more"),
    ({"defenders": [], "target_priority_for_invaders": []}, VerdictKind.SCHEMA_ERROR, "target_priority_for_invaders"),
    (
        {"defenders": [], "target_priority_for_defenders": [1]},
        VerdictKind.SCHEMA_ERROR,
        "target_priority_for_defenders[0]",
    ),
    ({"defenders": KING}, VerdictKind.SCHEMA_ERROR, "defenders"),
    ({"defenders": ["King"]}, VerdictKind.SCHEMA_ERROR, "defenders[0]"),
    ({"defenders": [{"tier": "Gold"}]}, VerdictKind.SCHEMA_ERROR, "defenders[0].name"),
    ({"defenders": [KING | {"tier": None}]}, VerdictKind.SCHEMA_ERROR, "defenders[0].tier"),
    ({"defenders": [KING | {"x": 1}]}, VerdictKind.SCHEMA_ERROR, "defenders[0].x"),
    ([], VerdictKind.SCHEMA_ERROR, ""),
    ({"defenders": [{"name": "Sapling"}] * 8}, VerdictKind.ILLEGAL, "defenders"),
    ({"defenders": [{"name": "king"}]}, VerdictKind.ILLEGAL, "defenders[0].name"),
    ({"defenders": [{"name": "Phoenix"}]}, VerdictKind.ILLEGAL, "defenders[0].name"),
    ({"defenders": [{"name": "Soldier"}]}, VerdictKind.ILLEGAL, "defenders[0].name"),
    ({"defenders": [KING | {"tier": "gold"}]}, VerdictKind.ILLEGAL, "defenders[0].tier"),
    ({"defenders": [KING] * 6}, VerdictKind.OVER_PURSE, "defenders"),
]


@pytest.mark.parametrize(("value", "kind", "where"), WRONG)
def test_each_rule_broken_alone_gets_its_verdict_and_names_the_place(value, kind, where):
    """Shape, then legality, then the purse."""
    verdict = AS_WRITTEN.check(Seat.FIRST, value)
    assert verdict.kind is kind
    assert [problem.where for problem in verdict.problems] == [where]


def test_problems_say_what_would_be_accepted():
    """The number of characters, the closest name, the tiers, the excess over the purse."""

    def why(*units):
        return AS_WRITTEN.check(Seat.FIRST, {"defenders": list(units)}).problems[0].why

    assert why(*[{"name": "Sapling"}] * 8) == "8 characters; expected at most 7"
    assert why({"name": "rockbeetle"}) == "no character of this side; did you mean 'RockBeetle'?"
    assert "expected one of Sapling, RockBeetle" in why({"name": "?"})
    assert why(KING | {"tier": "Silver"}) == "no such tier; expected Bronze or Gold"
    assert why(KING | {"tier": "Gold"}, KING, KING, KING) == "costs 24, 4 more than the purse of 20"
    assert AS_WRITTEN.check(Seat.FIRST, {"defenders": [{"name": "?"}]}).cost is None
    with pytest.raises(UnknownItem, match="'king'"):
        AS_WRITTEN.cost(Seat.FIRST, row("king"))


def test_priorities_without_effect_are_allowed_and_warned_of():
    """Own and unknown names, and repetitions; summoned enemies may well be named."""
    names = ["SkeletonMinion", "King", "Phoenix", "phoenix", "Phoenix"]
    verdict = AS_WRITTEN.check(Seat.FIRST, {"defenders": [KING], "target_priority_for_defenders": names})
    assert verdict.kind is VerdictKind.OK
    assert [(warning.where, warning.why.partition(";")[0]) for warning in verdict.warnings] == [
        ("target_priority_for_defenders[1]", "no enemy character"),
        ("target_priority_for_defenders[3]", "no enemy character"),
        ("target_priority_for_defenders[4]", "named before"),
    ]


def test_defaults_are_written_out_in_the_canonical_form():
    """A missing tier is Bronze and a missing list of priorities is empty; order is kept."""
    short = AS_WRITTEN.check(Seat.FIRST, {"defenders": [KING, {"name": "Sapling"}]}).plan
    assert canonical_text(AS_WRITTEN, Seat.FIRST, short) == (
        '{"defenders":[{"name":"King","tier":"Bronze"},{"name":"Sapling","tier":"Bronze"}],'
        '"target_priority_for_defenders":[]}'
    )


def test_published_plans_are_charged_whatever_their_spelling_but_play_as_spelt():
    """Names and tiers are priced in any case; unknown names are free; the programs know exact spellings alone."""

    def check(*units):
        return PUBLISHED.check(Seat.FIRST, {"defenders": [{"name": n, "tier": t, "note": 1} for n, t in units]})

    verdict = check(
        ("king", "Gold"), ("KING", "bronze"), ("Nobody", "Gold"), ("Sapling", "gold"), ("Sapling", "Silver")
    )
    assert (verdict.kind, verdict.cost) == (VerdictKind.OK, 12 + 4 + 0 + 3 + 1)
    result = PUBLISHED.simulate(verdict.plan, RowPlan(()))
    assert PUBLISHED.as_published(result)["defenders_left"] == [["Sapling", 2, 2], ["Sapling", 2, 2]]
    assert check(*[("Nobody", "Bronze")] * 200).kind is VerdictKind.OK
    assert check(*[("Nobody", "Bronze")] * 201).kind is VerdictKind.ILLEGAL
    assert PUBLISHED.check(Seat.FIRST, {"defenders": "King"}).kind is VerdictKind.SCHEMA_ERROR


def test_a_published_battle_that_goes_on_for_ever_has_no_winner():
    """Units without attack never end it; a cap does."""
    data = load_data("battle_card")
    data["cards"]["first"]["Sapling"]["attack"] = data["cards"]["second"]["FireLizard"]["attack"] = 0
    result = BattleCard("published", data=data).simulate(row("Sapling"), row("FireLizard"))
    assert (result.winner, result.reason, result.length, result.margin) == (None, "endless", 10_000, 0.0)
    result = BattleCard(data=data).simulate(row("Sapling"), row("FireLizard"))
    assert (result.winner, result.reason, result.length, result.margin) == (None, "attack_cap", 500, 0.0)


@pytest.mark.parametrize("game", [AS_WRITTEN, PUBLISHED], ids=lambda game: game.id)
@pytest.mark.parametrize(
    ("first", "second", "winner"), [("", "", Seat.SECOND), ("King", "", Seat.FIRST), ("", "TideLord", Seat.SECOND)]
)
def test_an_empty_row_loses_at_once_and_two_empty_rows_are_a_win_of_the_invaders(game, first, second, winner):
    """No attack happens."""
    result = game.simulate(row(first), row(second))
    assert (result.winner, result.length, result.reason) == (winner, 0, "wiped_out")
    assert result.margin_of(winner) == (1.0 if first or second else 0.5)


# Small battles under the rules as written, worked out by hand: both rows after so many attacks.
EXAMPLES = {
    "equal numbers give the invaders the initiative": ("King", "FireLizard", "", "", 1, "King 3/8 | "),
    "more defenders attack first": ("Sapling Sapling", "WaterElemental", "", "", 1, "Sapling 2/1, Sapling 2/2 | "),
    "a simultaneous wipe-out": ("Sapling", "WaterElemental", "", "", 1, " | "),
    "Sapling Gold": ("Sapling* Sapling", "LavaGolem", "", "", 1, "Sapling 4/5, Sapling 2/2 | LavaGolem 1/4"),
    "WaterElemental": ("King", "WaterElemental", "", "", 1, "King 3/9 | "),
    "WaterElemental Gold": ("King", "WaterElemental*", "", "", 1, "King 3/6 | WaterElemental 6/1"),
    "Taunt": (
        "Sapling RockBeetle",
        "BattleFrenzy BattleFrenzy",
        "",
        "",
        1,
        "Sapling 2/2 | BattleFrenzy 3/3, BattleFrenzy 7/4",
    ),
    "the first priority that is present": (
        "Sapling ForestSeer VineProtector",
        "MoltenHound MoltenHound MoltenHound",
        "",
        "Paladin VineProtector Sapling",
        1,
        "Sapling 3/2, ForestSeer 1/1, VineProtector 4/1 | MoltenHound 3/1, MoltenHound 3/1",
    ),
    "a priority named again counts where it stands first": (
        "Sapling King",
        "TideLord TideLord",
        "",
        "King King King Sapling",
        1,
        "Sapling 2/2, King 3/8 | TideLord 8/7, TideLord 4/10",
    ),
    "defenders have priorities too": (
        "King King",
        "ShadowOverlord TideGuardian",
        "TideGuardian",
        "",
        2,
        "King 3/4, King 3/12, Soldier 1/1 | ShadowOverlord 4/1, TideGuardian 4/2",
    ),
    "Taunt before priorities": (
        "Sapling RockBeetle",
        "TideLord TideLord",
        "",
        "Sapling",
        1,
        "Sapling 2/2, RockBeetle 1/1 | TideLord 8/9, TideLord 4/10",
    ),
    "priorities among those with Taunt": (
        "RockBeetle StoneWarrior",
        "TideLord TideLord",
        "",
        "StoneWarrior",
        1,
        "RockBeetle 1/5, StoneWarrior 2/1 | TideLord 8/8, TideLord 4/10",
    ),
    "PoisonFrog attacks": ("King", "PoisonFrog", "", "", 1, " | "),
    "PoisonFrog is attacked": ("MountainGiant Sapling", "PoisonFrog", "", "", 1, "Sapling 2/2 | "),
    "a shield keeps poison off": ("Paladin", "PoisonFrog", "", "", 1, "Paladin 3/6 | "),
    "FireLizard Gold": ("King", "FireLizard*", "", "", 2, "Soldier 1/1 | "),
    "MoltenHound Gold": ("King Sapling", "MoltenHound* FireLizard", "", "", 1, "King 3/4 | FireLizard 2/2"),
    "BattleFrenzy strikes once": ("King", "BattleFrenzy", "", "", 1, "King 3/5 | BattleFrenzy 3/1"),
    "BattleFrenzy Gold": ("King", "BattleFrenzy*", "", "", 1, " | BattleFrenzy 6/5"),
    "BanditLeader to the right, no further": (
        "Sapling Sapling Sapling",
        "BanditLeader BanditLeader BanditLeader",
        "",
        "",
        1,
        "Sapling 2/2 | BanditLeader 8/1, BanditLeader 8/3, BanditLeader 8/3",
    ),
    "BanditLeader to the left at the end": (
        "King Sapling",
        "BanditLeader BanditLeader",
        "",
        "Sapling",
        1,
        "King 3/6 | BanditLeader 8/1, BanditLeader 8/3",
    ),
    "a shield takes excess damage": (
        "King EliteSoldier Sapling",
        "BanditLeader BanditLeader BanditLeader",
        "",
        "EliteSoldier",
        1,
        "King 4/12, Sapling 3/2 | BanditLeader 8/2, BanditLeader 8/3, BanditLeader 8/3",
    ),
    "LavaGolem burns and the attack goes on": ("MountainGiant", "LavaGolem*", "", "", 4, "MountainGiant 4/1 | "),
    "LavaGolem burns and the attack is over": (
        "King",
        "LavaGolem*",
        "",
        "",
        6,
        "Soldier 1/1, Soldier 1/1 | LavaGolem 2/3",
    ),
    "TideGuardian": ("King", "TideGuardian", "", "", 1, "King 3/4 | TideGuardian 4/2"),
    "TideLord Gold": ("King", "TideLord*", "", "", 1, "King 3/4 | TideLord 16/17"),
    "Phoenix splashes to both sides": (
        "Sapling King Sapling",
        "Phoenix FireLizard FireLizard",
        "",
        "King",
        1,
        "King 3/7 | Phoenix 5/2, FireLizard 2/2, FireLizard 2/2",
    ),
    "Phoenix splashes no further": (
        "Sapling King RockBeetle",
        "Phoenix FireLizard FireLizard",
        "",
        "",
        1,
        "Sapling 2/2, King 3/7 | Phoenix 5/4, FireLizard 2/2, FireLizard 2/2",
    ),
    "Phoenix revives": ("MountainGiant*", "Phoenix", "", "", 1, "MountainGiant 8/13 | Phoenix 1/5"),
    "Phoenix revives once": ("MountainGiant*", "Phoenix", "", "", 2, "MountainGiant 8/12 | "),
    "Phoenix Gold revives with all its health": (
        "MountainGiant*",
        "Phoenix*",
        "",
        "",
        2,
        "MountainGiant 8/2 | Phoenix 6/10",
    ),
    "ShadowOverlord": ("King*", "ShadowOverlord", "", "", 1, "King 6/20 | SkeletonMinion 3/1"),
    "ShadowOverlord Gold": ("King*", "ShadowOverlord*", "", "", 2, "King 6/8, Soldier 2/2 | SkeletonMinion 6/2"),
    "ForestSeer Gold": ("ForestSeer* Sapling King", "", "", "", 1, "ForestSeer 2/4, Sapling 4/4, King 3/12 | "),
    "two ForestSeers": ("ForestSeer ForestSeer", "", "", "", 1, "ForestSeer 2/3, ForestSeer 2/3 | "),
    "StoneWarrior Gold": ("StoneWarrior*", "BattleFrenzy*", "", "", 1, "RockBeetle 2/10 | BattleFrenzy 6/4"),
    "EliteSoldier Gold": (
        "King EliteSoldier* Sapling Sapling",
        "",
        "",
        "",
        1,
        "King 5/12, EliteSoldier 2/2, Sapling 4/2, Sapling 2/2 | ",
    ),
    "Paladin's own shield": ("Paladin", "TideLord", "", "", 1, "Paladin 3/6 | TideLord 8/7"),
    "Paladin Gold sees an ally's shield break": (
        "Paladin* EliteSoldier Sapling",
        "FireLizard FireLizard FireLizard",
        "",
        "Sapling",
        1,
        "Paladin 11/12, EliteSoldier 1/1 | FireLizard 2/2, FireLizard 2/2",
    ),
    "BlackRock Gold": ("BlackRock* King King", "", "", "", 1, "BlackRock 4/14, King 3/12, King 3/12 | "),
    "BlackRock alone": ("BlackRock", "", "", "", 1, "BlackRock 2/1 | "),
    "VineProtector": (
        "King VineProtector",
        "Phoenix Phoenix",
        "",
        "VineProtector",
        1,
        "King 3/9 | Phoenix 5/2, Phoenix 5/5",
    ),
    "VineProtector Gold": (
        "King VineProtector*",
        "Phoenix* Phoenix",
        "",
        "VineProtector",
        1,
        "King 3/6 | Phoenix 10/4, Phoenix 5/5",
    ),
    "nobody at 0 health is healed": (
        "VineProtector Sapling",
        "MoltenHound* FireLizard",
        "",
        "",
        1,
        " | FireLizard 2/2",
    ),
    "a dying TideGuardian strikes no further": (
        "King*",
        "TideGuardian LavaGolem*",
        "",
        "",
        5,
        "King 6/8, Soldier 2/2 | LavaGolem 2/2",
    ),
    "healing ends at full health": (
        "King VineProtector*",
        "BattleFrenzy* Phoenix",
        "",
        "VineProtector",
        1,
        "King 3/12 | BattleFrenzy 6/2, Phoenix 5/5",
    ),
    "King in a row of six": (
        "King Sapling Sapling Sapling Sapling Sapling",
        "PoisonFrog",
        "",
        "",
        1,
        "Sapling 2/2, Sapling 2/2, Sapling 2/2, Sapling 2/2, Sapling 2/2, Soldier 1/1 | ",
    ),
    "King in a full row": (
        "King Sapling Sapling Sapling Sapling Sapling Sapling",
        "PoisonFrog",
        "",
        "",
        1,
        "Sapling 2/2, Sapling 2/2, Sapling 2/2, Sapling 2/2, Sapling 2/2, Sapling 2/2 | ",
    ),
    "MountainGiant": ("MountainGiant", "TideLord", "", "", 1, "MountainGiant 4/5 | TideLord 6/6"),
    "MountainGiant Gold weakens each blow, never below 0": (
        "MountainGiant*",
        "TideGuardian",
        "",
        "",
        1,
        "MountainGiant 8/14 | TideGuardian 0/2",
    ),
    "AncientTreant Gold": ("AncientTreant* King", "", "", "", 1, "AncientTreant 4/6, King 7/16 | "),
    "start effects add up": ("BlackRock AncientTreant", "", "", "", 1, "BlackRock 4/6, AncientTreant 2/3 | "),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_effect_of_the_rules_as_written_in_a_battle_worked_out_by_hand(example):
    """Every character in Bronze or Gold, targets, deaths and summons."""
    defenders, invaders, wanted_first, wanted_second, attacks, expected = example
    assert fight(defenders, invaders, wanted_first, wanted_second, attacks=attacks) == expected


def test_every_character_has_an_example():
    """The table above leaves nobody out."""
    words = {word.rstrip("*") for example in EXAMPLES.values() for word in (example[0] + " " + example[1]).split()}
    assert words == {name for seat in Seat for name in AS_WRITTEN.prices(seat)}


def attackers(defenders, invaders, most):
    result = AS_WRITTEN.simulate(row(defenders), row(invaders), trace=True)
    letter = {Seat.FIRST: "d", Seat.SECOND: "i"}
    return " ".join(
        f"{event.at}{letter[event.seat]}{event.unit}"
        for event in result.trace
        if isinstance(event, Attacked) and event.at <= most
    )


def test_sides_attack_in_turn_and_each_from_left_to_right():
    """The row starts again after its last unit; whoever dies before its blow has used up its attack."""
    beetles = attackers("RockBeetle RockBeetle RockBeetle", "LavaGolem LavaGolem", 8)
    assert beetles == "1d0 2i0 3d1 4i1 5d2 6i0 8i1"


def test_the_next_attacker_stays_the_same_when_units_to_its_left_leave():
    """The row closes up under the pointer."""
    assert attackers("King* King*", "TideLord TideLord TideLord", 3) == "1i0 2d0 3i1"
    assert attackers("Sapling Sapling King", "BanditLeader BanditLeader", 3) == "1d0 2i0 3d2"


def test_burning_does_not_add_up():
    """A unit that strikes golem after golem burns by the strongest number alone."""
    result = AS_WRITTEN.simulate(row("King RockBeetle"), row("LavaGolem LavaGolem LavaGolem LavaGolem"), trace=True)
    burns = [event for event in result.trace if isinstance(event, Harmed) and event.cause == "burning"]
    assert {event.damage for event in burns} == {3}
    assert [event.unit for event in burns].count(0) > 1
    mixed = row("LavaGolem LavaGolem* LavaGolem LavaGolem")
    result = AS_WRITTEN.simulate(row("King* RockBeetle"), mixed, trace=True)
    burns = [event for event in result.trace if isinstance(event, Harmed) and event.cause == "burning"]
    assert [event.damage for event in burns if event.unit == 0] == [3, 6]


def test_every_number_that_is_told_is_the_number_that_is_played():
    """Doubling any number of the data file changes the text that models read, and the cards or prices alike."""
    for seat in Seat:
        for name, facts in load_data("battle_card")["cards"][seat.value].items():
            for key, value in facts.items():
                if type(value) is not int:
                    continue
                data = load_data("battle_card")
                data["cards"][seat.value][name][key] = value * 2
                changed = BattleCard(data=data)
                assert changed.catalogue(seat) != AS_WRITTEN.catalogue(seat), (name, key)
                assert changed.cards[seat][name].facts[key] == value * 2
                if key == "cost":
                    assert changed.prices(seat)[name] == value * 2
                else:
                    assert changed.card(seat, Unit(name)) != AS_WRITTEN.card(seat, Unit(name)), (name, key)


def test_the_numbers_of_the_rules_text_are_those_of_the_engine():
    """Row, purse, the price and the strength of Gold, and the cap on attacks."""
    data = load_data("battle_card")
    for table, key in (("row", 6), ("gold_price", 4), ("gold_factor", 5), ("most_attacks", 3)):
        fresh = load_data("battle_card")
        fresh["battle"][table] = data["battle"][table] = key
        assert BattleCard(data=fresh).rules_text() != AS_WRITTEN.rules_text()
    for number, seat in enumerate(Seat):
        data["sides"][seat.value]["purse"] = 30 + number
    game = BattleCard(data=data)
    assert "30 for Defenders and 31 for Invaders" in game.rules_text()
    assert game.sides[Seat.SECOND].purse.amount == 31
    assert game.cost(Seat.FIRST, row("King*")) == 16
    assert fight("King*", "", game=game) == "King 15/60 | "
    assert game.check(Seat.FIRST, {"defenders": [{"name": "Sapling"}] * 7}).kind is VerdictKind.ILLEGAL
    assert game.simulate(row("King"), row("LavaGolem LavaGolem")).length == 3
    six = "King " + "Sapling " * 5
    assert fight(six, "PoisonFrog", game=game) == ", ".join(["Sapling 2/2"] * 5) + " | "


def test_models_of_the_published_rules_are_told_no_more_than_theirs_were():
    """Neither elements of characters nor how the gaps are filled."""
    assert AS_WRITTEN.rules_text().startswith(PUBLISHED.rules_text())
    assert len(PUBLISHED.rules_text()) < len(AS_WRITTEN.rules_text())
    assert "cost 1, Nature" in AS_WRITTEN.catalogue(Seat.FIRST)
    assert "cost 1)" in PUBLISHED.catalogue(Seat.FIRST)
    assert AS_WRITTEN.catalogue(Seat.SECOND, ["Phoenix"]).count("\n") == 0


@pytest.mark.parametrize("game", [AS_WRITTEN, PUBLISHED], ids=lambda game: game.id)
def test_examples_are_legal(game):
    """For both sides, without a warning."""
    for seat in Seat:
        verdict = game.check(seat, json.loads(game.example(seat)))
        assert (verdict.kind, verdict.warnings) == (VerdictKind.OK, ())


def test_the_golden_battle_of_the_rules_as_written(golden):
    """A whole battle with its trace, to be read and checked by a person."""
    first, second = rows(AS_WRITTEN, 1)
    result = AS_WRITTEN.simulate(first, second, trace=True)
    lines = [canonical_text(AS_WRITTEN, seat, plan) for seat, plan in ((Seat.FIRST, first), (Seat.SECOND, second))]
    lines += [str(event) for event in result.trace]
    lines.append(f"{result.winner} {result.reason} after {result.length} attacks: {result.survivors}")
    golden("advgame/battle_card.txt", "\n".join(lines) + "\n")
