"""A Tempo's traces, as whole as if they had come at once; and one that is slow, broken, cut or full."""

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest
from aiohttp import web
from msgspec import structs
from pydantic import ValidationError

from firedamp.errors import SourceDownError, SourceError, SourceRefusedError
from firedamp.queries import Operation
from firedamp.sources import TempoSettings, open_tracer
from firedamp.sources.tempo.source import TempoSource
from firedamp.tracing import Sought, Trace, Traces, joined, otlp
from firedamp.tracing.intake import Interest
from real.orders import Hop, Trip, resource_spans, shop
from tempos import Fake, Stored, apart, stored, tempo

BEGIN, END = 1_700_000_000.0, 1_700_000_060.0
FLOW = Operation("gateway", "POST /orders")
SOUGHT = Sought(("orders",), (FLOW,))
DECLINED = Hop(declined=True)


async def ask(
    fake: Fake, sought: Sought = SOUGHT, timeout_seconds: float = 20.0, **settings: object
) -> Traces:
    async with fake.source(**settings) as source:
        return await source.traces(sought, BEGIN, END, timeout_seconds)


def ids(told: Traces) -> list[str]:
    return [trace.trace_id for trace in told.found]


def whole(trips: list[Trip], sought: Sought = SOUGHT) -> list[Trace]:
    """The same traces from all their spans; TraceQL gives neither links nor sampling."""
    told = joined(otlp.spans(json.dumps({"resourceSpans": resource_spans(trips)}).encode()), sought)
    return [structs.replace(trace, links=(), probability=None) for trace in told]


def always(body: str, status: int = 200, **headers: str) -> Fake:
    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(text=body, status=status, headers=headers)

    return Fake(handler)


def trip(at: float, *hops: Hop, **more: object) -> Trip:
    return replace(Trip(f"{round(at * 1000):032x}", at, hops), **more)


# What is found.


@pytest.mark.parametrize(
    "hop",
    [
        Hop(),
        Hop(code=404, route=""),
        Hop(code=500, failed=True),
        Hop(answered=False),
        Hop(answered=False, cluster="outbound|80|v2|orders-canary.shop.svc.cluster.local"),
        Hop(lost=0.3),
        Hop(paid=False),
        DECLINED,
    ],
    ids=["healthy", "deleted", "failing", "silent", "silent in a mesh", "slow", "alone", "declined"],
)
async def test_traces_are_as_whole_as_if_all_their_spans_had_come(hop):
    """Root, visits, calls and failures below; nothing that is judged is lost by asking for less."""
    trips = shop(30, BEGIN, 60, seed=1, hop=hop)
    async with tempo(stored(trips)) as fake:
        told = await ask(fake)

    assert list(told.found) == whole(trips)
    assert (told.doubt, told.bytes_read > 0) == ("", True)


async def test_retries_are_told_in_their_order():
    """Silent first, then another pod; below the second something fails."""
    trips = [trip(BEGIN + 1, Hop("v2", answered=False), replace(DECLINED, after=0.5))]
    async with tempo(stored(trips)) as fake:
        (told,) = (await ask(fake)).found

    assert [told] == whole(trips)
    assert [call.answered for call in told.calls] == [False, True]


async def test_a_failure_is_put_below_the_visit_it_came_after():
    """What lies between them is not asked for; the first of two visits has nothing failing below."""
    trips = [trip(BEGIN + 1, Hop(), replace(DECLINED, after=0.5))]
    async with tempo(stored(trips)) as fake:
        (told,) = (await ask(fake)).found

    assert not told.failed_below
    assert [told] == whole(trips)


async def test_roots_are_found_by_their_route():
    """A gateway may write POST and tell the route in an attribute."""
    trips = [trip(BEGIN + at, Hop(), name="POST") for at in range(5)]
    other = trip(BEGIN + 9, Hop(), name="POST", route="/carts")
    async with tempo(stored([*trips, other])) as fake:
        told = await ask(fake)

    assert list(told.found) == whole(trips)


async def test_without_flows_all_is_found_that_met_the_service():
    """Its roots by the names that Tempo tells of them; those that only tried to call it as well."""
    trips = [
        trip(BEGIN + 1, Hop()),
        trip(BEGIN + 2, Hop(answered=False), name="POST /carts", route="/carts"),
        trip(BEGIN + 3, Hop(), name="cron"),
    ]
    elsewhere = trip(BEGIN + 4, name="GET /help")
    async with tempo(stored([*trips, elsewhere])) as fake:
        told = await ask(fake, Sought(("orders",)))

    assert list(told.found) == whole(trips, Sought(("orders",)))
    assert not any("GET /help" in query for query in fake.queries())


