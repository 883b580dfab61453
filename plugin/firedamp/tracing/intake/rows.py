"""
Spans as they are remembered: ids and times each for itself, everything else shared.

Most spans of a service are alike but for ids and times. What they have in common is a `Sort`, held once.
"""

from collections.abc import Mapping
from typing import NamedTuple

from firedamp.tracing.sampling import probability
from firedamp.tracing.spans import Attributes, Kind, Span

#: Longer texts are cut; operations and pods have shorter names.
MOST_CHARACTERS = 300
MOST_ATTRIBUTES = 128
#: What stands for the parent of a root.
NO_PARENT = bytes(8)


class Resource:
    """Whoever ran spans, known by identity."""

    __slots__ = ("attributes", "service")

    def __init__(self, service: str, attributes: Attributes) -> None:
        some = list(attributes.items())[:MOST_ATTRIBUTES]
        self.service = service[:MOST_CHARACTERS]
        self.attributes: Attributes = {name: text[:MOST_CHARACTERS] for name, text in some}


class Sort(NamedTuple):
    """What many spans have in common; `state` holds the sampling's threshold alone."""

    resource: Resource
    kind: Kind
    name: str
    failed: bool
    state: str
    attributes: tuple[tuple[str, str], ...]


class Row(NamedTuple):
    """A span to be remembered; ids are bytes (16, 8, and 8 of zero for no parent), times are seconds."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    start: float
    seconds: float
    sort: Sort
    links: tuple[bytes, ...] = ()

    def span(self) -> Span:
        return Span(
            self.trace_id.hex(),
            self.span_id.hex(),
            "" if self.parent_id == NO_PARENT else self.parent_id.hex(),
            self.sort.resource.service,
            self.sort.name,
            self.sort.kind,
            self.start,
            self.seconds,
            self.sort.failed,
            self.sort.resource.attributes,
            dict(self.sort.attributes),
            tuple(link.hex() for link in self.links),
            self.sort.state,
        )


class Resources:
    """The resources met of late, each held once."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._held: dict[object, Resource] = {}

    def get(self, key: object) -> Resource | None:
        return self._held.get(key)

    def held(self, key: object, service: str, attributes: Mapping[str, str]) -> Resource:
        """Hold a new one; the one held longest makes room."""
        if len(self._held) >= self._most:
            del self._held[next(iter(self._held))]
        found = self._held[key] = Resource(service, attributes)
        return found


def row(span: Span, resources: Resources) -> Row:
    """
    A span in the form in which it is remembered.

    Raises:
        ValueError: an id is not hexadecimal.
    """
    key = (span.service, *sorted(span.resource.items()))
    resource = resources.get(key) or resources.held(key, span.service, span.resource)
    attributes = tuple((name, text[:MOST_CHARACTERS]) for name, text in span.attributes.items())
    name, state = span.name[:MOST_CHARACTERS], sampled(span.state)
    return Row(
        bytes.fromhex(span.trace_id),
        bytes.fromhex(span.span_id),
        bytes.fromhex(span.parent_id) or NO_PARENT,
        span.start,
        span.seconds,
        Sort(resource, span.kind, name, span.failed, state, attributes),
        tuple(bytes.fromhex(link) for link in span.links),
    )


def sampled(state: str) -> str:
    """The part of a trace state that `sampling.probability` reads; the rest differs in every trace."""
    if not state or probability(state) is None:
        return ""
    own = next(part.strip() for part in state.split(",") if part.strip().startswith("ot="))
    return next((f"ot={part}" for part in own[3:].split(";") if part.startswith("th:")), "")
