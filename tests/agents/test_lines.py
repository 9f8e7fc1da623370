"""Intended lines on the board: read from answers, declared, looked at again, and revised for a cause."""

from __future__ import annotations

import pytest

from stratarena.agents.base import AgentSpec, Ask, Consult, Decision, Propose, Refusal, Revise, View
from stratarena.agents.budget import Spend
from stratarena.agents.direct import Direct
from stratarena.agents.engine_player import PerfectConnectFour
from stratarena.agents.engines.base import EngineLine
from stratarena.agents.lines import declare_line, legal_prefix
from stratarena.agents.models.base import Completion, Finish
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.reading import named_line, named_move
from stratarena.games.base import IllegalMove, Move, MoveError, Seat
from stratarena.games.plugins import load_game

GAME = load_game("connect_four")


def plan(*moves, why=""):
    return Plan(moves=tuple(map(Move, moves)), why=why)


def view(*moves, standing=None, refused=(), game=GAME):
    state = start = game.initial(None)
    for move in moves:
        state = game.play(state, game.parse(state, move))
    return View(
        game=game, state=state, seat=game.to_move(state), ply=len(moves), start=game.encode(start),
        moves=tuple(map(Move, moves)), standing=standing, refused=tuple(refused), seed=0,
    )  # fmt: skip


def declared(*answers, of, line=3, self_checks=0, **params):
    """The plans a model declares when it gives these answers in turn, then its move or what its last answer raised."""
    agent = Direct(AgentSpec("d", "llm", {"model": "m", "line": line, "self_checks": self_checks, **params}))
    thinking, reply, steps, given = agent.deliberate(of), None, [], list(answers)
    asked = []
    try:
        while True:
            step = thinking.send(reply)
            if isinstance(step, Ask):
                asked.append(step.requests[0].messages[-1].content)
                text = given.pop(0)
                reply = (
                    text if isinstance(text, Completion) else
                    Completion(text=text, finish=Finish.STOP, spend=Spend(model_calls=1)),
                )  # fmt: skip
            else:
                reply = None
                steps.append(step)
    except StopIteration as stop:
        assert not given
        return steps, stop.value, asked
    except MoveError as error:
        return steps, error, asked


def test_an_answer_tells_its_move_and_the_line_it_means():
    """The plan is the line; the prompt asks for as many plies as the parameter says."""
    steps, decision, (prompt,) = declared("MOVE: 4\nLINE: 4 3, 4", of=view())
    assert steps == [Propose(plan("4", "3", "4"))]
    assert decision == Decision(Move("4"))
    assert "the next 3 moves that you expect" in prompt


@pytest.mark.parametrize(
    ("text", "kept", "why"),
    [
        ("MOVE: 4", ("4",), ""),
        ("MOVE: 4\nLINE: 3 4", ("4",), ""),
        ("MOVE: 4\nLINE: 4 9 3", ("4",), "its line breaks at '9', which is no legal move there"),
        ("MOVE: 4\nLINE: 4 3\nLINE: 4 5", ("4",), ""),
        ("MOVE: 4\nLINE: 1. 4 3 2. 4 4 4 4 4", ("4", "3", "4"), ""),
    ],
)
def test_a_broken_line_is_kept_as_far_as_it_goes(text, kept, why):
    """Without a line, with another move's, with an illegal move, with two lines, with numbers and too long."""
    assert declared(text, of=view())[0] == [Propose(plan(*kept, why=why))]


def test_the_word_at_which_an_answer_was_cut_off_is_not_read():
    """Half of a move is not a wrong move."""
    half = Completion(text="MOVE: 4\nLINE: 4 3 9", finish=Finish.LENGTH, spend=Spend(model_calls=1))
    assert declared(half, of=view())[0] == [Propose(plan("4", "3"))]


def test_a_second_look_may_keep_change_or_say_nothing_readable():
    """Kept is declared anew, changed is a revision, an unreadable answer leaves things as they are; keep ends the looks."""
    steps, decision, prompts = declared(
        "MOVE: 4\nLINE: 4 3", "MOVE: 3\nLINE: 3 3", "hm, well", "Keep.", of=view(), self_checks=3
    )
    assert steps == [
        Propose(plan("4", "3")), Revise(plan("3", "3"), Cause.SELF_CHECK), Propose(plan("3", "3"))
    ]  # fmt: skip
    assert decision == Decision(Move("3"))
    assert [f"You mean to play {move}." in prompt for move, prompt in zip("433", prompts[1:], strict=True)] == [
        True
    ] * 3
    steps, decision, prompts = declared("MOVE: 4", "keep", of=view(), self_checks=5)
    assert (steps, decision.move, len(prompts)) == ([Propose(plan("4")), Propose(plan("4"))], "4", 2)


