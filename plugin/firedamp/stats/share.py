"""
Does the canary get the requests that it was promised? A sample-ratio mismatch, looked at every block.

A canary that gets twice its weight, or half of it, is compared on traffic that nobody chose: its failing
requests may not be counted at all, or the balancer may send it only some routes. No split is exact, though:
connections are kept open, pods are added. So the odds of a request reaching the canary may be off by a
factor before anything is said, and requests come in crowds: those of one connection, one user, one batch
fall together. How large the crowds are is read from how much the share jumps from one block to the next,
which neither a wrong share nor one that changes once can hide.

In either direction bets are placed at every block that the mismatch begins there, as `late` places them for
harm: a likelihood ratio of beta-binomial splits, a mismatch of some size against the largest that is
allowed. With each bet's weight they are one e-process: its mean stays at most 1 for ever while the share is
right. It is read as it stands, so a share that comes back in line takes the alarm back.

*Exact* for blocks that are independent and as crowded as assumed; *approximate* where the crowding is
estimated on the way. A user who stays with one version for hours is a crowd that no block shows: where
sessions are sticky and users are few, do not judge the share.

Source: sequential sample-ratio test: Lindon & Malek (2022), NeurIPS 35, arXiv 2011.03567; crowds as extra
variance: Skellam (1948), JRSS B 10(2), 257-261; differences of neighbours: von Neumann (1941), Annals of
Mathematical Statistics 12(4), 367-395; Ville (1939).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from firedamp.stats import betabinomial, late

Floats = NDArray[np.float64]

#: The odds may be off by this factor, either way.
FACTOR = 1.5
#: Requests are at least this crowded: variance of a block's split relative to independent ones.
LEAST_DISPERSION = 10.0
#: Until pairs of blocks have told, they are taken to be this crowded, with the weight of so many pairs.
_PRIOR_DISPERSION, _PRIOR_PAIRS = 40.0, 2.0
#: Crowding found is believed this much more, for it is estimated.
_ALLOWANCE = 1.5
#: Nothing is bet before so many pairs have told.
_LEAST_PAIRS = 3
#: Sizes of mismatch that are bet on, beyond the factor.
_SIZES = np.array([1.3, 2.5, 10.0])
#: A bet is worth this at most, so that a share put right is believed again within some blocks.
MOST = 1e9


def _nothing() -> Floats:
    return np.zeros((2, _SIZES.size))


@dataclass(frozen=True, slots=True, eq=False)
class ShareTest:
    """
    The bets after some blocks.

    Attributes:
        bets: (2, sizes) what the bets placed so far are worth, each times its weight; the first row bets
            that the canary gets too few requests, the second too many.
        placed: weight of the bets placed so far, in [0, 1].
        blocks: blocks judged.
        crowds: sum of the dispersions that neighbouring blocks showed.
        pairs: how many pairs of neighbours that were.
        expected: the share that was expected in the block taken last; None unknown.
        neighbour: requests of both arms in that block; None where it was not judged.
    """

    bets: Floats = field(default_factory=_nothing)
    placed: float = 0.0
    blocks: int = 0
    crowds: float = 0.0
    pairs: int = 0
    expected: float | None = None
    neighbour: tuple[float, float] | None = None

    @property
    def dispersion(self) -> float:
        """Variance of a block's split relative to independent requests, at least `LEAST_DISPERSION`."""
        seen = _PRIOR_PAIRS * _PRIOR_DISPERSION + self.crowds
        return max(LEAST_DISPERSION, _ALLOWANCE * seen / (_PRIOR_PAIRS + self.pairs))

    @property
    def e_value(self) -> float:
        """What 1 bet on a mismatch is worth now; above 1/alpha once by chance with probability alpha."""
        return 1.0 - self.placed + float(self.bets.sum()) / self.bets.size

    @property
    def p_value(self) -> float:
        """The inverse of the e-value, in (0, 1]: valid at whatever look it is read."""
        return min(1.0, 1.0 / self.e_value)

    @property
    def too_few(self) -> bool:
        """The canary rather gets too few requests than too many."""
        fewer, more = self.bets.sum(axis=1)
        return bool(fewer >= more)


def advance(
    test: ShareTest, *, baseline: float, canary: float, expected: float | None, window: int
) -> ShareTest:
    """
    The bets after one more block. *Exact* for a known dispersion, else *approximate*.

    A block without requests, without an expected share in (0, 1), or in which the expected share changed,
    is not judged: in the last, both shares were in force.

    Args:
        test: the bets so far.
        baseline: requests of the comparison arm, ≥ 0.
        canary: requests of the canary, ≥ 0.
        expected: the canary's share of both arms' requests in this block; None unknown.
        window: blocks in the release's window, ≥ 1; half of the bets are placed within it.

    Raises:
        ValueError: a count is negative or not finite.
    """
    if not (0 <= baseline < math.inf and 0 <= canary < math.inf):
        raise ValueError(f"{baseline} and {canary} requests: expected counts, 0 or more")
    steady = expected is not None and expected == test.expected
    if expected is None or not steady or not 0 < expected < 1 or baseline + canary <= 0:
        return _unjudged(test, expected)
    known = _crowded(test, (baseline, canary))
    return _bet(known, baseline, canary, expected, window) if known.pairs >= _LEAST_PAIRS else known


def _unjudged(test: ShareTest, expected: float | None) -> ShareTest:
    if test.neighbour is None and test.expected == expected:
        return test
    return replace(test, expected=expected, neighbour=None)


def _bet(test: ShareTest, baseline: float, canary: float, expected: float, window: int) -> ShareTest:
    weight = late.start_weight(test.blocks, window)
    # The block's own jump counts as crowding: one that is out of all proportion says little of the share.
    ratios = _ratios(baseline, canary, expected, test.dispersion)
    return replace(
        test,
        bets=np.minimum((test.bets + weight) * ratios, MOST),
        placed=min(1.0, test.placed + weight),
        blocks=test.blocks + 1,
    )


@lru_cache(maxsize=64)  # all checks of a release that count the same requests ask for the same
def _ratios(baseline: float, canary: float, expected: float, dispersion: float) -> Floats:
    """(2, sizes) likelihood of each mismatch over that of the largest allowed in its direction."""
    odds = expected / (1 - expected)
    allowed = np.array([[1 / FACTOR], [FACTOR]]) * odds
    mismatched = allowed * np.array([1 / _SIZES, _SIZES])
    shares = (each / (1 + each) for each in (mismatched, allowed))
    total = baseline + canary
    rho = betabinomial.correlation(dispersion, math.ceil(total))
    likely, healthy = (betabinomial.log_likelihood(canary, total, share, rho) for share in shares)
    ratios = np.exp(np.clip(likely - healthy, -450.0, 450.0))
    ratios.setflags(write=False)
    return np.asarray(ratios)


def _crowded(test: ShareTest, now: tuple[float, float]) -> ShareTest:
    """With the dispersion that two neighbours show: the square of their difference over what it should be."""
    if test.neighbour is None:
        return replace(test, neighbour=now)
    (_, canary), (_, now_canary) = test.neighbour, now
    total, now_total = sum(test.neighbour), sum(now)
    share = (canary + now_canary) / (total + now_total)
    independent = share * (1 - share) * (1 / total + 1 / now_total)
    if independent <= 0:
        return replace(test, neighbour=now)
    square = (now_canary / now_total - canary / total) ** 2 / independent
    return replace(test, crowds=test.crowds + square, pairs=test.pairs + 1, neighbour=now)
