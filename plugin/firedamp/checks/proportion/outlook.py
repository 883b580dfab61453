"""What can be said ahead: whether harm is excluded, what is still needed, what would have been seen."""

import math
from dataclasses import dataclass, replace

from firedamp.checks._run import Grant, Moment
from firedamp.checks.proportion.comparison import Comparison
from firedamp.stats import noninferiority, power, sample_size


@dataclass(frozen=True, slots=True)
class Outlook:
    """
    A comparison that has proven no harm.

    Attributes:
        found: the comparison.
        ratio: a pass excludes a rise of the odds to this multiple, > 1.
        excess: or one of the rate by this much, in (0, 1).
        odds_only: there are no rates, and no pass by them.
    """

    found: Comparison
    ratio: float
    excess: float
    odds_only: bool = False

    def safety(self, level: float) -> noninferiority.NonInferiority:
        """Whether harm beyond a margin is excluded, at this level in (0, 1)."""
        warm, null = self.found, self.found.test.null
        found = noninferiority.proportion_pass(
            *warm.reference,
            *warm.suspect,
            margin_ratio=self.ratio,
            margin_absolute=self.excess,
            level=level,
            dispersion=null.phi,
            pods=(null.baseline_cv, null.canary_cv),
            expected_share=warm.expected_share,
            baseline_rate=warm.reference_rate,
        )
        if not (warm.swapped or self.odds_only):
            return found
        # The absolute margin takes the reference's rate as known. Here that is the canary's own, known least,
        # and a rare good outcome could vanish within the margin.
        return replace(found, absolute_p=1.0, p_value=found.ratio_p, passed=found.ratio_p <= level)

    def needs(self, level: float) -> int | None:
        """Canary requests that one like the other version usually lacks; None where no number will do."""
        seen, needed = self.found.suspect[1], self._needed(level)
        ratio_only = self.found.swapped or self.odds_only
        wanted = needed.ratio if ratio_only else min(needed.ratio, needed.absolute)
        # What is missing of the suspect, the canary brings in the measure of its own traffic.
        missing = max(0.0, wanted - seen) * self.found.canary[1] / seen
        return math.ceil(missing) if missing < math.inf else None

    def _needed(self, level: float) -> sample_size.RequestsNeeded:
        """Requests of the suspect, by each margin, were both arms alike from now on."""
        warm, null = self.found, self.found.test.null
        split, (events, n) = self._split, warm.suspect
        weight = 1 / (1 + split)
        return sample_size.requests_needed(
            weight * warm.reference_rate + (1 - weight) * warm.suspect_rate,
            split,
            # Where the traffic's weight moved, as many requests as make the reference's events its rate.
            sample_size.Seen(warm.reference[0], n / split, events, n),
            margin_ratio=self.ratio,
            margin_absolute=self.excess,
            level=level,
            dispersion=null.phi,
            pods=(null.baseline_cv, null.canary_cv),
        )

    @property
    def _split(self) -> float:
        """Requests of the suspect for each of the reference."""
        share = self.found.expected_share
        return share / (1 - share) if share else self.found.suspect[1] / self.found.reference[1]

    def detectable(self, grant: Grant, moment: Moment) -> float:
        """Smallest rise (or, of a good outcome, fall) that would have been seen by now with 80 %."""
        warm, null = self.found, self.found.test.null
        trial = power.Trial(null, grant.budgets(moment, null, warm.part), warm.pods.blocks)
        # With few events, or none, the rate that the counts still allow stands for the unknown one.
        rate = max(warm.reference_rate, 1 / (warm.reference[1] + warm.suspect[1]))
        (_, baseline_n), (_, canary_n) = warm.baseline, warm.canary
        detectable = power.detectable_fall if warm.swapped else power.detectable_ratio
        return detectable(rate, trial, baseline_n=baseline_n, canary_n=canary_n)
