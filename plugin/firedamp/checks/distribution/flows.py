"""How long flows take, as traces tell it: the whole, the service's part, and what its caller waited."""

from collections.abc import Mapping
from typing import Literal

from firedamp.checks._flow import FlowRoot
from firedamp.checks._run import Grant
from firedamp.checks.distribution.durations import Durations
from firedamp.checks.distribution.run import DistributionRun, begun
from firedamp.queries import Measure, Need, Traced


class FlowDuration(Durations):
    """Time that end-to-end flows take, or the part of it that is the service's or its caller's."""

    kind: Literal["flow-duration"]
    #: Where the flow begins.
    flow: FlowRoot
    #: Of the whole flow, of the service with all it calls, or as its caller waited.
    measure: Literal[Measure.FLOW_SECONDS, Measure.SERVICE_SECONDS, Measure.CALLER_SECONDS]

    def needs(self) -> Mapping[str, Need]:
        """Nothing of metrics."""
        return {}

    def traced(self) -> Traced:
        """The time that each flow took."""
        return Traced(self.measure, self.flow.asked())

    def begin(self, grant: Grant) -> DistributionRun:
        """An empty run."""
        return begun(self, grant)
