"""Any two-player, turn-based game of OpenSpiel as a `Game`, chance and hidden information included.

A spec is `open_spiel:NAME(parameters)`, with OpenSpiel's own names. Chance draws from a *deal*, a number that the start of
a match holds: the deal, the start and the moves together play the same game again, and both matches of a pair, which
share their start, are dealt alike. What an agent sees has another deal, so that its own look ahead tells it nothing of
what is to come; in a game of hidden information it is the seat's own information state and cannot be played on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Any

import pyspiel

from stratarena.games.base import (
    ArenaError,
    IllegalMove,
    MalformedMove,
    Move,
    Outcome,
    PositionError,
    Seat,
    SpecError,
    Traits,
)
from stratarena.games.plugins import Value, print_spec

__all__ = ["PREFIX", "HiddenState", "OpenSpiel", "Seen", "State", "fitting", "names_of"]

PREFIX = "open_spiel:"
_SEATS = (Seat.FIRST, Seat.SECOND)
_TYPE = pyspiel.GameType
_DEALS = 2**32


_TRIAL_S = 20
_TRIAL = """
import json, random, sys
import pyspiel
rng = random.Random(0)
try:
    state = pyspiel.load_game(sys.argv[1], json.loads(sys.argv[2])).new_initial_state()
    for _ in range(400):
        if state.is_terminal():
            break
        actions = state.legal_actions()
        if not actions:
            raise ValueError("nothing can be played with them")
        state.action_to_string(state.current_player(), actions[0])
        state.apply_action(rng.choice(actions))
    str(state)
except Exception as error:
    print(str(error).splitlines()[0])
    sys.exit(1)
"""


class HiddenState(ArenaError):
    """A state of which only a part is seen was asked for what only the whole can tell."""


class State:
    """A whole state: OpenSpiel's own, which nobody changes, and the deal."""

    __slots__ = ("_names", "deal", "inner")

    def __init__(self, inner: Any, deal: int) -> None:
        self.inner = inner
        self.deal = deal
        self._names: dict[Move, int] | None = None

    @property
    def names(self) -> dict[Move, int]:
        """OpenSpiel's legal actions by our moves, in its order; made when first wanted."""
        if self._names is None:
            self._names = {} if self.inner.is_terminal() else names_of(self.inner)
        return self._names


class Seen:
    """What one seat knows of a state of hidden information."""

    __slots__ = ("mover", "moves", "seat", "text")

    def __init__(self, text: str, seat: Seat, mover: Seat | None, moves: tuple[Move, ...]) -> None:
        self.text = text
        self.seat = seat
        self.mover = mover
        """Who is to move; None when the game is over."""
        self.moves = moves
        """Legal moves, if this seat is to move."""


