"""The published battle, frame by frame in pixels, its faults included. Nothing here is told to models.

Source: AdvGameBench's program of 30 frames a second with all game times divided by ten, on a virtual clock: the first
frame is at `frame_ms`, each later one `frame_ms` after it.
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
    Summoned,
)
from stratarena.games.tower_defense.film import Film
from stratarena.games.tower_defense.plans import BattlePlan

__all__ = ["fight"]

_CELL = 80
_EDGE = 40
_ENTRY = 920
_STEP = 10
_SHOT_STEP = 100
_SHOT_WIDTH = 10
_SHOT_END = 1000
_SHAKES = 6
_USUAL_SPEED = 2
_HEALTH_UNITS = 10
"""Health is counted in tenths, so that a shield that lets three tenths through stays exact."""
_SHIELDS = ("ShieldSoldier", "EnhancedShieldSoldier")


@dataclass(slots=True)
class _Human:
    number: int
    name: str
    left: int
    row: int
    health: int
    interval: int
    kind: str
    last: int


@dataclass(slots=True)
class _Demon:
    number: int
    name: str
    left: int
    row: int
    health: int
    damage: int
    speed: int
    last_attack: int
    last_summon: int
    slow_until: int | None = None
    shakes: int = 0
    jumped: bool = False


@dataclass(slots=True)
class _Shot:
    number: int
    left: int
    row: int
    kind: str


class _Battle:
    """One battle as it runs."""

    def __init__(
        self,
        humans: BattlePlan,
        demons: BattlePlan,
        items: Mapping[str, Item],
        frame_ms: int,
        most_frames: int,
        log: list[Event] | None,
        film: Film | None,
    ) -> None:
        # In order of time, entries of the same time in the plan's order; unknown names never enter.
        self.waiting = {
            seat: sorted((unit for unit in plan.units if unit.name in items), key=lambda unit: unit.spawn_ms)
            for seat, plan in ((Seat.FIRST, humans), (Seat.SECOND, demons))
        }
        self.items = items
        self.frame_ms = frame_ms
        self.most_frames = most_frames
        self.log = log
        self.film = film
        self.humans: list[_Human] = []
        self.demons: list[_Demon] = []
        self.shots: list[_Shot] = []
        self.n_humans = self.n_demons = self.n_shots = 0
        self.time = 0

    def run(self) -> BattleResult:
        """Frame after frame until somebody has won."""
        for frame in range(1, self.most_frames + 1):
            self.time = frame * self.frame_ms
            self._enter()
            self._summon()
            self._hit()
            self._act_humans()
            self._act_demons()
            for shot in self.shots:
                shot.left += _SHOT_STEP
            self.shots = [shot for shot in self.shots if shot.left <= _SHOT_END]
            if self.film is not None:
                self._see(self.film)
            through = next((demon for demon in self.demons if demon.left <= _EDGE), None)
            if through is not None:
                self._note(Breached(self.time * 10, through.number, through.row))
                return self._result(Seat.SECOND, "breached", frame, through.row)
            if not self.demons and not self.waiting[Seat.SECOND]:
                return self._result(Seat.FIRST, "all_demons_dead", frame, None)
        return self._result(None, "endless", self.most_frames, None)

    def _result(self, winner: Seat | None, reason: str, frames: int, row: int | None) -> BattleResult:
        left: list[_Human] | list[_Demon] = self.humans if winner is Seat.FIRST else self.demons
        left = [] if winner is None else left
        share = 0.0
        if winner is not None:
            entered = max(self.n_humans if winner is Seat.FIRST else self.n_demons, 1)
            share = 0.5 + 0.5 * min(1.0, len(left) / entered)
        return BattleResult(
            winner=winner,
            reason=reason,
            length=frames,
            margin=share if winner is Seat.FIRST else -share,
            survivors=tuple(
                Survivor(winner, unit.name, unit.health / _HEALTH_UNITS, f"row {unit.row}, {unit.left} px")
                for unit in left
                if winner is not None
            ),
            trace=tuple(self.log or ()),
            lost_row=row,
            winner_units_left=len(left),
        )

    def _see(self, film: Film) -> None:
        at = self.time * 10
        for human in self.humans:
            film.see_unit(Seat.FIRST, human.number, at, (human.left - _EDGE) / _CELL)
        for demon in self.demons:
            film.see_unit(Seat.SECOND, demon.number, at, (demon.left - _EDGE) / _CELL)
        for shot in self.shots:
            film.see_shot(shot.number, shot.row, shot.kind, at, (shot.left - _EDGE) / _CELL)

    def _note(self, event: Event) -> None:
        if self.log is not None:
            self.log.append(event)

    def _enter(self) -> None:
        """Humans, then demons; a tenth of their time is compared, cut to whole milliseconds."""
        for seat in (Seat.FIRST, Seat.SECOND):
            waiting = self.waiting[seat]
            while waiting and int(waiting[0].spawn_ms * 0.1) <= self.time:
                unit = waiting.pop(0)
                if seat is Seat.FIRST:
                    facts = self.items[unit.name].facts
                    self.humans.append(
                        _Human(
                            self.n_humans,
                            unit.name,
                            _CELL * (unit.x or 0) + _EDGE,
                            unit.y,
                            facts["health"] * _HEALTH_UNITS,
                            facts.get("interval_ms", 0),
                            facts["kind"],
                            self.time,
                        )
                    )
                    self._note(Spawned(self.time * 10, seat, self.n_humans, unit.name, unit.y))
                    self.n_humans += 1
                else:
                    self._new_demon(unit.name, _ENTRY, unit.y)

    def _new_demon(self, name: str, left: int, row: int) -> _Demon:
        facts = self.items[name].facts
        demon = _Demon(
            self.n_demons,
            name,
            left,
            row,
            facts["health"] * _HEALTH_UNITS,
            facts["damage"],
            facts["speed"],
            self.time,
            self.time,
        )
        self.demons.append(demon)
        self._note(Spawned(self.time * 10, Seat.SECOND, demon.number, name, row))
        self.n_demons += 1
        return demon

    def _summon(self) -> None:
        for demon in list(self.demons):
            every = self.items[demon.name].facts.get("summon_ms")
            if every is not None and self.time - demon.last_summon >= every // 10:
                demon.last_summon = self.time
                column = min(max((demon.left + _EDGE) // _CELL - 1, 0), 10)
                # The program counts rows from the wrong edge here: what is called in the last row comes one row up.
                row = min(demon.row, 3)
                called = self._new_demon("NormalDemon", _CELL * column + _EDGE, row)
                self._note(Summoned(self.time * 10, demon.number, called.number))

    def _hit(self) -> None:
        """Each shot meets the first demon it overlaps, by age; where that one cannot be hit, the shot passes all."""
        flying = [shot for shot in self.shots if not self._meets(shot)]
        self.shots = flying

    def _meets(self, shot: _Shot) -> bool:
        for demon in self.demons:
            if demon.row == shot.row and demon.left < shot.left + _SHOT_WIDTH and shot.left < demon.left + _CELL:
                if (shot.kind == "anti_air") != self._flies(demon):
                    return False
                self._shoot(demon, shot.kind)
                return True
        return False

    def _flies(self, demon: _Demon) -> bool:
        return bool(self.items[demon.name].facts.get("flies"))

    def _shoot(self, demon: _Demon, kind: str) -> None:
        name = demon.name
        match kind:
            case "ice":
                if name == "FrostDemon":
                    return
                demon.speed = 1
                demon.slow_until = self.time + 2000
                self._note(Slowed(self.time * 10, demon.number, demon.slow_until * 10))
                self._harm(demon, (3 if name == "FireDemon" else 1) * _HEALTH_UNITS, kind)
                return
            case "fire":
                damage = {"FireDemon": 0, "FrostDemon": 5}.get(name, 2) * _HEALTH_UNITS
                if not damage:
                    return
            case "explosion":
                damage = 30 * _HEALTH_UNITS
            case _:
                damage = 3 if name == "ShieldDemon" else _HEALTH_UNITS
        if name == "MachineDemon":
            demon.damage, demon.speed = 3, 3
        self._harm(demon, damage, kind)

    def _harm(self, demon: _Demon, damage: int, cause: str) -> None:
        demon.health -= damage
        self._note(
            Harmed(
                self.time * 10,
                Seat.SECOND,
                demon.number,
                cause,
                damage / _HEALTH_UNITS,
                demon.health / _HEALTH_UNITS,
            )
        )
        if demon.health <= 0:
            self.demons.remove(demon)
            self._note(Fell(self.time * 10, Seat.SECOND, demon.number))

    def _act_humans(self) -> None:
        for human in list(self.humans):
            if human.kind == "explosion":
                # Its fuse of 500 game milliseconds burns on the program's clock.
                if self.time - human.last >= human.interval // 10:
                    self._explode(human)
            elif (
                human.kind in ("normal", "fire", "ice", "anti_air") and (self.time - human.last) * 10 >= human.interval
            ):
                human.last = self.time
                self.shots.append(_Shot(self.n_shots, human.left + _CELL, human.row, human.kind))
                self.n_shots += 1

    def _explode(self, human: _Human) -> None:
        """Its area lies half a cell too high and so takes in the row above."""
        self._note(Exploded(self.time * 10, human.number))
        for demon in list(self.demons):
            if demon.row in (human.row, human.row - 1) and demon.left < _SHOT_END + _EDGE and not self._flies(demon):
                self._shoot(demon, "explosion")
        self.humans.remove(human)

    def _act_demons(self) -> None:
        for demon in list(self.demons):
            if demon.slow_until is not None and self.time >= demon.slow_until:
                demon.slow_until, demon.speed = None, _USUAL_SPEED
            if demon.shakes:
                demon.shakes -= 1
                continue
            if self._flies(demon):
                demon.left -= _STEP * demon.speed
                continue
            touched = self._touched(demon)
            may_jump = demon.name == "BouncingDemon" and bool(touched) and not demon.jumped
            if may_jump and all(human.name != "EnhancedShieldSoldier" for human in touched):
                demon.jumped = True
                demon.left -= 2 * _CELL
                self._note(Jumped(self.time * 10, demon.number))
                continue
            if not touched:
                demon.left -= _STEP * demon.speed
            elif self.time - demon.last_attack >= 100:
                demon.last_attack = self.time
                demon.shakes = _SHAKES
                for human in touched:
                    self._strike(demon, human)

    def _touched(self, demon: _Demon) -> list[_Human]:
        return [
            human
            for human in self.humans
            if human.row == demon.row and human.left < demon.left + _CELL and demon.left < human.left + _CELL
        ]

    def _strike(self, demon: _Demon, human: _Human) -> None:
        damage = demon.damage
        if demon.name == "ShieldBreakerDemon" and human.name in _SHIELDS:
            damage *= 5
        human.health -= damage * _HEALTH_UNITS
        left = human.health / _HEALTH_UNITS
        self._note(Harmed(self.time * 10, Seat.FIRST, human.number, demon.name, damage, left))
        if human.health <= 0:
            self.humans.remove(human)
            self._note(Fell(self.time * 10, Seat.FIRST, human.number))


def fight(
    humans: BattlePlan,
    demons: BattlePlan,
    *,
    items: Mapping[str, Item],
    frame_ms: int,
    most_frames: int,
    trace: bool,
    film: Film | None = None,
) -> BattleResult:
    """The outcome of two plans. `items` are the units of both sides; a `film` is filled on the way."""
    return _Battle(humans, demons, items, frame_ms, most_frames, [] if trace else None, film).run()
