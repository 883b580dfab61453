"""People's words, in every store: rulings and labels of releases, and tuned settings of services."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from firedamp.errors import ConflictError, StoreError
from firedamp.model import Judged, Release, Ruled
from firedamp.ports import Store
from firedamp.store import SqlStore
from store.examples import KEY, a_database, a_label, a_release, a_ruling, an_override


async def opened(store: Store, attempt: int = 1) -> Release:
    return await store.open(a_release(replace(KEY, attempt=attempt)))


async def test_rulings_come_back_in_the_order_in_which_they_were_spoken(store: Store):
    """Every word about a release stays, the newest last; another release's are not among them."""
    mine, other = await opened(store), await opened(store, attempt=2)
    spoken = [
        a_ruling(mine.id, note="customers complain"),
        a_ruling(mine.id, Ruled.FALSE_ALARM, at=900.25, by="sam"),
        a_ruling(mine.id, Ruled.WITHDRAWN, at=1200.0, block=9),
    ]
    for ruling in (spoken[0], a_ruling(other.id), *spoken[1:]):
        await store.rule(ruling)

    assert await store.rulings(mine.id) == spoken
    assert await store.rulings(4711) == []


@pytest.mark.parametrize(
    ("word", "note", "says"),
    [
        (Ruled.REAL, "customers complain", "ruled check p99 real: customers complain"),
        (Ruled.FALSE_ALARM, "", "ruled check p99 false alarm"),
        (Ruled.WITHDRAWN, "", "withdrew the ruling on check p99"),
    ],
)
async def test_a_ruling_is_in_the_audit_trail(store: Store, word: Ruled, note: str, says: str):
    """Who ruled what on which check of which release, and why."""
    release = await opened(store)
    await store.rule(a_ruling(release.id, word, note=note))

    (event,) = await store.events(namespace="shop", service="checkout", revision=KEY.revision)
    assert (event.kind, event.by, event.at, event.text) == ("ruling", "anna", 1000.5, says)
    assert event.data == {"release": str(release.id), "check": "p99", "word": word.value}


async def test_the_newest_label_of_each_release_counts(store: Store):
    """Labels are read for many releases at once; those without one are left out."""
    first, second, third = [await opened(store, attempt) for attempt in (1, 2, 3)]
    await store.label(a_label(first.id))
    await store.label(a_label(second.id, Judged.TRUE_NEGATIVE, note="no complaints"))
    await store.label(a_label(first.id, Judged.FALSE_POSITIVE, at=900.0, by="sam"))

    found = await store.labels([first.id, second.id, third.id, 4711])

    assert found == {
        first.id: a_label(first.id, Judged.FALSE_POSITIVE, at=900.0, by="sam"),
        second.id: a_label(second.id, Judged.TRUE_NEGATIVE, note="no complaints"),
    }
    assert list(await store.labels([second.id])) == [second.id]
    assert await store.labels([]) == {}


async def test_the_labels_of_a_service_come_with_the_last_one_first(store: Store):
    """One per release, its newest; withdrawn ones and those of other services are left out."""
    first, second, third = [await opened(store, attempt) for attempt in (1, 2, 3)]
    other = await store.open(a_release(replace(KEY, service="cart")))
    for label in (
        a_label(first.id),
        a_label(second.id, Judged.TRUE_NEGATIVE),
        a_label(third.id),
        a_label(other.id),
        a_label(first.id, Judged.FALSE_POSITIVE, by="sam"),
        a_label(third.id, Judged.WITHDRAWN),
    ):
        await store.label(label)

    found = await store.judged("shop", "checkout")

    assert list(found) == [
        a_label(first.id, Judged.FALSE_POSITIVE, by="sam"),
        a_label(second.id, Judged.TRUE_NEGATIVE),
    ]
    assert [one.release_id for one in await store.judged("shop", "checkout", limit=1)] == [first.id]
    assert list(await store.judged("pay", "checkout")) == []


async def test_a_withdrawn_label_is_none(store: Store):
    """Who withdraws a label leaves the release without one, also without an earlier one."""
    release = await opened(store)
    for word in (Judged.FALSE_NEGATIVE, Judged.TRUE_NEGATIVE, Judged.WITHDRAWN):
        await store.label(a_label(release.id, word))

    assert await store.labels([release.id]) == {}


async def test_a_label_is_in_the_audit_trail(store: Store):
    """Who labelled which release how, why, and who took it back."""
    release = await opened(store)
    await store.label(a_label(release.id, Judged.FALSE_NEGATIVE, note="refunds failed"))
    await store.label(a_label(release.id, Judged.WITHDRAWN, by="sam"))

    withdrawn, labelled = await store.events(revision=KEY.revision)
    assert (labelled.kind, labelled.by) == ("label", "anna")
    assert labelled.text == f"labelled release {release.id} false negative: refunds failed"
    assert labelled.data == {"release": str(release.id), "word": "false-negative"}
    assert (withdrawn.by, withdrawn.text) == ("sam", f"withdrew the label of release {release.id}")


