"""
The tail of a distribution: do more requests take very long?

Requests above the edge nearest the 99th percentile are rare events, and are judged as such: by the
sequential Fisher test since warm-up, and by bets that harm begins with each block anew. What they tolerate
is what the stretch that the body tolerates makes of the tail. Either proves harm only where it remains
without the worst of the canary's pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from firedamp.checks._base import Grant, Moment, totals
from firedamp.checks._buckets import ByPod
from firedamp.checks._noise import Noise, looked
from firedamp.checks._pods import Pods, Recent
from firedamp.model import Row
from firedamp.stats import late, ranks, sequential
from firedamp.stats.null import Shape

#: Parts of a check's alpha: a long tail since warm-up, one since lately.
LASTING_PART, LATE_PART = 0.3, 0.15
# The edge is chosen once, for later blocks, from so many requests of the comparison arm alone.
_EDGE_REQUESTS = 200


@dataclass(frozen=True, slots=True)
class Edge:
    """
    Where the tail begins.

    Attributes:
        index: of the bound.
        tolerance: rise of the odds of exceeding it that is no harm.
    """

    index: int
    tolerance: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """
    Last minutes in which more of the canary's requests were slow than a good release ever has.

    Attributes:
        pods: the canary's in those minutes, and how many blocks they are.
        p_value: of the bets, over their part of alpha: at most alpha.
        proven: it is so without the worst of the pods too.
    """

    pods: Pods
    p_value: float
    proven: bool


@dataclass(frozen=True, slots=True)
class Tail:
    """
    The tests above an edge after some blocks.

    Attributes:
        noise: what is known of the noise of requests above the edge.
        edge: None before enough was seen to choose it.
        test: sequential Fisher test; None before.
        watch: bets on a tail that grows late; None before.
        pods: (slow, all) requests of the canary's pods.
        recent: the same, lately.
        lasting: a longer tail since warm-up is proven, and remained without the worst of the pods.
        alarm: the last time the bets came out, or the time they proved harm; None without any.
    """

    noise: Noise
    edge: Edge | None = None
    test: sequential.SequentialFisher | None = None
    watch: late.Watch | None = None
    pods: Pods = field(default_factory=Pods)
    recent: Recent = field(default_factory=Recent)
    lasting: bool = False
    alarm: Alarm | None = None

    def chosen(self, main: ByPod, bounds: tuple[float, ...], tolerance: float) -> Tail:
        """
        With an edge, where there is none yet and enough was seen to choose one.

        Args:
            main: (pods, buckets) comparison arm's requests so far.
            bounds: (buckets,) upper bounds, rising, the last inf.
            tolerance: how much slower is no harm, as a share.
        """
        if self.edge is not None or main.total < _EDGE_REQUESTS:
            return self
        whole = main.counts.sum(axis=0)
        index = ranks.tail_edge(whole, bounds)
        if index is None:
            return self
        return replace(self, edge=Edge(index, ranks.implied_tail_tolerance(whole, bounds, index, tolerance)))

    def add(self, baseline: ByPod, canary: ByPod, grant: Grant, moment: Moment) -> Tail:
        """
        Take one block; without an edge nothing is counted.

        Args:
            baseline: (pods, buckets) of the comparison arm, some requests.
            canary: likewise.
            grant: what the check may spend.
            moment: the block's.
        """
        if self.edge is None:
            return self
        ours, theirs = baseline.above(self.edge.index), canary.above(self.edge.index)
        arms = totals(ours, 2), totals(theirs, 2)
        tested = replace(self, noise=self.noise.add(ours, theirs))._tested(self.edge, *arms, grant, moment)
        return tested._by_pod(arms[0], theirs, grant)

    def _tested(self, edge: Edge, baseline: Row, canary: Row, grant: Grant, moment: Moment) -> Tail:
        share = canary[1] / (baseline[1] + canary[1])
        before = self.test or sequential.start(self.noise.null(edge.tolerance, self.noise.shape))
        events = baseline[0], canary[0]
        test = looked(self.noise.renewed(before), events, share, grant, moment, part=LASTING_PART)
        null = self.noise.null(0.0, Shape.PRODUCT)
        watch = late.advance(
            self.watch.under(null) if self.watch else late.start(null),
            baseline_events=test.baseline_events - before.baseline_events,
            canary_events=test.canary_events - before.canary_events,
            # What is tolerated belongs to health: the bets are on multiples of it.
            canary_share=share * (1 + edge.tolerance) / (1 + share * edge.tolerance),
            weight=late.start_weight(self.pods.blocks, grant.looks),
        )
        return replace(self, test=test, watch=watch)

    def _by_pod(self, baseline: Row, canary: Mapping[str, Row], grant: Grant) -> Tail:
        pods, recent = self.pods.add(baseline, canary), self.recent.add(baseline, canary)
        grown = replace(self, pods=pods, recent=recent)
        lasting = self.lasting or (grown.crossed and _spread_over(pods))
        return replace(grown, lasting=lasting, alarm=grown._alarmed(grant))

    def _alarmed(self, grant: Grant) -> Alarm | None:
        p_value = self.watch.p_value / LATE_PART if self.watch else 1.0
        if p_value > grant.alpha or (self.alarm is not None and self.alarm.proven):
            return self.alarm
        pods = self.recent.pods
        return Alarm(pods, p_value, _spread_over(pods))

    @property
    def crossed(self) -> bool:
        """A longer tail since warm-up is proven, be it of one pod."""
        return self.test is not None and self.test.crossed

    @property
    def suspected(self) -> Pods | None:
        """The pods in which harm showed, be it of one of them; None where none did."""
        if self.crossed:
            return self.pods
        return self.alarm.pods if self.alarm else None


def _spread_over(pods: Pods) -> bool:
    """Harm remains without the worst of the pods, or there is one pod only."""
    return not pods.worst(fewer=False) or pods.spread_over(fewer=False)
