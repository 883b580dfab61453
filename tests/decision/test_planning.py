"""Planning a release: prospects by hand, and against simulated releases."""

import numpy as np
import pytest
from scipy.special import ndtr

from firedamp.checks import Distribution, Grant, Moment, Proportion, Relative, Threshold, Trend
from firedamp.decision.parameters import Parameters
from firedamp.decision.planning import RATIOS, Rollout, Usual, prospects
from firedamp.model import Arm, Block, Outcome, Slice, Tier
from firedamp.stats.noise import Learnt

HALF_HOUR = 1800.0
ERRORS = Proportion(name="errors", kind="proportion", events='r{code=~"5.."}', total="r")
SALES = Proportion(
    name="sales", kind="proportion", events="orders", total="visits", harm="fewer", noun="order"
)
LATENCY = Distribution(name="latency", kind="distribution", histogram="seconds")
MEMORY = Relative(name="memory", kind="relative", query="m{$cohort}", max_increase=0.15, tier=Tier.WARN)
#: Six hours told that errors are independent, and that pods hardly differ.
CALM = Learnt(phi_sum=200.0, phi_weight=200.0, tau_sum=0.0, tau_weight=40.0)
UNLIKE = Learnt(phi_sum=200.0, phi_weight=200.0, tau_sum=0.25 * 40, tau_weight=40.0)
FIFTH = Rollout(0.2)
BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, float("inf"))


def counted(bad_rate, per_second, pods=8):
    """Rows of main in twelve half hours."""
    requests = per_second * HALF_HOUR / pods
    rows = {f"main-{pod}": (bad_rate * requests, requests) for pod in range(pods)}
    return Usual([rows] * 12, HALF_HOUR)


def latencies(ratio=1.0):
    """Shares by bucket of a log-normal latency around 80 ms."""
    return np.diff(ndtr(np.log(np.array(BOUNDS) / (0.08 * ratio)) / 0.6), prepend=0.0)


def histogram(per_second, pods=8):
    each = tuple((latencies() * per_second * 12 * HALF_HOUR / pods).tolist())
    return Usual([{f"main-{pod}": each for pod in range(pods)}], 12 * HALF_HOUR, BOUNDS)


def planned(check, usual, rollout=FIFTH, known=CALM, **changes):
    parameters = Parameters.model_validate({"checks": [check.model_dump()], **changes})
    (found,) = prospects(parameters, Arm.MAIN, {check.name: usual}, {check.name: known}, rollout)
    return found


def times(found):
    return [found.sights[ratio].seconds for ratio in RATIOS]


def test_larger_harm_is_seen_sooner():
    """A ×5 before a ×3 before a doubling; the curve falls."""
    found = planned(ERRORS, counted(0.01, 20))
    ratios = [ratio for _, ratio in found.curve]

    assert times(found) == sorted(times(found), reverse=True)
    assert times(found)[0] < 3600
    assert ratios == sorted(ratios, reverse=True)
    assert found.usual == "1.0 % errors, 20 requests/s"


def test_more_traffic_or_share_is_sooner():
    """Ten times the requests, or twice the canary's share of them."""
    few, many = (planned(ERRORS, counted(0.01, rate)) for rate in (20, 200))
    small, large = (planned(ERRORS, counted(0.01, 20), Rollout(share, 4)) for share in (0.05, 0.2))

    assert times(many)[1] < times(few)[1]
    assert times(large)[1] < times(small)[1]


def test_what_takes_longer_than_the_window_says_how_long():
    """A quiet service needs hours for a ×5; the window it would need is named."""
    sight = planned(ERRORS, counted(0.001, 1)).sights[5.0]

    assert sight.seconds > 3600
    assert sight.why.startswith("needs decide_by ")


def test_the_window_named_is_enough():
    """Planned again with that decide_by, the change is seen within it."""
    sight = planned(ERRORS, counted(0.001, 1)).sights[5.0]
    again = planned(
        ERRORS, counted(0.001, 1), window={"promote_after": "30m", "decide_by": sight.seconds * 1.01}
    )

    assert again.sights[5.0].why == ""
    assert again.sights[5.0].seconds <= sight.seconds * 1.05


