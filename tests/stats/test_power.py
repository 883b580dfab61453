"""Power: the planning formulae by hand, properties, and forecasts against simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import noninferiority, power
from firedamp.stats.power import detectable_ratio, detection_power, requests_needed

COUNTS = st.floats(1, 1e6)
RATES = st.floats(1e-5, 0.2)


def test_a_doubling_needs_thirteen_errors_and_the_splits_share():
    """(1.645 + 0.842)² / (ln 2)² = 12.87, times 1.25 at a split of 1 : 4, over the rate."""
    need = requests_needed(0.01, baseline_n=800, canary_n=200)

    assert need.ratio == pytest.approx(12.87 * 1.25 / 0.01, rel=1e-3)
    assert need.missing == math.ceil(need.ratio - 200)


def test_half_a_percent_needs_six_hundred_clean_requests():
    """Three over the margin, where nothing fails."""
    need = requests_needed(0.0, baseline_n=800, canary_n=210)

    assert need.absolute == pytest.approx(600, abs=1)
    assert need.ratio == math.inf
    assert need.missing == 390


def test_enough_is_enough():
    """Beyond the need nothing is missing."""
    assert requests_needed(0.01, baseline_n=80_000, canary_n=20_000).missing == 0


def test_without_a_baseline_only_the_absolute_margin_counts():
    """A ratio to nothing cannot be excluded."""
    need = requests_needed(0.0, baseline_n=0, canary_n=0)

    assert need.ratio == math.inf
    assert need.missing == 600


@given(RATES, COUNTS, COUNTS, st.floats(1, 10))
def test_noise_never_makes_it_shorter(rate, baseline_n, canary_n, dispersion):
    """The need grows with the dispersion."""
    plain = requests_needed(rate, baseline_n=baseline_n, canary_n=canary_n)
    noisy = requests_needed(rate, baseline_n=baseline_n, canary_n=canary_n, dispersion=dispersion)

    assert noisy.missing >= plain.missing


@pytest.mark.parametrize(
    ("share", "ratio", "errors"),
    [(0.05, 3, 258), (0.05, 5, 69), (0.05, 10, 19), (0.2, 3, 77), (0.2, 5, 21), (0.2, 10, 6.2), (0.5, 3, 60)],
)
def test_planned_errors_are_near_those_simulated(share, ratio, errors):
    """
    Errors expected at the base rate in both arms until the sequential test finds the fault in 80 %.

    Simulated with 60 looks, alpha 0.25 % and tolerance 1.25; the plan is within a quarter.
    """

    def chance(total):
        n = total / 1e-4
        return detection_power(
            1e-4, baseline_n=n * (1 - share), canary_n=n * share, ratio=ratio, alpha=0.0025
        )

    assert chance(errors * 0.7) < 0.8 < chance(errors * 1.25)


@pytest.mark.parametrize(
    ("rate", "baseline_n", "canary_n"), [(0.0, 1e4, 1e3), (0.01, 0, 1e3), (0.01, 1e3, 0), (0.001, 10, 10)]
)
def test_nothing_is_seen_without_requests_or_errors(rate, baseline_n, canary_n):
    """No base rate, an empty arm, or too few requests for three errors."""
    assert detection_power(rate, baseline_n=baseline_n, canary_n=canary_n, ratio=5, alpha=0.01) == 0


@given(RATES, COUNTS, COUNTS, st.floats(1, 100), st.floats(1e-5, 0.05))
@settings(deadline=None, max_examples=50)
def test_power_is_a_probability(rate, baseline_n, canary_n, ratio, alpha):
    """For any traffic."""
    chance = detection_power(rate, baseline_n=baseline_n, canary_n=canary_n, ratio=ratio, alpha=alpha)

    assert 0 <= chance <= 1


@given(RATES, COUNTS, COUNTS)
@settings(deadline=None, max_examples=50)
def test_the_detectable_ratio_has_the_power(rate, baseline_n, canary_n):
    """Or is infinite."""
    ratio = detectable_ratio(rate, baseline_n=baseline_n, canary_n=canary_n, alpha=0.0025)

    assert ratio == math.inf or (
        ratio > 1
        and detection_power(rate, baseline_n=baseline_n, canary_n=canary_n, ratio=ratio, alpha=0.0025) >= 0.8
    )


def test_more_traffic_sees_smaller_rises():
    """At 1 % errors and 20 % share: some ×2.6 with 10,000 requests, some ×1.6 with 100,000."""
    few, many = (
        detectable_ratio(0.01, baseline_n=8 * n, canary_n=2 * n, alpha=0.0025) for n in (1000, 10_000)
    )

    assert 2.2 < few < 3.0
    assert 1.4 < many < 1.8


def test_a_rare_error_and_few_requests_hide_everything():
    """With ten requests per arm even a canary that always fails goes unseen at 0.1 %."""
    assert detectable_ratio(0.2, baseline_n=4, canary_n=2, alpha=1e-4) == math.inf


@pytest.mark.simulation
@pytest.mark.parametrize(("rate", "split"), [(0.01, 0.25), (0.003, 0.25), (0.05, 1.0), (0.0005, 0.1)])
def test_a_healthy_canary_passes_when_forecast(rate, split):
    """With the requests said to be needed, about four of five healthy canaries pass."""
    rng = np.random.default_rng(20240511)
    need = requests_needed(rate, baseline_n=1e5, canary_n=1e5 * split)
    n_c = min(need.ratio, need.absolute)
    n_b = n_c / split
    passed = np.mean(
        [
            noninferiority.proportion_pass(b, n_b, c, n_c).passed
            for b, c in zip(rng.poisson(rate * n_b, 1500), rng.poisson(rate * n_c, 1500), strict=True)
        ]
    )

    assert 0.65 < passed < 0.93


def test_the_fewest_errors_are_those_of_the_test():
    """Planning and judging agree on how many errors fail a canary at the least."""
    from firedamp.stats import sequential

    assert power.MIN_EVENTS == sequential.MIN_EVENTS
