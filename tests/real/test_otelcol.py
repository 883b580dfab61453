"""
Spans through a real collector, set up as our documentation says, into our own intake.

The configuration is the page's own file; what it lets through is what is judged.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from firedamp.contracts.otlp import Most
from firedamp.tracing import Sought, Trace, Traces, otlp
from firedamp.tracing.joining import joined
from intakes import INTEREST, SOUGHT, Open, opened
from real.orders import Hop, Trip, resource_spans, send, shop
from real.otelcol import Collector, collector_or_skip

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

CONFIGURATION = Path(__file__).parents[2] / "docs" / "traces-collector.yaml"
SAMPLING = """
processors:
  probabilistic_sampler: {sampling_percentage: 50, mode: equalizing}
service:
  pipelines:
    traces/firedamp:
      processors: [probabilistic_sampler, filter/canary, batch]
"""


@pytest.fixture(scope="module")
def program() -> Path:
    return collector_or_skip()


@pytest.fixture
async def place() -> AsyncIterator[Open]:
    async with opened(clock=time.time) as found:
        yield found


def running(program: Path, place: Open, *more: Path) -> Collector:
    return Collector(program, [CONFIGURATION, *more], FIREDAMP_URL=place.url, FIREDAMP_TOKEN="fd_any")


async def told(
    place: Open, begin: float, enough: Callable[[Traces], bool], sought: Sought = SOUGHT
) -> Traces:
    """What came of a minute, as soon as it is enough; the collector sends in batches of a second."""
    found = Traces(())
    for _ in range(200):
        found = await place.intake.traces(sought, begin, begin + 60, 5.0)
        if enough(found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"after 10 s there are {len(found.found)} traces: {found.found[:1]}")


def everything(trips: list[Trip]) -> list[Trace]:
    """What joining all spans makes of them."""
    return joined(otlp.spans(json.dumps({"resourceSpans": resource_spans(trips)}).encode()), SOUGHT)


async def test_what_comes_out_of_the_collector_is_what_is_judged(program: Path, place: Open):
    """Roots, visits, calls that nobody answered, failures below: as if every span had been sent."""
    begin = _ago()
    broken = Hop("v2", pod=3, declined=True)
    silent = Hop("v2", after=0.2, answered=False)
    trips = [
        *shop(200, begin, 30, seed=21),
        *(replace(trip, hops=(broken, silent), code=404) for trip in shop(50, begin + 30, 20, seed=22)),
    ]
    async with running(program, place) as collector:
        await send(collector.intake, trips)
        found = await told(place, begin, lambda traces: _complete(traces, trips))

    assert list(found.found) == everything(trips)


async def test_the_collector_sends_no_more_than_is_asked_for(program: Path, place: Open):
    """What a payment did well stays with the backend."""
    begin = _ago()
    trips = shop(100, begin, 30, seed=23)
    async with running(program, place) as collector:
        await send(collector.intake, trips)
        await told(place, begin, lambda traces: _complete(traces, trips))

    # Root, the gateway's call and the visit; neither orders' call to payments nor what payments did.
    assert place.intake.figures().spans == 3 * len(trips)
    assert INTEREST.flows == {"gateway"}


async def test_a_sampler_in_the_collector_tells_its_probability(program: Path, place: Open, tmp_path: Path):
    """Weights of traces come from its threshold."""
    begin = _ago()
    sampling = tmp_path / "sampling.yaml"
    sampling.write_text(SAMPLING)
    async with running(program, place, sampling) as collector:
        await send(collector.intake, shop(400, begin, 30, seed=24))
        found = await told(place, begin, lambda traces: len(traces.found) > 100 and _visited(traces))

    assert {trace.probability for trace in found.found} == {0.5}
    assert 130 <= len(found.found) <= 270


async def test_a_collector_that_meets_a_full_intake_sends_again(program: Path):
    """429 costs time and no spans."""
    begin = _ago()
    trips = shop(1000, begin, 30, seed=25)
    async with opened(Most(held_bytes=100_000), clock=time.time) as place:
        before = _put_off()
        hog = asyncio.create_task(_hogging(place))
        async with running(program, place) as collector:
            await send(collector.intake, trips)
            while _put_off() == before:
                await asyncio.sleep(0.05)
            hog.cancel()
            found = await told(place, begin, lambda traces: _complete(traces, trips))

    assert len(found.found) == len(trips)


async def _hogging(place: Open) -> None:
    """Hold most of the room for bodies, again and again, until the time for a body is over."""
    head = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
    while True:
        await place.speak(head + b"Content-Length: 99000\r\n\r\n" + b"\0" * 95_000)


def _put_off() -> float:
    """How many requests were asked to come again."""
    labels = {"route": "/v1/traces", "method": "POST", "status": "429"}
    return REGISTRY.get_sample_value("firedamp_request_seconds_count", labels) or 0.0


def _complete(traces: Traces, trips: list[Trip]) -> bool:
    return len(traces.found) == len(trips) and _visited(traces)


def _visited(traces: Traces) -> bool:
    return all(trace.root and trace.visits and trace.calls for trace in traces.found)


def _ago() -> float:
    """Two minutes ago, on a whole second: microseconds are all that trips have."""
    return float(int(time.time()) - 120)
