"""
Two arms of a proportion check, block by block.

Counts tell most where they are rare, so the rarer of the two outcomes is compared: errors where most
requests succeed, conversions where most do not. The arm feared to have more of it is the suspect, the
other the reference: for errors that is the canary against the comparison arm, for conversions the
comparison arm against the canary, since a bad canary leaves most of them to it.
"""

from dataclasses import dataclass, replace

from firedamp.checks._base import Grant, Moment, looked
from firedamp.model import Finding, Row
from firedamp.stats import dispersion, fisher, sequential


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    The sequential test, with the sums that a pass and a sentence need beside it.

    Attributes:
        test: sequential Fisher test of the blocks in which both arms had requests.
        swapped: the rarer outcome is the good one: the canary is the reference.
        reference, suspect: (events, requests) of those blocks.
        standardised: events of the reference, expected at the suspect's own traffic: Σ n_s k_r / n_r.
        expected: Σ K π: events the suspect would have had at equal rates.
    """

    test: sequential.SequentialFisher
    swapped: bool = False
    reference: Row = (0.0, 0.0)
    suspect: Row = (0.0, 0.0)
    standardised: float = 0.0
    expected: float = 0.0

    def add(self, baseline: Row, canary: Row, grant: Grant, moment: Moment, *, part: float) -> "Comparison":
        """
        Take one block.

        Args:
            baseline: (bad events, requests) of the comparison arm, requests > 0.
            canary: likewise.
            grant: what the check may spend.
            moment: the block's.
            part: share of the grant that this test may use, in (0, 1].
        """
        reference, suspect = (_good(canary), _good(baseline)) if self.swapped else (baseline, canary)
        share = suspect[1] / (reference[1] + suspect[1])
        return replace(
            self,
            test=looked(self.test, (reference[0], suspect[0]), share, grant, moment, part=part),
            reference=(self.reference[0] + reference[0], self.reference[1] + reference[1]),
            suspect=(self.suspect[0] + suspect[0], self.suspect[1] + suspect[1]),
            standardised=self.standardised + suspect[1] * reference[0] / reference[1],
            expected=self.expected + (reference[0] + suspect[0]) * share,
        )

    @property
    def baseline(self) -> Row:
        """(Events, requests) of the comparison arm."""
        return self.suspect if self.swapped else self.reference

    @property
    def canary(self) -> Row:
        """(Events, requests) of the canary."""
        return self.reference if self.swapped else self.suspect

    @property
    def reference_rate(self) -> float:
        """The reference's rate at the suspect's own traffic, in [0, 1]."""
        return self.standardised / self.suspect[1]

    @property
    def suspect_rate(self) -> float:
        """In [0, 1]."""
        return self.suspect[0] / self.suspect[1]

    @property
    def rates(self) -> tuple[float, float]:
        """Rates of the comparison arm and the canary, at the same traffic."""
        rates = self.reference_rate, self.suspect_rate
        return (rates[1], rates[0]) if self.swapped else rates

    @property
    def expected_share(self) -> float | None:
        """The suspect's share of the traffic, weighted by events; None without events."""
        events = self.reference[0] + self.suspect[0]
        return self.expected / events if events else None

    @property
    def dispersion(self) -> float:
        """Variance of the suspect's count relative to independent events: clumps, and pods that differ."""
        share, null = self.expected_share or 0.0, self.test.null
        return null.phi + (self.reference[0] + self.suspect[0]) * share * (1 - share) * null.s0**2


def begin(
    tolerance: float, baseline_pods: list[float], canary_pods: list[float], *, swapped: bool
) -> Comparison:
    """
    Nothing compared yet.

    Args:
        tolerance: largest rise of the suspect's odds that is no harm.
        baseline_pods: (pods,) requests of each pod of the comparison arm so far.
        canary_pods: (pods,) likewise.
        swapped: the rarer outcome is the good one.
    """
    prior = dispersion.Dispersion()
    spread = dispersion.pod_spread(prior.tau, baseline_pods, canary_pods)
    return Comparison(
        sequential.start(sequential.Null(tolerance=tolerance, phi=prior.phi, s0=spread)), swapped
    )


def _good(row: Row) -> Row:
    return (row[1] - row[0], row[1])


def shown(bare: Finding, found: Comparison) -> Finding:
    """The numbers of a comparison, the canary's over the baseline's."""
    one_look = fisher.fisher_exact(*found.reference, *found.suspect)
    effect, (low, high) = one_look.odds_ratio, one_look.interval
    tolerance = bare.tolerance or 1.0
    if found.swapped:
        effect, low, high, tolerance = 1 / effect, 1 / high, 1 / low, 1 / tolerance
    baseline_rate, canary_rate = found.rates
    return replace(
        bare,
        baseline=baseline_rate,
        canary=canary_rate,
        baseline_n=found.baseline[1],
        canary_n=found.canary[1],
        effect=effect,
        interval=(low, high),
        tolerance=tolerance,
        one_look_p=one_look.p_value,
        p_value=found.test.p_value,
    )
