"""The agent of linearized search: asks once, reads along, declares what it read, and never makes a move up."""

from __future__ import annotations

from random import Random

import pytest

from stratarena.agents.base import AgentSpec, Ask, Decision, Explored, Propose, Refusal, Revise, View
from stratarena.agents.budget import Budget, Spend
from stratarena.agents.conformance import check_agent
from stratarena.agents.linearized.check import Asked
from stratarena.agents.linearized.course import favourites
from stratarena.agents.linearized.parser import parse_trace
from stratarena.agents.linearized.player import Linearized
from stratarena.agents.linearized.prompt import expected_characters, fitting_shape
from stratarena.agents.linearized.searcher import placement, search_trace
from stratarena.agents.linearized.trace import print_trace
from stratarena.agents.models.base import Completion, Finish
from stratarena.agents.models.scripted import Scripted
from stratarena.agents.plan import Cause, Plan
from stratarena.arena.events import Proposed, Refused, Revised, Searched, TurnClosed
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.games.base import IllegalMove, MalformedMove, Move, Seat, SpecError
from stratarena.games.plugins import load_game

HEX = load_game("hex(size=3)")
ROOT = HEX.decode("X../.O./... X")
TEXT = """\
SEARCH hex(size=3) | depth=1 | breadth=2
NODE - | state=X../.O./... X | moves=a2:70,b1:40
NODE a2 | state=X../XO./... O | moves=a3:90
BACK a2 | value=90 | pick=a3
NODE b1 | state=XX./.O./... O | moves=c1:45
BACK b1 | value=45 | pick=c1
BACK - | moves=a2:10,b1:55 | value=55 | pick=b1
PLAY b1
"""


def linearized(**params):
    return Linearized(AgentSpec("x", "linearized", {"model": "m", "depth": 1, "breadth": 2, **params}))


def view(game=HEX, state=ROOT, **rest):
    return View(game=game, state=state, seat=game.to_move(state), ply=2, start="", moves=(), seed=1, **rest)


def think(text, *, finish=Finish.STOP, seen=None, **params):
    """Every step of a deliberation that is answered by this text, and what it comes to."""
    thinking = linearized(**params).deliberate(seen or view())
    steps = [next(thinking)]
    reply = (Completion(text=text, finish=finish, spend=Spend(model_calls=1)),)
    try:
        while True:
            steps.append(thinking.send(reply))
            reply = None
    except StopIteration as stop:
        return steps, stop.value


def test_the_favourites_of_a_trace_become_a_plan_and_its_revision():
    """First values favour a2, its search refutes it, b1's keeps b1: one plan, one revision with evidence, one kept."""
    steps, decision = think(TEXT)
    assert [type(step) for step in steps] == [Ask, Explored, Propose, Revise, Propose]
    first, revised, kept = (step for step in steps if isinstance(step, Propose | Revise))
    assert first.plan == Plan(moves=("a2", "a3"), value=0.4, why="first values: a2 70, b1 40")
    assert revised == Revise(Plan(moves=("b1", "c1"), value=-0.2, why="a2 searched: 10, first 70"), Cause.SEARCH)
    assert kept.plan == Plan(moves=("b1", "c1"), value=0.1, why="b1 searched: 55, first 40")
    assert decision == Decision(Move("b1"), confidence=0.55)
    tree = steps[1].tree
    assert (tree.ended, tree.n_nodes, tree.first_move, tree.line) == ("choice", 3, "a2", ("b1", "c1"))


def test_a_choice_that_does_not_follow_from_the_tree_is_a_change_of_mind_of_its_own():
    """Not the search's doing: the cause is a look at oneself; no confidence was stated for it."""
    steps, decision = think(TEXT.replace("PLAY b1", "PLAY c3"))
    assert steps[-1].cause is Cause.SELF_CHECK
    assert steps[-1].plan.moves == ("c3",)
    assert decision == Decision(Move("c3"), confidence=None)
    assert "unfaithful_choice" in steps[1].tree.nodes[0].problem


