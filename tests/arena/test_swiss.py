"""Swiss and adaptive tournaments: who meets whom, played, stopped and gone on with."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.analysis.matchmaking import informative_pairs
from stratarena.arena.cli import run_command_line
from stratarena.arena.growth import Round
from stratarena.arena.specs import Ending, Verdict
from stratarena.arena.store import Entered
from stratarena.arena.swiss import points_of, swiss_pairs
from stratarena.games.base import Seat


def play(pairs, number, rng, *, stronger=None):
    """Both matches of each pair; the stronger wins, or chance decides."""
    found = []
    for one, two in pairs:
        for side, (first, second) in (("a", (one, two)), ("b", (two, one))):
            if stronger is None:
                winner = rng.choice([Seat.FIRST, Seat.SECOND, None])
            else:
                winner = Seat.FIRST if stronger(first) > stronger(second) else Seat.SECOND
            verdict = Verdict(ending=Ending.RULES, winner=winner, reason="x")
            key = f"g/{one}-vs-{two}/r{number}{side}"
            found.append(Entered(key=key, game="g", first=first, second=second, round=number, verdict=verdict))
    return found


@given(st.integers(2, 15), st.integers(1, 7), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_everybody_meets_one_other_a_round_and_nobody_again_before_it_must(n, rounds, seed):
    """At most one sits out, a different one each time; without rematches as long as fewer rounds than half the field."""
    agents = [f"a{number}" for number in range(n)]
    rng, entered, out = Random(seed), [], Counter()
    for number in range(1, rounds + 1):
        pairs = swiss_pairs(agents, entered)
        names = [name for pair in pairs for name in pair]
        assert len(set(names)) == len(names) == n - n % 2
        out.update(set(agents) - set(names))
        entered += play(pairs, number, rng)
    assert max(out.values(), default=0) <= -(-rounds // n)
    met = Counter(frozenset((match.first, match.second)) for match in entered if match.key.endswith("a"))
    if rounds <= n // 2:
        assert max(met.values()) == 1


def test_the_first_round_pairs_the_upper_half_with_the_lower():
    """By the order of the file; the last sits out where the number is odd."""
    assert swiss_pairs(list("abcdef"), []) == (("a", "d"), ("b", "e"), ("c", "f"))
    assert swiss_pairs(list("abcde"), []) == (("a", "c"), ("b", "d"))
    assert points_of(list("abcde"), play([("a", "c"), ("b", "d")], 1, Random(0), stronger=ord))["e"] == 2.0


def test_those_with_the_same_points_meet():
    """After a first round that the later letters won they meet each other."""
    first = play(swiss_pairs(list("abcd"), []), 1, Random(0), stronger=ord)
    assert set(swiss_pairs(list("abcd"), first)) == {("c", "d"), ("a", "b")}


def test_the_best_of_sixteen_is_found_in_four_rounds():
    """Where the stronger always wins, nobody else has won everything."""
    agents, entered = [chr(ord("a") + number) for number in range(16)], []
    for number in range(1, 5):
        entered += play(swiss_pairs(agents, entered), number, Random(0), stronger=ord)
    points = points_of(agents, entered)
    assert [name for name in agents if points[name] == 8.0] == ["p"]


def test_the_most_uncertain_and_closest_meet_in_an_adaptive_round():
    """Those of whom nothing is known meet before those who have settled it among themselves."""
    known = [match for number in range(1, 21) for match in play([("a", "b")], number, Random(0), stronger=ord)]
    pairs = informative_pairs(Round({"g": ("a", "b", "c", "d")}, tuple(known)))["g"]
    assert len(pairs) == 2
    assert ("a", "b") not in pairs
    assert {"c", "d"} <= {name for pair in pairs for name in pair}


def test_an_adaptive_schedule_orders_a_field_sooner_than_a_fixed_one():
    """Over 20 simulated fields, the same number of matches: the mean squared error of the ratings is smaller."""
    from itertools import combinations
    from math import exp

    from stratarena.analysis.ratings import predict

    names = tuple("abcdefgh")

    def errors(adaptive, seed):
        rng = Random(seed)
        truth = {name: 1.0 * place for place, name in enumerate(rng.sample(names, 8))}
        entered, number = [], 0
        fixed = [list(combinations(names, 2))[at::7] for at in range(7)]
        for number in range(1, 22):
            pairs = informative_pairs(Round({"g": names}, tuple(entered)))["g"] if adaptive else fixed[number % 7]
            for one, two in pairs:
                for side, (first, second) in (("a", (one, two)), ("b", (two, one))):
                    winner = Seat.FIRST if rng.random() < 1 / (1 + exp(truth[second] - truth[first])) else Seat.SECOND
                    verdict = Verdict(ending=Ending.RULES, winner=winner, reason="x")
                    entered.append(Entered(key=f"{number}{one}{two}{side}", game="g", first=first, second=second, round=number, verdict=verdict))  # fmt: skip
        bouts = Counter(("g", m.first, m.second, float(m.verdict.winner is Seat.FIRST)) for m in entered)
        fit = predict(bouts, names)
        found = {name: fit.strength(name) for name in names}
        middle, true_middle = sum(found.values()) / 8, sum(truth.values()) / 8
        return sum((found[name] - middle - truth[name] + true_middle) ** 2 for name in names) / 8

    adaptive = sum(errors(True, seed) for seed in range(20))
    fixed = sum(errors(False, seed) for seed in range(20))
    assert adaptive < fixed


FILE = """
name = "{name}"
seed = 3
games = ["connect_four", "hex(size=4)"]
format = "{form}"
rounds = 3
{agents}
"""


@pytest.mark.parametrize("form", ["swiss", "adaptive"])
def test_a_tournament_that_grows_is_played_round_after_round_and_gone_on_with(form, tmp_path, capsys):
    """The same command again has nothing to do, and more rounds in the file are added to the record as it is."""
    agents = "\n".join(f'[agents.a{n}]\nkind = "{"random" if n % 2 else "greedy"}"' for n in range(5))
    file, database = tmp_path / "t.toml", tmp_path / "t.db"
    file.write_text(FILE.format(name="t", form=form, agents=agents), encoding="utf-8")
    assert run_command_line(["run", str(file), "--db", str(database), "--jobs", "4"]) == 0
    assert "24 of 24 matches are over" in capsys.readouterr().out
    assert run_command_line(["run", str(file), "--db", str(database), "--jobs", "4"]) == 0
    assert "nothing left to do" in capsys.readouterr().err
    file.write_text(file.read_text(encoding="utf-8").replace("rounds = 3", "rounds = 4"), encoding="utf-8")
    assert run_command_line(["run", str(file), "--db", str(database), "--jobs", "1"]) == 0
    assert "32 of 32 matches are over" in capsys.readouterr().out
    run_command_line(["list", "matches", "--db", str(database), "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert Counter(match["key"].split("/")[-1] for match in listed) == {
        f"r{number}{side}": 4 for number in range(1, 5) for side in "ab"
    }


def test_a_decided_pairing_is_played_no_further(tmp_path, capsys):
    """The winner of everything is told, and most matches are spared; the same command again spares them again."""
    file, database = tmp_path / "t.toml", tmp_path / "t.db"
    file.write_text(
        'name = "t"\ngames = ["connect_four"]\nrounds = 200\nsprt = { elo1 = 300 }\n'
        '[agents.solver]\nkind = "greedy"\n[agents.dice]\nkind = "random"\n',
        encoding="utf-8",
    )
    for _ in range(2):
        assert run_command_line(["run", str(file), "--db", str(database), "--jobs", "2"]) == 0
        out = capsys.readouterr().out
        assert "solver against dice: solver is stronger after" in out
        assert "need not be played" in out
    assert run_command_line(["report", "--db", str(database), "--out", str(tmp_path)]) == 0
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "solver is stronger than dice" in page
    assert "not over" not in page[page.index("## Anomalies") : page.index("## Matches")]


def test_mistakes_in_the_stopping_rule_and_the_anchor_are_told(tmp_path, capsys):
    """With the key, and what would be accepted."""
    file = tmp_path / "t.toml"
    file.write_text(
        'name = "t"\ngames = ["connect_four"]\nformat = "swiss"\nsprt = { elo0 = 5, elo1 = 0 }\n'
        'anchor = { agent = "grady", elo = 1500 }\n[agents.greedy]\nkind = "greedy"\n[agents.dice]\nkind = "random"\n',
        encoding="utf-8",
    )
    assert run_command_line(["check", str(file)]) == 2
    err = capsys.readouterr().err
    assert "elo1 = 0 must be above elo0 = 5" in err
    assert "no pairing to stop" in err
    assert "'grady' is no agent of the file (did you mean 'greedy'?)" in err
