"""
The body of a distribution: are requests slower as a whole?

Every request is ranked by its bucket against the comparison arm's, stretched by the tolerance. Two tests
look at it. One takes everything since warm-up, each look at a level that follows from what it knows; the
other the last minutes alone, since a fault that begins late drowns in the health before it. Each look of
the second has a level of its own, and all levels for ever add up to its part of alpha (a union bound),
whatever the looks have to do with each other; chapters end by counts of blocks and requests, never by what
the requests show.

Either proves harm only where it remains without the worst of the canary's pods.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firedamp.checks._buckets import ByPod
from firedamp.checks._run import Grant, Moment
from firedamp.checks._spread import Peers, Spread
from firedamp.checks.distribution.looks import Looks
from firedamp.checks.distribution.sample import LATE_LEVEL, Recent, Sample, Yardstick
from firedamp.stats import late

#: Parts of a check's alpha: slower since warm-up, slower since lately.
LASTING_PART, LATE_PART = 0.35, 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Alarm:
    """
    Last minutes in which the canary was slower than a good release ever gets.

    Attributes:
        sample: of those minutes.
        p_value: of the look, over the part of alpha's share that it may use: at most alpha.
        proven: it is so without the worst of the pods too.
    """

    sample: Sample
    p_value: float
    proven: bool


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """
    The rank tests after some blocks.

    Attributes:
        tolerance: how much slower is no harm, as a share.
        bounds: (buckets,) upper bounds, fixed by the first block that has some.
        peers: comparison arm's pods.
        whole: both arms since warm-up.
        recent: both arms lately.
        spread: how much the comparison arm's pods differ.
        looks: what the looks at the whole may use.
        crossed: the whole once reached its level, at this block or an earlier one.
        lasting: and remained without the worst of the pods.
        alarm: the last one, or the one that proved harm; None without any.
    """

    tolerance: float
    bounds: tuple[float, ...] = ()
    peers: Peers = field(default_factory=Peers)
    whole: Sample = field(default_factory=Sample)
    recent: Recent = field(default_factory=Recent)
    spread: Spread = field(default_factory=Spread)
    looks: Looks = field(default_factory=Looks)
    crossed: bool = False
    lasting: bool = False
    alarm: Alarm | None = None

    def add(
        self, baseline: ByPod, canary: ByPod, bounds: tuple[float, ...], grant: Grant, moment: Moment
    ) -> Body:
        """
        Take one block.

        Args:
            baseline: (pods, buckets) of the comparison arm, some requests.
            canary: likewise.
            bounds: (buckets,) upper bounds; the same in every block.
            grant: what the check may spend.
            moment: the block's.
        """
        peers = self.peers.add(baseline)
        spread = self.spread.learnt(peers, bounds)
        block = Sample.of(baseline, canary)
        whole, recent = self.whole + block, self.recent.add(block)
        by = Yardstick(bounds, self.tolerance, spread)
        looks = self._looks(whole, grant, moment)
        crossed = self.crossed or _reaches(whole, by, grant, looks)
        lasting = self.lasting or (crossed and whole.spread_over(by))
        alarm = self.alarm if self.beginning else _alarm(recent, by, grant, whole.blocks) or self.alarm
        return Body(self.tolerance, bounds, peers, whole, recent, spread, looks, crossed, lasting, alarm)

    def _looks(self, whole: Sample, grant: Grant, moment: Moment) -> Looks:
        if self.crossed or not whole.is_enough:
            return self.looks
        allowed = grant.spent_by(moment, LASTING_PART)
        return self.looks.add(allowed, whole.sampling, whole.concentration)

    @property
    def yardstick(self) -> Yardstick:
        """What samples are judged by."""
        return Yardstick(self.bounds, self.tolerance, self.spread)

    @property
    def beginning(self) -> bool:
        """Harm that began late is proven, and remains without the worst of the pods."""
        return self.alarm is not None and self.alarm.proven

    @property
    def suspected(self) -> Sample | None:
        """What showed harm, be it of one pod; None where nothing did."""
        if self.crossed:
            return self.whole
        return self.alarm.sample if self.alarm else None


def _reaches(whole: Sample, by: Yardstick, grant: Grant, looks: Looks) -> bool:
    """Everything since warm-up is at its level."""
    if not whole.lags:
        return False
    p_value = whole.judged(by).p_value
    # A level is never above what may be spent in all, and takes long to work out.
    return p_value <= LASTING_PART * grant.alpha and p_value <= looks.level(by.spread.tau)


def _alarm(recent: Recent, by: Yardstick, grant: Grant, blocks: int) -> Alarm | None:
    """The last minutes are at their level; blocks were taken since warm-up."""
    sample = recent.sample
    if not sample.lags:
        return None
    p_value = sample.judged(by).p_value / (LATE_PART * late.start_weight(blocks - 1, grant.looks))
    if p_value > grant.alpha:
        return None
    return Alarm(sample, p_value, sample.spread_over(by, level=LATE_LEVEL))
