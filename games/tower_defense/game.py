"""Tower defense as a game of two plans: `TowerDefense("as_written")` and `TowerDefense("published")`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import cycle
from random import Random
from typing import Any

from stratarena.games.base import Seat, SpecError
from stratarena.games.purse import PriceList
from stratarena.games.resource.base import Entry, Problem, RuleSet, Verdict
from stratarena.games.resource.data import items_of, load_data, seconds, sides_of
from stratarena.games.resource.reading import check_shape, show
from stratarena.games.resource.verdicts import malformed, verdict_on
from stratarena.games.tower_defense import as_written, published
from stratarena.games.tower_defense.as_written import Arena
from stratarena.games.tower_defense.events import BattleResult
from stratarena.games.tower_defense.film import Film
from stratarena.games.tower_defense.plans import BattlePlan, Placement, from_shape, schema

__all__ = ["TowerDefense"]

FRAMES_MS = (33, 34)
"""Lengths of a frame under which the published program was observed."""
_NOT_REBUILT = {"Bomb": "the published blast is not known to us", "HealingDemon": "the published program stops here"}


class TowerDefense:
    """Humans on a grid against demons that walk in, both bought beforehand."""

    name = "tower_defense"

    def __init__(self, rules: str = "as_written", frame_ms: int = 33, *, data: Mapping[str, Any] | None = None) -> None:
        """The game; `frame_ms` belongs to the published rules, `data` takes the place of the data file."""
        self.rule_set = RuleSet(rules)
        if frame_ms not in FRAMES_MS:
            raise SpecError(f"frame_ms = {frame_ms}; expected {' or '.join(map(str, FRAMES_MS))}")
        self.frame_ms = frame_ms
        data = load_data(self.name) if data is None else data
        self._data = data
        self.sides = sides_of(data)
        battle = data["battle"]
        self.rows: int = battle["rows"]
        self.columns: int = battle["columns"]
        limits = battle if self.rule_set is RuleSet.AS_WRITTEN else data["published"]
        self.last_spawn_ms: int = limits["last_spawn_ms"]
        self.most_units: int = limits["most_units"]
        self._arena = Arena(
            rows=self.rows,
            columns=self.columns,
            tick_ms=battle["tick_ms"],
            time_limit_ms=battle["time_limit_ms"],
            cell=battle["cell"],
            walk=battle["walk"],
            shot=battle["shot"],
        )
        self.units = {seat: items_of(data[side.key], self.rule_set) for seat, side in self.sides.items()}
        self._items = {**self.units[Seat.FIRST], **self.units[Seat.SECOND]}
        self._prices = {seat: PriceList({name: item.cost for name, item in self.units[seat].items()}) for seat in Seat}

    @property
    def id(self) -> str:
        """The spec of this game: `"tower_defense"`, `"tower_defense(rules='published', frame_ms=34)"`."""
        params = [] if self.rule_set is RuleSet.AS_WRITTEN else [f"rules={self.rule_set.value!r}"]
        params += [f"frame_ms={self.frame_ms}"] if self.frame_ms != FRAMES_MS[0] else []
        return f"{self.name}({', '.join(params)})" if params else self.name

    def prices(self, seat: Seat) -> PriceList:
        """That side's units."""
        return self._prices[seat]

    def rules_text(self) -> str:
        """The rules in words. Models of the published rules were told less, and partly something else than is so."""
        battle = self._data["battle"]
        a_second = 1000 // battle["tick_ms"]
        walked, shot = (battle[key] * a_second / battle["cell"] for key in ("walk", "shot"))
        values: dict[str, Any] = dict(battle)
        values |= {
            "last_row": self.rows - 1,
            "last_column": self.columns - 1,
            "time_limit_s": seconds(battle["time_limit_ms"]),
            "walk_text": f"{walked:g} times",
            "shot_text": f"{shot:g}",
            "crossing_s": f"{self.columns / (2 * walked):.2f}",
            "slow_percent": self._data["humans"]["IceSoldier"]["slow_percent"],
        }
        for seat, side in self.sides.items():
            values[f"{seat.value}_label"] = side.label
            values[f"{seat.value}_purse"] = side.purse.amount
        lines = list(self._data["text"]["told"])
        if self.rule_set is RuleSet.AS_WRITTEN:
            lines += self._data["text"]["as_written"]
        return "\n".join(line.format_map(values) for line in lines)

    def catalogue(self, seat: Seat, items: Sequence[str] | None = None) -> str:
        """That side's units with prices and effects."""
        wanted = self.prices(seat) if items is None else items
        return "\n".join(
            f"{name} (cost {item.cost}): {item.told}" for name, item in self.units[seat].items() if name in wanted
        )

    def example(self, seat: Seat) -> str:
        """Two of the first unit on the price list."""
        name = next(iter(self.units[seat]))
        units = (
            Placement(0, 1, 0 if seat is Seat.FIRST else None, name),
            Placement(1000, 2, 1 if seat is Seat.FIRST else None, name),
        )
        return json.dumps(self.dump(seat, BattlePlan(units)))

    def check(self, seat: Seat, value: object) -> Verdict[BattlePlan]:
        """The verdict on a JSON value. The published program checks nothing but the purse, and stops on some plans."""
        side = self.sides[seat]
        loose = self.rule_set is RuleSet.PUBLISHED
        shape, wrong = check_shape(schema(side.key, loose=loose), value)
        if wrong:
            return malformed(wrong, side.purse)
        plan = from_shape(shape, side.key)
        illegal = self._stops(plan, seat) if loose else self._illegal(plan, seat)
        known = all(unit.name in self.units[seat] for unit in plan.units)
        cost = self.cost(seat, plan) if loose or known else None
        return verdict_on(plan, cost=cost, purse=side.purse, illegal=illegal, key=side.key)

    def _illegal(self, plan: BattlePlan, seat: Seat) -> list[Problem]:
        key = self.sides[seat].key
        found = []
        if len(plan.units) > self.most_units:
            found.append(Problem(key, show(len(plan.units)), f"more than {self.most_units} units"))
        cells: set[tuple[int, int | None]] = set()
        for number, unit in enumerate(plan.units[: self.most_units]):
            where, entry = f"{key}[{number}]", show(_entry(unit))
            if unit.name not in self.units[seat]:
                found.append(
                    Problem(f"{where}.name", entry, "no such unit on this side; names are as in the price list")
                )
            if not 0 <= unit.y < self.rows:
                found.append(Problem(f"{where}.y", entry, f"no such row; expected 0 to {self.rows - 1}"))
            if unit.x is not None and not 0 <= unit.x < self.columns:
                found.append(Problem(f"{where}.x", entry, f"no such column; expected 0 to {self.columns - 1}"))
            if not 0 <= unit.spawn_ms <= self.last_spawn_ms:
                found.append(Problem(f"{where}.spawn_time", entry, f"expected 0 to {self.last_spawn_ms}"))
            if unit.x is not None and (unit.y, unit.x) in cells:
                found.append(Problem(where, entry, "a second human on this cell"))
            cells.add((unit.y, unit.x))
        return found

    def _stops(self, plan: BattlePlan, seat: Seat) -> list[Problem]:
        """Plans on which the published program stops or goes on for ever, or which are too long for ours."""
        key = self.sides[seat].key
        found = []
        if len(plan.units) > self.most_units:
            found.append(Problem(key, show(len(plan.units)), f"more than {self.most_units} units"))
        for number, unit in enumerate(plan.units[: self.most_units]):
            if unit.name in _NOT_REBUILT:
                found.append(Problem(f"{key}[{number}].name", show(_entry(unit)), _NOT_REBUILT[unit.name]))
            if max(abs(unit.spawn_ms), abs(unit.y), abs(unit.x or 0)) > self.last_spawn_ms:
                why = f"a number beyond {self.last_spawn_ms}; the published program goes on for ever"
                found.append(Problem(f"{key}[{number}]", show(_entry(unit)), why))
        return found

    def dump(self, seat: Seat, plan: BattlePlan) -> dict[str, Any]:
        """The plan as JSON."""
        return {self.sides[seat].key: [_entry(unit) for unit in plan.units]}

    def canonical(self, seat: Seat, plan: BattlePlan) -> BattlePlan:
        """Sorted by time, row, column and name; as it is under the published rules, where order decides."""
        if self.rule_set is RuleSet.PUBLISHED:
            return plan
        return BattlePlan(tuple(sorted(plan.units, key=_place)))

    def entries(self, seat: Seat, plan: BattlePlan) -> tuple[Entry, ...]:
        """Every unit."""
        prices = self.prices(seat)
        return tuple(
            Entry(
                unit.name,
                "",
                f"{'' if unit.x is None else f'x={unit.x} '}y={unit.y} at {unit.spawn_ms} ms",
                prices.get(unit.name, 0),
            )
            for unit in plan.units
        )

    def cost(self, seat: Seat, plan: BattlePlan) -> int:
        """The sum of all prices; published: a name that the price list does not spell so is free."""
        if self.rule_set is RuleSet.PUBLISHED:
            return sum(self.prices(seat).get(unit.name, 0) for unit in plan.units)
        return self.prices(seat).cost(unit.name for unit in plan.units)

    def simulate(
        self, first: BattlePlan, second: BattlePlan, *, trace: bool = False, film: Film | None = None
    ) -> BattleResult:
        """The battle; published: no winner where it goes on for thousands of frames. A `film` is filled on the way."""
        if self.rule_set is RuleSet.PUBLISHED:
            return published.fight(
                first,
                second,
                items=self._items,
                frame_ms=self.frame_ms,
                most_frames=self._data["published"]["most_frames"],
                trace=trace,
                film=film,
            )
        return as_written.fight(first, second, items=self._items, arena=self._arena, trace=trace, film=film)

    def as_published(self, result: BattleResult) -> dict[str, Any]:
        """The result in the words of the published program's records."""
        return {
            "winner": None if result.winner is None else self.sides[result.winner].label,
            "lost_row": result.lost_row,
            "winner_units_left": result.winner_units_left,
            "frames": result.length,
        }

    def random_plan(self, seat: Seat, rng: Random) -> BattlePlan:
        """Units drawn at random until the purse can buy nothing more; most humans stand from the start."""
        units: list[Placement] = []
        purse = self.sides[seat].purse.amount
        while True:
            affordable = [name for name, item in self.units[seat].items() if item.cost <= purse]
            if not affordable or len(units) >= self.most_units:
                return BattlePlan(tuple(sorted(units, key=_place)))
            name = rng.choice(affordable)
            unit = self._anywhere(seat, name, rng, taken={(one.y, one.x) for one in units})
            if unit is None:
                return BattlePlan(tuple(sorted(units, key=_place)))
            units.append(unit)
            purse -= self.units[seat][name].cost

    def _anywhere(self, seat: Seat, name: str, rng: Random, *, taken: set[tuple[int, int | None]]) -> Placement | None:
        """The unit on a free place, at a time; None where every cell is taken."""
        if seat is Seat.SECOND:
            return Placement(1000 * rng.randrange(31), rng.randrange(self.rows), None, name)
        free = [(y, x) for y in range(self.rows) for x in range(self.columns) if (y, x) not in taken]
        if not free:
            return None
        y, x = rng.choice(free)
        return Placement(0 if rng.random() < 0.8 else 1000 * rng.randrange(21), y, x, name)

    def greedy_plan(self, seat: Seat) -> BattlePlan:
        """The most for the coin, without a look at the opponent.

        Humans: in every row the blocker with the most health for the coin, then shooters with the most damage a second
        for the coin, row after row from the middle. Demons: the most of health times damage times speed for the coin,
        again and again, one row after another from the middle.
        """
        rows = sorted(range(self.rows), key=lambda row: (abs(row - self.rows // 2), row))
        return self._greedy_humans(rows) if seat is Seat.FIRST else self._greedy_demons(rows)

    def _greedy_humans(self, rows: Sequence[int]) -> BattlePlan:
        units, purse = [], self.sides[Seat.FIRST].purse.amount
        items = self.units[Seat.FIRST].values()
        blocker = max(
            (item for item in items if item.facts["kind"] == "block"),
            key=lambda i: (i.facts["health"] / i.cost, -i.cost),
        )
        shooter = max(
            (item for item in items if item.facts["kind"] in ("normal", "fire", "ice")),
            key=lambda item: (item.facts["damage"] / item.facts["interval_ms"] / item.cost, -item.cost),
        )
        front = self.columns // 2
        for row in rows:
            if blocker.cost <= purse:
                units.append(Placement(0, row, front, blocker.id))
                purse -= blocker.cost
        for column in range(front):
            for row in rows:
                if shooter.cost <= purse:
                    units.append(Placement(0, row, column, shooter.id))
                    purse -= shooter.cost
        return BattlePlan(tuple(sorted(units, key=_place)))

    def _greedy_demons(self, rows: Sequence[int]) -> BattlePlan:
        units, purse = [], self.sides[Seat.SECOND].purse.amount
        for row in cycle(rows):
            worth = {
                name: item.facts["health"] * item.facts["damage"] * item.facts["speed"] / item.cost
                for name, item in self.units[Seat.SECOND].items()
                if item.cost <= purse
            }
            if not worth:
                break
            name = max(worth, key=lambda one: (worth[one], one))
            units.append(Placement(0, row, None, name))
            purse -= self.units[Seat.SECOND][name].cost
        return BattlePlan(tuple(sorted(units, key=_place)))

    def vary(self, seat: Seat, plan: BattlePlan, rng: Random) -> BattlePlan:
        """One unit moved, exchanged for another, added, or left out; what is added fits the purse."""
        before = tuple(sorted(plan.units, key=_place))
        while True:
            units = list(before)
            kind = rng.randrange(4)
            if kind < 3 and units:
                gone = units.pop(rng.randrange(len(units)))
                name = gone.name if kind == 0 else rng.choice(list(self.units[seat]))
                if kind == 2 and rng.random() < 0.5:
                    # Left out, so that the purse has room for something else.
                    return BattlePlan(tuple(units))
            else:
                name = rng.choice(list(self.units[seat]))
            unit = self._anywhere(seat, name, rng, taken={(one.y, one.x) for one in units})
            if unit is None or len(units) >= self.most_units:
                continue
            units.append(unit)
            found = tuple(sorted(units, key=_place))
            cost = sum(self.units[seat][one.name].cost for one in found)
            if found != before and cost <= self.sides[seat].purse.amount:
                return BattlePlan(found)


def _place(unit: Placement) -> tuple[int, int, int, str]:
    return (unit.spawn_ms, unit.y, -1 if unit.x is None else unit.x, unit.name)


def _entry(unit: Placement) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": unit.name}
    if unit.x is not None:
        entry["x"] = unit.x
    return entry | {"y": unit.y, "spawn_time": unit.spawn_ms}