def test_without_lines_and_second_looks_nothing_is_declared():
    """A plain move is no plan."""
    assert declared("4", of=view(), line=0)[0] == []


def test_an_illegal_move_is_a_plan_that_the_refusal_revises():
    """What was meant against the rules is on record, and so is what replaced it."""
    full = ("1",) * 6
    steps, error, _ = declared("MOVE: 1\nLINE: 1 2", of=view(*full))
    assert isinstance(error, IllegalMove)
    assert steps == [Propose(plan("1"))]
    refusal = Refusal("illegal", "MOVE: 1\nLINE: 1 2", "the column is full")
    again = view(*full, standing=plan("1"), refused=[Refusal("malformed", "?", "no move"), refusal])
    steps, decision, _ = declared("MOVE: 2\nLINE: 2 3", of=again)
    assert steps == [Revise(plan("2", "3"), Cause.REFUSED)]
    assert decision.move == "2"
    steps, _, _ = declared("I do not know", of=view())
    assert steps == []


@pytest.mark.parametrize(
    ("standing", "played", "now", "cause"),
    [
        (("4", "3", "4"), ("4", "3"), "4", None),
        (("4", "3", "4"), ("4", "3"), "5", Cause.SELF_CHECK),
        (("4", "3", "4"), ("4", "2"), "4", Cause.OPPONENT),
        (("4", "3"), ("4", "3"), "5", None),
        (("4",), ("4", "3"), "5", None),
        (("4", "3", "4"), ("1", "3"), "4", None),
        (None, ("4", "3"), "4", None),
        (("4", "3", "4"), (), "4", None),
        ((), ("4", "3"), "4", None),
    ],
)
def test_the_cause_of_a_revision_is_what_was_played(standing, played, now, cause):
    """Carried on, given up, surprised, at its end, only a move, left before, no plan, no moves, an empty plan."""
    standing = None if standing is None else plan(*standing)
    steps, _, _ = declared(f"MOVE: {now}\nLINE: {now} 1", of=view(*played, standing=standing))
    wanted = plan(now, "1")
    assert steps == [Propose(wanted) if cause is None else Revise(wanted, cause)]


def test_an_engine_that_changes_its_mind_revises_by_search():
    """The principal variation is the plan; a reply as expected and another move is the search's doing."""
    agent = PerfectConnectFour(AgentSpec("p", "perfect"))
    thinking = agent.deliberate(view("4", "3", standing=plan("4", "3", "4")))
    assert isinstance(next(thinking), Consult)
    step = thinking.send(EngineLine(move=Move("5"), pv=(Move("5"), Move("5")), value=1.0, think_ms=1.0))
    assert step == Revise(Plan(moves=(Move("5"), Move("5")), value=1.0), Cause.SEARCH)


def test_chess_lines_are_read_in_any_notation_and_kept_in_one():
    """Each move is read in the position that the ones before it lead to."""
    chess = load_game("chess")
    steps, _, _ = declared("MOVE: e4\nLINE: 1. e4 e5 2. Nf3", of=view(game=chess))
    assert steps == [Propose(plan("e2e4", "e7e5", "g1f3"))]
    assert legal_prefix("chess", chess.initial(None), ("e4", "e4")) == ("e2e4",)


@pytest.mark.parametrize(
    ("text", "named"),
    [("MOVE: 9", "9"), ("9", "9"), ("MOVE: 1\nMOVE: 2", None), ("MOVE: the one in the middle", None), ("a\nb", None)],
)
def test_a_move_is_named_by_one_word(text, named):
    """Whether it is legal is another question."""
    assert named_move(text) == named


def test_lines_are_bounded():
    """However long the answer, so many plies and no more."""
    assert named_line("LINE: " + "4 " * 100_000, longest=5) == ("4",) * 5
    assert Seat.FIRST is view().seat
    assert list(declare_line(view(), plan("4"), changed_by=Cause.SEARCH)) == [Propose(plan("4"))]
