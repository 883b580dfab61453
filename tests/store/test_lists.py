"""Lists of releases: narrowed, and paged both ways."""

from dataclasses import replace

import pytest
import pytest_asyncio

from firedamp.model import Controller, Judged, Outcome
from firedamp.ports import Wanted
from store.examples import KEY, a_label, a_release


@pytest_asyncio.fixture
async def four(store):
    """Four releases of two services in three namespaces, oldest first."""
    made = [
        a_release(replace(KEY, revision="a"), verdict=Outcome.FAIL, started=100.0, ended=150.0),
        a_release(replace(KEY, revision="b"), started=200.0, controller=Controller.FLAGGER),
        a_release(replace(KEY, service="cart", revision="c"), verdict=Outcome.PASS, started=300.0),
        a_release(replace(KEY, namespace="pay", revision="d"), started=400.0, ended=450.0),
    ]
    return [await store.open(release) for release in made]


@pytest.mark.parametrize(
    ("wanted", "revisions"),
    [
        (Wanted(), "dcba"),
        (Wanted(namespaces=("shop",)), "cba"),
        (Wanted(namespaces=("shop", "pay"), service="checkout"), "dba"),
        (Wanted(revision="c"), "c"),
        (Wanted(verdict=Outcome.FAIL), "a"),
        (Wanted(controller=Controller.FLAGGER), "b"),
        (Wanted(running=True), "cb"),
        (Wanted(running=False), "da"),
        (Wanted(since=200.0, until=400.0), "cb"),
        (Wanted(namespaces=("nowhere",)), ""),
    ],
)
async def test_a_list_is_narrowed(store, four, wanted, revisions):
    """By each filter by itself and by several together; newest first."""
    found = await store.listed(wanted)

    assert "".join(release.key.revision for release in found) == revisions


async def test_a_list_is_narrowed_by_the_newest_label(store, four):
    """Who thinks better of it changes what is found."""
    await store.label(a_label(four[0].id, Judged.FALSE_POSITIVE))
    await store.label(a_label(four[0].id, Judged.TRUE_POSITIVE))

    assert await store.listed(Wanted(label=Judged.TRUE_POSITIVE)) == [four[0]]
    assert await store.listed(Wanted(label=Judged.FALSE_POSITIVE)) == []


async def test_a_list_is_paged_forth_and_back(store, four):
    """The page after a page, and the page before it again, without a release twice or left out."""
    first = await store.listed(Wanted(), limit=2)
    second = await store.listed(Wanted(), before=first[-1].id, limit=2)
    again = await store.listed(Wanted(), after=second[0].id, limit=2)

    assert [one.key.revision for one in (*first, *second)] == ["d", "c", "b", "a"]
    assert again == first


async def test_going_back_takes_the_nearest_page(store, four):
    """Not the newest one: nobody skips a page on the way."""
    [nearest] = await store.listed(Wanted(), after=four[0].id, limit=1)

    assert nearest == four[1]
