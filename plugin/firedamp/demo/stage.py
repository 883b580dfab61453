"""The real application, embedded: SQLite in a folder, the recorded shop, HTTP on the loopback."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from firedamp.config.load import parse
from firedamp.demo import recording, story
from firedamp.demo.backend import free_port, prometheus
from firedamp.demo.controller import Clock, Rollout
from firedamp.server import create_app, logs, serving
from firedamp.wiring import living


@dataclass(frozen=True, slots=True)
class Stage:
    """
    The application and a controller's way to it.

    Attributes:
        url: where it serves.
        source: what it judges from, in words.
        began: Unix time at which the recording begins.
    """

    url: str
    source: str
    began: float
    clock: Clock
    http: aiohttp.ClientSession

    @property
    def service(self) -> str:
        """Whom it judges."""
        return f"{story.NAMESPACE}/{story.SERVICE}"

    def rollout(self, pace_seconds: float) -> Rollout:
        """A controller that asks this application."""
        return Rollout(self.http, self.url, self.clock, self.began, pace_seconds)


@asynccontextmanager
async def set_up(folder: Path, port: int, *, with_prometheus: bool, now: float) -> AsyncIterator[Stage]:
    """
    Serve the shop; its story ends about now, so that the pages tell of the last hour.

    Raises:
        ConfigError, SourceDownError: no Prometheus could be run here.
    """
    began = now - story.DURATION_SECONDS
    port = free_port(port)
    with _source(folder, began, with_prometheus) as (source, words):
        settings = parse(story.settings(source, str(folder), port), "demo")
        logs.configure(settings.log)
        async with AsyncExitStack() as stack:
            alive = await stack.enter_async_context(living(settings))
            clock = Clock(began)
            app = create_app(settings, alive.store, alive.judge, alive.intake, clock=clock)
            listening = serving(app, settings.limits, host="127.0.0.1", port=port)
            address = await stack.enter_async_context(listening)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            yield Stage(address.url, words, began, clock, http)


@contextmanager
def _source(folder: Path, began: float, with_prometheus: bool) -> Iterator[tuple[dict[str, Any], str]]:
    if not with_prometheus:
        replay = {"name": "shop", "kind": "replay", "path": str(recording.PATH), "begin": began}
        yield replay, "a recording"
        return
    with prometheus(recording.begun(began).series, folder) as url:
        yield {"name": "shop", "kind": "prometheus", "url": url}, f"a real Prometheus at {url}"
