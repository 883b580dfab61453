"""Tails: lognormal theory, and what cannot have a tail."""

import math

import numpy as np
import pytest
import scipy.stats

from firedamp.stats.tails import implied_tail_tolerance, tail_edge

BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf]
SIGMA = 0.6


def exact(median: float, n: float) -> np.ndarray:
    """Expected requests per bucket of lognormal latencies."""
    return n * np.diff([0.0, *scipy.stats.lognorm.cdf(BOUNDS, SIGMA, scale=median)])


def test_the_tail_begins_where_one_percent_is_left():
    """p99 of the lognormal is 0.32 s, so the bound is 0.5 s."""
    assert BOUNDS[tail_edge(exact(0.08, 1e4), BOUNDS)] == 0.5


@pytest.mark.parametrize(("counts", "edge"), [([5, 95], None), ([0, 0], None), ([99, 1], 0)])
def test_a_tail_needs_a_finite_bound(counts, edge):
    """Where too many lie above every bound there is no tail to count."""
    assert tail_edge(counts, [1.0, np.inf]) == edge


@pytest.mark.parametrize("tolerance", [0.0, 0.2, 1.0])
def test_the_tails_tolerance_is_that_of_the_stretched_lognormal(tolerance):
    """Odds above 0.5 s of a lognormal slower by the tolerance, over the odds before."""
    above = [scipy.stats.lognorm.sf(0.5, SIGMA, scale=0.08 * s) for s in (1.0, 1 + tolerance)]
    odds = [share / (1 - share) for share in above]

    assert implied_tail_tolerance(exact(0.08, 1e6), BOUNDS, 6, tolerance) == pytest.approx(
        odds[1] / odds[0] - 1, rel=1e-3, abs=1e-9
    )


def test_an_empty_tail_still_has_a_tolerance():
    """With nobody above the bound half a request is assumed there; far above, the tolerance itself."""
    near, far = (implied_tail_tolerance([100, 100, 0, 0], [0.1, 0.2, 0.4, np.inf], e, 0.2) for e in (1, 2))

    assert 1 < near < math.inf
    assert far == 0.2


@pytest.mark.parametrize(("counts", "edge"), [([0, 0], 0), ([1, 1], 1), ([1, 1], -1)])
def test_a_tail_above_nothing_is_refused(counts, edge):
    """No requests, or a bound that is not finite."""
    with pytest.raises(ValueError, match="expected"):
        implied_tail_tolerance(counts, [1.0, np.inf], edge, 0.2)
