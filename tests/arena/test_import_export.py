"""Games into the record and out of it at the command line: whole or not at all, fact beside claim, and the same again."""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
from pathlib import Path

import chess.pgn
import pytest

from stratarena.arena.cli import run_command_line
from stratarena.arena.specs import Ending
from stratarena.arena.transcript import transcribe
from stratarena.games.base import Seat
from stratarena.games.notation.formats import FORMATS
from stratarena.games.notation.record import GameRecord, NotationError, NotedMove, Result
from stratarena.games.notation.source import lines_of
from stratarena.games.plugins import load_game

TOURNAMENT = """
name = "{name}"
seed = 3
games = ["{game}"]

[policies]
max_plies = {cap}

[agents.random]
kind = "random"

[agents.greedy]
kind = "greedy"
"""
MATE = "1. e4 e5 2. Bc4 Nc6 3. Qh5 Nf6 4. Qxf7#"
CLUB = f"""[Event "Club"]
[White "Ada"]
[Black "Bob"]
[Result "1-0"]

{MATE} {{ [%eval #0] mate }} 1-0

[Event "Club"]
[White "Bob"]
[Black "Ada"]
[Result "0-1"]
[Termination "Time forfeit"]

1. d4 d5 2. c4 $5 0-1

[Event "Club"]
[White "Ada"]
[Black "Ada"]
[Result "*"]

1. c4 *
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRATARENA_DB", raising=False)
    return tmp_path


@pytest.fixture
def said(capsys):
    """Run a command: its exit code, standard output and standard error."""

    def run(*arguments):
        try:
            code = run_command_line([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def play(said, here, game="connect_four", name="small", cap=200):
    (here / f"{name}.toml").write_text(TOURNAMENT.format(name=name, game=game, cap=cap))
    assert said("run", f"{name}.toml")[0] == 0


def rows(query):
    connection = sqlite3.connect("stratarena.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_games_are_imported_listed_replayed_and_reported(here, said):
    """One tournament with the file's players, results and notes; every position is checked like any other."""
    (here / "club.pgn").write_text(CLUB)
    code, out, err = said("import", "club.pgn")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "imported 3 games from club.pgn into stratarena.db as tournament club",
        "1 result taken from the file: the rules had not ended those games",
        "1 game without a result: in the record, but counted for nobody",
    ]
    matches = json.loads(said("list", "matches", "--json")[1])
    assert [(match["first"], match["second"], match["result"], match["ending"], match["reason"]) for match in matches] == [
        ("Ada", "Bob", "1-0", "rules", "checkmate"),
        ("Bob", "Ada", "0-1", "stated", "time_forfeit"),
        ("Ada (first)", "Ada (second)", "void", "void", "unfinished"),
    ]  # fmt: skip
    code, out, _ = said("replay", "chess/club/g1")
    assert code == 0
    assert "“mate”" in out and "Ada (first) plays h5f7" in out
    assert "verified: 7 of 7 recorded positions are what the rules give" in out
    frames = json.loads(said("replay", "1", "--json")[1])["frames"]
    assert all(frame["digest"] for frame in frames[1:])
    standings = json.loads(said("standings", "--json")[1])
    assert {row["agent"]: row["wins"] for row in standings["standings"]} == {"Ada": 2, "Bob": 0}
    code, _, _ = said("report")
    page = (here / "reports/club/report.md").read_text()
    assert code == 0 and "imported from" in page and "root seed" not in page
    (tournament,) = json.loads(said("list", "tournaments", "--json")[1])
    assert (tournament["imported_from"], tournament["seed"], tournament["over"]) == ("club.pgn", None, 2)
    assert "club.pgn" in said("list", "tournaments")[1]


