"""Thinned series: bounded, and their means are those of all points."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.thinning import CELLS, Thinned
from firedamp.stats.trend import theil_sen

A, B = ("canary", "a"), ("canary", "b")


def taken(points: dict[int, dict]) -> Thinned:
    grid = Thinned()
    for index in sorted(points):
        grid = grid.added(index, points[index])
    return grid


def test_few_points_are_kept_as_they_are():
    """While there is room every point has its own cell."""
    grid = taken({7: {A: 1.0}, 8: {A: 2.0, B: 5.0}, 10: {A: 4.0}})

    assert grid.places.tolist() == [7, 8, 9, 10]
    assert grid.group("canary") == pytest.approx(
        np.array([[1, 2, math.nan, 4], [math.nan, 5, math.nan, math.nan]]), nan_ok=True
    )


def test_a_full_grid_joins_neighbours():
    """The sixty-fifth point makes every cell two wide, and begins a new one."""
    grid = taken({index: {A: float(index)} for index in range(CELLS + 1)})

    assert grid.stride == 2
    assert grid.places.tolist() == [*np.arange(0.5, CELLS, 2), CELLS]
    assert grid.group("canary")[0].tolist() == grid.places.tolist()


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 129, 500, 1023])
def test_every_cell_is_the_mean_of_its_points(count):
    """Whole cells and the open one, after any number of points."""
    values = np.random.default_rng(1).normal(size=count)
    grid = taken({index: {A: value} for index, value in enumerate(values)})
    parts = [values[begin : begin + grid.stride].mean() for begin in range(0, count, grid.stride)]

    assert grid.group("canary")[0] == pytest.approx(np.array(parts))
    assert len(parts) <= CELLS


def test_a_gap_longer_than_the_grid_is_a_gap():
    """Points far apart need several joins at once."""
    grid = taken({0: {A: 1.0}, 1000: {A: 2.0}})

    assert grid.stride == 16
    assert np.nansum(grid.group("canary")) == 3.0
    assert np.isfinite(grid.group("canary")).sum() == 2


def test_a_slope_survives_thinning():
    """Ten hours of a steady leak have its slope to the last digits."""
    grid = taken({index: {A: 3.0 + 0.25 * index} for index in range(1200)})

    assert theil_sen(grid.places, grid.group("canary")[0]).slope == pytest.approx(0.25)


def test_age_costs_nothing():
    """Memory after a day is that after an hour."""
    hour, day = (taken({i: {A: 1.0, B: 2.0} for i in range(count)}) for count in (120, 2880))

    assert hour.means.nbytes == day.means.nbytes


def test_groups_are_apart_and_in_the_order_of_names():
    """The same pod name may be in both arms; who came first does not matter."""
    grid = taken({0: {("main", "b"): 1.0}, 1: {("main", "a"): 2.0, ("canary", "b"): 3.0}})

    assert grid.group("main") == pytest.approx(np.array([[math.nan, 2.0], [1.0, math.nan]]), nan_ok=True)
    assert grid.group("canary").shape == (1, 2)
    assert grid.group("none").shape == (0, 2)


def test_nothing_is_nothing():
    """Without values there are no cells, and no values add none."""
    grid = Thinned()

    assert grid.added(5, {}) is grid
    assert grid.places.size == 0
    assert grid.group("canary").shape == (0, 0)


def test_points_come_in_order():
    """Going back is an error of the caller."""
    with pytest.raises(ValueError, match="index 3 follows 3"):
        taken({3: {A: 1.0}}).added(3, {A: 1.0})


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(-1e9, 1e9)), min_size=1, max_size=80))
@settings(deadline=None)
def test_cells_stay_within_what_was_seen(steps):
    """However gaps lie: no more than 64 cells, rising, and no mean beyond the values."""
    indexes = np.cumsum([step for step, _ in steps])
    values = [value for _, value in steps]
    grid = taken({int(index): {A: value} for index, value in zip(indexes, values, strict=True)})
    row = grid.group("canary")[0]

    assert row.size == grid.places.size <= CELLS
    assert (np.diff(grid.places) > 0).all()
    assert np.nanmin(row) >= min(values) - 1e-3
    assert np.nanmax(row) <= max(values) + 1e-3
