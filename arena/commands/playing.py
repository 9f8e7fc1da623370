"""`play`: a person against an agent at the terminal, recorded like any match."""

from __future__ import annotations

import json
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import count
from pathlib import Path
from secrets import randbits
from typing import Any

from stratarena.agents.engines.base import Engine, EngineSpec
from stratarena.agents.engines.open import open_engine
from stratarena.agents.person import PERSON
from stratarena.analysis.boards import printable, verdict_text
from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.commands.provenance import find_provenance
from stratarena.arena.commands.reading import opened
from stratarena.arena.commands.running import polite_interrupt, set_stage
from stratarena.arena.commands.terminal import Lines, Terminal
from stratarena.arena.config import LoadedTournament, load_tournament
from stratarena.arena.events import TurnClosed
from stratarena.arena.schedule import make_schedule
from stratarena.arena.seeds import derive_seed
from stratarena.arena.specs import Ending, MatchSpec, Opening, Verdict
from stratarena.arena.tournament import Watcher, play_tournament
from stratarena.db.errors import RecordError
from stratarena.db.records import MatchRecord
from stratarena.games.base import Move, Seat, SpecError
from stratarena.games.plugins import load_game, parse_spec

__all__ = ["play", "resume"]

_PREFIX = "play-"


def play(
    game: str,
    *,
    against: str,
    file: Path | None,
    seat: Seat,
    you: str,
    opening: str,
    undo: bool,
    seed: int | None,
    db: str,
) -> None:
    """Begin a match and play it until it is over or the person leaves."""
    source = _session(
        name=_next_name(db),
        seed=randbits(32) if seed is None else seed,
        game=load_game(game).id,
        opening=opening,
        you=you,
        opponent=_from_file(against, file) if file else _from_spec(against),
    )
    try:
        loaded = load_tournament(source, place="play")
    except SpecError as error:
        # Nobody has seen the file that was made of the command line, so its line numbers would puzzle.
        raise SpecError(re.sub(r"^play(:[0-9]+)?: ", "", str(error), flags=re.MULTILINE)) from None
    match = next(match for match in make_schedule(loaded.spec, loaded.games) if match.agent_at(seat) == you)
    _sit_down(loaded, (match,), undo=undo, db=db)


def resume(name: str, *, undo: bool, db: str) -> None:
    """Go on with a match that the person left, or that an engine or model broke off.

    Raises:
        RecordError: there is no such session, or its match is over.
    """
    with opened(db) as reader:
        tournament = reader.tournament(name)
        records = reader.matches(tournament)
    if not any(agent.kind == PERSON.kind for agent in tournament.agents) or not name.startswith(_PREFIX):
        raise RecordError(f"{name} was not begun by `stratarena play`")
    loaded = load_tournament(tournament.source, place=name)
    matches = _as_scheduled(loaded, records)
    verdict = records[-1].verdict
    if verdict is not None and verdict.ending is not Ending.VOID:
        raise RecordError(f"{name} is over; see it with `stratarena replay {records[-1].match_id}`")
    if verdict is not None:
        _, moves = _recorded(loaded, matches[-1], db)
        matches = (*matches, _anew(matches[0], len(matches), moves))
    _sit_down(loaded, matches, undo=undo, db=db)


def _as_scheduled(loaded: LoadedTournament, records: Sequence[MatchRecord]) -> tuple[MatchSpec, ...]:
    """The matches of a session as they were entered, the latest last."""
    schedule = {match.key: match for match in make_schedule(loaded.spec, loaded.games)}
    first = schedule[records[0].key]
    return (first, *(_anew(first, number, record.opening_moves) for number, record in enumerate(records[1:], start=1)))


def _anew(first: MatchSpec, number: int, moves: tuple[Move, ...]) -> MatchSpec:
    """The session's match once more, with these moves as its opening; the `number`th time."""
    decides = f"{first.digest} {number} {' '.join(moves)}"
    return replace(
        first,
        key=f"{first.key}~{number}",
        opening=Opening(name=f"after {len(moves)} plies", start=first.opening.start, moves=moves),
        seed=derive_seed(first.seed, "anew", number),
        digest=blake2b(decides.encode(), digest_size=16).hexdigest(),
    )


def _sit_down(loaded: LoadedTournament, matches: tuple[MatchSpec, ...], *, undo: bool, db: str) -> None:
    """Play the last of these matches, and those that follow it when moves are taken back."""
    (game,) = loaded.games.values()
    first, second = game.traits.seat_names
    match = matches[0]
    _say(f"{loaded.spec.name}: {game.id}, {match.first} ({first}) against {match.second} ({second})\n")
    with polite_interrupt() as interrupted:
        lines = Lines(sys.stdin.fileno(), interrupted)
        while True:
            terminal = Terminal(
                game,
                names={seat: match.agent_at(seat) for seat in Seat},
                base=len(match.opening.moves),
                undo=undo,
                read=lines.next,
                write=_say,
            )
            verdict = _play_last(loaded, matches, terminal, stop=interrupted, db=db)
            if terminal.back_to is None:
                break
            _, moves = _recorded(loaded, matches[-1], db)
            matches = (*matches, _anew(match, len(matches), moves[: terminal.back_to]))
    _part(loaded, matches[-1], verdict, db=db)


