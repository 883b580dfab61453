"""
One look at a time per release: within this process, and among replicas.

Within a process an asyncio lock per release. Among replicas PostgreSQL's advisory locks, all of this
replica's on one connection of their own: however many releases are looked at, the pool that does the
work is never drained by waiting, so it cannot deadlock. A session may take its own advisory lock
twice, but the asyncio lock before it lets only one through.

Should that connection break, its locks are gone while looks go on; then the unique key of looks still
lets only one of two replicas write a block. Locks of a session need a session: put no transaction
pooler between.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.functions import FunctionElement

from firedamp.errors import StoreError
from firedamp.model import ReleaseKey
from firedamp.store.trouble import translated
from firedamp.store.whole import Tasks

_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.1

Name = tuple[str, str, str]


def name(key: ReleaseKey) -> Name:
    """What is locked: the revision with all its attempts."""
    return key.namespace, key.service, key.revision


def lock_number(locked: Name) -> int:
    """A 64-bit number for PostgreSQL, the same in every replica."""
    digest = hashlib.blake2b("\0".join(locked).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


class LocalLocks:
    """asyncio locks by name, forgotten when nobody holds or awaits them."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Name, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, locked: Name, wait_seconds: float) -> AsyncIterator[None]:
        lock = self._locks.setdefault(locked, asyncio.Lock())
        try:
            async with asyncio.timeout(wait_seconds):
                await lock.acquire()
        except TimeoutError:
            raise _busy(locked, wait_seconds) from None
        try:
            yield
        finally:
            lock.release()


class ReplicaLocks:
    """Advisory locks of this replica, on one PostgreSQL connection, made at the first use."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None
        self._session = 0  # counts connections: a lock of a broken one need not be given back
        self._turn = asyncio.Lock()
        self._tasks = Tasks()

    @asynccontextmanager
    async def hold(self, locked: Name, wait_seconds: float) -> AsyncIterator[None]:
        number = lock_number(locked)
        taking = self._tasks.start(self._take(locked, number, wait_seconds))
        try:
            session = await asyncio.shield(taking)
        except asyncio.CancelledError:
            _ = self._tasks.start(self._undo(taking, number))
            raise
        try:
            yield
        finally:
            # To its end, even when the caller is cancelled: nobody else could give the lock back.
            await self._tasks.finish(self._give_back(number, session))

    async def close(self) -> None:
        await self._tasks.settled()
        await self._drop()

    async def _take(self, locked: Name, number: int, wait_seconds: float) -> int:
        """The session that got the lock, asking again and again: one connection serves all waiters."""
        clock = asyncio.get_running_loop().time
        deadline, pause = clock() + wait_seconds, _FIRST_PAUSE_SECONDS
        while True:
            session, taken = await self._ask(func.pg_try_advisory_lock(number))
            if taken:
                return session
            if clock() + pause > deadline:
                raise _busy(locked, wait_seconds)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def _undo(self, taking: "asyncio.Task[int]", number: int) -> None:
        """Give back what a cancelled caller got after all."""
        try:
            session = await taking
        except StoreError:
            return
        await self._give_back(number, session)

    async def _give_back(self, number: int, session: int) -> None:
        if session != self._session:
            return
        try:
            await self._ask(func.pg_advisory_unlock(number))
        except StoreError:
            return  # the connection is broken, and with it went the lock

    async def _ask(self, question: FunctionElement[bool]) -> tuple[int, bool]:
        with translated():
            async with self._turn:
                fresh = self._connection is None
                try:
                    return await self._answer(question)
                except SQLAlchemyError:
                    if fresh:
                        raise
                    # The connection died while it was idle, as after a restart of the database.
                    return await self._answer(question)

    async def _answer(self, question: FunctionElement[bool]) -> tuple[int, bool]:
        try:
            connection = await self._connected()
            return self._session, bool(await connection.scalar(select(question)))
        except BaseException:
            await self._drop()
            raise

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._engine.connect()
            self._session += 1
        return self._connection

    async def _drop(self) -> None:
        """Let go of the connection for good; going back to a pool would keep its locks."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.invalidate()
            await connection.close()
        except (SQLAlchemyError, OSError):
            return


def _busy(locked: Name, wait_seconds: float) -> StoreError:
    namespace, service, revision = locked
    return StoreError(
        f"{namespace}/{service}@{revision} is being looked at by somebody else for more than "
        f"{wait_seconds:g} s; ask again"
    )
