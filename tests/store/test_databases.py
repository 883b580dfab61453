"""What only one of the databases has: files and their modes, URLs, limits, failures."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from firedamp.errors import StoreError
from firedamp.store import SqlStore, open_store
from firedamp.store.database import Database, normalised
from real.postgres import Cluster
from store.examples import KEY, a_database, a_look, a_release

real = pytest.mark.real


async def asked(url: str, *questions: str) -> list[object]:
    async with a_database(url) as database, database.reading() as connection:
        return [(await connection.execute(text(question))).scalar() for question in questions]


async def test_a_file_is_made_with_its_folder_for_its_owner_only(tmp_path: Path):
    """Nobody else on the machine reads hashes of tokens."""
    folder = tmp_path / "deep" / "er"
    before = os.umask(0)
    try:
        async with await open_store(f"sqlite:///{folder}/firedamp.db") as store:
            await store.open(a_release())
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(["firedamp.db", "firedamp.db-wal", "firedamp.db-shm"], 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_sqlite_writes_ahead_and_keeps_foreign_keys(sqlite_url: str):
    """The settings that make SQLite fit for a service hold on every connection."""
    pragmas = ["journal_mode", "synchronous", "busy_timeout", "foreign_keys"]

    assert await asked(sqlite_url, *(f"PRAGMA {name}" for name in pragmas)) == ["wal", 1, 5000, 1]


async def test_readers_do_not_wait_for_a_writer(sqlite_url: str):
    """While one program writes, another reads what was there before."""
    async with SqlStore(sqlite_url) as store:
        release = await store.open(a_release())
        async with a_database(sqlite_url) as other, other.writing() as connection:
            await connection.execute(text("UPDATE releases SET sentence = 'unfinished'"))

            assert await store.release(release.id) == release


async def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path):
    """The message names what the system said."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be reached"):
        await open_store(f"sqlite:///{tmp_path}/file/firedamp.db")


async def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path):
    """A wrong path does not look like an empty store."""
    (tmp_path / "notes.txt").write_text("remember the milk\n" * 100)

    with pytest.raises(StoreError, match="not a database"):
        await open_store(f"sqlite:///{tmp_path}/notes.txt")


async def test_a_look_damaged_on_disk_is_a_store_error(sql_store: SqlStore, url: str):
    """A look that cannot be trusted is not shown."""
    release = await sql_store.open(a_release())
    await sql_store.add_looks(release, [a_look(0)])
    async with a_database(url) as database, database.writing() as connection:
        await connection.execute(text("UPDATE looks SET body = :body"), {"body": b"\x01junk"})

    with pytest.raises(StoreError, match="damaged"):
        await sql_store.looks(release.id)


async def test_ten_thousand_releases_are_read_page_by_page(sql_store: SqlStore, url: str):
    """A long history is read to its end, each release once, and the last page is as quick as the first."""
    first = await sql_store.open(a_release())
    names = [column for column in await _columns(url) if column not in ("id", "attempt")]
    listed = ", ".join(f'"{name}"' for name in names)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
    async with a_database(url) as database, database.writing() as connection:
        copying = f"INSERT INTO releases (attempt, {listed}) {numbers} SELECT i, {listed} FROM releases, n"
        await connection.execute(text(copying))

    seen: list[int] = []
    before = None
    while page := await sql_store.releases(namespace="shop", service="checkout", before=before, limit=500):
        before = page[-1].id
        seen += [release.id for release in page]

    assert len(seen) == 10_000
    assert seen == sorted(set(seen), reverse=True)
    assert seen[-1] == first.id


async def _columns(url: str) -> list[str]:
    async with a_database(url) as database, database.reading() as connection:
        return list((await connection.execute(text("SELECT * FROM releases"))).keys())


