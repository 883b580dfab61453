"""
Is the canary slower in each traffic step, taken together? Van Elteren's test.

Requests of different traffic steps are never ranked against each other: a whole service that slows down
while the canary's share grows would look like a slow canary (Simpson's paradox). Each step is ranked by
itself, and the steps are added up with weights that make the most of them: n m / (n + m + 1).

*Approximate*: normal, for some 20 requests per arm in all. Weights are *exact* optima where the canary is
slower by the same amount of rank in each step.

Source: van Elteren (1960), Bull. Int. Stat. Inst. 37, 351-361; Lehmann (1975), Nonparametrics, section 3.3;
standard errors by Brunner & Munzel (2000), as in `ranks`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from firedamp.stats.placements import Ranked, rank, rank_values
from firedamp.stats.ranks import RankTest
from firedamp.stats.scale import median_ratio, turning_scale
from firedamp.stats.stretch import Shape, bucket_counts, rising_bounds

Floats = NDArray[np.float64]


def stratified_histograms(
    baseline: ArrayLike,
    canary: ArrayLike,
    bounds: ArrayLike,
    *,
    tolerance: float,
    baseline_effective_n: ArrayLike | None = None,
    dispersion: ArrayLike = 1.0,
) -> RankTest | None:
    """
    Judge a canary's histograms, step by step, against the baseline's stretched by the tolerance.
    *Approximate*, for some 20 requests per arm in all.

    Args:
        baseline: (steps, buckets) requests per bucket (not cumulative), ≥ 0.
        canary: (steps, buckets) likewise.
        bounds: (buckets,) upper bounds, rising, the last inf; the same in every step.
        tolerance: how much slower the canary may be, as a share, > -1.
        baseline_effective_n: (steps,) requests that a weighted baseline is worth; without it the sums.
        dispersion: (steps,) or one factor on the squared standard errors, ≥ 1.

    Returns:
        With one step the same as `ranks.compare_histograms`, but for `plain_p`, which is van Elteren's
        own (tolerance and dispersion left out, ties corrected, continuity not). θ is the weighted mean.
        None where no step has a request in both arms; steps that lack one are left out.

    Raises:
        ValueError: shapes differ, counts are negative or not finite, or bounds do not rise to inf.
    """
    edges = rising_bounds(bounds)
    b, c = _table("baseline", baseline, edges.size), _table("canary", canary, edges.size)
    if b.shape != c.shape:
        raise ValueError(f"{b.shape[0]} steps of the baseline, {c.shape[0]} of the canary")
    worth = np.minimum(b.sum(axis=1), _per_step(baseline_effective_n, b.sum(axis=1)))
    wide = _per_step(dispersion, np.ones(b.shape[0]))
    arms = _Steps(
        tuple(
            _Step(Shape.of(b[s], edges, worth[s]), c[s] / c[s].sum(), worth[s], float(c[s].sum()), wide[s])
            for s in range(b.shape[0])
            if min(worth[s], c[s].sum()) >= 1
        )
    )
    if not arms.steps:
        return None
    scale, interval = turning_scale(lambda scales: arms.over(scales).z)
    return _result(arms.over(np.array([1 + tolerance])), arms.over(np.ones(1)), scale, interval)


def van_elteren(
    baseline: Sequence[ArrayLike],
    canary: Sequence[ArrayLike],
    *,
    tolerance: float = 0.0,
    dispersion: ArrayLike = 1.0,
) -> RankTest | None:
    """
    Judge raw values, stratum by stratum: the same test with every value its own bucket. *Approximate*,
    for some 20 values per arm in all; `samples` has tests for fewer.

    Args:
        baseline: one row of finite values per stratum.
        canary: likewise.
        tolerance: how much larger the canary's may be, as a share of the baseline's, > -1.
        dispersion: (strata,) or one factor on the squared standard errors, ≥ 1.

    Returns:
        As `stratified_histograms`; the scale is the median ratio of pairs in the same stratum, each pair
        by its stratum's weight, as `ranks.mann_whitney` has it.

    Raises:
        ValueError: a value is not finite, or the arms have different numbers of strata.
    """
    pairs = [(_values(b), _values(c)) for b, c in zip(baseline, canary, strict=True)]
    wide = _per_step(dispersion, np.ones(len(pairs)))
    kept = [(b, c, factor) for (b, c), factor in zip(pairs, wide, strict=True) if b.size and c.size]
    if not kept:
        return None
    sizes = [(float(b.size), float(c.size)) for b, c, _ in kept]
    plain = _combined([rank_values(b, c, factor) for b, c, factor in kept], sizes)
    judged = _combined([rank_values(b * (1 + tolerance), c, factor) for b, c, factor in kept], sizes)
    scale, interval = median_ratio([(b, c) for b, c, _ in kept], float(plain.ranked.standard_error[0]))
    return _result(judged, plain, scale, interval)


@dataclass(frozen=True, slots=True)
class _Combined:
    """Strata added up, for some stretches: θ and its errors as weighted means."""

    ranked: Ranked
    sizes: tuple[float, float]

    @property
    def z(self) -> Floats:
        return self.ranked.z


@dataclass(frozen=True, slots=True)
class _Step:
    """Both arms of one step as shares per bucket, with what they are worth."""

    baseline: Shape
    canary: Floats
    n_b: float
    n_c: float
    dispersion: float

    def over(self, scales: Floats) -> Ranked:
        return rank(self.baseline.stretched(scales), self.canary, (self.n_b, self.n_c), self.dispersion)


@dataclass(frozen=True, slots=True)
class _Steps:
    """All steps that can be ranked."""

    steps: tuple[_Step, ...]

    def over(self, scales: Floats) -> _Combined:
        return _combined([step.over(scales) for step in self.steps], [(s.n_b, s.n_c) for s in self.steps])


def _combined(parts: Sequence[Ranked], sizes: Sequence[tuple[float, float]]) -> _Combined:
    weights = np.array([_weight(*size) for size in sizes])
    parts_of = weights / weights.sum()
    ranked = Ranked(
        theta=_sum(parts_of, [part.theta for part in parts]),
        standard_error=np.sqrt(_sum(parts_of**2, [part.standard_error**2 for part in parts])),
        null_variance=_sum(parts_of**2, [part.null_variance for part in parts]),
    )
    return _Combined(ranked, (sum(n_b for n_b, _ in sizes), sum(n_c for _, n_c in sizes)))


def _weight(n_b: float, n_c: float) -> float:
    """Van Elteren's for a stratum's θ; his n + m + 1 divides the rank sum, of which θ is 1 / (n m)."""
    return n_b * n_c / (n_b + n_c + 1)


def _sum(weights: Floats, values: Sequence[Floats]) -> Floats:
    return np.asarray(weights @ np.array(values))


def _result(judged: _Combined, plain: _Combined, scale: float, interval: tuple[float, float]) -> RankTest:
    z, theta = float(judged.z[0]), float(plain.ranked.theta[0])
    variance = float(plain.ranked.null_variance[0])
    return RankTest(
        p_value=float(ndtr(-z)),
        faster_p=float(ndtr(z)),
        z=z,
        theta=float(judged.ranked.theta[0]),
        standard_error=float(judged.ranked.standard_error[0]),
        cliffs_delta=2 * theta - 1,
        plain_p=float(ndtr((0.5 - theta) / math.sqrt(variance))) if variance > 0 else 1.0,
        scale=scale,
        interval=interval,
        baseline_n=plain.sizes[0],
        canary_n=plain.sizes[1],
    )


def _table(arm: str, counts: ArrayLike, buckets: int) -> Floats:
    rows = [bucket_counts(arm, row, buckets) for row in np.atleast_2d(np.asarray(counts, dtype=np.float64))]
    return np.array(rows).reshape(-1, buckets)


def _per_step(values: ArrayLike | None, otherwise: Floats) -> Floats:
    if values is None:
        return otherwise
    return np.asarray(np.broadcast_to(np.asarray(values, dtype=np.float64), otherwise.shape))


def _values(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=np.float64).ravel()
    if not np.isfinite(found).all():
        raise ValueError("values hold NaN or infinity, expected finite numbers")
    return found
