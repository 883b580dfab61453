"""
What a service's own metrics cannot show, on a real Jaeger beside a real Prometheus.

The past of both is made up and the service's clock moved from question to question, as for the five cases.
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from firedamp.model import Outcome, Verdict
from real import serving
from real.flowcases import CASES, LINK, Case, ask, finding, settings
from real.history import past
from real.jaeger import Jaeger, jaeger_or_skip
from real.orders import send
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
SETTLE = 60.0


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with RealPrometheus(past([case.story for case in CASES.values()], RELEASED)) as server:
        yield server.url


@pytest.fixture(scope="module")
def program() -> Path:
    return jaeger_or_skip()


async def released(case: Case, program: Path, prometheus: str, folder: Path, until: float) -> Verdict:
    """The first answer, asked for every half minute for so many seconds; its traces are in the backend."""
    trips = list(case.trips(RELEASED - SETTLE, until + SETTLE))
    async with Jaeger(program) as jaeger:
        await send(jaeger.intake, trips)
        await stored(jaeger, trips[-1].trace_id)
        traces = {"name": "jaeger", "kind": "jaeger", "url": jaeger.url}
        async with serving.running(settings(case, prometheus, traces), folder, RELEASED) as shop:
            verdict = await answered(shop, case, until)
        for trace in [trace for one in verdict.findings for trace in one.traces]:
            assert await is_known(jaeger, trace)
    return verdict


async def answered(shop: serving.Running, case: Case, until: float) -> Verdict:
    while (verdict := await shop.judge.answer(ask(case), shop.now)).outcome is Outcome.INCONCLUSIVE:
        if shop.now >= RELEASED + until:
            break
        shop.now += 30
    print(case.story.service, shop.now - RELEASED, verdict.sentence)
    return verdict


async def stored(jaeger: Jaeger, trace: str) -> None:
    """Jaeger stores what it took in turns."""
    for _ in range(200):
        if await is_known(jaeger, trace):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{trace} is not there after 10 s")


async def is_known(jaeger: Jaeger, trace: str) -> bool:
    """Whether the backend shows a trace of this id."""
    return await asyncio.to_thread(_is_known, f"{jaeger.url}/api/v3/traces/{trace}")


def _is_known(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(json.load(answer)["result"]["resourceSpans"])
    except urllib.error.HTTPError:
        return False


@pytest.mark.parametrize("name", ["deleted", "unreadable", "silent", "lost"])
async def test_what_breaks_end_to_end_is_stopped(name, program, prometheus, tmp_path):
    """By the flow check of the right name, with traces that the backend knows; no metric shows it."""
    case = CASES[name]

    verdict = await released(case, program, prometheus, tmp_path, 1800)

    found = finding(verdict, case.check)
    assert (verdict.outcome, found.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert LINK.format(trace_id=found.traces[0]) in found.sentence
    assert failing(verdict, "proportion", "distribution") == []


def failing(verdict: Verdict, *kinds: str) -> list[str]:
    return [one.check for one in verdict.findings if one.kind in kinds and one.outcome is Outcome.FAIL]


async def test_a_release_that_is_well_end_to_end_passes(program, prometheus, tmp_path):
    """Flows and metrics alike."""
    verdict = await released(CASES["healthy"], program, prometheus, tmp_path, 3690)

    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize("name", ["deleted", "unreadable"])
async def test_the_services_own_checks_alone_would_have_passed(name, prometheus, tmp_path):
    """The same release, without its traces."""
    case = CASES[name]

    async with serving.running(settings(case, prometheus), tmp_path, RELEASED) as shop:
        verdict = await answered(shop, case, 3690)

    assert verdict.outcome is Outcome.PASS
