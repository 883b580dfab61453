"""
Fisher's exact test, looked at as often as one likes.

Of all errors so far, how many fell to the canary? Given an error in a block, it is the
canary's with the canary's share of that block's requests, whatever the common error rate
does, so nothing is pooled over traffic weights and a drift of everybody's errors cancels.
What a good release may look like, its tolerance and its pods, is `null.Null`; errors that clump
make a block's split beta-binomial. The chances of every canary count *on paths that have not
crossed yet* are carried from block to block: at each block the boundary is the smallest
count whose tail fits what is left of the budget, and what a discrete boundary cannot use
is kept for later. Where the null has two hurdles each has its own paths and budget, and harm
is proven by a count that clears both.

*Exact* up to 400 errors for Poisson or Bernoulli errors under the stated null (split not
steered by outcomes; Bernoulli errors conservatively so); *approximate* beyond: from three moments,
against the nominal levels of `spending.nominal_levels`; and where the null's noise is learnt on the way.

Source: the binomial conditioning is Przyborowski & Wilenski (1940), Biometrika 31, 313-323, and
Lindon & Malek (2022), arXiv 2011.03567; the hypergeometric is dominated by it (Hoeffding 1963,
JASA 58, 13-30, section 6); exact sequential limits: Kulldorff et al. (2011), Sequential Analysis 30(1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from firedamp.stats import betabinomial, paths
from firedamp.stats.null import Null, Shape, shares, weights

Floats = NDArray[np.float64]

#: Fewer errors of the canary than this never fail it.
MIN_EVENTS = 3
#: Errors of both arms up to which every path is counted.
EXACT_EVENTS = 400


@dataclass(frozen=True, slots=True)
class Allowance:
    """
    What may be spent up to a look, for one hurdle.

    Attributes:
        budget: cumulative alpha that may be used by this block (`spending.Budget.spent_by`).
        level: nominal level of this look (`spending.nominal_levels`); needed beyond 400 errors.
    """

    budget: float
    level: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SequentialFisher:
    """
    The test after some blocks: everything needed to go on, and what to say.

    Attributes:
        null: what a good release may look like.
        baseline_events: the baseline's errors in blocks with both arms.
        canary_events: the canary's errors in blocks with both arms.
        expected: canary errors that the null, tolerance included, expects of all errors.
        boundary: smallest count of canary errors that fails now; one more than all errors
            where no count would.
        p_value: chance for a good release to have crossed earlier or to stand at this
            count or higher now, in [0, 1]; beyond 400 errors the chance of this look alone.
            Once crossed it does not rise any more.
        limit: what `p_value` is held against at this block: the budget, or the level
            beyond 400 errors.
        crossed: the boundary was reached, at this block or an earlier one.
        spent: (hurdles,) alpha used by the boundaries so far (up to 400 errors).
        paths: (hurdles, nodes, counts) chances of the canary counts on paths that have not crossed;
            empty beyond 400 errors.
        moments: (3, hurdles, nodes) of the canary's errors (`paths.moments`), for beyond.
        baseline_remainder: fraction of an error not counted yet, in [-0.5, 0.5).
        canary_remainder: likewise.
    """

    null: Null
    spent: Floats
    paths: Floats
    moments: Floats
    baseline_events: int = 0
    canary_events: int = 0
    baseline_remainder: float = 0.0
    canary_remainder: float = 0.0
    expected: float = 0.0
    boundary: int = MIN_EVENTS
    limit: float = 0.0
    p_value: float = 1.0
    crossed: bool = False

    @property
    def events(self) -> int:
        """Errors of both arms so far."""
        return self.baseline_events + self.canary_events

    def under(self, null: Null) -> SequentialFisher:
        """
        The test with what is known of the noise by now; what was taken stays as it was taken.

        Raises:
            ValueError: the null has another shape.
        """
        if null.shape is not self.null.shape:
            raise ValueError(f"the null is {null.shape}, expected {self.null.shape} as at the start")
        return self if null is self.null or null == self.null else replace(self, null=null)


def start(null: Null) -> SequentialFisher:
    """The test before any evidence."""
    return SequentialFisher(null, *_nothing(null.shape, len(null.hurdles)))


@lru_cache(maxsize=8)
def _nothing(shape: Shape, hurdles: int) -> tuple[Floats, Floats, Floats]:
    """Nothing spent, every path at 0, no moments; one for all tests, which take none of it in place."""
    alive = np.tile(weights(shape)[:, None], (hurdles, 1, 1))
    moments = np.zeros((3, hurdles, weights(shape, coarse=False).size))
    return np.zeros(hurdles), alive, moments


def advance(
    state: SequentialFisher,
    *,
    baseline_events: float,
    canary_events: float,
    canary_share: float,
    allowances: tuple[Allowance, ...],
) -> SequentialFisher:
    """
    The test after one more block of evidence.

    A block in which one arm had no requests (share 0 or 1, or NaN) compares nothing and
    leaves the state as it is, whatever errors it brings. Fractional errors are rounded with
    the remainder carried on, so that none is lost or invented.

    Args:
        state: the test so far.
        baseline_events: new errors of the baseline, ≥ 0.
        canary_events: new errors of the canary, ≥ 0.
        canary_share: the canary's share of the block's requests.
        allowances: (hurdles,) what may be spent, by the multiples of the null.

    Raises:
        ValueError: errors are negative or not finite, or a level is missing beyond 400 errors.
    """
    if not (0 <= baseline_events < math.inf and 0 <= canary_events < math.inf):
        raise ValueError(f"errors are {baseline_events} and {canary_events}, expected finite numbers ≥ 0")
    if not 0 < canary_share < 1:
        return state
    taken = _take(state, baseline_events, canary_events, canary_share)
    if taken.events > EXACT_EVENTS:
        return _judge_many(taken, allowances)
    return _judge_exact(taken, [allowance.budget for allowance in allowances])


def _take(state: SequentialFisher, baseline: float, canary: float, share: float) -> SequentialFisher:
    """Count the block's errors and let every path take them."""
    new_baseline, baseline_rest = _whole(baseline + state.baseline_remainder)
    new_canary, canary_rest = _whole(canary + state.canary_remainder)
    new = new_baseline + new_canary
    rests = baseline_rest, canary_rest
    if not new and rests == (state.baseline_remainder, state.canary_remainder):
        return state
    odds = 1 + state.null.tolerance
    alive, moments = _moved(state, new, share) if new else (state.paths, state.moments)
    return SequentialFisher(
        state.null,
        state.spent,
        alive,
        moments,
        state.baseline_events + new_baseline,
        state.canary_events + new_canary,
        *rests,
        state.expected + new * share * odds / (1 - share + share * odds),
        state.boundary,
        state.limit,
        state.p_value,
        state.crossed,
    )


