"""Strata: van Elteren's test against scipy, enumeration and his formula; ramps do not mislead it."""

import math
from itertools import combinations, product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats.ranks import compare_histograms, mann_whitney
from firedamp.stats.strata import stratified_histograms, van_elteren

BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf]
VALUES = st.lists(st.integers(-5, 30).map(float), min_size=1, max_size=25)
COUNTS = st.lists(st.integers(0, 500), min_size=12, max_size=12)
#: Two wards of patients, made up: the second is slower altogether, with ties.
BASELINE = ([1.0, 3.0, 4.0], [11.0, 12.0, 12.0, 15.0])
CANARY = ([2.0, 5.0], [12.0, 14.0, 16.0])


def lognormal(rng: np.random.Generator, median: float, n: int) -> np.ndarray:
    """Requests per bucket, drawn."""
    below = scipy.stats.lognorm.cdf(BOUNDS, 0.6, scale=median)
    return rng.multinomial(n, np.diff([0.0, *below]))


def rank_sum(baseline, canary) -> float:
    """Van Elteren's statistic as he has it: rank sums of the canary over n + m + 1."""
    return sum(
        scipy.stats.rankdata([*b, *c])[len(b) :].sum() / (len(b) + len(c) + 1)
        for b, c in zip(baseline, canary, strict=True)
    )


def every_split(values, size):
    """All ways to call some of a stratum's values the canary's."""
    for chosen in combinations(range(len(values)), size):
        yield [v for i, v in enumerate(values) if i not in chosen], [values[i] for i in chosen]


def test_two_strata_by_enumeration():
    """The statistic is the rank sum less its mean over its deviation, over all 350 ways to share out."""
    splits = [list(every_split([*b, *c], len(c))) for b, c in zip(BASELINE, CANARY, strict=True)]
    sums = [rank_sum(*zip(*both, strict=True)) for both in product(*splits)]
    z = (rank_sum(BASELINE, CANARY) - np.mean(sums)) / np.std(sums)

    assert len(sums) == 10 * 35
    assert van_elteren(BASELINE, CANARY).plain_p == pytest.approx(scipy.stats.norm.sf(z), rel=1e-12)


def test_without_ties_it_is_van_elterens_formula():
    """W = Σ R / (n + m + 1) with mean Σ m / 2 and variance Σ n m / (n + m + 1) / 12 (Lehmann 1975, 3.3)."""
    rng = np.random.default_rng(1)
    sizes = [(8, 5), (20, 9), (3, 14)]
    baseline, canary = ([rng.normal(size=pair[arm]) for pair in sizes] for arm in (0, 1))
    mean = sum(m for _, m in sizes) / 2
    variance = sum(n * m / (n + m + 1) for n, m in sizes) / 12
    z = (rank_sum(baseline, canary) - mean) / math.sqrt(variance)

    assert van_elteren(baseline, canary).plain_p == pytest.approx(scipy.stats.norm.sf(z), rel=1e-12)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_one_stratum_is_scipys_mann_whitney(baseline, canary):
    """Asymptotic, ties corrected."""
    found = van_elteren([baseline], [canary])
    theirs = scipy.stats.mannwhitneyu(
        canary, baseline, alternative="greater", method="asymptotic", use_continuity=False
    ).pvalue

    assert found.plain_p == pytest.approx(theirs if len({*baseline, *canary}) > 1 else 1.0, rel=1e-9)


@given(VALUES, VALUES)
@settings(deadline=None)
def test_one_stratum_of_values_is_the_rank_test(baseline, canary):
    """Every figure but the plain p."""
    found, plain = van_elteren([baseline], [canary]), mann_whitney(baseline, canary)

    for name in ("p_value", "z", "theta", "standard_error", "cliffs_delta", "scale", "interval"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-12)


