"""Trends: Sen's own example, scipy, properties, and error rates where points are nearly the same."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.trend import compare_trends, theil_sen

WINDOW = 1800.0
TIMES = np.arange(150.0, WINDOW + 1, 30.0)
VALUE = st.floats(-1e6, 1e6)
SERIES = st.lists(st.just(math.nan) | VALUE, min_size=6, max_size=6)
PODS = st.lists(SERIES, min_size=1, max_size=5)


def drifting(rng: np.random.Generator, pods: int, *, spread: float, rho: float = 0.98) -> np.ndarray:
    """Levels around 1 that wander: AR(1) per pod, pods 3 % apart."""
    level, steps = np.empty((pods, TIMES.size)), rng.normal(size=(pods, TIMES.size))
    level[:, 0] = steps[:, 0]
    for k in range(1, TIMES.size):
        level[:, k] = rho * level[:, k - 1] + math.sqrt(1 - rho**2) * steps[:, k]
    return 1 + spread * level + 0.03 * rng.normal(size=(pods, 1))


def warming(seconds: float) -> np.ndarray:
    """What is missing while caches fill: 30 % of the level at first."""
    return 0.3 * np.exp(-TIMES / seconds)


def failing(
    seed: int,
    *,
    pods: tuple[int, int],
    spread: float = 0.02,
    starts: tuple[float, float] = (0.0, 0.0),
    leak: float = 0.0,
    level: float = 0.01,
    runs: int = 400,
) -> float:
    """Share of releases whose canary is said to leak."""
    rng = np.random.default_rng(seed)
    start_b, start_c = (warming(seconds) if seconds else 0.0 for seconds in starts)
    found = 0
    for _ in range(runs):
        baseline = drifting(rng, pods[0], spread=spread) - start_b
        canary = drifting(rng, pods[1], spread=spread) - start_c + leak * TIMES / WINDOW
        test = compare_trends(TIMES, baseline, canary, window_seconds=WINDOW)
        found += test is not None and test.p_value <= level and test.projected >= 0.1
    return found / runs


def test_the_slope_of_sens_example():
    """Sen (1968), section 6, on Graybill's data: slope 4, 93 % interval 3.71 to 4.38."""
    found = theil_sen([1, 2, 3, 4, 10, 12, 18], [9, 15, 19, 20, 45, 55, 78], alpha=0.07)

    assert found.slope == 4
    assert found.interval == pytest.approx((3.71, 4.38), abs=0.01)
    assert found.points == 7


@given(st.lists(st.integers(-50, 50).map(float), min_size=4, max_size=30), st.integers(0, 99))
@settings(deadline=None)
def test_slope_and_interval_are_scipys(values, seed):
    """With ties, at uneven times."""
    times = np.cumsum(np.random.default_rng(seed).uniform(1, 60, len(values)))
    theirs = scipy.stats.theilslopes(values, times, method="joint")
    found = theil_sen(times, values)

    assert found.slope == pytest.approx(theirs.slope, abs=1e-12)
    assert found.interval == pytest.approx((theirs.low_slope, theirs.high_slope), abs=1e-12)
    assert found.start == pytest.approx(theirs.intercept + theirs.slope * times[0], rel=1e-9, abs=1e-9)


def test_missing_points_are_left_out():
    """A series with gaps has the slope of the points that are there."""
    found = theil_sen([0, 10, 20, 30], [5, math.nan, 25, 35])

    assert (found.slope, found.start, found.points) == (1.0, 5.0, 3)


def test_a_fifth_of_wild_points_moves_little():
    """Scrapes gone wrong do not make a leak."""
    values = 100 + 0.01 * TIMES
    values[::5] = 1e6

    assert theil_sen(TIMES, values).slope == pytest.approx(0.01, abs=0.005)


@pytest.mark.parametrize("values", [[], [1.0], [math.nan, 3.0]])
def test_one_point_has_no_slope(values):
    """Two are needed."""
    assert theil_sen(np.arange(len(values)), values) is None


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([0, 1, 2], [1, 2], "shape"),
        ([0, 0, 1], [1, 2, 3], "rise"),
        ([0, math.nan, 1], [1, 2, 3], "rise"),
        ([0, 1, 2], [1, math.inf, 3], "exceed"),
        ([[0, 1]], [[1, 2]], "shape"),
    ],
)
def test_broken_series_are_refused(times, values, message):
    """Shapes that differ, times that do not rise and endless values are broken input."""
    with pytest.raises(ValueError, match=message):
        theil_sen(times, values)