async def test_traces_begin_within_the_window():
    """Closed at its begin and open at its end, though Tempo finds all that overlap whole seconds."""
    times = (BEGIN - 0.001, BEGIN, END - 0.001, END)
    async with tempo(stored(trip(when, Hop()) for when in times)) as fake:
        told = await ask(fake)

    assert [trace.start for trace in told.found] == [BEGIN, END - 0.001]


async def test_the_service_may_be_entered_late():
    """Up to `reach` after the root began, and after the time asked for."""
    late = [trip(END - 1, Hop(after=20.0)), trip(END - 2, Hop(after=90.0))]
    async with tempo(apart(stored(late), "orders", "payments")) as fake:
        told = await ask(fake)

    assert [len(trace.visits) for trace in told.found] == [0, 1]


async def test_parts_of_a_trace_that_were_stored_apart_are_joined():
    """Tempo looks at each by itself; the one search that relates spans misses what failed in another."""
    trips = [trip(BEGIN + 1, DECLINED)]
    async with tempo(apart(stored(trips), "payments")) as near, tempo(apart(stored(trips), "orders")) as far:
        (close,) = (await ask(near)).found
        (split,) = (await ask(far)).found

    assert [close] == whole(trips)
    assert [split] == [structs.replace(one, failed_below=False) for one in whole(trips)]


async def test_visits_stored_apart_are_all_found():
    """Of sets of spans, Tempo keeps the largest of a trace, unless each span is a set of its own."""
    trips = [trip(BEGIN + 1, Hop("v2"), Hop("v1", after=0.5), Hop("v1", after=0.7))]
    pieces = [replace(one, piece=int(one.resource["service.version"] == "v2")) for one in stored(trips)]
    async with tempo(pieces) as fake:
        (told,) = (await ask(fake)).found

    assert [visit.resource["service.version"] for visit in told.visits] == ["v2", "v1", "v1"]


async def test_a_trace_that_somebody_outside_began_is_told_by_its_entry():
    """Its root never arrives, so the first entry into the flow's service stands for it."""
    trips = [trip(BEGIN + 1, Hop(), parent="d" * 16)]
    async with tempo(stored(trips)) as fake:
        told = await ask(fake)

    assert list(told.found) == whole(trips)
    assert told.found[0].root is not None


async def test_an_entry_is_no_root_where_tempo_knows_another():
    """The entry's parent was not asked for, and is another service's."""
    inner = [trip(BEGIN + 1, Hop(), parent="d" * 16)]
    outer = Stored(
        inner[0].trace_id, "d" * 16, "", "checkout", "server", round(BEGIN + 1) * 10**9, 10**9, False,
        {"service.name": "mobile"}, {},
    )  # fmt: skip
    async with tempo([*stored(inner), outer]) as fake:
        flows = await ask(fake)
        own = await ask(fake, Sought(("gateway",), (FLOW,)))

    assert (ids(flows), ids(own)) == ([], [])


async def test_a_piece_without_root_does_not_hide_the_root():
    """Tempo says of it that the root was not yet received, and of the other who it is."""
    trips = [trip(BEGIN + 1, Hop())]
    async with tempo(apart(stored(trips), "orders", "payments")) as fake:
        told = await ask(fake)

    assert list(told.found) == whole(trips)


async def test_hostile_names_find_what_has_them():
    """Quotes, backslashes and braces are part of the name, on the server too."""
    name = 'POST /"} || { true } | select(".\\'
    spans = [
        replace(one, name=name, resource={**one.resource, "service.name": 'a"b\\'})
        for one in stored([trip(BEGIN + 1)])
    ]
    async with tempo(spans) as fake:
        told = await ask(fake, Sought(("orders",), (Operation('a"b\\', name),)))

    assert len(told.found) == 1


# What is asked.


async def test_searches_are_sent_as_documented():
    """With whole seconds, the most traces asked for, and as many spans as Tempo allows."""
    async with tempo([]) as fake:
        await ask(fake, tenant="team-a")

    sent = next(one for one in fake.requests if "nestedSetParent" in one.query["q"])
    assert sent.path == "/tempo/api/search"
    assert {name: sent.query[name] for name in ("limit", "spss", "start", "end")} == {
        "limit": "10000",
        "spss": "100",
        "start": "1700000000",
        "end": "1700000002",
    }
    assert {one.headers["X-Scope-OrgID"] for one in fake.requests} == {"team-a"}
    assert len(fake.queries()) == 2 + 2 + 4 + 1


async def test_calls_need_not_be_asked_for():
    """Each attribute of a caller is a search."""
    async with tempo([]) as fake:
        await ask(fake, peers=[])

    assert not any("kind = client" in query for query in fake.queries())


