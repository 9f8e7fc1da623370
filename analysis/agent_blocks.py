"""The report's page of each agent: every measure in one table, and the matches to look at."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

from stratarena.analysis.facts import Facts
from stratarena.analysis.measures import GROUPS, TITLES, Measure, is_share, measures
from stratarena.analysis.page import Block, Cell, Columns, Heading, Link, Paragraph, Table
from stratarena.analysis.wording import DASH, elo, kind_of_agent, measured, signed

__all__ = ["agent_blocks"]

_SIGNED = frozenset({"improvement_slope", "net_revision_gain", "score_slope"})
_MOST_GAMES = 4
_LOOK_AT = 5


def agent_blocks(facts: Facts) -> tuple[Block, ...]:
    """For each agent in the order of strength a heading, a table of its measures by game, and links to its matches."""
    by_agent: dict[str, list[Measure]] = {}
    for measure in measures(facts):
        by_agent.setdefault(measure.agent, []).append(measure)
    kinds = {agent.name: agent.kind for agent in facts.tournament.agents}
    notable = _Notable(facts)
    blocks: list[Block] = []
    for name, found in by_agent.items():
        blocks.append(Heading(f"{name} ({kind_of_agent(kinds[name])})", f"agent {name}"))
        blocks.append(_table(found, facts.games))
        blocks += notable.blocks(name)
    return tuple(blocks)


def _table(found: list[Measure], games: tuple[str, ...]) -> Table:
    own = [game for game in games if any(measure.game == game for measure in found)]
    shown = ["", *(own[:_MOST_GAMES] if len(own) > 1 else [])]
    cells = {(measure.key, measure.game): measure for measure in found}
    keys = list(dict.fromkeys(measure.key for measure in found if measure.game in shown))
    group_of = {measure.key: measure.group for measure in found}
    rows = tuple(
        (GROUPS[group], TITLES[key], *(_shown(cells.get((key, game))) for game in shown))
        for group in GROUPS
        for key in keys
        if group_of[key] == group
    )
    columns = (Columns("of"), Columns("measure"), *(Columns(game or "all games", True) for game in shown))
    queries = ", ".join(f"query `{query}`" for query in dict.fromkeys(measure.query for measure in found))
    return Table(columns, rows, f"{queries}; all games also in numbers.csv")


def _shown(measure: Measure | None) -> str:
    if measure is None:
        return DASH
    if measure.key == "elo":
        return f"{elo(measure.estimate)}, n = {measure.estimate.n}"
    if measure.key in _SIGNED:
        return f"{signed(measure.estimate)}, n = {measure.estimate.n}"
    return measured(measure.estimate, share=is_share(measure.key))


class _Notable:
    """Matches that are worth a look, by agent."""

    def __init__(self, facts: Facts) -> None:
        self._keys = facts.attempts
        refused: dict[str, Counter[int]] = {}
        for match_id, seat, _ in facts.refusals:
            refused.setdefault(facts.attempts[match_id].agent_at(seat), Counter())[match_id] += 1
        self._refused = refused
        worst: dict[str, list[tuple[float, int]]] = {}
        spoiled: dict[str, list[tuple[float, int]]] = {}
        for play in facts.plays:
            if play.regrets:
                _keep(worst.setdefault(play.agent, []), (max(play.regrets), -play.match_id))
            n = sum(
                update.revised and update.right_before is True and update.right_after is False
                for update in (*play.updates, *play.looks)
            )
            if n:
                _keep(spoiled.setdefault(play.agent, []), (float(n), -play.match_id))
        self._worst, self._spoiled = worst, spoiled

    def blocks(self, name: str) -> list[Block]:
        """A table of links; nothing where there is nothing to look at."""
        refused = self._refused.get(name, Counter())
        most = heapq.nsmallest(_LOOK_AT, refused.items(), key=lambda item: (-item[1], item[0]))
        rows = [
            *self._rows("answers refused", ((float(n), match_id) for match_id, n in most), "{:.0f}"),
            *self._rows("points given away in one move", _best(self._worst.get(name, [])), "{:.2f}"),
            *self._rows("revisions from right to wrong", _best(self._spoiled.get(name, [])), "{:.0f}"),
        ]
        if not rows:
            return []
        columns = (Columns("most"), Columns("how many", True), Columns("match"), Columns("no.", True))
        return [
            Paragraph("Matches to look at, with `stratarena replay NO`:"),
            Table(columns, tuple(rows), "query `refusals`, query `plays`"),
        ]

    def _rows(self, what: str, found: Iterable[tuple[float, int]], form: str) -> list[tuple[Cell, ...]]:
        return [
            (what, form.format(amount), Link(self._keys[match_id].key, f"match {match_id}"), str(match_id))
            for amount, match_id in found
        ]


def _keep(heap: list[tuple[float, int]], item: tuple[float, int]) -> None:
    heapq.heappush(heap, item)
    if len(heap) > _LOOK_AT:
        heapq.heappop(heap)


def _best(heap: list[tuple[float, int]]) -> list[tuple[float, int]]:
    return [(amount, -negative) for amount, negative in sorted(heap, reverse=True)]
