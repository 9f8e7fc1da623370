"""A tournament's report, from the database alone: same database, same bytes."""

from __future__ import annotations

from collections.abc import Callable

from stratarena.agents.tree import TreeKind
from stratarena.analysis.agent_blocks import agent_blocks
from stratarena.analysis.anomaly_blocks import anomaly_blocks
from stratarena.analysis.conduct_blocks import cost_blocks, legality_blocks
from stratarena.analysis.effort_blocks import effort_blocks
from stratarena.analysis.estimate import proportion
from stratarena.analysis.facts import Facts
from stratarena.analysis.imagined_blocks import imagined_blocks
from stratarena.analysis.linearized_blocks import linearized_blocks
from stratarena.analysis.measures import DEFINITIONS as MEASURES
from stratarena.analysis.measures import TITLES as MEASURE_TITLES
from stratarena.analysis.page import Block, Page, Paragraph, Section
from stratarena.analysis.plan_blocks import plan_blocks
from stratarena.analysis.quality_blocks import calibration_blocks, correction_blocks, quality_blocks
from stratarena.analysis.record_blocks import match_blocks, provenance_blocks, query_blocks
from stratarena.analysis.result_blocks import cross_blocks, learning_blocks, seat_blocks, standings_blocks
from stratarena.analysis.wording import DASH, elo, moment, percent, with_n
from stratarena.arena.specs import Ending
from stratarena.db.reader import Reader

__all__ = ["SECTIONS", "build_report", "page_of"]

_TOLD = frozenset({"score", "elo", "legal_at_once"})
"""Measures that the terms below explain."""
DEFINITIONS = (
    ("score", "1 for a win, 0.5 for a draw, 0 for a loss. Void and unfinished matches count for nobody."),
    (
        "score a match",
        (
            "points / matches that count; 95 % Wilson score interval with n = opening pairs, since the two matches of a pair "
            "are not independent."
        ),
    ),
    (
        "Elo",
        (
            "joint fit of all matches by the Bradley-Terry model with, for each game, Davidson's draws and a seat "
            "advantage; weak normal prior (sd 800 Elo), so that the unbeaten and the winless stay finite; 95 % interval: "
            "normal, with the standard error of 200 fits to resampled opening pairs, or, for an agent that won or lost "
            "everything or has fewer than ten pairs, of the fit itself where that is larger. 400 Elo are odds of "
            "10 to 1. It mixes the games that an agent entered; the cross-tables do not. The scale's origin is the anchor: "
            "the agent whose rating the tournament file states, else the random player at 0, else a rung of the ladder with "
            "its stored rating, else the mean of all."
        ),
    ),
    (
        "likelihood of superiority",
        ("of the first of two agents: Φ(difference / standard error), with the standard error of the interval."),
    ),
    (
        "sequential test",
        (
            "generalized sequential probability ratio test over pairs of matches (pentanomial), in the order of the "
            "schedule, of elo1 against elo0 with error rates alpha and beta as the tournament file states them."
        ),
    ),
    (
        "rank",
        (
            "1 + the number of agents that are clearly stronger: the whole 95 % interval of the difference lies above 0. "
            "Agents that cannot be told apart share a rank."
        ),
    ),
    (
        "legal at once",
        (
            "turns whose first answer was a legal move / turns, void matches left out; 95 % Wilson score interval. An agent "
            "that chooses among legal moves is legal by construction: that is no merit of its model."
        ),
    ),
    (
        "refused",
        "answers the referee turned down: malformed (no move in them), ambiguous (several), illegal (against the rules).",
    ),
    (
        "think time a turn",
        "milliseconds that model, engine or agent worked in a turn, waiting left out; mean and normal 95 % interval.",
    ),
    ("tokens a turn", "prompt and completion tokens, over turns that asked a model; mean and normal 95 % interval."),
    ("cost", "by the price table of the tournament file; unknown where a price is not known, never zero."),
)


def _definition_blocks(facts: Facts) -> tuple[Block, ...]:
    terms = (*DEFINITIONS, *((MEASURE_TITLES[key], meaning) for key, meaning in MEASURES.items() if key not in _TOLD))
    return tuple(Paragraph(f"{term}: {meaning}") for term, meaning in terms)


