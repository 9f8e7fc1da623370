"""The ladder: every rung plays and repeats, and the stored league rates them in the order of their names."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from stratarena.agents.base import AgentSpec
from stratarena.agents.engine_player import OpenSpielMcts
from stratarena.agents.engines.base import EngineError
from stratarena.agents.engines.open import open_engine
from stratarena.agents.ladder import LEAGUES, RUNGS, RungPlayer, ratings
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.events import TurnClosed
from stratarena.arena.specs import Policies
from stratarena.arena.testing import play_one
from stratarena.games.base import SpecError
from stratarena.games.plugins import load_game

CAP = 6


@pytest.mark.parametrize("name", [rung.name for rung in RUNGS])
def test_a_rung_plays_the_same_game_again(name):
    """The first plies against itself, twice, under one seed."""
    league = next(league for league in LEAGUES if name.startswith(league.game.partition("(")[0] + "-"))
    game = load_game(league.game)
    played = []
    for _ in range(2):
        agent = RungPlayer(AgentSpec("r", "rung", {"name": name}))
        assert agent.plays(game.id) is None
        try:
            for engine in agent.engines:
                open_engine(engine).close()
        except EngineError as error:
            pytest.skip(str(error))
        room = EngineRoom(open_engine, workers=1)

        _, events = play_one(game, agent, agent, engines=room, seed=7, policies=Policies(max_plies={game.id: CAP}))
        played.append([event.body.move for event in events if isinstance(event.body, TurnClosed)])
    assert played[0] == played[1]
    assert len(played[0]) == CAP


def test_the_stored_ratings_rise_with_the_names():
    """Every rung is rated, the lowest is the anchor at 0, and each step is up."""
    stored = ratings()
    assert set(stored) == {rung.name for rung in RUNGS}
    for game in {rung.game for rung in RUNGS}:
        climb = [stored[rung.name] for rung in RUNGS if rung.game == game]
        assert climb[0].elo == 0
        for lower, upper in pairwise(climb):
            assert upper.elo > lower.elo
        for rating in climb[1:]:
            assert rating.low < rating.elo < rating.high
            assert rating.matches > 0


def test_the_page_shows_what_is_stored():
    """Row by row."""
    page = (Path(__file__).parents[2] / "docs" / "ladder.md").read_text(encoding="utf-8")
    for name, rating in ratings().items():
        (row,) = [row for row in page.splitlines() if row.startswith(f"| {name} |")]
        assert row.endswith(f"| {rating.matches} |")
        assert f"| {rating.elo} |" in row


def test_a_rung_that_does_not_exist_is_refused_with_those_that_do():
    """And one is not lent to another game."""
    with pytest.raises(SpecError, match=r"no rung 'chess-99'; there are: connect_four-0"):
        RungPlayer(AgentSpec("r", "rung", {"name": "chess-99"}))
    refusal = RungPlayer(AgentSpec("r", "rung", {"name": "hex-0"})).plays("chess")
    assert refusal == "the rung hex-0 plays hex, not chess"


def test_blunders_come_in_the_share_asked_for():
    """Half of the turns consult no engine; which ones depends on the seed alone."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    game = load_game("hex(size=9)")
    agent = OpenSpielMcts(AgentSpec("m", "mcts", {"simulations": 2, "blunders": 0.5}))
    consulted, turns = 0, 0
    for seed in range(4):
        _, events = play_one(game, agent, agent, engines=EngineRoom(open_engine, workers=1), seed=seed)
        turns += sum(isinstance(event.body, TurnClosed) for event in events)
        consulted += sum(type(event.body).__name__ == "Consulted" for event in events)
    assert turns > 150
    assert 0.35 < consulted / turns < 0.65
