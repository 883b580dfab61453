"""The threshold check: limits that need no comparison."""

import pytest
from pydantic import ValidationError

from checkbench import DOWN, first_failure, judged, levels
from firedamp.checks import Relative, Threshold
from firedamp.model import Outcome, Situation, Slice

RESTARTS = Threshold(
    name="restarts", kind="threshold", counter="kube_pod_container_status_restarts_total", max=0
)
CPU = Threshold(name="cpu", kind="threshold", query="cpu{$cohort}", max=0.9, unit="share")
QUEUE = Threshold(name="queue", kind="threshold", query="queue{$cohort}", min=2, max=10, sustained=2)


def pods(**values: float) -> Slice:
    """Values of the canary's pods."""
    return levels([], values)


def test_a_restart_fails_at_once():
    """There is nothing to weigh about a restart, not even during warm-up."""
    pieces = [pods(a=0, b=0), pods(a=0, b=1)]

    assert first_failure(RESTARTS, pieces) == 1
    assert judged(RESTARTS, pieces).sentence == (
        "restarts: 1 counted since the release began in pod b; allowed is at most 0"
    )


def test_a_restart_is_not_forgotten():
    """Quiet blocks after a restart leave it counted, with the pod that had it."""
    finding = judged(RESTARTS, [pods(a=1), *[pods(a=0, b=0)] * 20])

    assert finding.outcome is Outcome.FAIL
    assert "in pod a" in finding.sentence
    assert finding.canary == 1


def test_counts_add_up_over_pods_and_blocks():
    """Three kills are allowed and two pods have two each: four."""
    kills = RESTARTS.model_copy(update={"max": 3.0})

    assert first_failure(kills, [pods(a=1, b=1), pods(a=0, b=0), pods(a=1, b=1)]) == 2


def test_no_restart_passes_after_warm_up():
    """Before the warm-up is over nothing is said to be good."""
    assert judged(RESTARTS, [pods(a=0)] * 4).sentence == (
        "restarts: 0 counted since the release began; allowed is at most 0; warming up, not judged yet"
    )
    assert judged(RESTARTS, [pods(a=0)] * 5).outcome is Outcome.PASS


def test_a_level_fails_when_it_stays_beyond():
    """One scrape proves little; three blocks in a row do."""
    pieces = [pods(a=0.5)] * 5 + [pods(a=0.95, b=0.5)] * 3

    assert first_failure(CPU, pieces) == 7
    assert judged(CPU, pieces).sentence == "cpu: 95 % in pod a for 3 blocks in a row; allowed is at most 90 %"


def test_a_level_beyond_for_a_moment_is_doubt():
    """While it may still come down, the sentence says how long it may not."""
    finding = judged(CPU, [pods(a=0.5)] * 5 + [pods(a=0.95)])

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == "cpu: 95 % in pod a; allowed is at most 90 %; fails after 3 blocks in a row"


def test_a_level_that_comes_back_starts_again():
    """Two blocks beyond, one within, two beyond: never three in a row."""
    pieces = [pods(a=0.5)] * 5 + [pods(a=0.95)] * 2 + [pods(a=0.5)] + [pods(a=0.95)] * 2

    assert first_failure(CPU, pieces) is None


def test_a_gap_does_not_start_again():
    """A block without values between two beyond the limit is no relief."""
    pieces = [pods(a=0.5)] * 5 + [pods(a=0.95)] * 2 + [Slice()] + [pods(a=0.95)]

    assert first_failure(CPU, pieces) == 8


def test_a_level_beyond_during_warm_up_counts_for_nothing():
    """A cold start may need all the processor there is."""
    assert first_failure(CPU, [pods(a=1.0)] * 4 + [pods(a=0.5)]) is None


