"""
A trace, joined: what became of a request at its root, and where it met the service under release.

It belongs to the cohort of its *first* visit. "Touched the canary" would not do: of traces with many calls
more touch it, and those are the slow and error-prone ones, so a healthy canary would look sick.

Traces come by the ten thousand and hold no cycles, so the garbage collector does not see them (`gc=False`):
to walk through them takes it a fifth of a second, in which nothing else runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from firedamp.queries import Operation
from firedamp.tracing.spans import Attributes

_NAMESPACE = "k8s.namespace.name"


class Root(msgspec.Struct, frozen=True, gc=False):
    """
    The span a flow is known by.

    Attributes:
        service, operation: the flow's name: method and route, or the span's name.
        name: the span's name, where the operation is another.
        seconds: of the whole.
        failed: its status is an error.
        code: HTTP status, or name of the gRPC status; may be empty.
    """

    service: str
    operation: str
    name: str
    seconds: float
    failed: bool
    code: str

    def is_of(self, flow: Operation) -> bool:
        """Gateways differ in whether they name a span by its route."""
        return self.service == flow.service and flow.operation in (self.operation, self.name)


class Visit(msgspec.Struct, frozen=True, gc=False):
    """
    The service under release was entered.

    Attributes:
        start: Unix seconds.
        seconds: until it answered.
        operation: what was asked for.
        resource: attributes of the pod that answered.
        failed, code: as of a root.
    """

    start: float
    seconds: float
    operation: str
    resource: Attributes
    failed: bool
    code: str


class Call(msgspec.Struct, frozen=True, gc=False):
    """
    Somebody called the service under release.

    Attributes:
        start, seconds: as the caller saw it.
        answered: a visit came of it.
        targets: whom it called, by name.
        address: the peer's, usually a pod's; may be empty.
        failed, code: as of a root.
    """

    start: float
    seconds: float
    answered: bool
    targets: tuple[str, ...]
    address: str
    failed: bool
    code: str


class Trace(msgspec.Struct, frozen=True, gc=False):
    """
    What is judged of one trace.

    Attributes:
        trace_id: 32 hexadecimal digits, lower case.
        start: of its first span that is known, Unix seconds.
        root: None where it has not arrived.
        visits: of the service under release, in the order in which they were asked for.
        calls: to it, by start.
        failed_below: a span failed somewhere below the first visit.
        links: ids of other traces that it belongs to.
        probability: with which it was sampled, in (0, 1]; None where nobody told.
        is_elsewhere: it met a service of the same name, but only in other namespaces.
    """

    trace_id: str
    start: float
    root: Root | None = None
    visits: tuple[Visit, ...] = ()
    calls: tuple[Call, ...] = ()
    failed_below: bool = False
    links: tuple[str, ...] = ()
    probability: float | None = None
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """
    Whose traces are wanted.

    Attributes:
        services: names under which the service under release reports.
        roots: of the flows; empty for all traces through the service.
        namespace: where its pods are; spans that tell another are of somebody else's service. Empty for any.
    """

    services: tuple[str, ...]
    roots: tuple[Operation, ...] = ()
    namespace: str = ""

    def has_entered(self, service: str, resource: Attributes) -> bool:
        """Whether a pod is of the service under release, by the names that its spans tell."""
        told = resource.get(_NAMESPACE) if self.namespace else None
        return service in self.services and (not told or told == self.namespace)


@dataclass(frozen=True, slots=True)
class Traces:
    """
    What a source told.

    Attributes:
        found: every trace sought that began in the time asked for, each once.
        doubt: why it may not be all of them; empty where it is.
        bytes_read: what was read for it.
    """

    found: Sequence[Trace]
    doubt: str = ""
    bytes_read: int = 0
