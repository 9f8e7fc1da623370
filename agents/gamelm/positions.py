"""Labelled positions as training wants them: chunks on disk, without mirror images and repetitions, split by hash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.columns import Boards, canonical, lines, mirrored, play, room
from stratarena.agents.gamelm.connect_four_positions import ILLEGAL, Labelled, generate
from stratarena.agents.gamelm.splits import SPLITS, Split, split_of
from stratarena.games.base import SpecError

__all__ = ["Positions", "chunk_path", "describe", "load_positions", "make_chunks", "played_on", "terminal_boards"]


@dataclass(frozen=True, slots=True)
class Positions:
    """Distinct canonical positions of one split, in a fixed order."""

    own: Boards
    opponent: Boards
    scores: NDArray[np.int8]
    """`[n, 7]`: exact scores for the mover, `ILLEGAL` where a column is full."""

    def __len__(self) -> int:
        return len(self.own)

    def take(self, which: NDArray[Any] | slice) -> Positions:
        """Some of them: indices, a mask or a slice."""
        return Positions(self.own[which], self.opponent[which], self.scores[which])

    def flipped(self, which: NDArray[np.bool_]) -> Positions:
        """The same with left and right exchanged where `which` is true."""
        return Positions(
            np.where(which, mirrored(self.own), self.own),
            np.where(which, mirrored(self.opponent), self.opponent),
            np.where(which[:, None], self.scores[:, ::-1], self.scores),
        )


def chunk_path(folder: Path, index: int) -> Path:
    """Where the positions of seed `index` lie."""
    return folder / f"connect_four-{index:04d}.npz"


def make_chunks(folder: Path, *, n_chunks: int, games: int) -> list[Path]:
    """Paths of the first chunks; those not there are made, each from its own seed, its number."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [chunk_path(folder, index) for index in range(n_chunks)]
    for index, path in enumerate(paths):
        if not path.exists():
            made = generate(games, index)
            half = path.with_suffix(".part.npz")
            np.savez(half, own=made.own, opponent=made.opponent, scores=made.scores)
            half.replace(path)
    return paths


def load_positions(paths: list[Path]) -> dict[Split, Positions]:
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
    plain_own, plain_opponent = canonical(own, opponent)
    turned = (plain_own != own) | (plain_opponent != opponent)
    scores = np.where(turned[:, None], scores[:, ::-1], scores)
    _, first = np.unique(np.stack([plain_own, plain_opponent], axis=1), axis=0, return_index=True)
    whole = Positions(plain_own[first], plain_opponent[first], scores[first])
    split = split_of(whole.own, whole.opponent)
    return {name: whole.take(split == index) for index, name in enumerate(SPLITS)}


def terminal_boards(positions: Positions) -> tuple[Boards, Boards]:
    """Finished boards one ply after these positions, seen by the side that would be to move."""
    own, opponent = [], []
    for column in range(7):
        open_ = room(positions.own, positions.opponent)[:, column]
        mine, theirs = positions.own[open_], positions.opponent[open_]
        after = play(mine, theirs, np.full(len(mine), column))
        over = lines(after[1]) | ~room(*after).any(axis=1)
        own.append(after[0][over])
        opponent.append(after[1][over])
    return np.concatenate(own), np.concatenate(opponent)


def played_on(own: Boards, opponent: Boards, rng: np.random.Generator) -> tuple[Boards, Boards]:
    """Boards one to three random moves after these, where a winning move is taken half of the time it is there.

    No label is needed to say whether they are finished. What would be a validation or test position is left out.
    """
    own, opponent = own.copy(), opponent.copy()
    left = rng.integers(1, 4, size=len(own))
    while True:
        going = (left > 0) & ~lines(opponent) & room(own, opponent).any(axis=1)
        if not going.any():
            break
        mine, theirs = own[going], opponent[going]
        able = room(mine, theirs)
        wins = np.zeros_like(able)
        for column in range(able.shape[1]):
            open_ = able[:, column]
            wins[open_, column] = lines(play(mine[open_], theirs[open_], np.full(open_.sum(), column))[1])
        greedy = wins.any(axis=1) & (rng.random(len(mine)) < 0.5)
        columns = np.where(np.where(greedy[:, None], wins, able), rng.random(able.shape), -1.0).argmax(axis=1)
        own[going], opponent[going] = play(mine, theirs, columns)
        left[going] -= 1
    train = split_of(*canonical(own, opponent)) == SPLITS.index("train")
    return own[train], opponent[train]


def describe(splits: dict[Split, Positions]) -> list[str]:
    """What a person wants to know of these positions: how many, how full, how won."""
    told = []
    for name, positions in splits.items():
        best = np.where(positions.scores == ILLEGAL, -99, positions.scores).max(axis=1)
        won, drawn = (best > 0).mean() if len(best) else 0.0, (best == 0).mean() if len(best) else 0.0
        told.append(f"{name:>10}: {len(positions):7} positions, {won:.0%} won and {drawn:.0%} drawn for the mover")
    return told
