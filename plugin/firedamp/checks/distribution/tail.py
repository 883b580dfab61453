"""
The tail of a distribution: do more requests take very long?

Requests above the edge nearest the 99th percentile are rare events, and are judged as such: by the
sequential Fisher test since warm-up, and by bets that harm begins with each block anew. What they tolerate
is what the stretch that the body tolerates makes of the tail. Either proves harm only where it remains
without the worst of the canary's pods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import pdtri

from firedamp.checks._base import totals
from firedamp.checks._buckets import ByPod, Counts
from firedamp.checks._noise import Noise, looked
from firedamp.checks._pods import Pods, Recent, Witness
from firedamp.checks._run import Grant, Moment
from firedamp.model import Row
from firedamp.stats import late, sequential, tails
from firedamp.stats.null import Shape

#: Parts of a check's alpha: a long tail since warm-up, one since lately.
LASTING_PART, LATE_PART = 0.4, 0.15
# A tail is one request in a hundred or fewer, and so it must be with this confidence: an edge set too low
# by luck hides a tail of two in a hundred for the whole release.
_SHARE, _CONFIDENCE = 0.01, 0.95
# Where no bound but a far one is sure, a freak request or two may be why: so many more are waited for.
_PATIENCE = 1000
# What is tolerated above the edge is estimated anew when there is so much more evidence.
_GROWTH = 1.25
# Of what is tolerated, so much must be exceeded without the worst of the pods.
_PART = 0.5


@dataclass(frozen=True, slots=True)
class Edge:
    """
    Where the tail begins.

    Attributes:
        index: of the bound; chosen once.
        tolerance: rise of the odds of exceeding it that is no harm.
        requests: of the comparison arm, behind it.
    """

    index: int
    tolerance: float
    requests: float


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

    def placed(self, main: Counts, bounds: tuple[float, ...], tolerance: float) -> Tail:
        """
        With an edge for later blocks, once enough was seen of the comparison arm to choose one.

        Args:
            main: (pods, buckets) comparison arm's requests so far.
            bounds: (buckets,) upper bounds, rising, the last inf.
            tolerance: how much slower is no harm, as a share.
        """
        total = float(main.sum())
        if self.edge is not None and total < _GROWTH * self.edge.requests:
            return self
        whole = main.sum(axis=0)
        index = _edge(whole, bounds) if self.edge is None else self.edge.index
        if index is None:
            return self
        odds = tails.implied_tail_tolerance(whole, bounds, index, tolerance)
        return replace(self, edge=Edge(index, odds, total))

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
        baseline_row, canary_row = totals(ours, 2), totals(theirs, 2)
        noise = self.noise.add(ours, theirs)
        test, watch = self._tested(self.edge, noise, (baseline_row, canary_row), grant, moment)
        block = Pods.of(baseline_row, theirs)
        pods, recent = self.pods + block, self.recent.add(block)
        lasting = self.lasting or (test.crossed and _spread_over(pods, self.edge))
        grown = Tail(noise, self.edge, test, watch, pods, recent, lasting, self.alarm)
        return replace(grown, alarm=alarm) if (alarm := grown._alarmed(self.edge, watch, grant)) else grown

    def heard(self, witnesses: Sequence[Witness]) -> Tail:
        """The same, once all checks have told what they saw of the canary's pods since warm-up."""
        if self.edge is None or self.lasting or not self.crossed:
            return self
        others = [each.pods for each in witnesses if each is not self]
        return replace(self, lasting=_spread_over(self.pods, self.edge, others))

    def _tested(
        self, edge: Edge, noise: Noise, arms: tuple[Row, Row], grant: Grant, moment: Moment
    ) -> tuple[sequential.SequentialFisher, late.Watch]:
        """Both tests with the block's (slow, all) requests of the arms."""
        (slow_b, n_b), (slow_c, n_c) = arms
        share = n_c / (n_b + n_c)
        # Tolerance and pods both belong to the null in full: a canary just as slow as tolerated has a tail to
        # match, and one hurdle of `Shape.MAX` would not keep all of that.
        null = noise.null(edge.tolerance, Shape.PRODUCT)
        before = self.test.under(null) if self.test else sequential.start(null)
        test = looked(before, (slow_b, slow_c), share, grant, moment, part=LASTING_PART)
        equal = replace(null, tolerance=0.0)
        watch = late.advance(
            self.watch.under(equal) if self.watch else late.start(equal),
            baseline_events=test.baseline_events - before.baseline_events,
            canary_events=test.canary_events - before.canary_events,
            # What is tolerated belongs to health: the bets are on multiples of it.
            canary_share=share * (1 + edge.tolerance) / (1 + share * edge.tolerance),
            weight=late.start_weight(self.pods.blocks, grant.looks),
        )
        return test, watch

    def _alarmed(self, edge: Edge, watch: late.Watch, grant: Grant) -> Alarm | None:
        """The bets have come out at this block, and nothing was proven before."""
        p_value = watch.p_value / LATE_PART
        if p_value > grant.alpha or (self.alarm is not None and self.alarm.proven):
            return None
        pods = self.recent.pods
        return Alarm(pods, p_value, _spread_over(pods, edge))

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


def _edge(whole: Counts, bounds: tuple[float, ...]) -> int | None:
    """First finite bound that one request in a hundred exceeds, or fewer, as surely as that must be known."""
    total = float(whole.sum())
    counts = np.arange(int(_SHARE * total) + 1)
    fewer = np.flatnonzero(pdtri(counts, 1 - _CONFIDENCE) <= _SHARE * total)
    if not fewer.size:
        return None
    likely, sure = (tails.tail_edge(whole, bounds, share) for share in (_SHARE, fewer[-1] / total))
    if likely is None or sure is None:
        return None
    return sure if sure <= likely + 1 or total >= _PATIENCE else None


def _spread_over(pods: Pods, edge: Edge, others: Sequence[Pods] = ()) -> bool:
    """More than half of what is tolerated remains without the worst of the pods, or there is one pod only."""
    return pods.held_to(1 + _PART * edge.tolerance).spread_over(fewer=False, others=others)
