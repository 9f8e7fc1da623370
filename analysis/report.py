"""A tournament's report, from the database alone: same database, same bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from stratarena.agents.tree import TreeKind
from stratarena.analysis import figures
from stratarena.analysis.board_process import plays_of_boards
from stratarena.analysis.conduct import Conduct, conduct_by
from stratarena.analysis.estimate import Estimate, proportion
from stratarena.analysis.league import Tally, counted, cross_table, lines, score_rate, tally_by
from stratarena.analysis.linearized_blocks import linearized_blocks
from stratarena.analysis.page import Block, Code, Columns, Figure, Page, Paragraph, Section, Table
from stratarena.analysis.plan_blocks import plan_blocks
from stratarena.analysis.process import plays_of
from stratarena.analysis.ratings import Ratings, rate
from stratarena.arena.specs import Ending
from stratarena.db.reader import Reader
from stratarena.db.records import AgentRecord, FaultRecord, MatchRecord, TournamentRecord
from stratarena.games.base import Seat
from stratarena.games.notation.record import Result

__all__ = ["Standings", "build_report", "find_anchor", "standings_of"]

_DASH = "–"
_MANY_FORFEITS = 0.05
_KINDS = {"llm_likelihood": "likeliest legal move", "llm": "writes its move"}
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
            "the wider of a bootstrap over opening pairs and the normal approximation at the peak. 400 Elo are odds of "
            "10 to 1. It mixes the games that an agent entered; the cross-tables do not."
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


class Standings:
    """Everybody's results in the order of strength."""

    def __init__(self, matches: Sequence[MatchRecord], agents: Sequence[AgentRecord]) -> None:
        self.matches = counted(matches)
        self.ratings: Ratings = rate(self.matches, anchor=find_anchor(agents))
        self.ranks = self.ratings.ranks
        self.tallies = {name: found for (name, _), found in tally_by(self.matches).items()}
        self.names = sorted(self.ratings.elo, key=lambda name: (-(self.ratings.elo[name].value or 0.0), name))
        self.idle = [agent.name for agent in agents if agent.name not in self.ratings.elo]
        """Agents without a match that counts."""

    def score(self, name: str) -> Estimate:
        """Score a match of this agent."""
        return score_rate(self.matches, name)


def standings_of(reader: Reader, name: str | None) -> tuple[TournamentRecord, Standings]:
    """The standings of a tournament; None stands for the only one there is."""
    tournament = reader.tournament(name)
    return tournament, Standings(reader.matches(tournament), tournament.agents)


def find_anchor(agents: Sequence[AgentRecord]) -> str | None:
    """The random player, if there is exactly one: the one opponent whose strength is the same everywhere."""
    found = [agent.name for agent in agents if agent.kind == "random"]
    return found[0] if len(found) == 1 else None


def build_report(reader: Reader, name: str | None) -> Page:
    """The report as data. Raises `RecordError` when the tournament is not there."""
    tournament, standings = standings_of(reader, name)
    matches = reader.matches(tournament)
    attempts = {match.match_id: match for match in reader.matches(tournament, all_attempts=True)}
    conduct = conduct_by(
        (
            (agent, attempts[turn.match_id].game, _counts(attempts[turn.match_id]), turn)
            for agent, turn in reader.turns(tournament)
        ),
        (
            (attempts[match_id].agent_at(seat), attempts[match_id].game, kind)
            for match_id, seat, kind in reader.refusals(tournament)
            if _counts(attempts[match_id])
        ),
    )
    faults = reader.faults(tournament)
    plays = (*plays_of(reader.series(tournament)), *plays_of_boards(reader.boards(tournament)))
    written = tuple(reader.searches(tournament, TreeKind.INTERNAL))
    sections = [
        Section("Standings", _standings_blocks(standings, tournament)),
        Section("Cross-tables", _cross_blocks(standings)),
        Section("By seat and by ending", _seat_blocks(standings)),
        Section("Legality", _legality_blocks(conduct, tournament)),
        *([Section("Plans and revisions", plan_blocks(plays, standings.names))] if plays else []),
        *([Section("Searches that models wrote", linearized_blocks(written, standings.names))] if written else []),
        Section("Thinking", _cost_blocks(conduct, standings)),
        Section("Anomalies", _anomaly_blocks(matches, attempts, faults, conduct, tournament, standings)),
        Section("Matches", (_match_table(matches),)),
        Section("Definitions", tuple(Paragraph(f"{term}: {meaning}") for term, meaning in DEFINITIONS)),
        Section("How it was played", _provenance_blocks(tournament)),
    ]
    return Page(
        title=f"Tournament {tournament.name}",
        summary=_summary(tournament, matches, standings),
        headlines=_headlines(standings),
        sections=tuple(sections),
    )


