"""The in-game resource: what things cost, what a seat may spend on them, and by how much a plan goes over.

Purse and cost are words of the game. What thinking may use is a budget, what it used a spend: see `agents.budget`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from types import MappingProxyType

from stratarena.games.base import ArenaError, SpecError

__all__ = ["PriceList", "Purse", "UnknownItem"]


class UnknownItem(ArenaError):
    """An item that a price list does not have."""

    def __init__(self, item: str, *, close: str | None) -> None:
        self.item = item
        """The item as it was asked for."""
        hint = f"; did you mean {close!r}?" if close else ""
        super().__init__(f"{item!r} is not on the price list{hint}")


class PriceList(Mapping[str, int]):
    """Items and their prices, whole and never negative, in a fixed order. Names are matched letter by letter."""

    __slots__ = ("_prices",)

    def __init__(self, prices: Mapping[str, int]) -> None:
        wrong = [item for item, price in prices.items() if price < 0]
        if wrong:
            raise SpecError(f"{wrong[0]}: a price of {prices[wrong[0]]}; expected 0 or more")
        self._prices: Mapping[str, int] = MappingProxyType(dict(prices))

    def __getitem__(self, item: str) -> int:
        return self._prices[item]

    def __iter__(self) -> Iterator[str]:
        return iter(self._prices)

    def __len__(self) -> int:
        return len(self._prices)

    def price(self, item: str) -> int:
        """The price of one.

        Raises:
            UnknownItem: it is not on the list; names the closest item that is.
        """
        found = self._prices.get(item)
        if found is None:
            close = get_close_matches(item, self._prices, n=1, cutoff=0.6) if len(item) < 100 else []
            raise UnknownItem(item, close=close[0] if close else None)
        return found

    def cost(self, items: Iterable[str]) -> int:
        """The sum of the prices, each item counted as often as it comes.

        Raises:
            UnknownItem: one is not on the list.
        """
        return sum(self.price(item) for item in items)


@dataclass(frozen=True, slots=True)
class Purse:
    """What a seat may lay out on one plan."""

    amount: int
    """In the game's own coin."""

    def excess(self, cost: int) -> int:
        """By how much a cost goes over; 0 where it does not."""
        return max(cost - self.amount, 0)

    def relative_excess(self, cost: int) -> Fraction:
        """The excess as a share of the purse."""
        return Fraction(self.excess(cost), self.amount)
