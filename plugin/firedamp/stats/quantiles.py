"""
Quantiles and curves of histograms, for people to look at; no test uses them.

Shapes are (buckets,): counts of observations at or below each upper bound and above the one before it,
bounds ascending, the last one inf. Inside a bucket observations are taken to lie evenly, as Prometheus'
`histogram_quantile` does; in the open bucket nobody knows where they are.

Source: Prometheus, promql/quantile.go, bucketQuantile.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


def quantile(counts: Sequence[float], bounds: Sequence[float], level: float) -> float | None:
    """
    Where a share of the observations ends.

    Args:
        counts: (buckets,) observations in each, ≥ 0.
        bounds: (buckets,) upper bounds, ascending, the last inf.
        level: the share, in (0, 1).

    Returns:
        In the unit of the bounds; None without observations, or where it lies in the open bucket.
    """
    reached = list(accumulate(counts))
    if not reached or reached[-1] <= 0 or len(reached) != len(bounds):
        return None
    wanted = level * reached[-1]
    bucket = bisect_left(reached, wanted)
    if bucket >= len(bounds) or not math.isfinite(bounds[bucket]):
        return None
    low = bounds[bucket - 1] if bucket else min(0.0, bounds[0])
    below = reached[bucket - 1] if bucket else 0.0
    return low + (bounds[bucket] - low) * (wanted - below) / counts[bucket]


def curve(counts: Sequence[float]) -> tuple[float, ...]:
    """
    Share of the observations at or below each bound.

    Args:
        counts: (buckets,) observations in each, ≥ 0.

    Returns:
        (buckets,) rising, the last 1; empty without observations.
    """
    reached = tuple(accumulate(counts))
    if not reached or reached[-1] <= 0:
        return ()
    return tuple(one / reached[-1] for one in reached)
