"""What the referee does with good answers, bad answers, faults, budgets and broken infrastructure."""

from __future__ import annotations

import pytest

from stratarena.agents.base import Consult, Decision, ask, propose, revise
from stratarena.agents.budget import Budget, BudgetExhausted, Spend
from stratarena.agents.engines.base import EngineSpec, Query
from stratarena.agents.models.base import Completion, Finish, Message, ModelError, Request, Sampling
from stratarena.agents.plan import Cause, Plan
from stratarena.arena.events import (
    Called,
    Consulted,
    Faulted,
    MatchClosed,
    MatchOpened,
    Overran,
    Proposed,
    Refused,
    Revised,
    TurnClosed,
)
from stratarena.arena.specs import Budgets, Ending, Enforcement, Policies
from stratarena.arena.testing import HandClock, InstantModel, ScriptedAgent, play_one
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour

GAME = ConnectFour()


def bodies(events, kind):
    return [event.body for event in events if isinstance(event.body, kind)]


def filler(name="filler"):
    """An agent that always plays the first legal column."""

    def think(view):
        return Decision(view.game.legal_moves(view.state)[0])
        yield

    return ScriptedAgent(name, think)


def asking(name="asker", *, column="4", n=1, max_tokens=16):
    """An agent that asks the model `n` times at once and plays a fixed column whatever it says."""

    def think(view):
        request = Request(messages=(Message("user", "?"),), sampling=Sampling(max_tokens=max_tokens))
        yield from ask("m", *([request] * n))
        return Decision(
            Move(column) if column in view.game.legal_moves(view.state) else view.game.legal_moves(view.state)[0]
        )

    return ScriptedAgent(name, think, models=("m",))


def completion(*, prompt=10, answer=2, think_ms=5.0, cost=0.0):
    return Completion(
        text="4",
        finish=Finish.STOP,
        spend=Spend(model_calls=1, prompt_tokens=prompt, completion_tokens=answer, think_ms=think_ms, cost_usd=cost),
    )


def test_a_match_is_played_to_its_end_by_the_rules():
    """Four in column 1 wins for FIRST, and the record opens and closes the match around seven turns."""
    verdict, events = play_one(GAME, ScriptedAgent.of_moves("a", "1111"), ScriptedAgent.of_moves("b", "222"))
    assert (verdict.ending, verdict.winner, verdict.reason) == (Ending.RULES, Seat.FIRST, "four_in_a_row")
    assert isinstance(events[0].body, MatchOpened)
    assert [turn.move for turn in bodies(events, TurnClosed)] == list("1212121")
    assert events[-1].body == MatchClosed(verdict, 7)
    assert [event.seq for event in events] == list(range(9))


def test_every_turn_carries_the_digest_of_the_state_it_left():
    """Playing the recorded moves again gives the recorded digests."""
    _, events = play_one(GAME, filler("a"), filler("b"))
    state = GAME.initial(None)
    for turn in bodies(events, TurnClosed):
        state = GAME.play(state, turn.move)
        assert turn.digest == GAME.digest(state)


def test_an_illegal_move_is_refused_and_asked_again():
    """The second deliberation sees the refusal, and its move counts."""
    seen = []

    def think(view):
        seen.append([refusal.kind for refusal in view.refused])
        return Decision(Move("9" if not view.refused else view.game.legal_moves(view.state)[0]))
        yield

    _, events = play_one(GAME, ScriptedAgent("a", think), filler("b"), policies=Policies(re_asks=1))
    assert seen[:4] == [[], ["illegal"], [], ["illegal"]]
    assert bodies(events, Refused)[0].refusal.text == "9"
    assert "1 to 7" in bodies(events, Refused)[0].refusal.why


def test_text_that_is_no_move_forfeits_after_the_last_re_ask():
    """Two re-asks are three answers; then the seat loses, and no move is invented."""

    def think(view):
        return Decision(view.game.parse(view.state, "column four"))
        yield

    verdict, events = play_one(GAME, ScriptedAgent("a", think), filler("b"), policies=Policies(re_asks=2))
    assert (verdict.ending, verdict.winner, verdict.reason, verdict.at_fault) == (
        Ending.FORFEIT,
        Seat.SECOND,
        "malformed",
        Seat.FIRST,
    )
    assert len(bodies(events, Refused)) == 3
    (turn,) = bodies(events, TurnClosed)
    assert turn.move is None
    assert turn.digest is None


