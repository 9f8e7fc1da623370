"""Who stands where: results in the order of strength, from the record of one tournament."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from stratarena.agents.ladder import ratings as ladder_ratings
from stratarena.analysis.estimate import Estimate, proportion
from stratarena.analysis.league import counted, score_rates, tally_by
from stratarena.analysis.ratings import Ratings, rate
from stratarena.arena.specs import Sprt, Verdict
from stratarena.arena.sprt import SprtState, Stopping
from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord, TournamentRecord

__all__ = ["Standings", "find_anchor", "standings_of"]


class Standings:
    """Everybody's results in the order of strength."""

    def __init__(self, matches: Sequence[MatchRecord], tournament: TournamentRecord) -> None:
        agents = tournament.agents
        self.matches = counted(matches)
        anchor, anchor_elo = find_anchor(tournament)
        self.ratings: Ratings = rate(self.matches, anchor=anchor, anchor_elo=anchor_elo)
        self.ranks = self.ratings.ranks
        self.tallies = {name: found for (name, _), found in tally_by(self.matches).items()}
        self.names = sorted(self.ratings.elo, key=lambda name: (-(self.ratings.elo[name].value or 0.0), name))
        self.idle = [agent.name for agent in agents if agent.name not in self.ratings.elo]
        """Agents without a match that counts."""
        self._sprt = _sprt_of(tournament.spec)
        self._all = matches

    def score(self, name: str) -> Estimate:
        """Score a match of this agent."""
        return self._scores.get((name, ""), proportion(0, 0))

    @cached_property
    def _scores(self) -> Mapping[tuple[str, str], Estimate]:
        return score_rates(self.matches)

    @cached_property
    def tests(self) -> Mapping[tuple[str, str], SprtState]:
        """Every pairing's sequential test; none without a stopping rule."""
        return {} if self._stopping is None else self._stopping.states(self._verdicts.get)

    @cached_property
    def spared(self) -> frozenset[str]:
        """Keys of matches that are not over and need not be, since their pairing is decided."""
        if self._stopping is None:
            return frozenset()
        return frozenset(
            match.key
            for match in self._all
            if match.verdict is None and self._stopping.is_decided(match.key, self._verdicts.get)
        )

    @cached_property
    def _stopping(self) -> Stopping | None:
        return None if self._sprt is None else Stopping(self._sprt, self._all)

    @cached_property
    def _verdicts(self) -> Mapping[str, Verdict | None]:
        return {match.key: match.verdict for match in self._all}


def standings_of(reader: Reader, name: str | None) -> tuple[TournamentRecord, Standings]:
    """The standings of a tournament; None stands for the only one there is."""
    tournament = reader.tournament(name)
    return tournament, Standings(reader.matches(tournament), tournament)


def find_anchor(tournament: TournamentRecord) -> tuple[str | None, float]:
    """The agent from whose rating all are measured, and that rating.

    The one that the tournament file states; else the random player, rated 0, if there is exactly one; else the first rung
    of the ladder in a tournament of its game alone, with its rating in the stored league; else none.
    """
    stated = tournament.spec.get("anchor")
    if stated is not None:
        return str(stated["agent"]), float(stated["elo"])
    dice = [agent.name for agent in tournament.agents if agent.kind == "random"]
    if len(dice) == 1:
        return dice[0], 0.0
    games = {str(game).partition("(")[0] for game in tournament.spec.get("games", ())}
    if len(games) == 1:
        known = ladder_ratings()
        for agent in tournament.agents:
            rung = str(agent.params.get("name")) if agent.kind == "rung" else ""
            if rung in known and rung.rpartition("-")[0] in games:
                return agent.name, known[rung].elo
    return None, 0.0


def _sprt_of(spec: Mapping[str, Any]) -> Sprt | None:
    stated = spec.get("sprt")
    return None if stated is None else Sprt(**stated)
