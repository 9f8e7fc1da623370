"""Perfect Connect Four by the solver bitbully: exact scores of every move."""

from __future__ import annotations

import time
from importlib import metadata

from stratarena.agents.engines.base import Appraisal, Appraisals, EngineError, EngineLine, EngineSpec, Query
from stratarena.games.base import Move, MoveError, PositionError
from stratarena.games.connect_four import ConnectFour

__all__ = ["BitBullySolver"]

_FASTEST_WIN = 18
"""The solver's score of a win with the fourth disc, the fastest there is."""
_COLUMNS_FROM_CENTRE = (3, 2, 4, 1, 5, 0, 6)


class BitBullySolver:
    """Plays a move of the highest exact score, nearest to the centre, the left one first."""

    def __init__(self, spec: EngineSpec) -> None:
        if spec.options:
            raise EngineError(f"bitbully takes no options, but was given {dict(spec.options)}")
        try:
            from bitbully import BitBully, Board
        except ImportError as error:
            raise EngineError(f"{error}; install the extra: pip install 'stratarena[connect-four]'") from error
        self._solver = BitBully()
        self._board = Board

    @property
    def identity(self) -> dict[str, str]:
        """The library's name and version."""
        return {"name": "bitbully", "version": metadata.version("bitbully")}

    def consult(self, query: Query) -> EngineLine:
        """The best move; its value is 1, 0 or -1 under perfect play. Bounds of the query are not needed."""
        moves = _moves_from_the_start(query)
        board = self._board()
        for move in moves:
            if not board.play(int(move) - 1):
                raise EngineError(f"bitbully refused column {move} in {' '.join(moves)}")
        began = time.perf_counter()
        scores = self._solver.score_all_moves(board)
        think_ms = (time.perf_counter() - began) * 1000
        column = max((column for column in _COLUMNS_FROM_CENTRE if column in scores), key=lambda column: scores[column])
        score = scores[column]
        return EngineLine(
            move=Move(str(column + 1)),
            pv=(Move(str(column + 1)),),
            value=float((score > 0) - (score < 0)),
            score=f"solved {score}",
            think_ms=think_ms,
        )

    def appraise(self, queries: tuple[Query, ...]) -> Appraisals:
        """Exact values of positions and of all their moves, a faster win being worth more, a slower loss less bad.

        A score of the solver, which counts the discs that the winner has left, goes from 0.5 (as late as can be) to 1.
        """
        began = time.perf_counter()
        found = []
        for query in queries:
            board = self._board()
            for move in _moves_from_the_start(query):
                board.play(int(move) - 1)
            scores = self._solver.score_all_moves(board)
            moves = tuple((Move(str(column + 1)), _worth(score)) for column, score in sorted(scores.items()))
            found.append(Appraisal(max(value for _, value in moves), moves))
        return Appraisals(found=tuple(found), think_ms=(time.perf_counter() - began) * 1000)

    def close(self) -> None:
        """Nothing to let go of."""


def _worth(score: int) -> float:
    """A score of the solver from -1 to 1."""
    if score == 0:
        return 0.0
    size = 0.5 + 0.5 * min(abs(score), _FASTEST_WIN) / _FASTEST_WIN
    return size if score > 0 else -size


def _moves_from_the_start(query: Query) -> tuple[Move, ...]:
    """The columns that lead to the position from the empty board; bitbully takes no other start."""
    game = ConnectFour()
    try:
        state = game.decode(query.start)
        if state.first or state.second:
            raise EngineError(f"bitbully starts from the empty board only, not from {query.start!r}")
        for move in query.moves:
            state = game.play(state, move)
    except (MoveError, PositionError) as error:
        raise EngineError(f"bitbully was asked about an impossible position: {error}") from error
    if game.outcome(state) is not None:
        raise EngineError("bitbully was asked for a move in a finished game")
    return query.moves