def test_an_agent_whose_code_raises_forfeits_and_the_traceback_is_kept():
    """The fault is its own, and is recorded with where it happened."""

    def think(view):
        raise ZeroDivisionError("by nought")
        yield

    verdict, events = play_one(GAME, ScriptedAgent("a", think), filler("b"))
    assert (verdict.ending, verdict.at_fault, verdict.reason) == (Ending.FORFEIT, Seat.FIRST, "agent_fault")
    (fault,) = bodies(events, Faulted)
    assert fault.where == "agent"
    assert fault.error == "ZeroDivisionError: by nought"
    assert "think" in fault.detail


@pytest.mark.parametrize("nonsense", ["4", None, 4])
def test_an_agent_that_returns_no_decision_is_at_fault(nonsense):
    """A bare string is not a decision."""

    def think(view):
        return nonsense
        yield

    verdict, _ = play_one(GAME, ScriptedAgent("a", think), filler("b"))
    assert verdict.reason == "agent_fault"


def test_an_agent_that_yields_something_else_is_at_fault():
    """Only steps may be yielded."""

    def think(view):
        yield "a thought"
        return Decision(Move("1"))

    verdict, _ = play_one(GAME, ScriptedAgent("a", think), filler("b"))
    assert verdict.reason == "agent_fault"


def test_a_failed_model_call_voids_the_match_and_is_recorded():
    """Infrastructure failures are never a model's loss."""
    model = InstantModel("m", lambda request: ModelError("the server is gone"))
    verdict, events = play_one(GAME, asking(), filler(), models={"m": model})
    assert (verdict.ending, verdict.winner, verdict.reason, verdict.at_fault) == (
        Ending.VOID,
        None,
        "model_failed",
        None,
    )
    (call,) = bodies(events, Called)
    assert call.answer is None
    assert call.error == "the server is gone"
    (turn,) = bodies(events, TurnClosed)
    assert turn.spend.model_calls == 1
    assert turn.spend.cost_usd is None


def test_an_engine_that_cannot_be_opened_voids_the_match():
    """A consultation that fails is recorded with its error."""
    from stratarena.agents.engines.base import EngineError
    from stratarena.arena.engine_room import EngineRoom

    def open_engine(spec):
        raise EngineError("no such engine")

    def think(view):
        yield Consult(EngineSpec(kind="none"), Query(game=GAME.id, start=view.start, moves=view.moves, seed=1))
        raise AssertionError("not reached")

    agent = ScriptedAgent("a", think)
    verdict, events = play_one(GAME, agent, filler(), engines=EngineRoom(open_engine, workers=1))
    assert (verdict.ending, verdict.reason) == (Ending.VOID, "engine_failed")
    (consulted,) = bodies(events, Consulted)
    assert consulted.error == "no such engine"


def test_what_a_call_costs_is_charged_to_the_turn():
    """Tokens, calls and the model's time add to the turn; waiting is kept apart."""
    model = InstantModel("m", lambda request: completion(prompt=10, answer=2, think_ms=5.0, cost=0.25))
    _, events = play_one(GAME, asking(n=2), filler(), models={"m": model})
    turn = bodies(events, TurnClosed)[0]
    assert (turn.spend.model_calls, turn.spend.prompt_tokens, turn.spend.completion_tokens) == (2, 20, 4)
    assert turn.spend.cost_usd == 0.5
    assert turn.spend.think_ms >= 10.0


def test_plies_played_inside_a_search_count_as_nodes():
    """Three plays through the view are three nodes of this turn and of no other."""

    def think(view):
        for move in view.game.legal_moves(view.state)[:3]:
            view.game.play(view.state, move)
        return Decision(view.game.legal_moves(view.state)[0])
        yield

    _, events = play_one(GAME, ScriptedAgent("a", think), filler())
    nodes = [turn.spend.nodes for turn in bodies(events, TurnClosed)]
    assert nodes[:4] == [3, 0, 3, 0]