def test_one_pod_may_hide_a_doubling_for_ever():
    """Pods that differ by half: no traffic is enough for one of them; how many would be is said."""
    sight = planned(ERRORS, counted(0.01, 1000), Rollout(0.2, 1), UNLIKE).sights[2.0]

    assert sight.seconds is None
    assert sight.why.startswith("1 canary pod may differ by that much by accident (pods differ by 4")
    assert sight.why.endswith(" would do")


def test_the_pods_named_are_enough():
    """With so many pods there is a time at which the change is seen."""
    sight = planned(ERRORS, counted(0.01, 1000), Rollout(0.2, 1), UNLIKE).sights[3.0]
    pods = int(sight.why.removesuffix(" would do").rpartition(" ")[2])

    assert planned(ERRORS, counted(0.01, 1000), Rollout(0.2, pods), UNLIKE).sights[3.0].seconds


def test_never_an_error_is_no_base_for_a_multiple():
    """Three times nothing is nothing; the rate that would be seen is told instead."""
    found = planned(ERRORS, counted(0.0, 20))

    assert found.sights is None
    assert "a multiple of nothing is nothing" in found.blind
    assert found.told.startswith("by 30 min a canary with ")
    assert found.passing.seconds is not None


def test_no_requests_are_said():
    """A check without traffic compares nothing."""
    assert planned(ERRORS, counted(0.0, 0)).blind.startswith("no requests of main in the last 6 h")
    assert planned(ERRORS, Usual([{}] * 12, HALF_HOUR)).blind.startswith("no requests of main")
    assert planned(LATENCY, Usual()).blind.startswith("0 requests of main")


def test_what_is_no_harm_is_never_seen():
    """Below min_excess, within the tolerance, or beyond all requests."""
    rare = planned(ERRORS, counted(0.0002, 1000))
    tolerant = planned(ERRORS.model_copy(update={"tolerance": 2.0}), counted(0.01, 1000))
    common = planned(ERRORS, counted(0.3, 1000))

    assert "is no harm below min_excess, 0.10 pp" in rare.sights[2.0].why
    assert tolerant.sights[3.0].why == "within the tolerance of 200 %"
    assert common.sights[5.0].why == "30 % cannot become 5.00× as many"


def test_fewer_orders_are_planned_as_a_fall():
    """Where the good outcome is the rarer one, a ratio is how many times fewer there are."""
    found = planned(SALES, counted(0.95, 100))

    assert found.usual.startswith("5.0 % orders")
    assert times(found)[2] < times(found)[1]
    assert "by 30 min a fall to " in found.told


def test_a_pass_is_judged_at_three_times_only():
    """When enough was seen early, a canary passes at promote_after all the same."""
    assert planned(ERRORS, counted(0.01, 1000)).passing.seconds == 1800
    assert planned(ERRORS, counted(0.01, 5)).passing.seconds in (2700, 3600)


def test_a_pass_out_of_reach_says_what_it_needs():
    """More time for few requests; more pods where they differ."""
    slow = planned(ERRORS, counted(0.01, 1)).passing
    unlike = planned(ERRORS, counted(0.01, 1000), Rollout(0.2, 1), UNLIKE).passing

    assert slow.why.startswith("needs decide_by ")
    assert unlike.seconds is None
    assert "no time excludes 2.00×" in unlike.why


def test_latency_is_planned_by_the_check_itself():
    """Slower is seen sooner, a canary as fast passes, a tolerated one is never seen."""
    found = planned(LATENCY, histogram(20))

    assert times(found)[0] >= times(found)[2] > 0
    assert found.passing.seconds == 1800
    assert found.usual == "half take at most 100 ms, 20 requests/s"
    assert planned(LATENCY.model_copy(update={"tolerance": 1.5}), histogram(20)).sights[2.0].why == (
        "within the tolerance of 150 %"
    )


