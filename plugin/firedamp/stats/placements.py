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

_NO_SPREAD = 1e-20


@dataclass(frozen=True, slots=True)
class Ranked:
    """
    A canary ranked against some baselines: arrays of shape (baselines,).

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


def rank(baseline: Floats, canary: Floats, sizes: tuple[float, float], dispersion: float) -> Ranked:
    """
    Rank one canary against many baselines.

    Args:
        baseline: (baselines, buckets) shares of requests, each row adding up to 1.
        canary: (buckets,) shares, adding up to 1.
        sizes: requests that the baseline and the canary are worth, each ≥ 1.
        dispersion: factor on the squared standard error, ≥ 1.
    """
    n_b, n_c = sizes
    of_canary = np.cumsum(baseline, axis=1) - baseline / 2
    of_baseline = np.cumsum(canary) - canary / 2
    theta = of_canary @ canary
    spread_c = (of_canary - theta[:, None]) ** 2 @ canary / max(n_c - 1, n_c / 2)
    spread_b = np.sum(baseline * (of_baseline - (1 - theta)[:, None]) ** 2, axis=1) / max(n_b - 1, n_b / 2)
    spread = spread_c + spread_b
    pooled = (n_b * baseline + n_c * canary) / (n_b + n_c)
    null = (n_b + n_c) ** 2 * (1 - np.sum(pooled**3, axis=1)) / (12 * n_b * n_c * (n_b + n_c - 1))
    # Arms that share no bucket have no spread in their placements; the variance of U under the null serves.
    error = np.sqrt(dispersion * np.where(spread > _NO_SPREAD, spread, null))
    return Ranked(theta, np.asarray(error), np.asarray(null))


def rank_values(baseline: Floats, canary: Floats, dispersion: float) -> Ranked:
    """
    Rank raw values, every one its own bucket.

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
