"""Engines: right answers, the same answers again, and every way an engine can fail."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from stratarena.agents.base import AgentSpec, Consult
from stratarena.agents.conformance import check_agent
from stratarena.agents.engine_player import OpenSpielMcts, PerfectConnectFour, Uci
from stratarena.agents.engines import uci
from stratarena.agents.engines.base import EngineError, EngineSpec, Query
from stratarena.agents.engines.open import open_engine
from stratarena.agents.engines.uci import UciEngine, find_command
from stratarena.arena.engine_room import EngineRoom
from stratarena.games.base import Move, SpecError
from stratarena.games.plugins import load_game

START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
FAKE = """
import sys, time
mode = {mode!r}
if mode == "slow start": time.sleep(60)
for line in sys.stdin:
    word = line.split()[0] if line.split() else ""
    if word == "uci":
        if mode == "not uci":
            print("hello", flush=True); sys.exit(3)
        print("id name Fake", *sys.argv[1:]); print("id author Nobody")
        if mode != "bare":
            print("option name Hash type spin default 4 min 0 max 64")
            print("option name Ownership type check default false")
        print("uciok", flush=True)
    elif word == "isready":
        print("readyok", flush=True)
    elif word == "go":
        if mode == "hang": time.sleep(60)
        if mode == "die": sys.exit(1)
        if mode == "illegal": print("bestmove e2e5", flush=True)
        if mode == "nonsense": print("bestmove banana", flush=True)
        if mode == "null": print("bestmove 0000", flush=True)
        if mode == "good": print("info depth 3 nodes 77 score cp 25 pv e2e4 e7e5"); print("bestmove e2e4", flush=True)
    elif word == "quit":
        if mode != "hang": sys.exit(0)
"""


@pytest.fixture
def fake(tmp_path):
    """A UCI engine that misbehaves in the given way, as an engine's spec."""

    def make(mode, **options):
        script = tmp_path / f"{mode.replace(' ', '-')}"
        # A shell reads the second line as a command and Python as two words: the interpreter's path may hold spaces.
        script.write_text(f'#!/bin/sh\n"exec" "{sys.executable}" "$0" "$@"\n' + FAKE.format(mode=mode))
        script.chmod(0o755)
        settings = {"command": str(script), "timeout_s": 0.5, **options}
        return EngineSpec(kind="uci", options=tuple(sorted(settings.items())))

    return make


def query(**limits):
    return Query(game="chess", start=START, moves=(), seed=1, **({"nodes": 10} | limits))