def _written_blocks(facts: Facts) -> tuple[Block, ...]:
    written = tuple(facts.reader.searches(facts.tournament, TreeKind.INTERNAL, facts.matches))
    return linearized_blocks(written, facts.standings.names) if written else ()


def _effort_blocks(facts: Facts) -> tuple[Block, ...]:
    return effort_blocks(facts.reader.search_sums(facts.tournament, facts.matches), facts.standings.names)


def _imagined_blocks(facts: Facts) -> tuple[Block, ...]:
    imagined = tuple(facts.reader.searches(facts.tournament, TreeKind.IMAGINED, facts.matches))
    return imagined_blocks(imagined, facts.standings.names) if imagined else ()


SECTIONS: tuple[tuple[str, Callable[[Facts], tuple[Block, ...]]], ...] = (
    ("Standings", standings_blocks),
    ("Cross-tables", cross_blocks),
    ("By seat and by ending", seat_blocks),
    ("Over the rounds", learning_blocks),
    ("Legality", legality_blocks),
    ("Move quality", quality_blocks),
    ("Plans and revisions", plan_blocks),
    ("Self-correction", correction_blocks),
    ("Tree searches", _effort_blocks),
    ("Searches that models wrote", _written_blocks),
    ("Worlds that models imagined", _imagined_blocks),
    ("Stated chances of winning", calibration_blocks),
    ("Thinking", cost_blocks),
    ("Anomalies", anomaly_blocks),
    ("Agents", agent_blocks),
    ("Matches", match_blocks),
    ("Definitions", _definition_blocks),
    ("Queries", query_blocks),
    ("How it was played", provenance_blocks),
)
"""Titles and what makes the blocks under them. A section without blocks is left out."""


def build_report(reader: Reader, name: str | None) -> Page:
    """The report as data. Raises `RecordError` when the tournament is not there."""
    return page_of(Facts(reader, name))


def page_of(facts: Facts) -> Page:
    """The report as data."""
    sections = [Section(title, blocks) for title, make in SECTIONS if (blocks := make(facts))]
    return Page(
        title=f"Tournament {facts.tournament.name}",
        summary=_summary(facts),
        headlines=_headlines(facts),
        sections=tuple(sections),
    )


def _summary(facts: Facts) -> tuple[str, ...]:
    tournament, matches, standings = facts.tournament, facts.matches, facts.standings
    over = len(standings.matches)
    games = ", ".join(dict.fromkeys(match.game for match in matches))
    closed = max((match.closed_ms for match in matches if match.closed_ms is not None), default=None)
    when = "" if closed is None else f" The last one ended {moment(closed)}."
    seeded = f", root seed {tournament.seed}" if tournament.origin is None else ", imported from a file"
    spared = f" ({len(standings.spared)} need not be played)" if standings.spared else ""
    return (
        f"{over} of {len(matches)} matches{spared} between {len(tournament.agents)} agents in {games}{seeded}.{when}",
        "Every number here was computed from the database; nothing was typed in.",
    )


def _headlines(facts: Facts) -> tuple[tuple[str, str, str], ...]:
    standings = facts.standings
    # A bad plan forfeits nothing, the series goes on without it: that is no match played by the rules either.
    planned = {play.match_id for play in facts.plays if play.answers}
    broken = {play.match_id for play in facts.plays if any(answer.verdict != "ok" for answer in play.answers)}
    by_rules = sum(
        match.verdict is not None and match.verdict.ending is not Ending.FORFEIT and match.match_id not in broken
        for match in standings.matches
    )
    played = proportion(by_rules, len(standings.matches))
    leaders = [name for name in standings.names if standings.ranks[name] == 1]
    best = standings.ratings.elo[leaders[0]] if leaders else None
    lead = (
        ""
        if best is None
        else f"{elo(best)} Elo" + (f" above {standings.ratings.anchor}" if standings.ratings.anchor else "")
    )
    others = f"; shares rank 1 with {', '.join(leaders[1:])}" if len(leaders) > 1 else ""
    return (
        (
            "Played by the rules",
            percent(played),
            "matches that nobody forfeited" + (", with every plan a legal one" if planned else "") + with_n(played),
        ),
        ("Strongest", leaders[0] if leaders else DASH, (lead + others) or "no match is over"),
    )
