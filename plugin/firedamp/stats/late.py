"""
A fault may begin at any time: evidence that counts from whenever it began.

A test of everything since the start sees a late fault through all the health before it. Here a bet
is placed anew at every block: that harm of some size begins now. Each bet is a likelihood ratio of
the splits from its block on, harm against health; together, each with its start's weight, they are
one e-process: starting from 1, in a good release its mean stays at most 1 for ever, so it ever
reaches 1/alpha with a probability of at most alpha (Ville's inequality). All bets of one size move by
the same factor, so the sum is kept instead of the bets, and a block costs the same after a day.

What health looks like is learnt on the way. How much the canary's pods differ by accident is unknown
at first (the nodes of `null.Null`) and known after an hour: each block's likelihood under health is the
mean over the nodes, weighted by how well they have told the blocks before.

*Exact* for errors that split as the null says, averaged over pods; *approximate* where the null's
noise is learnt on the way.

Source: Shin, Ramdas & Rinaldo (2023), E-detectors, arXiv 2203.03532; weighted starts: Lorden & Pollak
(2005), Annals of Statistics 33(3), 1422-1454; Ville (1939). Test by Bayes factor with a learnt null:
Grünwald, de Heide & Koolen (2024), JRSS B 86(5), 1091-1128.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from firedamp.stats import betabinomial
from firedamp.stats.null import Null, odds, shares_at, weights

Floats = NDArray[np.float64]

#: Odds of the harm that is bet on, relative to those of the null.
_SIZES = np.array([2.5, 6.0, 20.0])
#: A bet is worth this at most, which keeps its sums finite; alpha is far above the inverse.
_MOST = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """
    The bets after some blocks.

    Attributes:
        null: what a good release may look like, `Shape.PRODUCT`.
        plausible: (nodes,) how well each node has told the blocks so far, adding up to 1.
        bets: (sizes,) what the bets placed so far are worth, each times its weight.
        placed: weight of the bets placed so far, in [0, 1].
    """

    null: Null
    plausible: Floats
    bets: Floats
    placed: float = 0.0

    @property
    def e_value(self) -> float:
        """What 1 bet on harm is worth now; above 1/alpha once by chance with probability alpha."""
        return 1.0 - self.placed + float(self.bets.sum()) / self.bets.size

    @property
    def p_value(self) -> float:
        """The inverse of the e-value, in (0, 1]: valid at every look, unlike the least of several."""
        return min(1.0, 1.0 / self.e_value)

    def under(self, null: Null) -> Watch:
        """The bets with what is known of the noise by now; blocks taken stay as they were taken."""
        return self if null is self.null or null == self.null else replace(self, null=null)


def start(null: Null) -> Watch:
    """No bet placed yet."""
    return Watch(null, weights(null.shape), np.zeros(_SIZES.size))


def advance(
    watch: Watch, *, baseline_events: int, canary_events: int, canary_share: float, weight: float
) -> Watch:
    """
    The bets after one more block, one placed just before it.

    Args:
        watch: the bets so far.
        baseline_events: new errors of the baseline, ≥ 0.
        canary_events: new errors of the canary, ≥ 0.
        canary_share: the canary's share of the block's requests; a block with one arm compares nothing.
        weight: of the bet that harm begins with this block, ≥ 0, chosen before the block was seen; all
            weights together are at most 1.

    Raises:
        ValueError: more than everything is bet.
    """
    if watch.placed + weight > 1 + 1e-9:
        raise ValueError(f"bets of {watch.placed} and {weight} are more than 1")
    if not 0 < canary_share < 1:
        return watch
    placed = Watch(watch.null, watch.plausible, watch.bets + weight, min(1.0, watch.placed + weight))
    total = baseline_events + canary_events
    return _seen(placed, canary_events, total, canary_share) if total else placed


def _seen(watch: Watch, canary: int, total: int, share: float) -> Watch:
    shares = shares_at(_odds(watch.null), share)
    rho = betabinomial.correlation(watch.null.phi, total)
    likely = betabinomial.log_likelihood(canary, total, shares, rho)
    # Only ratios matter; the largest is 1, so that none vanishes.
    likely = np.exp(np.maximum(likely - likely.max(), -450.0))
    nodes, sizes = likely[: -_SIZES.size], likely[-_SIZES.size :]
    expected = float(watch.plausible @ nodes)
    plausible = watch.plausible * nodes / expected
    return Watch(watch.null, plausible, np.minimum(watch.bets * (sizes / expected), _MOST), watch.placed)


@lru_cache(maxsize=1024)
def _odds(null: Null) -> Floats:
    """(nodes + sizes,) odds of a healthy canary's errors and of a harmed one's."""
    return np.concatenate([odds(null)[0], (1 + null.tolerance) * _SIZES])


def start_weight(block: int, window: int) -> float:
    """
    How much is bet on harm that begins with a block: half evenly within the window, half after it.

    Args:
        block: number of the block, counted from 0.
        window: blocks in the window, ≥ 1.

    Returns:
        A weight in (0, 1); those of all blocks for ever add up to 1.
    """
    if block < window:
        return 0.5 / window
    return 0.5 * (window / block - window / (block + 1))
