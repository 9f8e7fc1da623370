"""The queries that reports are made from, by name, as any client can ask them; `:tournament` is its number."""

from __future__ import annotations

from stratarena.db.sides import FORECASTS, PLIES, SIDES

__all__ = ["QUERIES"]

QUERIES = {
    "matches": """
SELECT v.* FROM v_matches v JOIN matches m ON m.id = v.match_id WHERE m.tournament_id = :tournament ORDER BY v.match_id""",
    "sides": SIDES,
    "plies": PLIES,
    "refusals": """
SELECT r.match_id, r.seat, r.kind FROM refusals r JOIN matches m ON m.id = r.match_id
WHERE m.tournament_id = :tournament ORDER BY r.match_id, r.seq""",
    "faults": """
SELECT m.key, m.attempt, f.ply, f.seat, f.place, f.error FROM faults f JOIN matches m ON m.id = f.match_id
WHERE m.tournament_id = :tournament ORDER BY f.match_id, f.seq""",
    "forecasts": FORECASTS,
    "plays": """
SELECT p.match_id, p.ply, p.seat, p.seq, p.moves, r.cause, a.move AS played
FROM plans p JOIN matches m ON m.id = p.match_id
LEFT JOIN revisions r ON r.match_id = p.match_id AND r.seq = p.seq
LEFT JOIN moves a ON a.match_id = p.match_id AND a.ply = p.ply
WHERE m.tournament_id = :tournament AND m.status = 'over' ORDER BY p.match_id, p.seq""",
    "answers": """
SELECT s.match_id, s.seat, s.verdict, s.cost, s.purse, s.kept, s.changed, r.label, r.winner
FROM submissions s JOIN matches m ON m.id = s.match_id
LEFT JOIN rounds r ON r.match_id = s.match_id AND r.ply = s.ply
WHERE m.tournament_id = :tournament AND m.status = 'over' ORDER BY s.match_id, s.seq""",
    "gradings": """
SELECT g.match_id, g.ply, g.seat, g.judge_id, g.place, g.move, g.value, g.best, g.best_value
FROM gradings g JOIN matches m ON m.id = g.match_id
WHERE m.tournament_id = :tournament AND m.status = 'over' ORDER BY g.match_id, g.ply, g.judge_id, g.place""",
}
