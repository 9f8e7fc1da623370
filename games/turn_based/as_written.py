"""The combat as models are told it. Whole health points, every effect with an end, at most so many actions a duel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Survivor
from stratarena.games.turn_based.events import CombatResult, DuelOpened, Fell, Gained, Harmed, Healed, SkillUsed

__all__ = ["Combat", "Combatant", "Move", "duel", "fight"]

_FOR_EVER = 1 << 30
_LONG = 1 << 20
_HARMFUL = frozenset(("burning", "ice_branded", "night_ambush", "parasitic_seed", "poison_vine", "luminous_dispel"))
"""Effects that purification takes away; all others are helpful, and can be dispelled."""

Numbers = Mapping[str, int]


@dataclass(slots=True)
class Effect:
    """Something a fighter carries until the end of one of its turns."""

    until: int
    """Ends with the carrier's turn of this number."""
    amount: int = 0
    """Percent, points, layers or hits, as the effect's name says."""
    shield: int = 0
    """What its shield still takes."""
    extra: int = 0
    """A second number: what a layer burns, what is given back."""
    held_percent: int = 0
    """The share of a hit that quicksand holds up."""


@dataclass(frozen=True, slots=True)
class Move:
    """A skill made ready: its name, its numbers and what it does."""

    name: str
    element: str
    numbers: Numbers
    do: Callable[[Combat, Numbers, Combatant, Combatant], None]


@dataclass(slots=True)
class Combatant:
    """A fighter in the course of a combat."""

    seat: Seat
    number: int
    element: str
    moves: tuple[Move, ...]
    health: int
    pointer: int = 0
    turn: int = 0
    """Turns begun."""
    tidal: int = 0
    stored: int = 0
    """Health lost to damage since the last Core Rebound."""
    delayed: int = 0
    """Damage held up by quicksand."""
    effects: dict[str, Effect] = field(default_factory=dict)
    """By name, the oldest first."""

    def copy(self) -> Combatant:
        """The same fighter, to go on with separately."""
        effects = {
            name: Effect(effect.until, effect.amount, effect.shield, effect.extra, effect.held_percent)
            for name, effect in self.effects.items()
        }
        return Combatant(
            self.seat,
            self.number,
            self.element,
            self.moves,
            self.health,
            self.pointer,
            self.turn,
            self.tidal,
            self.stored,
            self.delayed,
            effects,
        )

    def key(self) -> tuple[object, ...]:
        """Equal keys, equal futures: everything but the absolute number of the turn."""
        effects = tuple(
            (
                name,
                min(effect.until - self.turn, _LONG),
                effect.amount,
                effect.shield,
                effect.extra,
                effect.held_percent,
            )
            for name, effect in self.effects.items()
        )
        return (self.number, self.health, self.pointer, self.tidal, self.stored, self.delayed, effects)


