"""Many releases at once: the very answers of one at a time, for any counts, nulls and budgets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import batch, sequential
from firedamp.stats.batch import Counted, judge
from firedamp.stats.null import Null, Shape
from firedamp.stats.sequential import Allowance
from firedamp.stats.spending import Budget, nominal_levels


def one_by_one(nulls, counted: Counted, budgets, levels):
    """(boundary, p, crossed), each (releases, blocks), as the scalar test has them."""
    releases, blocks = counted.canary_share.shape
    found = np.empty((3, releases, blocks))
    for release in range(releases):
        state = sequential.start(nulls[release][0])
        for block in range(blocks):
            state = sequential.advance(
                state.under(nulls[release][block]),
                baseline_events=float(counted.baseline_events[release, block]),
                canary_events=float(counted.canary_events[release, block]),
                canary_share=float(counted.canary_share[release, block]),
                allowances=tuple(map(Allowance, budgets[block], levels[block])),
            )
            found[:, release, block] = state.boundary, state.p_value, state.crossed
    return found


def plan(null: Null, blocks: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """(blocks, hurdles) budgets and levels of an even plan."""
    budgets = [Budget(min(0.5, alpha * multiple), reserve=0.0) for multiple in null.multiples]
    fractions = np.arange(1, blocks + 1) / blocks
    spent = [[budget.spent_by(fraction) for budget in budgets] for fraction in fractions]
    return np.array(spent), np.transpose([nominal_levels(budget, fractions) for budget in budgets])


def releases(seed: int, shape: Shape, rate: float) -> tuple[list[list[Null]], Counted]:
    """Five releases of twelve blocks: uneven errors, some fractions, silent arms, nulls that are learnt."""
    rng = np.random.default_rng(seed)
    size = 5, 12
    start = [
        Null(0.25, rng.choice([1.0, 1.3, 4.0]), *rng.choice([0.0, 0.1, 0.5], 2), shape)
        for _ in range(size[0])
    ]
    nulls = [
        [
            replace(null, phi=null.phi + 0.1 * (block // 5), canary_cv=null.canary_cv + 0.01 * (block // 4))
            for block in range(size[1])
        ]
        for null in start
    ]
    errors = rng.poisson(rate * rng.exponential(1, size), (2, *size)) + rng.choice([0.0, 0.25], (2, *size))
    share = rng.choice([0.0, 0.05, 0.2, 0.5, 1.0, np.nan], size, p=[0.05, 0.2, 0.5, 0.15, 0.05, 0.05])
    return nulls, Counted(errors[0], errors[1] * rng.choice([0.1, 0.5, 2.0], (size[0], 1)), share)


def part(counted: Counted, some: slice) -> Counted:
    """These releases' counts."""
    return Counted(counted.baseline_events[some], counted.canary_events[some], counted.canary_share[some])


@given(st.integers(0, 2**32), st.sampled_from(Shape), st.sampled_from([0.1, 1.0, 6.0, 40.0]))
@settings(deadline=None, max_examples=60)
def test_many_are_judged_as_one_is_to_the_last_digit(seed, shape, rate):
    """Boundaries, p and crossings, with nulls learnt on the way, silent arms and more than 400 errors."""
    nulls, counted = releases(seed, shape, rate)
    budgets, levels = plan(nulls[0][0], 12, 0.05)
    found = judge(nulls, counted, budgets, levels)

    assert np.array_equal(
        one_by_one(nulls, counted, budgets, levels), [found.boundary, found.p_value, found.crossed]
    )


