"""
Fisher's exact test, looked at as often as one likes.

Of all errors so far, how many fell to the canary? Given an error in a block, it is the
canary's with the canary's share of that block's requests, whatever the common error rate
does, so nothing is pooled over traffic weights and a drift of everybody's errors cancels.
The null allows for a tolerance (the canary's odds may be higher by that much), for pods that
differ (a random factor on the odds, integrated on nodes) and for errors that clump
(beta-binomial within a block). The chances of every canary count *on paths that have not
crossed yet* are carried from block to block: at each block the boundary is the smallest
count whose tail fits what is left of the budget, and what a discrete boundary cannot use
is kept for later.

*Exact* up to 400 errors for Poisson or Bernoulli errors under the stated null (split not
steered by outcomes; Bernoulli errors conservatively so); *approximate* beyond: normal, against
the nominal levels of `spending.nominal_levels`.

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
from scipy.special import ndtr

from firedamp.stats import betabinomial

Floats = NDArray[np.float64]

#: Fewer errors of the canary than this never fail it.
MIN_EVENTS = 3
#: Errors of both arms up to which every path is counted.
EXACT_EVENTS = 400
_NEARLY_ALL = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Null:
    """
    What a good release may look like.

    Attributes:
        tolerance: the canary's odds of an error may be (1 + tolerance) times the
            baseline's; > -1.
        phi: variance of the errors of a block relative to independent ones, ≥ 1.
        s0: standard deviation of the log odds between the arms that pods alone
            make, ≥ 0 (`dispersion.pod_spread`).
    """

    tolerance: float
    phi: float = 1.75
    s0: float = 0.0

    def __post_init__(self) -> None:
        if not (-1 < self.tolerance < math.inf and 1 <= self.phi < math.inf and 0 <= self.s0 < math.inf):
            raise ValueError(f"{self}: expected tolerance > -1, phi ≥ 1, s0 ≥ 0")


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
        spent: alpha used by the boundaries so far (up to 400 errors).
        paths: (nodes, counts) chances of the canary counts on paths that have not crossed;
            empty beyond 400 errors.
        means: (nodes,) expected canary errors per node, for the normal regime.
        variances: (nodes,) binomial variances per node, likewise.
        baseline_remainder: fraction of an error not counted yet, in [-0.5, 0.5).
        canary_remainder: likewise.
    """

    null: Null
    paths: Floats
    means: Floats
    variances: Floats
    baseline_events: int = 0
    canary_events: int = 0
    baseline_remainder: float = 0.0
    canary_remainder: float = 0.0
    expected: float = 0.0
    spent: float = 0.0
    boundary: int = MIN_EVENTS
    limit: float = 0.0
    p_value: float = 1.0
    crossed: bool = False

    @property
    def events(self) -> int:
        """Errors of both arms so far."""
        return self.baseline_events + self.canary_events


def start(null: Null) -> SequentialFisher:
    """The test before any evidence."""
    _, weights = _nodes(null.s0, coarse=True)
    fine = _nodes(null.s0, coarse=False)[0].size
    return SequentialFisher(null, weights[:, None].copy(), np.zeros(fine), np.zeros(fine))