def _play_last(
    loaded: LoadedTournament, matches: tuple[MatchSpec, ...], terminal: Terminal, *, stop: Callable[[], bool], db: str
) -> Verdict | None:
    """Play the last of these matches; its verdict, unless the person left."""
    verdicts: list[Verdict] = []

    def open_either(spec: EngineSpec) -> Engine:
        return terminal if spec == PERSON else open_engine(spec)

    with set_stage(loaded, db, open_either) as (store, backstage):
        play_tournament(
            loaded,
            store=store,
            backstage=backstage,
            provenance=find_provenance(),
            clock=SYSTEM_CLOCK,
            jobs=1,
            watcher=Watcher(
                lambda matches, spent: None, lambda spec, verdict: verdicts.append(verdict), lambda in_play: None
            ),
            stop=lambda: terminal.left or stop(),
            schedule=matches,
            only=frozenset({matches[-1].key}),
        )
    return verdicts[-1] if verdicts else None


def _part(loaded: LoadedTournament, match: MatchSpec, verdict: Verdict | None, *, db: str) -> None:
    """Show the last board and the result, or how to go on.

    Raises:
        RecordError: the match is void.
    """
    option = "" if db == "stratarena.db" else f" --db {shlex.quote(db)}"
    again = f"go on with: stratarena play --resume {loaded.spec.name}{option}"
    if verdict is None:
        _say(f"\nthe match is kept; {again}\n")
        return
    record, moves = _recorded(loaded, match, db)
    if verdict.ending is Ending.VOID:
        with opened(db) as reader:
            faults = reader.faults(reader.tournament(loaded.spec.name))
        raise RecordError(f"the match cannot go on: {faults[-1].error if faults else verdict.reason}\n{again}")
    (game,) = loaded.games.values()
    state = game.decode(match.opening.start)
    for move in moves:
        state = game.play(state, move)
    result = verdict_text(verdict, {seat: match.agent_at(seat) for seat in Seat})
    _say(f"\n{printable(game.render(state, Seat.FIRST))}\n\n{result}\n")
    _say(f"recorded; see it again with: stratarena replay {record.match_id}{option}\n")


def _recorded(loaded: LoadedTournament, match: MatchSpec, db: str) -> tuple[MatchRecord, tuple[Move, ...]]:
    """The match as it is recorded, and every move of it."""
    with opened(db) as reader:
        found = reader.matches(reader.tournament(loaded.spec.name))
        record = next(each for each in found if each.key == match.key)
        bodies = [event.body for event in reader.events(record.match_id)]
    played = tuple(body.move for body in bodies if isinstance(body, TurnClosed) and body.move is not None)
    return record, record.opening_moves + played


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _next_name(db: str) -> str:
    """The first session's name that the database does not hold."""
    try:
        with opened(db) as reader:
            taken = {tournament.name for tournament in reader.tournaments()}
    except RecordError:
        # No database yet: playing makes it.
        taken = set()
    return next(name for number in count(1) if (name := f"{_PREFIX}{number}") not in taken)


def _session(
    *,
    name: str,
    seed: int,
    game: str,
    opening: str,
    you: str,
    opponent: tuple[str, Mapping[str, Any], Mapping[str, Any]],
) -> str:
    """The tournament file of one match: what is recorded as its source."""
    against, agent, models = opponent
    if against == you:
        raise SpecError(f"both players would be called {you!r}; choose another name with --as")
    lines = [
        f"name = {_toml(name)}",
        f"seed = {seed}",
        f"games = [{_toml(game)}]",
        'format = "gauntlet"',
        f"challengers = [{_toml(you)}]",
        "policies = { void_retries = 0 }",
        f"openings = {{ {_toml(game)} = {_toml(opening)} }}",
        "",
        f"[agents.{_toml(you)}]",
        f"kind = {_toml(PERSON.kind)}",
        "",
        f"[agents.{_toml(against)}]",
        *(f"{_toml(key)} = {_toml(value)}" for key, value in agent.items() if key != "games"),
    ]
    for model, table in models.items():
        lines += ["", f"[models.{_toml(model)}]", *(f"{_toml(key)} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _from_spec(text: str) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """Name, table and models of an agent given as `mcts(simulations=200)`; a model is named by its kind."""
    kind, params = parse_spec(text)
    model = params.get("model")
    models = {str(model): {"kind": model}} if model is not None else {}
    return kind, {"kind": kind, **params}, models


def _from_file(name: str, file: Path) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """Name, table and models of an agent of a tournament file.

    Raises:
        SpecError: the file cannot be read, or has no such agent.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"{file}: not valid TOML: {error}") from None
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror or error}") from None
    agents, models = tables.get("agents"), tables.get("models")
    if not isinstance(agents, dict) or not isinstance(agents.get(name), dict):
        known = ", ".join(agents) if isinstance(agents, dict) else "none"
        raise SpecError(f"{file} has no agent {name!r}; there are: {known}")
    model = agents[name].get("model")
    asked = {model: models[model]} if isinstance(models, dict) and model in models else {}
    return name, agents[name], asked


def _toml(value: Any) -> str:
    """A value, or a quoted key, as TOML writes it."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # Texts, numbers and truth values are spelled alike in TOML and in JSON.
    return json.dumps(value, ensure_ascii=False)