@dataclass(slots=True)
class Combat:
    """What a running combat shares: its constants, its clock and its trace."""

    chart: Mapping[tuple[str, str], int]
    maximum: int
    most_actions: int
    actions: int = 0
    log: list[Event] | None = None

    def attack(self, actor: Combatant, target: Combatant, name: str, base: int) -> int:
        """Direct damage by a skill, with all that it sets off; what was done after reductions."""
        if base <= 0:
            return 0
        above, below = base, 1
        for bonus in ("residual_warmth", "divine_sword"):
            effect = actor.effects.get(bonus)
            if effect is not None and (bonus != "residual_warmth" or actor.element == "Fire"):
                above, below = above * (100 + effect.amount), below * 100
                del actor.effects[bonus]
        weak = actor.effects.get("luminous_dispel")
        if weak is not None:
            above, below = above * (100 - weak.amount), below * 100
        above, below = above * self.chart.get((actor.element, target.element), 100), below * 100
        flat = 0
        if target.effects:
            for brand in ("ice_branded", "night_ambush"):
                effect = target.effects.pop(brand, None)
                if effect is not None:
                    above, below = above * (100 + effect.amount), below * 100
            for guard in ("fear_whisper", "granite_barrier"):
                effect = target.effects.get(guard)
                if effect is not None:
                    above, below = above * (100 - effect.amount), below * 100
            sanctuary = target.effects.get("angelic_sanctuary")
            flat = sanctuary.amount if sanctuary is not None else 0
        return self._strike(actor, target, name, max(1, above // below - flat))

    def true_attack(self, actor: Combatant, target: Combatant, name: str, amount: int) -> int:
        """Damage past elements, weaknesses and reductions."""
        return self._strike(actor, target, name, amount) if amount > 0 else 0

    def _strike(self, actor: Combatant, target: Combatant, name: str, amount: int) -> int:
        """What is left after all reductions arrives, and what answers it is set off."""
        given_back: list[tuple[str, int]] = []
        if target.effects:
            effects = target.effects
            turned = 0
            faith = effects.pop("faith_emblem", None)
            if faith is not None:
                turned = amount * faith.amount // 100
                given_back.append(("faith_emblem", faith.extra))
            held = 0
            sand = effects.get("quicksand_trap")
            if sand is not None:
                held = (amount - turned) * sand.held_percent // 100
                target.delayed += held
                given_back.append(("quicksand_trap", sand.extra))
                sand.amount -= 1
                if sand.amount == 0:
                    del effects["quicksand_trap"]
            for mirror in ("hell_curtain", "rock_armor"):
                effect = effects.get(mirror)
                if effect is not None:
                    given_back.append((mirror, effect.amount))
            link = effects.pop("divine_link", None)
            if link is not None:
                given_back.append(("divine_link", amount * link.amount // 100))
            self.harm(target, amount - turned - held, name)
            if turned and target.health > 0:
                self.heal(target, turned)
        else:
            self.harm(target, amount, name)
        for cause, harm in given_back:
            if harm > 0:
                self.harm(actor, harm, cause)
        seed = actor.effects.get("parasitic_seed")
        if seed is not None:
            self.harm(actor, seed.amount, "parasitic_seed")
        return amount

    def harm(self, victim: Combatant, amount: int, cause: str) -> None:
        """Damage as it is: shields first, the oldest first, then health."""
        left = amount
        for name in [name for name, effect in victim.effects.items() if effect.shield]:
            effect = victim.effects[name]
            taken = min(effect.shield, left)
            effect.shield -= taken
            left -= taken
            if effect.shield == 0 and effect.amount == 0:
                del victim.effects[name]
        victim.health -= left
        victim.stored += left
        if self.log is not None:
            self.log.append(Harmed(self.actions, victim.seat, victim.number, cause, amount, victim.health))

    def heal(self, who: Combatant, amount: int) -> int:
        """Healing, up to the maximum; what was above it."""
        totem = who.effects.get("life_totem")
        if totem is not None:
            amount = amount * (100 + totem.amount) // 100
        gained = min(amount, self.maximum - who.health)
        who.health += gained
        if self.log is not None and gained:
            self.log.append(Healed(self.actions, who.seat, who.number, gained, who.health))
        return amount - gained

    def give(
        self,
        who: Combatant,
        name: str,
        rounds: int,
        *,
        amount: int = 0,
        shield: int = 0,
        extra: int = 0,
        held_percent: int = 0,
    ) -> None:
        """An effect, in the place of one of the same name."""
        who.effects.pop(name, None)
        who.effects[name] = Effect(who.turn + rounds, amount, shield, extra, held_percent)
        if self.log is not None:
            self.log.append(Gained(self.actions, who.seat, who.number, name))

    def burn(self, who: Combatant, layers: int, rounds: int, burn: int) -> None:
        """More layers of Burning, and its rounds anew."""
        old = who.effects.get("burning")
        self.give(who, "burning", rounds, amount=layers + (old.amount if old else 0), extra=burn)

    def act(self, actor: Combatant, target: Combatant) -> None:
        """One action: what waits at the start of the turn, the skill, and the counting down of rounds."""
        self.actions += 1
        actor.turn += 1
        if actor.effects or actor.delayed:
            self._start_turn(actor)
            if actor.health <= 0:
                return
        move = actor.moves[actor.pointer]
        actor.pointer = (actor.pointer + 1) % len(actor.moves)
        if self.log is not None:
            self.log.append(SkillUsed(self.actions, actor.seat, actor.number, move.name))
        move.do(self, move.numbers, actor, target)
        if actor.effects:
            for name in [name for name, effect in actor.effects.items() if effect.until <= actor.turn]:
                del actor.effects[name]

    def _start_turn(self, actor: Combatant) -> None:
        if actor.delayed:
            delayed, actor.delayed = actor.delayed, 0
            self.harm(actor, delayed, "quicksand_trap")
        burning = actor.effects.get("burning")
        if burning is not None and actor.health > 0:
            self.harm(actor, burning.amount * burning.extra, "burning")
        poison = actor.effects.get("poison_vine")
        if poison is not None and actor.health > 0:
            self.harm(actor, poison.amount, "poison_vine")
        bud = actor.effects.get("bud_healing")
        if bud is not None and actor.health > 0:
            self.heal(actor, bud.amount)

    def lost_tenths(self, who: Combatant) -> int:
        """Full tenths of its health that a fighter has lost."""
        return (self.maximum - who.health) * 10 // self.maximum


def duel(combat: Combat, first: Combatant, second: Combatant) -> Combatant | None:
    """Play a duel to its end, changing both fighters; the one that stays in front, None if both fell."""
    end = combat.actions + combat.most_actions
    actor, target = second, first
    while first.health > 0 and second.health > 0:
        if combat.actions == end:
            loser = first if second.health > first.health else second
            loser.health = 0
            break
        combat.act(actor, target)
        actor, target = target, actor
    if first.health <= 0 and second.health <= 0:
        return None
    return first if first.health > 0 else second


def fight(combat: Combat, squads: Mapping[Seat, list[Combatant]]) -> CombatResult:
    """The outcome of two squads, which it uses up."""
    front = {Seat.FIRST: 0, Seat.SECOND: 0}
    duels = 0
    while all(front[seat] < len(squads[seat]) for seat in Seat):
        first, second = squads[Seat.FIRST][front[Seat.FIRST]], squads[Seat.SECOND][front[Seat.SECOND]]
        duels += 1
        if combat.log is not None:
            combat.log.append(DuelOpened(combat.actions, first.number, second.number))
        stays = duel(combat, first, second)
        for fighter in (first, second):
            if fighter is not stays:
                front[fighter.seat] += 1
                if combat.log is not None:
                    combat.log.append(Fell(combat.actions, fighter.seat, fighter.number))
    winner = Seat.FIRST if front[Seat.SECOND] == len(squads[Seat.SECOND]) else Seat.SECOND
    left = squads[winner][front[winner] :]
    clear = 0.5 + 0.5 * sum(fighter.health for fighter in left) / (combat.maximum * len(squads[winner]))
    return CombatResult(
        winner=winner,
        reason="wiped_out",
        length=combat.actions,
        margin=clear if winner is Seat.FIRST else -clear,
        survivors=tuple(Survivor(winner, fighter.element, fighter.health, str(fighter.number + 1)) for fighter in left),
        trace=tuple(combat.log or ()),
        duels=duels,
    )


def _flame_splash(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "flame_splash", n["damage"])
    c.burn(foe, n["layers"], n["rounds"], n["burn"])


def _residual_warmth(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "residual_warmth", n["rounds"], amount=n["percent"])


def _burst_flame_bomb(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "burst_flame_bomb", n["damage"] + n["per_layer"] * _layers(foe))


def _flame_whirlwind(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.burn(foe, n["layers"], n["rounds"], n["burn"])


def _magma_eruption(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "magma_eruption", n["damage"] + n["per_layer"] * _layers(foe))
    foe.effects.pop("burning", None)


def _hell_curtain(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "hell_curtain", n["damage"])
    c.give(me, "hell_curtain", n["rounds"], amount=n["reflect"])


def _stream_pierce(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "stream_pierce", n["damage"])
    me.tidal += n["tidal"]


def _water_barrier(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "water_barrier", n["rounds"], shield=n["shield"])
    me.tidal += n["tidal"]


def _whirlpool_strangle(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "whirlpool_strangle", n["damage"] + n["per_tidal"] * me.tidal)


def _ice_branded(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "ice_branded", n["damage"])
    c.give(foe, "ice_branded", n["rounds"], amount=n["percent"])


def _tsunami_ending(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "tsunami_ending", n["damage"] + n["per_tidal"] * me.tidal)
    me.tidal = 0


def _abyss_resonance(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "abyss_resonance", n["per_tidal"] * me.tidal)
    if me.tidal:
        c.give(me, "abyss_resonance", n["rounds"], shield=n["shield_per_tidal"] * me.tidal)


def _shadow_claw(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    done = c.attack(me, foe, "shadow_claw", n["damage"])
    if me.health > 0:
        c.heal(me, done * n["heal_percent"] // 100)


def _fear_whisper(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "fear_whisper", n["rounds"], amount=n["percent"])


def _soul_siphon(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    low = foe.health * 100 < n["below_percent"] * c.maximum
    c.attack(me, foe, "soul_siphon", n["damage"] + n["more"] * low)


def _night_ambush(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "night_ambush", n["damage"])
    c.give(foe, "night_ambush", n["rounds"], amount=n["percent"])


def _final_announcement(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "final_announcement", n["damage"] + n["per_tenth"] * c.lost_tenths(foe))


def _void_assimilation(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    lost = me.health * n["lose_percent"] // 100
    me.health -= lost
    c.true_attack(me, foe, "void_assimilation", lost * n["deal_percent"] // 100)


def _bud_healing(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "bud_healing", n["rounds"], amount=n["heal"])


def _parasitic_seed(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "parasitic_seed", n["damage"])
    c.give(foe, "parasitic_seed", n["rounds"], amount=n["counter"])


def _life_totem(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.heal(me, n["heal"])
    c.give(me, "life_totem", n["rounds"], amount=n["percent"])


def _natural_purification(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    for name in [name for name in me.effects if name in _HARMFUL]:
        del me.effects[name]
    c.attack(me, foe, "natural_purification", n["damage"])


def _forest_reincarnation(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    shield = c.heal(me, n["heal"]) * n["shield_percent"] // 100
    if shield:
        c.give(me, "forest_reincarnation", _FOR_EVER, shield=shield)
    c.attack(me, foe, "forest_reincarnation", n["damage"])


def _poison_vine(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(foe, "poison_vine", n["rounds"], amount=n["poison"])


def _rock_armor(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "rock_armor", n["rounds"], amount=n["reflect"], shield=n["shield"])


def _earth_shock(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "earth_shock", n["damage"])


def _granite_barrier(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "granite_barrier", n["rounds"], amount=n["percent"])


def _quicksand_trap(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "quicksand_trap", n["rounds"], amount=n["hits"], extra=n["back"], held_percent=n["percent"])


def _earth_pulse(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    layers = c.lost_tenths(me)
    if layers:
        c.give(me, "earth_pulse", n["rounds"], shield=n["shield_per_tenth"] * layers)
        c.attack(me, foe, "earth_pulse", n["per_layer"] * layers)


def _core_rebound(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    stored, me.stored = me.stored, 0
    c.attack(me, foe, "core_rebound", stored * n["percent"] // 100)


def _holy_glimmer(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    for name in [name for name in me.effects if name in _HARMFUL][: n["debuffs"]]:
        del me.effects[name]
    c.heal(me, n["heal"])
    c.attack(me, foe, "holy_glimmer", n["damage"])


def _faith_emblem(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "faith_emblem", _FOR_EVER, amount=n["percent"], extra=n["reflect"])


def _divine_link(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "divine_link", _FOR_EVER, amount=n["percent"])


def _luminous_dispel(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    for name in [name for name in foe.effects if name not in _HARMFUL][: n["buffs"]]:
        del foe.effects[name]
    c.give(foe, "luminous_dispel", n["rounds"], amount=n["percent"])


def _angelic_sanctuary(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.give(me, "angelic_sanctuary", n["rounds"], amount=n["flat"])


def _divine_sword(c: Combat, n: Numbers, me: Combatant, foe: Combatant) -> None:
    c.attack(me, foe, "divine_sword", n["damage"])
    c.give(me, "divine_sword", _FOR_EVER, amount=n["percent"])


def _layers(who: Combatant) -> int:
    burning = who.effects.get("burning")
    return burning.amount if burning else 0


SKILLS: Mapping[str, Callable[[Combat, Numbers, Combatant, Combatant], None]] = MappingProxyType(
    {
        function.__name__.removeprefix("_"): function
        for function in (
            _flame_splash,
            _residual_warmth,
            _burst_flame_bomb,
            _flame_whirlwind,
            _magma_eruption,
            _hell_curtain,
            _stream_pierce,
            _water_barrier,
            _whirlpool_strangle,
            _ice_branded,
            _tsunami_ending,
            _abyss_resonance,
            _shadow_claw,
            _fear_whisper,
            _soul_siphon,
            _night_ambush,
            _final_announcement,
            _void_assimilation,
            _bud_healing,
            _parasitic_seed,
            _life_totem,
            _natural_purification,
            _forest_reincarnation,
            _poison_vine,
            _rock_armor,
            _earth_shock,
            _granite_barrier,
            _quicksand_trap,
            _earth_pulse,
            _core_rebound,
            _holy_glimmer,
            _faith_emblem,
            _divine_link,
            _luminous_dispel,
            _angelic_sanctuary,
            _divine_sword,
        )
    }
)
"""What each skill does."""
