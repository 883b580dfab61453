"""The sample-ratio test: direct likelihoods, properties of bets, false alarms for ever, and detection."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import late
from firedamp.stats.share import FACTOR, LEAST_DISPERSION, MOST, ShareTest, advance

EXPECTED = st.floats(0.02, 0.98)
REQUESTS = st.integers(0, 5000)
BLOCKS = st.lists(st.tuples(REQUESTS, REQUESTS), min_size=1, max_size=20)
#: Three pairs of blocks have shown no crowding, so that bets begin with the next block.
READY = ShareTest(expected=0.2, neighbour=(400.0, 100.0), pairs=3)


def watched(blocks, *, expected: float = 0.2, window: int = 40) -> ShareTest:
    """The bets after these blocks of (baseline requests, canary requests)."""
    test = ShareTest()
    for baseline, canary in blocks:
        test = advance(test, baseline=float(baseline), canary=float(canary), expected=expected, window=window)
    return test


def tilted(share: float, factor: float) -> float:
    """The share whose odds are so many times those of another."""
    return share * factor / (1 - share + share * factor)


def chance(total: int, canary: int | np.ndarray, share: float, dispersion: float) -> np.ndarray:
    """Of a block's split, by scipy."""
    size = (total - 1) / (dispersion - 1) - 1
    return scipy.stats.betabinom.pmf(canary, total, share * size, (1 - share) * size)


def crowded(rng: np.random.Generator, total: int, share: float, dispersion: float) -> int:
    """Requests of the canary in a block, beta-binomial."""
    if dispersion == 1:
        return int(rng.binomial(total, share))
    size = (total - 1) / (dispersion - 1) - 1
    return int(rng.binomial(total, rng.beta(share * size, (1 - share) * size)))


def first_alarm(
    rng: np.random.Generator,
    *,
    factor: float,
    alpha: float,
    dispersion: float = LEAST_DISPERSION,
    per_block: int = 400,
    onset: int = 0,
    blocks: int = 120,
) -> int | None:
    """The block at which a release's share is called wrong; its odds are off by a factor since the onset."""
    test = ShareTest()
    for block in range(blocks):
        share = tilted(0.2, factor if block >= onset else 1.0)
        canary = crowded(rng, per_block, share, dispersion)
        test = advance(
            test, baseline=float(per_block - canary), canary=float(canary), expected=0.2, window=120
        )
        if test.p_value <= alpha:
            return block
    return None


def alarms(releases: int, seed: int, **how) -> list[int]:
    """The blocks of all alarms in so many releases."""
    rng = np.random.default_rng(seed)
    found = [first_alarm(rng, **how) for _ in range(releases)]
    return [block for block in found if block is not None]


def test_one_block_is_a_likelihood_ratio():
    """A single bet in each direction, by scipy: a mismatch of each size over the largest that is allowed."""
    test = advance(READY, baseline=250.0, canary=250.0, expected=0.2, window=1)
    likely = [
        [chance(500, 250, tilted(0.2, factor * size**way), test.dispersion) for size in (1.3, 2.5, 10.0)]
        for way, factor in ((-1, 1 / FACTOR), (1, FACTOR))
    ]
    healthy = [[chance(500, 250, tilted(0.2, factor), test.dispersion)] for factor in (1 / FACTOR, FACTOR)]

    assert test.bets == pytest.approx(0.5 * np.array(likely) / np.array(healthy), rel=1e-9)


@given(BLOCKS, EXPECTED)
@settings(deadline=None)
def test_the_sum_kept_is_the_sum_over_all_starts(blocks, expected):
    """Block by block, or every start's product by itself: the same bets."""
    test, ratios, cut = ShareTest(), [], np.zeros((2, 3), bool)
    for baseline, canary in blocks:
        before = test
        test = advance(test, baseline=float(baseline), canary=float(canary), expected=expected, window=7)
        cut |= test.bets >= MOST
        if test.blocks > before.blocks:
            fresh = replace(before, bets=np.zeros((2, 3)), blocks=0)
            one = advance(
                fresh, baseline=float(baseline), canary=float(canary), expected=expected, window=1_000_000
            )
            ratios.append(one.bets / 0.5e-6)
    starts = range(len(ratios))
    found = sum((late.start_weight(at, 7) * np.prod(ratios[at:], axis=0) for at in starts), np.zeros((2, 3)))

    # Bets above the most are cut, which only ever lowers the e-value, also after they have come down again.
    assert np.all(test.bets <= found * (1 + 1e-9))
    assert test.bets[~cut] == pytest.approx(found[~cut], rel=1e-6, abs=1e-200)


