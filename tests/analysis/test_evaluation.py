"""How a match stood, by the rules, a judge, a file or a round, always from FIRST's side."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from stratarena.analysis.evaluation import Standing, evaluate, largest_swings, swings
from stratarena.arena.events import Transcribed
from stratarena.arena.grading import Evaluation
from stratarena.arena.replay import Frame
from stratarena.db.records import Judgement
from stratarena.games.base import Move
from stratarena.games.connect_four import ConnectFour
from stratarena.games.notation.record import Evaluation as Stated
from stratarena.games.notation.record import NotedMove

GAME = ConnectFour()


def frames(moves):
    state = GAME.initial(Random(0))
    shown = [state]
    for move in moves:
        state = GAME.play(state, Move(move))
        shown.append(state)
    return [
        Frame(ply=n, seat=None, move=None, state=one, steps=(), turn=None, checked=False, verdict=None)
        for n, one in enumerate(shown)
    ]


def test_a_judge_speaks_for_the_side_to_move_and_is_turned_to_first():
    """The same +0.5 is good for FIRST when FIRST moves, and bad when SECOND does; unknown positions stay unknown."""
    two = frames("43")
    said = {GAME.digest(one.state): Evaluation(0.5, Move("4"), "solved 3", True) for one in two[:2]}
    found = evaluate(GAME, two, Judgement(judge="solver", positions=said))
    assert [None if one is None else one.value for one in found] == [0.5, -0.5, None]
    assert found[0].best == "4"
    assert found[0].exact
    assert found[0].source == "judge"


def test_the_rules_have_the_last_word():
    """A finished game is worth its result, whatever a judge says."""
    won = frames("4343434")
    said = {GAME.digest(won[-1].state): Evaluation(0.1, Move("1"), None, False)}
    assert evaluate(GAME, won, Judgement(judge="solver", positions=said))[-1].value == 1.0


def test_what_a_file_says_is_turned_into_a_value():
    """Centipawns by a curve that is odd and grows; a mate is a win."""

    def told(**stated):
        noted = NotedMove(
            move=Move("4"), evaluation=Stated(**{"centipawns": None, "mate": None, "depth": None} | stated)
        )
        start = frames("4")[1]
        shown = Frame(ply=1, seat=None, move=Move("4"), state=start.state, steps=(Transcribed(noted, "0"),), turn=None, checked=False, verdict=None)  # fmt: skip
        return evaluate(GAME, [shown], None)[0].value

    assert told(centipawns=0) == 0
    assert 0 < told(centipawns=50) < told(centipawns=500) < 1
    assert told(centipawns=-50) == -told(centipawns=50)
    assert (told(mate=3), told(mate=-2)) == (1.0, -1.0)


VALUES = st.lists(st.none() | st.floats(-1, 1), max_size=12)


@given(VALUES)
def test_swings_add_up_and_the_largest_come_first(values):
    """Between two known values their difference, else nothing."""
    standings = [None if value is None else Standing(value=value, source="judge") for value in values]
    found = swings(standings)
    assert len(found) == len(values)
    for number, change in enumerate(found):
        known = number > 0 and values[number] is not None and values[number - 1] is not None
        assert change == (values[number] - values[number - 1] if known else None)
    order = largest_swings(found)
    sizes = [abs(found[number]) for number in order]
    assert sizes == sorted(sizes, reverse=True)
    assert len(order) == sum(change is not None and abs(change) >= 0.1 for change in found)
