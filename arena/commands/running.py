"""`run` and `demo`: a tournament file played against a database, with everything that takes opened and closed here."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from stratarena.agents.engines.base import Engine, EngineSpec
from stratarena.agents.engines.open import open_engine
from stratarena.agents.models.base import Constraint, Model
from stratarena.agents.models.embedded import check_installed
from stratarena.arena.clock import SYSTEM_CLOCK
from stratarena.arena.commands.console import err, out, print_json
from stratarena.arena.commands.pairing import pair_round_of
from stratarena.arena.commands.progress import Progress
from stratarena.arena.commands.provenance import find_provenance
from stratarena.arena.config import LoadedTournament, load_tournament
from stratarena.arena.driver import Backstage
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.specs import ModelSpec, TournamentSpec
from stratarena.arena.sprt import SprtState
from stratarena.arena.store import Store
from stratarena.arena.tournament import Standing, Watcher, play_tournament
from stratarena.games.base import ArenaError, SpecError
from stratarena.games.plugins import load

__all__ = [
    "asked_models",
    "demo",
    "is_remote",
    "make_models",
    "polite_interrupt",
    "read_tournament",
    "run",
    "set_stage",
]


def read_tournament(file: Path, *, seed: int | None) -> LoadedTournament:
    """The checked tournament of this file. Raises `SpecError` when it cannot be read or is wrong."""
    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{file}: not a text file: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise SpecError(f"{file}: {error.strerror or error}") from None
    return load_tournament(source, place=str(file), seed=seed, folder=file.parent)


def make_models(spec: TournamentSpec, wanted: Collection[str]) -> dict[str, Model]:
    """The models of these names; weights are loaded when first asked.

    Raises:
        SpecError: a model's parameters are wrong, or its key is missing.
    """
    from stratarena.agents.models.remote import RemoteModel

    models: dict[str, Model] = {
        model.name: load("stratarena.models", model.kind)(model.name, model.params)
        for model in spec.models
        if model.name in wanted
    }
    for model in list(models.values()):
        if isinstance(model, RemoteModel) and model.shares_limits_of is not None:
            other = models.get(model.shares_limits_of)
            if not isinstance(other, RemoteModel) or other is model or other.shares_limits_of is not None:
                raise SpecError(
                    f"model {model.name!r}: shares_limits_of = {model.shares_limits_of!r} names no other model behind an "
                    "API that is asked in this tournament and has limits of its own"
                )
            model.share(other)
    return models


def check_forms(loaded: LoadedTournament, models: Mapping[str, Model]) -> None:
    """Raise `SpecError` where an agent is to be held to a form that its model cannot enforce."""
    for agent in loaded.agents.values():
        for kind in getattr(agent, "must_enforce", ()):
            enforces = getattr(models[agent.models[0]], "enforces", lambda constraint: None)
            if enforces(Constraint(kind=kind, body="[]")) is None:
                raise SpecError(
                    f"agent {agent.spec.name!r}: model {agent.models[0]!r} cannot hold answers to legal moves; local models "
                    "can, and servers with structured = 'grammar' (answer = 'text') or 'schema' (answer = 'json')"
                )


def is_remote(model: ModelSpec) -> bool:
    """Whether a model of this kind is asked over an API that may charge for it."""
    return model.kind in ("openai", "anthropic")


def asked_models(loaded: LoadedTournament) -> frozenset[str]:
    """Names of the models that the tournament's agents ask."""
    return frozenset(model for agent in loaded.agents.values() for model in agent.models)


def run(
    file: Path,
    *,
    db: str,
    jobs: int,
    seed: int | None,
    as_json: bool,
    max_usd: float | None = None,
    only_failed: bool = False,
) -> None:
    """Play the tournament, or go on with it."""
    loaded = read_tournament(file, seed=seed)
    if max_usd is not None:
        cap = replace(loaded.spec.budgets.run, cost_usd=max_usd)
        spec = replace(loaded.spec, budgets=replace(loaded.spec.budgets, run=cap))
        loaded = LoadedTournament(spec, loaded.games, loaded.agents)
    _say_what_no_cap_can_hold(loaded)
    again = ["stratarena", "run", str(file), "--db", db, "--jobs", str(jobs)]
    again += [] if seed is None else ["--seed", str(seed)]
    capped = [] if max_usd is None else ["--max-usd", f"{max_usd:g}"]
    standing = _play(
        loaded, db=db, jobs=jobs, again=shlex.join([*again, *capped]), as_json=as_json, only_failed=only_failed
    )
    if standing is None:
        raise SystemExit(130)
    if standing.why is not None:
        _say_why_stopped(standing, again, loaded)
        raise SystemExit(1)
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


def _say_what_no_cap_can_hold(loaded: LoadedTournament) -> None:
    """Warn of models without a price under a cap on money."""
    cap = loaded.spec.budgets.run.cost_usd
    if cap is None:
        return
    asked = asked_models(loaded)
    unpriced = [
        model.name for model in loaded.spec.models if model.name in asked and model.price is None and is_remote(model)
    ]
    if unpriced:
        err().print(
            f"warning: no price is known of {', '.join(unpriced)}: the cap of ${cap:g} cannot hold back what they cost; "
            "give them a price_per_million",
            soft_wrap=True,
        )


def _say_why_stopped(standing: Standing, again: list[str], loaded: LoadedTournament) -> None:
    """Why the run stopped by itself, and the command that goes on."""
    console = err()
    console.print(f"stopped: {standing.why}", soft_wrap=True)
    console.print(
        f"everything that was finished is saved: {standing.over} of {standing.total} matches are over", soft_wrap=True
    )
    if standing.failing:
        console.print(f"play the void ones again with: {shlex.join([*again, '--failed'])}", soft_wrap=True)
        return
    cap = loaded.spec.budgets.run.cost_usd
    raised = [] if cap is None else ["--max-usd", f"{cap * 2:g}"]
    how = "go on under a higher cap with" if raised else "raise [budgets.run] in the file and go on with"
    console.print(f"{how}: {shlex.join([*again, *raised])}", soft_wrap=True)


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


def _play(
    loaded: LoadedTournament, *, db: str, jobs: int, again: str, as_json: bool, only_failed: bool = False
) -> Standing | None:
    """Play to the end; None when interrupted, after saying how to go on."""
    spec = loaded.spec
    with ExitStack() as closing:
        store, backstage = closing.enter_context(set_stage(loaded, db, open_engine))
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
            only_failed=only_failed,
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
                "why": standing.why,
                "again": None if standing.finished and not standing.void else again,
            }
        )
    if standing.why is not None:
        return standing
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
    loaded: LoadedTournament, db: str, open_engine: Callable[[EngineSpec], Engine]
) -> Iterator[tuple[Store, Backstage]]:
    """The record, and everything that answers agents; closed afterwards, the record last."""
    from stratarena.db.connect import open_database
    from stratarena.db.recorder import SqlStore

    spec = loaded.spec
    models = make_models(spec, asked_models(loaded))
    check_forms(loaded, models)
    with ExitStack() as closing:
        database = open_database(db, create=True)
        closing.callback(database.dispose)
        store = SqlStore(database)
        closing.callback(store.close)
        for model in models.values():
            closing.callback(model.close)
        room = EngineRoom(open_engine, workers=max(os.cpu_count() or 1, 2))
        closing.callback(room.close)
        yield (
            store,
            Backstage(
                models=models,
                prices={model.name: model.price for model in spec.models},
                engines=room,
            ),
        )


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
