"""The collateral check: flows that never met the canary, against what they were before the release."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from checkbench import DOWN, GRANT, first_failure, judged, moment, run
from firedamp.checks import FlowCollateral
from firedamp.model import Arm, Outcome, Slice, Tier
from firedamp.queries import Measure
from firedamp.stats.earlier import learnt
from firedamp.stats.noise import Learnt

BESIDE = FlowCollateral(
    name="order.collateral",
    kind="flow-collateral",
    flow={"service": "gateway", "operation": "POST /orders"},
    failure=("error", "5xx"),
    link="https://jaeger.example/trace/{trace_id}",
)
#: One in a hundred failed before, in 22 windows of 400 flows, hardly more or less in one than in another.
BEFORE = learnt([4, 3, 5, 4, 6, 2, 4, 4, 5, 3, 4] * 2, [400] * 22)
KNOWING = replace(GRANT, alpha=0.05, known=BEFORE)


def flows(failed: float, every: float, *examples: str) -> Slice:
    """Flows of one block that did not meet the canary."""
    return Slice({Arm.MAIN: {"beside": (failed, every)}}, examples=examples)


def test_it_only_warns_unless_told_otherwise():
    """Whatever else happened since would look the same."""
    assert BESIDE.tier is Tier.WARN


def test_it_asks_for_flows_beside_the_canary():
    """By their root."""
    assert BESIDE.traced().measure is Measure.BESIDE


def test_flows_that_fail_far_more_often_than_before_are_harm():
    """The sentence says what was compared, what was not, and shows a trace."""
    finding = judged(BESIDE, [flows(20, 400, "f" * 32)] * 10, grant=KNOWING)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == (
        "order.collateral: 5.0 % of 400 flows that did not meet the canary failed since its warm-up, 1.0 % "
        "of 8,800 before the release: 5.10×, by chance 1 time in 1,400,000; there is "
        "nothing at the same time to compare with, so rule out what else has changed; for example trace "
        f"https://jaeger.example/trace/{'f' * 32}"
    )


def test_what_it_compared_is_in_the_finding():
    """Before and since, for the page and the store."""
    finding = judged(BESIDE, [flows(4, 400)] * 20, grant=KNOWING)

    assert (finding.baseline, finding.baseline_n) == (pytest.approx(0.01), 8800)
    assert (finding.canary, finding.canary_n) == (pytest.approx(0.01), 16 * 400)


def test_flows_that_fail_as_before_pass():
    """A doubling is ruled out."""
    finding = judged(BESIDE, [flows(4, 400)] * 20, grant=KNOWING)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence == (
        "order.collateral: 1.0 % of 6,400 flows that did not meet the canary failed since its warm-up, 1.0 % "
        "of 8,800 before the release; 2.00× is ruled out"
    )


def test_few_flows_prove_nothing():
    """Neither harm nor its absence."""
    finding = judged(BESIDE, [flows(0, 20)] * 6, grant=KNOWING)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence.endswith("2.00× is neither proven nor ruled out yet")


def test_a_rate_that_wandered_as_much_before_is_no_harm():
    """Five times the mean is usual where one window in five has it."""
    wild = learnt([0, 0, 0, 20, 0] * 4, [400] * 20)

    assert first_failure(BESIDE, [flows(20, 400)] * 40, grant=replace(KNOWING, known=wild)) is None


def test_a_rise_too_small_to_matter_is_no_harm():
    """However certain it is."""
    lenient = BESIDE.model_copy(update={"min_excess": 0.05})

    assert judged(lenient, [flows(20, 400)] * 20, grant=KNOWING).outcome is Outcome.INCONCLUSIVE


def test_what_was_proven_stays():
    """Flows that recover take nothing back, nor does a backend that is gone."""
    pieces = [flows(40, 400)] * 10 + [Slice(troubles=(DOWN,))]

    assert judged(BESIDE, pieces, grant=KNOWING).outcome is Outcome.FAIL


def test_warm_up_counts_for_nothing():
    """A release that begins may shake others for a moment."""
    pieces = [flows(400, 400)] * 4 + [flows(4, 400)] * 20

    assert judged(BESIDE, pieces, grant=KNOWING).outcome is Outcome.PASS


def test_it_says_that_it_warms_up():
    """Too early to tell."""
    finding = judged(BESIDE, [flows(4, 400)] * 2, grant=KNOWING)

    assert finding.sentence == "order.collateral: warming up, not judged yet"


@pytest.mark.parametrize("known", [Learnt(), learnt([4] * 5, [400] * 5)])
def test_without_the_time_before_nothing_is_judged(known):
    """Nor with too few windows of it; and the sentence says so."""
    finding = judged(BESIDE, [flows(400, 400)] * 10, grant=replace(KNOWING, known=known))

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence == (
        "order.collateral: nothing tells how these flows did before the release, not judged"
    )


def test_without_flows_nothing_is_judged():
    """All of them may meet the canary."""
    finding = judged(BESIDE, [Slice()] * 10, grant=KNOWING)

    assert finding.sentence == "order.collateral: no such flow beside the canary so far"


def test_trouble_sets_it_aside():
    """What is not whole is not judged."""
    finding = judged(BESIDE, [flows(4, 400), Slice(troubles=(DOWN,))], grant=KNOWING)

    assert finding.set_aside == DOWN.text


def test_it_teaches_later_releases_nothing():
    """What was during a release is not before one."""
    assert run(BESIDE, [flows(4, 400)] * 10, grant=KNOWING).learnt == Learnt()


def test_a_rise_is_found_soon():
    """Five times as many failures within two blocks after warm-up."""
    found = first_failure(BESIDE, [flows(20, 400)] * 20, grant=KNOWING)

    assert found is not None
    assert found <= moment(GRANT.warm_up_looks + 1).block.index


def test_a_release_whose_flows_wander_as_before_is_seldom_warned_of():
    """At 5 % over all looks, of 400 seeded releases; half of the wandering lasts, half is new each block."""
    rng = np.random.default_rng(21)

    warned = sum(_wandering(rng) for _ in range(400))

    assert stats.binomtest(warned, 400, 0.05, "greater").pvalue > 1e-3


def _wandering(rng) -> bool:
    """Whether such a release fails: 22 windows before, 40 blocks since, a rate around 2 %."""
    rates = 0.02 * rng.lognormal(-0.06, 0.35, 22) * rng.lognormal(-0.06, 0.35, 22)
    known = learnt(rng.binomial(200, np.minimum(rates, 1)), np.full(22, 200))
    since = 0.02 * rng.lognormal(-0.06, 0.35) * rng.lognormal(-0.06, 0.35, 40)
    pieces = [flows(failed, 200) for failed in rng.binomial(200, np.minimum(since, 1))]
    return first_failure(BESIDE, pieces, grant=replace(KNOWING, known=known)) is not None
