"""
What earlier releases and history told of the checks' noise, in the database.

One row per check and release, and one per check for history. A row is a few sums, so it stays when its
release is pruned; so many newest ones per check stay, the others go when one comes.
"""

from collections.abc import Sequence

from sqlalchemy import Delete, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from firedamp.ports import LESSONS, Lesson
from firedamp.store import rows, schema
from firedamp.store.sessions import Sessions
from firedamp.store.whole import whole


class Lessons(Sessions):
    """The part of the store that the judge learns from."""

    @whole
    async def lessons(self, namespace: str, service: str) -> Sequence[Lesson]:
        table = schema.lessons.c
        query = select(schema.lessons).filter_by(namespace=namespace, service=service)
        query = query.order_by(table.check, table.release_id)
        async with self._database.reading() as connection:
            return [rows.lesson(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def learn(self, lessons: Sequence[Lesson]) -> None:
        # In one order everywhere, or two replicas that learn the same could wait for each other.
        ordered = sorted(lessons, key=lambda one: (one.namespace, one.service, one.check, one.release_id))
        async with self._database.writing() as connection:
            for lesson in ordered:
                await self._keep(connection, lesson)

    @whole
    async def forget_lessons(self, before: float) -> None:
        """Forget what was told by evidence that ends before an instant."""
        async with self._database.writing() as connection:
            await connection.execute(delete(schema.lessons).where(schema.lessons.c.at < before))

    async def _keep(self, connection: AsyncConnection, lesson: Lesson) -> None:
        putting = self.insert(schema.lessons).values(rows.lesson_values(lesson))
        putting = putting.on_conflict_do_update(
            index_elements=list(rows.LESSON_KEY),
            set_={column: putting.excluded[column] for column in rows.LESSON_SAYS},
        )
        await connection.execute(putting)
        await connection.execute(_surplus(lesson))


def _surplus(lesson: Lesson) -> Delete:
    """Lessons of the same check from releases before the newest ones."""
    table = schema.lessons.c
    of_check = (
        table.namespace == lesson.namespace,
        table.service == lesson.service,
        table.check == lesson.check,
        table.release_id > 0,
    )
    newest = select(table.release_id).where(*of_check).order_by(table.release_id.desc()).limit(LESSONS)
    return delete(schema.lessons).where(*of_check, table.release_id.not_in(newest))
