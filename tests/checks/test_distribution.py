"""The distribution check: latencies and their tail."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from checkbench import DOWN, GRANT, first_failure, judged, moment, run
from firedamp.checks import Distribution
from firedamp.checks.distribution import DistributionRun
from firedamp.model import Arm, Outcome, Row, Situation, Slice, Tier, Trouble, TroubleKind
from firedamp.stats import ranks

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))
LATENCY = Distribution(name="latency", kind="distribution", histogram="http_request_duration_seconds")


def shape(requests: int, median: float = 0.08, *, slow: float = 0.0) -> Row:
    """A log-normal histogram with whole counts; a share `slow` waits for a second longer."""
    reached = ndtr(np.log(np.array(BOUNDS) / median) / 0.6)
    counts = np.round(requests * (1 - slow) * np.diff(reached, prepend=0.0))
    counts[8] += round(requests * slow)
    return tuple(map(float, counts))


def block(baseline: Row, canary: Row, *, pods: int = 4, bounds: tuple[float, ...] = BOUNDS) -> Slice:
    """The same histogram in each of the pods of an arm."""
    rows = {
        arm: {f"{arm}-{pod}": row for pod in range(pods)}
        for arm, row in ((Arm.MAIN, baseline), (Arm.CANARY, canary))
    }
    return Slice({arm: found for arm, found in rows.items() if any(found.values())}, bounds)


HEALTHY = block(shape(400), shape(100))
SILENT = block(shape(400), ())


def test_as_fast_passes():
    """Requests that take as long pass once 20 % more is ruled out."""
    finding = judged(LATENCY, [HEALTHY] * 20)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence.startswith("latency: the canary takes 1.00× as long as main (0.9")
    assert finding.sentence.endswith("); slower than 1.20× is ruled out")
    assert finding.baseline == pytest.approx(finding.canary, rel=0.01)
    assert finding.unit == "seconds"


def test_half_as_fast_again_fails():
    """Requests that take 50 % longer fail soon, and the sentence says by how much."""
    finding = judged(LATENCY, [block(shape(400), shape(100, 0.12))] * 8)

    assert finding.outcome is Outcome.FAIL
    assert finding.effect == pytest.approx(1.5, abs=0.05)
    assert finding.sentence.startswith("latency: the canary takes 1.50× as long as main (1.4")
    assert finding.sentence.endswith("1,600 canary requests); allowed is 1.20×")


def test_a_little_slower_is_neither_proven_nor_excluded():
    """Close to the tolerance nothing can be said."""
    finding = judged(LATENCY, [block(shape(400), shape(100, 0.094))] * 12)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.sentence.endswith("slower than 1.20× is neither proven nor ruled out yet")


def test_within_the_tolerance_passes_where_the_tolerance_is_wide():
    """The same 30 % fail under a tolerance of 10 % and pass under one of 60 %."""
    pieces = [block(shape(400), shape(100, 0.104))] * 40

    assert judged(LATENCY.model_copy(update={"tolerance": 0.1}), pieces).outcome is Outcome.FAIL
    assert judged(LATENCY.model_copy(update={"tolerance": 0.6}), pieces).outcome is Outcome.PASS


def test_a_long_tail_fails():
    """Three requests in a hundred that wait for a second fail, though the median stands still."""
    finding = judged(LATENCY, [block(shape(400), shape(100, slow=0.03))] * 20)

    assert finding.outcome is Outcome.FAIL
    assert finding.effect < 1.2
    assert finding.sentence.startswith(
        "latency: 3.0 % of the canary's requests take longer than 500 ms, 0 % in main; "
        "the canary has 180 of these 180, chance, pod differences and the tolerance explain fewer than "
    )


def test_requests_that_choose_the_edge_are_not_judged_by_it():
    """A block with by chance few slow requests in main sets a low edge; only later blocks are held to it."""
    lucky = block(shape(400), shape(100, slow=0.2))
    state = run(LATENCY, [HEALTHY] * 4 + [lucky])
    later = run(LATENCY, [HEALTHY] * 4 + [lucky] * 2)

    assert state.tail.edge is not None
    assert state.tail.test is None
    assert later.tail.test.canary_events == 4 * 20


def test_the_tail_stays_failed():
    """A tail proven once is not taken back by quiet minutes."""
    pieces = [block(shape(400), shape(100, slow=0.03))] * 20 + [HEALTHY] * 60

    assert judged(LATENCY, pieces).outcome is Outcome.FAIL


def test_without_a_bound_beyond_the_tail_only_the_body_is_judged():
    """Where more than one request in a hundred lies above the last bound there is no tail to watch."""
    bounds = (0.05, 0.1, float("inf"))
    row = (40.0, 40.0, 20.0)
    state = run(LATENCY, [block(row, row, bounds=bounds)] * 20)

    assert isinstance(state, DistributionRun)
    assert state.tail.edge is None
    assert state.finding(moment(19)).outcome is Outcome.PASS


def test_warm_up_is_not_judged():
    """Slow requests of a cold canary neither fail nor count later."""
    cold = [block(shape(400), shape(100, 0.8))] * 4
    early = judged(LATENCY, cold)
    late = judged(LATENCY, cold + [HEALTHY] * 20)

    assert early.sentence == "latency: warming up, not judged yet"
    assert late.outcome is Outcome.PASS


def test_a_silent_canary_is_doubt():
    """Without requests in the canary there is nothing to rank."""
    finding = judged(LATENCY, [SILENT] * 10)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.situation is Situation.NO_TRAFFIC
    assert finding.sentence == "latency: no requests in the canary so far, nothing to compare"


def test_what_nobody_tells_counts_for_nothing():
    """Of neither arm, and for a reason that is no version's; a block without any requests changes nothing."""
    untold = Slice(troubles=(Trouble(TroubleKind.UNTOLD, "nobody tells"),))

    finding = judged(LATENCY, [untold, untold, Slice()])

    assert (finding.outcome, finding.tier, finding.situation) == (Outcome.INCONCLUSIVE, Tier.DEBUG, None)
    assert finding.sentence == "latency: nobody tells; not judged"


