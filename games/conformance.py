"""`check_game`: every promise of the `Game` protocol, held to over random games. For our games and a stranger's alike.

A fault is reported with the spec of the game and the moves that show it, so that it can be seen again by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any, NoReturn

from stratarena.games.base import (
    ArenaError,
    Game,
    IllegalMove,
    Move,
    MoveError,
    Outcome,
    PositionError,
    Seat,
    SpecError,
    Traits,
)
from stratarena.games.plugins import load_game, names, parse_spec

__all__ = ["ConformanceError", "check_game"]

JUNK = (
    "",
    " ",
    "\n",
    "?",
    "resign",
    "none of these",
    "9" * 40,
    "-1",
    "0",
    "e9e9e9",
    "{0}",
    "%s",
    "\x00",
    "１",
    "é" * 9,
)
"""Texts that name no move in any game we know; a game that has such a move is asked only the others."""

_CLOSELY, _THEN_EVERY = 60, 8
"""Every promise is tried at each of the first 60 plies, then at every eighth and at the end: chess games are long."""

_UNTYPED = (
    ArithmeticError,
    ArenaError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What faulty rules raise where a typed error is promised; the typed one is always caught before."""

_DIGEST = re.compile(r"[0-9a-f]{16}")
_REASON = re.compile(r"[a-z][a-z0-9_]*")


class ConformanceError(ArenaError):
    """A game breaks a promise of the protocol; carries the moves that show it."""

    def __init__(self, game_id: str, why: str, moves: Sequence[Move]) -> None:
        self.game_id = game_id
        self.why = why
        """One sentence: the promise, and what was found instead."""
        self.moves = tuple(moves)
        """From the start to the state where it shows."""
        super().__init__(f"{game_id}: {why}; moves: {' '.join(moves) or 'none, at the start'}")


def check_game(game: Game[Any], *, n_games: int = 25, seed: int = 0) -> None:
    """Plays `n_games` random games and tries every promise of the protocol on the way.

    The same seed plays the same games. A game is asked about the states of its own making only, never about another's.

    Raises:
        ConformanceError: a promise is broken; the error carries the moves that show it.
    """
    _check_constants(game)
    for number in range(n_games):
        _Playthrough(game, seed=f"{seed}:{number}").run()


def _check_constants(game: Game[Any]) -> None:
    """What can be asked without a state: id, traits and rules."""
    if not isinstance(game.traits, Traits):
        raise ConformanceError(str(game.id), f"traits must be a Traits, not {game.traits!r}", ())
    if game.traits.max_plies < 1:
        raise ConformanceError(game.id, f"max_plies must be at least 1, not {game.traits.max_plies}", ())
    if not game.rules.strip():
        raise ConformanceError(game.id, "rules must not be empty", ())
    try:
        name, _ = parse_spec(game.id)
    except SpecError as error:
        raise ConformanceError(str(game.id), f"id must be a spec: {error}", ()) from None
    # A game not registered (yet) has no loader to come back from; its author checks it before installing it.
    if name in {plugin.name for plugin in names("stratarena.games")}:
        again = load_game(game.id)
        if again.id != game.id:
            raise ConformanceError(game.id, f"id must load the same game again, not {again.id!r}", ())


