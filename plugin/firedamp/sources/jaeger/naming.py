"""
Which searches find a service's flows.

A flow is method and route, or the name of its root's span; Jaeger knows names alone. Most programs name a
span by method and route, some by the method (POST) or by one name for all (ingress), and pods of one gateway
may differ in it. So a flow is searched for by its own name, and by the names of its service that tell no
route; where no span of the service has its name, among all traces of the service.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

_ENTERING = ("server", "consumer", "")  # some stores do not keep the kind
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))


@dataclass(frozen=True, slots=True)
class Search:
    """Traces with a span of this service, and of this name where one is given."""

    service: str
    name: str = ""


class Name(NamedTuple):
    """What some spans of a service are called, and their kind in lower case."""

    name: str
    kind: str


def searches(
    service: str, operations: Collection[str], names: Collection[Name], astray: Collection[Search]
) -> set[Search]:
    """
    What to search for, so that all roots of flows are found.

    Args:
        service: at which the flows begin.
        operations: what they are called.
        names: of the service's spans.
        astray: searches that are known to miss roots.
    """
    known = {one.name for one in names}
    own = {Search(service, operation) for operation in operations}
    if not own.isdisjoint(astray) or not known.issuperset(operations):
        return {Search(service)}
    entered = {one.name for one in names if one.kind in _ENTERING}
    return own | {Search(service, name) for name in entered if _hides(name, operations)}


def _hides(name: str, operations: Iterable[str]) -> bool:
    """Whether the route of one of these operations may be behind a name that tells none."""
    if "/" in name:
        return False
    methods = _METHODS.intersection(name.split())
    return any("/" in one and (not methods or one.split()[0] in methods) for one in operations)