async def test_pruning_goes_on_until_all_is_gone(sql_store: SqlStore):
    """More releases than one transaction takes are pruned all the same."""
    for attempt in range(1, 231):
        await sql_store.open(a_release(key=KEY.__class__("shop", "checkout", "r", attempt), ended=1.0))

    assert await sql_store.prune(2.0) == 230
    assert await sql_store.releases() == []


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("postgresql://me:secret@db:5433/firedamp", "postgresql+asyncpg://me:secret@db:5433/firedamp"),
        ("postgres://db/firedamp", "postgresql+asyncpg://db/firedamp"),
        ("postgresql+asyncpg://db/firedamp", "postgresql+asyncpg://db/firedamp"),
        ("sqlite:///firedamp.db", "sqlite+aiosqlite:///firedamp.db"),
        ("sqlite:////var/lib/firedamp.db", "sqlite+aiosqlite:////var/lib/firedamp.db"),
    ],
)
def test_urls_are_taken_as_people_write_them(url: str, meant: str):
    """The driver is our business."""
    assert normalised(url).render_as_string(hide_password=False) == meant


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db/firedamp",
        "firedamp.db",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+psycopg2://db/x",
    ],
)
def test_other_urls_are_refused(url: str):
    """A database we do not know, or one that forgets, is refused with an example of what to write."""
    with pytest.raises(StoreError, match="write sqlite:///path"):
        normalised(url)


def test_passwords_are_not_shown():
    """Messages show a URL without its password."""
    assert "secret" not in Database("postgresql://me:secret@db/firedamp").shown


async def test_a_server_that_is_not_there_is_a_store_error():
    """Connection refused is an error of ours, at once, and readiness says it without the password."""
    url = "postgresql://me:secret@127.0.0.1:9/firedamp"
    async with SqlStore(url) as store:
        with pytest.raises(StoreError, match="cannot be reached"):
            await store.releases()
        with pytest.raises(StoreError, match="cannot be reached"):
            async with store.lock(KEY):
                pass
        ready = await store.ready()

    assert ready is not None
    assert "127.0.0.1:9/firedamp" in ready
    assert "secret" not in ready


@real
async def test_an_unknown_database_is_a_store_error(postgres: Cluster):
    """What the server says when it lets nobody in reaches the reader."""
    with pytest.raises(StoreError, match='"nowhere" does not exist'):
        await open_store(f"postgresql://postgres@127.0.0.1:{postgres.port}/nowhere")


@real
async def test_encryption_is_asked_for_in_the_words_of_libpq(postgres: Cluster, postgres_url: str):
    """`sslmode` in the URL reaches the driver: a server without TLS refuses `require`."""
    async with SqlStore(f"{postgres_url}?sslmode=disable") as store:
        assert await store.ready() is None
    async with SqlStore(f"{postgres_url}?sslmode=require") as store:
        assert "SSL" in (await store.ready() or "")


@real
async def test_postgresql_limits_what_can_hang(postgres_url: str):
    """Statements, waits for locks and forgotten transactions all end."""
    names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name"]

    assert await asked(postgres_url, *(f"SHOW {name}" for name in names)) == ["5s", "5s", "30s", "firedamp"]


@real
async def test_a_statement_that_takes_too_long_is_a_store_error(postgres_url: str):
    """A timeout of the server is an error of ours."""
    async with a_database(postgres_url) as database:
        with pytest.raises(StoreError, match="statement timeout"):
            await _sleep(database)


async def _sleep(database: Database) -> None:
    async with database.reading() as connection:
        await connection.execute(text("SET statement_timeout = 20"))
        await connection.execute(text("SELECT pg_sleep(5)"))


async def test_a_look_that_was_read_lately_is_not_taken_apart_again(sql_store: SqlStore):
    """A page that is drawn anew for everybody who has it open reads the same looks; they never change."""
    release = await sql_store.open(a_release())
    await sql_store.add_looks(release, [a_look(0), a_look(1)])
    once = await sql_store.looks(release.id)

    assert all(one is other for one, other in zip(once, await sql_store.looks(release.id), strict=True))
    assert await sql_store.last_look(release.id) is once[-1]
