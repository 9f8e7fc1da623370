"""A schedule played to its end, from wherever the record says it stands."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stratarena.agents.engines.base import EngineSpec
from stratarena.arena.clock import Clock
from stratarena.arena.config import LoadedTournament
from stratarena.arena.driver import Backstage, MatchInPlay, drive
from stratarena.arena.match import Venue, play_match
from stratarena.arena.meter import Tally
from stratarena.arena.schedule import make_schedule
from stratarena.arena.specs import Ending, MatchSpec, ModelSettings, Verdict
from stratarena.arena.store import MatchProgress, Provenance, Store
from stratarena.games.base import Seat

__all__ = ["Standing", "Watcher", "play_tournament"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a tournament has come."""

    total: int
    over: int
    void: int
    """Matches whose last attempt is void: to be played again by the next run."""
    finished: bool
    """Nothing was left to do, or everything was done; False when it was stopped."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told how it goes."""

    on_start: Callable[[Sequence[MatchProgress], Mapping[str, Tally]], None]
    """All matches as they stand, and each agent's running total, which keeps running."""
    on_end: Callable[[MatchSpec, Verdict], None]
    """A match has ended and is durable."""
    on_tick: Callable[[Mapping[int, MatchInPlay]], None]
    """Matches in play; after every tick of the driver."""


def play_tournament(
    loaded: LoadedTournament,
    *,
    store: Store,
    backstage: Backstage,
    provenance: Provenance,
    clock: Clock,
    jobs: int,
    watcher: Watcher,
    stop: Callable[[], bool],
    schedule: Sequence[MatchSpec] | None = None,
    only: Container[str] | None = None,
) -> Standing:
    """Play every match that is not over, at most `jobs` at once; a void match is tried again as the policies say.

    `schedule` stands in for the one that the spec gives; `only` the matches of these keys are played, all by default.

    Raises:
        SpecError: the record holds a different tournament under this name.
    """
    spec = loaded.spec
    matches = store.enter(spec, make_schedule(spec, loaded.games) if schedule is None else schedule, provenance)
    for name, model in backstage.models.items():
        store.identify("model", name, model.identity)
    spent = {agent.name: Tally() for agent in spec.agents}
    for name, spend in store.spent_by_agent().items():
        spent[name].add(spend)
    watcher.on_start(matches, spent)
    venue = Venue(
        budgets=spec.budgets,
        policies=spec.policies,
        recorder=store,
        clock=clock,
        settings={model.name: model.settings for model in spec.models if model.settings != ModelSettings()},
    )
    retries: dict[str, int] = {}
    running: dict[str, int] = {match.spec.key: match.match_id for match in matches}
    verdicts = {match.spec.key: match.verdict for match in matches}

    def enter(progress: MatchProgress) -> MatchInPlay:
        match = progress.spec
        running[match.key] = progress.match_id
        players = {seat: loaded.agents[match.agent_at(seat)] for seat in Seat}
        play = play_match(
            progress,
            game=loaded.games[match.game],
            agents=players,
            spent={seat: spent[match.agent_at(seat)] for seat in Seat},
            venue=venue,
        )
        return MatchInPlay(match, play)

    def to_play() -> Iterator[MatchInPlay]:
        for progress in matches:
            if only is not None and progress.spec.key not in only:
                continue
            if progress.verdict is None:
                yield enter(progress)
            elif progress.verdict.ending is Ending.VOID:
                yield enter(store.retry(progress.match_id))

    identified: set[EngineSpec] = set()

    def on_end(match: MatchInPlay, verdict: Verdict) -> MatchInPlay | None:
        key = match.spec.key
        verdicts[key] = verdict
        watcher.on_end(match.spec, verdict)
        if verdict.ending is not Ending.VOID or retries.get(key, 0) >= spec.policies.void_retries:
            return None
        retries[key] = retries.get(key, 0) + 1
        return enter(store.retry(running[key]))

    def on_tick(in_play: Mapping[int, MatchInPlay]) -> None:
        for engine, identity in backstage.engines.identities.items():
            if engine not in identified:
                identified.add(engine)
                store.identify("engine", describe_engine(engine), identity)
        watcher.on_tick(in_play)

    finished = drive(
        to_play(),
        jobs=jobs,
        backstage=backstage,
        recorder=store,
        clock=clock,
        on_end=on_end,
        on_tick=on_tick,
        stop=stop,
    )
    endings = [verdict.ending for verdict in verdicts.values() if verdict is not None]
    void = endings.count(Ending.VOID)
    return Standing(total=len(matches), over=len(endings) - void, void=void, finished=finished)


def describe_engine(engine: EngineSpec) -> str:
    """An engine's spec on one line, as the record names it."""
    options = ", ".join(f"{name}={value}" for name, value in engine.options)
    return f"{engine.kind}({options})"
