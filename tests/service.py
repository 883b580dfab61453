"""The whole application on a free loopback port: real socket, guarded connections, fakes behind it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from fakes import FakeJudge, MemoryStore
from firedamp.access import digest
from firedamp.config import Settings
from firedamp.ports import Store, Token
from firedamp.server import Address, create_app, serving

ADMIN = "fd_an-admin-of-everything"
GATEKEEPER = "fd_a-gatekeeper-of-shop"
ASKER = "fd_an-asker-of-shop-only"
PATH = "fdp_a-path-secret-of-shop"
TOKENS = (
    Token("root", digest(ADMIN), "admin"),
    Token("gates", digest(GATEKEEPER), "gatekeeper", ("shop",)),
    Token("ci", digest(ASKER), "asker", ("shop",)),
    Token("hooks", digest(PATH), "gatekeeper", ("shop",), path=True),
)
SETTINGS: dict[str, Any] = {
    "public_url": "https://firedamp.example/",
    "limits": {"header_seconds": 0.3, "body_seconds": 0.3},
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came over the wire; status 0 where the connection was just closed."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Service:
    """A running application and a way to talk to it."""

    address: Address
    store: MemoryStore
    judge: FakeJudge
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, token: str | None = ADMIN, **more: Any) -> Reply:
        """Send a request whose address stays as it is written."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        url = URL(self.address.url + path, encoded=True)
        sent = self.session.request(method, url, headers=headers, allow_redirects=False, **more)
        async with sent as reply:
            return Reply(reply.status, reply.headers, await reply.text())

    async def speak(self, *pieces: bytes, pause: float = 0.0) -> Reply:
        """Say bytes to the socket, with a pause after each piece, and listen until it closes."""
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        heard = asyncio.create_task(_heard(reader))
        for piece in pieces:
            if heard.done() or writer.is_closing():
                break
            writer.write(piece)
            await asyncio.sleep(pause)
        try:
            return parsed(await asyncio.wait_for(heard, 10))
        finally:
            heard.cancel()
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def _heard(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends, one way or the other."""
    data = b""
    try:
        while chunk := await reader.read(65536):
            data += chunk
    except ConnectionError:
        pass
    return data


def parsed(data: bytes) -> Reply:
    """The first answer in what came over the wire."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not data:
        return Reply(0, {}, "")
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    return Reply(int(lines[0].split()[1]), headers, body.decode())


@asynccontextmanager
async def running(
    settings: Mapping[str, Any] | None = None,
    *,
    judge: FakeJudge | None = None,
    store: Store | None = None,
    also: Sequence[Token] = (),
) -> AsyncIterator[Service]:
    """Serve with the four tokens above and those also given; settings are merged over SETTINGS by key."""
    memory = store or MemoryStore()
    for token in (*TOKENS, *also):
        await memory.add_token(token)
    read = Settings.model_validate({**SETTINGS, **(settings or {})})
    judge = judge or FakeJudge(memory)
    async with (
        serving(create_app(read, memory, judge), read.limits) as address,
        aiohttp.ClientSession() as session,
    ):
        yield Service(address, memory, judge, session)
