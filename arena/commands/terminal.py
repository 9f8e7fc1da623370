"""The person at the terminal behind the seam of engines: shows the board, reads a line, gives back a legal move."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from textwrap import fill
from typing import Any

from stratarena.agents.engines.base import EngineError, EngineLine, Query
from stratarena.agents.person import RESIGNS
from stratarena.analysis.boards import printable
from stratarena.games.base import Game, MoveError, Seat

__all__ = ["Lines", "Terminal"]

_WIDTH = 100
_POLL_S = 0.2


class Terminal:
    """Asks one person for the moves of one match. What is typed wrongly is answered here and goes no further.

    Args:
        game: the match's game.
        names: who sits where.
        base: plies that cannot be taken back: the opening's.
        undo: whether moves may be taken back.
        read: the next line typed, without its end; None when there will be no more.
        write: shows text.
    """

    def __init__(
        self,
        game: Game[Any],
        *,
        names: Mapping[Seat, str],
        base: int,
        undo: bool,
        read: Callable[[], str | None],
        write: Callable[[str], None],
    ) -> None:
        self._game = game
        self._names = names
        self._base = base
        self._undo = undo
        self._read = read
        self._write = write
        self._shown = 0
        """Plies that the person has seen."""
        self.left = False
        """The person wants to stop for now."""
        self.back_to: int | None = None
        """The person takes moves back: the match goes on, anew, from this many plies."""

    @property
    def identity(self) -> dict[str, str]:
        """Nothing more is known of people."""
        return {"name": "a person"}

    def consult(self, query: Query) -> EngineLine:
        """The person's move, or `RESIGNS`.

        Raises:
            EngineError: the person left, or took moves back.
        """
        states = [self._game.decode(query.start)]
        for move in query.moves:
            states.append(self._game.play(states[-1], move))
        state = states[-1]
        seat = self._game.to_move(state)
        self._tell(query, seat, states)
        began = time.perf_counter()
        while True:
            self._write(f"your move ({self._name(seat)}), or ? for help: ")
            line = self._read()
            word = "quit" if line is None else line.strip()
            match word.casefold():
                case "":
                    continue
                case "?" | "help":
                    self._write(self._help())
                case "moves":
                    self._write(fill(" ".join(self._game.legal_moves(state)), _WIDTH) + "\n")
                case "board":
                    self._write(self._board(state, seat))
                case "rules":
                    self._write("\n".join(fill(row, _WIDTH) for row in self._game.rules.splitlines()) + "\n")
                case "quit" | "exit":
                    self.left = True
                    raise EngineError("the player left; the match can be gone on with")
                case "resign":
                    move = RESIGNS
                    break
                case "undo" | "back":
                    self._take_back(query, seat, states)
                case _:
                    try:
                        move = self._game.parse(state, word)
                    except MoveError as error:
                        self._write(f"{printable(error.why)}\n")
                        continue
                    break
        return EngineLine(move=move, think_ms=(time.perf_counter() - began) * 1000)

    def close(self) -> None:
        """Nothing to let go of."""

    def _tell(self, query: Query, seat: Seat, states: list[Any]) -> None:
        """What was played since the person last looked, and the board."""
        for ply in range(self._shown, len(query.moves)):
            mover = self._game.to_move(states[ply])
            if ply < self._base:
                self._write(f"opening: {query.moves[ply]}\n")
            elif mover is not seat:
                self._write(f"\n{self._names[mover]} plays {query.moves[ply]}\n")
        self._shown = len(query.moves)
        self._write(self._board(states[-1], seat))

    def _board(self, state: Any, seat: Seat) -> str:
        return f"\n{printable(self._game.render(self._game.visible(state, seat), seat))}\n\n"

    def _name(self, seat: Seat) -> str:
        first, second = self._game.traits.seat_names
        return first if seat is Seat.FIRST else second

    def _take_back(self, query: Query, seat: Seat, states: list[Any]) -> None:
        """Back to the person's last decision. Raises `EngineError` where that is allowed and possible."""
        if not self._undo:
            self._write("moves cannot be taken back in this match; begin one with --undo where they can\n")
            return
        own = [ply for ply in range(self._base, len(query.moves)) if self._game.to_move(states[ply]) is seat]
        if not own:
            self._write("there is no move of yours to take back\n")
            return
        self.back_to = own[-1]
        raise EngineError(f"the player takes back the moves from ply {own[-1] + 1} on")

    def _help(self) -> str:
        back = "  undo     take your last move back, and the answer to it\n" if self._undo else ""
        return (
            f"{fill(self._game.rules.splitlines()[-1], _WIDTH)}\n"
            "  moves    list the legal moves\n"
            "  board    show the board again\n"
            "  rules    show the rules\n"
            f"{back}"
            "  resign   give the match up\n"
            "  quit     stop for now; the match is kept\n"
        )


class Lines:
    """Lines of a file descriptor, waited for in short steps: Ctrl-C is noticed by another thread."""

    def __init__(self, descriptor: int, stop: Callable[[], bool]) -> None:
        self._descriptor = descriptor
        self._stop = stop
        self._bytes = b""
        self._ended = False

    def next(self) -> str | None:
        """The next line without its end; None at the end of the file, or once `stop` says so."""
        while b"\n" not in self._bytes and not self._ended:
            if self._stop():
                return None
            if self._ready():
                more = os.read(self._descriptor, 4096)
                self._bytes += more
                self._ended = not more
        if not self._bytes:
            return None
        line, _, self._bytes = self._bytes.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def _ready(self) -> bool:
        try:
            return bool(select.select([self._descriptor], [], [], _POLL_S)[0])
        except (OSError, ValueError):
            # Not something that can be waited for here: reading is all there is.
            return True
