"""Ratios of sums over matches, gathered one match at a time: any number of matches in the memory of a few numbers.

Turns of one match are not independent, so a match (an agent's side of it) is the unit: a cluster. For few clusters the
interval comes from resampling them, as in `estimate.ratio_over_clusters`. For many it follows from linearisation
(Cochran 1977, §6.4): the variance of Σa/Σb is that of Σ(a - rb)/Σb. A share gets Wilson's interval at the effective number
of observations (Korn and Graubard 1998), which stays within 0 and 1; anything else a t-interval. In simulations they hold the
truth in 92 to 98 % of cases; where what is counted is rare and comes in bunches (2 % of turns, 60 matches), in 90 %.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from stratarena.analysis.estimate import CONFIDENCE, Estimate, ratio_over_clusters, t_quantile, wilson

__all__ = ["RESAMPLED", "RatioSum"]

RESAMPLED = 40
"""Up to so many clusters they are kept and resampled."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class RatioSum:
    """Σa/Σb over clusters (a, b); clusters with b = 0 say nothing and are left out."""

    __slots__ = ("_aa", "_ab", "_bb", "_few", "_slack", "a", "b", "clusters")

    def __init__(self) -> None:
        self.a = 0.0
        self.b = 0.0
        self.clusters = 0
        self._aa = self._ab = self._bb = 0.0
        self._few: list[tuple[float, float]] | None = []

    def add(self, a: float, b: float) -> None:
        """One more cluster."""
        if b <= 0:
            return
        self.a += a
        self.b += b
        self._aa += a * a
        self._ab += a * b
        self._bb += b * b
        self.clusters += 1
        if self._few is not None:
            self._few.append((a, b))
            if len(self._few) > RESAMPLED:
                self._few = None

    def join(self, other: RatioSum) -> None:
        """All clusters of another one more."""
        self.a += other.a
        self.b += other.b
        self._aa += other._aa
        self._ab += other._ab
        self._bb += other._bb
        self.clusters += other.clusters
        if self._few is not None:
            few = self.clusters <= RESAMPLED and other._few is not None
            self._few = [*self._few, *other._few] if few and other._few is not None else None

    def estimate(self, *, bounds: tuple[float, float] | None = None) -> Estimate:
        """The ratio with its 95 % interval; n is Σb. `bounds` are its least and greatest values possible."""
        if self._few is not None:
            return ratio_over_clusters(self._few, bounds=bounds)
        value = self.a / self.b
        n, k = round(self.b), self.clusters
        spread = max(self._aa - 2 * value * self._ab + value * value * self._bb, 0.0)
        variance = k / (k - 1) * spread / (self.b * self.b)
        quantile = t_quantile((1 + CONFIDENCE) / 2, k - 1)
        if bounds is None:
            half = quantile * math.sqrt(variance)
            method = f"linearised over {k} clusters, 95 %"
            if variance == 0:
                return Estimate(value, n, None, None, "no interval: clusters do not vary")
            return Estimate(value, n, value - half, value + half, method)
        low, high = bounds
        width = high - low
        share = min(max((value - low) / width, 0.0), 1.0)
        # Where all clusters agree they count as so many observations, no more.
        spread_as = share * (1 - share) * width * width * (_Z / quantile) ** 2
        effective = spread_as / variance if variance > 0 else float(k)
        least, most = wilson(share, effective) if effective > 0 else (0.0, 1.0)
        method = f"Wilson at the effective n of {k} clusters, 95 %"
        return Estimate(value, n, low + least * width, low + most * width, method)
