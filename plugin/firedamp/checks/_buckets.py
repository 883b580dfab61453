"""Histograms of requests as arrays: shapes are (buckets,), in requests, bounds ascending with inf last."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from firedamp.model import Row

Counts = NDArray[np.float64]


def fitting(rows: Mapping[str, Row], bounds: tuple[float, ...]) -> Mapping[str, Row]:
    """Rows that have these buckets, by pod in the order of names: a sum's last digit depends on it."""
    return {pod: rows[pod] for pod in sorted(rows) if len(rows[pod]) == len(bounds)}


def summed(rows: Mapping[str, Row], bounds: tuple[float, ...]) -> Counts:
    """Requests per bucket of all pods together; zeros without pods."""
    return np.array(list(rows.values()), dtype=float).sum(axis=0) if rows else np.zeros(len(bounds))


def plus(old: Counts, new: Counts) -> Counts:
    """Both added; the other one where one is still empty."""
    return old + new if old.size == new.size else (new.copy() if new.size else old)


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


def above(pods: Mapping[str, Row], edge: int) -> Mapping[str, Row]:
    """(Requests above the edge, requests) of each pod."""
    return {pod: (math.fsum(row[edge + 1 :]), math.fsum(row)) for pod, row in pods.items()}
