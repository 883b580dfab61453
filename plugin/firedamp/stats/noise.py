"""
How noisy a check is, learnt from what its pods did, as sums that add.

History before the release, earlier releases and the blocks of this one all tell of the same two
figures: by how much the errors of a pod and a block clump (`phi`), and by how much pods differ
(`tau`). Each source of evidence is kept as its estimate times its weight, so what was learnt
elsewhere is simply added. The prior for clumps is high and melts with the first few errors: a
service without history is taken to be bursty until its own pods show otherwise.

Clumps are read from a table of pods and blocks, one per arm: what is left once each pod and each
block has its own rate. Neither pods that differ, nor a trouble that everybody shares, nor a fault of
the canary that begins half way raises it. The table is kept as sums, so that taking a block costs
the same after an hour as after a minute.

Source: Pearson's X²/df for clustered counts: McCullagh & Nelder (1989), Generalized Linear Models,
section 4.5; the moment estimate of variance between groups: DerSimonian & Laird (1986), Controlled
Clinical Trials 7, 177-188. *Approximate*: the weights are effective sample sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import mul

import numpy as np
from numpy.typing import NDArray

from firedamp.stats.dispersion import Dispersion

#: Errors are taken to come in clumps of this variance, with the weight of half an error.
_PRIOR_PHI, _PRIOR_PHI_WEIGHT = 5.0, 0.5
#: Clumps are believed so much larger than found: some are far larger than others, and few have been seen.
_CLUMP_ALLOWANCE = 1.1
#: Pods are taken to differ by this coefficient of variation, with the weight of five pods.
_PRIOR_TAU, _PRIOR_TAU_WEIGHT = 0.25, 4.0

#: The rule of three: with no error in n requests the rate is below 3/n (Hanley & Lippman-Hand, 1983).
_FEW_EVENTS = 3.0

#: A pod with so many requests per block was not there before, or is gone, when there are none.
_RARE = 5.0

Floats = NDArray[np.float64]
#: (events, requests) of one pod in one block.
Counts = tuple[float, ...]

_NOBODY: Counts = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Learnt:
    """
    What some evidence tells of a check's noise.

    Attributes:
        phi_sum: estimate of phi times its weight.
        phi_weight: errors' worth of evidence behind it, ≥ 0.
        tau_sum: estimate of tau² times its weight; below 0 where pods differ less than chance would
            have them.
        tau_weight: pods' worth of evidence behind it, ≥ 0.
        events, requests: of the comparison arm, ≥ 0.
    """

    phi_sum: float = 0.0
    phi_weight: float = 0.0
    tau_sum: float = 0.0
    tau_weight: float = 0.0
    events: float = 0.0
    requests: float = 0.0

    def __add__(self, other: Learnt) -> Learnt:
        return Learnt(
            self.phi_sum + other.phi_sum,
            self.phi_weight + other.phi_weight,
            self.tau_sum + other.tau_sum,
            self.tau_weight + other.tau_weight,
            self.events + other.events,
            self.requests + other.requests,
        )

    @property
    def usual_rate(self) -> float | None:
        """The comparison arm's rate, at most (95 % sure for few errors); None where nothing was seen."""
        return (self.events + _FEW_EVENTS) / self.requests if self.requests > 0 else None

    @property
    def dispersion(self) -> Dispersion:
        """The noise to reckon with: what was learnt, shrunk to the priors."""
        clumps = _CLUMP_ALLOWANCE * (self.phi_sum - self.phi_weight) + (_PRIOR_PHI - 1) * _PRIOR_PHI_WEIGHT
        square = (_PRIOR_TAU**2 * _PRIOR_TAU_WEIGHT + self.tau_sum) / (_PRIOR_TAU_WEIGHT + self.tau_weight)
        phi = 1 + max(0.0, clumps / (_PRIOR_PHI_WEIGHT + self.phi_weight))
        return Dispersion(phi, math.sqrt(max(square, 0.0)))


