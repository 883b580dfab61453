"""
Where the requests of one arm stand among the other's: θ, its standard error, its variance under the null.

A request's placement is the share of the other arm below it, ties counted half. θ is the mean
placement of the canary's requests; the spread of the placements within each arm gives its standard
error, whatever the spreads and sizes of the arms.

Source: Brunner & Munzel (2000), Biometrical Journal 42, 17-25; variance under the null, corrected for
ties: Lehmann (1975), Nonparametrics, section 1.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Requests of an arm: one number for all pairs, or (pairs,).
Size = float | Floats

_NO_SPREAD = 1e-20


@dataclass(frozen=True, slots=True)
class Ranked:
    """
    Some pairs of arms, ranked: arrays of shape (pairs,).

    Attributes:
        theta: chance that a canary request is slower, ties counted half, in [0, 1].
        standard_error: of θ, dispersion included, ≥ 0.
        null_variance: of θ where both arms are the same, without dispersion, ≥ 0.
    """

    theta: Floats
    standard_error: Floats
    null_variance: Floats

    @property
    def z(self) -> Floats:
        """(θ - 1/2) / SE; all requests in one bucket have neither, and z = 0."""
        gap = self.theta - 0.5
        return np.asarray(gap / np.maximum(self.standard_error, 1e-150))


def rank(baseline: Floats, canary: Floats, sizes: tuple[Size, Size], dispersion: float = 1.0) -> Ranked:
    """
    Rank pairs of arms: one canary against many baselines, or as many canaries as baselines. θ is *exact*,
    its standard error *approximate*.

    Args:
        baseline: (pairs, buckets) shares of requests, each row adding up to 1.
        canary: (pairs, buckets) or (buckets,) shares, likewise.
        sizes: requests that the baseline and the canary are worth, each ≥ 1, or (pairs,) of them.
        dispersion: factor on the squared standard error, ≥ 1.
    """
    n_b, n_c = sizes
    of_canary = np.cumsum(baseline, axis=-1) - baseline / 2
    of_baseline = np.cumsum(canary, axis=-1) - canary / 2
    theta = np.vecdot(of_canary, canary)
    spread_c = np.vecdot((of_canary - theta[:, None]) ** 2, canary) / np.maximum(n_c - 1, n_c / 2)
    spread_b = np.vecdot((of_baseline - (1 - theta)[:, None]) ** 2, baseline) / np.maximum(n_b - 1, n_b / 2)
    null = _null_variance(baseline, canary, n_b, n_c)
    # Arms that share no bucket have no spread in their placements; the variance of U under the null serves.
    spread = spread_c + spread_b
    error = np.sqrt(dispersion * np.where(spread > _NO_SPREAD, spread, null))
    return Ranked(theta, np.asarray(error), null)


def rank_values(baseline: Floats, canary: Floats, dispersion: float) -> Ranked:
    """
    Rank raw values, every one its own bucket. θ is *exact*, its standard error *approximate*.

    Args:
        baseline: (n,) finite values, at least one.
        canary: (m,) finite values, at least one.
        dispersion: factor on the squared standard error, ≥ 1.
    """
    b, c = baseline, canary
    values, place = np.unique(np.concatenate((b, c)), return_inverse=True)
    shares_b = np.bincount(place[: b.size], minlength=values.size) / b.size
    shares_c = np.bincount(place[b.size :], minlength=values.size) / c.size
    return rank(shares_b[None, :], shares_c, (b.size, c.size), dispersion)


def mid_ranks(values: Floats) -> Floats:
    """
    Ranks from 1 on, (n,); equal values share the middle of theirs. *Exact.*

    Args:
        values: (n,) finite values.
    """
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(ties) - (ties - 1) / 2)[place])


def _null_variance(baseline: Floats, canary: Floats, n_b: Size, n_c: Size) -> Floats:
    n = n_b + n_c
    canary_part = np.asarray(n_c / n)[..., None]
    pooled = (1 - canary_part) * baseline + canary_part * canary
    return np.asarray(n**2 * (1 - np.sum(pooled**3, axis=-1)) / (12 * n_b * n_c * (n - 1)))