def test_a_tampered_import_is_an_error_that_names_the_ply(here, said):
    """Imported positions have digests, too."""
    (here / "club.pgn").write_text(CLUB)
    said("import", "club.pgn")
    connection = sqlite3.connect("stratarena.db")
    connection.execute("UPDATE moves SET move = 'e2e3' WHERE match_id = 1 AND ply = 0")
    connection.commit()
    connection.close()
    code, _, err = said("replay", "1")
    assert code == 1
    assert "ply 1" in err


def test_the_rules_decide_and_the_claim_is_kept(here, said):
    """A mate that the file gives to the loser, and one that it calls unfinished."""
    text = f'[Result "0-1"]\n\n{MATE} 0-1\n\n[Event "x"]\n\n{MATE} *\n'
    (here / "odd.pgn").write_text(text)
    code, out, _ = said("import", "odd.pgn")
    assert code == 0
    assert "2 results wrong in the file; the rules decide:" in out
    assert "game 1: the file states 0-1; by the rules it is 1-0 (checkmate)" in out
    matches = json.loads(said("list", "matches", "--json")[1])
    assert [(match["result"], match["ending"]) for match in matches] == [("1-0", "rules")] * 2
    assert rows("SELECT stated FROM imported_games ORDER BY match_id") == [("0-1",), ("*",)]
    assert "0-1" in said("export", "stratarena.db", "1", "--format", "pgn")[1]
    said("report")
    assert "the file states 0-1, but by the rules it is 1-0" in (here / "reports/odd/report.md").read_text()


def test_one_bad_game_stops_the_import_unless_told_to_go_on(here, said):
    """Nothing is written then; with --keep-going the others are, under their places in the file."""
    (here / "club.pgn").write_text(CLUB.replace("2. c4", "2. c5"))
    code, out, err = said("import", "club.pgn")
    assert (code, out) == (2, "")
    assert "club.pgn: game 2, line 14, ply 3: 'c5'" in err
    assert "--keep-going" in err
    assert rows("SELECT COUNT(*) FROM tournaments") == rows("SELECT COUNT(*) FROM texts") == [(0,)]
    code, out, err = said("import", "club.pgn", "--keep-going")
    assert code == 0
    assert "left out: club.pgn: game 2, line 14, ply 3" in err
    assert "left out 1 game that could not be read" in out
    assert rows("SELECT number FROM imported_games ORDER BY number") == [(1,), (3,)]
    assert rows("SELECT n_refused FROM imports") == [(1,)]
    said("report")
    assert "1 games of club.pgn could not be read" in (here / "reports/club/report.md").read_text()


def test_a_file_is_imported_once(here, said):
    """The same bytes are refused under any name; the same name is refused for other bytes."""
    (here / "club.pgn").write_text(CLUB)
    assert said("import", "club.pgn")[0] == 0
    shutil.copy("club.pgn", "copy.pgn")
    code, _, err = said("import", "copy.pgn", "--name", "other")
    assert code == 1
    assert "imported before, as tournament 'club'; nothing was done" in err
    (here / "club.pgn").write_text(CLUB + "\n")
    code, _, err = said("import", "club.pgn")
    assert code == 1
    assert "there is a tournament 'club' already" in err and "--name" in err
    assert said("import", "club.pgn", "--name", "club2")[0] == 0


def test_imported_games_are_never_played_on(here, said):
    """A tournament file of that name is refused, and nothing changes."""
    (here / "small.pgn").write_text(CLUB)
    said("import", "small.pgn")
    before = rows("SELECT * FROM matches")
    (here / "t.toml").write_text(TOURNAMENT.format(name="small", game="connect_four", cap=9))
    code, _, err = said("run", "t.toml")
    assert code == 2
    assert "imported from small.pgn" in err
    assert rows("SELECT * FROM matches") == before


