"""
A database by its URL: engines, pragmas, limits, and the two ways of using it, reading and writing.

SQLite: write-ahead log (readers never wait), one writer at a time, who says so at BEGIN, because a
transaction that reads first and then wants to write fails at once instead of waiting. The file is
readable by its owner only, for it holds hashes of tokens.

PostgreSQL: asyncpg with a pool of its own size and with limits for everything that can hang.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Double, event, literal_column, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from firedamp.errors import StoreError
from firedamp.store.trouble import translated

_EXAMPLES = "write sqlite:///path/firedamp.db or postgresql://user:password@host/name"
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000")
_POSTGRESQL_SETTINGS = {
    "application_name": "firedamp",
    "statement_timeout": "5000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "30000",
}
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 8.0  # for answers that never come, where the server's own limit cannot help


class Database:
    """
    One database; `reading` and `writing` lend connections and raise only StoreErrors.

    Attributes:
        shown: the URL without its password, for messages.
    """

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self._url = normalised(url)
        self.shown = self._url.render_as_string(hide_password=True)
        self._engine = engine(self._url, pool_size=pool_size)
        self._writes = self._engine.execution_options(firedamp_begin="BEGIN IMMEDIATE")
        # SQLite has one writer; queueing here is fair and wakes at once, its own waiting polls.
        self._writers: AbstractAsyncContextManager[None] = asyncio.Lock() if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it is written at the end, or nothing."""
        with translated():
            async with self._writers, self._writes.begin() as connection:
                yield connection

    async def dispose(self) -> None:
        await self._engine.dispose()


def normalised(url: str) -> URL:
    """
    Read a URL as people write it, with the driver we use.

    Raises:
        StoreError: neither SQLite in a file nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(f"the store's URL cannot be read; {_EXAMPLES}") from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername not in _DRIVERS:
        raise StoreError(f"{shown}: {parsed.drivername} is not known; {_EXAMPLES}")
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError(f"{shown}: releases must outlive a restart; {_EXAMPLES}")
    return parsed


def clock(connection: AsyncConnection) -> ColumnElement[float]:
    """The database's own time as Unix seconds, at this very statement."""
    if connection.dialect.name == "sqlite":
        return literal_column("(julianday('now') - 2440587.5) * 86400.0", Double)
    return literal_column("extract(epoch from clock_timestamp())::double precision", Double)


def engine(url: URL, *, pool_size: int = 5, foreign_keys: bool = True) -> AsyncEngine:
    """An engine for a normalised URL; nothing is connected yet, but SQLite's file is there."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, pool_size, foreign_keys)
    return _postgresql(url, pool_size)


def _sqlite(url: URL, pool_size: int, foreign_keys: bool) -> AsyncEngine:
    with translated():
        _own_file(Path(url.database or ""))
        made = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=_CONNECT_SECONDS)

    @event.listens_for(made.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None  # we say BEGIN ourselves, also before DDL
        cursor = connection.cursor()
        for pragma in (*_SQLITE_PRAGMAS, f"foreign_keys={'ON' if foreign_keys else 'OFF'}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(made.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("firedamp_begin", "BEGIN"))

    return made


def _own_file(path: Path) -> None:
    """Make the file, with its folder, for its owner's eyes only; SQLite's side files follow it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _postgresql(url: URL, pool_size: int) -> AsyncEngine:
    # libpq's word for encryption, which people have in their URLs; asyncpg calls it ssl.
    query = {("ssl" if key == "sslmode" else key): value for key, value in url.query.items()}
    return create_async_engine(
        url.set(query=query),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _ANSWER_SECONDS,
            "server_settings": _POSTGRESQL_SETTINGS,
        },
    )
