"""What is left of a look's time, by the event loop's clock, and times as the HTTP API takes them."""

import asyncio
import math
from collections.abc import Sequence
from itertools import pairwise


class Deadline:
    """So many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds

    @property
    def left(self) -> float:
        return self._at - asyncio.get_running_loop().time()


def milliseconds(time: float) -> int:
    """Unix time in whole milliseconds, rounded down: a query must not see beyond its end."""
    return math.floor(1000 * time + 1e-3)  # a double holds Unix milliseconds to 0.0003


def api_time(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def grids(times_ms: Sequence[int]) -> list[tuple[int, int, int]]:
    """First, last and step of range queries that are evaluated at exactly these times."""
    steps = {later - earlier for earlier, later in pairwise(times_ms)}
    if len(steps) == 1:
        return [(times_ms[0], times_ms[-1], steps.pop())]
    return [(one, one, 1000) for one in times_ms]
