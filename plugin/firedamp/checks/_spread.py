"""
Pods that differ in speed: learnt from the comparison arm's, carried to both arms.

How much pods widen a rank test depends on how many requests each of them brings. A canary of one pod may
bring more than any pod of main does, so its dispersion is not theirs: what is learnt is how much pods differ,
and each arm's pods then widen the test by their own parts of its traffic.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    def learnt(self, pods: Mapping[str, Counts], bounds: tuple[float, ...]) -> "Spread":
        """
        The spread after more evidence; the same one where little was added.

        Args:
            pods: comparison arm's requests so far, (buckets,) each.
            bounds: (buckets,) upper bounds, rising, the last inf.
        """
        sizes = [float(pod.sum()) for pod in pods.values()]
        if math.fsum(sizes) < _GROWTH * self.requests:
            return self
        whole = [size for size in sizes if size >= 1]
        factor = dispersion.theta_dispersion(np.array(list(pods.values())), bounds)
        tau = math.sqrt((factor - 1) * len(whole) / math.fsum(whole)) if whole else 0.0
        return Spread(tau, math.fsum(sizes))

    def dispersion(self, baseline: list[float], canary: list[float], *, worth: float) -> float:
        """
        Factor ≥ 1 on the squared standard error of a rank test between the arms.

        Args:
            baseline: (pods,) requests of each pod of the comparison arm.
            canary: (pods,) likewise; at least one request.
            worth: requests that the comparison arm is worth, > 0.
        """
        pods = dispersion.pod_spread(self.tau, baseline, canary)
        return 1 + pods**2 / (1 / worth + 1 / math.fsum(canary))
