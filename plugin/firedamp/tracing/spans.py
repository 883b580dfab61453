"""
Spans without any vendor's dialect, and what their attributes mean.

Semantic conventions have changed their names over the years; both are read. A served 404 is no error by
those conventions (servers leave its status unset), so the code is kept beside the status: which codes
are a failure is for the settings to say.

Source: OpenTelemetry semantic conventions 1.44, http-spans.md and rpc/grpc.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

Attributes = Mapping[str, str]

_HTTP_CODES = ("http.response.status_code", "http.status_code")
_RPC_CODES = ("rpc.response.status_code",)  # text, whatever the system; after conventions 1.37
_GRPC_CODES = ("rpc.grpc.status_code",)
_METHODS = ("http.request.method", "http.method")
_QUEUES = ("messaging.destination.name", "messaging.destination")
_TARGETS = ("peer.service", "server.address", "net.peer.name")
_CLUSTERS = ("upstream_cluster", "upstream_cluster.name")
_ALL_TARGETS = (*_CLUSTERS, *_TARGETS)
_ADDRESSES = ("network.peer.address", "net.sock.peer.addr", "net.peer.ip")
#: All that is read of a span's own attributes; sources may drop the rest.
KEPT = frozenset(
    (
        *(*_HTTP_CODES, *_RPC_CODES, *_GRPC_CODES, *_METHODS, *_QUEUES, *_TARGETS, *_CLUSTERS, *_ADDRESSES),
        *("http.route", "rpc.service", "rpc.method"),
    )
)
_GRPC = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
    "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip


class Kind(IntEnum):
    """A span's place between two services, numbered as on the wire."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


@dataclass(frozen=True, slots=True)
class Span:
    """
    One operation of one service.

    Attributes:
        trace_id: 32 hexadecimal digits, lower case.
        span_id, parent_id: 16 likewise; the parent of a root is empty.
        service: `service.name` of its resource.
        start: Unix seconds.
        seconds: how long it took, ≥ 0.
        failed: its status is an error.
        resource: attributes of whoever ran it: pod, version.
        attributes: its own, those in `KEPT` at least.
        links: ids of other traces that it belongs to.
        state: W3C trace state, for the sampling in it.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    kind: Kind
    start: float
    seconds: float
    failed: bool = False
    resource: Attributes = field(default_factory=dict)
    attributes: Attributes = field(default_factory=dict)
    links: tuple[str, ...] = ()
    state: str = ""

    @property
    def enters(self) -> bool:
        """Its service was called here from outside."""
        return self.kind in (Kind.SERVER, Kind.CONSUMER)

    @property
    def code(self) -> str:
        """HTTP status ("404"), name of the gRPC status ("UNIMPLEMENTED") or another RPC's; or empty."""
        if told := _first(self.attributes, _RPC_CODES):
            return told
        if grpc := _first(self.attributes, _GRPC_CODES):
            return _GRPC[int(grpc)] if grpc.isdecimal() and int(grpc) < len(_GRPC) else grpc
        return _first(self.attributes, _HTTP_CODES)

    @property
    def operation(self) -> str:
        """What was asked for: method and route, RPC, queue; else the span's name."""
        own = self.attributes
        method = own.get("rpc.method", "")
        if "/" in method:
            return method  # with its service, after conventions 1.37
        if method and "rpc.service" in own:
            return f"{own['rpc.service']}/{method}"
        if route := own.get("http.route"):
            return f"{_first(own, _METHODS)} {route}".strip()
        return _first(own, _QUEUES) if self.kind is Kind.CONSUMER and _first(own, _QUEUES) else self.name

    @property
    def targets(self) -> tuple[str, ...]:
        """Whom a call is made to, by name: service, host or the mesh's cluster; the most telling first."""
        return tuple([told for name in _ALL_TARGETS if (told := self.attributes.get(name))])

    @property
    def address(self) -> str:
        """The peer's address, usually a pod's; empty where it is not told."""
        return _first(self.attributes, _ADDRESSES)


def _first(attributes: Attributes, names: tuple[str, ...]) -> str:
    for name in names:
        if told := attributes.get(name):
            return told
    return ""
