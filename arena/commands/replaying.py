"""`replay`: a recorded match, turn by turn; with keys on a terminal, all at once elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from stratarena.analysis.boards import frame_text, printable, verdict_text
from stratarena.arena.commands.console import print_json
from stratarena.arena.commands.reading import opened
from stratarena.arena.events import Refused, Revised
from stratarena.arena.replay import Frame, RecordMismatch
from stratarena.arena.replay import replay as frames_of
from stratarena.db.records import MatchRecord
from stratarena.games.base import Game, Seat, SpecError
from stratarena.games.plugins import load_game

__all__ = ["replay"]

_HELP = "enter/space/j next  k/b back  g start  G end  r next refusal  v next revision  q quit"


def replay(reference: str, *, db: str, ply: int | None, plain: bool, as_json: bool) -> None:
    """Show the match; an error that names the ply when the record disagrees with the rules."""
    with opened(db) as reader:
        match = reader.match(reference)
        events = reader.events(match.match_id)
    game = load_game(match.game)
    frames: list[Frame] = []
    mismatch: RecordMismatch | None = None
    try:
        for frame in frames_of(
            game, key=match.key, start=match.start, opening_moves=match.opening_moves, events=events
        ):
            frames.append(frame)
    except RecordMismatch as error:
        mismatch = error
    if as_json:
        print_json(_as_json(game, match, frames, mismatch))
    else:
        _show(game, match, frames, ply=ply, plain=plain)
        if mismatch is None:
            checked = sum(frame.checked for frame in frames)
            sys.stdout.write(f"verified: {checked} of {checked} recorded positions are what the rules give\n")
    if mismatch is not None:
        raise mismatch


def _show(game: Game[Any], match: MatchRecord, frames: Sequence[Frame], *, ply: int | None, plain: bool) -> None:
    shown = list(frames)
    if ply is not None:
        shown = [frame for frame in frames if frame.ply == ply]
        if not shown:
            raise SpecError(f"match {match.key} has plies 0 to {frames[-1].ply if frames else 0}, not {ply}")
    sys.stdout.write(_title(match) + "\n\n")
    if plain or ply is not None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        for frame in shown:
            sys.stdout.write("\n".join(_text(game, match, frame, len(frames) - 1)) + "\n\n")
        return
    _step_through(game, match, frames)


def _title(match: MatchRecord) -> str:
    result = "not over" if match.verdict is None else verdict_text(match.verdict, _names(match))
    line = f"match {match.match_id}, {match.key}: {match.first} (FIRST) against {match.second} (SECOND), {result}"
    return printable(line)


def _names(match: MatchRecord) -> dict[Seat, str]:
    return {seat: match.agent_at(seat) for seat in Seat}


def _text(game: Game[Any], match: MatchRecord, frame: Frame, plies: int) -> tuple[str, ...]:
    return frame_text(frame, game, key=match.key, names=_names(match), plies=plies)


def _step_through(game: Game[Any], match: MatchRecord, frames: Sequence[Frame]) -> None:
    """One frame at a time; a key moves on."""
    at = 0
    while True:
        text = "\n".join(_text(game, match, frames[at], len(frames) - 1))
        sys.stdout.write(f"\x1b[2J\x1b[H{_title(match)}\n\n{text}\n\n[{at}/{len(frames) - 1}] {_HELP}\n")
        sys.stdout.flush()
        key = _read_key()
        if key in ("q", "\x03", "\x04", ""):
            return
        at = _moved(frames, at, key)


def _moved(frames: Sequence[Frame], at: int, key: str) -> int:
    """The frame that a key leads to; the same one where there is none."""
    last = len(frames) - 1
    if key in ("\n", "\r", " ", "j", "l", "\x1b[C", "\x1b[B"):
        return min(at + 1, last)
    if key in ("k", "b", "h", "\x1b[D", "\x1b[A"):
        return max(at - 1, 0)
    if key == "g":
        return 0
    if key == "G":
        return last
    wanted = {"r": Refused, "v": Revised}.get(key)
    if wanted is not None:
        later = (n for n in range(at + 1, last + 1) if any(isinstance(step, wanted) for step in frames[n].steps))
        return next(later, at)
    return at


def _read_key() -> str:
    """One key press; an arrow key as its three characters. A line's first character where keys cannot be had."""
    try:
        import termios
        import tty
    except ImportError:
        return sys.stdin.readline()[:1]
    import os

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        return os.read(descriptor, 3).decode(errors="replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _as_json(
    game: Game[Any], match: MatchRecord, frames: Sequence[Frame], mismatch: RecordMismatch | None
) -> dict[str, Any]:
    return {
        "match": match.match_id,
        "key": match.key,
        "game": match.game,
        "first": match.first,
        "second": match.second,
        "verified": mismatch is None,
        "mismatch": None if mismatch is None else str(mismatch),
        "result": None if match.verdict is None else match.verdict.reason,
        "winner": None if match.verdict is None or match.verdict.winner is None else match.verdict.winner.value,
        "frames": [
            {
                "ply": frame.ply,
                "seat": frame.seat.value if frame.seat else None,
                "agent": match.agent_at(frame.seat) if frame.seat else None,
                "move": frame.move,
                "position": game.encode(frame.state),
                "digest": frame.digest,
                "refused": [step.refusal.text for step in frame.steps if isinstance(step, Refused)],
            }
            for frame in frames
        ],
    }
