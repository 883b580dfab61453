"""Something that the canary never does: exact chances, properties, and how often a healthy one is accused."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.stats.absence import Absence, advance

COUNTS = st.integers(0, 500)
SHARES = st.floats(0.001, 0.999)


def test_the_chance_is_that_of_a_run_of_failures():
    """Exactly: 30 of 30 fall to the baseline with probability (4/5)^30."""
    found = advance(Absence(), baseline=30, canary=0, canary_share=0.2)

    assert found.p_value == pytest.approx(float(Fraction(4, 5) ** 30), rel=1e-12)


def test_once_seen_nothing_is_missing():
    """One is enough."""
    found = advance(Absence(surprise=50.0), baseline=10, canary=1, canary_share=0.5)

    assert found.p_value == 1.0


def test_where_the_canary_has_no_traffic_nothing_is_expected_of_it():
    """Neither without requests nor with an unknown share."""
    found = [
        advance(Absence(), baseline=100, canary=0, canary_share=share).p_value for share in (0, math.nan)
    ]

    assert found == [1.0, 1.0]


def test_clumps_count_as_so_many_fewer():
    """With a dispersion of 2, sixty are worth thirty."""
    clumped = advance(Absence(), baseline=60, canary=0, canary_share=0.2, dispersion=2.0)

    assert clumped == Absence(60, 0, advance(Absence(), baseline=30, canary=0, canary_share=0.2).surprise)


@given(first=COUNTS, second=COUNTS, share=SHARES)
def test_a_block_may_be_split(first, second, share):
    """Two halves tell what the whole does."""
    halves = advance(
        advance(Absence(), baseline=first, canary=0, canary_share=share),
        baseline=second,
        canary=0,
        canary_share=share,
    )
    whole = advance(Absence(), baseline=first + second, canary=0, canary_share=share)

    assert halves.p_value == pytest.approx(whole.p_value)


@given(baseline=COUNTS, more=COUNTS, share=SHARES)
def test_more_of_the_baseline_makes_an_absence_stranger(baseline, more, share):
    """And a chance it remains."""
    few = advance(Absence(), baseline=baseline, canary=0, canary_share=share).p_value
    many = advance(Absence(), baseline=baseline + more, canary=0, canary_share=share).p_value

    assert 0 < many <= few <= 1


@pytest.mark.parametrize(("baseline", "dispersion"), [(-1, 1.0), (math.inf, 1.0), (1, 0.5)])
def test_impossible_counts_are_refused(baseline, dispersion):
    """With the value and the limit."""
    with pytest.raises(ValueError, match="expected"):
        advance(Absence(), baseline=baseline, canary=0, canary_share=0.5, dispersion=dispersion)


@pytest.mark.simulation
def test_a_healthy_canary_is_accused_no_more_often_than_promised():
    """Looked at after every block, shares that ramp, rare operations: at 5 % within four standard errors."""
    rng, releases, blocks, level = np.random.default_rng(8), 4000, 60, 0.05
    shares = np.repeat([0.05, 0.2, 0.5], blocks // 3)
    asked = rng.poisson(0.4, (releases, blocks))
    canaries = rng.binomial(asked, shares)
    accused = 0
    for baseline, canary in zip(asked - canaries, canaries, strict=True):
        state = Absence()
        for own, theirs, share in zip(baseline, canary, shares, strict=True):
            state = advance(state, baseline=float(own), canary=float(theirs), canary_share=float(share))
            if state.p_value <= level:
                accused += 1
                break

    assert accused / releases <= level + 4 * math.sqrt(level * (1 - level) / releases)
    assert accused / releases >= level / 2
