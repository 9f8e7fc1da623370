"""Rows of the record as the values that events hold."""

from __future__ import annotations

import json
from typing import Any

from stratarena.agents.budget import Spend
from stratarena.agents.engines.base import EngineLine, EngineSpec, Query
from stratarena.agents.models.base import (
    Attempt,
    Completion,
    Constraint,
    Failure,
    Finish,
    Message,
    ModelAnswer,
    ModelRequest,
    Request,
    Sampling,
    Scores,
    Scoring,
)
from stratarena.agents.plan import Plan
from stratarena.agents.tree import NodeCheck, SearchTree, TreeKind, TreeNode
from stratarena.arena.events import Called, Consulted, RoundPlayed, Searched
from stratarena.games.base import Move, Seat

__all__ = [
    "SPEND_FIELDS",
    "attempt_of",
    "call_of",
    "consultation_of",
    "engine_of",
    "node_of",
    "plan_of",
    "round_of",
    "search_of",
]

SPEND_FIELDS = ("model_calls", "prompt_tokens", "completion_tokens", "nodes", "cost_usd")
_SEARCH_FIELDS = ("method", "simulations", "n_nodes", "depth", "value_before", "value_after", "ended", "whole")
_NODE_FIELDS = ("parent", "depth", "prior", "visits", "estimate", "value", "proven", "terminal", "problem")
_CHECK_FIELDS = ("legal", "legal_local", "state_right", "state_right_local", "terminal_right", "n_missed")


def round_of(row: Any, texts: dict[str, str]) -> RoundPlayed:
    """A round of a series."""
    facts = {name: row[name] for name in ("label", "decided_by", "reason", "length", "margin")}
    return RoundPlayed(
        **facts,
        winner=Seat(row["winner"]) if row["winner"] else None,
        simulated=Seat(row["simulated"]) if row["simulated"] else None,
        survivors=tuple(
            (Seat(seat), name, health, place) for seat, name, health, place in json.loads(texts[row["survivors"]])
        ),
    )


def plan_of(row: Any, texts: dict[str, str]) -> Plan:
    """A declared plan."""
    return Plan(
        moves=tuple(Move(move) for move in row["moves"].split()),
        cost=row["cost"],
        value=row["value"],
        why=texts[row["why"]],
    )


def search_of(row: Any, nodes: tuple[TreeNode, ...]) -> Searched:
    """A search, with its nodes where they were kept."""
    facts = {name: row[name] for name in _SEARCH_FIELDS}
    tree = SearchTree(
        **facts,
        kind=TreeKind(row["kind"]),
        first_move=None if row["first_move"] is None else Move(row["first_move"]),
        line=tuple(Move(move) for move in row["line"].split()),
        nodes=nodes,
    )
    return Searched(tree=tree, spend=Spend(think_ms=row["think_ms"], **{name: row[name] for name in SPEND_FIELDS}))


def node_of(row: Any, texts: dict[str, str]) -> TreeNode:
    """A node, and what the rules found of it."""
    facts = {name: row[name] for name in _CHECK_FIELDS}
    checked = any(fact is not None for fact in facts.values())
    return TreeNode(
        **{name: row[name] for name in _NODE_FIELDS},
        move=None if row["move"] is None else Move(row["move"]),
        state=None if row["state"] is None else texts[row["state"]],
        check=NodeCheck(**facts) if checked else None,
    )


def call_of(row: Any, messages: tuple[Message, ...], attempts: tuple[Attempt, ...], texts: dict[str, str]) -> Called:
    """A call of a model with its answer, or what kept it from one."""
    request: ModelRequest
    answer: ModelAnswer | None = None
    spend = Spend(
        model_calls=1,
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        think_ms=row["think_ms"],
        cost_usd=row["cost_usd"],
    )
    if row["kind"] == "score":
        request = Scoring(messages=messages, continuations=tuple(json.loads(texts[row["continuations"]])))
        if row["answer"] is not None:
            numbers = json.loads(texts[row["answer"]])
            answer = Scores(logprobs=tuple(numbers["logprobs"]), n_tokens=tuple(numbers["n_tokens"]), spend=spend)
    else:
        sampling = Sampling(
            max_tokens=row["max_tokens"],
            temperature=row["temperature"],
            top_p=row["top_p"],
            seed=row["seed"],
            stop=tuple(json.loads(row["stop"])) if row["stop"] else (),
            thinking_tokens=row["thinking_room"] or 0,
            effort=row["effort"],
        )
        constraint = None
        if row["constraint_kind"] is not None:
            constraint = Constraint(kind=row["constraint_kind"], body=texts[row["constraint_body"]])
        request = Request(messages=messages, sampling=sampling, constraint=constraint)
        if row["answer"] is not None:
            facts = {name: row[name] for name in ("enforced", "thinking_tokens", "cached_tokens", "served_by")}
            answer = Completion(
                text=texts[row["answer"]],
                finish=Finish(row["finish"]),
                spend=spend,
                thinking="" if row["thinking"] is None else texts[row["thinking"]],
                usage_reported=not row["usage_guessed"],
                **facts,
            )
    return Called(
        model=row["model"],
        request=request,
        answer=answer,
        error=row["error"],
        failure=Failure(row["failure"]) if row["failure"] else None,
        wait_ms=row["wait_ms"],
        attempts=attempts,
    )


def attempt_of(row: Any) -> Attempt:
    """One try at a call."""
    facts = {name: row[name] for name in ("status", "waited_ms", "took_ms", "error", "at_most_usd")}
    return Attempt(failure=Failure(row["failure"]) if row["failure"] else None, **facts)


def engine_of(text: str) -> EngineSpec:
    """The engine that a row names."""
    engine = json.loads(text)
    kind = engine.pop("kind")
    return EngineSpec(kind=kind, options=tuple(sorted(engine.items())))


def consultation_of(row: Any, match: Any, moves: tuple[Move, ...]) -> Consulted:
    """A question to an engine and its line. `moves` are those of the match."""
    line = None
    if row["move"] is not None:
        line = EngineLine(
            move=Move(row["move"]),
            pv=tuple(Move(move) for move in row["pv"].split()),
            value=row["value"],
            score=row["score"],
            nodes=row["nodes"],
            depth=row["depth"],
            think_ms=row["think_ms"],
        )
    query = Query(game=match["game"], start=match["start"], moves=moves[: row["ply"]], **json.loads(row["query"]))
    return Consulted(
        engine=engine_of(row["engine"]),
        query=query,
        line=line,
        error=row["error"],
        wait_ms=row["wait_ms"],
    )
