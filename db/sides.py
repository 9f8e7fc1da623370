"""What each seat did in each match, added up by the database: one pass over the turns, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, text

from stratarena.db.connect import told
from stratarena.db.records import ForecastRecord, PlyRecord, SideRecord, TournamentRecord
from stratarena.games.base import Seat

__all__ = ["FORECASTS", "PLIES", "SIDES", "read_forecasts", "read_plies", "read_sides"]

_AT_ONCE = """CASE WHEN r.match_id IS NULL AND u.digest IS NOT NULL
                     AND (q.verdict IS NULL OR q.verdict IN ('ok', 'over_budget')) THEN 1 ELSE 0 END"""

_HERE = """u.match_id BETWEEN (SELECT MIN(id) FROM matches WHERE tournament_id = :tournament)
                     AND (SELECT MAX(id) FROM matches WHERE tournament_id = :tournament)"""
"""A tournament's matches lie together: its turns are read from the first of them to the last, in their own order."""

SIDES = f"""
SELECT u.match_id, u.seat,
       CASE WHEN 3 * u.ply >= 2 * m.plies THEN 2 WHEN 3 * u.ply >= m.plies THEN 1 WHEN m.plies > 0 THEN 0 END AS third,
       COUNT(*) AS turns,
       SUM({_AT_ONCE}) AS legal_at_once,
       SUM(CASE WHEN s.model_calls > 0 THEN 1 ELSE 0 END) AS asked,
       COALESCE(SUM(s.model_calls), 0) AS model_calls,
       COALESCE(SUM(CASE WHEN s.model_calls > 0 THEN s.prompt_tokens + s.completion_tokens END), 0) AS tokens,
       SUM(CASE WHEN s.nodes > 0 THEN 1 ELSE 0 END) AS searched,
       COALESCE(SUM(s.nodes), 0) AS nodes,
       SUM(u.think_ms) AS think_ms, SUM(u.wait_ms) AS wait_ms,
       CASE WHEN COUNT(s.cost_usd) = COUNT(s.match_id) THEN COALESCE(SUM(s.cost_usd), 0) END AS cost_usd,
       SUM(CASE WHEN o.match_id IS NOT NULL THEN 1 ELSE 0 END) AS overrun
FROM turns u
CROSS JOIN matches m
LEFT JOIN spends s ON s.match_id = u.match_id AND s.ply = u.ply
LEFT JOIN (SELECT DISTINCT match_id, ply FROM refusals) r ON r.match_id = u.match_id AND r.ply = u.ply
LEFT JOIN (SELECT DISTINCT match_id, ply FROM overruns) o ON o.match_id = u.match_id AND o.ply = u.ply
LEFT JOIN submissions q ON q.match_id = u.match_id AND q.ply = u.ply
WHERE m.id = u.match_id AND m.tournament_id = :tournament AND {_HERE}
GROUP BY u.match_id, u.seat, third
ORDER BY u.match_id, u.seat, third"""  # noqa: S608  our own text only
"""Of every attempt; `third` of the match's plies (0, 1, 2) in which the turn began, null where it is not over."""

PLIES = f"""
SELECT CASE WHEN n.seat = 'first' THEN m.first_agent_id ELSE m.second_agent_id END AS agent_id, m.game, n.ten,
       SUM(n.turns) AS turns, SUM(n.legal_at_once) AS legal_at_once
FROM matches m
JOIN (SELECT u.match_id, u.seat, u.ply / 10 AS ten, COUNT(*) AS turns, SUM({_AT_ONCE}) AS legal_at_once
      FROM turns u
      LEFT JOIN (SELECT DISTINCT match_id, ply FROM refusals) r ON r.match_id = u.match_id AND r.ply = u.ply
      LEFT JOIN submissions q ON q.match_id = u.match_id AND q.ply = u.ply
      WHERE {_HERE}
      GROUP BY u.match_id, u.seat, ten) n ON n.match_id = m.id
WHERE m.tournament_id = :tournament AND m.status <> 'void'
GROUP BY agent_id, m.game, n.ten
ORDER BY agent_id, m.game, n.ten"""  # noqa: S608  our own text only
"""Legality by tens of plies, void matches left out."""

FORECASTS = """
SELECT p.match_id, p.seat,
       CASE WHEN p.confidence >= 0.9 THEN 9 WHEN p.confidence >= 0.8 THEN 8 WHEN p.confidence >= 0.7 THEN 7
            WHEN p.confidence >= 0.6 THEN 6 WHEN p.confidence >= 0.5 THEN 5 WHEN p.confidence >= 0.4 THEN 4
            WHEN p.confidence >= 0.3 THEN 3 WHEN p.confidence >= 0.2 THEN 2 WHEN p.confidence >= 0.1 THEN 1 ELSE 0 END
           AS tenth,
       COUNT(*) AS n, SUM(p.confidence) AS stated, SUM(p.confidence * p.confidence) AS squared
FROM moves p JOIN matches m ON m.id = p.match_id
WHERE m.tournament_id = :tournament AND m.status = 'over' AND p.confidence IS NOT NULL
GROUP BY p.match_id, p.seat, tenth
ORDER BY p.match_id, p.seat, tenth"""
"""Stated chances of winning, by match, seat and tenth of the scale, with their sum and the sum of their squares."""


def read_sides(engine: Engine, tournament: TournamentRecord) -> Iterator[SideRecord]:
    """What each seat did in each third of each attempt at a match."""
    for match_id, seat, *numbers in _rows(engine, SIDES, tournament):
        yield SideRecord(match_id, _SEATS[seat], *numbers)


def read_plies(engine: Engine, tournament: TournamentRecord) -> Iterator[PlyRecord]:
    """Legality by agent, game and tens of plies, void matches left out."""
    names = dict(_rows(engine, "SELECT id, name FROM agents WHERE tournament_id = :tournament", tournament))
    for agent_id, game, ten, turns, legal in _rows(engine, PLIES, tournament):
        yield PlyRecord(agent=names[agent_id], game=game, ten=int(ten), turns=int(turns), legal_at_once=int(legal))


def read_forecasts(engine: Engine, tournament: TournamentRecord) -> Iterator[ForecastRecord]:
    """Stated chances of winning in matches that are over, by match, seat and tenth of the scale."""
    for match_id, seat, *numbers in _rows(engine, FORECASTS, tournament):
        yield ForecastRecord(match_id, _SEATS[seat], *numbers)


_SEATS = {seat.value: seat for seat in Seat}


def _rows(engine: Engine, query: str, tournament: TournamentRecord) -> Iterator[tuple[Any, ...]]:
    with told(engine.url.render_as_string(hide_password=False)), engine.connect() as connection:
        streamed = connection.execution_options(stream_results=True)
        yield from streamed.execute(text(query), {"tournament": tournament.tournament_id})
