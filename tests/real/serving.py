"""The running service with a clock that a test moves, on its own store in a folder."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from firedamp.access import digest
from firedamp.config.load import parse
from firedamp.judge import Judge
from firedamp.ports import Token
from firedamp.server import create_app
from firedamp.sources import Intake
from firedamp.wiring import living
from real.goclients import ArgoMeasurement, GoClients

SECRET = "hooks-of-the-shop-0123456789abcdef"


@dataclass
class Running:
    """Where the service listens, the Unix time that it believes it is, and what is within."""

    url: str
    now: float
    judge: Judge = field(init=False)
    intake: Intake | None = None


def service(name: str, *more: dict, **settings: object) -> dict:
    """A service whose errors are judged, and what `more` checks say."""
    errors = {
        "name": "errors",
        "kind": "proportion",
        "events": f'http_requests_total{{service="{name}",code=~"5.."}}',
        "total": f'http_requests_total{{service="{name}"}}',
    }
    return {
        "name": name,
        "namespace": "shop",
        "cohorts": {"preset": "argo"},
        "window": {"promote_after": "30m", "decide_by": "60m"},
        "checks": [errors, *more],
        **settings,
    }


def memory(name: str) -> dict:
    """A check for leaks of that service."""
    return {
        "name": "memory",
        "kind": "trend",
        "query": f'process_resident_memory_bytes{{service="{name}",$cohort}}',
        "unit": "bytes",
    }


@asynccontextmanager
async def running(settings: dict, folder, now: float) -> AsyncIterator[Running]:
    """
    The service on a free port.

    Args:
        settings: all but the store and who may ask.
        folder: for the store.
        now: Unix time at first.
    """
    parsed = parse(
        {"store": {"url": f"sqlite:///{folder}/firedamp.db"}, "auth": {"required": False}, **settings}, "test"
    )
    state = Running("", now)
    async with living(parsed, clock=lambda: state.now) as parts:
        state.judge, state.intake = parts.judge, parts.intake
        await parts.store.add_token(Token("hooks", digest(SECRET), "asker", ("shop",), path=True))
        app = create_app(parsed, parts.store, parts.judge, parts.intake, clock=lambda: state.now)
        runner = web.AppRunner(app, auto_decompress=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        state.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield state
        finally:
            await runner.cleanup()


async def measure(
    clients: GoClients, state: Running, service: str, question: str, more: Mapping[str, str] | None = None
) -> ArgoMeasurement:
    """What Argo's web metric makes of one answer; `more` goes into the question."""
    body = {"service": service, "namespace": "shop", "canary-hash": "canary", "stable-hash": "stable"}
    return await asyncio.to_thread(
        clients.argo_web,
        f"{state.url}/argo/v1/{question}",
        "POST",
        json_body={**body, **(more or {})},
        json_path="{$.summary}",
        success='result startsWith "pass:"',
        failure='result startsWith "fail:"',
    )
