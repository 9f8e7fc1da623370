"""Games and plies per CPU second with the full record on, beside bare loops of two libraries, in one run.

`python bench/record_speed.py [--seconds 4] [--repeats 3]`: each row is the best of its repeats, taken in turn.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import chess
import pyspiel

from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.commands.provenance import find_provenance
from stratarena.arena.config import load_tournament
from stratarena.arena.driver import Backstage
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.tournament import Watcher, play_tournament
from stratarena.db.connect import open_database
from stratarena.db.recorder import SqlStore

JOBS = 256


def recorded(game: str, pairs: int) -> tuple[int, int, float, float]:
    """Games, plies, CPU seconds and bytes a game of a tournament of two random players, everything recorded."""
    source = f'name="bench"\nseed=1\nrounds={pairs}\ngames=["{game}"]\n[agents.a]\nkind="random"\n[agents.b]\nkind="random"\n'
    loaded = load_tournament(source, place="bench")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        database = open_database(str(file), create=True)
        store = SqlStore(database)
        room = EngineRoom(_no_engine, workers=1)
        provenance = find_provenance()
        began = time.process_time()
        standing = play_tournament(
            loaded,
            store=store,
            backstage=Backstage(models={}, prices={}, engines=room),
            provenance=provenance,
            clock=SYSTEM_CLOCK,
            jobs=JOBS,
            watcher=Watcher(lambda matches, spent: None, lambda match, verdict: None, lambda in_play: None),
            stop=lambda: False,
        )
        seconds = time.process_time() - began
        room.close()
        store.close()
        with database.connect() as connection:
            plies = int(connection.exec_driver_sql("SELECT COUNT(*) FROM moves").scalar() or 0)
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.dispose()
        return standing.over, plies, seconds, file.stat().st_size / standing.over


def bare_open_spiel(name: str, games: int) -> tuple[int, int, float, float]:
    """The same in a Python loop over OpenSpiel's C++ states, nothing kept."""
    game, rng, plies = pyspiel.load_game(name), Random(1), 0
    began = time.process_time()
    for _ in range(games):
        state = game.new_initial_state()
        while not state.is_terminal():
            state.apply_action(rng.choice(state.legal_actions()))
            plies += 1
    return games, plies, time.process_time() - began, 0.0


def bare_python_chess(games: int) -> tuple[int, int, float, float]:
    """The same in a loop over python-chess, its own end test at every ply, nothing kept."""
    rng, plies = Random(1), 0
    began = time.process_time()
    for _ in range(games):
        board = chess.Board()
        while not board.is_game_over(claim_draw=False):
            board.push(rng.choice(list(board.legal_moves)))
            plies += 1
    return games, plies, time.process_time() - began, 0.0


def _no_engine(spec: object) -> object:
    raise AssertionError(spec)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    rows: list[tuple[str, Callable[[], tuple[int, int, float, float]]]] = [
        ("connect_four  stratarena, recorded", lambda: recorded("connect_four", 1000)),
        ("connect_four  OpenSpiel, bare loop", lambda: bare_open_spiel("connect_four", 5000)),
        ("chess         stratarena, recorded", lambda: recorded("chess", 20)),
        ("chess         python-chess, bare loop", lambda: bare_python_chess(40)),
        ("chess         OpenSpiel, bare loop", lambda: bare_open_spiel("chess", 200)),
    ]
    best: dict[str, tuple[float, float, float]] = {}
    for _ in range(repeats):
        for name, run in rows:
            games, plies, seconds, stored = run()
            best[name] = max(best.get(name, (0.0, 0.0, 0.0)), (games / seconds, plies / seconds, stored))
    print(f"random against random, best of {repeats}, CPU seconds of one process; {JOBS} matches in play at once")
    print(f"{'':40}{'games/s':>10}{'plies/s':>12}{'kB stored a game':>18}")
    for name, (games_a_second, plies_a_second, stored) in best.items():
        kept = f"{stored / 1000:.2f}" if stored else "nothing"
        print(f"{name:40}{games_a_second:10,.0f}{plies_a_second:12,.0f}{kept:>18}")


if __name__ == "__main__":
    main()
