"""
How noisy a check's counts are, learnt block by block: what was known before, and this release's pods.

The null of every look reckons with what the pods showed by then. Learning costs more than counting, so it
is done when there are a tenth more events than the last time: at every event of a quiet service, seldom
in a busy one. A clump that begins near the end of a block goes on in the next, so clumps are looked for in
pairs of blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from firedamp.checks._run import Grant, Moment
from firedamp.stats import dispersion, sequential
from firedamp.stats.dispersion import Dispersion
from firedamp.stats.noise import Counts, Learnt, Table, learn
from firedamp.stats.null import Null, Shape

Pods = Mapping[str, Counts]

_GROWTH = 1.1
#: Pods' worth of evidence from which on their difference counts as known.
_KNOWN_PODS = 6.0


@dataclass(frozen=True, slots=True)
class Noise:
    """
    What is known of the noise of the outcome that is compared.

    Attributes:
        known: what history and earlier releases told.
        baseline, canary: this release's pods and blocks, two blocks a cell.
        waiting: the first block of a cell, pods of both arms; None between cells.
        run: what those tell.
        behind: events when they were asked last.
        dispersion: the noise to reckon with, known and learnt.
        spreads: coefficients of variation that pods make of the rates of both arms.
        thinned: what each good outcome stands for (`queries.THINNED`) where an unknown part was kept; else 1.
    """

    known: Learnt
    baseline: Table = field(default_factory=Table)
    canary: Table = field(default_factory=Table)
    waiting: tuple[Pods, Pods] | None = None
    run: Learnt = field(default_factory=Learnt)
    behind: float = -1.0
    dispersion: Dispersion = field(default_factory=lambda: Learnt().dispersion)
    spreads: tuple[float, float] = (0.0, 0.0)
    thinned: float = 1.0

    def add(self, baseline: Pods, canary: Pods) -> "Noise":
        """
        The noise after one more block.

        Args:
            baseline: (events, requests) of each pod of the comparison arm.
            canary: likewise.
        """
        if self.waiting is not None:
            first, second = self.waiting
            return self._taken(_joined(first, baseline), _joined(second, canary))
        # The very first block is a cell of its own: it tells which pods there are.
        if self.baseline.pods:
            return self._with(self.baseline, self.canary, (baseline, canary))
        return self._taken(baseline, canary)

    def _taken(self, baseline: Pods, canary: Pods) -> "Noise":
        tables = self.baseline.add(baseline), self.canary.add(canary)
        events = tables[0].events + tables[1].events
        if events <= self.behind * _GROWTH:
            return self._with(*tables, None)
        run = learn(*tables, self.known)
        found = (self.known + run).dispersion
        spreads = _spread(tables[0], found.tau), _spread(tables[1], found.tau)
        return Noise(self.known, *tables, None, run, events, found, spreads, self.thinned)

    def _with(self, baseline: Table, canary: Table, waiting: tuple[Pods, Pods] | None) -> "Noise":
        """Of more blocks, with nothing new learnt."""
        learnt = self.run, self.behind, self.dispersion, self.spreads, self.thinned
        return Noise(self.known, baseline, canary, waiting, *learnt)

    @property
    def told(self) -> Learnt:
        """What this release's own pods and blocks tell, up to the last one."""
        return replace(self.run, events=self.baseline.events, requests=self.baseline.requests)

    @property
    def shape(self) -> Shape:
        """The sharper null, where enough pods tell how much they differ."""
        pods = len(self.baseline.totals) - 1 + self.known.tau_weight
        return Shape.MAX if pods >= _KNOWN_PODS else Shape.PRODUCT

    def renewed(
        self, test: sequential.SequentialFisher, *, swapped: bool = False
    ) -> sequential.SequentialFisher:
        """A test that reckons with what is known by now."""
        return test.under(self.null(test.null.tolerance, test.null.shape, swapped=swapped))

    def null(self, tolerance: float, shape: Shape, *, swapped: bool = False) -> Null:
        """
        What a good release may look like.

        Args:
            tolerance: largest rise of the suspect's odds that is no harm.
            shape: how it goes together with the pods.
            swapped: the comparison arm is the suspect.
        """
        reference, suspect = reversed(self.spreads) if swapped else self.spreads
        return _null(tolerance, self._phi, reference, suspect, shape)

    @property
    def _phi(self) -> float:
        """
        Dispersion of the events, and of the few good outcomes from which the share of the traffic is told.

        Where as many of those were kept as there are events, a block's share is as uncertain as its split.
        """
        if self.thinned == 1:
            return self.dispersion.phi
        events = self.baseline.events + self.canary.events
        good = (self.baseline.requests + self.canary.requests - events) / self.thinned
        return self.dispersion.phi * (1 + events / max(good, 1.0))


@lru_cache(maxsize=1024)  # each block asks anew, though little is learnt
def _null(tolerance: float, phi: float, reference: float, suspect: float, shape: Shape) -> Null:
    return Null(tolerance, phi, reference, suspect, shape)


def _spread(table: Table, tau: float) -> float:
    return dispersion.arm_spread(tau, sorted(row[1] for row in table.totals.values()))


def looked(
    test: sequential.SequentialFisher,
    events: tuple[float, float],
    suspect_share: float,
    grant: Grant,
    moment: Moment,
    *,
    part: float,
) -> sequential.SequentialFisher:
    """
    A sequential Fisher test after one more block.

    Args:
        test: the test so far.
        events: new events of the reference and of the suspect.
        suspect_share: the suspect's share of the block's requests, in (0, 1).
        grant: what the check may spend.
        moment: the block's.
        part: share of the grant that this test may use, in (0, 1].
    """
    # Rounding with a remainder adds less than one event per arm; beyond the exact regime a level is a must.
    crowded = test.events + sum(events) >= sequential.EXACT_EVENTS - 1
    levels = (grant.level(moment, part * each) if crowded else None for each in test.null.multiples)
    return sequential.advance(
        test,
        baseline_events=events[0],
        canary_events=events[1],
        canary_share=suspect_share,
        allowances=tuple(map(sequential.Allowance, grant.budgets(moment, test.null, part), levels)),
    )


def _joined(first: Pods, second: Pods) -> Pods:
    nothing = (0.0, 0.0)
    if first.keys() == second.keys():
        return {pod: (row[0] + second[pod][0], row[1] + second[pod][1]) for pod, row in first.items()}
    pairs = {pod: (first.get(pod, nothing), second.get(pod, nothing)) for pod in {**first, **second}}
    return {pod: (one[0] + two[0], one[1] + two[1]) for pod, (one, two) in pairs.items()}
