"""Restarts go on from snapshots: with the same looks, whatever becomes of a snapshot, and in nobody's way."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from fakes import MemoryStore
from firedamp.decision import session, snapshot
from firedamp.errors import StoreError
from firedamp.judge import Judge
from firedamp.judge.snapshots import EVERY
from firedamp.model import Arm
from firedamp.ports import Snapshot
from judge.shop import ASK, PARAMETERS, ShopBook, ShopSource


class Reading(MemoryStore):
    """
    A store that counts.

    Attributes:
        looked_after: the block after which looks were read, each time a piece was asked for.
    """

    def __init__(self):
        super().__init__()
        self.looked_after = []

    async def looks(self, release_id, *, after=-1, limit=None):
        if limit not in (None, 1):
            self.looked_after.append(after)
        return await super().looks(release_id, after=after, limit=limit)


@pytest.fixture
def store():
    return Reading()


def judge_on(store):
    return Judge(ShopBook(PARAMETERS), {"main": ShopSource(errors={"stable": 0.1, "canary": 0.13})}, store)


async def asked(store, *blocks, judge=None):
    """Ask before the first block and about each of these when it is over; the last answer."""
    judging, verdict = judge or judge_on(store), None
    for block in (-1, *blocks):
        verdict = await judging.answer(ASK, 30.0 * (block + 1) + 5.0 * (block >= 0))
        await judging.settled()
    return verdict


async def through(*blocks):
    """What a judge that never stopped recorded."""
    store = MemoryStore()
    await asked(store, *blocks)
    return [repr(look) for look in await store.looks(1)]


async def test_every_tenth_block_the_session_is_written_down(store):
    """Beside the answers; earlier ones are replaced."""
    kept = []
    judge = judge_on(store)
    for block in range(25):
        await asked(store, block, judge=judge)
        found = await store.snapshot(1)
        kept.append(None if found is None else found.block)

    assert kept == [None] * (EVERY - 1) + [EVERY - 1] * EVERY + [2 * EVERY - 1] * 6


async def test_a_restart_takes_the_blocks_after_the_snapshot(store):
    """Not those before it; the next look is the same."""
    await asked(store, *range(25))
    store.looked_after.clear()
    verdict = await asked(store, 25)

    assert verdict.block == 25
    assert store.looked_after == [19, 24]
    assert [repr(look) for look in await store.looks(1)] == await through(*range(26))


async def test_a_restart_at_every_block_changes_nothing(store):
    """Forty judges, one block each."""
    for block in range(40):
        await asked(store, block)

    assert [repr(look) for look in await store.looks(1)] == await through(*range(40))


class Forgetful(Reading):
    """A store that had no snapshots so far."""

    async def snapshot(self, release_id):
        return None if release_id else await super().snapshot(1)


async def test_a_long_rebuilding_is_written_down():
    """What was folded from many looks need not be folded again, by whomever."""
    store = Forgetful()
    await asked(store, *range(15))
    before = await store.snapshot(0)
    await asked(store, 18)
    after = await store.snapshot(0)

    assert (before.block, after.block) == (9, 14)


def begun(**changed):
    parameters = PARAMETERS.model_copy(update=changed)
    return session.begin(parameters, 0.0, Arm.MAIN)


UNFIT = {
    "damaged": b"\x94\xa5nonsense",
    "empty": b"",
    "of other parameters": snapshot.taken(begun(alpha=0.01)),
    "of another version": snapshot.taken(begun()).replace(snapshot.ENGINE[:5].encode(), b"9.9.9"),
}


@pytest.mark.parametrize("body", UNFIT.values(), ids=UNFIT)
async def test_a_snapshot_that_does_not_fit_is_passed_over(store, body):
    """One line says why, and the blocks are taken from the first one on."""
    await asked(store, *range(15))
    await store.keep(Snapshot(1, 12, body))
    store.looked_after.clear()
    with capture_logs() as logs:
        await asked(store, 15)

    (line,) = [one for one in logs if one["event"] == "snapshot"]
    assert line["log_level"] == "warning"
    assert line["what"] == "of shop/checkout@canary#1"
    assert "its blocks are taken again" in line["error"]
    assert store.looked_after == [-1, 14]
    assert [repr(look) for look in await store.looks(1)] == await through(*range(16))


async def test_a_snapshot_beyond_the_looks_is_passed_over(store):
    """Looks that were lost are taken again, so they come before whatever knew them."""
    await asked(store, *range(20))
    ahead, other = await store.snapshot(1), Reading()
    await asked(other, *range(15))
    await other.keep(ahead)
    with capture_logs() as logs:
        await asked(other, *range(15, 20))

    assert "goes beyond the release's looks" in next(
        one["error"] for one in logs if one["event"] == "snapshot"
    )
    assert [repr(look) for look in await other.looks(1)] == await through(*range(20))


async def test_a_snapshot_under_another_blocks_number_is_passed_over(store):
    """The number it is kept under is not believed."""
    await asked(store, *range(15))
    kept = await store.snapshot(1)
    await store.keep(replace(kept, block=12))
    await asked(store, 15)

    assert [repr(look) for look in await store.looks(1)] == await through(*range(16))


class Refusing(Reading):
    """A store with trouble in its snapshots alone."""

    async def snapshot(self, release_id):
        raise StoreError("no such table: snapshots")

    async def keep(self, snapshot):
        raise StoreError("no such table: snapshots")


async def test_a_store_without_snapshots_judges_all_the_same():
    """They can neither be written nor read, and that is logged."""
    store = Refusing()
    with capture_logs() as logs:
        await asked(store, *range(12))
        verdict = await asked(store, 12)

    assert verdict.block == 12
    assert [one["error"] for one in logs if one["event"] == "snapshot"] == [
        "no such table: snapshots; its blocks are taken again",
        "no such table: snapshots",
        "no such table: snapshots; its blocks are taken again",
        "no such table: snapshots",
    ]
    assert [repr(look) for look in await store.looks(1)] == await through(*range(13))


class Hanging(Reading):
    """A store that never comes back from keeping a snapshot."""

    async def keep(self, snapshot):
        await asyncio.Event().wait()


async def test_nobody_waits_for_a_snapshot():
    """Answers go on while one cannot be written, and closing gives it up."""
    judge = judge_on(Hanging())
    await judge.answer(ASK, 0.0)
    answers = [await asyncio.wait_for(judge.answer(ASK, 30.0 * block + 35.0), 5.0) for block in range(25)]
    await asyncio.wait_for(judge.close(), 5.0)

    assert [answer.block for answer in answers] == [*range(25)]


async def test_a_snapshot_goes_with_its_release(store):
    """When the end is reported nothing is left of it."""
    judge = judge_on(store)
    await asked(store, *range(12), judge=judge)
    before = await store.snapshot(1)
    await judge.ended("shop", "checkout", "canary", outcome="promoted", by="argo", now=400.0)
    await judge.settled()

    assert before is not None
    assert await store.snapshot(1) is None


async def test_two_replicas_share_snapshots(store):
    """Each goes on from what either wrote; asked in turn they record what one would have."""
    judges = [judge_on(store), judge_on(store)]
    for block in range(31):
        await asked(store, block, judge=judges[block % 2])

    assert (await store.snapshot(1)).block == 29
    assert [repr(look) for look in await store.looks(1)] == await through(*range(31))
