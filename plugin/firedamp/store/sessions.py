"""
Browsers that are signed in, in the database: one row each, gone when it has expired or is left.

Only the digest of a session's secret is kept, so that whoever reads the database can forge none.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select

from firedamp.ports import Session
from firedamp.store import rows, schema
from firedamp.store.ledger import Ledger
from firedamp.store.whole import whole


class Sessions(Ledger):
    """The part of the store that knows who is signed in."""

    @whole
    async def begin_session(self, session: Session) -> None:
        table = schema.sessions
        async with self._database.writing() as connection:
            await connection.execute(delete(table).where(table.c.expires < session.began))
            await connection.execute(insert(table).values(rows.session_values(session)))

    @whole
    async def sessions(self, digests: Collection[str]) -> Sequence[Session]:
        query = select(schema.sessions).where(schema.sessions.c.digest.in_(digests))
        async with self._database.reading() as connection:
            return [rows.session(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def end_session(self, digest: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(schema.sessions).filter_by(digest=digest))
