"""Power: what can be told by hand, properties, and forecasts against simulations of the tests themselves."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from firedamp.stats import batch, betabinomial
from firedamp.stats.null import Null, Shape
from firedamp.stats.power import (
    MAX_RATIO,
    Trial,
    detectable_fall,
    detectable_ratio,
    detection_power,
)
from firedamp.stats.spending import Budget, nominal_levels

COUNTS = st.floats(1, 1e6)
RATES = st.floats(1e-5, 0.2)
PLAIN = Null(0.25, phi=1.0)
#: One of twenty checks, by the middle of its window; the second hurdle is kept at ten times as much.
TRIAL = Trial(Null(0.25, phi=1.0, shape=Shape.MAX), (4e-4, 4e-3), 60)
NULLS = st.builds(
    Null,
    tolerance=st.floats(0, 1),
    phi=st.floats(1, 8),
    baseline_cv=st.floats(0, 0.3),
    canary_cv=st.floats(0, 0.6),
    shape=st.just(Shape.PRODUCT),
)


def trial(null, alpha=0.0025, blocks=60.0):
    return Trial(null, tuple(alpha * multiple for multiple in null.multiples), blocks)


@pytest.mark.parametrize(
    ("share", "ratio", "errors"),
    [(0.05, 3, 258), (0.05, 5, 69), (0.05, 10, 19), (0.2, 3, 77), (0.2, 5, 21), (0.2, 10, 6.2), (0.5, 3, 60)],
)
def test_planned_errors_are_near_those_simulated(share, ratio, errors):
    """
    Errors expected at the base rate in both arms until the sequential test finds the fault in 80 %.

    Simulated with 60 looks, one hurdle, alpha 0.25 % and tolerance 1.25; the plan is within a quarter.
    """

    def chance(total):
        n = total / 1e-4
        return detection_power(
            1e-4, trial(PLAIN), baseline_n=n * (1 - share), canary_n=n * share, ratio=ratio
        )

    assert chance(errors * 0.75) < 0.8 < chance(errors * 1.25)


@pytest.mark.parametrize(("events", "ratio"), [(5.0, 12.0), (40.0, 4.0), (300.0, 2.0)])
def test_without_noise_it_is_the_power_of_one_look_at_two_fifths(events, ratio):
    """Summed exactly over the counts of both arms, the boundary of each total found exactly."""
    mean = events * ratio / 4
    baseline, canary = (np.arange(int(m + 9 * math.sqrt(m) + 9)) for m in (events, mean))
    allowed = 0.2 * 1.25 / (1 + 0.2 * 0.25)
    limits = [
        betabinomial.critical(total, allowed, 0.4 * 0.0025) for total in range(baseline.size + canary.size)
    ]
    fails = canary[None, :] >= np.maximum(np.array(limits)[baseline[:, None] + canary[None, :]], 3)
    exact = stats.poisson.pmf(baseline, events) @ fails @ stats.poisson.pmf(canary, mean)

    assert 0.4 < exact < 0.97
    assert detection_power(
        1e-5, trial(PLAIN), baseline_n=events / 1e-5, canary_n=events / 4e-5, ratio=ratio
    ) == pytest.approx(exact, abs=0.06)


@pytest.mark.parametrize(
    ("rate", "baseline_n", "canary_n"), [(0.0, 1e4, 1e3), (0.01, 0, 1e3), (0.01, 1e3, 0)]
)
def test_nothing_is_seen_without_requests_or_errors(rate, baseline_n, canary_n):
    """No base rate, or an empty arm: neither power nor a rise or a fall that would be seen."""
    arms = {"baseline_n": baseline_n, "canary_n": canary_n}

    assert detection_power(rate, TRIAL, **arms, ratio=5) == 0
    assert detectable_ratio(rate, TRIAL, **arms) == math.inf
    assert detectable_fall(rate, TRIAL, **arms) == math.inf


@given(NULLS, RATES, COUNTS, COUNTS, st.floats(1, 100), st.floats(1e-5, 0.05))
@settings(deadline=None, max_examples=100)
def test_power_is_a_probability_that_grows_with_the_rise(null, rate, baseline_n, canary_n, ratio, alpha):
    """For any traffic and noise; a tenth more is not seen less often."""
    chances = [
        detection_power(rate, trial(null, alpha), baseline_n=baseline_n, canary_n=canary_n, ratio=one)
        for one in (ratio, 1.1 * ratio)
    ]

    assert 0 <= chances[0] <= chances[1] + 0.02
    assert chances[1] <= 1


@given(NULLS, RATES, COUNTS, COUNTS)
@settings(deadline=None, max_examples=100)
def test_the_detectable_ratio_has_the_power(null, rate, baseline_n, canary_n):
    """Or is infinite."""
    arms = {"baseline_n": baseline_n, "canary_n": canary_n}
    ratio = detectable_ratio(rate, trial(null), **arms)

    assert ratio == math.inf or (
        1 <= ratio <= MAX_RATIO
        and detection_power(rate, trial(null), **arms, ratio=ratio) == pytest.approx(0.8, abs=0.03)
    )


@pytest.mark.parametrize("shape", Shape)
def test_a_tenfold_tolerance_hides_all_but_more_than_tenfold(shape):
    """Also where the search begins at counts that are all but certain under the null."""
    then = trial(Null(9.0, 1.3, 0.06, 0.1, shape), 0.001, 9.0)

    assert 10 < detectable_ratio(0.02, then, baseline_n=170_000, canary_n=150_000) < 20


@given(RATES, COUNTS, COUNTS)
@settings(deadline=None, max_examples=50)
def test_noise_hides(rate, baseline_n, canary_n):
    """Clumps and pods that differ never make a smaller rise detectable."""
    arms = {"baseline_n": baseline_n, "canary_n": canary_n}
    plain = detectable_ratio(rate, trial(PLAIN), **arms)

    assert detectable_ratio(rate, trial(Null(0.25, phi=4.0)), **arms) >= 0.98 * plain
    assert detectable_ratio(rate, trial(Null(0.25, 1.0, 0.1, 0.3)), **arms) >= 0.98 * plain


def test_more_traffic_sees_smaller_rises():
    """At 1 % errors and 20 % share: some ×2.3 with 10,000 requests, some ×1.6 with 100,000."""
    few, many = (detectable_ratio(0.01, TRIAL, baseline_n=8 * n, canary_n=2 * n) for n in (1000, 10_000))

    assert 2.2 < few < 2.8
    assert 1.5 < many < 1.7


def test_endless_traffic_leaves_tolerance_and_pods():
    """What any number of requests shows stays a finite rise, and pods that differ make it larger."""
    arms = {"baseline_n": 1e15, "canary_n": 1e14}
    even, uneven = (
        detectable_ratio(0.01, trial(Null(0.25, 1.0, 0.05, cv, Shape.MAX)), **arms) for cv in (0.05, 0.3)
    )

    assert 1.25 < even < 1.6 < uneven < 3.5


def test_a_few_requests_hide_all_but_an_outage():
    """Forty canary requests at 0.5 % show a rise to some ×50; four at 20 % show nothing."""
    forty = detectable_ratio(0.005, TRIAL, baseline_n=160, canary_n=40)

    assert 40 < forty < 60
    assert detectable_ratio(0.2, TRIAL, baseline_n=16, canary_n=4) == math.inf


def test_a_fall_is_harder_to_see_than_a_rise():
    """Where a bad canary has fewer, its own counts thin out; a twentieth of the traffic can show no fall."""
    arms = {"baseline_n": 8000, "canary_n": 2000}
    fall = detectable_fall(0.02, TRIAL, **arms)

    assert detectable_ratio(0.02, TRIAL, **arms) < fall < 5
    assert detectable_fall(0.02, TRIAL, baseline_n=800, canary_n=40) == math.inf


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("requests", "rate", "share", "null", "alpha"),
    [
        (200, 0.01, 0.2, TRIAL.null, 0.001),
        (1_000, 0.01, 0.2, TRIAL.null, 0.001),
        (10_000, 0.01, 0.2, TRIAL.null, 0.001),
        (10_000, 0.01, 0.05, TRIAL.null, 0.01),
        (1_000, 0.05, 0.5, TRIAL.null, 0.001),
        (10_000, 0.01, 0.2, Null(0.25, 1.0, 0.075, 0.15, Shape.MAX), 0.001),
        (10_000, 0.01, 0.2, Null(0.25, 1.0, 0.08, 0.25), 0.001),
        (10_000, 0.01, 0.2, Null(0.25, 5.0, 0.075, 0.15, Shape.MAX), 0.001),
    ],
)
@pytest.mark.parametrize("blocks", [20, 60])
def test_four_of_five_find_the_detectable_rise(requests, rate, share, null, alpha, blocks):
    """The sequential test itself, many releases at once: 80 % found by then, to ten points."""
    arms = requests / 60 * (1 - share), requests / 60 * share
    parts = [Budget(alpha * multiple) for multiple in null.multiples]
    at = np.arange(1, blocks + 1) / 120
    budgets = np.array([[part.spent_by(time) for part in parts] for time in at])
    then = Trial(null, tuple(budgets[-1]), blocks)
    ratio = detectable_ratio(rate, then, baseline_n=arms[0] * blocks, canary_n=arms[1] * blocks)
    counted = _counted([arms[0] * rate, arms[1] * min(rate * ratio, 1.0)], null, blocks, share)
    levels = np.stack([nominal_levels(part, at) for part in parts], axis=1)

    found = batch.judge([null] * len(counted.canary_share), counted, budgets, levels).crossed[:, -1].mean()

    assert found == pytest.approx(0.8, abs=0.1 + 2 * math.sqrt(0.16 / len(counted.canary_share)))


def _counted(means, null, blocks, share, releases=400):
    """Errors of both arms: Gamma pods, and geometric batches of the null's dispersion."""
    rng = np.random.default_rng(20240623)
    mean_batch = (null.phi + 1) / 2
    events = []
    for mean, cv in zip(means, (null.baseline_cv, null.canary_cv), strict=True):
        factor = rng.gamma(1 / cv**2, cv**2, (releases, 1)) if cv else np.ones((releases, 1))
        batches = rng.poisson(np.broadcast_to(mean * factor / mean_batch, (releases, blocks)))
        more = rng.negative_binomial(np.maximum(batches, 1), 1 / mean_batch) if null.phi > 1 else 0
        events.append((batches + np.where(batches > 0, more, 0)).astype(float))
    return batch.Counted(*events, np.full((releases, blocks), share))
