"""
Pods differ and errors clump: by how much to widen.

Requests are not independent draws. Those of one pod share its quirks, those of one moment its
trouble, and a test that ignores this rolls back good releases however carefully it spends its
alpha. `phi` widens for clumps inside a block, `tau` for pods that differ; both begin at priors
that hold for ordinary services.

Source: Rao & Scott (1992), Biometrics 48, 577-585; effective sample size: Kish (1965), Survey
Sampling, section 11.7; shrinkage to a prior of stated weight: DerSimonian & Laird (1986).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firedamp.stats.placements import rank
from firedamp.stats.stretch import Shape, bucket_counts, rising_bounds

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dispersion:
    """
    How noisy a check's counts are; the defaults are those of an ordinary service.

    Attributes:
        phi: variance of the errors of one block relative to independent ones, ≥ 1.
        tau: standard deviation of the log error rate between pods, ≥ 0.
    """

    phi: float = 1.75
    tau: float = 0.25

    def __post_init__(self) -> None:
        if not (1 <= self.phi < math.inf and 0 <= self.tau < math.inf):
            raise ValueError(f"{self}: expected phi ≥ 1 and tau ≥ 0")


def arm_spread(tau: float, weights: ArrayLike) -> float:
    """
    Coefficient of variation of an arm's mean rate that its pods alone make.

    Args:
        tau: between pods, ≥ 0.
        weights: (pods,) traffic of each pod, in any unit, ≥ 0; no pods or no traffic count as a
            single pod.

    Returns:
        tau √Σw² with weights that add up to 1: tau / √m when even.
    """
    return tau * math.sqrt(_concentration(weights))


def theta_dispersion(
    pods: ArrayLike,
    bounds: ArrayLike,
    *,
    others: ArrayLike | None = None,
    prior_cv: float = 0.05,
    prior_weight: float = 8.0,
) -> float:
    """
    Variance of a rank test between pods, relative to independent requests. *Approximate.*

    Each baseline pod's histogram is ranked against the rest of the baseline; the mean of the
    squared z-values is shrunk to what pods whose scale differs by `prior_cv` would show.

    Args:
        pods: (pods, buckets) requests per bucket of each baseline pod, ≥ 0.
        bounds: (buckets,) upper bounds, rising, the last inf.
        others: (pods, buckets) what each pod is ranked against, in requests that they are worth; without
            it all other pods. Where pods come and go while everybody slows down, those of the same time.
        prior_cv: prior coefficient of variation of the pods' scale.
        prior_weight: how many pods the prior is worth, > 0.

    Returns:
        A factor ≥ 1 on the squared standard error; 1 without requests.

    Raises:
        ValueError: shapes differ, a count is negative, or bounds do not rise to inf.
    """
    edges, counts = rising_bounds(bounds), np.atleast_2d(np.asarray(pods, dtype=np.float64))
    served = counts.sum(axis=1) >= 1
    counts = counts[served]
    if not counts.size:
        return 1.0
    checked = np.array([bucket_counts("a pod", pod, edges.size) for pod in counts])
    rest = checked.sum(axis=0) - checked if others is None else np.asarray(others, dtype=np.float64)[served]
    squares = _squares(checked, rest)
    seen = prior_weight * _prior(checked, edges, prior_cv) + float(squares.sum())
    return max(1.0, seen / (prior_weight + max(squares.size - 1, 0)))


def _concentration(weights: ArrayLike) -> float:
    traffic: list[float] = np.asarray(weights, dtype=np.float64).tolist()
    total = math.fsum(traffic)
    return math.fsum((pod / total) ** 2 for pod in traffic) if total > 0 else 1.0


def _squares(counts: Floats, others: Floats) -> Floats:
    """Squared z of each pod against the others, where there are others and they can differ."""
    compared = others.sum(axis=1) >= 1
    pods, others = counts[compared], others[compared]
    n, rest = pods.sum(axis=1), others.sum(axis=1)
    ranked = rank(others / rest[:, None], pods / n[:, None], (rest, n))
    # A pod is compared with the others only; the factor makes Σz² count as pods - 1, as around a common mean.
    return np.asarray((ranked.z**2 * rest / (rest + n))[ranked.standard_error > 0])


def _prior(counts: Floats, edges: Floats, cv: float) -> float:
    """Dispersion that pods with scales of this coefficient of variation show in θ."""
    everyone = counts.sum(axis=0)
    n = float(everyone.sum())
    shares = everyone / n
    # The variance of a pod's θ against many others is ties / (12 n), as of Mann-Whitney's U.
    ties = 1.0 - float(np.sum(shares**3))
    if ties <= 0:
        return 1.0
    stretched = Shape.of(everyone, edges, n).stretched(np.array([1.0 + cv]))
    moved = float(rank(stretched, shares, (n, n)).theta[0])
    return 1.0 + (moved - 0.5) ** 2 * 12 * (n / len(counts)) / ties