def test_the_roots_own_pick_counts_where_it_differs_from_its_values():
    """A root that picks against what was carried up to it says so last."""
    trace = parse_trace(TEXT.replace("pick=b1", "pick=a2").replace("PLAY b1", "PLAY a2"))
    assert [favourite.line[0] for favourite in favourites(trace)] == ["a2", "b1", "b1", "a2"]


def test_an_illegal_choice_is_refused_and_no_other_move_is_played_for_it():
    """Also where a fallback is allowed for answers that break off."""
    for fallback in ("cut_off", "always", "never"):
        with pytest.raises(IllegalMove, match="cell a1 is taken"):
            think(TEXT.replace("PLAY b1", "PLAY a1"), fallback=fallback)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("BACK - |", Decision(Move("b1"), confidence=0.55, fallback="best_backed_up")),
        ("NODE b1", Decision(Move("a2"), confidence=0.1, fallback="best_backed_up")),
        ("BACK a2", Decision(Move("a2"), confidence=0.7, fallback="first_guess")),
    ],
)
def test_an_answer_that_was_cut_off_is_made_up_for_by_the_best_so_far(end, expected):
    """Carried up before guessed; the record says that it is a substitute, and which."""
    text = TEXT[: TEXT.index(end) + 5]
    steps, decision = think(text, finish=Finish.LENGTH)
    assert decision == expected
    assert steps[1].tree.ended == "completion_tokens"
    with pytest.raises(MalformedMove, match=r"no search could be read: line \d.*cut off here"):
        think(text, finish=Finish.LENGTH, fallback="never")
    # Whoever stops of his own will was not cut off.
    with pytest.raises(MalformedMove):
        think(text)


def test_a_guess_against_the_rules_is_no_fallback():
    """The next best one that is legal is, and without any the answer is refused."""
    head = "SEARCH hex(size=3) | depth=1 | breadth=2\nNODE - | state=X../.O./... X | moves=a1:90,{}:40\nNODE"
    _, decision = think(head.format("b1"), finish=Finish.LENGTH)
    assert decision == Decision(Move("b1"), confidence=0.4, fallback="first_guess")
    with pytest.raises(MalformedMove):
        think(head.format("b2"), finish=Finish.LENGTH)


def test_an_answer_that_leaves_the_form_is_refused_with_the_place_and_what_was_read_is_declared():
    """The tree up to the fault is in the record; with `always` its best move stands in."""
    text = TEXT.replace("NODE b1", "Now b1:")
    with pytest.raises(MalformedMove, match=r"line 5, column 1: expected NODE … . … or BACK -"):
        think(text)
    steps, decision = think(text, fallback="always")
    assert decision == Decision(Move("a2"), confidence=0.1, fallback="best_backed_up")
    assert steps[1].tree.ended.startswith("malformed text: line 5, column 1")
    assert steps[1].tree.n_nodes == 2
    assert [type(step) for step in steps[2:]] == [Propose, Revise]


def test_an_answer_without_a_tree_is_recorded_as_a_search_that_saw_nothing():
    """Refused; nothing is planned; the record knows that it was asked for."""
    thinking = linearized().deliberate(view())
    next(thinking)
    step = thinking.send((Completion(text="I play b1.", finish=Finish.STOP, spend=Spend(model_calls=1)),))
    assert (step.tree.n_nodes, step.tree.nodes, step.tree.first_move) == (0, (), None)
    with pytest.raises(MalformedMove, match="line 1, column 1: expected SEARCH"):
        thinking.send(None)


def test_the_tolerant_reading_is_named_and_its_liberties_are_recorded():
    """Prose in front is let pass by name only."""
    dressed = f"Here you are:\n{TEXT}Good luck!"
    with pytest.raises(MalformedMove):
        think(dressed)
    steps, decision = think(dressed, reading="tolerant")
    assert decision.move == "b1"
    assert steps[1].tree.ended.startswith(
        "choice; text behind the final choice was not read (1 let pass: line 1: a line"
    )


