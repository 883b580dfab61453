"""Our source against a real Jaeger, in both of its languages."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from firedamp.errors import SourceDownError, SourceRefusedError
from firedamp.queries import Operation
from firedamp.sources.jaeger import JaegerSettings
from firedamp.sources.jaeger.source import JaegerSource
from firedamp.tracing import Sought, Trace, Traces
from real.jaeger import Jaeger, jaeger_or_skip
from real.orders import Hop, Trip, send, shop

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

#: Windows of an hour each, so that tests can share one Jaeger and meet only their own traces.
HOUR = float(int(time.time()) // 3600 * 3600 - 100 * 3600)
SOUGHT = Sought(("orders",), (Operation("gateway", "POST /orders"),))
KEEPS = 20_000


@pytest.fixture(scope="module")
def program() -> Path:
    return jaeger_or_skip()


@pytest.fixture(scope="module")
def jaeger(program: Path) -> Iterator[Jaeger]:
    with Jaeger(program, keeps=KEEPS) as running:
        yield running


@pytest.fixture(params=["v3", "v1"])
async def source(jaeger: Jaeger, request: pytest.FixtureRequest) -> AsyncIterator[JaegerSource]:
    async with opened(jaeger, api=request.param) as source:
        yield source


def opened(jaeger: Jaeger, **settings: object) -> JaegerSource:
    return JaegerSource(JaegerSettings.model_validate({"name": "shop", "url": jaeger.url, **settings}))


async def told(source: JaegerSource, begin: float, sought: Sought = SOUGHT, *, least: int = 1) -> Traces:
    """
    What is found of a minute, as soon as so many traces are there and no more comes of them.

    Jaeger stores what it took in turns.
    """
    before: Traces | None = None
    for _ in range(100):
        found = await source.traces(sought, begin, begin + 60, 20.0)
        if len(found.found) >= least and before is not None and found.found == before.found:
            return found
        before = found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(found.found)} traces after 10 s, expected {least}")


def without(trace: Trace) -> Trace:
    """Microseconds are all that v1 has, so times may differ in their last digit."""
    visits = tuple(
        structs.replace(visit, start=round(visit.start, 5), resource=dict(visit.resource))
        for visit in trace.visits
    )
    calls = tuple(structs.replace(call, start=round(call.start, 5)) for call in trace.calls)
    return structs.replace(trace, start=round(trace.start, 5), visits=visits, calls=calls)


async def test_every_trace_is_found_with_all_that_is_judged(jaeger: Jaeger, source: JaegerSource):
    """Root, code, first pod, unanswered calls, failures below, links and sampling."""
    begin = HOUR + (60 if source.settings.api == "v1" else 0)
    hops = (Hop("v2", pod=3, declined=True), Hop("v1", after=0.2, answered=False))
    link = "5" * 32
    # Both languages ask the same Jaeger: one id for both would make one trace of two, its spans in any order.
    trace_id = f"{source.settings.api[1]:0>24}ab12cd34"
    trip = Trip(trace_id, begin + 1, hops, 0.4, 404, state="ot=th:c", links=(link,))
    await send(jaeger.intake, [trip])

    trace = (await told(source, begin)).found[0]

    assert trace.root is not None
    assert (trace.trace_id, trace.start) == (trip.trace_id, begin + 1)
    assert (trace.root.operation, trace.root.code, trace.root.seconds) == ("POST /orders", "404", 0.4)
    assert trace.visits[0].resource["k8s.pod.name"] == "orders-v2-3"
    assert [(call.answered, call.address) for call in trace.calls] == [
        (True, "10.0.2.3"),
        (False, "10.0.1.1"),
    ]
    assert (trace.failed_below, trace.links, trace.probability) == (True, (link,), 0.25)


async def test_both_languages_say_the_same(jaeger: Jaeger):
    """What is judged does not depend on Jaeger's age."""
    begin, sought = HOUR + 3600, Sought(("orders",))
    trips = [replace(trip, code=503, failed=True) for trip in shop(100, begin, 60, seed=11)]
    await send(jaeger.intake, trips)

    async with opened(jaeger, api="v3") as new, opened(jaeger, api="v1") as old:
        for what in (SOUGHT, sought):
            said = await told(new, begin, what, least=100)
            before = await told(old, begin, what, least=100)

            assert [without(trace) for trace in said.found] == [without(trace) for trace in before.found]


