"""Hex positions with exact labels: games of mixed strength, the winner after every move of a position proved.

Two players of a drawn strength meet. A strength is a share of random moves, whether only winning moves are considered
where there are any, and how greedily the shares of random fillings are followed. The proofs are those of
`stratarena.agents.engines.hex_search.proof`.

A label says who wins, exactly, and then how clearly, by estimate: of random ways to fill the board with the mover's
stone there, the share that the mover wins. So among winning moves those that leave less to chance are worth more, and
a won game is brought to its end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stratarena.agents.engines.hex_search.grid import Geometry
from stratarena.agents.engines.hex_search.proof import Prover
from stratarena.agents.gamelm.hex_boards import Cells
from stratarena.agents.gamelm.hex_form import GRADES
from stratarena.agents.gamelm.labels import ILLEGAL, Labelled

__all__ = ["Judge", "generate", "share_of_score"]

_FILLINGS = 256
_NODES = 100_000


def share_of_score(scores: NDArray[np.integer]) -> NDArray[np.float64]:
    """`[...]`: the mover's share of fillings, 0 to 1, that scores stand for."""
    graded = np.maximum(np.abs(scores) - 1, 0) / GRADES
    return np.asarray(np.where(scores > 0, graded, 1 - graded))


class Judge:
    """Scores of all moves of positions, for the side to move, who joins top and bottom."""

    def __init__(self, size: int) -> None:
        self.cells = Cells(size)
        self._geometry = Geometry.of(size)
        self._prover = Prover(self._geometry, nodes=_NODES)

    def scores(self, own: int, opponent: int) -> NDArray[np.int8] | None:
        """`[cells]`: each move's score, or `ILLEGAL`; None if the proof was cut off. The game is not over."""
        bits = np.arange(self.cells.n)
        board = ((own >> bits) & 1 | ((opponent >> bits) & 1) << 1).astype(np.int8)
        wins = self._prover.winning_moves(board, 1)
        if wins is None:
            return None
        around = self._geometry.around
        share = _fill_shares(board, self.cells.size, around, _FILLINGS, (own * 0x9E3779B1 + opponent) % 2**31 + 1)
        winning = np.zeros(self.cells.n, np.bool_)
        winning[list(wins)] = True
        score = np.where(winning, 1 + np.rint(GRADES * share), -1 - np.rint(GRADES * (1 - share)))
        return np.where(board == 0, score, ILLEGAL).astype(np.int8)


@njit(cache=True)
def _fill_shares(board: Any, size: int, around: Any, fillings: int, seed: int) -> Any:
    """`float64[cells]`: the share of fillings with a stone of colour 1 there that join top and bottom, 0.5 for taken cells."""
    n_cells = size * size
    cells = np.empty(n_cells, np.int64)
    n = 0
    for cell in range(n_cells):
        if board[cell] == 0:
            cells[n] = cell
            n += 1
    mine = (n + 1) // 2
    won, met = np.ones(n_cells), np.full(n_cells, 2.0)
    filled = board.copy()
    stack = np.empty(n_cells, np.int64)
    seen = np.empty(n_cells, np.bool_)
    state = np.uint64(seed)
    for _ in range(fillings):
        for index in range(n):
            if index < mine:
                state ^= state << np.uint64(13)
                state ^= state >> np.uint64(7)
                state ^= state << np.uint64(17)
                drawn = index + np.int64(state >> np.uint64(33)) % (n - index)
                cells[index], cells[drawn] = cells[drawn], cells[index]
            filled[cells[index]] = 1 if index < mine else 2
        seen[:] = False
        depth = 0
        for cell in range(size):
            if filled[cell] == 1:
                seen[cell] = True
                stack[depth] = cell
                depth += 1
        joined = False
        while depth > 0 and not joined:
            depth -= 1
            cell = stack[depth]
            joined = cell >= n_cells - size
            for k in range(6):
                near = around[cell, k]
                if near >= 0 and not seen[near] and filled[near] == 1:
                    seen[near] = True
                    stack[depth] = near
                    depth += 1
        for index in range(mine):
            met[cells[index]] += 1
            won[cells[index]] += joined
    return won / met


@dataclass(frozen=True, slots=True)
class _Strength:
    random: float
    exact: bool
    """Whether only winning moves are considered, where there are any."""
    temperature: float
    """Of the softmax over shares of fillings."""


def _drawn(rng: Random) -> _Strength:
    return _Strength(
        random=rng.choice((0.0, 0.1, 0.25, 0.5, 1.0)),
        exact=rng.random() < 0.5,
        temperature=rng.choice((0.02, 0.05, 0.15)),
    )


def generate(size: int, n_games: int, seed: int) -> Labelled:
    """Labelled positions from that many games, in the order met, turned boards and repetitions among them.

    Half of the games begin with up to six stones anywhere.
    """
    judge, rng = Judge(size), Random(seed)
    cells = judge.cells
    own_boards: list[int] = []
    opponent_boards: list[int] = []
    scores: list[NDArray[np.int8]] = []
    for _ in range(n_games):
        players = (_drawn(rng), _drawn(rng))
        anywhere = rng.randrange(1, 7) if rng.random() < 0.5 else 0
        own, opponent = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        for ply in range(cells.n):
            found = judge.scores(int(own[0]), int(opponent[0])) if ply >= anywhere else None
            if found is not None:
                own_boards.append(int(own[0]))
                opponent_boards.append(int(opponent[0]))
                scores.append(found)
            cell = _choice(rng, players[ply % 2], np.flatnonzero(cells.room(own, opponent)[0]), found)
            own, opponent = cells.play(own, opponent, np.array([cell]))
            if cells.joined(cells.exchange(opponent))[0]:
                break
    return Labelled(
        np.array(own_boards, np.uint64),
        np.array(opponent_boards, np.uint64),
        np.array(scores, np.int8).reshape(-1, cells.n),
    )


def _choice(rng: Random, player: _Strength, legal: NDArray[np.int64], scores: NDArray[np.int8] | None) -> int:
    if scores is None or rng.random() < player.random:
        return int(rng.choice(legal))
    considered = [int(cell) for cell in legal if scores[cell] > 0] if player.exact else []
    considered = considered or [int(cell) for cell in legal]
    share = share_of_score(scores[considered])
    weights = [math.exp((one - share.max()) / player.temperature) for one in share]
    return rng.choices(considered, weights)[0]
