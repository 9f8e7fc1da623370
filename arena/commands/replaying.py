"""`replay`: a recorded match, turn by turn; with keys on a terminal, all at once elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from stratarena.agents.budget import FREE, Spend
from stratarena.analysis.boards import frame_text, printable, spend_text, standing_text, verdict_text
from stratarena.analysis.evaluation import largest_swings, swings
from stratarena.analysis.web.document import Played, play_again
from stratarena.arena.commands.console import print_json
from stratarena.arena.commands.reading import opened
from stratarena.arena.events import Refused, Revised
from stratarena.arena.replay import Frame
from stratarena.db.records import MatchRecord
from stratarena.games.base import Seat, SpecError

__all__ = ["replay"]

_HELP = "enter/space/j next  k/b back  g start  G end  v next revision  r next refusal  s largest swing  (V R S back)  q quit"


def replay(reference: str, *, db: str, ply: int | None, plain: bool, as_json: bool) -> None:
    """Show the match; an error that names the ply when the record disagrees with the rules."""
    with opened(db) as reader:
        played = play_again(reader, reader.match(reference))
    if as_json:
        print_json(_as_json(played))
    else:
        _show(played, ply=ply, plain=plain)
        if played.mismatch is None:
            checked = sum(frame.checked for frame in played.frames)
            sys.stdout.write(f"verified: {checked} of {checked} recorded positions are what the rules give\n")
    if played.mismatch is not None:
        raise played.mismatch


def _show(played: Played, *, ply: int | None, plain: bool) -> None:
    frames = played.frames
    shown = [at for at, frame in enumerate(frames) if ply is None or frame.ply == ply]
    if ply is not None and not shown:
        raise SpecError(f"match {played.match.key} has plies 0 to {frames[-1].ply if frames else 0}, not {ply}")
    sys.stdout.write(_title(played.match) + "\n\n")
    pages = _Pages(played)
    if plain or ply is not None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        for at in shown:
            sys.stdout.write(pages.text(at) + "\n\n")
        return
    _step_through(played, pages)


def _title(match: MatchRecord) -> str:
    result = "not over" if match.verdict is None else verdict_text(match.verdict, _names(match))
    line = f"match {match.match_id}, {match.key}: {match.first} (FIRST) against {match.second} (SECOND), {result}"
    return printable(line)


def _names(match: MatchRecord) -> dict[Seat, str]:
    return {seat: match.agent_at(seat) for seat in Seat}


class _Pages:
    """What is shown of each frame: the frame itself, how the match stands there, and what was spent until then."""

    def __init__(self, played: Played) -> None:
        self._played = played
        self._changes = swings(played.standings)
        self.turning_points = largest_swings(self._changes)
        """Frames by the size of their swing."""
        self._spent: list[dict[Seat, Spend]] = []
        so_far = dict.fromkeys(Seat, FREE)
        for frame in played.frames:
            if frame.seat is not None and frame.turn is not None:
                so_far = {**so_far, frame.seat: so_far[frame.seat] + frame.turn.spend}
            self._spent.append(so_far)

    def text(self, at: int) -> str:
        """The lines of a frame."""
        played = self._played
        frame, names = played.frames[at], played.names
        lines = list(frame_text(frame, played.game, key=played.match.key, names=names, plies=len(played.frames) - 1))
        standing = played.standings[at]
        if standing is not None:
            judge = played.judgement.judge if played.judgement is not None else None
            lines.append(standing_text(standing, self._changes[at], names, judge))
        spent = self._spent[at]
        if any(one != FREE for one in spent.values()):
            lines.append(
                "so far    " + "; ".join(f"{printable(names[seat])}: {spend_text(spent[seat])}" for seat in Seat)
            )
        return "\n".join(lines)


def _step_through(played: Played, pages: _Pages) -> None:
    """One frame at a time; a key moves on."""
    at, frames = 0, played.frames
    while True:
        sys.stdout.write(
            f"\x1b[2J\x1b[H{_title(played.match)}\n\n{pages.text(at)}\n\n[{at}/{len(frames) - 1}] {_HELP}\n"
        )
        sys.stdout.flush()
        key = _read_key()
        if key in ("q", "\x03", "\x04", ""):
            return
        at = _moved(frames, at, key, pages.turning_points)


def _moved(frames: Sequence[Frame], at: int, key: str, turning_points: Sequence[int] = ()) -> int:
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
    wanted = {"r": Refused, "v": Revised}.get(key.lower())
    if wanted is not None:
        there = range(at + 1, last + 1) if key.islower() else range(at - 1, -1, -1)
        return next((n for n in there if any(isinstance(step, wanted) for step in frames[n].steps)), at)
    if key in ("s", "S") and turning_points:
        # From the largest to the next largest; anywhere else it begins with the largest.
        if at not in turning_points:
            return turning_points[0]
        place = turning_points.index(at) + (1 if key == "s" else -1)
        return turning_points[place] if 0 <= place < len(turning_points) else at
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


def _as_json(played: Played) -> dict[str, Any]:
    match, mismatch = played.match, played.mismatch
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
                "position": played.game.encode(frame.state),
                "digest": frame.digest,
                "refused": [step.refusal.text for step in frame.steps if isinstance(step, Refused)],
                "value": None if standing is None else standing.value,
            }
            for frame, standing in zip(played.frames, played.standings, strict=True)
        ],
    }
