"""
Where judgements stood, in the database: of each running release the newest snapshot, as it was given.

A snapshot saves work and nothing else: it is replaced by a later one, never by an earlier, and goes when its
release ends, is forgotten, or nobody asks about it any more.
"""

from sqlalchemy import delete, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from firedamp.ports import Snapshot
from firedamp.store import schema
from firedamp.store.rulings import Rulings
from firedamp.store.whole import whole


class Snapshots(Rulings):
    """The part of the store that a restarted judge goes on from."""

    @whole
    async def snapshot(self, release_id: int) -> Snapshot | None:
        query = select(schema.snapshots).filter_by(release_id=release_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            return Snapshot(**row) if row else None

    @whole
    async def keep(self, snapshot: Snapshot) -> None:
        release, table = schema.releases.c, schema.snapshots.c
        block, body = literal(snapshot.block, table.block.type), literal(snapshot.body, table.body.type)
        running = select(release.id, block, body).where(release.id == snapshot.release_id)
        # Shared, or the release could end in between and leave its snapshot behind.
        running = running.where(release.ended.is_(None)).with_for_update(read=True)
        putting = self.insert(schema.snapshots).from_select([column.name for column in table], running)
        putting = putting.on_conflict_do_update(
            index_elements=[table.release_id],
            set_={"block": putting.excluded.block, "body": putting.excluded.body},
            where=table.block < putting.excluded.block,
        )
        async with self._database.writing() as connection:
            await connection.execute(putting)

    @whole
    async def forget_snapshots(self, before: float) -> None:
        """Forget those of releases that nobody asked about since an instant."""
        release = schema.releases.c
        left = select(release.id).where(release.last_asked < before)
        async with self._database.writing() as connection:
            await connection.execute(delete(schema.snapshots).where(schema.snapshots.c.release_id.in_(left)))


async def drop(connection: AsyncConnection, release_id: int) -> None:
    """Forget a release's snapshot, within a transaction."""
    await connection.execute(delete(schema.snapshots).filter_by(release_id=release_id))
