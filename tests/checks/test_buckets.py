"""Histograms as arrays."""

import math

import numpy as np
import pytest

from firedamp.checks import _buckets as buckets


@pytest.mark.parametrize(
    ("counts", "bounds", "median"),
    [
        ((10, 0, 0), (1.0, 2.0, math.inf), 0.5),
        ((0, 10, 0), (1.0, 2.0, math.inf), 1.5),
        ((5, 5, 0), (1.0, 2.0, math.inf), 1.0),
        ((0, 10), (-1.0, math.inf), None),
        ((10, 0), (-1.0, math.inf), -1.0),
        ((0, 0, 10), (1.0, 2.0, math.inf), None),
        ((0, 0, 0), (1.0, 2.0, math.inf), None),
        ((), (), None),
    ],
)
def test_the_median_lies_inside_its_bucket(counts, bounds, median):
    """Linear within the bucket; nothing is claimed of the open one, or without requests."""
    assert buckets.median(np.array(counts, dtype=float), bounds) == median
