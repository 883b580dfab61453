"""
Pods that differ in speed: learnt from the comparison arm's, carried to both arms.

How much pods widen a rank test depends on how many requests each of them brings. A canary of one pod may
bring more than any pod of main does, so its dispersion is not theirs: what is learnt is how much pods differ,
and each arm's pods then widen the test by their own parts of its traffic.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firedamp.stats import dispersion

Counts = NDArray[np.float64]

# How much pods differ is learnt anew when there is so much more evidence; it is the costliest figure.
_GROWTH = 1.25


@dataclass(frozen=True, slots=True)
class Spread:
    """
    How much pods differ.

    Attributes:
        tau: standard deviation between pods of their mean rank, relative to that between requests, ≥ 0.
        requests: of the comparison arm, behind it.
    """

    tau: float = 0.0
    requests: float = 0.0

    def learnt(self, pods: Counts, bounds: tuple[float, ...]) -> "Spread":
        """
        The spread after more evidence; the same one where little was added.

        Args:
            pods: (pods, buckets) comparison arm's requests so far.
            bounds: (buckets,) upper bounds, rising, the last inf.
        """
        requests = float(pods.sum())
        if requests < _GROWTH * self.requests:
            return self
        sizes = pods.sum(axis=1)
        whole = sizes[sizes >= 1]
        factor = dispersion.theta_dispersion(pods, bounds)
        return Spread(math.sqrt((factor - 1) / float(whole.mean())) if whole.size else 0.0, requests)

    def dispersion(self, baseline: ArrayLike, canary: ArrayLike, *, worth: float) -> float:
        """
        Factor ≥ 1 on the squared standard error of a rank test between the arms.

        Args:
            baseline: (pods,) requests of each pod of the comparison arm.
            canary: (pods,) likewise; at least one request.
            worth: requests that the comparison arm is worth, > 0.
        """
        pods = dispersion.pod_spread(self.tau, baseline, canary)
        return 1 + pods**2 / (1 / worth + 1 / float(np.sum(canary)))