@given(COUNTS, COUNTS, st.floats(0, 1), st.floats(1, 4))
@settings(deadline=None)
def test_one_step_is_the_rank_test(baseline, canary, tolerance, dispersion):
    """Histograms likewise, dispersion and tolerance included."""
    how = {"tolerance": tolerance, "dispersion": dispersion}
    plain = compare_histograms(baseline, canary, BOUNDS, **how)
    found = stratified_histograms([baseline], [canary], BOUNDS, **how)
    if plain is None:
        assert found is None
        return

    for name in ("p_value", "faster_p", "z", "theta", "standard_error", "cliffs_delta", "canary_n"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-9, abs=1e-300)
    assert (found.scale, found.interval) == (plain.scale, pytest.approx(plain.interval, rel=1e-9))


def test_buckets_of_single_values_are_those_values():
    """Histograms with one value per bucket and raw values say the same of θ and its error."""
    rng = np.random.default_rng(2)
    steps = [(rng.integers(0, 12, n), rng.integers(1, 12, m)) for n, m in ((300, 40), (200, 90))]
    tables = [[np.bincount(arms[arm], minlength=12) for arms in steps] for arm in (0, 1)]
    found = stratified_histograms(*tables, BOUNDS, tolerance=0.0)
    raw = van_elteren(*zip(*steps, strict=True))

    for name in ("theta", "standard_error", "z", "plain_p", "baseline_n", "canary_n"):
        assert getattr(found, name) == pytest.approx(getattr(raw, name))


def test_a_slow_service_is_no_slow_canary():
    """Everybody twice as slow while the canary's share grows: pooled it fails, step by step it does not."""
    rng = np.random.default_rng(3)
    baseline = [lognormal(rng, 0.05, 9500), lognormal(rng, 0.1, 5000)]
    canary = [lognormal(rng, 0.05, 500), lognormal(rng, 0.1, 5000)]
    pooled = compare_histograms(sum(baseline), sum(canary), BOUNDS, tolerance=0.0)
    found = stratified_histograms(baseline, canary, BOUNDS, tolerance=0.0)

    assert pooled.p_value < 1e-9
    assert found.p_value > 0.05
    assert found.scale == pytest.approx(1.0, abs=0.05)


def test_the_scale_is_that_of_every_step():
    """A canary 1.34 times as slow in each of three steps."""
    rng = np.random.default_rng(4)
    sizes, medians = [(9500, 500), (8000, 2000), (5000, 5000)], (0.05, 0.08, 0.12)
    baseline = [lognormal(rng, median, n) for median, (n, _) in zip(medians, sizes, strict=True)]
    canary = [lognormal(rng, 1.34 * median, m) for median, (_, m) in zip(medians, sizes, strict=True)]
    found = stratified_histograms(baseline, canary, BOUNDS, tolerance=0.2)

    assert found.interval[0] < 1.34 < found.interval[1]
    assert found.scale == pytest.approx(1.34, rel=0.03)
    assert found.p_value < 0.001


def test_the_ratio_of_values_pairs_within_strata():
    """Twice the values in each stratum, wherever the strata lie."""
    rng = np.random.default_rng(5)
    baseline = [np.exp(rng.normal(shift, 1, 30)) for shift in (0, 3)]
    found = van_elteren(baseline, [2 * values for values in baseline])

    assert found.scale == pytest.approx(2.0, rel=0.05)
    assert found.interval[0] < 2.0 < found.interval[1]
    assert van_elteren(baseline, [2 * values for values in baseline], tolerance=1.0).theta == pytest.approx(
        0.5
    )


def test_steps_without_both_arms_are_left_out():
    """A step in which the canary had no request adds nothing, and alone it is no test."""
    one, two = [5, 9, 3], [1, 7, 9]
    bounds = [0.1, 1.0, np.inf]
    found = stratified_histograms([one, [50, 50, 50]], [two, [0, 0, 0]], bounds, tolerance=0.2)

    assert found == stratified_histograms([one], [two], bounds, tolerance=0.2)
    assert stratified_histograms([one], [[0, 0, 0]], bounds, tolerance=0.2) is None
    assert stratified_histograms(np.empty((0, 3)), np.empty((0, 3)), bounds, tolerance=0.2) is None
    assert van_elteren([[1.0], []], [[], [2.0]]) is None


