"""A match as one JSON document: everything that a replay shows, and nothing that it would have to look up.

Texts stand once, in `texts`; elsewhere their numbers. They are strangers' words, as they came: whoever shows them sets
them as text and never as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any, assert_never

from stratarena.agents.budget import Spend
from stratarena.agents.models.base import Completion, Scores, Scoring
from stratarena.agents.plan import Plan
from stratarena.agents.tree import SearchTree, TreeNode
from stratarena.analysis.boards import verdict_text
from stratarena.analysis.evaluation import Standing, evaluate
from stratarena.analysis.plan_text import plan_changes
from stratarena.analysis.web.stages import (
    changes_json,
    game_json,
    move_label,
    move_labels,
    round_json,
    stage_json,
)
from stratarena.arena.events import (
    Appraised,
    Body,
    Called,
    Consulted,
    Faulted,
    MatchClosed,
    MatchOpened,
    Overran,
    Proposed,
    Refused,
    Revised,
    RoundPlayed,
    Searched,
    Submitted,
    Transcribed,
    TurnClosed,
)
from stratarena.arena.replay import Frame, RecordMismatch, replay
from stratarena.db.reader import Reader
from stratarena.db.records import AgentRecord, Judgement, MatchRecord, TournamentRecord
from stratarena.games.base import Game, Seat
from stratarena.games.plugins import load_game
from stratarena.games.resource.series import Series

__all__ = ["Played", "match_document", "play_again", "round_document", "summary"]

FORMAT = 1
"""Of the document; another number where a reader of the old one would go wrong."""
_MOST_NODES = 4000
"""Of one search that are shown, the most visited with all above them."""
_MOST_SCORES = 12
"""Continuations of a scoring that are shown, the likeliest."""


class Played:
    """A recorded match played again as far as the record and the rules agree."""

    def __init__(self, reader: Reader, match: MatchRecord) -> None:
        self.match = match
        self.game: Game[Any] = load_game(match.game)
        self.frames: list[Frame] = []
        self.mismatch: RecordMismatch | None = None
        events = reader.events(match.match_id)
        try:
            for frame in replay(
                self.game, key=match.key, start=match.start, opening_moves=match.opening_moves, events=events
            ):
                self.frames.append(frame)
        except RecordMismatch as error:
            self.mismatch = error
        digests = [self.game.digest(frame.state) for frame in self.frames]
        self.judgement: Judgement | None = reader.judgement(match, digests)
        self.standings: tuple[Standing | None, ...] = evaluate(self.game, self.frames, self.judgement)
        self.names: Mapping[Seat, str] = {seat: match.agent_at(seat) for seat in Seat}


def play_again(reader: Reader, match: MatchRecord) -> Played:
    """The match, replayed and judged."""
    return Played(reader, match)


class _Texts:
    """Strangers' texts, each once."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The place of a text in the list."""
        return self.found.setdefault(text, len(self.found))


def match_document(played: Played, tournament: TournamentRecord, *, rounds: bool = True) -> dict[str, Any]:
    """The document of a match.

    Args:
        played: the match.
        tournament: where it was played: names agents and budgets.
        rounds: whether every simulated round is told with all that happened in it; else each is asked for by itself
            (`round_document`).
    """
    texts = _Texts()
    game, frames = played.game, played.frames
    told = {
        "format": FORMAT,
        "match": {
            **summary(played.match),
            "tournament": tournament.name,
            "start": played.match.start,
            "seed": str(played.match.seed),
            "program": tournament.program_version,
        },
        "game": game_json(game),
        "agents": [_agent(tournament.agents, played.names[seat]) for seat in Seat],
        "budgets": tournament.spec.get("budgets"),
        "judge": None if played.judgement is None else played.judgement.judge,
        "mismatch": None if played.mismatch is None else str(played.mismatch),
        "frames": [
            _frame(game, frame, before.state, standing, texts)
            for (before, frame), standing in zip(pairwise([*frames[:1], *frames]), played.standings, strict=True)
        ],
        "rounds": [round_json(*found) for found in _rounds(played)] if rounds else None,
        "texts": [],
    }
    told["texts"] = list(texts.found)
    return told


def round_document(played: Played, number: int) -> dict[str, Any] | None:
    """One simulated round of a match with all that happened in it; None where there is no such round."""
    return next((round_json(*found) for found in _rounds(played) if found[2].label == number), None)


def summary(match: MatchRecord) -> dict[str, Any]:
    """A match in a list of matches."""
    verdict = match.verdict
    names = {seat: match.agent_at(seat) for seat in Seat}
    return {
        "id": match.match_id,
        "key": match.key,
        "game": match.game,
        "first": match.first,
        "second": match.second,
        "round": match.round,
        "opening": match.opening,
        "attempt": match.attempt,
        "state": "over" if verdict is not None else "playing" if match.opened_ms else "pending",
        "winner": None if verdict is None or verdict.winner is None else verdict.winner.value,
        "ending": None if verdict is None else verdict.ending.value,
        "result": None if verdict is None else verdict_text(verdict, names),
        "plies": match.plies,
        "opened_ms": match.opened_ms,
        "closed_ms": match.closed_ms,
    }


