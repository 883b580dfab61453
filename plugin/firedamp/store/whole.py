"""
A caller may hang up at any moment; a statement on its way must not be torn.

Both drivers suffer when a task is cancelled while a statement runs: aiosqlite lets go of a connection
whose thread goes on, and with it of the write lock (omnilib/aiosqlite#259), asyncpg needs a second
connection to call the statement back. So work on the database runs in a task of its own, to its end,
whatever becomes of the caller; the limits in `database` see to it that there is an end.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

Answer = TypeVar("Answer")
Given = ParamSpec("Given")


class Tasks:
    """Work that goes on to its end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def finish(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """The work's result; a caller who is cancelled is let go at once, the work is not."""
        return await asyncio.shield(self.start(work))

    async def settled(self) -> None:
        """All work begun so far is done."""
        await asyncio.gather(*self._running, return_exceptions=True)


class HasTasks(Protocol):
    """Whoever has methods that are done whole."""

    @property
    def tasks(self) -> Tasks: ...


Owner = TypeVar("Owner", bound=HasTasks)
Method = Callable[Concatenate[Owner, Given], Coroutine[Any, Any, Answer]]


def whole(method: Method[Owner, Given, Answer]) -> Method[Owner, Given, Answer]:
    """Make a method run to its end once it was called."""

    @wraps(method)
    async def run(self: Owner, /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        return await self.tasks.finish(method(self, *args, **kwargs))

    return run
