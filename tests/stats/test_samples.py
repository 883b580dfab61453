"""Small samples: scipy, enumeration, the published example of Brunner and Munzel, properties, error rates."""

import math
from itertools import combinations

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firedamp.stats.placements import mid_ranks
from firedamp.stats.samples import EXACT_VALUES, brunner_munzel, exact_mann_whitney

VALUES = st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=14)
#: Shoulder pain after surgery (Lumley 1996), table of Brunner & Munzel (2000), section 5.
WITHOUT_SUCTION = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1]
WITH_SUCTION = [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]


def counted_out(baseline, canary) -> float:
    """Share of all ways to call so many values the canary's that have at least its rank sum."""
    ranks = scipy.stats.rankdata([*baseline, *canary])
    sums = np.array([sum(one) for one in combinations(ranks, len(canary))])
    return float(np.mean(sums >= ranks[len(baseline) :].sum() - 1e-9))


def test_the_example_of_brunner_and_munzel():
    """Pain scores: p = 0.788, statistic 3.137 on 17.683 degrees of freedom, two-sided p 0.0058."""
    found = brunner_munzel(WITHOUT_SUCTION, WITH_SUCTION)

    assert found.theta == pytest.approx(0.788961, abs=1e-6)
    assert found.freedom == pytest.approx(17.6828, abs=1e-4)
    assert 2 * found.p_value == pytest.approx(0.005786, abs=1e-6)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_it_is_scipys_brunner_munzel(baseline, canary):
    """With Student's t, ties included."""
    found = brunner_munzel(baseline, canary)
    assume(0 < found.theta < 1)  # scipy divides by zero where there is no spread
    assume(len({*baseline, *canary}) > 1)
    theirs = scipy.stats.brunnermunzel(baseline, canary, alternative="less")

    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-12)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_it_is_scipys_exact_mann_whitney(n, m, seed):
    """Without ties, both sides."""
    rng = np.random.default_rng(seed)
    baseline, canary = rng.normal(size=n), rng.normal(size=m)
    found = exact_mann_whitney(baseline, canary)
    upper, lower = (
        scipy.stats.mannwhitneyu(canary, baseline, alternative=side, method="exact").pvalue
        for side in ("greater", "less")
    )

    assert found.p_value == pytest.approx(upper, rel=1e-9)
    assert found.lower_p == pytest.approx(lower, rel=1e-9)


@given(
    st.lists(st.integers(0, 5).map(float), min_size=1, max_size=6),
    st.lists(st.integers(0, 5).map(float), min_size=1, max_size=5),
)
@settings(deadline=None)
def test_ties_are_counted_out_too(baseline, canary):
    """Against enumeration."""
    assert exact_mann_whitney(baseline, canary).p_value == pytest.approx(
        counted_out(baseline, canary), rel=1e-9
    )


@given(st.lists(st.integers(-5, 5).map(float), max_size=20))
@settings(deadline=None)
def test_mid_ranks_are_scipys(values):
    """Ties share the middle."""
    assert mid_ranks(np.array(values)).tolist() == scipy.stats.rankdata(values).tolist()


def test_the_smallest_p_is_one_way_of_all():
    """Two of ten pods above all others: one of 45 ways."""
    found = exact_mann_whitney(range(8), [20, 21])

    assert found.p_value == pytest.approx(1 / math.comb(10, 2))
    assert found.theta == found.cliffs_delta == 1.0


def test_samples_that_do_not_overlap_have_a_small_p():
    """There is no spread to go by; half a pair stands in."""
    found = brunner_munzel(range(8), [20, 21, 22])

    assert 0 < found.p_value < 0.001
    assert found.freedom == 2


def test_equal_values_are_a_coin_toss():
    """All the same on both sides."""
    assert brunner_munzel([3, 3, 3], [3, 3]).p_value == 0.5
    assert exact_mann_whitney([3, 3, 3], [3, 3]).p_value == pytest.approx(1.0)


def test_too_few_values_are_no_test():
    """One value has no spread, none has no rank."""
    assert brunner_munzel([1.0], [1.0, 2.0]) is None
    assert exact_mann_whitney([], [1.0]) is None


def test_too_many_values_are_for_the_other_test():
    """Counting out has its price; the message says the limit."""
    with pytest.raises(ValueError, match="61 values, expected at most 60"):
        exact_mann_whitney(np.arange(EXACT_VALUES), [1.0])


@pytest.mark.parametrize("test", [brunner_munzel, exact_mann_whitney])
def test_values_are_finite(test):
    """NaN has no rank."""
    with pytest.raises(ValueError, match="finite"):
        test([1.0, math.nan], [1.0, 2.0])


@pytest.mark.parametrize("test", [brunner_munzel, exact_mann_whitney])
@given(baseline=VALUES, canary=VALUES)
@settings(deadline=None)
def test_every_number_is_a_chance_and_the_arms_mirror(test, baseline, canary):
    """No NaN, in [0, 1], and exchanging the arms exchanges the sides."""
    found, turned = test(baseline, canary), test(canary, baseline)

    assert 0 <= found.p_value <= 1
    assert 0 <= found.lower_p <= 1
    assert found.theta == pytest.approx(1 - turned.theta)
    assert found.p_value == pytest.approx(turned.lower_p, rel=1e-6, abs=1e-12)
    assert found.freedom > 0


@given(VALUES, VALUES, st.integers(0, 13))
@settings(deadline=None)
def test_a_larger_canary_value_never_raises_p(baseline, canary, at):
    """Counted out, the test is monotone in each value."""
    larger = list(canary)
    larger[at % len(larger)] += 5
    found = exact_mann_whitney(baseline, larger)

    assert found.theta >= exact_mann_whitney(baseline, canary).theta


@pytest.mark.simulation
def test_unequal_spreads_keep_their_level():
    """Thrice the spread in the smaller arm, no tendency: 5 % at 5 %, where Mann-Whitney exceeds it."""
    rng, runs = np.random.default_rng(3), 3000
    baseline, canary = rng.normal(0, 1, (runs, 40)), rng.normal(0, 3, (runs, 15))
    found = [brunner_munzel(*pair).p_value <= 0.05 for pair in zip(baseline, canary, strict=True)]
    munzel, whitney = (
        np.mean(found),
        np.mean(scipy.stats.mannwhitneyu(canary, baseline, alternative="greater", axis=1).pvalue <= 0.05),
    )

    assert abs(munzel - 0.05) <= 0.015
    assert whitney > 0.07


@pytest.mark.simulation
def test_counted_out_no_more_fail_than_promised():
    """Four pods against eight, with ties."""
    rng, runs = np.random.default_rng(4), 3000
    failed = np.mean(
        [
            exact_mann_whitney(rng.integers(0, 9, 8), rng.integers(0, 9, 4)).p_value <= 0.05
            for _ in range(runs)
        ]
    )

    assert 0.02 < failed <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
