"""What a report is made of, read from the database when it is first asked for and then kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from stratarena.analysis.board_process import plays_of_boards
from stratarena.analysis.calibration import Calibration, calibration_by
from stratarena.analysis.conduct import Conduct, conduct_by
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.process import Play, Sums, plays_of
from stratarena.analysis.standing import Standings
from stratarena.db.reader import Reader
from stratarena.db.records import FaultRecord, MatchRecord
from stratarena.games.base import Seat

__all__ = ["Facts"]


class Facts:
    """One tournament. A section of the report takes this and nothing else; what it needs besides it asks `reader`.

    Raises:
        RecordError: the tournament is not there.
    """

    def __init__(self, reader: Reader, name: str | None) -> None:
        self.reader = reader
        self.tournament = reader.tournament(name)

    @cached_property
    def attempts(self) -> Mapping[int, MatchRecord]:
        """Every attempt at every match, by number."""
        return {match.match_id: match for match in self.reader.matches(self.tournament, all_attempts=True)}

    @cached_property
    def matches(self) -> tuple[MatchRecord, ...]:
        """The latest attempt at each match, in the order of the schedule."""
        return tuple({match.key: match for match in self.attempts.values()}.values())

    @cached_property
    def games(self) -> tuple[str, ...]:
        """In the order of the schedule."""
        return tuple(dict.fromkeys(match.game for match in self.matches))

    @cached_property
    def standings(self) -> Standings:
        """Results in the order of strength."""
        return Standings(self.matches, self.tournament)

    @cached_property
    def faults(self) -> Sequence[FaultRecord]:
        """Failures of agents and of our infrastructure."""
        return self.reader.faults(self.tournament)

    @cached_property
    def refusals(self) -> Sequence[tuple[int, Seat, str]]:
        """Match, seat and kind of every refused answer."""
        return self.reader.refusals(self.tournament)

    @cached_property
    def conduct(self) -> Mapping[tuple[str, str], Conduct]:
        """By agent and game, under game `""` over all."""
        return conduct_by(self.reader.sides(self.tournament), self.reader.refusals(self.tournament), self.attempts)

    @cached_property
    def calibration(self) -> Mapping[tuple[str, str], Calibration]:
        """Of stated chances of winning, by agent and game, under game `""` over all; only who stated any."""
        return calibration_by(self.reader.forecasts(self.tournament), self.attempts)

    @cached_property
    def plays(self) -> tuple[Play, ...]:
        """Both sides of every match in which a plan was declared, or a move graded."""
        series = self.reader.series(self.tournament, self.matches)
        return (*plays_of(series), *plays_of_boards(self.reader.boards(self.tournament, self.matches)))

    @cached_property
    def process(self) -> Mapping[tuple[str, str], Mapping[str, Estimate]]:
        """Every process metric by agent and game, under game `""` over all; only who has plays."""
        grouped: dict[tuple[str, str], Sums] = {}
        for play in self.plays:
            key = play.agent, play.game
            if key not in grouped:
                grouped[key] = Sums()
            grouped[key].add(play)
        for (agent, _), sums in tuple(grouped.items()):
            grouped.setdefault((agent, ""), Sums()).join(sums)
        return {key: sums.estimates() for key, sums in grouped.items()}
