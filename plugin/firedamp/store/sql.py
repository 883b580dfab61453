"""
The store on SQL: `Store` of `firedamp.ports`, the same statements on SQLite and PostgreSQL.

Every method is one transaction. A look is never written without its release and never twice; the
database's keys hold both, also where two replicas or a kill -9 get in between.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from firedamp.errors import StoreError
from firedamp.model import Look, Release, ReleaseKey
from firedamp.store import codec, rows, schema
from firedamp.store.database import Database, clock, engine, normalised
from firedamp.store.locks import LocalLocks, ReplicaLocks, name
from firedamp.store.migrations import migrate, trouble
from firedamp.store.snapshots import drop
from firedamp.store.trails import Trails
from firedamp.store.whole import whole

_PRUNED_AT_ONCE = 100  # releases per transaction, so that nobody waits long
_DECODED_AT_ONCE = 8
#: So many looks are kept as they were read, some ten kilobytes each: a page that is drawn again after a look,
#: for everybody who has it open, needs the same ones but for the last.
_REMEMBERED_LOOKS = 512


async def open_store(url: str, *, pool_size: int = 5, lock_seconds: float = 6.0) -> "SqlStore":
    """
    Migrate the database of a URL and open it; close it again, or use `async with`.

    Raises:
        StoreError: it cannot be reached or used.
    """
    await migrate(url)
    return SqlStore(url, pool_size=pool_size, lock_seconds=lock_seconds)


class SqlStore(Trails):
    """
    firedamp's memory in a database that is migrated already; connects when first used.

    Args:
        pool_size: connections for work; PostgreSQL gets one more, for locks.
        lock_seconds: how long `lock` waits for another look at the same release.
    """

    def __init__(self, url: str, *, pool_size: int = 5, lock_seconds: float = 6.0) -> None:
        super().__init__(Database(url, pool_size=pool_size))
        self._lock_seconds = lock_seconds
        self._decode = lru_cache(_REMEMBERED_LOOKS)(codec.decode)
        self._local = LocalLocks()
        self._replicas = (
            None if self._database.is_sqlite else ReplicaLocks(engine(normalised(url), pool_size=1))
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def lock(self, key: ReleaseKey) -> AsyncIterator[None]:
        locked = name(key)
        async with self._local.hold(locked, self._lock_seconds):
            if self._replicas is None:
                yield
                return
            async with self._replicas.hold(locked, self._lock_seconds):
                yield

    @whole
    async def latest(self, namespace: str, service: str, revision: str | None) -> Release | None:
        table = schema.releases.c
        query = _where(select(schema.releases), namespace=namespace, service=service, revision=revision)
        return await self._one_release(query.order_by(table.started.desc(), table.id.desc()).limit(1))

    @whole
    async def release(self, release_id: int) -> Release | None:
        return await self._one_release(_where(select(schema.releases), id=release_id))

    @whole
    async def open(self, release: Release) -> Release:
        async with self._database.writing() as connection:
            values = rows.release_values(release) | {"changed": clock(connection)}
            adding = insert(schema.releases).values(values).returning(schema.releases)
            return rows.release((await connection.execute(adding)).mappings().one())

    @whole
    async def update(self, release: Release) -> None:
        async with self._database.writing() as connection:
            await _write_back(connection, release)
            if release.ended is not None:
                await drop(connection, release.id)

    @whole
    async def releases(
        self,
        *,
        namespace: str | None = None,
        service: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Release]:
        query = _where(select(schema.releases), namespace=namespace, service=service)
        if before is not None:
            query = query.where(schema.releases.c.id < before)
        async with self._database.reading() as connection:
            found = await connection.execute(query.order_by(schema.releases.c.id.desc()).limit(limit))
            return [rows.release(row) for row in found.mappings()]

    @whole
    async def looks(self, release_id: int, *, after: int = -1, limit: int | None = None) -> Sequence[Look]:
        table = schema.looks.c
        query = select(table.body).where(table.release_id == release_id, table.block > after)
        return await self._decoded(query.order_by(table.block).limit(limit))

    @whole
    async def last_look(self, release_id: int) -> Look | None:
        table = schema.looks.c
        query = select(table.body).where(table.release_id == release_id)
        found = await self._decoded(query.order_by(table.block.desc()).limit(1))
        return found[0] if found else None

    @whole
    async def last_looks(self, release_ids: Sequence[int]) -> Mapping[int, Look]:
        async with self._database.reading() as connection:
            bodies = {row.release_id: row.body for row in await connection.execute(_newest(release_ids))}
        wanted = [one for one in dict.fromkeys(release_ids) if one in bodies]
        looks = await self._taken_apart([bodies[one] for one in wanted])
        return dict(zip(wanted, looks, strict=True))

    @whole
    async def add_looks(self, release: Release, looks: Sequence[Look]) -> None:
        added = [_look_values(release, look) for look in looks]
        async with self._database.writing() as connection:
            # The release first: its row makes a second writer wait, and then find the blocks taken.
            await _write_back(connection, release, rows.pinned_values(release))
            if added:
                await connection.execute(insert(schema.looks), added)

    async def prune(self, before: float) -> int:
        """Forget releases that ended before an instant, with all that belongs to them; says how many."""
        await self.forget_lessons(before)
        await self.forget_snapshots(before)
        forgotten = 0
        while dropped := await self._prune_some(before):
            forgotten += dropped
        return forgotten

    @whole
    async def ready(self) -> str | None:
        try:
            async with self._database.reading() as connection:
                return await connection.run_sync(trouble)
        except StoreError as error:
            return f"{self._database.shown}: {error}"

    async def close(self) -> None:
        await self.tasks.settled()
        if self._replicas is not None:
            await self._replicas.close()
        await self._database.dispose()

    async def _one_release(self, query: Select[Any]) -> Release | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            return rows.release(row) if row else None

    async def _decoded(self, query: Select[Any]) -> list[Look]:
        async with self._database.reading() as connection:
            bodies: Sequence[bytes] = (await connection.execute(query)).scalars().all()
        return await self._taken_apart(bodies)

    async def _taken_apart(self, bodies: Sequence[bytes]) -> list[Look]:
        if len(bodies) <= _DECODED_AT_ONCE:
            return list(map(self._decode, bodies))
        # A look takes a millisecond: a long release would stop the event loop for seconds.
        return await asyncio.to_thread(lambda: list(map(self._decode, bodies)))

    @whole
    async def _prune_some(self, before: float) -> int:
        table = schema.releases.c
        old = select(table.id).where(table.ended < before).order_by(table.id).limit(_PRUNED_AT_ONCE)
        async with self._database.writing() as connection:
            # Their looks go with them, by the foreign key.
            return (await connection.execute(delete(schema.releases).where(table.id.in_(old)))).rowcount


def _newest(release_ids: Sequence[int]) -> Select[tuple[int, bytes]]:
    """By way of the releases: the newest block of each is one step into the key, however many there are."""
    table, release, other = schema.looks.c, schema.releases.c.id, schema.looks.alias().c
    newest = select(func.max(other.block)).where(other.release_id == release).scalar_subquery()
    mine = (release.in_(release_ids), table.release_id == release, table.block == newest)
    return select(table.release_id, table.body).where(*mine)


def _where(query: Select[Any], **wanted: object) -> Select[Any]:
    """Narrow a query on releases to columns with these values; None leaves a column free."""
    return query.filter_by(**{column: value for column, value in wanted.items() if value is not None})


def _look_values(release: Release, look: Look) -> dict[str, Any]:
    return {"release_id": release.id, "block": look.evidence.block.index, "body": codec.encode(look)}


async def _write_back(
    connection: AsyncConnection, release: Release, pinned: Mapping[str, Any] | None = None
) -> None:
    changing = update(schema.releases).where(schema.releases.c.id == release.id)
    values = rows.changing_values(release) | dict(pinned or {}) | {"changed": clock(connection)}
    written = await connection.execute(changing.values(values))
    if written.rowcount == 0:
        raise StoreError(f"release {release.id} ({release.key}) is not in the store (any more)")
