"""Quantiles and curves of histograms."""

import math

import pytest

from firedamp.stats.quantiles import curve, quantile

BOUNDS = (1.0, 2.0, 4.0, math.inf)


@pytest.mark.parametrize(
    ("counts", "level", "expected"),
    [
        ((0, 10, 0, 0), 0.5, 1.5),
        ((10, 0, 0, 0), 0.5, 0.5),
        ((5, 5, 0, 0), 0.5, 1.0),
        ((0, 0, 4, 0), 0.25, 2.5),
        ((0, 0, 1, 9), 0.5, None),
        ((0, 0, 0, 0), 0.5, None),
        ((), 0.5, None),
    ],
)
def test_a_quantile_lies_inside_its_bucket(counts, level, expected):
    """Evenly within it, from 0 in the first; nobody knows where in the open one."""
    assert quantile(counts, BOUNDS, level) == expected


def test_a_first_bound_below_zero_has_no_room_below_it():
    """As Prometheus has it: the bucket's upper bound."""
    assert quantile((4, 0), (-1.0, math.inf), 0.5) == -1.0


def test_a_curve_rises_to_one():
    """Shares reached at each bound; nothing where nothing was counted."""
    assert curve((1, 0, 2, 1)) == (0.25, 0.25, 0.75, 1.0)
    assert curve((0, 0)) == ()
