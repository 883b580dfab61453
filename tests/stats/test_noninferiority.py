"""Non-inferiority: scipy's binomial and Garwood's table, properties, wrong passes by simulation."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.noninferiority import proportion_pass, upper_rate

EVENTS, REQUESTS = st.integers(0, 200), st.integers(1, 10**6)


def test_the_ratio_test_is_the_binomial_under_a_doubling():
    """At share 20 % a doubled canary has 1/3 of the errors; 20 of 100 are too few for that."""
    found = proportion_pass(80, 8000, 20, 2000)

    assert found.ratio_p == pytest.approx(scipy.stats.binom.cdf(20, 100, 1 / 3), rel=1e-10)
    assert found.passed


def test_dispersion_makes_it_a_beta_binomial():
    """With D = 3 among 100 errors the correlation is 2/99."""
    found = proportion_pass(80, 8000, 20, 2000, dispersion=3.0)
    size = 99 / 2 - 1

    assert found.ratio_p == pytest.approx(
        scipy.stats.betabinom.cdf(20, 100, size / 3, size * 2 / 3), rel=1e-9
    )


def test_six_hundred_clean_requests_exclude_half_a_percent():
    """The rule of three: 3/600."""
    found = proportion_pass(0, 8000, 0, 600)

    assert found.passed
    assert found.upper_rate == pytest.approx(-math.log(0.05) / 600)


def test_five_hundred_do_not():
    """One request in two hundred could still be failing."""
    assert not proportion_pass(0, 8000, 0, 500).passed


@pytest.mark.parametrize(("events", "bound"), [(0, 2.996), (1, 4.744), (2, 6.296), (5, 10.513), (10, 16.962)])
def test_upper_bounds_are_garwoods(events, bound):
    """One-sided 95 % bounds of a Poisson mean, as tabled."""
    assert upper_rate(events, 1000) == pytest.approx(bound / 1000, abs=5e-7)


def test_nothing_seen_excludes_no_rate():
    """And no bound is above one."""
    assert upper_rate(0, 0) == 1.0
    assert upper_rate(5, 2) == 1.0


@pytest.mark.parametrize("counts", [(0, 0, 0, 5000), (10, 1000, 0, 0), (0, 0, 0, 0)])
def test_silence_never_passes(counts):
    """Without requests in both arms nothing is excluded."""
    found = proportion_pass(*counts)

    assert not found.passed
    assert found.p_value == 1.0


@pytest.mark.parametrize("counts", [(-1, 10, 0, 10), (0, math.nan, 0, 10), (0, 10, math.inf, 10)])
def test_impossible_counts_are_refused(counts):
    """Negative, unknown or endless counts are broken input."""
    with pytest.raises(ValueError, match="finite"):
        proportion_pass(*counts)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_all_excludes_no_ratio(share):
    """Then only the absolute margin can pass."""
    found = proportion_pass(5, 1000, 0, 10, expected_share=share)

    assert found.ratio_p == 1.0
    assert found.ratio_interval[1] == math.inf or found.ratio_interval[1] == 0.0


def test_the_share_comes_from_the_blocks_where_weights_moved():
    """Most errors fell while the canary had 5 %: then 20 of 100 is four times the baseline, not the same."""
    pooled = proportion_pass(80, 8000, 20, 2000)
    weighed = proportion_pass(80, 8000, 20, 2000, expected_share=0.06)

    assert pooled.ratio == pytest.approx(1.02, abs=0.01)
    assert weighed.ratio > 3.5
    assert weighed.ratio_p > 0.9


def test_a_ramp_with_a_drift_is_no_difference():
    """5 % at a rate of 1 %, then 50 % at 3 %: 155 errors of the canary are just what the blocks expect."""
    share = (100 * 0.05 + 300 * 0.5) / 400
    rate = (500 * 0.01 + 5000 * 0.03) / 5500
    found = proportion_pass(245, 14_500, 155, 5500, expected_share=share, baseline_rate=rate)
    pooled = proportion_pass(245, 14_500, 155, 5500)

    assert found.ratio == pytest.approx(1.0, abs=0.01)
    assert found.absolute_p < 0.05 < pooled.absolute_p
    assert pooled.ratio > 1.6


@given(EVENTS, REQUESTS, EVENTS, REQUESTS, st.floats(1, 20), st.floats(0.001, 0.5))
@settings(deadline=None)
def test_every_number_is_in_its_range(b, n_b, c, n_c, dispersion, level):
    """No NaN, p in [0, 1], the ratio inside its interval."""
    found = proportion_pass(b, n_b, c, n_c, dispersion=dispersion, level=level)

    assert 0 <= found.p_value <= 1
    assert found.passed == (found.p_value <= level)
    assert 0 <= found.upper_rate <= 1
    assert 0 <= found.ratio_interval[0] <= found.ratio_interval[1]
    assert 0 < found.ratio < math.inf


@given(EVENTS, REQUESTS, EVENTS, REQUESTS)
@settings(deadline=None)
def test_another_canary_error_never_helps(b, n_b, c, n_c):
    """Both tests are monotone in the canary's errors."""
    better, worse = (proportion_pass(b, n_b, errors, n_c) for errors in (c, c + 1))

    assert better.ratio_p <= worse.ratio_p + 1e-12
    assert better.absolute_p <= worse.absolute_p + 1e-12


