"""
The slowest requests: where a histogram's tail begins, and what a stretch makes of it.

A rank test hardly sees one request in a hundred, so those above a bound are counted and judged by a
test of their own. What that test should tolerate follows from the rank test's tolerance: the odds of
exceeding the bound rise as those of the stretched baseline do.

*Approximate* within buckets, as `stretch` is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from firedamp.stats.stretch import Shape, bucket_counts, rising_bounds


def tail_edge(baseline: ArrayLike, bounds: ArrayLike, share: float = 0.01) -> int | None:
    """
    Index of the first finite bound that at most `share` of the baseline exceeds.

    Args:
        baseline: (buckets,) requests per bucket.
        bounds: (buckets,) upper bounds, rising, the last inf.
        share: of requests, in (0, 1).

    Returns:
        None where more than `share` lie above every finite bound, or there are no requests.
    """
    edges = rising_bounds(bounds)
    counts = bucket_counts("baseline", baseline, edges.size)
    total = float(counts.sum())
    above = total - np.cumsum(counts)[:-1]
    rare = np.flatnonzero(above <= share * total)
    return int(rare[0]) if total > 0 and rare.size else None


def implied_tail_tolerance(
    baseline: ArrayLike, bounds: ArrayLike, edge_index: int, tolerance: float
) -> float:
    """
    How much the odds of exceeding a bound rise when the baseline is stretched by the tolerance.

    Args:
        baseline: (buckets,) requests per bucket; at least one request.
        bounds: (buckets,) upper bounds, rising, the last inf.
        edge_index: of a finite bound.
        tolerance: of the stretch, ≥ 0.

    Returns:
        Odds ratio less 1, at least the tolerance itself: what a Fisher test on the requests above
        the bound should tolerate.

    Raises:
        ValueError: there are no requests, or the bound is not finite.
    """
    edges = rising_bounds(bounds)
    counts = bucket_counts("baseline", baseline, edges.size)
    total = float(counts.sum())
    if not (total > 0 and 0 <= edge_index < edges.size - 1):
        raise ValueError(f"{total} requests, bound {edge_index}: expected > 0 and 0..{edges.size - 2}")
    shape = Shape.of(counts, edges, max(total, 1.0))
    below = ndtr(shape.quantiles(np.array([1.0, 1.0 + tolerance]))[:, edge_index])
    odds = (1 - below) / below
    return max(tolerance, float(odds[1] / odds[0]) - 1.0)
