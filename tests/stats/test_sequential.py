"""Sequential Fisher: one look against Fisher's relatives, properties, the promised error rate."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.stats import betabinomial, paths, sequential
from firedamp.stats.null import Null, Shape, shares, weights
from firedamp.stats.sequential import EXACT_EVENTS, MIN_EVENTS, Allowance, SequentialFisher, advance
from firedamp.stats.spending import Budget, nominal_levels

PLAIN = Null(tolerance=0.0, phi=1.0)
#: The pods' noise of 4 canary and 16 baseline pods of cv 0.25, on two shapes.
PODS = [Null(0.25, 1.75, 0.25 / 4, 0.25 / 2, shape) for shape in Shape]
SHARES = st.floats(0.02, 0.98)
ERRORS = st.integers(0, 30)
BLOCKS = st.lists(st.tuples(ERRORS, ERRORS, SHARES), min_size=1, max_size=8)
SPREADS = st.sampled_from([0.0, 0.1, 0.35, 1.0])
NULLS = st.builds(Null, st.floats(0, 2), st.floats(1, 5), SPREADS, SPREADS, st.sampled_from(Shape))


def allowances(null: Null, budget: float, level: float | None = None) -> tuple[Allowance, ...]:
    """The same budget and level for every hurdle, at its multiple of alpha."""
    return tuple(Allowance(budget * m, None if level is None else level * m) for m in null.multiples)


def look(null: Null, *blocks: tuple[float, float, float], budget: float = 0.0, level: float = 0.0):
    """The test after these blocks of (baseline errors, canary errors, canary share)."""
    state = sequential.start(null)
    for block in blocks:
        state = more(state, *block, budget=budget, level=level)
    return state


def more(state: SequentialFisher, baseline, canary, share, *, budget=0.0, level: float | None = 0.0):
    """The test after one more block."""
    return advance(
        state,
        baseline_events=baseline,
        canary_events=canary,
        canary_share=share,
        allowances=allowances(state.null, budget, level),
    )


def window(
    null: Null, d_b: np.ndarray, d_c: np.ndarray, share: float, alpha: float
) -> list[SequentialFisher]:
    """The test after each of the equal blocks of a window, spending by the root of time."""
    state, states = sequential.start(null), []
    budgets = [Budget(alpha * multiple, reserve=0.0) for multiple in null.multiples]
    fractions = np.arange(1, d_b.size + 1) / d_b.size
    levels = [nominal_levels(budget, fractions) for budget in budgets]
    for i, fraction in enumerate(fractions):
        state = advance(
            state,
            baseline_events=float(d_b[i]),
            canary_events=float(d_c[i]),
            canary_share=share,
            allowances=tuple(
                Allowance(budget.spent_by(fraction), each[i])
                for budget, each in zip(budgets, levels, strict=True)
            ),
        )
        states.append(state)
    return states


def crossings(null: Null, totals: np.ndarray, canaries: np.ndarray, alpha: float) -> tuple[np.ndarray, float]:
    """
    Which of these canaries cross, (canaries,), and the alpha spent; a fifth of the traffic is theirs.

    Boundaries follow from the errors of both arms alone, `totals` (blocks,), so they are asked of
    the test once and held against many canaries' errors, (canaries, blocks).
    """
    states = window(null, totals, np.zeros_like(totals), 0.2, alpha)
    boundaries = np.array([state.boundary for state in states])
    return (np.cumsum(canaries, axis=1) >= boundaries).any(axis=1), float(states[-1].spent[0])


def test_one_plain_look_is_the_binomial_test():
    """Sixteen of sixty errors at a share of 5 %, as scipy's binomial has it."""
    state = look(PLAIN, (44, 16, 0.05))

    assert state.p_value == pytest.approx(scipy.stats.binom.sf(15, 60, 0.05), rel=1e-10)


def test_one_clumped_look_is_the_beta_binomial():
    """A phi of 1.75 among sixty errors means a correlation of 0.75/59."""
    state = look(Null(0.0, 1.75), (44, 16, 0.05))
    size = 59 / 0.75 - 1

    assert state.p_value == pytest.approx(
        scipy.stats.betabinom.sf(15, 60, 0.05 * size, 0.95 * size), rel=1e-9
    )


