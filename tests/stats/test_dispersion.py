"""Dispersion: formulae by hand, properties, and pods drawn with a known spread."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from firedamp.stats.dispersion import Dispersion, arm_spread, theta_dispersion
from firedamp.stats.ranks import compare_histograms

BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf]


def pods(rng: np.random.Generator, count: int, cv: float, requests: int) -> np.ndarray:
    """Histograms of pods whose latencies differ by a factor."""
    medians = 0.08 * np.exp(cv * rng.normal(size=count))
    below = scipy.stats.lognorm.cdf(np.array(BOUNDS)[None, :], 0.6, scale=medians[:, None])
    shares = np.diff(below, axis=1, prepend=0.0)
    return np.array([rng.multinomial(requests, share) for share in shares])


def both(tau: float, baseline: list[float], canary: list[float]) -> float:
    """Standard deviation of the log odds between the arms that pods alone make."""
    return math.hypot(arm_spread(tau, baseline), arm_spread(tau, canary))


def test_even_pods_spread_by_their_number():
    """Tau √(1/m + 1/m'): 0.25 √(1/16 + 1/4)."""
    assert both(0.25, [1] * 16, [1] * 4) == pytest.approx(0.25 * math.sqrt(1 / 16 + 1 / 4))


def test_a_busy_pod_weighs_more():
    """Shares 3/4 and 1/4 have a sum of squares of 10/16."""
    assert both(1.0, [300, 100], [7]) == pytest.approx(math.sqrt(10 / 16 + 1))


@pytest.mark.parametrize("weights", [[], [0.0, 0.0]])
def test_an_unknown_arm_is_a_single_pod(weights):
    """The widest that it could be."""
    assert both(0.25, weights, [1.0]) == pytest.approx(0.25 * math.sqrt(2))


@pytest.mark.parametrize(("phi", "tau"), [(0.9, 0.2), (1.5, -0.1), (math.nan, 0.2)])
def test_senseless_dispersions_are_refused(phi, tau):
    """Variance at least the binomial's, spread at least none."""
    with pytest.raises(ValueError, match="expected"):
        Dispersion(phi, tau)


def test_the_priors_are_those_of_an_ordinary_service():
    """Errors clump a little, pods differ by a quarter."""
    assert Dispersion() == Dispersion(phi=1.75, tau=0.25)


@pytest.mark.parametrize("histograms", [np.zeros((3, 12)), np.zeros((0, 12))])
def test_without_requests_nothing_is_known(histograms):
    """And the factor is one."""
    assert theta_dispersion(histograms, BOUNDS) == 1.0


def test_a_single_pod_has_the_prior():
    """A stretch of 5 % moves θ by 0.023; 12 n times its square comes on top, less what buckets blur."""
    single = pods(np.random.default_rng(1), 1, 0.0, 2000)

    expected = 1 + 12 * 2000 * (0.05 / 0.6 / math.sqrt(2) * 0.3989) ** 2
    assert theta_dispersion(single, BOUNDS) == pytest.approx(expected, rel=0.25)


def test_pods_that_share_one_bucket_cannot_differ():
    """Where every request is in one bucket the factor is one."""
    assert theta_dispersion([[0, 500, 0], [0, 300, 0]], [0.1, 0.2, np.inf]) == 1.0


def test_each_pod_is_judged_as_a_canary_would_be():
    """Without a prior the factor is the mean z² of pods against the rest, scaled to pods - 1."""
    histograms = pods(np.random.default_rng(4), 20, 0.1, 500)
    rest = histograms.sum(axis=0) - histograms
    tests = [compare_histograms(*arms, BOUNDS, tolerance=0.0) for arms in zip(rest, histograms, strict=True)]
    mean = sum(test.z**2 * 19 / 20 for test in tests) / 19

    assert theta_dispersion(histograms, BOUNDS, prior_weight=1e-12) == pytest.approx(mean, rel=1e-9)


def test_pods_without_requests_say_nothing():
    """Idle pods neither widen nor narrow."""
    busy = pods(np.random.default_rng(5), 6, 0.1, 500)

    assert theta_dispersion([*busy, np.zeros(12)], BOUNDS) == theta_dispersion(busy, BOUNDS)


@pytest.mark.parametrize("histograms", [[[5, 6, 7], [5, -1, 7]], [[5, 6]], [[5, math.inf, 7]]])
def test_pods_have_counts_that_fit_the_bounds(histograms):
    """Negative, endless or missing counts are broken input."""
    with pytest.raises(ValueError, match="a pod"):
        theta_dispersion(histograms, [0.1, 0.2, np.inf])


def test_a_strong_prior_against_none():
    """Equal pods are more alike than the prior thinks, and many of them say so."""
    equal = pods(np.random.default_rng(2), 40, 0.0, 2000)

    assert theta_dispersion(equal, BOUNDS, prior_weight=0.1) == pytest.approx(1.0, abs=0.6)
    assert theta_dispersion(equal, BOUNDS, prior_weight=0.1) < theta_dispersion(
        equal, BOUNDS, prior_weight=50
    )


@given(arrays(np.int64, (4, 12), elements=st.integers(0, 10_000)))
@settings(deadline=None)
def test_the_factor_is_finite_and_at_least_one(histograms):
    """Whatever the pods look like."""
    assert 1.0 <= theta_dispersion(histograms, BOUNDS) < math.inf


@pytest.mark.simulation
@pytest.mark.parametrize("cv", [0.03, 0.1])
def test_the_spread_of_pods_is_recovered(cv):
    """With 60 pods and hardly a prior the factor is 1 + 12 n (cv dθ)², to a third."""
    rng = np.random.default_rng(20240512)
    found = theta_dispersion(pods(rng, 60, cv, 2000), BOUNDS, prior_weight=0.1)

    expected = 1 + 12 * 2000 * (cv / 0.6 / math.sqrt(2) * 0.3989) ** 2
    assert found == pytest.approx(expected, rel=0.35)