@pytest.mark.parametrize(
    ("game", "form", "cap"),
    [
        ("chess", "pgn", 30),
        ("chess", "moves", 30),
        ("chess960", "pgn", 30),
        ("chess960(start=5)", "pgn", 30),
        ("chess960", "jsonl", 30),
        ("connect_four", "moves", 99),
        ("connect_four", "jsonl", 99),
        ("hex(size=4, swap=true)", "sgf", 99),
    ],
)
def test_out_in_and_out_again_is_the_same_file(here, said, game, form, cap):
    """Matches played here, exported, imported elsewhere and exported again."""
    if form == "sgf":
        pytest.importorskip("sgfmill", reason="the sgf extra is not installed")
    play(said, here, game=game, cap=cap)
    assert said("export", "stratarena.db", "--out", "once.out", "--format", form)[0] == 0
    code, out, err = said("import", "once.out", "--into", "other.db", "--format", form)
    assert code == 0, err
    assert "imported 2 games" in out
    assert said("export", "other.db", "--format", form)[1] == Path("once.out").read_text(encoding="utf-8")
    assert said("replay", "2", "--db", "other.db")[0] == 0


def test_an_exported_match_says_what_the_record_knows(here, said):
    """Names, event, round, date, ending, the time of each turn; python-chess reads it without an error."""
    play(said, here, game="chess", cap=20)
    code, out, err = said("export", "stratarena.db", "small", "--format", "pgn")
    assert (code, err) == (0, "")
    game = chess.pgn.read_game(io.StringIO(out))
    assert game.errors == []
    assert (game.headers["White"], game.headers["Black"]) == ("random", "greedy")
    assert (game.headers["Event"], game.headers["Round"], game.headers["Result"]) == ("small", "1", "1/2-1/2")
    assert re.fullmatch(r"20\d\d\.\d\d\.\d\d", game.headers["Date"])
    assert (game.headers["Termination"], game.headers["Match"]) == ("adjudication", "chess/random-vs-greedy/r1a")
    assert len(list(game.mainline())) == 20
    assert all(node.emt() is not None for node in game.mainline())
    assert game.end().comment.endswith("draw: ply cap")


def test_void_open_and_foreign_matches_are_left_out_and_counted(here, said):
    """What is not exported is said on standard error; nothing at all is an error."""
    play(said, here)
    code, out, err = said("export", "stratarena.db", "--format", "pgn")
    assert (code, out) == (1, "")
    assert "nothing to export as pgn: 2 of connect_four, which pgn does not hold (use moves, jsonl)" in err
    connection = sqlite3.connect("stratarena.db")
    connection.execute("UPDATE matches SET status = 'void', ending = 'void', winner = NULL WHERE id = 1")
    connection.commit()
    connection.close()
    code, out, err = said("export", "stratarena.db", "--format", "jsonl")
    assert code == 0
    assert len(out.splitlines()) == 1
    assert "left out: 1 void" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import", "nothing.pgn"), 2, ["nothing.pgn", "No such file"]),
        (("import", "."), 2, ["suffix"]),
        (("import", "club.xyz"), 2, ["'.xyz'", "--format", "pgn, sgf, moves, jsonl"]),
        (("import", "club.pgn", "--format", "pdf"), 2, ["no format 'pdf'"]),
        (("import", "club.pgn", "--encoding", "utf-7"), 2, ["'utf-7'", "latin-1"]),
        (("import", "club.pgn", "--name", "a b"), 2, ["'a b' is no name"]),
        (("import", "club.pgn", "--game", "checkers"), 2, ["no game 'checkers'"]),
        (("import", "club.pgn", "--game", "hex"), 2, ["game 1", "chess", "expected hex"]),
        (("import", "empty.pgn"), 1, ["there are no games to import in empty.pgn"]),
        (("import", "club.pgn", "--into", "no/x.db"), 1, ["there is no folder"]),
        (("export", "nothing.db"), 2, ["--format"]),
        (("export", "nothing.db", "--format", "pgn"), 1, ["there is no database nothing.db"]),
        (("export", "there.db", "x", "--format", "pgn"), 1, ["'x' is no tournament", "there is no match 'x'"]),
        (("export", "there.db", "7", "--format", "pgn"), 1, ["'7' is no tournament", "there is no match 7"]),
        (("export", "there.db", "--out", "club.pgn"), 2, ["club.pgn exists already"]),
    ],
)
def test_a_wrong_word_gives_its_reason_and_its_code(here, said, arguments, code, words):
    """2 for what was said wrongly, 1 for what failed."""
    (here / "club.pgn").write_text(CLUB)
    (here / "empty.pgn").write_text("\n\n% nothing\n")
    (here / "there.pgn").write_text(CLUB)
    said("import", "there.pgn", "--into", "there.db")
    found, _, err = said(*arguments)
    assert found == code, err
    for word in words:
        assert word in err, err
    assert all(line.startswith("error: ") for line in err.splitlines())


