"""Requests still needed: what can be told by hand, properties, and the pass itself simulated."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import noninferiority
from firedamp.stats.sample_size import Seen, requests_needed

RATES = st.floats(1e-5, 0.2)


def test_a_doubling_needs_thirteen_errors_and_the_splits_share():
    """(1.645 + 0.842)² / (ln 2)² = 12.87, times 1.25 at a split of 1 : 4, over the rate, to a quarter."""
    need = requests_needed(0.001, 0.25, margin_absolute=1e-6, power=0.8)

    assert need.ratio == pytest.approx(12.87 * 1.25 / 0.001, rel=0.25)


def test_half_a_percent_needs_six_hundred_clean_requests():
    """Three over the margin, where nothing fails, and no ratio to nothing can be excluded."""
    need = requests_needed(0.0, 0.25, Seen(0, 840, 0, 210))

    assert need.absolute == pytest.approx(-math.log(0.05) / 0.005, rel=1e-6)
    assert need.ratio == math.inf


def test_enough_is_enough():
    """Beyond the need nothing is missing."""
    seen = Seen(800, 80_000, 200, 20_000)

    assert requests_needed(0.01, 0.25, seen).ratio == seen.canary_n


def test_bad_luck_must_be_made_up_for():
    """Five errors where two are usual: the canary needs more than it would have without them."""
    usual, unlucky = (requests_needed(0.01, 0.25, Seen(8, 800, errors, 200)) for errors in (2, 5))

    assert unlucky.ratio > 1.5 * usual.ratio


def test_pods_that_differ_by_a_doubling_leave_no_number_of_requests():
    """One pod of a coefficient of variation of 0.5 can never exclude a doubling."""
    assert requests_needed(0.01, 0.25, level=0.05 / 3, pods=(0.1, 0.5)).ratio == math.inf


@given(RATES, st.floats(0.01, 10), st.floats(1, 10))
def test_noise_never_makes_it_shorter(rate, split, dispersion):
    """The need grows with the dispersion."""
    plain, noisy = (requests_needed(rate, split, dispersion=one, power=0.8) for one in (1.0, dispersion))

    assert noisy.ratio >= 0.99 * plain.ratio
    assert noisy.absolute >= 0.99 * plain.absolute


@pytest.mark.parametrize("margin", ["ratio", "absolute"])
@given(
    rate=RATES,
    split=st.floats(0.01, 10),
    errors=st.integers(0, 300),
    luck=st.floats(0.3, 2),
    dispersion=st.floats(1, 4),
    pods=st.sampled_from([(0.0, 0.0), (0.02, 0.05), (0.1, 0.3)]),
)
@settings(deadline=None)
def test_no_fewer_requests_would_do(margin, rate, split, errors, luck, dispersion, pods):
    """All the way to the number that is needed, were it endless, something is still missing."""

    def needed(seen):
        return getattr(requests_needed(rate, split, seen, dispersion=dispersion, pods=pods), margin)

    seen = Seen(errors / split, errors / rate / split, errors * luck, errors / rate)
    missing = min(needed(seen) - seen.canary_n, 1e6 / rate)
    way = [_later(seen, rate, split, part * missing) for part in np.linspace(0, 0.95, 20)]

    assert missing == 0 or all(needed(then) > then.canary_n for then in way)


def _later(seen, rate, split, more):
    """After so many more canary requests, both arms alike."""
    return Seen(
        seen.baseline_events + rate * more / split,
        seen.baseline_n + more / split,
        seen.canary_events + rate * more,
        seen.canary_n + more,
    )


@pytest.mark.simulation
@pytest.mark.parametrize(("rate", "split"), [(0.01, 0.25), (0.003, 0.25), (0.05, 1.0), (0.002, 0.1)])
@pytest.mark.parametrize("power", [0.5, 0.8])
def test_a_healthy_canary_passes_as_often_as_forecast(rate, split, power):
    """With the requests said to be needed for a power, so many healthy canaries pass, to 0.15."""
    rng = np.random.default_rng(20240511)
    need = requests_needed(rate, split, power=power)
    n_c = min(need.ratio, need.absolute)
    n_b = n_c / split
    passed = np.mean(
        [
            noninferiority.proportion_pass(b, n_b, c, n_c).passed
            for b, c in zip(rng.poisson(rate * n_b, 1000), rng.poisson(rate * n_c, 1000), strict=True)
        ]
    )

    assert passed == pytest.approx(power, abs=0.15)
