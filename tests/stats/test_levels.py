"""Levels are compared between pods, never between points in time: with a prior, without, and by exchange."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.levels import (
    DRAWN_WAYS,
    EXACT_WAYS,
    LevelTest,
    compare_levels,
    permute_levels,
    welch_levels,
)

#: Survival in days of sixteen mice after surgery: Efron & Tibshirani (1993), table 2.1.
CONTROL, TREATED = [52, 104, 146, 10, 51, 30, 40, 27, 46], [94, 197, 16, 38, 99, 141, 23]

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


@given(st.integers(0, 10_000), st.floats(-0.5, 2))
@settings(deadline=None)
def test_welch_is_scipys(seed, tolerance):
    """Unequal variances, on logarithms, the tolerance in the null."""
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(seed)
    b, c = rng.normal(0, 0.1, rng.integers(2, 9)), rng.normal(0.1, 0.3, rng.integers(2, 9))
    theirs = ttest_ind(c - math.log1p(tolerance), b, equal_var=False, alternative="greater")
    found = welch_levels(np.exp(b), np.exp(c), tolerance=tolerance)

    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-6)
    assert found.freedom == pytest.approx(theirs.df, rel=1e-9)


def test_the_mice_of_efron_and_tibshirani():
    """A one-sided permutation p of 0.14 (drawn a thousand times in the book: 0.132), counted here."""
    from scipy.stats import permutation_test

    found = permute_levels(np.exp(CONTROL), np.exp(TREATED), tolerance=0.0)
    theirs = permutation_test(
        (TREATED, CONTROL), lambda x, y: np.mean(x) - np.mean(y), alternative="greater", n_resamples=np.inf
    )

    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-12)
    assert found.p_value == pytest.approx(0.132, abs=0.012)
    assert (found.ways, found.exact) == (11_440, True)


@pytest.mark.parametrize(("pods", "canaries"), [(2, 1), (8, 4), (10, 2)])
def test_the_smallest_p_is_one_way_of_all(pods, canaries):
    """A canary above all others cannot say more than 1 / C(pods, canary pods)."""
    found = permute_levels(np.arange(1, pods + 1), 100.0 + np.arange(canaries), tolerance=0.15)

    assert found.p_value == pytest.approx(1 / math.comb(pods + canaries, canaries))
    assert found.lower_p == 1.0


def test_a_tolerance_is_part_of_the_null():
    """A canary higher by just the tolerance is one way among the equals."""
    baseline = [100.0, 110.0, 95.0]
    found = permute_levels(baseline, [1.15 * level for level in baseline], tolerance=0.15)

    assert found.p_value == permute_levels(baseline, baseline, tolerance=0.0).p_value
    assert found.ratio == pytest.approx(1.15)


def test_too_many_ways_are_drawn():
    """Forty pods have 1e11 ways: draws come near the t-test, and are the same ones from the same seed."""
    rng = np.random.default_rng(1)
    baseline, canary = np.exp(rng.normal(0, 0.1, 20)), np.exp(rng.normal(0.04, 0.1, 20))
    one, two = (permute_levels(baseline, canary, tolerance=0.0, rng=np.random.default_rng(5)) for _ in "ab")

    assert one == two
    assert (one.ways, one.exact) == (DRAWN_WAYS + 1, False)
    assert one.p_value == pytest.approx(welch_levels(baseline, canary, tolerance=0.0).p_value, abs=0.01)


def test_draws_never_say_zero():
    """The true way is one of them."""
    far = permute_levels(np.ones(20), np.full(20, 9.0), tolerance=0.0, rng=np.random.default_rng(5))

    assert far.p_value == 1 / (DRAWN_WAYS + 1)


def test_draws_need_dice():
    """Too many ways and no rng is an error that says so."""
    assert math.comb(18, 9) > EXACT_WAYS
    with pytest.raises(ValueError, match="48620 ways"):
        permute_levels(np.ones(9), np.ones(9), tolerance=0.0)


@pytest.mark.parametrize(
    ("baseline", "canary"), [([], [1.0, 2.0]), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 1.0])]
)
def test_welch_needs_two_pods_an_arm(baseline, canary):
    """One pod has no spread of its own, and a level of 0 has no logarithm."""
    assert welch_levels(baseline, canary, tolerance=0.1) is None


def test_exchange_needs_a_pod_an_arm():
    """Nothing has no ratio."""
    assert permute_levels([1.0, -1.0], [math.nan, 0.0], tolerance=0.1) is None


def test_pods_that_are_all_the_same_are_told_apart():
    """No spread at all: equal is a coin toss, higher is certain."""
    assert welch_levels([5.0, 5.0], [5.0, 5.0], tolerance=0.0).p_value == 0.5
    assert welch_levels([5.0, 5.0], [6.0, 6.0], tolerance=0.0).p_value < 1e-9
    assert permute_levels([5.0, 5.0], [5.0, 5.0], tolerance=0.0).p_value == 1.0


few = st.lists(st.floats(0, exclude_min=True, allow_infinity=False), min_size=2, max_size=5)


@given(few, few, st.floats(-1, 1e300, exclude_min=True))
@settings(deadline=None)
def test_all_tests_take_any_levels(baseline, canary, tolerance):
    """No NaN, chances in [0, 1], the ratio in its interval, and more for the canary never raises p."""
    welch, exchanged = (
        test(baseline, canary, tolerance=tolerance) for test in (welch_levels, permute_levels)
    )

    assert isinstance(welch, LevelTest)
    assert 0 <= welch.p_value <= 1
    assert welch.p_value + welch.lower_p == pytest.approx(1.0)
    assert welch.interval[0] <= welch.ratio <= welch.interval[1]
    assert 0 < exchanged.p_value <= 1
    assert exchanged.p_value + exchanged.lower_p >= 1 - 1e-12
    higher = permute_levels(baseline, [min(2 * level, 1e308) for level in canary], tolerance=tolerance)
    assert higher.p_value <= exchanged.p_value or max(canary) > 5e307


@given(few, few)
@settings(deadline=None)
def test_exchanging_the_arms_exchanges_the_sides(baseline, canary):
    """Without tolerance both are symmetric, in any unit."""
    for test in (welch_levels, permute_levels):
        forth, back = test(baseline, canary, tolerance=0.0), test(canary, baseline, tolerance=0.0)

        assert forth.p_value == pytest.approx(back.lower_p, rel=1e-6, abs=1e-12)


@pytest.mark.simulation
@pytest.mark.parametrize("test", [welch_levels, permute_levels])
@pytest.mark.parametrize("pods", [(8, 4), (5, 5)])
def test_the_tests_without_a_prior_keep_their_level(test, pods):
    """A canary exactly at the tolerance fails in at most 5 % of releases."""
    rng, runs = np.random.default_rng(20261124), 2000
    failed = sum(
        test(
            np.exp(rng.normal(0, 0.1, pods[0])),
            1.15 * np.exp(rng.normal(0, 0.1, pods[1])),
            tolerance=0.15,
        ).p_value
        <= 0.05
        for _ in range(runs)
    )

    assert 0.02 <= failed / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.simulation
def test_welch_bears_versions_that_differ_in_spread():
    """Canary pods four times as far apart: Welch keeps 5 %, the test on the baseline's spread does not."""
    rng, runs = np.random.default_rng(20261125), 2000
    arms = [(np.exp(rng.normal(0, 0.1, 12)), np.exp(rng.normal(0, 0.4, 4))) for _ in range(runs)]
    welch, shrunk = (
        np.mean([test(*pair, tolerance=0.0).p_value <= 0.05 for pair in arms])
        for test in (welch_levels, compare_levels)
    )

    assert welch <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert shrunk > 0.15
