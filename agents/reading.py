"""A model's answer to a legal move, or a typed error. Nothing is guessed.

The strict reader takes an answer that is a move, or that has exactly one line `MOVE: move`. The tolerant reader, a mode
with a name of its own that the record keeps with the agent, also takes the one legal move that an answer mentions.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

from stratarena.agents.models.base import Finish
from stratarena.games.base import AmbiguousMove, Game, MalformedMove, Move, MoveError

__all__ = [
    "CutOffAnswer",
    "EmptyAnswer",
    "FilteredAnswer",
    "Reader",
    "UnparseableAnswer",
    "named_line",
    "named_move",
    "read_move",
]

S = TypeVar("S")
Reader = Literal["strict", "tolerant"]

_LONGEST_KEPT = 400
_LONGEST_READ = 20_000
_LABELLED = re.compile(r"^[ \t]*(?:\*\*)?move(?:\*\*)?[ \t]*:(?:\*\*)?(.*)$", re.IGNORECASE | re.MULTILINE)
_LINE = re.compile(r"^[ \t]*(?:\*\*)?line(?:\*\*)?[ \t]*:(?:\*\*)?(.*)$", re.IGNORECASE | re.MULTILINE)
_NUMBERED = re.compile(r"^\d+\.+$")
_WRAPPING = re.compile(r"^(\*\*|`|\")(.*)\1$")
_WORD = re.compile(r"[A-Za-z0-9+#=-]+")
_EXPECTED = "expected one line of the form MOVE: followed by a move"


class EmptyAnswer(MalformedMove):
    """There is no text in it."""

    kind = "empty"


class CutOffAnswer(MalformedMove):
    """It came to the bound on its tokens before it named a move."""

    kind = "cut_off"


class FilteredAnswer(MalformedMove):
    """The provider's filter or the model itself declined to answer."""

    kind = "filtered"


class UnparseableAnswer(MalformedMove):
    """It is no JSON where JSON was asked for."""

    kind = "unparseable"


def read_move(game: Game[S], state: S, text: str, *, reader: Reader = "strict", finish: Finish = Finish.STOP) -> Move:
    """The legal move that an answer names.

    `finish` says why the answer ended: where no move was found, that decides what is wrong with it.

    Raises:
        MalformedMove: no move can be read; one of its kinds above where it is known why.
        AmbiguousMove: several different moves can.
        IllegalMove: the one move that can be read is not legal.
    """
    text = text[:_LONGEST_READ]
    distinct = _labelled(text)
    error: MoveError
    if len(distinct) == 1:
        try:
            return game.parse(state, distinct[0])
        except MoveError as problem:
            error = _about(text, problem, finish)
    elif distinct:
        moves = {_parsed(game, state, name) for name in distinct}
        if len(moves) == 1 and (move := moves.pop()) is not None:
            return move
        error = AmbiguousMove(
            _kept(text),
            game=game.id,
            position=game.encode(state),
            why=f"the answer names several moves ({', '.join(_kept(name, 20) for name in distinct[:5])}); name one",
        )
    else:
        kind, why = _without_move(text, finish)
        error = kind(_kept(text), game=game.id, position=game.encode(state), why=f"{why}; {_EXPECTED}")
    if reader == "tolerant" and not isinstance(error, AmbiguousMove):
        return _only_mention(game, state, text, error)
    raise error


def named_move(text: str) -> str | None:
    """The one word that an answer names as its move, legal or not; None where it names none, several, or no word."""
    named = _labelled(text[:_LONGEST_READ])
    return named[0] if len(named) == 1 and _WORD.fullmatch(named[0]) else None


def named_line(text: str, *, longest: int) -> tuple[str, ...]:
    """The words of an answer's only line `LINE: …`, at most `longest`; none where it has no such line, or several.

    Commas and move numbers between them are left out. Whether they are moves is not looked at.
    """
    found = _LINE.findall(text[:_LONGEST_READ])
    if len(found) != 1:
        return ()
    words = _unwrapped(found[0]).replace(",", " ").split()
    return tuple(word for word in words if not _NUMBERED.match(word))[:longest]


def _labelled(text: str) -> list[str]:
    """What stands behind each `MOVE:`, each once; without any, the whole answer if it is one line."""
    labelled = [_unwrapped(found) for found in _LABELLED.findall(text)]
    if not labelled and "\n" not in text.strip():
        labelled = [_unwrapped(text.strip())]
    return list(dict.fromkeys(labelled))


def _only_mention(game: Game[Any], state: Any, text: str, error: MoveError) -> Move:
    """The one legal move among the words of the answer. Raises the strict reader's error where there is none."""
    words = dict.fromkeys(_WORD.findall(text))
    mentioned = {move for word in words if (move := _parsed(game, state, word)) is not None}
    if len(mentioned) == 1:
        return mentioned.pop()
    if mentioned:
        raise AmbiguousMove(
            _kept(text),
            game=game.id,
            position=game.encode(state),
            why=f"the answer mentions several legal moves ({', '.join(sorted(mentioned)[:5])}); name one",
        )
    raise error


def _parsed(game: Game[Any], state: Any, word: str) -> Move | None:
    try:
        return game.parse(state, word)
    except MoveError:
        return None


def _without_move(text: str, finish: Finish) -> tuple[type[MalformedMove], str]:
    """What is wrong with an answer that names no move, and in words."""
    if finish is Finish.FILTER:
        return FilteredAnswer, "the answer was declined"
    if finish is Finish.LENGTH:
        return CutOffAnswer, "the answer was cut off before a move; answer at once and briefly"
    if not text.strip():
        return EmptyAnswer, "the answer is empty"
    return MalformedMove, "no move found"


def _about(text: str, error: MoveError, finish: Finish) -> MoveError:
    """The game's error with the whole answer as its text, and what form was expected where it was no move at all."""
    kind, why = type(error), error.why
    if isinstance(error, MalformedMove):
        kind, without = _without_move(text, finish)
        why = f"no move could be read; {_EXPECTED}; {why}" if kind is MalformedMove else f"{without}; {_EXPECTED}"
    return kind(_kept(text), game=error.game, position=error.position, why=why)


def _unwrapped(text: str) -> str:
    """The text without one pair of stars, backticks or quotes around it and without a full stop behind it."""
    bare = text.strip().removesuffix(".")
    wrapped = _WRAPPING.match(bare)
    return wrapped[2].strip() if wrapped else bare


def _kept(text: str, longest: int = _LONGEST_KEPT) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