def test_a_look_is_held_against_pods_that_differ():
    """Closed form for gamma pods, 4 of 20 with cv 0.3: betabinom(K, m_c/τ², m_b/τ²), to 0.1 %."""
    state = look(Null(0.0, 1.0, 0.3 / 4, 0.3 / 2), (60, 30, 0.2))

    assert state.p_value == pytest.approx(scipy.stats.betabinom.sf(29, 90, 4 / 0.09, 16 / 0.09), rel=1e-3)


def test_the_tolerance_multiplies_the_odds():
    """A canary with 1.25 times the odds at share 1/2 has 5 of 9 errors."""
    state = look(Null(0.25), (40, 50, 0.5))

    assert state.expected == pytest.approx(90 * 5 / 9)


def test_two_blocks_count_every_path():
    """Two blocks with different shares, against enumeration of both."""
    state = look(PLAIN, (3, 2, 0.2), (4, 3, 0.5))
    first, second = (scipy.stats.binom.pmf(np.arange(n + 1), n, p) for n, p in ((5, 0.2), (7, 0.5)))

    assert state.p_value == pytest.approx(np.convolve(first, second)[5:].sum(), rel=1e-10)


def test_paths_that_crossed_are_gone():
    """With a boundary of five in the first block, only paths below five go on, and its tail is spent."""
    state = look(PLAIN, (5, 4, 0.2), budget=0.05)
    chances = scipy.stats.binom.pmf(np.arange(10), 9, 0.2)

    assert state.boundary == 5
    assert state.spent == pytest.approx([chances[5:].sum()])
    assert state.paths[0].sum(axis=0) == pytest.approx(chances[:5])


def test_p_adds_what_was_spent_before():
    """A later p is the chance to have crossed earlier or to stand there now."""
    first = look(PLAIN, (5, 4, 0.2), budget=0.05)
    second = more(first, 2, 1, 0.2)
    chances = np.convolve(first.paths[0].sum(axis=0), scipy.stats.binom.pmf(np.arange(4), 3, 0.2))

    assert second.p_value == pytest.approx(first.spent[0] + chances[5:].sum())


def test_unspent_budget_is_carried():
    """What a block without errors could not use helps the next one."""
    frugal = look(PLAIN, (0, 0, 0.2), (6, 6, 0.2), budget=0.05)

    assert frugal.boundary == look(PLAIN, (6, 6, 0.2), budget=0.05).boundary
    assert frugal.crossed


@pytest.mark.parametrize("shape", Shape)
def test_an_all_failing_endpoint_crosses_at_once(shape):
    """Thirty errors, all of the canary, at a share of 20 %."""
    state = look(Null(0.25, 1.75, 0.2, 0.2, shape), (0, 30, 0.2), budget=1e-4)

    assert state.crossed
    assert state.p_value <= 1e-4


def test_two_errors_never_fail_a_canary():
    """However unlikely they are."""
    state = look(PLAIN, (0, 2, 0.001), budget=0.05)

    assert state.p_value < 1e-5
    assert not state.crossed
    assert state.boundary == MIN_EVENTS


def test_no_budget_no_failure():
    """Where no count is rare enough, the boundary is one more than there are errors."""
    state = look(PLAIN, (10, 20, 0.2))

    assert state.boundary == 31
    assert not state.crossed


def test_crossed_stays_crossed():
    """Errors of the baseline that come later do not undo it, and p does not rise again."""
    failed = look(PLAIN, (5, 8, 0.2), budget=0.01)
    later = more(failed, 300, 0, 0.2, budget=0.01)

    assert failed.crossed
    assert later.crossed
    assert later.p_value <= failed.p_value


@pytest.mark.parametrize("share", [0.0, 1.0, math.nan])
def test_a_block_with_one_arm_compares_nothing(share):
    """Its errors are not evidence about a difference."""
    state = look(PLAIN, (3, 2, 0.2))

    assert more(state, 5, 5, share, budget=0.05) is state


