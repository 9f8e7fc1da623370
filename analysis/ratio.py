"""Ratios of sums over matches, gathered one match at a time: any number of matches in the memory of a few numbers.

Turns of one match are not independent, so a match (an agent's side of it) is the unit: a cluster. By linearisation (Cochran
1977, §6.4) the variance of Σa/Σb is that of Σ(a - rb)/Σb. A share gets Wilson's interval at the effective number of
observations (Korn and Graubard 1998), which stays within 0 and 1. How many degrees of freedom that variance has is itself
estimated (Satterthwaite 1946: twice the squared mean of the clusters' squared residuals over the variance of that mean):
where what is counted is rare and comes in bunches, a few clusters make up the variance, however many there are. Anything
else gets a t-interval, or up to `RESAMPLED` clusters one from resampling them. How often they hold the truth is printed by
`bench/interval_coverage.py` and told in `docs/report.md`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from statistics import NormalDist

from stratarena.analysis.estimate import CONFIDENCE, Estimate, no_data, ratio_over_clusters, t_quantile, wilson

__all__ = ["RESAMPLED", "RatioSum", "share_over_clusters"]

RESAMPLED = 40
"""Up to so many clusters they are kept, and resampled where the ratio is not a share."""
_LEAST_DEGREES = 3
_NOTHING = 1e-13
"""Squared residuals below this share of what they are differences of are what rounding leaves of none."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def share_over_clusters(clusters: Iterable[tuple[float, float]]) -> Estimate:
    """The share Σa/Σb over clusters (a, b) that all lie from 0 to 1, with its 95 % interval; n is Σb."""
    shares = RatioSum()
    for a, b in clusters:
        shares.add(a, b)
    return shares.estimate(bounds=(0.0, 1.0))


class RatioSum:
    """Σa/Σb over clusters (a, b); clusters with b = 0 say nothing and are left out."""

    __slots__ = ("_aa", "_ab", "_bb", "_few", "_fourth", "a", "b", "clusters")

    def __init__(self) -> None:
        self.a = 0.0
        self.b = 0.0
        self.clusters = 0
        self._aa = self._ab = self._bb = 0.0
        self._fourth = (0.0, 0.0, 0.0, 0.0, 0.0)
        """Σa⁴, Σa³b, Σa²b², Σab³, Σb⁴."""
        self._few: list[tuple[float, float]] | None = []

    def add(self, a: float, b: float) -> None:
        """One more cluster."""
        if b <= 0:
            return
        self.a += a
        self.b += b
        aa, ab, bb = a * a, a * b, b * b
        self._aa += aa
        self._ab += ab
        self._bb += bb
        a4, a3b, a2b2, ab3, b4 = self._fourth
        self._fourth = (a4 + aa * aa, a3b + aa * ab, a2b2 + aa * bb, ab3 + ab * bb, b4 + bb * bb)
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
        self._fourth = tuple(map(operator.add, self._fourth, other._fourth))
        self.clusters += other.clusters
        if self._few is not None:
            few = self.clusters <= RESAMPLED and other._few is not None
            self._few = [*self._few, *other._few] if few and other._few is not None else None

    def estimate(self, *, bounds: tuple[float, float] | None = None) -> Estimate:
        """The ratio with its 95 % interval; n is Σb. `bounds` are its least and greatest values possible."""
        if bounds is None and self._few is not None:
            return ratio_over_clusters(self._few)
        if self.clusters == 0:
            return no_data("Wilson at the effective n of clusters, 95 %")
        value = self.a / self.b
        n, k = round(self.b), self.clusters
        spread = max(self._aa - 2 * value * self._ab + value * value * self._bb, 0.0)
        if spread <= _NOTHING * (self._aa + value * value * self._bb):
            spread = 0.0
        variance = k / (k - 1) * spread / (self.b * self.b) if k > 1 else 0.0
        if bounds is None:
            if variance == 0:
                return Estimate(value, n, None, None, "no interval: clusters do not vary")
            half = t_quantile((1 + CONFIDENCE) / 2, self._degrees(value, spread)) * math.sqrt(variance)
            return Estimate(value, n, value - half, value + half, f"linearised over {k} clusters, 95 %")
        low, high = bounds
        width = high - low
        share = min(max((value - low) / width, 0.0), 1.0)
        # Where all clusters agree they count as so many observations, no more.
        effective = float(k)
        if variance > 0:
            quantile = t_quantile((1 + CONFIDENCE) / 2, self._degrees(value, spread))
            effective = share * (1 - share) * width * width / variance * (_Z / quantile) ** 2
        least, most = wilson(share, effective) if effective > 0 else (0.0, 1.0)
        method = f"Wilson at the effective n of {k} clusters, 95 %"
        return Estimate(value, n, low + least * width, low + most * width, method)

    def _degrees(self, value: float, spread: float) -> int:
        """Degrees of freedom of the variance of the ratio, which has this value; `spread` is Σ(a - rb)²."""
        k, most = self.clusters, self.clusters - 1
        a4, a3b, a2b2, ab3, b4 = self._fourth
        fourth = a4 - 4 * value * a3b + 6 * value**2 * a2b2 - 4 * value**3 * ab3 + value**4 * b4
        if fourth <= _NOTHING * (a4 + value**4 * b4):
            return most
        mean = spread / k
        varies = (fourth / k - mean * mean) / most
        return most if varies <= 0 else min(most, max(_LEAST_DEGREES, math.floor(2 * mean * mean / varies)))