def test_what_one_version_tells_is_judged():
    """A canary whose callers fall silent is no longer nobody's fault."""
    untold = Slice(troubles=(Trouble(TroubleKind.UNTOLD, "nobody tells"),))

    assert judged(LATENCY, [untold, SILENT]).situation is Situation.NO_TRAFFIC


def test_no_comparison_arm_is_doubt():
    """Without an arm to compare with the sentence does not invent one."""
    finding = judged(LATENCY, [HEALTHY] * 10, grant=replace(GRANT, against=None))

    assert finding.sentence == "latency: there is neither baseline nor main to compare the canary with"


def test_a_handful_of_requests_is_no_distribution():
    """Below twenty requests an arm is not ranked; the sentence says how many are missing."""
    few = tuple(float(bucket == 4) for bucket in range(12))
    finding = judged(LATENCY, [block(shape(400), few, pods=2)] * 6)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.needs == 16
    assert finding.sentence == (
        "latency: too few requests to compare; about 16 more are needed in each version"
    )


def test_trouble_sets_aside_and_harm_is_still_said():
    """Trouble withholds a pass but does not hide a failure proven before."""
    down = Slice({}, (), (DOWN,))
    slow = [block(shape(400), shape(100, 0.12))] * 8

    assert judged(LATENCY, [HEALTHY] * 20 + [down]).set_aside == DOWN.text
    assert judged(LATENCY, [*slow, down]).outcome is Outcome.FAIL


def test_changed_buckets_are_not_compared():
    """When the bucket bounds change mid-release the new blocks count for nothing, and that is said."""
    other = block((1.0, 2.0), (0.0, 900.0), bounds=(0.3, float("inf")))
    before, after = run(LATENCY, [HEALTHY] * 20), run(LATENCY, [HEALTHY] * 20 + [other] * 5)
    finding = after.finding(moment(24))

    assert np.array_equal(before.body.whole.canary, after.body.whole.canary)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.situation is Situation.NO_DATA
    assert finding.sentence == "latency: cannot judge, the histogram's buckets changed during the release"


def test_buckets_that_change_back_go_on():
    """A block with the first bounds again is compared again."""
    other = block((1.0, 2.0), (0.0, 900.0), bounds=(0.3, float("inf")))

    assert judged(LATENCY, [HEALTHY] * 10 + [other] + [HEALTHY] * 10).outcome is Outcome.PASS


