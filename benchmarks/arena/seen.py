"""
What the peers see: each arm's events and requests per check and block, many releases at once.

For a counting check an event is an error, its series the error ratio; for a latency an event is a request
above 250 ms, its series the 99th percentile, interpolated in its bucket as Prometheus does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arena.cells import Cell
from arena.traffic import BOUNDS, Traffic

Floats = NDArray[np.float64]

#: Blocks of warm-up, as firedamp leaves them out.
WARM_UP = 4
SLOW_SECONDS, QUANTILE = 0.25, 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """
    Releases as a method without pods sees them.

    Attributes:
        cell: what kind they are.
        events, requests: (2, releases, checks, blocks); arm 0 is main, arm 1 the canary.
        series: likewise, error ratio or 99th percentile; NaN without requests.
    """

    cell: Cell
    events: Floats
    requests: Floats
    series: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Releases, checks and blocks."""
        return self.events.shape[1:]

    @property
    def warm(self) -> "Seen":
        """Without the two minutes in which caches are cold, for methods that would judge them."""
        if self.cell.bare or not self.cell.warm_up:
            return self
        later = np.arange(self.shape[2]) >= WARM_UP
        return replace(self, events=self.events * later, requests=self.requests * later)

    @property
    def latencies(self) -> slice:
        """Which checks are latencies."""
        return slice(self.cell.counters, None)


def seen(cell: Cell, releases: Sequence[Traffic]) -> Seen:
    """Sum over pods."""
    tables = [np.stack([_arm(one, arm) for arm in _arms(one)]) for one in releases]
    # (releases, arms, quantities, blocks, checks), with the blocks last and the arms first.
    events, requests, series = np.moveaxis(np.stack(tables), (2, 1, 0, 4, 3), (0, 1, 2, 3, 4))
    return Seen(cell, events, requests, series)


def _arms(one: Traffic) -> tuple[slice, slice]:
    return slice(None, one.mains), slice(one.mains, None)


def _arm(one: Traffic, pods: slice) -> Floats:
    """(3, blocks, checks): events, requests, series."""
    errors, requests = (table[:, :, pods].sum(axis=2) for table in (one.errors, one.requests))
    buckets = one.buckets[:, :, pods].sum(axis=2)
    whole, slow = buckets.sum(axis=-1), buckets[..., BOUNDS > SLOW_SECONDS].sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(requests > 0, errors / requests, np.nan)
    columns = ((errors, slow), (requests, whole), (ratio, quantile(buckets)))
    return np.stack([np.concatenate(pair, axis=1).astype(float) for pair in columns])


def quantile(buckets: Floats) -> Floats:
    """The 99th percentile of histograms (..., buckets), as histogram_quantile has it; NaN for empty ones."""
    below = np.cumsum(buckets, axis=-1)
    rank = QUANTILE * below[..., -1:]
    at = np.minimum((below < rank).sum(axis=-1), len(BOUNDS) - 2)[..., None]
    lower = np.where(at > 0, BOUNDS[np.maximum(at - 1, 0)], 0.0)
    before = np.where(at > 0, np.take_along_axis(below, np.maximum(at - 1, 0), -1), 0.0)
    inside = np.take_along_axis(buckets, at, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = lower + (BOUNDS[at] - lower) * np.minimum((rank - before) / inside, 1.0)
    return np.where(below[..., -1:] > 0, found, np.nan)[..., 0]
