"""A generated database of many matches, for measuring what reads it: `python bench/big_record.py FILE MATCHES`.

Made up, but shaped like a real one: ten agents in three games, forty turns a match, half the agents models that spend
tokens, state confidences, are refused now and then; two of them declare and revise plans; one match in ten is graded, and
one in fifty has its prompts and answers. Moves are legal, from a few lines a game, so that a match can be looked at.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Iterator
from itertools import combinations, cycle, islice
from pathlib import Path
from random import Random
from typing import Any

from stratarena.db.connect import open_database
from stratarena.db.schema import metadata
from stratarena.games.plugins import load_game

AGENTS = ("dice", "greedy", "mcts", "solver", "engine", "alpha", "beta", "gamma", "delta", "omega")
MODELS = frozenset(AGENTS[5:])
PLANNERS = frozenset(AGENTS[7:9])
GAMES = ("connect_four", "hex(size=7)", "chess")
TURNS = 40
SPOKEN = 50
"""One match in so many has its prompts and answers."""
_TEXT = "0" * 32
_RULES, _ASKED, _SAID = (digit * 32 for digit in "123")
_TEXTS = {
    _TEXT: "x",
    _RULES: "You play a game for two. The rules are these. " * 20,
    _ASKED: "It is your turn. The board is this. Write your move. " * 12,
    _SAID: "I look at the threats first, then at what the other side would answer. So I play in the middle. " * 4,
}


def make(file: Path, matches: int) -> None:
    """Write the database; a file that is there is replaced."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    open_database(str(file), create=True).dispose()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-262144; BEGIN")
    _insert(connection, "texts", [(name, "utf8", len(text), text.encode()) for name, text in _TEXTS.items()])
    spec = {"name": "big", "games": list(GAMES), "anchor": None, "sprt": None}
    _insert(
        connection, "tournaments", [(1, "big", json.dumps(spec), 'name = "big"\n', 1, 0, "0.1.0", None, "3.11.7", "{}")]
    )
    _insert(
        connection,
        "agents",
        [
            (number, 1, name, "random" if name == "dice" else "llm" if name in MODELS else "mcts", "{}")
            for number, name in enumerate(AGENTS, start=1)
        ],
    )
    _insert(connection, "judges", [(1, "perfect", "{}")])
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for number, (name, row) in enumerate(_rows(matches)):
        rows.setdefault(name, []).append(row)
        if number % 200_000 == 0:
            _flush(connection, rows)
    _flush(connection, rows)
    connection.execute("COMMIT")
    connection.close()


def _insert(connection: sqlite3.Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    columns = [column.name for column in metadata.tables[name].columns]
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)