def advance(
    state: SequentialFisher,
    *,
    baseline_events: float,
    canary_events: float,
    canary_share: float,
    budget: float,
    level: float | None = None,
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
        budget: *cumulative* alpha that may be used by this block (`spending.Budget.spent_by`).
        level: nominal level of this look (`spending.nominal_levels`); needed beyond 400 errors.

    Raises:
        ValueError: errors are negative or not finite, or the level is missing beyond 400 errors.
    """
    if not (0 <= baseline_events < math.inf and 0 <= canary_events < math.inf):
        raise ValueError(f"errors are {baseline_events} and {canary_events}, expected finite numbers ≥ 0")
    if not 0 < canary_share < 1:
        return state
    taken = _take(state, baseline_events, canary_events, canary_share)
    return _judge_normal(taken, level) if taken.events > EXACT_EVENTS else _judge_exact(taken, budget)


def _take(state: SequentialFisher, baseline: float, canary: float, share: float) -> SequentialFisher:
    """Count the block's errors and let every path take them."""
    new_baseline, baseline_rest = _whole(baseline + state.baseline_remainder)
    new_canary, canary_rest = _whole(canary + state.canary_remainder)
    new = new_baseline + new_canary
    odds = 1 + state.null.tolerance
    null_shares = _null_shares(share, _odds(state.null, coarse=False))
    return replace(
        state,
        paths=_walk(state, new, share),
        means=state.means + new * null_shares,
        variances=state.variances + new * null_shares * (1 - null_shares),
        baseline_events=state.baseline_events + new_baseline,
        canary_events=state.canary_events + new_canary,
        baseline_remainder=baseline_rest,
        canary_remainder=canary_rest,
        expected=state.expected + new * share * odds / (1 - share + share * odds),
    )


def _whole(events: float) -> tuple[int, float]:
    whole = math.floor(events + 0.5)
    return whole, events - whole


def _walk(state: SequentialFisher, new: int, share: float) -> Floats:
    if new == 0 or state.events + new > EXACT_EVENTS:
        return state.paths
    null_shares = _null_shares(share, _odds(state.null, coarse=True))
    return _convolve(
        state.paths, betabinomial.pmf(new, null_shares, betabinomial.correlation(state.null.phi, new))
    )


def _convolve(paths: Floats, steps: Floats) -> Floats:
    if paths.shape[1] < steps.shape[1]:
        paths, steps = steps, paths
    width = paths.shape[1]
    moved = np.zeros((paths.shape[0], width + steps.shape[1] - 1))
    for count in range(steps.shape[1]):
        moved[:, count : count + width] += paths * steps[:, count : count + 1]
    return moved


def _judge_exact(state: SequentialFisher, budget: float) -> SequentialFisher:
    tails = np.append(np.cumsum(state.paths.sum(axis=0)[::-1])[::-1], 0.0)
    last = tails.size - 1
    # Tails fall, so the number of those that cost too much is the first count that does not.
    affordable = int(np.count_nonzero(tails > max(budget - state.spent, 0.0)))
    boundary = max(affordable, MIN_EVENTS)
    standing = min(1.0, state.spent + float(tails[min(state.canary_events, last)]))
    return replace(
        state,
        boundary=boundary,
        p_value=_lasting(state, standing if state.canary_events else 1.0),
        limit=budget,
        crossed=state.crossed or state.canary_events >= boundary,
        spent=state.spent + float(tails[min(boundary, last)]),
        paths=state.paths[:, :boundary],
    )


def _judge_normal(state: SequentialFisher, level: float | None) -> SequentialFisher:
    if level is None:
        raise ValueError(f"{state.events} errors are more than {EXACT_EVENTS}: the look's level is needed")
    boundary = _normal_boundary(state, level)
    return replace(
        state,
        boundary=boundary,
        p_value=_lasting(state, _normal_tail(state, state.canary_events)),
        limit=level,
        crossed=state.crossed or state.canary_events >= boundary,
        paths=np.empty((0, 0)),
    )


def _lasting(state: SequentialFisher, p_value: float) -> float:
    # What was proven once is not taken back by errors of the baseline that come later.
    return min(p_value, state.p_value) if state.crossed else p_value


def _normal_tail(state: SequentialFisher, count: int) -> float:
    _, weights = _nodes(state.null.s0, coarse=False)
    distance = (count - 0.5 - state.means) / np.sqrt(state.null.phi * state.variances)
    return min(1.0, float(weights @ ndtr(-distance)))


def _normal_boundary(state: SequentialFisher, level: float) -> int:
    low, high = MIN_EVENTS, state.events + 1
    while low < high:
        middle = (low + high) // 2
        if _normal_tail(state, middle) <= level:
            high = middle
        else:
            low = middle + 1
    return low


def _null_shares(share: float, odds: Floats) -> Floats:
    # A canary with all but a hair of the traffic must leave the baseline a chance of an error.
    return np.minimum(share * odds / (1 - share + share * odds), _NEARLY_ALL)


@lru_cache(maxsize=512)
def _odds(null: Null, *, coarse: bool) -> Floats:
    places, _ = _nodes(null.s0, coarse=coarse)
    return np.asarray((1 + null.tolerance) * np.exp(null.s0 * places))


@lru_cache(maxsize=512)
def _nodes(s0: float, *, coarse: bool) -> tuple[Floats, Floats]:
    """Places and weights of a standard normal; the right is longer, for false alarms come from there."""
    if s0 == 0:
        return np.zeros(1), np.ones(1)
    places = np.arange(-3.0, 5.25, 0.5) if coarse else np.arange(-5.0, 6.125, 0.25)
    weights = np.exp(-(places**2) / 2)
    return places, weights / weights.sum()