def is_running(pid):
    """Whether the process is there and not merely waiting to be collected."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] not in ("", "Z")


def stockfish():
    try:
        find_command("stockfish")
    except EngineError as error:
        pytest.skip(str(error))


def test_an_engines_line_is_read_whole(fake):
    """Move, variation, score, nodes and depth; the value is for the mover."""
    engine = open_engine(fake("good"))
    line = engine.consult(query())
    engine.close()
    assert (line.move, line.pv, line.score, line.nodes, line.depth) == ("e2e4", ("e2e4", "e7e5"), "cp 25", 77, 3)
    assert line.value == pytest.approx(0.0719, abs=1e-3)
    assert engine.identity == {"name": "Fake", "author": "Nobody", "option Hash": "16"}


def test_our_own_defaults_are_kept_from_an_engine_that_lacks_the_option(fake):
    """No Hash, no Threads: nothing is sent and nothing is said."""
    engine = open_engine(fake("bare"))
    engine.close()
    assert engine.identity == {"name": "Fake", "author": "Nobody"}


def test_arguments_reach_the_engine_as_they_were_given(fake):
    """One by one, spaces and all."""
    command = dict(fake("good").options)["command"]
    agent = Uci(AgentSpec("u", "uci", {"command": command, "args": ["--uci", "a b"], "nodes": 1}))
    engine = open_engine(agent.engines[0])
    engine.close()
    assert engine.identity["name"] == "Fake --uci a b"
    assert dict(agent.engines[0].options)["args"] == "--uci 'a b'"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("hang", "no answer in time"),
        ("die", "failed"),
        ("illegal", "e2e5"),
        ("nonsense", "banana"),
        ("null", "no legal move"),
    ],
)
def test_an_engine_that_fails_mid_game_is_an_error_within_seconds(fake, mode, words):
    """Whatever it does, our own timeout bounds the call, and the process is gone."""
    engine = UciEngine(fake(mode))
    began = time.monotonic()
    with pytest.raises(EngineError, match=words):
        engine.consult(query())
    engine.close()
    assert time.monotonic() - began < 10
    pid = engine._engine.transport.get_pid()
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid), "the engine's process is still there"


@pytest.mark.parametrize(("mode", "words"), [("not uci", "does not start as a UCI engine")])
def test_a_program_that_is_no_engine_is_told(fake, mode, words):
    """Its own words do not matter."""
    with pytest.raises(EngineError, match=words):
        UciEngine(fake(mode))


def test_an_engine_that_is_not_there_says_where_was_looked():
    """And, for Stockfish, how to install it."""
    with pytest.raises(EngineError, match="no engine 'no-such-engine' on the PATH"):
        find_command("no-such-engine")


def test_options_that_the_engine_does_not_have_are_refused(fake):
    """With the nearest that it has; numbers out of range with the range."""
    with pytest.raises(EngineError, match="no option 'Hsh'; did you mean 'Hash'"):
        UciEngine(fake("good", Hsh=16))
    for value in (99, -1, "many", 2.5, True):
        with pytest.raises(EngineError, match=r"Hash = .* is out of range; it goes from 0 to 64"):
            UciEngine(fake("good", Hash=value))
    with pytest.raises(EngineError, match="Ownership = 'false' is neither true nor false"):
        UciEngine(fake("good", Ownership="false"))


@pytest.mark.parametrize("name", ["Hash", "skill level", "UCI_LimitStrength", "command"])
def test_an_option_with_a_key_of_its_own_is_not_given_twice(name):
    """Else one of the two would be dropped without a word."""
    with pytest.raises(SpecError, match=f"options: '{name}' has a key of its own"):
        Uci(AgentSpec("u", "uci", {"nodes": 1, "options": {name: 1}}))


def test_an_engine_that_never_starts_is_given_up(fake, monkeypatch):
    """Within the time allowed for a start."""
    monkeypatch.setattr(uci, "_START_TIMEOUT_S", 0.5)
    began = time.monotonic()
    with pytest.raises(EngineError, match="does not start as a UCI engine: no answer in time"):
        UciEngine(fake("slow start"))
    assert time.monotonic() - began < 10


def test_what_a_wrapper_started_ends_with_it(fake, tmp_path):
    """A hung engine behind a shell script leaves no orphan, and holds nobody up by the pipe it still has."""
    wrapper = tmp_path / "wrapper"
    pid_file = tmp_path / "pid"
    command = dict(fake("hang").options)["command"]
    wrapper.write_text(f"#!/bin/sh\nsh -c 'echo $$ > {pid_file}; exec {command}'\nexit 0\n")
    wrapper.chmod(0o755)
    engine = UciEngine(EngineSpec(kind="uci", options=(("command", str(wrapper)), ("timeout_s", 0.5))))
    with pytest.raises(EngineError, match=r"no answer in time \(0.5 s\)"):
        engine.consult(query())
    child = int(pid_file.read_text())
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def test_an_engine_is_out_of_reach_of_the_terminals_ctrl_c(fake):
    """It has a process group of its own: Ctrl-C stops the tournament, not the engines it still waits for."""
    engine = UciEngine(fake("good"))
    group = os.getpgid(engine._engine.transport.get_pid())
    engine.close()
    assert group != os.getpgid(0)


def test_closing_ends_a_query_on_another_thread(fake):
    """Long before its own timeout; the query fails as an engine's error."""
    engine = UciEngine(fake("hang", timeout_s=60.0))
    threading.Timer(0.3, engine.close).start()
    began = time.monotonic()
    with pytest.raises(EngineError, match="failed"):
        engine.consult(query())
    assert time.monotonic() - began < 10


def test_the_time_given_to_a_query_is_not_taken_off_its_timeout(fake):
    """Half a second to think and half a second of patience are one second."""
    engine = UciEngine(fake("hang"))
    with pytest.raises(EngineError, match=r"no answer in time \(1 s\)"):
        engine.consult(query(nodes=None, move_ms=500))


