"""What goes into counting and comes out of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from firedamp.model import Row, Trouble

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: A predecessor is looked for this far back; as far as PromQL looks for an instant value.
LOOK_BACK_SECONDS = 300.0

#: A series' labels as sorted pairs.
Key = tuple[tuple[str, str], ...]
#: What one scrape fetches, as far as labels tell: pod and `instance`.
Target = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    """One time series: labels without the metric name, sample times (Unix seconds, ascending), values."""

    labels: Mapping[str, str]
    times: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Samples:
    """
    What a source answered to one need.

    Attributes:
        series: raw series; or, where `summed`, added up at the server per target (and bucket).
        warnings: what the source said beside its data; a partial answer is a warning.
        summed: the server added series up, because there were too many to send. Such an answer stands
            on its own: it brings the predecessors of its first block, and memory's are not used.
        starts: Unix time at which each pod's process began, as far as known.
        beside: other series of the same pods. They count nothing but show when a pod was scraped, so that
            its first error is told apart from its first scrape.
    """

    series: tuple[Series, ...] = ()
    warnings: tuple[str, ...] = ()
    summed: bool = False
    starts: Mapping[str, float] = field(default_factory=dict)
    beside: tuple[Series, ...] = ()
    bytes_read: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Presence:
    """
    One unbroken time of being scraped: no gap longer than the look-back.

    Attributes:
        arrived, last: Unix times of its first and its last scrape so far.
        from_zero: what was first scraped at `arrived` had begun at zero shortly before.
    """

    arrived: float
    last: float
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """
    A target's typical scrape interval, learnt from its first scrapes.

    Attributes:
        distances: seconds between the first scrapes.
        last: Unix time of the last scrape learnt from.
    """

    distances: tuple[float, ...]
    last: float

    @property
    def seconds(self) -> float:
        """
        A little above the median, for samples delivered twice make just over half of the distances short;
        0 unknown.
        """
        if not self.distances:
            return 0.0
        return sorted(self.distances)[math.ceil(0.6 * (len(self.distances) - 1))]


@dataclass(frozen=True, slots=True)
class Memory:
    """
    What one query's counting remembers between looks.

    Attributes:
        until: samples up to this Unix time are counted; later deliveries of them are dropped.
        summed: the last answer was summed at the server.
        last: last accepted (time, value) of each series.
        steps: typical scrape interval of each target.
        targets, pods: when each was last there; pods are never forgotten.
        scraped: when anything of the selector was last there; None never.
    """

    until: float = -np.inf
    summed: bool = False
    last: Mapping[Key, tuple[float, float]] = field(default_factory=dict)
    steps: Mapping[Target, Step] = field(default_factory=dict)
    targets: Mapping[Target, Presence] = field(default_factory=dict)
    pods: Mapping[str, Presence] = field(default_factory=dict)
    scraped: Presence | None = None

    @classmethod
    def watching(cls, since: float, last: float) -> "Memory":
        """The source scraped others from `since` to `last`: a pod absent then began later."""
        return cls(until=since, scraped=Presence(since, last))


@dataclass(frozen=True, slots=True)
class Count:
    """
    What a query brought, block by block.

    Attributes:
        rows: pod -> numbers, for each block. A counter has one column, its increase; buckets have one
            column per bound, each the increase above the bound before. Every pod scraped in the block
            has a row, of zeros where it counted nothing; a level has one column, its value.
        bounds: upper bucket bounds, ascending, the last one inf; empty for a plain counter.
        troubles: what was wrong with the data, for each block.
        memory: what to pass with the next samples.
    """

    rows: tuple[Mapping[str, Row], ...]
    bounds: tuple[float, ...] = ()
    troubles: tuple[tuple[Trouble, ...], ...] = ()
    memory: Memory = field(default_factory=Memory)
