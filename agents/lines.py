"""Intended lines on the board: what an agent means to play now, the reply it expects, and what it makes of the next one.

The plan of a turn is declared once it is formed, and again each time it is looked at: a declaration that changes nothing
says that the plan was kept. So the record holds every chance to change one's mind, taken or not.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import lru_cache
from typing import Any

from stratarena.agents.base import Reply, Step, View, propose, revise
from stratarena.agents.plan import Cause, Plan
from stratarena.games.base import Game, Move, MoveError
from stratarena.games.plugins import load_game

__all__ = ["declare_line", "legal_prefix"]

_BETWEEN_OWN_MOVES = 2


def declare_line(view: View[Any], plan: Plan, *, changed_by: Cause) -> Generator[Step, Reply, None]:
    """Declare the plan of this turn, as a proposal or as a revision of the line that stands.

    A revision with cause OPPONENT if the other side did not play the expected reply; with cause REFUSED if the standing
    plan's move was turned down this turn; with `changed_by` if the reply was as expected and the move that was meant for
    now is given up all the same. A proposal in all other cases: the line is carried on, came to its end, or was left
    before, or the view does not tell what was played.
    """
    cause = _cause(view, plan, changed_by)
    if cause is None:
        yield from propose(plan)
    else:
        yield from revise(plan, cause)


def _cause(view: View[Any], plan: Plan, changed_by: Cause) -> Cause | None:
    standing = view.standing
    if standing is None or not standing.moves:
        return None
    if view.refused:
        meant_and_refused = any(
            refusal.kind == "illegal" and standing.moves[0] in refusal.text for refusal in view.refused
        )
        return Cause.REFUSED if meant_and_refused else None
    if len(view.moves) < _BETWEEN_OWN_MOVES or len(standing.moves) < _BETWEEN_OWN_MOVES:
        return None
    own, reply = view.moves[-_BETWEEN_OWN_MOVES:]
    if own != standing.moves[0]:
        return None
    if reply != standing.moves[1]:
        return Cause.OPPONENT
    meant = standing.moves[_BETWEEN_OWN_MOVES : _BETWEEN_OWN_MOVES + 1]
    return changed_by if meant and meant != plan.moves[:1] else None


def legal_prefix(game_id: str, state: Any, texts: tuple[str, ...]) -> tuple[Move, ...]:
    """The moves that these texts name one after another, as far as each is legal after those before it.

    They are played on plain rules: following what an agent says is no search of its own and costs it no nodes.
    """
    game = _plain(game_id)
    moves: list[Move] = []
    for text in texts:
        try:
            move = game.parse(state, text)
            state = game.play(state, move)
        except MoveError:
            break
        moves.append(move)
    return tuple(moves)


@lru_cache(maxsize=32)
def _plain(game_id: str) -> Game[Any]:
    return load_game(game_id)