def test_the_request_stops_the_model_as_soon_as_enough_is_written():
    """Its watch says so with the line of the choice, or at the first character that no trace has; its stops cannot be in one."""
    (step, *_), _ = think(TEXT)
    (request,) = step.requests
    whole = request.watch()
    assert [whole(f"{line}\n") for line in TEXT.splitlines()] == [False] * 7 + [True]
    broken = request.watch()
    assert [broken(piece) for piece in ("SEARCH hex(size=3) ", "depth=1\n")] == [False, True]
    assert not any(stop in TEXT for stop in request.sampling.stop)
    # A last line without its break is read, and nothing is left over.
    steps, _ = think(TEXT.rstrip("\n"))
    assert steps[1].tree.ended == "choice"
    (tolerant, *_), _ = think(TEXT, reading="tolerant")
    assert tolerant.requests[0].sampling.stop == ()
    assert not tolerant.requests[0].watch()("hm\n")


def test_the_question_holds_rules_form_examples_and_the_position_but_never_its_own_search():
    """One exchange for each example, faultless, of the asked size, from elsewhere; legal moves where wanted."""
    (step, *_), _ = think(TEXT, examples=3)
    messages = step.requests[0].messages
    assert [message.role for message in messages] == ["system", *["user", "assistant"] * 3, "user"]
    assert HEX.rules in messages[0].content
    assert "Position: X../.O./... X\nYou are X. Your legal moves are: b1, c1, a2" in messages[-1].content
    here = placement(HEX.encode(ROOT))
    for message in messages:
        if message.role == "assistant":
            trace = parse_trace(f"{message.content}\n")
            assert (trace.depth, trace.breadth) == (1, 2)
            assert placement(trace.nodes[0].state) != here
    (bare, *_), _ = think(TEXT, examples=0, list_legal_moves=False)
    assert len(bare.requests[0].messages) == 2
    assert "legal moves are" not in bare.requests[0].messages[-1].content


def test_a_refused_answer_is_shown_again_with_what_was_wrong():
    """So that the model can mend it."""
    refusal = Refusal("malformed", "I play b1.", "no search could be read: line 1, column 1: expected SEARCH")
    (step, *_), _ = think(TEXT, seen=view(refused=(refusal,)))
    *_, answer, again = step.requests[0].messages
    assert answer.content == "I play b1."
    assert "refused (malformed): no search could be read: line 1" in again.content


def test_the_size_is_chosen_to_fit_the_budget():
    """More tokens, more nodes; what is left of the budget bounds it; the root alone is the least."""
    sizes = []
    for tokens in (20, 200, 400, 2000):
        agent = Linearized(AgentSpec("x", "linearized", {"model": "m", "max_tokens": tokens}))
        (request,) = next(agent.deliberate(view())).requests
        line = request.messages[-1].content.splitlines()[-1]
        sizes.append(tuple(int(part.rpartition("=")[2]) for part in line.split(" | ")[1:]))
    assert sizes[0] == (0, 1)
    assert sizes == sorted(sizes, key=lambda size: sum(size[1] ** level for level in range(size[0] + 1)))
    assert len(set(sizes)) == 4
    tight = view(remaining=Budget(completion_tokens=20))
    (request,) = next(
        Linearized(AgentSpec("x", "linearized", {"model": "m", "max_tokens": 2000})).deliberate(tight)
    ).requests
    assert request.messages[-1].content.endswith("depth=0 | breadth=1")


@pytest.mark.parametrize("name", ["connect_four", "hex(size=5)", "chess"])
@pytest.mark.parametrize(("depth", "breadth"), [(0, 1), (1, 2), (1, 4), (2, 3)])
def test_the_expected_length_of_a_trace_is_close(name, depth, breadth):
    """Within a fifth of what a classical searcher writes from the same position."""
    game = load_game(name)
    state = game.initial(Random(0))
    trace = print_trace(search_trace(game, state, depth=depth, breadth=breadth, evaluate=lambda at: 50))
    expected = expected_characters(game, state, Asked(name, depth, breadth), form="fields")
    assert expected == pytest.approx(len(trace), rel=0.2)


