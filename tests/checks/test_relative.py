"""The relative check: levels of pods against levels of pods."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from checkbench import DOWN, GRANT, judged, levels, moment, run
from firedamp.checks import Relative
from firedamp.model import Outcome, Situation, Slice

MEMORY = Relative(
    name="memory", kind="relative", query="container_memory{$cohort}", max_increase=0.15, unit="bytes"
)
FLOW = Relative(name="flow", kind="relative", query="flow{$cohort}", max_decrease=0.2)
MIB = 2.0**20


def test_a_level_within_its_margin_passes():
    """Pods as large as the others pass, and the sentence gives both levels and the number of pods."""
    pods = [100 * MIB] * 8
    finding = judged(MEMORY, [levels(pods, pods)] * 10)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence == (
        "memory: 100 MiB in the canary, 100 MiB in main: 1.00× (0.94× to 1.07×, 8 canary pods); "
        "more than 1.15× is ruled out"
    )


def test_a_leak_fails():
    """Pods that are half as large again fail."""
    finding = judged(MEMORY, [levels([100 * MIB] * 8, [150 * MIB] * 8)] * 10)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == (
        "memory: 150 MiB in the canary, 100 MiB in main: 1.50× (1.40× to 1.60×, 8 canary pods); "
        "more than 1.15× is not allowed"
    )
    assert finding.effect == pytest.approx(1.5)
    assert finding.tolerance == pytest.approx(1.15)


def test_what_failed_once_stays_failed():
    """A level that comes down again leaves the failure standing."""
    pieces = [levels([1.0] * 8, [2.0] * 8)] * 10 + [levels([1.0] * 8, [0.2] * 8)] * 50

    assert judged(MEMORY, pieces).outcome is Outcome.FAIL


def test_what_failed_once_stays_failed_without_a_ratio():
    """A failure proven before is not forgotten when main's mean falls to 0 or less."""
    harm = [levels([100.0] * 8, [200.0] * 8)] * 10
    finding = judged(MEMORY, [*harm, levels([-1e6] * 8, [200.0] * 8)])

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == (
        "memory: a level beyond 1.15× main's was proven before; the levels since have no ratio"
    )


def test_a_single_pod_is_judged_with_caution():
    """One pod per arm that is 20 % larger proves nothing, and the sentence says that it is one."""
    finding = judged(MEMORY, [levels([100.0], [120.0])] * 60)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "1 canary pod)" in finding.sentence
    assert finding.sentence.endswith("is neither proven nor ruled out yet")


def test_a_single_pod_three_times_as_large_fails():
    """What no pod's own quirks explain fails with one pod too."""
    assert judged(MEMORY, [levels([100.0], [300.0])] * 60).outcome is Outcome.FAIL


def test_a_fall_fails_where_it_is_harm():
    """Half the throughput fails a check on decrease; values are shown as they are."""
    finding = judged(FLOW, [levels([10.0] * 8, [5.0] * 8)] * 10)

    assert finding.outcome is Outcome.FAIL
    assert finding.sentence == (
        "flow: 5 in the canary, 10 in main: 0.50× (0.47× to 0.53×, 8 canary pods); "
        "less than 0.80× is not allowed"
    )
    assert finding.baseline == pytest.approx(10)
    assert finding.canary == pytest.approx(5)
    assert finding.interval[0] < finding.effect < finding.interval[1]


def test_a_rise_is_welcome_where_a_fall_is_harm():
    """More throughput passes."""
    assert judged(FLOW, [levels([10.0] * 8, [20.0] * 8)] * 10).outcome is Outcome.PASS


def test_nothing_at_all_is_not_higher():
    """An empty queue in the canary has not grown, whatever the others have."""
    finding = judged(MEMORY, [levels([0.0], [0.0])] * 10)

    assert finding.outcome is Outcome.PASS
    assert finding.sentence == "memory: 0 in the canary, so it is not higher than main"


