"""
What a service's own metrics cannot show, on a real Jaeger beside a real Prometheus.

The past of both is made up and the service's clock moved from question to question, as for the five cases.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firedamp.model import Outcome, Verdict
from real import serving
from real.flowcases import BILL, CASES, FLOW, LINK, RELEASED, finding, settings
from real.flowjaeger import answered, released
from real.history import past
from real.jaeger import jaeger_or_skip
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with RealPrometheus(past([case.story for case in CASES.values()], RELEASED)) as server:
        yield server.url


@pytest.fixture(scope="module")
def program() -> Path:
    return jaeger_or_skip()


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


async def test_messages_that_nobody_can_read_are_stopped(program, prometheus, tmp_path):
    """Whoever reads them begins a trace of its own, which is linked to that of the version that wrote."""
    case = CASES["poisoning"]

    verdict = await released(case, program, prometheus, tmp_path, 1800, flows=[FLOW, BILL])

    found = finding(verdict, case.check)
    assert (verdict.outcome, found.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert LINK.format(trace_id=found.traces[0]) in found.sentence
    assert finding(verdict, "place-order.availability").outcome is not Outcome.FAIL


async def test_flows_beside_the_canary_that_break_are_warned_of(program, prometheus, tmp_path):
    """It spoils what the old version reads: its own flows are well, and before the release so were all."""
    case = CASES["spoiling"]

    verdict = await released(case, program, prometheus, tmp_path, 900, before=3700.0)

    found = finding(verdict, case.check)
    assert (verdict.outcome, found.outcome) == (Outcome.INCONCLUSIVE, Outcome.FAIL)
    assert LINK.format(trace_id=found.traces[0]) in found.sentence


async def test_a_flow_that_nobody_named_is_found_and_judged(program, prometheus, tmp_path):
    """By the traces that met the service in the minutes before."""
    case = CASES["unreadable"]

    verdict = await released(case, program, prometheus, tmp_path, 1800, before=660.0, flows=[])

    found = finding(verdict, "post-orders.below")
    assert (verdict.outcome, found.outcome) == (Outcome.FAIL, Outcome.FAIL)


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