def test_plans_and_revisions_are_recorded_and_stand_for_the_next_turn():
    """The revised plan is what the seat sees standing when it moves again."""
    first = Plan(moves=(Move("4"),), why="centre")
    second = Plan(moves=(Move("3"),), why="on second thoughts")
    seen = []

    def think(view):
        seen.append(view.standing)
        if view.standing is None:
            yield from propose(first)
            yield from revise(second, Cause.SELF_CHECK)
        return Decision(view.game.legal_moves(view.state)[0])

    _, events = play_one(GAME, ScriptedAgent("a", think), filler())
    assert bodies(events, Proposed) == [Proposed(first)]
    assert bodies(events, Revised) == [Revised(first, second, Cause.SELF_CHECK)]
    assert seen[:2] == [None, second]


def test_revising_what_was_never_proposed_is_an_agents_fault():
    """A revision needs something to replace."""

    def think(view):
        yield from revise(Plan(moves=(Move("3"),)), Cause.SELF_CHECK)
        return Decision(Move("3"))

    verdict, _ = play_one(GAME, ScriptedAgent("a", think), filler())
    assert verdict.reason == "agent_fault"


def test_the_record_policy_lets_an_overrun_through_and_writes_it_down():
    """One overrun for each turn that passes the bound; the match goes on."""
    model = InstantModel("m", lambda request: completion())
    budgets = Budgets(move=Budget(completion_tokens=1), enforcement=Enforcement.RECORD)
    verdict, events = play_one(GAME, asking(), filler(), models={"m": model}, budgets=budgets)
    assert verdict.ending is Ending.RULES
    overruns = bodies(events, Overran)
    own_turns = [turn for turn in bodies(events, TurnClosed) if turn.seat is Seat.FIRST]
    assert len(overruns) == len(own_turns)
    assert (overruns[0].scope, overruns[0].overrun.resource, overruns[0].overrun.limit, overruns[0].overrun.used) == (
        "move",
        "completion_tokens",
        1,
        2,
    )


def test_the_forfeit_policy_loses_the_match_in_the_turn_that_overspends():
    """The third call passes a match budget of two: two moves were made, the third is not."""
    model = InstantModel("m", lambda request: completion())
    budgets = Budgets(match=Budget(model_calls=2), enforcement=Enforcement.FORFEIT)
    verdict, events = play_one(GAME, asking(), filler(), models={"m": model}, budgets=budgets)
    assert (verdict.ending, verdict.at_fault, verdict.reason) == (Ending.FORFEIT, Seat.FIRST, "over_budget")
    own = [turn.move for turn in bodies(events, TurnClosed) if turn.seat is Seat.FIRST]
    assert own == ["4", "4", None]


def test_the_strict_policy_refuses_before_the_spending():
    """The third call is never made, and an agent that does not catch it forfeits."""
    model = InstantModel("m", lambda request: completion())
    budgets = Budgets(match=Budget(model_calls=2), enforcement=Enforcement.STRICT)
    verdict, events = play_one(GAME, asking(), filler(), models={"m": model}, budgets=budgets)
    assert (verdict.ending, verdict.reason) == (Ending.FORFEIT, "over_budget")
    assert len(model.requests) == 2
    assert bodies(events, Overran) == []


def test_an_agent_may_catch_the_strict_refusal_and_return_its_best_so_far():
    """With a fallback declared the match goes on."""
    model = InstantModel("m", lambda request: completion())

    def think(view):
        try:
            yield from ask("m", Request(messages=(Message("user", "?"),)))
        except BudgetExhausted:
            return Decision(view.game.legal_moves(view.state)[0], fallback="budget")
        return Decision(view.game.legal_moves(view.state)[0])

    budgets = Budgets(match=Budget(model_calls=1), enforcement=Enforcement.STRICT)
    verdict, events = play_one(GAME, ScriptedAgent("a", think), filler(), models={"m": model}, budgets=budgets)
    assert verdict.ending is Ending.RULES
    own = [turn.fallback for turn in bodies(events, TurnClosed) if turn.seat is Seat.FIRST]
    assert own[0] is None
    assert set(own[1:]) == {"budget"}
    assert len(model.requests) == 1


def test_the_strict_policy_shortens_an_answer_to_what_is_left():
    """A request for 16 tokens goes out as one for 5, and the record says so."""
    model = InstantModel("m", lambda request: completion(answer=5))
    budgets = Budgets(match=Budget(completion_tokens=5), enforcement=Enforcement.STRICT)
    _, events = play_one(GAME, asking(max_tokens=16), filler(), models={"m": model}, budgets=budgets)
    assert bodies(events, Called)[0].request.sampling.max_tokens == 5


