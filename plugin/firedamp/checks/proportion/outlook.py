"""What can be said ahead: whether harm is excluded, what is still needed, what would have been seen."""

import math
from dataclasses import dataclass, replace

from firedamp.checks.proportion.comparison import Comparison
from firedamp.stats import noninferiority, power

# How surely a healthy canary should pass after what is said to be missing; with few pods the lesser must do.
_PASS_CHANCES = (0.8, 0.5)


@dataclass(frozen=True, slots=True)
class Outlook:
    """
    A comparison that has proven no harm.

    Attributes:
        found: the comparison.
        ratio: a pass excludes a rise of the odds to this multiple, > 1.
        excess: or one of the rate by this much, in (0, 1).
    """

    found: Comparison
    ratio: float
    excess: float

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
        if not warm.swapped:
            return found
        # The absolute margin takes the reference's rate as known. Here that is the canary's own, known least,
        # and a rare good outcome could vanish within the margin.
        return replace(found, absolute_p=1.0, p_value=found.ratio_p, passed=found.ratio_p <= level)

    def needs(self, level: float) -> int | None:
        """Canary requests still missing; None where no number will do, because its few pods may differ."""
        for chance in _PASS_CHANCES:
            if wanted := self._wanted(level, chance):
                # What is missing of the suspect, the canary brings in the measure of its own traffic.
                seen = self.found.suspect[1]
                return math.ceil(max(0.0, min(wanted) - seen) * self.found.canary[1] / seen)
        return None

    def _wanted(self, level: float, chance: float) -> list[float]:
        """Requests of the suspect with which a healthy canary passes with this chance, by each margin."""
        phi, (_, seen) = self.found.test.null.phi, self.found.suspect
        needed = power.requests_needed(
            self.found.reference_rate,
            baseline_n=self.found.reference[1],
            canary_n=seen,
            margin_ratio=self.ratio,
            margin_absolute=self.excess,
            level=level,
            power=chance,
            dispersion=phi,
        )
        # What pods add to the dispersion grows with the requests, and what is wanted grows with it.
        growth = (self.found.dispersion / phi - 1) / seen
        margins = (needed.ratio,) if self.found.swapped else (needed.ratio, needed.absolute)
        finite = [n for n in margins if n < math.inf and n * growth < 1]
        return [n / (1 - n * growth) for n in finite]

    def detectable(self, alpha: float) -> float:
        """Smallest rise that would have been seen by now with 80 %, of a check with this alpha."""
        warm, null = self.found, self.found.test.null
        # With few events, or none, the rate that the counts still allow stands for the unknown one.
        rate = max(warm.reference_rate, 1 / (warm.reference[1] + warm.suspect[1]))
        return power.detectable_ratio(
            rate,
            baseline_n=warm.reference[1],
            canary_n=warm.suspect[1],
            alpha=alpha,
            dispersion=warm.dispersion,
            tolerance=null.tolerance,
        )
