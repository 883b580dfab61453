"""
Which spans are worth keeping.

Of everything that applications send, little is judged: roots, visits of services under release, calls to
them, and failures. What is kept must not depend on the order in which spans come, so every span is judged by
itself. What is therefore not known of dropped spans:

- a rootless trace begins with its first span that was kept;
- where somebody outside began a trace, and a flow's service was entered by a span whose parent was dropped,
  that one stands for the root too;
- a call by which nobody's name is told is kept; one that names somebody else (a load balancer, say) is kept
  from services where flows begin only;
- a call to the service that a third service answered (a proxy under a name of its own) looks unanswered;
- a failure below a visit may have lost the spans between (`Memory` says how it counts then).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from firedamp.tracing.intake.rows import NO_PARENT, Row
from firedamp.tracing.spans import Kind, Span

_ENTERS = frozenset((Kind.SERVER, Kind.CONSUMER))
_CALLS = frozenset((Kind.CLIENT, Kind.PRODUCER))
#: What `Span.targets` reads.
_TARGETS = frozenset(
    ("peer.service", "server.address", "net.peer.name", "upstream_cluster", "upstream_cluster.name")
)
_SUFFIXES = ("", "-canary", "-primary", "-stable")


@dataclass(frozen=True, slots=True)
class Interest:
    """
    Whose traces will be asked for.

    Attributes:
        services: every name under which a service under release reports.
        flows: names of the services at which flows begin; empty where only parentless spans are roots.
    """

    services: frozenset[str]
    flows: frozenset[str] = frozenset()
    _hosts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        hosts = frozenset(f"{service}{suffix}" for service in self.services for suffix in _SUFFIXES)
        object.__setattr__(self, "_hosts", hosts)

    def wants_span(self, span: Span) -> bool:
        if span.failed or span.links or not span.parent_id:
            return True
        return self.wants(span.kind, span.service, span.attributes)

    def wants(self, kind: int, service: str, attributes: Mapping[str, str]) -> bool:
        """Whether a span is kept for its kind: it has a parent, is well, and has no links."""
        if kind in _CALLS:
            return service in self.flows or self._named(attributes)
        return self.may_want(kind, service)

    def may_want(self, kind: int, service: str) -> bool:
        """False where `wants` says so whatever the attributes are."""
        return kind in _CALLS or (kind in _ENTERS and (service in self.services or service in self.flows))

    def dates(self, row: Row) -> bool:
        """Whether a span may give its trace its place in time: a root, or what may stand for one."""
        sort = row.sort
        return row.parent_id == NO_PARENT or (sort.kind in _ENTERS and sort.resource.service in self.flows)

    def _named(self, attributes: Mapping[str, str]) -> bool:
        targets = [attributes[name] for name in _TARGETS & attributes.keys() if attributes[name]]
        return not targets or self._any_host(targets)

    def _any_host(self, targets: Iterable[str]) -> bool:
        return any(target.rsplit("|", 1)[-1].split(".", 1)[0] in self._hosts for target in targets)
