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

A service that has settings of its own is known from the start. One that has none is learnt when somebody asks
about it, and what came before that is not known of it. Names made up by callers never fill the memory: so
many are learnt at most, and of those the one that was asked about longest ago makes room. A name that had to
is learnt again by the next question about it; the time between is not known of it either.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from firedamp.tracing.intake.rows import NO_PARENT, Row
from firedamp.tracing.spans import Kind, Span

_ENTERS = frozenset((Kind.SERVER, Kind.CONSUMER))
_CALLS = frozenset((Kind.CLIENT, Kind.PRODUCER))
#: What `Span.targets` reads.
_TARGETS = frozenset(
    ("peer.service", "server.address", "net.peer.name", "upstream_cluster", "upstream_cluster.name")
)
_SUFFIXES = ("-canary", "-primary", "-stable")
#: Three names for each of as many services as have releases at a time.
_MOST_LEARNT = 3000


class Interest:
    """
    Whose traces will be asked for; one thread may ask it while another lets it learn.

    Args:
        services: every name under which a service of the settings reports.
        flows: names of the services at which flows begin; empty where only parentless spans are roots.
        most: names learnt at most.

    Attributes:
        flows: as given.
    """

    def __init__(
        self, services: frozenset[str], flows: frozenset[str] = frozenset(), *, most: int = _MOST_LEARNT
    ) -> None:
        self.flows = flows
        self._most = most
        self._given = services
        self._learnt: OrderedDict[str, float] = OrderedDict()
        self._services = set(services)

    def learn(self, services: Iterable[str], now: float) -> float:
        """
        From when on spans of all these names are kept; of those that are not known yet, from now on.

        Returns:
            Unix seconds; -inf where the settings have them all.
        """
        return max((self._since(name, now) for name in services), default=-math.inf)

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
        return kind in _CALLS or (kind in _ENTERS and (service in self._services or service in self.flows))

    def dates(self, row: Row) -> bool:
        """Whether a span may give its trace its place in time: a root, or what may stand for one."""
        sort = row.sort
        return row.parent_id == NO_PARENT or (sort.kind in _ENTERS and sort.resource.service in self.flows)

    def _named(self, attributes: Mapping[str, str]) -> bool:
        targets = [attributes[name] for name in _TARGETS & attributes.keys() if attributes[name]]
        return not targets or self._any_host(targets)

    def _any_host(self, targets: Iterable[str]) -> bool:
        return any(self._is_host(target.rsplit("|", 1)[-1].split(".", 1)[0]) for target in targets)

    def _is_host(self, name: str) -> bool:
        return name in self._services or any(
            name.endswith(suffix) and name.removesuffix(suffix) in self._services for suffix in _SUFFIXES
        )

    def _since(self, name: str, now: float) -> float:
        if name in self._given:
            return -math.inf
        since = self._learnt.setdefault(name, now)
        self._learnt.move_to_end(name)
        self._services.add(name)
        while len(self._learnt) > self._most:
            self._services.discard(self._learnt.popitem(last=False)[0])
        return since
