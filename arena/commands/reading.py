"""`standings`, `report`, `list tournaments`, `list matches`: what the record says."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from stratarena.agents.models.recorded import dump
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.standing import Standings, standings_of
from stratarena.arena.commands.console import make_table, out, print_json
from stratarena.arena.specs import Ending
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord
from stratarena.games.base import Seat

__all__ = [
    "list_matches",
    "list_tournaments",
    "opened",
    "print_answers",
    "print_standings",
    "report",
    "standings",
    "why_void",
    "write_report",
]


@contextmanager
def opened(db: str) -> Iterator[Reader]:
    """A reader on this database, closed afterwards."""
    engine = open_database(db, read_only=True)
    try:
        yield Reader(engine)
    finally:
        engine.dispose()


def standings(name: str | None, *, db: str, as_json: bool) -> None:
    """Print the standings of a tournament."""
    if not as_json:
        print_standings(db, name)
        return
    with opened(db) as reader:
        tournament, found = standings_of(reader, name)
        matches = reader.matches(tournament)
    print_json(
        {
            "tournament": tournament.name,
            "matches": len(matches),
            "over": len(found.matches),
            "anchor": found.ratings.anchor,
            "anchor_elo": found.ratings.anchor_elo,
            "spared": len(found.spared),
            "tests": [{"agent": one, "against": other, **asdict(test)} for (one, other), test in found.tests.items()],
            "standings": [
                {
                    "rank": found.ranks[agent],
                    "agent": agent,
                    "wins": found.tallies[agent].wins,
                    "draws": found.tallies[agent].draws,
                    "losses": found.tallies[agent].losses,
                    "elo": asdict(found.ratings.elo[agent]),
                    "score": asdict(found.score(agent)),
                }
                for agent in found.names
            ],
        }
    )


def print_standings(db: str, name: str | None) -> None:
    """A table for people."""
    with opened(db) as reader:
        tournament, found = standings_of(reader, name)
        matches = reader.matches(tournament)
    open_matches = sum(match.verdict is None and match.key not in found.spared for match in matches)
    void = sum(match.verdict is not None and match.verdict.ending is Ending.VOID for match in matches)
    title = f"{tournament.name}: {len(found.matches)} of {len(matches)} matches"
    title += f", {open_matches} not over" if open_matches else ""
    title += f", {void} void" if void else ""
    console = out()
    console.print(
        make_table(
            title,
            ["rank", "agent", "Elo [95 %]", "matches", "won", "drawn", "lost", "score [95 %]"],
            [_line(found, agent) for agent in found.names],
            right="rank|Elo [95 %]|matches|won|drawn|lost|score [95 %]",
        )
    )
    if found.ratings.anchor:
        origin = f", rated {found.ratings.anchor_elo:g}" if found.ratings.anchor_elo else ""
        console.print(
            f"Elo {'from' if origin else 'above'} {found.ratings.anchor}{origin}, one joint fit; agents that cannot be told "
            "apart share a rank"
        )


def _line(found: Standings, agent: str) -> tuple[str, ...]:
    tally = found.tallies[agent]
    elo, score = found.ratings.elo[agent], found.score(agent)
    return (
        str(found.ranks[agent]),
        agent,
        _interval(elo, 1),
        str(tally.games),
        str(tally.wins),
        str(tally.draws),
        str(tally.losses),
        _interval(score, 100) + " %",
    )


def _interval(estimate: Estimate, scale: float) -> str:
    if estimate.value is None:
        return "-"
    shown = f"{estimate.value * scale:.0f}"
    if estimate.low is None or estimate.high is None:
        return shown
    return f"{shown} [{estimate.low * scale:.0f}, {estimate.high * scale:.0f}]"


def list_tournaments(db: str, *, as_json: bool) -> None:
    """Print every tournament of the database."""
    with opened(db) as reader:
        rows = []
        for tournament in reader.tournaments():
            matches = reader.matches(tournament)
            over = sum(match.verdict is not None and match.verdict.ending is not Ending.VOID for match in matches)
            origin = tournament.origin
            # Imported games were played from no seed of ours.
            seed, file = (tournament.seed, None) if origin is None else (None, origin.file)
            rows.append((tournament.name, len(tournament.agents), len(matches), over, seed, file))
    fields = ("tournament", "agents", "matches", "over", "seed", "imported from")
    if as_json:
        print_json([dict(zip((*fields[:-1], "imported_from"), row, strict=True)) for row in rows])
        return
    shown = [tuple("-" if value is None else str(value) for value in row) for row in rows]
    n = len(fields) if any(row[-1] is not None for row in rows) else len(fields) - 1
    out().print(make_table("", fields[:n], [row[:n] for row in shown], right="agents|matches|over|seed"))


def list_matches(name: str | None, *, db: str, as_json: bool) -> None:
    """Print every match of a tournament."""
    with opened(db) as reader:
        matches = reader.matches(reader.tournament(name))
    if as_json:
        print_json([_match_json(match) for match in matches])
        return
    rows = [
        (
            str(match.match_id),
            match.key,
            match.first,
            match.second,
            _score(match),
            match.verdict.reason.replace("_", " ") if match.verdict else "",
            str(match.plies) if match.verdict else "",
        )
        for match in matches
    ]
    columns = ["no.", "match", "first", "second", "result", "ended by", "plies"]
    out().print(make_table("", columns, rows, right="no.|plies"))


def _score(match: MatchRecord) -> str:
    if match.verdict is None:
        return "in play" if match.opened_ms else "to play"
    if match.verdict.ending is Ending.VOID:
        return "void"
    return {None: "1/2-1/2", Seat.FIRST: "1-0", Seat.SECOND: "0-1"}[match.verdict.winner]


def _match_json(match: MatchRecord) -> dict[str, object]:
    verdict = match.verdict
    return {
        "match": match.match_id,
        "key": match.key,
        "game": match.game,
        "first": match.first,
        "second": match.second,
        "opening": match.opening,
        "attempt": match.attempt,
        "result": _score(match),
        "ending": verdict.ending.value if verdict else None,
        "reason": verdict.reason if verdict else None,
        "plies": match.plies if verdict else None,
    }


def report(
    name: str | None, *, db: str, out: Path | None, with_figures: bool, with_parquet: bool, as_json: bool
) -> None:
    """Write the report and say where it lies."""
    written = write_report(name, db=db, folder=out, with_figures=with_figures, with_parquet=with_parquet)
    if as_json:
        kinds = {"report.html": "html", "report.md": "markdown", "numbers.csv": "numbers", "matches.csv": "matches"}
        print_json({kinds.get(path.name, path.name): str(path) for path in written})
    else:
        _say("\n".join(map(str, written)))


def write_report(
    name: str | None, *, db: str, folder: Path | None, with_figures: bool = False, with_parquet: bool = False
) -> tuple[Path, ...]:
    """The paths of what was written: the HTML page first, the same as Markdown, tables, and if wanted pictures.

    Raises:
        RecordError: there is no such tournament.
        ArenaError: Parquet is wanted and pyarrow is not there; nothing is written then.
    """
    from stratarena.analysis.facts import Facts
    from stratarena.analysis.page import Figure, to_html, to_markdown
    from stratarena.analysis.report import page_of
    from stratarena.analysis.tables import matches_table, numbers_table, to_csv, write_parquet
    from stratarena.db.frames import check_parquet

    if with_parquet:
        check_parquet()
    with opened(db) as reader, _uncollected():
        facts = Facts(reader, name)
        page = page_of(facts)
        tables = {"numbers": numbers_table(facts), "matches": matches_table(facts)}
    # A tournament's name has letters, digits and . _ + - only, and begins with a letter or digit.
    target = folder or Path("reports") / facts.tournament.name
    target.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []

    def write(file: str, content: str | bytes) -> None:
        path = target / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        written.append(path)

    write("report.html", to_html(page))
    write("report.md", to_markdown(page))
    for kind, table in tables.items():
        write(f"{kind}.csv", to_csv(table))
        if with_parquet:
            written.append(target / f"{kind}.parquet")
            write_parquet(table, written[-1])
    if with_figures:
        drawn = [block for section in page.sections for block in section.blocks if isinstance(block, Figure)]
        for number, figure in enumerate(drawn, start=1):
            write(f"figures/{number:02}-{figure.name}.svg", figure.picture.svg)
            write(f"figures/{number:02}-{figure.name}.png", figure.picture.png())
    return tuple(written)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looks for garbage in cycles: millions of records make none, and the looks are a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def print_answers(name: str | None, model: str, *, db: str) -> None:
    """Print every recorded answer of a model as a line of JSON.

    Raises:
        RecordError: the model was never answered in this tournament; names those that were.
    """
    with opened(db) as reader:
        tournament = reader.tournament(name)
        n_lines = 0
        for line in dump(reader.answers(tournament, model)):
            sys.stdout.write(line + "\n")
            n_lines += 1
    if n_lines == 0:
        known = [label.removeprefix("model:") for label in tournament.identities if label.startswith("model:")]
        there = f"models that played: {', '.join(known)}" if known else "no model played"
        raise RecordError(f"there are no answers of a model {model!r} in {tournament.name}; {there}")


def why_void(db: str, name: str) -> list[str]:
    """What went wrong in void matches, the commonest first, at most three causes."""
    with opened(db) as reader:
        faults = Counter(fault.error for fault in reader.faults(reader.tournament(name)) if fault.place != "agent")
    return [f"void: {error} ({n} times)" for error, n in faults.most_common(3)]


def _say(text: str) -> None:
    out().print(text)
