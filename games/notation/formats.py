"""The notations by name: what each reads, writes and holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stratarena.games.base import SpecError
from stratarena.games.notation import move_list, pgn, sgf
from stratarena.games.notation.record import GameRecord, NotationError
from stratarena.games.notation.source import Lines
from stratarena.games.plugins import parse_spec

__all__ = ["FORMATS", "Format", "format_of"]


class _Read(Protocol):
    def __call__(self, lines: Lines, *, game: str | None = None) -> Iterator[GameRecord | NotationError]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A notation."""

    name: str
    read: _Read
    write: Callable[[GameRecord], str]
    between: str
    """What stands between two games of a file."""
    suffixes: tuple[str, ...]
    games: tuple[str, ...] | None
    """Names of the games it can hold; None for every game."""

    def holds(self, spec: str) -> bool:
        """Whether a game of this spec can be written."""
        return self.games is None or parse_spec(spec)[0] in self.games


FORMATS: Mapping[str, Format] = {
    found.name: found
    for found in (
        Format(name="pgn", read=pgn.read_pgn, write=pgn.write_pgn, between="\n", suffixes=(".pgn",), games=pgn.GAMES),
        Format(
            name="sgf",
            read=sgf.read_sgf,
            write=sgf.write_sgf,
            between="",
            suffixes=(".sgf", ".hsgf"),
            games=("hex",),
        ),
        Format(
            name="moves",
            read=move_list.read_move_list,
            write=move_list.write_move_list,
            between="\n",
            suffixes=(".moves", ".txt"),
            games=None,
        ),
        Format(
            name="jsonl",
            read=move_list.read_json_lines,
            write=move_list.write_json_line,
            between="",
            suffixes=(".jsonl",),
            games=None,
        ),
    )
}


def format_of(name: str | None, file: Path | None) -> Format:
    """The format of this name, or else of this file's suffix.

    Raises:
        SpecError: there is no such format, or the suffix belongs to none.
    """
    there = ", ".join(FORMATS)
    if name is not None:
        if name not in FORMATS:
            raise SpecError(f"there is no format {name!r}; there are: {there}")
        return FORMATS[name]
    if file is None:
        raise SpecError(f"say which format with --format; there are: {there}")
    for found in FORMATS.values():
        if file.suffix.lower() in found.suffixes:
            return found
    raise SpecError(f"{file}: the suffix {file.suffix!r} belongs to no format; say which with --format ({there})")
