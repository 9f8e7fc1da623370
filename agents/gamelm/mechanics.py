"""Whether what a model writes is true and consistent: boards after moves, searches node by node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stratarena.agents.gamelm.forms import form_of
from stratarena.agents.gamelm.model import longest_search, write_states
from stratarena.agents.gamelm.speech import Question
from stratarena.agents.gamelm.trace_reading import BrokenTrace, Checks, check, read_trace
from stratarena.agents.gamelm.traces import prompt
from stratarena.agents.gamelm.writer import write

if TYPE_CHECKING:
    from stratarena.agents.gamelm.network import GameLm
    from stratarena.agents.gamelm.positions import Positions

__all__ = ["Mechanics", "mechanics", "next_states"]

_SHAPES = ((1, 3), (2, 2))


@dataclass(frozen=True, slots=True)
class Mechanics:
    """Shares; None where nothing was counted."""

    next_state: float | None = None
    """Boards after a move without a mistake."""
    child_states: float | None = None
    """Children of searches with the true board. A search that cannot be read counts as one false child."""
    backups: float | None = None
    """Values carried back that mirror what the child selected."""
    selections: float | None = None
    """Moves selected that are the highest of what they select from."""
    leaf_values: float | None = None
    """Values of leaves in the middle of their own report and their parent's."""
    shapes: float | None = None
    """Searches of the depth and breadth asked for."""


def mechanics(model: GameLm, positions: Positions, n: int) -> Mechanics:
    """What holds of texts about the first n positions."""
    some = positions.take(slice(n))
    boards = [(int(own), int(opponent)) for own, opponent in zip(some.own, some.opponent, strict=True)]
    form = form_of(positions.game)
    found: list[Checks] = []
    for depth, breadth in _SHAPES:
        half = boards[: max(n // 2, 1)]
        prompts = [prompt(form, *board, depth=depth, breadth=breadth) for board in half]
        for board, text in zip(
            half, write(model, prompts, max_tokens=longest_search(form, depth, breadth)), strict=True
        ):
            try:
                found.append(check(read_trace(form, text.tokens), *board))
            except BrokenTrace:
                found.append(Checks(asked_shape=False, children=1))
    return Mechanics(
        next_state=next_states(model, some),
        child_states=_share(sum(one.true for one in found), sum(one.children for one in found)),
        backups=_share(sum(one.consistent for one in found), sum(one.backups for one in found)),
        selections=_share(sum(one.selected_best for one in found), sum(one.selections for one in found)),
        leaf_values=_share(sum(one.judged_right for one in found), sum(one.judged for one in found)),
        shapes=_share(sum(one.asked_shape for one in found), len(found)),
    )


def next_states(model: GameLm, positions: Positions) -> float | None:
    """The share of boards after a move without a mistake; the moves go round those that are possible."""
    form = form_of(positions.game)
    able = form.room(positions.own, positions.opponent)
    moves = np.array([np.flatnonzero(row)[index % row.sum()] for index, row in enumerate(able)])
    boards = zip(positions.own.tolist(), positions.opponent.tolist(), strict=True)
    asked = [Question(board, int(move), game=form.game) for board, move in zip(boards, moves, strict=True)]
    true = zip(*(side.tolist() for side in form.play(positions.own, positions.opponent, moves)), strict=True)
    right = sum(state == board for state, board in zip(write_states(model, asked), true, strict=True))
    return _share(right, len(asked))


def _share(good: int, n: int) -> float | None:
    return good / n if n else None
