"""Any game of ours as a PettingZoo AEC environment, for users who train or test there.

Actions are numbered by the game's `all_moves`. An observation is a dict of `observation` and `action_mask`. Rewards come at
the end: 1, -1, or 0 for a draw, for the higher result as the rules have it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from string import printable
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers

from stratarena.games.base import Game, Move, Seat, SpecError
from stratarena.games.connect_four import COLUMNS, ROWS, ConnectFour
from stratarena.games.fide_chess import Chess
from stratarena.games.hex import Hex
from stratarena.games.plugins import load_game
from stratarena.games.resource.reading import LONGEST_ANSWER
from stratarena.games.resource.series import KEEP, Series

__all__ = ["GameEnv", "PlanEnv", "as_aec", "env", "raw_env"]

_AGENTS = {"player_0": Seat.FIRST, "player_1": Seat.SECOND}
_NAMES = {seat: agent for agent, seat in _AGENTS.items()}
_TEXT = 512
_LONGEST_TOLD = 30_000
Planes = Callable[[Any, Seat], Any]


def env(spec: str, render_mode: str | None = None) -> AECEnv[Any, Any, Any]:
    """The environment of a game's spec, in PettingZoo's usual wrappers: an illegal action loses and ends the game."""
    bare = raw_env(spec, render_mode)
    if isinstance(bare, PlanEnv):
        # The other two look at numbered actions only; here no text is illegal.
        return wrappers.OrderEnforcingWrapper(bare)
    wrapped: AECEnv[Any, Any, Any] = wrappers.TerminateIllegalWrapper(bare, illegal_reward=-1)
    wrapped = wrappers.AssertOutOfBoundsWrapper(wrapped)
    return wrappers.OrderEnforcingWrapper(wrapped)


def raw_env(spec: str, render_mode: str | None = None) -> GameEnv:
    """The bare environment of a game's spec."""
    return as_aec(load_game(spec), render_mode=render_mode)


def as_aec(game: Game[Any], *, moves: Sequence[Move] | None = None, render_mode: str | None = None) -> GameEnv:
    """The bare environment of a game; `moves` numbers the actions where the game has no `all_moves`.

    Raises:
        SpecError: the game has none and none are given.
    """
    if isinstance(game, Series):
        return PlanEnv(game, render_mode)
    every = moves if moves is not None else getattr(game, "all_moves", None)
    if every is None:
        raise SpecError(f"{game.id} does not say which moves there can be; give them as moves=[…]")
    return GameEnv(game, tuple(every), render_mode)


