"""Lists of releases: narrowed, and paged both ways."""

from dataclasses import replace

import pytest
import pytest_asyncio

from firedamp.model import Controller, Judged, Outcome
from firedamp.ports import Wanted
from store.examples import KEY, a_label, a_look, a_release


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


async def test_the_newest_releases_of_some_services_are_told_at_once(store, four):
    """Of each so many, newest first; of one that has none nothing, and of no service nothing at all."""
    names = [("shop", "checkout"), ("pay", "checkout"), ("shop", "nothing")]

    found = await store.newest(names, limit=5)
    latest = await store.newest(names[:1], limit=1)

    assert {name: [one.id for one in each] for name, each in found.items()} == {
        names[0]: [four[1].id, four[0].id],
        names[1]: [four[3].id],
        names[2]: [],
    }
    assert [one.id for one in latest[names[0]]] == [four[1].id]
    assert await store.newest([], limit=5) == {}


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


async def test_changes_are_told_once_they_are_made(store, four):
    """What was opened, judged or told of since a time, each release once, the newest change last."""
    until, before = await store.changes(None)
    later, nothing = await store.changes(until)
    await store.update(replace(four[2], sentence="told"))
    await store.add_looks(four[0], [a_look(0)])
    await store.update(four[2])
    _, found = await store.changes(until)

    assert (before, nothing) == ([], [])
    assert later >= until
    assert [(one.release_id, one.namespace) for one in found] == [(four[0].id, "shop"), (four[2].id, "shop")]


async def test_many_changes_are_told_in_pieces(store, four):
    """The time of the last one told is where the next question begins."""
    until, found = await store.changes(0.0, limit=3)
    _, others = await store.changes(until, limit=3)

    assert [one.release_id for one in found] == [one.id for one in four[:3]]
    assert {one.release_id for one in others} >= {four[3].id}


async def test_a_label_is_a_change_to_who_watches(store, four):
    """Two people who look at one release see the same."""
    until, _ = await store.changes(None)
    await store.label(a_label(four[1].id))
    _, found = await store.changes(until)

    assert [one.release_id for one in found] == [four[1].id]
