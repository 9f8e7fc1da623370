"""The report's sections on conduct: legality of what was said, and what thinking cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stratarena.analysis import figures
from stratarena.analysis.conduct import THIRDS, Conduct
from stratarena.analysis.estimate import Estimate, proportion
from stratarena.analysis.facts import Facts
from stratarena.analysis.page import Block, Columns, Paragraph, Table
from stratarena.analysis.wording import DASH, figure, in_words, kind_of_agent, number, percent, with_n

__all__ = ["cost_blocks", "frontier", "legality_blocks"]

_TENS = 8
"""Columns of ten plies that a page has room for; the figure shows all."""
_COSTS: tuple[tuple[str, str, Callable[[Conduct], Estimate]], ...] = (
    ("thinking time", "milliseconds of thinking a turn", lambda conduct: conduct.think_ms_per_turn),
    ("tokens", "tokens a turn that asked a model", lambda conduct: conduct.tokens_per_turn),
    ("money", "US dollars a match", lambda conduct: conduct.cost_per_match),
)


def legality_blocks(facts: Facts) -> tuple[Block, ...]:
    """Who said what the rules allow."""
    conduct = facts.conduct
    kinds = _kinds(facts)
    usual = ("malformed", "ambiguous", "illegal")
    refusals = (*usual, *sorted({kind for found in conduct.values() for kind in found.refused} - set(usual)))
    rows = tuple(
        (
            agent,
            game or "all",
            kinds[agent],
            str(found.turns),
            f"{percent(found.legal_at_once)}{with_n(found.legal_at_once)}",
            *(str(found.refused.get(refusal, 0) or DASH) for refusal in refusals),
        )
        for (agent, game), found in sorted(conduct.items(), key=lambda item: (item[0][0], item[0][1] == "", item[0][1]))
        if found.model_calls or found.refused
    )
    if not rows:
        return (Paragraph("No model was asked, and no answer was refused."),)
    spoke = list(dict.fromkeys(row[0] for row in rows))
    columns = (
        Columns("agent"), Columns("game"), Columns("kind"), Columns("turns", True), Columns("legal at once", True),
        *(Columns(in_words(refusal), True) for refusal in refusals),
    )  # fmt: skip
    source = "query `sides` and query `refusals`; agents that asked a model or were refused"
    return (Table(columns, rows, source), *_by_third(facts, spoke), *_by_ply(facts, spoke))


def _kinds(facts: Facts) -> dict[str, str]:
    return {agent.name: kind_of_agent(agent.kind) for agent in facts.tournament.agents}


def _by_third(facts: Facts, names: Sequence[str]) -> tuple[Block, ...]:
    """Legality in each third of a match's plies."""
    kinds = _kinds(facts)
    rows = tuple(
        (
            name,
            game or "all",
            kinds[name],
            *(
                f"{percent(third.legal_at_once)}{with_n(third.legal_at_once)}"
                for third in facts.conduct[name, game].thirds
            ),
        )
        for name in names
        for game in ("", *facts.games)
        if (name, game) in facts.conduct and any(third.legal_at_once.n for third in facts.conduct[name, game].thirds)
    )
    if not rows:
        return ()
    columns = (
        Columns("agent"),
        Columns("game"),
        Columns("kind"),
        *(Columns(f"{third} third", True) for third in THIRDS),
    )
    return (
        Paragraph("Legal at once by third of a match's plies; matches that are not over are left out."),
        Table(columns, rows, "query `sides`"),
    )


