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
steered by outcomes; Bernoulli errors conservatively so); *approximate* beyond: normal, against
the nominal levels of `spending.nominal_levels`; and where the null's noise is learnt on the way.

Source: the binomial conditioning is Przyborowski & Wilenski (1940), Biometrika 31, 313-323, and
Lindon & Malek (2022), arXiv 2011.03567; the hypergeometric is dominated by it (Hoeffding 1963,
JASA 58, 13-30, section 6); exact sequential limits: Kulldorff et al. (2011), Sequential Analysis 30(1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from firedamp.stats import betabinomial
from firedamp.stats.null import Null, shares, weights

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
        means: (hurdles, nodes) expected canary errors, for the normal regime.
        variances: (hurdles, nodes) their variances, likewise.
        baseline_remainder: fraction of an error not counted yet, in [-0.5, 0.5).
        canary_remainder: likewise.
    """

    null: Null
    spent: Floats
    paths: Floats
    means: Floats
    variances: Floats
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
        return replace(self, null=null)


def start(null: Null) -> SequentialFisher:
    """The test before any evidence."""
    hurdles = len(null.hurdles)
    paths = np.tile(weights(null.shape)[:, None], (hurdles, 1, 1))
    fine = np.zeros((hurdles, weights(null.shape, coarse=False).size))
    return SequentialFisher(null, np.zeros(hurdles), paths, fine, fine)


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
        return _judge_normal(taken, allowances)
    return _judge_exact(taken, np.array([allowance.budget for allowance in allowances]))


def _take(state: SequentialFisher, baseline: float, canary: float, share: float) -> SequentialFisher:
    """Count the block's errors and let every path take them."""
    new_baseline, baseline_rest = _whole(baseline + state.baseline_remainder)
    new_canary, canary_rest = _whole(canary + state.canary_remainder)
    new = new_baseline + new_canary
    odds = 1 + state.null.tolerance
    fine = shares(state.null, share, coarse=False)
    return replace(
        state,
        paths=_walked(state, new, share),
        means=state.means + new * fine,
        variances=state.variances + new * state.null.phi * fine * (1 - fine),
        baseline_events=state.baseline_events + new_baseline,
        canary_events=state.canary_events + new_canary,
        baseline_remainder=baseline_rest,
        canary_remainder=canary_rest,
        expected=state.expected + new * share * odds / (1 - share + share * odds),
    )


def _whole(events: float) -> tuple[int, float]:
    whole = math.floor(events + 0.5)
    return whole, events - whole


def _walked(state: SequentialFisher, new: int, share: float) -> Floats:
    if new == 0 or state.events + new > EXACT_EVENTS:
        return state.paths
    return walk(state.paths, new, shares(state.null, share), betabinomial.correlation(state.null.phi, new))


def walk(paths: Floats, new: int, null_shares: Floats, correlation: float | Floats) -> Floats:
    """
    Chances of the canary counts after new errors.

    Args:
        paths: (..., counts) chances before.
        new: errors of both arms, > 0.
        null_shares: (...) the canary's share of them.
        correlation: between errors of a block (`betabinomial.correlation`), one or (...).

    Returns:
        (..., counts + new) chances.
    """
    steps = betabinomial.pmf(new, null_shares, correlation)
    if paths.shape[-1] < steps.shape[-1]:
        paths, steps = steps, paths
    width = paths.shape[-1]
    moved = np.zeros((*paths.shape[:-1], width + steps.shape[-1] - 1))
    for count in range(steps.shape[-1]):
        moved[..., count : count + width] += paths * steps[..., count : count + 1]
    return moved


def tails(paths: Floats) -> Floats:
    """(..., counts + 1) chance of each count or a higher one, from (..., nodes, counts) paths."""
    each = paths.sum(axis=-2)
    return np.concatenate(
        [np.cumsum(each[..., ::-1], axis=-1)[..., ::-1], np.zeros_like(each[..., :1])], axis=-1
    )


def boundaries(found: Floats, left: Floats) -> NDArray[np.intp]:
    """(...) smallest counts of which the tail (..., counts + 1) fits what is left (...) of the budget."""
    # Tails fall, so the number of those that cost too much is the first count that does not.
    affordable = np.count_nonzero(found > np.maximum(left, 0.0)[..., None], axis=-1)
    return np.asarray(np.maximum(affordable, MIN_EVENTS))


def _judge_exact(state: SequentialFisher, budgets: Floats) -> SequentialFisher:
    found = tails(state.paths)
    limits = boundaries(found, budgets - state.spent)
    last, each = found.shape[-1] - 1, np.arange(limits.size)
    boundary = int(limits.max())
    # Each hurdle is kept at its own multiple of alpha; the one furthest from cleared is what remains.
    standing = (state.spent + found[:, min(state.canary_events, last)]) / state.null.multiples
    return replace(
        state,
        boundary=boundary,
        p_value=_lasting(state, min(1.0, float(standing.max())) if state.canary_events else 1.0),
        limit=float(budgets[0]),
        crossed=state.crossed or state.canary_events >= boundary,
        spent=state.spent + found[each, np.minimum(limits, last)],
        paths=_living(state.paths, limits),
    )


def _living(paths: Floats, limits: NDArray[np.intp]) -> Floats:
    """Paths below each hurdle's boundary."""
    kept = paths[..., : int(limits.max())]
    return np.where(np.arange(kept.shape[-1]) < limits[:, None, None], kept, 0.0)


def _judge_normal(state: SequentialFisher, allowances: tuple[Allowance, ...]) -> SequentialFisher:
    levels = [allowance.level for allowance in allowances if allowance.level is not None]
    if len(levels) < len(allowances):
        raise ValueError(f"{state.events} errors are more than {EXACT_EVENTS}: the look's level is needed")
    boundary = max(_normal_boundary(state, hurdle, level) for hurdle, level in enumerate(levels))
    standing = _normal_tails(state, state.canary_events) / state.null.multiples
    return replace(
        state,
        boundary=boundary,
        p_value=_lasting(state, min(1.0, float(standing.max()))),
        limit=levels[0],
        crossed=state.crossed or state.canary_events >= boundary,
        paths=np.empty((0, 0, 0)),
    )


def _lasting(state: SequentialFisher, p_value: float) -> float:
    # What was proven once is not taken back by errors of the baseline that come later.
    return min(p_value, state.p_value) if state.crossed else p_value


def _normal_tails(state: SequentialFisher, count: int) -> Floats:
    """(hurdles,) chances of this count or a higher one."""
    distance = (count - 0.5 - state.means) / np.sqrt(state.variances)
    return np.asarray(np.minimum(1.0, ndtr(-distance) @ weights(state.null.shape, coarse=False)))


def _normal_boundary(state: SequentialFisher, hurdle: int, level: float) -> int:
    low, high = MIN_EVENTS, state.events + 1
    while low < high:
        middle = (low + high) // 2
        if _normal_tails(state, middle)[hurdle] <= level:
            high = middle
        else:
            low = middle + 1
    return low
