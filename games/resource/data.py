"""The games' data files: every number once, read for the engines, the price lists and the texts alike."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stratarena.games.base import Seat
from stratarena.games.purse import Purse
from stratarena.games.resource.base import RuleSet, Side

__all__ = ["Item", "items_of", "load_data", "sides_of"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on a price list under one rule set: its numbers, and what models are told of it."""

    id: str
    cost: int
    facts: Mapping[str, Any]
    """Numbers and marks that the engine reads."""
    told: str
    """Its effect in words, made from the numbers as written, whatever the rule set."""

    def number(self, name: str) -> int:
        """A whole number among the facts."""
        found = self.facts[name]
        assert isinstance(found, int)
        return found


def load_data(name: str) -> dict[str, Any]:
    """A game's data file, a fresh copy at each call."""
    text = (Path(__file__).parents[1] / "data" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def sides_of(data: Mapping[str, Any]) -> dict[Seat, Side]:
    """Both sides, by seat."""
    found = {seat: data["sides"][seat.value] for seat in Seat}
    return {seat: Side(side["key"], side["label"], Purse(side["purse"])) for seat, side in found.items()}


def items_of(table: Mapping[str, Mapping[str, Any]], rule_set: RuleSet) -> dict[str, Item]:
    """The items of one table, in the file's order.

    Under `published` the numbers in an item's `published` table take the place of those it was advertised with. Items
    marked `told = false` are known to the published programs alone.
    """
    items = {}
    for item, row in table.items():
        advertised = {key: value for key, value in row.items() if key not in ("text", "published", "told")}
        if row.get("told", True) is False and rule_set is RuleSet.AS_WRITTEN:
            continue
        told = row["text"].format_map(_in_words(advertised)) if row.get("told", True) else ""
        facts = dict(advertised)
        if rule_set is RuleSet.PUBLISHED:
            facts |= row.get("published", {})
        items[item] = Item(item, facts["cost"], facts, told)
    return items


def _in_words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts for a template: times in milliseconds may also be named in seconds, `{interval_s}` for `interval_ms`."""
    words = dict(facts)
    for key, value in facts.items():
        if key.endswith("_ms"):
            words[key.removesuffix("_ms") + "_s"] = seconds(value)
    return words


def seconds(ms: int) -> str:
    """Milliseconds in seconds, without needless zeros."""
    return f"{ms / 1000:g}"
