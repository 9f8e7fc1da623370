"""The published battle, its faults included: only front units meet, Taunt and priorities count for nothing.

Nothing here is told to models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.battle_card.events import (
    Attacked,
    BattleResult,
    Changed,
    Entered,
    Harmed,
    Left,
    UnitLeft,
)
from stratarena.games.battle_card.plans import GOLD, RowPlan
from stratarena.games.resource.base import Event
from stratarena.games.resource.data import Item

__all__ = ["battle"]


@dataclass(slots=True, eq=False)
class _Unit:
    seat: Seat
    number: int
    name: str
    element: str
    factor: int
    attack: int
    health: int
    shield: bool = False
    burning: int = 0
    revived: bool = False


def battle(
    plans: Mapping[Seat, RowPlan],
    *,
    cards: Mapping[Seat, Mapping[str, Item]],
    row: int,
    king_row: int,
    gold_factor: int,
    most_attacks: int,
    trace: bool,
) -> BattleResult:
    """The outcome of two rows. Units that the programs do not know, and those beyond a full row, do not appear."""
    table = _Table(cards, row, king_row, [] if trace else None)
    for seat, plan in plans.items():
        for unit in plan.units:
            if unit.name in cards[seat] and len(table.rows[seat]) < row:
                table.enter(seat, unit.name, gold_factor if unit.tier == GOLD else 1)
    bought = sum(map(len, table.rows.values()))
    table.start()
    strength = {seat: sum(unit.health for unit in units) for seat, units in table.rows.items()}
    reason = "wiped_out" if table.run(most_attacks) else "endless"
    winner = None
    if reason != "endless":
        winner = Seat.FIRST if table.rows[Seat.FIRST] else Seat.SECOND
    left = [(seat, slot, unit) for seat in Seat for slot, unit in enumerate(table.rows[seat], 1)]
    clear = 0.5
    if winner is not None:
        clear += 0.5 * min(1.0, sum(unit.health for _, _, unit in left) / max(strength[winner], 1))
    entered = sum(table.entered.values())
    return BattleResult(
        winner=winner,
        reason=reason,
        length=table.attacks,
        margin=0.0 if winner is None else clear if winner is Seat.FIRST else -clear,
        survivors=tuple(UnitLeft(seat, unit.name, unit.health, str(slot), unit.attack) for seat, slot, unit in left),
        trace=tuple(table.log or ()),
        summoned=entered - bought,
        fallen=entered - len(left),
    )


class _Table:
    """The board of a running battle."""

    def __init__(
        self, cards: Mapping[Seat, Mapping[str, Item]], row: int, king_row: int, log: list[Event] | None
    ) -> None:
        self.cards = cards
        self.row = row
        self.king_row = king_row
        self.log = log
        self.attacks = 0
        self.rows: dict[Seat, list[_Unit]] = {seat: [] for seat in Seat}
        self.entered = dict.fromkeys(Seat, 0)

    def enter(
        self, seat: Seat, name: str, factor: int, *, attack: int = 0, health: int = 0, shield: bool = False
    ) -> None:
        """A bought unit or a beetle by the numbers of its card, any other summoned unit by those given."""
        card = self.cards[seat].get(name)
        if card is not None:
            attack, health = card.number("attack"), card.number("health")
            shield = bool(card.facts.get("shield", False))
        element = "" if card is None else str(card.facts["element"])
        unit = _Unit(seat, self.entered[seat], name, element, factor, attack * factor, health * factor, shield)
        self.entered[seat] += 1
        self.rows[seat].append(unit)
        if self.log is not None:
            self.log.append(Entered(self.attacks, seat, unit.number, name, unit.attack, unit.health))

    def start(self) -> None:
        """Start effects; only defenders have any."""
        row = self.rows[Seat.FIRST]
        for slot, unit in enumerate(row):
            match unit.name:
                case "ForestSeer" | "AncientTreant":
                    for other in row:
                        if other is not unit and (unit.name == "AncientTreant" or other.element == "Nature"):
                            other.attack += self.number(unit, "start_attack") * unit.factor
                            other.health += self.number(unit, "start_health") * unit.factor
                            self.note(other, "start")
                case "EliteSoldier":
                    for other in row[max(slot - 1, 0) : slot] + row[slot + 1 : slot + 2]:
                        other.shield = True
                        other.attack += self.number(unit, "neighbour_attack")
                        self.note(other, "start")
                case "BlackRock":
                    unit.health += self.number(unit, "per_friend_health") * (len(row) - 1)
                    self.note(unit, "start")

    def run(self, most_attacks: int) -> bool:
        """Whether a side was wiped out within so many attacks."""
        first = Seat.SECOND if len(self.rows[Seat.SECOND]) >= len(self.rows[Seat.FIRST]) else Seat.FIRST
        second = first.other
        while self.rows[first] and self.rows[second]:
            for unit in list(self.rows[first]):
                if unit not in self.rows[first]:
                    continue
                if self.attacks >= most_attacks:
                    return False
                self.attack(unit, self.rows[second][0])
                if self.rows[first] and self.rows[second]:
                    self.attack(self.rows[second][0], self.rows[first][0])
                if not (self.rows[first] and self.rows[second]):
                    break
        return True

    def attack(self, attacker: _Unit, target: _Unit) -> None:
        """One attack. The answer comes with the target's attack of that moment, even if the target just died."""
        self.attacks += 1
        if self.log is not None:
            self.log.append(Attacked(self.attacks, attacker.seat, attacker.number, target.number))
        self.grow(attacker)
        if attacker.burning:
            self.hit(attacker, attacker.burning, None, cause="burning")
        excess = self.hit(target, attacker.attack, attacker, cause="attack", seen=True)
        self.special(attacker, target, excess)
        self.hit(attacker, target.attack, target, cause="answer", seen=True)
        self.settle()

    def grow(self, unit: _Unit) -> None:
        """What an attacker does before its blow."""
        match unit.name:
            case "Sapling":
                unit.health += self.number(unit, "growth_health") * unit.factor
                self.note(unit, "growth")
            case "WaterElemental":
                unit.attack += self.number(unit, "growth_attack") * unit.factor
                self.note(unit, "growth")
            case "King" if len(self.rows[unit.seat]) < self.king_row:
                facts = self.cards[unit.seat]["King"]
                attack, health = facts.number("call_attack"), facts.number("call_health")
                self.enter(unit.seat, str(facts.facts["call"]), 1, attack=attack, health=health, shield=True)

    def special(self, unit: _Unit, target: _Unit, excess: int) -> None:
        """What an attacker does after its blow; nobody answers."""
        enemies = self.rows[target.seat]
        match unit.name:
            case "BattleFrenzy":
                self.hit(target, unit.attack, unit, cause="second blow")
                unit.attack = max(0, unit.attack - self.number(unit, "tiring") * unit.factor)
                self.note(unit, "tiring")
            case "TideGuardian":
                self.hit(target, unit.attack, unit, cause="second blow")
            case "BanditLeader" if excess > 0:
                for other in enemies:
                    if other is not target:
                        self.hit(other, excess, unit, cause="excess")
                        break
            case "Phoenix":
                for other in list(enemies):
                    if other is not target:
                        self.hit(other, unit.attack, unit, cause="splash")

    def hit(self, unit: _Unit, damage: int, dealer: _Unit | None, *, cause: str, seen: bool = False) -> int:
        """The damage beyond what a unit had, 0 if it lives on. Paladins see the blow break a shield only where `seen`."""
        if dealer is not None and dealer.name == "PoisonFrog" and not unit.shield:
            damage = unit.health
            self.lose(unit, damage, "poison")
        elif unit.shield:
            unit.shield = False
            self.note(unit, "shield lost")
            if seen and unit.name not in ("MountainGiant", "LavaGolem"):
                for ally in self.rows[unit.seat]:
                    if ally.name == "Paladin" and ally is not unit:
                        ally.attack += self.number(ally, "vigil_attack")
                        self.note(ally, "vigil")
        else:
            self.lose(unit, damage, cause)
            if unit.name == "TideLord":
                unit.attack *= self.number(unit, "rage_factor")
                self.note(unit, "rage")
            elif unit.name == "VineProtector":
                unit.health += self.number(unit, "heal") * unit.factor
                self.note(unit, "heal")
        excess = 0
        if unit.health <= 0:
            excess = -unit.health
            self.die(unit, dealer)
        if dealer is not None:
            if unit.name == "MountainGiant":
                dealer.attack = max(0, dealer.attack - self.number(unit, "weaken") * unit.factor)
                self.note(dealer, "weaken")
            elif unit.name == "LavaGolem":
                dealer.burning = self.number(unit, "burn") * unit.factor
                self.note(dealer, "burning")
        return excess

    def die(self, unit: _Unit, killer: _Unit | None) -> None:
        """What a unit does the moment its health is gone; it leaves the row later."""
        match unit.name:
            case "Phoenix" if not unit.revived:
                unit.revived = True
                unit.health = self.number(unit, "health")
                self.note(unit, "revival")
            case "FireLizard" if killer is not None:
                self.hit(killer, self.number(unit, "to_killer") * unit.factor, unit, cause="to_killer")
            case "MoltenHound":
                for enemy in list(self.rows[unit.seat.other]):
                    self.hit(enemy, self.number(unit, "to_enemies") * unit.factor, unit, cause="to_enemies")

    def settle(self) -> None:
        """The dead leave, invaders first, and those they summon come."""
        for seat in (Seat.SECOND, Seat.FIRST):
            dead = [unit for unit in self.rows[seat] if unit.health <= 0]
            self.rows[seat] = [unit for unit in self.rows[seat] if unit.health > 0]
            for unit in dead:
                if self.log is not None:
                    self.log.append(Left(self.attacks, seat, unit.number))
            for unit in dead:
                self.leave_behind(unit)

    def leave_behind(self, unit: _Unit) -> None:
        """Summons of a unit that has left, where there is room."""
        free = self.row - len(self.rows[unit.seat])
        if unit.name == "ShadowOverlord":
            card = self.cards[unit.seat][unit.name]
            attack, health = card.number("summon_attack"), card.number("summon_health")
            for _ in range(free):
                self.enter(unit.seat, str(card.facts["summon"]), unit.factor, attack=attack, health=health)
        elif unit.name == "StoneWarrior" and free > 0:
            self.enter(unit.seat, str(self.cards[unit.seat][unit.name].facts["summon"]), unit.factor)

    def lose(self, unit: _Unit, damage: int, cause: str) -> None:
        unit.health -= damage
        if self.log is not None:
            self.log.append(Harmed(self.attacks, unit.seat, unit.number, cause, damage, unit.health))

    def note(self, unit: _Unit, effect: str) -> None:
        if self.log is not None:
            self.log.append(Changed(self.attacks, unit.seat, unit.number, effect, unit.attack, unit.health))

    def number(self, unit: _Unit, name: str) -> int:
        return self.cards[unit.seat][unit.name].number(name)
