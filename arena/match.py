"""One match as a generator: it yields what it waits for, is sent what arrived, and returns the verdict."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stratarena.agents.base import Agent
from stratarena.agents.plan import Plan
from stratarena.arena.clock import Clock
from stratarena.arena.events import MatchClosed, MatchOpened, Recorder, TurnClosed
from stratarena.arena.meter import MeteredGame, Scopes, Tally
from stratarena.arena.notes import Notes
from stratarena.arena.prices import Price
from stratarena.arena.referee import Arrival, Pending, Turn, take_turn
from stratarena.arena.rounds import facts_of_turn
from stratarena.arena.specs import Budgets, Ending, ModelSettings, Policies, Verdict
from stratarena.arena.store import MatchProgress
from stratarena.games.base import ArenaError, Game, IllegalMove, Seat

__all__ = ["MatchPlay", "TurnEnd", "Venue", "play_match"]


class TurnEnd(NamedTuple):
    """Yielded between turns: the turn's events are written, and must be durable before the match goes on."""

    ply: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What the matches of a tournament share."""

    budgets: Budgets
    policies: Policies
    recorder: Recorder
    clock: Clock
    settings: Mapping[str, ModelSettings] = field(default_factory=dict)
    """By model: what its table says of sampling."""
    prices: Mapping[str, Price | None] = field(default_factory=dict)
    """By model."""


@dataclass(slots=True)
class _Bench:
    """One side of the table over a whole match."""

    agent: Agent
    scopes: Scopes
    standing: Plan | None


MatchPlay = Generator[Pending | TurnEnd, Arrival | None, Verdict]


def play_match(
    progress: MatchProgress,
    *,
    game: Game[Any],
    agents: Mapping[Seat, Agent],
    spent: Mapping[Seat, Tally],
    venue: Venue,
) -> MatchPlay:
    """Play a match from wherever it stands to its verdict.

    `spent` holds each seat's agent's running total over the whole tournament, and is added to.

    Raises:
        ArenaError: the recorded moves are not the moves of this game, or lead to another state than recorded.
    """
    spec, clock = progress.spec, venue.clock
    opening = spec.opening
    state = game.decode(opening.start)
    moves = opening.moves + progress.moves
    for ply, move in enumerate(moves):
        try:
            state = game.play(state, move)
        except IllegalMove as illegal:
            raise ArenaError(f"match {spec.key}, ply {ply + 1}: a recorded move is illegal: {illegal}") from illegal
    if progress.digest is not None and progress.digest != game.digest(state):
        raise ArenaError(
            f"match {spec.key}, ply {len(moves)}: the recorded moves lead to state {game.digest(state)}, "
            f"but {progress.digest} was recorded"
        )
    notes = Notes(venue.recorder, match_id=progress.match_id, next_seq=progress.next_seq, ply=len(moves), clock=clock)
    if progress.next_seq == 0:
        notes.write(None, MatchOpened())
    metered = MeteredGame(game)
    cap = venue.policies.max_plies.get(spec.game)
    bench = {
        seat: _Bench(
            agents[seat],
            Scopes(venue.budgets, match=Tally(progress.spent[seat]), agent=spent[seat]),
            progress.standing[seat],
        )
        for seat in Seat
    }
    first, second = bench[Seat.FIRST], bench[Seat.SECOND]
    while True:
        outcome = game.outcome(state)
        if outcome is not None:
            verdict = Verdict.by_rules(outcome)
            break
        if cap is not None and len(moves) >= cap:
            verdict = Verdict(ending=Ending.CAP, winner=None, reason="ply_cap")
            break
        seat = game.to_move(state)
        sitter = first if seat is Seat.FIRST else second
        notes.ply = len(moves)
        opened_ms = clock.epoch_ms()
        ruling = yield from take_turn(
            Turn(
                match_seed=spec.seed,
                agent=sitter.agent,
                seat=seat,
                ply=len(moves),
                state=state,
                start=opening.start,
                moves=moves,
                standing=sitter.standing,
                re_asks=venue.policies.re_asks,
                settings=venue.settings,
                prices=venue.prices,
            ),
            game=metered,
            real=game,
            scopes=sitter.scopes,
            notes=notes,
            clock=clock,
        )
        decision = ruling.decision
        if decision is not None:
            state = ruling.after
            sitter.standing = ruling.standing
            for fact in facts_of_turn(game, state):
                notes.write(seat, fact)
        sitter.scopes.add(ruling.spend)
        notes.write(
            seat,
            TurnClosed(
                seat,
                ruling.seed,
                opened_ms,
                None if decision is None else decision.move,
                None if decision is None else game.digest(state),
                None if decision is None else decision.confidence,
                None if decision is None else decision.fallback,
                ruling.spend,
                ruling.wait_ms,
            ),
        )
        if decision is None:
            assert ruling.verdict is not None
            verdict = ruling.verdict
            break
        moves = (*moves, decision.move)
        yield TurnEnd(len(moves))
    notes.ply = len(moves)
    notes.write(None, MatchClosed(verdict, len(moves)))
    return verdict
