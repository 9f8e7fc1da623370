"""Events to rows: for each table, the columns that are written and how an event fills them."""

from __future__ import annotations

import json
import zlib
from hashlib import blake2b
from typing import Any

from stratarena.agents.models.base import Completion, Request, Scores, Scoring
from stratarena.agents.plan import Plan
from stratarena.agents.tree import NodeCheck
from stratarena.arena.events import (
    Appraised,
    Called,
    Consulted,
    Event,
    Faulted,
    Overran,
    Refused,
    RoundPlayed,
    Searched,
    Submitted,
)
from stratarena.db.schema import metadata

__all__ = [
    "COLUMNS",
    "ORDER",
    "appraisal_row",
    "attempt_rows",
    "call_rows",
    "consultation_row",
    "fault_row",
    "overrun_row",
    "plan_row",
    "refusal_row",
    "round_row",
    "search_rows",
    "submission_row",
    "text_row",
]

_NOT_BY_EVENTS = (
    *("tournaments", "agents", "models", "identities", "matches"),
    *("imports", "imported_games", "imported_moves"),
    *("judges", "evaluations", "gradings"),
    "receipts",
)
ORDER = tuple(table.name for table in metadata.sorted_tables if table.name not in _NOT_BY_EVENTS)
"""Tables that events are written to, those that others refer to first."""

COLUMNS = {name: tuple(column.name for column in metadata.tables[name].columns) for name in ORDER}

_SHORT = 100
Row = tuple[Any, ...]


def text_row(content: str) -> Row:
    """Hash, codec, length and body of a text; compressed where that is shorter."""
    raw = content.encode("utf-8", "surrogatepass")
    digest = blake2b(raw, digest_size=16).hexdigest()
    if len(raw) > _SHORT:
        packed = zlib.compress(raw, 6)
        if len(packed) < len(raw):
            return (digest, "zlib", len(content), packed)
    return (digest, "utf8", len(content), raw)


def call_rows(event: Event, body: Called, keep: Any) -> tuple[Row, list[Row]]:
    """The row of a model call, and those of its messages. `keep` stores a text and gives its hash."""
    request, answer = body.request, body.answer
    sampling = request.sampling if isinstance(request, Request) else None
    constraint = request.constraint if isinstance(request, Request) else None
    written_by = answer if isinstance(answer, Completion) else None
    written = None
    if isinstance(answer, Completion):
        written = keep(answer.text)
    elif isinstance(answer, Scores):
        written = keep(json.dumps({"logprobs": answer.logprobs, "n_tokens": answer.n_tokens}))
    spend = answer.spend if answer is not None else None
    row = (
        event.match_id,
        event.seq,
        event.ply,
        event.at_ms,
        event.seat.value if event.seat else None,
        body.model,
        "complete" if isinstance(request, Request) else "score",
        sampling.max_tokens if sampling else None,
        sampling.temperature if sampling else None,
        sampling.top_p if sampling else None,
        sampling.seed if sampling else None,
        json.dumps(sampling.stop, ensure_ascii=False) if sampling and sampling.stop else None,
        keep(json.dumps(request.continuations, ensure_ascii=False)) if isinstance(request, Scoring) else None,
        written,
        answer.finish.value if isinstance(answer, Completion) else None,
        spend.prompt_tokens if spend else 0,
        spend.completion_tokens if spend else 0,
        body.spend.cost_usd,
        spend.think_ms if spend else 0.0,
        body.wait_ms,
        _storable(body.error),
        body.failure.value if body.failure else None,
        (sampling.thinking_tokens or None) if sampling else None,
        sampling.effort if sampling else None,
        constraint.kind if constraint else None,
        keep(constraint.body) if constraint else None,
        written_by.enforced if written_by else None,
        keep(written_by.thinking) if written_by and written_by.thinking else None,
        written_by.thinking_tokens if written_by else None,
        written_by.cached_tokens if written_by else None,
        True if written_by and not written_by.usage_reported else None,
        _storable(written_by.served_by) if written_by else None,
    )
    messages = [
        (event.match_id, event.seq, position, message.role, keep(message.content))
        for position, message in enumerate(request.messages)
    ]
    return row, messages


def attempt_rows(event: Event, body: Called) -> list[Row]:
    """A row for each try at a call."""
    return [
        (
            event.match_id,
            event.seq,
            number,
            attempt.failure.value if attempt.failure else None,
            attempt.status,
            attempt.waited_ms,
            attempt.took_ms,
            _storable(attempt.error),
            attempt.at_most_usd,
        )
        for number, attempt in enumerate(body.attempts, start=1)
    ]


