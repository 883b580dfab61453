"""The page of the audit trail: who did what, narrowed and paged."""

import re

import pytest

from firedamp.ports import Event
from service import ASKER


def an_event(text: str, **changes: object) -> Event:
    given = {
        "at": 1_790_000_000.0,
        "kind": "gate",
        "namespace": "shop",
        "service": "checkout",
        "revision": "v2",
    }
    return Event(**{**given, "by": "alex", "text": text, **changes})


async def test_an_empty_trail_says_what_will_stand_in_it(service):
    """Nobody has to guess what is recorded."""
    reply = await service.ask("GET", "/audit")

    assert reply.status == 200
    assert "Nothing has been done yet" in reply.text


async def test_the_trail_says_who_did_what_where_and_when(service):
    """In the words in which it was recorded."""
    await service.store.record(an_event("opened gate rollback: looks odd"))

    text = (await service.ask("GET", "/audit")).text

    assert "opened gate rollback: looks odd" in text
    assert "alex" in text
    assert "shop/checkout" in text
    assert '<time datetime="2026-09-21T' in text


async def test_the_trail_is_paged(service):
    """Fifty lines a page, the filters kept, nothing lost between two pages."""
    for number in range(51):
        await service.store.record(an_event(f"did {number}."))

    first = await service.ask("GET", "/audit?kind=gate")
    [older] = re.findall(r'class="button more" href="([^"]+)"', first.text)
    second = await service.ask("GET", older.replace("&amp;", "&"))

    assert "kind=gate" in older
    assert "did 50." in first.text
    assert "did 0." not in first.text
    assert "did 0." in second.text
    assert 'class="button more"' not in second.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=token", {"token"}),
        ("by=sam", {"sam"}),
        ("service=cart", {"cart"}),
        ("namespace=pay", {"pay"}),
        ("since=2026-09-22T00:00", {"late"}),
        ("until=2026-09-20T00:00", {"early"}),
    ],
)
async def test_the_trail_can_be_narrowed(service, query, found):
    """By what, who, where and when; the fields keep what was asked."""
    for event in (
        an_event("is-token", kind="token"),
        an_event("is-sam", by="sam"),
        an_event("is-cart", service="cart"),
        an_event("is-pay", namespace="pay"),
        an_event("is-late", at=1_791_000_000.0),
        an_event("is-early", at=1_780_000_000.0),
    ):
        await service.store.record(event)

    text = (await service.ask("GET", f"/audit?{query}")).text

    assert set(re.findall(r"is-(\w+)", text)) == found


async def test_a_bound_token_sees_its_own_namespaces_only(service):
    """Nor what concerns the installation as a whole."""
    await service.store.record(an_event("theirs", namespace="pay"))
    await service.store.record(an_event("of all", namespace="", service=""))
    await service.store.record(an_event("ours"))

    text = (await service.ask("GET", "/audit", ASKER)).text
    refused = await service.ask("GET", "/audit?namespace=pay", ASKER)

    assert "ours" in text
    assert "theirs" not in text
    assert "of all" not in text
    assert refused.status == 403


@pytest.mark.parametrize(
    ("query", "status"),
    [("since=yesterday", 400), ("until=9999999-01-01", 400), ("before=x", 404), (f"by={'x' * 300}", 400)],
)
async def test_a_filter_that_is_none_is_named(service, query, status):
    """With the way to write it."""
    reply = await service.ask("GET", f"/audit?{query}")

    assert reply.status == status


async def test_a_filter_that_matches_nothing_says_so(service):
    """Not the same as an empty trail."""
    await service.store.record(an_event("ours"))

    assert "Nothing matches" in (await service.ask("GET", "/audit?by=nobody")).text
