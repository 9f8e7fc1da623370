"""`run` and `demo`: a tournament file played against a database, with everything that takes opened and closed here."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from stratarena.agents.engines.base import Engine, EngineSpec
from stratarena.agents.engines.open import open_engine
from stratarena.agents.models.base import Model
from stratarena.agents.models.embedded import check_installed
from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.commands.console import err, out, print_json
from stratarena.arena.commands.pairing import pair_round_of
from stratarena.arena.commands.progress import Progress
from stratarena.arena.commands.provenance import find_provenance
from stratarena.arena.config import LoadedTournament, load_tournament
from stratarena.arena.driver import Backstage
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.specs import TournamentSpec
from stratarena.arena.sprt import SprtState
from stratarena.arena.store import Store
from stratarena.arena.tournament import Standing, Watcher, play_tournament
from stratarena.games.base import ArenaError, SpecError
from stratarena.games.plugins import load

__all__ = ["demo", "make_models", "polite_interrupt", "read_tournament", "run", "set_stage"]


def read_tournament(file: Path, *, seed: int | None) -> LoadedTournament:
    """The checked tournament of this file. Raises `SpecError` when it cannot be read or is wrong."""
    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{file}: not a text file: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror or error}") from None
    return load_tournament(source, place=str(file), seed=seed)


def make_models(spec: TournamentSpec) -> dict[str, Model]:
    """The models that the tournament's agents ask, by name; weights are loaded when first asked.

    Raises:
        SpecError: a model's parameters are wrong.
    """
    wanted = {str(agent.params["model"]) for agent in spec.agents if "model" in agent.params}
    return {
        model.name: load("stratarena.models", model.kind)(model.name, model.params)
        for model in spec.models
        if model.name in wanted
    }


def run(file: Path, *, db: str, jobs: int, seed: int | None, as_json: bool) -> None:
    """Play the tournament, or go on with it."""
    loaded = read_tournament(file, seed=seed)
    again = ["stratarena", "run", str(file), "--db", db, "--jobs", str(jobs)]
    again += [] if seed is None else ["--seed", str(seed)]
    standing = _play(loaded, db=db, jobs=jobs, again=shlex.join(again), as_json=as_json)
    if standing is None:
        raise SystemExit(130)
    if as_json:
        return
    from stratarena.arena.commands.reading import print_standings, why_void

    print_standings(db, loaded.spec.name)
    for (one, other), test in standing.tests.items():
        out().print(_told_test(one, other, test), soft_wrap=True)
    line = f"{standing.over} of {standing.total} matches are over"
    line += f"; {standing.spared} need not be played" if standing.spared else ""
    if standing.void:
        line += f"; {standing.void} void, to be played again by the same command"
        for why in why_void(db, loaded.spec.name):
            err().print(why, soft_wrap=True)
    out().print(line, soft_wrap=True)
    suffix = "" if db == "stratarena.db" else f" --db {shlex.quote(db)}"
    out().print(
        f"replay one with `stratarena replay MATCH{suffix}`, and see them all with `stratarena list matches{suffix}`",
        soft_wrap=True,
    )
    if standing.void:
        raise SystemExit(1)


def _told_test(one: str, other: str, test: SprtState) -> str:
    """A pairing's sequential test in a line."""
    decided = {None: "open", "elo1": f"{one} is stronger", "elo0": f"{one} is not stronger"}[test.decision]
    return (
        f"{one} against {other}: {decided} after {test.pairs} pairs {list(test.counts)}, log-likelihood ratio "
        f"{test.llr:.2f} in [{test.low:.2f}, {test.high:.2f}]"
    )


def demo(*, db: str, jobs: int, out_folder: Path | None, seed: int | None) -> None:
    """Play the bundled tournament with whatever of it can be played on this machine, and write its report."""
    source = (Path(__file__).parents[1] / "demo.toml").read_text(encoding="utf-8")
    loaded = load_tournament(source, place="demo.toml", seed=seed)
    missing = _missing(loaded)
    for name, why in missing.items():
        err().print(f"{name} sits out: {why}", soft_wrap=True)
    if missing:
        loaded = load_tournament(_without(source, missing), place="demo.toml", seed=seed)
    again = ["stratarena", "demo", "--db", db, "--jobs", str(jobs)]
    standing = _play(loaded, db=db, jobs=jobs, again=shlex.join(again), as_json=False)
    if standing is None:
        raise SystemExit(130)
    from stratarena.arena.commands.reading import print_standings, write_report

    print_standings(db, loaded.spec.name)
    page = write_report(loaded.spec.name, db=db, folder=out_folder)[0]
    console = out()
    console.print(f"\n{standing.over} of {standing.total} matches are over, all of them in {db}", soft_wrap=True)
    console.print(f"the report:    {page}", soft_wrap=True)
    console.print(f"replay a game: stratarena replay 1 --db {shlex.quote(db)}", soft_wrap=True)
    console.print(f"all matches:   stratarena list matches --db {shlex.quote(db)}", soft_wrap=True)
    if standing.void:
        raise SystemExit(1)


