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

from scipy.special import gammainc

from firedamp.model import Row
from firedamp.stats import betabinomial

#: How surely harm must be seen in the other pods.
_LEVEL = 0.02
#: The other checks know a pod from so many expected events on, and hold against it what is so unlikely.
_LEAST_KNOWN, _UNLIKELY = 1.0, 0.05
#: Blocks in a chapter of what is recent.
_CHAPTER = 10


@dataclass(frozen=True, slots=True)
class Pods:
    """
    The canary's pods since some block.

    Attributes:
        rows: pod -> (events, requests, events expected at the comparison arm's rate).
        baseline: (events, requests) of the comparison arm.
        blocks: how many blocks they are of.
    """

    rows: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    baseline: tuple[float, float] = (0.0, 0.0)
    blocks: int = 0

    def add(self, baseline: Row, canary: Mapping[str, Row]) -> "Pods":
        """
        After one more block.

        Args:
            baseline: (events, requests) of the comparison arm, requests > 0.
            canary: likewise of each pod of the canary.
        """
        rate = baseline[0] / baseline[1]
        rows = {**self.rows}
        for pod, (events, requests, *_) in canary.items():
            old = rows.get(pod, (0.0, 0.0, 0.0))
            rows[pod] = (old[0] + events, old[1] + requests, old[2] + requests * rate)
        return Pods(rows, (self.baseline[0] + baseline[0], self.baseline[1] + baseline[1]), self.blocks + 1)

    def __add__(self, other: "Pods") -> "Pods":
        rows = {
            pod: (mine[0] + theirs[0], mine[1] + theirs[1], mine[2] + theirs[2])
            for pod in {**self.rows, **other.rows}
            for mine, theirs in [(self.rows.get(pod, _NOTHING), other.rows.get(pod, _NOTHING))]
        }
        baseline = self.baseline[0] + other.baseline[0], self.baseline[1] + other.baseline[1]
        return Pods(rows, baseline, self.blocks + other.blocks)

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
        served = sorted(pod for pod, row in self.rows.items() if row[1] > 0)
        served.sort(key=lambda pod: self.rows[pod][0] / self.rows[pod][1], reverse=not fewer)
        suspects = tuple(served[: min(len(served) // 2, 2 + len(served) // 10)])
        return suspects[:1] if all(_sound(pod, others) for pod in suspects) else suspects

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


_NOTHING = (0.0, 0.0, 0.0)


def _sound(pod: str, others: Sequence[Pods]) -> bool:
    """The other checks know the pod, and nothing against it; their events are taken to be Poisson."""
    events, _, expected = _summed([other.rows[pod] for other in others if pod in other.rows])
    return expected >= _LEAST_KNOWN and bool(gammainc(events, expected) >= _UNLIKELY)


def _summed(rows: list[tuple[float, float, float]]) -> tuple[float, float, float]:
    events, requests, expected = (math.fsum(row[column] for row in rows) for column in range(3))
    return events, requests, expected


@dataclass(frozen=True, slots=True)
class Recent:
    """
    The canary's pods in the last ten to twenty blocks, for a fault that began late.

    Attributes:
        past: a full chapter of blocks.
        now: the blocks since.
    """

    past: Pods = field(default_factory=Pods)
    now: Pods = field(default_factory=Pods)

    def add(self, baseline: Row, canary: Mapping[str, Row]) -> "Recent":
        """After one more block; see `Pods.add`."""
        if self.now.blocks >= _CHAPTER:
            return Recent(self.now, Pods().add(baseline, canary))
        return Recent(self.past, self.now.add(baseline, canary))

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