async def test_the_language_is_found(jaeger: Jaeger, source: JaegerSource):
    """A Jaeger of today is asked in v3; the same traces have other sizes in v1."""
    begin = HOUR + 2 * 3600
    await send(jaeger.intake, shop(10, begin, 60, seed=12))
    await told(source, begin, least=10)

    # One search at a time: the race of two decides where slices meet, and a trace there is read twice.
    lone = {"max_concurrent": 1}
    async with opened(jaeger, **lone) as auto, opened(jaeger, **lone, api=source.settings.api) as chosen:
        found = await auto.traces(SOUGHT, begin, begin + 60, 10.0)
        known = await chosen.traces(SOUGHT, begin, begin + 60, 10.0)

    assert (found.bytes_read == known.bytes_read) is (source.settings.api == "v3")


@pytest.mark.parametrize("max_traces", [7, 50, 999, 1000, 1001])
async def test_a_full_page_is_never_taken_for_whole(jaeger: Jaeger, source: JaegerSource, max_traces: int):
    """Jaeger cuts at the number asked for and says nothing; every trace is found, once."""
    begin = HOUR + 3 * 3600
    trips = shop(1000, begin, 60, seed=13)
    await send(jaeger.intake, trips)
    await told(source, begin, least=1000)

    async with opened(jaeger, api=source.settings.api, max_traces=max_traces) as narrow:
        found = await narrow.traces(SOUGHT, begin, begin + 60, 60.0)

    assert [trace.trace_id for trace in found.found] == [trip.trace_id for trip in trips]
    assert found.doubt == ""


async def test_windows_that_follow_one_another_have_each_trace_once(jaeger: Jaeger, source: JaegerSource):
    """Also those that begin where one window ends and the next begins."""
    begin = HOUR + 4 * 3600
    trips = shop(120, begin, 60, seed=14)  # two a second, on whole and half seconds
    await send(jaeger.intake, trips)
    await told(source, begin, least=120)

    windows = [
        await source.traces(SOUGHT, begin + at, begin + at + 10, 10.0) for at in (0, 10, 20, 30, 40, 50)
    ]

    found = [trace.trace_id for window in windows for trace in window.found]
    assert found == [trip.trace_id for trip in trips]


async def test_a_burst_at_one_moment_is_doubt(jaeger: Jaeger, source: JaegerSource):
    """No slice of time can part it."""
    begin = HOUR + 5 * 3600
    await send(jaeger.intake, [Trip(f"{at + 1:08x}" + "d" * 24, begin + 1.01) for at in range(20)])
    await told(source, begin, least=20)

    async with opened(jaeger, api=source.settings.api, max_traces=10) as narrow:
        found = await narrow.traces(SOUGHT, begin, begin + 60, 20.0)

    assert len(found.found) == 10
    assert "10 traces, as many as it may" in found.doubt


async def test_late_spans_make_a_trace_whole(jaeger: Jaeger, source: JaegerSource):
    """First its gateway's spans are there, then, delivered twice, the others'."""
    begin = HOUR + (6 if source.settings.api == "v3" else 7) * 3600
    trip = Trip("9" * 31 + source.settings.api[1], begin + 1, (Hop("v2"),))
    await send(jaeger.intake, [trip], ["gateway"])
    early = await told(source, begin)
    for _ in range(2):
        await send(jaeger.intake, [trip], ["orders", "payments"])

    async def whole() -> Trace:
        while not (late := await told(source, begin)).found[0].visits:
            await asyncio.sleep(0.05)
        assert len(late.found) == 1
        return late.found[0]

    assert (early.found[0].visits, [call.answered for call in early.found[0].calls]) == ((), [False])
    assert len((await asyncio.wait_for(whole(), 10)).visits) == 1


