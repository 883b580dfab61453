"""Counts on paths that have not crossed yet."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import betabinomial, paths
from firedamp.stats.null import Null, Shape, shares, weights


def skewed(null: Null, share: float, events: int) -> paths.Skewed:
    """The sums of ten blocks with so many errors in all."""
    rho = betabinomial.correlation(null.phi, events // 10)
    sums = 10 * paths.moments(events // 10, shares(null, share, coarse=False), rho)
    return paths.Skewed.of(sums, weights(null.shape, coarse=False))


@settings(deadline=None)
@given(
    tolerance=st.sampled_from([-0.5, 0.0, 0.25, 9.0]),
    cv=st.floats(0.0, 1.0),
    shape=st.sampled_from(list(Shape)),
    share=st.floats(0.01, 0.99),
    events=st.integers(400, 20_000),
    alpha=st.sampled_from([0.0, 1e-9, 1e-3, 0.05]),
    near=st.integers(0, 30_000),
)
def test_a_boundary_is_the_same_wherever_it_is_looked_for_first(
    tolerance: float, cv: float, shape: Shape, share: float, events: int, alpha: float, near: int
) -> None:
    """Where to look first only saves time: bisection from nowhere gives the same count."""
    null = Null(tolerance, 1.5, cv, cv / 2, shape)
    levels, sums = alpha * np.array(null.multiples), skewed(null, share, events)

    found = sums.boundary(levels, events, 3, near=near)

    assert found == sums.boundaries(levels, np.array(events), 3).max()