def _by_ply(facts: Facts, names: Sequence[str]) -> tuple[Block, ...]:
    """Legality by tens of plies, all games together."""
    kinds = _kinds(facts)
    sums: dict[str, dict[int, list[int]]] = {name: {} for name in names}
    for row in facts.reader.plies(facts.tournament):
        if row.agent in sums:
            both = sums[row.agent].setdefault(row.ten, [0, 0])
            both[0] += row.legal_at_once
            both[1] += row.turns
    rates = {
        name: {ten: proportion(legal, turns) for ten, (legal, turns) in sorted(by_ten.items())}
        for name, by_ten in sums.items()
        if by_ten
    }
    if not rates:
        return ()
    tens = sorted({ten for by_ten in rates.values() for ten in by_ten})[:_TENS]
    columns = (Columns("agent"), Columns("kind"), *(Columns(f"plies {10 * ten}-{10 * ten + 9}", True) for ten in tens))
    rows = tuple(
        (
            name,
            kinds[name],
            *(f"{percent(by_ten[ten])}{with_n(by_ten[ten])}" if ten in by_ten else DASH for ten in tens),
        )
        for name, by_ten in rates.items()
    )
    return (
        Paragraph("Legal at once by ply, all games together; Wilson score intervals over turns."),
        Table(columns, rows, "query `plies`"),
        figure(
            "Legality by ply, with 95 % Wilson intervals over turns; n is turns.",
            lambda: figures.plies_figure({name: rates[name] for name in rates}),
        ),
    )


def cost_blocks(facts: Facts) -> tuple[Block, ...]:
    """What thinking cost."""
    conduct, standings = facts.conduct, facts.standings
    names = [name for name in standings.names if (name, "") in conduct]
    rows = tuple(
        (
            name,
            str(found.turns),
            f"{found.model_calls:,}",
            number(found.tokens_per_turn),
            number(found.nodes_per_turn),
            number(found.think_ms_per_turn),
            "unknown" if found.cost_usd is None else f"${found.cost_usd:.4f}",
            str(found.overruns or DASH),
        )
        for name in names
        for found in (conduct[name, ""],)
    )
    columns = (
        Columns("agent"), Columns("turns", True), Columns("model calls", True), Columns("tokens a turn", True),
        Columns("nodes a turn", True), Columns("think time a turn, ms", True), Columns("cost", True),
        Columns("turns over budget", True),
    )  # fmt: skip
    blocks: list[Block] = [
        Table(columns, rows, "query `sides`; void matches included, since they were paid for"),
        *_spend_by_third(facts, names),
    ]
    for key, unit, of in _COSTS:
        points = {name: (of(conduct[name, ""]), standings.score(name)) for name in names}
        points = {name: pair for name, pair in points.items() if pair[0].value and pair[1].value is not None}
        if points:
            efficient = frontier(points)
            blocks.append(
                figure(
                    f"Score against {key}, 95 % intervals; n is pairs of matches.",
                    lambda points=points, unit=unit, efficient=efficient: figures.cost_figure(  # type: ignore[misc]
                        points, unit=unit, frontier=efficient
                    ),
                )
            )
            blocks.append(
                Paragraph(
                    f"Efficient by {key} (nobody else scores as much for less): {', '.join(efficient)}; "
                    "point estimates, intervals left out of account."
                )
            )
    return tuple(blocks)


def frontier(points: Mapping[str, tuple[Estimate, Estimate]]) -> tuple[str, ...]:
    """The agents that nobody beats in both cost and score, the cheapest first; `points` are cost and score."""
    order = sorted(points, key=lambda name: (points[name][0].value or 0.0, -(points[name][1].value or 0.0)))
    found: list[str] = []
    best = -1.0
    for name in order:
        score = points[name][1].value or 0.0
        if score > best:
            found.append(name)
            best = score
    return tuple(found)


def _spend_by_third(facts: Facts, names: Sequence[str]) -> tuple[Block, ...]:
    """Thinking in each third of a match's plies."""
    rows = tuple(
        (
            name,
            *(number(third.think_ms_per_turn) for third in facts.conduct[name, ""].thirds),
            *(number(third.tokens_per_turn) for third in facts.conduct[name, ""].thirds),
        )
        for name in names
        if any(third.think_ms_per_turn.n for third in facts.conduct[name, ""].thirds)
    )
    if not rows:
        return ()
    columns = (
        Columns("agent"),
        *(Columns(f"think time a turn, ms: {third} third", True) for third in THIRDS),
        *(Columns(f"tokens a turn: {third} third", True) for third in THIRDS),
    )
    return (
        Paragraph("Spending a turn by third of a match's plies; matches that are not over are left out."),
        Table(columns, rows, "query `sides`"),
    )