@pytest.mark.parametrize("share", [1e-300, 1 - 1e-16])
def test_an_arm_with_a_hair_of_the_traffic_is_still_compared(share):
    """However wide the pods' noise, there is an answer."""
    state = look(Null(0.25, 1.75, 3.0, 4.0), (5, 5, share), (200, 200, share), level=0.01)

    assert 0 <= state.p_value <= 1
    assert 0 <= state.expected <= state.events


def test_silence_is_no_evidence():
    """Without errors p is one."""
    state = look(Null(0.25), (0, 0, 0.2), budget=0.05)

    assert state.p_value == 1.0
    assert state.events == 0


@pytest.mark.parametrize("errors", [(-1, 0), (0, -0.5), (math.nan, 0), (0, math.inf)])
def test_impossible_errors_are_refused(errors):
    """Negative, unknown or endless counts are broken input."""
    with pytest.raises(ValueError, match="expected finite"):
        look(PLAIN, (*errors, 0.2))


def test_what_is_learnt_is_held_against_later_blocks_only():
    """Earlier blocks stay as they were taken; a clumpier null makes later ones less of a surprise."""
    first = look(PODS[0], (5, 5, 0.2))
    learnt = first.under(Null(0.25, 4.0, 0.1, 0.3, PODS[0].shape))

    assert np.array_equal(learnt.paths, first.paths)
    assert more(learnt, 5, 5, 0.2).p_value > more(first, 5, 5, 0.2).p_value


def test_a_test_keeps_its_shape():
    """Paths of one hurdle cannot become those of two."""
    with pytest.raises(ValueError, match="as at the start"):
        look(PLAIN).under(PODS[0])


@pytest.mark.parametrize("null", PODS)
def test_all_hurdles_must_be_cleared(null):
    """The boundary is that of the highest hurdle, each with its own budget."""
    state = look(null, (40, 30, 0.2), budget=0.001)
    rho = betabinomial.correlation(1.75, 70)
    alive = paths.walk(sequential.start(null).paths, 70, shares(null, 0.2), rho)
    found = paths.tails(alive.sum(axis=1))
    each = [np.argmax(tail <= 0.001 * m) for tail, m in zip(found, null.multiples, strict=True)]

    assert state.boundary == max(each)
    assert state.p_value == pytest.approx((found[:, 30] / null.multiples).max())


def test_two_hurdles_of_one_odds_are_one_test():
    """Without a tolerance the second hurdle, at ten times alpha, never matters."""
    plain, sharp = (Null(0.0, 1.75, shape=shape) for shape in (Shape.PRODUCT, Shape.MAX))
    blocks = [(3, 2, 0.2), (9, 4, 0.3), (2, 7, 0.2)]
    ours, theirs = (look(null, *blocks, budget=0.01) for null in (sharp, plain))

    assert ours.boundary == theirs.boundary
    assert ours.p_value == pytest.approx(theirs.p_value)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30))
@settings(deadline=None)
def test_no_fraction_of_an_error_is_lost_or_invented(increases):
    """The count is the rounded sum of all increases."""
    state = look(PLAIN, *((increase, 0.0, 0.5) for increase in increases))

    assert abs(state.baseline_events - sum(increases)) <= 0.5 + 1e-9
    assert state.canary_events == 0


@given(NULLS, BLOCKS, st.floats(0, 0.2))
@settings(deadline=None)
def test_every_number_is_a_probability(null, blocks, budget):
    """No NaN, nothing outside [0, 1], nothing spent beyond the budget."""
    state = look(null, *blocks, budget=budget, level=budget)

    assert 0 <= state.p_value <= 1
    assert np.all((state.spent >= 0) & (state.spent <= budget * np.array(null.multiples)))
    assert 0 <= state.expected <= state.events
    assert MIN_EVENTS <= state.boundary <= max(state.events + 1, MIN_EVENTS)


@given(NULLS, BLOCKS)
@settings(deadline=None)
def test_paths_and_spending_make_up_everything(null, blocks):
    """Up to 400 errors every path is either alive or paid for."""
    state = look(null, *blocks, budget=0.05, level=0.05)

    if state.events <= EXACT_EVENTS:
        assert state.paths.sum(axis=(1, 2)) + state.spent == pytest.approx(1.0, abs=1e-9)


