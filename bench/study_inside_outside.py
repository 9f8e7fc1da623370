"""One model, asked for its move, for a search inside its answer, and for a search around it, at equal budgets of tokens.

Plays the tournaments of `PARTS`, each into a database of its own, where a stopped run goes on; grades every move by the solver;
and writes the report under `docs/studies/inside-vs-outside`. `--only KEY` plays one, `--report` plays nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any

from sqlalchemy import text

from stratarena.agents.tree import TreeKind
from stratarena.analysis.compare import paired
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.facts import Facts
from stratarena.analysis.league import lines, score_rate
from stratarena.analysis.linearized import faults_of, measure_searches
from stratarena.analysis.linearized_blocks import TITLES as TREE_TITLES
from stratarena.analysis.process import TITLES as PROCESS_TITLES
from stratarena.analysis.ratio import RatioSum
from stratarena.analysis.tables import numbers_table, to_csv
from stratarena.analysis.wording import DASH, elo, in_words, measured, percent
from stratarena.arena.specs import Ending
from stratarena.db.connect import open_database
from stratarena.db.reader import Reader

ROOT = Path(__file__).parents[1]
PLACE = "docs/studies/inside-vs-outside"
FOLDER = ROOT / PLACE
COLOURS = {"direct": "#222222", "inside": "#D55E00", "outside": "#0072B2"}
PROCESS = ("regret", "best_move_rate", "blunder_rate", "revision_rate", "over_correction_risk")
CHANGES = ("harmful_revision", "correction_success", "net_revision_gain", "plan_foresight", "plan_adherence")
TREES = (("complete", "size", "changed", "faithful"), ("legal", "state", "ending", "consistent", "valid"))
SIZES = ("n_nodes", "depth", "tokens", "first_error", "value_error")


@dataclass(frozen=True)
class Part:
    """One tournament of the study."""

    key: str
    title: str
    file: str
    jobs: int

    @property
    def name(self) -> str:
        """The tournament's."""
        return str(tomllib.loads((ROOT / self.file).read_text(encoding="utf-8"))["name"])

    @property
    def database(self) -> str:
        """Its own, since two files may describe tournaments of one name."""
        return f"inside-outside-{self.key}.db"


PARTS = (
    Part("one_look", "The embedded model, a search of one node", f"{PLACE}/one_look.toml", 48),
    Part("three_nodes", "The embedded model, a search of three nodes", "examples/inside_vs_outside.toml", 48),
    Part(
        "game_lm",
        "The game model, searches of four and thirteen nodes",
        "examples/inside_vs_outside_game_lm.toml",
        64,
    ),
)


def play(part: Part, db: str) -> None:
    """Play what is not played yet, and grade it."""
    arena = [sys.executable, "-m", "stratarena.arena"]
    command = [*arena, "run", str(ROOT / part.file), "--db", db, "--jobs", str(part.jobs)]
    subprocess.run(command, check=True)
    subprocess.run([*arena, "annotate", part.name, "--db", db], check=True)


class Found:
    """What came of one tournament."""

    def __init__(self, part: Part, facts: Facts, costs: dict[str, Any], turns: Sequence[Any]) -> None:
        self.part = part
        self.facts = facts
        self.costs = costs
        """By agent: turns, calls, tokens read and written, milliseconds."""
        self.ways = [name for name in facts.standings.names if way_of(name)]
        """The agents that ask the model, strongest first."""
        self.turns = turns
        self.inside = measure_searches(facts.reader.searches(facts.tournament, TreeKind.INTERNAL), self.ways)
        self.faults = faults_of(facts.reader.searches(facts.tournament, TreeKind.INTERNAL))
        self.outside = list(facts.reader.searches(facts.tournament, TreeKind.EXTERNAL))

    def of(self, agent: str, column: str) -> float:
        """A column of the costs, a turn."""
        return getattr(self.costs[agent], column) / self.costs[agent].turns

    def tokens(self, agent: str) -> float:
        """Tokens read and written, a turn."""
        return self.of(agent, "prompt_tokens") + self.of(agent, "completion_tokens")


def way_of(agent: str) -> str | None:
    """`direct`, `inside` or `outside`; None for an opponent without the model."""
    way = agent.partition("-")[0]
    return way if way in COLOURS else None


