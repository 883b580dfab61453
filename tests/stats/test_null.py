"""What a good release may look like: hurdles, pods as ratios of Gamma means, what the sharper shape keeps."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from firedamp.stats import paths, sequential
from firedamp.stats.null import Null, Shape, odds, shares, weights
from firedamp.stats.spending import Budget

CVS = st.one_of(st.just(0.0), st.floats(1e-6, 5.0))
NULLS = st.builds(Null, st.floats(-0.9, 20), st.floats(1, 5), CVS, CVS, st.sampled_from(Shape))
#: Traffic share of the canary in the closed form below: its part of equally busy pods.
PODS = [(0.3, 16, 4), (0.5, 10, 1), (0.25, 2, 1), (1.0, 10, 2)]


def pods_null(tolerance: float, tau: float, baseline: int, canary: int, shape: Shape) -> Null:
    """The null of so many equally busy pods whose rates have this coefficient of variation."""
    return Null(tolerance, 1.0, tau / math.sqrt(baseline), tau / math.sqrt(canary), shape)


def mixture(null: Null, total: int, share: float) -> np.ndarray:
    """(hurdles, counts + 1) tails of one block, from the nodes of the exact regime."""
    alive = paths.walk(sequential.start(null).paths, total, shares(null, share), 0.0)
    return paths.tails(alive.sum(axis=1))


@pytest.mark.parametrize(("tau", "baseline", "canary"), PODS)
@pytest.mark.parametrize(("total", "events"), [(20, 8), (90, 30)])
def test_pods_are_gamma_pods(tau, baseline, canary, total, events):
    """Without a tolerance the nodes agree with the closed form betabinom(K, m_c/τ², m_b/τ²) to 0.3 %."""
    null = pods_null(0.0, tau, baseline, canary, Shape.PRODUCT)
    gamma = scipy.stats.betabinom.sf(events - 1, total, canary / tau**2, baseline / tau**2)

    assert mixture(null, total, canary / (baseline + canary))[0, events] == pytest.approx(gamma, rel=3e-3)


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize(("tau", "baseline", "canary"), PODS)
def test_the_nodes_integrate_over_the_pods(shape, tau, baseline, canary):
    """With a tolerance they agree with fine quadrature over the F variable to 0.5 %, for every hurdle."""
    null, share = pods_null(0.25, tau, baseline, canary, shape), canary / (baseline + canary)
    places = np.linspace(-8, 8, 4001)
    mass = scipy.stats.norm.pdf(places) / scipy.stats.norm.pdf(places).sum()
    pods = scipy.stats.f(2 * canary / tau**2, 2 * baseline / tau**2)
    factor = np.where(
        places > 0, pods.isf(scipy.stats.norm.sf(places)), pods.ppf(scipy.stats.norm.cdf(places))
    )
    tails = mixture(null, 90, share)

    for hurdle, at_least in enumerate(null.hurdles):
        worse = np.maximum(at_least, factor) if shape is Shape.MAX else at_least * factor
        against = worse * share / (1 - share)
        exact = mass @ scipy.stats.binom.sf(29, 90, against / (1 + against))
        assert tails[hurdle, 30] == pytest.approx(exact, rel=5e-3)


@pytest.mark.parametrize("shape", Shape)
def test_the_finer_nodes_tell_the_same(shape):
    """The nodes of the normal regime have the mean share of those of the exact one, to 0.5 %."""
    null = pods_null(0.25, 0.3, 16, 4, shape)
    coarse, fine = (shares(null, 0.2, coarse=at) @ weights(shape, coarse=at) for at in (True, False))

    assert fine == pytest.approx(coarse, rel=5e-3)


@pytest.mark.parametrize(("shape", "hurdles"), [(Shape.PRODUCT, [1.25]), (Shape.MAX, [1.1, 1.25])])
def test_pods_alike_leave_the_hurdles(shape, hurdles):
    """Where pods do not differ every node has its hurdle's odds: two fifths of the tolerance, and all."""
    found = shares(Null(0.25, shape=shape), 0.2)
    bare = found / (1 - found) / 0.25

    assert bare == pytest.approx(np.repeat(np.array(hurdles)[:, None], bare.shape[1], axis=1))


