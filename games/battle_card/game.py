"""The battle card game as a game of two plans: `BattleCard("as_written")` and `BattleCard("published")`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from stratarena.games.base import Seat
from stratarena.games.battle_card import as_written, published
from stratarena.games.battle_card.as_written import Card
from stratarena.games.battle_card.events import BattleResult
from stratarena.games.battle_card.plans import (
    BRONZE,
    GOLD,
    TIERS,
    RowPlan,
    Unit,
    from_shape,
    priority_key,
    problems,
    schema,
    warnings,
)
from stratarena.games.purse import PriceList
from stratarena.games.resource.base import Entry, Problem, RuleSet, Verdict
from stratarena.games.resource.data import items_of, load_data, sides_of
from stratarena.games.resource.reading import check_shape, show
from stratarena.games.resource.verdicts import malformed, verdict_on

__all__ = ["BattleCard"]


class BattleCard:
    """Two rows of up to seven units fight by themselves; units are bought, and gilded, beforehand."""

    name = "battle_card"

    def __init__(self, rules: str = "as_written", *, data: Mapping[str, Any] | None = None) -> None:
        """The game; `data` takes the place of the data file, for those who change its numbers."""
        self.rule_set = RuleSet(rules)
        data = load_data(self.name) if data is None else data
        self._data = data
        self.sides = sides_of(data)
        self.row: int = data["battle"]["row"]
        self.gold_price: int = data["battle"]["gold_price"]
        self.gold_factor: int = data["battle"]["gold_factor"]
        self.most_attacks: int = data["battle"]["most_attacks"]
        self.cards = {seat: items_of(data["cards"][seat.value], self.rule_set) for seat in Seat}
        self._prices = {
            seat: PriceList({name: item.cost for name, item in cards.items()}) for seat, cards in self.cards.items()
        }
        self._published_prices = {
            seat: {name.lower(): price for name, price in prices.items()} for seat, prices in self._prices.items()
        }
        self._ready = {
            seat: {tier: as_written.cards_of(cards, self.gold_factor if tier == GOLD else 1) for tier in TIERS}
            for seat, cards in self.cards.items()
        }

    @property
    def id(self) -> str:
        """The spec of this game: `"battle_card"`, `"battle_card(rules='published')"`."""
        return self.name if self.rule_set is RuleSet.AS_WRITTEN else f"{self.name}(rules={self.rule_set.value!r})"

    def prices(self, seat: Seat) -> PriceList:
        """That side's units in Bronze."""
        return self._prices[seat]

    def names(self, seat: Seat) -> tuple[str, ...]:
        """Every unit that may stand in that side's row: those on the price list, and those only summoned."""
        cards = self.cards[seat]
        summoned = [
            str(item.facts[role]) for item in cards.values() for role in ("summon", "call") if role in item.facts
        ]
        return tuple(dict.fromkeys([*cards, *summoned]))

    def rules_text(self) -> str:
        """The rules in words. Models of the published rules were told less, and partly something else than is so."""
        values: dict[str, Any] = dict(self._data["battle"])
        for seat, side in self.sides.items():
            values[f"{seat.value}_label"] = side.label
            values[f"{seat.value}_purse"] = side.purse.amount
        lines = list(self._data["text"]["told"])
        if self.rule_set is RuleSet.AS_WRITTEN:
            lines += self._data["text"]["as_written"]
        return "\n".join(line.format_map(values) for line in lines)

    def catalogue(self, seat: Seat, items: Sequence[str] | None = None) -> str:
        """That side's units with prices, attack, health and effects; the published one keeps quiet about elements."""
        wanted = self.prices(seat) if items is None else items
        lines = []
        for name, item in self.cards[seat].items():
            if name in wanted:
                element = f", {item.facts['element']}" if self.rule_set is RuleSet.AS_WRITTEN else ""
                numbers = f"{item.number('attack')} attack, {item.number('health')} health"
                lines.append(f"{name} (cost {item.cost}{element}): {numbers}; {item.told}")
        return "\n".join(lines)

    def example(self, seat: Seat) -> str:
        """Two units of the cheapest kinds, and one priority."""
        cheapest = sorted(self.prices(seat), key=lambda name: self.prices(seat)[name])[:2]
        return json.dumps(self.dump(seat, RowPlan(tuple(map(Unit, cheapest)), (next(iter(self.cards[seat.other])),))))

    def check(self, seat: Seat, value: object) -> Verdict[RowPlan]:
        """The verdict on a JSON value. The published programs take every name and tier, and check nothing but the purse."""
        side = self.sides[seat]
        shape, wrong = check_shape(schema(side.key, self.rule_set), value)
        if wrong:
            return malformed(wrong, side.purse)
        plan = from_shape(shape, side.key)
        if self.rule_set is RuleSet.PUBLISHED:
            most = self._data["published"]["most_units"]
            listed = len(plan.units)
            illegal = [Problem(side.key, show(listed), f"more than {most} characters")] if listed > most else []
            return verdict_on(plan, cost=self.cost(seat, plan), purse=side.purse, illegal=illegal, key=side.key)
        illegal = problems(plan, side.key, names=self.cards[seat], row=self.row)
        priced = all(unit.name in self.cards[seat] and unit.tier in TIERS for unit in plan.units)
        return verdict_on(
            plan,
            cost=self.cost(seat, plan) if priced else None,
            purse=side.purse,
            illegal=illegal,
            key=side.key,
            warnings=warnings(plan, side.key, enemies=self.names(seat.other)),
        )

    def dump(self, seat: Seat, plan: RowPlan) -> dict[str, Any]:
        """The plan as JSON, defaults written out."""
        key = self.sides[seat].key
        units = [{"name": unit.name, "tier": unit.tier} for unit in plan.units]
        return {key: units, priority_key(key): list(plan.priorities)}

    def canonical(self, seat: Seat, plan: RowPlan) -> RowPlan:
        """The plan itself: the order of units and of priorities has a meaning, and defaults are filled in on reading."""
        return plan

    def entries(self, seat: Seat, plan: RowPlan) -> tuple[Entry, ...]:
        """Units with their tiers, then priorities, free."""
        found = [
            Entry(unit.name, unit.tier, f"slot {number}", self._charge(seat, unit) or 0)
            for number, unit in enumerate(plan.units, 1)
        ]
        found += [
            Entry(name, "", f"priority {number}", 0, "priorities") for number, name in enumerate(plan.priorities, 1)
        ]
        return tuple(found)

    def cost(self, seat: Seat, plan: RowPlan) -> int:
        """The sum of all units listed; published: case does not matter, and what has no price is free."""
        charges = [self._charge(seat, unit) for unit in plan.units]
        if self.rule_set is RuleSet.AS_WRITTEN and None in charges:
            self.prices(seat).price(plan.units[charges.index(None)].name)
        return sum(charge or 0 for charge in charges)

    def _charge(self, seat: Seat, unit: Unit) -> int | None:
        """The price of one unit in its tier; None if its name has none."""
        if self.rule_set is RuleSet.PUBLISHED:
            price = self._published_prices[seat].get(unit.name.lower())
            gold = unit.tier.lower() == GOLD.lower()
        else:
            price = self._prices[seat].get(unit.name)
            gold = unit.tier == GOLD
        return price if price is None or not gold else price * self.gold_price

    def simulate(self, first: RowPlan, second: RowPlan, *, trace: bool = False) -> BattleResult:
        """The battle; no winner where it goes on for too many attacks."""
        if self.rule_set is RuleSet.PUBLISHED:
            limits = self._data["published"]
            return published.battle(
                {Seat.FIRST: first, Seat.SECOND: second},
                cards=self.cards,
                row=self.row,
                king_row=limits["king_row"],
                gold_factor=self.gold_factor,
                most_attacks=limits["most_attacks"],
                trace=trace,
            )
        return as_written.fight(
            [self.card(Seat.FIRST, unit) for unit in first.units],
            [self.card(Seat.SECOND, unit) for unit in second.units],
            first.priorities,
            second.priorities,
            row=self.row,
            most_attacks=self.most_attacks,
            trace=trace,
        )

    def card(self, seat: Seat, unit: Unit) -> Card:
        """A legal unit as the rules as written play it."""
        return self._ready[seat][unit.tier][unit.name]

    def as_published(self, result: BattleResult) -> dict[str, Any]:
        """The result in the words of the published programs' records; a battle without a winner has None there."""
        left: dict[Seat, list[list[str | int | float]]] = {seat: [] for seat in Seat}
        for unit in result.survivors:
            left[unit.seat].append([unit.name, unit.attack, unit.health])
        return {
            "winner": None if result.winner is None else self.sides[result.winner].label,
            "attacks": result.length,
            "invaders_left": left[Seat.SECOND],
            "defenders_left": left[Seat.FIRST],
        }

    def random_plan(self, seat: Seat, rng: Random) -> RowPlan:
        """Units drawn at random while there is room and coin; the rest of the purse makes them dearer, in random order.

        Every second plan has a list of up to four priorities.
        """
        purse = self.sides[seat].purse.amount
        goods = self._goods(seat)
        units: list[Unit] = []
        while len(units) < self.row:
            affordable = [unit for unit, charge in goods.items() if charge <= purse]
            if not affordable:
                break
            unit = rng.choice(affordable)
            units.append(unit)
            purse -= goods[unit]
        while True:
            swaps = [
                (slot, unit, more)
                for slot, old in enumerate(units)
                for unit, charge in goods.items()
                if 0 < (more := charge - goods[old]) <= purse
            ]
            if not swaps:
                break
            slot, unit, more = rng.choice(swaps)
            units[slot] = unit
            purse -= more
        rng.shuffle(units)
        names = self.names(seat.other)
        wanted = rng.sample(names, rng.randint(1, min(4, len(names)))) if rng.random() < 0.5 else []
        return RowPlan(tuple(units), tuple(wanted))

    def greedy_plan(self, seat: Seat) -> RowPlan:
        """Strength for the coin, unit by unit: each step adds or replaces the unit that gains most for what it costs.

        The strength of a unit is its attack, its health and the helpful numbers of its effect, and 1 for each mark such
        as Taunt or a Shield. The strongest stand on the left; there are no priorities.
        """
        goods = self._goods(seat)
        strength = {unit: self._strength(seat, unit) for unit in goods}
        purse = self.sides[seat].purse.amount
        units: list[Unit] = []
        while True:
            places = [*enumerate(units), *([(len(units), None)] if len(units) < self.row else [])]
            steps = [
                (gain / max(more, 1), -more, slot, unit.name, unit.tier)
                for slot, old in places
                for unit, charge in goods.items()
                if (more := charge - (goods[old] if old else 0)) <= purse
                and (gain := strength[unit] - (strength[old] if old else 0)) > 0
            ]
            if not steps:
                break
            _, less, slot, name, tier = max(steps)
            units[slot : slot + 1] = [Unit(name, tier)]
            purse += less
        units.sort(key=lambda unit: (-strength[unit], unit.name))
        return RowPlan(tuple(units))

    def _strength(self, seat: Seat, unit: Unit) -> int:
        facts = self.cards[seat][unit.name].facts
        left_out = ("cost", "tiring")
        points = sum(int(value) for key, value in facts.items() if type(value) is int and key not in left_out)
        marks = sum(value is True for value in facts.values())
        return points * (self.gold_factor if unit.tier == GOLD else 1) + marks

    def vary(self, seat: Seat, plan: RowPlan, rng: Random) -> RowPlan:
        """A unit replaced, added, removed, moved by a swap or of the other tier, or one priority more, less or moved."""
        purse = self.sides[seat].purse
        while True:
            units, wanted = list(plan.units), list(plan.priorities)
            step = rng.choice(("replace", "add", "remove", "swap", "tier", "priority"))
            if step == "priority":
                _vary_names(wanted, self.names(seat.other), rng)
            elif step == "add":
                if len(units) < self.row:
                    units.insert(rng.randint(0, len(units)), rng.choice(list(self._goods(seat))))
            elif units:
                slot = rng.randrange(len(units))
                if step == "remove":
                    del units[slot]
                elif step == "replace":
                    units[slot] = rng.choice(list(self._goods(seat)))
                elif step == "tier":
                    units[slot] = Unit(units[slot].name, BRONZE if units[slot].tier == GOLD else GOLD)
                else:
                    other = rng.randrange(len(units))
                    units[slot], units[other] = units[other], units[slot]
            found = RowPlan(tuple(units), tuple(wanted))
            if found != plan and not purse.excess(self.cost(seat, found)):
                return found

    def _goods(self, seat: Seat) -> dict[Unit, int]:
        """Everything on sale, each unit in both tiers, with its charge."""
        return {
            Unit(name, tier): price * (self.gold_price if tier == GOLD else 1)
            for name, price in self.prices(seat).items()
            for tier in TIERS
        }


def _vary_names(wanted: list[str], names: Sequence[str], rng: Random) -> None:
    """One name more, less or exchanged with another."""
    fresh = [name for name in names if name not in wanted]
    step = rng.randrange(3)
    if step == 0 and fresh:
        wanted.insert(rng.randint(0, len(wanted)), rng.choice(fresh))
    elif step == 1 and wanted:
        del wanted[rng.randrange(len(wanted))]
    elif step == 2 and len(wanted) > 1:
        one, two = rng.sample(range(len(wanted)), 2)
        wanted[one], wanted[two] = wanted[two], wanted[one]
