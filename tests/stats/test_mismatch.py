"""A share that is off: known chances, properties, and how often an allowed one is called off."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.stats.mismatch import chance

TOTALS = st.integers(1, 5000)
SHARES = st.floats(0.01, 0.99)
FACTORS = st.floats(1.0, 10.0)


def test_arbuthnots_years_are_as_strange_as_he_found_them():
    """82 years of 82 in which more boys were christened: one in 4 8360 0000 0000 0000 0000 0000 (1710)."""
    assert 1 / chance(82, 82, 0.5) == pytest.approx(4.8360e24, rel=1e-4)


@pytest.mark.parametrize("seen", [0, 3, 45, 60, 99, 120])
def test_the_chance_is_the_binomials_tail(seen):
    """To the last digits, at the edge of what is allowed: odds of 1 to 4 that may be 3 to 8."""
    edge = Fraction(3, 11) if seen > 120 * 3 / 11 else Fraction(1, 7)
    tail = range(seen, 121) if seen > 120 * 3 / 11 else range(seen + 1)
    exact = sum(math.comb(120, k) * edge**k * (1 - edge) ** (120 - k) for k in tail)

    assert chance(seen, 120, 0.2, factor=1.5) == pytest.approx(float(exact), rel=1e-10)


def test_a_share_within_the_factor_is_no_surprise():
    """However much was counted."""
    assert chance(2.9e6, 1e7, 0.25, factor=1.5) == 1.0


def test_the_strangest_shares_keep_their_digits():
    """Beyond what a normal tail is good for: every one of two hundred thousand, half of them expected."""
    assert chance(1000, 1000, 0.5) == pytest.approx(2.0**-1000, rel=1e-9)
    assert chance(200_000, 200_000, 0.5) == 0.0


@given(total=TOTALS, part=st.floats(0, 1), expected=SHARES, factor=FACTORS)
def test_what_is_left_mirrors_what_was_seen(total, part, expected, factor):
    """Either part may be called the one that was seen."""
    seen = round(part * total)
    mirrored = chance(total - seen, total, 1 - expected, factor=factor)

    assert chance(seen, total, expected, factor=factor) == pytest.approx(mirrored, rel=1e-6, abs=1e-300)


@given(total=TOTALS, part=st.floats(0, 1), expected=SHARES, factor=FACTORS, more=st.floats(1.0, 3.0))
def test_a_wider_factor_is_more_forgiving(total, part, expected, factor, more):
    """And a chance it remains."""
    seen = part * total
    narrow = chance(seen, total, expected, factor=factor)
    wide = chance(seen, total, expected, factor=factor * more)

    assert 0 <= narrow <= wide * (1 + 1e-9) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("seen", "total", "expected", "factor"),
    [(-1, 5, 0.5, 1), (6, 5, 0.5, 1), (0, 0, 0.5, 1), (1, 5, 0.0, 1), (1, 5, 1.0, 1), (1, 5, 0.5, 0.9)],
)
def test_impossible_shares_are_refused(seen, total, expected, factor):
    """With the values and what is expected of them."""
    with pytest.raises(ValueError, match="expected 0 ≤ seen ≤ total"):
        chance(seen, total, expected, factor=factor)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value):
    """A p-value is never NaN."""
    with pytest.raises(ValueError, match="expected"):
        chance(1.0, value, 0.5)


@pytest.mark.simulation
@pytest.mark.parametrize("true", [1 / 7, 0.2, 3 / 11])
def test_an_allowed_share_is_called_off_no_more_often_than_promised(true):
    """Odds of 1 to 4 that may be off by 1.5, at either edge or right: at 5 %, and near it at the edges."""
    rng, looks, level = np.random.default_rng(17), 20_000, 0.05
    totals = rng.integers(200, 2000, looks)
    seen = rng.binomial(totals, true)
    found = [chance(float(one), float(of), 0.2, factor=1.5) for one, of in zip(seen, totals, strict=True)]
    off = float(np.mean(np.array(found) <= level))

    assert off <= level + 4 * math.sqrt(level * (1 - level) / looks)
    assert true == 0.2 or off >= level / 2
