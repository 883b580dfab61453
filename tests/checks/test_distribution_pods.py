"""Latency without the worst pods, and lately."""

from collections.abc import Mapping

import numpy as np
import pytest
from test_distribution import BOUNDS, LATENCY, shape

from checkbench import GRANT, first_failure, judged, run
from firedamp.checks import Distribution
from firedamp.checks._buckets import ByPod
from firedamp.checks.distribution.looks import Looks
from firedamp.checks.distribution.sample import Sample
from firedamp.model import Arm, Outcome, Row, Slice
from firedamp.stats.spending import informed_levels

MAIN = {f"main-{pod}": shape(100) for pod in range(8)}


def block(canary: Mapping[str, Row]) -> Slice:
    """Eight well pods of main beside these of the canary."""
    return Slice({Arm.MAIN: MAIN, Arm.CANARY: canary}, BOUNDS)


def canaries(*rows: Row) -> Slice:
    """Pods of the canary by number."""
    return block({f"canary-{pod}": row for pod, row in enumerate(rows)})


WELL = canaries(*[shape(100)] * 3)
SLOW = canaries(*[shape(100, 0.16)] * 3)
SICK = canaries(shape(100, 0.8), shape(100), shape(100))
USUAL, WAITING = (
    Slice(
        {
            Arm.MAIN: {pod: shape(400, slow=0.005) for pod in MAIN},
            Arm.CANARY: {f"canary-{pod}": shape(400, slow=slow) for pod in range(3)},
        },
        BOUNDS,
    )
    for slow in (0.005, 0.03)
)


def test_one_slow_pod_of_three_is_named_and_not_rolled_back():
    """It takes ten times as long, the other two do not; the release waits for a person."""
    finding = judged(LATENCY, [SICK] * 40)

    assert first_failure(LATENCY, [SICK] * 40) is None
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == (
        "latency: one bad pod: canary-0 takes 10.0× as long as main; without the worst 1 pod of 3 the "
        "canary is not proven slower. Look at that pod: a person must decide"
    )


def test_nothing_passes_after_one_bad_pod():
    """It recovers, and half an hour later the release still waits for a person."""
    assert judged(LATENCY, [SICK] * 10 + [WELL] * 90).outcome is Outcome.INCONCLUSIVE


def test_a_slow_canary_fails_without_its_worst_pods_too():
    """All of its pods take twice as long."""
    finding = judged(LATENCY, [SLOW] * 8)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence.endswith("allowed is 1.20×")


def test_a_canary_of_one_slow_pod_says_what_it_cannot_tell():
    """A bad pod and a bad release look the same."""
    finding = judged(LATENCY, [canaries(shape(300, 0.16))] * 8)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence.endswith("allowed is 1.20×; it has one pod, and a bad pod looks the same")


def test_harm_that_no_pod_has_alone_waits_for_the_others():
    """Two of five pods are slow alike: harm, but not without them; neither of them is the bad one."""
    pieces = [canaries(*[shape(100, 1.5)] * 2, *[shape(100)] * 3)] * 40
    finding = judged(LATENCY, pieces)

    assert first_failure(LATENCY, pieces) is None
    assert finding.sentence.endswith(
        "that is harm, but not proven yet without the worst 2 pods of 5; waiting for the others to show it"
    )


def test_a_long_tail_of_one_pod_is_named():
    """Of all requests that wait for a second one pod has all."""
    pieces = [canaries(shape(100, slow=0.2), shape(100), shape(100))] * 40
    finding = judged(LATENCY, pieces)

    assert first_failure(LATENCY, pieces) is None
    assert finding.sentence.endswith(
        "longer than 500 ms; without the worst 1 pod of 3 its tail is not proven longer. "
        "Look at that pod: a person must decide"
    )
    assert "one bad pod: canary-0 has " in finding.sentence


def test_a_long_tail_that_no_pod_has_alone_waits_for_the_others():
    """Two of five pods have it alike."""
    pieces = [canaries(*[shape(100, slow=0.2)] * 2, *[shape(100)] * 3)] * 40

    assert first_failure(LATENCY, pieces) is None
    assert "not proven yet without the worst 2 pods of 5" in judged(LATENCY, pieces).sentence


def test_a_canary_of_one_pod_with_a_long_tail_fails():
    """There is no other pod to ask."""
    finding = judged(LATENCY, [canaries(shape(300, slow=0.05))] * 30)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence.endswith("; it has one pod, and a bad pod looks the same")


@pytest.mark.parametrize("healthy", [40, 118, 140, 143, 500])
def test_latency_that_doubles_late_is_found_within_ten_blocks(healthy):
    """However long the canary was well before, and at whatever block of a chapter it begins."""
    failed = first_failure(LATENCY, [WELL] * healthy + [SLOW] * 10)

    assert failed is not None
    assert failed >= healthy


