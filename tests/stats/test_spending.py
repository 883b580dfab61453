"""Spending: published limits, properties of the budget, simulated crossings."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from firedamp.stats.spending import Budget, Spending, informed_levels, nominal_levels

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(200)


def even(looks: int) -> np.ndarray:
    return np.arange(1, looks + 1) / looks


def crossing(levels: Sequence[float] | np.ndarray, fractions: np.ndarray) -> float:
    """
    Chance that Brownian motion ever crosses these levels: Armitage's recursion, by plain quadrature.

    The yardstick of this module, right to 1e-6 while looks are at least 1 % of the time apart; it is
    itself held to published tables.
    """
    place, mass, before, crossed = np.zeros(1), np.ones(1), 0.0, 0.0
    for bound, time in zip(-ndtri(levels) * np.sqrt(fractions), fractions, strict=True):
        step, floor = math.sqrt(time - before), -8 * math.sqrt(time)
        crossed += float(mass @ ndtr((place - bound) / step))
        moved = floor + (bound - floor) / 2 * (POINTS + 1)
        density = (
            np.exp(-0.5 * ((moved[:, None] - place) / step) ** 2) @ mass / (step * math.sqrt(2 * math.pi))
        )
        place, mass, before = moved, density * WEIGHTS * (bound - floor) / 2, time
    return crossed


@pytest.mark.parametrize(
    "published",
    [
        [2.157, 2.201],
        [2.279, 2.295, 2.296],
        [2.368, 2.368, 2.358, 2.350],
        [2.438, 2.427, 2.410, 2.397, 2.386],
    ],
)
def test_lan_demets_limits_of_the_pocock_type(published):
    """Two to five looks at one-sided 2.5 % (gsDesign sfLDPocock)."""
    limits = -ndtri(
        nominal_levels(Budget(0.025, reserve=0.0, spending=Spending.POCOCK), even(len(published)))
    )

    assert limits == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize(
    ("looks", "constant"), [(2, 2.178), (3, 2.289), (4, 2.361), (5, 2.413), (10, 2.555), (20, 2.672)]
)
def test_pocock_constants_use_their_alpha(looks, constant):
    """Jennison & Turnbull (2000), table 2.1: each constant limit spends 2.5 % on one side."""
    crossed = crossing([float(ndtr(-constant))] * looks, even(looks))

    assert crossed == pytest.approx(0.025, abs=5e-5)


@pytest.mark.parametrize(
    ("looks", "percent"), [(1, 5.0), (2, 8.3), (3, 10.7), (4, 12.6), (5, 14.2), (10, 19.3)]
)
def test_repeated_looks_inflate_as_published(looks, percent):
    """Armitage, McPherson & Rowe (1969), table 2, two-sided 5 %; both sides cross rarely together."""
    one_side = crossing([0.025] * looks, even(looks))

    assert 2 * one_side == pytest.approx(percent / 100, abs=0.0035)


def test_the_window_spends_all_but_the_reserve():
    """By the end of the window 90 % of alpha may be gone."""
    assert Budget(0.02).spent_by(1.0) == pytest.approx(0.018)


def test_half_the_reserve_is_gone_by_twice_the_window():
    """1 - 1/t of it."""
    assert Budget(0.02).spent_by(2.0) == pytest.approx(0.019)


def test_pocock_spends_three_fifths_by_half_time():
    """ln(1 + (e - 1)/2) = 0.62."""
    assert Spending.POCOCK.spent(0.5) == pytest.approx(math.log(1 + (math.e - 1) / 2))


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.floats(1e-6, 0.5), st.floats(0, 0.9))
def test_a_budget_rises_and_stays_below_alpha(early, late, alpha, reserve):
    """However long a guard is asked."""
    budget = Budget(alpha, reserve)
    early, late = sorted((early, late))

    assert 0 <= budget.spent_by(early) <= budget.spent_by(late) <= alpha * (1 + 1e-12)


def test_nothing_is_spent_before_the_start():
    """A fraction below zero is the start."""
    assert Budget(0.05).spent_by(-1) == 0


@pytest.mark.parametrize(("alpha", "reserve"), [(0, 0.1), (1, 0.1), (0.05, 1.0), (0.05, -0.1)])
def test_senseless_budgets_are_refused(alpha, reserve):
    """Alpha and reserve are shares."""
    with pytest.raises(ValueError, match="expected"):
        Budget(alpha, reserve)


@pytest.mark.parametrize("fractions", [(0.0, 0.5), (0.5, 0.5), (0.5, 0.4), (math.nan,)])
def test_fractions_rise_from_above_zero(fractions):
    """Time does not stand still or run backwards."""
    with pytest.raises(ValueError, match="rise"):
        nominal_levels(Budget(0.05), fractions)


@pytest.mark.parametrize("looks", [1, 7, 60])
def test_the_levels_spend_the_budget(looks):
    """To the last look, where no look is closer than 1.5 % of its time to the one before."""
    budget = Budget(0.05)
    levels = nominal_levels(budget, even(looks))

    assert crossing(levels, even(looks)) == pytest.approx(budget.spent_by(1.0), rel=1e-6)


def test_crowded_looks_spend_less_than_the_budget():
    """Looks up to 1 % of their time apart share integrations: most of the budget is used, never more."""
    budget = Budget(0.05)
    levels = nominal_levels(budget, even(100))

    assert 0.9 * budget.spent_by(1.0) < crossing(levels, even(100)) < budget.spent_by(1.0)


def test_a_shorter_plan_begins_a_longer_one():
    """A look's level depends on what came before it only."""
    budget, plan = Budget(0.001), np.arange(1, 501) / 120

    assert np.array_equal(nominal_levels(budget, plan)[:200], nominal_levels(budget, plan[:200]))


