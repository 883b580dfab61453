"""
What people and programs did, in the database: gates, the audit trail, tokens.

A gate is the one row that changes; every change leaves an event, in the same transaction. Events are
never changed nor pruned.
"""

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

from firedamp.ports import Event, Gate, Token
from firedamp.store import rows, schema
from firedamp.store.database import Database
from firedamp.store.whole import Tasks, whole

#: A rollback, a hold and the kill switch are ordered by name: nobody means them by opening everything, and
#: a gate opened for every hook must not hide them.
BY_NAME_ONLY = frozenset({"rollback", "hold", "off"})


class Ledger:
    """The part of the store that people write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tasks = Tasks()
        # The same words in two classes: SQLAlchemy has no upsert that both databases share.
        self.insert = insert_on_sqlite if database.is_sqlite else insert_on_postgresql

    @whole
    async def gate(self, namespace: str, service: str, hook: str, revision: str, now: float) -> Gate | None:
        table = schema.gates.c
        hooks = {hook} if hook in BY_NAME_ONLY else {hook, "*"}
        query = select(schema.gates).where(
            table.namespace == namespace,
            table.service == service,
            table.hook.in_(hooks),
            table.revision.in_({revision, ""}),
            table.is_open,
            table.expires >= now,
        )
        # False sorts before true on both databases.
        query = query.order_by(table.revision == "", table.hook == "*").limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            return rows.gate(row) if row else None

    @whole
    async def gates(self, namespace: str | None = None) -> Sequence[Gate]:
        query = select(schema.gates).order_by(*schema.gates.primary_key)
        if namespace is not None:
            query = query.where(schema.gates.c.namespace == namespace)
        async with self._database.reading() as connection:
            return [rows.gate(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def set_gate(self, gate: Gate) -> None:
        putting = self.insert(schema.gates).values(rows.gate_values(gate))
        putting = putting.on_conflict_do_update(
            index_elements=list(schema.gates.primary_key),
            set_={column: putting.excluded[column] for column in ("is_open", "expires", "by", "at", "note")},
        )
        async with self._database.writing() as connection:
            await connection.execute(putting)
            await connection.execute(insert(schema.events).values(rows.event_values(rows.switched(gate))))

    @whole
    async def record(self, event: Event) -> None:
        async with self._database.writing() as connection:
            await connection.execute(insert(schema.events).values(rows.event_values(event)))

    @whole
    async def events(
        self,
        *,
        namespace: str | None = None,
        service: str | None = None,
        revision: str | None = None,
        limit: int = 200,
    ) -> Sequence[Event]:
        query = select(schema.events).order_by(schema.events.c.id.desc()).limit(limit)
        wanted = {"namespace": namespace, "service": service, "revision": revision}
        query = query.filter_by(**{column: value for column, value in wanted.items() if value is not None})
        async with self._database.reading() as connection:
            return [rows.event(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def tokens(self) -> Sequence[Token]:
        query = select(schema.tokens).order_by(schema.tokens.c.created, schema.tokens.c.name)
        async with self._database.reading() as connection:
            return [rows.token(row) for row in (await connection.execute(query)).mappings()]

    @whole
    async def add_token(self, token: Token) -> None:
        async with self._database.writing() as connection:
            await connection.execute(insert(schema.tokens).values(rows.token_values(token)))

    @whole
    async def revoke_token(self, name: str, now: float) -> bool:
        table = schema.tokens.c
        living = update(schema.tokens).where(table.name == name, table.revoked.is_(None))
        async with self._database.writing() as connection:
            return (await connection.execute(living.values(revoked=now))).rowcount > 0
