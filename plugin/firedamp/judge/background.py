"""
What is done beside the answers: nobody waits for it, and whatever goes wrong with it is logged.

A few things run at once, each by its name once at a time, and none for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from firedamp.errors import ClusterError, SourceError, StoreError
from firedamp.telemetry import Work, working

_LOG = structlog.get_logger()


class Background:
    """
    Work under way.

    Args:
        kind: of the work, as the log and the page of health call it.
        at_once: so many things run, the others wait.
        patience_seconds: each is given up after this time.
    """

    def __init__(self, kind: Work, *, at_once: int, patience_seconds: float) -> None:
        self._kind = kind
        self._patience = patience_seconds
        self._slots = asyncio.Semaphore(at_once)
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin this work, unless work of the same name is under way."""
        if what not in self._running:
            task = self._running[what] = asyncio.create_task(self._quietly(what, work))
            task.add_done_callback(lambda _: self._running.pop(what))

    @property
    def begun(self) -> int:
        """So much is under way or waits for its turn."""
        return len(self._running)

    async def settled(self) -> None:
        """Everything begun so far is done, or given up."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._running.values():
            task.cancel()
        await self.settled()

    async def _quietly(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            with working(self._kind):
                async with self._slots, asyncio.timeout(self._patience):
                    await work()
        except TimeoutError:
            _LOG.warning(self._kind.value, what=what, error=f"not done within {self._patience:g} s")
        except (ClusterError, SourceError, StoreError, ValueError) as error:
            _LOG.warning(self._kind.value, what=what, error=str(error))