def gather(part: Part, db: str) -> Found | None:
    """What the record holds of a tournament; None where it was not played."""
    engine = open_database(db, read_only=True)
    reader = Reader(engine)
    if part.name not in [each.name for each in reader.tournaments()]:
        return None
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM v_cost WHERE tournament = :name"), {"name": part.name})
        costs = {row.agent: row for row in rows}
        query = "SELECT agent, fallback, refused FROM v_turns WHERE tournament = :name"
        turns = connection.execute(text(query), {"name": part.name}).all()
    return Found(part, Facts(reader, part.name), costs, turns)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its first column text and the others numbers."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def strength(found: Found) -> str:
    standings = found.facts.standings
    rows = []
    for name in standings.names:
        tally = standings.tallies[name]
        count = f"{tally.wins}-{tally.draws}-{tally.losses}"
        rows.append((name, elo(standings.ratings.elo[name]), count, measured(standings.score(name), share=True)))
    return table(("agent", f"Elo above {standings.ratings.anchor}", "won-drawn-lost", "score a match"), rows)


def head_to_head(found: Found) -> str:
    """Every two ways of asking, on the same openings."""
    rows = []
    for place, one in enumerate(found.ways):
        for other in found.ways[place + 1 :]:
            matches = [match for match in found.facts.standings.matches if {match.first, match.second} == {one, other}]
            points: dict[str, list[float]] = {}
            for line in lines(matches):
                if line.agent == one:
                    points.setdefault(line.match.pair, []).append(line.score)
            tested = paired([sum(scores) - 1 for scores in points.values() if len(scores) == 2])
            p = DASH if tested.p is None else f"{tested.p:.3f}"
            rows.append((f"{one} against {other}", measured(score_rate(matches, one), share=True), p))
    return table(("pairing", "score of the first, n pairs", "p (exact sign-flip test over pairs)"), rows)


def cost(found: Found) -> str:
    rows = []
    for name in found.ways:
        calls, read, written, ms = (
            found.of(name, column) for column in ("model_calls", "prompt_tokens", "completion_tokens", "think_ms")
        )
        rows.append((name, f"{calls:.2f}", f"{read:,.0f}", f"{written:,.0f}", f"{read + written:,.0f}", f"{ms:,.0f}"))
    head = ("agent", "calls a move", "tokens read", "tokens written", "together", "ms of thinking")
    return table(head, rows)


def errors(found: Found) -> str:
    facts = found.facts
    forfeits = Counter(
        match.agent_at(match.verdict.winner.other)
        for match in facts.standings.matches
        if match.verdict is not None and match.verdict.ending is Ending.FORFEIT and match.verdict.winner is not None
    )
    rows = []
    for name in found.ways:
        conduct = facts.conduct[name, ""]
        refused = ", ".join(f"{in_words(kind)} {n}" for kind, n in conduct.refused.items()) or DASH
        turns = [turn for turn in found.turns if turn.agent == name]
        substitutes = Counter(turn.fallback for turn in turns if turn.fallback)
        substituted = ", ".join(f"{in_words(kind)} {n}" for kind, n in substitutes.most_common()) or DASH
        rows.append(
            (
                name,
                str(conduct.turns),
                measured(conduct.legal_at_once, share=True),
                refused,
                substituted,
                str(forfeits[name] or DASH),
            )
        )
    head = ("agent", "turns", "legal at once", "refused answers", "declared substitutes", "forfeits")
    return table(head, rows)


def process(found: Found, keys: Sequence[str]) -> str:
    rows = []
    for name in found.ways:
        measures = found.facts.process.get((name, ""), {})
        cells = [
            measured(measures[key], share=key not in ("regret", "net_revision_gain")) if key in measures else DASH
            for key in keys
        ]
        rows.append((name, *cells))
    return table(("agent", *(PROCESS_TITLES[key] for key in keys)), rows)


def written(found: Found, keys: Sequence[str]) -> str:
    rows = [
        (each.agent, *(measured(each.measures[key], share=key not in SIZES) for key in keys)) for each in found.inside
    ]
    return table(("agent", *(TREE_TITLES[key] for key in keys)), rows)


