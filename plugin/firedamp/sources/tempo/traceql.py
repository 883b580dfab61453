"""
What a Tempo is asked, in TraceQL.

A search asks for spans of one kind by conditions that all must hold, which is what Tempo's columns are made
for. It answers with one set of spans a trace, and of a trace that is stored in pieces with the largest
piece's alone; grouped by their own ids, spans are sets of their own, and all come.

Names are other people's: each stands in quotes, where backslash, quote and line breaks are escaped as in Go.

Source: Tempo 2.8, pkg/traceql/lexer.go (strings), combine.go:80 (pieces), expr.y (grammar).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from firedamp.queries import Operation, literal
from firedamp.tracing import KEPT

#: Attributes of resources that tell pods and cohorts apart.
RESOURCE = (
    "service.name",
    "service.version",
    "service.instance.id",
    "host.name",
    "container.image.tag",
    "istio.canonical_revision",
    "k8s.namespace.name",
    "k8s.deployment.name",
    "k8s.replicaset.name",
    "k8s.pod.name",
    "k8s.pod.ip",
    "k8s.pod.label.pod-template-hash",
    "k8s.pod.labels.pod-template-hash",
    "k8s.pod.label.rollouts-pod-template-hash",
    "k8s.pod.labels.rollouts-pod-template-hash",
)
_OWN = ("name", "kind", "status", "span:parentID", *(f"span.{name}" for name in sorted(KEPT)))
#: Names under which releases of a service are called.
_RELEASES = ("", "-canary", "-primary", "-stable")
#: So many names of one service's roots are searched for one by one.
_MOST_NAMES = 10


class Role(IntEnum):
    """What a span is looked for as; of one found twice, the later role tells more."""

    FAILURE = 0
    CALL = 1
    ROOT = 2
    ENTRY = 3


@dataclass(frozen=True, slots=True)
class Search:
    """Spans of one role, by a whole TraceQL query."""

    role: Role
    query: str


def quoted(text: str) -> str:
    """Write text as a TraceQL string; Go reads all that is left but unescaped line breaks."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(one if one.isprintable() else _escaped(one) for one in escaped)}"'


def _escaped(one: str) -> str:
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def entries(services: Iterable[str], attributes: Iterable[str]) -> Iterator[Search]:
    """How the service was entered, and by which of its pods."""
    resource = [f"resource.{name}" for name in dict.fromkeys((*RESOURCE, *attributes))]
    for service in services:
        for kind in ("server", "consumer"):
            yield Search(Role.ENTRY, _search(f"{_of(service)} && kind = {kind}", resource))


def roots(flows: Iterable[Operation]) -> Iterator[Search]:
    """
    Where these flows begin: without a parent, or with one that nobody knows.

    A flow is known by its span's name, or by attributes of it.
    """
    for flow in flows:
        for named in _called(flow.operation):
            yield _root(f"{_of(flow.service)} && {named}")


def roots_named(told: Collection[Operation]) -> Iterator[Search]:
    """Where traces begin whose roots Tempo itself has told, by the names of their spans."""
    for service in sorted({one.service for one in told}):
        names = sorted({one.operation for one in told if one.service == service})
        if len(names) > _MOST_NAMES:
            yield _root(_of(service))
        else:
            yield from (_root(f"{_of(service)} && name = {quoted(name)}") for name in names)


def calls(services: Collection[str], peers: Iterable[str]) -> Iterator[Search]:
    """Who tried to call the service, by what the caller knew of its peer."""
    names = "|".join(literal(service + release) for service in services for release in _RELEASES)
    # A mesh writes outbound|80|v2|orders-canary.shop.svc.cluster.local, a program orders.shop or orders.
    host = quoted(rf"(?:.*\|)?(?:{names})(?:\..*)?")
    for peer in peers:
        yield Search(Role.CALL, _search(f"kind = client && span.{peer} =~ {host}"))


def failures(services: Iterable[str]) -> Iterator[Search]:
    """What failed below the service, where both were stored in one piece."""
    for service in services:
        yield Search(Role.FAILURE, _search("status = error", above=f"{{ {_of(service)} }} >> "))


def _root(conditions: str) -> Search:
    # The parent of a root is -1; of a span whose parent is not there, 0.
    return Search(Role.ROOT, _search(f"nestedSetParent <= 0 && {conditions}"))


def _called(operation: str) -> Iterator[str]:
    """Conditions that find every span of this operation, and others."""
    yield f"name = {quoted(operation)}"
    head, slash, tail = operation.rpartition("/")
    if not slash:
        yield f"span.messaging.destination.name = {quoted(operation)}"
        yield f"span.messaging.destination = {quoted(operation)}"
        return
    yield f"span.http.route = {quoted(operation.split(' ', 1)[-1])}"
    if head and " " not in operation:
        yield f"span.rpc.method = {quoted(operation)}"
        yield f"span.rpc.service = {quoted(head)} && span.rpc.method = {quoted(tail)}"


def _of(service: str) -> str:
    return f"resource.service.name = {quoted(service)}"


def _search(conditions: str, resource: Iterable[str] = ("resource.service.name",), above: str = "") -> str:
    shown = ", ".join((*_OWN, *resource))
    return f"{above}{{ {conditions} }} | by(span:id) | select({shown})"
