"""A recorded match as a game for other programs: moves, names, result, and what was noted in each turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from stratarena.agents.models.base import Completion
from stratarena.arena.events import Body, Called, Consulted, Event, Proposed, Refused, Revised, TurnClosed
from stratarena.arena.specs import Ending, Verdict
from stratarena.db.errors import RecordError
from stratarena.db.reader import Reader
from stratarena.db.records import MatchRecord, TournamentRecord
from stratarena.games.base import Game, Seat
from stratarena.games.notation.record import Evaluation, GameRecord, NotedMove, Result
from stratarena.games.plugins import parse_spec

__all__ = ["game_record"]

_SCORE = re.compile(r"(cp|mate) (-?[0-9]{1,8})")
_RESIGNED = "resigned"
_TERMINATION = {
    Ending.RULES: "normal",
    Ending.FORFEIT: "rules infraction",
    Ending.CAP: "adjudication",
}


def game_record(
    reader: Reader, tournament: TournamentRecord, match: MatchRecord, game: Game[Any], *, thoughts: bool = False
) -> GameRecord:
    """The match as a game. An imported one comes back as its file told it.

    Of a match played here: the time each turn took; an engine's score of the move, from FIRST's side; what is left of
    a match budget of time; in comments values, confidence, fallbacks and refused answers. Where a chess engine graded the
    match afterwards its scores stand with the moves that have no score of their own. With `thoughts` comments also tell
    plans with their reasons, revisions with their cause, what a model thought and said, and what was refused. The date is
    that of its first move, in UTC.

    Raises:
        RecordError: the match is not over, or void.
    """
    if match.stated is not None:
        return reader.imported_game(match)
    verdict = match.verdict
    if verdict is None or verdict.ending is Ending.VOID:
        raise RecordError(
            f"match {match.key} is {'not over' if verdict is None else 'void'}: there is no game to write"
        )
    usual = game.encode(game.initial(Random(0)))
    graded = reader.centipawns(match)
    turns = _turns(reader.events(match.match_id), _time_budget(tournament), graded, thoughts=thoughts)
    noted = dict(turns)
    moves = [noted.get(ply, NotedMove(move=move)) for ply, move in enumerate(reader.moves(match.match_id))]
    closing = _closing(verdict, match)
    comment = ""
    if closing and moves:
        last = moves[-1]
        said = f"{last.comment}; {closing}" if last.comment else closing
        moves[-1] = NotedMove(
            move=last.move,
            comment=said,
            clock_ms=last.clock_ms,
            elapsed_ms=last.elapsed_ms,
            evaluation=last.evaluation,
        )
    elif closing:
        comment = closing
    return GameRecord(
        game=match.game,
        start=None if match.start == usual and parse_spec(match.game)[0] != "chess960" else match.start,
        moves=tuple(moves),
        first=match.first,
        second=match.second,
        result=Result.of(verdict.winner),
        headers=tuple(_headers(tournament, match, verdict)),
        comment=comment,
    )


def _headers(tournament: TournamentRecord, match: MatchRecord, verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "Event", tournament.name
    began = match.opened_ms
    if began is not None:
        moment = datetime.fromtimestamp(began / 1000, UTC)
        yield "Date", moment.strftime("%Y.%m.%d")
        yield "UTCTime", moment.strftime("%H:%M:%S")
    yield "Round", str(match.round)
    yield "Termination", "resignation" if verdict.reason == _RESIGNED else _TERMINATION[verdict.ending]
    yield "Match", match.key
    if match.opening_moves:
        yield "Opening", match.opening
        yield "OpeningPlies", str(len(match.opening_moves))


def _turns(
    events: Sequence[Event], budget_ms: float | None, graded: Mapping[int, Evaluation], *, thoughts: bool
) -> Iterator[tuple[int, NotedMove]]:
    """The agents' moves by ply, with what is known of their turns."""
    told: list[str] = []
    left = dict.fromkeys(Seat, budget_ms)
    consulted: Consulted | None = None
    n_refused = 0
    for event in events:
        body = event.body
        if thoughts:
            told += _thoughts(body)
        if isinstance(body, Consulted):
            consulted = body
        elif isinstance(body, Refused):
            n_refused += 1
        elif isinstance(body, TurnClosed):
            seat, think_ms = body.seat, body.spend.think_ms
            clock = left[seat]
            if clock is not None:
                clock = left[seat] = max(0.0, clock - think_ms)
            if body.move is not None:
                evaluation, value = _evaluation(consulted, body)
                yield (
                    event.ply,
                    NotedMove(
                        move=body.move,
                        comment="; ".join((*told, *_remarks(body, value, n_refused))),
                        clock_ms=None if clock is None else round(clock),
                        elapsed_ms=round(think_ms),
                        evaluation=evaluation or graded.get(event.ply),
                    ),
                )
            consulted, n_refused = None, 0
            told.clear()


def _thoughts(body: Body) -> Iterator[str]:
    """What an agent let be known on the way to its move, each on one line."""
    match body:
        case Proposed(plan):
            yield _told(f"plans {' '.join(plan.moves)}", plan.why)
        case Revised(before, after, cause):
            words = f"revises {' '.join(before.moves)} to {' '.join(after.moves)} ({cause.value.replace('_', ' ')})"
            yield _told(words, after.why)
        case Called(answer=Completion() as answer):
            if answer.thinking:
                yield _told("thinks", answer.thinking)
            yield _told("says", answer.text)
        case Refused(refusal):
            yield _told(f"refused as {refusal.kind}", refusal.text)
        case _:
            pass


def _told(what: str, words: str) -> str:
    folded = " ".join(words.split())
    return f"{what}: {folded}" if folded else what


def _remarks(turn: TurnClosed, value: float | None, n_refused: int) -> Iterator[str]:
    if n_refused:
        yield f"{n_refused} {'answer' if n_refused == 1 else 'answers'} refused before"
    if value is not None:
        yield f"value {value:+.2f} for the mover"
    if turn.confidence is not None:
        yield f"believes {turn.confidence:.0%} to win"
    if turn.fallback is not None:
        yield f"fallback: {turn.fallback}"


def _evaluation(consulted: Consulted | None, turn: TurnClosed) -> tuple[Evaluation | None, float | None]:
    """The engine's score of the move that was made, from FIRST's side; failing that its value, from the mover's."""
    line = None if consulted is None else consulted.line
    if line is None or line.move != turn.move:
        return None, None
    score = _SCORE.fullmatch(line.score or "")
    if score is None:
        return None, line.value
    number = int(score[2])
    sign = 1 if turn.seat is Seat.FIRST else -1
    if score[1] == "cp":
        return Evaluation(centipawns=sign * number, depth=line.depth), None
    # A mate is counted in the mover's own moves from before this one; the evaluation is of the position after it.
    return Evaluation(mate=sign * (number - 1 if number > 0 else number), depth=line.depth), None


def _time_budget(tournament: TournamentRecord) -> float | None:
    budget = tournament.spec.get("budgets", {}).get("match", {}).get("think_ms")
    return None if budget is None else float(budget)


def _closing(verdict: Verdict, match: MatchRecord) -> str:
    """What ended the match, where the rules did not."""
    reason = verdict.reason.replace("_", " ")
    if verdict.at_fault is not None and verdict.reason == _RESIGNED:
        return f"{match.agent_at(verdict.at_fault)} resigns"
    if verdict.at_fault is not None:
        return f"{match.agent_at(verdict.at_fault)} forfeits: {reason}"
    return f"draw: {reason}" if verdict.ending is Ending.CAP else ""
