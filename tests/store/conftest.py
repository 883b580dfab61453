"""Every store there is, one after the other, for tests that hold them all to the same promises."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from fakes import MemoryStore
from firedamp.ports import Store
from firedamp.store import SqlStore, migrate
from real.postgres import Cluster, postgres

__all__ = ["postgres"]

real = pytest.mark.real
DATABASES = ["sqlite", pytest.param("postgresql", marks=real)]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("store") / "template.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_database(postgres: Cluster) -> str:
    url = postgres.database()
    asyncio.run(migrate(url))
    return url.rsplit("/", 1)[1]


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/firedamp.db"
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def postgres_url(postgres: Cluster, migrated_database: str) -> str:
    """A migrated database on PostgreSQL."""
    return postgres.database(template=migrated_database)


@pytest.fixture
def sqlite_url(migrated_file, tmp_path) -> str:
    """A migrated SQLite file."""
    shutil.copy(migrated_file, tmp_path / "firedamp.db")
    return f"sqlite:///{tmp_path}/firedamp.db"


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    return request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])


@pytest.fixture
async def sql_store(url: str) -> AsyncIterator[SqlStore]:
    async with SqlStore(url) as store:
        yield store


@pytest.fixture(params=["memory", *DATABASES])
def any_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind, or "memory"."""
    made = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}
    return "memory" if request.param == "memory" else request.getfixturevalue(made[request.param])


@pytest.fixture
async def store(any_url: str) -> AsyncIterator[Store]:
    """Every store, the one in memory included."""
    if any_url == "memory":
        yield MemoryStore()
        return
    async with SqlStore(any_url) as opened:
        yield opened
