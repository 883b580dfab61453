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
from typing import Protocol

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


#: Of spans by which a service was called from outside, and of those that call one.
ENTERING = frozenset((Kind.SERVER, Kind.CONSUMER))
CALLING = frozenset((Kind.CLIENT, Kind.PRODUCER))


class AnySpan(Protocol):
    """What a span is known by, however it is held; `Span` says what each is."""

    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def parent_id(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> int: ...
    @property
    def start(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def failed(self) -> bool: ...
    @property
    def resource(self) -> Attributes: ...
    @property
    def attributes(self) -> Attributes: ...
    @property
    def links(self) -> tuple[str, ...]: ...
    @property
    def state(self) -> str: ...
    @property
    def enters(self) -> bool: ...
    @property
    def code(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def address(self) -> str: ...


class Telling:
    """What a span's attributes mean."""

    __slots__ = ()

    @property
    def enters(self: AnySpan) -> bool:
        """Its service was called here from outside."""
        return self.kind in ENTERING

    @property
    def code(self: AnySpan) -> str:
        """HTTP status ("404"), name of the gRPC status ("UNIMPLEMENTED") or another RPC's; or empty."""
        own = self.attributes
        if told := _first(own, _RPC_CODES):
            return told
        if grpc := _first(own, _GRPC_CODES):
            return _GRPC[int(grpc)] if grpc.isdecimal() and int(grpc) < len(_GRPC) else grpc
        return _first(own, _HTTP_CODES)

    @property
    def operation(self: AnySpan) -> str:
        """What was asked for: method and route, RPC, queue; else the span's name."""
        own = self.attributes
        method = own.get("rpc.method", "")
        if "/" in method:
            return method  # with its service, after conventions 1.37
        if method and "rpc.service" in own:
            return f"{own['rpc.service']}/{method}"
        if route := own.get("http.route"):
            return f"{_first(own, _METHODS)} {route}".strip()
        return _first(own, _QUEUES) if self.kind == Kind.CONSUMER and _first(own, _QUEUES) else self.name

    @property
    def targets(self: AnySpan) -> tuple[str, ...]:
        """Whom a call is made to, by name: service, host or the mesh's cluster; the most telling first."""
        own = self.attributes
        return tuple([told for name in _ALL_TARGETS if (told := own.get(name))])

    @property
    def address(self: AnySpan) -> str:
        """The peer's address, usually a pod's; empty where it is not told."""
        return _first(self.attributes, _ADDRESSES)


@dataclass(frozen=True, slots=True)
class Span(Telling):
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


def _first(attributes: Attributes, names: tuple[str, ...]) -> str:
    for name in names:
        if told := attributes.get(name):
            return told
    return ""
