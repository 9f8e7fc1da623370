"""Search in a model's own world: the model says what a move leads to, whether the game is over there, and which moves follow.

Positions travel as the model writes them, in the game's one-line notation. Where the game is by rights is looked up by the
arena afterwards, node by node; in the mode `repair` the rules also give up what is wrong at once, so that the difference
between the modes is the price of what was made up (mav 3.1, 7.2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from stratarena.agents.base import View, ask
from stratarena.agents.evaluation_prompts import read_move_values, read_object
from stratarena.agents.evaluators import Cost, PriorShape, Spot, Thinking
from stratarena.agents.models.base import Completion, Finish, Message, Request, Sampling
from stratarena.agents.search_tree import DRAW, Evaluation, Opened
from stratarena.games.base import Game, Move, MoveError, PositionError, Seat

__all__ = ["Imagination", "Imagined", "Told", "root_messages", "successor_messages", "told"]

_LONGEST_STATE = 400
_MOST_MOVES = 400
_WORD = re.compile(r"[A-Za-z0-9+=#-]{1,12}")


class Imagined:
    """A world in which nothing is known before it is told."""

    def enter(self, state: Any, move: Move) -> None:
        """Nothing."""

    def moves(self, state: Any) -> tuple[Move, ...]:
        """None: they come with the evaluation."""
        return ()


class Told(NamedTuple):
    """What a model says of the position after a move."""

    state: str
    result: float | None
    """For FIRST, 0 to 1; None while the game goes on."""
    moves: dict[Move, float]
    """With the chance to win, 0 to 1, of the side to move there."""


class Imagination:
    """Asks a model for the next state with all its moves and their values, one call a position, as strict JSON.

    What cannot be read is asked for once more; then the move is dead. The root is the real position with its legal moves.
    """

    has_opinion = True

    def __init__(
        self,
        model: str,
        *,
        shape: PriorShape,
        on_error: Literal["measure", "repair"],
        max_tokens: int,
        temperature: float,
    ) -> None:
        self._model = model
        self._shape = shape
        self._repairs = on_error == "repair"
        self._max_tokens = max_tokens
        self._temperature = temperature
        self.cost = Cost(calls=2, words=f"1 call, 2 where the first cannot be read: writes up to {max_tokens} tokens")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """All positions of a batch are asked about together, then those that must be asked about again."""
        found: list[Evaluation | None] = [None] * len(spots)
        talks = {
            i: root_messages(view.game, str(spot.state), spot.moves)
            if not spot.line
            else successor_messages(view.game, str(spot.before), spot.line[-1])
            for i, spot in enumerate(spots)
        }
        for attempt in range(2):
            seed = (view.seed + attempt) % 2**63 if self._temperature > 0 else None
            sampling = Sampling(max_tokens=self._max_tokens, temperature=self._temperature, seed=seed)
            requests = [Request(messages=messages, sampling=sampling) for messages in talks.values()]
            answers = yield from ask(self._model, *requests)
            again = {}
            for (i, messages), answer in zip(talks.items(), answers, strict=True):
                try:
                    found[i] = self._read(view, spots[i], answer)
                except ValueError as error:
                    wrong = f"That could not be read: {error}. Answer again with the JSON object alone."
                    again[i] = (*messages, Message("assistant", answer.text), Message("user", wrong))
            talks = again
            if not talks:
                break
        return found

    def _read(self, view: View[Any], spot: Spot, answer: Completion) -> Evaluation | None:
        """The evaluation; None for a move that the model calls illegal, or that the rules give up."""
        cut_off = answer.finish is Finish.LENGTH
        if not spot.line:
            values = read_move_values(answer.text, spot.moves, cut_off=cut_off)
            least = min(values.values())
            every = tuple(values.get(move, least) for move in spot.moves)
            return Evaluation(max(every), self._shape.priors(every), every, moves=spot.moves, claim=str(spot.state))
        if cut_off:
            raise ValueError("the answer was cut off")
        said = told(answer.text, view.game)
        if said is None or (self._repairs and not _true(view.game, str(spot.before), spot.line[-1], said)):
            return None
        opened = Opened(said.state, spot.seat is Seat.FIRST, said.result)
        if said.result is not None:
            return Evaluation(DRAW, opened=opened, claim=said.state)
        every = tuple(said.moves.values())
        return Evaluation(
            max(every), self._shape.priors(every), every, opened=opened, moves=tuple(said.moves), claim=said.state
        )


def root_messages(game: Game[Any], state: str, moves: tuple[Move, ...]) -> tuple[Message, ...]:
    """Asks for values of the moves of the real position."""
    return (
        _system(game),
        Message(
            "user",
            f"Position: {state}\nLegal moves: {' '.join(moves)}\nGive for each of them the chance in percent that the side "
            f'to move wins after it. Answer with one JSON object and no other text, like {{"moves": {{"{moves[0]}": 50}}}}',
        ),
    )


def successor_messages(game: Game[Any], state: str, move: Move) -> tuple[Message, ...]:
    """Asks what a move leads to."""
    first, second = game.traits.seat_names
    return (
        _system(game),
        Message(
            "user",
            f"Position: {state}\nMove: {move}\nSay what this move leads to. Answer with one JSON object of four keys and "
            'no other text: "legal", true or false; "state", the position after the move, written like the one above; '
            f'"over", null while the game goes on, else "{first}" or "{second}" for the winner, or "draw"; "moves", an '
            "object of every legal move of the side to move then, with the chance in percent that this side wins after "
            "it, empty when the game is over.",
        ),
    )


def told(text: str, game: Game[Any]) -> Told | None:
    """What an answer to `successor_messages` says, read strictly; None where it says that the move is illegal.

    Raises:
        ValueError: it is anything but the object that was asked for.
    """
    found = read_object(text)
    if set(found) != {"legal", "state", "over", "moves"}:
        raise ValueError('expected the four keys "legal", "state", "over" and "moves"')
    if not isinstance(found["legal"], bool):
        raise ValueError('"legal" is neither true nor false')  # noqa: TRY004
    if not found["legal"]:
        return None
    state, over, moves = found["state"], found["over"], found["moves"]
    if not isinstance(state, str) or not state.strip() or len(state) > _LONGEST_STATE:
        raise ValueError('"state" is no text of a position')
    first, second = game.traits.seat_names
    results = {first: 1.0, second: 0.0, "draw": DRAW}
    if over is not None and (not isinstance(over, str) or over not in results):
        raise ValueError(f'"over" is none of null, "{first}", "{second}", "draw"')
    if not isinstance(moves, dict) or len(moves) > _MOST_MOVES or bool(moves) == (over is not None):
        raise ValueError('"moves" is to hold moves exactly while the game goes on')
    values: dict[Move, float] = {}
    for move, percent in moves.items():
        if not _WORD.fullmatch(move):
            raise ValueError(f"{move[:20]!r} is no move")
        if isinstance(percent, bool) or not isinstance(percent, int) or not 0 <= percent <= 100:
            raise ValueError(f"{percent!r} for {move} is no whole number from 0 to 100"[:200])
        values[Move(move)] = percent / 100
    return Told(state.strip(), None if over is None else results[over], values)


def _true(game: Game[Any], before: str, move: Move, said: Told) -> bool:
    """Whether the rules agree with all of it."""
    try:
        after = game.play(game.decode(before), move)
    except (MoveError, PositionError):
        return False
    outcome = game.outcome(after)
    if outcome is not None:
        winner = outcome.winner
        return said.result == (DRAW if winner is None else 1.0 if winner is Seat.FIRST else 0.0)
    return game.encode(after) == said.state and set(said.moves) == set(game.legal_moves(after)) and said.result is None


def _system(game: Game[Any]) -> Message:
    return Message("system", f"You keep track of positions of a board game and judge them.\n{game.rules}")
