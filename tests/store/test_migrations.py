"""From any schema there was to the newest one, on both databases."""

import asyncio
import importlib
import pkgutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Text, insert, inspect, text

from firedamp.errors import StoreError
from firedamp.model import Release
from firedamp.store import SqlStore, codec, migrate, migrations, open_store, rows
from firedamp.store.database import engine, normalised
from firedamp.store.migrations import versions
from firedamp.store.schema import looks as stored_looks
from firedamp.store.schema import metadata, releases
from store.examples import KEY, a_database, a_gate, a_look, a_release, a_token, an_event

STEPS = sorted(module.name[:5] for module in pkgutil.iter_modules(versions.__path__))


async def run(url: str, *statements: str) -> None:
    async with a_database(url) as database, database.writing() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def opened_then(url: str) -> Release:
    """A release with two looks, written into the columns that its schema has."""
    values, looks = rows.release_values(a_release()), [a_look(0), a_look(1)]
    async with a_database(url) as database, database.writing() as connection:
        known = await connection.run_sync(
            lambda here: {one["name"] for one in inspect(here).get_columns("releases")}
        )
        adding = insert(releases).values({name: value for name, value in values.items() if name in known})
        number = (await connection.execute(adding.returning(releases.c.id))).scalar_one()
        bodies = [
            {"release_id": number, "block": look.evidence.block.index, "body": codec.encode(look)}
            for look in looks
        ]
        await connection.execute(insert(stored_looks), bodies)
    return a_release(id=number)


def differences(connection) -> list[object]:
    found = compare_metadata(MigrationContext.configure(connection), metadata)
    # The table about compatibility belongs to the migrations alone.
    return [change for change in found if getattr(change[1], "name", None) != "compatibility"]


def test_steps_form_one_line():
    """Every step follows the one before it, and the last one is the head."""
    modules = [importlib.import_module(f"{versions.__name__}.{name}") for name in _modules()]

    assert [module.revision for module in modules] == STEPS
    assert [module.down_revision for module in modules] == [None, *STEPS[:-1]]
    assert migrations.head() == STEPS[-1]


def _modules() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(versions.__path__))


async def test_migrations_make_the_schema(empty_url: str):
    """What the steps build is exactly what the code expects."""
    await migrate(empty_url)

    async with a_database(empty_url) as database, database.reading() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("step", STEPS)
async def test_data_survive_every_migration(empty_url: str, step: str):
    """From each earlier schema to the newest everything stored stays, looks and their keys included."""
    await migrate(empty_url, to=step)
    release = await opened_then(empty_url)
    async with SqlStore(empty_url) as store:
        await store.set_gate(a_gate())
        await store.record(an_event())
        await store.add_token(a_token())

    async with await open_store(empty_url) as store:
        assert await store.latest(KEY.namespace, KEY.service, None) == release
        assert await store.looks(release.id) == [a_look(0), a_look(1)]
        assert await store.gates() == [a_gate()]
        assert len(await store.events()) == 2
        assert await store.tokens() == [a_token()]


async def test_migrating_again_changes_nothing(empty_url: str):
    """A migrated database is left alone."""
    await migrate(empty_url)
    async with SqlStore(empty_url) as store:
        release = await store.open(a_release())

    await migrate(empty_url)

    async with SqlStore(empty_url) as store:
        assert await store.release(release.id) == release


async def test_replicas_that_start_together_migrate_once(empty_url: str):
    """All of several migrations at once succeed; the first does the work."""
    await asyncio.gather(*(migrate(empty_url) for _ in range(5)))

    async with SqlStore(empty_url) as store:
        assert await store.ready() is None


async def test_readiness_leaves_no_line_in_the_log(empty_url: str, caplog):
    """Orchestrators ask every few seconds, for as long as firedamp runs."""
    await migrate(empty_url)
    caplog.clear()
    caplog.set_level("INFO")

    async with SqlStore(empty_url) as store:
        assert await store.ready() is None
    assert caplog.messages == []


