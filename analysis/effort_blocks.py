"""The report's section on tree searches by programs: how far they went, what ended them, and what a simulation costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from stratarena.agents.tree import TreeKind
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.page import Block, Columns, Paragraph, Table
from stratarena.analysis.search_ratios import Count, ratio_by_match
from stratarena.analysis.wording import DASH, measured
from stratarena.db.records import SearchSum

__all__ = ["effort_blocks"]

_SOURCE = "table searches"
_PER_SIMULATION: tuple[tuple[str, Callable[[SearchSum], float]], ...] = (
    ("model calls", lambda search: search.spend.model_calls),
    ("tokens read", lambda search: search.spend.prompt_tokens),
    ("tokens written", lambda search: search.spend.completion_tokens),
    ("ms of thinking", lambda search: search.spend.think_ms),
)


def effort_blocks(searches: Sequence[SearchSum], agents: Sequence[str]) -> tuple[Block, ...]:
    """A table of what searches did and one of what their simulations cost, by agent and game; none without searches."""
    groups: dict[tuple[str, str], list[SearchSum]] = {}
    for search in searches:
        if search.kind is not TreeKind.INTERNAL:
            groups.setdefault((search.agent, search.game), []).append(search)
    if not groups:
        return ()
    order = {agent: place for place, agent in enumerate(agents)}
    ordered = sorted(groups.items(), key=lambda item: (order.get(item[0][0], len(order)), item[0]))
    return (
        Paragraph(
            "Trees that a program searched, whoever evaluated their positions. Means and shares are over searches or "
            "simulations, with 95 % intervals from resampling matches. The spend between two of the plans that a search declares "
            "on its way (after 1, 2, 4, … simulations) is that of the model calls recorded between them."
        ),
        Table(
            (
                *(Columns("agent"), Columns("game"), Columns("method"), Columns("searches", True)),
                *(Columns("simulations", True), Columns("positions", True), Columns("depth", True)),
                *(Columns("changed the move", True), Columns("ended by")),
            ),
            tuple((agent, game, *_did(those)) for (agent, game), those in ordered),
            _SOURCE,
        ),
        Table(
            (
                Columns("agent"),
                Columns("game"),
                *(Columns(f"{title} a simulation", True) for title, _ in _PER_SIMULATION),
            ),
            tuple(
                (agent, game, *(_shown(ratio_by_match(those, _each(of))) for _, of in _PER_SIMULATION))
                for (agent, game), those in ordered
            ),
            _SOURCE,
        ),
        Paragraph(
            "Changed the move: searches whose line begins with another move than was held best before / searches with an "
            "opinion before. A simulation: a descent from the root, or a position evaluated or a vote where there are none."
        ),
    )


def _did(searches: Sequence[SearchSum]) -> tuple[str, ...]:
    changed = ratio_by_match(
        searches,
        lambda each: (0.0, 0.0) if each.first_move is None else (float(each.first_move != each.last_move), 1.0),
        bounds=(0.0, 1.0),
    )
    counts = Counter(search.ended for search in searches)
    return (
        " ".join(sorted({search.method for search in searches})),
        str(len(searches)),
        _shown(ratio_by_match(searches, lambda each: (float(each.simulations), 1.0))),
        _shown(ratio_by_match(searches, lambda each: (float(each.n_nodes), 1.0))),
        _shown(ratio_by_match(searches, lambda each: (float(each.depth), 1.0))),
        measured(changed, share=True),
        ", ".join(f"{ended} {n}" for ended, n in counts.most_common()),
    )


def _each(of: Callable[[SearchSum], float]) -> Callable[[SearchSum], Count]:
    return lambda search: (float(of(search)), float(search.simulations))


def _shown(estimate: Estimate) -> str:
    if estimate.value is None:
        return DASH
    span = "" if estimate.low is None or estimate.high is None else f" [{estimate.low:.3g}, {estimate.high:.3g}]"
    return f"{estimate.value:.3g}{span}"
