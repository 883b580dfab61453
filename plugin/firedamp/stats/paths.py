"""
Counts on paths that have not crossed yet: the arrays beneath one sequential test and beneath many.

Every function takes any leading axes, so that a test of one release and a batch of thousands make the
same additions in the same order, and agree to the last digit.

Source: exact limits from the paths still alive: Kulldorff et al. (2011), Sequential Analysis 30(1);
tails of a skewed sum: Wilson & Hilferty (1931), PNAS 17(12), 684-688; cumulants of the beta-binomial:
Johnson, Kemp & Kotz (2005), Univariate Discrete Distributions, section 6.9.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from firedamp.stats import betabinomial

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]

#: A skewness below this is none.
_EVEN = 1e-6
#: Tails beyond these have no place of a normal.
_LEAST, _MOST = 1e-300, 1 - 1e-15


def walk(paths: Floats, new: int, null_shares: Floats, correlation: float | Floats) -> Floats:
    """
    Chances of the canary counts after new errors. *Exact.*

    Args:
        paths: (..., counts) chances before.
        new: errors of both arms, > 0.
        null_shares: (...) the canary's share of them.
        correlation: between errors of a block (`betabinomial.correlation`), one or (...).

    Returns:
        (..., counts + new) chances.
    """
    steps = betabinomial.pmf(new, null_shares, correlation)
    width = paths.shape[-1]
    moved = np.zeros((*steps.shape[:-1], width + new))
    # Either loop adds the terms of a sum in the same order, whatever was trimmed or padded before.
    part = np.empty((*steps.shape[:-1], max(width, new + 1)))
    if width <= new:
        for count in range(width):
            moved[..., count : count + new + 1] += np.multiply(steps, paths[..., count : count + 1], out=part)
    else:
        for count in range(new, -1, -1):
            moved[..., count : count + width] += np.multiply(paths, steps[..., count : count + 1], out=part)
    return moved


def tails(chances: Floats) -> Floats:
    """(..., counts + 1) chance of each count or a higher one, from that of each (..., counts)."""
    found = np.zeros((*chances.shape[:-1], chances.shape[-1] + 1))
    np.add.accumulate(chances[..., ::-1], axis=-1, out=found[..., -2::-1])
    return found


def boundaries(found: Floats, left: Floats) -> Counts:
    """(...) smallest counts of which the tail (..., counts + 1) fits what is left (...) of the budget."""
    # Tails fall, so the number of those that cost too much is the first count that does not.
    return np.asarray((found > np.maximum(left, 0.0)[..., None]).sum(axis=-1))


def living(paths: Floats, limits: Sequence[int]) -> Floats:
    """(hurdles, nodes, counts) paths below each hurdle's boundary."""
    kept = paths[..., : max(limits)].copy()
    for hurdle, limit in zip(kept, limits, strict=True):
        hurdle[:, limit:] = 0.0
    return kept


def moments(new: int | Counts, null_shares: Floats, correlation: float | Floats) -> Floats:
    """
    Mean, variance and third central moment of the canary's part of new errors. *Exact.*

    Args:
        new: errors of both arms, one or (...).
        null_shares: (...) the canary's share of them.
        correlation: between errors of a block (`betabinomial.correlation`), one or (...).

    Returns:
        (3, ...) moments, which add over blocks.
    """
    found = np.empty((3, *null_shares.shape))
    mean, variance, third = found
    np.multiply(null_shares, new, out=mean)
    np.multiply(mean, 1 - null_shares, out=variance)
    variance *= 1 + (new - 1) * correlation
    np.multiply(variance, 1 - 2 * null_shares, out=third)
    third *= (1 + (2 * new - 1) * correlation) / (1 + correlation)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Skewed:
    """
    Chances of high counts, from moments alone. *Approximate*: a Gamma variable's.

    Attributes:
        mean, scale, skewness: (..., nodes) of the sums.
        weights: (nodes,) chances of the nodes.
    """

    mean: Floats
    scale: Floats
    skewness: Floats
    weights: Floats

    @classmethod
    def of(cls, sums: Floats, weights: Floats) -> Skewed:
        """From (3, ..., nodes) sums of `moments`, variances > 0, and (nodes,) chances of the nodes."""
        mean, variance, third = sums
        scale = np.sqrt(variance)
        skewness = third / (variance * scale)
        return cls(mean, scale, np.where(np.abs(skewness) < _EVEN, _EVEN, skewness), weights)

    def tails(self, counts: Counts | int) -> Floats:
        """(...) chances of these counts or higher ones, falling; one count for all, or (...)."""
        distance = (np.asarray(counts)[..., None] - 0.5 - self.mean) / self.scale
        normal = 6 / self.skewness * (np.cbrt(self.skewness * distance / 2 + 1) - 1) + self.skewness / 6
        return np.asarray(np.minimum(1.0, (ndtr(-normal) * self.weights).sum(axis=-1)))

    def boundaries(self, levels: Floats, events: Counts, least: int) -> Counts:
        """
        Smallest counts of which the tail is within the level.

        Args:
            levels: (...) in [0, 1].
            events: (...) errors of both arms; where no count is rare enough one more is the answer.
            least: no count below this is.
        """
        low, high = np.full(levels.shape, least), np.broadcast_to(events, levels.shape) + 1
        while (low < high).any():
            middle = (low + high) // 2
            rare = self.tails(middle) <= levels
            open_ = low < high
            low = np.where(open_ & ~rare, middle + 1, low)
            high = np.where(open_ & rare, middle, high)
        return low

    def boundary(self, levels: Floats, events: int, least: int, near: int) -> int:
        """
        The largest of the `boundaries` of one test, for those who know where to look first.

        Tails are nearly normal, so a line through two neighbours leads close to the answer, and it is
        found when it is rare and the count below it is not.

        Args:
            levels: (hurdles,) in [0, 1].
            events: errors of both arms.
            least: no count below this is.
            near: such as the last answer.
        """
        low, high, aims, attempt = least, events + 1, _normal(levels), 0
        guess = min(max(near, low), high)
        while low < high:
            tails = self.tails(np.array([[guess - 1], [guess]]))
            below, here = np.logical_and.reduce(tails <= levels, axis=-1).tolist()
            low, high = _narrowed(low, high, guess, below=below, here=here)
            # Nodes far apart make stairs of the tails, on which lines lead nowhere: the middle does.
            met = guess + _step(_normal(tails), aims) if attempt % 3 < 2 else (low + high) // 2
            guess, attempt = min(max(met, low), high), attempt + 1
        return low


def _narrowed(low: int, high: int, guess: int, *, below: bool, here: bool) -> tuple[int, int]:
    """Where the answer may be, once a guess and the count below it are known to be rare or not."""
    if below:
        return low, max(guess - 1, low)
    return (guess, guess) if here else (min(guess + 1, high), high)


def _step(tails: list[list[float]], aims: list[float]) -> int:
    """How far from the second of two neighbours the line through their normal tails meets the last aim."""
    lines = zip(*tails, aims, strict=True)
    steps = [(here - aim) / (below - here) for below, here, aim in lines if below > here]
    return math.ceil(max(steps, default=0.0))


def _normal(tails: Floats) -> list[Any]:
    """The tails as places of a standard normal, kept finite."""
    found: list[Any] = ndtri(np.minimum(np.maximum(tails, _LEAST), _MOST)).tolist()
    return found
