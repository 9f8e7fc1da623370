"""Labelled positions from games that a model plays against itself, so that it learns where its own choices lead."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stratarena.agents.gamelm.columns import lines, play, room
from stratarena.agents.gamelm.connect_four_positions import LABEL_SHARE, Labelled, label
from stratarena.agents.gamelm.reading import read

if TYPE_CHECKING:
    from stratarena.agents.gamelm.network import GameLm

__all__ = ["make_own_chunk", "own_games"]

_TEMPERATURES = (0.02, 0.05, 0.2)
"""Of the softmax over the chances of winning that the model sees; each game has its own."""
_OPENING = 8
"""At most so many moves are random before the model chooses."""


def own_games(model: GameLm, n_games: int, seed: int) -> Labelled:
    """Positions of that many games, all played side by side, with the exact score of every move."""
    rng = np.random.default_rng(seed)
    own, opponent = np.zeros(n_games, np.uint64), np.zeros(n_games, np.uint64)
    temperature = rng.choice(_TEMPERATURES, n_games)
    randomly = rng.integers(0, _OPENING + 1, n_games)
    kept_own, kept_opponent = [], []
    for ply in range(42):
        able = room(own, opponent)
        going = ~lines(opponent) & able.any(axis=1)
        if not going.any():
            break
        own, opponent, able = own[going], opponent[going], able[going]
        temperature, randomly = temperature[going], randomly[going]
        share = LABEL_SHARE[ply] if ply < len(LABEL_SHARE) else 1.0
        labelled = rng.random(len(own)) < share
        kept_own.append(own[labelled])
        kept_opponent.append(opponent[labelled])
        values = read(model, own, opponent).mean / temperature[:, None]
        values[randomly > ply] = 0.0
        # The largest of values with Gumbel noise is a draw from their softmax.
        noisy = np.where(able, values + rng.gumbel(size=values.shape), -np.inf)
        own, opponent = play(own, opponent, noisy.argmax(axis=1))
    return label(np.concatenate(kept_own), np.concatenate(kept_opponent))


def make_own_chunk(folder: Path, weights: Path, model: GameLm, *, games: int) -> Path:
    """The file of that many games of these weights; made if it is not there."""
    name = sha256((weights / "model.safetensors").read_bytes()).hexdigest()[:12]
    path = folder / f"connect_four-own-{name}-{games}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = own_games(model, games, seed=0)
        half = path.with_suffix(".part.npz")
        np.savez(half, own=made.own, opponent=made.opponent, scores=made.scores)
        half.replace(path)
    return path
