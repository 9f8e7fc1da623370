"""The published combat, its faults included: effects that never end, shields that never hold, an element chart of its own.

Health is a binary fraction on purpose: the rounding of the programs decides whether a fighter at "0" is out. Nothing
here is told to models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stratarena.games.base import Seat
from stratarena.games.resource.base import Event, Survivor
from stratarena.games.resource.data import Item
from stratarena.games.turn_based.events import CombatResult, DuelOpened, Fell, Harmed, SkillUsed
from stratarena.games.turn_based.plans import SquadPlan

__all__ = ["fight"]

_DEBUFFS = ("fear_whisper", "ice_branded", "night_ambush", "parasitic_seed", "poison_vine", "quicksand_trap")
"""In the order in which Holy Glimmer looks for one."""
_FOR_ONE_ACTION = ("faith_emblem", "divine_link")


@dataclass(slots=True)
class _Effect:
    name: str
    reduction: float = 0.0
    """Points of damage less: percentages count as plain fractions of a point."""
    reflect: float = 0.0
    counter: float = 0.0


@dataclass(slots=True)
class _Fighter:
    seat: Seat
    number: int
    element: str
    skills: tuple[str, ...]
    health: float
    pointer: int = 0
    burning: int = 0
    tidal: int = 0
    effects: list[_Effect] = field(default_factory=list)


def fight(
    plans: Mapping[Seat, SquadPlan],
    *,
    skills: Mapping[str, Item],
    names: Mapping[str, str],
    chart: Mapping[tuple[str, str], int],
    health: int,
    maximum: int,
    most_actions: int,
    trace: bool,
) -> CombatResult:
    """The outcome of two squads. `names` leads from any spelling the programs accept to a skill of `skills`."""
    log: list[Event] | None = [] if trace else None
    squads = {
        seat: [
            _Fighter(seat, number, fighter.element, fighter.skills, health)
            for number, fighter in enumerate(plan.fighters)
        ]
        for seat, plan in plans.items()
    }
    front = {Seat.FIRST: 0, Seat.SECOND: 0}
    actions = duels = 0
    reason = "wiped_out"
    while front[Seat.FIRST] < len(squads[Seat.FIRST]) and front[Seat.SECOND] < len(squads[Seat.SECOND]):
        defender, invader = (squads[seat][front[seat]] for seat in (Seat.FIRST, Seat.SECOND))
        duels += 1
        if log is not None:
            log.append(DuelOpened(actions, defender.number, invader.number))
        actor, target = invader, defender
        n_actions = 0
        while defender.health > 0 and invader.health > 0:
            if n_actions == most_actions:
                reason = "endless"
                break
            n_actions += 1
            actions += 1
            _act(actor, target, skills=skills, names=names, chart=chart, maximum=maximum, at=actions, log=log)
            actor, target = target, actor
        if reason == "endless":
            break
        # A duel that nobody survives is booked to the defender, who then falls in the next one without a blow.
        loser = invader if invader.health <= 0 else defender
        front[loser.seat] += 1
        if log is not None:
            log.append(Fell(actions, loser.seat, loser.number))
    winner = None
    if reason != "endless":
        winner = Seat.FIRST if front[Seat.SECOND] >= len(squads[Seat.SECOND]) else Seat.SECOND
    left = [fighter for seat in Seat for fighter in squads[seat][front[seat] :] if winner in (None, seat)]
    left = [fighter for fighter in left if fighter.health > 0]
    full = max(len(squads[winner]) * health, 1) if winner else 1
    clear = 0.5 + 0.5 * min(1.0, sum(fighter.health for fighter in left) / full)
    return CombatResult(
        winner=winner,
        reason=reason,
        length=actions,
        margin=0.0 if winner is None else clear if winner is Seat.FIRST else -clear,
        survivors=tuple(
            Survivor(fighter.seat, fighter.element, round(fighter.health, 10), str(fighter.number + 1))
            for fighter in left
        ),
        trace=tuple(log or ()),
        duels=duels,
    )


def _act(
    actor: _Fighter,
    target: _Fighter,
    *,
    skills: Mapping[str, Item],
    names: Mapping[str, str],
    chart: Mapping[tuple[str, str], int],
    maximum: int,
    at: int,
    log: list[Event] | None,
) -> None:
    """One action: the skill, then what the target reflects, then what counters the actor, then short effects end."""
    spelling = actor.skills[actor.pointer]
    actor.pointer = (actor.pointer + 1) % len(actor.skills)
    if log is not None:
        log.append(SkillUsed(at, actor.seat, actor.number, spelling))
    name = names.get(spelling)
    multiplier = chart.get((actor.element, target.element), 100) / 100

    def damage(base: int) -> float:
        reduction = sum(effect.reduction for effect in target.effects)
        return max(1, int(base * multiplier) - reduction)

    def hurt(victim: _Fighter, amount: float, cause: str) -> None:
        victim.health -= amount
        if log is not None:
            log.append(Harmed(at, victim.seat, victim.number, cause, round(amount, 10), round(victim.health, 10)))

    if name is not None:
        _use(name, skills[name].facts, actor, target, maximum, damage, hurt)
    for effect in target.effects:
        if effect.reflect:
            hurt(actor, effect.reflect, effect.name)
    for effect in actor.effects:
        if effect.counter:
            hurt(actor, effect.counter, effect.name)
    target.effects = [effect for effect in target.effects if effect.name not in _FOR_ONE_ACTION]


def _use(
    name: str,
    facts: Mapping[str, int],
    actor: _Fighter,
    target: _Fighter,
    maximum: int,
    damage: Callable[[int], float],
    hurt: Callable[[_Fighter, float, str], None],
) -> None:
    """What a skill does here, which is often not what it says."""
    if name == "natural_purification":
        actor.effects = [effect for effect in actor.effects if effect.name not in _DEBUFFS]
    elif name == "holy_glimmer":
        carried = {effect.name for effect in actor.effects}
        oldest = next((debuff for debuff in _DEBUFFS if debuff in carried), None)
        actor.effects = [effect for effect in actor.effects if effect.name != oldest]
    elif name == "void_assimilation":
        lost = int(actor.health * facts["lose_percent"] / 100)
        actor.health -= lost
        hurt(target, damage(lost * facts["deal_percent"] // 100), name)
        return
    if name in _HEALERS:
        actor.health = min(actor.health + facts["heal"], maximum)
    if name in _HITTERS:
        base = facts.get("damage", 0) + facts.get("per_layer", 0) * target.burning * (name in _ON_BURNING)
        base += facts.get("per_tidal", 0) * actor.tidal
        hurt(target, damage(base), name)
    match name:
        case "flame_splash" | "flame_whirlwind":
            target.burning += facts["layers"]
        case "magma_eruption":
            target.burning = 0
        case "stream_pierce":
            actor.tidal += facts["tidal"]
        case "tsunami_ending":
            actor.tidal = 0
        case "hell_curtain" | "rock_armor":
            actor.effects.append(_Effect(name, reflect=damage(facts["reflect"])))
        case "parasitic_seed":
            target.effects.append(_Effect(name, counter=damage(facts["counter"])))
        case "fear_whisper" | "luminous_dispel":
            target.effects.append(_Effect(name, reduction=facts["percent"] / 100))
        case "granite_barrier" | "faith_emblem":
            actor.effects.append(_Effect(name, reduction=facts["percent"] / 100))
        case "angelic_sanctuary":
            actor.effects.append(_Effect(name, reduction=facts["flat"]))
        case "ice_branded" | "night_ambush" | "poison_vine":
            target.effects.append(_Effect(name))
        case "quicksand_trap" | "divine_link":
            actor.effects.append(_Effect(name))
        case _:
            pass


_HEALERS = ("shadow_claw", "life_totem", "forest_reincarnation", "holy_glimmer")
_ON_BURNING = ("burst_flame_bomb", "magma_eruption")
_HITTERS = frozenset(
    [
        "flame_splash",
        "burst_flame_bomb",
        "magma_eruption",
        "hell_curtain",
        "stream_pierce",
        "whirlpool_strangle",
        "ice_branded",
        "tsunami_ending",
        "abyss_resonance",
        "shadow_claw",
        "soul_siphon",
        "night_ambush",
        "final_announcement",
        "parasitic_seed",
        "natural_purification",
        "forest_reincarnation",
        "earth_shock",
        "earth_pulse",
        "holy_glimmer",
        "divine_sword",
    ]
)
