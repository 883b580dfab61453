"""Live pages: every look is an event to those who may know of it, while there is a server."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest

from fakes import MemoryStore
from firedamp.access import digest
from firedamp.model import ReleaseKey
from firedamp.ports import Session
from firedamp.server.clock import now
from firedamp.ui.live import Live, _Listener
from service import ADMIN, ASKER, Service, running
from store.examples import KEY, a_look, a_release
from visits import PEOPLE, SESSION, VIEWER, entered

ALL = "/live/releases"


def cookie(secret: str) -> dict[str, str]:
    """What the browser of a session sends."""
    return {"Cookie": f"{SESSION}={secret}"}


@asynccontextmanager
async def listening(
    service: Service, path: str, token: str = ADMIN, *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    sent = {"Authorization": f"Bearer {token}"} if headers is None else headers
    async with service.session.get(service.address.url + path, headers=sent) as reply:
        assert await reply.content.readuntil(b"\n\n") == b"retry: 1000\n\n"
        yield reply


async def event(reply: aiohttp.ClientResponse, seconds: float = 3.0) -> list[int]:
    """The releases of the next event."""
    async with asyncio.timeout(seconds):
        text = (await reply.content.readuntil(b"\n\n")).decode()
    assert text.startswith("event: look\ndata: ")
    return json.loads(text.split("data: ")[1])["releases"]


async def left(reply: aiohttp.ClientResponse, seconds: float = 4.0) -> bytes:
    """All that is still told on a line until the server ends it."""
    async with asyncio.timeout(seconds):
        return await reply.content.read()


async def everybody(requests: Sequence[object]) -> list[bool]:
    """May go on listening."""
    return [True for _ in requests]


async def test_a_look_is_an_event_within_two_seconds():
    """Whoever took it, also another replica: what counts is what the store says."""
    async with running() as service, listening(service, "/live/releases") as reply:
        release = await service.store.open(a_release())
        opened = await event(reply, 2.0)
        await service.store.add_looks(release, [a_look(0)])
        judged = await event(reply, 2.0)

    assert (opened, judged) == ([release.id], [release.id])


async def test_a_page_of_one_release_hears_of_that_one():
    """Not of all the others."""
    async with running() as service:
        one = await service.store.open(a_release())
        other = await service.store.open(a_release(replace(KEY, revision="b")))
        async with listening(service, f"/live/releases/{one.id}") as reply:
            await service.store.add_looks(other, [a_look(0)])
            await asyncio.sleep(1.2)
            await service.store.add_looks(one, [a_look(0)])

            assert await event(reply) == [one.id]


async def test_nobody_hears_of_another_namespace():
    """A number alone tells that another team releases; not even that is told."""
    async with running() as service, listening(service, "/live/releases", ASKER) as reply:
        foreign = await service.store.open(a_release(ReleaseKey("pay", "ledger", "a", 1)))
        await asyncio.sleep(1.2)
        mine = await service.store.open(a_release())
        refused = await service.ask("GET", f"/live/releases/{foreign.id}", ASKER)

        assert await event(reply) == [mine.id]
        assert refused.status == 404


async def test_listeners_are_let_go_when_the_server_leaves():
    """At once: a rollout does not wait for ten minutes of listening."""
    async with running() as service:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        reply = await service.session.get(service.address.url + "/live/releases", headers=headers)
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 2.0
    reply.close()


async def test_too_many_are_told_so_and_come_again_later():
    """The page asks by itself meanwhile; a refusal would end the browser's own tries."""
    async with running() as service:
        full = Live(service.store, everybody, most=0)
        reply = await full.listen(None, None)

    assert (reply.status, reply.content_type) == (200, "text/event-stream")
    assert reply.body == b"retry: 30000\nevent: full\ndata: {}\n\n"


async def test_a_store_that_is_down_for_a_while_costs_no_event():
    """The watch goes on where it was."""
    async with running() as service, listening(service, "/live/releases") as reply:
        service.store.trouble = "down"
        await asyncio.sleep(1.3)
        service.store.trouble = None
        release = await service.store.open(a_release())

        assert await event(reply) == [release.id]


