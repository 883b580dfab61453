"""
Pods that differ in speed: learnt from the comparison arm's, carried to both arms.

How much pods widen a rank test depends on how many requests each of them brings. A canary of one pod may
bring more than any pod of main does, so its dispersion is not theirs: what is learnt is how much pods differ,
and each arm's pods then widen the test by their own parts of its traffic.

A pod is compared with the others of its own time: one that left before everybody slowed down is not fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from firedamp.checks._buckets import ByPod, Counts
from firedamp.stats import dispersion

# How much pods differ is learnt anew when there is so much more evidence; it is the costliest figure.
_GROWTH = 1.25


@dataclass(frozen=True, slots=True, eq=False)
class Peers:
    """
    An arm's pods, each beside all of them in the same blocks.

    Attributes:
        pods: (pods, 2, buckets) of each: requests of all pods, weighted to the pod's own number in each
            block, and its own requests.
        parts: (pods,) Σ n² / N over blocks (n: the pod's requests, N: all pods'): its own among the first.
    """

    pods: ByPod = field(default_factory=ByPod)
    parts: ByPod = field(default_factory=ByPod)

    def add(self, block: ByPod) -> Peers:
        """After one more block: (pods, buckets), some requests."""
        row, sizes = block.counts.sum(axis=0), block.sizes
        total = float(row.sum())
        both = np.stack((sizes[:, None] * (row / total), block.counts), axis=1)
        return Peers(self.pods + ByPod(block.names, both), self.parts + ByPod(block.names, sizes**2 / total))

    @property
    def own(self) -> Counts:
        """(pods, buckets) requests of each pod."""
        return np.asarray(self.pods.counts[:, 1]) if self.pods.names else np.zeros((0, 0))

    @property
    def others(self) -> Counts:
        """(pods, buckets) of the other pods in the same blocks, as many as they are worth beside the pod."""
        everyone, own = self.pods.counts[:, 0], self.pods.counts[:, 1]
        sizes, parts = np.maximum(own.sum(axis=1), 1e-9), np.maximum(self.parts.counts, 1e-9)
        without = np.maximum(everyone - (parts / sizes)[:, None] * own, 0.0)
        worth = np.maximum(sizes**2 / parts - sizes, 0.0)
        return np.asarray(without * (worth / np.maximum(without.sum(axis=1), 1e-9))[:, None])


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

    def learnt(self, peers: Peers, bounds: tuple[float, ...]) -> Spread:
        """
        The spread after more evidence; the same one where little was added.

        Args:
            peers: the comparison arm's pods so far.
            bounds: (buckets,) upper bounds, rising, the last inf.
        """
        own = peers.own
        requests = float(own.sum())
        if requests < _GROWTH * self.requests:
            return self
        sizes = own.sum(axis=1)
        whole = sizes[sizes >= 1]
        factor = dispersion.theta_dispersion(own, bounds, others=peers.others)
        return Spread(math.sqrt((factor - 1) / float(whole.mean())) if whole.size else 0.0, requests)

    def dispersion(self, concentration: float, sampling: float) -> float:
        """
        Factor ≥ 1 on the squared standard error of a rank test between the arms.

        Args:
            concentration: of the pods of both arms, as `concentration` has it.
            sampling: 1 / n of either arm, added, > 0.
        """
        return 1 + self.tau**2 * concentration / sampling


def concentration(baseline: Counts, canary: Counts) -> float:
    """
    Σw² of the pods' parts of their arm's requests, both arms: 2 of single pods, less of many.

    Args:
        baseline: (pods,) requests of each pod, some.
        canary: (pods,) likewise.
    """
    return sum(float(arm @ arm) / float(arm.sum()) ** 2 for arm in (baseline, canary))
