"""
What a service's own metrics cannot show, through a real collector into our own intake.

Spans are sent minute by minute, as the service's clock moves on; the collector is set up as our documentation
says, so that what is judged is what it lets through.
"""

import asyncio
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from firedamp.model import Outcome, Verdict
from firedamp.queries import Operation
from firedamp.tracing import Sought
from real import serving
from real.flowcases import CASES, RELEASED, Case, ask, finding, settings
from real.history import past
from real.orders import Trip, send
from real.otelcol import Collector, collector_or_skip
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

CONFIGURATION = Path(__file__).parents[2] / "docs" / "traces-collector.yaml"
SOUGHT = Sought(("orders",), (Operation("gateway", "POST /orders"),))
INTAKE = {"name": "own", "kind": "otlp"}


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with RealPrometheus(past([case.story for case in CASES.values()], RELEASED)) as server:
        yield server.url


@pytest.fixture(scope="module")
def program() -> Path:
    return collector_or_skip()


def collecting(program: Path, url: str) -> Collector:
    return Collector(program, [CONFIGURATION], FIREDAMP_URL=url, FIREDAMP_TOKEN="fd_any")


async def released(case: Case, program: Path, prometheus: str, folder: Path, until: float) -> Verdict:
    """The first answer, asked for every minute for so many seconds."""
    trips = case.trips(RELEASED, until)
    async with (
        serving.running(settings(case, prometheus, INTAKE), folder, RELEASED) as shop,
        collecting(program, shop.url) as collector,
    ):
        verdict = await shop.judge.answer(ask(case), shop.now)
        while verdict.outcome is Outcome.INCONCLUSIVE and shop.now < RELEASED + until:
            shop.now += 60
            minute = list(takewhile(lambda trip: trip.at < shop.now, trips))
            await send(collector.intake, minute)
            await arrived(shop, minute[-1])
            verdict = await shop.judge.answer(ask(case), shop.now)
    print(case.story.service, shop.now - RELEASED, verdict.sentence)
    return verdict


async def arrived(shop: serving.Running, trip: Trip) -> None:
    """The collector sends in batches of a second."""
    for _ in range(200):
        if (await shop.intake.traces(SOUGHT, trip.at - 0.001, trip.at + 0.001, 5.0)).found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{trip} is not there after 10 s")


@pytest.mark.parametrize("name", ["deleted", "unreadable", "silent", "lost"])
async def test_what_breaks_end_to_end_is_stopped(name, program, prometheus, tmp_path):
    """By the flow check of the right name, with traces that were sent."""
    case = CASES[name]

    verdict = await released(case, program, prometheus, tmp_path, 1800)

    found = finding(verdict, case.check)
    assert (verdict.outcome, found.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert set(found.traces) <= {trip.trace_id for trip in case.trips(RELEASED, 1800)}
    assert found.traces


async def test_a_release_that_is_well_end_to_end_passes(program, prometheus, tmp_path):
    """Flows and metrics alike."""
    verdict = await released(CASES["healthy"], program, prometheus, tmp_path, 3720)

    assert verdict.outcome is Outcome.PASS
