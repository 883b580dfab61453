"""Lessons about noise: kept per check and release, a few sums each, exactly."""

import asyncio
import math
from dataclasses import replace

import pytest

from firedamp.errors import StoreError
from firedamp.ports import LESSONS, Store
from firedamp.store import SqlStore
from store.examples import a_lesson, a_look, a_release


async def test_lessons_come_back_as_they_were(store: Store):
    """By check, history before releases, to the last digit; another service's are not among them."""
    told = [a_lesson(), a_lesson(release_id=3, phi_sum=0.1 + 0.2), a_lesson(check="refusals", at=2.25)]
    await store.learn([*reversed(told), a_lesson(service="pay")])

    assert await store.lessons("shop", "checkout") == told
    assert await store.lessons("shop", "nobody") == []


async def test_a_newer_lesson_takes_the_place_of_the_old_one(store: Store):
    """History is what it was last; a release that goes on tells more, once."""
    await store.learn([a_lesson(), a_lesson(release_id=7)])
    newer = [a_lesson(at=4600.0, counts="77aa", phi_sum=9.0), a_lesson(release_id=7, tau_weight=8.0)]
    await store.learn(newer)

    assert await store.lessons("shop", "checkout") == newer


async def test_the_newest_releases_tell_of_a_check(store: Store):
    """Older lessons of a check go when one comes; history and other checks stay."""
    await store.learn([a_lesson(), a_lesson(check="refusals", release_id=1)])
    for number in range(1, LESSONS + 3):
        await store.learn([a_lesson(release_id=number)])
    kept = [
        lesson.release_id for lesson in await store.lessons("shop", "checkout") if lesson.check == "errors"
    ]

    assert kept == [0, *range(3, LESSONS + 3)]
    assert a_lesson(check="refusals", release_id=1) in await store.lessons("shop", "checkout")


async def test_old_lessons_are_pruned_by_their_evidence(store: Store):
    """What was told longer ago than anything is kept is forgotten; younger lessons outlive their release."""
    await store.learn([a_lesson(), a_lesson(release_id=4, at=3000.0)])
    await store.prune(2000.0)

    assert await store.lessons("shop", "checkout") == [a_lesson(release_id=4, at=3000.0)]


async def test_a_lesson_without_a_number_is_refused(store: Store):
    """NaN is learnt by nobody, and nothing beside it is written."""
    with pytest.raises(StoreError, match="NaN"):
        await store.learn([a_lesson(check="another"), a_lesson(phi_sum=math.nan)])

    assert await store.lessons("shop", "checkout") == []


async def test_noise_is_pinned_with_a_look_and_only_there(store: Store):
    """What the looks stand on is written with them; nothing else that is written back touches it."""
    release = await store.open(a_release())
    await store.update(replace(release, noise='{"errors":[1.0,2.0,0.0,0.0]}'))
    before = await store.release(release.id)
    await store.add_looks(replace(release, noise='{"errors":[30.0,10.0,0.0,0.0]}'), [a_look(0)])
    await store.update(replace(release, last_asked=5.0))
    after = await store.release(release.id)

    assert before is not None
    assert before.noise == ""
    assert after is not None
    assert (after.noise, after.last_asked) == ('{"errors":[30.0,10.0,0.0,0.0]}', 5.0)


async def test_two_replicas_may_learn_the_same_at_once(url: str):
    """Lessons told twice in the same instant are there once."""
    told = [a_lesson(check=f"check-{n}", release_id=9) for n in range(20)]
    async with SqlStore(url) as one, SqlStore(url) as other:
        await asyncio.gather(*(store.learn(told) for store in (one, other) * 3))

        assert len(await one.lessons("shop", "checkout")) == 20
