"""A recorded match played again by the rules: frames to look at, every digest compared on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stratarena.arena.events import Body, Event, MatchClosed, Transcribed, TurnClosed
from stratarena.arena.specs import Ending, Verdict
from stratarena.games.base import ArenaError, Game, IllegalMove, Move, PositionError, Seat

__all__ = ["Frame", "RecordMismatch", "replay"]


class RecordMismatch(ArenaError):
    """A recorded match disagrees with the rules; says at which ply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One turn, the position it left, and what happened on the way; frame 0 is the start."""

    ply: int
    """Plies made when the frame ends."""
    seat: Seat | None
    """Whose turn it was; None at the start and for moves of the opening."""
    move: Move | None
    """None at the start, and for a turn that made no move."""
    state: Any
    steps: tuple[Body, ...]
    """Calls, consultations, plans, revisions, refusals, overruns and faults, in order; of an imported game its move."""
    turn: TurnClosed | None
    """None at the start, and for moves of the opening or of an imported game."""
    digest: str | None = None
    """The recorded digest of the state."""
    checked: bool
    """Whether a recorded digest was compared with this position's."""
    verdict: Verdict | None
    """Set on the last frame of a match that is over."""


def replay(
    game: Game[Any], *, key: str, start: str, opening_moves: Sequence[Move], events: Sequence[Event]
) -> Iterator[Frame]:
    """Frames from the start to the last recorded turn.

    Raises:
        RecordMismatch: a recorded move is illegal, or a position's digest is not the recorded one.
    """
    try:
        state = game.decode(start)
    except PositionError as error:
        raise RecordMismatch(f"match {key}: the recorded start is no position of {game.id}: {error}") from error
    closing = [event.body for event in events if isinstance(event.body, MatchClosed)]
    closed = closing[0] if closing else None
    verdict = closed.verdict if closed else None
    turns = _turns(events)
    total = len(opening_moves) + len(turns)
    ply = 0
    yield Frame(
        ply=0,
        seat=None,
        move=None,
        state=state,
        steps=(),
        turn=None,
        checked=False,
        verdict=verdict if total == 0 else None,
    )
    for number, move in enumerate(opening_moves, start=1):
        state = _played(game, state, move, key, ply + 1)
        ply += 1
        yield Frame(
            ply=ply,
            seat=None,
            move=move,
            state=state,
            steps=(),
            turn=None,
            checked=False,
            verdict=verdict if number == total else None,
        )
    for number, (steps, close) in enumerate(turns, start=len(opening_moves) + 1):
        turn = close.body if isinstance(close.body, TurnClosed) else None
        made, digest = _made(close.body)
        if made is not None:
            state = _played(game, state, made, key, ply + 1)
            ply += 1
            found = game.digest(state)
            if found != digest:
                raise RecordMismatch(
                    f"match {key}, ply {ply}: after {made} the rules give the position {found}, "
                    f"but {digest} is recorded"
                )
        yield Frame(
            ply=ply,
            seat=close.seat,
            move=made,
            state=state,
            steps=steps,
            turn=turn,
            digest=digest,
            checked=made is not None,
            verdict=verdict if number == total else None,
        )
    if closed is not None:
        _check_end(game, state, key, ply, closed)


def _turns(events: Sequence[Event]) -> list[tuple[tuple[Body, ...], Event]]:
    """The steps of each turn with what closed it; an imported move is its own step."""
    turns = []
    steps: list[Body] = []
    for event in events:
        if isinstance(event.body, TurnClosed | Transcribed):
            if isinstance(event.body, Transcribed):
                steps.append(event.body)
            turns.append((tuple(steps), event))
            steps = []
        elif event.seat is not None:
            steps.append(event.body)
    return turns


def _made(body: Body) -> tuple[Move | None, str | None]:
    """The move that closed a turn, and the digest recorded with it."""
    if isinstance(body, Transcribed):
        return body.noted.move, body.digest
    assert isinstance(body, TurnClosed)
    return body.move, body.digest


def _played(game: Game[Any], state: Any, move: Move, key: str, ply: int) -> Any:
    try:
        return game.play(state, move)
    except IllegalMove as illegal:
        raise RecordMismatch(f"match {key}, ply {ply}: the recorded move is illegal: {illegal}") from illegal


def _check_end(game: Game[Any], state: Any, key: str, ply: int, closed: MatchClosed) -> None:
    """The record must hold as many plies as the match had, and a verdict that the rules agree with."""
    if closed.plies != ply:
        raise RecordMismatch(f"match {key}, ply {ply}: the record ends here, but the match had {closed.plies} plies")
    outcome, verdict = game.outcome(state), closed.verdict
    by_rules = verdict.ending is Ending.RULES
    if by_rules and (outcome is None or (outcome.winner, outcome.reason) != (verdict.winner, verdict.reason)):
        said = "not over" if outcome is None else f"{outcome.reason}, {_won(outcome.winner)}"
        raise RecordMismatch(
            f"match {key}, ply {ply}: recorded as {verdict.reason}, {_won(verdict.winner)}; by the rules it is {said}"
        )
    if not by_rules and outcome is not None:
        raise RecordMismatch(
            f"match {key}, ply {ply}: recorded as ended by {verdict.ending.value}, but by the rules it was over: "
            f"{outcome.reason}"
        )


def _won(winner: Seat | None) -> str:
    return "drawn" if winner is None else f"won by {winner.name}"
