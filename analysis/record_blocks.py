"""The report's sections on the record itself: every match, and how it was all played."""

from __future__ import annotations

import json

from stratarena.analysis.facts import Facts
from stratarena.analysis.page import Block, Code, Columns, Heading, Paragraph, Table
from stratarena.analysis.wording import DASH, in_words
from stratarena.arena.specs import Ending
from stratarena.db.queries import QUERIES
from stratarena.db.records import MatchRecord
from stratarena.games.base import Seat

__all__ = ["match_blocks", "provenance_blocks", "query_blocks"]

_MOST_ROWS = 2000
"""Matches that the page lists."""


def match_blocks(facts: Facts) -> tuple[Block, ...]:
    """Every match with its result."""
    matches = facts.matches
    columns = (
        Columns("no.", True), Columns("match"), Columns("first"), Columns("second"), Columns("opening"),
        Columns("result"), Columns("ended by"), Columns("plies", True),
    )  # fmt: skip
    shown = matches[:_MOST_ROWS]
    rows = tuple(
        (
            str(match.match_id), match.key, match.first, match.second, match.opening, *_result(match),
            str(match.plies) if match.verdict is not None else DASH,
        )
        for match in shown
    )  # fmt: skip
    table = Table(
        columns,
        rows,
        "query `matches`; `stratarena replay NO` steps through one",
        tuple(f"match {match.match_id}" for match in shown),
    )
    if len(matches) <= _MOST_ROWS:
        return (table,)
    return (Paragraph(f"The first {_MOST_ROWS:,} of {len(matches):,} matches; all are in matches.csv."), table)


def _result(match: MatchRecord) -> tuple[str, str]:
    verdict = match.verdict
    if verdict is None:
        return DASH, "not over"
    if verdict.ending is Ending.VOID:
        return "void", in_words(verdict.reason)
    score = {None: "½–½", Seat.FIRST: "1–0", Seat.SECOND: "0–1"}[verdict.winner]
    how = in_words(verdict.reason)
    if verdict.at_fault is not None:
        how = f"forfeit of {match.agent_at(verdict.at_fault)}: {how}"
    return score, how


def provenance_blocks(facts: Facts) -> tuple[Block, ...]:
    """Seeds, versions, agents, models, and the tournament file."""
    tournament = facts.tournament
    origin = tournament.origin
    versions = [
        *(
            [("root seed", str(tournament.seed))]
            if origin is None
            else [("imported from", origin.file), ("SHA-256", origin.sha256), ("format", origin.format)]
        ),
        ("stratarena", tournament.program_version),
        ("source revision", tournament.source_revision or "installed as a package"),
        ("Python", tournament.python_version),
        *sorted(tournament.packages.items()),
    ]
    identities = [
        (label, "; ".join(f"{name}: {value}" for name, value in sorted(known.items())))
        for label, known in sorted(tournament.identities.items())
    ]
    agents = [(agent.name, agent.kind, json.dumps(agent.params, ensure_ascii=False)) for agent in tournament.agents]
    return (
        Table((Columns("what"), Columns("value")), tuple(versions), "table tournaments"),
        Table((Columns("agent"), Columns("kind"), Columns("parameters")), tuple(agents), "table agents"),
        Table((Columns("model or engine"), Columns("what it said it was")), tuple(identities), "table identities"),
        *(
            (Paragraph("The tournament file, verbatim:"), Code(tournament.source))
            if origin is None
            else (Paragraph("These games were played elsewhere: players are named as the file names them."),)
        ),
    )


def query_blocks(facts: Facts) -> tuple[Block, ...]:
    """The queries that the tables name, as any client of the database can ask them."""
    blocks: list[Block] = [Paragraph("Every table names the query whose rows its numbers were computed from:")]
    for name, query in QUERIES.items():
        blocks.append(Heading(name, f"query {name}"))
        blocks.append(Code(query.strip().replace(":tournament", str(facts.tournament.tournament_id))))
    return tuple(blocks)
