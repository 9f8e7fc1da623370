"""Ready-made views: the usual questions, answered in SQL that any client can ask again."""

from __future__ import annotations

__all__ = ["VIEWS"]

_LATEST = """
    NOT EXISTS (SELECT 1 FROM matches later WHERE later.tournament_id = m.tournament_id
                AND later.key = m.key AND later.attempt > m.attempt)"""

# Where something happened in a match, and whose turn it was; `{0}` is its table.
_PLACE = """t.name AS tournament, m.id AS match_id, m.key, m.game, {0}.ply, {0}.seat,
       CASE WHEN {0}.seat = 'first' THEN x.name ELSE y.name END AS agent"""
_NAMES = """JOIN matches m ON m.id = {0}.match_id
JOIN tournaments t ON t.id = m.tournament_id
JOIN agents x ON x.id = m.first_agent_id
JOIN agents y ON y.id = m.second_agent_id"""

VIEWS: dict[str, tuple[str, str]] = {
    "v_matches": (
        "Which matches are there, between whom, and how did each end? Of a void match the latest attempt.",
        f"""
SELECT m.id AS match_id, t.name AS tournament, m.key, m.game, a.name AS first, b.name AS second, m.round, m.pair,
       m.opening, m.status, m.ending, m.winner, m.reason, m.at_fault, m.plies, m.attempt,
       (m.closed_ms - m.opened_ms) / 1000.0 AS seconds
FROM matches m
JOIN tournaments t ON t.id = m.tournament_id
JOIN agents a ON a.id = m.first_agent_id
JOIN agents b ON b.id = m.second_agent_id
WHERE {_LATEST}""",  # noqa: S608  our own text only
    ),
    "v_scores": (
        "What did each agent score in each match that counts? Two rows a match; void and unfinished ones are left out.",
        """
SELECT v.tournament, v.match_id, v.key, v.game, v.pair, 'first' AS seat, v.first AS agent, v.second AS opponent,
       CASE WHEN v.winner IS NULL THEN 0.5 WHEN v.winner = 'first' THEN 1.0 ELSE 0.0 END AS score, v.ending, v.reason,
       v.plies
FROM v_matches v WHERE v.status = 'over'
UNION ALL
SELECT v.tournament, v.match_id, v.key, v.game, v.pair, 'second', v.second, v.first,
       CASE WHEN v.winner IS NULL THEN 0.5 WHEN v.winner = 'second' THEN 1.0 ELSE 0.0 END, v.ending, v.reason, v.plies
FROM v_matches v WHERE v.status = 'over'""",
    ),
    "v_standings": (
        "Who stands where? Points, games, wins, draws and losses over all games of a tournament.",
        """
SELECT tournament, agent, SUM(score) AS points, COUNT(*) AS games,
       SUM(CASE WHEN score = 1.0 THEN 1 ELSE 0 END) AS wins, SUM(CASE WHEN score = 0.5 THEN 1 ELSE 0 END) AS draws,
       SUM(CASE WHEN score = 0.0 THEN 1 ELSE 0 END) AS losses, SUM(score) / COUNT(*) AS score_rate
FROM v_scores GROUP BY tournament, agent""",
    ),
    "v_cross_table": (
        "How did each agent do against each other, by game? Points are the agent's, not the opponent's.",
        """
SELECT tournament, game, agent, opponent, SUM(score) AS points, COUNT(*) AS games
FROM v_scores GROUP BY tournament, game, agent, opponent""",
    ),
    "v_turns": (
        "What happened in each turn: move, digest, spend, refusals, and what the rules said of a plan?",
        """
SELECT t.name AS tournament, m.id AS match_id, m.key, m.game, u.ply, u.seat,
       CASE WHEN u.seat = 'first' THEN a.name ELSE b.name END AS agent, p.move, u.digest,
       COALESCE(s.model_calls, 0) AS model_calls, COALESCE(s.prompt_tokens, 0) AS prompt_tokens,
       COALESCE(s.completion_tokens, 0) AS completion_tokens, COALESCE(s.nodes, 0) AS nodes, u.think_ms, u.wait_ms,
       CASE WHEN s.match_id IS NULL THEN 0.0 ELSE s.cost_usd END AS cost_usd, p.confidence, p.fallback,
       (SELECT COUNT(*) FROM refusals r WHERE r.match_id = u.match_id AND r.ply = u.ply) AS refused,
       (SELECT COUNT(*) FROM overruns o WHERE o.match_id = u.match_id AND o.ply = u.ply) AS overruns,
       u.opened_ms, u.closed_ms, q.verdict
FROM turns u
JOIN matches m ON m.id = u.match_id
JOIN tournaments t ON t.id = m.tournament_id
JOIN agents a ON a.id = m.first_agent_id
JOIN agents b ON b.id = m.second_agent_id
LEFT JOIN spends s ON s.match_id = u.match_id AND s.ply = u.ply
LEFT JOIN moves p ON p.match_id = u.match_id AND p.ply = u.ply
LEFT JOIN submissions q ON q.match_id = u.match_id AND q.ply = u.ply""",
    ),
    "v_legality": (
        "How often was an agent's first answer a legal move (or plan, whatever it costs)? Void matches are left out.",
        """
SELECT v.tournament, v.game, v.agent, COUNT(*) AS turns,
       SUM(CASE WHEN v.refused = 0 AND v.move IS NOT NULL AND COALESCE(v.verdict, 'ok') IN ('ok', 'over_budget')
           THEN 1 ELSE 0 END) AS legal_at_once,
       SUM(v.refused) AS refused
FROM v_turns v JOIN matches m ON m.id = v.match_id WHERE m.status <> 'void'
GROUP BY v.tournament, v.game, v.agent""",
    ),
    "v_cost": (
        "What did each agent spend on thinking, by game? Everything that was paid for counts, void matches included.",
        """
SELECT tournament, game, agent, COUNT(*) AS turns, SUM(model_calls) AS model_calls,
       SUM(prompt_tokens) AS prompt_tokens, SUM(completion_tokens) AS completion_tokens, SUM(nodes) AS nodes,
       SUM(think_ms) AS think_ms, SUM(wait_ms) AS wait_ms,
       CASE WHEN COUNT(cost_usd) = COUNT(*) THEN SUM(cost_usd) END AS cost_usd
FROM v_turns GROUP BY tournament, game, agent""",
    ),
    "v_plans": (
        "Which plans were declared, what replaced what and why, and was it played? Of boards and of games of plans.",
        f"""
SELECT {_PLACE.format("p")}, p.seq, p.moves, p.cost, p.value, r.cause, b.moves AS before_moves, a.move AS played
FROM plans p
{_NAMES.format("p")}
LEFT JOIN revisions r ON r.match_id = p.match_id AND r.seq = p.seq
LEFT JOIN plans b ON b.match_id = r.match_id AND b.seq = r.before_seq
LEFT JOIN moves a ON a.match_id = p.match_id AND a.ply = p.ply""",  # noqa: S608  our own text only
    ),
    "v_refusals": (
        "Which answers did the referee turn down, and why?",
        f"""
SELECT {_PLACE.format("r")}, r.seq, r.kind, r.why
FROM refusals r
{_NAMES.format("r")}""",  # noqa: S608  our own text only
    ),
    "v_calls": (
        "What was every call to a model, and what came of it? Texts are named by their hash in `texts`.",
        f"""
SELECT {_PLACE.format("c")}, c.seq, c.model, c.kind, c.max_tokens, c.temperature, c.finish, c.prompt_tokens,
       c.completion_tokens, c.thinking_tokens, c.cached_tokens, c.cost_usd, c.think_ms, c.wait_ms,
       (SELECT COUNT(*) FROM call_attempts z WHERE z.match_id = c.match_id AND z.seq = c.seq) AS tries,
       c.failure, c.error, c.answer
FROM model_calls c
{_NAMES.format("c")}""",  # noqa: S608  our own text only
    ),
    "v_searches": (
        "What did each search of an agent look at, and what came of it?",
        f"""
SELECT {_PLACE.format("s")}, s.seq, s.kind, s.method, s.simulations, s.n_nodes, s.depth, s.first_move, s.value_before,
       s.value_after, s.line, s.ended, s.model_calls, s.nodes, s.prompt_tokens, s.completion_tokens, s.cost_usd, s.think_ms
FROM searches s
{_NAMES.format("s")}""",  # noqa: S608  our own text only
    ),
    "v_gradings": (
        "How good was each move that was played or meant, by which judge? Regret is in points: 1 is a won game lost.",
        """
SELECT t.name AS tournament, m.id AS match_id, m.key, m.game, g.ply, g.seat,
       CASE WHEN g.seat = 'first' THEN a.name ELSE b.name END AS agent, j.name AS judge, g.place, g.move, g.legal, g.value,
       g.best, g.best_value, (g.best_value - g.value) / 2 AS regret, g.exact
FROM gradings g
JOIN judges j ON j.id = g.judge_id
JOIN matches m ON m.id = g.match_id
JOIN tournaments t ON t.id = m.tournament_id
JOIN agents a ON a.id = m.first_agent_id
JOIN agents b ON b.id = m.second_agent_id""",
    ),
}
