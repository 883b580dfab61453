"""Failed flows out of all that reached the service, as traces tell them."""

from typing import Literal

from firedamp.checks._flow import Failures, FlowCheck
from firedamp.checks._noise import Noise
from firedamp.checks._run import Grant
from firedamp.checks.proportion.rates import Rates
from firedamp.checks.proportion.run import ProportionRun
from firedamp.queries import THINNED, Measure, Traced
from firedamp.units import Tolerance


class FlowFailures(FlowCheck, Rates):
    """End-to-end flows that fail at their root, or anywhere beneath the service."""

    kind: Literal["flow-failures"]
    failure: Failures = ("error",)
    #: Whether anything that fails beneath the service counts, though the root may not show it.
    below: bool = False
    tolerance: Tolerance = 0.2

    def traced(self) -> Traced:
        """The outcome of each flow."""
        measure = Measure.BELOW if self.below else Measure.OUTCOME
        return Traced(measure, self.flow.asked(), self.failure, self.errors_kept, self.linked)

    @property
    def odds_only(self) -> bool:
        """Of the flows that went well an unknown part was kept."""
        return self.errors_kept

    def counted(self, *, swapped: bool) -> str:
        """Flows, not requests: one may call the service often."""
        failed = "downstream failure" if self.below else "failed flow"
        return "good flow" if swapped else failed

    def begin(self, grant: Grant) -> ProportionRun:
        """An empty run."""
        thinned = THINNED if self.errors_kept else 1.0
        return ProportionRun(self, grant, Noise(grant.known, thinned=thinned))