def test_of_sizes_that_fit_the_largest_is_taken():
    """A boundary case from both sides."""
    asked = Asked("hex(size=3)", 1, 2)
    needed = expected_characters(HEX, ROOT, asked, form="fields")
    assert fitting_shape(HEX, ROOT, tokens=needed, characters_per_token=1, form="fields") == asked
    assert fitting_shape(HEX, ROOT, tokens=needed - 1, characters_per_token=1, form="fields") == Asked(
        "hex(size=3)", 0, 1
    )


class Writer:
    """Answers with the trace of a classical searcher from the position that was asked about."""

    def __init__(self, game, depth=1, breadth=2):
        self._game, self._size = game, {"depth": depth, "breadth": breadth}

    def __call__(self, request):
        notation = request.messages[-1].content.split("Position: ", 1)[1].split("\n", 1)[0]
        trace = search_trace(self._game, self._game.decode(notation), evaluate=lambda at: 50, **self._size)
        text = print_trace(trace)
        return Completion(text=text, finish=Finish.STOP, spend=Spend(model_calls=1, completion_tokens=len(text)))


@pytest.mark.parametrize("name", ["connect_four", "hex(size=4)"])
def test_the_agent_keeps_every_promise_of_an_agent(name):
    """Conformance with a model that writes good traces, and with one that mumbles."""
    game = load_game(name)
    check_agent(lambda: linearized(examples=1), game, answer=Writer(game))
    check_agent(lambda: linearized(examples=0), game)


def test_a_match_records_searches_checked_node_by_node_plans_and_moves():
    """From the model's text to the record: every node of a good searcher is legal, right and consistent."""
    game = load_game("hex(size=3)")
    model = InstantModel("m", Writer(game))
    agent = linearized(examples=1)
    other = ScriptedAgent("first", lambda view: iter_decision(view))
    verdict, events = play_one(game, agent, other, models={"m": model})
    searches = [event.body for event in events if isinstance(event.body, Searched)]
    turns = [event.body for event in events if isinstance(event.body, TurnClosed) and event.seat is Seat.FIRST]
    assert len(searches) == len(turns) > 1
    for search, turn in zip(searches, turns, strict=True):
        assert search.tree.line[0] == turn.move
        assert search.tree.ended == "choice"
        assert all(node.problem is None for node in search.tree.nodes)
        looked_into = [node.check for node in search.tree.nodes if node.visits]
        assert all(check.state_right and check.terminal_right and check.legal is not False for check in looked_into)
        assert search.spend.completion_tokens > 0
        assert turn.spend.nodes == 0
    assert any(isinstance(event.body, Proposed | Revised) for event in events)
    assert not any(isinstance(event.body, Refused) for event in events)
    assert verdict.winner is not None


def iter_decision(view):
    return Decision(view.game.legal_moves(view.state)[0])
    yield


def test_wrong_parameters_are_told():
    """A size is whole or left out; a game of plans is not played."""
    with pytest.raises(SpecError, match="give depth and breadth, or neither"):
        Linearized(AgentSpec("x", "linearized", {"model": "m", "depth": 1}))
    assert "linearized plays connect_four, hex, chess, chess960, not turn_based" in linearized().plays("turn_based")
    assert linearized().plays("hex(size=5)") is None
    assert linearized().models == ("m",)


def test_a_scripted_model_ends_where_the_request_says():
    """Stops cut what a scripted model says as they cut a real one's."""
    (step, *_), _ = think(TEXT)
    (answer,) = Scripted("m", [f"{TEXT}\nSEARCH and more"]).submit(step.requests)
    assert answer.result().text == TEXT.rstrip("\n")