def _counts(match: MatchRecord) -> bool:
    return match.verdict is None or match.verdict.ending is not Ending.VOID


def _summary(tournament: TournamentRecord, matches: Sequence[MatchRecord], standings: Standings) -> tuple[str, ...]:
    over = len(standings.matches)
    games = ", ".join(dict.fromkeys(match.game for match in matches))
    closed = max((match.closed_ms for match in matches if match.closed_ms is not None), default=None)
    when = "" if closed is None else f" The last one ended {_moment(closed)}."
    seeded = f", root seed {tournament.seed}" if tournament.origin is None else ", imported from a file"
    return (
        f"{over} of {len(matches)} matches between {len(tournament.agents)} agents in {games}{seeded}.{when}",
        "Every number here was computed from the database; nothing was typed in.",
    )


def _headlines(standings: Standings) -> tuple[tuple[str, str, str], ...]:
    by_rules = sum(
        match.verdict is not None and match.verdict.ending is not Ending.FORFEIT for match in standings.matches
    )
    played = proportion(by_rules, len(standings.matches))
    leaders = [name for name in standings.names if standings.ranks[name] == 1]
    best = standings.ratings.elo[leaders[0]] if leaders else None
    lead = (
        ""
        if best is None
        else f"{_elo(best)} Elo" + (f" above {standings.ratings.anchor}" if standings.ratings.anchor else "")
    )
    others = f"; shares rank 1 with {', '.join(leaders[1:])}" if len(leaders) > 1 else ""
    return (
        (
            "Played by the rules",
            _percent(played),
            "matches that nobody forfeited" + _n(played),
        ),
        ("Strongest", leaders[0] if leaders else _DASH, (lead + others) or "no match is over"),
    )


def _standings_blocks(standings: Standings, tournament: TournamentRecord) -> tuple[Block, ...]:
    kinds = {agent.name: agent.kind for agent in tournament.agents}
    rows = tuple(
        (
            str(standings.ranks[name]),
            name,
            _kind(kinds[name]),
            _elo(standings.ratings.elo[name]),
            str(found.games),
            f"{found.wins}/{found.draws}/{found.losses}",
            _percent(standings.score(name)),
        )
        for name in standings.names
        for found in (standings.tallies[name],)
    )
    columns = (
        Columns("rank", True), Columns("agent"), Columns("kind"), Columns("Elo", True), Columns("matches", True),
        Columns("won/drawn/lost", True), Columns("score a match", True),
    )  # fmt: skip
    blocks: list[Block] = [Table(columns, rows, "view v_scores; Elo and intervals as defined below")]
    if standings.ratings.seat_advantage:
        worth = "; ".join(
            f"{game}: {_elo(advantage)} Elo (n = {advantage.n} matches)"
            for game, advantage in standings.ratings.seat_advantage.items()
        )
        blocks.append(Paragraph(f"Moving first is worth, by game: {worth}."))
    if not standings.ratings.connected:
        blocks.append(Paragraph("Not everybody can be compared: no chain of matches joins all agents."))
    if standings.idle:
        blocks.append(Paragraph(f"Without a match that counts: {', '.join(standings.idle)}."))
    if standings.names:
        anchor = standings.ratings.anchor
        caption = "Ratings with 95 % intervals; n is the number of matches."
        blocks.append(_figure(caption, lambda: figures.ratings_figure(standings.ratings.elo, anchor)))
    return tuple(blocks)


