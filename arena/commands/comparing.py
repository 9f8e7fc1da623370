"""`compare`: two agents of a tournament in pairs, with effect sizes and tests that respect the pairs."""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches

from stratarena.analysis.compare import Comparison, MetricGap, Paired, compare
from stratarena.analysis.facts import Facts
from stratarena.analysis.measures import TITLES, is_share
from stratarena.arena.commands.console import make_table, out, print_json
from stratarena.arena.commands.reading import opened
from stratarena.db.errors import RecordError
from stratarena.games.base import SpecError

__all__ = ["compare_agents"]


def compare_agents(one: str, other: str, tournament: str | None, *, db: str, as_json: bool) -> None:
    """Print how two agents compare.

    Raises:
        RecordError: there is no such tournament, or the two were in no block together.
        SpecError: a name is no agent of the tournament, or both are the same.
    """
    with opened(db) as reader:
        facts = Facts(reader, tournament)
        names = [agent.name for agent in facts.tournament.agents]
        for name in (one, other):
            if name not in names:
                close = get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]!r}? " if close else ""
                raise SpecError(
                    f"{name!r} is no agent of {facts.tournament.name!r}; {hint}there are: {', '.join(names)}"
                )
        if one == other:
            raise SpecError("name two different agents")
        found = compare(
            one, other, matches=facts.standings.matches, sides=reader.sides(facts.tournament), plays=facts.plays
        )
        likely = facts.standings.ratings.superiority.get((one, other))
    if not found.direct.difference.n and not found.others.difference.n:
        raise RecordError(
            f"{one} and {other} cannot be compared in {facts.tournament.name!r}: they met neither each other nor the same "
            "opponent from the same opening in a whole pair of matches"
        )
    if as_json:
        print_json({"tournament": facts.tournament.name, "likelihood_of_superiority": likely, **asdict(found)})
    else:
        _tell(facts.tournament.name, found, likely)


def _tell(tournament: str, found: Comparison, likely: float | None) -> None:
    console = out()
    rows = []
    if found.direct.difference.n:
        rows.append(("against each other", *_row(found.direct)))
    if found.others.difference.n:
        rows.append((f"against {', '.join(found.opponents)}", *_row(found.others)))
    columns = ["score a match", "difference [95 %]", "blocks", "won/drawn/lost", "effect (d)", "p"]
    title = f"{tournament}: {found.first} less {found.second}"
    console.print(make_table(title, columns, rows, right="difference [95 %]|blocks|won/drawn/lost|effect (d)|p"))
    if found.direct.difference.n:
        elo = found.elo
        shown = "unbounded" if elo.value is None else f"{elo.value:+.0f}"
        low = "-∞" if elo.low is None else f"{elo.low:+.0f}"
        high = "∞" if elo.high is None else f"{elo.high:+.0f}"
        console.print(
            f"by their own matches {shown} Elo [{low}, {high}]; pairs with 0, ½, 1, 1½, 2 points: "
            f"{' '.join(map(str, found.pentanomial))}",
            soft_wrap=True,
        )
    if likely is not None:
        console.print(
            f"by the joint ratings {found.first} is the stronger with likelihood {100 * likely:.1f} %", soft_wrap=True
        )
    if found.metrics:
        console.print()
        console.print(
            make_table(
                "the same blocks, other measures",
                ["measure", found.first, found.second, "difference [95 %]", "blocks", "p", "p (Holm)"],
                [_metric_row(gap) for gap in found.metrics],
                right=f"{found.first}|{found.second}|difference [95 %]|blocks|p|p (Holm)",
            )
        )
    if found.unpaired:
        console.print(f"left out: {found.unpaired} matches that have no counterpart of the other agent", soft_wrap=True)
    console.print(
        "a block is a pair of matches against each other, or both agents' pairs against one opponent from one opening; "
        "p is two-sided, by swapping the agents within blocks",
        soft_wrap=True,
    )


def _row(found: Paired) -> tuple[str, ...]:
    one = found.difference
    assert one.value is not None
    shown = f"{one.value:+.3f}"
    if one.low is not None and one.high is not None:
        shown += f" [{one.low:+.3f}, {one.high:+.3f}]"
    effect = "-" if found.effect is None else f"{found.effect:+.2f}"
    return shown, str(one.n), f"{found.won}/{found.drawn}/{found.lost}", effect, _p(found.p)


def _metric_row(gap: MetricGap) -> tuple[str, ...]:
    scale, unit, digits = (100, " %", 1) if is_share(gap.key) else (1, "", 3 if abs(gap.first) < 100 else 0)
    one = gap.difference
    assert one.value is not None
    shown = f"{one.value * scale:+,.{digits}f}{unit}"
    if one.low is not None and one.high is not None:
        shown += f" [{one.low * scale:+,.{digits}f}, {one.high * scale:+,.{digits}f}]"
    values = (
        f"{value * scale:,.{digits}f}{unit} (n={n:,})"
        for value, n in ((gap.first, gap.n_first), (gap.second, gap.n_second))
    )
    return TITLES[gap.key], *values, shown, str(one.n), _p(gap.p), _p(gap.p_holm)


def _p(p: float | None) -> str:
    return "-" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"
