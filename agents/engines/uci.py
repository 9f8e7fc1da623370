"""Any UCI chess engine, driven through python-chess, every call under a hard timeout of ours."""

from __future__ import annotations

import asyncio
import math
import os
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import chess
import chess.engine

from stratarena.agents.engines.base import CENTIPAWNS_TO_EVEN_ODDS, EngineError, EngineLine, EngineSpec, Query
from stratarena.games.base import Move

__all__ = ["UciEngine", "find_command"]

_PLACES = ("/usr/games", "/usr/local/games", "/usr/local/bin", "/opt/homebrew/bin")
_OWN_OPTIONS = ("command", "args", "timeout_s")
_DEFAULTS = {"Threads": 1, "Hash": 16}
_START_TIMEOUT_S = 20.0
_END_TIMEOUT_S = 2.0


class UciEngine:
    """One engine process. Its hash tables are cleared before every query, so answers do not depend on what came before.

    Options: `command` (a name or path), `args` (one line, quoted as for a shell), `timeout_s` (for one query, beyond
    the time it is given), and any UCI option. Threads are 1 and Hash is 16 MiB where the engine has these and nothing
    else is wanted.
    """

    def __init__(self, spec: EngineSpec) -> None:
        options: dict[str, Any] = dict(spec.options)
        self._command = find_command(str(options["command"]))
        self._timeout_s = float(options.get("timeout_s", 30.0))
        try:
            self._engine = _start([self._command, *shlex.split(str(options.get("args", "")))])
        except (TimeoutError, chess.engine.EngineError, OSError) as error:
            raise EngineError(f"{self._command} does not start as a UCI engine: {_words(error)}") from error
        wanted = {name: value for name, value in options.items() if name not in _OWN_OPTIONS}
        try:
            self._check(wanted)
            wanted |= self._defaults(wanted)
            self._engine.configure(wanted)
        except (TimeoutError, chess.engine.EngineError) as error:
            self.close()
            raise EngineError(f"{self._command} refused its options: {_words(error)}") from error
        except EngineError:
            self.close()
            raise
        self._options = wanted
        self._told = {key: str(value) for key, value in self._engine.id.items() if key in ("name", "author")}

    @property
    def identity(self) -> dict[str, str]:
        """The engine's own name and author, and the options set."""
        return {**self._told, **{f"option {name}": str(value) for name, value in sorted(self._options.items())}}

    def consult(self, query: Query) -> EngineLine:
        """The engine's move. `value` is its expected score for the mover by the logistic curve of 400 centipawns."""
        try:
            board = chess.Board(query.start, chess960=query.game.partition("(")[0] == "chess960")
            for move in query.moves:
                board.push_uci(move)
        except ValueError as error:
            raise EngineError(f"{self._command} was asked about an impossible position: {error}") from error
        if board.chess960 and "UCI_Chess960" not in self._engine.options:
            raise EngineError(f"{self._command} does not play Chess960: it has no option UCI_Chess960")
        limit = chess.engine.Limit(
            nodes=query.nodes, depth=query.depth, time=None if query.move_ms is None else query.move_ms / 1000
        )
        began = time.perf_counter()
        # python-chess itself waits for ever under a bound on nodes or depth, so a watchdog ends the process.
        late = threading.Event()
        timeout_s = self._timeout_s + (query.move_ms or 0) / 1000
        watchdog = threading.Timer(timeout_s, self._give_up, [late])
        watchdog.daemon = True
        watchdog.start()
        try:
            # A game object never seen before makes python-chess send `ucinewgame`.
            result = self._engine.play(board, limit, game=object(), info=chess.engine.INFO_ALL)
        except (TimeoutError, chess.engine.EngineError) as error:
            self.close()
            words = f"no answer in time ({timeout_s:g} s)" if late.is_set() else _words(error)
            raise EngineError(f"{self._command} failed on {board.fen()!r}: {words}") from error
        finally:
            watchdog.cancel()
        think_ms = (time.perf_counter() - began) * 1000
        if result.move is None or not board.is_legal(result.move):
            self.close()
            raise EngineError(f"{self._command} answered {result.move} on {board.fen()!r}, which is no legal move")
        value, score = _value(result.info)
        pv = [Move(move.uci()) for move in result.info.get("pv", [])]
        move = Move(result.move.uci())
        return EngineLine(
            move=move,
            pv=tuple(pv) if pv[:1] == [move] else (move,),
            value=value,
            score=score,
            nodes=result.info.get("nodes"),
            depth=result.info.get("depth"),
            think_ms=think_ms,
        )

    def close(self) -> None:
        """Kill the process and what it started. A query in flight on another thread fails."""
        _kill(self._engine.transport)
        # Once the process is collected python-chess closes by itself. Closing earlier would race with its collector.
        try:
            self._engine.returncode.result(_END_TIMEOUT_S)
        except TimeoutError:
            self._engine.close()

    def _give_up(self, late: threading.Event) -> None:
        """The watchdog's bite."""
        late.set()
        self.close()

    def _check(self, wanted: Mapping[str, Any]) -> None:
        """Raise `EngineError` for an option the engine does not have, or a value that is not one of it."""
        known = self._engine.options
        for name, value in wanted.items():
            if name not in known:
                close = get_close_matches(name, list(known), n=1, cutoff=0.5)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise EngineError(f"{self._command} has no option {name!r}{hint}")
            option = known[name]
            if option.type == "spin" and not _in_range(option, value):
                raise EngineError(
                    f"{self._command}: {name} = {value!r} is out of range; it goes from {option.min} to {option.max}, "
                    "in whole numbers"
                )
            if option.type == "check" and not isinstance(value, bool):
                raise EngineError(f"{self._command}: {name} = {value!r} is neither true nor false")

    def _defaults(self, wanted: Mapping[str, Any]) -> dict[str, int]:
        """Our own values for options that the engine has and nobody set."""
        known, given = self._engine.options, {name.casefold() for name in wanted}
        return {
            name: value
            for name, value in _DEFAULTS.items()
            if name in known and name.casefold() not in given and _in_range(known[name], value)
        }


