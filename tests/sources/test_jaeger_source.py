"""A Jaeger that is old, slow, broken, hostile or full; what it says is as real ones said it."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import perf_counter

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from firedamp.errors import SourceDownError, SourceError, SourceRefusedError
from firedamp.queries import Operation
from firedamp.sources.jaeger import JaegerSettings, open_jaeger
from firedamp.sources.jaeger.source import JaegerSource
from firedamp.tracing import Sought, Traces
from real.orders import Hop, Trip, resource_spans, shop

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BEGIN, END = 1_700_000_000.0, 1_700_000_060.0
FLOW = Operation("gateway", "POST /orders")
SOUGHT = Sought(("orders",), (FLOW,))
PAGE = "<!DOCTYPE html><title>Jaeger UI</title>"


class Fake:
    """A server with one handler that remembers what it was asked."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[web.Request] = []
        self._handler = handler
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self._handler(request)

    async def __aenter__(self) -> "Fake":
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    def source(self, **settings: object) -> JaegerSource:
        url = f"{self._server.make_url('/')}jaeger/"
        return JaegerSource(JaegerSettings.model_validate({"name": "shop", "url": url, **settings}))

    async def ask(self, sought: Sought = SOUGHT, timeout_seconds: float = 20.0, **settings: object) -> Traces:
        async with self.source(**settings) as source:
            return await source.traces(sought, BEGIN, END, timeout_seconds)

    def searches(self) -> list[web.Request]:
        """All but those by which the language was found."""
        return [
            one
            for one in self.requests
            if one.path.endswith("/traces") and one.query.get("query.num_traces") != "1"
        ]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def jaeger(trips: list[Trip], *, names: tuple[str, ...] = ("POST /orders",)) -> Fake:
    """One that speaks v3 and has these traces, found by every span of theirs, the last ones first."""
    known = [resource_spans([trip]) for trip in reversed(trips)]

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/operations"):
            return text(json.dumps({"operations": [{"name": name, "spanKind": "server"} for name in names]}))
        if not request.path.endswith("/api/v3/traces"):
            return text(PAGE, "text/html")
        query = request.query
        first, last = seconds(query["query.start_time_min"]), seconds(query["query.start_time_max"])
        asked = (query["query.service_name"], query.get("query.operation_name", ""), first, last)
        found = [told for told in known if _found(told, *asked)]
        found = found[: int(query["query.num_traces"])]
        if not found:
            return text('{"error":{"httpCode":404,"message":"No traces found"}}\n', status=404)
        return text(json.dumps({"result": {"resourceSpans": [one for told in found for one in told]}}))

    return Fake(handler)


def _found(told: list[dict], service: str, name: str, first: float, last: float) -> bool:
    return any(
        first <= int(span["startTimeUnixNano"]) / 1e9 <= last and name in ("", span["name"])
        for one in told
        if one["resource"]["attributes"][0]["value"]["stringValue"] == service
        for span in one["scopeSpans"][0]["spans"]
    )


def text(body: str, content_type: str = "text/plain", status: int = 200) -> web.Response:
    return web.Response(text=body, content_type=content_type, status=status)


def always(body: str, status: int = 200, **headers: str) -> Fake:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(text=body, status=status, headers=headers)

    return Fake(handler)


def ids(told: Traces) -> list[str]:
    return [trace.trace_id for trace in told.found]


# What is asked.


async def test_a_flow_is_searched_for_by_its_roots_span():
    """By the old names of v3's parameters, which newer ones take as well."""
    async with jaeger(shop(10, BEGIN, 60, seed=1)) as fake:
        told = await fake.ask()

    sent = fake.searches()[0]
    assert sent.path == "/jaeger/api/v3/traces"
    assert sent.query["query.service_name"] == "gateway"
    assert sent.query["query.operation_name"] == "POST /orders"
    assert sent.query["query.num_traces"] == "5000"
    assert sent.query["query.raw_traces"] == "true"
    assert sent.query["query.start_time_min"] == "2023-11-14T22:13:20.000000Z"
    assert len(told.found) == 10
    assert (told.doubt, told.bytes_read > 0) == ("", True)


