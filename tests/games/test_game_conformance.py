"""`check_game` passes every registered game and the README's, and catches a fault of every kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from stratarena.games.base import Game, Move, Outcome, PositionError, Seat, Traits
from stratarena.games.conformance import ConformanceError, check_game
from stratarena.games.connect_four import ConnectFour, Position
from stratarena.games.plugins import load_game, names

README = Path(__file__).parents[2] / "games" / "README.md"
OURS = [plugin.name for plugin in names("stratarena.games") if plugin.distribution == "stratarena"]
VARIANTS = ["hex(size=2)", "hex(size=3, swap=true)", "hex(size=19)", "hex(size=5, swap=true)"]


@pytest.mark.parametrize("spec", [*OURS, *VARIANTS])
def test_every_registered_game_keeps_its_promises(spec: str) -> None:
    """Five random games of each; small boards get more."""
    n_games = {"chess": 3, "hex(size=2)": 50, "hex(size=3, swap=true)": 50, "hex(size=19)": 1}.get(spec, 5)
    check_game(load_game(spec), n_games=n_games)


def readme_game() -> type[Any]:
    """The class in the README's example, run as a module."""
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    module = ModuleType("sticks")
    exec(compile(example[1], str(README), "exec"), module.__dict__)
    found: type[Any] = module.__dict__["Sticks"]
    return found


def test_the_example_of_the_readme_is_a_game_that_keeps_its_promises() -> None:
    """What a newcomer copies works."""
    check_game(readme_game()())
    check_game(readme_game()(sticks=5))


class Forgetful(ConnectFour):
    """Lists a full column."""

    def legal_moves(self, state: Position) -> Sequence[Move]:
        return [Move(str(column)) for column in range(1, 8)] if not state.line else []


class Endless(ConnectFour):
    """Says that games are shorter than they are."""

    traits = Traits(max_plies=6)


class Stubborn(ConnectFour):
    """Never ends."""

    def outcome(self, state: Position) -> Outcome | None:
        return None


class Lenient(ConnectFour):
    """Plays whatever it is given."""

    def play(self, state: Position, move: Move) -> Position:
        return super().play(state, move if move in "1234567" and len(move) == 1 else Move("1"))


class Guessing(ConnectFour):
    """Reads any text as a move."""

    def parse(self, state: Position, text: str) -> Move:
        return Move(text.strip())


class Untyped(ConnectFour):
    """Raises what Python raises."""

    def parse(self, state: Position, text: str) -> Move:
        return Move(str(int(text)))


class Deaf(ConnectFour):
    """Reads no move with a blank before it."""

    def parse(self, state: Position, text: str) -> Move:
        return super().parse(state, text if text[:1] != " " else "?")


class Blind(ConnectFour):
    """Forgets the board between writing and reading."""

    def decode(self, text: str) -> Position:
        super().decode(text)
        return Position(0, 0, False)


class Credulous(ConnectFour):
    """Takes any text for a position."""

    def decode(self, text: str) -> Position:
        try:
            return super().decode(text)
        except PositionError:
            return Position(0, 0, False)


class Nameless(ConnectFour):
    """Has no spec for a name."""

    id = "Connect Four!"


class Impostor(ConnectFour):
    """Goes by another game's name."""

    id = "hex(size=11)"


class Ragged(ConnectFour):
    """Ends its board with an empty line."""

    def render(self, state: Position, seat: Seat) -> str:
        return super().render(state, seat) + "\n"


class Moody(ConnectFour):
    """Gives another digest at every call."""

    def __init__(self) -> None:
        self.calls = 0

    def digest(self, state: Position) -> str:
        self.calls += 1
        return f"{self.calls:016x}"


class Secretive(ConnectFour):
    """Hides the board in a game of open information."""

    def visible(self, state: Position, seat: Seat) -> Position:
        return Position(0, 0, False)


class Changing:
    """Sticks on a list that play changes in place."""

    def __init__(self) -> None:
        self.game = readme_game()(sticks=9)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.game, name)

    def initial(self, rng: Random) -> list[int]:
        """The pile, as a list."""
        return list(self.game.initial(rng))

    def play(self, state: list[int], move: Move) -> list[int]:
        """Changes its argument."""
        state[:] = self.game.play(tuple(state), move)
        return state


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (Forgetful, "play refuses it"),
        (Endless, "longer than max_plies = 6"),
        (Stubborn, "legal_moves must not be empty"),
        (Lenient, "must raise IllegalMove"),
        (Guessing, "must be a legal move or raise a MoveError"),
        (Untyped, "must raise a MoveError, not ValueError"),
        (Deaf, "parse must read the legal move '  1"),
        (Blind, r"encode\(decode"),
        (Credulous, "must raise PositionError"),
        (Nameless, "id must be a spec"),
        (Impostor, "load the same game again, not 'hex'"),
        (Ragged, "no newline at the end"),
        (Moody, "must have the same answer"),
        (Secretive, "visible must be the whole state"),
        (Changing, "changed the state"),
    ],
)
def test_a_game_that_breaks_a_promise_is_found_out(broken: Callable[[], Game[Any]], says: str) -> None:
    """One fault each; the message names the promise."""
    with pytest.raises(ConformanceError, match=says):
        check_game(broken())


def test_the_error_carries_the_moves_that_show_the_fault() -> None:
    """Played by hand they lead to the same state: here, one with a full column."""
    with pytest.raises(ConformanceError) as raised:
        check_game(Forgetful())
    counts = [raised.value.moves.count(Move(str(column))) for column in range(1, 8)]
    assert max(counts) == 6
    assert " ".join(raised.value.moves) in str(raised.value)


def test_the_same_seed_finds_the_same_fault() -> None:
    """So that a fault reported can be looked at again."""
    found = []
    for _ in range(2):
        with pytest.raises(ConformanceError) as raised:
            check_game(Forgetful(), seed=3)
        found.append(raised.value.moves)
    assert found[0] == found[1]