async def test_more_attributes_may_tell_cohorts_apart():
    """A label of the pod that only this shop has."""
    spans = [
        replace(one, resource={**one.resource, "k8s.pod.label.track": "blue"})
        for one in stored([trip(BEGIN + 1, Hop())])
    ]
    async with tempo(spans) as fake:
        (told,) = (await ask(fake, attributes=["k8s.pod.label.track"])).found

    assert told.visits[0].resource["k8s.pod.label.track"] == "blue"


async def test_what_was_learnt_of_slices_is_kept_for_the_next_look():
    """A second look at the same traffic fills its pages at once and none too much."""
    async with tempo(stored(shop(600, BEGIN, 60, seed=4))) as fake, fake.source(max_traces=100) as source:
        await source.traces(SOUGHT, BEGIN, END, 20.0)
        first = len(fake.requests)
        await source.traces(SOUGHT, BEGIN, END, 20.0)

    assert len(fake.requests) - first < first / 2


# Full pages.


@pytest.mark.parametrize("max_traces", [12, 50, 200, 201])
async def test_a_full_page_is_never_taken_for_whole(max_traces):
    """Its slice is halved until no page is full; each trace is there once."""
    trips = shop(200, BEGIN, 60, seed=2)
    async with tempo(stored(trips)) as fake:
        told = await ask(fake, max_traces=max_traces)

    assert list(told.found) == whole(trips)
    assert told.doubt == ""
    assert all(int(one.query["end"]) > int(one.query["start"]) for one in fake.requests)


async def test_a_page_that_stays_full_is_doubt():
    """Ten traces at one moment and a page of five: nobody can know the rest."""
    trips = [replace(trip(BEGIN + 1.01, Hop()), trace_id=f"{at + 1:032x}") for at in range(10)]
    async with tempo(stored(trips)) as fake:
        told = await ask(fake, max_traces=5)

    assert "a search of less than 2 s brought 5 traces" in told.doubt
    assert "raise max_traces" in told.doubt


async def test_an_answer_that_is_too_large_is_asked_in_pieces():
    """The limit is on one answer; the traces of a window may be more."""
    trips = shop(100, BEGIN, 60, seed=3)
    async with tempo(stored(trips)) as fake:
        told = await ask(fake, max_response_bytes=40_000)

    assert list(told.found) == whole(trips)


async def test_a_second_that_is_too_large_is_refused():
    """With the limit and the remedy."""
    trips = shop(50, BEGIN + 1, 0.5, seed=3)
    async with tempo(stored(trips)) as fake:
        with pytest.raises(SourceRefusedError, match="more than 10000 bytes; raise max_response_bytes"):
            await ask(fake, max_response_bytes=10_000)


async def test_entries_that_are_not_told_are_doubt():
    """The first of them may be missing, which is the one that gives the cohort."""
    span = {"spanID": "b", "attributes": [{"key": "kind", "value": {"stringValue": "server"}}]}
    crowded = [{"traceID": "a", "spanSets": [{"spans": [span], "matched": 120}]}]
    async with always(json.dumps({"traces": crowded, "metrics": {}})) as fake:
        told = await ask(fake)

    assert "have more entries into the service than Tempo tells of" in told.doubt


# Trouble.


@pytest.mark.parametrize("body", ['{"traces":[],"metrics":{"inspectedBytes":"1"}}', '{"metrics":{}}'])
async def test_nothing_found_is_an_answer(body):
    """Protobuf as JSON leaves out what is empty."""
    async with always(body) as fake:
        told = await ask(fake)

    assert (list(told.found), told.doubt) == ([], "")


@pytest.mark.parametrize(
    ("body", "status", "error", "said"),
    [
        ("invalid TraceQL query: parse error", 400, SourceRefusedError, "HTTP 400: invalid TraceQL query"),
        ("no org id", 401, SourceRefusedError, "HTTP 401: no org id"),
        ("404 page not found", 404, SourceRefusedError, "set url to Tempo's address, its http_api_prefix"),
        ("<html>Sign in</html>", 403, SourceRefusedError, "HTTP 403: Forbidden"),
        ("too many outstanding requests", 429, SourceDownError, "HTTP 429: too many outstanding requests"),
        ("context deadline exceeded", 500, SourceDownError, "HTTP 500: context deadline exceeded"),
        ("", 502, SourceDownError, "HTTP 502: Bad Gateway"),
        ("", 503, SourceDownError, "HTTP 503"),
        ("", 302, SourceRefusedError, "HTTP 302 is no answer; set url"),
        ("", 204, SourceRefusedError, "HTTP 204 is no answer; 200 is expected"),
    ],
)
async def test_failures_say_whether_asking_again_helps(body, status, error, said):
    """In the server's own words, where it has any."""
    async with always(body, status) as fake:
        with pytest.raises(error, match=said):
            await ask(fake)


