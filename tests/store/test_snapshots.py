"""Snapshots: the newest of each running release, and none of any other."""

import asyncio
from dataclasses import replace

import pytest

from firedamp.model import Release
from firedamp.ports import Snapshot, Store
from firedamp.store import SqlStore
from store.examples import KEY, a_look, a_release


def a_snapshot(release: Release, block: int, body: bytes = bytes(range(256))) -> Snapshot:
    return Snapshot(release.id, block, body)


async def test_a_snapshot_comes_back_as_it_was(store: Store):
    """Byte by byte; a release without one, or an unknown one, has none."""
    one, other = await store.open(a_release()), await store.open(a_release(replace(KEY, attempt=2)))
    await store.keep(a_snapshot(one, 9))

    assert await store.snapshot(one.id) == a_snapshot(one, 9)
    assert await store.snapshot(other.id) is None
    assert await store.snapshot(4711) is None


@pytest.mark.parametrize(("block", "kept"), [(19, 19), (10, 10), (9, 9), (8, 9)])
async def test_only_a_later_block_replaces_it(store: Store, block: int, kept: int):
    """Two replicas may both write, in whatever order; the same block again changes nothing."""
    release = await store.open(a_release())
    await store.keep(a_snapshot(release, 9, b"first"))
    await store.keep(a_snapshot(release, block, b"second"))

    body = b"second" if block > 9 else b"first"
    assert await store.snapshot(release.id) == a_snapshot(release, kept, body)


async def test_it_goes_when_its_release_ends(store: Store):
    """What is over is not gone on with, and what is written late is not kept."""
    release = await store.open(a_release())
    await store.keep(a_snapshot(release, 9))
    await store.update(replace(release, last_asked=2.0))
    before = await store.snapshot(release.id)
    await store.update(replace(release, ended=3.0))
    await store.keep(a_snapshot(release, 19))

    assert before == a_snapshot(release, 9)
    assert await store.snapshot(release.id) is None


async def test_one_of_an_unknown_release_is_not_kept(store: Store):
    """Its release was forgotten in the meantime; nobody needs to hear of it."""
    await store.keep(Snapshot(4711, 9, b""))

    assert await store.snapshot(4711) is None


async def test_it_goes_when_nobody_asks_any_more(store: Store):
    """A release that nobody ended keeps its looks, and its snapshot until retention is over."""
    left = await store.open(a_release(last_asked=99.0))
    asked = await store.open(a_release(replace(KEY, attempt=2), last_asked=100.0))
    for release in (left, asked):
        await store.add_looks(release, [a_look(0)])
        await store.keep(a_snapshot(release, 0))
    await store.prune(100.0)

    assert await store.snapshot(left.id) is None
    assert await store.snapshot(asked.id) == a_snapshot(asked, 0)
    assert await store.looks(left.id) == [a_look(0)]


async def test_two_replicas_may_write_at_once(url: str):
    """Whoever comes last, the latest block stays."""
    async with SqlStore(url) as one, SqlStore(url) as other:
        release = await one.open(a_release())
        kept = [a_snapshot(release, block, bytes([block])) for block in range(20)]
        await asyncio.gather(
            *(store.keep(each) for each in kept[::-1] + kept for store in (one, other)),
            *(
                store.update(replace(release, last_asked=float(n)))
                for n in range(5)
                for store in (one, other)
            ),
        )

        assert await other.snapshot(release.id) == kept[-1]
