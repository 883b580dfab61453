"""
A Tempo that has the traces of the small shop and answers TraceQL as its source says it does.

It evaluates a search on each stored piece of a trace by itself, merges sets of spans of one trace by what
they are grouped by, cuts at the limit, takes whole seconds, and writes protobuf as JSON: zeros left out,
numbers of 64 bits as text, ids of traces without leading zeros. It knows as much TraceQL as firedamp writes.

Source: Tempo 2.8, pkg/traceql (engine.go, combine.go, lexer.go), tempodb/encoding/vparquet4.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestServer

from firedamp.sources.tempo import TempoSettings
from firedamp.sources.tempo.source import TempoSource
from firedamp.tracing import Kind
from real.orders import Trip, resource_spans

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CONDITION = re.compile(r'([\w.:/-]+) (=~|<=|=) ("(?:[^"\\\n]|\\.)*"|[\w-]+)')
_ESCAPE = re.compile(r'\\(u[0-9a-f]{4}|U[0-9a-f]{8}|["\\])')


@dataclass(frozen=True, slots=True)
class Stored:
    """A span as it is stored; what was written apart has another piece."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    start: int
    took: int
    failed: bool
    resource: dict[str, Any]
    own: dict[str, Any]
    piece: int = 0


class Condition(NamedTuple):
    """One condition of a filter; what stood in quotes is told without them."""

    name: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Query:
    """What firedamp asks for: a filter, perhaps below another, and attributes to show."""

    above: tuple[Condition, ...]
    filter: tuple[Condition, ...]
    shown: tuple[str, ...]


def unquoted(text: str) -> str:
    """What Go reads in a string, or the word itself."""
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda at: chr(int(at[1][1:], 16)) if at[1][0] in "uU" else at[1], text[1:-1])


def parsed(text: str) -> Query:
    """
    A query's parts.

    Raises:
        ValueError: it is none that Tempo would take.
    """
    first, rest = _filter(text)
    above: tuple[Condition, ...] = ()
    if rest.startswith(" >> "):
        above = first
        first, rest = _filter(rest.removeprefix(" >> "))
    shown = re.fullmatch(r" \| by\(span:id\) \| select\(([\w.:/, -]+)\)", rest)
    if shown is None:
        raise ValueError(f"unexpected {rest!r}")
    return Query(above, first, tuple(shown[1].split(", ")))


def _filter(text: str) -> tuple[tuple[Condition, ...], str]:
    if not text.startswith("{ "):
        raise ValueError(f"expected {{ at {text!r}")
    text, found = text[2:], []
    while at := _CONDITION.match(text):
        found.append(Condition(at[1], at[2], unquoted(at[3])))
        text = text[at.end() :]
        if text.startswith(" }"):
            return tuple(found), text[2:]
        if not text.startswith(" && "):
            break
        text = text[4:]
    raise ValueError(f"unexpected {text!r}")


def stored(trips: Iterable[Trip]) -> list[Stored]:
    """The spans of trips."""
    return [
        Stored(
            span["traceId"],
            span["spanId"],
            span["parentSpanId"],
            span["name"],
            Kind(span["kind"]).name.lower(),
            int(span["startTimeUnixNano"]),
            int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]),
            bool(span["status"]),
            _plain(pod["resource"]["attributes"]),
            _plain(span["attributes"]),
        )
        for pod in resource_spans(trips)
        for span in pod["scopeSpans"][0]["spans"]
    ]


def _plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


@dataclass(slots=True)
class Fake:
    """A server with one handler that remembers what it was asked."""

    handler: Handler
    requests: list[web.Request] = field(default_factory=list)
    _server: TestServer | None = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.handler(request)

    async def __aenter__(self) -> "Fake":
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._server = TestServer(app)
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            await self._server.close()

    @property
    def url(self) -> str:
        """Where it answers, under a prefix as Tempo's http_api_prefix."""
        if self._server is None:
            raise RuntimeError("it has not been started")
        return f"{self._server.make_url('/')}tempo"

    def source(self, **settings: object) -> TempoSource:
        return TempoSource(TempoSettings.model_validate({"name": "shop", "url": self.url, **settings}))

    def queries(self) -> list[str]:
        """What was asked, each once."""
        return list(dict.fromkeys(request.query["q"] for request in self.requests))


