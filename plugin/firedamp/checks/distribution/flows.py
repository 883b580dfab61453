"""How long flows take, as traces tell it: the whole, the service's part, and what its caller waited."""

from typing import Literal

from firedamp.checks._flow import FlowCheck
from firedamp.checks._run import Grant
from firedamp.checks.distribution.durations import Durations
from firedamp.checks.distribution.run import DistributionRun, begun
from firedamp.queries import Measure, Traced


class FlowDuration(FlowCheck, Durations):
    """Time that end-to-end flows take, or the part of it that is the service's or its caller's."""

    kind: Literal["flow-duration"]
    #: Of the whole flow, of the service with all it calls, or as its caller waited.
    measure: Literal[Measure.FLOW_SECONDS, Measure.SERVICE_SECONDS, Measure.CALLER_SECONDS]

    def traced(self) -> Traced:
        """The time that each flow took."""
        return Traced(self.measure, self.flow.asked(), thinned=self.errors_kept, linked=self.linked)

    def begin(self, grant: Grant) -> DistributionRun:
        """An empty run."""
        return begun(self, grant)
