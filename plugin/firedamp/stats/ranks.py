"""
Is the canary slower? Mann-Whitney's U on histogram buckets, against a stretched baseline.

θ is the chance that a canary request is slower than a baseline request, ties counted half. The
tolerance belongs to the null: the baseline is stretched by it first, so that θ = 1/2 is a canary
just as slow as allowed. Within a bucket the normal quantile of the share below is linear in the
logarithm of the value, which is exact for lognormal latencies. The standard error comes from
placements (Brunner and Munzel), valid for unequal spreads and sizes, times a dispersion for pods
that differ.

*Approximate*: normal, for some 20 requests per arm and more.

Source: Mann & Whitney (1947), AMS 18, 50-60; Brunner & Munzel (2000), Biometrical Journal 42, 17-25;
scale by inverting the test: Hodges & Lehmann (1963), AMS 34, 598-611; Cliff (1993), Psych. Bulletin 114.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from firedamp.stats.placements import Ranked, rank, rank_values
from firedamp.stats.scale import median_ratio, turning_scale
from firedamp.stats.stretch import Shape, bucket_counts, rising_bounds
from firedamp.stats.tails import implied_tail_tolerance, tail_edge

__all__ = ["RankTest", "compare_histograms", "implied_tail_tolerance", "mann_whitney", "tail_edge"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankTest:
    """
    Two samples ranked against each other.

    Attributes:
        p_value: one-sided, H0: the canary is at most (1 + tolerance) times as slow.
        faster_p: one-sided, H0: the canary is at least that slow; small means harm is excluded.
        z: (θ - 1/2) over its standard error, against the stretched baseline.
        theta: chance that the canary is slower than the stretched baseline, in [0, 1].
        standard_error: of θ, dispersion included, ≥ 0.
        cliffs_delta: 2θ - 1 against the baseline as it is, in [-1, 1].
        plain_p: Mann-Whitney's one-sided p as textbooks have it: no tolerance, no dispersion,
            corrected for ties and continuity.
        scale: factor by which the canary is slower; 0 or inf where it is beyond 1/50 or 50, and 1
            where factors mean nothing (raw values ≤ 0).
        interval: 95 % two-sided bounds of the scale, in [0, inf].
        baseline_n: requests of the baseline (the effective number, where one was given).
        canary_n: requests of the canary.
    """

    p_value: float
    faster_p: float
    z: float
    theta: float
    standard_error: float
    cliffs_delta: float
    plain_p: float
    scale: float
    interval: tuple[float, float]
    baseline_n: float
    canary_n: float


def compare_histograms(
    baseline: ArrayLike,
    canary: ArrayLike,
    bounds: ArrayLike,
    *,
    tolerance: float,
    baseline_effective_n: float | None = None,
    dispersion: float = 1.0,
) -> RankTest | None:
    """
    Judge a canary's histogram against the baseline's, stretched by the tolerance. *Approximate*, for some
    20 requests per arm and more.

    Args:
        baseline: (buckets,) requests per bucket (not cumulative), ≥ 0; may be fractions, where
            blocks were weighted to the canary's traffic.
        canary: (buckets,) requests per bucket, ≥ 0.
        bounds: (buckets,) upper bounds, rising, the last inf. Bounds ≤ 0 are not stretched.
        tolerance: how much slower the canary may be, as a share, > -1.
        baseline_effective_n: requests that the weighted baseline is worth; without it the sum.
        dispersion: factor on the squared standard error (`dispersion.theta_dispersion`), ≥ 1.

    Returns:
        None where an arm has less than one request: then there is nothing to compare.

    Raises:
        ValueError: shapes differ, counts are negative or not finite, or bounds do not rise to inf.
    """
    edges = rising_bounds(bounds)
    b, c = bucket_counts("baseline", baseline, edges.size), bucket_counts("canary", canary, edges.size)
    n_b = float(b.sum()) if baseline_effective_n is None else min(float(baseline_effective_n), float(b.sum()))
    n_c = float(c.sum())
    if min(n_b, n_c) < 1:
        return None
    arms = _Arms(Shape.of(b, edges, n_b), c / n_c, n_b, n_c, dispersion)
    scale, interval = turning_scale(lambda scales: arms.over(scales).z)
    return _result(arms.at(1 + tolerance), arms.at(1.0), arms, scale, interval)


def mann_whitney(
    baseline: ArrayLike, canary: ArrayLike, *, tolerance: float = 0.0, dispersion: float = 1.0
) -> RankTest | None:
    """
    Judge raw values, e.g. the levels of a gauge: the same test with every value its own bucket.
    *Approximate*, for some 20 values per arm and more; `samples` has tests for fewer.

    Args:
        baseline: (n,) finite values.
        canary: (m,) finite values.
        tolerance: how much larger the canary's may be, as a share of the baseline's, > -1.
        dispersion: factor on the squared standard error, ≥ 1.

    Returns:
        As `compare_histograms`; the scale is the median ratio of pairs (Hodges-Lehmann), for
        positive values of at most a million pairs, otherwise 1 with interval (0, inf).

    Raises:
        ValueError: a value is not finite.
    """
    b, c = np.asarray(baseline, dtype=np.float64).ravel(), np.asarray(canary, dtype=np.float64).ravel()
    if not (np.isfinite(b).all() and np.isfinite(c).all()):
        raise ValueError("values hold NaN or infinity, expected finite numbers")
    if not (b.size and c.size):
        return None
    plain = rank_values(b, c, dispersion)
    scale, interval = median_ratio([(b, c)], float(plain.standard_error[0]))
    arms = _Arms(Shape.of(np.ones(1), np.array([np.inf]), 1.0), np.ones(1), b.size, c.size, dispersion)
    return _result(rank_values(b * (1 + tolerance), c, dispersion), plain, arms, scale, interval)


@dataclass(frozen=True, slots=True)
class _Arms:
    """Both arms as shares per bucket, with what they are worth."""

    baseline: Shape
    canary: Floats
    n_b: float
    n_c: float
    dispersion: float

    def at(self, scale: float) -> Ranked:
        """Rank the canary against the baseline stretched by one factor."""
        return self.over(np.array([scale]))

    def over(self, scales: Floats) -> Ranked:
        """Rank the canary against the baseline stretched by each factor: (scales,)."""
        return rank(self.baseline.stretched(scales), self.canary, (self.n_b, self.n_c), self.dispersion)


def _result(
    judged: Ranked, plain: Ranked, arms: _Arms, scale: float, interval: tuple[float, float]
) -> RankTest:
    z, theta = float(judged.z[0]), float(plain.theta[0])
    return RankTest(
        p_value=float(ndtr(-z)),
        faster_p=float(ndtr(z)),
        z=z,
        theta=float(judged.theta[0]),
        standard_error=float(judged.standard_error[0]),
        cliffs_delta=2 * theta - 1,
        plain_p=_plain_p(theta, float(plain.null_variance[0]), arms.n_b * arms.n_c),
        scale=scale,
        interval=interval,
        baseline_n=arms.n_b,
        canary_n=arms.n_c,
    )


def _plain_p(theta: float, variance: float, pairs: float) -> float:
    # Half a pair is the correction for continuity.
    return float(ndtr((0.5 - theta + 0.5 / pairs) / math.sqrt(variance))) if variance > 0 else 1.0
