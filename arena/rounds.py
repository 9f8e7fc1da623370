"""What a turn of a resource-limited game puts into the record besides its move: the verdict and the round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stratarena.arena.events import RoundPlayed, Submitted
from stratarena.games.base import Game
from stratarena.games.resource.series import KEEP, RoundFacts, Series, SeriesState, Submission

__all__ = ["facts_of_turn"]


def facts_of_turn(game: Game[Any], state: Any) -> Iterator[Submitted | RoundPlayed]:
    """The facts of the turn that led to this state; none in games whose moves are no plans."""
    if not isinstance(game, Series) or not isinstance(state, SeriesState) or not state.submissions:
        return
    yield _submitted(state.submissions[-1])
    # From the second answer on, each one is followed by a round.
    if len(state.submissions) >= 2:
        yield _played(state.rounds[-1])


def _submitted(answer: Submission) -> Submitted:
    verdict = answer.verdict
    assert verdict is not None
    return Submitted(
        verdict=verdict.kind.value,
        cost=verdict.cost,
        purse=verdict.purse.amount,
        kept=answer.move == KEEP,
        changed=answer.changed,
        problems="\n".join(f"{problem.where}: {problem.why}: {problem.entry}" for problem in verdict.problems),
    )


def _played(facts: RoundFacts) -> RoundPlayed:
    return RoundPlayed(
        label=facts.label,
        winner=facts.winner,
        decided_by=facts.decided_by,
        simulated=facts.simulated,
        reason=facts.reason,
        length=facts.length,
        margin=facts.margin,
        survivors=facts.survivors,
    )
