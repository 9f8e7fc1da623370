"""The battle as models are told it. Whole numbers throughout: time in steps, places in units of a cell, health in percent.

Rows never touch each other, so each is a list of its own; steps in which nothing can happen are skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Survivor
from stratarena.games.resource.data import Item
from stratarena.games.tower_defense.events import (
    BattleResult,
    Breached,
    Exploded,
    Fell,
    Harmed,
    Jumped,
    Slowed,
    Spawned,
    Stripped,
    Summoned,
)
from stratarena.games.tower_defense.film import Film
from stratarena.games.tower_defense.plans import BattlePlan, Placement

__all__ = ["Arena", "fight"]

_WHOLE = 100
"""A point of health in the engine's own units, so that percents of damage stay whole."""
_NEVER = 1 << 60
_SHOOTERS = ("normal", "fire", "ice", "anti_air")
_CALLED = "NormalDemon"
_UNJUMPABLE = "EnhancedShieldSoldier"


@dataclass(frozen=True, slots=True)
class Arena:
    """The numbers of the ground, the same for every battle."""

    rows: int
    columns: int
    tick_ms: int
    time_limit_ms: int
    cell: int
    walk: int
    shot: int


@dataclass(slots=True)
class _Human:
    number: int
    item: Item
    left: int
    health: int
    ready: int
    """When it may act next."""
    alive: bool = True


@dataclass(slots=True)
class _Demon:
    number: int
    item: Item
    left: int
    health: int
    speed: int
    armour: int
    flies: bool
    next_blow: int
    next_call: int
    slow_until: int = 0
    slow_percent: int = 100
    may_jump: bool = False
    alive: bool = True


@dataclass(slots=True)
class _Shot:
    number: int
    place: int
    item: Item


class _Row:
    """One row of the ground: humans by column from the right, demons by age, shots by age."""

    __slots__ = ("demons", "humans", "number", "shots")

    def __init__(self, number: int) -> None:
        self.number = number
        self.humans: list[_Human] = []
        self.demons: list[_Demon] = []
        self.shots: list[_Shot] = []


