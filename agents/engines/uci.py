"""Any UCI chess engine, driven through python-chess, every call under a hard timeout of ours."""

from __future__ import annotations

import asyncio
import math
import os
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

from stratarena.agents.engines.base import EngineError, EngineLine, EngineSpec, Query
from stratarena.games.base import Move

__all__ = ["UciEngine", "find_command"]

_PLACES = ("/usr/games", "/usr/local/games", "/usr/local/bin", "/opt/homebrew/bin")
_OWN_OPTIONS = ("command", "timeout_s")
_START_TIMEOUT_S = 20.0
_CENTIPAWNS_TO_EVEN_ODDS = 400.0


class UciEngine:
    """One engine process. Its hash tables are cleared before every query, so answers do not depend on what came before.

    Options: `command` (a name or path), `timeout_s` (for one query, beyond the time it is given), and any UCI option.
    """

    def __init__(self, spec: EngineSpec) -> None:
        options: dict[str, Any] = dict(spec.options)
        self._command = find_command(str(options["command"]))
        self._timeout_s = float(options.get("timeout_s", 30.0))
        try:
            self._engine = chess.engine.SimpleEngine.popen_uci(self._command, timeout=_START_TIMEOUT_S)
        except (TimeoutError, chess.engine.EngineError, OSError) as error:
            raise EngineError(f"{self._command} does not start as a UCI engine: {_words(error)}") from error
        wanted = {name: value for name, value in options.items() if name not in _OWN_OPTIONS}
        try:
            self._check(wanted)
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
            board = chess.Board(query.start)
            for move in query.moves:
                board.push_uci(move)
        except ValueError as error:
            raise EngineError(f"{self._command} was asked about an impossible position: {error}") from error
        limit = chess.engine.Limit(
            nodes=query.nodes, depth=query.depth, time=None if query.move_ms is None else query.move_ms / 1000
        )
        began = time.perf_counter()
        # python-chess itself waits for ever under a bound on nodes or depth, so a watchdog ends the process.
        late = threading.Event()
        watchdog = threading.Timer(self._timeout_s, self._end_process, [late])
        watchdog.daemon = True
        watchdog.start()
        try:
            # A game object never seen before makes python-chess send `ucinewgame`.
            result = self._engine.play(board, limit, game=object(), info=chess.engine.INFO_ALL)
        except (TimeoutError, chess.engine.EngineError) as error:
            self.close()
            words = f"no answer in time ({self._timeout_s:g} s)" if late.is_set() else _words(error)
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
        """End the process; one that does not go by itself is killed."""
        self._end_process(threading.Event())
        self._engine.close()

    def _end_process(self, ended: threading.Event) -> None:
        """Kill the process, and set `ended` if it was still there."""
        transport = self._engine.transport
        process = transport.get_pid()
        if process and transport.get_returncode() is None:
            ended.set()
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _check(self, wanted: Mapping[str, Any]) -> None:
        """Raise `EngineError` for an option the engine does not have, or a number out of its range."""
        known = self._engine.options
        for name, value in wanted.items():
            if name not in known:
                close = get_close_matches(name, list(known), n=1, cutoff=0.5)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise EngineError(f"{self._command} has no option {name!r}{hint}")
            option = known[name]
            if option.type == "spin" and not (option.min or -math.inf) <= int(value) <= (option.max or math.inf):
                raise EngineError(
                    f"{self._command}: {name} = {value} is out of range; it goes from {option.min} to {option.max}"
                )


def find_command(command: str) -> str:
    """The full path of an engine given by name or path.

    Raises:
        EngineError: it is not there; says where was looked and what to install.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    found = shutil.which(command, path=path)
    if found is None:
        how = (
            "; install it, for example with `apt-get install stockfish` or `brew install stockfish`"
            if command == "stockfish"
            else ""
        )
        raise EngineError(f"there is no engine {command!r} on the PATH or in {', '.join(_PLACES)}{how}")
    return found


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
    return 2 / (1 + 10 ** (-centipawns / _CENTIPAWNS_TO_EVEN_ODDS)) - 1, f"cp {centipawns}"


def _words(error: BaseException) -> str:
    """An error's message, or what its type means when it has none."""
    if isinstance(error, asyncio.TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