def test_the_comparison_is_students_t_on_scipys_slopes():
    """Mean slopes over the baseline pods' spread, m - 1 degrees of freedom."""
    rng = np.random.default_rng(3)
    baseline, canary = drifting(rng, 6, spread=0.02), drifting(rng, 3, spread=0.02)
    b, c = ([scipy.stats.theilslopes(row, TIMES).slope for row in rows] for rows in (baseline, canary))
    error = np.std(b, ddof=1) * math.sqrt(1 / 6 + 1 / 3)
    expected = scipy.stats.t.sf((np.mean(c) - np.mean(b)) / error, 5)
    found = compare_trends(TIMES, baseline, canary, window_seconds=WINDOW)

    assert found.p_value == pytest.approx(expected, rel=1e-9)
    assert found.slopes == pytest.approx((np.mean(b), np.mean(c)))
    assert found.pods == (6, 3)


def test_growth_is_a_share_of_ones_own_start():
    """A canary from 200 to 240 MiB within the window grew by 20 %, main from 100 to 101 by 1 %."""
    ramp = np.linspace(0, 1, 61)
    times = ramp * WINDOW
    baseline = np.array([100 + ramp, 100 + 1.1 * ramp, 100 + 0.9 * ramp])
    found = compare_trends(times, baseline, [200 + 40 * ramp], window_seconds=WINDOW)

    assert (found.baseline, found.canary) == pytest.approx((0.01, 0.2))
    assert found.levels == pytest.approx((100, 200))
    assert found.excess == pytest.approx((40 - 1) / 200)
    assert found.late_excess == pytest.approx(found.excess)
    assert found.interval[0] < found.excess < found.interval[1]


def test_bounds_of_the_excess_are_where_the_tests_turn():
    """At a tolerance of the interval's upper bound, that much growth is excluded at 2.5 %."""
    rng = np.random.default_rng(4)
    arms = drifting(rng, 5, spread=0.02), drifting(rng, 2, spread=0.02)
    bound = compare_trends(TIMES, *arms, window_seconds=WINDOW).interval[1]

    assert compare_trends(TIMES, *arms, window_seconds=WINDOW, tolerance=bound).lower_p == pytest.approx(
        0.025
    )


def test_a_start_ends_and_a_leak_goes_on():
    """What grows in the first half only has no growth to project."""
    rng = np.random.default_rng(5)
    flat = drifting(rng, 8, spread=0.001)
    started = np.minimum(TIMES, WINDOW / 2) / WINDOW + flat[:2]
    found = compare_trends(TIMES, flat, started, window_seconds=WINDOW)

    assert found.excess > 0.15
    assert found.projected == found.late_excess < 0.02


def test_a_queue_that_begins_at_nothing_grows_by_a_lot():
    """There is no share of zero; growth ends at 400 %."""
    queue, rest = (TIMES - TIMES[0])[None, :], np.array([[5.0], [5.1], [4.9]]) + np.zeros_like(TIMES)
    found = compare_trends(TIMES, rest, queue, window_seconds=TIMES[-1] - TIMES[0])

    assert found.canary == pytest.approx(4)


