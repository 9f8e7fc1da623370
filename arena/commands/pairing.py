"""Who meets whom, as the commands need it: pairing by ratings comes from the analysis, which the arena itself never sees."""

from __future__ import annotations

from stratarena.arena.config import LoadedTournament
from stratarena.arena.growth import PairRound, first_or_recorded
from stratarena.arena.schedule import make_schedule
from stratarena.arena.specs import Format, MatchSpec, TournamentSpec
from stratarena.arena.tournament import pair_swiss

__all__ = ["foreseen", "pair_round_of"]


def pair_round_of(spec: TournamentSpec) -> PairRound | None:
    """What pairs the rounds of a tournament that grows; None for one whose schedule is known."""
    match spec.format:
        case Format.SWISS:
            return pair_swiss
        case Format.ADAPTIVE:
            from stratarena.analysis.matchmaking import informative_pairs

            return informative_pairs
        case _:
            return None


def foreseen(loaded: LoadedTournament) -> tuple[MatchSpec, ...]:
    """The matches that are known before anything is played: all, or the first round of a tournament that grows."""
    pair_round = pair_round_of(loaded.spec)
    if pair_round is None:
        return make_schedule(loaded.spec, loaded.games)
    return first_or_recorded(loaded.spec, loaded.games, (), pair_round)