def test_a_failed_export_leaves_no_file(here, said, monkeypatch):
    """Half a file would look like a whole one."""
    (here / "club.pgn").write_text(CLUB)
    said("import", "club.pgn")

    def fail(*arguments, **more):
        raise NotationError("cannot")

    monkeypatch.setattr("stratarena.arena.commands.exporting.game_record", fail)
    code, _, err = said("export", "stratarena.db", "--out", "x.pgn")
    assert code == 1
    assert "match chess/club/g1 cannot be written as pgn" in err
    assert not Path("x.pgn").exists()


def test_the_examples_of_the_documentation_run(here, said):
    """Every command of the page gives what the page says, and its move list and JSON line are read."""
    page = (Path(__file__).parents[2] / "docs/import-export.md").read_text(encoding="utf-8")
    play(said, here)
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = command.partition("\n")
            program, *arguments = line.split()
            if program == "cat":
                (here / arguments[0]).write_text(expected)
                continue
            assert program == "stratarena"
            code, out, err = said(*arguments)
            assert code == 0, (line, err)
            if expected:
                assert (out + err).strip() == expected.strip(), line
    for form, fence in (("moves", "moves"), ("jsonl", "json")):
        (text,) = re.findall(rf"```{fence}\n(.*?)```", page, re.DOTALL)
        (record,) = FORMATS[form].read(lines_of(text))
        assert isinstance(record, GameRecord), record
        assert [noted.move for noted in record.moves] == ["4", "4", "5"]
        assert (record.moves[1].clock_ms, record.moves[1].comment) == (298_500, "Too close.")


@pytest.mark.parametrize(
    ("result", "termination", "ending", "winner", "reason"),
    [
        (Result.FIRST_WON, "Time forfeit", Ending.STATED, Seat.FIRST, "time_forfeit"),
        (Result.SECOND_WON, "Normal", Ending.STATED, Seat.SECOND, "stated_by_the_file"),
        (Result.DRAWN, None, Ending.STATED, None, "stated_by_the_file"),
        (Result.OPEN, "unterminated", Ending.VOID, None, "unfinished"),
        (Result.FIRST_WON, "???", Ending.STATED, Seat.FIRST, "stated_by_the_file"),
        (Result.FIRST_WON, "2nd player left", Ending.STATED, Seat.FIRST, "stated_by_the_file"),
    ],
)
def test_a_stated_result_becomes_a_verdict(result, termination, ending, winner, reason):
    """Where the rules have not ended the game; the reason is the file's where it gives one."""
    record = GameRecord(
        game="chess", result=result, headers=() if termination is None else (("Termination", termination),)
    )
    verdict = transcribe(record, load_game("chess")).verdict
    assert (verdict.ending, verdict.winner, verdict.reason) == (ending, winner, reason)


def test_an_illegal_move_is_never_transcribed():
    """The ply is named."""
    record = GameRecord(game="connect_four", moves=tuple(NotedMove(move="4") for _ in range(7)))
    with pytest.raises(NotationError, match="ply 7"):
        transcribe(record, load_game("connect_four"))