def test_a_late_fault_is_told_by_its_last_minutes():
    """The sentence speaks of the minutes in which it shows, not of the hour before; and it stays."""
    finding = judged(LATENCY, [WELL] * 140 + [SLOW] * 10 + [WELL] * 30)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence.startswith("latency: in the last ")
    assert "a good release ever gets here 1 time in " in finding.sentence
    assert finding.p_value <= GRANT.alpha
    assert finding.canary_n < 10 * 3 * sum(shape(100))


def test_a_late_tail_is_found_and_told_by_its_last_minutes():
    """Where five requests in a thousand wait for a second thirty begin to, after more than an hour."""
    pieces = [USUAL] * 140 + [WAITING] * 20
    failed = first_failure(LATENCY, pieces)
    finding = judged(LATENCY, pieces)

    assert failed is not None
    assert 140 <= failed <= 150
    assert finding.sentence.startswith("latency: in the last ")
    assert "% of the canary's requests take longer than 500 ms, 0.50 % in main; " in finding.sentence


def test_one_pod_that_slows_down_late_is_named():
    """Nothing passes while a single pod alarms, and nothing fails."""
    pieces = [WELL] * 130 + [SICK] * 10
    finding = judged(LATENCY, pieces)

    assert first_failure(LATENCY, pieces) is None
    assert "one bad pod: canary-0 takes " in finding.sentence


def test_most_harm_makes_the_worst_pod():
    """A busy pod that is somewhat slow harms more than a handful of very slow requests."""
    few = np.zeros(12)
    few[10] = 3.0
    sample = Sample.of(
        ByPod(("main",), np.array([shape(1000)])),
        ByPod(("busy", "few", "well"), np.array([shape(1000, 0.2), few, shape(1000)])),
    )

    assert sample.worst() == (0,)


def test_a_pod_that_came_with_the_slow_hour_is_not_the_worst():
    """Pods are held to the comparison arm's requests of their own blocks."""
    early = Sample.of(
        ByPod(("main",), np.array([shape(1000)])), ByPod(("a", "b"), np.array([shape(100)] * 2))
    )
    late = Sample.of(
        ByPod(("main",), np.array([shape(1000, 0.3)])), ByPod(("b", "c"), np.array([shape(100, 0.3)] * 2))
    )

    assert np.abs((early + late).lag) == pytest.approx(np.zeros(3), abs=1.0)


def test_an_edge_is_set_where_the_tail_surely_begins():
    """Requests above it are one in a hundred or fewer with some confidence, or there is none yet."""
    lucky = np.array(shape(200))
    lucky[6:] = 0.0
    few = [Slice({arm: {str(arm): tuple(lucky)} for arm in (Arm.MAIN, Arm.CANARY)}, BOUNDS)]

    assert run(LATENCY, few, warm=True).tail.edge is None
    assert BOUNDS[run(LATENCY, few * 2, warm=True).tail.edge.index] == 0.25


def test_what_the_tail_tolerates_is_learnt_with_more_requests():
    """The edge stays; what a stretch of 20 % makes of the requests above it becomes known."""
    early, late = (run(LATENCY, [WELL] * blocks).tail.edge for blocks in (6, 100))

    assert early.index == late.index
    assert early.requests < late.requests


def test_looks_that_know_nothing_new_share_what_they_leave():
    """Half of the growth goes to a look without new requests, the other half to the next one with some."""
    looks = Looks().add(0.010, 1.0, 0.1).add(0.012, 1.0, 0.1)
    after = looks.add(0.014, 0.5, 0.1)

    assert looks.level(0.0) == pytest.approx(0.001)
    assert after.level(0.0) == pytest.approx(informed_levels([0.010, 0.003], [1.0, 2.0])[-1])


def test_few_pods_that_differ_leave_more_to_each_look():
    """Where further requests tell little the looks are nearly the same, and their number costs little."""
    looks, levels = Looks(), []
    for number in range(1, 61):
        looks = looks.add(0.05 * number / 60, 1 / number, 0.1)
        levels.append((looks.level(0.0), looks.level(1.0)))
    alone, few = np.max(levels[40:], axis=0)

    assert few > 1.2 * alone


def test_the_rest_is_held_to_half_of_the_tolerance():
    """With a tolerance of 100 % pods that take 70 % longer are proof beside a worse one, 40 % are not."""
    wide = Distribution(name="latency", kind="distribution", histogram="h", tolerance=1.0)
    proof = [canaries(shape(300, 0.8), *[shape(300, 0.08 * 1.7)] * 2)] * 40
    doubt = [canaries(shape(300, 0.8), *[shape(300, 0.08 * 1.4)] * 2)] * 40

    assert run(wide, proof).body.lasting
    assert run(wide, doubt).body.crossed
    assert not run(wide, doubt).body.lasting
