"""
What people said of releases and made of settings, in the database: rulings, labels, overrides.

Rows are only ever added, each with an event in the same transaction. Rulings and labels go with their
release when it is pruned; the audit trail keeps what was done.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from firedamp.errors import ConflictError, StoreError
from firedamp.model import Judged, Label, ReleaseKey, Ruling
from firedamp.ports import Event, Override
from firedamp.store import rows, schema
from firedamp.store.database import clock
from firedamp.store.lessons import Lessons
from firedamp.store.whole import whole


class Rulings(Lessons):
    """The part of the store that people correct firedamp by."""

    @whole
    async def rule(self, ruling: Ruling) -> None:
        async with self._database.writing() as connection:
            key = await _key(connection, ruling.release_id)
            await connection.execute(insert(schema.rulings).values(rows.ruling_values(ruling)))
            await _recorded(connection, rows.ruled(ruling, key))
            await _touched(connection, ruling.release_id)

    @whole
    async def rulings(self, release_id: int) -> Sequence[Ruling]:
        query = select(schema.rulings).filter_by(release_id=release_id).order_by(schema.rulings.c.id)
        async with self._database.reading() as connection:
            return [rows.ruling(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def label(self, label: Label) -> None:
        async with self._database.writing() as connection:
            key = await _key(connection, label.release_id)
            await connection.execute(insert(schema.labels).values(rows.label_values(label)))
            await _recorded(connection, rows.labelled(label, key))
            await _touched(connection, label.release_id)

    @whole
    async def labels(self, release_ids: Sequence[int]) -> Mapping[int, Label]:
        table = schema.labels.c
        newest = (
            select(func.max(table.id)).where(table.release_id.in_(release_ids)).group_by(table.release_id)
        )
        query = select(schema.labels).where(table.id.in_(newest), table.word != Judged.WITHDRAWN.value)
        async with self._database.reading() as connection:
            found = [rows.label(row) for row in (await connection.execute(query)).mappings()]
        return {label.release_id: label for label in found}

    @whole
    async def judged(self, namespace: str, service: str, *, limit: int = 200) -> Sequence[Label]:
        table, release = schema.labels.c, schema.releases.c
        newest = (
            select(func.max(table.id))
            .join(schema.releases, release.id == table.release_id)
            .where(release.namespace == namespace, release.service == service)
            .group_by(table.release_id)
        )
        query = select(schema.labels).where(table.id.in_(newest), table.word != Judged.WITHDRAWN.value)
        async with self._database.reading() as connection:
            found = await connection.execute(query.order_by(table.id.desc()).limit(limit))
            return [rows.label(row) for row in found.mappings()]

    @whole
    async def tune(self, override: Override) -> None:
        table = schema.overrides.c
        newest = select(func.coalesce(func.max(table.version), 0))
        newest = newest.filter_by(namespace=override.namespace, service=override.service)
        async with self._database.writing() as connection:
            version = (await connection.execute(newest)).scalar_one()
            if override.version != version + 1:
                raise ConflictError(rows.overtaken(override, version))
            await connection.execute(insert(schema.overrides).values(rows.override_values(override)))
            await _recorded(connection, rows.tuned(override))

    @whole
    async def override(self, namespace: str, service: str) -> Override | None:
        found = await self._overrides(namespace, service, limit=1)
        return found[0] if found else None

    @whole
    async def overrides(self, namespace: str, service: str) -> Sequence[Override]:
        return await self._overrides(namespace, service, limit=None)

    async def _overrides(self, namespace: str, service: str, limit: int | None) -> list[Override]:
        query = select(schema.overrides).filter_by(namespace=namespace, service=service)
        query = query.order_by(schema.overrides.c.version.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [rows.override(row) for row in (await connection.execute(query)).mappings()]


async def _key(connection: AsyncConnection, release_id: int) -> ReleaseKey:
    """Which release it is."""
    table = schema.releases.c
    query = select(table.namespace, table.service, table.revision, table.attempt).where(
        table.id == release_id
    )
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise StoreError(f"release {release_id} is not in the store (any more)")
    return ReleaseKey(*found)


async def _touched(connection: AsyncConnection, release_id: int) -> None:
    """Let those who watch the release see it anew."""
    changing = update(schema.releases).where(schema.releases.c.id == release_id)
    await connection.execute(changing.values(changed=clock(connection)))


async def _recorded(connection: AsyncConnection, event: Event) -> None:
    await connection.execute(insert(schema.events).values(rows.event_values(event)))