def test_without_planning_the_outcome_is_the_same():
    """Where nobody reads the numbers they are not worked out, and the outcome is what it would be."""
    state = run(LATENCY, [HEALTHY] * 20)
    quick = state.finding(replace(moment(19), planning=False, pass_level=0.05))

    assert quick.outcome is Outcome.PASS
    assert quick.sentence == "latency: slower than 1.20× is ruled out"
    assert quick.effect is None


def test_a_look_that_nobody_reads_says_nothing_unless_harm_is_suspected():
    """Between two looks only harm counts: health gets no sentence, and the harm is the same."""
    unread = replace(moment(19), planning=False)
    slow = run(LATENCY, [block(shape(400), shape(100, 0.12))] * 20)

    assert run(LATENCY, [HEALTHY] * 20).finding(unread).sentence == ""
    assert slow.finding(unread).outcome is slow.finding(moment(19)).outcome is Outcome.FAIL


def test_rows_of_another_length_are_left_out():
    """A pod whose buckets do not fit the bounds is not counted."""
    odd = {Arm.MAIN: {**HEALTHY.rows[Arm.MAIN], "odd": (1.0, 2.0)}, Arm.CANARY: HEALTHY.rows[Arm.CANARY]}

    assert judged(LATENCY, [Slice(odd, BOUNDS)] * 20) == judged(LATENCY, [HEALTHY] * 20)


def test_weighting_blocks_changes_nothing_while_the_share_stands_still():
    """With a constant share of traffic the weighted test is the plain one on all requests."""
    state = run(LATENCY, [block(shape(400), shape(100, 0.1))] * 12)
    baseline, canary = np.array(shape(400)) * 4 * 8, np.array(shape(100, 0.1)) * 4 * 8
    plain = ranks.compare_histograms(baseline, canary, BOUNDS, tolerance=0.2)
    found, ranked = state.finding(moment(11)), state.body.whole.ranked(state.body.yardstick)

    assert ranked.theta == pytest.approx(plain.theta, rel=1e-12)
    assert found.baseline_n == pytest.approx(baseline.sum(), rel=1e-12)
    assert found.one_look_p == pytest.approx(plain.plain_p, rel=1e-9)


def test_a_ramp_while_everybody_slows_down_is_no_harm():
    """Weights 5, 20, 50 % while both versions slow down at the end: only pooling would see a slow canary."""
    steps = [(0.05, 0.08), (0.2, 0.08), (0.5, 0.16)]
    pieces = [
        block(shape(round(1000 * (1 - share)), median), shape(round(1000 * share), median))
        for share, median in steps
        for _ in range(15)
    ]
    pooled = [
        sum(np.array(piece.rows[arm][f"{arm}-0"]) for piece in pieces) for arm in (Arm.MAIN, Arm.CANARY)
    ]

    assert ranks.compare_histograms(*pooled, BOUNDS, tolerance=0.2).p_value < 1e-6
    assert first_failure(LATENCY, pieces) is None
    assert judged(LATENCY, pieces).effect == pytest.approx(1.0, abs=0.05)


def test_a_median_in_the_open_bucket_is_not_made_up():
    """Above the last bound nobody knows how long a request took, so no median is shown."""
    bounds = (0.005, 0.01, float("inf"))
    finding = judged(LATENCY, [block((1.0, 1.0, 200.0), (1.0, 1.0, 50.0), bounds=bounds)] * 10)

    assert finding.baseline is None
    assert finding.canary is None
    assert finding.outcome is not Outcome.FAIL


def test_the_first_bucket_begins_at_nothing():
    """A median in the first bucket lies between 0 and its bound."""
    row = (100.0, 1.0, 1.0)
    finding = judged(LATENCY, [block(row, row, bounds=(1.0, 2.0, float("inf")))] * 10)

    assert finding.baseline == pytest.approx(0.51)


def test_requests_are_counted_from_the_start():
    """Warm-up and silent blocks are seen, though not judged."""
    state = run(LATENCY, [SILENT] + [HEALTHY] * 2)

    assert state.seen == (3 * 4 * sum(shape(400)), 2 * 4 * sum(shape(100)))


def test_needs_are_the_buckets_with_the_selector_s_matchers():
    """`_bucket` is added to the histogram's name, the matchers stay."""
    check = LATENCY.model_copy(update={"histogram": 'h{route!="/healthz"}'})

    assert check.needs()["buckets"].selector.promql() == 'h_bucket{route!="/healthz"}'
    assert check.needs()["buckets"].keep_le
    assert check.rows({}) == {}
