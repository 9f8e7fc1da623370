"""What a model is told so that it writes a search: the rules, the grammar, examples from other positions, the position."""

from __future__ import annotations

from typing import Any

from stratarena.agents.base import View
from stratarena.agents.linearized.check import Asked
from stratarena.agents.linearized.notation import StateForm, read_state, write_state
from stratarena.agents.linearized.searcher import example_trace, placement
from stratarena.agents.linearized.trace import print_trace, search_line
from stratarena.agents.models.base import Message
from stratarena.games.base import Game, Seat

__all__ = ["TEMPLATE", "expected_characters", "fitting_shape", "trace_messages"]

TEMPLATE = "linearized-v1"

_FORM = """\
You choose a move by writing out a search tree as text. Write nothing but its lines, in this form:
SEARCH game | depth=D | breadth=B
NODE path | state=position | moves=move:value,move:value
BACK path | moves=move:value,move:value | value=value | pick=move
PLAY move
A path is the moves from the root to the node, joined by >; the root's path is -. A value is a whole number from 0 to 100: \
the chance in per cent that the side to move at that node wins, a draw counting half.
Begin with SEARCH and the NODE line of the root. A NODE line states the position after the last move of its path, the side \
to move included, and the best moves there with their values, best first: B of them (all, if fewer are legal) at depths \
below D, one at depth D. Where the game is over, write end= and the winner ({first} or {second}) or draw in place of moves=.
After the NODE line of a node at a depth below D, write each of its moves as a node of its own, in order, with all that \
belongs to it. Then leave the node by its BACK line: in moves= each move with 100 minus the value of the node behind it, in \
value= the best of them, in pick= its move. A node at depth D has no moves= in its BACK line: its value and pick are those \
of the move that it lists. A node where the game is over has only value=: 0 if the side to move lost, 50 for a draw.
End with PLAY and the root's pick."""

_CANDIDATES = ((0, 1), (1, 2), (1, 3), (1, 4), (2, 2), (1, 6), (2, 3), (3, 2), (2, 4), (2, 5), (3, 3), (3, 4))
"""Shapes to choose from, in the order of their nodes."""


def trace_messages(
    view: View[Any], asked: Asked, *, n_examples: int, list_legal_moves: bool, form: StateForm
) -> tuple[Message, ...]:
    """The conversation that asks for a trace, each refused answer with what was wrong behind it.

    Examples are exchanges of their own: traces of a classical searcher, of the asked size, from positions that are never
    the one at hand. The first message is the same for every turn of a game.
    """
    game = view.game
    first, second = game.traits.seat_names
    messages = [Message("system", f"{game.rules}\n\n{_FORM.format(first=first, second=second)}")]
    here = placement(game.encode(view.state))
    for number in range(n_examples):
        trace = example_trace(game.id, number, depth=asked.depth, breadth=asked.breadth, form=form, without=here)
        shown = read_state(game, trace.nodes[0].state)
        messages.append(Message("user", _question(game, shown, asked, listed=list_legal_moves, form=form)))
        messages.append(Message("assistant", print_trace(trace).rstrip("\n")))
    question = _question(game, view.state, asked, listed=list_legal_moves, form=form)
    messages.append(Message("user", question))
    for refusal in view.refused:
        messages.append(Message("assistant", refusal.text))
        messages.append(
            Message(
                "user", f"That was refused ({refusal.kind}): {refusal.why}.\nWrite the whole search again. {question}"
            )
        )
    return tuple(messages)


def fitting_shape(game: Game[Any], state: Any, *, tokens: int, characters_per_token: float, form: StateForm) -> Asked:
    """The largest search whose trace from here can be expected to fit into so many tokens; the root alone if none does."""
    fitting = [
        asked
        for depth, breadth in _CANDIDATES
        if expected_characters(game, state, asked := Asked(game.id, depth, breadth), form=form)
        <= tokens * characters_per_token
    ]
    return fitting[-1] if fitting else Asked(game.id, *_CANDIDATES[0])


def expected_characters(game: Game[Any], state: Any, asked: Asked, *, form: StateForm) -> int:
    """How long a trace of this size will be: exact but for the lengths of moves and values, and for games that end in it."""
    moves = game.legal_moves(state)
    n_state, n_move = len(write_state(game, state, form)), max(map(len, moves), default=1)
    n_value = n_move + len(":99,")
    total = len(search_line(*asked)) + len(f"PLAY {moves[0]}") + 2
    n_nodes = 1
    for depth in range(asked.depth + 1):
        breadth = min(asked.breadth, max(len(moves) - depth, 1))
        inner = depth < asked.depth
        n_path = max(depth * (n_move + 1) - 1, 1)
        node = n_path + len("NODE  | state= | moves=") + n_state + n_value * (breadth if inner else 1)
        back = (
            n_path + len("BACK  | value=99 | pick=") + n_move + (len(" | moves=") + n_value * breadth if inner else 0)
        )
        # The comma behind the last value stands for the end of a line.
        total += n_nodes * (node + back + (0 if inner else 1))
        n_nodes *= breadth
    return total


def _question(game: Game[Any], state: Any, asked: Asked, *, listed: bool, form: StateForm) -> str:
    first, second = game.traits.seat_names
    mover = first if game.to_move(state) is Seat.FIRST else second
    legal = f"Your legal moves are: {', '.join(game.legal_moves(state))}. " if listed else ""
    return (
        f"Position: {write_state(game, state, form)}\nYou are {mover}. {legal}"
        f"Begin with this line:\n{search_line(*asked)}"
    )