def _cross_blocks(standings: Standings) -> tuple[Block, ...]:
    blocks: list[Block] = []
    games = list(dict.fromkeys(match.game for match in standings.matches))
    for game in games:
        here = [match for match in standings.matches if match.game == game]
        blocks.append(Paragraph(f"{game}: points of the row's agent against the column's, and matches."))
        blocks.append(_cross(standings.names, cross_table(here), "view v_cross_table"))
    if games:
        cells = cross_table(standings.matches)
        caption = "Score in per cent of the row's agent against the column's over all games; n is matches."
        blocks.append(_figure(caption, lambda: figures.heat_figure(standings.names, cells)))
    return tuple(blocks) or (Paragraph("No match is over."),)


def _cross(names: Sequence[str], cells: Mapping[tuple[str, str], Tally], source: str) -> Table:
    present = [name for name in names if any(name in pair for pair in cells)]
    rows = tuple(
        (
            one,
            *(
                f"{cells[one, other].points:g}/{cells[one, other].games}" if (one, other) in cells else _DASH
                for other in present
            ),
        )
        for one in present
    )
    return Table((Columns("agent"), *(Columns(name, True) for name in present)), rows, source)


def _seat_blocks(standings: Standings) -> tuple[Block, ...]:
    by_seat: dict[str, dict[Seat, list[float]]] = {}
    endings: dict[str, Counter[str]] = {}
    for line in lines(standings.matches):
        by_seat.setdefault(line.agent, {seat: [] for seat in Seat})[line.seat].append(line.score)
        assert line.match.verdict is not None
        result = {1.0: "won", 0.5: "drawn", 0.0: "lost"}[line.score]
        endings.setdefault(line.agent, Counter())[f"{result}: {_words(line.match.verdict.reason)}"] += 1
    rates = {
        name: tuple(proportion(sum(by_seat[name][seat]), len(by_seat[name][seat])) for seat in Seat)
        for name in standings.names
    }
    rows = tuple((name, *(f"{_percent(rate)}{_n(rate)}" for rate in rates[name])) for name in standings.names)
    if not rows:
        return (Paragraph("No match is over."),)
    by_ending = tally_by(standings.matches, "ending")
    reasons = sorted({reason for _, reason in by_ending})
    ending_rows = tuple(
        (name, *(_won_drawn_lost(by_ending.get((name, reason))) for reason in reasons)) for name in standings.names
    )
    return (
        Table((Columns("agent"), Columns("as FIRST", True), Columns("as SECOND", True)), rows, "view v_scores"),
        _figure(
            "Score by seat with 95 % Wilson intervals over matches.",
            lambda: figures.seats_figure({name: (rates[name][0], rates[name][1]) for name in standings.names}),
        ),
        Paragraph(
            "Won/drawn/lost by what ended the match; one won by another's ambiguous, illegal or malformed answer was forfeited to the winner."
        ),
        Table((Columns("agent"), *(Columns(_words(reason), True) for reason in reasons)), ending_rows, "view v_scores"),
        _figure(
            "How each agent's matches ended.",
            lambda: figures.endings_figure({name: dict(endings[name]) for name in standings.names}),
        ),
    )


def _won_drawn_lost(found: Tally | None) -> str:
    return _DASH if found is None else f"{found.wins}/{found.draws}/{found.losses}"