@dataclass(frozen=True, slots=True)
class Excess:
    """
    Squared residuals of a table, and how many there would be without clumps.

    Attributes:
        found, expected: Σ(k - e)², and its expectation for independent errors.
        freedom: degrees of freedom left in the table.
        events: errors in it.
    """

    found: float = 0.0
    expected: float = 0.0
    freedom: float = 0.0
    events: float = 0.0

    def __add__(self, other: Excess) -> Excess:
        return Excess(
            self.found + other.found,
            self.expected + other.expected,
            self.freedom + other.freedom,
            self.events + other.events,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """
    Events by pod and block of one arm, as sums.

    A pod that comes or goes opens a new chapter: within one, every pod might serve in every block.

    Attributes:
        pods: names of this chapter's pods.
        rows: (3, pods) their events, their requests, and Σ k c over their blocks (c: the block's events).
        squares: Σ k² over its cells.
        columns: Σ c² over its blocks.
        length, blocks: its blocks with requests, and those with events.
        weighed, traffic: Σ c n and Σ n² over its blocks (n: the block's requests).
        closed: residuals of earlier chapters.
        before: events and requests per pod of earlier chapters.
    """

    pods: tuple[str, ...] = ()
    rows: Floats = field(default_factory=lambda: np.zeros((3, 0)))
    squares: float = 0.0
    columns: float = 0.0
    length: int = 0
    blocks: int = 0
    weighed: float = 0.0
    traffic: float = 0.0
    closed: Excess = Excess()
    before: Mapping[str, Counts] = field(default_factory=dict)

    def add(self, rows: Mapping[str, Counts]) -> Table:
        """The table after one more block; pods without requests are not there."""
        present = {pod: row for pod, row in rows.items() if row[1] > 0}
        if not present:
            return self
        if tuple(present) == self.pods:
            return self._taken(present)
        came = [pod for pod in present if pod not in self.pods and present[pod][1] >= _RARE]
        if came or any(
            requests >= _RARE * self.length
            for pod, requests in zip(self.pods, self.rows[1], strict=True)
            # Its requests are too many for it to have had none by chance.
            if pod not in present
        ):
            return Table(closed=self.closed + self._excess(), before=self.totals)._joined(present)
        return self._joined(present)

    def _joined(self, present: Mapping[str, Counts]) -> Table:
        """With pods that were not there before, and those that were and are not."""
        new = [pod for pod in present if pod not in self.pods]
        rows = np.pad(self.rows, ((0, 0), (0, len(new)))) if new else self.rows
        grown = replace(self, pods=(*self.pods, *new), rows=rows)
        return grown._taken({pod: present.get(pod, _NOBODY) for pod in grown.pods})

    def _taken(self, rows: Mapping[str, Counts]) -> Table:
        events, requests = zip(*rows.values(), strict=True)
        # Sums that do not depend on the order in which pods come.
        column, whole = math.fsum(events), math.fsum(requests)
        return Table(
            self.pods,
            self.rows + np.array((events, requests, [count * column for count in events])),
            self.squares + (math.fsum(count * count for count in events) if column else 0.0),
            self.columns + column**2,
            self.length + 1,
            self.blocks + (column > 0),
            self.weighed + column * whole,
            self.traffic + whole**2,
            self.closed,
            self.before,
        )

    @property
    def totals(self) -> Mapping[str, Counts]:
        """Events and requests per pod over all chapters."""
        now: dict[str, Counts] = dict(zip(self.pods, zip(*self.rows[:2].tolist(), strict=True), strict=True))
        for pod, (events, requests) in self.before.items():
            added = now.get(pod, _NOBODY)
            now[pod] = events + added[0], requests + added[1]
        return now

    @property
    def events(self) -> float:
        """All events in it."""
        return math.fsum([*self.rows[0].tolist(), *(row[0] for row in self.before.values())])

    @property
    def requests(self) -> float:
        """All requests in it."""
        return math.fsum([*self.rows[1].tolist(), *(row[1] for row in self.before.values())])

    def excess(self, *, alone: bool = False) -> Excess:
        """
        Residuals of all chapters.

        Args:
            alone: a single pod is compared with itself over time, where drifts count as clumps.
        """
        return self.closed + self._excess(alone=alone)

    def _excess(self, *, alone: bool = False) -> Excess:
        if len(self.pods) == 1:
            return self._over_time() if alone else Excess()
        events, _, crossed = self.rows.tolist()
        rows = [count for count in events if count > 0]
        total = math.fsum(rows)
        if len(rows) < 2 or self.blocks < 2:
            return Excess()
        row_squares = math.fsum(row**2 for row in rows)
        both = math.fsum(map(mul, events, crossed))
        found = self.squares - 2 * both / total + row_squares * self.columns / total**2
        expected = (total - row_squares / total) * (total - self.columns / total) / total
        return Excess(max(found, 0.0), expected, (len(rows) - 1) * (self.blocks - 1.0), total)

    def _over_time(self) -> Excess:
        events, requests, _ = self.rows[:, 0].tolist()
        if events <= 0 or self.blocks < 2:
            return Excess()
        rate = events / requests
        found = self.columns - 2 * rate * self.weighed + rate**2 * self.traffic
        expected = events * (1 - self.traffic / requests**2)
        return Excess(max(found, 0.0), expected, self.blocks - 1.0, events)


def learn(baseline: Table, canary: Table, known: Learnt = Learnt()) -> Learnt:
    """
    What the tables of both arms tell, known things left out.

    Args:
        baseline: the comparison arm's, which alone tells how pods differ.
        canary: the canary's; its clumps count, for a fault leaves them as they are.
        known: what other evidence told; it says how much of the pods' difference is clumps.

    Returns:
        To be added to what is known.
    """
    phi_sum, phi_weight = _clumps(baseline.excess(alone=True) + canary.excess())
    phi = (known + Learnt(phi_sum, phi_weight)).dispersion.phi
    between = _between(list(baseline.totals.values()), phi)
    return Learnt(phi_sum, phi_weight, *between, baseline.events, baseline.requests)


def _clumps(excess: Excess) -> tuple[float, float]:
    if excess.expected <= 0:
        return 0.0, 0.0
    raw = excess.found / excess.expected
    weight = min(excess.freedom, excess.events / max(1.0, (raw + 1) / 2))
    return weight * raw, weight


def _between(pods: list[Counts], phi: float) -> tuple[float, float]:
    """Variance between pods beyond chance and clumps, times its weight, and its weight."""
    events, requests = (math.fsum(column) for column in zip(*pods, strict=True)) if pods else (0.0, 0.0)
    if events <= 0 or len(pods) < 2:
        return 0.0, 0.0
    expected = [row[1] * events / requests for row in pods]
    freedom = len(pods) - 1
    pearson = math.fsum((row[0] - mean) ** 2 / mean for row, mean in zip(pods, expected, strict=True))
    spread = events - math.fsum(mean**2 for mean in expected) / events
    square = (pearson - freedom * phi) / spread
    # A pod's rate is known to phi over its errors; pods are worth what that leaves of their difference.
    weight = freedom * (_PRIOR_TAU**2 / (_PRIOR_TAU**2 + phi * freedom / spread)) ** 2
    return weight * square, weight
