"""
Counters are counted, not estimated: raw samples in, whole increases per pod and block out.

PromQL's `increase()` extrapolates to the window's edges and loses what a new pod counted before its
first scrape; a test of a few errors cannot afford either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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
        series: raw series; or, where `summed`, one per pod (and bucket) added up at the server.
        warnings: what the source said beside its data; a partial answer is a warning.
        summed: the server added series up, because there were too many to send.
    """

    series: tuple[Series, ...] = ()
    warnings: tuple[str, ...] = ()
    summed: bool = False
    bytes_read: int = field(default=0, compare=False)
