"""Several writers at once: on one store, on two stores of one database, and in other processes."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from firedamp.errors import ConflictError, StoreError
from firedamp.ports import Store
from firedamp.store import SqlStore
from real.postgres import Cluster
from store.examples import KEY, a_look, a_release, an_event
from store.writer import BATCH

real = pytest.mark.real


async def winners(*attempts) -> Counter[str]:
    """How many of these got through, and how many were told that somebody else was first."""
    done = await asyncio.gather(*attempts, return_exceptions=True)
    return Counter(type(result).__name__ if isinstance(result, Exception) else "won" for result in done)


@pytest.fixture
async def pair(url: str):
    """Two stores on one database, as two replicas (or, on SQLite, two programs) have them."""
    async with SqlStore(url) as one, SqlStore(url) as other:
        yield one, other


async def test_two_replicas_open_an_attempt_once(pair: tuple[SqlStore, SqlStore]):
    """Of many who open the same attempt in the same instant exactly one wins; all see its release."""
    for attempt in range(10):
        release = a_release(key=replace(KEY, attempt=attempt))
        counted = await winners(*(store.open(release) for store in pair * 3))

        assert counted == {"won": 1, "ConflictError": 5}
        assert await pair[0].latest(*_names(release)) == await pair[1].latest(*_names(release))


async def test_two_replicas_judge_a_block_once(pair: tuple[SqlStore, SqlStore]):
    """Of many who add the same block exactly one wins, and the release says what that one wrote."""
    release = await pair[0].open(a_release())
    for block in range(10):
        counted = await winners(
            *(
                store.add_looks(replace(release, sentence=f"{n}"), [a_look(block, f"{n}")])
                for n, store in enumerate(pair * 3)
            )
        )

        assert counted == {"won": 1, "ConflictError": 5}
        look = await pair[0].last_look(release.id)
        written = await pair[1].release(release.id)
        assert look is not None
        assert written is not None
        assert look.findings[0].sentence == written.sentence


async def test_overlapping_batches_do_not_mix(pair: tuple[SqlStore, SqlStore]):
    """Batches that share a block are written whole or not at all, in whatever order they come."""
    release = await pair[0].open(a_release())

    counted = await winners(
        pair[0].add_looks(release, [a_look(n, "one") for n in (0, 1, 2)]),
        pair[1].add_looks(release, [a_look(n, "other") for n in (2, 1, 3)]),
    )

    assert counted == {"won": 1, "ConflictError": 1}
    looks = await pair[0].looks(release.id)
    assert len({look.findings[0].sentence for look in looks}) == 1
    assert len(looks) == 3


@real
async def test_two_replicas_take_turns_at_a_release(postgres_url: str):
    """A lock holds across replicas: of many looks at once only one runs."""
    inside = 0

    async def look(store: SqlStore) -> None:
        nonlocal inside
        async with store.lock(KEY):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.005)
            inside -= 1

    async with SqlStore(postgres_url) as one, SqlStore(postgres_url) as other:
        await asyncio.gather(*(look(store) for store in [one, other] * 10))


async def test_many_looks_do_not_drain_the_pool(url: str):
    """50 looks at 50 releases hold their locks, all of them write, and a pool of five serves them."""
    together = asyncio.Barrier(50)

    async def look(store: SqlStore, n: int) -> None:
        key = replace(KEY, revision=f"rev-{n}")
        async with store.lock(key):
            await together.wait()
            release = await store.open(a_release(key=key))
            await store.add_looks(release, [a_look(0)])

    async with SqlStore(url, pool_size=5) as store, asyncio.timeout(30):
        await asyncio.gather(*(look(store, n) for n in range(50)))

        assert len(await store.releases(limit=100)) == 50


async def test_many_looks_at_one_release_take_turns(url: str):
    """50 who want the same release, from two replicas with pools of five, are served one by one."""
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(SqlStore(url, pool_size=5, lock_seconds=30)) for _ in range(2)
        ]
        release = await stores[0].open(a_release())

        async def look(store: SqlStore) -> bool:
            async with store.lock(KEY):
                known = await store.looks(release.id)
                await store.add_looks(release, [a_look(len(known))])
                return True

        # SQLite has no lock among programs: one store only.
        mine = stores[:1] if url.startswith("sqlite") else stores
        async with asyncio.timeout(50):
            assert all(await asyncio.gather(*(look(mine[n % len(mine)]) for n in range(50))))
        assert len(await stores[1].looks(release.id)) == 50


async def test_waiting_for_a_release_ends(url: str):
    """Who waits too long for a look of somebody else is told so, and the lock stays usable."""
    async with SqlStore(url, lock_seconds=0.1) as store:
        async with store.lock(KEY):
            with pytest.raises(StoreError, match="being looked at"):
                async with store.lock(KEY):
                    pytest.fail("two hold one release")
        async with store.lock(KEY):
            pass


@real
async def test_waiting_for_another_replica_ends(postgres_url: str):
    """Who waits too long for another replica is told so."""
    async with SqlStore(postgres_url) as one, SqlStore(postgres_url, lock_seconds=0.1) as other:
        async with one.lock(KEY):
            with pytest.raises(StoreError, match="being looked at"):
                async with other.lock(KEY):
                    pytest.fail("two hold one release")
        async with other.lock(KEY):
            pass


@real
async def test_a_caller_who_gives_up_waiting_leaves_no_lock(postgres_url: str):
    """A lock that came through just when its caller hung up is given back."""
    async with SqlStore(postgres_url) as one, SqlStore(postgres_url, lock_seconds=5) as other:
        for pause in [0.0, 0.001, 0.003, 0.01, 0.03] * 4:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(pause), one.lock(KEY):
                    await asyncio.sleep(1)
        async with asyncio.timeout(3), other.lock(KEY):
            pass


@real
async def test_a_broken_connection_frees_its_locks(postgres: Cluster, postgres_url: str):
    """When the connection with the locks dies, others go on, and the store finds a new one."""
    async with SqlStore(postgres_url) as one, SqlStore(postgres_url) as other:
        async with one.lock(KEY):
            _drop_connections(postgres, postgres_url)
            async with asyncio.timeout(3):
                async with other.lock(KEY):
                    pass
        async with asyncio.timeout(3), one.lock(KEY):
            pass


@real
async def test_the_store_survives_a_restart_of_the_database(postgres: Cluster, postgres_url: str):
    """Connections that died while idle are replaced without an error."""
    async with SqlStore(postgres_url) as store:
        release = await store.open(a_release())
        _drop_connections(postgres, postgres_url)

        assert await store.release(release.id) == release


def _drop_connections(postgres: Cluster, url: str) -> None:
    name = url.rsplit("/", 1)[1]
    postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def test_a_cancelled_write_is_whole_or_absent(sql_store: SqlStore):
    """A caller who hangs up in the middle of a write leaves no half of it, and a store that works."""
    rng = random.Random(5)
    release = await sql_store.open(a_release())
    for n in range(30):
        first = len(await sql_store.looks(release.id))
        moved = replace(release, step=first + BATCH)
        writing = asyncio.create_task(sql_store.add_looks(moved, [a_look(first + i) for i in range(BATCH)]))
        await asyncio.sleep(rng.uniform(0, 0.006) if n % 3 else 0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

        # Less than it takes SQLite to give up on a write lock that a lost connection holds.
        async with asyncio.timeout(4):
            await sql_store.tasks.settled()
            await sql_store.record(an_event())
            await _assert_whole(sql_store, release.id)


async def test_closing_waits_for_what_was_begun(url: str):
    """A write whose caller hung up is finished before the store closes."""
    async with SqlStore(url) as store:
        release = await store.open(a_release())
        writing = asyncio.create_task(store.add_looks(release, [a_look(0)]))
        await asyncio.sleep(0)
        writing.cancel()

    async with SqlStore(url) as store:
        assert await store.looks(release.id) == [a_look(0)]


async def _assert_whole(store: Store, release_id: int, *, since: int = 0) -> int:
    """Looks are as the release says, in whole batches without gaps; returns how many there are."""
    looks = await store.looks(release_id, after=since - 1)
    release = await store.release(release_id)
    written = since + len(looks)
    assert release is not None
    assert looks == [a_look(n) for n in range(since, written)]
    assert written % BATCH == 0
    assert release.step == written
    return written


@pytest.mark.timeout(180)
async def test_a_killed_writer_leaves_no_torn_look(url: str):
    """After kill -9 at any moment, everything acknowledged is there and nothing is there by half."""
    kills = 50 if url.startswith("sqlite") else 15
    rng = random.Random(9)
    async with SqlStore(url) as store:
        release = await store.open(a_release())
        written = 0
        with _writers(url, release.id) as writers:
            for _ in range(kills):
                acknowledged = _kill_one(writers, rng.uniform(0, 0.03))

                written = await _assert_whole(store, release.id, since=written)
                assert acknowledged <= written <= acknowledged + BATCH

        assert await _assert_whole(store, release.id) == written >= kills * BATCH


@contextmanager
def _writers(url: str, release_id: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(Path(__file__).with_name("writer.py")), url, str(release_id)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        yield writers


def _kill_one(writers: subprocess.Popen[str], pause: float) -> int:
    """Start a writer, kill it a moment after its first batch, and return the last batch it told of."""
    assert writers.stdin is not None
    assert writers.stdout is not None
    writers.stdin.write("go\n")
    writers.stdin.flush()
    writer, acknowledged = int(writers.stdout.readline()), int(writers.stdout.readline())
    time.sleep(pause)
    os.kill(writer, signal.SIGKILL)
    while (said := writers.stdout.readline().strip()) != "dead":
        acknowledged = int(said)
    return acknowledged


def _names(release) -> tuple[str, str, str]:
    return release.key.namespace, release.key.service, release.key.revision


def test_conflicts_are_store_errors():
    """Who only wants to know that the store failed need not know about conflicts."""
    assert issubclass(ConflictError, StoreError)