def test_quiet_blocks_of_a_crowded_release_are_judged_as_one_by_one():
    """Many errors, then none for some blocks: nothing is added, and the answers are those of one release."""
    errors = np.array([[[300.0, 0.0, 0.0, 300.0]], [[100.0, 0.0, 0.0, 90.0]]])
    counted = Counted(*errors, np.full((1, 4), 0.25))
    nulls = [[Null(0.25, 1.3, 0.1, 0.2, Shape.MAX)] * 4]
    budgets, levels = plan(nulls[0][0], 4, 0.05)
    found = judge(nulls, counted, budgets, levels)

    assert np.array_equal(
        one_by_one(nulls, counted, budgets, levels), [found.boundary, found.p_value, found.crossed]
    )


def test_it_does_not_matter_who_is_judged_together():
    """One at a time, seven at a time, or all: the same answers."""
    rng = np.random.default_rng(20240801)
    total = rng.poisson(2, (20, 30))
    canary = rng.binomial(total, 0.3)
    counted = Counted((total - canary).astype(float), canary.astype(float), np.full((20, 30), 0.2))
    nulls = [Null(0.25, 1.2, 0.1, 0.2, Shape.MAX)] * 20
    budgets, _ = plan(nulls[0], 30, 0.01)
    whole = judge(nulls, counted, budgets)

    for together in (1, 7):
        some = [
            judge(nulls[at : at + together], part(counted, slice(at, at + together)), budgets)
            for at in range(0, 20, together)
        ]
        assert np.array_equal(np.concatenate([each.p_value for each in some]), whole.p_value)
        assert np.array_equal(np.concatenate([each.boundary for each in some]), whole.boundary)


def test_more_releases_than_fit_at_once_are_judged_in_turn():
    """Each by its own counts: copies of one release have one answer."""
    copies = 2 * batch.TOGETHER + 3
    total = np.tile(np.arange(8.0), (copies, 1))
    counted = Counted(total, total[:, ::-1].copy(), np.full(total.shape, 0.3))
    found = judge([Null(0.25)] * copies, counted, np.full((8, 1), 0.01))

    assert np.all(found.p_value == found.p_value[0])
    assert np.all(found.boundary == found.boundary[0])


@pytest.mark.parametrize("errors", [-1.0, np.nan, np.inf])
def test_impossible_errors_are_refused(errors):
    """Negative, unknown or endless counts are broken input."""
    with pytest.raises(ValueError, match="expected finite"):
        Counted(np.array([[errors]]), np.zeros((1, 1)), np.full((1, 1), 0.2))


def test_counts_of_unlike_shapes_are_refused():
    """One number per release and block in each."""
    with pytest.raises(ValueError, match="unlike shapes"):
        Counted(np.zeros((2, 3)), np.zeros((2, 2)), np.full((2, 3), 0.2))


def test_nulls_of_unlike_shapes_are_refused():
    """Arrays hold one hurdle or two."""
    counted = Counted(*np.full((3, 2, 1), 0.2))

    with pytest.raises(ValueError, match="unlike shapes"):
        judge([Null(0.25), Null(0.25, shape=Shape.MAX)], counted, np.full((1, 1), 0.01))


def test_beyond_400_errors_the_levels_are_needed():
    """Without them there is nothing to judge by, and that is said."""
    counted = Counted(np.full((1, 1), 500.0), np.ones((1, 1)), np.full((1, 1), 0.2))

    with pytest.raises(ValueError, match="levels"):
        judge([Null(0.25)], counted, np.full((1, 1), 0.01))


@pytest.mark.simulation
def test_many_good_releases_keep_alpha():
    """Ten thousand at once, pods alike, 50 errors a window: between 3 % and 5 % cross at a nominal 5 %."""
    rng = np.random.default_rng(20240802)
    total = rng.poisson(50 / 60, (10_000, 60))
    canary = rng.binomial(total, 0.2)
    counted = Counted((total - canary).astype(float), canary.astype(float), np.full(total.shape, 0.2))
    budgets, _ = plan(Null(0.0, 1.0), 60, 0.05)
    found = judge([Null(0.0, 1.0)] * 10_000, counted, budgets)

    assert 0.03 <= found.crossed[:, -1].mean() <= 0.05