def test_a_week_of_looks_is_planned_at_once():
    """20,000 looks of 30 s: every level is a probability and none is below half its share of the budget."""
    budget, plan = Budget(0.05), np.arange(1, 20_001) / 120
    levels = nominal_levels(budget, plan)
    growth = np.diff([0.0, *(budget.spent_by(t) for t in plan)])

    assert (levels >= growth / 2 * (1 - 1e-6)).all()
    assert (levels < 0.05).all()


def test_a_spent_budget_allows_nothing():
    """Without a reserve no look after the window can fire."""
    levels = nominal_levels(Budget(0.05, reserve=0.0), [0.5, 1.0, 1.5, 2.0])

    assert levels[2:].tolist() == [0.0, 0.0]


def test_levels_cannot_be_overwritten():
    """They are shared by all who ask for the same plan."""
    with pytest.raises(ValueError, match="read-only"):
        nominal_levels(Budget(0.05), [0.5, 1.0])[0] = 1.0


def test_levels_by_even_information_are_those_by_time():
    """Where information grows with time both ways of planning agree to the last digit."""
    budget, plan = Budget(0.05), even(30)
    allowances = np.diff([0.0, *(budget.spent_by(time) for time in plan)])

    assert informed_levels(allowances, plan) == pytest.approx(nominal_levels(budget, plan), rel=1e-9)


def test_a_look_that_knows_nothing_new_leaves_half_of_its_allowance():
    """A pause spends half of what it may; the look after it has the rest, and more than without the pause."""
    paused = informed_levels([0.01] * 4, [1.0, 1.0, 1.0, 2.0])

    assert paused[1:3].tolist() == [0.005, 0.005]
    assert paused[3] == pytest.approx(informed_levels([0.01, 0.02], [1.0, 2.0])[1])


@pytest.mark.simulation
@pytest.mark.parametrize("course", ["ramp", "pods", "pause"])
def test_information_of_any_course_keeps_alpha(course):
    """On growing traffic, with few pods or a pause, most of what is allowed crosses and no more."""
    sampled = np.cumsum({"ramp": [1.0] * 20 + [4.0] * 20 + [6.0] * 20}.get(course, [1.0] * 60))
    if course == "pause":
        sampled = np.cumsum([1.0] * 20 + [1e-6] * 20 + [1.0] * 20)
    information = 1 / (1 / sampled + 0.1 * (course == "pods"))
    allowances = np.full(60, 0.05 / 60)
    bounds = -ndtri(informed_levels(allowances, information)) * np.sqrt(information)
    steps = np.random.default_rng(11).normal(size=(40_000, 60))
    walks = np.cumsum(steps * np.sqrt(np.diff(information, prepend=0.0)), axis=1)
    rate = float((walks >= bounds).any(axis=1).mean())

    assert 0.7 * 0.05 < rate < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 40_000)


@pytest.mark.simulation
@pytest.mark.parametrize("looks", [60, 240])
def test_brownian_paths_cross_as_often_as_promised(looks):
    """40,000 random walks over the window: all of the budget at 60 looks, no more of it at 240."""
    rng = np.random.default_rng(20240502)
    crossed, paths = 0, 40_000
    budget = Budget(0.05)
    bounds = -ndtri(nominal_levels(budget, even(looks))) * np.sqrt(even(looks))
    for _ in range(20):
        walks = np.cumsum(rng.normal(0, math.sqrt(1 / looks), (paths // 20, looks)), axis=1)
        crossed += int((walks >= bounds).any(axis=1).sum())
    rate, error = crossed / paths, math.sqrt(0.045 * 0.955 / paths)

    assert rate < 0.045 + 3 * error
    assert rate > (0.045 if looks == 60 else 0.038) - 3 * error