@pytest.mark.parametrize(
    ("check", "baseline", "canary"), [(MEMORY, [0.0], [5.0]), (FLOW, [5.0], [0.0]), (MEMORY, [5.0], [-5.0])]
)
def test_nothing_has_no_ratio(check, baseline, canary):
    """A ratio with 0, or with less, means nothing; the sentence names the remedy."""
    finding = judged(check, [levels(baseline, canary)] * 10)

    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.situation is Situation.NO_DATA
    assert finding.sentence.endswith(
        "a level of 0 or less has no ratio to main's; a threshold check can judge it"
    )


@pytest.mark.parametrize(
    ("baseline", "canary", "silent"), [([], [1.0], "main"), ([1.0], [], "the canary"), ([], [], "the canary")]
)
def test_an_arm_without_values_is_doubt(baseline, canary, silent):
    """Missing values are named by the arm that misses them."""
    finding = judged(MEMORY, [levels(baseline, canary)] * 10)

    assert finding.situation is Situation.NO_DATA
    assert finding.sentence == f"memory: no values in {silent} so far, nothing to compare"


def test_no_comparison_arm_is_doubt():
    """Without an arm to compare with the sentence does not invent one."""
    finding = judged(MEMORY, [levels([1.0], [1.0])] * 10, grant=replace(GRANT, against=None))

    assert finding.situation is Situation.NO_DATA
    assert finding.sentence == "memory: there is neither baseline nor main to compare the canary with"


def test_warm_up_is_not_judged():
    """Levels of a cold canary count for nothing."""
    cold = [levels([100.0] * 8, [300.0] * 8)] * 4

    assert judged(MEMORY, cold).sentence == "memory: warming up, not judged yet"
    assert judged(MEMORY, cold + [levels([1.0] * 8, [1.0] * 8)] * 5).outcome is Outcome.PASS


def test_trouble_sets_aside_and_harm_is_still_said():
    """Trouble withholds a pass but does not hide a failure proven before."""
    down = Slice({}, (), (DOWN,))

    assert judged(MEMORY, [levels([1.0] * 8, [1.0] * 8)] * 10 + [down]).set_aside == DOWN.text
    assert judged(MEMORY, [levels([1.0] * 8, [3.0] * 8)] * 10 + [down]).outcome is Outcome.FAIL


def test_a_pod_counts_with_its_mean():
    """Sixty points of one pod are one sample: its mean over the blocks."""
    state = run(MEMORY, [levels([1.0], [value]) for value in (9, 9, 9, 9, 1.0, 2.0, 3.0)])

    assert state.canary == {"canary-0": (2.0, 3)}
    assert state.finding(moment(6)).canary_n == 3


@pytest.mark.parametrize("sides", [{}, {"max_increase": 0.1, "max_decrease": 0.1}])
def test_exactly_one_side_is_watched(sides):
    """A check without a side, or with both, is refused."""
    with pytest.raises(ValidationError, match="either max_increase or max_decrease"):
        Relative(name="a", kind="relative", query="m{$cohort}", **sides)


def test_a_query_needs_its_cohort():
    """Without $cohort both arms would get the same values; the message says where it belongs."""
    with pytest.raises(ValidationError, match=r"has no \$cohort: write metric\{\$cohort\}"):
        Relative(name="a", kind="relative", query="m", max_increase=0.1)


def test_rows_are_levels():
    """The one role's values are the rows."""
    assert MEMORY.rows({"level": {"a": (1.0,)}}) == {"a": (1.0,)}
    assert MEMORY.needs()["level"].expression.text == "container_memory{$cohort}"


def test_pods_that_differ_beyond_measure_are_doubt():
    """An interval without end is shown as such, and nothing breaks."""
    from firedamp.checks.relative import _over

    assert (_over(0.0), _over(float("inf")), _over(4.0)) == (float("inf"), 0.0, 0.25)
