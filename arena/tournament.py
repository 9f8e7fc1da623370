"""A schedule played to its end, from wherever the record says it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stratarena.agents.engines.base import EngineSpec
from stratarena.arena.clock import Clock
from stratarena.arena.config import LoadedTournament
from stratarena.arena.driver import Backstage, Halt, MatchInPlay, drive
from stratarena.arena.events import Event, Faulted, Recorder
from stratarena.arena.growth import PairRound, Round, first_or_recorded, next_round
from stratarena.arena.ledger import Ledger
from stratarena.arena.match import Venue, play_match
from stratarena.arena.meter import Tally
from stratarena.arena.schedule import make_schedule
from stratarena.arena.specs import Ending, MatchSpec, ModelSettings, Policies, Verdict
from stratarena.arena.sprt import SprtState, Stopping
from stratarena.arena.store import MatchProgress, Provenance, Store
from stratarena.arena.swiss import swiss_pairs
from stratarena.games.base import Seat

__all__ = ["Standing", "Watcher", "pair_swiss", "play_tournament"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a tournament has come."""

    total: int
    over: int
    void: int
    """Matches whose last attempt is void: to be played again by the next run."""
    finished: bool
    """Nothing was left to do, or everything was done; False when it was stopped."""
    why: str | None = None
    """Why it stopped by itself; None when it did not, or somebody stopped it."""
    failing: bool = False
    """It stopped because too much of the infrastructure failed."""
    spared: int = 0
    """Matches that need not be played: the stopping rule has decided their pairings."""
    tests: Mapping[tuple[str, str], SprtState] = field(default_factory=dict)
    """By pairing, where there is a stopping rule."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told how it goes."""

    on_start: Callable[[Sequence[MatchProgress], Mapping[str, Tally]], None]
    """All matches as they stand, and each agent's running total, which keeps running; again after each round of a
    tournament that grows."""
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
    only_failed: bool = False,
    pair_round: PairRound | None = None,
) -> Standing:
    """Play every match that is not over, at most `jobs` at once; a void match is tried again as the policies say.

    `schedule` stands in for the one that the spec gives; `only` the matches of these keys are played, all by default;
    with `only_failed` those whose last attempt is void. `pair_round` says who meets whom where the format grows; after
    each round it is asked for the next. It stops by itself when no call that is wanted fits under the run's cap any
    more, or when too many of an agent's games are void.

    Raises:
        SpecError: the record holds a different tournament under this name.
    """
    spec = loaded.spec
    if schedule is not None:
        pair_round = None
    elif pair_round is not None:
        schedule = first_or_recorded(spec, loaded.games, store.entered(spec.name), pair_round)
    else:
        schedule = make_schedule(spec, loaded.games)
    matches = store.enter(spec, schedule, provenance)
    for name, model in backstage.models.items():
        store.identify("model", name, model.identity)
    for name, agent in loaded.agents.items():
        prompt = getattr(agent, "prompt", None)
        if prompt is not None:
            store.identify("prompt", name, prompt)
    spent = {agent.name: Tally() for agent in spec.agents}
    for name, spend in store.spent_by_agent().items():
        spent[name].add(spend)
    ledger = Ledger(spec.budgets.run, spent=store.account())
    backstage = replace(backstage, ledger=ledger)
    watcher.on_start(matches, spent)
    watch = _FailureWatch(store, spec.policies)
    stopping = None if spec.sprt is None else Stopping(spec.sprt, schedule)
    venue = Venue(
        budgets=spec.budgets,
        policies=spec.policies,
        recorder=watch,
        clock=clock,
        prices=backstage.prices,
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
        return MatchInPlay(match, play, banked=progress.banked)

    def to_play() -> Iterator[MatchInPlay]:
        for progress in matches:
            if only is not None and progress.spec.key not in only:
                continue
            if stopping is not None and stopping.is_decided(progress.spec.key, verdicts.get):
                continue
            if progress.verdict is None:
                if only_failed:
                    continue
                yield enter(progress)
            elif progress.verdict.ending is Ending.VOID:
                yield enter(store.retry(progress.match_id))

    identified: set[EngineSpec] = set()

    def on_end(match: MatchInPlay, verdict: Verdict) -> MatchInPlay | None:
        key = match.spec.key
        verdicts[key] = verdict
        watcher.on_end(match.spec, verdict)
        watch.count(match.spec, running[key], verdict)
        if watch.why is not None:
            return None
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

    while True:
        halt = drive(
            to_play(),
            jobs=jobs,
            backstage=backstage,
            recorder=store,
            clock=clock,
            on_end=on_end,
            on_tick=on_tick,
            stop=lambda: watch.why is not None or stop(),
        )
        if halt is not None or pair_round is None:
            break
        more = next_round(spec, loaded.games, schedule, verdicts, pair_round)
        if not more:
            break
        schedule = (*schedule, *more)
        matches = store.enter(spec, schedule, provenance)
        running.update((match.spec.key, match.match_id) for match in matches)
        verdicts.update((match.spec.key, match.verdict) for match in matches)
        watcher.on_start(matches, spent)
    why = watch.why
    if halt is Halt.CAPPED:
        why = _cap_reached(ledger)
    endings = [verdict.ending for verdict in verdicts.values() if verdict is not None]
    void = endings.count(Ending.VOID)
    spared = 0
    if stopping is not None:
        spared = sum(
            verdict is None and stopping.is_decided(key, verdicts.get) for key, verdict in list(verdicts.items())
        )
    return Standing(
        total=len(matches),
        over=len(endings) - void,
        void=void,
        finished=halt is None and why is None,
        why=why,
        failing=watch.why is not None,
        spared=spared,
        tests={} if stopping is None else stopping.states(verdicts.get),
    )


class _FailureWatch:
    """A recorder that passes everything on, and knows whose infrastructure failed how often."""

    def __init__(self, recorder: Recorder, policies: Policies) -> None:
        self._recorder = recorder
        self._policies = policies
        self._failed: dict[int, tuple[Seat, str]] = {}
        """Seat and error of the last failure of a model or an engine, by match."""
        self._games: Counter[str] = Counter()
        self._void: Counter[str] = Counter()
        self.why: str | None = None
        """Set once an agent's failures pass the limit."""

    def write(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event.body, Faulted) and event.body.where != "agent" and event.seat is not None:
            self._failed[event.match_id] = (event.seat, event.body.error)
        self._recorder.write(event)

    def flush(self) -> None:
        """Make everything durable."""
        self._recorder.flush()

    def count(self, match: MatchSpec, match_id: int, verdict: Verdict) -> None:
        """A match has ended."""
        for seat in Seat:
            self._games[match.agent_at(seat)] += 1
        if verdict.ending is not Ending.VOID or match_id not in self._failed:
            return
        seat, error = self._failed.pop(match_id)
        name = match.agent_at(seat)
        self._void[name] += 1
        games, void = self._games[name], self._void[name]
        if games >= self._policies.failure_minimum and void / games > self._policies.failure_limit:
            self.why = f"{void} of the {games} games of agent {name!r} in this run were void; the last one by {error}"


def _cap_reached(ledger: Ledger) -> str:
    """The cap and what is left of it, in words."""
    spent, cap = ledger.account, ledger.cap
    parts = []
    for resource, limit in cap.limits():
        if limit is None:
            continue
        used = getattr(spent.at_most, resource)
        shown = (f"${used:.4f}", f"${limit:.4f}") if resource == "cost_usd" else (f"{used:,}", f"{limit:,}")
        parts.append(f"{shown[0]} of {shown[1]}" + ("" if resource == "cost_usd" else f" {resource}"))
    unsure = (
        f", of which ${spent.unsure_usd:.4f} may have been charged by tries that failed" if spent.unsure_usd else ""
    )
    unknown = f"; the cost of {spent.n_unknown} calls is unknown" if spent.n_unknown else ""
    return f"the run's cap leaves no room for another call: {', '.join(parts)} spent{unsure}{unknown}"


def pair_swiss(before: Round) -> dict[str, tuple[tuple[str, str], ...]]:
    """The next round of a Swiss tournament in each game."""
    return {
        game: swiss_pairs(agents, [match for match in before.entered if match.game == game])
        for game, agents in before.entrants.items()
    }


def describe_engine(engine: EngineSpec) -> str:
    """An engine's spec on one line, as the record names it."""
    options = ", ".join(f"{name}={value}" for name, value in engine.options)
    return f"{engine.kind}({options})"