async def test_words_about_a_release_that_is_not_there_are_refused(store: Store):
    """Nothing is written, in the audit trail neither."""
    for saying in (store.rule(a_ruling(4711)), store.label(a_label(4711))):
        with pytest.raises(StoreError, match="4711 is not in the store"):
            await saying

    assert await store.events() == []


async def test_words_about_a_release_go_with_it(store: Store):
    """Pruning a release takes its rulings and labels along and leaves the audit trail."""
    release = await opened(store)
    await store.rule(a_ruling(release.id))
    await store.label(a_label(release.id))
    await store.update(replace(release, ended=5.0))

    assert await store.prune(6.0) == 1
    assert await store.rulings(release.id) == []
    assert await store.labels([release.id]) == {}
    assert len(await store.events()) == 2


async def test_tuned_settings_come_back_newest_first(store: Store):
    """Versions of a service are its own, and every one stays."""
    versions = [an_override(1), an_override(2, body="", note="too strict"), an_override(3, at=0.1 + 0.2)]
    for version in (versions[0], an_override(service="cart"), *versions[1:]):
        await store.tune(version)

    assert await store.override("shop", "checkout") == versions[2]
    assert await store.overrides("shop", "checkout") == versions[::-1]
    assert await store.overrides("shop", "cart") == [an_override(service="cart")]


async def test_a_service_that_nobody_tuned_has_no_override(store: Store):
    """Neither the newest nor any."""
    assert await store.override("shop", "checkout") is None
    assert await store.overrides("shop", "checkout") == []


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_only_the_next_version_is_taken(store: Store, version: int):
    """Who did not see the newest version is told so, and nothing is written."""
    await store.tune(an_override(1))

    with pytest.raises(ConflictError, match="not the next one, 2"):
        await store.tune(an_override(version, by="sam"))

    assert await store.overrides("shop", "checkout") == [an_override(1)]
    assert len(await store.events()) == 1


async def test_of_two_who_tune_at_once_one_is_told(store: Store):
    """Of two writers of the same version one wins, the other is in conflict."""
    both = [store.tune(an_override(1, by=name)) for name in ("anna", "sam")]
    found = await asyncio.gather(*both, return_exceptions=True)

    (lost,) = [one for one in found if one is not None]
    assert isinstance(lost, ConflictError)
    assert len(await store.overrides("shop", "checkout")) == 1
    assert len(await store.events()) == 1


async def test_tuning_is_in_the_audit_trail(store: Store):
    """Who tuned which service and why, and who went back."""
    await store.tune(an_override(1, note="noisy at night"))
    await store.tune(an_override(2, body="", by="sam"))

    back, tuned = await store.events(namespace="shop", service="checkout", revision="")
    assert (tuned.kind, tuned.by, tuned.data) == ("override", "anna", {"version": "1"})
    assert tuned.text == "tuned the settings (version 1): noisy at night"
    assert (back.by, back.text) == ("sam", "went back to the written settings (version 2)")


@pytest.mark.parametrize("spoilt", ["a\x00b", "a\ud800b"], ids=["NUL", "surrogate"])
async def test_what_people_say_is_mended_and_what_they_name_is_not(store: Store, spoilt: str):
    """Notes keep a replacement for what no database holds; names and bodies with it are refused."""
    release = await opened(store)
    await store.rule(a_ruling(release.id, by=spoilt, note=spoilt, said=spoilt))
    with pytest.raises(StoreError, match="holds NUL"):
        await store.rule(a_ruling(release.id, check=spoilt))
    with pytest.raises(StoreError, match="holds NUL"):
        await store.tune(an_override(1, body=spoilt))

    mended = "a\ufffdb"
    assert await store.rulings(release.id) == [a_ruling(release.id, by=mended, note=mended, said=mended)]
    assert len(await store.events()) == 1


@pytest.mark.parametrize("table", ["rulings", "labels", "overrides"])
async def test_what_people_said_cannot_be_rewritten(sql_store: SqlStore, url: str, table: str):
    """The database itself refuses to change a word."""
    release = await opened(sql_store)
    await sql_store.rule(a_ruling(release.id))
    await sql_store.label(a_label(release.id))
    await sql_store.tune(an_override())

    with pytest.raises(StoreError, match="append-only"):
        async with a_database(url) as database, database.writing() as connection:
            await connection.execute(text(f"UPDATE {table} SET \"by\" = 'sam'"))
