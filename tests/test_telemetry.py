"""Our own metrics and spans."""

import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from firedamp.model import Arm, Finding, Outcome, ReleaseKey, Tier
from firedamp.telemetry import LOOK_SECONDS, CheckValues, Stage, stage

ERRORS = Finding(
    check="errors",
    kind="proportion",
    tier=Tier.CRITICAL,
    outcome=Outcome.FAIL,
    sentence="5.1 % against 1.0 %",
    against=Arm.MAIN,
    baseline=0.01,
    canary=0.051,
)


def exported(values: CheckValues) -> str:
    registry = CollectorRegistry()
    registry.register(values)
    return generate_latest(registry).decode()


def release(service: str) -> ReleaseKey:
    return ReleaseKey("shop", service, "abc", 1)


def test_values_of_a_check_are_exported_by_arm():
    """A dashboard sees what was compared, baseline and canary apart."""
    values = CheckValues()
    values.saw(release("checkout"), Outcome.FAIL, [ERRORS])

    text = exported(values)

    assert 'firedamp_check_value{arm="main",check="errors",namespace="shop",service="checkout"} 0.01' in text
    assert (
        'firedamp_check_value{arm="canary",check="errors",namespace="shop",service="checkout"} 0.051' in text
    )
    assert 'firedamp_verdict{namespace="shop",service="checkout"} 0.0' in text


def test_exported_services_are_bounded():
    """A caller that makes up names pushes out the oldest ones, never the memory."""
    values = CheckValues(limit=2)
    for name in ("one", "two", "three"):
        values.saw(release(name), Outcome.PASS, [])

    text = exported(values)

    assert 'service="one"' not in text
    assert 'service="three"' in text


def test_an_ended_release_is_no_longer_exported():
    """A dashboard shows the releases that run."""
    values = CheckValues()
    values.saw(release("checkout"), Outcome.PASS, [ERRORS])
    values.forget(release("checkout"))

    assert "checkout" not in exported(values)


def test_a_stage_is_timed_even_when_it_fails():
    """Slow failures are seen in the histogram too."""
    before = LOOK_SECONDS.labels("fetch")._sum.get()

    with pytest.raises(ZeroDivisionError), stage(Stage.FETCH, source="prometheus"):
        _ = 1 / 0

    assert LOOK_SECONDS.labels("fetch")._sum.get() > before


def test_spans_cost_nothing_without_an_sdk():
    """Only the API is needed; a span outside of a trace records nothing."""
    code = (
        "from firedamp.telemetry import tracer\n"
        "with tracer().start_as_current_span('firedamp.look') as span:\n"
        "    print(span.is_recording())"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
