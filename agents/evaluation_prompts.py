"""What models are asked about positions inside a search, and how their answers are read: strictly, nothing is guessed."""

from __future__ import annotations

import json
import re
from typing import Any

from stratarena.agents.base import View
from stratarena.agents.models.base import Message
from stratarena.games.base import Game, Move, Seat

__all__ = [
    "answer_messages",
    "bucket_messages",
    "outcome_messages",
    "percent_messages",
    "read_move_values",
    "read_object",
    "read_percent",
    "what_is_wrong",
]

_PERCENT = re.compile(r"(100|[1-9]?[0-9])\s*%?")
_LONGEST = 20_000


def answer_messages(view: View[Any], state: Any, seat: Seat, moves: tuple[Move, ...], *, k: int) -> tuple[Message, ...]:
    """Asks for up to `k` candidates with chances of winning, as JSON."""
    first = moves[0]
    return _asked(
        view,
        state,
        seat,
        f"Legal moves: {' '.join(moves)}\n"
        f"List the best {min(k, len(moves))} of them with the chance in percent (a whole number from 0 to 100, half of "
        f"it for a draw) that {_name(view.game, seat)} wins after it. Answer with one JSON object and no other text, "
        f'like {{"moves": {{"{first}": 50}}}}',
    )


def percent_messages(view: View[Any], state: Any, seat: Seat, moves: tuple[Move, ...]) -> tuple[Message, ...]:
    """Asks for the chance of the side to move."""
    return _asked(
        view,
        state,
        seat,
        f"How likely is it that {_name(view.game, seat)}, who is to move, wins? Answer with one whole number from 0 to "
        "100, the chance in percent, and no other text.",
    )


def outcome_messages(view: View[Any], state: Any, seat: Seat, moves: tuple[Move, ...]) -> tuple[Message, ...]:
    """Asks for win, draw or loss of the side to move."""
    return _asked(
        view,
        state,
        seat,
        f"What will the result be for {_name(view.game, seat)}, who is to move? Answer with one word: win, draw or loss.",
    )


def bucket_messages(view: View[Any], state: Any, seat: Seat, moves: tuple[Move, ...]) -> tuple[Message, ...]:
    """Asks for a move and a digit for the chance to win after it."""
    return _asked(
        view,
        state,
        seat,
        f"Legal moves: {' '.join(moves)}\nName a move of {_name(view.game, seat)} and how likely it wins, as one digit "
        f"from 0 (lost) to 9 (won). Answer in the form {moves[0]}:5 and with no other text.",
    )


def read_object(text: str) -> dict[str, Any]:
    """The one JSON object that a text is; white space and one code fence around it are no part of it.

    Raises:
        ValueError: it is anything else, or a key stands twice.
    """
    bare = text[:_LONGEST].strip()
    if bare.startswith("```") and bare.endswith("```") and "\n" in bare:
        bare = bare[bare.index("\n") + 1 : -3].strip()
    try:
        found = json.loads(bare, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("the answer is JSON, but no object")  # noqa: TRY004
    return found


def read_move_values(text: str, moves: tuple[Move, ...], *, cut_off: bool = False) -> dict[Move, float]:
    """Chances of winning, 0 to 1, by move, from an answer of the form `{"moves": {"4": 55}}`.

    Raises:
        ValueError: the answer is not just that, names no move or an illegal one, or a number is out of range.
    """
    if cut_off:
        raise ValueError("the answer was cut off")
    found = read_object(text)
    if set(found) != {"moves"} or not isinstance(found["moves"], dict) or not found["moves"]:
        raise ValueError('expected an object with the one key "moves", which holds an object of at least one move')
    values: dict[Move, float] = {}
    for move, percent in found["moves"].items():
        if move not in moves:
            raise ValueError(f"{move[:20]!r} is no legal move")
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            raise ValueError(f"{percent!r} for {move} is no whole number from 0 to 100"[:200])
        values[Move(move)] = percent / 100
    return values


def read_percent(text: str) -> float | None:
    """A chance, 0 to 1, from an answer that is one whole number of percent; None where it is anything else."""
    match = _PERCENT.fullmatch(text.strip().removesuffix("."))
    return None if match is None else int(match[1]) / 100


def what_is_wrong(error: ValueError) -> str:
    """What is said of an answer that could not be read."""
    return f"That could not be read: {error}. Answer again with the JSON object alone."


def _asked(view: View[Any], state: Any, seat: Seat, question: str) -> tuple[Message, ...]:
    game = view.game
    board = f"{game.render(state, seat)}\nPosition: {game.encode(state)}\nTo move: {_name(game, seat)}"
    return (
        Message("system", f"You evaluate positions of a board game.\n{game.rules}"),
        Message("user", f"{board}\n{question}"),
    )


def _name(game: Game[Any], seat: Seat) -> str:
    first, second = game.traits.seat_names
    return first if seat is Seat.FIRST else second


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")
