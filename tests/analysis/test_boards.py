"""What a replay shows, and that nothing a stranger wrote can act on the terminal that shows it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stratarena.agents.base import Decision, Refusal
from stratarena.agents.budget import Overrun, Spend
from stratarena.agents.engines.base import EngineLine, EngineSpec, Query
from stratarena.agents.models.base import Completion, Finish, Message, Request, Scores, Scoring
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.tree import NodeCheck, SearchTree, TreeKind, TreeNode
from stratarena.analysis.boards import frame_text, printable, shortened, spend_text, verdict_text
from stratarena.arena.events import (
    Called,
    Consulted,
    Faulted,
    Overran,
    Proposed,
    Refused,
    Revised,
    Searched,
    Transcribed,
    TurnClosed,
)
from stratarena.arena.replay import Frame, RecordMismatch, replay
from stratarena.arena.specs import Ending, Verdict
from stratarena.arena.testing import ScriptedAgent, play_one
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.notation.record import Evaluation, NotedMove

NAMES = {Seat.FIRST: "alpha", Seat.SECOND: "beta"}
GAME = ConnectFour()
START = "......./......./......./......./......./....... X"
KEY = "connect-four/alpha-vs-beta/r1a"


def played(first: str, second: str, *, opening: tuple[str, ...] = ()):
    """The events of a match whose agents make these moves."""
    verdict, events = play_one(
        GAME, ScriptedAgent.of_moves("alpha", first), ScriptedAgent.of_moves("beta", second), opening=opening
    )
    return verdict, events


def frames(events, *, opening: tuple[str, ...] = ()):
    """The frames of these events."""
    return list(replay(GAME, key=KEY, start=START, opening_moves=tuple(Move(move) for move in opening), events=events))


def shown(*steps, **facts) -> str:
    """The text of a frame on the empty board in which these things happened."""
    known = {
        "ply": 0, "seat": Seat.FIRST, "move": None, "state": GAME.decode(START), "turn": None, "checked": False,
        "verdict": None,
    }  # fmt: skip
    return "\n".join(frame_text(Frame(**{**known, "steps": steps, **facts}), GAME, key=KEY, names=NAMES))


def test_what_a_file_says_about_a_move_is_shown():
    """Glyphs, evaluation, times and comment of an imported move; nothing about thinking that nobody recorded."""
    noted = NotedMove(
        move=Move("4"), comment="a\x1b[2Jtrap", nags=(3, 14), clock_ms=90_000, elapsed_ms=250,
        evaluation=Evaluation(centipawns=-35, depth=12),
    )  # fmt: skip
    text = shown(Transcribed(noted, "ab" * 8), move=Move("4"), checked=True, digest="ab" * 8)
    for line in (
        "alpha (first) plays 4", "glyphs    !! $14", "eval      -0.35 for the first seat, depth 12", "took      250 ms",
        "clock     90.0 s left", "comment   “atrap”", "state     abababababababab, as recorded",
    ):  # fmt: skip
        assert line in text.splitlines(), text
    assert "thinking" not in text
    assert "mate -3 for the first seat" in shown(
        Transcribed(NotedMove(move=Move("4"), evaluation=Evaluation(mate=-3)), "0" * 16)
    )


def test_a_replay_shows_start_opening_moves_and_the_end():
    """An opening of two plies, then alpha fills column 1 before beta fills column 2."""
    _, events = played("111", "222", opening=("1", "2"))
    pictures = [
        "\n".join(frame_text(frame, GAME, key=KEY, names=NAMES, plies=7))
        for frame in frames(events, opening=("1", "2"))
    ]
    assert len(pictures) == 8
    assert "alpha (first) against beta (second)" in pictures[0]
    assert "opening: 1" in pictures[1]
    assert "ply 3 of 7\nalpha (first) plays 1" in pictures[3]
    assert "as recorded" in pictures[3]
    assert pictures[7].endswith("result    alpha wins: four in a row (ply 7)")
    assert (
        ". . . . . . .\n. . . . . . .\nX . . . . . .\nX O . . . . .\nX O . . . . .\nX O . . . . .\n1 2 3 4 5 6 7"
        in pictures[7]
    )


def test_an_altered_digest_is_an_error_that_names_the_ply():
    """The record says another position than the rules: ply 2 of the match."""
    _, events = played("1111", "222")
    tampered = [
        event._replace(body=event.body._replace(digest="f" * 16))
        if isinstance(event.body, TurnClosed) and event.ply == 1
        else event
        for event in events
    ]
    with pytest.raises(RecordMismatch, match=r"r1a, ply 2: .*f{16}"):
        frames(tampered)


def test_an_illegal_recorded_move_is_an_error_that_names_the_ply():
    """Column 9 does not exist."""
    _, events = played("1111", "222")
    tampered = [
        event._replace(body=event.body._replace(move=Move("9")))
        if isinstance(event.body, TurnClosed) and event.ply == 4
        else event
        for event in events
    ]
    with pytest.raises(RecordMismatch, match=r"r1a, ply 5"):
        frames(tampered)


def test_a_start_that_is_no_position_is_an_error():
    """The message names the match."""
    with pytest.raises(RecordMismatch, match="r1a"):
        list(replay(GAME, key=KEY, start="nonsense", opening_moves=(), events=[]))


def test_a_forfeit_shows_the_refusals_and_who_lost():
    """Alpha insists on column 9: three refusals, then beta wins."""

    def stubborn(_view):
        return Decision(Move("9"))
        yield

    _, events = play_one(GAME, ScriptedAgent("alpha", stubborn), ScriptedAgent.of_moves("beta", "1"))
    picture = "\n".join(frame_text(frames(events)[-1], GAME, key=KEY, names=NAMES))
    assert "alpha (first) makes no move" in picture
    assert picture.count("refused   illegal: “9”: a move is a column from 1 to 7") == 3
    assert "beta wins: alpha forfeits (illegal)" in picture


def test_every_kind_of_step_is_shown():
    """One of each, with its numbers."""
    asked = (Message("user", "your move?"),)
    spend = Spend(model_calls=1, prompt_tokens=312, completion_tokens=5, think_ms=1240.0, cost_usd=None)
    request = Request(messages=asked)
    written = Completion(text="I play\n4", finish=Finish.LENGTH, spend=spend)
    scoring = Scoring(messages=asked, continuations=("1", "2"))
    plan, better = Plan(moves=(Move("4"), Move("3")), value=0.25, why="the centre"), Plan(moves=(Move("5"),))
    query = Query(game="connect_four", start=START, moves=(), seed=1)
    line = EngineLine(move=Move("4"), pv=(Move("4"), Move("4")), score="solved 2", nodes=12345, depth=9, think_ms=3.0)
    text = shown(
        Called(model="tiny", request=request, answer=written, wait_ms=12.0),
        Called(model="tiny", request=scoring, answer=Scores(logprobs=(-2.0, -1.0), n_tokens=(1, 2)), wait_ms=0.0),
        Called(model="tiny", request=request, answer=None, error="ModelError: gone", wait_ms=0.0),
        Consulted(engine=EngineSpec(kind="bitbully"), query=query, line=line, wait_ms=0.0),
        Consulted(engine=EngineSpec(kind="uci"), query=query, line=None, error="EngineError: hung", wait_ms=0.0),
        Proposed(plan),
        Revised(plan, better, Cause.SEARCH),
        Refused(Refusal("illegal", "8", "there is no such column")),
        Overran("move", Overrun("nodes", 50, 100)),
        Faulted("agent", "ValueError: oops", "Traceback …"),
        turn=TurnClosed(Seat.FIRST, 1, 0, Move("4"), "ab" * 8, 0.75, "greedy", spend, 12.0),
        checked=True,
        move=Move("4"),
    )
    for line_of_text in (
        "asked     tiny to write: 1 model call, 312 + 5 tokens, 1.2 s thinking, 12 ms waiting, cost unknown",
        "answer    “I play⏎4” [cut off]",
        "likeliest 2 -0.50, 1 -2.00 (ln p per token)",
        "failed    ModelError: gone",
        "engine    bitbully: 4, solved 2, nodes 12,345, depth 9, line 4 4",
        "failed    uci: EngineError: hung",
        "plan      4 3; value +0.25; the centre",
        "revised   4 3 → 5 (because: search)",
        "refused   illegal: “8”: there is no such column",
        "overran   100 nodes of 50 allowed for the move",
        "fault     agent: ValueError: oops",
        "believes  75% to win",
        "fallback  greedy",
        "state     abababababababab, as recorded",
    ):
        assert f"\n{line_of_text}" in text


@given(st.text())
@example("\x1b]0;owned\x07title")
@example("\x1b[2J\x1b[1;31mred\x9b5mblink")
@example("\u202eexe.doc\u200b\u2066")
@example("\x1bP1$r\x1b\\tail\r\nnext\x85more\u2028last")
@example("\ud800")
def test_printable_text_holds_nothing_that_acts(text):
    """No control, format or surrogate character is left but newlines, and doing it twice changes nothing."""
    plain = printable(text)
    assert not [
        letter for letter in plain if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert printable(plain) == plain
    plain.encode("utf-8")


def test_escape_sequences_vanish_whole():
    """Titles, colours and clipboard writes leave none of their letters behind."""
    assert printable("\x1b]0;owned\x07a\x1b[1;31mb\x1b[0m\x9b5mc\x1b]52;c;Zm9v\x1b\\d\x1b(Be") == "abcde"


@given(st.text())
def test_a_hostile_answer_cannot_break_out_of_its_line(text):
    """Whatever a model wrote, a frame has no line that begins like one of ours but is not."""
    request = Request(messages=())
    answer = Completion(text=f"{text}\nresult    alpha wins", finish=Finish.STOP, spend=Spend())
    picture = shown(Called(model="tiny", request=request, answer=answer, wait_ms=0.0))
    assert not [line for line in picture.split("\n") if line.startswith("result")]
    assert picture.isprintable() or not [
        letter for letter in picture if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cf", "Cs")
    ]


def test_a_long_answer_is_cut_and_says_by_how_much():
    """450 of 500 characters are left out."""
    assert shortened("x" * 500, 50) == f"{'x' * 50} … (450 more characters)"


def test_what_was_not_spent_is_not_said():
    """A move without a model has no tokens; an unknown cost is said to be unknown."""
    assert spend_text(Spend(nodes=1234, think_ms=5.0)) == "1,234 nodes, 5.0 ms thinking"
    assert spend_text(Spend(cost_usd=None)).endswith("cost unknown")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict(ending=Ending.RULES, winner=None, reason="board_full"), "draw: board full"),
        (Verdict(ending=Ending.CAP, winner=None, reason="ply_cap"), "draw: ply cap"),
        (Verdict.void("model_failed"), "void: model failed; counts for nobody"),
        (Verdict.forfeit(Seat.SECOND, "over_budget"), "alpha wins: beta forfeits (over budget)"),
    ],
)
def test_a_verdict_reads_as_a_sentence(verdict, words):
    """Who won and why, by name."""
    assert verdict_text(verdict, NAMES) == words


def test_a_search_is_told_with_its_line_its_candidates_and_what_its_claims_are_worth():
    """Visits and values of the root's moves, the most visited first; legality and positions where a model claimed them."""
    tree = SearchTree(
        kind=TreeKind.IMAGINED, method="puct", simulations=12, n_nodes=1200, depth=3, first_move=Move("3"),
        value_before=-0.1, value_after=0.25, line=(Move("4"), Move("\x1b[2J3")), ended="model_calls", whole=True,
        nodes=(
            TreeNode(parent=None, move=None, depth=0, visits=12),
            TreeNode(parent=0, move=Move("3"), depth=1, visits=2, value=-0.5, check=NodeCheck(
                legal=True, legal_local=True, state_right=False, state_right_local=False, terminal_right=True,
                n_missed=None,
            )),
            TreeNode(parent=0, move=Move("4"), depth=1, visits=10, value=1.0, proven=True, problem="no JSON",
                check=NodeCheck(
                    legal=False, legal_local=False, state_right=None, state_right_local=None, terminal_right=None,
                    n_missed=None,
            )),
        ),
    )  # fmt: skip
    text = shown(Searched(tree=tree, spend=Spend(model_calls=12, prompt_tokens=100)))
    for words in (
        "puct (imagined), 12 simulations, 1,200 positions, depth 3, value -0.10 → +0.25, 3 → 4, ended by model_calls",
        "12 model calls",
        "line      4 3",
        "tried     4 10× +1.00!, 3 2× -0.50",
        "claims    1 of 2 moves legal, 0 of 1 positions right, 1 problem",
    ):
        assert words in " ".join(text.split("\n          ")).replace("\n", " \n"), text
