"""
A histogram stretched: the distribution of the baseline, were every request slower by a factor.

Only the shares below the bucket bounds are known. Between two bounds the normal quantile of that
share is taken to be linear in the logarithm of the value, which is exact for lognormal latencies;
beyond the first and the last bound the nearest segment goes on, or one log unit per σ where that
segment is empty or there is one bound only.

*Approximate* within buckets, exact where the stretch moves one bound onto another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shape:
    """
    The baseline's distribution as a line of normal quantiles over log bounds.

    Attributes:
        shares: (buckets,) of requests, as counted.
        logs: (edges,) logarithms of the positive finite bounds.
        line: (edges,) normal quantiles of the share at or below each.
        slopes: quantile per log unit, below the first and above the last of those bounds.
        fixed: number of finite bounds ≤ 0, which no stretch moves.
    """

    shares: Floats
    logs: Floats
    line: Floats
    slopes: tuple[float, float]
    fixed: int

    @classmethod
    def of(cls, counts: Floats, edges: Floats, n: float) -> Self:
        """From counts per bucket and the number of requests that they are worth."""
        shares = counts / counts.sum()
        finite = edges[:-1]
        positive = finite > 0
        # Half a request beyond the last one seen: a share of 0 or 1 has no finite quantile.
        ends = 0.5 / (n + 1.0)
        line = np.asarray(ndtri(np.clip(np.cumsum(shares)[:-1], ends, 1 - ends)))[positive]
        logs = np.log(finite[positive])
        return cls(shares, logs, line, _slopes(logs, line), int(finite.size - logs.size))

    def quantiles(self, scales: Floats) -> Floats:
        """
        Normal quantile of the share of the stretched baseline at or below each finite bound.

        Args:
            scales: (scales,) factors > 0.

        Returns:
            (scales, buckets - 1)
        """
        below = np.cumsum(self.shares)[: self.fixed]
        fixed = np.broadcast_to(np.asarray(ndtri(below)), (scales.size, self.fixed))
        if not self.logs.size:
            return fixed
        places = self.logs[None, :] - np.log(scales)[:, None]
        moved = np.interp(places, self.logs, self.line)
        moved += self.slopes[0] * np.minimum(places - self.logs[0], 0.0)
        moved += self.slopes[1] * np.maximum(places - self.logs[-1], 0.0)
        return np.hstack(
            (fixed, np.maximum(moved, fixed[:, -1:].max(axis=1, keepdims=True, initial=-np.inf)))
        )

    def stretched(self, scales: Floats) -> Floats:
        """Shares per bucket of the baseline multiplied by each factor: (scales, buckets)."""
        below = np.empty((scales.size, self.shares.size + 1))
        below[:, 0], below[:, -1] = 0.0, 1.0
        below[:, 1:-1] = ndtr(self.quantiles(scales))
        shares = np.diff(below, axis=1)
        shares[scales == 1.0] = self.shares
        return shares


def rising_bounds(bounds: ArrayLike) -> Floats:
    """
    Upper bounds of buckets, (buckets,), checked.

    Raises:
        ValueError: they do not rise, or the last is not inf.
    """
    edges = np.asarray(bounds, dtype=np.float64)
    if edges.ndim != 1 or not edges.size or edges[-1] != np.inf or not (edges[1:] > edges[:-1]).all():
        raise ValueError(f"bounds are {edges.tolist()}, expected numbers that rise to inf")
    return edges


def bucket_counts(arm: str, counts: ArrayLike, buckets: int) -> Floats:
    """
    Requests per bucket, (buckets,), checked; the arm is named in the error.

    Raises:
        ValueError: the shape differs, or a count is negative or not finite.
    """
    values = np.asarray(counts, dtype=np.float64)
    if values.shape != (buckets,) or not (values >= 0).all() or not np.isfinite(values).all():
        raise ValueError(f"{arm}: {values.tolist()}, expected {buckets} finite counts ≥ 0")
    return values


def _slopes(logs: Floats, line: Floats) -> tuple[float, float]:
    """Slopes to go on with beyond the bounds: the next segment's, or 1 (a log unit per σ)."""
    if logs.size < 2:
        return 1.0, 1.0
    first = float((line[1] - line[0]) / (logs[1] - logs[0]))
    last = float((line[-1] - line[-2]) / (logs[-1] - logs[-2]))
    return first or 1.0, last or 1.0
