"""Films of battles: they change nothing, and show what the trace tells."""

from __future__ import annotations

from random import Random

import pytest

from stratarena.games.base import Seat
from stratarena.games.tower_defense.events import Breached, Fell, Spawned
from stratarena.games.tower_defense.film import Film
from stratarena.games.tower_defense.game import TowerDefense


@pytest.mark.parametrize("rules", ["as_written", "published"])
def test_a_film_changes_nothing_and_agrees_with_the_trace(rules):
    """Same result; a track for whoever is seen; it ends no earlier than its last event and at the edge of a breach."""
    game, seen = TowerDefense(rules), 0
    for seed in range(12):
        rng = Random(seed)
        first, second = (game.random_plan(seat, rng) for seat in Seat)
        film = Film()
        verdicts = [game.check(seat, game.dump(seat, plan)) for seat, plan in zip(Seat, (first, second), strict=True)]
        if not all(verdict.can_be_simulated for verdict in verdicts):
            continue
        with_film = game.simulate(first, second, trace=True, film=film)
        assert with_film == game.simulate(first, second, trace=True)
        seen += 1
        born = {(event.seat, event.unit): event.at for event in with_film.trace if isinstance(event, Spawned)}
        fell = {(event.seat, event.unit): event.at for event in with_film.trace if isinstance(event, Fell)}
        assert set(film.units) <= set(born)
        for key, track in film.units.items():
            assert [at for at, _ in track] == sorted({at for at, _ in track})
            assert track[0][0] >= born[key]
            assert track[-1][0] <= fell.get(key, track[-1][0])
            if key[0] is Seat.FIRST:
                assert len({place for _, place in track}) == 1
        through = [event for event in with_film.trace if isinstance(event, Breached)]
        if through and rules == "as_written":
            assert film.units[Seat.SECOND, through[0].unit][-1][1] <= 0
        for shot in film.shots.values():
            assert 0 <= shot.row < game.rows
            assert shot.first[0] <= shot.last[0]
            assert shot.first[1] <= shot.last[1]
    assert seen > 3


def test_a_straight_way_is_two_points_and_a_stop_a_corner():
    """Steps in between are left out, since they can be drawn from the corners."""
    film = Film()
    for at, place in [(0, 5.0), (50, 4.9), (100, 4.8), (150, 4.8), (200, 4.8), (250, 4.7)]:
        film.see_unit(Seat.SECOND, 0, at, place)
    assert film.units[Seat.SECOND, 0] == [(0, 5.0), (100, 4.8), (200, 4.8), (250, 4.7)]
