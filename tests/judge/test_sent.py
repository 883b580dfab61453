"""The exact queries of a release, for people to read."""

import pytest

from firedamp.decision.parameters import Parameters, to_json
from firedamp.judge.sent import sent
from firedamp.model import Arm
from store.examples import a_release

PARAMETERS = Parameters.model_validate(
    {
        "checks": [
            {"name": "errors", "kind": "proportion", "events": 'r_total{code=~"5.."}', "total": "r_total"},
            {"name": "latency", "kind": "distribution", "histogram": "h_seconds"},
            {
                "name": "memory",
                "kind": "relative",
                "query": "avg_over_time(m{$cohort}[$window])",
                "max_increase": 0.1,
            },
            {
                "name": "orders",
                "kind": "flow-failures",
                "flow": {"service": "gateway", "operation": "POST /orders"},
            },
        ]
    }
)
COHORT = 'namespace="shop",rollouts_pod_template_hash="7d9f8b6c5d"'


def test_counters_are_shown_as_their_selectors():
    """Raw samples are fetched, so the selector is all that is sent; main stands before the canary."""
    found = sent(a_release(parameters=to_json(PARAMETERS)))["errors"]

    assert [(one.arm, one.role) for one in found] == [
        (Arm.MAIN, "events"),
        (Arm.MAIN, "total"),
        (Arm.CANARY, "events"),
        (Arm.CANARY, "total"),
    ]
    assert found[2].text == f'r_total{{code=~"5..",{COHORT}}}'
    assert found[2].graph == f"sum by (pod) (rate({found[2].text}[120s]))"


def test_buckets_are_graphed_by_a_quantile():
    """What people look at is a line in seconds."""
    [_, canary] = sent(a_release(parameters=to_json(PARAMETERS)))["latency"]

    assert canary.text == f"h_seconds_bucket{{{COHORT}}}"
    assert canary.graph == f"histogram_quantile(0.95, sum by (le, pod) (rate({canary.text}[120s])))"


def test_a_level_is_its_own_graph():
    """Cohort and window are filled in."""
    [_, canary] = sent(a_release(parameters=to_json(PARAMETERS)))["memory"]

    assert canary.text == canary.graph
    assert canary.text.startswith("avg_over_time(m{namespace=")
    assert canary.text.endswith("[60s])")


def test_what_is_asked_of_traces_is_told_in_words():
    """There is no language that all backends share."""
    [one] = sent(a_release(parameters=to_json(PARAMETERS)))["orders"]

    assert "begin at POST /orders of gateway and pass through checkout, checkout-primary" in one.text
    assert one.graph == ""


def test_parameters_of_another_version_are_not_guessed_at():
    """The page says so instead."""
    with pytest.raises(ValueError, match="validation"):
        sent(a_release())
