"""How a match stood after each frame, by whoever judged it, and where it turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import Any

from stratarena.arena.events import RoundPlayed, Transcribed
from stratarena.arena.replay import Frame
from stratarena.arena.specs import Ending
from stratarena.db.records import Judgement
from stratarena.games.base import Game, Move, Seat

__all__ = ["Standing", "evaluate", "largest_swings", "swings"]

_LOGISTIC = 0.00368208
"""Of centipawns to expected score: the fit of Lichess to games of strong players, as published with its accuracy metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody says of the position that a frame shows."""

    value: float
    """-1 (SECOND wins) to 1 (FIRST wins)."""
    source: str
    """`"judge"`, `"rules"` (the match ended there), `"file"` (stated in an imported game) or `"round"` (its margin)."""
    words: str | None = None
    """The judge's own words, for the side to move."""
    best: Move | None = None
    """The judge's move here."""
    exact: bool = False
    """Whether the value is proven."""


def evaluate(game: Game[Any], frames: Sequence[Frame], judgement: Judgement | None) -> tuple[Standing | None, ...]:
    """A standing for each frame; None where nobody said anything.

    The rules come first, then the judge, then the file of an imported game, then the margin of a simulated round.
    """
    return tuple(_standing(game, frame, judgement) for frame in frames)


def swings(standings: Sequence[Standing | None]) -> tuple[float | None, ...]:
    """By how much each frame changed the value, from FIRST's side, -2 to 2; None without a value before or after."""
    if not standings:
        return ()
    changes = [
        None if before is None or after is None else after.value - before.value for before, after in pairwise(standings)
    ]
    return (None, *changes)


def largest_swings(changes: Sequence[float | None], least: float = 0.1) -> tuple[int, ...]:
    """Frames by the size of their swing, the largest first; smaller ones than `least` are left out."""
    sized = [(-abs(change), number) for number, change in enumerate(changes) if change is not None]
    return tuple(number for size, number in sorted(sized) if -size >= least)


def _standing(game: Game[Any], frame: Frame, judgement: Judgement | None) -> Standing | None:
    outcome = game.outcome(frame.state)
    if outcome is not None and (frame.verdict is None or frame.verdict.ending is not Ending.VOID):
        won = 0.0 if outcome.winner is None else 1.0 if outcome.winner is Seat.FIRST else -1.0
        return Standing(value=won, source="rules", words=outcome.reason.replace("_", " "), exact=True)
    if judgement is not None:
        found = judgement.positions.get(game.digest(frame.state))
        if found is not None:
            sign = 1 if game.to_move(frame.state) is Seat.FIRST else -1
            return Standing(
                value=sign * found.value, source="judge", words=found.score, best=found.best, exact=found.exact
            )
    return next((told for step in reversed(frame.steps) if (told := _told(step)) is not None), None)


def _told(step: object) -> Standing | None:
    if isinstance(step, RoundPlayed) and step.margin is not None:
        return Standing(value=step.margin, source="round", words=(step.reason or "").replace("_", " ") or None)
    if isinstance(step, Transcribed) and step.noted.evaluation is not None:
        stated = step.noted.evaluation
        if stated.mate is not None:
            return Standing(value=1.0 if stated.mate > 0 else -1.0, source="file", words=f"mate {stated.mate}")
        assert stated.centipawns is not None
        expected = 2 / (1 + exp(-_LOGISTIC * stated.centipawns)) - 1
        return Standing(value=expected, source="file", words=f"{stated.centipawns / 100:+.2f}")
    return None
