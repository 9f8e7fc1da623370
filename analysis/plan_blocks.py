"""The report's section on plans and revisions: metrics by agent and game, and the paper's figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stratarena.analysis import figures
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.facts import Facts
from stratarena.analysis.page import Block, Columns, Figure, Paragraph, Table
from stratarena.analysis.process import (
    DEFINITIONS,
    TITLES,
    Play,
    Scope,
    published_of,
    risk_against_success,
    scopes_of,
)

__all__ = ["plan_blocks"]

_DASH = "–"
_WIDE = 4
"""Metrics side by side that a page has room for."""
_SIGNED = ("improvement_slope", "net_revision_gain")


def plan_blocks(facts: Facts) -> tuple[Block, ...]:
    """Tables of every metric, both definitions, the figure of risk against success; nothing where nobody declared a plan
    and nobody graded a move."""
    plays = facts.plays
    if not plays:
        return ()
    scopes = [scope for scope in scopes_of(plays, facts.standings.names) if not scope.side]
    measured = [(scope, facts.process[scope.agent, scope.game]) for scope in scopes]
    whole = {scope.agent: found for scope, found in measured if not scope.game}
    points = {
        agent: (found["over_correction_risk"], found["correction_success"])
        for agent, found in whole.items()
        if found["over_correction_risk"].value is not None and found["correction_success"].value is not None
    }
    keys = [key for key in DEFINITIONS if any(found[key].value is not None for _, found in measured)]
    blocks: list[Block] = [Paragraph(text) for text in _graders(plays)]
    blocks += [_table(measured, keys[at : at + _WIDE]) for at in range(0, len(keys), _WIDE)]
    if len(keys) < len(DEFINITIONS):
        blocks.append(Paragraph(f"No data for: {', '.join(TITLES[key] for key in DEFINITIONS if key not in keys)}."))
    caption = "Correction success against over-correction risk, all games together."
    if not points:
        blocks.append(Paragraph(f"({caption} No agent has both.)"))
    elif figures.available():
        blocks.append(Figure(caption, figures.risk_figure(points)))
    else:
        blocks.append(Paragraph(f"({caption} {figures.PLOTS_MISSING})"))
    blocks += [
        Paragraph(_correlation(points)),
        *([_published(scopes)] if any(play.answers for play in plays) else []),
    ]
    return tuple(blocks)


def _graders(plays: Sequence[Play]) -> list[str]:
    """Who said which moves on boards were right."""
    boards = [play for play in plays if not play.answers]
    by_game = {play.game: play.judge for play in boards}
    told = [f"{game} by {judge}" for game, judge in by_game.items() if judge is not None]
    ungraded = [game for game, judge in by_game.items() if judge is None]
    graded = [f"Moves on boards were graded afterwards: {', '.join(told)}."] if told else []
    return graded + (
        [f"Nobody graded the moves of {', '.join(ungraded)}; `stratarena annotate` asks engines and solvers."]
        if ungraded
        else []
    )


def _table(measured: Sequence[tuple[Scope, Mapping[str, Estimate]]], keys: Sequence[str]) -> Table:
    columns = (
        Columns("agent"),
        Columns("game"),
        Columns("matches", True),
        *(Columns(TITLES[key], True) for key in keys),
    )
    rows = tuple(
        (
            scope.agent,
            scope.game or "all",
            str(len({play.match_id for play in scope.plays})),
            *(_shown(found[key], signed=key in _SIGNED) for key in keys),
        )
        for scope, found in measured
    )
    return Table(
        columns,
        rows,
        "query `plays`; analysis.process, intervals over matches",
    )


def _published(scopes: Sequence[Scope]) -> Table:
    names = ("win rate", "over-correction risk", "correction success", "slope", "over-budget ratio")
    rows = []
    for scope in scopes:
        found = published_of(scope.plays) if scope.game else None
        if found is not None:
            values = (
                found.win_rate,
                found.correction_rate,
                found.correction_success_rate,
                found.improvement_slope,
                found.over_budget_ratio,
            )
            rows.append((scope.agent, scope.game, *(f"{value:.4f}" for value in values)))
    columns = (Columns("agent"), Columns("game"), *(Columns(name, True) for name in names))
    return Table(
        columns, tuple(rows), "the public evaluator's formulas, defects included (what it cannot compute is 0)"
    )


def _correlation(points: Mapping[str, tuple[Estimate, Estimate]]) -> str:
    found = risk_against_success([(risk.value, success.value) for risk, success in points.values()])
    if found.r is None or found.p is None:
        return f"Risk against success: no correlation, n = {found.n} agents have both and vary in both."
    interval = "" if found.low is None or found.high is None else f", 95 % interval {found.low:.2f} to {found.high:.2f}"
    more = "" if found.rho is None else f"; Spearman's rho {found.rho:.2f}"
    more += "" if found.permutation_p is None else f", permutation p {found.permutation_p:.3f}"
    return (
        f"Risk against success over n = {found.n} agents: Pearson's r {found.r:.2f}{interval}, p {found.p:.3f}{more}."
    )


def _shown(estimate: Estimate, *, signed: bool) -> str:
    if estimate.value is None:
        return _DASH
    if signed:
        shown = f"{estimate.value:+.3f}"
        bounds = "" if estimate.low is None or estimate.high is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    else:
        shown = f"{100 * estimate.value:.0f} %"
        bounds = (
            ""
            if estimate.low is None or estimate.high is None
            else f" [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"
        )
    return f"{shown}{bounds}, n = {estimate.n}"