def test_a_path_without_an_engine_says_so():
    """And does not speak of the PATH."""
    with pytest.raises(EngineError, match="no engine at '/nowhere/engine'"):
        find_command("/nowhere/engine")


@pytest.mark.stockfish
@pytest.mark.parametrize("limits", [{"nodes": 500}, {"nodes": None, "depth": 4}])
def test_stockfish_repeats_exactly_whatever_it_was_asked_before(limits):
    """The same position gives the same line before and after thirty others."""
    stockfish()
    spec = Uci(AgentSpec("s", "uci", {"nodes": 1})).engines[0]
    engine = open_engine(spec)
    first = engine.consult(query(**limits))
    game, rng = load_game("chess"), random.Random(3)
    for _ in range(10):
        state, moves = game.initial(rng), ()
        for _ in range(rng.randint(1, 20)):
            move = rng.choice(game.legal_moves(state))
            state, moves = game.play(state, move), (*moves, move)
        engine.consult(Query(game="chess", start=START, moves=moves, seed=1, nodes=500))
    again = engine.consult(query(**limits))
    engine.close()
    assert (first.move, first.pv, first.score, first.nodes) == (again.move, again.pv, again.score, again.nodes)


@pytest.mark.stockfish
def test_stockfish_finds_a_mate_in_one():
    """Fool's mate, with a mate score."""
    stockfish()
    engine = open_engine(Uci(AgentSpec("s", "uci", {"nodes": 1})).engines[0])
    line = engine.consult(
        Query(game="chess", start=START, moves=tuple(map(Move, ["f2f3", "e7e5", "g2g4"])), seed=1, nodes=1000)
    )
    engine.close()
    assert (line.move, line.score, line.value) == ("d8h4", "mate 1", 1.0)


MATE_BY_CASTLING = Query(game="chess960", start="2rkr3/2p1p3/8/8/8/8/8/RK6 w A - 0 1", moves=(), seed=1, nodes=3000)


@pytest.mark.stockfish
def test_stockfish_mates_by_castling_in_chess960():
    """Only king takes rook mates here: the engine knows which chess it plays, and is understood."""
    stockfish()
    engine = open_engine(Uci(AgentSpec("s", "uci", {"nodes": 1})).engines[0])
    line = engine.consult(MATE_BY_CASTLING)
    again = engine.consult(Query(game="chess", start=START, moves=(), seed=1, nodes=10))
    engine.close()
    assert (line.move, line.score) == ("b1a1", "mate 1")
    assert len(again.move) == 4


def test_an_engine_without_the_option_refuses_chess960(fake):
    """It would castle by another rule, or call ours illegal."""
    engine = open_engine(fake("good"))
    with pytest.raises(EngineError, match="does not play Chess960"):
        engine.consult(MATE_BY_CASTLING)
    engine.close()


def test_mcts_mates_by_castling_in_chess960():
    """OpenSpiel spells castling another way; moves are translated both ways."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    engine = open_engine(OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 3000})).engines[0])
    assert engine.consult(MATE_BY_CASTLING).move == "b1a1"
    with pytest.raises(EngineError, match="finished game"):
        engine.consult(replace(MATE_BY_CASTLING, moves=(Move("b1a1"),)))


@pytest.mark.parametrize(
    "game", ["connect_four", "hex(size=4)", "hex(size=4, swap=true)", "chess", "chess960(start=7)"]
)
def test_mcts_repeats_exactly_under_a_seed(game):
    """Equal queries, equal lines; the line's moves are legal one after another."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    rules = load_game(game)
    agent = OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 40}))
    engine = open_engine(agent.engines[0])
    rng = random.Random(5)
    state, moves = rules.initial(rng), ()
    for _ in range(4):
        asked = Query(game=rules.id, start=rules.encode(rules.initial(rng)), moves=moves, seed=rng.getrandbits(63))
        line, again = engine.consult(asked), engine.consult(asked)
        assert (line.move, line.pv, line.value, line.nodes) == (again.move, again.pv, again.value, again.nodes)
        assert line.nodes == 40
        ahead = state
        for move in line.pv:
            ahead = rules.play(ahead, move)
        state, moves = rules.play(state, line.move), (*moves, line.move)


