"""Chances to win in equal buckets, as a game language model writes them: Schultz et al. (2412.12119), section on values."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp
from typing import Literal

__all__ = ["Scoring", "bucket", "centre", "labels_of", "mirrored", "move_scores"]

N_BUCKETS = 64
Scoring = Literal["mean", "max"]


def bucket(value: float, n_buckets: int = N_BUCKETS) -> int:
    """The bucket, from 1, that a chance to win from 0 to 1 falls in; one on an edge goes to the lower."""
    return max(1, ceil(value * n_buckets))


def centre(number: int, n_buckets: int = N_BUCKETS) -> float:
    """The middle of a bucket, 0 to 1."""
    return (number - 0.5) / n_buckets


def mirrored(number: int, n_buckets: int = N_BUCKETS) -> int:
    """The same chance seen from the other side."""
    return n_buckets + 1 - number


def labels_of(kind: Literal["digits", "mav"]) -> tuple[str, ...]:
    """Names of buckets, the lowest first: ten digits for a chat model, or the paper's 64 tokens."""
    if kind == "digits":
        return tuple("0123456789")
    return tuple(f"<ctrl{number}>" for number in range(1, N_BUCKETS + 1))


def move_scores(logprobs: Sequence[float], *, n_buckets: int, scoring: Scoring) -> tuple[float, ...]:
    """The value of each move, 0 to 1: the mean or the mode of its distribution over the buckets.

    `logprobs` holds all buckets of the first move, then of the second, and so on; they need not add up to 1.
    """
    values = []
    for start in range(0, len(logprobs), n_buckets):
        row = logprobs[start : start + n_buckets]
        top = max(row)
        if scoring == "max":
            values.append(centre(row.index(top) + 1, n_buckets))
            continue
        weights = [exp(logprob - top) for logprob in row]
        total = sum(weights)
        values.append(sum(w * centre(i, n_buckets) for i, w in enumerate(weights, start=1)) / total)
    return tuple(values)