async def test_a_service_is_searched_for_where_no_flow_is_named():
    """By its own spans, which begin later than their roots."""
    late = Trip("a" * 32, END - 0.1, (Hop(after=20.0),))
    async with jaeger([late, *shop(5, BEGIN, 60, seed=1)]) as fake:
        told = await fake.ask(Sought(("orders",)))

    assert {sent.query["query.service_name"] for sent in fake.searches()} == {"orders"}
    assert late.trace_id in ids(told)
    assert len(told.found) == 6


async def test_roots_named_otherwise_are_found_by_their_service():
    """A gateway may write POST and tell the route in an attribute; Jaeger searches names alone."""
    trips = [replace(trip, name="POST") for trip in shop(10, BEGIN, 60, seed=1)]
    other = Trip("b" * 32, BEGIN + 1, name="POST", route="/carts")
    async with jaeger([*trips, other], names=("POST",)) as fake:
        told = await fake.ask()

    assert {sent.query.get("query.operation_name") for sent in fake.searches()} == {None}
    assert sorted(ids(told)) == sorted(trip.trace_id for trip in trips)


async def test_names_that_tell_no_route_are_searched_as_well():
    """Half of the gateway's pods may be older and write POST, their route in an attribute."""
    trips = shop(10, BEGIN, 60, seed=1)
    mixed = [*trips[:5], *(replace(trip, name="POST") for trip in trips[5:])]
    async with jaeger(mixed, names=("POST /orders", "POST", "GET /carts")) as fake:
        told = await fake.ask()

    names = {sent.query["query.operation_name"] for sent in fake.searches()}
    assert names == {"POST /orders", "POST"}
    assert ids(told) == [trip.trace_id for trip in trips]


async def test_a_name_that_other_spans_have_does_not_hide_roots():
    """Found by another span than its root, a flow is searched for by its service, now and later."""
    inside = [replace(trip, name="ingress") for trip in shop(4, BEGIN, 60, seed=1)]
    calls = [resource_spans([trip]) for trip in inside]
    for told in calls[:2]:  # two of four call orders by a span of the flow's name
        told[0]["scopeSpans"][0]["spans"][1]["name"] = "POST /orders"

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/operations"):
            return text('{"operations": [{"name": "POST /orders"}]}')
        first, last = (seconds(request.query[f"query.start_time_{edge}"]) for edge in ("min", "max"))
        name = request.query.get("query.operation_name", "")
        found = [one for told in calls if _found(told, "gateway", name, first, last) for one in told]
        if not found:
            return text('{"error":{"httpCode":404,"message":"No traces found"}}', status=404)
        return text(json.dumps({"result": {"resourceSpans": found}}))

    async with Fake(handler) as fake, fake.source() as source:
        first = await source.traces(SOUGHT, BEGIN, END, 5.0)
        before = len(fake.requests)
        again = await source.traces(SOUGHT, BEGIN, END, 5.0)

    assert sorted(ids(first)) == sorted(ids(again)) == sorted(trip.trace_id for trip in inside)
    assert {sent.query.get("query.operation_name") for sent in fake.requests[before:]} == {None}


async def test_only_flows_that_were_sought_are_found():
    """Roots of other services may have a span of the flow's name at its service."""
    nested = Trip("c" * 32, BEGIN + 1, parent="d" * 16)
    elsewhere = resource_spans([nested])
    elsewhere[0]["resource"]["attributes"][0]["value"]["stringValue"] = "mobile"

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/operations"):
            return text('{"operations": [{"name": "POST /orders"}]}')
        return text(json.dumps({"result": {"resourceSpans": elsewhere}}))

    async with Fake(handler) as fake:
        told = await fake.ask()

    assert ids(told) == []


