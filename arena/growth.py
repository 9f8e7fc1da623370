"""Schedules that grow: in a Swiss or adaptive tournament each round follows from the results of those before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stratarena.arena.schedule import make_round
from stratarena.arena.specs import Ending, MatchSpec, TournamentSpec, Verdict
from stratarena.arena.store import Entered
from stratarena.games.base import Game

__all__ = ["PairRound", "Round", "first_or_recorded", "next_round"]


@dataclass(frozen=True, slots=True)
class Round:
    """What decides who meets whom next."""

    entrants: Mapping[str, tuple[str, ...]]
    """By game: its agents in the order of the file."""
    entered: tuple[Entered, ...]
    """Every match of the rounds before, all over."""


PairRound = Callable[[Round], Mapping[str, Sequence[tuple[str, str]]]]
"""Gives the pairs of agents that meet, by game."""


def first_or_recorded(
    spec: TournamentSpec, games: Mapping[str, Game[Any]], entered: Sequence[Entered], pair_round: PairRound
) -> tuple[MatchSpec, ...]:
    """The rounds that the record holds, as it holds them; the first round when it holds none."""
    if not entered:
        return make_round(spec, games, 1, pair_round(Round(_entrants(spec), ())))
    schedule: list[MatchSpec] = []
    for number in range(1, max(match.round for match in entered) + 1):
        pairs: dict[str, list[tuple[str, str]]] = {}
        for match in entered:
            if match.round == number and match.key.endswith("a"):
                pairs.setdefault(match.game, []).append((match.first, match.second))
        schedule += make_round(spec, games, number, pairs)
    return tuple(schedule)


def next_round(
    spec: TournamentSpec,
    games: Mapping[str, Game[Any]],
    schedule: Sequence[MatchSpec],
    verdicts: Mapping[str, Verdict | None],
    pair_round: PairRound,
) -> tuple[MatchSpec, ...]:
    """The round after this schedule, whose matches have these verdicts by key; none after the last round, and none
    while a match is not over or void."""
    number = max(match.round for match in schedule) + 1
    found = [verdicts.get(match.key) for match in schedule]
    if number > spec.rounds or any(verdict is None or verdict.ending is Ending.VOID for verdict in found):
        return ()
    entered = tuple(replace(Entered.of(match), verdict=verdict) for match, verdict in zip(schedule, found, strict=True))
    return make_round(spec, games, number, pair_round(Round(_entrants(spec), entered)))


def _entrants(spec: TournamentSpec) -> dict[str, tuple[str, ...]]:
    return {
        game: tuple(agent.name for agent in spec.agents if game in spec.agent_games[agent.name]) for game in spec.games
    }
