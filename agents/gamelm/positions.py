"""Labelled positions as training wants them: chunks on disk, without mirror images and repetitions, split by hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.forms import Boards, Form, form_of
from stratarena.agents.gamelm.games import CONNECT_FOUR, FOLDERS
from stratarena.agents.gamelm.labels import ILLEGAL, Labelled
from stratarena.agents.gamelm.reading import STATUSES
from stratarena.agents.gamelm.splits import SPLITS, Split, plainest, split_of
from stratarena.games.base import SpecError

__all__ = [
    "Positions",
    "chunk_path",
    "describe",
    "finished",
    "finished_of",
    "load_positions",
    "make_chunks",
    "played_on",
    "terminal_boards",
]


_LOST = STATUSES.index("<lost>")


@dataclass(frozen=True, slots=True)
class Positions:
    """Distinct canonical positions of one split, in a fixed order."""

    own: Boards
    opponent: Boards
    scores: NDArray[np.int8]
    """`[n, moves]`: exact scores for the mover, `ILLEGAL` where a move is impossible."""
    game: str = CONNECT_FOUR

    def __len__(self) -> int:
        return len(self.own)

    def take(self, which: NDArray[Any] | slice) -> Positions:
        """Some of them: indices, a mask or a slice."""
        return Positions(self.own[which], self.opponent[which], self.scores[which], self.game)

    def imaged(self, which: NDArray[np.int64]) -> Positions:
        """Their images under the symmetries of the game of these numbers."""
        form = form_of(self.game)
        moves = form.image_moves(self.own, self.opponent, which)
        images = form.image(self.own, self.opponent, which)
        return Positions(*images, np.take_along_axis(self.scores, moves, axis=1), self.game)


def chunk_path(folder: Path, index: int, game: str = CONNECT_FOUR) -> Path:
    """Where the positions of seed `index` lie."""
    return folder / f"{FOLDERS[game]}-{index:04d}.npz"


def make_chunks(folder: Path, *, n_chunks: int, games: int, game: str = CONNECT_FOUR) -> list[Path]:
    """Paths of the first chunks; those not there are made, each from its own seed, its number."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [chunk_path(folder, index, game) for index in range(n_chunks)]
    for index, path in enumerate(paths):
        if not path.exists():
            made = form_of(game).generate(games, index)
            half = path.with_suffix(".part.npz")
            np.savez(half, own=made.own, opponent=made.opponent, scores=made.scores)
            half.replace(path)
    return paths


def load_positions(paths: list[Path], game: str = CONNECT_FOUR) -> dict[Split, Positions]:
    """The distinct positions of these chunks by split. Raises `SpecError` if there are none."""
    parts = []
    for path in paths:
        with np.load(path) as chunk:
            parts.append(Labelled(chunk["own"], chunk["opponent"], chunk["scores"]))
    if not any(len(part.own) for part in parts):
        raise SpecError("there are no positions to train on: data.chunks and data.games must be at least 1")
    own = np.concatenate([part.own for part in parts])
    opponent = np.concatenate([part.opponent for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    *plain, which = plainest(form_of(game), own, opponent)
    _, first = np.unique(np.stack(plain, axis=1), axis=0, return_index=True)
    whole = Positions(own[first], opponent[first], scores[first], game).imaged(which[first])
    split = split_of(whole.own, whole.opponent)
    return {name: whole.take(split == index) for index, name in enumerate(SPLITS)}


def terminal_boards(positions: Positions) -> tuple[Boards, Boards]:
    """Finished boards one ply after these positions, seen by the side that would be to move."""
    form = form_of(positions.game)
    own, opponent = [], []
    for after in _after_each_move(form, positions.own, positions.opponent):
        over = form.statuses(*after[1:]) != 0
        own.append(after[1][over])
        opponent.append(after[2][over])
    return np.concatenate(own), np.concatenate(opponent)


def _after_each_move(form: Form, own: Boards, opponent: Boards) -> Iterator[tuple[NDArray[np.bool_], Boards, Boards]]:
    """For each move which boards it is possible on, and those boards after it."""
    for move, able in enumerate(form.room(own, opponent).T):
        yield able, *form.play(own[able], opponent[able], np.full(able.sum(), move))


def played_on(
    own: Boards, opponent: Boards, rng: np.random.Generator, game: str = CONNECT_FOUR
) -> tuple[Boards, Boards]:
    """Boards one to three random moves after these, where a winning move is taken half of the time it is there.

    No label is needed to say whether they are finished. What would be a validation or test position is left out.
    """
    form = form_of(game)
    own, opponent = own.copy(), opponent.copy()
    left = rng.integers(1, 4, size=len(own))
    while True:
        going = (left > 0) & (form.statuses(own, opponent) == 0)
        if not going.any():
            break
        mine, theirs = own[going], opponent[going]
        able = form.room(mine, theirs)
        wins = np.zeros_like(able)
        for move, (open_, *after) in enumerate(_after_each_move(form, mine, theirs)):
            wins[open_, move] = form.statuses(*after) == _LOST
        greedy = wins.any(axis=1) & (rng.random(len(mine)) < 0.5)
        moves = np.where(np.where(greedy[:, None], wins, able), rng.random(able.shape), -1.0).argmax(axis=1)
        own[going], opponent[going] = form.play(mine, theirs, moves)
        left[going] -= 1
    train = split_of(*plainest(form, own, opponent)[:2]) == SPLITS.index("train")
    return own[train], opponent[train]


def finished(game: str, n: int, rng: np.random.Generator) -> tuple[Boards, Boards]:
    """So many finished boards that may be trained on, of games that list them, as images at random; else none."""
    form = form_of(game)
    own, opponent = finished_of(game, "train")
    if not len(own):
        return own, opponent
    drawn = rng.choice(len(own), n)
    return form.image(own[drawn], opponent[drawn], rng.integers(form.images, size=n))


@cache
def finished_of(game: str, split: Split) -> tuple[Boards, Boards]:
    """All finished boards of a split, one image for all, of games that list them; else none."""
    form = form_of(game)
    own, opponent = form.finished()
    those = split_of(*plainest(form, own, opponent)[:2]) == SPLITS.index(split)
    return own[those], opponent[those]


def describe(splits: dict[Split, Positions]) -> list[str]:
    """What a person wants to know of these positions: how many, how full, how won."""
    told = []
    for name, positions in splits.items():
        best = np.where(positions.scores == ILLEGAL, -99, positions.scores).max(axis=1)
        won, drawn = (best > 0).mean() if len(best) else 0.0, (best == 0).mean() if len(best) else 0.0
        told.append(f"{name:>10}: {len(positions):7} positions, {won:.0%} won and {drawn:.0%} drawn for the mover")
    return told
