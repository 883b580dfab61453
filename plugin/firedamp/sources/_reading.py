"""What answers with traces have in common: which are wanted of them, and reading that makes nobody wait."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from firedamp.tracing import Sought, Trace

#: A larger answer takes more than 20 ms to read, which is done beside the event loop.
_READ_AT_ONCE = 200_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Traces sought whose root began in [begin, end), Unix seconds."""

    sought: Sought
    begin: float
    end: float

    def has(self, trace: Trace) -> bool:
        if trace.is_elsewhere or not self.begin <= trace.start < self.end:
            return False
        roots, root = self.sought.roots, trace.root
        return not roots or (root is not None and any(root.is_of(flow) for flow in roots))


class Reader:
    """Reads large answers beside the event loop, one at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def read(self, size: int, how: Callable[[], _T]) -> _T:
        """What `how` makes of an answer of so many bytes."""

        def quietly() -> _T:
            with uncollected():
                return how()

        if size <= _READ_AT_ONCE:
            return quietly()
        # One thread at a time: each more would make the event loop wait for its turn longer.
        async with self._turn:
            return await asyncio.to_thread(quietly)


@contextmanager
def uncollected() -> Iterator[None]:
    """
    Read without looking for cycles.

    Spans come and go by the thousand and are none; to look through all that is alive because of them takes a
    quarter of the time, a tenth of a second at once, in which nothing else runs.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