def tempo(spans: Iterable[Stored]) -> Fake:
    """One that has these spans."""
    pieces: dict[tuple[str, int], list[Stored]] = {}
    for span in spans:
        pieces.setdefault((span.trace_id, span.piece), []).append(span)

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path != "/tempo/api/search":
            return web.Response(text="404 page not found", status=404)
        try:
            query = parsed(request.query["q"])
        except ValueError as error:
            return web.Response(text=f"invalid TraceQL query: {error}", status=400)
        begin, end = (int(request.query[edge]) * 10**9 for edge in ("start", "end"))
        due = [one for one in pieces.values() if _overlaps(one, begin, end)]
        found = _merged(_told(piece, query) for piece in due if any(_matching(piece, query)))
        return web.json_response({"traces": found[: int(request.query["limit"])], "metrics": {}})

    return Fake(handler)


def _overlaps(piece: list[Stored], begin: int, end: int) -> bool:
    return min(one.start for one in piece) <= end and max(one.start + one.took for one in piece) >= begin


def _matching(piece: list[Stored], query: Query) -> Iterator[Stored]:
    by_id = {one.span_id: one for one in piece}
    for span in piece:
        if not all(_holds(condition, span, by_id) for condition in query.filter):
            continue
        if not query.above or any(
            all(_holds(condition, one, by_id) for condition in query.above) for one in _ancestors(span, by_id)
        ):
            yield span


def _holds(condition: Condition, span: Stored, by_id: dict[str, Stored]) -> bool:
    name, op, value = condition
    if name == "nestedSetParent":
        return _nested_parent(span, by_id) <= int(value)
    told = _shown(span, name)
    if told is None:
        return False
    return re.fullmatch(value, str(told)) is not None if op == "=~" else str(told) == value


def _ancestors(span: Stored, by_id: dict[str, Stored]) -> list[Stored]:
    """None where the way to the root is broken: such spans have no place in the tree."""
    found = []
    while span.parent_id:
        if span.parent_id not in by_id:
            return []
        span = by_id[span.parent_id]
        found.append(span)
    return found


def _nested_parent(span: Stored, by_id: dict[str, Stored]) -> int:
    if not span.parent_id:
        return -1
    return 1 if _ancestors(span, by_id) else 0


def _shown(span: Stored, name: str) -> Any:
    match name.split(".", 1):
        case ["resource", attribute]:
            return span.resource.get(attribute)
        case ["span", attribute]:
            return span.own.get(attribute)
        case ["status"]:
            return "error" if span.failed else "unset"
        case ["span:parentID"]:
            return span.parent_id or "0000000000000000"
    return {"name": span.name, "kind": span.kind}[name]


def _told(piece: list[Stored], query: Query) -> dict[str, Any]:
    root = next((one for one in piece if not one.parent_id), None)
    begun = {"rootServiceName": root.resource["service.name"], "rootTraceName": root.name} if root else {}
    start = min(one.start for one in piece)
    return {
        "traceID": piece[0].trace_id.lstrip("0"),
        "rootServiceName": "<root span not yet received>",
        **begun,
        "startTimeUnixNano": str(start),
        "durationMs": (max(one.start + one.took for one in piece) - start) // 1_000_000,
        "spanSets": [_set(span, query) for span in _matching(piece, query)],
    }


def _set(span: Stored, query: Query) -> dict[str, Any]:
    used = dict.fromkeys((*query.shown, *(one.name for one in query.filter if "nested" not in one.name)))
    told = {name: _shown(span, name) for name in used if name != "name"}
    written = {
        "spanID": span.span_id,
        "name": span.name,
        "startTimeUnixNano": str(span.start),
        "durationNanos": str(span.took),
        "attributes": [_attribute(name, value) for name, value in told.items() if value is not None],
    }
    group = {"key": "by(span:id)", "value": {"stringValue": span.span_id}}
    kept = {name: value for name, value in written.items() if value not in ("", "0")}
    return {"spans": [kept], "matched": 1, "attributes": [group]}


def _attribute(name: str, value: Any) -> dict[str, Any]:
    """Without its scope; numbers of 64 bits as text."""
    bare = re.sub(r"^(resource|span)\.", "", name)
    whole = str(value).isdecimal() and "status_code" in bare
    return {"key": bare, "value": {"intValue" if whole else "stringValue": str(value)}}


def _merged(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pieces of one trace: sets of another group are added, a set of the same is there already."""
    found: dict[str, dict[str, Any]] = {}
    for one in told:
        known = found.setdefault(one["traceID"], one)
        groups = {str(each["attributes"]) for each in known["spanSets"]}
        known["spanSets"] += [each for each in one["spanSets"] if str(each["attributes"]) not in groups]
    return list(found.values())


def apart(spans: Iterable[Stored], *services: str) -> list[Stored]:
    """The same spans, those of these services written later, as a piece of their own."""
    return [replace(one, piece=int(one.resource["service.name"] in services)) for one in spans]
