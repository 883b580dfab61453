"""
What Kubernetes asks: alive, ready, started; and what Prometheus scrapes.

Alive means that the loop turns, nothing more: a store that is down is no reason to be killed. Ready means
that a question would be answered from the store. A metric source that is down makes answers undecided on
every replica alike, so it is told (`?verbose`) and takes nobody out of service.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from firedamp.errors import StoreError
from firedamp.ports import Store
from firedamp.telemetry import FETCH_BYTES, SOURCE_ERRORS

_STORE_SECONDS = 2.0


@dataclass(slots=True)
class Lifecycle:
    """Where the process stands between its start and its end."""

    started: bool = False
    draining: bool = False


@dataclass(slots=True)
class Probes:
    """The addresses of the probes."""

    store: Store
    life: Lifecycle
    _seen: dict[str, tuple[float, float]] = field(default_factory=dict)
    _degraded: set[str] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/livez", self.alive),
            web.get("/readyz", self.ready),
            web.get("/startupz", self.started),
            web.get("/metrics", _metrics),
        ]

    async def alive(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="ok\n")

    async def started(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text="ok\n") if self.life.started else web.Response(text="starting\n", status=503)

    async def ready(self, request: web.Request) -> web.Response:
        trouble = await self._store_trouble()
        serving = not self.life.draining
        good = serving and trouble is None
        lines = [_line(serving, "serving", "shutting down"), _line(trouble is None, "store", trouble or "")]
        lines += [f"[~] source {name}: degraded, answers are undecided" for name in sorted(self._sources())]
        lines.append("ready" if good else "not ready")
        text = "\n".join(lines) if "verbose" in request.query or not good else "ok"
        return web.Response(text=f"{text}\n", status=200 if good else 503)

    async def _store_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                return await self.store.ready()
        except TimeoutError:
            return f"no answer within {_STORE_SECONDS:g} s"
        except StoreError as error:
            return str(error)

    def _sources(self) -> set[str]:
        """Sources that only failed since they were last looked at, from our own metrics."""
        for name, errors, answers in _totals():
            before_errors, before_answers = self._seen.get(name, (0.0, 0.0))
            if answers > before_answers:
                self._degraded.discard(name)
            elif errors > before_errors:
                self._degraded.add(name)
            self._seen[name] = (errors, answers)
        return self._degraded


def _line(good: bool, what: str, why: str) -> str:
    return f"[+] {what}: ok" if good else f"[-] {what}: {why}"


def _totals() -> Iterator[tuple[str, float, float]]:
    errors: dict[str, float] = {}
    for sample in _samples(SOURCE_ERRORS, "_total"):
        errors[sample[0]] = errors.get(sample[0], 0.0) + sample[1]
    answers = dict(_samples(FETCH_BYTES, "_count"))
    for name in errors.keys() | answers.keys():
        yield name, errors.get(name, 0.0), answers.get(name, 0.0)


def _samples(metric: object, suffix: str) -> list[tuple[str, float]]:
    families = metric.collect()  # type: ignore[attr-defined]  # a Counter or a Histogram
    samples = [sample for family in families for sample in family.samples]
    return [(one.labels["source"], one.value) for one in samples if one.name.endswith(suffix)]


async def _metrics(request: web.Request) -> web.Response:
    del request
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
