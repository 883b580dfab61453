"""The audit trail and the gates as people look through them, in the database."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, func, select

from firedamp.ports import Entry, Gate, Sifted, Tally
from firedamp.store import rows, schema
from firedamp.store.lists import Lists
from firedamp.store.whole import whole


class Trails(Lists):
    """The part of the store that tells who did what."""

    @whole
    async def trail(self, sifted: Sifted, *, before: int | None = None, limit: int = 50) -> Sequence[Entry]:
        table = schema.events.c
        query = select(schema.events).where(*_conditions(sifted)).order_by(table.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.id < before)
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).mappings()
            return [Entry(row["id"], rows.event(row)) for row in found]

    @whole
    async def switches(
        self, namespaces: Sequence[str] = (), *, service: str | None = None, since: float, limit: int = 200
    ) -> Sequence[Gate]:
        table = schema.gates.c
        query = select(schema.gates).where(table.expires >= since)
        if namespaces:
            query = query.where(table.namespace.in_(namespaces))
        if service is not None:
            query = query.where(table.service == service)
        order = (table.is_open.desc(), table.at.desc(), *schema.gates.primary_key)
        async with self._database.reading() as connection:
            found = (await connection.execute(query.order_by(*order).limit(limit))).mappings()
            return [rows.gate(row) for row in found]

    @whole
    async def tally(self) -> Tally:
        running = select(func.count()).where(schema.releases.c.ended.is_(None))
        snapshots = select(func.count()).select_from(schema.snapshots)
        async with self._database.reading() as connection:
            found = [await connection.scalar(query) for query in (running, snapshots)]
        return Tally(*(number or 0 for number in found))

    @whole
    async def switch(self, namespace: str, service: str, hook: str, revision: str) -> Gate | None:
        query = select(schema.gates).filter_by(
            namespace=namespace, service=service, hook=hook, revision=revision
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            return rows.gate(row) if row else None


def _conditions(sifted: Sifted) -> Iterator[ColumnElement[bool]]:
    table = schema.events.c
    if sifted.namespaces:
        yield table.namespace.in_(sifted.namespaces)
    for name in ("service", "revision", "kind", "by"):
        if (value := getattr(sifted, name)) is not None:
            yield table[name] == value
    if sifted.since is not None:
        yield table.at >= sifted.since
    if sifted.until is not None:
        yield table.at < sifted.until
