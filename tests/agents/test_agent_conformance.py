"""`check_agent` finds every broken promise, and gives agents what they need to keep theirs."""

from __future__ import annotations

import pytest

from stratarena.agents.base import AgentSpec, Ask, Consult, Decision, Propose, Revise
from stratarena.agents.conformance import ConformanceError, check_agent
from stratarena.agents.engines.base import EngineError, EngineLine, EngineSpec, Query
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import MalformedMove, Move
from stratarena.games.plugins import load_game

GAME = load_game("connect_four")
SOLVER = EngineSpec(kind="oracle")


class Thinker:
    """An agent that thinks as the function it is given."""

    models = ("m",)
    engines = (SOLVER,)

    def __init__(self, think, params=None):
        self.spec = AgentSpec("x", "thinker", params or {})
        self.deliberate = think

    def plays(self, game):
        return None if game == "connect_four" else f"thinker plays connect_four, not {game}"


def check(think, *, params=None, **rest):
    check_agent(lambda: Thinker(think, params), GAME, **rest)


def first_move(view):
    return Decision(view.game.legal_moves(view.state)[0])


def quiet(view):
    return first_move(view)
    yield


def overconfident(view):
    return Decision(first_move(view).move, confidence=1.5)
    yield


def speechless(view):
    return None
    yield


def endless(view):
    while True:
        yield Propose(Plan(moves=()))


def stranger(view):
    yield Ask("somebody else", ())


def poacher(view):
    yield Consult(EngineSpec(kind="uci"), Query(game="chess", start="", moves=(), seed=0))


@pytest.mark.parametrize(
    ("think", "words"),
    [
        (overconfident, "confidence 1.5 is not in 0 to 1"),
        (speechless, "returned None; a deliberation returns a Decision"),
        (endless, "still thinking after 1000 steps"),
        (stranger, "asks 'somebody else', which it does not list"),
        (poacher, "consults uci, which it does not list"),
    ],
)
def test_a_broken_promise_is_told_with_the_moves_before_it(think, words):
    """The name, the place, the promise."""
    with pytest.raises(ConformanceError, match=f"x after .*: {words}"):
        check(think)


@pytest.mark.parametrize("value", [{1, 2}, (1, 2), float("nan"), object()])
def test_parameters_that_json_would_lose_are_told(value):
    """A set, a tuple that would come back as a list, a number that is none, any object."""
    with pytest.raises(ConformanceError, match="parameters"):
        check(quiet, params={"value": value})


def test_memory_is_found_though_each_turn_alone_looks_sound():
    """An agent that counts its own turns is told apart from a new one of its make."""

    class Counting(Thinker):
        def __init__(self):
            super().__init__(self.think)
            self.turns = 0

        def think(self, view):
            moves = view.game.legal_moves(view.state)
            self.turns += 1
            return Decision(moves[self.turns % len(moves)])
            yield

    with pytest.raises(ConformanceError, match="the same view gave"):
        check_agent(Counting, GAME)


def test_a_game_that_the_agent_does_not_play_is_told():
    """In the agent's own words."""
    with pytest.raises(ConformanceError, match="thinker plays connect_four, not chess"):
        check_agent(lambda: Thinker(quiet), load_game("chess"))


def test_a_plan_stands_until_the_next_turn_and_may_then_be_revised():
    """The view carries it on: proposed once, revised ever after."""
    seen = set()

    def planner(view):
        decision = first_move(view)
        plan = Plan(moves=(decision.move,))
        seen.add(view.standing is None)
        yield Propose(plan) if view.standing is None else Revise(plan, Cause.OPPONENT)
        return decision

    check(planner)
    assert seen == {True, False}


def test_an_agent_whose_answer_was_refused_is_asked_again_with_the_refusal():
    """So that what it does about a refusal is checked as well."""
    seen = []

    def stammering(view):
        if not view.refused:
            raise MalformedMove("hm", game=view.game.id, position="", why="no move in it")
        seen.append((view.refused[0].kind, view.refused[0].text))
        return first_move(view)
        yield

    check(stammering)
    assert set(seen) == {("malformed", "hm")}


def test_a_consultation_is_answered_by_the_function_given():
    """And without one by the real engine, whose absence is the engine's error."""

    def asking(view):
        line = yield Consult(SOLVER, Query(game=view.game.id, start=view.start, moves=view.moves, seed=view.seed))
        return Decision(line.move)

    def answer(step):
        state = GAME.decode(step.query.start)
        for move in step.query.moves:
            state = GAME.play(state, move)
        return EngineLine(move=Move(GAME.legal_moves(state)[-1]), think_ms=0.0)

    check(asking, consult=answer)
    with pytest.raises(EngineError, match="no kind of engine 'oracle'"):
        check(asking)