def _flush(connection: sqlite3.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    for name in [table.name for table in metadata.sorted_tables if table.name in rows]:
        _insert(connection, name, rows.pop(name))


def _rows(matches: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Rows by table, match after match."""
    rng = Random(1)
    lines = {game: _lines(game, Random(2)) for game in GAMES}
    strength = {name: place * 0.4 for place, name in enumerate(AGENTS)}
    pairs = list(islice(cycle((game, *pair) for pair in combinations(AGENTS, 2) for game in GAMES), matches // 2))
    round_size = len(GAMES) * len(AGENTS) * (len(AGENTS) - 1) // 2
    match_id = 0
    for place, (game, one, other) in enumerate(pairs):
        number = place // round_size + 1
        pair = f"{game}/{one}-vs-{other}/r{number}"
        for side, (first, second) in (("a", (one, other)), ("b", (other, one))):
            match_id += 1
            chance = 1 / (1 + 2.718281828 ** (strength[second] - strength[first]))
            place_of_luck = rng.random()
            winner = None if place_of_luck < 0.1 else "first" if place_of_luck < 0.1 + 0.9 * chance else "second"
            void = match_id % 997 == 0
            ending = ("void", "void", None, "model_failed", None) if void else ("over", *_ending(winner))
            yield (
                "matches",
                (
                    match_id, 1, f"{pair}{side}", 1, game, AGENTS.index(first) + 1, AGENTS.index(second) + 1, number, pair,
                    "start", lines[game][0], "", match_id, f"{match_id:032x}",
                    *ending, TURNS, 1000 * match_id, 1000 * match_id + 900,
                ),
            )  # fmt: skip
            line = lines[game][1][rng.randrange(len(lines[game][1]))]
            yield from _turns(rng, match_id, line, first, second, strength, graded=match_id % 10 == 0)


def _ending(winner: str | None) -> tuple[str, str | None, str, str | None]:
    """Ending, winner, reason, and who was at fault: the lines themselves are not over by the rules."""
    if winner is None:
        return "cap", None, "ply_cap", None
    return "forfeit", winner, "refused_moves", "second" if winner == "first" else "first"


def _lines(name: str, rng: Random, n: int = 5) -> tuple[str, list[list[tuple[str, str]]]]:
    """The first position, and lines of random play that do not end within the turns: moves, and digests after them."""
    game = load_game(name)
    lines: list[list[tuple[str, str]]] = []
    start = game.initial(Random(0))
    while len(lines) < n:
        state, line = start, []
        while len(line) < TURNS and game.outcome(state) is None:
            legal = game.legal_moves(state)
            move = legal[rng.randrange(len(legal))]
            state = game.play(state, move)
            line.append((move, game.digest(state)))
        if len(line) == TURNS:
            lines.append(line)
    return game.encode(start), lines


_CALL = [column.name for column in metadata.tables["model_calls"].columns]


def _turns(
    rng: Random, match_id: int, line: list[tuple[str, str]], first: str, second: str, strength: dict[str, float],
    *, graded: bool,
) -> Iterator[tuple[str, tuple[Any, ...]]]:  # fmt: skip
    moves = [move for move, _ in line]
    seq, standing = 1, {}
    for ply, (move, digest) in enumerate(line):
        seat, name = ("first", first) if ply % 2 == 0 else ("second", second)
        confidence = None
        if name in MODELS:
            confidence = round(min(max(0.5 + 0.1 * (strength[name] - 2) + rng.gauss(0, 0.2), 0.0), 1.0), 2)
            yield "spends", (match_id, ply, seat, 1, 0, 180 + ply, 12, 0.0001)
            if match_id % SPOKEN == 1:
                call = {
                    "match_id": match_id, "seq": seq, "ply": ply, "at_ms": 0, "seat": seat, "model": name,
                    "kind": "complete", "max_tokens": 100, "temperature": 0.0, "answer": _SAID, "finish": "stop",
                    "prompt_tokens": 180 + ply, "completion_tokens": 12, "cost_usd": 0.0001, "think_ms": 40.0, "wait_ms": 0.5,
                }  # fmt: skip
                yield "model_calls", tuple(call.get(column) for column in _CALL)
                yield "call_messages", (match_id, seq, 0, "system", _RULES)
                yield "call_messages", (match_id, seq, 1, "user", _ASKED)
                seq += 1
            if rng.random() < 0.04:
                yield "refusals", (match_id, seq, ply, 0, seat, "illegal", _TEXT, "not allowed here")
                seq += 1
        elif name != "dice":
            yield "spends", (match_id, ply, seat, 0, 500 + ply, 0, 0, 0.0)
        if name in PLANNERS:
            meant = f"{move} {moves[rng.randrange(len(moves))]} {moves[rng.randrange(len(moves))]}"
            yield "plans", (match_id, seq, ply, 0, seat, meant, None, round(rng.uniform(-1, 1), 2), _TEXT)
            if seat in standing and rng.random() < 0.3:
                yield "revisions", (match_id, seq, ply, 0, seat, standing[seat], "opponent")
            standing[seat] = seq
            seq += 1
        yield "turns", (match_id, ply, seat, seq, 1, 0, 1, rng.expovariate(0.02), 0.5, digest)
        yield "moves", (match_id, ply, seat, move, "agent", confidence, None)
        if graded:
            lost = max(rng.gauss(0.4 - 0.1 * strength[name], 0.2), 0.0)
            best = rng.uniform(-0.5, 1.0)
            yield "gradings", (match_id, ply, 1, 0, seat, move, True, max(best - lost, -1.0), move, best, True)
        seq += 1


def main() -> None:
    """Make the database that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path, help="the database to make")
    parser.add_argument("matches", type=int)
    wanted = parser.parse_args()
    make(wanted.file, wanted.matches)


if __name__ == "__main__":
    main()
