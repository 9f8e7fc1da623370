"""What a board shows, as JSON values: positions, plans in play, and rounds in motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from enum import Enum
from typing import Any

from stratarena.analysis.plan_text import plan_entries
from stratarena.arena.replay import Frame
from stratarena.games.base import Game, IllegalMove, Move, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.fide_chess import Chess
from stratarena.games.hex import Hex
from stratarena.games.resource.base import Entry, Event, Verdict
from stratarena.games.resource.difference import Change
from stratarena.games.resource.series import KEEP, RoundFacts, Series, SeriesState
from stratarena.games.tower_defense.film import Film
from stratarena.games.tower_defense.game import TowerDefense
from stratarena.games.turn_based.game import TurnBased

__all__ = ["changes_json", "game_json", "move_label", "move_labels", "round_json", "stage_json"]

_MOST_EVENTS = 6000
"""Of a round's trace; no round of the games as written comes near."""


def game_json(game: Game[Any]) -> dict[str, Any]:
    """What stays the same throughout a match: the game's kind, and what its board needs to be drawn."""
    told: dict[str, Any] = {"id": game.id, "seats": list(game.traits.seat_names), "rules": game.rules}
    match game:
        case Chess():
            return {**told, "kind": "chess"}
        case ConnectFour():
            return {**told, "kind": "connect_four"}
        case Hex():
            return {**told, "kind": "hex", "size": game.size}
        case Series():
            return {**told, "kind": game.plans.name, **_ground(game)}
        case _:
            return {**told, "kind": "text", "hidden": not game.traits.open_information}


def _ground(series: Series) -> dict[str, Any]:
    purses = [series.plans.sides[seat].purse.amount for seat in Seat]
    told: dict[str, Any] = {"rounds": series.n_rounds, "purses": purses}
    if isinstance(series.plans, TowerDefense):
        told |= {"rows": series.plans.rows, "columns": series.plans.columns}
        told["health"] = {
            name: item.facts["health"] for units in series.plans.units.values() for name, item in units.items()
        }
    if isinstance(series.plans, TurnBased):
        told["health"] = series.plans.health
        told["elements"] = dict(series.plans.element_of)
    return told


def stage_json(game: Game[Any], frame: Frame) -> dict[str, Any]:
    """The position after a frame."""
    state = frame.state
    match game:
        case Chess():
            return {"fen": game.encode(state), "check": bool(state.board.is_check())}
        case ConnectFour() | Hex():
            return {"board": game.encode(state)}
        case Series():
            return {
                "plans": [_plan(game, seat, state.plan_of(seat)) for seat in Seat],
                "round": len(state.rounds) - 1 if state.rounds else None,
            }
        case _:
            views = [game.render(state, seat) for seat in Seat]
            return {"text": views[:1] if views[0] == views[1] else views}


def move_label(game: Game[Any], state: Any, move: Move) -> str:
    """A move as people write it, in the state before it: SAN for chess."""
    if isinstance(game, Chess):
        try:
            return str(state.board.san(state.board.parse_uci(move)))
        except ValueError:
            return move
    if isinstance(game, Series):
        return "keep" if move == KEEP else "plan"
    return move


def move_labels(game: Game[Any], state: Any, moves: Sequence[Move]) -> list[str]:
    """A line as people write it, from this state on; from the first move that is not legal there, as it is."""
    if not isinstance(game, Chess):
        return list(moves)
    labels: list[str] = []
    for number, move in enumerate(moves):
        try:
            after = game.play(state, move)
        except IllegalMove:
            return [*labels, *moves[number:]]
        labels.append(move_label(game, state, move))
        state = after
    return labels


def _plan(series: Series, seat: Seat, verdict: Verdict[Any] | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "verdict": verdict.kind.value,
        "cost": verdict.cost,
        "purse": verdict.purse.amount,
        "entries": [] if verdict.plan is None else [_entry(entry) for entry in plan_entries(series, seat, verdict)],
        "problems": [
            {"where": problem.where, "entry": problem.entry, "why": problem.why} for problem in verdict.problems
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {"item": entry.item, "place": entry.place, "cost": entry.cost}
    if entry.variant:
        told["variant"] = entry.variant
    if entry.group:
        told["group"] = entry.group
    return told


def changes_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Changes of a plan."""
    return [
        {
            "kind": change.kind,
            "before": None if change.before is None else _entry(change.before),
            "after": None if change.after is None else _entry(change.after),
        }
        for change in changes
    ]


def round_json(series: Series, state: SeriesState, facts: RoundFacts) -> dict[str, Any]:
    """The last round of a state: what was decided, and everything that happened, simulated again."""
    labels = {seat: side.label for seat, side in series.plans.sides.items()}
    told: dict[str, Any] = {
        "label": facts.label,
        "winner": facts.winner.value if facts.winner else None,
        "name": "nobody" if facts.winner is None else labels[facts.winner],
        "decided_by": facts.decided_by,
        "reason": facts.reason,
        "length": facts.length,
        "margin": facts.margin,
        "survivors": [
            {"seat": seat.value, "name": name, "health": health, "place": place}
            for seat, name, health, place in facts.survivors
        ],
        "events": [],
        "film": None,
    }
    first, second = (state.plan_of(seat) for seat in Seat)
    if first is None or second is None or not (first.can_be_simulated and second.can_be_simulated):
        return told
    if isinstance(series.plans, TowerDefense):
        film = Film()
        assert first.plan is not None
        assert second.plan is not None
        trace = series.plans.simulate(first.plan, second.plan, trace=True, film=film).trace
        told["film"] = _film(film)
    else:
        trace = series.plans.simulate(first.plan, second.plan, trace=True).trace
    told["events"] = [_event(event) for event in trace[:_MOST_EVENTS]]
    told["left_out"] = max(len(trace) - _MOST_EVENTS, 0)
    return told


def _film(film: Film) -> dict[str, Any]:
    """Places in hundredths of a cell."""
    return {
        "units": [
            {"seat": seat.value, "unit": unit, "track": [[at, round(100 * place)] for at, place in track]}
            for (seat, unit), track in film.units.items()
        ],
        "shots": [
            [shot.row, shot.kind, shot.first[0], round(100 * shot.first[1]), shot.last[0], round(100 * shot.last[1])]
            for shot in film.shots.values()
        ],
    }


def _event(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": type(event).__name__}
    for part in fields(event):
        value = getattr(event, part.name)
        told[part.name] = value.value if isinstance(value, Enum) else value
    return told
