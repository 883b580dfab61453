"""The routes of the dialects, served on a free loopback port with fakes behind them."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from fakes import FakeJudge, MemoryStore
from firedamp.access import permitted
from firedamp.config import Settings
from firedamp.contracts import argo, flagger, gates, promql
from firedamp.contracts._wire import TOKEN
from firedamp.errors import StoreError
from firedamp.ports import Token

NOW = 1_700_000_000.0
SECRET = "fdp_secret-of-shop"
ASKER = "fdp_asker"
UNREADABLE = "fdp_unreadable"
PUBLIC = "https://firedamp.example/"
PAYLOADS = Path(__file__).parents[1] / "payloads"
SETTINGS = Settings.model_validate({"public_url": PUBLIC})

Client = TestClient[web.Request, web.Application]


async def grants(secret: str, namespace: str) -> Token | None:
    """The secrets of namespaces shop and fltest: one of a gatekeeper, one of an asker."""
    if secret == UNREADABLE:
        raise StoreError("the store is gone")
    roles = {SECRET: "gatekeeper", ASKER: "asker"}
    if secret not in roles or namespace not in ("shop", "fltest"):
        return None
    return Token(name="canaries", digest="0" * 64, role=roles[secret], path=True)


class Clock:
    """A clock that stands still until moved."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def serving(
    judge: FakeJudge,
    store: MemoryStore | None = None,
    *,
    settings: Settings = SETTINGS,
    clock: Clock | None = None,
    token: Token | None = None,
) -> AsyncIterator[Client]:
    """An application with all four dialects; `token` is what the bearer middleware would have found."""

    @web.middleware
    async def bearer(request: web.Request, handler: Any) -> web.StreamResponse:
        if token is not None:
            request[TOKEN] = token
        return await handler(request)

    store, clock = store or MemoryStore(), clock or Clock()
    app = web.Application(middlewares=[bearer])
    app.add_routes(_routes(judge, store, settings, clock))
    async with TestClient(TestServer(app)) as client:
        yield client


def _routes(judge: FakeJudge, store: MemoryStore, settings: Settings, clock: Clock) -> Sequence[web.RouteDef]:
    return [
        *argo.routes(judge, settings, clock=clock),
        *promql.routes(judge, settings, clock=clock),
        *gates.routes(store, settings, grants, permitted=permitted, clock=clock),
        *flagger.routes(judge, store, settings, grants, clock=clock),
    ]


async def send(client: Client, method: str, path: str, **more: Any) -> ClientResponse:
    """Send a request whose address stays as it is written, well-formed or not."""
    url = URL(f"http://{client.host}:{client.port}{path}", encoded=True)
    return await client.session.request(method, url, **more)


def recorded(name: str) -> list[dict[str, Any]]:
    """Calls of a real Flagger, with the status that each got."""
    calls: list[dict[str, Any]] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return calls


def strict(text: str) -> Any:
    """JSON as Go reads it: no NaN, one value, not empty."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def payload(**changed: Any) -> dict[str, Any]:
    """What Flagger sends with a hook."""
    body = {"name": "checkout", "namespace": "shop", "phase": "Progressing", "checksum": "85d557f47b"}
    return body | changed
