"""
Both arms of a distribution over some blocks, pod by pod of the canary.

Nothing is pooled over traffic weights: each block of the comparison arm counts for a pod of the canary
with that pod's requests in the block. So both histograms of a pod describe the same minutes, and those of
any choice of pods do.

Van Elteren's test by traffic step was tried instead (`stats.strata`). On a ramp of 5, 20 and 50 % it takes
the same pods for new ones in each step: of canaries just as slow as tolerated 10 to 16 in a hundred were at
5 % at the end, with weights 4 to 8. Levels adjusted so that both err as often, neither finds more of canaries
that take 30 % longer (80 to 87 in a hundred, and 81 to 88).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from firedamp.checks._buckets import ByPod
from firedamp.checks._spread import Spread, concentration
from firedamp.stats import ranks
from firedamp.stats.placements import rank
from firedamp.stats.stretch import Shape

Counts = NDArray[np.float64]

#: Fewer requests than this in an arm are no distribution.
MIN_REQUESTS = 20
#: Without the worst of its pods the canary must be slower than half of what is tolerated, this surely, by so
#: many requests. Those left are the better ones: held to all of the tolerance, true harm of 35 % is stopped
#: 13 times less in a hundred; held to none of it, a canary with one bad pod of three is stopped 22 times.
_LEVEL, _PART, _REST = 0.05, 0.5, 10
#: The last minutes are new ones every few minutes, and the rest has as many chances to look slow.
LATE_LEVEL = 0.01
#: A canary that lags by fewer standard errors is not ranked: no level of a look is within its reach.
_LAG = 1.5
#: A chapter of what is recent has so many blocks and so many requests of the canary, or more.
_CHAPTER_BLOCKS, _CHAPTER_REQUESTS = 5, 40


@dataclass(frozen=True, slots=True)
class Yardstick:
    """
    What a sample is judged by.

    Attributes:
        bounds: (buckets,) upper bounds, rising, the last inf.
        tolerance: how much slower is no harm, as a share.
        spread: how much pods differ.
    """

    bounds: tuple[float, ...]
    tolerance: float
    spread: Spread


@dataclass(frozen=True, slots=True)
class Judged:
    """
    One-sided p-values, as of `ranks.RankTest`.

    Attributes:
        p_value: that the canary is no slower than tolerated.
        faster_p: that it is at least that slow.
    """

    p_value: float
    faster_p: float


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """
    Both arms over some blocks.

    Attributes:
        pods: canary's pods, (pods, 2, buckets): requests of the comparison arm, weighted to the pod's
            own number in each block, and its own requests.
        mains: comparison arm's pods, (pods,) requests of each, weighted likewise.
        requests: of the canary.
        weighting: Σ n_c² / n_b over blocks, for the effective size of the weighted arm.
        blocks: how many blocks they are of.
    """

    pods: ByPod = field(default_factory=ByPod)
    mains: ByPod = field(default_factory=ByPod)
    requests: float = 0.0
    weighting: float = 0.0
    blocks: int = 0

    @classmethod
    def of(cls, baseline: ByPod, canary: ByPod) -> Self:
        """
        One block.

        Args:
            baseline: (pods, buckets) of the comparison arm, some requests.
            canary: likewise.
        """
        row, sizes, mains = baseline.counts.sum(axis=0), canary.sizes, baseline.sizes
        n_b, n_c = float(mains.sum()), float(sizes.sum())
        both = np.empty((sizes.size, 2, row.size))
        both[:, 0], both[:, 1] = sizes[:, None] * (row / n_b), canary.counts
        weighted = ByPod(baseline.names, mains * (n_c / n_b))
        return cls(ByPod(canary.names, both), weighted, n_c, n_c**2 / n_b, 1)

    def __add__(self, other: Sample) -> Sample:
        if not self.blocks:
            return other
        return Sample(
            self.pods + other.pods,
            self.mains + other.mains,
            self.requests + other.requests,
            self.weighting + other.weighting,
            self.blocks + other.blocks,
        )

    @property
    def baseline(self) -> Counts:
        """(buckets,) comparison arm, weighted to the canary's requests in each block."""
        return np.asarray(self._arms[0])

    @property
    def canary(self) -> Counts:
        """(buckets,) the canary."""
        return np.asarray(self._arms[1])

    @property
    def _arms(self) -> Counts:
        # Without any block there are no buckets either.
        return self.pods.counts.sum(axis=0) if self.blocks else np.zeros((2, 0))

    @property
    def sizes(self) -> Counts:
        """(pods,) requests of each pod of the canary."""
        return np.asarray(self.pods.counts[:, 1].sum(axis=1)) if self.blocks else np.zeros(0)

    @property
    def worth(self) -> float:
        """Requests that the weighted comparison arm is worth: all of them while the share stands still."""
        return self.requests**2 / self.weighting if self.weighting else 0.0

    @property
    def sampling(self) -> float:
        """Variance of the ranks' difference that chance alone makes, in units of one request's."""
        return 1 / self.worth + 1 / self.requests

    @property
    def concentration(self) -> float:
        """Of the pods of both arms."""
        return concentration(self.mains.counts, self.sizes)

    @property
    def is_enough(self) -> bool:
        """There are requests enough in both arms to rank them."""
        return min(self.requests, self.worth) >= MIN_REQUESTS

    @property
    def lags(self) -> bool:
        """
        There is enough, and it is worth while to rank it: a harm's p-value is out of reach for a canary that
        is not slower by `_LAG` standard errors even without any tolerance and with pods that are all alike.
        """
        if not self.is_enough:
            return False
        # Both arms are worth the canary's requests.
        baseline, canary = self._arms / self.requests
        theta = float(np.dot(baseline.cumsum() - baseline / 2, canary))
        shared = (baseline + canary) / 2
        variance = (1 - float(np.dot(shared * shared, shared))) / 12 * self.sampling
        return theta - 0.5 > _LAG * math.sqrt(max(variance, 0.0))

    def judged(self, by: Yardstick) -> Judged:
        """Whether the canary is slower than tolerated, or is not; where there is enough."""
        baseline, canary = self._arms
        worth, n = self.worth, self.requests
        shape = Shape.of(baseline, np.array(by.bounds), worth)
        stretched = shape.stretched(np.array([1 + by.tolerance]))
        z = float(rank(stretched, canary / n, (worth, n), self._dispersion(by)).z[0])
        return Judged(float(ndtr(-z)), float(ndtr(z)))

    def ranked(self, by: Yardstick) -> ranks.RankTest | None:
        """The same with all numbers that are shown; None where the canary has less than one request."""
        baseline, canary = self._arms
        return ranks.compare_histograms(
            baseline * (max(1.0, self.worth) / baseline.sum()),
            canary,
            by.bounds,
            tolerance=by.tolerance,
            dispersion=self._dispersion(by),
        )

    def _dispersion(self, by: Yardstick) -> float:
        return by.spread.dispersion(self.concentration, self.sampling)

    @property
    def lag(self) -> Counts:
        """(pods,) by how many requests more than half each pod's are slower than the comparison arm's."""
        sizes = np.maximum(self.sizes, 1e-12)
        shares = self.pods.counts / sizes[:, None, None]
        return np.asarray(rank(shares[:, 0], shares[:, 1], (sizes, sizes)).theta - 0.5) * sizes

    def worst(self) -> tuple[int, ...]:
        """Places of the pods that are left out, the one that lags most first; none of a single pod."""
        served = np.flatnonzero(self.sizes > 0)
        left_out = min(len(served) // 2, 2 + len(served) // 10)
        order = np.argsort(-self.lag[served], kind="stable")
        return tuple(served[order[:left_out]].tolist())

    def only(self, places: Sequence[int]) -> Sample:
        """The same of some pods; the comparison arm is worth what it was."""
        kept = sorted(places)
        pods = ByPod(tuple(self.pods.names[place] for place in kept), self.pods.counts[kept])
        requests = float(pods.counts[:, 1].sum())
        part = requests / self.requests
        return replace(self, pods=pods, requests=requests, weighting=self.weighting * part**2)

    def spread_over(self, by: Yardstick, *, level: float = _LEVEL) -> bool:
        """The canary is slower without the worst of its pods too, at this level, or has one pod only."""
        if not (worst := self.worst()):
            return True
        rest = self.only([place for place in range(len(self.pods.names)) if place not in worst])
        enough = min(rest.requests, rest.worth) >= _REST
        return enough and rest.judged(replace(by, tolerance=_PART * by.tolerance)).p_value <= level


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """
    The last five to ten blocks, or more where requests are rare.

    Attributes:
        past: a full chapter.
        now: the blocks since.
    """

    past: Sample = field(default_factory=Sample)
    now: Sample = field(default_factory=Sample)

    def add(self, block: Sample) -> Recent:
        """After one more block."""
        full = self.now.blocks >= _CHAPTER_BLOCKS and self.now.requests >= _CHAPTER_REQUESTS
        past, now = (self.now, Sample()) if full else (self.past, self.now)
        return Recent(past, now + block)

    @property
    def sample(self) -> Sample:
        """Both chapters together."""
        return self.past + self.now