async def test_a_late_root_is_found_when_it_comes(jaeger: Jaeger, source: JaegerSource):
    """Until then its trace is of no flow, and seen only where none is named."""
    begin = HOUR + (8 if source.settings.api == "v3" else 9) * 3600
    trip = Trip("8" * 31 + source.settings.api[1], begin + 1)
    await send(jaeger.intake, [trip], ["orders"])
    rootless = await told(source, begin, Sought(("orders",)))
    unknown = await source.traces(SOUGHT, begin, begin + 60, 10.0)
    await send(jaeger.intake, [trip], ["gateway"])

    whole = await told(source, begin)

    assert (rootless.found[0].root, unknown.found) == (None, [])
    assert whole.found[0].root is not None
    assert len(whole.found[0].visits) == 1


async def test_roots_named_by_an_attribute_are_found(jaeger: Jaeger, source: JaegerSource):
    """Jaeger searches names of spans; a flow may be method and route of a root that is named otherwise."""
    begin = HOUR + 10 * 3600
    named = [replace(trip, name="ingress", route="/carts/{id}") for trip in shop(20, begin, 60, seed=15)]
    await send(jaeger.intake, [*named, *shop(30, begin, 60, seed=16)])
    await told(source, begin, least=30)

    carts = await told(source, begin, Sought(("orders",), (Operation("gateway", "POST /carts/{id}"),)))
    by_name = await told(source, begin, Sought(("orders",), (Operation("gateway", "ingress"),)))

    ids = [trip.trace_id for trip in named]
    assert [trace.trace_id for trace in carts.found] == ids
    assert [trace.trace_id for trace in by_name.found] == ids


async def test_a_trace_from_outside_is_known_by_the_gateway(jaeger: Jaeger, source: JaegerSource):
    """A browser's span never comes here; the gateway's stands for the root."""
    begin = HOUR + 11 * 3600
    await send(jaeger.intake, [Trip("7" * 32, begin + 1, parent="c" * 16)])

    trace = (await told(source, begin)).found[0]

    assert trace.root is not None
    assert trace.root.operation == "POST /orders"


@pytest.mark.parametrize(
    "sought",
    [
        SOUGHT,
        Sought(("orders",)),
        Sought(("nobody",)),
        Sought(("orders",), (Operation("nobody", "POST /orders"),)),
        Sought(("orders",), (Operation("gateway", "GET /nothing"),)),
    ],
)
async def test_nothing_found_is_an_answer(source: JaegerSource, sought: Sought):
    """404 in v3; nobody's name is no error either."""
    found = await source.traces(sought, HOUR + 12 * 3600, HOUR + 13 * 3600, 10.0)

    assert (found.found, found.doubt) == ([], "")


async def test_more_than_the_store_allows_is_refused(jaeger: Jaeger, source: JaegerSource):
    """Jaeger calls it an internal error; the setting is named."""
    async with opened(jaeger, api=source.settings.api, max_traces=KEEPS + 1) as greedy:
        with pytest.raises(SourceRefusedError, match=f"max_traces is {KEEPS + 1}, lower it"):
            await greedy.traces(SOUGHT, HOUR, HOUR + 60, 10.0)


async def test_an_address_below_the_query_service_is_refused(jaeger: Jaeger):
    """Jaeger answers any path with its page."""
    async with JaegerSource(JaegerSettings(name="shop", url=f"{jaeger.url}/search")) as lost:
        with pytest.raises(SourceRefusedError, match="set url to Jaeger's query service"):
            await lost.traces(SOUGHT, HOUR, HOUR + 60, 10.0)


async def test_a_jaeger_that_goes_away_is_down(program: Path):
    """Between two looks; asking again may help."""
    async with Jaeger(program) as running, opened(running) as source:
        await source.traces(SOUGHT, HOUR, HOUR + 60, 10.0)
        await asyncio.to_thread(running.stop)

        with pytest.raises(SourceDownError, match="cannot be reached"):
            await source.traces(SOUGHT, HOUR, HOUR + 60, 10.0)
