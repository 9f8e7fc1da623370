"""Values in 64 buckets: from solvers' scores to win probabilities, to buckets, and to what a model is taught.

Source: Schultz et al., "Mastering Board Games by External and Internal Planning with Language Models" (2025), for the
buckets, their mirror image and the two ways to score a move; the scales for Connect Four and Hex are our own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.vocabulary import BUCKETS

__all__ = ["MIRROR", "bucket_of", "centres", "chance_of_score", "mirror", "smoothed", "together"]

MIRROR = BUCKETS + 1
FASTEST = 18
"""The score beyond which a Connect Four win is as fast as can be told."""


def bucket_of(chance: float) -> int:
    """The bucket, 1 to 64, of a chance of winning; a value on an edge belongs to the lower one."""
    return max(1, min(BUCKETS, int(np.ceil(BUCKETS * chance - 1e-9))))


def mirror(bucket: int) -> int:
    """The same value seen by the opponent."""
    return MIRROR - bucket


def together(one: int, other: int) -> int:
    """The bucket in the middle of two judgments of the same thing; the upper one of two."""
    return (one + other + 1) // 2


def centres() -> NDArray[np.float64]:
    """`[64]`: the chance of winning in the middle of every bucket."""
    return (np.arange(BUCKETS) + 0.5) / BUCKETS


def chance_of_score(scores: NDArray[np.integer]) -> NDArray[np.float64]:
    """The mover's chance of winning for exact scores: 0.5 for a draw, 0.75 to 1 for wins, the faster the higher.

    A score counts half the discs that the winner has left, with the loser's sign negative.
    """
    speed = np.minimum(np.abs(scores), FASTEST) / FASTEST
    return np.asarray(0.5 + np.sign(scores) * (0.25 + 0.25 * speed))


def smoothed(chance: NDArray[np.floating], sigma: float) -> NDArray[np.float32]:
    """`[..., 64]`: the chance as a distribution over buckets, normal around it, `sigma` buckets wide.

    A draw lies on the edge of two buckets and is shared alike by both, so its mean is exactly one half.
    """
    away = (np.arange(BUCKETS) + 0.5) - BUCKETS * np.asarray(chance)[..., None]
    weights = np.exp(-0.5 * (away / sigma) ** 2)
    return np.asarray(weights / weights.sum(-1, keepdims=True), np.float32)
