"""Where a flow begins, as checks write it, and the traces that show what became of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from firedamp import words
from firedamp.checks._base import BaseCheck
from firedamp.model import Finding, Outcome
from firedamp.queries import Need, Operation

#: So many traces are shown.
_MOST = 10
#: Characters of a root's service and operation.
_MOST_SERVICE, _MOST_OPERATION = 253, 300
#: What a failure is: error (the root span's status), HTTP codes and classes of them, gRPC statuses.
Failures = tuple[Annotated[str, Field(min_length=1, max_length=40)], ...]
#: Where people see a trace: https://tempo.example/trace/{trace_id}.
Link = Annotated[str, Field(max_length=500, pattern=r"^https?://[^\s{}]+\{trace_id\}[^\s{}]*$")]


class FlowRoot(BaseModel):
    """A flow's root: the entry service, and what is asked of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str = Field(min_length=1, max_length=_MOST_SERVICE)
    #: Method and route, or the span's name: POST /orders.
    operation: str = Field(min_length=1, max_length=_MOST_OPERATION)

    @classmethod
    def of(cls, service: str, operation: str) -> "FlowRoot | None":
        """A root that was met; None where no flow can be called by it."""
        fits = 0 < len(service) <= _MOST_SERVICE and 0 < len(operation) <= _MOST_OPERATION
        return cls(service=service, operation=operation) if fits else None

    def asked(self) -> Operation:
        """As traces are asked for it."""
        return Operation(self.service, self.operation)


class FlowCheck(BaseCheck):
    """What every check of a flow has."""

    #: Where the flow begins.
    flow: FlowRoot
    #: Where people see a trace.
    link: Link | None = None
    #: The flow begins where a message is read that the service wrote: its traces are linked to the service's.
    linked: bool = False
    #: Failures are all kept, and an unknown part of the rest.
    errors_kept: bool = False

    @property
    def each(self) -> str:
        """One may call the service often."""
        return "flow"

    def needs(self) -> Mapping[str, Need]:
        """Nothing of metrics."""
        return {}

    def where(self, trace_id: str) -> str:
        """A link, where the settings know one."""
        return self.link.format(trace_id=trace_id) if self.link else trace_id


def latest(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """The newest traces first, for backends forget old ones soonest."""
    return (*new, *old)[:_MOST] if new else old


def shown(finding: Finding, traces: tuple[str, ...], check: BaseCheck, mixed: int = 0) -> Finding:
    """The finding with what only traces tell: a failed one with those that show it, the newest in words."""
    told = finding.sentence
    if mixed and finding.set_aside is None:
        told = f"{told}; {words.plural(mixed, 'flow')} met both versions, counted by the first"
    if finding.outcome is not Outcome.FAIL or not traces:
        return replace(finding, sentence=told) if mixed else finding
    return replace(finding, traces=traces, sentence=f"{told}; for example trace {check.where(traces[0])}")