@given(NULLS, BLOCKS)
@settings(deadline=None)
def test_rebuilt_equals_incremental_to_the_last_digit(null, blocks):
    """A replica that starts over gives the very same answer."""
    incremental, rebuilt = (look(null, *blocks, budget=0.03, level=0.01) for _ in range(2))

    assert np.array_equal(incremental.paths, rebuilt.paths)
    assert (incremental.p_value, incremental.boundary) == (rebuilt.p_value, rebuilt.boundary)


@given(NULLS, BLOCKS, ERRORS, ERRORS, SHARES)
@settings(deadline=None)
def test_another_canary_error_never_raises_p(null, blocks, baseline, canary, share):
    """Whether it comes on top of the errors or instead of one of the baseline's."""
    p_value = look(null, *blocks, (baseline, canary, share), level=0.0).p_value
    instead = look(null, *blocks, (max(baseline - 1, 0), canary + 1, share), level=0.0).p_value

    assert instead <= p_value + 1e-9


@given(st.floats(0, 1), SPREADS, st.sampled_from(Shape), st.tuples(*[ERRORS] * 4), SHARES)
@settings(deadline=None)
def test_a_block_may_be_split(tolerance, spread, shape, errors, share):
    """With independent errors and no decision in between, two blocks are one."""
    null, (b1, c1, b2, c2) = Null(tolerance, 1.0, spread, spread, shape), errors
    whole = look(null, (b1 + b2, c1 + c2, share))
    split = look(null, (b1, c1, share), (b2, c2, share))

    assert split.p_value == pytest.approx(whole.p_value, rel=1e-9, abs=1e-14)
    assert split.expected == pytest.approx(whole.expected)


def both_regimes(null: Null, share: float, errors: int) -> tuple[np.ndarray, np.ndarray]:
    """(hurdles, errors) tails of each count above 0: every path counted, and by three moments."""
    state, blocks, rho = sequential.start(null), errors // 10, betabinomial.correlation(null.phi, 10)
    alive = state.paths
    for _ in range(blocks):
        alive = paths.walk(alive, 10, shares(null, share), rho)
    sums = blocks * paths.moments(10, shares(null, share, coarse=False), rho)
    counts = np.arange(1, errors + 1)[:, None]
    by_moments = paths.Skewed.of(sums[:, None], weights(null.shape, coarse=False)).tails(counts)
    return paths.tails(alive.sum(axis=1))[:, 1:-1], by_moments.T


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("null", [PLAIN, Null(0.25, 1.75), *PODS])
def test_the_regimes_join(null, share):
    """At 410 errors in blocks of ten, tails by moments are within 0.2 points of those counted out."""
    counted, by_moments = both_regimes(null, share, 410)

    assert by_moments == pytest.approx(counted, abs=0.002)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("null", [PLAIN, Null(0.25, 1.75), Null(0.25, 4.0), *PODS])
def test_a_level_beyond_the_switch_is_never_exceeded(null, share):
    """Where the tail by moments is rare, from 1 % to 0.003 %, the one counted out is rarer."""
    counted, by_moments = both_regimes(null, share, 410)

    for level in (0.01, 1e-3, 3e-4, 3e-5):
        first = np.count_nonzero(by_moments > level, axis=1)
        assert np.all(counted[np.arange(first.size), np.minimum(first, 409)] <= level)


@pytest.mark.parametrize("null", [Null(0.25), *PODS])
def test_the_normal_boundary_is_the_first_count_within_the_level(null):
    """One error less would have a p above the level."""
    boundary = look(null, (900, 100, 0.2), level=0.01).boundary
    at, below = (look(null, (1000 - c, c, 0.2), level=0.01) for c in (boundary, boundary - 1))

    assert at.crossed
    assert at.p_value <= 0.01 < below.p_value
    assert not below.crossed


def test_beyond_400_errors_the_level_is_needed():
    """Without it there is nothing to judge by, and that is said."""
    with pytest.raises(ValueError, match="level"):
        more(sequential.start(PLAIN), 500, 1, 0.2, budget=0.05, level=None)


