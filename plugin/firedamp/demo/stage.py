"""The real application, embedded: SQLite in a folder, the recorded shop, HTTP on the loopback."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from firedamp.config.load import parse
from firedamp.demo import days, looking_back, recording, story
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

    def rollout(self, pace_seconds: float) -> Rollout:
        """A controller that asks this application."""
        return Rollout(self.http, self.url, self.clock, self.began, pace_seconds)


@asynccontextmanager
async def set_up(
    folder: Path, port: int, *, with_prometheus: bool, with_days_before: bool, now: float
) -> AsyncIterator[Stage]:
    """
    Serve the shop; its story ends about now, so that the pages tell of the last hour.

    Args:
        folder: for the store, and for Prometheus.
        port: of the pages, where it is free.
        with_prometheus: judge from a real one.
        with_days_before: judge the releases of the days before first; that takes some seconds.
        now: Unix time.

    Raises:
        ConfigError, SourceDownError: no Prometheus could be run here.
    """
    # In whole seconds, so that no sample falls into another block than in the demo before.
    began = round(now) - story.DURATION_SECONDS
    port = free_port(port)
    with _sources(folder, began, with_prometheus) as (sources, words):
        settings = parse(written(folder, port, *sources), "demo")
        logs.configure(settings.log)
        async with AsyncExitStack() as stack:
            alive = await stack.enter_async_context(living(settings))
            if with_days_before:
                await looking_back.judged(settings, alive.store, began + story.DURATION_SECONDS)
            clock = Clock(began)
            app = create_app(settings, alive.store, alive.judge, alive.intake, clock=clock)
            listening = serving(app, settings.limits, host="127.0.0.1", port=port)
            address = await stack.enter_async_context(listening)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            yield Stage(address.url, words, began, clock, http)


def written(folder: Path, port: int, *sources: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the whole shop, as data."""
    shop = story.settings(str(folder), port, *sources)
    return shop | {"services": [*shop["services"], *days.services()]}


@contextmanager
def _sources(folder: Path, began: float, with_prometheus: bool) -> Iterator[tuple[list[dict[str, Any]], str]]:
    replay = {"name": "recording", "kind": "replay", "path": str(recording.PATH), "begin": began}
    if not with_prometheus:
        yield [replay], "a recording"
        return
    with prometheus(recording.begun(began).series, folder) as url:
        metrics = {"name": "prometheus", "kind": "prometheus", "url": url}
        yield [metrics, replay], f"a real Prometheus at {url}, with recorded traces"
