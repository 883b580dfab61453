"""
Two small samples of values, one per pod or per five minutes: Mann-Whitney exactly, Brunner-Munzel with t.

`ranks` takes the normal distribution, which is right for requests by the hundred and too sure for eight pods.
Here are the forms for few values. Mann-Whitney asks whether both arms are alike in everything, and its
p-value is counted out, ties included. Brunner and Munzel ask only whether one tends to be larger, whatever
the spreads, and need some fifteen values an arm.

Values must be independent of each other: points of one series are not (at an autocorrelation of 0.9 a nominal
1 % becomes 30 %), so give one value per pod, or medians of blocks minutes long.

Source: Mann & Whitney (1947), AMS 18, 50-60, with mid-ranks: Lehmann (1975), Nonparametrics, section 1.4;
Brunner & Munzel (2000), Biometrical Journal 42, 17-25, eqs. 4 to 7; Cliff (1993), Psych. Bulletin 114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from firedamp.stats.placements import mid_ranks

Floats = NDArray[np.float64]

#: Values of both arms up to which all ways to share them out are counted; some 20 ms at the limit.
EXACT_VALUES = 60


@dataclass(frozen=True, slots=True)
class SampleTest:
    """
    Two samples of values compared.

    Attributes:
        p_value: one-sided, H0: the canary's values are not larger.
        lower_p: one-sided the other way, H0: they are not smaller.
        theta: chance that a canary value is the larger one of a pair, ties counted half, in [0, 1].
        cliffs_delta: 2θ - 1, in [-1, 1].
        freedom: degrees of freedom of Student's t; inf where p was counted out.
    """

    p_value: float
    lower_p: float
    theta: float
    cliffs_delta: float
    freedom: float


def exact_mann_whitney(baseline: ArrayLike, canary: ArrayLike) -> SampleTest | None:
    """
    Mann-Whitney's U over all ways to share the values out. *Exact*, ties included.

    Args:
        baseline: (n,) finite values.
        canary: (m,) finite values; n + m at most 60.

    Returns:
        None where an arm is empty. The smallest p-value there can be is 1 / C(n + m, m).

    Raises:
        ValueError: a value is not finite, or there are too many; `ranks.mann_whitney` judges those.
    """
    b, c = _values(baseline), _values(canary)
    if b.size + c.size > EXACT_VALUES:
        raise ValueError(f"{b.size + c.size} values, expected at most {EXACT_VALUES} to count them out")
    if not (b.size and c.size):
        return None
    # Mid-ranks are halves; doubled they are whole.
    doubled = np.rint(2 * mid_ranks(np.concatenate((b, c)))).astype(np.int64)
    seen = int(doubled[b.size :].sum())
    chances = _rank_sums(doubled, c.size)
    theta = _theta(seen / 2, b.size, c.size)
    return SampleTest(
        p_value=min(float(chances[seen:].sum()), 1.0),
        lower_p=min(float(chances[: seen + 1].sum()), 1.0),
        theta=theta,
        cliffs_delta=2 * theta - 1,
        freedom=math.inf,
    )


def brunner_munzel(baseline: ArrayLike, canary: ArrayLike) -> SampleTest | None:
    """
    Brunner and Munzel's test with Student's t. *Approximate*, for some 15 values an arm and more.

    Args:
        baseline: (n,) finite values.
        canary: (m,) finite values.

    Returns:
        None where an arm has fewer than two values. Samples that do not overlap have no spread in their
        placements; there half a pair stands in for it, so that p is small but not zero.

    Raises:
        ValueError: a value is not finite.
    """
    b, c = _values(baseline), _values(canary)
    if min(b.size, c.size) < 2:
        return None
    ranks = mid_ranks(np.concatenate((b, c)))
    theta = _theta(float(ranks[b.size :].sum()), b.size, c.size)
    parts = (
        _spread(ranks[: b.size], b) / (b.size * c.size**2),
        _spread(ranks[b.size :], c) / (c.size * b.size**2),
    )
    floor = (0.5 / (b.size * c.size)) ** 2
    variance = max(sum(parts), floor)
    freedom = _freedom(parts, (b.size, c.size))
    t = (theta - 0.5) / math.sqrt(variance)
    return SampleTest(float(stdtr(freedom, -t)), float(stdtr(freedom, t)), theta, 2 * theta - 1, freedom)


def _theta(rank_sum: float, n: int, m: int) -> float:
    return (rank_sum - m * (m + 1) / 2) / (n * m)


def _spread(ranks: Floats, values: Floats) -> float:
    """Variance of the placements, eq. 4: ranks among both arms less ranks within one's own."""
    return float(np.var(ranks - mid_ranks(values), ddof=1))


def _freedom(parts: tuple[float, float], sizes: tuple[int, int]) -> float:
    # Satterthwaite's, eq. 7; without any spread the smaller arm's.
    below = sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return sum(parts) ** 2 / below if below > 0 else float(min(sizes) - 1)


def _rank_sums(ranks: NDArray[np.int64], size: int) -> Floats:
    """(sums,) chance that `size` of these ranks, drawn without putting back, have each sum."""
    # Each rank in turn is drawn or not: chances stay within a float where the numbers of ways would not.
    chances = np.zeros((size + 1, int(ranks.sum()) + 1))
    chances[0, 0] = 1.0
    left = ranks.size
    for rank in ranks:
        needed = (size - np.arange(size + 1)) / left
        moved = np.zeros_like(chances)
        moved[1:, rank:] = (needed[:, None] * chances)[:-1, : chances.shape[1] - rank]
        chances = moved + (1 - needed)[:, None] * chances
        left -= 1
    return np.asarray(chances[size])


def _values(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(found).all():
        raise ValueError("values hold NaN or infinity, expected finite numbers")
    return found
