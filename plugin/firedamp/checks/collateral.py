"""
Collateral check: do flows fail that never met the canary?

What a canary writes others read: a row in a table, a message, a cache. The flows that break then went through
the old version, or never through the service at all, and no comparison of versions shows it, for both break
alike. So these flows are compared with what they were before the release. Nothing runs beside them that the
release cannot have touched; whatever else happened since would look the same, which is why this check warns
and its sentence says so.

Rows are (failed, all) of the flows that did not meet the canary; see `stats.earlier`.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field

from firedamp import words
from firedamp.checks._base import arm_rows, blank, say, set_aside, totals, warming
from firedamp.checks._flow import Failures, FlowCheck, latest, shown
from firedamp.checks._run import PASS_LEVEL, CountsNothing, Grant, Moment
from firedamp.model import Arm, Finding, Outcome, Slice, Tier
from firedamp.queries import Measure, Traced
from firedamp.stats.earlier import Rise, compare
from firedamp.units import Excess, Tolerance

#: Fewer windows of the time before do not tell how much a rate wanders.
_FEWEST_WINDOWS = 6.0

Counts = tuple[float, float]


class FlowCollateral(FlowCheck):
    """End-to-end flows that did not meet the canary, against themselves before the release."""

    kind: Literal["flow-collateral"]
    # What else happened since would look the same.
    tier: Tier = Tier.WARN
    failure: Failures = ("error",)
    #: Largest rise of the odds that is no harm.
    tolerance: Tolerance = 0.2
    #: Smallest absolute rise that can be harm.
    min_excess: Excess = 0.001
    #: Pass when a rise of the odds to this multiple is excluded.
    pass_ratio: Annotated[float, Field(gt=1, le=100)] = 2.0

    @property
    def compares(self) -> bool:
        """With an earlier time, not with another version."""
        return False

    def traced(self) -> Traced:
        """The outcome of each flow that did not meet the canary."""
        return Traced(Measure.BESIDE, self.flow.asked(), self.failure, linked=self.linked)

    def begin(self, grant: Grant) -> "CollateralRun":
        """An empty run."""
        return CollateralRun(self, grant)


@dataclass(frozen=True, slots=True)
class CollateralRun(CountsNothing):
    """
    A collateral check over one release.

    Attributes:
        since: failed flows and all, since warm-up.
        proven: the same when harm was proven; None while it is not.
        examples: failing traces, the newest first.
        last: the slice taken last.
    """

    check: FlowCollateral
    grant: Grant
    since: Counts = (0.0, 0.0)
    proven: Counts | None = None
    examples: tuple[str, ...] = ()
    last: Slice = field(default_factory=Slice)

    def take(self, piece: Slice, moment: Moment) -> "CollateralRun":
        """Add one block's flows."""
        failed, every = totals(arm_rows(piece, Arm.MAIN), 2)
        if not (moment.warm and every):
            return replace(self, last=piece)
        since = self.since[0] + failed, self.since[1] + every
        run = replace(self, since=since, examples=latest(self.examples, piece.examples), last=piece)
        rise = run._rise(since)
        if self.proven or rise is None or rise.p_value > self.grant.level(moment):
            return run
        return replace(run, proven=since) if run._excess(since) >= self.check.min_excess else run

    def finding(self, moment: Moment) -> Finding:
        """Harm first, then trouble, then its exclusion or what is missing."""
        bare = blank(
            self.check, None, unit="share", tolerance=1 + self.check.tolerance, alpha=self.grant.alpha
        )
        if self.proven is not None and (rise := self._rise(self.proven)) is not None:
            return shown(self._harm(bare, self.proven, rise), self.examples, self.check)
        if (trouble := set_aside(bare, self.last)) is not None:
            return trouble
        if not moment.warm:
            return warming(bare)
        if self.grant.known.phi_weight + 1 < _FEWEST_WINDOWS:
            return say(bare, "nothing tells how these flows did before the release, not judged")
        rise = self._rise(self.since)
        if rise is None:
            return say(bare, "no such flow beside the canary so far")
        return self._open(bare, rise, moment)

    def _rise(self, since: Counts) -> Rise | None:
        known = self.grant.known
        if known.phi_weight + 1 < _FEWEST_WINDOWS:
            return None
        return compare(known, *since, tolerance=self.check.tolerance, margin=self.check.pass_ratio)

    def _harm(self, bare: Finding, since: Counts, rise: Rise) -> Finding:
        said = (
            f"{self._said(since)}: {words.times(rise.ratio)}, by chance {words.chance(rise.p_value)}; "
            "there is nothing at the same time to compare with, so rule out what else has changed"
        )
        return say(self._compared(bare, since, rise), said, Outcome.FAIL)

    def _open(self, bare: Finding, rise: Rise, moment: Moment) -> Finding:
        seen, margin = self._compared(bare, self.since, rise), words.times(self.check.pass_ratio)
        if rise.lower_p <= (moment.pass_level or PASS_LEVEL):
            return say(seen, f"{self._said(self.since)}; {margin} is ruled out", Outcome.PASS)
        return say(seen, f"{self._said(self.since)}; {margin} is neither proven nor ruled out yet")

    def _compared(self, bare: Finding, since: Counts, rise: Rise) -> Finding:
        return replace(
            bare,
            baseline=self._before,
            canary=since[0] / since[1],
            baseline_n=self.grant.known.requests,
            canary_n=since[1],
            effect=rise.ratio,
            p_value=rise.p_value,
        )

    def _said(self, since: Counts) -> str:
        flows, before = words.plural(since[1], "flow"), words.count(self.grant.known.requests)
        return (
            f"{words.percent(since[0] / since[1])} of {flows} that did not meet the canary failed since its "
            f"warm-up, {words.percent(self._before)} of {before} before the release"
        )

    def _excess(self, since: Counts) -> float:
        return since[0] / since[1] - self._before

    @property
    def _before(self) -> float:
        """Rate of failures before the release; something was seen of it wherever there is a rise."""
        return self.grant.known.events / self.grant.known.requests