def test_the_larger_of_two_is_granted_not_both():
    """Under `MAX` odds are the tolerance or the pods', under `PRODUCT` both, so `MAX` is the sharper one."""
    sharp, mild = (shares(pods_null(0.25, 0.5, 8, 2, shape), 0.2) for shape in (Shape.MAX, Shape.PRODUCT))

    assert sharp.min(axis=1) == pytest.approx([0.275 / 1.275, 0.3125 / 1.3125])
    assert sharp.max() < mild.max()


def test_a_negative_tolerance_is_not_divided():
    """A canary that must be better has nothing of which two fifths could be kept."""
    assert Null(-0.2, shape=Shape.MAX).hurdles == (0.8, 0.8)


def test_the_spread_adds_both_arms():
    """Independent arms: variances add."""
    assert Null(0.25, 1.75, 0.3, 0.4).spread == pytest.approx(0.5)


def test_three_digits_of_a_spread_count():
    """What differs less has the same odds, so that they are looked up where pods change little."""
    ours, theirs = (odds(Null(0.25, phi, cv, 0.2)) for phi, cv in ((1.0, 0.1234), (2.0, 0.12344)))

    assert ours is theirs


@given(NULLS, st.floats(1e-12, 1 - 1e-12), st.booleans())
def test_every_share_is_a_share(null, share, coarse):
    """For every hurdle and node, whatever the pods: within (0, 1), and weights that add up to 1."""
    found = shares(null, share, coarse=coarse)

    assert found.shape == (len(null.hurdles), weights(null.shape, coarse=coarse).size)
    assert np.all((found > 0) & (found < 1))
    assert weights(null.shape, coarse=coarse).sum() == pytest.approx(1.0)


@given(st.floats(0, 2), CVS, CVS, st.sampled_from(Shape), st.floats(0.001, 0.999))
def test_nodes_rise(tolerance, baseline_cv, canary_cv, shape, share):
    """A worse pod never has a smaller share of the errors, nor a higher hurdle."""
    found = shares(Null(tolerance, 1.0, baseline_cv, canary_cv, shape), share)

    assert np.all(np.diff(found, axis=0) >= 0)
    assert np.all(np.diff(found, axis=1) >= 0)


@pytest.mark.parametrize(
    "null",
    [
        (-1.0, 1.75, 0.0, 0.0),
        (math.inf, 1.75, 0.0, 0.0),
        (0.25, 0.5, 0.0, 0.0),
        (0.25, math.inf, 0.0, 0.0),
        (0.25, 1.75, -0.1, 0.0),
        (0.25, 1.75, 0.0, -0.1),
        (0.25, 1.75, 0.0, math.inf),
        (math.nan, 1.0, 0.0, 0.0),
    ],
)
def test_senseless_nulls_are_refused(null):
    """A tolerance above -1, a dispersion of one or more, spreads of zero or more."""
    with pytest.raises(ValueError, match="expected"):
        Null(*null)


@pytest.mark.simulation
@pytest.mark.parametrize(("ratio", "alpha"), [(1.1, 0.01), (1.25, 0.1)])
def test_the_sharper_shape_keeps_both_promises(ratio, alpha):
    """Two fifths of the tolerance cross in at most α (1 %), all of it in at most 10 α."""
    rng = np.random.default_rng(20240601)
    null, budget = Null(0.25, 1.0, 0.02, 0.04, Shape.MAX), Budget(0.01, reserve=0.0)
    crossed = []
    for _ in range(60):
        totals = rng.poisson(5, 60)
        canaries = rng.binomial(totals, 0.2 * ratio / (0.8 + 0.2 * ratio), (400, 60))
        state, bounds = sequential.start(null), []
        for look, total in enumerate(totals, start=1):
            spent = budget.spent_by(look / 60)
            state = sequential.advance(
                state,
                baseline_events=int(total),
                canary_events=0,
                canary_share=0.2,
                allowances=tuple(sequential.Allowance(spent * m) for m in null.multiples),
            )
            bounds.append(state.boundary)
        crossed.append((np.cumsum(canaries, axis=1) >= bounds).any(axis=1).mean())

    assert np.mean(crossed) <= alpha + 2 * math.sqrt(alpha / 24_000)
