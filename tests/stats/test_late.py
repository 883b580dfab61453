"""The watch for late harm: direct products, properties of bets, false alarms for ever, and detection."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import late
from firedamp.stats.null import Null, shares, weights

ALIKE = Null(0.0, 1.0)
SHARES = st.floats(0.02, 0.98)
ERRORS = st.integers(0, 40)
BLOCKS = st.lists(st.tuples(ERRORS, ERRORS, SHARES), min_size=1, max_size=12)
SPREADS = st.sampled_from([0.0, 0.1, 0.35, 1.0])
#: With clumps so slight that scipy's gamma functions run out of digits left out.
CLUMPS = st.one_of(st.just(1.0), st.floats(1.001, 5))
NULLS = st.builds(Null, st.sampled_from([0.0, 0.25, 1.0]), CLUMPS, SPREADS, SPREADS)


def watched(null: Null, blocks, *, window: int = 20) -> late.Watch:
    """The bets after these blocks of (baseline errors, canary errors, canary share)."""
    watch = late.start(null)
    for block, (baseline, canary, share) in enumerate(blocks):
        watch = late.advance(
            watch,
            baseline_events=baseline,
            canary_events=canary,
            canary_share=share,
            weight=late.start_weight(block, window),
        )
    return watch


def chance(total: int, canary: int, share: np.ndarray, phi: float) -> np.ndarray:
    """Of a block's split, by scipy."""
    rho = min(0.95, (phi - 1) / (total - 1)) if total > 1 else 0.0
    if rho == 0:
        return scipy.stats.binom.pmf(canary, total, share)
    size = 1 / rho - 1
    return scipy.stats.betabinom.pmf(canary, total, share * size, (1 - share) * size)


def brute(null: Null, blocks, *, window: int = 20) -> float:
    """
    The e-value by its definition.

    Sum over every start, and every size of harm, of the product of the blocks' likelihood ratios from
    there on. Health is the mixture over the nodes: the chance of blocks 0..i over that of blocks 0..i-1.
    """
    node_chances = [
        chance(b + c, c, shares(null, share)[0], null.phi) if b + c else np.ones(weights(null.shape).size)
        for b, c, share in blocks
    ]
    so_far = np.cumprod([np.ones(weights(null.shape).size), *node_chances], axis=0) @ weights(null.shape)
    healthy = so_far[1:] / so_far[:-1]
    placed = [late.start_weight(start, window) for start in range(len(blocks))]
    value = 1 - sum(placed)
    for size in (2.5, 6.0, 20.0):
        odds = (1 + null.tolerance) * size
        harmed = [
            chance(b + c, c, np.array([share * odds / (1 - share + share * odds)]), null.phi)[0]
            if b + c
            else 1.0
            for b, c, share in blocks
        ]
        ratios = np.array(harmed) / healthy
        value += sum(weight * np.prod(ratios[start:]) for start, weight in enumerate(placed)) / 3
    return value


def test_one_block_is_a_likelihood_ratio():
    """Four of five errors at a share of 20 %, a single start: the mean over three sizes of harm."""
    watch = watched(ALIKE, [(1, 4, 0.2)], window=1)
    healthy = scipy.stats.binom.pmf(4, 5, 0.2)
    harmed = [scipy.stats.binom.pmf(4, 5, 0.2 * s / (0.8 + 0.2 * s)) for s in (2.5, 6.0, 20.0)]

    assert watch.e_value == pytest.approx(0.5 + 0.5 * np.mean(harmed) / healthy)


@given(NULLS, st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), SHARES), min_size=1, max_size=8))
@settings(deadline=None)
def test_the_sum_kept_is_the_sum_over_all_starts(null, blocks):
    """Block by block, or every start's product by itself: the same e-value."""
    assert watched(null, blocks).e_value == pytest.approx(brute(null, blocks), rel=1e-6)


@given(NULLS, SHARES, st.integers(1, 12))
@settings(deadline=None)
def test_bets_are_fair_where_pods_are_as_the_null_says(null, share, total):
    """Over all splits of a block, each as probable as the null's mixture says, the e-value's mean is 1."""
    splits = np.arange(total + 1)
    mixture = [
        chance(total, canary, shares(null, share)[0], null.phi) @ weights(null.shape) for canary in splits
    ]
    values = [watched(null, [(total - canary, canary, share)]).e_value for canary in splits]

    assert np.dot(mixture, values) == pytest.approx(1.0, rel=1e-6)