class GameEnv(AECEnv[Any, Any, Any]):  # type: ignore[misc]
    """Two agents, `player_0` in seat FIRST and `player_1`. Observations are seen by the agent that asks: its own men come first.

    Connect Four: `[6, 7, 2]` own and other discs, top row first. Hex: `[n, n, 3]` own stones, other stones, and ones if the
    agent joins top and bottom. Chess: `[8, 8, 18]` own pawn to king, the other's, rank 8 first, then planes of ones for
    White, the four castling rights (own short, own long, the other's) and a 1 on the square of an en passant capture.
    Other games: the characters of the position as the agent may see it, 512 numbers.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "name": "stratarena_v0", "is_parallelizable": False}  # noqa: RUF012

    def __init__(self, game: Game[Any], moves: tuple[Move, ...], render_mode: str | None) -> None:
        super().__init__()
        self.game = game
        self.moves = moves
        self.render_mode = render_mode
        self.possible_agents = list(_AGENTS)
        self._number = {move: number for number, move in enumerate(moves)}
        shape, high, self._planes = _planes(game)
        self._spaces: dict[str, Any] = {
            agent: spaces.Dict(
                {
                    "observation": spaces.Box(0, high, shape, np.uint8),
                    "action_mask": spaces.Box(0, 1, (len(moves),), np.int8),
                }
            )
            for agent in self.possible_agents
        }
        self._actions: dict[str, Any] = {agent: spaces.Discrete(len(moves)) for agent in self.possible_agents}
        self._rng = Random(0)

    def observation_space(self, agent: str) -> Any:
        """The same for both agents."""
        return self._spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The numbers of `moves`."""
        return self._actions[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin anew; the seed matters where the start is drawn."""
        if seed is not None:
            self._rng = Random(seed)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.state_of_game = self.game.initial(self._rng)
        self.agent_selection = _NAMES[self.game.to_move(self.state_of_game)]

    def observe(self, agent: str) -> Any:
        """What this agent sees, and which actions it may take now: none if it is not to move."""
        seat = _AGENTS[agent]
        mask = np.zeros(len(self.moves), np.int8)
        if agent == self.agent_selection and not self.terminations.get(agent, True):
            mask[[self._number[move] for move in self.game.legal_moves(self.state_of_game)]] = 1
        return {"observation": self._planes(self.game.visible(self.state_of_game, seat), seat), "action_mask": mask}

    def step(self, action: int | None) -> None:
        """Take the selected agent's action. Raises `IllegalMove` for one outside the mask."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        assert action is not None
        self._cumulative_rewards[agent] = 0
        self.state_of_game = self.game.play(self.state_of_game, self.moves[action])
        outcome = self.game.outcome(self.state_of_game)
        if outcome is None:
            self.agent_selection = _NAMES[self.game.to_move(self.state_of_game)]
        else:
            self.terminations = dict.fromkeys(self.agents, True)
            if outcome.winner is not None:
                self.rewards = {each: 1 if _AGENTS[each] is outcome.winner else -1 for each in self.agents}
            self.agent_selection = _NAMES[_AGENTS[agent].other]
        self._accumulate_rewards()

    def render(self) -> str | None:
        """The board as text, in mode `ansi`."""
        if self.render_mode != "ansi":
            return None
        return self.game.render(self.game.visible(self.state_of_game, Seat.FIRST), Seat.FIRST)

    def close(self) -> None:
        """Nothing to let go of."""


class PlanEnv(GameEnv):
    """A game in which a move is a whole plan: an action is a text, as a model would answer.

    An observation is what the agent is told before it answers, as 30,000 bytes of ASCII filled up with zeros; `told` has
    it as text. Every text is an action; what is no plan counts as the rules say, so there is no mask.
    """

    def __init__(self, game: Series, render_mode: str | None) -> None:
        super().__init__(game, (KEEP,), render_mode)
        self._series = game
        self._spaces = {agent: spaces.Box(0, 127, (_LONGEST_TOLD,), np.uint8) for agent in self.possible_agents}
        self._actions = {
            agent: spaces.Text(max_length=LONGEST_ANSWER, min_length=1, charset=printable)
            for agent in self.possible_agents
        }

    def told(self, agent: str) -> str:
        """What this agent is told now."""
        seat = _AGENTS[agent]
        return self._series.brief(self._series.visible(self.state_of_game, seat), seat)

    def observe(self, agent: str) -> Any:
        """The beginning of what this agent is told, a byte a character; others than ASCII are question marks."""
        said = self.told(agent).encode("ascii", "replace")[:_LONGEST_TOLD]
        return np.frombuffer(said.ljust(_LONGEST_TOLD, b"\0"), np.uint8).copy()

    def step(self, action: Any) -> None:
        """Answer for the selected agent."""
        agent = self.agent_selection
        if action is not None and not (self.terminations[agent] or self.truncations[agent]):
            self.moves = (self.game.parse(self.state_of_game, action),)
            action = 0
        super().step(action)


def _planes(game: Game[Any]) -> tuple[tuple[int, ...], int, Planes]:
    """Shape, highest value and maker of a game's observations."""
    if isinstance(game, ConnectFour):
        return (ROWS, COLUMNS, 2), 1, lambda state, seat: _cells(game.encode(state), seat)
    if isinstance(game, Hex):
        return (game.size, game.size, 3), 1, lambda state, seat: _hex_cells(game.encode(state), seat)
    if isinstance(game, Chess):
        return (8, 8, 18), 1, _chess_squares
    return (_TEXT,), 255, lambda state, seat: _characters(game.encode(state))


def _cells(position: str, seat: Seat) -> Any:
    """Rows of X and O as two planes, the seat's own first."""
    rows = np.array([list(row) for row in position.split(maxsplit=1)[0].split("/")])
    own, other = ("X", "O") if seat is Seat.FIRST else ("O", "X")
    return np.stack([rows == own, rows == other], axis=-1).astype(np.uint8)


def _hex_cells(position: str, seat: Seat) -> Any:
    cells = _cells(position, seat)
    joins = np.full((*cells.shape[:2], 1), seat is Seat.FIRST, np.uint8)
    return np.concatenate([cells, joins], axis=-1)


def _chess_squares(state: Any, seat: Seat) -> Any:
    board, white = state.board, seat is Seat.FIRST
    planes = np.zeros((8, 8, 18), np.uint8)
    for square, piece in board.piece_map().items():
        planes[7 - square // 8, square % 8, piece.piece_type - 1 + (0 if piece.color is white else 6)] = 1
    planes[..., 12] = white
    for number, (colour, short) in enumerate(((white, True), (white, False), (not white, True), (not white, False))):
        has = board.has_kingside_castling_rights(colour) if short else board.has_queenside_castling_rights(colour)
        planes[..., 13 + number] = has
    if board.ep_square is not None:
        planes[7 - board.ep_square // 8, board.ep_square % 8, 17] = 1
    return planes


def _characters(text: str) -> Any:
    codes = np.zeros(_TEXT, np.uint8)
    raw = np.frombuffer(text.encode("ascii", "replace")[-_TEXT:], np.uint8)
    codes[: len(raw)] = raw
    return codes
