"""
The demo shop, one service of it per process: gateway -> orders -> payments.

    SHOP_HOST=127.1.0.1 SHOP_PORT=8080 SHOP_SERVICE=orders SHOP_CALLS=payments.shop SHOP_ERRORS=0.05 \
        python shop.py

It stands for a container with its sidecar: it serves its routes, and at /metrics both its own metrics and
those that Istio's proxy would keep for it. Calls go through the proxy of HTTP_PROXY, as calls in a mesh do.
Spans leave by OTLP/HTTP to OTEL_EXPORTER_OTLP_ENDPOINT, where that is set, with what OTEL_RESOURCE_ATTRIBUTES
says of the pod.

What is wrong with it stands in `Faults`, read from the environment at the start; PUT /faults changes them
while it runs, and GET /faults tells them with the time of the first request that they spoilt.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

import aiohttp
from aiohttp import web
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Median of the time that a service takes itself, and its spread (standard deviation of the logarithm). Long
#: beside what a busy machine adds.
MEDIAN_SECONDS, SPREAD = 0.08, 0.5
CALL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Faults:
    """
    What is wrong.

    Attributes:
        errors: share of requests answered 500.
        background: the same, but as ever: no request counts as spoilt by it.
        slower: so many times as slow.
        deleted: the route /orders is gone; whoever asks gets 404, which no service counts as an error.
        unreadable: messages to the next service are in a form that it cannot read.
        leak_bytes: kept of each request for ever.
        crash_after: the process ends itself after so many requests; 0 for never.
        hang: share of requests that are never answered.
    """

    errors: float = 0.0
    background: float = 0.0
    slower: float = 1.0
    deleted: bool = False
    unreadable: bool = False
    leak_bytes: int = 0
    crash_after: int = 0
    hang: float = 0.0

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Faults":
        """From text or JSON; names that are none of ours are a mistake of the test."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        return cls(**{name: _read(kinds[name], value) for name, value in values.items()})


def _read(kind: type, value: Any) -> Any:
    return str(value).lower() in ("1", "true") if kind is bool else kind(value)


class Meters:
    """What a service and its sidecar count; the sidecar as Istio does, for the receiving side."""

    def __init__(self, service: str, namespace: str) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "requests", ["code"], registry=self.registry)
        self.seconds = Histogram(
            "http_request_duration_seconds", "s", buckets=SECONDS, registry=self.registry
        )
        names = ["reporter", "destination_workload_namespace", "destination_service", "response_code"]
        self.seen = Counter("istio_requests", "requests", names, registry=self.registry)
        self.took = Histogram(
            "istio_request_duration_milliseconds",
            "ms",
            names,
            buckets=[1000 * bound for bound in SECONDS],
            registry=self.registry,
        )
        self._common = ("destination", namespace, f"{service}.{namespace}.svc.cluster.local")

    def count(self, status: int, seconds: float) -> None:
        """One request."""
        self.requests.labels(str(status)).inc()
        self.seconds.observe(seconds)
        self.seen.labels(*self._common, str(status)).inc()
        self.took.labels(*self._common, str(status)).observe(1000 * seconds)


