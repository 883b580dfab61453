"""
End-to-end flows as people name them, and the checks that follow from each.

A flow is judged like any metric: whether it fails, whether something fails beneath the service that its root
does not show, and how long it takes: the whole, the service's part, and what its caller waited. Its part of
alpha is split among those.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from firedamp.checks import Check, FlowDuration, FlowFailures, Link, Operations
from firedamp.decision.parameters import Sampled, Tracing
from firedamp.model import Tier
from firedamp.queries import Measure
from firedamp.units import Tolerance

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]{0,43}[a-z0-9])?$")]
#: Half for failures, half for time.
_FAILURES, _SECONDS = 1 / 4, 1 / 6
_DURATIONS = {
    "latency": Measure.FLOW_SECONDS,
    "service-latency": Measure.SERVICE_SECONDS,
    "caller-latency": Measure.CALLER_SECONDS,
}
#: What a polite answer hides: an endpoint that is gone.
FAILURES = ("error", "5xx", "404", "405", "410", "501", "UNIMPLEMENTED")
Failure = Annotated[str, StringConstraints(pattern=r"^(error|[1-5]xx|[1-5][0-9]{2}|[A-Z][A-Z_]{1,30})$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Root(_Section):
    """Where a flow begins: at the entry service, and as what."""

    service: str = Field(min_length=1, max_length=253)
    #: Method and route, or the span's name: POST /orders.
    operation: str = Field(min_length=1, max_length=300)


class Flow(_Section):
    """One end-to-end operation that passes through the service."""

    name: Name
    root: Root
    tier: Tier = Tier.CRITICAL
    #: Its part of the release's alpha, relative to the other checks of its tier.
    weight: float = Field(default=1.0, gt=0, le=100)
    #: What a failure is: error (the root span's status), HTTP codes and classes of them, gRPC statuses.
    failure: tuple[Failure, ...] = FAILURES
    #: Largest rise of the odds of a failure, and of the time taken, that is no harm.
    tolerance: Tolerance = 0.2

    def checks(self, link: str | None, sampling: Sampled | None) -> Iterator[Check]:
        """What is judged of it."""
        common = {
            "tier": self.tier,
            "tolerance": self.tolerance,
            "flow": self.root.model_dump(),
            "link": link,
            "errors_kept": sampling is Sampled.ERRORS_KEPT,
        }
        for name, below in (("availability", False), ("below", True)):
            yield FlowFailures(
                name=f"{self.name}.{name}",
                kind="flow-failures",
                weight=self.weight * _FAILURES,
                failure=self.failure,
                below=below,
                **common,
            )
        for name, measure in _DURATIONS.items():
            yield FlowDuration(
                name=f"{self.name}.{name}",
                kind="flow-duration",
                weight=self.weight * _SECONDS,
                measure=measure,
                **common,
            )


class Traces(Tracing):
    """Where a service's traces are, and which flows are judged."""

    #: Name of the source of traces; the first one where it is not given.
    source: str | None = None
    flows: tuple[Flow, ...] = ()
    #: Where people see a trace: https://tempo.example/trace/{trace_id}.
    link: Link | None = None

    def checks(self) -> tuple[Check, ...]:
        """Those of each flow, and what is asked of the service by any."""
        flows = [check for flow in self.flows for check in flow.checks(self.link, self.sampling)]
        return (*flows, Operations(name="operations", kind="operations"))

    def reading(self) -> Tracing:
        """What decides a release, without where it is found."""
        return Tracing(**{name: getattr(self, name) for name in Tracing.model_fields})

    @model_validator(mode="after")
    def _distinct(self) -> "Traces":
        names = [flow.name for flow in self.flows]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"flow {min(twice)!r} is there twice; give each flow its own name")
        return self
