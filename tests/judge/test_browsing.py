"""A release looked back on while it is being judged."""

from fakes import GrowingStore
from firedamp.judge.browsing import Browsed, browsed
from lookbook import a_release_of
from store.examples import a_release


async def _browsed(wanted: str = "") -> Browsed:
    """Two looks of a release, and a third that comes while they are read."""
    store = GrowingStore()
    release = await store.open(a_release())
    first, second, third = a_release_of(3)
    await store.add_looks(release, [first, second])
    store.coming = [third]
    return await browsed(store, release, wanted)


async def test_a_look_that_comes_meanwhile_is_the_newest():
    """No page calls an older one the newest, beside the count of all."""
    found = await _browsed()

    assert (len(found.looks), found.place, found.is_past) == (3, 2, False)


async def test_an_earlier_look_stays_the_one_that_was_asked_for():
    """What came meanwhile is among those after it."""
    found = await _browsed("1")

    assert (len(found.looks), found.place, found.is_past) == (3, 1, True)
