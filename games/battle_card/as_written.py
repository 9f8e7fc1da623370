"""The battle as models are told it: sides attack in turn, Taunt and priorities count, every effect as advertised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.battle_card.events import Attacked, BattleResult, Changed, Entered, Harmed, Left, UnitLeft
from stratarena.games.resource.base import Event
from stratarena.games.resource.data import Item

__all__ = ["Card", "cards_of", "fight"]

_SEATS = (Seat.FIRST, Seat.SECOND)
"""Rows are kept by number in here: 0 is FIRST's, 1 SECOND's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A character of one tier made ready: every number as it is played, 0 where the effect is not its own."""

    name: str
    element: str
    attack: int
    health: int
    taunt: bool = False
    shield: bool = False
    starts: bool = False
    """Whether it has a start effect."""
    start_attack: int = 0
    start_health: int = 0
    start_element: str = ""
    """Only allies of this element; empty: all."""
    neighbour_attack: int = 0
    neighbour_shield: bool = False
    per_friend_health: int = 0
    growth_attack: int = 0
    growth_health: int = 0
    call: Card | None = None
    """Whom it summons when attacking."""
    poison: bool = False
    excess: bool = False
    splash: bool = False
    blows: int = 1
    tiring: int = 0
    weaken: int = 0
    burn: int = 0
    vigil_attack: int = 0
    rage_factor: int = 1
    revivals: int = 0
    to_killer: int = 0
    to_enemies: int = 0
    heal: int = 0
    summon: Card | None = None
    """Whom it summons on death."""
    summons: int = 0


_POINTS = (
    "start_attack",
    "start_health",
    "neighbour_attack",
    "per_friend_health",
    "growth_attack",
    "growth_health",
    "tiring",
    "weaken",
    "burn",
    "vigil_attack",
    "to_killer",
    "to_enemies",
    "heal",
)
"""Facts that Gold multiplies, beside attack and health."""
_MARKS = ("taunt", "shield", "neighbour_shield", "poison", "excess", "splash")
_COUNTS = ("blows", "rage_factor", "revivals", "summons")


def cards_of(items: Mapping[str, Item], factor: int) -> dict[str, Card]:
    """All cards of a side in the tier that multiplies points by `factor`."""
    return {name: _card(item, items, factor) for name, item in items.items()}


def _card(item: Item, items: Mapping[str, Item], factor: int) -> Card:
    facts = item.facts
    chosen = {key: facts[key] * factor for key in _POINTS if key in facts}
    chosen |= {key: facts[key] for key in (*_MARKS, *_COUNTS, "start_element") if key in facts}
    for role in ("summon", "call"):
        if role in facts:
            known = items.get(facts[role])
            chosen[role] = (
                _card(known, items, factor)
                if known
                else Card(
                    name=facts[role],
                    element="",
                    attack=facts[f"{role}_attack"] * factor,
                    health=facts[f"{role}_health"] * factor,
                    shield=facts.get(f"{role}_shield", False),
                )
            )
    return Card(
        name=item.id,
        element=facts["element"],
        attack=facts["attack"] * factor,
        health=facts["health"] * factor,
        starts=any(key in facts for key in ("start_attack", "neighbour_attack", "per_friend_health")),
        **chosen,
    )


class _Unit:
    """A unit on the board."""

    __slots__ = (
        "attack",
        "burning",
        "card",
        "full",
        "health",
        "killer",
        "number",
        "on_board",
        "revivals",
        "seat",
        "shield",
    )

    def __init__(self, card: Card, seat: int, number: int) -> None:
        self.card = card
        self.seat = seat
        self.number = number
        self.attack = card.attack
        self.health = self.full = card.health
        self.shield = card.shield
        self.revivals = card.revivals
        self.burning = 0
        self.killer: _Unit | None = None
        """Who did the last damage, if that was a unit's blow."""
        self.on_board = True


def fight(
    first: Sequence[Card],
    second: Sequence[Card],
    priorities_first: Sequence[str],
    priorities_second: Sequence[str],
    *,
    row: int,
    most_attacks: int,
    trace: bool,
) -> BattleResult:
    """The outcome of two rows of cards, left to right, and the names that each side attacks first."""
    board = _Board(first, second, (_ranks(priorities_first), _ranks(priorities_second)), row, [] if trace else None)
    board.start()
    strength = [sum([unit.health for unit in units]) for units in board.rows]
    over = board.run(most_attacks)
    winner = None
    margin = 0.0
    if over:
        seat = 0 if board.rows[0] else 1
        winner = _SEATS[seat]
        left = sum([unit.health for unit in board.rows[seat]])
        margin = (0.5 + 0.5 * min(1.0, left / max(strength[seat], 1))) * (1 - 2 * seat)
    survivors = tuple(
        [
            UnitLeft(_SEATS[unit.seat], unit.card.name, unit.health, str(slot), unit.attack)
            for units in board.rows
            for slot, unit in enumerate(units, 1)
        ]
    )
    entered = sum(board.entered)
    return BattleResult(
        winner=winner,
        reason="wiped_out" if over else "attack_cap",
        length=board.attacks,
        margin=margin,
        survivors=survivors,
        trace=tuple(board.log or ()),
        summoned=entered - len(first) - len(second),
        fallen=entered - len(survivors),
    )