def test_a_search_is_stopped_at_its_node_bound_under_the_strict_policy():
    """The fourth play raises inside the agent's own search."""
    reached = []

    def think(view):
        move = view.game.legal_moves(view.state)[0]
        try:
            for n in range(10):
                view.game.play(view.state, move)
                reached.append(n)
        except BudgetExhausted as exhausted:
            assert exhausted.overrun.resource == "nodes"
        return Decision(move)
        yield

    budgets = Budgets(move=Budget(nodes=3), enforcement=Enforcement.STRICT)
    play_one(GAME, ScriptedAgent("a", think), filler(), budgets=budgets)
    assert reached[:4] == [0, 1, 2, 0]


def test_an_agents_budget_counts_what_it_spent_in_earlier_matches():
    """With five of six calls spent elsewhere, the second call of this match is one too many."""
    model = InstantModel("m", lambda request: completion())
    budgets = Budgets(agent=Budget(model_calls=6), enforcement=Enforcement.STRICT)
    verdict, _ = play_one(
        GAME, asking(), filler(), models={"m": model}, budgets=budgets, spent={Seat.FIRST: Spend(model_calls=5)}
    )
    assert verdict.reason == "over_budget"
    assert len(model.requests) == 1


def test_the_ply_cap_closes_a_match_as_a_draw():
    """Nobody wins, and the reason says why."""
    verdict, events = play_one(GAME, filler("a"), filler("b"), policies=Policies(max_plies={"connect_four": 3}))
    assert (verdict.ending, verdict.winner, verdict.reason) == (Ending.CAP, None, "ply_cap")
    assert len(bodies(events, TurnClosed)) == 3


def test_an_opening_is_played_before_the_first_turn():
    """The agents meet after the opening; the plies of the record go on from it."""
    _, events = play_one(GAME, filler("a"), filler("b"), opening=("4", "4", "4"))
    turns = [event for event in events if isinstance(event.body, TurnClosed)]
    assert turns[0].ply == 3
    assert turns[0].seat is Seat.SECOND


def test_thinking_time_leaves_out_the_wait_for_a_reply():
    """The clock runs 7 seconds while the model is asked; none of it is the agent's thinking."""
    hand = HandClock()

    def answer(request):
        hand.advance(7.0)
        return completion(think_ms=100.0)

    model = InstantModel("m", answer)
    _, events = play_one(GAME, asking(), filler(), models={"m": model}, clock=hand.clock())
    turn = bodies(events, TurnClosed)[0]
    assert turn.spend.think_ms == 100.0
    assert turn.wait_ms == pytest.approx(6900.0)


def test_a_match_continues_from_its_record_exactly():
    """Cut after any turn, the rest is what an uninterrupted match would have been."""

    def think(view):
        moves = view.game.legal_moves(view.state)
        return Decision(moves[view.seed % len(moves)])
        yield

    def players():
        return ScriptedAgent("a", think), ScriptedAgent("b", think)

    _, whole = play_one(GAME, *players(), seed=5)
    turns = [event for event in whole if isinstance(event.body, TurnClosed)]
    for cut in range(1, len(turns)):
        at = turns[cut - 1]
        progress = {
            "next_seq": at.seq + 1,
            "moves": tuple(turn.body.move for turn in turns[:cut]),
            "digest": at.body.digest,
        }
        _, rest = play_one(GAME, *players(), seed=5, progress=progress)
        again = [event for event in rest if isinstance(event.body, TurnClosed)]
        assert [(event.seq, event.ply, event.body.move, event.body.digest, event.body.seed) for event in again] == [
            (event.seq, event.ply, event.body.move, event.body.digest, event.body.seed) for event in turns[cut:]
        ]


def test_a_record_whose_digest_disagrees_with_the_rules_is_refused():
    """Going on from a state that the rules do not give would make a wrong game."""
    from stratarena.games.base import ArenaError

    with pytest.raises(ArenaError, match="but ffffffffffffffff was recorded"):
        play_one(GAME, filler("a"), filler("b"), progress={"next_seq": 2, "moves": (Move("1"),), "digest": "f" * 16})
