"""Histograms of requests as arrays: shapes are (buckets,), in requests, bounds ascending with inf last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firedamp.model import Row

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ByPod:
    """
    Counts of some pods.

    Attributes:
        names: of the pods, rising: a sum's last digit depends on the order.
        counts: (pods, ...) of each.
    """

    names: tuple[str, ...] = ()
    counts: Counts = field(default_factory=lambda: np.zeros((0, 0)))

    def __add__(self, other: ByPod) -> ByPod:
        if self.names == other.names:
            return ByPod(self.names, self.counts + other.counts)
        if not (self.names and other.names):
            return other if other.names else self
        names = tuple(sorted({*self.names, *other.names}))
        counts = np.zeros((len(names), *self.counts.shape[1:]))
        for part in (self, other):
            counts[[names.index(name) for name in part.names]] += part.counts
        return ByPod(names, counts)

    @property
    def sizes(self) -> Counts:
        """(pods,) what each of them has in all."""
        return np.asarray(self.counts.sum(axis=tuple(range(1, self.counts.ndim))))

    @property
    def total(self) -> float:
        """What they have together."""
        return float(self.counts.sum())

    def above(self, edge: int) -> Mapping[str, Row]:
        """(Requests above the edge, requests) of each pod; counts are (pods, buckets)."""
        slow = self.counts[:, edge + 1 :].sum(axis=1)
        return dict(zip(self.names, zip(slow.tolist(), self.sizes.tolist(), strict=True), strict=True))


def by_pod(rows: Mapping[str, Row], bounds: tuple[float, ...]) -> ByPod:
    """(pods, buckets) of the rows that have these buckets."""
    names = tuple(pod for pod in sorted(rows) if len(rows[pod]) == len(bounds))
    counts = np.array([rows[pod] for pod in names], dtype=float)
    return ByPod(names, counts.reshape(len(names), len(bounds)))


def median(counts: Counts, bounds: tuple[float, ...]) -> float | None:
    """The median by linear interpolation inside its bucket; None in an open bucket or without requests."""
    reached = np.cumsum(counts)
    if not counts.size or reached[-1] <= 0:
        return None
    bucket = int(np.searchsorted(reached, reached[-1] / 2))
    if not np.isfinite(bounds[bucket]):
        return None
    low = bounds[bucket - 1] if bucket else min(0.0, bounds[0])
    below = reached[bucket - 1] if bucket else 0.0
    return float(low + (bounds[bucket] - low) * (reached[-1] / 2 - below) / counts[bucket])
