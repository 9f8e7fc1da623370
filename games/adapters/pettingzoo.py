"""Two-player classic environments of PettingZoo as a `Game`; the other way is `aec`.

An AEC environment has neither clone nor undo, so `PettingZoo` keeps the actions and plays them again from the seed in the
state where it must: fit for matches, slow to search. PettingZoo's two agents sit as FIRST and SECOND in its own order.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from random import Random
from typing import Any, NamedTuple

from pettingzoo import make

from stratarena.games.base import IllegalMove, MalformedMove, Move, Outcome, PositionError, Seat, SpecError, Traits
from stratarena.games.plugins import Value, print_spec

__all__ = ["NAMES", "PREFIX", "PettingZoo", "State"]

PREFIX = "pettingzoo:"
NAMES = ("connect_four_v3", "go_v5", "tictactoe_v3")
"""Classic environments for two that hide nothing and draw nothing. Chess is ours already, and thirty times faster."""
_SEATS = (Seat.FIRST, Seat.SECOND)


class State(NamedTuple):
    """Actions so far, and what they lead to."""

    actions: tuple[int, ...]
    legal: tuple[int, ...]
    """Empty when the game is over."""
    player: int
    """Whose turn it is, by PettingZoo's order of agents."""
    rewards: tuple[float, float] | None
    """The rewards of the two agents once the game is over, in that order; None before."""
    board: str


class PettingZoo:
    """A classic environment of PettingZoo, played by the numbers of its actions."""

    def __init__(self, name: str, params: Mapping[str, Value]) -> None:
        if name not in NAMES:
            raise SpecError(f"there is no bridge to PettingZoo's {name!r}; there are: {', '.join(NAMES)}")
        # No window, and no greeting from pygame.
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        stem, _, version = name.rpartition("_")
        self._registered = f"classic/{stem}-{version}"
        self._params = dict(params)
        try:
            env = self._made()
            env.reset(seed=0)
        except (TypeError, ValueError, AssertionError) as error:
            raise SpecError(f"{PREFIX}{name} refused its parameters: {error}") from None
        self._agents = tuple(env.possible_agents)
        self.id = print_spec(PREFIX + name, dict(sorted(params.items())))
        n_actions = int(env.action_space(self._agents[0]).n)
        # These environments promise no bound; random games of Go end after some three times as many plies as points.
        self.traits = Traits(max_plies=n_actions * 10, seat_names=("X", "O"))
        self.rules = (
            f"{name.rpartition('_')[0].replace('_', ' ').capitalize()}, for two players, as the library PettingZoo plays "
            f"it in its environment {name}.\n"
            f"A move is written as the number of an action, from 0 to {n_actions - 1}."
        )

    def initial(self, rng: Random) -> State:
        """The environment after its reset; `rng` is not used, since these games draw nothing."""
        return self._state(())

    def to_move(self, state: State) -> Seat:
        """The seat of the environment's selected agent."""
        return _SEATS[state.player]

    def legal_moves(self, state: State) -> Sequence[Move]:
        """The actions of the mask, in their order."""
        return tuple(Move(str(action)) for action in state.legal)

    def play(self, state: State, move: Move) -> State:
        """The state after the action, all actions played again. Raises `IllegalMove`."""
        if not re.fullmatch(r"0|[1-9][0-9]{0,5}", move) or int(move) not in state.legal:
            raise IllegalMove(move, game=self.id, position=self.encode(state), why=self._why_not(state))
        return self._state((*state.actions, int(move)))

    def outcome(self, state: State) -> Outcome | None:
        """By the cumulative rewards."""
        if state.rewards is None:
            return None
        first, second = state.rewards
        if first == second:
            return Outcome(None, "equal_rewards")
        return Outcome(Seat.FIRST if first > second else Seat.SECOND, "higher_reward")

    def visible(self, state: State, seat: Seat) -> State:
        """The state itself: nothing is hidden."""
        return state

    def parse(self, state: State, text: str) -> Move:
        """The action of this number."""
        word = text.strip()
        if re.fullmatch(r"0|[1-9][0-9]{0,5}", word) and int(word) in state.legal:
            return Move(word)
        kind = IllegalMove if re.fullmatch(r"[0-9]{1,6}", word) else MalformedMove
        raise kind(text, game=self.id, position=self.encode(state), why=self._why_not(state))

    def render(self, state: State, seat: Seat) -> str:
        """The first two planes of the environment's observation: X for FIRST, O for SECOND."""
        return state.board

    def encode(self, state: State) -> str:
        """The actions so far."""
        return "actions " + (" ".join(map(str, state.actions)) or "-")

    def decode(self, text: str) -> State:
        """The state that `encode` wrote."""
        found = re.fullmatch(r"actions (-|[0-9]{1,6}(?: [0-9]{1,6})*)", text)
        if found is None:
            raise PositionError(f"{text!r} is no position of {self.id}: expected actions NUMBER NUMBER …, or -")
        state = self._state(())
        actions = tuple(map(int, found[1].split())) if found[1] != "-" else ()
        env, legal = self._env(()), state.legal
        for action in actions:
            if action not in legal:
                raise PositionError(f"{text!r} is no position of {self.id}: action {action} is not legal there")
            env.step(action)
            legal = _legal(env)
        return self._state(actions)

    def digest(self, state: State) -> str:
        """16 hexadecimal digits of the actions."""
        return blake2b(f"{self.id} {state.actions}".encode(), digest_size=8).hexdigest()

    def _made(self) -> Any:
        return make("aec", self._registered, **self._params).unwrapped

    def _env(self, actions: tuple[int, ...]) -> Any:
        env = self._made()
        env.reset(seed=0)
        for action in actions:
            env.step(action)
        return env

    def _state(self, actions: tuple[int, ...]) -> State:
        env = self._env(actions)
        legal = _legal(env)
        player = self._agents.index(env.agent_selection) if env.agents else 0
        first, second = (float(env.rewards[agent]) for agent in self._agents)
        board = _drawn(env.observe(self._agents[0])["observation"])
        env.close()
        return State(actions, legal, player, None if legal else (first, second), board)

    def _why_not(self, state: State) -> str:
        if not state.legal:
            return "the game is over"
        return f"not among the {len(state.legal)} legal actions: {' '.join(map(str, state.legal[:12]))}"


def _drawn(planes: Any) -> str:
    """Rows of an observation whose first two planes are the own men and the other's."""
    own, other = planes[..., 0], planes[..., 1]
    return "\n".join(
        " ".join("X" if own[row, column] else "O" if other[row, column] else "." for column in range(own.shape[1]))
        for row in range(own.shape[0])
    )


def _legal(env: Any) -> tuple[int, ...]:
    """The legal actions of the agent to move; none once the game is over."""
    agent = env.agent_selection
    if not env.agents or env.terminations[agent] or env.truncations[agent]:
        return ()
    mask = env.observe(agent)["action_mask"]
    return tuple(int(action) for action in mask.nonzero()[0])