def test_an_outage_in_one_block_is_judged_at_once():
    """A hundred thousand errors do not build a hundred thousand columns."""
    state = look(PODS[0], (20_000, 80_000, 0.2), level=0.001)

    assert state.crossed
    assert state.paths.size == 0


def test_a_drift_of_everybodys_errors_is_no_fault_of_the_canary():
    """Weights 5, 20, 50 % with errors tripling in the last step: the share within each step counts."""
    ramp = [(38, 2, 0.05), (40, 10, 0.2), (60, 60, 0.5)]
    state = look(PLAIN, *ramp, budget=0.05)

    assert state.expected == pytest.approx(40 * 0.05 + 50 * 0.2 + 120 * 0.5)
    assert state.p_value > 0.4


@pytest.mark.parametrize("null", PODS)
@pytest.mark.parametrize("rate", [0.5, 3, 12])
def test_boundaries_follow_from_the_errors_of_both_arms(rate, null):
    """Whose errors they are decides whether a boundary is reached, never where it is."""
    rng = np.random.default_rng(20240502)
    total = rng.poisson(rate, 60)
    canary = rng.binomial(total, rng.uniform(0, 0.7, 60))
    states = window(null, total - canary, canary, 0.2, 0.05)
    crossed, spent = crossings(null, total, canary[None, :], 0.05)

    assert crossed.tolist() == [states[-1].crossed]
    assert spent == states[-1].spent[0]


@pytest.mark.simulation
def test_the_plain_test_uses_its_alpha():
    """10,000 requests at 1 %, share 20 %, 60 looks: nearly all of a nominal 5 % is used, and no more."""
    rng = np.random.default_rng(20240503)
    totals = rng.poisson(10_000 * 0.01 / 60, (150, 60))
    found = [crossings(PLAIN, total, rng.binomial(total, 0.2, (200, 60)), 0.05) for total in totals]

    assert 0.038 <= np.mean([crossed for crossed, _ in found]) <= 0.05 + 2 * 0.0013
    assert 0.045 <= np.mean([spent for _, spent in found]) <= 0.05


@pytest.mark.simulation
@pytest.mark.parametrize("null", PODS)
def test_the_default_null_forgives_noise(null):
    """Pods that differ (cv 0.25, 4 of 20) and errors in batches cross in at most 5 % at a nominal 5 %."""
    rng = np.random.default_rng(20240504)
    crossed = []
    for _ in range(100):
        rates = rng.gamma(16, 1 / 16, 20) * 500 * 0.01 / 60
        batches = rng.poisson(rates / 1.375, (60, 20))
        errors = batches + rng.binomial(batches, 0.375)
        # Any four of the pods may be the canary's: they are alike before the draw.
        canaries = [errors[:, rng.choice(20, 4, replace=False)].sum(axis=1) for _ in range(50)]
        crossed.append(crossings(null, errors.sum(axis=1), np.array(canaries), 0.05)[0])

    assert np.mean(crossed) <= 0.05


@pytest.mark.simulation
@pytest.mark.parametrize("null", PODS)
@pytest.mark.parametrize(("ratio", "power"), [(5, 0.97), (1, 0.0)])
def test_a_real_fault_is_found(ratio, power, null):
    """Five times the errors at 10,000 requests are found nearly always, none at all hardly ever."""
    rng = np.random.default_rng(20240505)
    totals = rng.poisson((4 + ratio) / 3, (60, 60))
    splits = [rng.binomial(total, ratio / (4 + ratio), (50, 60)) for total in totals]
    found = [crossings(null, total, split, 0.0025)[0] for total, split in zip(totals, splits, strict=True)]

    assert np.mean(found) >= power
    assert np.mean(found) <= power + 0.03


@pytest.mark.simulation
def test_a_crossing_of_400_errors_keeps_alpha():
    """60,000 requests at 1 %: exact until 400 errors, normal after, together at most 5 %."""
    rng = np.random.default_rng(20240506)
    totals = rng.poisson(10, (120, 60))
    crossed = [crossings(PLAIN, total, rng.binomial(total, 0.2, (200, 60)), 0.05)[0] for total in totals]

    assert 0.025 <= np.mean(crossed) <= 0.05 + 2 * 0.0014
