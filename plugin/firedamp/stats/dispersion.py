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

from firedamp.stats import ranks

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dispersion:
    """
    How noisy a check's counts are; the defaults are priors for a service without history.

    Attributes:
        phi: variance of the errors of one block relative to independent ones, ≥ 1.
        tau: standard deviation of the log error rate between pods, ≥ 0.
    """

    phi: float = 1.75
    tau: float = 0.25

    def __post_init__(self) -> None:
        if not (1 <= self.phi < math.inf and 0 <= self.tau < math.inf):
            raise ValueError(f"{self}: expected phi ≥ 1 and tau ≥ 0")


def pod_spread(tau: float, baseline_weights: ArrayLike, canary_weights: ArrayLike) -> float:
    """
    Standard deviation of the log odds between the arms that pods alone make.

    Args:
        tau: between pods, ≥ 0.
        baseline_weights: (pods,) traffic of each pod of the baseline, in any unit, ≥ 0.
        canary_weights: (pods,) likewise; no pods or no traffic count as a single pod.

    Returns:
        tau √(Σw² + Σw²) with weights that add up to 1 per arm: tau √(1/m + 1/m') when even.
    """
    return tau * math.sqrt(_concentration(baseline_weights) + _concentration(canary_weights))


def theta_dispersion(
    pods: ArrayLike, bounds: ArrayLike, *, prior_cv: float = 0.05, prior_weight: float = 8.0
) -> float:
    """
    Variance of a rank test between pods, relative to independent requests. *Approximate.*

    Each baseline pod's histogram is ranked against the rest of the baseline; the mean of the
    squared z-values is shrunk to what pods whose scale differs by `prior_cv` would show.

    Args:
        pods: (pods, buckets) requests per bucket of each baseline pod, ≥ 0.
        bounds: (buckets,) upper bounds, rising, the last inf.
        prior_cv: prior coefficient of variation of the pods' scale.
        prior_weight: how many pods the prior is worth, > 0.

    Returns:
        A factor ≥ 1 on the squared standard error; 1 without requests.
    """
    counts = np.atleast_2d(np.asarray(pods, dtype=np.float64))
    sizes = counts.sum(axis=1)
    counts = counts[sizes >= 1]
    if not counts.size:
        return 1.0
    tests = [ranks.compare_histograms(counts.sum(axis=0) - pod, pod, bounds, tolerance=0.0) for pod in counts]
    known = [test for test in tests if test is not None and test.standard_error > 0]
    prior = _prior(counts, bounds, prior_cv)
    # A pod is compared with the others only; the factor makes Σz² count as pods - 1, as around a common mean.
    squares = sum(test.z**2 * test.baseline_n / (test.baseline_n + test.canary_n) for test in known)
    return max(1.0, (prior_weight * prior + squares) / (prior_weight + max(len(known) - 1, 0)))


def _concentration(weights: ArrayLike) -> float:
    traffic = np.asarray(weights, dtype=np.float64)
    total = float(traffic.sum())
    return float(np.sum((traffic / total) ** 2)) if total > 0 else 1.0


def _prior(counts: Floats, bounds: ArrayLike, cv: float) -> float:
    """Dispersion that pods with scales of this coefficient of variation show in θ."""
    everyone = counts.sum(axis=0)
    moved = ranks.compare_histograms(everyone, everyone, bounds, tolerance=cv)
    # The variance of a pod's θ against many others is ties / (12 n), as of Mann-Whitney's U.
    ties = 1.0 - float(np.sum((everyone / everyone.sum()) ** 3))
    if moved is None or ties <= 0:
        return 1.0
    per_pod = float(np.mean(counts.sum(axis=1)))
    return 1.0 + (moved.theta - 0.5) ** 2 * 12 * per_pod / ties