async def test_traces_begin_within_the_window():
    """The window is closed at its begin and open at its end, so that windows can follow one another."""
    edges = [Trip(f"{at:032x}", when) for at, when in enumerate((BEGIN - 0.001, BEGIN, END - 0.001, END))]
    async with jaeger(edges) as fake:
        told = await fake.ask()

    assert ids(told) == [edges[1].trace_id, edges[2].trace_id]


async def test_names_are_asked_once_in_a_while():
    """Not by each look."""
    async with jaeger(shop(3, BEGIN, 60, seed=1)) as fake, fake.source() as source:
        await source.traces(SOUGHT, BEGIN, END, 5.0)
        await source.traces(SOUGHT, BEGIN, END, 5.0)

    assert sum(sent.path.endswith("/operations") for sent in fake.requests) == 1


async def test_credentials_and_tenant_are_sent(tmp_path: Path):
    """A token is read again for every request; Jaeger has a header of its own for the tenant."""
    token = tmp_path / "token"
    token.write_text("secret\n")
    async with jaeger([]) as fake:
        await fake.ask(bearer_token_file=str(token), tenant="team-a")

    assert {sent.headers["Authorization"] for sent in fake.requests} == {"Bearer secret"}
    assert {sent.headers["x-tenant"] for sent in fake.requests} == {"team-a"}


# Full pages.


@pytest.mark.parametrize("max_traces", [5, 10, 200, 201])
async def test_a_full_page_is_never_taken_for_whole(max_traces):
    """Its slice is halved until no page is full; each trace is there once."""
    trips = shop(200, BEGIN, 60, seed=2)
    async with jaeger(trips) as fake:
        told = await fake.ask(max_traces=max_traces)

    assert ids(told) == [trip.trace_id for trip in trips]
    assert told.doubt == ""


async def test_a_page_that_stays_full_is_doubt():
    """Ten traces at one moment and a page of five: nobody can know the rest."""
    trips = [Trip(f"{at + 1:032x}", BEGIN + 1.01) for at in range(10)]
    async with jaeger(trips) as fake:
        told = await fake.ask(max_traces=5)

    assert len(told.found) == 5
    assert "a search of less than 0.2 s brought 5 traces" in told.doubt
    assert "raise max_traces" in told.doubt


async def test_many_matching_spans_are_a_full_page_too():
    """Cassandra counts rows, three for each trace asked for, and a row is a span."""
    trips = [Trip(f"{at + 1:032x}", BEGIN + at, (Hop(),) * 6) for at in range(4)]
    async with jaeger(trips) as fake:
        told = await fake.ask(Sought(("orders",)), max_traces=5)

    assert len(fake.searches()) > 4
    assert len(told.found) == 4


async def test_an_answer_that_is_too_large_is_asked_in_pieces():
    """The limit is on one answer; the traces of a window may be more."""
    trips = shop(100, BEGIN, 60, seed=3)
    async with jaeger(trips) as fake:
        told = await fake.ask(max_response_bytes=40_000)

    assert ids(told) == [trip.trace_id for trip in trips]


async def test_a_trace_that_is_too_large_is_refused():
    """With the limit and the remedy; half a trace would be another trace."""
    trips = [Trip("e" * 32, BEGIN + 1, (Hop(),) * 40)]
    async with jaeger(trips) as fake:
        with pytest.raises(SourceRefusedError, match="more than 10000 bytes; raise max_response_bytes"):
            await fake.ask(max_response_bytes=10_000)


async def test_what_was_learnt_of_slices_is_kept_for_the_next_look():
    """A second look at the same traffic fills its pages at once and none too much."""
    trips = shop(600, BEGIN, 60, seed=4)
    async with jaeger(trips) as fake, fake.source(max_traces=100) as source:
        await source.traces(SOUGHT, BEGIN, END, 5.0)
        first = len(fake.requests)
        await source.traces(SOUGHT, BEGIN, END, 5.0)

    assert len(fake.requests) - first <= 10


# Languages.


