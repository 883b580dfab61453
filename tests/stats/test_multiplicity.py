"""Multiplicity: the published example, closed testing, scipy, properties, error rates."""

import math
from itertools import combinations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from firedamp.stats.multiplicity import benjamini_hochberg, holm

#: Benjamini & Hochberg (1995), section 4.1: thrombolysis after infarction (Neuhaus et al. 1992).
THROMBOLYSIS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
    0.7590, 1.0,
]  # fmt: skip
CHANCES = st.lists(st.floats(0, 1), max_size=30)


def closed(p: list[float], weights: list[float]) -> list[float]:
    """Holm by definition: the largest Bonferroni p-value of all sets of hypotheses that hold this one."""
    everyone = range(len(p))
    sets = [one for size in range(1, len(p) + 1) for one in combinations(everyone, size)]
    worth = {one: min(p[i] * sum(weights[j] for j in one) / weights[i] for i in one) for one in sets}
    return [min(1.0, max(value for one, value in worth.items() if i in one)) for i in everyone]


def test_the_published_example():
    """Holm rejects the first three of fifteen, as the paper says of Bonferroni; BH the first four."""
    assert (holm(THROMBOLYSIS) <= 0.05).sum() == 3
    assert (benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum() == 4
    assert benjamini_hochberg(THROMBOLYSIS)[3] == pytest.approx(0.0095 * 15 / 4)


def test_four_p_values_by_hand():
    """0.005 x 4, 0.01 x 3, 0.03 x 2, and the last no smaller than the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_weights_by_hand():
    """Three quarters of alpha on one of two checks: its p counts 4/3 times, the other's then once."""
    assert holm([0.03, 0.04], weights=[3, 1]) == pytest.approx([0.04, 0.04])
    assert holm([0.03, 0.005], weights=[3, 1]) == pytest.approx([0.03, 0.02])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 10)), min_size=1, max_size=6))
@settings(deadline=None)
def test_holm_is_closed_testing_by_bonferroni(pairs):
    """Weighted or not, by enumeration of all sets."""
    p, weights = (list(part) for part in zip(*pairs, strict=True))

    assert holm(p, weights=weights) == pytest.approx(closed(p, weights), rel=1e-12)
    assert holm(p) == pytest.approx(closed(p, [1.0] * len(p)), rel=1e-12)


@given(CHANCES)
@settings(deadline=None)
def test_benjamini_hochberg_is_scipys(p):
    """Ties and zeros included."""
    theirs = scipy.stats.false_discovery_control(p) if p else []

    assert benjamini_hochberg(p) == pytest.approx(theirs, rel=1e-12)


@given(CHANCES)
@settings(deadline=None)
def test_adjusted_values_are_chances_in_the_order_of_p(p):
    """No NaN, at least p, at most Bonferroni's; BH never above Holm; smaller stays smaller."""
    strict, loose, order = holm(p), benjamini_hochberg(p), np.argsort(p, kind="stable")

    assert not np.isnan(strict).any()
    assert (loose <= strict + 1e-15).all()
    assert (np.array(p) <= loose).all()
    assert (strict <= np.minimum(1, len(p) * np.array(p)) * (1 + 1e-12)).all()
    assert (np.diff(strict[order]) >= 0).all()
    assert (np.diff(loose[order]) >= 0).all()


@given(CHANCES, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_checks_means_nothing(p, random):
    """Shuffled p-values have shuffled results."""
    order = list(range(len(p)))
    random.shuffle(order)

    for adjust in (holm, benjamini_hochberg):
        assert adjust([p[i] for i in order]).tolist() == pytest.approx(adjust(p)[order].tolist(), rel=1e-12)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.integers(0, 11), st.floats(0, 1))
@settings(deadline=None)
def test_a_smaller_p_never_raises_another(p, at, factor):
    """Both are monotone in every p-value."""
    smaller = list(p)
    smaller[at % len(p)] *= factor

    assert (holm(smaller) <= holm(p) * (1 + 1e-12)).all()
    assert (benjamini_hochberg(smaller) <= benjamini_hochberg(p) * (1 + 1e-12)).all()


def test_a_lone_check_keeps_its_p():
    """There is nothing to adjust for."""
    assert (holm([0.03]).tolist(), benjamini_hochberg([0.03]).tolist()) == ([0.03], [0.03])


@pytest.mark.parametrize("p", [[0.5, 1.1], [-0.1], [math.nan], [[0.5]]])
def test_only_chances_are_adjusted(p):
    """Whatever is no row of probabilities is refused."""
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="in \\[0, 1\\]"):
            adjust(p)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, math.inf], [1.0, math.nan]])
def test_weights_are_above_zero(weights):
    """A check without weight has no part of alpha."""
    with pytest.raises(ValueError, match="above 0"):
        holm([0.1, 0.2], weights=weights)


def test_weights_may_be_as_far_apart_as_floats_are():
    """Nothing overflows, and a zero stays one."""
    assert holm([0.0, 0.3, 0.3], weights=[5e-324, 1.7e308, 1.0]).tolist() == pytest.approx([0.0, 0.3, 0.3])


@pytest.mark.simulation
@pytest.mark.parametrize("common", [0.0, 0.5, 0.95])
def test_holm_accuses_any_healthy_check_as_seldom_as_promised(common):
    """Twenty checks, four of them bad, moving together or not: in at most 5 % of releases."""
    rng, runs = np.random.default_rng(20261121), 4000
    shared = math.sqrt(common) * rng.normal(size=(runs, 1))
    z = shared + math.sqrt(1 - common) * rng.normal(size=(runs, 20))
    z[:, :4] += 3
    accused = np.mean([(holm(p)[4:] <= 0.05).any() for p in ndtr(-z)])

    assert accused <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.simulation
@pytest.mark.parametrize("common", [0.0, 0.5])
def test_a_tenth_of_the_marked_checks_are_healthy_at_most(common):
    """Benjamini and Hochberg at 10 %, a fifth of the checks bad; independent ones use 8 of the 10 %."""
    rng, runs = np.random.default_rng(20261122), 4000
    shared = math.sqrt(common) * rng.normal(size=(runs, 1))
    z = shared + math.sqrt(1 - common) * rng.normal(size=(runs, 20))
    z[:, :4] += 3
    marked = np.array([benjamini_hochberg(p) <= 0.1 for p in ndtr(-z)])
    false = (marked[:, 4:].sum(axis=1) / np.maximum(marked.sum(axis=1), 1)).mean()

    assert false <= 0.08 + 0.01
    if not common:
        assert false == pytest.approx(0.08, abs=0.01)