def _ranks(names: Sequence[str]) -> dict[str, int]:
    """Each name's place in a list of priorities; the first counts."""
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


class _Board:
    """Both rows of a running battle, whose turn it is, and the trace."""

    __slots__ = ("attacks", "entered", "log", "next", "ranks", "row", "rows")

    def __init__(
        self,
        first: Sequence[Card],
        second: Sequence[Card],
        ranks: tuple[dict[str, int], dict[str, int]],
        row: int,
        log: list[Event] | None,
    ) -> None:
        self.rows: list[list[_Unit]] = [[], []]
        self.ranks = ranks
        self.row = row
        self.log = log
        self.attacks = 0
        self.next = [0, 0]
        """The slot of each side's next attacker; one beyond the row stands for the first."""
        self.entered = [0, 0]
        for seat, cards in enumerate((first, second)):
            for card in cards:
                self.enter(seat, card)

    def enter(self, seat: int, card: Card) -> None:
        """A unit comes to the right end of its row."""
        unit = _Unit(card, seat, self.entered[seat])
        self.entered[seat] += 1
        self.rows[seat].append(unit)
        if self.log is not None:
            self.log.append(Entered(self.attacks, _SEATS[seat], unit.number, card.name, card.attack, card.health))

    def start(self) -> None:
        """Start effects, left to right. Those of one side never touch the other."""
        for row in self.rows:
            for slot, unit in enumerate(row):
                card = unit.card
                if not card.starts:
                    continue
                if card.start_attack or card.start_health:
                    for ally in row:
                        if ally is not unit and card.start_element in ("", ally.card.element):
                            self.gain(ally, card.start_attack, card.start_health, "start")
                if card.neighbour_attack or card.neighbour_shield:
                    for ally in row[max(slot - 1, 0) : slot] + row[slot + 1 : slot + 2]:
                        self.gain(ally, card.neighbour_attack, 0, "start")
                        if card.neighbour_shield and not ally.shield:
                            ally.shield = True
                            if self.log is not None:
                                self.note(ally, "shield")
                if card.per_friend_health:
                    self.gain(unit, 0, card.per_friend_health * (len(row) - 1), "start")

    def run(self, most_attacks: int) -> bool:
        """Whether a side was wiped out within so many attacks."""
        first, second = self.rows
        seat = 1 if len(second) >= len(first) else 0
        while first and second:
            if self.attacks >= most_attacks:
                return False
            self.attacks += 1
            self.attack(seat)
            seat = 1 - seat
        return True

    def attack(self, seat: int) -> None:
        """One attack of that side's next unit, from its growth to the last death."""
        row = self.rows[seat]
        slot = self.next[seat]
        if slot >= len(row):
            slot = 0
        self.next[seat] = slot + 1
        attacker = row[slot]
        card = attacker.card
        if card.growth_attack or card.growth_health:
            self.gain(attacker, card.growth_attack, card.growth_health, "growth")
        if card.call is not None and len(row) < self.row:
            self.enter(seat, card.call)
        if attacker.burning:
            self.harm(attacker, attacker.burning, None, "burning")
            if attacker.health <= 0:
                self.settle()
                return
        enemies = self.rows[1 - seat]
        place = self.choose(seat, enemies)
        target = enemies[place]
        if self.log is not None:
            self.log.append(Attacked(self.attacks, _SEATS[seat], attacker.number, target.number))
        blow = attacker.attack
        answer = target.attack
        self.harm(target, blow, attacker, "attack")
        self.harm(attacker, answer, target, "return")
        if card.excess and target.health < 0:
            after = place + 1 if place + 1 < len(enemies) else place - 1
            if after >= 0:
                self.harm(enemies[after], -target.health, attacker, "excess")
        if card.splash:
            for beside in (place - 1, place + 1):
                if 0 <= beside < len(enemies):
                    self.harm(enemies[beside], blow, attacker, "splash")
        meets = target.card
        if meets.weaken or meets.burn:
            self.mark(attacker, meets)
        for _ in range(card.blows - 1):
            if attacker.health > 0 and target.health > 0:
                self.harm(target, attacker.attack, attacker, "further blow")
                if meets.weaken or meets.burn:
                    self.mark(attacker, meets)
        if card.tiring:
            self.gain(attacker, -card.tiring, 0, "tiring")
        if attacker.health <= 0 or target.health <= 0 or card.splash or card.excess:
            self.settle()

    def choose(self, seat: int, enemies: list[_Unit]) -> int:
        """The slot of the target: Taunt, then priorities, then the left."""
        ranks = self.ranks[seat]
        found = -1
        best = len(ranks)
        taunted = False
        for slot, enemy in enumerate(enemies):
            card = enemy.card
            if card.taunt and not taunted:
                taunted, found, best = True, -1, len(ranks)
            elif taunted and not card.taunt:
                continue
            rank = ranks.get(card.name, len(ranks)) if ranks else 0
            if found < 0 or rank < best:
                found, best = slot, rank
        return found

    def harm(self, unit: _Unit, damage: int, dealer: _Unit | None, cause: str) -> None:
        """Damage to a unit: its shield takes it, or its health falls, with all that this sets off at once."""
        if damage <= 0:
            return
        if unit.shield:
            unit.shield = False
            if self.log is not None:
                self.note(unit, "shield lost")
            for ally in self.rows[unit.seat]:
                if ally.card.vigil_attack and ally is not unit:
                    self.gain(ally, ally.card.vigil_attack, 0, "vigil")
            return
        unit.health -= damage
        if dealer is not None and dealer.card.poison and unit.health > 0:
            damage += unit.health
            unit.health = 0
        unit.killer = dealer
        if self.log is not None:
            self.log.append(Harmed(self.attacks, _SEATS[unit.seat], unit.number, cause, damage, unit.health))
        if unit.card.rage_factor != 1:
            unit.attack *= unit.card.rage_factor
            if self.log is not None:
                self.note(unit, "rage")

    def mark(self, attacker: _Unit, target: Card) -> None:
        """What a target does to whoever strikes it: less attack, burning."""
        if target.weaken:
            self.gain(attacker, -target.weaken, 0, "weaken")
        if target.burn > attacker.burning:
            attacker.burning = target.burn
            if self.log is not None:
                self.note(attacker, "burning")

    def gain(self, unit: _Unit, attack: int, health: int, effect: str) -> None:
        """More attack and health, or less attack, but never below 0."""
        unit.attack = max(0, unit.attack + attack)
        unit.health += health
        unit.full += health
        if self.log is not None:
            self.note(unit, effect)

    def settle(self) -> None:
        """Deaths and their effects, until nobody is at 0 health."""
        while True:
            fallen: list[_Unit] = []
            for seat in (1, 0):
                self.clear(seat, fallen)
            if not fallen:
                return
            for unit in fallen:
                self.last_act(unit)

    def clear(self, seat: int, fallen: list[_Unit]) -> None:
        """Takes the dead from a row, left to right, or revives them; the next attacker stays the same unit."""
        row = self.rows[seat]
        slot = 0
        while slot < len(row):
            unit = row[slot]
            if unit.health > 0:
                slot += 1
                continue
            if unit.revivals:
                unit.revivals -= 1
                unit.health = unit.full
                if self.log is not None:
                    self.note(unit, "revival")
                slot += 1
                continue
            del row[slot]
            unit.on_board = False
            fallen.append(unit)
            if self.next[seat] > slot:
                self.next[seat] -= 1
            if self.log is not None:
                self.log.append(Left(self.attacks, _SEATS[seat], unit.number))

    def last_act(self, unit: _Unit) -> None:
        """The death effects of a unit that has left."""
        card = unit.card
        if card.to_killer:
            killer = unit.killer
            if killer is not None and killer.on_board and killer.health > 0:
                self.harm(killer, card.to_killer, None, "to_killer")
        if card.to_enemies:
            for enemy in self.rows[1 - unit.seat]:
                if enemy.health > 0:
                    self.harm(enemy, card.to_enemies, None, "to_enemies")
        row = self.rows[unit.seat]
        if card.heal:
            for friend in row:
                if 0 < friend.health < friend.full:
                    friend.health = min(friend.full, friend.health + card.heal)
                    if self.log is not None:
                        self.note(friend, "heal")
        if card.summon is not None:
            for _ in range(card.summons):
                if len(row) < self.row:
                    self.enter(unit.seat, card.summon)

    def note(self, unit: _Unit, effect: str) -> None:
        """Tells of an effect; for traced battles only."""
        assert self.log is not None
        self.log.append(Changed(self.attacks, _SEATS[unit.seat], unit.number, effect, unit.attack, unit.health))