def _missing(loaded: LoadedTournament) -> dict[str, str]:
    """Agents whose engine or model cannot be had here, with the reason."""
    missing: dict[str, str] = {}
    for name, agent in loaded.agents.items():
        if agent.models:
            try:
                check_installed()
            except ArenaError as error:
                missing[name] = str(error)
        for engine in agent.engines:
            try:
                open_engine(engine).close()
            except ArenaError as error:
                missing[name] = str(error)
    return missing


def _without(source: str, agents: Mapping[str, str]) -> str:
    """The tournament file's text without the tables of these agents."""
    kept: list[str] = []
    skipping = False
    for line in source.splitlines():
        if line.startswith("["):
            skipping = any(line.startswith(f"[agents.{name}]") for name in agents)
        if not skipping:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _play(loaded: LoadedTournament, *, db: str, jobs: int, again: str, as_json: bool) -> Standing | None:
    """Play to the end; None when interrupted, after saying how to go on."""
    spec = loaded.spec
    with ExitStack() as closing:
        store, backstage = closing.enter_context(set_stage(spec, db, open_engine))
        progress = Progress(err(), SYSTEM_CLOCK, name=spec.name, budgets=spec.budgets, quiet=as_json)
        closing.callback(progress.close)
        if as_json:
            closing.enter_context(_announced(spec, db))
        interrupted = closing.enter_context(polite_interrupt())
        standing = play_tournament(
            loaded,
            store=store,
            backstage=backstage,
            provenance=find_provenance(),
            clock=SYSTEM_CLOCK,
            jobs=jobs,
            watcher=Watcher(progress.start, progress.end_match, progress.tick),
            stop=interrupted,
            pair_round=pair_round_of(spec),
        )
        played = progress.played
    if as_json:
        print_json(
            {
                "event": "done" if standing.finished else "stopped",
                "tournament": spec.name,
                "matches": standing.total,
                "over": standing.over,
                "void": standing.void,
                "spared": standing.spared,
                "played": played,
                "again": None if standing.finished and not standing.void else again,
            }
        )
    if not standing.finished:
        err().print(
            f"stopped; everything up to the last finished turn is saved ({standing.over} of {standing.total} matches "
            f"are over)\ngo on with: {again}",
            soft_wrap=True,
        )
        return None
    if played == 0 and not as_json:
        err().print(f"{spec.name}: all {standing.total} matches are over already; nothing left to do", soft_wrap=True)
    return standing


@contextmanager
def set_stage(
    spec: TournamentSpec, db: str, open_engine: Callable[[EngineSpec], Engine]
) -> Iterator[tuple[Store, Backstage]]:
    """The record, and everything that answers agents; closed afterwards, the record last."""
    from stratarena.db.connect import open_database
    from stratarena.db.recorder import SqlStore

    models = make_models(spec)
    with ExitStack() as closing:
        database = open_database(db, create=True)
        closing.callback(database.dispose)
        store = SqlStore(database)
        closing.callback(store.close)
        for model in models.values():
            closing.callback(model.close)
        room = EngineRoom(open_engine, workers=max(os.cpu_count() or 1, 2))
        closing.callback(room.close)
        prices = {model.name: model.price_per_million for model in spec.models}
        yield store, Backstage(models=models, prices=prices, engines=room)


@contextmanager
def _announced(spec: TournamentSpec, db: str) -> Iterator[None]:
    """One JSON line as soon as it is safe to watch."""
    print_json({"event": "started", "tournament": spec.name, "db": db, "pid": os.getpid()})
    yield


@contextmanager
def polite_interrupt() -> Iterator[Callable[[], bool]]:
    """A function that says whether Ctrl-C was pressed; a second press interrupts at once."""
    pressed = False

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        sys.stderr.write("\nsaving; Ctrl-C again to stop at once\n")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