@pytest.mark.parametrize(
    "body",
    [
        '{"traces":[{"traceID":"ab","spanSe',
        '{"traces":[{"traceID":"no id"}],"metrics":{}}',
        '{"traces":[{"traceID":"a","spanSets":[{"spans":[{"spanID":"b","durationNanos":"x"}]}]}]}',
        '{"status":"success","data":{}}',
        "{}",
        "[]",
        "null",
        "<!DOCTYPE html><title>Grafana</title>",
        "",
        "[" * 100_000,
    ],
)
async def test_half_an_answer_is_none(body):
    """What cannot be read is not taken for few traces."""
    async with always(body) as fake:
        with pytest.raises(SourceDownError, match="nothing a Tempo says"):
            await ask(fake)


async def test_one_search_that_fails_ends_the_look():
    """Roots without entries would be flows that nobody can attribute."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if "kind = consumer" in request.query["q"]:
            return web.Response(text="overloaded", status=500)
        return web.json_response({"traces": [], "metrics": {}})

    async with Fake(handler) as fake:
        with pytest.raises(SourceDownError, match="HTTP 500: overloaded"):
            await ask(fake)


async def test_a_connection_that_breaks_off_is_no_answer():
    """Half a body is none."""

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b'{"traces":[')
        assert request.transport is not None
        request.transport.close()
        return answer

    async with Fake(handler) as fake:
        with pytest.raises(SourceDownError, match="cannot be reached"):
            await ask(fake)


async def test_nobody_there_is_said_so():
    """A port that nobody listens on."""
    async with tempo([]) as fake:
        source = fake.source()
    async with source:
        with pytest.raises(SourceDownError, match="cannot be reached: connection refused"):
            await source.traces(SOUGHT, BEGIN, END, 5.0)


@pytest.mark.parametrize(("timeout", "left", "said"), [(0.2, 5.0, "0.2 s"), (5.0, 0.3, "0.3 s")])
async def test_a_slow_tempo_is_given_up_in_time(timeout, left, said):
    """After the time of one search, or what is left of the look's."""

    async def handler(request: web.Request) -> web.StreamResponse:
        del request
        await asyncio.sleep(10)
        return web.Response(text="{}")

    async with Fake(handler) as fake:
        begun = perf_counter()
        with pytest.raises(SourceDownError, match=f"no answer within {said}"):
            await ask(fake, timeout=timeout, timeout_seconds=left)

    assert perf_counter() - begun < 2


async def test_no_secret_is_repeated(tmp_path: Path):
    """Neither in errors nor in what a server echoes."""
    token = tmp_path / "token"
    token.write_text("hunter2hunter2")
    async with always("bad token hunter2hunter2", 403) as fake:
        with pytest.raises(SourceError) as raised:
            await ask(fake, bearer_token_file=str(token))

    assert "hunter2" not in str(raised.value)


async def test_many_traces_are_joined_beside_the_event_loop():
    """Other looks keep their deadlines meanwhile."""
    threads = set()

    class Watched(tuple[str, ...]):
        def __contains__(self, name: object) -> bool:
            threads.add(threading.get_ident())
            return super().__contains__(name)

    async with tempo(stored(shop(200, BEGIN, 60, seed=8))) as fake:
        await ask(fake, Sought(Watched(("orders",)), (FLOW,)))

    assert threads
    assert threading.get_ident() not in threads


# Settings.


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"url": "tempo:3200"}, "write it like http://tempo-query-frontend.observability:3200"),
        ({"max_traces": 1}, "greater than or equal to 2"),
        ({"attributes": ['a" || true']}, "match pattern"),
        ({"peers": ["server address"]}, "match pattern"),
        ({"token": "secret"}, "Extra inputs"),
        ({"reach": "soon"}, "no duration"),
    ],
)
def test_what_makes_no_sense_is_refused(written, said):
    """When the settings are read, with the remedy."""
    with pytest.raises(ValidationError, match=said):
        TempoSettings.model_validate({"name": "shop", "url": "http://tempo:3200", **written})


async def test_a_source_is_opened_from_its_settings():
    """Nothing is asked yet."""
    settings = TempoSettings(name="shop", url="http://tempo.invalid:3200/tempo/")
    source = open_tracer(settings, Interest(frozenset(), frozenset()), lambda: 0.0)

    assert isinstance(source, TempoSource)
    assert source.settings.url == "http://tempo.invalid:3200/tempo"
    await source.close()