class OpenSpiel:
    """A game of OpenSpiel. The higher return wins; equal returns are a draw."""

    def __init__(self, name: str, params: Mapping[str, Value]) -> None:
        self._game = _load(name, params)
        kind = self._game.get_type()
        default = kind.parameter_specification
        given = {key: value for key, value in sorted(params.items()) if value != default[key]}
        self.id = print_spec(PREFIX + name, given)
        self._chance = kind.chance_mode != _TYPE.ChanceMode.DETERMINISTIC
        self._open = kind.information == _TYPE.Information.PERFECT_INFORMATION
        self._states = bool(kind.provides_information_state_string)
        self.traits = Traits(
            open_information=self._open,
            chance=self._chance,
            zero_sum=kind.utility == _TYPE.Utility.ZERO_SUM,
            max_plies=max(int(self._game.max_game_length()), 1),
        )
        shown = ", ".join(f"{key} = {value}" for key, value in self._game.get_parameters().items())
        self.rules = (
            f"{kind.long_name}, for two players, as the library OpenSpiel plays it"
            + (f" ({shown}). " if shown else ". ")
            + ("Chance takes part. " if self._chance else "")
            + ("" if self._open else "You see only a part of the state. ")
            + "Whoever has the higher return at the end wins.\n"
            "A move is written as one of the names in the list of legal moves, with _ for a space."
        )

    def initial(self, rng: Random) -> State:
        """The first state that a player moves in, dealt from a deal drawn from `rng`."""
        deal = rng.randrange(_DEALS) if self._chance else 0
        return State(_dealt(self._game.new_initial_state(), deal), deal)

    def to_move(self, state: State | Seen) -> Seat:
        """OpenSpiel's player 0 is FIRST."""
        if isinstance(state, Seen):
            return state.mover or Seat.FIRST
        return Seat.FIRST if state.inner.is_terminal() else _SEATS[state.inner.current_player()]

    def legal_moves(self, state: State | Seen) -> Sequence[Move]:
        """In OpenSpiel's order; empty too for a seat that is not to move and sees only its own part."""
        return state.moves if isinstance(state, Seen) else tuple(state.names)

    def play(self, state: State | Seen, move: Move) -> State:
        """The state after the move, and after what chance then draws.

        Raises:
            IllegalMove: the move is not legal here.
            HiddenState: only a part of the state is seen.
        """
        if isinstance(state, Seen):
            raise HiddenState(f"{self.id}: a state of which only a part is seen cannot be played on")
        action = state.names.get(move)
        if action is None:
            raise IllegalMove(move, game=self.id, position=self.encode(state), why=self._why_not(state))
        inner = state.inner.clone()
        inner.apply_action(action)
        return State(_dealt(inner, state.deal), state.deal)

    def outcome(self, state: State | Seen) -> Outcome | None:
        """By the returns; the reason is `higher_return` or `equal_returns`."""
        if isinstance(state, Seen) or not state.inner.is_terminal():
            return None
        first, second = state.inner.returns()
        if first == second:
            return Outcome(None, "equal_returns")
        return Outcome(Seat.FIRST if first > second else Seat.SECOND, "higher_return")

    def returns(self, state: State) -> tuple[float, float]:
        """OpenSpiel's returns of FIRST and SECOND, final once the game is over."""
        first, second = state.inner.returns()
        return float(first), float(second)

    def visible(self, state: State | Seen, seat: Seat) -> State | Seen:
        """The state itself; with chance, under a deal of its own; of hidden information, what the seat knows."""
        if isinstance(state, Seen):
            return state
        if self._open:
            if not self._chance:
                return state
            history = f"{self.id} {seat.value} {state.inner.history()}"
            return State(state.inner, int.from_bytes(blake2b(history.encode(), digest_size=4).digest()))
        over = state.inner.is_terminal()
        mover = None if over else self.to_move(state)
        player = _SEATS.index(seat)
        inner = state.inner
        text = inner.information_state_string(player) if self._states else inner.observation_string(player)
        return Seen(text, seat, mover, tuple(state.names) if mover is seat else ())

    def parse(self, state: State | Seen, text: str) -> Move:
        """The legal move of this name; spaces inside may stand for `_`."""
        word = Move(re.sub(r"\s+", "_", text.strip()))
        if word in self.legal_moves(state):
            return word
        kind = IllegalMove if word else MalformedMove
        raise kind(text, game=self.id, position=self.encode(state), why=self._why_not(state))

    def render(self, state: State | Seen, seat: Seat) -> str:
        """A whole state as OpenSpiel writes it; what a seat sees, as its information state."""
        text = state.text if isinstance(state, Seen) else str(state.inner)
        return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n") or "(nothing to see yet)"

    def encode(self, state: State | Seen) -> str:
        """The deal and every action so far, chance's among them, by OpenSpiel's numbers; for a seat, what it knows."""
        if isinstance(state, Seen):
            return " / ".join(state.text.split("\n"))
        history = " ".join(map(str, state.inner.history())) or "-"
        return f"deal {state.deal} actions {history}" if self._chance else f"actions {history}"

    def decode(self, text: str) -> State:
        """The state that `encode` wrote of a whole state."""
        found = re.fullmatch(r"(?:deal ([0-9]{1,10}) )?actions (-|[0-9]{1,18}(?: [0-9]{1,18})*)", text)
        if found is None or (found[1] is not None) is not self._chance or int(found[1] or 0) >= _DEALS:
            form = "deal NUMBER actions NUMBER NUMBER …" if self._chance else "actions NUMBER NUMBER …"
            raise PositionError(f"{text!r} is no position of {self.id}: expected {form}, or - for no actions")
        inner = self._game.new_initial_state()
        for word in found[2].split() if found[2] != "-" else ():
            if inner.is_terminal() or int(word) not in inner.legal_actions():
                raise PositionError(f"{text!r} is no position of {self.id}: action {word} is not legal there")
            inner.apply_action(int(word))
        if inner.is_chance_node():
            raise PositionError(f"{text!r} is no position of {self.id}: chance is to move there")
        return State(inner, int(found[1] or 0))

    def digest(self, state: State | Seen) -> str:
        """16 hexadecimal digits of the deal and the history, or of what is known."""
        text = f"seen {state.seat.value} {state.text} {state.moves}" if isinstance(state, Seen) else self.encode(state)
        return blake2b(f"{self.id} {text}".encode(), digest_size=8).hexdigest()

    def _why_not(self, state: State | Seen) -> str:
        moves = self.legal_moves(state)
        if not moves:
            return "the game is over" if self.outcome(state) else "it is not this seat's turn"
        return f"not among the {len(moves)} legal moves, such as {' '.join(moves[:5])}"