def _agent(agents: Sequence[AgentRecord], name: str) -> dict[str, Any]:
    found = next((agent for agent in agents if agent.name == name), None)
    return {"name": name, "kind": found.kind if found else "", "params": dict(found.params) if found else {}}


def _rounds(played: Played) -> Iterator[tuple[Series, Any, Any]]:
    """Each round with the state that it was played in."""
    game = played.game
    if not isinstance(game, Series):
        return
    for before, frame in pairwise(played.frames):
        if len(frame.state.rounds) > len(before.state.rounds):
            yield game, frame.state, frame.state.rounds[-1]


def _frame(game: Game[Any], frame: Frame, before: Any, standing: Standing | None, texts: _Texts) -> dict[str, Any]:
    turn = frame.turn
    steps = [told for step in frame.steps if (told := _step(game, frame, before, step, texts)) is not None]
    if isinstance(game, Series) and frame.seat is not None:
        _tell_change(game, frame, before, steps)
    return {
        "ply": frame.ply,
        "seat": frame.seat.value if frame.seat else None,
        "mover": None if frame.move is None else game.to_move(before).value,
        "move": frame.move if not isinstance(game, Series) else None,
        "label": None if frame.move is None else move_label(game, before, frame.move),
        "stage": stage_json(game, frame),
        "steps": steps,
        "spend": None if turn is None else _spend(turn.spend),
        "wait_ms": None if turn is None else turn.wait_ms,
        "confidence": None if turn is None else turn.confidence,
        "fallback": None if turn is None else turn.fallback,
        "digest": frame.digest,
        "checked": frame.checked,
        "standing": None if standing is None else _standing(game, frame, standing),
        "verdict": None if frame.verdict is None else frame.verdict.ending.value,
    }


def _tell_change(game: Series, frame: Frame, before: Any, steps: list[dict[str, Any]]) -> None:
    """Where an agent changed its plan and declared nothing, its answer tells what changed."""
    assert frame.seat is not None
    last = frame.state.submissions[-1] if frame.move is not None else None
    if last is None or not last.changed or any(step["kind"] in ("proposed", "revised") for step in steps):
        return
    old = before.plan_of(frame.seat)
    for step in steps:
        if step["kind"] == "submitted":
            earlier = [] if old is None or old.plan is None else [game.move_of(frame.seat, old.plan)]
            step["changes"] = changes_json(plan_changes(game, before, frame.seat, earlier, [last.move]))


def _standing(game: Game[Any], frame: Frame, standing: Standing) -> dict[str, Any]:
    best = standing.best
    return {
        "value": round(standing.value, 4),
        "source": standing.source,
        "words": standing.words,
        "best": None if best is None else move_label(game, frame.state, best),
        "best_move": best,
        "exact": standing.exact,
    }


def _spend(spend: Spend) -> dict[str, Any]:
    return {name: value for name, value in asdict(spend).items() if value != 0}


def _step(game: Game[Any], frame: Frame, before: Any, body: Body, texts: _Texts) -> dict[str, Any] | None:
    match body:
        case MatchOpened() | TurnClosed() | MatchClosed():
            return None
        case Called():
            return {"kind": "called", **_call(body, texts)}
        case Appraised(engine=engine):
            facts = {key: getattr(body, key) for key in ("n_positions", "nodes", "think_ms", "wait_ms", "error")}
            return {"kind": "appraised", "engine": engine.kind, "options": dict(engine.options), **facts}
        case Consulted(engine=engine, line=line, error=error):
            told: dict[str, Any] = {"kind": "consulted", "engine": engine.kind, "options": dict(engine.options)}
            told |= {"error": error, "wait_ms": body.wait_ms}
            if line is not None:
                labels = move_labels(game, before, line.pv or (line.move,))
                told |= {"move": line.move, "line": labels, "value": line.value, "score": line.score}
                told |= {"nodes": line.nodes, "depth": line.depth, "think_ms": line.think_ms}
            return told
        case Proposed(plan):
            return {
                "kind": "proposed",
                "plan": _plan(game, before, plan, texts),
                **_changes(game, frame, before, None, plan),
            }
        case Revised(old, plan, cause):
            return {
                "kind": "revised",
                "cause": cause.value,
                "before": _plan(game, before, old, texts),
                "plan": _plan(game, before, plan, texts),
                **_changes(game, frame, before, old, plan),
            }
        case Searched(tree=tree, spend=spend):
            return {"kind": "searched", "spend": _spend(spend), **_search(game, before, tree, texts)}
        case Submitted():
            told = {name: getattr(body, name) for name in ("verdict", "cost", "purse", "kept", "changed")}
            return {"kind": "submitted", **told, "problems": texts.number(body.problems) if body.problems else None}
        case RoundPlayed():
            return {"kind": "round", "label": body.label, "winner": body.winner.value if body.winner else None}
        case Refused(refusal):
            return {
                "kind": "refused",
                "what": refusal.kind,
                "text": texts.number(refusal.text),
                "why": texts.number(refusal.why),
            }
        case Overran(scope, overrun):
            return {"kind": "overran", "scope": scope, **asdict(overrun)}
        case Faulted(where, error, detail):
            return {"kind": "fault", "where": where, "error": texts.number(error), "detail": texts.number(detail)}
        case Transcribed(noted):
            return {
                "kind": "noted",
                "comment": texts.number(noted.comment) if noted.comment else None,
                "nags": list(noted.nags),
                "clock_ms": noted.clock_ms,
                "elapsed_ms": noted.elapsed_ms,
            }
        case _:
            assert_never(body)