def spans_v1(trip: Trip) -> dict:
    told = {"traceID": trip.trace_id.lstrip("0"), "spanID": "1", "operationName": "POST /orders"}
    tags = [{"key": "span.kind", "type": "string", "value": "server"}]
    times = {"startTime": round(trip.at * 1e6), "duration": 1000}
    process = {"p1": {"serviceName": "gateway", "tags": []}}
    return {"spans": [{**told, **times, "tags": tags, "processID": "p1"}], "processes": process}


def jaeger_1(trips: list[Trip]) -> Fake:
    """One that knows v1 alone and answers all else with its page."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/api/operations"):
            name = {"name": "POST /orders", "spanKind": "server"}
            return web.json_response({"data": [name], "errors": None})
        if not request.path.endswith("/api/traces"):
            return text(PAGE, "text/html")
        first, last = int(request.query["start"]), int(request.query["end"])
        found = [spans_v1(trip) for trip in trips if first <= round(trip.at * 1e6) <= last]
        return web.json_response({"data": found[: int(request.query["limit"])], "errors": None})

    return Fake(handler)


async def test_an_old_jaeger_is_asked_in_v1():
    """Its page at an unknown path is no answer; that is found once and remembered."""
    trips = shop(30, BEGIN, 60, seed=5)
    async with jaeger_1(trips) as fake, fake.source(max_traces=10) as source:
        first = await source.traces(SOUGHT, BEGIN, END, 5.0)
        again = await source.traces(SOUGHT, BEGIN, END, 5.0)

    assert ids(first) == ids(again) == [trip.trace_id for trip in trips]
    assert sum(sent.path.endswith("/api/v3/traces") for sent in fake.requests) == 1


@pytest.mark.parametrize(("api", "path"), [("v3", "/jaeger/api/v3/traces"), ("v1", "/jaeger/api/traces")])
async def test_a_language_may_be_chosen(api, path):
    """Then no other is tried, and none is looked for."""
    async with jaeger_1([]) if api == "v1" else jaeger([]) as fake:
        await fake.ask(api=api)

    assert {sent.path for sent in fake.requests if "operations" not in sent.path} == {path}


async def test_base64_ids_are_not_taken_for_v3():
    """Gateways of 1.4x wrote them; v1 of the same Jaeger has the right ones."""
    trips = shop(3, BEGIN, 60, seed=5)
    old = json.dumps(
        {
            "result": {
                "resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "AAAAAAAAAAEAAAAAAAAAAg=="}]}]}]
            }
        }
    )

    async def handler(request: web.Request) -> web.StreamResponse:
        if "/api/v3/" in request.path:
            return text(old)
        return await jaeger_1(trips)._handler(request)

    async with Fake(handler) as fake:
        told = await fake.ask()

    assert len(told.found) == 3


async def test_what_is_no_jaeger_is_refused():
    """With the remedy."""
    async with always(PAGE) as fake:
        with pytest.raises(SourceRefusedError, match="set url to Jaeger's query service"):
            await fake.ask()


async def test_after_an_upgrade_the_language_is_found_anew():
    """The look that met it is undecided, the next is whole."""
    trips = shop(5, BEGIN, 60, seed=6)
    now = jaeger_1(trips)._handler

    async def handler(request: web.Request) -> web.StreamResponse:
        return await now(request)

    async with Fake(handler) as fake, fake.source() as source:
        await source.traces(SOUGHT, BEGIN, END, 5.0)
        now = jaeger(trips)._handler
        with pytest.raises(SourceDownError, match="nothing a Jaeger says"):
            await source.traces(SOUGHT, BEGIN, END, 5.0)
        told = await source.traces(SOUGHT, BEGIN, END, 5.0)

    assert len(told.found) == 5


# Trouble.


@pytest.mark.parametrize(
    ("body", "status", "error", "said"),
    [
        ('{"error":{"httpCode":400,"message":"malformed parameter"}}', 400, SourceRefusedError, "malformed"),
        ("[" * 60_000, 400, SourceRefusedError, "HTTP 400: Bad Request"),
        ("no", 401, SourceRefusedError, "HTTP 401: Unauthorized"),
        ("no", 403, SourceRefusedError, "HTTP 403: Forbidden"),
        ('{"errors":[{"code":500,"msg":"es: timeout"}]}', 500, SourceDownError, "HTTP 500: es: timeout"),
        ("", 502, SourceDownError, "HTTP 502: Bad Gateway"),
        ("", 503, SourceDownError, "HTTP 503"),
        ("", 429, SourceDownError, "HTTP 429"),
        ("", 302, SourceRefusedError, "HTTP 302 is no answer; set url"),
        ("", 204, SourceRefusedError, "HTTP 204 is no answer; 200 is expected"),
    ],
)
async def test_failures_say_whether_asking_again_helps(body, status, error, said):
    """In the server's own words, where it has any."""
    async with always(body, status) as fake:
        with pytest.raises(error, match=said):
            await fake.ask()


