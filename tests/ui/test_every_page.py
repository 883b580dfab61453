"""What holds on every page, whatever stands in the store: text stays text, and others' stays theirs."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from everypage import FILES, PAGES, TOLD, filled, twin
from firedamp.access import digest
from firedamp.model import ReleaseKey
from firedamp.ports import Event, Gate, Override, Token
from hostility import SERVICES, hostile
from pagereader import Reader
from seeds import HOSTILE
from service import Service, running
from store.examples import a_look
from visits import opened

#: Good for shop alone, with the role that may do most.
BOUND = "fd_an-admin-of-shop-alone"
SECRET = "ledger-of-others"
THEIRS = {"namespace": "pay", "service": SECRET, "check": "errors"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A service, and the names that its addresses are made of."""

    service: Service
    names: Mapping[str, object]

    async def text(self, address: str) -> str:
        """What is answered there, whatever it is."""
        return (await self.service.ask("GET", filled(address, self.names))).text


@pytest_asyncio.fixture(params=["hostile", "named with hostility", "empty"])
async def shown(request) -> AsyncIterator[Shown]:
    """The pages of a store where every text is hostile, or the service's name too, or that holds nothing."""
    async with running({"services": SERVICES}) as service:
        match request.param:
            case "hostile":
                names = await hostile(service.store)
            case "empty":
                names = {"id": 1, "namespace": "shop", "service": "checkout", "check": "errors"}
            case _:
                names = await hostile(service.store, HOSTILE, HOSTILE)
        yield Shown(service, names)


# ── text stays text ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", PAGES)
async def test_nothing_of_a_caller_becomes_markup(shown, address):
    """Names, sentences, notes, trace ids, pods: no tag of theirs, no attribute and no address that runs."""
    page = Reader(await shown.text(address))

    assert [each for tag, each in page.tags if tag == "script" and not each.get("src")] == []
    assert page.open == []
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not (attributes.get("href") or "").lower().startswith("javascript:")


async def test_hostile_text_is_there_to_be_read():
    """Escaped, not dropped: who did it and what they wrote is what one looks for at such a time."""
    async with running({"services": SERVICES}) as service:
        names = await hostile(service.store)
        silent = [
            address
            for address in TOLD
            if HOSTILE not in Reader((await service.ask("GET", filled(address, names))).text).text
        ]

    # Health tells of firedamp itself.
    assert silent == ["/health"]


@pytest.mark.parametrize("address", PAGES)
async def test_pages_need_nothing_from_elsewhere(shown, address):
    """No style in an attribute, no script in the page, no address of another host: the policy holds."""
    for tag, attributes in Reader(await shown.text(address)).tags:
        assert "style" not in attributes
        assert tag != "style"
        assert tag != "script" or (attributes["src"] or "").startswith("/static/")
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#", "data:,"))


@pytest.mark.parametrize("address", PAGES)
async def test_pages_can_be_read_by_everybody(shown, address):
    """A language, a title, one heading, a way past the header, a label for every field."""
    page = Reader(await shown.text(address))
    tags = [tag for tag, _ in page.tags]

    assert ("html", {"lang": "en"}) in page.tags
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    assert tags.index("title") > 0
    assert "Skip to the content" in page.text
    inputs = [one for tag, one in page.tags if tag == "input" and one.get("type") not in ("hidden", "range")]
    assert tags.count("label") >= len(inputs) + tags.count("select") + tags.count("textarea")


@pytest.mark.parametrize("address", [*PAGES, *FILES, *map(twin, TOLD)])
async def test_every_answer_says_what_it_is_and_is_taken_for_nothing_else(shown, address):
    """A kind with its charset, no guessing, the policy for content, and no header of a caller's."""
    reply = await shown.service.ask("GET", filled(address, shown.names))

    assert "charset=utf-8" in reply.headers["Content-Type"] or reply.headers["Content-Type"].endswith("/json")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize("address", FILES)