@given(EVENTS, REQUESTS, EVENTS, REQUESTS)
@settings(deadline=None)
def test_the_interval_says_what_the_test_says(b, n_b, c, n_c):
    """Without dispersion a doubling is excluded exactly where the upper end is below two."""
    found = proportion_pass(b, n_b, c, n_c)

    assert (found.ratio_interval[1] < 2.0) == (found.ratio_p < 0.05)


@pytest.mark.simulation
@pytest.mark.parametrize("level", [0.05, 0.05 / 3])
def test_a_doubled_error_rate_rarely_passes(level):
    """A canary at the ratio margin (and far beyond the absolute one) passes at most at the level."""
    rng = np.random.default_rng(20240509)
    b, c = rng.poisson(8000 * 0.05, 3000), rng.poisson(2000 * 0.1, 3000)
    passed = np.mean(
        [proportion_pass(x, 8000, y, 2000, level=level).passed for x, y in zip(b, c, strict=True)]
    )

    assert passed < level + 3 * math.sqrt(level / 3000)


@pytest.mark.simulation
def test_clumped_errors_are_allowed_for():
    """Errors in batches of three pass a doubling at most at the level, once the dispersion is said."""
    rng = np.random.default_rng(20240510)
    b, c = 3 * rng.poisson(8000 * 0.05 / 3, 3000), 3 * rng.poisson(2000 * 0.1 / 3, 3000)
    plain, said = (
        np.mean(
            [
                proportion_pass(x, 8000, y, 2000, dispersion=d).ratio_p <= 0.05
                for x, y in zip(b, c, strict=True)
            ]
        )
        for d in (1.0, 3.0)
    )

    assert plain > 0.1
    assert said < 0.05 + 0.012


@pytest.mark.simulation
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.975])
def test_a_small_baseline_lets_no_more_pass(share):
    """With little traffic left for the baseline its rate is a guess; the margin holds still."""
    rng = np.random.default_rng(5)
    n_c, n_b, rate, runs, level = int(40_000 * share), 40_000 - int(40_000 * share), 0.01, 3000, 0.05 / 3
    counts = zip(rng.binomial(n_b, rate, runs), rng.binomial(n_c, rate + 0.005, runs), strict=True)
    wrong = sum(proportion_pass(b, n_b, c, n_c, level=level).absolute_p <= level for b, c in counts)

    assert wrong / runs <= level + 3 * (level / runs) ** 0.5