async def test_a_line_that_says_nothing_is_kept_alive_and_ends_some_day():
    """Proxies cut what is silent, and nobody holds a place for ever."""
    async with running() as service:
        live = Live(service.store, everybody, beat_seconds=0.05, longest_seconds=0.12)
        told: list[bytes] = []

        class Line:
            async def write(self, data: bytes) -> None:
                told.append(data)

        await live._tell(Line(), _Listener(None, frozenset(), None))

    assert told[0] == b"retry: 1000\n\n"
    assert set(told[1:]) == {b": beat\n\n"}


@pytest.mark.parametrize("path", ["/live/releases/nothing", "/live/releases/999"])
async def test_there_is_nothing_to_hear_of_a_release_that_is_not_there(path):
    """As on its page."""
    async with running() as service:
        assert (await service.ask("GET", path)).status == 404


async def test_a_line_ends_soon_after_its_session(service):
    """Logging out in one tab ends what the others hear; who then comes back is refused."""
    secret = await entered(service, VIEWER)
    async with listening(service, ALL, headers=cookie(secret)) as reply:
        await service.ask("POST", "/logout", None, headers=cookie(secret))

        assert await left(reply) == b""
    again = await service.ask("GET", ALL, None, headers={**cookie(secret), "Sec-Fetch-Mode": "cors"})
    assert again.status == 401


async def test_nothing_is_told_once_a_session_is_over(service):
    """Not even what happens right after the logout: who may listen is asked before anything is told."""
    secret = await entered(service, VIEWER)
    async with listening(service, ALL) as other, listening(service, ALL, headers=cookie(secret)) as reply:
        await service.ask("POST", "/logout", None, headers=cookie(secret))
        release = await service.store.open(a_release())

        assert await left(reply) == b""
        assert await event(other) == [release.id]


@pytest.mark.parametrize("by_session", [True, False])
async def test_a_line_ends_soon_after_its_token_is_revoked(service, by_session):
    """Whether a browser listens by its session or a program with the token itself."""
    headers = cookie(await entered(service, VIEWER)) if by_session else None
    async with listening(service, ALL, VIEWER, headers=headers) as reply:
        await service.ask("DELETE", "/api/v1/tokens?name=vera")

        assert await left(reply) == b""


async def test_a_line_ends_when_its_session_expires(service):
    """A browser that is left open over night hears nothing in the morning."""
    began = now()
    await service.store.begin_session(Session(digest("fds_short"), digest(VIEWER), began, began + 1.0))
    async with listening(service, ALL, headers=cookie("fds_short")) as reply:
        assert await left(reply) == b""


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ({"required": False}, {}),
        (
            {"proxy": {"addresses": ["127.0.0.0/8"], "roles": {"viewer": ["*"]}}},
            {"X-Forwarded-User": "olga", "X-Forwarded-Groups": ""},
        ),
    ],
)
async def test_whoever_has_no_session_of_ours_listens_on(auth, headers):
    """Where no token is asked for, or a proxy does the signing in, nothing of ours can end."""
    async with running({"auth": auth}) as service, listening(service, ALL, headers=headers) as reply:
        await asyncio.sleep(2.6)
        release = await service.store.open(a_release())

        assert await event(reply) == [release.id]


async def test_everybody_is_asked_after_at_once():
    """However many listen, it is one question now and then; those whose sessions hold hear on."""
    store = Counting()
    async with running(store=store, also=PEOPLE) as service, AsyncExitStack() as lines:
        secrets = [await entered(service, VIEWER) for _ in range(5)]
        replies = [
            await lines.enter_async_context(listening(service, ALL, headers=cookie(secret)))
            for secret in secrets
        ]
        store.asked.clear()
        await asyncio.sleep(3.0)
        release = await store.open(a_release())

        assert [await event(reply) for reply in replies] == [[release.id]] * 5
        assert {len(one) for one in store.asked} == {5}
        assert len(store.asked) <= 4


class Counting(MemoryStore):
    """Keeps which sessions were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Collection[str]] = []

    async def sessions(self, digests: Collection[str]) -> Sequence[Session]:
        self.asked.append(digests)
        return await super().sessions(digests)


async def test_a_store_that_is_down_lets_nobody_go():
    """Its trouble is ours: nothing is told meanwhile, and the lines go on afterwards."""
    async with running(also=PEOPLE) as service:
        secret = await entered(service, VIEWER)
        async with listening(service, ALL, headers=cookie(secret)) as reply:
            service.store.trouble = "down"
            await asyncio.sleep(2.6)
            service.store.trouble = None
            release = await service.store.open(a_release())

            assert await event(reply) == [release.id]
