"""What counts, and what it counts for."""

from __future__ import annotations

import pytest

from stratarena.analysis.conduct import conduct_by
from stratarena.analysis.league import Tally, counted, cross_table, score_rate, tally_by
from stratarena.arena.specs import Ending


def test_void_and_unfinished_matches_count_for_nobody(league):
    """Nine of eleven attempts count; the void one and the one in play do not."""
    found = counted(league.attempts)
    assert len(found) == 9
    assert all(match.verdict is not None and match.verdict.ending is not Ending.VOID for match in found)


def test_wins_draws_and_losses_are_those_counted_by_hand(league):
    """A forfeit is a loss for who is at fault and a win for the other; a cap is a draw."""
    found = tally_by(counted(league.attempts))
    assert found == {
        ("dice", ""): Tally(2, 1, 2),
        ("grabber", ""): Tally(4, 1, 1),
        ("talker", ""): Tally(1, 1, 2),
        ("picker", ""): Tally(0, 1, 2),
    }


@pytest.mark.parametrize("part", ["seat", "game", "ending"])
def test_the_parts_of_a_tally_add_up_to_the_whole(league, part):
    """By seat, by game and by ending: no match is lost and none counted twice."""
    whole = tally_by(counted(league.attempts))
    parts = tally_by(counted(league.attempts), part)
    for agent, _ in whole:
        own = [tally for (name, _), tally in parts.items() if name == agent]
        assert sum(tally.games for tally in own) == whole[agent, ""].games
        assert sum(tally.points for tally in own) == whole[agent, ""].points


def test_a_cross_table_mirrors_itself(league):
    """What one won, the other lost."""
    cells = cross_table(counted(league.attempts))
    for (one, other), tally in cells.items():
        assert cells[other, one] == Tally(tally.losses, tally.draws, tally.wins)
    assert cells["grabber", "picker"] == Tally(1, 1, 0)


def test_a_score_counts_pairs_and_not_matches(league):
    """The talker: 1.5 points in 4 matches of 2 pairs."""
    score = score_rate(counted(league.attempts), "talker")
    assert (score.value, score.n) == (pytest.approx(0.375), 2)


def test_an_agent_without_a_match_has_no_score(league):
    """None with n = 0, not 0."""
    assert (score_rate(counted(league.attempts), "absent").value, score_rate((), "absent").n) == (None, 0)


def conducted(league):
    """Conduct in the league, by agent and game."""
    attempts = {match.match_id: match for match in league.attempts}
    return conduct_by(league.sides(None), league.refusals(None), attempts)


def test_first_answers_are_judged_and_void_matches_are_not(league):
    """The talker's three turns: one clean, one mended, one never; the void match's is left out."""
    found = conducted(league)
    talker, picker = found["talker", ""], found["picker", ""]
    assert (talker.legal_at_once.value, talker.legal_at_once.n) == (pytest.approx(1 / 3), 3)
    assert talker.refused == {"illegal": 3, "malformed": 1}
    assert (picker.turns, picker.legal_at_once.n) == (2, 1)


def test_an_unknown_price_makes_a_cost_unknown_and_not_zero(league):
    """One call without a price is enough; agents that never ask cost nothing."""
    found = conducted(league)
    assert found["talker", ""].cost_usd is None
    assert found["dice", ""].cost_usd == 0.0


def test_tokens_are_averaged_over_turns_that_asked_a_model(league):
    """(103 + 223 + 103) / 3 for the talker; no data for the dice."""
    found = conducted(league)
    assert (found["talker", ""].tokens_per_turn.value, found["talker", ""].tokens_per_turn.n) == (pytest.approx(143), 3)
    assert (found["dice", ""].tokens_per_turn.value, found["dice", ""].tokens_per_turn.n) == (None, 0)
