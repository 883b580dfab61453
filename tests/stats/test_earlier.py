"""A rate against earlier windows: its limits in closed form, properties, and how often it errs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from firedamp.stats.earlier import compare, learnt
from firedamp.stats.noise import Learnt

#: (coefficient of variation, windows, flows in each, rate of failures).
WANDERING = [(0.2, 22, 1000, 0.01), (0.5, 22, 100, 0.01), (0.5, 6, 1000, 0.01), (0.5, 22, 1000, 0.1)]


def steady(events, requests):
    """Earlier windows of which it is known for certain that they do not wander."""
    return Learnt(phi_sum=1e-6, phi_weight=1e6, events=events, requests=requests)


def judged(earlier, failed, total, *, tolerance=0.0, margin=2.0):
    """The comparison."""
    return compare(earlier, failed, total, tolerance=tolerance, margin=margin)


def test_rates_that_do_not_wander_are_compared_by_the_binomial():
    """Scipy's, of 30 among 100 failures where a fifth is expected."""
    found = judged(steady(70, 4000), 30, 1000)

    assert found.p_value == pytest.approx(stats.binomtest(30, 100, 0.2, "greater").pvalue, rel=1e-9)


def test_a_margin_is_excluded_by_the_binomial():
    """Scipy's, of 12 among 112 failures where a third is expected."""
    found = judged(steady(100, 4000), 12, 1000)

    assert found.lower_p == pytest.approx(stats.binomtest(12, 112, 1 / 3, "less").pvalue, rel=1e-9)


@pytest.mark.parametrize("times", [1.05, 1.12, 1.25])
@pytest.mark.parametrize("windows", [6, 12, 25])
def test_where_counts_are_certain_one_more_window_is_predicted_by_students_t(windows, times):
    """Scipy's: ten million failures in each window, which wander by 5 %."""
    each, cv = 1e7, 0.05
    earlier = Learnt((1 + each * cv**2) * (windows - 1), windows - 1, 0, 0, each * windows, 1e9 * windows)

    found = judged(earlier, times * each, 1e9)

    score = math.log(times) / math.sqrt(cv**2 * (1 + 1 / windows))
    assert found.p_value == pytest.approx(stats.t.sf(score, windows - 1), rel=0.05)


def test_windows_of_unlike_size_count_as_fewer():
    """One large one and nine small ones tell little: Kish's 1.8 windows."""
    found = learnt([9, 1, 1, 1, 1, 1, 1, 1, 1, 1], [900] + [100] * 9)

    assert found.phi_weight == pytest.approx(1800**2 / (900**2 + 9 * 100**2) - 1)


def test_clumps_are_pearsons():
    """Scipy's chi-square of the table, over its degrees of freedom."""
    failed, total = np.array([3, 9, 4, 12]), np.array([100, 100, 100, 100])

    found = learnt(failed, total)

    table = stats.chi2_contingency([failed, total - failed], correction=False)
    assert found.phi_sum / found.phi_weight == pytest.approx(table.statistic / table.dof)


def test_a_first_failure_after_none_is_no_proof():
    """Nobody knows how windows without failures wander."""
    earlier = learnt([0] * 20, [100] * 20)

    assert judged(earlier, 1, 100).p_value > 0.05


def test_many_failures_after_none_are():
    """Half of all, where two thousand went well."""
    earlier = learnt([0] * 20, [100] * 20)

    assert judged(earlier, 500, 1000).p_value < 0.01


@pytest.mark.parametrize(("failed", "total"), [([], []), ([1], [10]), ([1, 0], [10, 0])])
def test_without_two_windows_nothing_is_compared(failed, total):
    """Nothing tells how much the rate wanders."""
    assert judged(learnt(failed, total), 5, 10) is None


def test_without_anything_now_nothing_is_compared():
    """There is no rate."""
    assert judged(learnt([1, 2], [10, 10]), 0, 0) is None


