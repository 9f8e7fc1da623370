"""The exact best answer to a squad in turn-based combat, as written: a search fighter by fighter.

A combat is a relay. What the own front fighter leaves behind when it falls, an enemy in a certain condition, is all that
matters for the rest; so squads that leave the same enemy, have the same elements left and cost the same need be looked at
once, and of those that differ in cost only the cheapest. A squad that wins with fewer fallen fighters always wins by
more, so the search stops at the first depth at which there is a win.
"""

from __future__ import annotations

from dataclasses import dataclass

from stratarena.games.base import Seat
from stratarena.games.turn_based.as_written import Combat, Combatant, duel
from stratarena.games.turn_based.game import TurnBased
from stratarena.games.turn_based.plans import Fighter, SquadPlan

__all__ = ["SquadAnswer", "best_squad"]


@dataclass(frozen=True, slots=True)
class SquadAnswer:
    """A squad and how it fares."""

    plan: SquadPlan
    margin: float
    """Of the combat, -1 to 1, from the point of view of the side that answers."""
    exact: bool
    """No legal squad within the purse has a greater margin."""
    relays: int
    """Runs of one own fighter against what was left of the other squad."""


@dataclass(frozen=True, slots=True)
class _Reached:
    """What the other squad is when the own fighters so far have fallen."""

    fighters: tuple[Fighter, ...]
    """Own, in the order in which they fell."""
    spent: int
    standing: int
    """Enemies left."""
    front: Combatant | None
    """The enemy in front, None once all are out."""

    def left(self, health: int) -> int:
        """Health points of all enemies left."""
        return 0 if self.front is None else self.front.health + (self.standing - 1) * health


class _Search:
    def __init__(self, game: TurnBased, seat: Seat, theirs: SquadPlan, most_relays: int) -> None:
        self.game = game
        self.seat = seat
        self.theirs = theirs
        self.most = most_relays
        self.relays = 0
        self.purse = game.sides[seat].purse.amount
        self.menu = {
            element: sorted((game.fighter_cost(fighter), fighter.skills, fighter) for fighter in game.fighters(element))
            for element in game.elements[seat]
        }
        self.cheapest = {element: menu[0][0] for element, menu in self.menu.items()}
        self.whole = game.health * game.n_fighters

    def run(self, own: Combatant, reached: _Reached) -> tuple[int, _Reached | None]:
        """Let an own fighter meet what is left; the health it wins with (0 if it falls), and what it leaves if it falls."""
        self.relays += 1
        combat: Combat = self.game.combat()
        standing, enemy = reached.standing, reached.front
        assert enemy is not None
        enemy = enemy.copy()
        while True:
            first, second = (own, enemy) if self.seat is Seat.FIRST else (enemy, own)
            stays = duel(combat, first, second)
            if stays is enemy:
                return 0, _Reached((), 0, standing, enemy)
            standing -= 1
            following = self._enemy(standing)
            if stays is None:
                return 0, _Reached((), 0, standing, following)
            if following is None:
                return own.health, None
            enemy = following

    def _enemy(self, standing: int) -> Combatant | None:
        """The fresh enemy that steps in when so many are left."""
        if standing == 0:
            return None
        number = len(self.theirs.fighters) - standing
        return self.game.combatant(self.seat.other, number, self.theirs.fighters[number])

    def start(self) -> _Reached:
        n = len(self.theirs.fighters)
        return _Reached((), 0, n, self._enemy(n))

    def complete(self, fighters: tuple[Fighter, ...]) -> SquadPlan:
        """These fighters with the cheapest of the elements that are left behind them."""
        used = {fighter.element for fighter in fighters}
        rest = tuple(self.menu[element][0][2] for element in self.game.elements[self.seat] if element not in used)
        return SquadPlan(fighters + rest)

    def won(self, health: int, fallen: int) -> float:
        """The margin of a win with a front fighter of that health and so many fallen before it."""
        untouched = self.game.n_fighters - fallen - 1
        return 0.5 + 0.5 * (health + untouched * self.game.health) / self.whole

    def lost(self, reached: _Reached) -> float:
        """The margin when all own fighters have fallen; if the enemies have, too, the rules give it to FIRST."""
        clear = 0.5 + 0.5 * reached.left(self.game.health) / self.whole
        return clear if reached.front is None and self.seat is Seat.FIRST else -clear


def best_squad(game: TurnBased, seat: Seat, theirs: SquadPlan, *, most_relays: int = 400_000) -> SquadAnswer:
    """The legal squad within the purse with the greatest margin against this one.

    Not exact when more than `most_relays` runs of one own fighter would be needed; it is then the best of those tried.

    Args:
        theirs: the other side's squad: legal, or too dear.
    """
    search = _Search(game, seat, theirs, most_relays)
    best: tuple[float, SquadPlan] | None = None
    frontier = [search.start()]
    for fallen in range(game.n_fighters):
        followers: dict[tuple[object, ...], _Reached] = {}
        won = False
        last = fallen == game.n_fighters - 1
        # The most promising first, so that a search that runs out has seen those.
        for reached in sorted(frontier, key=lambda one: (one.left(game.health), one.spent)):
            used = frozenset(fighter.element for fighter in reached.fighters)
            open_elements = [element for element in game.elements[seat] if element not in used]
            for element in open_elements:
                reserve = sum(search.cheapest[other] for other in open_elements if other != element)
                for cost, _, fighter in search.menu[element]:
                    spent = reached.spent + cost
                    if spent + reserve > search.purse:
                        break
                    if search.relays >= most_relays and best is not None:
                        return SquadAnswer(best[1], best[0], False, search.relays)
                    fighters = (*reached.fighters, fighter)
                    own = game.combatant(seat, fallen, fighter)
                    health, left = search.run(own, reached)
                    if left is None or (left.front is None and not last):
                        won = True
                        margin = search.won(health, fallen)
                    elif last:
                        margin = search.lost(left)
                    else:
                        assert left.front is not None
                        key = (used | {element}, left.standing, left.front.key())
                        known = followers.get(key)
                        if known is None or spent < known.spent:
                            followers[key] = _Reached(fighters, spent, left.standing, left.front)
                        # Whoever follows it, all that could be lost is lost at worst.
                        margin = -1.0
                    if best is None or margin > best[0]:
                        best = (margin, search.complete(fighters))
        if won:
            break
        frontier = list(followers.values())
    assert best is not None
    return SquadAnswer(best[1], best[0], True, search.relays)