def _legality_blocks(conduct: Mapping[tuple[str, str], Conduct], tournament: TournamentRecord) -> tuple[Block, ...]:
    kinds = {agent.name: agent.kind for agent in tournament.agents}
    usual = ("malformed", "ambiguous", "illegal")
    refusals = (*usual, *sorted({kind for found in conduct.values() for kind in found.refused} - set(usual)))
    rows = tuple(
        (
            agent,
            game or "all",
            _kind(kinds[agent]),
            str(found.turns),
            f"{_percent(found.legal_at_once)}{_n(found.legal_at_once)}",
            *(str(found.refused.get(refusal, 0) or _DASH) for refusal in refusals),
        )
        for (agent, game), found in sorted(conduct.items(), key=lambda item: (item[0][0], item[0][1] == "", item[0][1]))
        if found.model_calls or found.refused
    )
    if not rows:
        return (Paragraph("No model was asked, and no answer was refused."),)
    columns = (
        Columns("agent"), Columns("game"), Columns("kind"), Columns("turns", True), Columns("legal at once", True),
        *(Columns(_words(refusal), True) for refusal in refusals),
    )  # fmt: skip
    return (Table(columns, rows, "view v_legality and table refusals; agents that asked a model or were refused"),)


def _cost_blocks(conduct: Mapping[tuple[str, str], Conduct], standings: Standings) -> tuple[Block, ...]:
    names = [name for name in standings.names if (name, "") in conduct]
    rows = tuple(
        (
            name,
            str(found.turns),
            f"{found.model_calls:,}",
            _number(found.tokens_per_turn),
            _number(found.nodes_per_turn),
            _number(found.think_ms_per_turn),
            "unknown" if found.cost_usd is None else f"${found.cost_usd:.4f}",
            str(found.overruns or _DASH),
        )
        for name in names
        for found in (conduct[name, ""],)
    )
    columns = (
        Columns("agent"), Columns("turns", True), Columns("model calls", True), Columns("tokens a turn", True),
        Columns("nodes a turn", True), Columns("think time a turn, ms", True), Columns("cost", True),
        Columns("turns over budget", True),
    )  # fmt: skip
    points = {name: (conduct[name, ""].think_ms_per_turn, standings.score(name)) for name in names}
    blocks: list[Block] = [Table(columns, rows, "view v_cost; void matches included, since they were paid for")]
    if points:
        blocks.append(_figure("Score against thinking time a turn.", lambda: figures.cost_figure(points)))
    return tuple(blocks)


def _anomaly_blocks(
    matches: Sequence[MatchRecord],
    attempts: Mapping[int, MatchRecord],
    faults: Sequence[FaultRecord],
    conduct: Mapping[tuple[str, str], Conduct],
    tournament: TournamentRecord,
    standings: Standings,
) -> tuple[Block, ...]:
    """What a careful reader should know before believing the rest."""
    found: list[str] = []
    void = [match for match in attempts.values() if match.verdict is not None and match.verdict.ending is Ending.VOID]
    for match in void:
        assert match.verdict is not None
        found.append(
            f"Void: {match.key}, attempt {match.attempt} ({_words(match.verdict.reason)}); it counts for nobody."
        )
    for match in matches:
        if match.verdict is not None and match.verdict.ending is Ending.RULES and match.stated is not None:
            fact = Result.of(match.verdict.winner).value
            if match.stated != fact:
                found.append(
                    f"{match.key}: the file states {match.stated}, but by the rules it is {fact}, which counts."
                )
    if tournament.origin is not None and tournament.origin.n_refused:
        found.append(
            f"{tournament.origin.n_refused} games of {tournament.origin.file} could not be read and are missing."
        )
    open_matches = sum(match.verdict is None for match in matches)
    if open_matches:
        found.append(f"{open_matches} of {len(matches)} matches are not over: these standings are not final.")
    for fault in faults:
        found.append(f"Fault of {fault.place} in {fault.key}, ply {fault.ply}: {fault.error}")
    for agent in tournament.agents:
        own = [match for match in standings.matches if agent.name in (match.first, match.second)]
        lost = [
            match.verdict.reason
            for match in own
            if match.verdict is not None
            and match.verdict.at_fault is not None
            and match.agent_at(match.verdict.at_fault) == agent.name
        ]
        if own and len(lost) / len(own) > _MANY_FORFEITS:
            why = ", ".join(f"{n} {_words(reason)}" for reason, n in sorted(Counter(lost).items()))
            found.append(f"{agent.name} forfeited {len(lost)} of its {len(own)} matches ({why}).")
        spent = conduct.get((agent.name, ""))
        if spent is not None and spent.cost_usd is None:
            found.append(f"{agent.name}: the price of some of its calls is unknown.")
    if not found:
        return (Paragraph("None: no void match, no fault, no agent with more than 5 % forfeits, no price missing."),)
    return tuple(Paragraph(sentence) for sentence in found)


