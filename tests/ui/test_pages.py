"""The pages: what a person sees, and that nothing in it is ever markup of a caller's."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from fakes import MemoryStore
from firedamp.model import Arm, Finding, Look, Outcome, Release, ReleaseKey, Tier
from firedamp.ports import Event
from firedamp.ui import error_page
from firedamp.ui.wording.times import instant
from pagereader import Reader
from service import ASKER, Reply, Service, running
from store.examples import a_look, a_release

SHOP = ReleaseKey("shop", "checkout", "7d9f8b6c5d", 1)
HOSTILE = "<script>alert(1)</script>\"'&"
ERRORS = Finding(
    check="errors",
    kind="proportion",
    tier=Tier.CRITICAL,
    outcome=Outcome.FAIL,
    sentence="errors: the canary served 22 of the 29 errors",
    against=Arm.MAIN,
    unit="share",
    baseline=0.0051,
    canary=0.061,
    baseline_n=4321.0,
    canary_n=1234.0,
    effect=5.25,
    interval=(3.125, float("inf")),
    tolerance=1.25,
    p_value=0.00004,
    alpha=0.02,
    one_look_p=0.003,
)


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as found:
        yield found


async def opened(store: MemoryStore, *looks: Look, key: ReleaseKey = SHOP, **changed: Any) -> Release:
    release = await store.open(a_release(key, **changed))
    await store.add_looks(release, looks)
    return release


async def shown(service: Service, path: str, **more: Any) -> Reader:
    reply = await service.ask("GET", path, **more)
    assert reply.status == 200, reply.text
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    return Reader(reply.text)


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────


async def test_an_empty_list_says_how_a_release_comes_about(service):
    """The commands are ready to be copied, with this service's address in them."""
    page = await shown(service, "/")

    assert "No release yet" in page.text
    assert "firedamp judge checkout" in page.text
    assert "https://firedamp.example/api/v1/judge" in page.text


async def test_a_release_is_listed_with_its_state_in_a_word(service):
    """State, service, revision, sentence and when; no state is told by colour alone."""
    await opened(service.store, verdict=Outcome.FAIL, sentence="errors: 5.1 % against 1.0 %")

    page = await shown(service, "/")

    assert "✗ fail" in page.text
    assert "shop/checkout 7d9f8b6c5d" in page.text
    assert "errors: 5.1 % against 1.0 %" in page.text
    assert "running" in page.text
    assert "ago" in page.text


async def test_an_ended_release_says_how_it_ended(service):
    """In the words of whoever reported it."""
    await opened(service.store, ended=1_790_000_900.0, outcome="rolled back")

    page = await shown(service, "/")

    assert "ended: rolled back" in page.text


async def test_a_long_list_has_a_next_page(service):
    """Fifty releases a page, and the filters go along."""
    for number in range(51):
        await opened(service.store, key=replace(SHOP, revision=f"r{number}"))

    first = await shown(service, "/?namespace=shop")
    [older] = [link["href"] for tag, link in first.tags if link.get("class") == "more"]
    second = await shown(service, older)

    assert older.startswith("/?namespace=shop&before=")
    assert "r50" in first.text
    assert "r0" in second.text
    assert "Older releases" not in second.text


async def test_a_filter_that_matches_nothing_says_so(service):
    """Not the same as having no release at all."""
    await opened(service.store)

    page = await shown(service, "/?service=ledger")

    assert "No release matches" in page.text


async def test_a_bound_token_sees_its_own_releases_only(service):
    """Another team's release is neither listed nor shown."""
    await opened(service.store)
    hidden = await opened(service.store, key=ReleaseKey("pay", "ledger", "a", 1))

    page = await shown(service, "/", token=ASKER)
    refused = await service.ask("GET", f"/releases/{hidden.id}", ASKER)
    filtered = await service.ask("GET", "/?namespace=pay", ASKER)

    assert "ledger" not in page.text
    assert refused.status == 404
    assert filtered.status == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/?before=x", 404),
        (f"/?service={'x' * 300}", 400),
        ("/?service=%00", 400),
        ("/releases/x", 404),
        ("/releases/99", 404),
    ],
)
async def test_a_wrong_address_is_a_page_with_a_way_on(service, path, status):
    """People get words and a link, whatever they typed."""
    reply = await service.ask("GET", path)

    assert reply.status == status
    assert "This did not work" in Reader(reply.text).text


# ── every page ───────────────────────────────────────────────────────────────────────────────────────


async def every_page(service: Service) -> list[Reply]:
    key = ReleaseKey("shop", "checkout", HOSTILE, 1)
    finding = replace(ERRORS, check=HOSTILE, sentence=HOSTILE, set_aside=HOSTILE)
    look = replace(a_look(0), findings=(finding,))
    arms = {"canary": HOSTILE, "main": HOSTILE}
    release = await opened(
        service.store, look, key=key, arms=arms, step_label=HOSTILE, outcome=HOSTILE, ended=1_790_000_900.0
    )
    await service.store.update(replace(release, sentence=HOSTILE))
    await service.store.record(Event(1.0, "gate", "shop", "checkout", HOSTILE, HOSTILE, HOSTILE))
    paths = ["/", f"/releases/{release.id}", "/login?next=/%22%3E%3Cscript%3E", "/releases/nothing"]
    filtered = f"/?service={'%3Cscript%3E%22'}"
    return [await service.ask("GET", path) for path in [*paths, filtered]]


async def test_nothing_of_a_caller_becomes_markup(service):
    """Names, sentences, outcomes, filters: hostile text stays text on every page."""
    for reply in await every_page(service):
        page = Reader(reply.text)

        assert "<script>" not in reply.text
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


async def test_pages_need_nothing_from_elsewhere(service):
    """No style in an attribute, no script in the page, no address of another host: the policy holds."""
    for reply in await every_page(service):
        for tag, attributes in Reader(reply.text).tags:
            assert "style" not in attributes
            assert tag != "style"
            assert tag != "script" or (attributes["src"] or "").startswith("/static/")
            for name in ("href", "src", "action"):
                assert (attributes.get(name) or "/").startswith(("/", "#", "data:,"))


async def test_pages_can_be_read_by_everybody(service):
    """A language, a title, one heading, a way past the header, a label for every field."""
    for reply in await every_page(service):
        page = Reader(reply.text)
        tags = [tag for tag, _ in page.tags]

        assert ("html", {"lang": "en"}) in page.tags
        assert tags.count("h1") == 1
        assert tags.count("main") == 1
        assert tags.index("title") > 0
        assert "Skip to the content" in page.text
        inputs = [one for tag, one in page.tags if tag == "input" and one.get("type") != "hidden"]
        assert tags.count("label") == len(inputs) + tags.count("select") + tags.count("textarea")
        assert page.open == []


@pytest.mark.parametrize("status", [401, 403, 404, 405, 503])
def test_an_error_page_says_what_to_do(status):
    """Every common error has its remedy."""
    text = Reader(error_page(status, "something is wrong").body.decode()).text

    assert "something is wrong" in text
    assert len(text) > len("something is wrong") + 60


def test_an_error_nobody_foresaw_has_a_page_too():
    """Without a remedy, but with the sentence and a way back."""
    text = Reader(error_page(418, "a teapot").body.decode()).text

    assert "a teapot" in text
    assert "All releases" in text


def test_a_time_to_come_is_said_as_such():
    """Clocks of two machines differ; nothing happened minus three seconds ago."""
    assert instant(1_790_000_060.0, 1_790_000_000.0).ago == "in 1 min"