def find_command(command: str) -> str:
    """The full path of an engine given by name or path.

    Raises:
        EngineError: it is not there; says where was looked and what to install.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    found = shutil.which(command, path=path)
    if found is None and os.sep in command:
        raise EngineError(f"there is no engine at {command!r}: no file is there, or it must not be executed")
    if found is None:
        how = (
            "; install it, for example with `apt-get install stockfish` or `brew install stockfish`"
            if command == "stockfish"
            else ""
        )
        raise EngineError(f"there is no engine {command!r} on the PATH or in {', '.join(_PLACES)}{how}")
    return found


def _start(command: list[str]) -> chess.engine.SimpleEngine:
    """The engine started, with its options known.

    Its process group is its own: the terminal's Ctrl-C, which is for us, does not reach it, and a kill reaches what a
    wrapper started. A start that takes too long is ended by the kill too, since python-chess, when it gives up by
    itself, leaves those behind and does not wait for the process to be collected.

    Raises:
        TimeoutError: it took too long.
        chess.engine.EngineError: it ended.
        OSError: it could not be run.
    """
    begun: list[asyncio.SubprocessTransport] = []
    late = threading.Event()

    class Watched(chess.engine.UciProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            assert isinstance(transport, asyncio.SubprocessTransport)
            begun.append(transport)

    def give_up() -> None:
        late.set()
        for transport in begun:
            _kill(transport)

    watchdog = threading.Timer(_START_TIMEOUT_S, give_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        return chess.engine.SimpleEngine.popen(
            Watched, command, timeout=_START_TIMEOUT_S + _END_TIMEOUT_S, setpgrp=True
        )
    except chess.engine.EngineError as error:
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        watchdog.cancel()


def _kill(transport: asyncio.SubprocessTransport) -> None:
    """Kill the process, if it is still there, and its whole group."""
    process = transport.get_pid()
    if process and transport.get_returncode() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)


def _in_range(option: chess.engine.Option, value: object) -> bool:
    """Whether the value is a whole number within the option's bounds."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return (
        (-math.inf if option.min is None else option.min) <= value <= (math.inf if option.max is None else option.max)
    )


def _value(info: chess.engine.InfoDict) -> tuple[float | None, str | None]:
    """The mover's expected score from -1 to 1, and the engine's words for it."""
    scored = info.get("score")
    if scored is None:
        return None, None
    score = scored.relative
    mate = score.mate()
    if mate is not None:
        return (1.0 if mate > 0 else -1.0), f"mate {mate}"
    centipawns = score.score()
    assert centipawns is not None
    return 2 / (1 + 10 ** (-centipawns / CENTIPAWNS_TO_EVEN_ODDS)) - 1, f"cp {centipawns}"


def _words(error: BaseException) -> str:
    """An error's message, or what its type means when it has none."""
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
