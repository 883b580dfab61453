"""Visits to pages: what is put into a store to be shown, who comes, and what they get to read."""

from typing import Any

from firedamp.access import digest
from firedamp.model import Look, Release, ReleaseKey
from firedamp.ports import Store, Token
from pagereader import Reader
from service import Service
from store.examples import KEY, a_release

#: The cookie of a session, over https as the tests' service has it.
SESSION = "__Host-firedamp_session"
VIEWER = "fd_a-viewer-of-everything"
RULER = "fd_a-ruler-of-shop-alone"
PEOPLE = (
    Token("vera", digest(VIEWER), "viewer"),
    Token("ruth", digest(RULER), "ruler", ("shop",)),
)


async def opened(store: Store, *looks: Look, key: ReleaseKey = KEY, **changed: Any) -> Release:
    """A release in the store, with its looks."""
    release = await store.open(a_release(key, **changed))
    await store.add_looks(release, looks)
    return release


async def entered(service: Service, token: str) -> str:
    """The secret of a session of somebody who logs in."""
    reply = await service.ask("POST", "/login", None, data={"token": token})
    return reply.headers["Set-Cookie"].split(";")[0].removeprefix(f"{SESSION}=")


async def shown(service: Service, path: str, **more: Any) -> Reader:
    """A page that is there."""
    reply = await service.ask("GET", path, **more)
    assert reply.status == 200, reply.text
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    return Reader(reply.text)