@pytest.mark.parametrize("game", ["connect_four", "hex(size=3)", "chess"])
def test_one_simulation_is_a_move_drawn_by_the_seed(game):
    """It looks at no move yet, so all are alike; a budget may leave no more than one."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    rules = load_game(game)
    start = rules.initial(random.Random(0))
    engine = open_engine(OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 500})).engines[0])
    lines = [
        engine.consult(Query(game=rules.id, start=rules.encode(start), moves=(), seed=seed, nodes=1))
        for seed in range(20)
    ]
    assert {line.nodes for line in lines} == {1}
    assert {line.value for line in lines} == {None}
    assert len({line.move for line in lines}) > 3
    assert {line.move for line in lines} <= set(rules.legal_moves(start))


@pytest.mark.parametrize(
    ("game", "moves", "best"),
    [("connect_four", "1 2 1 2 1 2", "1"), ("connect_four", "1 7 1 6 1", "1"), ("hex(size=3)", "b1 a1 b2 a2", "a3 b3")],
)
def test_mcts_finds_what_wins_or_saves(game, moves, best):
    """The fourth disc, the block of it, the last link of the chain."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    rules = load_game(game)
    engine = open_engine(OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 2000})).engines[0])
    start = rules.encode(rules.initial(random.Random(0)))
    line = engine.consult(Query(game=rules.id, start=start, moves=tuple(map(Move, moves.split())), seed=3))
    assert line.move in best.split()


@pytest.mark.parametrize(
    ("game", "start", "moves"),
    [
        ("connect_four", None, "9"),
        ("connect_four", None, "1 1 1 1 1 1 1"),
        ("connect_four", "banana", ""),
        ("hex(size=3)", None, "z1"),
        ("hex(size=3)", None, "a9"),
        ("hex(size=3)", None, "a1 a1"),
        ("chess", START, "e2e5"),
        ("chess", "banana", ""),
        ("checkers", "", ""),
    ],
)
def test_mcts_refuses_an_impossible_position(game, start, moves):
    """As an engine's error, whatever OpenSpiel would make of it."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    if start is None:
        rules = load_game(game)
        start = rules.encode(rules.initial(random.Random(0)))
    engine = open_engine(EngineSpec(kind="open_spiel_mcts"))
    with pytest.raises(EngineError):
        engine.consult(Query(game=game, start=start, moves=tuple(map(Move, moves.split())), seed=1))


def test_mcts_plays_every_kind_of_chess_move():
    """Castling, promotion and en passant go to OpenSpiel and back by their UCI names."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    from stratarena.agents.engines.open_spiel_bots import open_spiel_state

    rules = load_game("chess")
    for fen in (
        "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1",
        "8/P6k/8/8/8/8/p6K/8 b - - 0 1",
        "4k3/8/8/8/pP6/8/8/4K3 b - b3 0 1",
    ):
        ours = rules.decode(fen)
        state, to_move, to_action = open_spiel_state(Query(game="chess", start=fen, moves=(), seed=1))
        assert sorted(to_move(state, action) for action in state.legal_actions()) == list(rules.legal_moves(ours))
        for move in rules.legal_moves(ours):
            assert to_move(state, to_action(state, move)) == move


def test_the_perfect_player_wins_from_the_start_and_says_so():
    """The first disc in the middle wins for the one who begins (Allis 1988)."""
    pytest.importorskip("bitbully", reason="the connect-four extra is not installed")
    rules = load_game("connect_four")
    engine = open_engine(PerfectConnectFour(AgentSpec("p", "perfect")).engines[0])
    start = rules.encode(rules.initial(random.Random(0)))
    line = engine.consult(Query(game="connect_four", start=start, moves=(), seed=1))
    assert (line.move, line.value) == ("4", 1.0)
    reply = engine.consult(Query(game="connect_four", start=start, moves=(Move("4"),), seed=1))
    assert reply.value == -1.0


def solved(rules, state, alpha=-1, beta=1):
    """1, 0 or -1 for the side to move, by trying everything."""
    outcome = rules.outcome(state)
    if outcome is not None:
        return 0 if outcome.winner is None else -1
    for move in rules.legal_moves(state):
        alpha = max(alpha, -solved(rules, rules.play(state, move), -beta, -alpha))
        if alpha >= beta:
            break
    return alpha