def consultation_row(event: Event, body: Consulted) -> Row:
    """The row of a question to an engine."""
    query, line = body.query, body.line
    asked = {"seed": query.seed, "nodes": query.nodes, "depth": query.depth, "move_ms": query.move_ms}
    return (
        *_head(event),
        json.dumps({"kind": body.engine.kind, **dict(body.engine.options)}, sort_keys=True),
        json.dumps({name: value for name, value in asked.items() if value is not None}),
        line.move if line else None,
        " ".join(line.pv) if line else None,
        line.value if line else None,
        _storable(line.score) if line else None,
        line.nodes if line else None,
        line.depth if line else None,
        line.think_ms if line else None,
        body.wait_ms,
        _storable(body.error),
    )


def appraisal_row(event: Event, body: Appraised) -> Row:
    """The row of what an engine was asked about positions in a turn."""
    return (
        *_head(event),
        json.dumps({"kind": body.engine.kind, **dict(body.engine.options)}, sort_keys=True),
        body.n_asks,
        body.n_positions,
        body.nodes,
        body.think_ms,
        body.wait_ms,
        _storable(body.error),
    )


def plan_row(event: Event, plan: Plan, keep: Any) -> Row:
    """The row of a declared plan."""
    return (*_head(event), " ".join(plan.moves), plan.cost, plan.value, keep(plan.why))


def search_rows(event: Event, body: Searched, keep: Any) -> tuple[Row, list[Row]]:
    """The row of a search, and those of its nodes."""
    tree, spend = body.tree, body.spend
    row = (
        *_head(event),
        tree.kind.value,
        tree.method,
        tree.simulations,
        tree.n_nodes,
        tree.depth,
        _storable(tree.first_move),
        tree.value_before,
        tree.value_after,
        _storable(" ".join(tree.line)),
        tree.ended,
        tree.whole,
        spend.model_calls,
        spend.nodes,
        spend.prompt_tokens,
        spend.completion_tokens,
        spend.cost_usd,
        spend.think_ms,
    )
    nodes = [
        (
            event.match_id,
            event.seq,
            number,
            node.parent,
            _storable(node.move),
            node.depth,
            node.prior,
            node.visits,
            node.estimate,
            node.value,
            node.proven,
            node.terminal,
            None if node.state is None else keep(node.state),
            _storable(node.problem),
            *((None,) * 6 if node.check is None else _facts(node.check)),
        )
        for number, node in enumerate(tree.nodes)
    ]
    return row, nodes


def _facts(check: NodeCheck) -> Row:
    return (
        check.legal,
        check.legal_local,
        check.state_right,
        check.state_right_local,
        check.terminal_right,
        check.n_missed,
    )


def submission_row(event: Event, body: Submitted, keep: Any) -> Row:
    """The row of an answer in a resource-limited game."""
    return (*_head(event), body.verdict, body.cost, body.purse, body.kept, body.changed, keep(body.problems))


def round_row(event: Event, body: RoundPlayed, keep: Any) -> Row:
    """The row of a round."""
    left = [(seat.value, name, health, place) for seat, name, health, place in body.survivors]
    return (
        *_head(event),
        body.label,
        body.winner.value if body.winner else None,
        body.decided_by,
        body.simulated.value if body.simulated else None,
        body.reason,
        body.length,
        body.margin,
        keep(json.dumps(left, ensure_ascii=False)),
    )


def refusal_row(event: Event, body: Refused, keep: Any) -> Row:
    """The row of a refused answer."""
    refusal = body.refusal
    return (*_head(event), refusal.kind, keep(refusal.text), _storable(refusal.why))


def overrun_row(event: Event, body: Overran) -> Row:
    """The row of a budget passed."""
    return (*_head(event), body.scope, body.overrun.resource, float(body.overrun.limit), float(body.overrun.used))


def fault_row(event: Event, body: Faulted, keep: Any) -> Row:
    """The row of a failure."""
    return (*_head(event), body.where, _storable(body.error), keep(body.detail))


def _storable(words: str | None) -> str | None:
    """Short words as every database can hold them: lone surrogates and the character that ends strings in C replaced.

    Texts that have to come back whole go through `texts`, which holds bytes.
    """
    if words is None:
        return None
    return words.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def _head(event: Event) -> Row:
    return (event.match_id, event.seq, event.ply, event.at_ms, event.seat.value if event.seat else None)
