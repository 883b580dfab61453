"""
One bad pod is not a bad release: is there harm without the worst of the canary's pods?

A pod on a sick node looks like harm to a test of all requests together. Before a release is rolled back
the harm must remain, if less surely, without the worst of its pods: half of a few, a tenth of many. A
canary of a single pod cannot be told from its pod, and its sentence says so.

A sick pod is sick in all it does. Where the other checks know nothing against the worst pods only the very
worst is left out, so that harm in one check is found from almost all of its evidence.

Nothing is pooled over traffic weights here either: each pod is held to the events that the comparison
arm's rate would have given it in the same blocks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy.special import gammainc

from firedamp.checks._buckets import ByPod
from firedamp.model import Row
from firedamp.stats import betabinomial

#: How surely harm must be seen in the other pods.
_LEVEL = 0.02
#: The other checks know a pod from so many expected events on, and hold against it what is so unlikely.
_LEAST_KNOWN, _UNLIKELY = 1.0, 0.05
#: Blocks in a chapter of what is recent.
_CHAPTER = 10


@dataclass(frozen=True, slots=True, eq=False)
class Pods:
    """
    The canary's pods over some blocks.

    Attributes:
        served: (pods, 3) events, requests, and events expected at the comparison arm's rate.
        baseline: (events, requests) of the comparison arm.
        blocks: how many blocks they are of.
    """

    served: ByPod = field(default_factory=ByPod)
    baseline: tuple[float, float] = (0.0, 0.0)
    blocks: int = 0

    @classmethod
    def of(cls, baseline: Row, canary: Mapping[str, Row]) -> "Pods":
        """
        One block.

        Args:
            baseline: (events, requests) of the comparison arm, requests > 0.
            canary: likewise of each pod of the canary.
        """
        rate, names = baseline[0] / baseline[1], tuple(sorted(canary))
        rows = (canary[pod] for pod in names)
        served = [(events, requests, requests * rate) for events, requests, *_ in rows]
        return cls(ByPod(names, np.array(served)), (baseline[0], baseline[1]), 1)

    def __add__(self, other: "Pods") -> "Pods":
        baseline = self.baseline[0] + other.baseline[0], self.baseline[1] + other.baseline[1]
        return Pods(self.served + other.served, baseline, self.blocks + other.blocks)

    def held_to(self, times: float) -> "Pods":
        """The same, so many times the comparison arm's rate being expected."""
        served = ByPod(self.served.names, self.served.counts * (1.0, 1.0, times))
        return Pods(served, (times * self.baseline[0], self.baseline[1]), self.blocks)

    @property
    def rows(self) -> Mapping[str, Row]:
        """Pod -> (events, requests, events expected at the comparison arm's rate)."""
        return dict(zip(self.served.names, map(tuple, self.served.counts.tolist()), strict=True))

    @property
    def canary(self) -> tuple[float, float]:
        """(Events, requests) of the canary."""
        return _summed(list(self.rows.values()))[:2]

    def excess(self, *, fewer: bool) -> float:
        """By how much the canary's rate is worse than the comparison arm's at its own traffic."""
        events, requests, expected = _summed(list(self.rows.values()))
        more = (events - expected) / requests if requests else 0.0
        return -more if fewer else more

    def worst(self, *, fewer: bool, others: Sequence["Pods"] = ()) -> tuple[str, ...]:
        """
        The pods that are left out, worst first; none of a single pod.

        Args:
            fewer: a harmed canary has fewer of these events; else more.
            others: what the same pods did in other checks meanwhile, more events being worse.
        """
        rates = {pod: events / requests for pod, (events, requests, _) in self.rows.items() if requests > 0}
        served = sorted(rates, key=rates.__getitem__, reverse=not fewer)
        suspects = tuple(served[: min(len(served) // 2, 2 + len(served) // 10)])
        beside = [other.rows for other in others]
        return suspects[:1] if all(_sound(pod, beside) for pod in suspects) else suspects

    def spread_over(self, *, fewer: bool, others: Sequence["Pods"] = ()) -> bool:
        """Harm remains without the `worst` of the pods; a single pod is not left out."""
        worst = self.worst(fewer=fewer, others=others)
        if not worst:
            return True
        events, requests, expected = _summed([row for pod, row in self.rows.items() if pod not in worst])
        known = self.baseline[0]
        ratio = expected / known if known else requests / self.baseline[1] if self.baseline[1] else 0.0
        total, share = round(events + known), ratio / (1 + ratio)
        tail = betabinomial.lower_tail if fewer else betabinomial.upper_tail
        return tail(min(round(events), total), total, share) <= _LEVEL


def _sound(pod: str, beside: Sequence[Mapping[str, Row]]) -> bool:
    """The other checks know the pod, and nothing against it; their events are taken to be Poisson."""
    events, _, expected = _summed([rows[pod] for rows in beside if pod in rows])
    return expected >= _LEAST_KNOWN and bool(gammainc(events, expected) >= _UNLIKELY)


def _summed(rows: list[Row]) -> tuple[float, float, float]:
    events, requests, expected = (math.fsum(row[column] for row in rows) for column in range(3))
    return events, requests, expected


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """
    The canary's pods in the last ten to twenty blocks, for a fault that began late.

    Attributes:
        past: a full chapter of blocks.
        now: the blocks since.
    """

    past: Pods = field(default_factory=Pods)
    now: Pods = field(default_factory=Pods)

    def add(self, block: Pods) -> "Recent":
        """After one more block."""
        return Recent(self.now, block) if self.now.blocks >= _CHAPTER else Recent(self.past, self.now + block)

    @property
    def pods(self) -> Pods:
        """Both chapters together."""
        return self.past + self.now


class Witness(Protocol):
    """A check that counts what the canary's pods do; more is worse."""

    @property
    def pods(self) -> Pods:
        """Since warm-up."""
        ...

    @property
    def recent(self) -> Recent:
        """Lately."""
        ...