def fitting() -> tuple[str, ...]:
    """Names of OpenSpiel's games that fit with their default parameters, as far as their types tell."""
    return tuple(
        kind.short_name for kind in pyspiel.registered_games() if kind.default_loadable and _misfit(kind) is None
    )


def _misfit(kind: Any) -> str | None:
    """Why games of this type cannot be played here; None if nothing is against it."""
    if kind.dynamics != _TYPE.Dynamics.SEQUENTIAL:
        return "its players move at the same time; only games of turns fit"
    if not kind.min_num_players <= 2 <= kind.max_num_players:
        return f"it has {kind.min_num_players} to {kind.max_num_players} players; only games for two fit"
    if kind.chance_mode == _TYPE.ChanceMode.SAMPLED_STOCHASTIC:
        return "it draws by itself; only games whose chance can be dealt fit"
    hidden = kind.information != _TYPE.Information.PERFECT_INFORMATION
    if hidden and not (kind.provides_information_state_string or kind.provides_observation_string):
        return "it hides information and does not say in words what a player sees"
    return None


def _load(name: str, params: Mapping[str, Value]) -> Any:
    """OpenSpiel's game. Raises `SpecError`."""
    kinds = {kind.short_name: kind for kind in pyspiel.registered_games()}
    if name not in kinds:
        close = get_close_matches(name, kinds, n=1, cutoff=0.5)
        hint = f"; did you mean {PREFIX}{close[0]}?" if close else ""
        raise SpecError(f"OpenSpiel has no game {name!r}{hint}")
    kind = kinds[name]
    why = _misfit(kind)
    if why is not None:
        raise SpecError(f"{PREFIX}{name} does not fit: {why}")
    known = kind.parameter_specification
    for key, value in params.items():
        if key not in known:
            close = get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise SpecError(
                f"{PREFIX}{name} has no parameter {key!r}; {hint}it takes: {', '.join(sorted(known)) or 'none'}"
            )
        if type(value) is not type(known[key]) and known[key] is not None:
            raise SpecError(f"{PREFIX}{name}: {key} = {value!r}; expected a value like {known[key]!r}")
    if params:
        trouble = _trouble(name, json.dumps(dict(params), sort_keys=True))
        if trouble is not None:
            raise SpecError(f"{PREFIX}{name}: {trouble}; given {', '.join(f'{k} = {v!r}' for k, v in params.items())}")
    game = pyspiel.load_game(name, dict(params))
    if game.num_players() != 2:
        raise SpecError(
            f"{PREFIX}{name} has {game.num_players()} players with these parameters; only games for two fit"
        )
    return game


@lru_cache(maxsize=256)
def _trouble(name: str, params: str) -> str | None:
    """What goes wrong with these parameters (a JSON object), found out in another process; None if nothing does.

    OpenSpiel does not look at all that it is given: some values make it read memory that is not its own, and the process
    is gone. So a game is begun elsewhere first.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRIAL, name, params], capture_output=True, text=True, timeout=_TRIAL_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"with these parameters OpenSpiel did not play 400 moves in {_TRIAL_S} s"
    if done.returncode == 0:
        return None
    said = done.stdout.strip().splitlines()
    if done.returncode == 1 and said:
        return f"OpenSpiel refused the parameters: {said[-1]}"
    return "OpenSpiel breaks down with these parameters"


def names_of(inner: Any) -> dict[Move, int]:
    """The legal actions by their names, made one word each; equal names get the action's number."""
    player = inner.current_player()
    named = [
        (re.sub(r"\s+", "_", inner.action_to_string(player, action).strip()), action)
        for action in inner.legal_actions()
    ]
    count: dict[str, int] = {}
    for name, _ in named:
        count[name] = count.get(name, 0) + 1
    return {Move(name if name and count[name] == 1 else f"{name}#{action}"): action for name, action in named}


def _dealt(inner: Any, deal: int) -> Any:
    """The state once chance has drawn whatever it has to; changes and returns the given state, which nobody else has."""
    while inner.is_chance_node():
        seed = f"{deal} {len(inner.history())}"
        actions, weights = zip(*inner.chance_outcomes(), strict=True)
        inner.apply_action(Random(seed).choices(actions, weights)[0])
    return inner