def test_a_weighted_baseline_is_worth_its_effective_size():
    """Step by step, as in one."""
    table, canary = np.array([[800.0, 200.0], [80.0, 20.0]]), np.array([[70.0, 30.0], [60.0, 40.0]])
    small = stratified_histograms(table / 4, canary, [0.1, np.inf], tolerance=0.0)
    found = stratified_histograms(
        table, canary, [0.1, np.inf], tolerance=0.0, baseline_effective_n=[250.0, 25.0]
    )

    assert found.z == pytest.approx(small.z, rel=1e-9)
    assert found.baseline_n == 275


def test_each_step_has_its_own_dispersion():
    """One factor widens all, and a step that is widened more counts the same but tells less."""
    rng = np.random.default_rng(6)
    arms = [[lognormal(rng, 0.1, n) for _ in range(2)] for n in (4000, 900)]
    plain, both, one = (
        stratified_histograms(*arms, BOUNDS, tolerance=0.2, dispersion=factor) for factor in (1, 4, [1, 4])
    )

    assert both.standard_error == pytest.approx(2 * plain.standard_error)
    assert plain.standard_error < one.standard_error < both.standard_error
    assert plain.theta == one.theta == both.theta


@pytest.mark.parametrize(
    ("baseline", "canary", "message"),
    [
        ([[1, 2]], [[1, 2], [3, 4]], "steps"),
        ([[1, 2, 3]], [[1, 2, 3]], "baseline"),
        ([[1, 2]], [[1, -2]], "canary"),
        ([[1, 2]], [[1, math.nan]], "canary"),
    ],
)
def test_broken_tables_are_refused(baseline, canary, message):
    """Shapes that differ, and counts that are none."""
    with pytest.raises(ValueError, match=message):
        stratified_histograms(baseline, canary, [1.0, np.inf], tolerance=0.2)


def test_broken_values_are_refused():
    """NaN has no rank, and each stratum has two arms."""
    with pytest.raises(ValueError, match="finite"):
        van_elteren([[1.0, math.nan]], [[1.0]])
    with pytest.raises(ValueError, match="zip"):
        van_elteren([[1.0]], [[1.0], [2.0]])


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
@settings(deadline=None)
def test_every_number_is_one_and_the_arms_mirror(strata):
    """No NaN, chances in [0, 1], and exchanging the arms exchanges the sides."""
    baseline, canary = zip(*strata, strict=True)
    found, turned = van_elteren(baseline, canary), van_elteren(canary, baseline)

    assert 0 <= found.p_value <= 1
    assert 0 <= found.plain_p <= 1
    assert 0 <= found.theta <= 1
    assert found.theta == pytest.approx(1 - turned.theta)
    assert found.p_value == pytest.approx(turned.faster_p, rel=1e-6, abs=1e-12)
    assert found.interval[0] <= found.scale <= found.interval[1]


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3), st.integers(0, 24))
@settings(deadline=None)
def test_a_slower_request_never_lowers_theta(strata, at):
    """θ is monotone in every value of the canary."""
    baseline, canary = zip(*strata, strict=True)
    slower = [list(values) for values in canary]
    slower[0][at % len(slower[0])] += 7

    assert van_elteren(baseline, slower).theta >= van_elteren(baseline, canary).theta - 1e-12


@pytest.mark.simulation
@pytest.mark.parametrize("shares", [((950, 50), (800, 200), (500, 500)), ((190, 10), (160, 40), (100, 100))])
def test_a_ramp_with_drift_fails_as_often_as_promised(shares):
    """Three steps, everybody slower by the step, the canary just as slow as allowed: 5 % at 5 %."""
    rng, runs = np.random.default_rng(20261123), 700
    failed = 0
    for _ in range(runs):
        arms = [
            (lognormal(rng, median, n), lognormal(rng, 1.2 * median, m))
            for (n, m), median in zip(shares, (0.05, 0.08, 0.15), strict=True)
        ]
        found = stratified_histograms(*zip(*arms, strict=True), BOUNDS, tolerance=0.2)
        failed += found.p_value <= 0.05

    assert 0.025 < failed / runs < 0.075
