"""Bounds on a share that was counted, against published numbers, by properties, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from firedamp.stats.binomial import share_interval


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    # Brown, Cai & DasGupta (2001), and tables of Clopper and Pearson, 95 %.
    [(0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0)],
)
def test_bounds_are_those_of_the_tables(events, trials, low, high):
    """To the digits that are printed there."""
    assert share_interval(events, trials) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_nothing_is_known():
    """Without trials any share may be the true one."""
    assert share_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("events", "trials", "alpha"), [(3, 2, 0.05), (-1, 2, 0.05), (1, 2, 0.0), (1, 2, 1.0)]
)
def test_what_cannot_be_counted_is_refused(events, trials, alpha):
    """More events than trials, or no level."""
    with pytest.raises(ValueError, match="expected"):
        share_interval(events, trials, alpha=alpha)


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_bounds_enclose_what_was_seen_and_mirror(counted):
    """The share itself lies between them, and so does its opposite."""
    events, trials = counted
    low, high = share_interval(events, trials)

    assert 0 <= low <= events / trials <= high <= 1
    assert share_interval(trials - events, trials) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("trials", [3, 8, 40])
def test_bounds_cover_the_truth_as_often_as_promised(trials):
    """Counted out over every outcome, for shares from nearly none to nearly all."""
    bounds = [share_interval(events, trials) for events in range(trials + 1)]
    for share in np.linspace(0.01, 0.99, 33):
        holds = [low <= share <= high for low, high in bounds]

        assert binom.pmf(np.arange(trials + 1), trials, share) @ holds >= 0.95
