"""A person at the terminal: moves, mistakes, taking back, leaving and coming again, all of it recorded."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from random import Random

import pytest

from stratarena.agents.engines.base import EngineError, Query
from stratarena.arena.commands.terminal import Lines, Terminal
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour


@pytest.fixture
def at_table(tmp_path):
    """Runs the program in an empty folder with these lines typed; its output and exit code."""

    def play(*arguments, typed=""):
        done = subprocess.run(
            [sys.executable, "-m", "stratarena.arena", *arguments],
            input=typed,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return play


def test_a_person_plays_a_whole_match_that_replays_like_any_other(at_table):
    """X fills column 1 while random answers; the record is verified."""
    code, out, _ = at_table(
        "play", "connect_four", "--against", "random", "--seed", "1", typed="1\n1\n1\n1\n2\n2\n2\n2\n3\n3\n3\n3\n"
    )
    assert code == 0, out
    assert "you (X) against random (O)" in out
    assert re.search(r"you wins: four in a row|random wins: four in a row", out)
    code, out, _ = at_table("replay", "1", "--plain")
    assert code == 0
    assert "positions are what the rules give" in out
    assert "engine    person: 1" in out


def test_what_is_typed_wrongly_is_told_and_changes_nothing(at_table):
    """Foreign text, a full stop, an illegal cell: the same turn goes on."""
    code, out, _ = at_table(
        "play", "hex(size=3)", "--against", "random", "--seed", "1", typed="hello\nz9\n\x1b[31m\nmoves\n?\nb2\nquit\n"
    )
    assert code == 0
    assert out.count("your move (X)") == 7
    assert "a1 b1 c1 a2 b2 c2 a3 b3 c3" in out
    assert "resign   give the match up" in out
    assert "undo" not in out
    assert "\x1b" not in out
    assert "the match is kept; go on with: stratarena play --resume play-1" in out


def test_a_match_left_is_gone_on_with_where_it_stood(at_table):
    """The end of input is leaving, too; a finished match cannot be resumed."""
    at_table("play", "connect_four", "--against", "greedy", "--seat", "second", "--seed", "4", typed="4\n")
    code, out, _ = at_table("play", "--resume", "play-1", typed="4\nresign\n")
    assert code == 0
    assert out.count("greedy plays") == 3
    assert "greedy wins by resignation" in out
    code, _, err = at_table("play", "--resume", "play-1", typed="4\n")
    assert code == 1
    assert "play-1 is over; see it with `stratarena replay 1`" in err


def test_moves_are_taken_back_only_where_that_was_allowed(at_table):
    """The match left behind is void and stays in the record; the new one begins with its moves."""
    _, out, _ = at_table("play", "connect_four", "--against", "greedy", "--seed", "4", typed="4\nundo\nquit\n")
    assert "cannot be taken back in this match" in out
    code, out, _ = at_table(
        "play", "connect_four", "--against", "greedy", "--seed", "4", "--undo", typed="undo\n4\n3\nundo\n5\nquit\n"
    )
    assert code == 0
    assert "there is no move of yours to take back" in out
    _, out, _ = at_table("list", "matches", "play-2", "--json")
    assert '"result": "void"' in out or '"ending": "void"' in out
    assert "~1" in out
    code, out, _ = at_table("play", "--resume", "play-2", "--undo", typed="undo\nundo\nresign\n")
    assert code == 0
    assert "resignation" in out
    _, out, _ = at_table("list", "matches", "play-2")
    assert "~3" in out


def test_an_agent_of_a_tournament_file_can_be_met(at_table, tmp_path):
    """With its own parameters, and its model."""
    (tmp_path / "t.toml").write_text(
        'name = "t"\ngames = ["connect_four"]\n[models.m]\nkind = "scripted"\nanswers = ["1"]\n'
        '[agents.talker]\nkind = "llm"\nmodel = "m"\n[agents.r]\nkind = "random"\n'
    )
    code, out, err = at_table("play", "connect_four", "--against", "talker", "--from", "t.toml", typed="4\nquit\n")
    assert code == 0, err
    assert "talker plays 1" in out
    code, _, err = at_table("play", "connect_four", "--against", "walker", "--from", "t.toml")
    assert code == 2
    assert "t.toml has no agent 'walker'; there are: talker, r" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["play"], "name a game and an opponent"),
        (["play", "connect_four"], "name a game and an opponent"),
        (["play", "connect_for", "--against", "greedy"], "did you mean 'connect_four'"),
        (["play", "connect_four", "--against", "gredy"], "did you mean 'greedy'"),
        (["play", "chess", "--against", "perfect"], "perfect plays connect_four, not chess"),
        (["play", "connect_four", "--against", "greedy", "--as", "greedy"], "both players would be called 'greedy'"),
        (["play", "connect_four", "--against", "greedy", "--as", "a b"], "'a b' is no name"),
        (["play", "connect_four", "--against", "greedy", "--opening", "x"], "no openings 'x'"),
        (["play", "connect_four", "--against", "x", "--from", "none.toml"], "none.toml: No such file"),
        (["play", "connect_four", "--resume", "play-1"], "leave GAME and --against out"),
    ],
)
def test_a_command_that_cannot_be_played_is_one_clear_line(at_table, arguments, says):
    """Exit code 2; nothing is played."""
    code, out, err = at_table(*arguments, typed="4\n")
    assert code == 2
    assert says in err
    assert not re.search(r"play:\d+", err)
    assert "your move" not in out


def test_a_tournament_has_no_terminal_for_a_person(at_table, tmp_path):
    """`check` says which command has."""
    (tmp_path / "t.toml").write_text(
        'name = "t"\ngames = ["connect_four"]\n[agents.me]\nkind = "person"\n[agents.r]\nkind = "random"\n'
    )
    code, out, err = at_table("check", "t.toml")
    assert code == 1
    assert "a person plays by `stratarena play`" in out + err


def test_ctrl_c_leaves_and_keeps_the_match(tmp_path):
    """On a terminal, in the middle of a turn."""
    ours, theirs = pty.openpty()
    player = subprocess.Popen(
        [sys.executable, "-m", "stratarena.arena", "play", "connect_four", "--against", "greedy"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    assert player.stdout is not None
    os.write(ours, b"4\n")
    seen = ""
    while "greedy plays" not in seen:
        seen += player.stdout.readline()
    time.sleep(0.3)
    player.send_signal(signal.SIGINT)
    out, _ = player.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    assert player.returncode == 0
    assert "go on with: stratarena play --resume play-1" in out


def test_lines_of_one_read_come_one_by_one_and_the_last_may_lack_its_end():
    """A pipe gives what it has."""
    out, into = os.pipe()
    os.write(into, b"a\r\nb\xff\n\nlast")
    os.close(into)
    lines = Lines(out, lambda: False)
    assert [lines.next() for _ in range(6)] == ["a", "b�", "", "last", None, None]
    os.close(out)


class Blindfold(ConnectFour):
    """Connect Four in which nobody sees the board."""

    def visible(self, state, seat):
        return self.initial(Random(0))


def test_the_board_shown_is_what_the_seat_may_see():
    """Not the whole state."""
    game, shown = Blindfold(), []
    terminal = Terminal(
        game, names={Seat.FIRST: "a", Seat.SECOND: "b"}, base=0, undo=False, read=lambda: None, write=shown.append
    )
    start = game.encode(game.initial(Random(0)))
    with pytest.raises(EngineError, match="the player left"):
        terminal.consult(Query(game=game.id, start=start, moves=(Move("4"), Move("4")), seed=1))
    assert terminal.left
    board = shown[-2]
    assert ". . . . . . .\n1 2 3" in board
    assert "X" not in board
