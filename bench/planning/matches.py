"""Matches on openings in colour-swapped pairs, all side by side; scores, ratings and their intervals by the bootstrap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from stratarena.analysis.ratings import ELO_PER_NAT, predict

from .boards import Board, over_by_rules, played
from .players import Chooser

GAME = "connect_four"
Pair = tuple[float, float]
"""The points of the first named agent: in the match that it begins, and in the one that the other begins."""


def play(first: Chooser, second: Chooser, starts: list[Board], seen: Counter[Board] | None = None) -> list[Pair]:
    """Points in each opening; `seen` counts the positions that came up."""
    # Board, whether `first` is to move, and its score once the game is over.
    games: list[list[Any]] = [[start, index % 2 == 0, None] for start in starts for index in range(2)]
    sides = ((first, True), (second, False))
    while any(game[2] is None for game in games):
        open_ = [game for game in games if game[2] is None]
        for chooser, side in sides:
            mine = [game for game in open_ if game[1] is side and game[2] is None]
            if not mine:
                continue
            if seen is not None:
                seen.update(game[0] for game in mine)
            for game, column in zip(mine, chooser([game[0] for game in mine]), strict=True):
                after = played(game[0], column)
                assert after is not None, f"an agent chose the full column {column}"
                result = over_by_rules(after)
                if result is not None:
                    game[2] = 1.0 - result if side else result
                game[0], game[1] = after, not side
    return [(games[2 * index][2], games[2 * index + 1][2]) for index in range(len(starts))]


def elo(score: float) -> float:
    """The difference in Elo that a mean score stands for; a score of nothing or all is taken for one in a thousand."""
    score = min(max(score, 1e-3), 1 - 1e-3)
    return -400 * math.log10(1 / score - 1)


def matched(pairs: list[Pair], seed: int = 0) -> dict[str, Any]:
    """Score and Elo with 95 % intervals by the bootstrap over opening pairs, and how often it is not above one half."""
    rng = np.random.default_rng(seed)
    scores = np.array(pairs).mean(axis=1)
    means = rng.choice(scores, size=(4000, len(scores))).mean(axis=1)
    low, high = (float(edge) for edge in np.quantile(means, (0.025, 0.975)))
    score = float(scores.mean())
    return {
        "pairs": len(pairs),
        "score": score,
        "low": low,
        "high": high,
        "elo": elo(score),
        "elo_low": elo(low),
        "elo_high": elo(high),
        "p_not_above_half": float(np.mean(means <= 0.5)),
    }


def ratings(
    played_pairs: Mapping[tuple[str, str], list[Pair]], anchor: str, *, resamples: int = 100, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Elo of everybody above the anchor, jointly over all pairings, with 95 % intervals by resampling opening pairs.

    Bradley and Terry with Davidson's draws and a first-seat advantage, as `stratarena.analysis.ratings` fits it.
    """
    agents = sorted({name for names in played_pairs for name in names})
    rng = np.random.default_rng(seed)

    def fitted(drawn: Iterable[tuple[tuple[str, str], list[Pair]]]) -> dict[str, float]:
        bouts: Counter[tuple[str, str, str, float]] = Counter()
        for (one, other), pairs in drawn:
            for begun, replied in pairs:
                bouts[GAME, one, other, begun] += 1
                bouts[GAME, other, one, 1 - replied] += 1
        fit = predict(bouts, agents)
        return {name: ELO_PER_NAT * (fit.strength(name) - fit.strength(anchor)) for name in agents}

    best = fitted(played_pairs.items())
    draws = [
        fitted(
            (names, [pairs[index] for index in rng.integers(len(pairs), size=len(pairs))])
            for names, pairs in played_pairs.items()
        )
        for _ in range(resamples)
    ]
    edges = {name: np.quantile([draw[name] for draw in draws], (0.025, 0.975)) for name in agents}
    return {
        name: {
            "elo": best[name],
            "low": float(edges[name][0]),
            "high": float(edges[name][1]),
            "games": 2 * sum(len(pairs) for names, pairs in played_pairs.items() if name in names),
        }
        for name in agents
    }