async def test_an_empty_database_is_not_ready(empty_url: str):
    """Readiness says that nothing is there yet."""
    async with SqlStore(empty_url) as store:
        assert (
            await store.ready()
            == f"the store is empty, needed is schema {STEPS[-1]}: run `firedamp db upgrade`"
        )


async def test_an_older_schema_is_not_ready(empty_url: str):
    """Readiness says how far the schema is behind."""
    await migrate(empty_url, to=STEPS[0])

    async with SqlStore(empty_url) as store:
        assert (
            await store.ready()
            == f"the store's schema is {STEPS[0]}, behind {STEPS[-1]}: run `firedamp db upgrade`"
        )


async def test_a_newer_schema_that_only_grew_is_ready(url: str):
    """While replicas are replaced, the old version goes on working on the schema of the new one."""
    await run(url, "UPDATE alembic_version SET version_num = 'v9999'")

    async with await open_store(url) as store:
        assert (await store.open(a_release())).id > 0


async def test_a_newer_schema_that_dropped_something_is_not_ready(url: str):
    """A schema that needs newer code is neither used nor migrated."""
    ahead = f"schema is v9999, ahead of {STEPS[-1]}: use a newer firedamp"
    await run(
        url, "UPDATE alembic_version SET version_num = 'v9999'", "UPDATE compatibility SET oldest = 'v9998'"
    )

    async with SqlStore(url) as store:
        ready = await store.ready()
    with pytest.raises(StoreError, match=ahead):
        await migrate(url)

    assert ready is not None
    assert ahead in ready


async def test_a_schema_that_does_not_exist_is_refused(empty_url: str):
    """A wrong revision is named."""
    with pytest.raises(StoreError, match="v7777"):
        await migrate(empty_url, to="v7777")


async def test_a_damaged_database_is_not_migrated(tmp_path):
    """Looks whose release is gone are found, not carried along."""
    url = f"sqlite:///{tmp_path}/firedamp.db"
    await migrate(url, to=STEPS[0])
    with closing(sqlite3.connect(tmp_path / "firedamp.db", isolation_level=None)) as careless:
        careless.execute("INSERT INTO looks VALUES (7, 0, x'01')")

    with pytest.raises(StoreError, match="without a release"):
        await migrate(url)


@pytest.mark.real
async def test_a_migration_does_not_wait_for_ever(postgres_url: str):
    """Behind a lock that nobody releases a migration gives up instead of hanging."""
    async with a_database(postgres_url) as database, database.writing() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({migrations.LOCK_NUMBER})"))

        with pytest.raises(StoreError, match="lock timeout"):
            await migrate(postgres_url, wait_seconds=0.05)


@pytest.mark.parametrize("change", ["UPDATE events SET text = 'never'", "DELETE FROM events"])
async def test_the_audit_trail_is_append_only(sql_store: SqlStore, url: str, change: str):
    """The database itself refuses to change or drop what happened."""
    await sql_store.record(an_event())

    with pytest.raises(StoreError, match="append-only"):
        await run(url, change)

    assert await sql_store.events() == [an_event()]


async def test_copying_a_table_keeps_what_refers_to_it(sqlite_url: str):
    """SQLite alters a table by copying it; dropping the old copy does not take looks along."""
    async with SqlStore(sqlite_url) as store:
        release = await store.open(a_release())
        await store.add_looks(release, [a_look(0)])
    copying = engine(normalised(sqlite_url), foreign_keys=False)
    async with copying.begin() as connection:
        await connection.run_sync(_copy_releases)
    await copying.dispose()

    async with SqlStore(sqlite_url) as store:
        assert await store.looks(release.id) == [a_look(0)]
        await store.update(replace(release, ended=1.0))
        assert await store.prune(2.0) == 1
        assert await store.looks(release.id) == []


def _copy_releases(connection: Connection) -> None:
    operations = Operations(MigrationContext.configure(connection))
    with operations.batch_alter_table("releases", recreate="always") as batch:
        batch.alter_column("sentence", existing_type=Text, nullable=True)
