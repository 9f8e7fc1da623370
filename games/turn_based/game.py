"""Turn-based combat as a game of two plans: `TurnBased("as_written")` and `TurnBased("published")`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import permutations
from random import Random
from typing import Any

from stratarena.games.base import Seat
from stratarena.games.purse import PriceList
from stratarena.games.resource.base import Entry, Problem, RuleSet, Verdict
from stratarena.games.resource.data import items_of, load_data, sides_of
from stratarena.games.resource.reading import check_shape, show
from stratarena.games.resource.verdicts import malformed, verdict_on
from stratarena.games.turn_based import as_written, published
from stratarena.games.turn_based.as_written import SKILLS, Combat, Combatant, Move
from stratarena.games.turn_based.events import CombatResult
from stratarena.games.turn_based.plans import Fighter, SquadPlan, from_shape, problems, schema

__all__ = ["TurnBased"]


class TurnBased:
    """Two squads of three meet in a relay of duels; skills are bought beforehand and used in turn."""

    name = "turn_based"

    def __init__(self, rules: str = "as_written", *, data: Mapping[str, Any] | None = None) -> None:
        """The game; `data` takes the place of the data file, for those who change its numbers."""
        self.rule_set = RuleSet(rules)
        data = load_data(self.name) if data is None else data
        self._data = data
        self.sides = sides_of(data)
        combat = data["combat"]
        self.n_fighters: int = combat["fighters"]
        self.n_skills: int = combat["skills"]
        self.health: int = combat["health"]
        self.most_actions: int = combat["most_actions"]
        self.skills = items_of(data["skills"], self.rule_set)
        self.elements: dict[Seat, tuple[str, ...]] = {
            seat: tuple(data["sides"][seat.value]["elements"]) for seat in Seat
        }
        self.element_of = {skill: str(item.facts["element"]) for skill, item in self.skills.items()}
        self.chart = {
            (pair.partition(">")[0], pair.partition(">")[2]): percent
            for pair, percent in data["elements"][self.rule_set.value].items()
        }
        self._spellings = {skill: skill for skill in self.skills}
        self._spellings |= {str(item.facts["name"]): skill for skill, item in self.skills.items()}
        self._moves = {
            skill: Move(
                skill,
                self.element_of[skill],
                {key: value for key, value in item.facts.items() if isinstance(value, int)},
                SKILLS[skill],
            )
            for skill, item in self.skills.items()
        }
        self._prices = {
            seat: PriceList(
                {
                    skill: item.cost
                    for skill, item in self.skills.items()
                    if self.element_of[skill] in self.elements[seat]
                }
            )
            for seat in Seat
        }

    @property
    def id(self) -> str:
        """The spec of this game: `"turn_based"`, `"turn_based(rules='published')"`."""
        return self.name if self.rule_set is RuleSet.AS_WRITTEN else f"{self.name}(rules={self.rule_set.value!r})"

    def prices(self, seat: Seat) -> PriceList:
        """The skills of that side's elements."""
        return self._prices[seat]

    def rules_text(self) -> str:
        """The rules in words. Models of the published rules were told less, and partly something else than is so."""
        advertised = self._data["elements"]["as_written"]
        values: dict[str, Any] = dict(self._data["combat"])
        values["chart"] = ", ".join(f"{pair.replace('>', ' to ')} {percent}" for pair, percent in advertised.items())
        for seat, side in self.sides.items():
            values[f"{seat.value}_label"] = side.label
            values[f"{seat.value}_purse"] = side.purse.amount
            values[f"{seat.value}_elements"] = ", ".join(self.elements[seat])
        lines = list(self._data["text"]["told"])
        if self.rule_set is RuleSet.AS_WRITTEN:
            lines += self._data["text"]["as_written"]
        return "\n".join(line.format_map(values) for line in lines)

    def catalogue(self, seat: Seat, items: Sequence[str] | None = None) -> str:
        """That side's skills by element, with prices and effects."""
        wanted = self.prices(seat) if items is None else items
        return "\n".join(
            f"{self.element_of[skill]}: {skill} (cost {self.skills[skill].cost}): {self.skills[skill].told}"
            for skill in self.prices(seat)
            if skill in wanted
        )

    def example(self, seat: Seat) -> str:
        """Three fighters with the cheapest skills of their elements."""
        fighters = tuple(
            Fighter(element, tuple(self._skills_of(element)[: self.n_skills])) for element in self.elements[seat]
        )
        return json.dumps(self.dump(seat, SquadPlan(fighters)))

    def check(self, seat: Seat, value: object) -> Verdict[SquadPlan]:
        """The verdict on a JSON value. The published programs check nothing but the purse, and crash on some plans."""
        side = self.sides[seat]
        shape, wrong = check_shape(schema(side.key, self.rule_set), value)
        if wrong:
            return malformed(wrong, side.purse)
        plan = from_shape(shape, side.key)
        if self.rule_set is RuleSet.PUBLISHED:
            illegal = self._crashes(plan, side.key)
            return verdict_on(plan, cost=self.cost(seat, plan), purse=side.purse, illegal=illegal, key=side.key)
        illegal = problems(
            plan,
            side.key,
            elements=self.elements[seat],
            element_of=self.element_of,
            fighters=self.n_fighters,
            skills=self.n_skills,
        )
        named = [skill for fighter in plan.fighters for skill in fighter.skills]
        cost = sum(self.skills[skill].cost for skill in named) if all(name in self.skills for name in named) else None
        return verdict_on(plan, cost=cost, purse=side.purse, illegal=illegal, key=side.key)

    def _crashes(self, plan: SquadPlan, key: str) -> list[Problem]:
        """Plans on which the published programs stop, or which are too long for ours."""
        limits = self._data["published"]
        found = []
        if len(plan.fighters) > limits["most_fighters"]:
            found.append(Problem(key, show(len(plan.fighters)), f"more than {limits['most_fighters']} fighters"))
        for number, fighter in enumerate(plan.fighters):
            where, entry = f"{key}[{number}].skills", show({"element": fighter.element, "skills": fighter.skills})
            if not fighter.skills:
                found.append(Problem(where, entry, "no skills; the published program stops here"))
            elif len(fighter.skills) > limits["most_skills"]:
                found.append(Problem(where, entry, f"more than {limits['most_skills']} skills"))
        return found

    def dump(self, seat: Seat, plan: SquadPlan) -> dict[str, Any]:
        """The plan as JSON."""
        fighters = [{"element": fighter.element, "skills": list(fighter.skills)} for fighter in plan.fighters]
        return {self.sides[seat].key: fighters}

    def canonical(self, seat: Seat, plan: SquadPlan) -> SquadPlan:
        """The plan itself: the order of fighters and of skills has a meaning."""
        return plan

    def entries(self, seat: Seat, plan: SquadPlan) -> tuple[Entry, ...]:
        """Fighters, free in themselves, and each one's skills."""
        prices = self.prices(seat)
        found = [
            Entry(fighter.element, "", f"fighter {number}", 0, "fighters")
            for number, fighter in enumerate(plan.fighters, 1)
        ]
        for fighter in plan.fighters:
            found += [
                Entry(skill, "", f"skill {number} of {fighter.element}", prices.get(skill, 0), fighter.element)
                for number, skill in enumerate(fighter.skills, 1)
            ]
        return tuple(found)

    def cost(self, seat: Seat, plan: SquadPlan) -> int:
        """The sum of all skills listed; published: a skill that the own price list does not spell so is free."""
        named = [skill for fighter in plan.fighters for skill in fighter.skills]
        if self.rule_set is RuleSet.PUBLISHED:
            return sum(self.prices(seat).get(skill, 0) for skill in named)
        return self.prices(seat).cost(named)

    def simulate(self, first: SquadPlan, second: SquadPlan, *, trace: bool = False) -> CombatResult:
        """The relay of duels; published: no winner where a duel goes on for thousands of actions."""
        if self.rule_set is RuleSet.PUBLISHED:
            limits = self._data["published"]
            return published.fight(
                {Seat.FIRST: first, Seat.SECOND: second},
                skills=self.skills,
                names=self._spellings,
                chart=self.chart,
                health=self.health,
                maximum=limits["maximum_health"],
                most_actions=limits["most_actions"],
                trace=trace,
            )
        squads = {Seat.FIRST: self.squad(Seat.FIRST, first), Seat.SECOND: self.squad(Seat.SECOND, second)}
        return as_written.fight(self.combat(trace=trace), squads)

    def as_published(self, result: CombatResult) -> dict[str, Any]:
        """The result in the words of the published programs' records."""
        if result.reason == "endless":
            most = self._data["published"]["most_actions"]
            return {"outcome": f"no_result_after_{most}_actions_in_one_duel"}
        assert result.winner is not None
        return {
            "winner": self.sides[result.winner].label,
            "survivors": [
                {
                    "element": fighter.name,
                    "hp": int(fighter.health) if fighter.health == int(fighter.health) else fighter.health,
                }
                for fighter in result.survivors
            ],
            "actions": result.length,
        }

    def combat(self, *, trace: bool = False) -> Combat:
        """A fresh combat under the rules as written."""
        return Combat(self.chart, self.health, self.most_actions, log=[] if trace else None)

    def squad(self, seat: Seat, plan: SquadPlan) -> list[Combatant]:
        """The fighters of a plan, fresh, under the rules as written."""
        return [self.combatant(seat, number, fighter) for number, fighter in enumerate(plan.fighters)]

    def combatant(self, seat: Seat, number: int, fighter: Fighter) -> Combatant:
        """One fresh fighter under the rules as written."""
        moves = tuple(self._moves[skill] for skill in fighter.skills)
        return Combatant(seat, number, fighter.element, moves, self.health)

    def fighters(self, element: str) -> tuple[Fighter, ...]:
        """Every legal fighter of an element: its different skills in every order."""
        return tuple(Fighter(element, skills) for skills in permutations(self._skills_of(element), self.n_skills))

    def fighter_cost(self, fighter: Fighter) -> int:
        """What the skills of a fighter cost."""
        return sum(self.skills[skill].cost for skill in fighter.skills)

    def random_plan(self, seat: Seat, rng: Random) -> SquadPlan:
        """Elements and skills drawn at random until the purse allows them and can buy nothing dearer by one swap."""
        elements = list(self.elements[seat])
        rng.shuffle(elements)
        while True:
            fighters = tuple(
                Fighter(element, tuple(rng.sample(self._skills_of(element), self.n_skills))) for element in elements
            )
            plan = SquadPlan(fighters)
            if not self.sides[seat].purse.excess(self.cost(seat, plan)):
                return plan

    def greedy_plan(self, seat: Seat) -> SquadPlan:
        """Damage and healing for the coin, skill by skill, from the cheapest legal squad upwards.

        The strength of a skill is the sum of its points (damage, healing, shields, reflection, burning over all its
        rounds); what works in percent counts as that percent of a tenth of a fighter's health a round. Fighters step in
        by strength, the strongest first, and use their strongest skill first.
        """
        chosen = {
            element: sorted(self._skills_of(element), key=lambda skill: self.skills[skill].cost)[: self.n_skills]
            for element in self.elements[seat]
        }
        purse = self.sides[seat].purse.amount
        cost = sum(self.skills[skill].cost for skills in chosen.values() for skill in skills)
        while True:
            swaps = [
                (gain / max(more, 1), -more, element, old, new)
                for element, skills in chosen.items()
                for old in skills
                for new in self._skills_of(element)
                if new not in skills
                and cost + (more := self.skills[new].cost - self.skills[old].cost) <= purse
                and (gain := self._strength(new) - self._strength(old)) > 0
            ]
            if not swaps:
                break
            _, less, element, old, new = max(swaps)
            chosen[element] = [new if skill == old else skill for skill in chosen[element]]
            cost -= less
        fighters = [
            Fighter(element, tuple(sorted(skills, key=lambda skill: (-self._strength(skill), skill))))
            for element, skills in chosen.items()
        ]
        fighters.sort(key=lambda fighter: (-sum(map(self._strength, fighter.skills)), fighter.element))
        return SquadPlan(tuple(fighters))

    def _strength(self, skill: str) -> int:
        facts = {key: value for key, value in self.skills[skill].facts.items() if isinstance(value, int)}
        rounds = facts.get("rounds", 1)
        points = sum(facts.get(key, 0) for key in ("damage", "shield", "flat", "more"))
        points += sum(facts.get(key, 0) * rounds for key in ("poison", "counter", "reflect"))
        points += facts.get("heal", 0) * (rounds if skill == "bud_healing" else 1)
        points += facts.get("burn", 0) * facts.get("layers", 0) * rounds
        points += facts.get("percent", 0) * self.health * rounds // 1000
        points += sum(facts.get(key, 0) for key in ("per_layer", "per_tidal", "per_tenth", "shield_per_tidal"))
        return points + facts.get("deal_percent", 0) * facts.get("lose_percent", 0) * self.health // 10_000

    def vary(self, seat: Seat, plan: SquadPlan, rng: Random) -> SquadPlan:
        """One skill replaced, two skills of a fighter exchanged, or two fighters exchanged."""
        while True:
            fighters = list(plan.fighters)
            which = rng.randrange(len(fighters))
            fighter = fighters[which]
            skills = list(fighter.skills)
            kind = rng.randrange(4)
            if kind == 0:
                other = rng.randrange(len(fighters))
                fighters[which], fighters[other] = fighters[other], fighters[which]
            else:
                one = rng.randrange(len(skills))
                if kind == 1:
                    two = rng.randrange(len(skills))
                    skills[one], skills[two] = skills[two], skills[one]
                else:
                    skills[one] = rng.choice([s for s in self._skills_of(fighter.element) if s not in skills])
                fighters[which] = Fighter(fighter.element, tuple(skills))
            found = SquadPlan(tuple(fighters))
            if found != plan and not self.sides[seat].purse.excess(self.cost(seat, found)):
                return found

    def _skills_of(self, element: str) -> list[str]:
        return [skill for skill, owner in self.element_of.items() if owner == element]
