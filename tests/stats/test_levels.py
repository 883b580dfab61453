"""Levels are compared between pods, never between points in time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.stats.levels import compare_levels

levels = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=8)
any_levels = st.lists(st.floats(0, exclude_min=True, allow_infinity=False), min_size=1, max_size=8)


def test_without_a_prior_it_is_students_t():
    """With a vanishing prior and equal spreads the p-value is scipy's, on the baseline's variance."""
    from scipy.stats import t

    baseline, canary = [100.0, 110.0, 95.0, 102.0], [120.0, 118.0]
    found = compare_levels(baseline, canary, tolerance=0.0, prior_weight=1e-12)
    b, c = np.log(baseline), np.log(canary)
    expected = t.sf((c.mean() - b.mean()) / (b.std(ddof=1) * math.sqrt(1 / 4 + 1 / 2)), 3)

    assert found is not None
    assert found.p_value == pytest.approx(expected, rel=1e-6)


def test_interval_bounds_are_where_the_test_turns():
    """A tolerance at the interval's lower bound has a p-value of 2.5 %."""
    first = compare_levels([1.0, 1.1, 0.9], [1.5, 1.4], tolerance=0.0)
    assert first is not None
    again = compare_levels([1.0, 1.1, 0.9], [1.5, 1.4], tolerance=first.interval[0] - 1)

    assert again is not None
    assert again.p_value == pytest.approx(0.025, rel=1e-9)


@given(levels, levels, st.floats(0, 2))
def test_both_sides_make_one(baseline, canary, tolerance):
    """The two one-sided p-values are complementary, and neither is NaN."""
    found = compare_levels(baseline, canary, tolerance=tolerance)

    assert found is not None
    assert 0 <= found.p_value <= 1
    assert found.p_value + found.lower_p == pytest.approx(1.0)


@given(any_levels, any_levels, st.floats(-1, 1e300, exclude_min=True))
def test_levels_may_be_as_extreme_as_floats_are(baseline, canary, tolerance):
    """Nothing overflows and nothing is NaN: p-values are probabilities, the ratio is in its interval."""
    found = compare_levels(baseline, canary, tolerance=tolerance)

    assert found is not None
    assert 0 <= found.p_value <= 1
    assert 0 <= found.lower_p <= 1
    assert 0 <= found.interval[0] <= found.ratio <= found.interval[1] <= math.inf
    assert min(found.baseline, found.canary) >= 0


def test_a_ratio_beyond_every_float_is_endless():
    """From the smallest float to the largest there is no finite factor, and back there is none above 0."""
    up, down = (
        compare_levels([5e-324], [1.7e308], tolerance=0.1),
        compare_levels([1.7e308], [5e-324], tolerance=0.1),
    )

    assert (up.ratio, up.interval) == (math.inf, (math.inf, math.inf))
    assert (down.ratio, down.interval) == (0.0, (0.0, 0.0))
    assert (up.p_value < 1e-6, down.p_value) == (True, pytest.approx(1.0))


@pytest.mark.parametrize(
    ("baseline", "canary"), [([], [1.0]), ([1.0], []), ([0.0, -1.0], [1.0]), ([math.nan], [2.0])]
)
def test_nothing_above_zero_is_no_level(baseline, canary):
    """Without a positive finite level in both arms there is no ratio."""
    assert compare_levels(baseline, canary, tolerance=0.1) is None


@pytest.mark.simulation
@pytest.mark.parametrize(("pods", "canaries"), [(2, 1), (4, 2), (20, 4)])
def test_error_rate_at_the_boundary(pods, canaries):
    """Pods that differ by the prior's 10 % and a canary exactly at the tolerance: at most 5 % fail."""
    rng = np.random.default_rng(20261121)
    runs = 4000
    failed = sum(
        found.p_value <= 0.05
        for _ in range(runs)
        if (
            found := compare_levels(
                np.exp(rng.normal(0, 0.1, pods)), 1.15 * np.exp(rng.normal(0, 0.1, canaries)), tolerance=0.15
            )
        )
    )

    assert 0.005 <= failed / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
