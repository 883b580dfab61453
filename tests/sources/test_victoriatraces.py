"""
A VictoriaTraces in a Jaeger's place: what it is asked, what it answers, and what it holds back.

Answers are as its templates write them (app/vtselect/traces/jaeger/jaeger.qtpl): every value of a tag is
text, and a span is found by when it ended.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.queries import Operation
from firedamp.sources import VictoriaTracesSettings, open_tracer
from firedamp.sources.victoriatraces.source import VictoriaTracesSource
from firedamp.tracing import Sought, Trace, Traces, joined, otlp
from firedamp.tracing.intake import Interest
from real.orders import Hop, Trip, resource_spans, shop
from tempos import Fake, Stored, stored

BEGIN, END = 1_700_000_000.0, 1_700_000_060.0
FLOW = Operation("gateway", "POST /orders")
SOUGHT = Sought(("orders",), (FLOW,))
LATER = END + 60


class Victoria(Fake):
    """Asked as a VictoriaTraces is."""

    async def ask(self, sought: Sought = SOUGHT, now: float = LATER, **settings: object) -> Traces:
        told = {"name": "shop", "url": self.url, "timeout": "2s", **settings}
        async with VictoriaTracesSource(VictoriaTracesSettings.model_validate(told), lambda: now) as source:
            return await source.traces(sought, BEGIN, END, 20.0)

    def searches(self) -> list[web.Request]:
        return [one for one in self.requests if one.path.endswith("/traces")]


def victoria(trips: Iterable[Trip], *, most: int = 1000) -> Victoria:
    """One that has these trips and gives so many traces at most."""
    known: dict[str, list[Stored]] = {}
    for span in stored(trips):
        known.setdefault(span.trace_id, []).append(span)

    async def handler(request: web.Request) -> web.StreamResponse:
        query = request.query
        if request.path == "/tempo/select/jaeger/api/services/gateway/operations":
            return _answer(sorted({one.name for spans in known.values() for one in spans}))
        if request.path != "/tempo/select/jaeger/api/traces":
            return web.Response(text=f"unsupported path requested: {request.path}", status=400)
        if not 0 <= int(query["limit"]) <= most:
            said = f"incorrect trace query params: limit {query['limit']} out of range [0, {most}]"
            return web.Response(text=f'remoteAddr: "10.0.0.1:4000"; requestURI: /select; {said}', status=400)
        found = [spans for spans in known.values() if any(_matches(one, query) for one in spans)]
        return _answer([_trace(spans) for spans in found[: int(query["limit"])]])

    return Victoria(handler)


def _answer(data: list[Any]) -> web.Response:
    return web.json_response({"data": data, "errors": None, "limit": 0, "offset": 0, "total": len(data)})


def _matches(span: Stored, query: Any) -> bool:
    ended = (span.start + span.took) // 1000
    named = query.get("operation", span.name) == span.name
    return (
        named
        and span.resource["service.name"] == query["service"]
        and int(query["start"]) <= ended <= int(query["end"])
    )


def _trace(spans: list[Stored]) -> dict[str, Any]:
    processes = {
        f"p{at + 1}": {"serviceName": one.resource["service.name"], "tags": _tags(one.resource)}
        for at, one in enumerate(spans)
    }
    written = [_span(one, f"p{at + 1}") for at, one in enumerate(spans)]
    return {"processes": processes, "spans": written, "traceID": spans[0].trace_id, "warnings": None}


def _span(span: Stored, process: str) -> dict[str, Any]:
    told = {**span.own, "span.kind": span.kind, "error": "true" if span.failed else "unset"}
    parent = {"refType": "CHILD_OF", "spanID": span.parent_id, "traceID": span.trace_id}
    return {
        "duration": span.took // 1000,
        "logs": [],
        "operationName": span.name,
        "processID": process,
        "references": [parent] if span.parent_id else [],
        "spanID": span.span_id,
        "startTime": span.start // 1000,
        "tags": _tags(told),
        "traceID": span.trace_id,
        "warnings": None,
    }


def _tags(told: dict[str, Any]) -> list[dict[str, str]]:
    return [{"key": key, "type": "string", "value": str(value)} for key, value in told.items()]


def always(body: str, status: int = 200) -> Victoria:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(text=body, status=status)

    return Victoria(handler)


def whole(trips: list[Trip], sought: Sought = SOUGHT) -> list[Trace]:
    body = web.json_response({"resourceSpans": resource_spans(trips)}).body
    assert isinstance(body, bytes)
    return joined(otlp.spans(body), sought)


@pytest.mark.parametrize(
    "hop",
    [Hop(), Hop(code=404, route=""), Hop(answered=False), Hop(declined=True)],
    ids=["healthy", "deleted", "silent", "declined"],
)
async def test_its_traces_are_those_of_a_jaeger(hop):
    """Though every value is text, and a status that was not set is called unset."""
    trips = shop(30, BEGIN, 60, seed=1, hop=hop)
    async with victoria(trips) as fake:
        told = await fake.ask()

    assert list(told.found) == whole(trips)
    assert told.doubt == ""


async def test_it_is_asked_as_a_jaeger_of_old():
    """Under its own path, with the names of spans where it has them, and for all its parts or none."""
    async with victoria(shop(5, BEGIN, 60, seed=1)) as fake:
        await fake.ask(tenant="12:3")

    names = fake.requests[0]
    first = next(one for one in fake.searches() if one.query["operation"] == "POST /orders")
    assert names.path == "/tempo/select/jaeger/api/services/gateway/operations"
    assert first.path == "/tempo/select/jaeger/api/traces"
    assert dict(first.query) == {
        "service": "gateway",
        "operation": "POST /orders",
        "start": "1699999999000000",
        "end": "1700000001000000",
        "limit": "1000",
        "allow_partial_response": "0",
    }
    assert {(one.headers["AccountID"], one.headers["ProjectID"]) for one in fake.requests} == {("12", "3")}


async def test_an_account_alone_has_a_first_project():
    """As in the other products of its family."""
    async with victoria([]) as fake:
        await fake.ask(tenant="12")

    assert fake.requests[0].headers["ProjectID"] == "0"


async def test_traces_that_end_after_the_window_are_found():
    """It finds a span by when it ended; what ended later than `reach` is not found."""
    slow = [Trip(f"{at + 1:032x}", END - 1, (), seconds) for at, seconds in enumerate((20.0, 90.0))]
    async with victoria(slow) as fake:
        told = await fake.ask()

    assert [trace.trace_id for trace in told.found] == [slow[0].trace_id]


async def test_a_service_is_found_without_flows():
    """By its own spans."""
    trips = [Trip("a" * 32, BEGIN + 1), Trip("b" * 32, BEGIN + 2, ())]
    async with victoria(trips) as fake:
        told = await fake.ask(Sought(("orders",)))

    assert [trace.trace_id for trace in told.found] == ["a" * 32]


@pytest.mark.parametrize("max_traces", [5, 30, 200, 201])
async def test_a_full_page_is_never_taken_for_whole(max_traces):
    """Its slice is halved until no page is full; each trace is there once."""
    trips = shop(200, BEGIN, 60, seed=2)
    async with victoria(trips) as fake:
        told = await fake.ask(max_traces=max_traces)

    assert [trace.trace_id for trace in told.found] == [trip.trace_id for trip in trips]
    assert told.doubt == ""


async def test_more_than_it_gives_is_refused_with_the_setting():
    """In its own words, and what to change."""
    async with victoria([], most=1000) as fake:
        with pytest.raises(SourceRefusedError, match=r"out of range .* max_traces is 5000, lower it"):
            await fake.ask(max_traces=5000)


async def test_traces_that_it_cannot_show_are_missed():
    """It tells how many it found; where their spans are away, others may be missing that nobody counted."""
    async with always('{"data":[],"errors":null,"limit":0,"offset":0,"total":3}') as fake:
        with pytest.raises(SourceDownError, match="3 traces were found and 0 are shown"):
            await fake.ask(Sought(("orders",)))


@pytest.mark.parametrize(
    ("now", "offset", "held"),
    [(END + 29, "30s", True), (END + 30, "30s", False), (END + 1, "0s", False), (END - 5, "0s", True)],
)
async def test_what_it_does_not_show_yet_is_doubt(now, offset, held):
    """Its own latencyOffset hides what has just come; few traces would be taken for all."""
    async with victoria(shop(5, BEGIN, 60, seed=1)) as fake:
        told = await fake.ask(now=now, latency_offset=offset)

    assert ("let them settle for longer" in told.doubt) is held
    assert (fake.requests == []) is held


@pytest.mark.parametrize(
    ("body", "status", "error", "said"),
    [
        ('{"data":[],"errors":null,"total":0}', 200, None, ""),
        ("missing _time column in the result", 400, SourceRefusedError, "HTTP 400: missing _time column"),
        ("cannot read from vtstorage", 502, SourceDownError, "HTTP 502: cannot read from vtstorage"),
        ("", 503, SourceDownError, "HTTP 503"),
        ("not here", 404, SourceDownError, "nothing a VictoriaTraces says: 404"),
        ('{"data":[{"spans":[{"traceID":"a"', 200, SourceDownError, "nothing a VictoriaTraces says"),
        ("<!DOCTYPE html><title>vmui</title>", 200, SourceDownError, "nothing a VictoriaTraces says"),
        ("[]", 200, SourceDownError, "nothing a VictoriaTraces says"),
    ],
)
async def test_only_an_answer_is_one(body, status, error, said):
    """Nothing found is; a page, half a body and what failed are none."""
    async with always(body, status) as fake:
        if error is None:
            assert list((await fake.ask(Sought(("orders",)))).found) == []
            return
        with pytest.raises(error, match=said):
            await fake.ask(Sought(("orders",)))


@pytest.mark.parametrize("body", ['{"data":[{"name":"a"}]}', "{}", PAGE := "<html></html>"])
async def test_names_that_are_none_are_no_answer(body):
    """Without them, flows might be missed."""
    async with always(body) as fake:
        with pytest.raises(SourceDownError, match="nothing a VictoriaTraces says"):
            await fake.ask()


async def test_a_slow_one_is_given_up_in_time():
    """After the time of one search."""

    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        await asyncio.sleep(10)
        return web.Response(text=PAGE)

    async with Victoria(handler) as fake:
        with pytest.raises(SourceDownError, match=r"no answer within 0.2 s"):
            await fake.ask(timeout=0.2)


async def test_hostile_names_stay_in_their_parameters():
    """A service's name is one step of the path, whatever is in it."""
    service, operation = 'a/../b?c#d&"\\', 'POST "}&start=0'
    async with always('{"data":[],"errors":null,"total":0}') as fake:
        await fake.ask(Sought(("orders",), (Operation(service, operation),)))

    assert fake.requests[0].path == f"/tempo/select/jaeger/api/services/{service}/operations"
    assert {one.query["service"] for one in fake.searches()} == {service}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"url": "victoria:10428"}, "write it like http://victoria-traces.observability:10428"),
        ({"tenant": "team-a"}, "match pattern"),
        ({"api": "v3"}, "Extra inputs"),
        ({"latency_offset": "soon"}, "no duration"),
        ({"max_traces": 1}, "greater than or equal to 2"),
    ],
)
def test_what_makes_no_sense_is_refused(written, said):
    """When the settings are read, with the remedy."""
    with pytest.raises(ValidationError, match=said):
        VictoriaTracesSettings.model_validate({"name": "shop", "url": "http://victoria:10428", **written})


async def test_a_source_is_opened_from_its_settings():
    """Credentials and limits are those of the Jaeger that it stands in for."""
    settings = VictoriaTracesSettings.model_validate(
        {
            "name": "shop",
            "url": "http://victoria.invalid:10428/",
            "bearer_token_file": "/run/token",
            "headers": {"X-A": "b"},
            "max_traces": 500,
            "reach": "2m",
        }
    )
    source = open_tracer(settings, Interest(frozenset(), frozenset()), lambda: 0.0)
    jaeger = settings.jaeger()

    assert isinstance(source, VictoriaTracesSource)
    assert (jaeger.url, jaeger.api) == ("http://victoria.invalid:10428/select/jaeger", "v1")
    assert (jaeger.name, jaeger.max_traces, jaeger.reach) == ("shop", 500, 120.0)
    assert (str(jaeger.bearer_token_file), jaeger.headers) == ("/run/token", {"X-A": "b"})
    await source.close()
