"""The address where spans come in, on a free loopback port, and a way to talk to it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from google.rpc.status_pb2 import Status

from firedamp.config import Limits
from firedamp.contracts._wire import TOKEN
from firedamp.contracts.otlp import Most, Receiver
from firedamp.ports import Token
from firedamp.queries import Operation
from firedamp.server import serving
from firedamp.server.observing import observed
from firedamp.server.refusing import refusing
from firedamp.sources.intake import Intake
from firedamp.tracing import Sought, Traces
from firedamp.tracing.intake import Interest, Keeping
from sentspans import JSON, PROTOBUF

NOW = 1_800_000_000.0
SOUGHT = Sought(("orders",), (Operation("gateway", "POST /orders"),))
INTEREST = Interest(frozenset({"orders"}), frozenset({"gateway"}))
LIMITS = Limits(header_seconds=5.0, body_seconds=0.3)
MOST = Most(body_bytes=1 << 20, held_bytes=2 << 20, waiting=4)


@dataclass(frozen=True, slots=True)
class Answer:
    """As it came over the wire; status 0 where the connection was just closed."""

    status: int
    headers: Mapping[str, str]
    kind: str
    body: bytes

    @property
    def sentence(self) -> str:
        """What a `google.rpc.Status` says."""
        if self.kind == PROTOBUF:
            return Status.FromString(self.body).message
        assert self.kind == JSON
        return str(json.loads(self.body)["message"])


@dataclass(frozen=True, slots=True)
class Open:
    """An intake that is reached, and what it has."""

    url: str
    port: int
    intake: Intake
    session: aiohttp.ClientSession

    async def send(self, data: bytes, kind: str = PROTOBUF, **headers: str) -> Answer:
        sent = {"Content-Type": kind, **headers}
        async with self.session.post(f"{self.url}/v1/traces", data=io.BytesIO(data), headers=sent) as answer:
            return Answer(answer.status, answer.headers, answer.content_type, await answer.read())

    async def told(self) -> Traces:
        return await self.intake.traces(SOUGHT, NOW - 100, NOW + 100, 5.0)

    async def speak(self, *pieces: bytes, pause: float = 0.0) -> int:
        """Say bytes, with a pause after each piece; the status of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        heard = asyncio.create_task(reader.readline())
        for piece in pieces:
            if heard.done():
                break
            writer.write(piece)
            await asyncio.sleep(pause)
        try:
            return int((await asyncio.wait_for(heard, 10)).split()[1])
        finally:
            writer.close()


@asynccontextmanager
async def opened(
    most: Most = MOST,
    *,
    keeping: Keeping | None = None,
    token: Token | None = None,
    clock: Callable[[], float] = lambda: NOW,
) -> AsyncIterator[Open]:
    """Serve until the context ends; requests come with this token, if any."""
    intake = Intake(INTEREST, keeping or Keeping(), clock=clock)
    receiver = Receiver(intake, most, clock=clock)

    @web.middleware
    async def vouching(request: web.Request, handler: Any) -> web.StreamResponse:
        if token is not None:
            request[TOKEN] = token
        return await handler(request)

    app = web.Application(middlewares=[observed, refusing, vouching])
    app.add_routes(receiver.routes())
    async with serving(app, LIMITS) as address, aiohttp.ClientSession() as session:
        yield Open(address.url, address.port, intake, session)
    receiver.close()
