"""What separates two plans of a resource-limited game, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from stratarena.games.resource.base import Entry

__all__ = ["Change", "difference"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one entry, or of the two that stand for each other."""

    kind: str
    """`"kept"`, `"moved"` (another place), `"replaced"` (something else in its place), `"added"` or `"removed"`."""
    before: Entry | None
    after: Entry | None

    @property
    def cost(self) -> int:
        """What the change adds to the plan's cost."""
        return (self.after.cost if self.after else 0) - (self.before.cost if self.before else 0)


_ALIKE: tuple[tuple[str, Callable[[Entry], Hashable]], ...] = (
    ("kept", lambda entry: entry),
    ("moved", lambda entry: (entry.group, entry.item, entry.variant)),
    ("replaced", lambda entry: (entry.group, entry.place)),
)


def difference(before: Sequence[Entry], after: Sequence[Entry]) -> tuple[Change, ...]:
    """The changes that make the one plan into the other, in the order of the new plan, what is gone at the end.

    Entries that are equal stand for each other first; of the rest those of one item (moved), then those at one place
    (replaced), each within its group. What is left over was removed or added.
    """
    left = dict(enumerate(before))
    found: dict[int, Change] = {}
    for kind, key in _ALIKE:
        waiting: dict[Hashable, list[int]] = {}
        for number, entry in left.items():
            waiting.setdefault(key(entry), []).append(number)
        for number, entry in enumerate(after):
            if number not in found and waiting.get(key(entry)):
                found[number] = Change(kind, left.pop(waiting[key(entry)].pop(0)), entry)
    new = [found.get(number) or Change("added", None, entry) for number, entry in enumerate(after)]
    return (*new, *(Change("removed", entry, None) for entry in left.values()))
