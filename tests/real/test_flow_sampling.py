"""
Sampled traces, from a real Jaeger: fewer are less certain, and a policy that nobody told is not believed.

The releases are those of the flow cases; a sampler leaves out what it would have left out.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firedamp.model import Outcome
from real.flowcases import CASES, RELEASED, finding
from real.flowjaeger import released
from real.history import past
from real.jaeger import jaeger_or_skip
from real.orders import Trip
from real.prometheus import RealPrometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def prometheus() -> Iterator[str]:
    with RealPrometheus(past([case.story for case in CASES.values()], RELEASED)) as server:
        yield server.url


@pytest.fixture(scope="module")
def program() -> Path:
    return jaeger_or_skip()


def by_chance(part: float) -> Callable[[Trip], bool]:
    """Told by the trace's id alone, as samplers at the head do it."""
    return lambda trip: random.Random(trip.trace_id).random() < part


def fails(trip: Trip) -> bool:
    return trip.failed or trip.code >= 400 or any(hop.failed or hop.declined for hop in trip.hops)


async def test_one_trace_in_ten_finds_the_same_later(program, prometheus, tmp_path):
    """Fewer failures are less certain, and no less wrong."""
    case = CASES["unreadable"]

    verdict = await released(case, program, prometheus, tmp_path, 1800, keeps=by_chance(0.1))

    assert verdict.outcome is Outcome.FAIL
    assert finding(verdict, case.check).outcome is Outcome.FAIL


async def test_where_failures_are_kept_odds_tell(program, prometheus, tmp_path):
    """Every failing flow and one in ten of the others, as the settings say."""
    case = CASES["unreadable"]
    tail = by_chance(0.1)

    verdict = await released(
        case,
        program,
        prometheus,
        tmp_path,
        1800,
        keeps=lambda trip: fails(trip) or tail(trip),
        sampling="errors-kept",
    )

    found = finding(verdict, case.check)
    assert (verdict.outcome, found.outcome) == (Outcome.FAIL, Outcome.FAIL)
    assert (found.baseline, found.canary) == (None, None)
    assert "% against" not in found.sentence


async def test_a_good_release_is_not_stopped_where_failures_are_kept(program, prometheus, tmp_path):
    """The odds are alike in both versions."""
    tail = by_chance(0.1)

    verdict = await released(
        CASES["healthy"],
        program,
        prometheus,
        tmp_path,
        1800,
        keeps=lambda trip: fails(trip) or tail(trip),
        sampling="errors-kept",
    )

    assert verdict.outcome is not Outcome.FAIL


async def test_versions_sampled_unlike_each_other_are_not_judged(program, prometheus, tmp_path):
    """One in ten of the old version and every flow of the canary: said, and neither passed nor failed."""
    few = by_chance(0.1)

    verdict = await released(
        CASES["unreadable"],
        program,
        prometheus,
        tmp_path,
        900,
        keeps=lambda trip: trip.hops[0].version == "canary" or few(trip),
    )

    found = finding(verdict, "place-order.below")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert found.set_aside is not None
    assert "sampled otherwise than the other version's" in found.set_aside
