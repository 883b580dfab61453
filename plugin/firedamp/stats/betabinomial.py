"""
How many of `total` errors fall to the canary, when errors come in clumps.

Given all errors of both arms, each falls to the canary with the canary's share. Retries
and outages make neighbours fall together; the beta-binomial adds that as a correlation
between the errors of one block. Probabilities come from ratios of neighbouring terms,
so there is no gamma function to lose digits in, and the plain binomial is the case of
correlation 0 rather than a branch.

Source: Skellam (1948), JRSS B 10(2), 257-261.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, ndtr, ndtri

Floats = NDArray[np.float64]

#: Above this the tails are normal: p is off by less than a tenth where it is above 1e-4.
EXACT_TOTAL = 20_000
#: The same for a mixture of shares, whose own spread outweighs what the normal lacks.
_EXACT_MIXTURE = 1_000
#: Where errors hardly clump the beta-binomial is as good as binomial, and its terms would cancel.
_LEAST_CORRELATION = 1e-9
#: Complete correlation would make a block of errors a single coin.
MAX_CORRELATION = 0.95
#: Up to this many errors products of all terms neither vanish nor overflow.
_SHORT = 50
#: Stands for a share or a spread of 0, of which there is neither logarithm nor inverse.
_LEAST = 1e-250


def correlation(dispersion: float, total: int) -> float:
    """
    The correlation between errors that inflates their variance by `dispersion`.

    Args:
        dispersion: variance relative to the binomial's, ≥ 1.
        total: errors in the block; a single one cannot clump and gives 0.
    """
    return min(MAX_CORRELATION, (dispersion - 1.0) / (total - 1)) if total > 1 else 0.0


def correlations(dispersion: Floats, total: NDArray[np.intp] | int) -> Floats:
    """`correlation` of many, the totals one or as many."""
    found = np.minimum(MAX_CORRELATION, (dispersion - 1.0) / np.maximum(np.asarray(total) - 1, 1))
    return np.asarray(np.where(np.asarray(total) > 1, found, 0.0))


def pmf(total: int, share: Floats, correlation: float | Floats) -> Floats:
    """
    Chances of 0..total errors falling to the canary, for each share. *Exact.*

    Args:
        total: errors in both arms, ≥ 0.
        share: (...) expected shares of the canary, each in [0, 1]; 0 and 1 are certainties.
        correlation: between errors, in [0, 1), or as many as there are shares; 0 gives the binomial.

    Returns:
        (..., total + 1) probabilities, adding up to 1 along the last axis.
    """
    chances = _products if total <= _SHORT else _ratios
    return chances(total, share[..., None], np.asarray(correlation)[..., None])


def _products(total: int, share: Floats, rho: Floats) -> Floats:
    """Few errors: each chance is a product of a term for every error."""
    found = np.empty((*share.shape[:-1], total + 1))
    if total == 1:
        found[..., :1], found[..., 1:] = 1.0 - share, share
        return found
    taken, ways = _few(total)
    rest = np.empty_like(found)
    kept, clumped = 1.0 - rho, taken * rho
    found[..., 0] = rest[..., 0] = 1.0
    np.multiply.accumulate(share * kept + clumped, axis=-1, out=found[..., 1:])
    np.multiply.accumulate((1.0 - share) * kept + clumped, axis=-1, out=rest[..., 1:])
    found *= rest[..., ::-1]
    found *= ways / np.multiply.reduce(kept + clumped, axis=-1, keepdims=True)
    return found


@lru_cache(maxsize=2 * _SHORT)
def _few(total: int) -> tuple[Floats, Floats]:
    """(total,) errors taken before each, and (total + 1,) orders in which each count may fall."""
    return np.arange(total, dtype=float), np.array([float(math.comb(total, n)) for n in range(total + 1)])


def _ratios(total: int, share: Floats, rho: Floats) -> Floats:
    """Many errors: ratios of neighbouring chances, in logarithms, for their products would vanish."""
    taken = np.arange(total)
    canary = np.maximum(share, _LEAST) * (1.0 - rho) + taken * rho
    baseline = np.maximum(1.0 - share, _LEAST) * (1.0 - rho) + (total - 1 - taken) * rho
    log_weight = np.zeros((*share.shape[:-1], total + 1))
    np.cumsum(np.log(canary / baseline * ((total - taken) / (taken + 1))), axis=-1, out=log_weight[..., 1:])
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    weight[share[..., 0] <= 0, 1:] = 0.0
    weight[share[..., 0] >= 1, :-1] = 0.0
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def log_likelihood(events: float, total: float, share: Floats, correlation: float) -> Floats:
    """
    Log chance of this split of errors, up to what all shares have in common. *Exact*.

    Args:
        events: the canary's errors, 0 ≤ events ≤ total.
        total: errors of both arms.
        share: (...) expected shares of the canary, each in (0, 1).
        correlation: between errors, in [0, 1); next to none gives the binomial.
    """
    if correlation < _LEAST_CORRELATION:
        return np.asarray(events * np.log(share) + (total - events) * np.log1p(-share))
    size = 1 / correlation - 1
    a, b = share * size, (1 - share) * size
    return np.asarray(betaln(events + a, total - events + b) - betaln(a, b))


def upper_tail(events: int, total: int, share: float, dispersion: float = 1.0) -> float:
    """
    Chance of `events` or more of `total` errors falling to the canary.

    *Exact* up to 20,000 errors, normal with continuity correction beyond.

    Args:
        events: the canary's errors, 0 ≤ events ≤ total + 1.
        total: errors of both arms.
        share: expected share of the canary, in [0, 1].
        dispersion: variance relative to the binomial's, ≥ 1.
    """
    if events <= 0:
        return 1.0
    if total > EXACT_TOTAL:
        return _normal_tail(events - 0.5, total, share, dispersion)
    chances = pmf(total, np.array([share]), correlation(dispersion, total))[0]
    return min(1.0, float(chances[events:].sum()))


def lower_tail(events: int, total: int, share: float, dispersion: float = 1.0) -> float:
    """Chance of `events` or fewer of `total` errors falling to the canary; see `upper_tail`."""
    return upper_tail(total - events, total, 1.0 - share, dispersion)


def mixed_lower_tail(events: int, total: int, shares: Floats, weights: Floats, dispersion: float) -> float:
    """
    Chance of `events` or fewer of `total` errors falling to the canary, were its share one of several.

    *Exact* up to 1,000 errors, normal with continuity correction beyond.

    Args:
        events: the canary's errors, 0 ≤ events ≤ total.
        total: errors of both arms.
        shares: (nodes,) expected shares of the canary, each in [0, 1].
        weights: (nodes,) chances of them, adding up to 1.
        dispersion: variance relative to the binomial's, ≥ 1.
    """
    if total <= _EXACT_MIXTURE:
        tails = pmf(total, shares, correlation(dispersion, total))[:, : events + 1].sum(axis=-1)
    else:
        spread = np.sqrt(dispersion * total * shares * (1.0 - shares))
        tails = ndtr((events + 0.5 - total * shares) / np.maximum(spread, _LEAST))
    return min(1.0, float(tails @ weights))


def critical(total: int, share: float, level: float, dispersion: float = 1.0) -> int:
    """
    Smallest count of canary errors with an upper tail of at most `level`.

    Args:
        total: errors of both arms.
        share: expected share of the canary, in [0, 1].
        level: one-sided, in [0, 1].
        dispersion: variance relative to the binomial's, ≥ 1.

    Returns:
        A count in 0..total + 1; the last says that no count is rare enough.
    """
    if total > EXACT_TOTAL:
        return _normal_critical(total, share, level, dispersion)
    chances = pmf(total, np.array([share]), correlation(dispersion, total))[0]
    return int(np.count_nonzero(np.cumsum(chances[::-1]) > level))


def _normal_tail(events: float, total: int, share: float, dispersion: float) -> float:
    return float(ndtr((total * share - events) / max(_spread(total, share, dispersion), _LEAST)))


def _normal_critical(total: int, share: float, level: float, dispersion: float) -> int:
    spread = _spread(total, share, dispersion)
    if spread == 0:
        return int(total * share) + 1 if level < 1 else 0
    return math.ceil(max(0.0, min(total + 1.0, total * share + 0.5 - spread * float(ndtri(level)))))


def _spread(total: int, share: float, dispersion: float) -> float:
    return math.sqrt(dispersion * total * share * (1.0 - share))