async def test_the_name_of_a_file_is_plain(shown, address):
    """A name is a caller's and the disk the reader's: letters, digits and dashes alone."""
    reply = await shown.service.ask("GET", filled(address, shown.names))
    if reply.status == 404:
        return

    begin, name, end = reply.headers["Content-Disposition"].split('"')
    stem, _, kind = name.rpartition(".")

    assert (begin, end) == ("attachment; filename=", "")
    assert stem.replace("-", "").isalnum()
    assert stem.isascii()
    assert address.endswith(kind)


# ── twins ────────────────────────────────────────────────────────────────────────────────────────────


def twin_of(text: str) -> str:
    """Where a page says its twin is."""
    [link] = [
        each["href"] for tag, each in Reader(text).tags if tag == "link" and each.get("rel") == "alternate"
    ]
    return link or ""


@pytest.mark.parametrize("address", TOLD)
async def test_every_page_has_its_twin(address):
    """At the same address below the API, described there, linked from the page, with what the page shows."""
    async with running({"services": SERVICES}) as service:
        names = await hostile(service.store)
        described = json.loads((await service.ask("GET", "/api/v1/openapi.json")).text)["paths"]
        link = twin_of((await service.ask("GET", filled(address, names))).text)
        reply = await service.ask("GET", link)

    assert "get" in described[twin(address)]
    assert link.partition("?")[0] == filled(twin(address), names)
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("/", "?namespace=shop&verdict=fail&since=2026-01-01T00:00&before=9"),
        ("/gates", "?namespace=shop&service=checkout"),
        (
            "/audit",
            "?namespace=shop&service=checkout&kind=gate&by=alex&since=2026-01-01T00:00&until=2027-01-01T00:00",
        ),
    ],
)
async def test_a_narrowed_page_has_a_narrowed_twin(page, asked):
    """What the address of the page says, the address of its twin says."""
    async with running() as service:
        link = twin_of((await service.ask("GET", page + asked)).text)
        reply = await service.ask("GET", link)

    assert set(link.partition("?")[2].replace("%3A", ":").split("&")) == set(asked[1:].split("&"))
    assert reply.status == 200


# ── what is others' ──────────────────────────────────────────────────────────────────────────────────


@pytest_asyncio.fixture
async def divided() -> AsyncIterator[Shown]:
    """Everything there is of another namespace, and somebody who is bound to their own."""
    other = {**SERVICES[0], "name": SECRET, "namespace": "pay"}
    bound = Token("sally", digest(BOUND), "admin", ("shop",))
    async with running({"services": [*SERVICES, other]}, also=[bound]) as service:
        store = service.store
        key = ReleaseKey("pay", SECRET, SECRET, 1)
        release = await opened(store, a_look(0, f"errors: {SECRET}"), key=key, sentence=SECRET)
        await store.set_gate(Gate("pay", SECRET, "hold", "", True, 4e9, SECRET, 1.0, SECRET))
        await store.record(Event(1.0, "token", "", "", "", SECRET, f"made token {SECRET}"))
        await store.tune(Override("pay", SECRET, 1, SECRET, 1.0, SECRET, "{"))
        await store.add_token(Token(SECRET, "1" * 64, "viewer", ("pay",)))
        yield Shown(service, {"id": release.id, **THEIRS})


@pytest.mark.parametrize("address", [*PAGES, *FILES, *map(twin, TOLD), "/live/releases/{id}"])
async def test_nothing_of_another_namespace_is_told(divided, address):
    """Not as a page, a file, a twin or an event: named it is refused, listed it is left out."""
    reply = await divided.service.ask("GET", filled(address, divided.names), BOUND)

    assert reply.status in ((403, 404) if "{" in address else (200, 403))
    assert SECRET not in reply.text


@pytest.mark.parametrize("address", [*TOLD, *map(twin, TOLD)])
async def test_it_would_be_told_to_whoever_may_know(divided, address):
    """So the test before this one looks for what is there."""
    reply = await divided.service.ask("GET", filled(address, divided.names))

    assert reply.status == 200
    assert SECRET in reply.text