def _whole(events: float) -> tuple[int, float]:
    whole = math.floor(events + 0.5)
    return whole, events - whole


def _moved(state: SequentialFisher, new: int, share: float) -> tuple[Floats, Floats]:
    rho = betabinomial.correlation(state.null.phi, new)
    fine = shares(state.null, share, coarse=False)
    alive = state.paths
    if state.events + new <= EXACT_EVENTS:
        alive = paths.walk(alive, new, shares(state.null, share), rho)
    return alive, state.moments + paths.moments(new, fine, rho)


def _judge_exact(state: SequentialFisher, budgets: list[float]) -> SequentialFisher:
    found, spent = paths.tails(state.paths.sum(axis=-2)), state.spent.tolist()
    left = np.array([budget - used for budget, used in zip(budgets, spent, strict=True)])
    limits = [max(limit, MIN_EVENTS) for limit in paths.boundaries(found, left).tolist()]
    hurdles, last = range(len(limits)), found.shape[-1] - 1
    crossing = [found.item(hurdle, min(limits[hurdle], last)) for hurdle in hurdles]
    tails = [found.item(hurdle, min(state.canary_events, last)) for hurdle in hurdles]
    # Each hurdle is kept at its own multiple of alpha; the one furthest from cleared is what remains.
    standing = max(map(_standing, spent, tails, state.null.multiples))
    living = paths.living(state.paths, limits) if any(crossing) else state.paths
    return _judged(state, state.spent + crossing, living, max(limits), budgets[0], standing)


def _standing(spent: float, tail: float, multiple: float) -> float:
    return (spent + tail) / multiple


def _judge_many(state: SequentialFisher, allowances: tuple[Allowance, ...]) -> SequentialFisher:
    levels = np.array([math.nan if each.level is None else each.level for each in allowances])
    if np.isnan(levels).any():
        raise ValueError(f"{state.events} errors are more than {EXACT_EVENTS}: the look's level is needed")
    sums = paths.Skewed.of(state.moments, weights(state.null.shape, coarse=False))
    boundary = sums.boundary(levels, state.events, MIN_EVENTS, near=state.boundary)
    standing = sums.tails(state.canary_events) / state.null.multiples
    return _judged(state, state.spent, np.empty((0, 0, 0)), boundary, float(levels[0]), float(standing.max()))


def _judged(
    state: SequentialFisher, spent: Floats, living: Floats, boundary: int, limit: float, standing: float
) -> SequentialFisher:
    return SequentialFisher(
        state.null,
        spent,
        living,
        state.moments,
        state.baseline_events,
        state.canary_events,
        state.baseline_remainder,
        state.canary_remainder,
        state.expected,
        boundary,
        limit,
        _lasting(state, standing),
        state.crossed or state.canary_events >= boundary,
    )


def _lasting(state: SequentialFisher, standing: float) -> float:
    p_value = min(1.0, standing) if state.canary_events else 1.0
    # What was proven once is not taken back by errors of the baseline that come later.
    return min(p_value, state.p_value) if state.crossed else p_value