def test_latency_of_few_requests_is_not_judged_in_time():
    """One request in a minute is no distribution within the hour."""
    found = planned(LATENCY, histogram(1 / 60))

    assert found.sights[2.0].seconds is None
    assert found.sights[2.0].why.startswith("not within 1 h")


def test_levels_are_seen_by_pods():
    """Pods alike show a doubling at once; pods that differ hide it, and more of them would show it."""
    alike = Usual([{f"main-{pod}": (100.0 + pod,) for pod in range(8)}] * 12, HALF_HOUR)
    unlike = Usual([{f"main-{pod}": (100.0 * 2.5**pod,) for pod in range(4)}] * 12, HALF_HOUR)

    assert planned(MEMORY, alike).sights[2.0].seconds < 600
    assert "may differ by that much by accident" in planned(MEMORY, unlike).sights[2.0].why
    assert planned(MEMORY, Usual([{"main-0": (0.0,)}], HALF_HOUR)).blind.startswith("no level above 0")
    tolerant = MEMORY.model_copy(update={"max_increase": 1.5})
    assert planned(tolerant, alike).sights[2.0].why == "within what the check allows"


def test_limits_and_leaks_say_what_they_go_by():
    """Checks that wait for no requests have no times."""
    limit = Threshold(name="restarts", kind="threshold", counter="restarts", max=0)
    leak = Trend(name="leak", kind="trend", query="m{$cohort}")

    assert planned(limit, Usual()).told.startswith("an absolute limit")
    assert planned(leak, Usual()).told.startswith("growth of pods")


def test_debug_checks_are_left_out_and_critical_ones_come_first():
    """Nobody waits for what decides nothing."""
    checks = [
        ERRORS.model_copy(update={"name": name, "tier": tier}).model_dump(mode="json")
        for name, tier in (("a", Tier.WARN), ("b", Tier.DEBUG), ("c", Tier.CRITICAL))
    ]
    parameters = Parameters.model_validate({"checks": checks})

    found = prospects(parameters, Arm.MAIN, {}, {}, Rollout(0.2))

    assert [one.check for one in found] == ["c", "a"]


def test_a_refused_history_is_told():
    """What the source said stands in the plan."""
    assert planned(LATENCY, Usual(refused="too large")).blind == "its history cannot be read: too large"


@pytest.mark.simulation
def test_four_of_five_slow_canaries_are_found_when_planned():
    """Latency ×1.35 without noise, 40 releases by the check itself: 80 % by then, to fifteen points."""
    per_second, ratio, releases = 4.0, 1.35, 40
    usual = histogram(per_second)
    parameters = Parameters.model_validate({"checks": [LATENCY.model_dump()]})
    (found,) = prospects(parameters, Arm.MAIN, {"latency": usual}, {}, Rollout(0.2, 2), ratios=(ratio,))
    by = found.sights[ratio].seconds
    grant = Grant(parameters.alpha, Arm.MAIN, 30.0, 120.0, 3600.0)
    rng = np.random.default_rng(20240702)

    failed = np.mean([_fails(grant, per_second, ratio, by, rng) for _ in range(releases)])

    assert 300 < by < 3600
    assert failed == pytest.approx(0.8, abs=0.15)


def _fails(grant, per_second, ratio, by, rng):
    run = LATENCY.begin(grant)
    for index in range(int(by // 30)):
        rows = {
            Arm.MAIN: {f"main-{pod}": _drawn(per_second * 24 / 8, 1.0, rng) for pod in range(8)},
            Arm.CANARY: {f"canary-{pod}": _drawn(per_second * 6 / 2, ratio, rng) for pod in range(2)},
        }
        moment = Moment(Block(index, 30.0 * index, 30.0 * index + 30), index + 1, index >= 4, planning=False)
        run = run.take(Slice(rows, BOUNDS), moment)
        if run.finding(moment).outcome is Outcome.FAIL:
            return True
    return False


def _drawn(mean, ratio, rng):
    return tuple(rng.poisson(mean * latencies(ratio)).astype(float).tolist())
