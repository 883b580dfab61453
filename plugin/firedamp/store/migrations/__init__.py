"""
How the schema came to be, and how a database gets there.

Migrations only go forward, and expand before they contract: a table or column is added in one
version of firedamp and the old one dropped in a later one, so that two neighbouring versions can run
on the same database while replicas are replaced. A migration that drops what older code needs says
so in the table `compatibility`: the oldest revision a program must know to use this schema.

All steps run in one transaction; replicas that start together queue for an advisory lock, and each
finds the work done by the first.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, column, inspect, select, table, text

from firedamp.errors import StoreError
from firedamp.store.database import engine, normalised
from firedamp.store.trouble import translated
from firedamp.store.whole import Tasks

#: The advisory lock that migrations queue for: "firedamp" in ASCII.
LOCK_NUMBER = 0x66697265_64616D70

_compatibility = table("compatibility", column("oldest"))


async def migrate(url: str, *, to: str = "head", wait_seconds: float = 10.0) -> None:
    """
    Bring a database to the newest schema (or to one on the way); makes it where there is none.

    Args:
        url: as in the settings.
        to: the revision to stop at.
        wait_seconds: how long to wait for another migration, or for whoever uses a table.

    Raises:
        StoreError: it cannot be reached, or was made by a firedamp too new for this one.
    """
    await Tasks().finish(_migrate(url, to, wait_seconds))


def trouble(connection: Connection) -> str | None:
    """What keeps this firedamp from using the schema as it is; None when nothing does."""
    current = _current(connection)
    if current == head():
        return None
    if current is None:
        return f"the store is empty, needed is schema {head()}: run `firedamp db upgrade`"
    if current in _known():
        return f"the store's schema is {current}, behind {head()}: run `firedamp db upgrade`"
    return _ahead(connection, current)


@cache
def head() -> str:
    """The newest revision this firedamp knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None, "the package ships its migrations"
    return newest


async def _migrate(url: str, to: str, wait_seconds: float) -> None:
    made = engine(normalised(url), pool_size=1, foreign_keys=False)
    try:
        with translated():
            async with made.execution_options(firedamp_begin="BEGIN IMMEDIATE").begin() as connection:
                await connection.run_sync(_upgrade, to, wait_seconds)
    finally:
        await made.dispose()


def _ahead(connection: Connection, current: str) -> str | None:
    oldest = connection.scalar(select(_compatibility.c.oldest))
    if oldest is not None and str(oldest) <= head():
        return None
    return f"the store's schema is {current}, ahead of {head()}: use a newer firedamp"


def _upgrade(connection: Connection, to: str, wait_seconds: float) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = {round(1000 * wait_seconds)}"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})"))
    current = _current(connection)
    if current == head():
        return
    if current is not None and current not in _known():
        if wrong := _ahead(connection, current):
            raise StoreError(wrong)
        return
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise StoreError(f"cannot migrate the store: {error}") from error
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise StoreError("cannot migrate the store: looks without a release would be left behind")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    # alembic's own way tells the log each time what it found, and readiness asks every few seconds.
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@cache
def _known() -> frozenset[str]:
    return frozenset(step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    # ConfigParser would read a percent sign of the path as a reference.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
