"""Who meets whom: completeness, fairness, stable names and seeds that do not depend on order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.arena.config import load_tournament
from stratarena.arena.schedule import make_schedule, pairings, slug
from stratarena.arena.seeds import derive_seed
from stratarena.arena.specs import Format


def schedule(*agents, more="", games='"connect_four", "hex(size=5)"'):
    source = f'name = "t"\nseed = 5\ngames = [{games}]\n{more}\n'
    source += "\n".join(f'[agents.{agent}]\nkind = "random"' for agent in agents)
    loaded = load_tournament(source, place="t.toml")
    return make_schedule(loaded.spec, loaded.games)


@given(st.integers(2, 12))
def test_a_round_robin_pairs_everybody_with_everybody_once(n):
    """n * (n - 1) / 2 pairings, none twice."""
    names = tuple(f"a{index}" for index in range(n))
    pairs = pairings(names, (), Format.ROUND_ROBIN)
    assert len(pairs) == n * (n - 1) // 2
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)


@given(st.integers(2, 12))
def test_everybody_plays_early(n):
    """Within the first n - 1 pairings (rounded up to a whole circle) every agent has met somebody."""
    names = tuple(f"a{index}" for index in range(n))
    early = pairings(names, (), Format.ROUND_ROBIN)[:n]
    assert {name for pair in early for name in pair} == set(names)


def test_a_gauntlet_pairs_challengers_with_the_rest_only():
    """Neither challengers nor the rest meet each other."""
    pairs = pairings(("a", "b", "c", "d"), ("a", "b"), Format.GAUNTLET)
    assert set(pairs) == {("a", "c"), ("b", "c"), ("a", "d"), ("b", "d")}


def test_a_double_round_robin_has_twice_the_rounds():
    """As if rounds were doubled."""
    assert len(schedule("a", "b", more='format = "double_round_robin"')) == 2 * len(schedule("a", "b"))


def test_the_two_matches_of_a_pair_share_the_opening_and_swap_the_seats():
    """Nothing but the seats, the key and the seed differs."""
    matches = schedule("a", "b", "c", more='rounds = 3\nopenings = { connect_four = "balanced", hex = "balanced" }')
    pairs = {}
    for match in matches:
        pairs.setdefault(match.pair, []).append(match)
    for one, two in pairs.values():
        assert (one.first, one.second) == (two.second, two.first)
        assert one.opening == two.opening
        assert one.key != two.key


def test_every_pairing_of_a_round_plays_the_same_opening_and_rounds_differ():
    """Agents are compared from equal positions; later rounds bring new ones."""
    matches = schedule("a", "b", "c", more='rounds = 4\nopenings = { connect_four = "balanced" }')
    by_round = {}
    for match in matches:
        if match.game == "connect_four":
            by_round.setdefault(match.round, set()).add(match.opening.name)
    assert all(len(names) == 1 for names in by_round.values())
    assert len(set().union(*by_round.values())) == 4


def test_everybody_sits_first_as_often_as_second():
    """Seats are balanced in every game."""
    matches = schedule("a", "b", "c", "d")
    assert Counter(match.first for match in matches) == Counter(match.second for match in matches)


def test_one_more_agent_changes_no_other_match():
    """Keys, seeds, openings and digests of the old matches stay: seeds are derived by name."""
    before = {match.key: match for match in schedule("a", "b", "c")}
    after = {match.key: match for match in schedule("x", "a", "b", "c")}
    for key, match in before.items():
        other = (
            after.get(key) or after[key.replace(f"{match.first}-vs-{match.second}", f"{match.second}-vs-{match.first}")]
        )
        assert other.seed == match.seed
        assert other.digest == match.digest


def test_keys_are_unique_and_fit_a_shell():
    """No spaces, brackets or quotes."""
    keys = [match.key for match in schedule("a", "b", "c", more="rounds = 2")]
    assert len(set(keys)) == len(keys)
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/") for key in keys)


def test_a_games_parameters_are_part_of_its_keys():
    """Brackets and commas become dashes."""
    assert slug("hex(size=7, swap=true)") == "hex-size-7-swap-true"


@pytest.mark.parametrize("path", [("match", "k"), ("ply", 3), ("ply", 3, 0)])
def test_seeds_depend_on_every_name_of_their_path(path):
    """Another root or another name gives another seed, within 63 bits."""
    seed = derive_seed(1, *path)
    assert 0 <= seed < 2**63
    assert seed != derive_seed(2, *path)
    assert seed != derive_seed(1, *path, "more")


def test_the_derivation_of_seeds_never_changes():
    """Written down once: a change would make every recorded seed mean something else."""
    assert derive_seed(2026, "match", "connect-four/a-vs-b/r1a") == 5969995585742999492