@pytest.mark.parametrize(("failed", "total"), [([-1], [5]), ([6], [5]), ([1], [math.inf]), ([1, 2], [5])])
def test_what_are_no_counts_is_refused(failed, total):
    """Failures are out of a total, window by window."""
    with pytest.raises(ValueError, match="expected finite counts"):
        learnt(failed, total)


WINDOWS = st.lists(st.tuples(st.integers(0, 50), st.integers(50, 500)), min_size=2, max_size=30)


@given(windows=WINDOWS, failed=st.integers(0, 400), more=st.integers(0, 100), total=st.integers(500, 5000))
def test_more_failures_are_never_more_likely(windows, failed, more, total):
    """Nor is their margin excluded sooner; and p-values are probabilities."""
    earlier = learnt(*zip(*windows, strict=True))

    few, many = judged(earlier, failed, total), judged(earlier, failed + more, total)

    assert 0 < many.p_value <= few.p_value + 1e-12 <= 1 + 1e-12
    assert 0 < few.lower_p <= many.lower_p + 1e-12 <= 1 + 1e-12


@given(windows=WINDOWS, failed=st.integers(0, 500), wander=st.floats(1, 50))
def test_wandering_never_makes_a_rise_more_certain(windows, failed, wander):
    """The same failures before, in clumps."""
    calm = learnt(*zip(*windows, strict=True))
    wild = Learnt(wander * calm.phi_sum, calm.phi_weight, 0, 0, calm.events, calm.requests)

    assert judged(calm, failed, 1000).p_value <= judged(wild, failed, 1000).p_value + 1e-12


@given(windows=WINDOWS, failed=st.integers(0, 500), tolerance=st.floats(0, 5))
def test_tolerance_never_makes_a_rise_more_certain(windows, failed, tolerance):
    """A larger rise is allowed."""
    earlier = learnt(*zip(*windows, strict=True))

    strict, lenient = (judged(earlier, failed, 1000, tolerance=each) for each in (0.0, tolerance))

    assert strict.p_value <= lenient.p_value + 1e-12


@pytest.mark.parametrize(("cv", "windows", "flows", "rate"), WANDERING)
def test_a_rate_that_wanders_as_before_is_seldom_called_worse(cv, windows, flows, rate):
    """The docstring's promise, log-normal rates, 3,000 releases: 1.5 times the level at most."""
    rng = np.random.default_rng(11)
    found = [_healthy(rng, cv, windows, flows, rate).p_value for _ in range(3000)]

    for level in (0.05, 0.01):
        wrong = sum(p <= level for p in found)
        assert stats.binomtest(wrong, len(found), 1.5 * level, "greater").pvalue > 1e-3


@pytest.mark.parametrize(("cv", "windows", "flows", "rate"), WANDERING)
def test_a_rise_to_the_margin_is_seldom_excluded(cv, windows, flows, rate):
    """The docstring's promise, at 5 %: 10 % at most."""
    rng = np.random.default_rng(12)
    found = [_healthy(rng, cv, windows, flows, rate, times=2.0).lower_p for _ in range(2000)]

    wrong = sum(p <= 0.05 for p in found)
    assert stats.binomtest(wrong, len(found), 0.10, "greater").pvalue > 1e-3


def test_a_fivefold_rise_is_found():
    """22 windows of 300 flows at 1 %, wandering by 0.2: most releases at a level of 1 %."""
    rng = np.random.default_rng(13)
    found = [_healthy(rng, 0.2, 22, 300, 0.01, times=5.0).p_value <= 0.01 for _ in range(500)]

    assert sum(found) / len(found) > 0.8


def _healthy(rng, cv, windows, flows, rate, times=1.0):
    """One release: windows before, and forty times as many flows now, at so many times the rate."""
    sigma = math.sqrt(math.log1p(cv**2))
    rates = np.minimum(rate * rng.lognormal(-(sigma**2) / 2, sigma, windows + 1), 1.0)
    earlier = learnt(rng.binomial(flows, rates[:-1]), np.full(windows, flows))
    return judged(earlier, rng.binomial(40 * flows, min(times * rates[-1], 1.0)), 40 * flows)