async def test_a_page_that_the_store_does_not_allow_names_the_setting():
    """Jaeger answers 500 to it, which sounds as if asking again would help."""
    said = "search depth must be greater than 0 and less than max traces"
    async with always(json.dumps({"error": {"httpCode": 500, "message": said}}), 500) as fake:
        with pytest.raises(SourceRefusedError, match="max_traces is 5000, lower it"):
            await fake.ask()


@pytest.mark.parametrize(
    "body", ['{"result":{"resourceSpans":[{"sco', "[]", "null", '{"result": 7}', PAGE, ""]
)
async def test_half_an_answer_is_none(body):
    """What cannot be read is not taken for few traces."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/operations") or request.query["query.num_traces"] == "1":
            return await jaeger([])._handler(request)
        return text(body)

    async with Fake(handler) as fake:
        with pytest.raises(SourceDownError, match="nothing a Jaeger says"):
            await fake.ask()


async def test_a_connection_that_breaks_off_is_no_answer():
    """Twice is enough to say so."""

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b'{"result":')
        assert request.transport is not None
        request.transport.close()
        return answer

    async with Fake(handler) as fake:
        with pytest.raises(SourceDownError, match="cannot be reached"):
            await fake.ask()

    assert len(fake.requests) == 2


async def test_nobody_there_is_said_so():
    """A port that nobody listens on."""
    async with jaeger([]) as fake:
        source = fake.source()
    async with source:
        with pytest.raises(SourceDownError, match="cannot be reached: connection refused"):
            await source.traces(SOUGHT, BEGIN, END, 5.0)


@pytest.mark.parametrize(("timeout", "left", "said"), [(0.2, 5.0, "0.2 s"), (5.0, 0.3, "0.3 s")])
async def test_a_slow_jaeger_is_given_up_in_time(timeout, left, said):
    """After the time of one search, or what is left of the look's."""

    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        await asyncio.sleep(10)
        return text("{}")

    async with Fake(handler) as fake:
        begun = perf_counter()
        with pytest.raises(SourceDownError, match=f"no answer within {said}"):
            await fake.ask(timeout=timeout, timeout_seconds=left)

    assert perf_counter() - begun < 2


