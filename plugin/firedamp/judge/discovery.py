"""
Flows that nobody named: those whose traces met the service most often before a release.

They are looked for once, when a release begins, and become checks of that release like any others: its
settings name them, and a replay judges by the same. Where the backend does not answer there are none, and the
check of what is asked of the service says what is wrong with it.
"""

from collections.abc import Mapping

import structlog

from firedamp.decision.flows import busiest
from firedamp.decision.parameters import Parameters
from firedamp.errors import SourceError
from firedamp.ports import TraceSource
from firedamp.telemetry import Work, working
from firedamp.tracing import Sought

_LOG = structlog.get_logger()
#: Traces of so long tell which flows there are.
_LOOK_BACK_SECONDS = 600.0


class Discovery:
    """Looks for flows in sources of traces, for so many seconds at most."""

    def __init__(self, tracers: Mapping[str, TraceSource], *, seconds: float) -> None:
        self._tracers = tracers
        self._seconds = seconds

    async def completed(
        self, parameters: Parameters, tracer: str, namespace: str, service: str, now: float
    ) -> Parameters:
        """
        The parameters with the checks of each flow that was found, where any are looked for.

        Args:
            parameters: of the service.
            tracer: name of its source of traces.
            namespace: where it is.
            service: its name.
            now: Unix time at which the release begins.
        """
        tracing, source = parameters.traces, self._tracers.get(tracer)
        if tracing is None or not tracing.discover or source is None:
            return parameters
        end = now - tracing.settle
        sought = Sought(tracing.reported(service), namespace=namespace)
        try:
            with working(Work.FLOWS):
                found = await source.traces(sought, end - _LOOK_BACK_SECONDS, end, self._seconds)
        except SourceError as error:
            _LOG.warning("flows_unknown", service=service, error=str(error))
            return parameters
        flows = [check for flow in busiest(found.found, tracing.discover) for check in flow.checks(tracing)]
        taken = {check.name for check in parameters.checks}
        checks = (*parameters.checks, *(check for check in flows if check.name not in taken))
        return parameters.model_copy(update={"checks": checks})