class _Battle:
    """One battle as it runs."""

    def __init__(
        self,
        humans: BattlePlan,
        demons: BattlePlan,
        items: Mapping[str, Item],
        arena: Arena,
        log: list[Event] | None,
        film: Film | None,
    ) -> None:
        self.arena = arena
        self.items = items
        self.log = log
        self.film = film
        self.rows = [_Row(number) for number in range(arena.rows)]
        # The order of a plan has no meaning: units of one moment enter by row, column and name.
        self.humans = sorted(humans.units, reverse=True)
        self.demons = sorted(demons.units, key=_order_of_demon, reverse=True)
        self.n_humans = self.n_demons = self.n_shots = 0
        self.health = {
            Seat.FIRST: sum(items[unit.name].facts["health"] * _WHOLE for unit in humans.units),
            Seat.SECOND: sum(items[unit.name].facts["health"] * _WHOLE for unit in demons.units),
        }

    def run(self) -> BattleResult:
        """Step after step until somebody has won."""
        arena, time = self.arena, 0
        while time <= arena.time_limit_ms:
            while self.humans and self.humans[-1].spawn_ms <= time:
                self._enter_human(self.humans.pop(), time)
            while self.demons and self.demons[-1].spawn_ms <= time:
                unit = self.demons.pop()
                self._enter_demon(self.items[unit.name], unit.y, arena.columns * arena.cell, time)
            through: tuple[_Demon, int] | None = None
            busy = False
            for row in self.rows:
                if row.humans:
                    self._act_humans(row, time)
                if row.shots:
                    self._fly(row, time)
                if row.demons:
                    for demon in list(row.demons):
                        if demon.alive:
                            self._act_demon(row, demon, time)
                            if demon.left <= 0 and through is None:
                                through = (demon, row.number)
                busy = busy or bool(row.demons or row.shots)
            if self.film is not None:
                self._see(self.film, time)
            if through is not None:
                self._note(Breached(time, through[0].number, through[1]))
                return self._result(Seat.SECOND, "breached", time, through[1])
            if not self.demons and not any(row.demons for row in self.rows):
                return self._result(Seat.FIRST, "all_demons_dead", time, None)
            if not busy:
                # Until the next demon enters only humans come and explosions go off, and nobody is there to be hurt.
                time = self._next_step(time)
            else:
                time += arena.tick_ms
        return self._result(Seat.FIRST, "time_limit", arena.time_limit_ms, None)

    def _next_step(self, time: int) -> int:
        """The first step after this one in which somebody enters or acts."""
        wanted = min(
            [
                self.demons[-1].spawn_ms,
                *([self.humans[-1].spawn_ms] if self.humans else []),
                *(
                    human.ready
                    for row in self.rows
                    for human in row.humans
                    if human.item.facts["kind"] in ("explosion", "pulse")
                ),
            ]
        )
        tick = self.arena.tick_ms
        return max(time + tick, -(-wanted // tick) * tick)

    def _see(self, film: Film, time: int) -> None:
        cell = self.arena.cell
        for row in self.rows:
            for human in row.humans:
                film.see_unit(Seat.FIRST, human.number, time, human.left / cell)
            for demon in row.demons:
                film.see_unit(Seat.SECOND, demon.number, time, demon.left / cell)
            for shot in row.shots:
                film.see_shot(shot.number, row.number, shot.item.facts["kind"], time, shot.place / cell)

    def _note(self, event: Event) -> None:
        if self.log is not None:
            self.log.append(event)

    def _enter_human(self, unit: Placement, time: int) -> None:
        item = self.items[unit.name]
        human = _Human(
            self.n_humans,
            item,
            (unit.x or 0) * self.arena.cell,
            item.facts["health"] * _WHOLE,
            time + item.facts["interval_ms"] if "interval_ms" in item.facts else _NEVER,
        )
        row = self.rows[unit.y]
        row.humans.append(human)
        row.humans.sort(key=lambda one: -one.left)
        self.n_humans += 1
        self._note(Spawned(time, Seat.FIRST, human.number, unit.name, unit.y))

    def _enter_demon(self, item: Item, row: int, left: int, time: int) -> _Demon:
        facts = item.facts
        demon = _Demon(
            self.n_demons,
            item,
            left,
            facts["health"] * _WHOLE,
            facts["speed"],
            facts.get("armour_percent", 0),
            facts.get("flies", False),
            0,
            time + facts["summon_ms"] if "summon_ms" in facts else _NEVER,
            may_jump="jump_cells" in facts,
        )
        self.rows[row].demons.append(demon)
        self.n_demons += 1
        self._note(Spawned(time, Seat.SECOND, demon.number, item.id, row))
        return demon

    def _act_humans(self, row: _Row, time: int) -> None:
        for human in list(row.humans):
            if time < human.ready:
                continue
            facts = human.item.facts
            kind = facts["kind"]
            if kind == "explosion":
                self._note(Exploded(time, human.number))
                row.humans.remove(human)
                for demon in list(row.demons):
                    if not demon.flies:
                        self._wound(row, demon, facts["damage"] * _WHOLE, human.item.id, time)
            elif kind == "pulse":
                human.ready = time + facts["interval_ms"]
                for demon in row.demons:
                    if demon.armour:
                        demon.armour = 0
                        self._note(Stripped(time, demon.number))
            elif kind in _SHOOTERS:
                flies, edge = kind == "anti_air", human.left + self.arena.cell
                if any(demon.flies == flies and demon.left + self.arena.cell > edge for demon in row.demons):
                    human.ready = time + facts["interval_ms"]
                    row.shots.append(_Shot(self.n_shots, edge, human.item))
                    self.n_shots += 1

    def _fly(self, row: _Row, time: int) -> None:
        """Every shot moves on and hits the nearest demon that it can hit on its way."""
        step, cell = self.arena.shot, self.arena.cell
        end = (self.arena.columns + 1) * cell
        flying = []
        for shot in row.shots:
            start, shot.place = shot.place, shot.place + step
            air = shot.item.facts["kind"] == "anti_air"
            met: _Demon | None = None
            for demon in row.demons:
                on_its_way = demon.flies == air and demon.left <= shot.place and demon.left + cell > start
                if on_its_way and (met is None or demon.left < met.left):
                    met = demon
            if met is not None:
                self._hit(row, met, shot.item, time)
            elif shot.place <= end:
                flying.append(shot)
        row.shots = flying

    def _hit(self, row: _Row, demon: _Demon, item: Item, time: int) -> None:
        facts = item.facts
        kind = facts["kind"]
        if demon.item.facts.get("immune") == kind:
            return
        if kind == "ice":
            demon.slow_until = time + facts["slow_ms"]
            demon.slow_percent = facts["slow_percent"]
            self._note(Slowed(time, demon.number, demon.slow_until))
        damage = facts["damage"] * (_WHOLE - demon.armour if kind == "normal" else _WHOLE)
        self._wound(row, demon, damage, item.id, time)

    def _wound(self, row: _Row, demon: _Demon, damage: int, cause: str, time: int) -> None:
        demon.health -= damage
        demon.speed = demon.item.facts.get("awake_speed", demon.speed)
        self._note(Harmed(time, Seat.SECOND, demon.number, cause, damage / _WHOLE, demon.health / _WHOLE))
        if demon.health <= 0:
            demon.alive = False
            row.demons.remove(demon)
            self._note(Fell(time, Seat.SECOND, demon.number))

    def _act_demon(self, row: _Row, demon: _Demon, time: int) -> None:
        """Call, jump, walk, strike: whatever it can do in this step."""
        cell = self.arena.cell
        if time >= demon.next_call:
            demon.next_call = time + demon.item.facts["summon_ms"]
            called = self._enter_demon(self.items[_CALLED], row.number, max(demon.left - cell, 1), time)
            self.health[Seat.SECOND] += called.health
            self._note(Summoned(time, demon.number, called.number))
        step = self.arena.walk * demon.speed
        if time < demon.slow_until:
            step = step * demon.slow_percent // 100
        if demon.flies:
            demon.left -= step
            return
        human = next((one for one in row.humans if one.left < demon.left + cell), None)
        gap = _NEVER if human is None else demon.left - (human.left + cell)
        if human is None or gap > step:
            demon.left -= step
            return
        demon.left -= max(gap, 0)
        if demon.may_jump and human.item.id != _UNJUMPABLE:
            demon.may_jump = False
            demon.left -= demon.item.facts["jump_cells"] * cell
            self._note(Jumped(time, demon.number))
            return
        if time >= demon.next_blow:
            facts = demon.item.facts
            demon.next_blow = time + facts["interval_ms"]
            damage = facts["damage"] * (facts.get("shield_factor", 1) if human.item.facts["kind"] == "block" else 1)
            human.health -= damage * _WHOLE
            self._note(Harmed(time, Seat.FIRST, human.number, demon.item.id, damage, human.health / _WHOLE))
            if human.health <= 0:
                row.humans.remove(human)
                self._note(Fell(time, Seat.FIRST, human.number))

    def _result(self, winner: Seat, reason: str, time: int, lost: int | None) -> BattleResult:
        """The margin is half for winning and half for the share of all health on that side that is left."""
        units: list[tuple[int, Item, int, int]] = [
            (row.number, unit.item, unit.health, unit.left)
            for row in self.rows
            for unit in (row.humans if winner is Seat.FIRST else row.demons)
        ]
        waiting = self.humans if winner is Seat.FIRST else self.demons
        left = sum(health for _, _, health, _ in units)
        left += sum(self.items[unit.name].facts["health"] * _WHOLE for unit in waiting)
        share = 0.5 + 0.5 * (left / self.health[winner] if self.health[winner] else 1.0)
        return BattleResult(
            winner=winner,
            reason=reason,
            length=time,
            margin=share if winner is Seat.FIRST else -share,
            survivors=tuple(
                Survivor(winner, item.id, health / _WHOLE, f"x={place / self.arena.cell:.2f} y={row}")
                for row, item, health, place in units
            ),
            trace=tuple(self.log or ()),
            lost_row=lost,
            winner_units_left=len(units),
        )


def _order_of_demon(unit: Placement) -> tuple[int, int, str]:
    return (unit.spawn_ms, unit.y, unit.name)


def fight(
    humans: BattlePlan,
    demons: BattlePlan,
    *,
    items: Mapping[str, Item],
    arena: Arena,
    trace: bool,
    film: Film | None = None,
) -> BattleResult:
    """The outcome of two legal plans. `items` are the units of both sides; a `film` is filled on the way."""
    return _Battle(humans, demons, items, arena, [] if trace else None, film).run()