async def test_one_slow_slice_ends_the_look():
    """Without it the window would be another."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.query.get("query.start_time_min", "") > "2023-11-14T22:13:22":
            await asyncio.sleep(10)
        return await jaeger(shop(50, BEGIN, 60, seed=7))._handler(request)

    async with Fake(handler) as fake:
        with pytest.raises(SourceDownError, match="no answer within"):
            await fake.ask(timeout=0.5)


async def test_no_secret_is_repeated(tmp_path: Path):
    """Neither in errors nor in what a server echoes."""
    token = tmp_path / "token"
    token.write_text("hunter2hunter2")
    async with always('{"error":{"message":"bad token hunter2hunter2"}}', 403) as fake:
        with pytest.raises(SourceError) as raised:
            await fake.ask(bearer_token_file=str(token))

    assert "hunter2" not in str(raised.value)


class Watched(tuple[str, ...]):
    """Names of services that know in which threads they were looked at."""

    threads: set[int]

    def __new__(cls, *names: str) -> "Watched":
        watched = super().__new__(cls, names)
        watched.threads = set()
        return watched

    def __contains__(self, name: object) -> bool:
        self.threads.add(threading.get_ident())
        return super().__contains__(name)


@pytest.mark.parametrize(("count", "beside"), [(10, False), (500, True)])
async def test_large_answers_are_read_beside_the_event_loop(count, beside):
    """Other looks keep their deadlines meanwhile; for a small answer a thread is not worth its while."""
    trips = shop(count, BEGIN, 2, seed=8)
    body = json.dumps(
        {"result": {"resourceSpans": [one for trip in trips for one in resource_spans([trip])]}}
    )
    services = Watched("orders")

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/operations"):
            return await jaeger([])._handler(request)
        return text(body)

    async with Fake(handler) as fake, fake.source(api="v3") as source:
        told = await source.traces(Sought(services, (FLOW,)), BEGIN, BEGIN + 2, 20.0)

    assert len(told.found) == count
    assert (threading.get_ident() not in services.threads) is beside


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bearer_token_file": "/nonexistent/token"}, "/nonexistent/token cannot be read"),
        ({"ca_file": "/nonexistent/ca.pem"}, "ca_file /nonexistent/ca.pem cannot be used"),
    ],
)
async def test_a_missing_secret_is_refused_before_anything_is_sent(settings, said):
    """Without credentials there is no point in asking."""
    async with jaeger([]) as fake:
        with pytest.raises(SourceRefusedError, match=said):
            await fake.ask(**settings)

    assert fake.requests == []


async def test_what_speaks_no_http_is_down():
    """Something else may listen there while a pod is replaced."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = JaegerSettings(name="shop", url=f"http://127.0.0.1:{port}")
    async with server, JaegerSource(settings) as source:
        with pytest.raises(SourceDownError, match="no HTTP answer"):
            await source.traces(SOUGHT, BEGIN, END, 5.0)


@pytest.mark.parametrize(
    ("api", "body", "status", "said"),
    [
        ("v3", "404 page not found", 404, "404, and not for want of traces"),
        ("v1", "404 page not found", 404, "says: 404"),
        ("v1", '{"data": [], "errors": [{"code": 500, "msg": "shard 3 is gone"}]}', 200, "shard 3 is gone"),
    ],
)
async def test_an_answer_in_part_is_none(api, body, status, said):
    """Neither a path that went away nor a store that owns up to a fault has found nothing."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/operations"):
            return await (jaeger if api == "v3" else jaeger_1)([])._handler(request)
        return text(body, status=status)

    async with Fake(handler) as fake:
        with pytest.raises(SourceDownError, match=said):
            await fake.ask(api=api)


async def test_what_is_learnt_of_searches_is_not_kept_for_ever():
    """Flows come and go; each is a search with a pace of its own."""
    async with jaeger([]) as fake, fake.source(api="v3") as source:
        for at in range(300):
            await source.traces(Sought((f"orders-{at}",)), BEGIN, BEGIN + 1, 5.0)

        assert len(source._paces) == 256


# Settings.


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"url": "jaeger:16686"}, "write it like http://jaeger-query.observability:16686"),
        ({"api": "v2"}, "v3"),
        ({"tenant_header": "a b"}, "match pattern"),
        ({"max_traces": 1}, "greater than or equal to 2"),
        ({"token": "secret"}, "Extra inputs"),
        ({"username": "judge"}, "belong together"),
        ({"reach": "soon"}, "no duration"),
    ],
)
def test_what_makes_no_sense_is_refused(written, said):
    """When the settings are read, with the remedy."""
    with pytest.raises(ValidationError, match=said):
        JaegerSettings.model_validate({"name": "shop", "url": "http://jaeger:16686", **written})


async def test_a_source_is_opened_from_its_settings():
    """Nothing is asked yet."""
    source = open_jaeger(JaegerSettings(name="shop", url="http://jaeger.invalid:16686/base/"))

    assert isinstance(source, JaegerSource)
    assert source.settings.url == "http://jaeger.invalid:16686/base"
    await source.close()
