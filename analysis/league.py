"""Results of matches: which of them count, who scored what, and the tables that come from counting alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stratarena.analysis.estimate import Estimate, proportion
from stratarena.arena.specs import Ending
from stratarena.db.records import MatchRecord
from stratarena.games.base import Seat

__all__ = [
    "Line",
    "Tally",
    "counted",
    "cross_table",
    "lines",
    "score_of_first",
    "score_rate",
    "score_rates",
    "tally",
    "tally_by",
]


@dataclass(frozen=True, slots=True)
class Tally:
    """Wins, draws and losses from one agent's point of view."""

    wins: int = 0
    draws: int = 0
    losses: int = 0

    @property
    def games(self) -> int:
        """Matches counted."""
        return self.wins + self.draws + self.losses

    @property
    def points(self) -> float:
        """One for a win, a half for a draw."""
        return self.wins + self.draws / 2


class Line(NamedTuple):
    """One agent's part in one match."""

    agent: str
    opponent: str
    seat: Seat
    score: float
    """1, 0.5 or 0."""
    match: MatchRecord


def counted(matches: Iterable[MatchRecord]) -> tuple[MatchRecord, ...]:
    """The matches that count: over, and not void."""
    return tuple(match for match in matches if match.verdict is not None and match.verdict.ending is not Ending.VOID)


def score_of_first(match: MatchRecord) -> float:
    """1, 0.5 or 0 for the agent in seat FIRST of a match that counts."""
    assert match.verdict is not None
    winner = match.verdict.winner
    return 0.5 if winner is None else float(winner is Seat.FIRST)


def lines(matches: Iterable[MatchRecord]) -> tuple[Line, ...]:
    """Two lines for each match that counts."""
    found = []
    first, second = Seat.FIRST, Seat.SECOND
    for match in matches:
        score = score_of_first(match)
        found.append(Line(match.first, match.second, first, score, match))
        found.append(Line(match.second, match.first, second, 1 - score, match))
    return tuple(found)


def tally(found: Iterable[Line]) -> Tally:
    """Wins, draws and losses of these lines."""
    scores = Counter(line.score for line in found)
    return Tally(scores[1.0], scores[0.5], scores[0.0])


def tally_by(matches: Iterable[MatchRecord], part: str = "agent") -> dict[tuple[str, str], Tally]:
    """Tallies by agent and a part of the match: `"agent"` (all together), `"seat"`, `"game"` or `"ending"`."""
    part_of: Mapping[str, Callable[[Line], str]] = {
        "agent": lambda line: "",
        "seat": lambda line: line.seat.value,
        "game": lambda line: line.match.game,
        "ending": _reason,
    }
    name_of = part_of[part]
    grouped: dict[tuple[str, str], list[Line]] = {}
    for line in lines(matches):
        grouped.setdefault((line.agent, name_of(line)), []).append(line)
    return {key: tally(found) for key, found in grouped.items()}


def _reason(line: Line) -> str:
    assert line.match.verdict is not None
    return line.match.verdict.reason


def score_rate(matches: Iterable[MatchRecord], agent: str) -> Estimate:
    """Points per match, with an interval that takes the two matches of an opening pair as one observation.

    Numerator: the agent's points. Denominator: its matches that count. n: its opening pairs.
    """
    return score_rates(matches).get((agent, ""), proportion(0, 0))


def score_rates(matches: Iterable[MatchRecord]) -> dict[tuple[str, str], Estimate]:
    """As `score_rate`, of everybody, by agent and game; under game `""` over all games."""
    scores: dict[tuple[str, str], list[float]] = {}
    pairs: dict[tuple[str, str], set[str]] = {}
    for line in lines(matches):
        key = line.agent, line.match.game
        scores.setdefault(key, []).append(line.score)
        pairs.setdefault(key, set()).add(line.match.pair)
    for (agent, _), those in tuple(scores.items()):
        scores.setdefault((agent, ""), []).extend(those)
    for (agent, _), named in tuple(pairs.items()):
        pairs.setdefault((agent, ""), set()).update(named)
    found = {}
    for key, those in scores.items():
        n_pairs = len(pairs[key])
        estimate = proportion(sum(those) / len(those) * n_pairs, n_pairs)
        method = "Wilson score interval over pairs, 95 %"
        found[key] = Estimate(estimate.value, n_pairs, estimate.low, estimate.high, method)
    return found


def cross_table(matches: Iterable[MatchRecord]) -> Mapping[tuple[str, str], Tally]:
    """What each agent did against each other: the tally is that of the first of the two names."""
    grouped: dict[tuple[str, str], list[Line]] = {}
    for line in lines(matches):
        grouped.setdefault((line.agent, line.opponent), []).append(line)
    return {key: tally(found) for key, found in grouped.items()}