def _match_table(matches: Sequence[MatchRecord]) -> Table:
    columns = (
        Columns("no.", True), Columns("match"), Columns("first"), Columns("second"), Columns("opening"),
        Columns("result"), Columns("ended by"), Columns("plies", True),
    )  # fmt: skip
    rows = tuple(
        (
            str(match.match_id), match.key, match.first, match.second, match.opening, *_result(match),
            str(match.plies) if match.verdict is not None else _DASH,
        )
        for match in matches
    )  # fmt: skip
    return Table(columns, rows, "view v_matches; `stratarena replay NO` steps through one")


def _result(match: MatchRecord) -> tuple[str, str]:
    verdict = match.verdict
    if verdict is None:
        return _DASH, "not over"
    if verdict.ending is Ending.VOID:
        return "void", _words(verdict.reason)
    score = {None: "½–½", Seat.FIRST: "1–0", Seat.SECOND: "0–1"}[verdict.winner]
    how = _words(verdict.reason)
    if verdict.at_fault is not None:
        how = f"forfeit of {match.agent_at(verdict.at_fault)}: {how}"
    return score, how


def _provenance_blocks(tournament: TournamentRecord) -> tuple[Block, ...]:
    origin = tournament.origin
    facts = [
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
        Table((Columns("what"), Columns("value")), tuple(facts), "table tournaments"),
        Table((Columns("agent"), Columns("kind"), Columns("parameters")), tuple(agents), "table agents"),
        Table((Columns("model or engine"), Columns("what it said it was")), tuple(identities), "table identities"),
        *(
            (Paragraph("The tournament file, verbatim:"), Code(tournament.source))
            if origin is None
            else (Paragraph("These games were played elsewhere: players are named as the file names them."),)
        ),
    )


def _figure(caption: str, draw: object) -> Block:
    if not figures.available():
        return Paragraph(f"({caption} {figures.PLOTS_MISSING})")
    assert callable(draw)
    return Figure(caption, draw())


def _kind(kind: str) -> str:
    return f"{kind} ({_KINDS[kind]})" if kind in _KINDS else kind


def _words(reason: str) -> str:
    return reason.replace("_", " ")


def _n(estimate: Estimate) -> str:
    return f", n = {estimate.n}"


def _elo(estimate: Estimate) -> str:
    if estimate.value is None:
        return _DASH
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.0f}"
    return f"{estimate.value:.0f} [{estimate.low:.0f}, {estimate.high:.0f}]"


def _percent(estimate: Estimate) -> str:
    if estimate.value is None:
        return _DASH
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.0f} %"
    return f"{100 * estimate.value:.0f} % [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def _number(estimate: Estimate) -> str:
    if estimate.value is None:
        return _DASH
    shown = f"{estimate.value:,.0f}" if estimate.value >= 10 else f"{estimate.value:.2f}"
    if estimate.low is None or estimate.high is None:
        return f"{shown} (n = {estimate.n})"
    return f"{shown} ± {(estimate.high - estimate.low) / 2:,.{0 if estimate.value >= 10 else 2}f} (n = {estimate.n})"


def _moment(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