@given(NULLS, BLOCKS, st.integers(1, 200))
@settings(deadline=None)
def test_every_e_value_is_positive_and_finite(null, blocks, window):
    """And p within (0, 1], never NaN."""
    watch = watched(null, blocks, window=window)

    assert 0 < watch.e_value < math.inf
    assert 0 < watch.p_value <= 1
    assert watch.plausible.sum() == pytest.approx(1.0)


@given(st.integers(1, 500), st.integers(1, 5000))
def test_all_bets_together_are_at_most_one(window, blocks):
    """Whatever the window, and however long after it."""
    bets = [late.start_weight(block, window) for block in range(blocks)]

    assert all(bet > 0 for bet in bets)
    assert math.fsum(bets) <= 1 + 1e-12


def test_half_is_bet_within_the_window_and_half_after_it():
    """The first evenly, the other ever less."""
    bets = [late.start_weight(block, 60) for block in range(60_000)]

    assert bets[:60] == pytest.approx([0.5 / 60] * 60)
    assert sum(bets[60:]) == pytest.approx(0.5, rel=1e-2)
    assert bets[60:] == sorted(bets[60:], reverse=True)


@given(NULLS, BLOCKS, st.integers(0, 12))
@settings(deadline=None)
def test_blocks_without_errors_change_the_bets_only(null, blocks, at):
    """What is plausible of the pods stays as it is, and with no bet placed on them the e-value as well."""
    watch = watched(null, blocks)
    silent = late.advance(watch, baseline_events=0, canary_events=0, canary_share=0.2, weight=0.0)
    betting = late.advance(watch, baseline_events=0, canary_events=0, canary_share=0.2, weight=0.001)

    assert np.array_equal(silent.plausible, watch.plausible)
    assert silent.e_value == watch.e_value
    assert betting.e_value == pytest.approx(watch.e_value, rel=1e-9)


@given(st.floats(0.0, 1.0), st.tuples(*[st.integers(0, 20)] * 4), SHARES)
@settings(deadline=None)
def test_a_block_may_be_split(spread, errors, share):
    """Without clumps, and with no bet between, two blocks are one."""
    null, (b1, c1, b2, c2) = Null(0.0, 1.0, spread, spread), errors
    first = late.advance(
        late.start(null), baseline_events=b1, canary_events=c1, canary_share=share, weight=0.5
    )
    split = late.advance(first, baseline_events=b2, canary_events=c2, canary_share=share, weight=0.0)
    whole = late.advance(
        late.start(null), baseline_events=b1 + b2, canary_events=c1 + c2, canary_share=share, weight=0.5
    )

    assert split.e_value == pytest.approx(whole.e_value, rel=1e-9)


@given(st.floats(1, 5), ERRORS, st.integers(1, 40), SHARES)
@settings(deadline=None)
def test_an_error_of_the_canary_instead_never_lowers_a_bet(phi, baseline, canary, share):
    """Where pods do not differ; where they do, a very bad block may tell of a bad pod instead."""
    fewer, more = (
        watched(Null(0.0, phi), [(baseline + canary - count, count, share)]).e_value
        for count in (canary - 1, canary)
    )

    assert more >= fewer * (1 - 1e-9)


@given(NULLS, BLOCKS)
@settings(deadline=None)
def test_rebuilt_equals_incremental_to_the_last_digit(null, blocks):
    """A replica that starts over holds the very same bets."""
    assert watched(null, blocks).e_value == watched(null, blocks).e_value


@pytest.mark.parametrize("share", [0.0, 1.0, math.nan])
def test_a_block_with_one_arm_compares_nothing(share):
    """Nor is anything bet on it."""
    watch = watched(ALIKE, [(3, 2, 0.2)])

    assert late.advance(watch, baseline_events=5, canary_events=5, canary_share=share, weight=0.1) is watch


