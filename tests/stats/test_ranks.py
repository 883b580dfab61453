"""Ranks: scipy's two tests, enumeration, lognormal theory, properties, error rates at the tolerance."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firedamp.stats.ranks import compare_histograms, mann_whitney
from firedamp.stats.stretch import Shape

BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf]
COUNTS = st.lists(st.integers(0, 2000), min_size=12, max_size=12)
VALUES = st.lists(st.integers(-5, 30).map(float), min_size=1, max_size=40)
SIGMA = 0.6


def exact(median: float, n: float) -> np.ndarray:
    """Expected requests per bucket of lognormal latencies."""
    below = scipy.stats.lognorm.cdf(BOUNDS, SIGMA, scale=median)
    return n * np.diff([0.0, *below])


def drawn(rng: np.random.Generator, median: float, n: int, times: int) -> np.ndarray:
    """Requests per bucket, drawn: (times, buckets)."""
    return rng.multinomial(n, exact(median, 1.0), size=times)


def normal_theta(log_ratio: float) -> float:
    """Chance that one lognormal exceeds another."""
    return float(scipy.stats.norm.cdf(log_ratio / (SIGMA * math.sqrt(2))))


@given(VALUES, VALUES)
@settings(deadline=None)
def test_the_plain_p_is_scipys_mann_whitney(baseline, canary):
    """Asymptotic, with ties and continuity corrected."""
    found = mann_whitney(baseline, canary)
    spread = len(set(baseline + canary)) > 1
    theirs = scipy.stats.mannwhitneyu(canary, baseline, alternative="greater", method="asymptotic").pvalue

    assert found.plain_p == pytest.approx(theirs if spread else 1.0, rel=1e-9)


@given(st.integers(10, 60), st.integers(10, 60), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_z_and_p_are_scipys_brunner_munzel(n, m, seed):
    """Normal version, on rounded values with ties."""
    rng = np.random.default_rng(seed)
    baseline, canary = np.round(rng.normal(0, 1, n), 1), np.round(rng.normal(0.3, 3, m), 1)
    found = mann_whitney(baseline, canary)
    assume(0 < found.theta < 1)  # scipy divides by zero where the samples do not overlap
    theirs = scipy.stats.brunnermunzel(baseline, canary, alternative="less", distribution="normal")

    assert found.z == pytest.approx(theirs.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_theta_counts_pairs():
    """Of 3 x 4 pairs seven are won by the canary and two are ties."""
    found = mann_whitney([1, 3, 5], [2, 3, 5, 9])

    assert found.theta == pytest.approx((7 + 2 / 2) / 12)
    assert found.cliffs_delta == pytest.approx((7 - 3) / 12)


def test_the_scale_of_values_is_the_median_ratio():
    """Twice the values are twice as large, wherever they come from."""
    values = np.exp(np.random.default_rng(1).normal(0, 1, 50))
    found = mann_whitney(values, 2 * values)

    assert found.scale == pytest.approx(2.0)
    assert found.interval[0] < 2.0 < found.interval[1]


@pytest.mark.parametrize(
    ("baseline", "canary"), [([0.0, 1.0], [1.0, 2.0]), (np.ones(2000), np.ones(2000)), ([-1.0], [3.0])]
)
def test_values_without_a_ratio_have_no_scale(baseline, canary):
    """Zero, negative or too many values say one, and that it may be anything."""
    found = mann_whitney(baseline, canary)

    assert (found.scale, found.interval) == (1.0, (0.0, math.inf))


def test_a_tolerance_on_values_multiplies_the_baseline():
    """A canary 15 % higher under a tolerance of 15 % is a coin toss."""
    values = np.exp(np.random.default_rng(2).normal(0, 1, 50))

    assert mann_whitney(values, values * 1.15, tolerance=0.15).theta == pytest.approx(0.5)


def test_no_values_no_test():
    """An empty arm cannot be ranked."""
    assert mann_whitney([], [1.0]) is None


def test_values_are_finite():
    """NaN has no rank."""
    with pytest.raises(ValueError, match="finite"):
        mann_whitney([1.0, math.nan], [1.0])


def test_buckets_of_single_values_are_those_values():
    """A histogram whose buckets hold one value each ranks like the values, as far as θ goes."""
    rng = np.random.default_rng(3)
    baseline, canary = rng.integers(0, 12, 300), rng.integers(2, 12, 80)
    histograms = [np.bincount(values, minlength=12) for values in (baseline, canary)]
    found, raw = (
        compare_histograms(*histograms, BOUNDS, tolerance=0.0),
        mann_whitney(baseline, canary),
    )

    assert found.theta == pytest.approx(raw.theta)
    assert found.standard_error == pytest.approx(raw.standard_error)
    assert found.plain_p == pytest.approx(raw.plain_p)


@pytest.mark.parametrize("tolerance", [0.0, 0.1, 0.2, 0.5, 1.0])
def test_the_stretch_is_exact_for_lognormal_latencies(tolerance):
    """A baseline stretched by the tolerance is a canary slower by the tolerance, bucket by bucket."""
    found = compare_histograms(
        exact(0.08, 1e6), exact(0.08 * (1 + tolerance), 1e6), BOUNDS, tolerance=tolerance
    )

    assert found.theta == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.34, 2.0, 5.0])
def test_the_scale_is_found(factor):
    """From buckets alone, to a thousandth."""
    found = compare_histograms(exact(0.08, 1e6), exact(0.08 * factor, 1e5), BOUNDS, tolerance=0.2)

    assert found.scale == pytest.approx(factor, rel=1e-3)
    assert found.interval[0] < found.scale < found.interval[1]


def test_fine_buckets_give_the_thetas_of_theory():
    """Two lognormals at a ratio of 1.5: Φ(ln 1.5 / (σ√2))."""
    bounds = [*np.exp(np.linspace(-6, 3, 2000)), np.inf]
    arms = [np.diff([0.0, *scipy.stats.lognorm.cdf(bounds, SIGMA, scale=m)]) for m in (0.08, 0.12)]
    found = compare_histograms(arms[0] * 1e5, arms[1] * 1e5, bounds, tolerance=0.0)

    assert found.theta == pytest.approx(normal_theta(math.log(1.5)), abs=1e-4)


@given(COUNTS, COUNTS, st.floats(0, 2), st.floats(1, 10))
@settings(deadline=None)
def test_every_number_is_a_probability(baseline, canary, tolerance, dispersion):
    """Whatever the histograms: no NaN, p in [0, 1], the scale inside its interval."""
    found = compare_histograms(baseline, canary, BOUNDS, tolerance=tolerance, dispersion=dispersion)

    if found is None:
        assert min(sum(baseline), sum(canary)) < 1
    else:
        assert 0 <= found.p_value <= 1
        assert found.faster_p == pytest.approx(1 - found.p_value)
        assert 0 <= found.plain_p <= 1
        assert -1e-12 <= found.theta <= 1 + 1e-12
        assert math.isfinite(found.z)
        assert found.interval[0] <= found.scale <= found.interval[1]


@given(COUNTS, COUNTS)
@settings(deadline=None)
def test_exchanging_the_arms_turns_z_around(baseline, canary):
    """Without a tolerance the test is symmetric."""
    forth = compare_histograms(baseline, canary, BOUNDS, tolerance=0.0)
    back = compare_histograms(canary, baseline, BOUNDS, tolerance=0.0)

    assert (forth is None) == (back is None)
    if forth is not None:
        assert forth.z == pytest.approx(-back.z, abs=1e-6)


@given(COUNTS, COUNTS, st.integers(0, 10))
@settings(deadline=None)
def test_slower_requests_raise_theta(baseline, canary, bucket):
    """Moving a canary request up a bucket never speaks for the canary."""
    baseline[3] += 1
    slower = list(canary)
    canary[bucket] += 1
    slower[bucket + 1] += 1
    thetas = [compare_histograms(baseline, arm, BOUNDS, tolerance=0.2).theta for arm in (canary, slower)]

    assert thetas[0] <= thetas[1] + 1e-12


@given(COUNTS, COUNTS, st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_more_tolerance_never_lowers_p(baseline, canary, one, other):
    """θ falls as the baseline is stretched."""
    low, high = sorted((one, other))
    found = [compare_histograms(baseline, canary, BOUNDS, tolerance=t) for t in (low, high)]

    assert found[0] is None or found[0].theta >= found[1].theta - 1e-3


def test_dispersion_widens_the_standard_error():
    """By its root, and nothing else."""
    arms = exact(0.08, 8000), exact(0.1, 2000)
    plain, wide = (compare_histograms(*arms, BOUNDS, tolerance=0.2, dispersion=d) for d in (1.0, 4.0))

    assert wide.standard_error == pytest.approx(2 * plain.standard_error)
    assert wide.theta == plain.theta


def test_a_weighted_baseline_is_worth_its_effective_size():
    """Eight thousand weighted requests that are worth a thousand count as a thousand."""
    found = compare_histograms(
        exact(0.08, 8000), exact(0.08, 2000), BOUNDS, tolerance=0.2, baseline_effective_n=1000
    )
    small = compare_histograms(exact(0.08, 1000), exact(0.08, 2000), BOUNDS, tolerance=0.2)

    assert found.standard_error == pytest.approx(small.standard_error, rel=1e-9)
    assert found.baseline_n == 1000


@pytest.mark.parametrize(("baseline", "canary"), [(0, 50), (50, 0), (0.5, 50)])
def test_less_than_one_request_is_not_compared(baseline, canary):
    """There is nothing to rank."""
    assert compare_histograms([baseline, 0], [canary, 0], [1.0, np.inf], tolerance=0.2) is None


def test_everything_in_one_bucket_shows_no_difference():
    """Fast services live in the first bucket; that is neither faster nor slower."""
    found = compare_histograms([500, 0, 0], [100, 0, 0], [0.005, 0.01, np.inf], tolerance=0.2)

    assert found.scale == 1.0
    assert found.p_value > 0.5
    assert found.plain_p == 1.0


def test_arms_without_a_common_bucket_are_told_apart():
    """A canary wholly above the baseline, with no stretch possible, has the variance of the null."""
    found = compare_histograms([50, 0, 0], [0, 0, 50], [-1.0, 0.0, np.inf], tolerance=0.2)

    assert found.theta == 1.0
    assert found.z == pytest.approx(0.5 / math.sqrt(0.75 * 100**2 / (12 * 50 * 50 * 99)))
    assert found.scale == math.inf


def test_a_canary_in_another_world_has_an_endless_scale():
    """Seconds against milliseconds: more than 50 times, and the other way round less than 1/50."""
    fast, slow = exact(0.004, 1000), exact(9.0, 1000)

    assert compare_histograms(fast, slow, BOUNDS, tolerance=0.2).scale == math.inf
    assert compare_histograms(slow, fast, BOUNDS, tolerance=0.2).scale == 0.0


def test_a_single_bound_is_stretched_all_the_same():
    """With one bound only, a log unit per σ is assumed."""
    found = compare_histograms([90, 10], [90, 10], [0.1, np.inf], tolerance=0.2)
    above = scipy.stats.norm.sf(scipy.stats.norm.ppf(0.9) - math.log(1.2))

    assert found.theta == pytest.approx(0.5 + (0.1 - above) / 2, abs=1e-6)


def test_bounds_at_or_below_zero_are_not_stretched():
    """Requests at or below zero stay where they are."""
    found = compare_histograms([30, 0, 70], [30, 0, 70], [0.0, 1.0, np.inf], tolerance=5.0)
    stretched = Shape.of(np.array([30.0, 0, 70]), np.array([0.0, 1.0, np.inf]), 100.0)

    assert stretched.stretched(np.array([6.0]))[0][0] == pytest.approx(0.3)
    assert found.theta == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("bounds", [[1.0, 2.0], [2.0, 1.0, np.inf], [], [np.inf, np.inf], [[np.inf]]])
def test_bounds_rise_to_infinity(bounds):
    """Anything else is no histogram."""
    with pytest.raises(ValueError, match="rise to inf"):
        compare_histograms([1] * len(bounds), [1] * len(bounds), bounds, tolerance=0.2)


@pytest.mark.parametrize("counts", [[1, 2, 3], [1, -1], [1, math.nan], [1, math.inf]])
def test_counts_are_finite_and_fit_the_bounds(counts):
    """Negative, unknown, endless or superfluous counts are broken input."""
    with pytest.raises(ValueError, match="canary"):
        compare_histograms([1, 1], counts, [1.0, np.inf], tolerance=0.2)


@pytest.mark.simulation
@pytest.mark.parametrize("sizes", [(8000, 2000), (800, 200)])
def test_a_canary_just_as_slow_as_allowed_fails_as_often_as_promised(sizes):
    """Lognormal, slower by the tolerance of 20 %: about 5 % at a nominal 5 %, in both directions."""
    rng = np.random.default_rng(20240507)
    arms = zip(drawn(rng, 0.08, sizes[0], 1200), drawn(rng, 0.096, sizes[1], 1200), strict=True)
    found = [compare_histograms(*pair, BOUNDS, tolerance=0.2) for pair in arms]

    assert 0.03 < np.mean([test.p_value <= 0.05 for test in found]) < 0.07
    assert 0.03 < np.mean([test.faster_p <= 0.05 for test in found]) < 0.07


@pytest.mark.simulation
def test_the_scales_interval_covers():
    """The factor lies in its interval in about 95 % of samples."""
    rng = np.random.default_rng(20240508)
    arms = zip(drawn(rng, 0.08, 4000, 1000), drawn(rng, 0.08 * 1.34, 1000, 1000), strict=True)
    bounds = np.array([compare_histograms(*pair, BOUNDS, tolerance=0.2).interval for pair in arms])

    assert 0.93 < np.mean((bounds[:, 0] < 1.34) & (bounds[:, 1] > 1.34)) < 0.97
