"""The games of two plans by name."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

from stratarena.games.base import SpecError
from stratarena.games.resource.base import ResourceGame, RuleSet

__all__ = ["NAMES", "resource_game"]

_CLASSES = {
    "tower_defense": ("stratarena.games.tower_defense.game", "TowerDefense"),
    "battle_card": ("stratarena.games.battle_card.game", "BattleCard"),
    "turn_based": ("stratarena.games.turn_based.game", "TurnBased"),
}
NAMES = tuple(_CLASSES)


@lru_cache(maxsize=16)
def resource_game(name: str, rules: str = "as_written", **params: Any) -> ResourceGame[Any]:
    """The game under that rule set; made once, since it never changes.

    Raises:
        SpecError: there is no such game or rule set, or it does not take these parameters.
    """
    if name not in _CLASSES:
        raise SpecError(f"{name!r} is no game of two plans; expected {', '.join(NAMES)}")
    rule_sets = [rule_set.value for rule_set in RuleSet]
    if rules not in rule_sets:
        raise SpecError(f"rules {rules!r} are unknown; expected {' or '.join(rule_sets)}")
    module, attribute = _CLASSES[name]
    game: ResourceGame[Any] = getattr(import_module(module), attribute)(rules, **params)
    return game