class _Playthrough:
    """One random game and what is asked at each of its states."""

    def __init__(self, game: Game[Any], *, seed: str) -> None:
        self.game = game
        self.seed = seed
        self.moves: list[Move] = []

    def run(self) -> None:
        """Play to the end, asking at every ply; then play the same moves again and compare."""
        game, rng = self.game, Random(self.seed)
        state = game.initial(Random(self.seed))
        digests = [game.digest(state)]
        while True:
            legal = tuple(game.legal_moves(state))
            outcome = game.outcome(state)
            ply = len(self.moves)
            self._expect(bool(legal) or outcome is not None, "legal_moves must not be empty while the game goes on")
            if ply < _CLOSELY or ply % _THEN_EVERY == 0 or outcome is not None:
                self._look_at(state, legal, outcome)
            if outcome is not None:
                break
            self._expect(ply < game.traits.max_plies, f"the game is longer than max_plies = {game.traits.max_plies}")
            move = rng.choice(legal)
            after = self._play(state, move)
            self._expect(game.digest(state) == digests[-1], f"play({move!r}) changed the state it was given")
            self.moves.append(move)
            state = after
            digests.append(game.digest(state))
        self._check_over(state)
        self._check_repeats(digests)

    def _look_at(self, state: Any, legal: tuple[Move, ...], outcome: Outcome | None) -> None:
        game = self.game
        before = self._observed(state)
        self._expect(self._observed(state) == before, "the same question about one state must have the same answer")
        if outcome is not None:
            self._expect(not legal, f"legal_moves must be empty once the game is over, not {legal[:3]}")
            self._expect(
                isinstance(outcome, Outcome) and outcome.winner in (None, *Seat),
                f"outcome must be an Outcome or None, not {outcome!r}",
            )
            self._expect(
                _REASON.fullmatch(outcome.reason) is not None,
                f"a reason must be in snake case, not {outcome.reason!r}",
            )
        else:
            self._expect(game.to_move(state) in Seat, "to_move must be a Seat")
        self._expect(len(set(legal)) == len(legal), "legal_moves must name every move once")
        self._expect(
            _DIGEST.fullmatch(game.digest(state)) is not None,
            f"digest must be 16 hexadecimal digits, not {game.digest(state)!r}",
        )
        for move in legal:
            self._play(state, move)
            for text in (move, f"  {move}\n"):
                try:
                    read = game.parse(state, text)
                except MoveError as error:
                    self._fail(f"parse must read the legal move {text!r}, but refuses it: {error.why}")
                self._expect(read == move, f"parse({text!r}) must be {move!r}, not {read!r}")
        self._check_junk(state, legal)
        self._check_texts(state)
        for seat in Seat:
            visible = game.visible(state, seat)
            if game.traits.open_information and not game.traits.chance:
                self._expect(
                    game.digest(visible) == game.digest(state),
                    "visible must be the whole state in a game of open information",
                )
            elif outcome is None and seat is game.to_move(state):
                self._expect(
                    tuple(game.legal_moves(visible)) == legal,
                    "the seat to move must see its legal moves in what is visible",
                )
        self._expect(self._observed(state) == before, "a question changed the state it was asked about")

    def _check_texts(self, state: Any) -> None:
        """render, encode and decode."""
        game = self.game
        for seat in Seat:
            board = game.render(state, seat)
            self._expect(
                bool(board.strip()) and not board.endswith("\n"),
                "render must be lines of text with no newline at the end",
            )
        position = game.encode(state)
        self._expect("\n" not in position and bool(position), f"encode must be one line, not {position!r}")
        try:
            decoded = game.decode(position)
        except PositionError as error:
            self._fail(f"decode must read what encode wrote, but refuses it: {error}")
        self._expect(
            game.encode(decoded) == position,
            f"encode(decode({position!r})) must be the same, not {game.encode(decoded)!r}",
        )
        if game.outcome(state) is None and game.outcome(decoded) is None:
            self._expect(
                tuple(game.legal_moves(decoded)) == tuple(game.legal_moves(state)),
                f"decode({position!r}) must have the legal moves of the state",
            )
            self._expect(
                game.to_move(decoded) is game.to_move(state), f"decode({position!r}) must have the same seat to move"
            )
        for junk in ("", "junk", position[:-2], f"{position} {position}", position.replace(position[0], "?", 1)):
            try:
                game.decode(junk)
            except PositionError:
                continue
            except _UNTYPED as error:
                self._fail(f"decode({junk!r}) must raise PositionError, not {type(error).__name__}: {error}")
            self._expect(junk != "junk", "decode('junk') must raise PositionError")

    def _check_junk(self, state: Any, legal: tuple[Move, ...]) -> None:
        """Text that is no move here raises typed errors from parse and IllegalMove from play."""
        game = self.game
        for text in (*JUNK, *self.moves[-2:]):
            if text in legal:
                continue
            try:
                read = game.parse(state, text)
            except MoveError as error:
                self._expect(
                    error.text == text, f"the error of parse({text!r}) must carry that text, not {error.text!r}"
                )
                self._expect(bool(error.why), f"the error of parse({text!r}) must say why")
            except _UNTYPED as error:
                self._fail(f"parse({text!r}) must raise a MoveError, not {type(error).__name__}: {error}")
            else:
                if not game.traits.lists_moves and not game.outcome(state):
                    # Any text is a move then, and must be playable as one.
                    self._play(state, read)
                    continue
                self._expect(read in legal, f"parse({text!r}) must be a legal move or raise a MoveError, not {read!r}")
            self._check_refuses(state, Move(text))

    def _check_refuses(self, state: Any, move: Move) -> None:
        try:
            self.game.play(state, move)
        except IllegalMove:
            return
        except _UNTYPED as error:
            self._fail(f"play({move!r}) must raise IllegalMove, not {type(error).__name__}: {error}")
        self._fail(f"play({move!r}) must raise IllegalMove: the move is not legal here")

    def _check_over(self, state: Any) -> None:
        """Nothing can be played any more, the moves of the game included."""
        before = self._observed(state)
        for move in sorted(set(self.moves)):
            self._check_refuses(state, move)
        self._expect(self._observed(state) == before, "a refused move changed the state it was refused in")

    def _check_repeats(self, digests: list[str]) -> None:
        """The same moves, by themselves, make the same game: nothing is kept between calls."""
        game = self.game
        state = game.initial(Random(self.seed))
        again = [game.digest(state)]
        for move in self.moves:
            state = game.play(state, move)
            again.append(game.digest(state))
        self._expect(again == digests, "the same moves played again must give the same digests")

    def _play(self, state: Any, move: Move) -> Any:
        try:
            return self.game.play(state, move)
        except IllegalMove as error:
            self._fail(f"legal_moves lists {move!r}, but play refuses it: {error.why}")

    def _observed(self, state: Any) -> tuple[object, ...]:
        game = self.game
        return (game.digest(state), game.encode(state), game.outcome(state), tuple(game.legal_moves(state)))

    def _expect(self, holds: bool, why: str) -> None:
        if not holds:
            self._fail(why)

    def _fail(self, why: str) -> NoReturn:
        raise ConformanceError(self.game.id, why, self.moves)
