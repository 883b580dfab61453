"""Lists of releases in the database, narrowed and paged by id."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all

from firedamp.model import Judged, Release
from firedamp.ports import Change, Wanted
from firedamp.store import rows, schema
from firedamp.store.database import clock
from firedamp.store.snapshots import Snapshots
from firedamp.store.whole import whole

#: A statement for more takes long to be made, the first time, and rows of so many are read in one go.
_SERVICES_AT_ONCE = 10


class Lists(Snapshots):
    """The part of the store that people look through."""

    @whole
    async def listed(
        self, wanted: Wanted, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> Sequence[Release]:
        table = schema.releases.c
        query = select(schema.releases).where(*_conditions(wanted)).limit(limit)
        if before is not None:
            query = query.where(table.id < before)
        if after is not None:
            query = query.where(table.id > after)
        # The nearest ones above an id are the oldest of them.
        ordered = query.order_by(table.id.desc() if after is None else table.id)
        async with self._database.reading() as connection:
            found = [rows.release(row) for row in (await connection.execute(ordered)).mappings()]
        return found if after is None else found[::-1]

    @whole
    async def newest(
        self, services: Sequence[tuple[str, str]], *, limit: int
    ) -> Mapping[tuple[str, str], Sequence[Release]]:
        found: dict[tuple[str, str], list[Release]] = {name: [] for name in services}
        names = list(found)
        async with self._database.reading() as connection:
            for at in range(0, len(names), _SERVICES_AT_ONCE):
                asked = _newest(names[at : at + _SERVICES_AT_ONCE], limit)
                for row in (await connection.execute(asked)).mappings():
                    release = rows.release(row)
                    found[release.key.namespace, release.key.service].append(release)
        return found

    @whole
    async def changes(self, since: float | None, *, limit: int = 500) -> tuple[float, Sequence[Change]]:
        async with self._database.reading() as connection:
            now: float = (await connection.execute(select(clock(connection)))).scalar_one()
            if since is None:
                return now, []
            rows_found = await connection.execute(_changed(since, limit))
            found = [Change(row.id, row.namespace, row.changed) for row in rows_found]
        return (found[-1].at if len(found) == limit else now), found


def _newest(services: Sequence[tuple[str, str]], limit: int) -> Select[Any]:
    """Some services in one question, each found by its index: one by one they take three times as long."""
    table = schema.releases.c
    each = (
        select(table.id)
        .where(table.namespace == namespace, table.service == service)
        .order_by(table.id.desc())
        for namespace, service in services
    )
    ids = union_all(*(select(one.limit(limit).subquery().c.id) for one in each))
    return select(schema.releases).where(table.id.in_(ids)).order_by(table.id.desc())


def _changed(since: float, limit: int) -> Select[tuple[int, str, float]]:
    table = schema.releases.c
    query = select(table.id, table.namespace, table.changed).where(table.changed >= since)
    return query.order_by(table.changed, table.id).limit(limit)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    table = schema.releases.c
    if wanted.namespaces:
        yield table.namespace.in_(wanted.namespaces)
    for name in ("service", "revision", "verdict", "controller"):
        value = getattr(wanted, name)
        if value is not None:
            yield table[name] == str(value)
    if wanted.running is not None:
        yield table.ended.is_(None) if wanted.running else table.ended.is_not(None)
    if wanted.label is not None:
        yield table.id.in_(_labelled(wanted.label))
    if wanted.since is not None or wanted.until is not None:
        yield table.id.in_(_begun(wanted.since, wanted.until))


def _labelled(word: Judged) -> Select[tuple[int]]:
    """Releases whose newest label is this one."""
    table = schema.labels.c
    newest = select(func.max(table.id)).group_by(table.release_id)
    return select(table.release_id).where(table.id.in_(newest), table.word == word.value)


def _begun(since: float | None, until: float | None) -> Select[tuple[int]]:
    """
    Releases that began in a time.

    Asked for by themselves, they are found by their own index; in order of ids every row would be read.
    """
    table = schema.releases.c
    query = select(table.id)
    if since is not None:
        query = query.where(table.started >= since)
    return query if until is None else query.where(table.started < until)
