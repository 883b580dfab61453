"""One-look Fisher: exact rational arithmetic, scipy, a published table, properties, size."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.fisher import fisher_exact


def rational_tail(b: int, n_b: int, c: int, n_c: int) -> Fraction:
    """P(canary's events ≥ c) with all margins held, without rounding."""
    events = b + c
    ways = [math.comb(n_c, k) * math.comb(n_b, events - k) for k in range(c, min(events, n_c) + 1)]
    return Fraction(sum(ways), math.comb(n_b + n_c, events))


@st.composite
def tables(draw, largest=400):
    n_b, n_c = draw(st.integers(0, largest)), draw(st.integers(0, largest))
    return draw(st.integers(0, n_b)), n_b, draw(st.integers(0, n_c)), n_c


def test_the_lady_tasting_tea():
    """Fisher's own example: three of four cups right has chance 17/70."""
    looked = fisher_exact(1, 4, 3, 4)

    assert looked.p_value == pytest.approx(17 / 70, rel=1e-14)


def test_mid_p_counts_half_of_what_was_seen():
    """For the tea, 1/70 for four right and half of 16/70 for three."""
    looked = fisher_exact(1, 4, 3, 4)

    assert looked.mid_p == pytest.approx(9 / 70, rel=1e-14)


@given(tables())
@settings(deadline=None, max_examples=150)
def test_twelve_digits_agree_with_rational_arithmetic(table):
    """On any small table, tails down to 1e-200 included."""
    exact = float(rational_tail(*table))

    assert fisher_exact(*table).p_value == pytest.approx(exact, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    "table",
    [(300, 20_000, 120, 5_000), (40, 100_000, 30, 1_000), (900, 3_000, 340, 1_000), (0, 5_000, 90, 300)],
)
def test_twelve_digits_agree_on_large_tables(table):
    """Where scipy takes hundreds of microseconds and loses digits."""
    exact = float(rational_tail(*table))

    assert fisher_exact(*table).p_value == pytest.approx(exact, rel=1e-12)


def test_nine_digits_agree_with_scipy():
    """Over a seeded grid of tables as canaries bring them."""
    rng = np.random.default_rng(20240501)
    for _ in range(300):
        n_b, n_c = (int(n) for n in np.exp(rng.uniform(0, 10, 2)))
        b, c = int(rng.integers(0, n_b // 5 + 2)), int(rng.integers(0, n_c // 5 + 2))
        b, c = min(b, n_b), min(c, n_c)
        table = [[c, n_c - c], [b, n_b - b]]

        assert fisher_exact(b, n_b, c, n_c).p_value == pytest.approx(
            scipy.stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-9, abs=1e-290
        )


@given(tables())
@settings(deadline=None)
def test_less_is_greater_with_the_arms_exchanged(table):
    """Asking whether the canary is better is asking whether the baseline is worse."""
    b, n_b, c, n_c = table

    less = fisher_exact(b, n_b, c, n_c, alternative="less").p_value
    assert less == fisher_exact(c, n_c, b, n_b).p_value


@given(tables())
@settings(deadline=None)
def test_another_canary_error_never_raises_p(table):
    """The test is monotone in the canary's errors."""
    b, n_b, c, n_c = table
    worse = fisher_exact(b, n_b, c + 1, n_c + 1).p_value

    assert worse <= fisher_exact(b, n_b, c, n_c + 1).p_value * (1 + 1e-12)


@given(tables(largest=10**7))
@settings(deadline=None, max_examples=60)
def test_every_number_is_a_probability(table):
    """No NaN, no zero, nothing above one, however large the table."""
    looked = fisher_exact(*table)

    assert 0 < looked.p_value <= 1
    assert 0 < looked.mid_p <= 1
    assert 0 < looked.interval[0] < looked.odds_ratio < looked.interval[1] < math.inf


def test_the_impossible_is_almost_zero():
    """A tail too small for a float is the smallest one, not zero."""
    assert fisher_exact(0, 10**6, 10**4, 10**4).p_value == sys.float_info.min


def test_far_below_expectation_p_is_one():
    """A canary with none of a million errors is as innocent as can be."""
    assert fisher_exact(10**6, 10**7, 0, 10**7).p_value == 1.0


@pytest.mark.parametrize("table", [(3, 10, 0, 0), (0, 0, 3, 10), (0, 10, 0, 10), (0, 0, 0, 0)])
def test_an_empty_arm_proves_nothing(table):
    """Without requests or errors in an arm p is one."""
    assert fisher_exact(*table).p_value == 1.0


def test_fractions_of_an_error_are_rounded():
    """Counter increases of 2.4 and 7.6 are 2 and 8."""
    assert fisher_exact(2.4, 100, 7.6, 99.5) == fisher_exact(2, 100, 8, 100)


def test_odds_ratio_of_a_textbook_table():
    """With 1/2 added: 10/90 against 5/95 is (10.5 · 95.5) / (90.5 · 5.5), spread by the logit's error."""
    looked = fisher_exact(5, 100, 10, 100)
    ratio = 10.5 * 95.5 / (90.5 * 5.5)
    spread = math.exp(1.959963984540054 * math.sqrt(1 / 10.5 + 1 / 95.5 + 1 / 90.5 + 1 / 5.5))

    assert looked.odds_ratio == pytest.approx(ratio)
    assert looked.interval == pytest.approx((ratio / spread, ratio * spread))


@pytest.mark.parametrize(
    "table", [(-1, 10, 0, 10), (0, math.nan, 0, 10), (0, 10, math.inf, 10), (0, 10, 11, 10)]
)
def test_impossible_counts_are_refused(table):
    """Negative, unknown or endless counts, and more errors than requests, are broken input."""
    with pytest.raises(ValueError, match="expected"):
        fisher_exact(*table)


@pytest.mark.simulation
def test_the_size_is_what_enumeration_says():
    """At n 50 and 950 and a common rate of 1 %, one look at 5 % fires in at most 5 % of good releases."""
    rng = np.random.default_rng(7)
    b, c = rng.binomial(950, 0.01, 4000), rng.binomial(50, 0.01, 4000)
    fired = np.mean([fisher_exact(x, 950, y, 50).p_value <= 0.05 for x, y in zip(b, c, strict=True)])

    assert 0.005 < fired < 0.05


@pytest.mark.simulation
def test_the_interval_covers():
    """The odds ratio's interval holds the truth in about 95 % of samples."""
    rng = np.random.default_rng(8)
    b, c = rng.binomial(2000, 0.02, 2000), rng.binomial(500, 0.04, 2000)
    truth = 0.04 / 0.96 / (0.02 / 0.98)
    bounds = np.array([fisher_exact(x, 2000, y, 500).interval for x, y in zip(b, c, strict=True)])

    assert 0.935 < np.mean((bounds[:, 0] < truth) & (truth < bounds[:, 1])) < 0.97
