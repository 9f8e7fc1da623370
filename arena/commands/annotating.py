"""`annotate`: how good the recorded moves were, asked of engines and solvers once and kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from stratarena.agents.engine_player import EnginePlayer
from stratarena.agents.engines.open import open_engine
from stratarena.arena.commands.console import err, out
from stratarena.arena.grading import BoardJudge, Graded, PlanJudge, make_judge
from stratarena.arena.replay import replay
from stratarena.arena.specs import Ending
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.gradings import GradingStore
from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord
from stratarena.games.base import Game
from stratarena.games.plugins import load_game
from stratarena.games.resource.series import Series

__all__ = ["DEFAULT_JUDGES", "annotate"]

DEFAULT_JUDGES = ("bitbully", "stockfish(nodes=100000)", "hex_search(simulations=1000)", "plan_search(tries=200)")


def annotate(name: str | None, *, db: str, judges: Sequence[str]) -> None:
    """Grade every finished match of a tournament that a judge knows the game of and has not graded before.

    Each match is durable when it is done, so the same command goes on after an interruption.

    Raises:
        RecordError: there is no such tournament, or none of its finished matches is of a game that a judge knows.
        SpecError: a judge is none.
    """
    players = [make_judge(text) for text in judges or DEFAULT_JUDGES]
    database = open_database(db)
    try:
        reader = Reader(database)
        tournament = reader.tournament(name)
        matches = [
            match
            for match in reader.matches(tournament)
            if match.verdict is not None and match.verdict.ending is not Ending.VOID
        ]
        games = Counter(match.game for match in matches)
        known = {game for game in games for player in players if player.plays(game) is None}
        if not known:
            what = f"none of the judges knows {', '.join(games)}" if games else "it has no finished match"
            raise RecordError(f"there is nothing to grade in tournament {tournament.name!r}: {what}")
        for player in players:
            these = [match for match in matches if player.plays(match.game) is None]
            if these:
                _grade(player, these, store=partial(GradingStore, database), reader=reader)
    finally:
        database.dispose()
    for game, n in games.items():
        if game not in known:
            err().print(f"left out: {n} matches of {game}, which none of the judges knows", soft_wrap=True)


def _grade(
    player: EnginePlayer, matches: Sequence[MatchRecord], *, store: Callable[..., GradingStore], reader: Reader
) -> None:
    """Grade those of the matches that this judge has not graded before, and say what was done."""
    console, name = err(), player.spec.name
    with closing(open_engine(player.engines[0])) as engine:
        identity = json.dumps(engine.identity, sort_keys=True, ensure_ascii=False)
        gradings = store(name=name, identity=identity)
        before = gradings.graded(match.match_id for match in matches)
        games = {game: load_game(game) for game in {match.game for match in matches}}
        moves = 0
        for number, match in enumerate(matches, start=1):
            if match.match_id in before:
                continue
            game = games[match.game]
            judge = (
                PlanJudge(player, engine, game, gradings)
                if isinstance(game, Series)
                else BoardJudge(player, engine, game, gradings)
            )
            turns = _grades(judge, game, match, reader)
            gradings.store(match.match_id, turns)
            moves += sum(len(grades) for _, grades in turns)
            if console.is_terminal:
                console.print(f"{name}: {number} of {len(matches)} matches", end="\r")
    done = len(matches) - len(before)
    again = f"; {len(before)} were graded before" if before else ""
    out().print(f"{name}: graded {moves} moves of {done} matches{again}", soft_wrap=True)


def _grades(judge: BoardJudge | PlanJudge, game: Game[Any], match: MatchRecord, reader: Reader) -> list[Graded]:
    """Every move that was played or meant in a match, with its grade."""
    events = reader.events(match.match_id)
    frames = list(replay(game, key=match.key, start=match.start, opening_moves=match.opening_moves, events=events))
    return judge.of_match(frames, start=match.start)