@pytest.mark.parametrize("way", [-1, 1])
@given(EXPECTED, st.integers(20, 80))
@settings(deadline=None, max_examples=30)
def test_bets_are_fair_at_the_largest_mismatch_that_is_allowed(way, expected, total):
    """Over all splits of a block, each as probable as there, what a bet becomes has a mean of 1."""
    share, canary = tilted(expected, FACTOR**way), np.arange(total + 1)
    ready = replace(READY, expected=expected, neighbour=None, pairs=1000)
    worth = [
        advance(ready, baseline=float(total - each), canary=float(each), expected=expected, window=1)
        for each in canary
    ]
    bets = np.array([one.bets[(way + 1) // 2] for one in worth]) / 0.5
    chances = chance(total, canary, share, LEAST_DISPERSION)

    assert chances @ bets == pytest.approx(np.ones(3), rel=1e-6)


@given(BLOCKS, EXPECTED, st.integers(1, 200))
@settings(deadline=None)
def test_every_e_value_is_positive_and_finite(blocks, expected, window):
    """And p within (0, 1], never NaN."""
    test = watched(blocks, expected=expected, window=window)

    assert 0 < test.e_value < math.inf
    assert 0 < test.p_value <= 1
    assert LEAST_DISPERSION <= test.dispersion < math.inf


@given(BLOCKS, EXPECTED)
@settings(deadline=None)
def test_swapped_arms_swap_the_directions(blocks, expected):
    """Too few for the canary is too many for the other."""
    mine = watched(blocks, expected=expected)
    theirs = watched([(canary, baseline) for baseline, canary in blocks], expected=1 - expected)

    assert mine.bets == pytest.approx(theirs.bets[::-1], rel=1e-5)


@given(EXPECTED, st.integers(1, 2000))
@settings(deadline=None)
def test_more_requests_raise_the_bets_on_too_many(expected, total):
    """And lower those on too few, at equal crowding."""
    ready = replace(READY, expected=expected, neighbour=None, pairs=1000)
    splits = [
        advance(ready, baseline=float(total - canary), canary=float(canary), expected=expected, window=1)
        for canary in range(0, total + 1, max(1, total // 7))
    ]
    fewer, more = (np.array([one.bets[row] for one in splits]) for row in (0, 1))

    assert np.all(np.diff(fewer, axis=0) <= 1e-6 * fewer[:-1])
    assert np.all(np.diff(more, axis=0) >= -1e-6 * more[:-1])


@pytest.mark.parametrize("expected", [None, 0.0, 1.0, 0.5])
def test_a_block_of_another_share_is_left_out(expected):
    """Unknown, none, all, or just changed: nothing is bet on it."""
    test = advance(READY, baseline=0.0, canary=500.0, expected=expected, window=20)

    assert np.array_equal(test.bets, READY.bets)
    assert (test.blocks, test.pairs, test.neighbour) == (READY.blocks, READY.pairs, None)


def test_after_a_change_bets_go_on():
    """The block of the change is left out, the next one is judged by the new share."""
    test = READY
    for _ in range(3):
        test = advance(test, baseline=0.0, canary=500.0, expected=0.5, window=20)

    assert test.blocks == 2
    assert not test.too_few


@pytest.mark.parametrize(("baseline", "canary"), [(-1.0, 5.0), (5.0, math.inf), (math.nan, 5.0)])
def test_impossible_counts_are_refused(baseline, canary):
    """They come from a fault elsewhere, which must not become a verdict."""
    with pytest.raises(ValueError, match="expected counts, 0 or more"):
        advance(READY, baseline=baseline, canary=canary, expected=0.2, window=20)


@pytest.mark.parametrize(("true", "low", "high"), [(1, 10, 10), (20, 20, 45), (60, 60, 140)])
def test_crowding_is_read_from_neighbours(true, low, high):
    """Whatever the share is; at least ten, and believed half as much again, for it is estimated."""
    rng = np.random.default_rng(5)
    splits = [crowded(rng, 1000, 0.4, true) for _ in range(200)]
    test = watched([(1000 - canary, canary) for canary in splits], expected=0.2)

    assert low <= test.dispersion <= high


def test_a_share_that_changes_once_is_no_crowding():
    """Half way the canary gets half of the requests instead of a fifth."""
    test = watched([(800, 200)] * 30 + [(500, 500)] * 30)

    assert test.dispersion == LEAST_DISPERSION


def test_a_share_put_right_takes_the_alarm_back():
    """Proven after ten minutes of half the requests; after as long at a fifth it is forgotten."""
    wrong = watched([(500, 500)] * 20)
    right = wrong
    for _ in range(20):
        right = advance(right, baseline=800.0, canary=200.0, expected=0.2, window=40)

    assert wrong.p_value < 1e-6
    assert right.p_value > 0.01


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("factor", "dispersion", "per_block"),
    [
        (FACTOR, 1.0, 400),
        (FACTOR, 10.0, 400),
        (1 / FACTOR, 10.0, 400),
        (FACTOR, 10.0, 30),
        (1.0, 30.0, 400),
        (1.0, 60.0, 1000),
    ],
)
def test_a_share_within_the_factor_alarms_as_seldom_as_promised(factor, dispersion, per_block):
    """Looked at for an hour, at 5 %: the rate is not above it."""
    found = alarms(200, 7, factor=factor, alpha=0.05, dispersion=dispersion, per_block=per_block, blocks=120)

    assert scipy.stats.binomtest(len(found), 200, 0.05, alternative="greater").pvalue > 0.01


@pytest.mark.simulation
@pytest.mark.parametrize(("factor", "onset", "within"), [(4.0, 0, 15), (0.2, 0, 20), (4.0, 60, 15)])
def test_a_gross_mismatch_is_found_within_minutes(factor, onset, within):
    """Four times the odds, or a fifth of them, from the start or late, at 0.1 %."""
    found = alarms(40, 8, factor=factor, alpha=0.001, dispersion=5.0, onset=onset, blocks=onset + 60)

    assert len(found) >= 38
    assert np.median(found) - onset <= within