@pytest.mark.parametrize("seed", range(6))
def test_the_perfect_player_agrees_with_trying_everything(seed):
    """On late positions: its value is the exact one, and its move keeps it."""
    pytest.importorskip("bitbully", reason="the connect-four extra is not installed")
    rules, rng = load_game("connect_four"), random.Random(seed)
    engine = open_engine(EngineSpec(kind="bitbully"))
    start = rules.encode(rules.initial(rng))
    state, moves = rules.initial(rng), ()
    while len(moves) < 28:
        open_moves = [m for m in rules.legal_moves(state) if rules.outcome(rules.play(state, m)) is None]
        if not open_moves:
            state, moves = rules.initial(rng), ()
            continue
        move = rng.choice(open_moves)
        state, moves = rules.play(state, move), (*moves, move)
    line = engine.consult(Query(game="connect_four", start=start, moves=moves, seed=1))
    assert line.value == solved(rules, state)
    assert -solved(rules, rules.play(state, line.move)) == line.value


def test_the_perfect_player_is_told_of_impossible_positions():
    """A finished game, a full column, a board that is none, another start."""
    pytest.importorskip("bitbully", reason="the connect-four extra is not installed")
    rules = load_game("connect_four")
    engine = open_engine(EngineSpec(kind="bitbully"))
    start = rules.encode(rules.initial(random.Random(0)))
    begun = rules.encode(rules.play(rules.initial(random.Random(0)), Move("4")))
    for position, moves, words in (
        (start, "1212121", "finished game"),
        (start, "1111111", "column 1 is full"),
        ("banana", "", "no Connect Four board"),
        (begun, "", "empty board only"),
    ):
        with pytest.raises(EngineError, match=words):
            engine.consult(Query(game="connect_four", start=position, moves=tuple(map(Move, moves)), seed=1))


@pytest.mark.parametrize(
    ("make", "game"),
    [
        (lambda: OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 20})), "connect_four"),
        (lambda: OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 20})), "hex(size=3, swap=true)"),
        (lambda: PerfectConnectFour(AgentSpec("p", "perfect")), "connect_four"),
    ],
)
def test_engine_players_keep_their_promises(make, game):
    """Through the same check as every other agent."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    pytest.importorskip("bitbully", reason="the connect-four extra is not installed")
    check_agent(make, load_game(game))


@pytest.mark.stockfish
def test_a_uci_player_keeps_its_promises():
    """With a real engine, by nodes; against a random opponent it is over soon."""
    stockfish()
    check_agent(lambda: Uci(AgentSpec("s", "uci", {"nodes": 2000})), load_game("chess"))


@pytest.mark.stockfish
def test_strength_out_of_stockfishs_range_is_told():
    """With the range."""
    stockfish()
    for params, words in (
        ({"skill_level": 21}, "Skill Level = 21 is out of range; it goes from 0 to 20"),
        ({"skill_level": -1}, "Skill Level = -1 is out of range"),
        ({"elo": 100}, "UCI_Elo = 100 is out of range"),
    ):
        with pytest.raises(EngineError, match=words):
            open_engine(Uci(AgentSpec("s", "uci", {"nodes": 1, **params})).engines[0])


def test_an_engine_room_opens_as_many_as_it_needs_and_drops_the_broken(fake):
    """Each consultation has an engine to itself; one that failed is not used again."""
    opened = []

    def open_one(spec):
        engine = open_engine(spec)
        opened.append(engine)
        return engine

    room = EngineRoom(open_one, workers=2)
    good = Consult(fake("good"), query())
    assert [future.result(timeout=20).move for future in [room.submit(good) for _ in range(6)]] == ["e2e4"] * 6
    assert 1 <= len(opened) <= 2
    bad = Consult(fake("die"), query())
    for _ in range(2):
        with pytest.raises(EngineError):
            room.submit(bad).result(timeout=20)
    assert len([engine for engine in opened if "die" in engine._command]) == 2
    assert {spec.kind for spec in room.identities} == {"uci"}
    room.close()


def test_an_unknown_kind_of_engine_names_those_there_are():
    """Every kind that can be opened by a name."""
    with pytest.raises(EngineError, match="bitbully, hex_search, open_spiel_mcts, plan_search, uci"):
        open_engine(EngineSpec(kind="oracle"))