def test_a_broken_limit_stays_broken():
    """A level that comes down after the failure leaves value and pod as they were found."""
    pieces = [pods(a=0.5)] * 5 + [pods(a=0.95)] * 3

    assert judged(CPU, pieces + [pods(a=0.1)] * 9).sentence == judged(CPU, pieces).sentence


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"a": 5.0, "b": 11.0}, "11 in pod b for 2 blocks in a row; allowed is at most 10 and at least 2"),
        ({"a": 5.0, "b": 1.0}, "1 in pod b for 2 blocks in a row; allowed is at most 10 and at least 2"),
    ],
)
def test_both_limits_are_kept_by_every_pod(values, said):
    """With a maximum and a minimum the pod furthest beyond either of them decides."""
    finding = judged(QUEUE, [pods(**values)] * 6)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == f"queue: {said}"


def test_a_minimum_alone():
    """A level that must not fall fails below its minimum and passes at it."""
    ready = Threshold(name="ready", kind="threshold", query="ready{$cohort}", min=1, sustained=1)

    assert judged(ready, [pods(a=1.0)] * 6).outcome is Outcome.PASS
    assert judged(ready, [pods(a=0.0)] * 6).outcome is Outcome.FAIL


def test_old_levels_say_nothing_of_now():
    """A canary whose values are gone does not pass by those it had."""
    finding = judged(CPU, [pods(a=0.5)] * 9 + [Slice()])

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.situation is Situation.NO_DATA
    assert finding.sentence == "cpu: no values from the canary"


def test_trouble_sets_aside_and_harm_is_still_said():
    """Trouble withholds a pass but does not hide a broken limit."""
    down = Slice({}, (), (DOWN,))

    assert judged(RESTARTS, [pods(a=0)] * 9 + [down]).set_aside == DOWN.text
    assert judged(RESTARTS, [pods(a=1), down]).outcome is Outcome.FAIL


def test_a_limit_stands_alone():
    """Nothing is asked of the comparison arm."""
    finding = judged(RESTARTS, [pods(a=0)] * 5)

    assert not RESTARTS.compares
    assert finding.against is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max": 1}, "either counter or query"),
        ({"max": 1, "counter": "c", "query": "q{$cohort}"}, "either counter or query"),
        ({"counter": "c"}, "needs max or min"),
        ({"counter": "c", "min": 1, "max": 2}, "a counter has a max only"),
        ({"query": "q{$cohort}", "min": 2, "max": 1}, "max is 1.0, below min, 2.0"),
        ({"query": "q{$cohort}", "max": float("inf")}, "finite number"),
        ({"query": "q{$cohort}", "max": float("nan")}, "finite number"),
        ({"counter": "rate(c[5m])", "max": 1}, "write a plain selector"),
    ],
)
def test_half_a_limit_is_refused(fields, message):
    """A limit that could not be judged is refused with what it needs."""
    with pytest.raises(ValidationError, match=message):
        Threshold(name="a", kind="threshold", **fields)


def test_needs_follow_the_kind_of_limit():
    """Counters are counted, queries evaluated; each role's values are the rows."""
    assert RESTARTS.needs()["counter"].selector.promql() == "kube_pod_container_status_restarts_total"
    assert CPU.needs()["level"].expression.text == "cpu{$cohort}"
    assert RESTARTS.rows({"counter": {"a": (1.0,)}}) == {"a": (1.0,)}
    assert CPU.rows({"level": {"a": (0.1,)}}) == {"a": (0.1,)}


@pytest.mark.parametrize(
    ("query", "by_pod"),
    [
        ("container_memory_working_set_bytes{$cohort}", True),
        ("kube_pod_container_status_restarts_total{$cohort}", True),
        ("my_container_bytes{$cohort}", False),
    ],
)
def test_some_metrics_know_pods_only(query, by_pod):
    """Metrics of cAdvisor and kube-state-metrics carry no version: their cohorts are told by pod names."""
    assert Relative(name="a", kind="relative", query=query, max_increase=1.0).by_pod() is by_pod
