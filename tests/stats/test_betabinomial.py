"""Clumped errors: scipy's beta-binomial, rational arithmetic, properties."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import betabinomial


@given(st.integers(0, 300), st.floats(1e-4, 1 - 1e-4), st.floats(0.001, 0.95))
@settings(deadline=None)
def test_terms_agree_with_scipy(total, share, correlation):
    """To nine digits, a and b being share and its complement times 1/ρ - 1."""
    ours = betabinomial.pmf(total, np.array([share]), correlation)[0]
    size = 1 / correlation - 1
    theirs = scipy.stats.betabinom.pmf(np.arange(total + 1), total, share * size, (1 - share) * size)

    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-200)


def test_without_correlation_it_is_the_binomial_exactly():
    """Twelve digits against fractions, at share 1/5 of 30 errors."""
    ours = betabinomial.pmf(30, np.array([0.2]), 0.0)[0]
    exact = [float(Fraction(comb(30, k) * 4 ** (30 - k), 5**30)) for k in range(31)]

    assert ours == pytest.approx(exact, rel=1e-12)


@given(st.integers(2, 500), st.floats(1, 50))
def test_the_correlation_inflates_the_variance_as_asked(total, dispersion):
    """Unless errors would have to be more alike than 95 %."""
    rho = betabinomial.correlation(dispersion, total)
    inflation = 1 + (total - 1) * rho

    assert inflation == pytest.approx(min(dispersion, 1 + (total - 1) * 0.95))


def test_one_error_cannot_clump():
    """A single error has no neighbour to be like."""
    assert betabinomial.correlation(3.0, 1) == 0.0


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.01, 0.99), st.floats(1, 5))
@settings(deadline=None)
def test_the_tails_meet(events, rest, share, dispersion):
    """At most s and at least s + 1 make up everything."""
    total = events + rest
    lower = betabinomial.lower_tail(events, total, share, dispersion)
    upper = betabinomial.upper_tail(events + 1, total, share, dispersion)

    assert lower + upper == pytest.approx(1.0)


def test_all_or_more_than_nothing_is_certain():
    """Zero errors or more always fall to the canary."""
    assert betabinomial.upper_tail(0, 10, 0.2) == 1.0


@pytest.mark.parametrize("events", [3900, 4100, 4200])
def test_large_totals_are_normal(events):
    """Beyond 20,000 errors within 10 % of scipy's binomial, down to 1e-4."""
    ours = betabinomial.upper_tail(events, 20_001, 0.2)

    assert ours == pytest.approx(scipy.stats.binom.sf(events - 1, 20_001, 0.2), rel=0.1)


@pytest.mark.parametrize(
    ("total", "level"), [(0, 0.0), (1, 0.05), (7, 0.0), (7, 0.05), (300, 0.001), (300, 0.05), (30_000, 0.001)]
)
def test_the_critical_count_is_the_first_that_is_rare_enough(total, level):
    """Its tail is within the level, that of one error less is not."""
    count = betabinomial.critical(total, 0.2, level, 1.75)

    if count <= total:
        assert betabinomial.upper_tail(count, total, 0.2, 1.75) <= level * (1 + 1e-9)
    assert betabinomial.upper_tail(count - 1, total, 0.2, 1.75) > level


@pytest.mark.parametrize("total", [0, 1, 7, 500])
@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_a_share_of_nothing_or_all_is_a_certainty(total, correlation):
    """No error or every error falls to the canary, clumped or not, and nothing is divided by zero."""
    none, some, every = betabinomial.pmf(total, np.array([0.0, 0.2, 1.0]), correlation)

    assert none.tolist() == [1.0] + [0.0] * total
    assert every.tolist() == [0.0] * total + [1.0]
    assert np.array_equal(some, betabinomial.pmf(total, np.array([0.2]), correlation)[0])


@pytest.mark.parametrize("total", [7, 30_000])
@pytest.mark.parametrize("dispersion", [1.0, 1.75])
def test_certain_tails_are_zero_or_one(total, dispersion):
    """At a share of 1 all errors or fewer are sure to be the canary's, at 0 none is; few totals or many."""
    every, none = (
        [betabinomial.upper_tail(k, total, s, dispersion) for k in (1, total, total + 1)] for s in (1.0, 0.0)
    )

    assert every == [1.0, 1.0, 0.0]
    assert none == [0.0, 0.0, 0.0]
    assert betabinomial.lower_tail(total - 1, total, 1.0, dispersion) == 0.0


@pytest.mark.parametrize("total", [7, 30_000])
@pytest.mark.parametrize("level", [0.0, 0.05, 1.0])
def test_after_a_certainty_the_next_count_is_critical(total, level):
    """One error where none was possible, one more than all where all were sure; any count at a level of 1."""
    counts = [betabinomial.critical(total, share, level) for share in (0.0, 1.0)]

    assert counts == ([0, 0] if level == 1 else [1, total + 1])


def test_any_count_is_rare_enough_for_a_level_of_one():
    """A level of 1 allows everything, among thirty thousand errors too."""
    assert betabinomial.critical(30_000, 0.2, 1.0) == 0


def test_a_level_of_zero_is_never_reached():
    """Not by thirty thousand errors either."""
    assert betabinomial.critical(30_000, 0.2, 0.0) == 30_001


@pytest.mark.simulation
def test_clumps_look_like_the_model():
    """Variance of beta-distributed shares, drawn, is D times the binomial's."""
    rng = np.random.default_rng(3)
    rho = betabinomial.correlation(3.0, 50)
    draws = rng.binomial(50, rng.beta(0.2 * (1 / rho - 1), 0.8 * (1 / rho - 1), 40_000))

    assert np.var(draws) / (50 * 0.2 * 0.8) == pytest.approx(3.0, rel=0.05)
    model = betabinomial.pmf(50, np.array([0.2]), rho)[0]
    assert np.mean(draws >= 20) == pytest.approx(model[20:].sum(), abs=0.005)
