"""How a trace writes positions: the game's own one-line notation, in chess with every empty square written out.

One symbol for each field at a constant place, so that a model need not compute run lengths.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from stratarena.games.base import Game, PositionError, Seat

__all__ = ["StateForm", "read_state", "result_name", "write_state"]

StateForm = Literal["fields", "notation"]
"""`fields` writes out every empty square of chess; `notation` leaves its FEN as it is. Elsewhere they are the same."""

_RUN = re.compile(r"[1-8]")
_EMPTY = re.compile(r"\.+")


def write_state(game: Game[Any], state: Any, form: StateForm = "fields") -> str:
    """The position on one line, the side to move included."""
    text = game.encode(state)
    if form == "notation" or not _is_chess(game):
        return text
    board, _, rest = text.partition(" ")
    return f"{_RUN.sub(lambda run: '.' * int(run[0]), board)} {rest}"


def read_state(game: Game[Any], text: str) -> Any:
    """The state that either form of the text describes.

    Raises:
        PositionError: it is no position of the game.
    """
    if not _is_chess(game):
        return game.decode(text)
    board, _, rest = text.partition(" ")
    if any(len(run) > 8 for run in _EMPTY.findall(board)):
        raise PositionError(f"{text!r}: a rank has eight squares")
    return game.decode(f"{_EMPTY.sub(lambda run: str(len(run[0])), board)} {rest}")


def result_name(game: Game[Any], state: Any) -> str | None:
    """How a node says that the game is over: the winning side's name, or `draw`; None while it goes on."""
    outcome = game.outcome(state)
    if outcome is None:
        return None
    first, second = game.traits.seat_names
    return {None: "draw", Seat.FIRST: first, Seat.SECOND: second}[outcome.winner]


def _is_chess(game: Game[Any]) -> bool:
    return game.id.partition("(")[0] in ("chess", "chess960")
