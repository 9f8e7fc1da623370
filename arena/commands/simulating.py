"""`simulate`: two plans, one simulation, and what became of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from stratarena.arena.commands.console import out, print_json
from stratarena.games.base import ArenaError, Seat, SpecError
from stratarena.games.resource.base import Event, ResourceGame, Result, Round, RuleSet, Verdict, play_round
from stratarena.games.resource.reading import NoJson, parse_json
from stratarena.games.resource.registry import resource_game
from stratarena.games.resource.wording import describe_event

__all__ = ["PlansError", "simulate"]

_MOST_BYTES = 64_000_000


class PlansError(ArenaError):
    """A file does not hold two plans."""


def simulate(game: str, *, rules: str, plans: Path | None, batch: Path | None, trace: bool, as_json: bool) -> None:
    """Simulate the two plans of a file, or one pair after another of a batch.

    Raises:
        SpecError: an unknown game or rule set, or not exactly one file.
        PlansError: a file that is no JSON, or not of the shape.
    """
    if (plans is None) == (batch is None):
        raise SpecError("give either --plans FILE with two plans or --batch FILE with a list of pairs")
    variants = _variants(game, rules)
    if batch is not None:
        entries = _read(batch)
        if not isinstance(entries, list):
            raise PlansError(f"{batch}: expected a list of objects, each with two plans")
        for index, entry in enumerate(entries):
            print_json(_as_json(variants, _rounds(variants, entry, f"{batch}[{index}]", trace), trace=trace))
        return
    assert plans is not None
    found = _rounds(variants, _read(plans), str(plans), trace)
    if as_json:
        print_json(_as_json(variants, found, trace=trace))
    else:
        for name, variant in variants.items():
            _print(variant, found[name], name, trace=trace)


def _variants(game: str, rules: str) -> dict[str, ResourceGame[Any]]:
    """The game, or, where the length of a frame decides, one for each length that was observed."""
    if game == "tower_defense" and rules == RuleSet.PUBLISHED.value:
        return {f"frame_ms_{ms}": resource_game(game, rules, frame_ms=ms) for ms in (33, 34)}
    return {"": resource_game(game, rules)}


def _read(path: Path) -> Any:
    if path.stat().st_size > _MOST_BYTES:
        raise PlansError(f"{path}: more than {_MOST_BYTES // 1_000_000} MB")
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise PlansError(f"{path}: not UTF-8 at byte {error.start}") from None
    except NoJson as error:
        raise PlansError(f"{path}: {error}") from None


def _rounds(variants: Mapping[str, ResourceGame[Any]], entry: object, where: str, trace: bool) -> dict[str, Round[Any]]:
    """One round under each variant, from one object that holds both plans."""
    if not isinstance(entry, dict):
        raise PlansError(f"{where}: expected an object with two plans")
    found = {}
    for name, rules in variants.items():
        verdicts = {}
        for seat, side in rules.sides.items():
            if side.key not in entry:
                keys = " and ".join(side.key for side in rules.sides.values())
                raise PlansError(f"{where}: no key {side.key!r}; expected {keys}")
            verdicts[seat] = rules.check(seat, {key: value for key, value in entry.items() if key.endswith(side.key)})
        found[name] = play_round(rules, verdicts[Seat.FIRST], verdicts[Seat.SECOND], trace=trace)
    return found


def _as_json(
    variants: Mapping[str, ResourceGame[Any]], rounds: Mapping[str, Round[Any]], *, trace: bool
) -> dict[str, Any]:
    """What is printed of one pair: the published programs' own record where they have one, else ours."""
    found = {name: _one(rules, rounds[name], trace=trace) for name, rules in variants.items()}
    return found.get("", found)


def _one(rules: ResourceGame[Any], played: Round[Any], *, trace: bool) -> dict[str, Any]:
    if rules.rule_set is RuleSet.PUBLISHED and played.result is not None:
        record = rules.as_published(played.result)
        return record | ({"trace": _trace(played.result)} if trace else {})
    result = played.result
    return {
        "winner": None if result is None or result.winner is None else rules.sides[result.winner].label,
        "reason": None if result is None else result.reason,
        "length": None if result is None else result.length,
        "margin": None if result is None else round(result.margin, 6),
        "survivors": None if result is None else [_survivor(rules, survivor) for survivor in result.survivors],
        "round_winner": None if played.winner is None else rules.sides[played.winner].label,
        "decided_by": played.decided_by.value,
        "plans": {rules.sides[seat].key: _verdict(verdict) for seat, verdict in played.verdicts.items()},
    } | ({"trace": _trace(result)} if trace and result is not None else {})


def _survivor(rules: ResourceGame[Any], survivor: Any) -> dict[str, Any]:
    return {
        "side": rules.sides[survivor.seat].label,
        "name": survivor.name,
        "health": survivor.health,
        "place": survivor.place,
    }


def _verdict(verdict: Verdict[Any]) -> dict[str, Any]:
    return {
        "verdict": verdict.kind.value,
        "cost": verdict.cost,
        "purse": verdict.purse.amount,
        "problems": [{"where": p.where, "entry": p.entry, "why": p.why} for p in verdict.problems],
        "warnings": [{"where": p.where, "entry": p.entry, "why": p.why} for p in verdict.warnings],
    }


def _trace(result: Result) -> list[dict[str, Any]]:
    return [{"event": type(event).__name__} | dict(_facts(event)) for event in result.trace]


def _facts(event: Event) -> list[tuple[str, Any]]:
    values = [(part.name, getattr(event, part.name)) for part in fields(event)]
    return [(name, value.value if isinstance(value, Enum) else value) for name, value in values]


def _print(rules: ResourceGame[Any], played: Round[Any], variant: str, *, trace: bool) -> None:
    console = out()
    if variant:
        console.print(f"frames of {variant.rpartition('_')[2]} ms")
    if trace and played.result is not None:
        for event in played.result.trace:
            console.print(describe_event(event))
    for seat, verdict in played.verdicts.items():
        cost = "no cost" if verdict.cost is None else f"cost {verdict.cost} of {verdict.purse.amount}"
        console.print(f"{rules.sides[seat].label}: {cost}, {verdict.kind.value.replace('_', ' ')}")
        for problem in verdict.problems:
            console.print(f"  {problem.where or 'the whole plan'}: {problem.why}: {problem.entry}")
        for warning in verdict.warnings:
            console.print(f"  warning: {warning.where}: {warning.why}: {warning.entry}")
    result = played.result
    if result is None:
        console.print("no simulation: a plan cannot be played")
    else:
        winner = "nobody wins" if result.winner is None else f"{rules.sides[result.winner].label} win"
        left = ", ".join(f"{survivor.name} {survivor.health:g}" for survivor in result.survivors) or "nobody"
        console.print(f"simulation: {winner} ({result.reason.replace('_', ' ')}, {result.length}); left: {left}")
    winner = "nobody wins" if played.winner is None else f"{rules.sides[played.winner].label} win"
    console.print(f"round: {winner}, decided by {played.decided_by.value.replace('_', ' ')}")
