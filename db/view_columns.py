"""What the columns of each view hold: kind and meaning, for tables that other programs read and for `docs/schema.md`."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["VIEW_COLUMNS", "ViewColumn"]


class ViewColumn(NamedTuple):
    """One column of a view."""

    name: str
    kind: type
    """`str`, `int`, `float` or `bool`; any may be missing."""
    meaning: str


_MEANINGS: dict[str, tuple[type, str]] = {
    "tournament": (str, "Its name."),
    "match_id": (int, "Number of the match, as `stratarena replay` takes it."),
    "key": (str, "Stable name of the match: game, agents, round and seating."),
    "game": (str, "The game's id."),
    "first": (str, "The agent in seat FIRST."),
    "second": (str, "The agent in seat SECOND."),
    "round": (int, "Counted from 1."),
    "pair": (str, "Shared by the two matches with one opening and seats swapped: the unit to resample."),
    "opening": (str, "Name of the opening."),
    "status": (str, "`pending`, `playing`, `over` or `void`."),
    "ending": (str, "`rules`, `forfeit`, `cap`, `stated` or `void`."),
    "winner": (str, "`first` or `second`; missing for a draw, and where nothing is decided."),
    "reason": (str, "The rule or policy that ended it."),
    "at_fault": (str, "The seat that forfeited."),
    "plies": (int, "Moves made, the opening's included."),
    "attempt": (int, "Counted from 1; a void match is played again."),
    "seconds": (float, "From its begin to its end, by the clock."),
    "seat": (str, "`first` or `second`."),
    "agent": (str, "Whose turn, or whose number, it was."),
    "opponent": (str, "The other agent."),
    "score": (float, "1 for a win, 0.5 for a draw, 0 for a loss."),
    "points": (float, "Sum of the scores."),
    "games": (int, "Matches that count."),
    "wins": (int, "Matches won."),
    "draws": (int, "Matches drawn."),
    "losses": (int, "Matches lost."),
    "score_rate": (float, "points / games."),
    "ply": (int, "Plies made before the turn, the opening's included."),
    "seq": (int, "The event's number in the match, from 0."),
    "move": (str, "In the game's notation; where a move is a plan, the plan as JSON."),
    "digest": (str, "Digest of the state that the turn left; missing when it made no move."),
    "model_calls": (int, "Calls to models, failed ones included."),
    "prompt_tokens": (int, "Tokens that models read."),
    "completion_tokens": (int, "Tokens that models wrote."),
    "thinking_tokens": (int, "Tokens of thinking, where counted apart."),
    "cached_tokens": (int, "Prompt tokens that the server had read before, where it says so."),
    "nodes": (int, "Positions that searches and engines visited."),
    "think_ms": (float, "Milliseconds of work by agent, models and engines; waiting left out."),
    "wait_ms": (float, "Milliseconds of waiting beyond that work."),
    "cost_usd": (float, "US dollars by the price table; missing where a price is unknown."),
    "confidence": (float, "The agent's stated chance of winning, 0 to 1."),
    "fallback": (str, "Set when the move is a declared substitute for a finished thought."),
    "refused": (int, "Answers that the referee turned down."),
    "overruns": (int, "Budgets that the turn passed."),
    "opened_ms": (int, "When it began, in milliseconds since 1970."),
    "closed_ms": (int, "When it ended, in milliseconds since 1970."),
    "verdict": (str, "What the rules say of a plan; missing on boards."),
    "turns": (int, "Turns counted."),
    "legal_at_once": (int, "Turns whose first answer was a legal move, or a legal plan whatever it costs."),
    "moves": (str, "The intended line, separated by spaces; the first is meant for now."),
    "cost": (int, "Of the plan, in the game's own resource."),
    "value": (float, "-1 (lost) to 1 (won), for the agent."),
    "cause": (str, "Why it replaced the plan before it; missing for a first proposal."),
    "before_moves": (str, "The plan that it replaced."),
    "played": (str, "The move that came of the turn."),
    "kind": (str, "Of the refusal, the call or the search; see its table."),
    "why": (str, "What was wrong, and what would be accepted."),
    "model": (str, "The model's name."),
    "max_tokens": (int, "Bound on the answer."),
    "temperature": (float, "0 is greedy."),
    "finish": (str, "`stop`, `length` or `filter`: why the answer ended."),
    "tries": (int, "Tries over a network; 0 for a model on this machine."),
    "failure": (str, "What kind of failure it was; missing for a call that was answered."),
    "error": (str, "Why the call failed."),
    "answer": (str, "Hash of the text written; `stratarena answers` prints the texts."),
    "method": (str, "How it was searched."),
    "simulations": (int, "Descents from the root; positions evaluated where there are none."),
    "n_nodes": (int, "Positions visited, the root's included."),
    "depth": (int, "Plies from the root to the deepest of them."),
    "first_move": (str, "The move held best before the search."),
    "value_before": (float, "The root's value before the search, -1 to 1 for the seat that searched."),
    "value_after": (float, "The root's value after it."),
    "line": (str, "Principal variation, separated by spaces."),
    "ended": (str, "What ended it."),
    "judge": (str, "Engine or solver that graded it."),
    "place": (int, "0 for the move that was played, then what else was meant."),
    "legal": (bool, "Whether the rules allow it there."),
    "best": (str, "The judge's move."),
    "best_value": (float, "-1 to 1 for the mover, after the judge's move."),
    "regret": (float, "Points given away: 1 is a won game lost."),
    "exact": (bool, "Whether both values are proven."),
}
_PLACE = "tournament match_id key game ply seat agent"
_COLUMNS = {
    "v_matches": "match_id tournament key game first second round pair opening status ending winner reason at_fault plies "
    "attempt seconds",
    "v_scores": "tournament match_id key game pair seat agent opponent score ending reason plies",
    "v_standings": "tournament agent points games wins draws losses score_rate",
    "v_cross_table": "tournament game agent opponent points games",
    "v_turns": f"{_PLACE} move digest model_calls prompt_tokens completion_tokens nodes think_ms wait_ms cost_usd confidence "
    "fallback refused overruns opened_ms closed_ms verdict",
    "v_legality": "tournament game agent turns legal_at_once refused",
    "v_cost": "tournament game agent turns model_calls prompt_tokens completion_tokens nodes think_ms wait_ms cost_usd",
    "v_plans": f"{_PLACE} seq moves cost value cause before_moves played",
    "v_refusals": f"{_PLACE} seq kind why",
    "v_calls": f"{_PLACE} seq model kind max_tokens temperature finish prompt_tokens completion_tokens thinking_tokens "
    "cached_tokens cost_usd think_ms wait_ms tries failure error answer",
    "v_searches": f"{_PLACE} seq kind method simulations n_nodes depth first_move value_before value_after line ended "
    "model_calls nodes prompt_tokens completion_tokens cost_usd think_ms",
    "v_gradings": f"{_PLACE} judge place move legal value best best_value regret exact",
}
VIEW_COLUMNS: dict[str, tuple[ViewColumn, ...]] = {
    view: tuple(ViewColumn(name, *_MEANINGS[name]) for name in names.split()) for view, names in _COLUMNS.items()
}
"""By view, in the order in which the view has them."""
