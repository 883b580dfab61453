"""Around every request: an id, a span, a line in the log, an observation, and headers."""

import re
import uuid
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from aiohttp import web
from opentelemetry import propagate, trace

from firedamp import telemetry
from firedamp.contracts._wire import TOKEN

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
REQUEST_ID = web.RequestKey("request_id", str)

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/livez", "/readyz", "/startupz", "/metrics"})
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Server": "firedamp",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_log = structlog.get_logger("firedamp.server")


@web.middleware
async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Number, time, trace and log a request; the outermost middleware."""
    route = template(request)
    request[REQUEST_ID] = _id(request)
    began = perf_counter()
    parent = propagate.extract(request.headers)
    with (
        structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]),
        telemetry.tracer().start_as_current_span(
            f"{telemetry.REQUEST_SPAN} {route}", context=parent, kind=trace.SpanKind.SERVER
        ) as span,
    ):
        response = await handler(request)
        span.set_attribute("http.response.status_code", response.status)
        _told(request, route, response.status, perf_counter() - began)
    response.headers["X-Request-Id"] = request[REQUEST_ID]
    return response


def template(request: web.Request) -> str:
    """The route's template, which holds no secret; "unmatched" where there is no route."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


async def headed(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Add the headers that every answer carries."""
    del request
    response.headers.update({name: text for name, text in _HEADERS.items() if name not in response.headers})
    response.headers["Server"] = "firedamp"
    response.headers.setdefault("Cache-Control", "no-store")


def _id(request: web.Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def _told(request: web.Request, route: str, status: int, seconds: float) -> None:
    telemetry.REQUEST_SECONDS.labels(route, request.method, status).observe(seconds)
    if route in _QUIET and status < 400:
        return
    token = request.get(TOKEN)
    _log.info(
        "request",
        method=request.method,
        route=route,
        status=status,
        seconds=round(seconds, 4),
        token=token.name if token is not None else None,
        remote=request.remote,
    )
