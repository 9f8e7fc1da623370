"""Matches and turns written by hand."""

from __future__ import annotations

from stratarena.arena.specs import Ending, Verdict
from stratarena.db.records import MatchRecord, TurnRecord
from stratarena.games.base import Move, Seat

BEGAN_MS = 1_700_000_000_000


def match(number: int, first: str, second: str, verdict: Verdict | None, **facts: object) -> MatchRecord:
    """A match of these two with this verdict; `facts` replace what is not said."""
    game = str(facts.pop("game", "connect_four"))
    pair = f"{game}/{'-vs-'.join(sorted((first, second)))}/r1"
    known: dict[str, object] = {
        "match_id": number,
        "key": f"{pair}{'a' if first < second else 'b'}",
        "game": game,
        "first": first,
        "second": second,
        "round": 1,
        "pair": pair,
        "opening": "start",
        "start": "......./......./......./......./......./....... X",
        "opening_moves": (),
        "seed": 7,
        "attempt": 1,
        "opened_ms": BEGAN_MS + 1000 * number,
        "closed_ms": None if verdict is None else BEGAN_MS + 1000 * number + 500,
        "verdict": verdict,
        "plies": 10,
    }
    return MatchRecord(**{**known, **facts})


def won(seat: Seat, reason: str = "four_in_a_row") -> Verdict:
    """A win by the rules."""
    return Verdict(ending=Ending.RULES, winner=seat, reason=reason)


DRAWN = Verdict(ending=Ending.RULES, winner=None, reason="board_full")
CAPPED = Verdict(ending=Ending.CAP, winner=None, reason="ply_cap")


def turn(match_id: int, ply: int, seat: Seat, **facts: object) -> TurnRecord:
    """A turn that cost a millisecond and nothing else; `facts` replace what is not said."""
    known: dict[str, object] = {
        "match_id": match_id,
        "ply": ply,
        "seat": seat,
        "move": Move("4"),
        "digest": "0" * 16,
        "confidence": None,
        "fallback": None,
        "opened_ms": BEGAN_MS,
        "closed_ms": BEGAN_MS + 1,
        "model_calls": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "nodes": 0,
        "think_ms": 1.0,
        "wait_ms": 0.0,
        "cost_usd": 0.0,
        "n_refused": 0,
        "n_overruns": 0,
    }
    return TurnRecord(**{**known, **facts})