def test_pods_that_came_late_or_went_early_do_not_count():
    """A pod seen for less than half of the time says nothing of a trend."""
    rng = np.random.default_rng(6)
    baseline, canary = drifting(rng, 4, spread=0.02), drifting(rng, 3, spread=0.02)
    late = canary.copy()
    late[0, : TIMES.size // 2 + 2] = math.nan
    late[1, 3:] = math.nan
    found = compare_trends(TIMES, baseline, late, window_seconds=WINDOW)

    assert found.pods == (4, 1)
    assert found == compare_trends(TIMES, baseline, late[2:], window_seconds=WINDOW)


@pytest.mark.parametrize(("pods", "canaries"), [(1, 2), (0, 2), (3, 0)])
def test_too_few_pods_have_no_comparison(pods, canaries):
    """One pod says nothing of how pods differ."""
    arms = np.ones((pods, TIMES.size)), np.ones((canaries, TIMES.size))

    assert compare_trends(TIMES, *arms, window_seconds=WINDOW) is None


def test_without_a_level_there_is_no_growth():
    """Nothing, or less, has no share."""
    arms = np.ones((3, TIMES.size)), np.zeros((2, TIMES.size))

    assert compare_trends(TIMES, *arms, window_seconds=WINDOW) is None
    assert compare_trends(TIMES, *arms[::-1], window_seconds=WINDOW) is None


def test_too_few_points_have_no_comparison():
    """Three points are no trend."""
    assert compare_trends([0, 30, 60], np.ones((3, 3)), np.ones((2, 3)), window_seconds=60) is None


@given(PODS, PODS, st.floats(0, 3))
@settings(deadline=None)
def test_every_number_is_one(baseline, canary, tolerance):
    """No NaN, p-values are chances, bounds hold the estimate, whatever is missing."""
    found = compare_trends(
        [0, 30, 60, 90, 120, 150], baseline, canary, window_seconds=150, tolerance=tolerance
    )
    if found is None:
        return
    numbers = [found.baseline, found.canary, found.excess, found.late_excess, *found.interval, *found.slopes]

    assert not any(map(math.isnan, numbers))
    assert 0 <= found.p_value <= 1
    assert 0 <= found.lower_p <= 1
    assert found.interval[0] <= found.excess <= found.interval[1]
    assert min(found.levels) > 0


@given(st.integers(0, 10_000), st.floats(0, 0.5))
@settings(deadline=None, max_examples=40)
def test_a_faster_leak_never_raises_p(seed, leak):
    """The test is monotone in the canary's slope, and blind to the size of all levels."""
    rng = np.random.default_rng(seed)
    arms = drifting(rng, 4, spread=0.02), drifting(rng, 2, spread=0.02)
    plain = compare_trends(TIMES, *arms, window_seconds=WINDOW)
    leaking = compare_trends(TIMES, arms[0], arms[1] + leak * TIMES / WINDOW, window_seconds=WINDOW)
    larger = compare_trends(TIMES, 1e9 * arms[0], 1e9 * arms[1], window_seconds=WINDOW)

    assert leaking.p_value <= plain.p_value * (1 + 1e-9)
    assert larger.p_value == pytest.approx(plain.p_value, rel=1e-6)
    assert larger.excess == pytest.approx(plain.excess, rel=1e-6, abs=1e-9)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_pods_have_no_order(seed):
    """Pods in another order, and arms upside down, say the same."""
    rng = np.random.default_rng(seed)
    baseline, canary = drifting(rng, 5, spread=0.02), drifting(rng, 3, spread=0.02)
    plain = compare_trends(TIMES, baseline, canary, window_seconds=WINDOW)
    turned = compare_trends(TIMES, baseline[::-1], canary[::-1], window_seconds=WINDOW)
    mirrored = compare_trends(TIMES, 10 - baseline, 10 - canary, window_seconds=WINDOW)

    assert turned.p_value == pytest.approx(plain.p_value, rel=1e-9)
    assert mirrored.p_value == pytest.approx(1 - plain.p_value, rel=1e-6)


@pytest.mark.simulation
@pytest.mark.parametrize("pods", [(4, 1), (8, 2), (16, 4)])
@pytest.mark.parametrize("starts", [(0.0, 0.0), (300.0, 300.0)])
def test_points_that_are_nearly_the_same_are_no_trend(pods, starts):
    """AR(1) of 0.98, with and without both arms warming up: at most 1 % fail at a nominal 1 %."""
    failed = failing(20261121, pods=pods, spread=0.05, starts=starts, runs=600)

    assert failed <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / 600)


@pytest.mark.simulation
@pytest.mark.parametrize("pods", [(4, 1), (16, 4)])
def test_p_is_a_chance_under_the_null(pods):
    """Without the gate on growth the p-value alone keeps its level."""
    rng, runs = np.random.default_rng(7), 600
    arms = ((drifting(rng, pods[0], spread=0.02), drifting(rng, pods[1], spread=0.02)) for _ in range(runs))
    crossed = np.mean([compare_trends(TIMES, *pair, window_seconds=WINDOW).p_value <= 0.05 for pair in arms])

    assert abs(crossed - 0.05) <= 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.simulation
def test_a_canary_s_own_start_is_no_leak():
    """Caches that fill within minutes, in the canary alone: four minutes of it are told from a leak."""
    assert failing(8, pods=(16, 4), starts=(0.0, 240.0)) <= 0.01
    assert failing(8, pods=(8, 2), starts=(0.0, 120.0)) <= 0.01


@pytest.mark.simulation
@pytest.mark.parametrize(("pods", "power"), [((4, 1), 0.75), ((8, 2), 0.97), ((16, 4), 0.99)])
def test_a_leak_of_a_fifth_is_found(pods, power):
    """20 % over the window, pods that wander by 2 %, at 1 %."""
    assert failing(9, pods=pods, leak=0.2) >= power
