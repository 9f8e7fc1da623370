"""OpenSpiel's C++ Monte Carlo tree search with random rollouts, for every board game of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from random import Random
from typing import Any

import chess

from stratarena.agents.engines.base import EngineError, EngineLine, EngineSpec, Query
from stratarena.games.base import Move, PositionError, SpecError
from stratarena.games.connect_four import ConnectFour
from stratarena.games.hex import SWAP
from stratarena.games.plugins import parse_spec

__all__ = ["OpenSpielMcts", "open_spiel_state"]

_MEMORY_MB = 500
_LONGEST_PV = 12


class OpenSpielMcts:
    """A new search for every query, seeded by it: equal queries get equal answers.

    Options, all of which may be left out: `simulations` (1000), `uct_c` (exploration, 2), `rollouts` (a leaf, 1),
    `solve` (back up proven wins and losses, true).
    """

    def __init__(self, spec: EngineSpec) -> None:
        try:
            import pyspiel
        except ImportError as error:
            raise EngineError(f"{error}; install the extra: pip install 'stratarena[open-spiel]'") from error
        self._spiel = pyspiel
        options: Mapping[str, Any] = dict(spec.options)
        self._simulations = int(options.get("simulations", 1000))
        self._uct_c = float(options.get("uct_c", 2.0))
        self._rollouts = int(options.get("rollouts", 1))
        self._solve = bool(options.get("solve", True))

    @property
    def identity(self) -> dict[str, str]:
        """Library, version and settings."""
        return {
            "name": "OpenSpiel MCTSBot",
            "version": metadata.version("open_spiel"),
            "simulations": str(self._simulations),
            "uct_c": str(self._uct_c),
            "rollouts": str(self._rollouts),
            "solve": str(self._solve).lower(),
        }

    def consult(self, query: Query) -> EngineLine:
        """The most promising move; `nodes` are simulations, and bound them when the query says so.

        `value` is the mean result of the simulations through the move, or the proven one. A single simulation looks
        at no move yet: the move is then drawn by the seed, and has no value.
        """
        simulations = self._simulations if query.nodes is None else min(self._simulations, query.nodes)
        state, to_move, _ = open_spiel_state(query)
        if state.is_terminal():
            raise EngineError("MCTS was asked for a move in a finished game")
        seed = query.seed % 2**31
        if simulations < 2:
            drawn = to_move(state, Random(query.seed).choice(state.legal_actions()))
            return EngineLine(move=drawn, pv=(drawn,), nodes=1, think_ms=0.0)
        bot = self._spiel.MCTSBot(
            state.get_game(),
            self._spiel.RandomRolloutEvaluator(self._rollouts, seed),
            self._uct_c,
            simulations,
            _MEMORY_MB,
            self._solve,
            seed,
            False,
        )
        began = time.perf_counter()
        root = bot.mcts_search(state)
        think_ms = (time.perf_counter() - began) * 1000
        best = root.best_child()
        value = best.outcome[best.player] if best.outcome else best.total_reward / max(best.explore_count, 1)
        line, position, node = [to_move(state, best.action)], state.child(best.action), best
        while node.children and len(line) < _LONGEST_PV and not position.is_terminal():
            node = node.best_child()
            if node.explore_count == 0:
                break
            line.append(to_move(position, node.action))
            position = position.child(node.action)
        return EngineLine(
            move=line[0],
            pv=tuple(line),
            value=max(-1.0, min(1.0, float(value))),
            score=f"visits {best.explore_count} of {root.explore_count}",
            nodes=root.explore_count,
            think_ms=think_ms,
        )

    def close(self) -> None:
        """Nothing to let go of."""


def open_spiel_state(query: Query) -> tuple[Any, Callable[[Any, int], Move], Callable[[Any, Move], int]]:
    """The query's position as a `pyspiel` state, with translators of its actions to our moves and back.

    Raises:
        EngineError: OpenSpiel does not have the game or refuses a move.
    """
    import pyspiel

    try:
        name, params = parse_spec(query.game)
    except SpecError as error:
        raise EngineError(str(error)) from error
    size = int(params.get("size", 11))

    # OpenSpiel does not look whether an action is on the board before it reads memory there: the translators do.
    def column_action(_: Any, move: Move) -> int:
        return _within(7, int(move) - 1)

    def hex_action(_: Any, move: Move) -> int:
        if move == SWAP:
            return size * size
        return _within(size, int(move[1:]) - 1) * size + _within(size, ord(move[0]) - ord("a"))

    def hex_move(state: Any, action: int) -> Move:
        if action == size * size:
            return SWAP
        return Move(f"{chr(ord('a') + action % size)}{action // size + 1}")

    to_move: Callable[[Any, int], Move]
    to_action: Callable[[Any, Move], int]
    try:
        match name:
            case "connect_four":
                start = ConnectFour().decode(query.start)
                if start.first or start.second:
                    raise EngineError(f"OpenSpiel's Connect Four begins with the empty board, not {query.start!r}")
                state = pyspiel.load_game("connect_four").new_initial_state()
                to_move, to_action = (lambda _, action: Move(str(action + 1))), column_action
            case "hex":
                if set(query.start) & set("XO") != {"X"} or query.start.count("X") != 1:
                    raise EngineError(f"OpenSpiel's Hex begins with the empty board, not {query.start!r}")
                swap = "True" if params.get("swap") else "False"
                state = pyspiel.load_game(f"hex(board_size={size},swap={swap})").new_initial_state()
                to_move, to_action = hex_move, hex_action
            case "chess":
                state = pyspiel.load_game("chess").new_initial_state(query.start)
                to_move, to_action = _chess_move, (lambda state, move: int(state.parse_move_to_action(move)))
            case "chess960":
                state = pyspiel.load_game("chess(chess960=true)").new_initial_state(query.start)
                to_move, to_action = _chess960_move, _chess960_action
            case _:
                raise EngineError(f"MCTS by OpenSpiel plays connect_four, hex, chess and chess960, not {name}")
        for move in query.moves:
            state.apply_action(to_action(state, move))
    except (pyspiel.SpielError, PositionError, ValueError, IndexError) as error:
        raise EngineError(f"OpenSpiel refused the position {query.start!r} {' '.join(query.moves)}: {error}") from error
    return state, to_move, to_action


def _within(size: int, index: int) -> int:
    """The index, which must be from 0 to below the size."""
    if not 0 <= index < size:
        raise ValueError(f"{index + 1} is beyond {size}")
    return index


def _chess960_names(state: Any, actions: Iterable[int]) -> dict[int, Move]:
    """The names of Chess960 actions, read from their SAN: OpenSpiel spells castling another way than UCI does."""
    board = chess.Board(state.to_string(), chess960=True)
    return {action: Move(board.parse_san(state.action_to_string(action)).uci()) for action in actions}


def _chess960_move(state: Any, action: int) -> Move:
    return _chess960_names(state, [action])[action]


def _chess960_action(state: Any, move: Move) -> int:
    for action, name in _chess960_names(state, state.legal_actions()).items():
        if name == move:
            return action
    raise ValueError(f"{move} is no legal move")


def _chess_move(state: Any, action: int) -> Move:
    """The UCI name of a chess action."""
    import pyspiel

    return Move(str(pyspiel.chess.action_to_move(action, state.board()).to_lan()))
