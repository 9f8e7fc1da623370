"""Named openings by game: where both matches of a pair begin.

Kinds: `"start"`, the game's own beginning (in Chess960, each of its starts in turn); `"book"`, well-known lines by name; `"balanced"`, positions that are even by
a solver or by a long search; `"late"`, even ones deep in the game, where a solver answers at once; `"endings"`, chess endings of three men that the side to move wins; `"orders"`, in games of plans, each seat in turn as the one that updates first. The lists are text files beside this module, each saying how it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from random import Random

from stratarena.games.base import Move, Seat, SpecError
from stratarena.games.plugins import parse_spec
from stratarena.games.resource.registry import NAMES as SERIES

__all__ = ["Line", "chosen", "kinds", "lines"]

_FILES = {
    ("chess", "book"): "chess_book.txt",
    ("chess", "endings"): "chess_endings.txt",
    ("connect_four", "balanced"): "connect_four_balanced.txt",
    ("connect_four", "late"): "connect_four_late.txt",
    ("hex", "balanced"): "hex_balanced.txt",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An opening: its name, and its moves from its start."""

    name: str
    moves: tuple[Move, ...]

    start: str | None = None
    """The position before the moves, in the game's one-line notation; None for the game's own."""


def kinds(game_id: str) -> tuple[str, ...]:
    """The kinds of openings there are for a game, `"start"` first."""
    name, params = parse_spec(game_id)
    found = [kind for game, kind in _FILES if game == name]
    if name in SERIES:
        found = ["orders"]
    if name == "hex" and params.get("size", 11) not in _hex_sizes():
        found = []
    return ("start", *found)


def lines(game_id: str, kind: str) -> tuple[Line, ...]:
    """The openings of this kind, in the file's order.

    Raises:
        SpecError: there are none of this kind; says which there are.
    """
    name, params = parse_spec(game_id)
    if kind == "start":
        return _chess960_starts() if name == "chess960" and "start" not in params else (Line("start", ()),)
    if kind == "orders" and name in SERIES:
        # The position of a series before any answer is who updates first.
        return tuple(Line(f"{seat.value} seat updates first", (), seat.value) for seat in Seat)
    if kind not in kinds(game_id):
        sizes = (
            f" (for sizes {', '.join(map(str, _hex_sizes()))} only)" if (name, kind) in _FILES and name == "hex" else ""
        )
        raise SpecError(f"{game_id} has no openings {kind!r}{sizes}; there are: {', '.join(kinds(game_id))}")
    found = _read(_FILES[name, kind])
    if name == "hex":
        prefix = f"{params.get('size', 11)}x"
        return tuple(Line(line.name, line.moves) for line in found if line.name.startswith(prefix))
    return found


def chosen(game_id: str, wanted: Sequence[str]) -> tuple[Line, ...]:
    """The openings that these words stand for, each a kind or the name of one line, in that order, each line once.

    Raises:
        SpecError: a word is neither; says the nearest name, or which kinds there are.
    """
    of_game = kinds(game_id)
    every = {line.name: line for kind in reversed(of_game) for line in lines(game_id, kind)}
    found: dict[str, Line] = {}
    for word in wanted:
        if word not in of_game and word in every:
            found[word] = every[word]
            continue
        close = get_close_matches(word, every, n=1, cutoff=0.6)
        if word not in of_game and close:
            raise SpecError(f"{game_id} has no opening {word!r}; did you mean {close[0]!r}?")
        found |= {line.name: line for line in lines(game_id, word)}
    return tuple(found.values())


def _hex_sizes() -> tuple[int, ...]:
    return tuple(sorted({int(line.name.partition("x")[0]) for line in _read(_FILES["hex", "balanced"])}))


@lru_cache(maxsize=1)
def _chess960_starts() -> tuple[Line, ...]:
    """Every start of Chess960, by its number."""
    from stratarena.games.fide_chess import N_STARTS, Chess960

    rules = [Chess960(number) for number in range(N_STARTS)]
    # A numbered start draws nothing, so any generator will do.
    return tuple(Line(f"start {game.start}", (), game.encode(game.initial(Random(0)))) for game in rules)


@lru_cache(maxsize=len(_FILES))
def _read(name: str) -> tuple[Line, ...]:
    """The lines of a file: `name: move move …`, with a start of their own `name: [position] move …`; comments behind `#`."""
    text = (Path(__file__).parent / "data" / name).read_text(encoding="utf-8")
    found = []
    for row in text.splitlines():
        if row and not row.startswith("#"):
            label, _, rest = row.partition(":")
            start, _, moves = rest.strip()[1:].partition("]") if rest.strip().startswith("[") else (None, "", rest)
            found.append(Line(label.strip(), tuple(Move(move) for move in moves.split()), start))
    return tuple(found)
