"""The firedamps of a season: one that judges most scenarios, one each for those in which it is broken."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import Any

import aiohttp
from aiohttp import web

from e2e import ends, examples, installed
from e2e.play import House
from e2e.stage import Stage
from real import postgres

#: A little longer than controllers wait for an answer.
SLOW_SECONDS = 12.0


class Kind(StrEnum):
    """
    What a scenario wants of its firedamp.

    SHARED with all that leave it alone; OWN, which may be killed; a PAIR of pods on one PostgreSQL, one of
    which gets each answer of Prometheus so much later.
    """

    SHARED = "shared"
    OWN = "own"
    PAIR = "pair"


class Houses:
    """Installs them; between enter and exit what they need beside the cluster runs."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._parts = AsyncExitStack()

    async def __aenter__(self) -> "Houses":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def installed(self, namespace: str, settings: Mapping[str, Any], kind: Kind) -> House:
        """One in a namespace of its own, with what Rollouts and Canaries need to ask it."""
        more = await self._parts.enter_async_context(_pair(self._stage)) if kind is Kind.PAIR else {}
        judged = sorted({one["namespace"] for one in settings["services"]})
        for name in judged:
            await self._stage.namespace(name)
        rights = {"events": True, "endings": True, "namespaces": judged}
        values = {"config": dict(settings), "kubernetes": rights, **more}
        tokens = await self._stage.install(values, namespace)
        await self._stage.api.apply_all(examples.templates(tokens["token"], namespace))
        if kind is Kind.SHARED:
            await self._notified(namespace)
        return House(namespace, tokens)

    async def _notified(self, house: str) -> None:
        """Argo Rollouts tells this one of ends."""
        await self._stage.namespace(examples.ARGO_NAMESPACE)
        given = await self._stage.execute("token", "add", ends.ARGO, "--role", "gatekeeper", namespace=house)
        await self._stage.api.apply_all(examples.notifications(given.strip()))


@asynccontextmanager
async def _pair(stage: Stage) -> AsyncIterator[dict[str, Any]]:
    """Values of the chart for two pods, with the database and the slow way that they ask for."""
    bindir = postgres.binaries()
    assert bindir, "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    async with AsyncExitStack() as parts:
        server = postgres.started(bindir)
        cluster = await asyncio.to_thread(server.__enter__)
        parts.push_async_callback(asyncio.to_thread, server.__exit__, None, None, None)
        name = cluster.database().rsplit("/", 1)[1]
        where = {"host": "127.0.0.1", "port": cluster.port, "user": "postgres", "database": name}
        yield {
            "replicas": 2,
            "store": {"type": "postgresql", "postgresql": where},
            "podAnnotations": {
                installed.SLOW: await parts.enter_async_context(_slowed(stage.prometheus.url))
            },
        }


@asynccontextmanager
async def _slowed(url: str) -> AsyncIterator[str]:
    """The address of a server that answers as the one at `url` does, only later."""
    async with AsyncExitStack() as parts:
        client = await parts.enter_async_context(aiohttp.ClientSession())

        async def passed(request: web.Request) -> web.Response:
            form = await request.post()
            await asyncio.sleep(SLOW_SECONDS)
            asked = client.request(request.method, f"{url}{request.path_qs}", data=dict(form) or None)
            async with asked as answer:
                return web.Response(
                    status=answer.status, body=await answer.read(), content_type=answer.content_type
                )

        app = web.Application()
        app.add_routes([web.route("*", "/{path:.*}", passed)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        parts.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
