"""What a side is told before it answers, in words; nothing here decides anything."""

from __future__ import annotations

import json
from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Verdict, VerdictKind

if TYPE_CHECKING:
    from stratarena.games.resource.series import RoundFacts, Series, SeriesState

__all__ = ["describe_event", "describe_state", "draw_state"]

_MOST_ENTRIES = 60
_LONGEST_TRACE = 200
"""Events of one round that are told; a longer trace is cut in the middle."""


def describe_state(series: Series, state: SeriesState, seat: Seat) -> str:
    """The seat's side, purse and catalogue, the plans it may see, and how the last rounds went."""
    game, side, other = series.plans, series.plans.sides[seat], series.plans.sides[seat.other]
    parts = [f"You play the {side.label}. Your purse: {side.purse.amount}.", "What you can buy:", game.catalogue(seat)]
    own, theirs = state.plan_of(seat), state.plan_of(seat.other)
    if theirs is not None and theirs.plan is not None:
        items = sorted({entry.item for entry in game.entries(seat.other, theirs.plan)} & set(game.prices(seat.other)))
        if items:
            parts += [f"What the {other.label} have bought from their purse of {other.purse.amount}:"]
            parts += [game.catalogue(seat.other, items)]
    for told in state.rounds[len(state.rounds) - series.history :] if series.history else ():
        parts.append(_round(series, told, seat))
    if state.rounds and series.history and series.feedback == "trace":
        parts += _trace(series, state)
    if own is not None:
        parts.append(f"Your plan: {_plan(series, seat, own)}")
    if theirs is not None:
        parts.append(f"Plan of the {other.label}: {_plan(series, seat.other, theirs)}")
    last = next((one for one in reversed(state.submissions) if one.seat is seat), None)
    if last is not None and last.verdict is not None and last.verdict.plan is None:
        why = "; ".join(_problem(problem) for problem in last.verdict.problems[:5])
        parts.append(f"Your last answer could not be read as a plan ({why}).")
    parts.append(f"A plan looks like this: {game.example(seat)}")
    keep = " or answer keep to leave it as it is" if series.keep and state.rounds else ""
    asked = f"Improve your plan{keep}." if state.rounds else "Submit your opening plan."
    parts.append(f"{asked} Answer with one JSON object with the key {side.key!r} and no other text.")
    return "\n".join(parts)


def draw_state(series: Series, state: SeriesState) -> str:
    """The plans in play and the rounds so far, for people."""
    lines = []
    for seat, side in series.plans.sides.items():
        verdict = state.plan_of(seat)
        if verdict is None:
            lines.append(f"{side.label}: no plan yet" if len(state.submissions) < 2 else f"{side.label}: plan hidden")
            continue
        cost = "" if verdict.cost is None else f", cost {verdict.cost} of {side.purse.amount}"
        lines.append(f"{side.label}: {verdict.kind.value.replace('_', ' ')}{cost}")
        if verdict.plan is not None:
            lines += [
                f"  {entry.cost:>4}  {' '.join(filter(None, (entry.variant, entry.item)))}, {entry.place}"
                for entry in series.plans.entries(seat, verdict.plan)[:_MOST_ENTRIES]
            ]
    labels: dict[Seat | None, str] = {None: "nobody"}
    labels |= {seat: side.label for seat, side in series.plans.sides.items()}
    lines += [
        f"{'opening' if one.label == 0 else f'round {one.label}':>9}: {labels[one.winner]}"
        + ("" if one.decided_by == "simulation" else f" ({one.decided_by.replace('_', ' ')})")
        for one in state.rounds
    ]
    return "\n".join(lines)


def describe_event(event: Event) -> str:
    """One event on one line: its time, its kind and what it tells."""
    told = " ".join(
        f"{part.name}={json.dumps(value.value if isinstance(value, Enum) else value)}"
        for part in fields(event)
        if part.name != "at"
        for value in (getattr(event, part.name),)
    )
    return f"{event.at:>7}  {type(event).__name__:<12} {told}".rstrip()


def _round(series: Series, told: RoundFacts, seat: Seat) -> str:
    name = "Opening round" if told.label == 0 else f"Round {told.label}"
    labels = {one: side.label for one, side in series.plans.sides.items()}
    won = "nobody won" if told.winner is None else f"the {labels[told.winner]} won"
    how = {
        "bad_plan": " because a plan could not be played",
        "over_budget": " because a plan cost more than its purse",
    }.get(told.decided_by, "")
    left = ""
    if series.feedback != "winner" and told.reason is not None:
        names = ", ".join(f"{unit} ({health:g} health, {place})" for _, unit, health, place in told.survivors)
        left = f" ({told.reason.replace('_', ' ')}); left: {names or 'nobody'}"
    return f"{name}: {won}{how}{left}."


def _trace(series: Series, state: SeriesState) -> list[str]:
    first, second = (state.plan_of(seat) for seat in Seat)
    if first is None or second is None or not (first.can_be_simulated and second.can_be_simulated):
        return []
    lines = [describe_event(event) for event in series.plans.simulate(first.plan, second.plan, trace=True).trace]
    if len(lines) > _LONGEST_TRACE:
        half = _LONGEST_TRACE // 2
        lines = [*lines[:half], f"… {len(lines) - 2 * half} events left out …", *lines[-half:]]
    return ["What happened in it:", *lines]


def _plan(series: Series, seat: Seat, verdict: Verdict[Any]) -> str:
    if verdict.plan is None:
        return "none that can be read"
    text = json.dumps(series.plans.dump(seat, verdict.plan))
    cost = "" if verdict.cost is None else f" (cost {verdict.cost} of {verdict.purse.amount})"
    if verdict.kind is VerdictKind.OK:
        return text + cost
    why = "; ".join(_problem(problem) for problem in verdict.problems[:5])
    return f"{text}{cost} - {verdict.kind.value.replace('_', ' ')}: {why}"


def _problem(problem: Any) -> str:
    return f"{problem.where}: {problem.why}" if problem.where else str(problem.why)
