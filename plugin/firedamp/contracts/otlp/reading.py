"""
Requests into rows: what is of interest and of our time is kept, ids and clocks that are wrong are counted.

A root gives its trace a place in time, so only its clock matters; visits are taken with a wrong one. Of spans
that nobody asks for no more is read than it takes to know that. Protobuf is the fast path: about a
microsecond for a span that is dropped and ten for one that is kept. JSON goes through `tracing.otlp`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf itself brings no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource as SentResource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from firedamp.contracts.otlp.answers import JSON, Accepted
from firedamp.tracing import KEPT, Kind, otlp
from firedamp.tracing.intake import Interest, Keeping, Resource, Resources, Row, Sort, row, sampled
from firedamp.tracing.intake.rows import MOST_CHARACTERS

_ERROR = 2
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_KINDS = {kind.value: kind for kind in Kind}
#: A whole number: dividing by it rounds once, where 1e9 would round twice.
_NANOSECONDS = 10**9


@dataclass(slots=True)
class Read:
    """
    A request that was understood.

    Attributes:
        rows: what is worth remembering.
        nameless: spans whose ids are none.
        elsewhen: roots that began too long ago or are still to begin.
    """

    rows: list[Row] = field(default_factory=list)
    nameless: int = 0
    elsewhen: int = 0

    @property
    def refused(self) -> int:
        return self.nameless + self.elsewhen

    def told(self, keeping: Keeping) -> Accepted:
        """What the sender is told of it."""
        return Accepted(self.refused, "; ".join(self._reasons(keeping)))

    def _reasons(self, keeping: Keeping) -> Iterator[str]:
        if self.nameless:
            yield (
                f"{self.nameless} spans have ids of a wrong length or of zeros: 16 bytes for a trace and 8 "
                "for a span are expected; mend what makes them"
            )
        if self.elsewhen:
            yield (
                f"{self.elsewhen} roots began more than {keeping.ahead_seconds:g} s ahead of our clock or "
                f"{keeping.seconds:g} s behind it, the most allowed; set the clocks right"
            )


class Reader:
    """
    Reads requests, one at a time.

    Args:
        interest: what is worth remembering.
        keeping: for how long.
    """

    def __init__(self, interest: Interest, keeping: Keeping) -> None:
        self._interest = interest
        self._keeping = keeping
        self._resources = Resources()

    def read(self, kind: str, data: bytes, now: float) -> Read:
        """
        What a request of this type holds.

        Raises:
            ValueError: it is malformed; says how.
        """
        rows: Callable[[bytes], Iterator[Row]] = self._json if kind == JSON else self._protobuf
        begin, end = now - self._keeping.seconds, now + self._keeping.ahead_seconds
        found = Read()
        for one in rows(data):
            if not _named(one):
                found.nameless += 1
            elif not begin <= one.start <= end and self._interest.dates(one):
                found.elsewhen += 1
            else:
                found.rows.append(one)
        return found

    def _json(self, data: bytes) -> Iterator[Row]:
        for span in otlp.spans(data):
            if self._interest.wants_span(span):
                yield row(span, self._resources)

    def _protobuf(self, data: bytes) -> Iterator[Row]:
        for of in _decoded(data).resource_spans:
            resource = self._resource(of.resource)
            for scope in of.scope_spans:
                for span in scope.spans:
                    if (found := self._row(span, resource)) is not None:
                        yield found

    def _row(self, span: SentSpan, resource: Resource) -> Row | None:
        failed, parent_id = span.status.code == _ERROR, span.parent_span_id or _NO_SPAN
        special = failed or parent_id == _NO_SPAN or bool(span.links)
        if not special and not self._interest.may_want(span.kind, resource.service):
            return None
        attributes = _attributes(span.attributes)
        if not special and not self._interest.wants(span.kind, resource.service, dict(attributes)):
            return None
        kind = _KINDS.get(span.kind, Kind.UNSPECIFIED)
        sort = Sort(
            resource, kind, span.name[:MOST_CHARACTERS], failed, sampled(span.trace_state), attributes
        )
        start = span.start_time_unix_nano
        seconds = max(0, span.end_time_unix_nano - start) / _NANOSECONDS
        links = tuple(link.trace_id for link in span.links) if span.links else ()
        return Row(span.trace_id, span.span_id, parent_id, start / _NANOSECONDS, seconds, sort, links)

    def _resource(self, sent: SentResource) -> Resource:
        """The same few pods come again and again."""
        key = sent.SerializeToString()
        found = self._resources.get(key)
        if found is None:
            told = {one.key: text for one in sent.attributes if (text := _text(one.value)) is not None}
            found = self._resources.held(key, told.get("service.name", ""), told)
        return found


def _decoded(data: bytes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from error
    if data and not request.resource_spans:
        # Any bytes may pass for fields of a newer version.
        raise ValueError("it has no resource spans")
    return request


def _named(one: Row) -> bool:
    sizes = (len(one.trace_id), len(one.span_id), len(one.parent_id))
    return sizes == (16, 8, 8) and one.trace_id != _NO_TRACE and one.span_id != _NO_SPAN


def _attributes(sent: Iterable[KeyValue]) -> tuple[tuple[str, str], ...]:
    # Half of all the time goes here: most values are texts, which are read without asking for their type.
    return tuple(
        [
            (key, text[:MOST_CHARACTERS])
            for one in sent
            if (key := one.key) in KEPT
            and (text := (value := one.value).string_value or _text(value)) is not None
        ]
    )


def _text(value: AnyValue) -> str | None:
    """A value as text, whole numbers without a point; None for lists, maps and bytes."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return str(value.int_value)
        case "bool_value":
            return str(value.bool_value).lower()
        case "double_value":
            return _number(value.double_value)
        case _:
            return None


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)
