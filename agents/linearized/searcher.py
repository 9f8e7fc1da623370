"""A classical search that writes what it does: the traces that models are shown, and the measure of the checker.

Minimax to a fixed depth over the best moves of each node by a one-ply look: the search of MAV (arXiv 2412.12119) with a
plain evaluation in the place of the model.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Any

from stratarena.agents.linearized.evaluation import Evaluate, evaluation_of
from stratarena.agents.linearized.notation import StateForm, result_name, write_state
from stratarena.agents.linearized.trace import DRAW, Backup, MoveValue, Trace, TraceNode
from stratarena.games.base import Game, Move
from stratarena.games.plugins import load_game

__all__ = ["BEST", "EVEN", "WORST", "example_trace", "placement", "search_trace"]

WORST, EVEN, BEST = 0, 50, 100
_EXAMPLES_LOOKED_AT = 12
"""Positions among which one is looked for where searching changes the first choice."""
_APART = 1000


def search_trace(
    game: Game[Any],
    state: Any,
    *,
    depth: int,
    breadth: int,
    evaluate: Evaluate | None = None,
    form: StateForm = "fields",
) -> Trace:
    """The trace of a search from a position in which the game is not over.

    `breadth` moves of each node above `depth` are expanded, the best ones by the values of the positions they lead to,
    best first, of equals the first in the game's order; a node at `depth` lists its best reply only.
    """
    writer = _Writer(game, depth=depth, breadth=breadth, evaluate=evaluate or evaluation_of(game), form=form)
    pick = writer.node(state, None, None, 0).pick
    assert pick is not None
    return Trace(game.id, depth, breadth, tuple(writer.nodes), pick)


class _Writer:
    """Nodes as they are entered."""

    def __init__(self, game: Game[Any], *, depth: int, breadth: int, evaluate: Evaluate, form: StateForm) -> None:
        self.nodes: list[TraceNode] = []
        self._game = game
        self._depth = depth
        self._breadth = breadth
        self._evaluate = evaluate
        self._form: StateForm = form

    def node(self, state: Any, parent: int | None, move: Move | None, depth: int) -> Backup:
        """Write the node and all below it; what is carried up from it."""
        game, number = self._game, len(self.nodes)
        node = TraceNode(parent=parent, move=move, state=write_state(game, state, self._form))
        end = result_name(game, state)
        if end is not None:
            # Whoever ended the game did so by the move that led here.
            backup = Backup(value=self._lost_or_drawn(end))
            self.nodes.append(replace(node, end=end, backup=backup))
            return backup
        values = [(played, self._worth(game.play(state, played))) for played in game.legal_moves(state)]
        values.sort(key=_by_value)
        listed = tuple(MoveValue(*each) for each in values[: self._breadth if depth < self._depth else 1])
        self.nodes.append(replace(node, moves=listed))
        carried: tuple[MoveValue, ...] = ()
        if depth < self._depth:
            carried = tuple(
                MoveValue(
                    played, BEST - self.node(game.play(state, Move(played)), number, Move(played), depth + 1).value
                )
                for played, _ in listed
            )
        best = min(carried or listed, key=_by_value)
        backup = Backup(moves=carried, value=best.value, pick=best.move)
        self.nodes[number] = replace(self.nodes[number], backup=backup)
        return backup

    def _worth(self, after: Any) -> int:
        """What the position after a move is worth to the one who made it."""
        end = result_name(self._game, after)
        return BEST - (self._evaluate(after) if end is None else self._lost_or_drawn(end))

    def _lost_or_drawn(self, end: str) -> int:
        return EVEN if end == DRAW else WORST


def _by_value(valued: tuple[str, int]) -> int:
    return -valued[1]


def placement(notation: str) -> str:
    """What of a position's notation makes it the same for a player who sees it: move counters left out."""
    return " ".join(notation.split()[:4])


@lru_cache(maxsize=256)
def _position(game_id: str, number: int) -> str:
    """A position to show: by random play from the start, the same for a game and number.

    Between a third and two thirds of the moves that such a game takes have been made, so that there is something to see.
    """
    game = load_game(game_id)
    rng = Random(f"example {game_id} {number}")
    while True:
        state = game.initial(rng)
        states = [state]
        # Past this many plies random chess only gets longer.
        while game.outcome(state) is None and len(states) < 80:
            state = game.play(state, rng.choice(game.legal_moves(state)))
            states.append(state)
        running = states if game.outcome(state) is None else states[:-1]
        chosen = running[len(running) // 3 : max(len(running) * 2 // 3, 1)]
        if chosen:
            return game.encode(rng.choice(chosen))


@lru_cache(maxsize=64)
def example_trace(game_id: str, number: int, *, depth: int, breadth: int, form: StateForm, without: str) -> Trace:
    """The trace to show as the example of this number: one where searching changes the first choice, if one is soon found.

    `without` is the placement of the position that must not be shown, the one at hand. The same arguments always give
    the same trace, and another number gives one from another position.
    """
    game = load_game(game_id)
    found: Trace | None = None
    # Numbers step through separate ranges of positions, so no two examples share one.
    for place in range(number * _APART, (number + 1) * _APART):
        if found is not None and place >= number * _APART + _EXAMPLES_LOOKED_AT:
            break
        notation = _position(game_id, place)
        if placement(notation) == without:
            continue
        trace = search_trace(game, game.decode(notation), depth=depth, breadth=breadth, form=form)
        if found is None or trace.play != trace.nodes[0].moves[0].move:
            found = trace
            if trace.play != trace.nodes[0].moves[0].move:
                break
    assert found is not None
    return found