def around(found: Found) -> str:
    """The trees that the arena's own search built around the model: positions by the rules, so there is nothing to err in."""
    rows = []
    for name in found.ways:
        trees = [record for record in found.outside if record.agent == name]
        if not trees:
            continue
        nodes, depth, changed = RatioSum(), RatioSum(), RatioSum()
        for record in trees:
            tree = record.tree
            nodes.add(tree.n_nodes, 1)
            depth.add(tree.depth, 1)
            if tree.first_move is not None and tree.line:
                changed.add(tree.line[0] != tree.first_move, 1)
        ends = Counter(record.tree.ended for record in trees)
        rows.append(
            (
                name,
                str(len(trees)),
                measured(nodes.estimate(), share=False),
                measured(depth.estimate(), share=False),
                measured(changed.estimate(bounds=(0.0, 1.0)), share=True),
                ", ".join(f"{in_words(end)} {n}" for end, n in ends.most_common()),
            )
        )
    head = ("agent", "searches", "positions a search", "depth", "changed its mind", "ended by")
    return table(head, rows) if rows else "None has come to its end."


def faults(found: Found) -> str:
    names = sorted({name for counts in found.faults.values() for name in counts})
    if not names:
        return "No fault was found in any node."
    agents = [name for name in found.ways if name in found.faults]
    rows = [(in_words(name), *(str(found.faults[agent][name] or DASH) for agent in agents)) for name in names]
    return table(("fault", *agents), rows)


def section(found: Found) -> str:
    facts, tournament = found.facts, found.facts.tournament
    over = len(facts.standings.matches)
    budget = tournament.spec["budgets"]["move"]
    bounds = ", ".join(f"{value:,} {in_words(key)}" for key, value in budget.items() if value is not None)
    parts = [
        f"## {found.part.title}",
        (
            f"`{found.part.file}`, root seed {tournament.seed}: {over} of {len(facts.matches)} matches are over. Bounds on every "
            f"move, strict: {bounds}."
        ),
        "### Strength",
        strength(found),
        "Two ways of asking against each other, both seats of each opening:",
        head_to_head(found),
        "### Cost",
        cost(found),
        "### Errors",
        errors(found),
        "### Moves, plans and revisions",
        "Graded by the solver bitbully. Regret is points given away a move, from 0 to 1.",
        process(found, PROCESS),
        process(found, CHANGES),
        "### Searches inside the answer, every node checked by the rules",
        *(written(found, keys) for keys in (*TREES, SIZES)),
        faults(found),
        "### Searches around the model",
        "Moves and positions are by the rules there; what can be wrong is what the model holds of them.",
        around(found),
    ]
    return "\n\n".join(parts)


