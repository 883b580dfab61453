"""Releases and their looks, in every store."""

import asyncio
from dataclasses import replace

import pytest

from firedamp.errors import ConflictError, StoreError
from firedamp.model import Outcome
from firedamp.ports import Store
from store.examples import KEY, a_look, a_release


async def opened(store: Store, **changed: object):
    return await store.open(a_release(**changed))


async def test_a_release_comes_back_as_it_went_in(store: Store):
    """All fields of a release survive, also those set at opening that are rarely used."""
    full = a_release(
        experiment=True,
        ask_gap=10.1,
        step=2,
        step_label="20 %",
        step_since=1.1,
        advanced_block=7,
        weight=0.2,
        ended=2.5,
        outcome="promoted",
        verdict=Outcome.PASS,
        sentence="nothing worse than main",
    )

    release = await store.open(full)

    assert release == replace(full, id=release.id)
    assert await store.release(release.id) == release


async def test_an_unknown_release_is_none(store: Store):
    """Asking for a release that is not there is no error."""
    assert await store.release(4711) is None
    assert await store.latest("shop", "checkout", None) is None


async def test_an_attempt_opens_once(store: Store):
    """The second to open an attempt is told that somebody was first."""
    await opened(store)

    with pytest.raises(ConflictError):
        await opened(store)


async def test_another_attempt_of_the_same_revision_opens(store: Store):
    """A revision may be tried again, under the next number."""
    first = await opened(store)
    second = await opened(store, key=replace(KEY, attempt=2), started=first.started + 60)

    assert await store.latest("shop", "checkout", KEY.revision) == second


async def test_the_latest_release_is_the_one_started_last(store: Store):
    """Latest goes by start; without a revision any revision counts, and other services never do."""
    await opened(store, key=replace(KEY, revision="new"), started=200.0)
    older = await opened(store, key=replace(KEY, revision="old"), started=100.0)
    await opened(store, key=replace(KEY, service="cart"), started=300.0)

    latest = await store.latest("shop", "checkout", None)
    assert latest is not None
    assert latest.key.revision == "new"
    assert await store.latest("shop", "checkout", "old") == older


async def test_what_changes_after_opening_is_written_back(store: Store):
    """Update writes the moving parts of a release."""
    release = await opened(store)
    moved = replace(
        release, last_asked=5.5, ask_gap=10.0, step=1, step_label="50 %", step_since=4.0, advanced_block=3,
        weight=0.5, ended=9.0, outcome="rolled back", verdict=Outcome.FAIL, sentence="errors",
    )  # fmt: skip

    await store.update(moved)

    assert await store.release(release.id) == moved


async def test_what_a_release_was_opened_with_stays(store: Store):
    """Update leaves identity, start, arms, parameters and version alone."""
    release = await opened(store)

    await store.update(replace(release, parameters="{}", started=0.0, arms={}, version="9"))

    assert await store.release(release.id) == release


async def test_a_release_that_is_gone_cannot_be_updated(store: Store):
    """Writing back a release the store does not have is an error, not silence."""
    with pytest.raises(StoreError):
        await store.update(a_release(id=4711))


async def test_pages_go_from_the_newest_to_the_oldest(store: Store):
    """Pages follow one another without gaps or repeats, whatever is opened meanwhile."""
    made = [await opened(store, key=replace(KEY, attempt=n)) for n in range(7)]

    first = await store.releases(limit=3)
    await opened(store, key=replace(KEY, attempt=99))
    second = await store.releases(before=first[-1].id, limit=3)
    third = await store.releases(before=second[-1].id, limit=3)

    assert [*first, *second, *third] == made[::-1]


async def test_lists_can_be_narrowed(store: Store):
    """Only releases of the namespace and service asked for are listed."""
    await opened(store)
    cart = await opened(store, key=replace(KEY, service="cart"))
    pay = await opened(store, key=replace(KEY, namespace="pay"))

    assert await store.releases(namespace="shop", service="cart") == [cart]
    assert await store.releases(namespace="pay") == [pay]


