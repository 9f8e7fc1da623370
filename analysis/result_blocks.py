"""The report's sections on results: standings, cross-tables, seats and endings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from stratarena.analysis import figures
from stratarena.analysis.estimate import no_data, proportion
from stratarena.analysis.facts import Facts
from stratarena.analysis.league import Tally, cross_table, lines, tally_by
from stratarena.analysis.learning import learning_by
from stratarena.analysis.page import Block, Columns, Paragraph, Table
from stratarena.analysis.standing import Standings
from stratarena.analysis.wording import DASH, elo, figure, in_words, kind_of_agent, percent, signed, with_n
from stratarena.games.base import Seat

__all__ = ["cross_blocks", "learning_blocks", "seat_blocks", "standings_blocks"]


def standings_blocks(facts: Facts) -> tuple[Block, ...]:
    """Ranks, ratings and scores, what a seat is worth, and who is likely the stronger of each two."""
    standings, tournament = facts.standings, facts.tournament
    kinds = {agent.name: agent.kind for agent in tournament.agents}
    rows = tuple(
        (
            str(standings.ranks[name]),
            name,
            kind_of_agent(kinds[name]),
            elo(standings.ratings.elo[name]),
            str(found.games),
            f"{found.wins}/{found.draws}/{found.losses}",
            percent(standings.score(name)),
        )
        for name in standings.names
        for found in (standings.tallies[name],)
    )
    columns = (
        Columns("rank", True), Columns("agent"), Columns("kind"), Columns("Elo", True), Columns("matches", True),
        Columns("won/drawn/lost", True), Columns("score a match", True),
    )  # fmt: skip
    blocks: list[Block] = [Table(columns, rows, "query `matches`; Elo and intervals as defined below")]
    if standings.ratings.seat_advantage:
        worth = "; ".join(
            f"{game}: {elo(advantage)} Elo (n = {advantage.n} matches)"
            for game, advantage in standings.ratings.seat_advantage.items()
        )
        blocks.append(Paragraph(f"Moving first is worth, by game: {worth}."))
    if not standings.ratings.connected:
        blocks.append(Paragraph("Not everybody can be compared: no chain of matches joins all agents."))
    blocks += _test_blocks(standings)
    if standings.idle:
        blocks.append(Paragraph(f"Without a match that counts: {', '.join(standings.idle)}."))
    if standings.names:
        anchor = standings.ratings.anchor
        caption = "Ratings with 95 % intervals; n is the number of matches."
        blocks.append(
            figure(caption, lambda: figures.ratings_figure(standings.ratings.elo, anchor, standings.ratings.anchor_elo))
        )
    if len(standings.names) > 1:
        blocks.append(Paragraph("How likely it is that the row's agent is stronger than the column's, in per cent."))
        blocks.append(_superiority(standings))
    return tuple(blocks)


def _superiority(standings: Standings) -> Table:
    likely = standings.ratings.superiority
    rows = tuple(
        (one, *(DASH if one == other else _bounded_percent(likely[one, other]) for other in standings.names))
        for one in standings.names
    )
    columns = (Columns("agent"), *(Columns(name, True) for name in standings.names))
    return Table(columns, rows, "query `matches`; likelihood of superiority as defined below")


def _bounded_percent(share: float) -> str:
    """Never 0 or 100: no number of matches makes it certain."""
    return "<0.1" if share < 0.001 else ">99.9" if share > 0.999 else f"{100 * share:.1f}"


def _test_blocks(standings: Standings) -> tuple[Block, ...]:
    """What the stopping rule decided."""
    if not standings.tests:
        return ()
    rows = tuple(
        (
            one,
            other,
            str(test.pairs),
            " ".join(map(str, test.counts)),
            f"{test.llr:.2f} in [{test.low:.2f}, {test.high:.2f}]",
            {
                None: "open",
                "elo1": f"{one} is stronger than {other}",
                "elo0": f"{one} is not stronger than {other}",
            }[test.decision],
        )
        for (one, other), test in standings.tests.items()
    )
    columns = (
        Columns("agent"), Columns("against"), Columns("pairs", True), Columns("with 0, ½, 1, 1½, 2 points", True),
        Columns("log-likelihood ratio", True), Columns("decision"),
    )  # fmt: skip
    return (
        Paragraph("Sequential tests: each pairing was played until its test decided."),
        Table(columns, rows, "query `matches`; sequential test as defined below"),
    )


def cross_blocks(facts: Facts) -> tuple[Block, ...]:
    """Everybody against everybody, by game."""
    standings = facts.standings
    blocks: list[Block] = []
    games = list(dict.fromkeys(match.game for match in standings.matches))
    for game in games:
        here = [match for match in standings.matches if match.game == game]
        blocks.append(Paragraph(f"{game}: points of the row's agent against the column's, and matches."))
        blocks.append(_cross(standings.names, cross_table(here), "query `matches`, also view v_cross_table"))
    if games:
        cells = cross_table(standings.matches)
        caption = "Score in per cent of the row's agent against the column's over all games; n is matches."
        blocks.append(figure(caption, lambda: figures.heat_figure(standings.names, cells)))
    return tuple(blocks) or (Paragraph("No match is over."),)


def _cross(names: Sequence[str], cells: Mapping[tuple[str, str], Tally], source: str) -> Table:
    present = [name for name in names if any(name in pair for pair in cells)]
    rows = tuple(
        (
            one,
            *(
                f"{cells[one, other].points:g}/{cells[one, other].games}" if (one, other) in cells else DASH
                for other in present
            ),
        )
        for one in present
    )
    return Table((Columns("agent"), *(Columns(name, True) for name in present)), rows, source)


def seat_blocks(facts: Facts) -> tuple[Block, ...]:
    """Scores by seat, and how matches ended."""
    standings = facts.standings
    by_seat: dict[str, dict[Seat, list[float]]] = {}
    endings: dict[str, Counter[str]] = {}
    for line in lines(standings.matches):
        by_seat.setdefault(line.agent, {seat: [] for seat in Seat})[line.seat].append(line.score)
        assert line.match.verdict is not None
        result = {1.0: "won", 0.5: "drawn", 0.0: "lost"}[line.score]
        endings.setdefault(line.agent, Counter())[f"{result}: {in_words(line.match.verdict.reason)}"] += 1
    rates = {
        name: tuple(proportion(sum(by_seat[name][seat]), len(by_seat[name][seat])) for seat in Seat)
        for name in standings.names
    }
    rows = tuple((name, *(f"{percent(rate)}{with_n(rate)}" for rate in rates[name])) for name in standings.names)
    if not rows:
        return (Paragraph("No match is over."),)
    by_ending = tally_by(standings.matches, "ending")
    reasons = sorted({reason for _, reason in by_ending})
    ending_rows = tuple(
        (name, *(_won_drawn_lost(by_ending.get((name, reason))) for reason in reasons)) for name in standings.names
    )
    return (
        Table(
            (Columns("agent"), Columns("as FIRST", True), Columns("as SECOND", True)),
            rows,
            "query `matches`, also view v_scores",
        ),
        figure(
            "Score by seat with 95 % Wilson intervals over matches.",
            lambda: figures.seats_figure({name: (rates[name][0], rates[name][1]) for name in standings.names}),
        ),
        Paragraph(
            "Won/drawn/lost by what ended the match; one won by another's ambiguous, illegal or malformed answer was forfeited to the winner."
        ),
        Table(
            (Columns("agent"), *(Columns(in_words(reason), True) for reason in reasons)),
            ending_rows,
            "query `matches`, also view v_scores",
        ),
        figure(
            "How each agent's matches ended.",
            lambda: figures.endings_figure({name: dict(endings[name]) for name in standings.names}),
        ),
    )


def _won_drawn_lost(found: Tally | None) -> str:
    return DASH if found is None else f"{found.wins}/{found.draws}/{found.losses}"


def learning_blocks(facts: Facts) -> tuple[Block, ...]:
    """Whether agents got better from round to round; nothing with fewer than three rounds."""
    found = learning_by(facts.standings.matches)
    names = [name for name in facts.standings.names if found[name, ""].value is not None]
    if not names:
        return ()
    games = [
        game for game in facts.games if any(found.get((name, game), no_data("")).value is not None for name in names)
    ]
    rows = tuple(
        (
            name,
            *(
                f"{signed(estimate)}{with_n(estimate)}" if estimate.value is not None else DASH
                for game in ("", *games)
                for estimate in (found.get((name, game), no_data("")),)
            ),
        )
        for name in names
    )
    columns = (Columns("agent"), Columns("all games", True), *(Columns(game, True) for game in games))
    return (
        Paragraph("Change of the score a match from one round to the next: above 0 an agent got better."),
        Table(columns, rows, "query `matches`; score by round as defined below"),
        figure(
            "Score by round, slope with 95 % intervals.",
            lambda: figures.forest_figure([(name, found[name, ""]) for name in names], "points a match, per round"),
        ),
    )