def test_no_more_than_everything_may_be_bet():
    """Else the e-value would start above 1."""
    watch = late.advance(late.start(ALIKE), baseline_events=1, canary_events=1, canary_share=0.2, weight=0.7)

    with pytest.raises(ValueError, match="more than 1"):
        late.advance(watch, baseline_events=1, canary_events=1, canary_share=0.2, weight=0.4)


def test_a_won_bet_stays_finite():
    """A day of an all-failing canary."""
    watch = watched(ALIKE, [(0, 500, 0.2)] * 300)

    assert 1e90 < watch.e_value < math.inf


def test_what_is_learnt_is_held_against_later_blocks_only():
    """The bets of earlier blocks stay; the same excess means less once pods are known to differ."""
    watch = watched(ALIKE, [(8, 2, 0.2)] * 3)
    learnt = watch.under(replace(ALIKE, canary_cv=1.0))
    plain, forgiving = (
        late.advance(each, baseline_events=4, canary_events=6, canary_share=0.2, weight=0.0).e_value
        for each in (watch, learnt)
    )

    assert learnt.e_value == watch.e_value
    assert forgiving < plain


def gamma_arms(rng: np.random.Generator, cv: float, blocks: int, rate: float, factor: np.ndarray):
    """Errors of 16 baseline and 4 canary pods with Gamma rates, (blocks,) each; the canary's multiplied."""
    rates = rng.gamma(1 / cv**2, cv**2, 20) if cv else np.ones(20)
    baseline = rng.poisson(rate * rates[:16].mean() * 0.8, blocks)
    return baseline, rng.poisson(rate * rates[16:].mean() * 0.2 * factor)


def first_alarm(
    null: Null, baseline: np.ndarray, canary: np.ndarray, window: int, alpha: float
) -> int | None:
    """Number of the block at which the bets come out; None if they never do."""
    watch = late.start(null)
    for block, (theirs, ours) in enumerate(zip(baseline, canary, strict=True)):
        watch = late.advance(
            watch,
            baseline_events=int(theirs),
            canary_events=int(ours),
            canary_share=0.2,
            weight=late.start_weight(block, window),
        )
        if watch.p_value <= alpha:
            return block
    return None


def alarmed(null: Null, cv: float, ratio: float, releases: int, alpha: float) -> float:
    """Share of releases, ten windows long, in which the bets ever come out."""
    rng = np.random.default_rng(20240701)
    found = [
        first_alarm(null, *gamma_arms(rng, cv, 600, 1.67, np.full(600, ratio)), 60, alpha)
        for _ in range(releases)
    ]
    return float(np.mean([at is not None for at in found]))


@pytest.mark.simulation
@pytest.mark.parametrize("cv", [0.0, 0.3])
def test_a_good_release_is_seldom_alarmed_however_long_it_runs(cv):
    """Nominal 5 %, pods as the null says, 10,000 requests per window at 1 %, ten windows: at most 5 %."""
    assert alarmed(Null(0.0, 1.0, cv / 4, cv / 2), cv, 1.0, 400, 0.05) <= 0.05


@pytest.mark.simulation
@pytest.mark.parametrize(("tolerance", "low", "high"), [(0.0, 0.1, 0.4), (0.25, 0.0, 0.05)])
def test_a_slightly_worse_release_is_alarmed_unless_it_is_tolerated(tolerance, low, high):
    """Odds of 1.25 for ten windows: some one in five at a nominal 5 %; at most that when they are granted."""
    assert low <= alarmed(Null(tolerance, 1.0), 0.0, 1.25, 300, 0.05) <= high


@pytest.mark.simulation
@pytest.mark.parametrize(("cv", "phi", "power"), [(0.0, 1.0, 0.97), (0.0, 1.2, 0.93), (0.3, 1.0, 0.91)])
def test_a_tenfold_fault_after_the_window_is_found_within_ten_blocks(cv, phi, power):
    """10,000 requests per 60 blocks at 1 %, share 20 %, α 3e-4, window 120 blocks, begun at block 140."""
    rng = np.random.default_rng(20240702)
    null, factor = Null(0.0, phi, cv / 4, cv / 2), np.where(np.arange(150) < 140, 1.0, 10.0)
    found = [
        first_alarm(null, *gamma_arms(rng, cv, 150, 1.67, factor), 120, 3e-4) is not None for _ in range(300)
    ]

    assert np.mean(found) >= power