def picture(founds: Sequence[Found]) -> None:
    """Score against tokens, a panel a model, as SVG and PNG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import ScalarFormatter

    settings = {
        "svg.hashsalt": "stratarena",
        "svg.fonttype": "path",
        "font.size": 9.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(9.0, 3.8), layout="constrained")
        # What was cut off before everybody had played says little of strength.
        founds = [found for found in founds if len(found.facts.standings.matches) == len(found.facts.matches)]
        for place, found in enumerate(founds):
            axes = figure.add_subplot(1, len(founds), place + 1)
            for name in found.ways:
                score = found.facts.standings.score(name)
                # Ways that cost the same would hide each other.
                x = found.tokens(name) * {"inside": 0.98, "outside": 1.02}.get(way_of(name) or "", 1.0)
                colour = COLOURS[way_of(name) or "direct"]
                if score.low is not None:
                    axes.plot([x, x], [100 * score.low, 100 * score.high], color=colour, linewidth=2, alpha=0.5)
                axes.plot([x], [100 * score.value], "o", color=colour)
                # At the ends of the bars, where other dots seldom are; what lies too low for that, above.
                low, high = (score.value if end is None else end for end in (score.low, score.high))
                below = way_of(name) == "inside" and low > 0.1
                at = {"xytext": (0, -11 if below else 3), "textcoords": "offset points", "ha": "center"}
                axes.annotate(name, (x, 100 * (low if below else high)), color=colour, fontsize=8, **at)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(ScalarFormatter())
            spends = [found.tokens(name) for name in found.ways]
            axes.set_xlim(min(spends) / 1.6, max(spends) * 4)
            axes.set_ylim(-2, 102)
            axes.set_xlabel("tokens a move, read and written")
            axes.set_ylabel("score a match, per cent (95 %)" if place == 0 else "")
            matches = len(found.facts.standings.matches)
            axes.set_title("\n".join(wrap(f"{found.part.title} ({matches} matches)", 28)), fontsize=9)
            axes.grid(color="#dddddd")
            axes.set_axisbelow(True)
        for form, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
            page = BytesIO()
            figure.savefig(page, format=form, metadata=metadata, dpi=200)
            (FOLDER / f"score-by-tokens.{form}").write_bytes(page.getvalue())


def summary(founds: Sequence[Found]) -> str:
    """What can be said, in sentences that the numbers choose."""
    lines = []
    for found in founds:
        ratings = found.facts.standings.ratings
        told = []
        for place, one in enumerate(found.ways):
            for other in found.ways[place + 1 :]:
                sure = ratings.superiority.get((one, other), 0.5)
                if way_of(one) != way_of(other) and sure > 0.975:
                    told.append(f"{one} is stronger than {other}")
        apart = "; ".join(told) if told else "no two ways of asking it can be told apart in strength"
        lines.append(f"- **{found.part.title}**, {len(found.facts.standings.matches)} matches, all together: {apart}.")
        for each in found.inside:
            measures = each.measures
            lines.append(
                f"  `{each.agent}` wrote {each.n} searches: {_short(measures['complete'])} complete, {_short(measures['state'])} of "
                f"positions right, {_short(measures['consistent'])} of nodes minimax consistent."
            )
    return "\n".join(lines)


def _short(estimate: Estimate) -> str:
    return percent(estimate) if estimate.n else "none"


def write(folder: Path) -> None:
    """The page, its figure and its tables, from the databases in a folder."""
    there = [part for part in PARTS if (folder / part.database).exists()]
    founds = [found for part in there if (found := gather(part, str(folder / part.database))) is not None]
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture(founds)
    for found in founds:
        (FOLDER / f"{found.part.key}.csv").write_text(to_csv(numbers_table(found.facts)), encoding="utf-8")
    played = founds[-1].facts.tournament
    versions = ", ".join(f"{name} {version}" for name, version in sorted(played.packages.items()))
    identities = [pair for found in founds for pair in found.facts.tournament.identities.items()]
    told = {f"`{name}`: {identity['weights']}" for name, identity in identities if "weights" in identity}
    weights = "; ".join(sorted(told))
    commands = "\n".join(
        f"stratarena run {part.file} --db {part.database} --jobs {part.jobs}\n"
        f"stratarena annotate {part.name} --db {part.database}"
        for part in PARTS
    )
    tables = ", ".join(f"[{found.part.key}.csv]({found.part.key}.csv)" for found in founds)
    page = [
        "# Inside or outside: where should a language model search?",
        (
            "The same model asked in three ways under the same bounds on tokens: for its move at once (*direct*), for a search tree written "
            "out in its own answer (*inside*), and as the prior and value of a tree search around it (*outside*). Written by "
            "`make study-inside-outside` from the record alone; nothing was typed in but this paragraph, [what it means](#what-it-means) "
            "and headings."
        ),
        summary(founds),
        "![Score a match against tokens a move](score-by-tokens.svg)",
        (FOLDER / "reading.md").read_text(encoding="utf-8").strip() if (FOLDER / "reading.md").exists() else "",
        *(section(found) for found in founds),
        "## Commands, seeds and versions",
        f"```\n{commands}\npython bench/study_inside_outside.py --report\n```",
        (
            "The files name their root seed, from which all others follow; openings are those of `stratarena list openings connect_four`. "
            "The game model's games repeat to the letter but for the last bits of floats; the embedded model is asked in batches, whose "
            "padding can change a last bit, and with it, rarely, a move (`max_batch = 1` repeats exactly, at a third of the speed)."
        ),
        (
            f"stratarena {played.program_version}, Python {played.python_version}, {versions}. Weights: {weights}. One thread a process, a "
            "machine of two cores that others used at the same time, so milliseconds say little; tokens are exact."
        ),
        (
            "Intervals are 95 %: Wilson's over opening pairs for scores, by resampling matches for ratios, of the joint fit for Elo. n is what was "
            f"counted. Every number of every agent: {tables}; what each means: "
            "`stratarena report`, section Definitions."
        ),
    ]
    (FOLDER / "README.md").write_text("\n\n".join(filter(None, page)) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[part.key for part in PARTS])
    parser.add_argument("--report", action="store_true", help="play nothing")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the databases are")
    given = parser.parse_args()
    for part in PARTS:
        if not given.report and given.only in (None, part.key):
            play(part, str(given.folder / part.database))
    write(given.folder)


if __name__ == "__main__":
    main()