def _changes(game: Game[Any], frame: Frame, before: Any, old: Plan | None, new: Plan) -> dict[str, Any]:
    if not isinstance(game, Series) or frame.seat is None:
        return {}
    found = plan_changes(game, before, frame.seat, () if old is None else old.moves, new.moves)
    return {"changes": changes_json(found)}


def _plan(game: Game[Any], before: Any, plan: Plan, texts: _Texts) -> dict[str, Any]:
    return {
        "line": [] if isinstance(game, Series) else move_labels(game, before, plan.moves),
        "cost": plan.cost,
        "value": plan.value,
        "why": texts.number(plan.why) if plan.why else None,
    }


def _search(game: Game[Any], before: Any, tree: SearchTree, texts: _Texts) -> dict[str, Any]:
    kept = _most_visited(tree.nodes)
    return {
        "tree": tree.kind.value,
        "method": tree.method,
        "simulations": tree.simulations,
        "n_nodes": tree.n_nodes,
        "depth": tree.depth,
        "first_move": None if tree.first_move is None else move_labels(game, before, [tree.first_move])[0],
        "value_before": tree.value_before,
        "value_after": tree.value_after,
        "line": move_labels(game, before, tree.line),
        "line_moves": list(tree.line),
        "ended": tree.ended,
        "whole": tree.whole,
        "left_out": len(tree.nodes) - len(kept),
        "nodes": [_node(game, before, number, tree.nodes[number], texts) for number in kept],
    }


def _most_visited(nodes: Sequence[TreeNode]) -> list[int]:
    """Places of the nodes to show, in the tree's order; with a node all above it."""
    if len(nodes) <= _MOST_NODES:
        return list(range(len(nodes)))
    kept: set[int] = set()
    for number in sorted(range(len(nodes)), key=lambda place: (-nodes[place].visits, place))[:_MOST_NODES]:
        at: int | None = number
        while at is not None and at not in kept:
            kept.add(at)
            at = nodes[at].parent
    return sorted(kept)


def _node(game: Game[Any], before: Any, number: int, node: TreeNode, texts: _Texts) -> dict[str, Any]:
    """A node without what it does not have."""
    told: dict[str, Any] = {"number": number, "parent": node.parent, "move": node.move, "visits": node.visits}
    if node.depth == 1 and node.move is not None:
        told["label"] = move_labels(game, before, [node.move])[0]
    told |= {
        name: round(value, 4) for name in ("prior", "estimate", "value") if (value := getattr(node, name)) is not None
    }
    told |= {name: True for name in ("proven", "terminal") if getattr(node, name)}
    told |= {name: texts.number(said) for name in ("state", "problem") if (said := getattr(node, name)) is not None}
    if node.check is not None:
        told["check"] = {name: value for name, value in asdict(node.check).items() if value is not None}
    return told


def _call(call: Called, texts: _Texts) -> dict[str, Any]:
    request, answer = call.request, call.answer
    told: dict[str, Any] = {
        "model": call.model,
        "messages": [[message.role, texts.number(message.content)] for message in request.messages],
        "wait_ms": call.wait_ms,
        "error": None if call.error is None else texts.number(call.error),
    }
    if answer is not None:
        told["spend"] = _spend(answer.spend)
    if isinstance(request, Scoring):
        told["asked"] = "score"
        if isinstance(answer, Scores):
            rows = zip(request.continuations, answer.logprobs, answer.n_tokens, strict=True)
            scored = sorted((-total / max(n, 1), text) for text, total, n in rows)
            told["scores"] = [[texts.number(text), round(-per, 4)] for per, text in scored[:_MOST_SCORES]]
            told["n_scores"] = len(scored)
        return told
    told["asked"] = "write"
    told["sampling"] = {**asdict(request.sampling), "stop": list(request.sampling.stop)}
    if isinstance(answer, Completion):
        told["answer"] = texts.number(answer.text)
        told["finish"] = answer.finish.value
    return told
