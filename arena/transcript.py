"""A game from elsewhere, played again by our rules: what is fact, what is claim, and where the two disagree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import Any

from stratarena.arena.specs import Ending, Verdict
from stratarena.games.base import Game, MoveError, PositionError, Seat
from stratarena.games.notation.record import GameRecord, NotationError, Result

__all__ = ["Transcript", "transcribe"]

_USUAL_TERMINATION = frozenset({"", "normal", "unterminated", "?"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A game that our rules have checked, move by move."""

    record: GameRecord
    """As the file tells it."""
    start: str
    """The position before the first move."""
    seats: tuple[Seat, ...]
    """Who made each move."""
    digests: tuple[str, ...]
    """The state each move left."""
    verdict: Verdict
    """By the rules where they end the game; else as stated; void where nothing is stated."""
    disagreement: str | None
    """Set when the rules end the game otherwise than the file states."""


def transcribe(record: GameRecord, game: Game[Any]) -> Transcript:
    """The game with what the rules make of it.

    A stated result of a game that the rules have not ended is taken as a resignation, a loss on time or an agreement,
    by the file's Termination where it has one. Where the rules have ended it, they decide, whatever is stated.

    Raises:
        NotationError: the start is no position, or a move is not legal.
    """
    try:
        state = game.initial(Random(0)) if record.start is None else game.decode(record.start)
    except PositionError as error:
        raise NotationError(str(error), line=record.line) from None
    start = game.encode(state)
    seats, digests = [], []
    for ply, noted in enumerate(record.moves, start=1):
        seats.append(game.to_move(state))
        try:
            state = game.play(state, noted.move)
        except MoveError as error:
            raise NotationError(str(error), line=record.line, ply=ply) from None
        digests.append(game.digest(state))
    outcome = game.outcome(state)
    disagreement = None
    if outcome is None:
        verdict = _stated(record)
    else:
        verdict = Verdict.by_rules(outcome)
        fact = Result.of(outcome.winner)
        if record.result is not fact:
            reason = outcome.reason.replace("_", " ")
            disagreement = f"the file states {record.result.value}; by the rules it is {fact.value} ({reason})"
    return Transcript(
        record=record,
        start=start,
        seats=tuple(seats),
        digests=tuple(digests),
        verdict=verdict,
        disagreement=disagreement,
    )


def _stated(record: GameRecord) -> Verdict:
    """The verdict on a game that the rules have not ended."""
    if record.result is Result.OPEN:
        return Verdict.void("unfinished")
    termination = record.header("Termination") or ""
    reason = re.sub(r"[^a-z0-9]+", "_", termination.lower()).strip("_")[:80]
    if termination.lower() in _USUAL_TERMINATION or not reason or not reason[0].isalpha():
        reason = "stated_by_the_file"
    return Verdict(ending=Ending.STATED, winner=record.result.winner, reason=reason)
