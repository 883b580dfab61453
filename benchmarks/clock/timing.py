"""
Processor time of several calls, paired: every round takes each of them once.

What slows the machine for a while slows all calls of a round alike, so ratios between them are taken
within rounds, and their medians hold where single figures would not.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Of one value or more."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(middle, low, high)


def paired(calls: Mapping[str, Call], rounds: int, *, least: float = 0.002) -> dict[str, list[float]]:
    """
    Seconds of processor time that each call takes, round by round.

    Args:
        calls: by name; each is made once before anything is measured.
        rounds: how often each is measured.
        least: a call is repeated until it takes about so many seconds, for the clock is coarse.
    """
    repeats = {name: max(1, round(least / max(_seconds(call, 1), 1e-9))) for name, call in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            found[name].append(_seconds(call, repeats[name]))
    return found


def _seconds(call: Call, repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        call()
    return (time.process_time() - began) / repeats


def ratio(found: Mapping[str, Sequence[float]], over: str, under: str) -> Spread:
    """Of two calls, within rounds."""
    return spread([above / below for above, below in zip(found[over], found[under], strict=True)])