class Shop:
    """One service of the shop."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.service = environment["SHOP_SERVICE"]
        self.calls = environment.get("SHOP_CALLS", "")
        self.proxy = environment.get("HTTP_PROXY") or None
        given = {name[5:].lower(): value for name, value in environment.items() if name.startswith("SHOP_")}
        self.faults = Faults.of({f.name: given[f.name] for f in fields(Faults) if f.name in given})
        self.meters = Meters(self.service, environment.get("SHOP_NAMESPACE", ""))
        self.served = 0
        self.spoilt_at: float | None = None
        self._kept: list[bytearray] = []
        self._tracer = _tracer(self.service, export="OTEL_EXPORTER_OTLP_ENDPOINT" in environment)
        self._client: aiohttp.ClientSession | None = None

    def application(self) -> web.Application:
        """All it answers."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", _well),
                web.get("/readyz", _well),
                web.get("/metrics", self._metrics),
                web.get("/faults", self._told),
                web.put("/faults", self._changed),
                web.route("*", "/{path:.*}", self._measured),
            ]
        )
        app.cleanup_ctx.append(self._calling)
        return app

    async def _calling(self, _: web.Application) -> Any:
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as self._client:
            yield

    async def _measured(self, request: web.Request) -> web.StreamResponse:
        begun = time.perf_counter()
        with self._span(request) as span:
            answer = await self._answer(request)
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
        self.meters.count(answer.status, time.perf_counter() - begun)
        return answer

    @contextmanager
    def _span(self, request: web.Request) -> Iterator[trace.Span]:
        path = "/" + request.match_info["path"]
        attributes = {"http.request.method": request.method, "http.route": path, "url.path": path}
        name = f"{request.method} {path}"
        context = extract(request.headers)
        with self._tracer.start_as_current_span(name, context, SpanKind.SERVER, attributes) as span:
            yield span

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.served += 1
        faults = self.faults
        if faults.crash_after and self.served > faults.crash_after:
            self._spoil()
            os.kill(os.getpid(), signal.SIGKILL)
        self._kept += [bytearray(faults.leak_bytes)] if faults.leak_bytes else []
        await asyncio.sleep(self._seconds())
        if random.random() < faults.hang:
            self._spoil()
            await asyncio.sleep(3600.0)
        return await self._decided(request)

    async def _decided(self, request: web.Request) -> web.StreamResponse:
        if self.faults.deleted and request.path == "/orders":
            self._spoil()
            return web.json_response({"error": "no such route"}, status=404)
        if random.random() < self.faults.errors:
            self._spoil()
            return web.json_response({"error": "broken"}, status=500)
        if random.random() < self.faults.background:
            return web.json_response({"error": "as ever"}, status=500)
        if "order" not in await request.text() and request.method == "POST":
            return web.json_response({"error": "cannot read this"}, status=400)
        return await self._passed_on(request.path) if self.calls else web.json_response({"ok": True})

    def _seconds(self) -> float:
        if self.faults.slower != 1.0:
            self._spoil()
        return self.faults.slower * MEDIAN_SECONDS * random.lognormvariate(0.0, SPREAD)

    async def _passed_on(self, path: str) -> web.Response:
        """The same of the next service; whatever it answers but success fails here, as at any caller's."""
        if self.faults.unreadable:
            self._spoil()
        message = "…" if self.faults.unreadable else '{"order": 1}'
        headers: dict[str, str] = {}
        inject(headers)
        url = f"http://{self.calls}{path}"
        assert self._client is not None
        try:
            async with self._client.post(url, data=message, headers=headers, proxy=self.proxy) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 503
        return web.json_response({"next": status}, status=200 if status == 200 else 502)

    def _spoil(self) -> None:
        self.spoilt_at = self.spoilt_at or time.time()

    async def _metrics(self, _: web.Request) -> web.Response:
        # aiohttp takes no charset inside the content type.
        return web.Response(
            body=generate_latest(self.meters.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _told(self, _: web.Request) -> web.Response:
        return web.json_response({**asdict(self.faults), "spoilt_at": self.spoilt_at, "served": self.served})

    async def _changed(self, request: web.Request) -> web.Response:
        self.faults = Faults.of({**asdict(self.faults), **await request.json()})
        return await self._told(request)


async def _well(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def _tracer(service: str, *, export: bool) -> trace.Tracer:
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    if export:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=500))
    return provider.get_tracer("shop")


def main() -> int:
    """Serve on the pod's own address until it is told to stop."""
    host, port = os.environ["SHOP_HOST"], int(os.environ["SHOP_PORT"])
    web.run_app(Shop(dict(os.environ)).application(), host=host, port=port, print=None, access_log=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
