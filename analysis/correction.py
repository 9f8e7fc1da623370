"""What came of looking again: right to wrong and wrong to right, by cause, with a test of whether it helps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from stratarena.analysis.process import Play

__all__ = ["Corrections", "corrections_by", "sign_test"]


@dataclass(frozen=True, slots=True)
class Corrections:
    """Counts of times an agent looked again at what it meant."""

    kept_right: int = 0
    """It was right and was kept."""
    kept_wrong: int = 0
    right_to_right: int = 0
    """Another move or plan came of it, and both were right."""
    right_to_wrong: int = 0
    wrong_to_right: int = 0
    wrong_to_wrong: int = 0
    ungraded: int = 0
    """Nobody said what was right, before or after."""

    @property
    def revisions(self) -> int:
        """Graded ones."""
        return self.right_to_right + self.right_to_wrong + self.wrong_to_right + self.wrong_to_wrong

    @property
    def p(self) -> float | None:
        """Of the exact sign test (McNemar's) that revisions mend as often as they spoil; None without either."""
        return sign_test(self.wrong_to_right, self.right_to_wrong)

    def __add__(self, other: Corrections) -> Corrections:
        return Corrections(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def corrections_by(plays: Iterable[Play]) -> dict[tuple[str, str], Corrections]:
    """By agent and cause (`""` where none was declared), all games together."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for play in plays:
        for update in (*play.updates, *play.looks):
            if update.right_before is None or update.right_after is None:
                kind = "ungraded"
            elif update.revised:
                before, after = ("right" if right else "wrong" for right in (update.right_before, update.right_after))
                kind = f"{before}_to_{after}"
            else:
                kind = "kept_right" if update.right_before else "kept_wrong"
            row = counts.setdefault((play.agent, update.cause or ""), {})
            row[kind] = row.get(kind, 0) + 1
    return {key: Corrections(**row) for key, row in counts.items()}


def sign_test(one: int, other: int) -> float | None:
    """Two-sided p that two counts come from a fair coin, exact; None when both are 0."""
    n = one + other
    if n == 0:
        return None
    least = min(one, other)
    if n > _EXACT:
        # Beyond this the normal approximation with continuity correction agrees to three digits.
        gap = max(abs(one - other) - 1, 0) / math.sqrt(n)
        return math.erfc(gap / math.sqrt(2))
    tail: int = sum(math.comb(n, k) for k in range(least + 1))
    return min(1.0, 2 * tail / (1 << n))


_EXACT = 2000