async def test_looks_come_back_in_order(store: Store):
    """Looks are read by block, from after a block on, as many as wanted."""
    release = await opened(store)
    looks = [a_look(n) for n in range(5)]
    await store.add_looks(release, [looks[0], looks[1]])
    await store.add_looks(release, [looks[4], looks[3], looks[2]])

    assert await store.looks(release.id) == looks
    assert await store.looks(release.id, after=1, limit=2) == looks[2:4]
    assert await store.last_look(release.id) == looks[4]


async def test_a_release_without_looks_has_none(store: Store):
    """No look yet is an empty list and no last look."""
    release = await opened(store)

    assert await store.looks(release.id) == []
    assert await store.last_look(release.id) is None


async def test_looks_bring_their_release_along(store: Store):
    """The release is written back together with its looks."""
    release = replace(await opened(store), verdict=Outcome.FAIL, sentence="errors", last_asked=7.0)

    await store.add_looks(release, [a_look(0)])

    assert await store.release(release.id) == release


async def test_a_block_is_judged_once(store: Store):
    """A second look at a block is refused, and nothing of that call is written."""
    release = await opened(store)
    await store.add_looks(release, [a_look(0, "first")])

    with pytest.raises(ConflictError):
        await store.add_looks(replace(release, sentence="late"), [a_look(1), a_look(0, "second")])

    assert await store.looks(release.id) == [a_look(0, "first")]
    assert await store.release(release.id) == release


async def test_looks_need_a_release(store: Store):
    """Looks at a release that is gone are refused."""
    with pytest.raises(StoreError):
        await store.add_looks(a_release(id=4711), [a_look(0)])

    assert await store.looks(4711) == []


async def test_old_ended_releases_are_pruned(store: Store):
    """Retention forgets what ended before an instant, with its looks, and nothing else."""
    old = await opened(store, key=replace(KEY, attempt=1), ended=99.0)
    late = await opened(store, key=replace(KEY, attempt=2), ended=100.0)
    running = await opened(store, key=replace(KEY, attempt=3), started=1.0)
    for release in (old, late, running):
        await store.add_looks(release, [a_look(0)])

    assert await store.prune(100.0) == 1

    assert await store.releases() == [running, late]
    assert await store.looks(old.id) == []
    assert await store.looks(late.id) == [a_look(0)]


async def test_last_looks_are_told_at_once(store: Store):
    """Of each release that has one, in the order in which they were asked for; many as few."""
    made = [await opened(store, key=replace(KEY, revision=f"r{number}")) for number in range(12)]
    for release in made[1:]:
        await store.add_looks(release, [a_look(0), a_look(release.id)])

    found = await store.last_looks([one.id for one in made[::-1]])

    assert list(found) == [one.id for one in made[:0:-1]]
    assert [look.evidence.block.index for look in found.values()] == list(found)
    assert await store.last_looks([]) == {}


async def test_ids_are_never_used_again(store: Store):
    """A permalink of a pruned release never shows another one."""
    old = await opened(store, ended=1.0)
    await store.prune(2.0)

    assert (await opened(store)).id > old.id


async def test_one_caller_at_a_time_holds_a_release(store: Store):
    """While one caller holds a release, whatever the attempt, another waits."""
    seen: list[str] = []

    async def look(who: str, attempt: int) -> None:
        async with store.lock(replace(KEY, attempt=attempt)):
            seen.append(f"{who} in")
            await asyncio.sleep(0.02)
            seen.append(f"{who} out")

    await asyncio.gather(look("a", 1), look("b", 2))

    assert [step.split()[1] for step in seen] == ["in", "out", "in", "out"]


async def test_different_releases_do_not_wait_for_one_another(store: Store):
    """A lock is about one revision of one service."""
    async with (
        store.lock(KEY),
        store.lock(replace(KEY, revision="other")),
        asyncio.timeout(2),
        store.lock(replace(KEY, service="cart")),
    ):
        pass


async def test_a_lock_is_given_back_when_its_holder_is_cancelled(store: Store):
    """A caller who hangs up does not leave the release locked."""

    async def look_for_ever() -> None:
        async with store.lock(KEY):
            await asyncio.sleep(3600)

    caller = asyncio.create_task(look_for_ever())
    await asyncio.sleep(0.05)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)

    async with asyncio.timeout(2), store.lock(KEY):
        pass


async def test_a_fresh_store_is_ready(store: Store):
    """A migrated store has nothing to complain about."""
    assert await store.ready() is None
