"""
What a service's own metrics cannot show, on a real Jaeger beside a real Prometheus.

The past of both is made up and the service's clock moved from question to question, as for the five cases.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from firedamp.model import Ask, Controller, Finding, Outcome, Question, Verdict
from real import serving
from real.flowcases import CASES, Case
from real.history import past
from real.jaeger import Jaeger, jaeger_or_skip
from real.orders import send
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]

RELEASED = float(int(time.time() // 7200) * 7200 - 4 * 7200)
SETTLE = 60.0
LINK = "https://jaeger.example/trace/{trace_id}"
LATENCY = "http_request_duration_seconds"
FLOW = {"name": "place-order", "root": {"service": "gateway", "operation": "POST /orders"}}


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with RealPrometheus(past([case.story for case in CASES.values()], RELEASED)) as server:
        yield server.url


@pytest.fixture(scope="module")
def program() -> Path:
    return jaeger_or_skip()


@dataclass
class Released:
    """A release as it went: its last verdict, when it was given, and where its traces are."""

    verdict: Verdict
    after: float
    jaeger: str

    def finding(self, check: str) -> Finding:
        return next(one for one in self.verdict.findings if one.check == check)

    @property
    def own(self) -> list[Finding]:
        """What the service's own metrics say."""
        return [one for one in self.verdict.findings if one.kind in ("proportion", "distribution")]


async def released(case: Case, program: Path, prometheus: str, folder: Path, until: float) -> Released:
    """Ask every half minute until there is an answer, for so many seconds at most."""
    trips = list(case.trips(RELEASED - SETTLE, until + SETTLE))
    async with Jaeger(program) as jaeger:
        await send(jaeger.intake, trips)
        await stored(jaeger, trips[-1].trace_id)
        async with serving.running(settings(case, prometheus, jaeger), folder, RELEASED) as shop:
            verdict = await shop.judge.answer(ask(case), shop.now)
            while verdict.outcome is Outcome.INCONCLUSIVE and shop.now < RELEASED + until:
                shop.now += 30
                verdict = await shop.judge.answer(ask(case), shop.now)
            found = Released(verdict, shop.now - RELEASED, jaeger.url)
        for trace in [trace for one in verdict.findings for trace in one.traces]:
            assert await is_known(jaeger, trace)
    return found


def settings(case: Case, prometheus: str, jaeger: Jaeger | None = None) -> dict:
    """With flows where there is a Jaeger."""
    name = case.story.service
    latency = {"name": "latency", "kind": "distribution", "histogram": f'{LATENCY}{{service="{name}"}}'}
    sources = [{"name": "prometheus", "kind": "prometheus", "url": prometheus}]
    if jaeger is None:
        return {"sources": sources, "services": [serving.service(name, latency)]}
    flows = {"services": ["orders"], "flows": [FLOW], "settle": "60s", "link": LINK}
    return {
        "sources": [*sources, {"name": "jaeger", "kind": "jaeger", "url": jaeger.url}],
        "services": [serving.service(name, latency, traces=flows)],
    }


def ask(case: Case) -> Ask:
    arms = {"canary": "canary", "main": "stable"}
    name = case.story.service
    return Ask("shop", name, Question.PROMOTE, Controller.ARGO, revision="canary", arms=arms)


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
    """By the flow check of the right name, with traces that the backend knows."""
    case = CASES[name]

    found = await released(case, program, prometheus, tmp_path, 1800)

    print(name, found.after, found.verdict.sentence)
    assert found.verdict.outcome is Outcome.FAIL
    assert found.finding(case.check).outcome is Outcome.FAIL
    assert LINK.format(trace_id=found.finding(case.check).traces[0]) in found.finding(case.check).sentence
    assert not [one.check for one in found.own if one.outcome is Outcome.FAIL]


async def test_a_release_that_is_well_end_to_end_passes(program, prometheus, tmp_path):
    """Flows and metrics alike."""
    found = await released(CASES["healthy"], program, prometheus, tmp_path, 3690)

    print(found.after, found.verdict.sentence)
    assert found.verdict.outcome is Outcome.PASS


@pytest.mark.parametrize("name", ["deleted", "unreadable"])
async def test_the_services_own_checks_alone_would_have_passed(name, prometheus, tmp_path):
    """The same release, without its traces."""
    case = CASES[name]
    async with serving.running(settings(case, prometheus), tmp_path, RELEASED) as shop:
        while (verdict := await shop.judge.answer(ask(case), shop.now)).outcome is Outcome.INCONCLUSIVE:
            shop.now += 30
            assert shop.now < RELEASED + 3600

    assert verdict.outcome is Outcome.PASS
