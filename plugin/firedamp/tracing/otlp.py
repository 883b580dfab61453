"""
Spans out of OTLP/JSON, as receivers get it and as Jaeger's API v3 answers.

By its specification ids are hexadecimal, enums are numbers, numbers of 64 bits may be text, and whatever is
zero or unknown may be missing; delivered twice, a scope may have no spans. Only the attributes in `KEPT` are
read of a span, and a pod's resource is read once, however many of its spans come.

Most spans of a trace are there to lead from one to another, and nobody asks what their attributes say. So a
span stays as it was read, a `WireSpan`, and its attributes text, until somebody asks.

Source: opentelemetry-proto 1.11, docs/specification.md, "JSON Protobuf Encoding".
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated

import msgspec

from firedamp.tracing.spans import KEPT, Attributes, Kind, Span, Telling

_ERROR = 2
_NANOS = 10**9  # whole: a float would round times twice
_KINDS = {kind.value: kind for kind in Kind}
_RESOURCES, _RESOURCE_BYTES = 1024, 16384

# Older gateways write base64, which is shorter: taken for an id, it would join nothing.
_TraceId = Annotated[str, msgspec.Meta(min_length=32, max_length=32)]
_SpanId = Annotated[str, msgspec.Meta(min_length=16, max_length=16)]
_Linked = Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{32})?$")]
_NOBODY = "0" * 16
_OWN = "-server"
#: By the digits of a trace's id and a span's, with its parent's or without.
_ID_BYTES = {48: 24, 64: 32}
_WRONG = (msgspec.MsgspecError, RecursionError)
_NOTHING: Attributes = MappingProxyType({})


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None


class _Attribute(msgspec.Struct, gc=False):
    key: str
    value: _Value | None = None


class _Unread(msgspec.Struct, gc=False):
    key: str
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Link(msgspec.Struct, rename="camel", gc=False):
    trace_id: _Linked = ""


class _Status(msgspec.Struct, gc=False):
    code: int = 0


class WireSpan(Telling, msgspec.Struct, gc=False):
    """
    A span as it was read, with all that `Span` has.

    What is not written of it, but of all the spans beside it, is given to it afterwards; OTLP has no
    such names.
    """

    trace_id: _TraceId = msgspec.field(name="traceId")
    span_id: _SpanId = msgspec.field(name="spanId")
    parent_id: str = msgspec.field(name="parentSpanId", default="")
    name: str = ""
    kind: int = 0
    began: int = msgspec.field(name="startTimeUnixNano", default=0)
    ended: int = msgspec.field(name="endTimeUnixNano", default=0)
    told: msgspec.Raw = msgspec.field(name="attributes", default=msgspec.Raw(b"[]"))
    linked: tuple[_Link, ...] = msgspec.field(name="links", default=())
    status: _Status | None = None
    state: str = msgspec.field(name="traceState", default="")
    service: str = msgspec.field(name="(service)", default="")
    resource: Attributes = msgspec.field(name="(resource)", default=_NOTHING)
    known: Attributes | None = msgspec.field(name="(known)", default=None)

    @property
    def start(self) -> float:
        return _seconds(self.began)

    @property
    def seconds(self) -> float:
        return _seconds(max(0, self.ended - self.began))

    @property
    def failed(self) -> bool:
        return self.status is not None and self.status.code == _ERROR

    @property
    def attributes(self) -> Attributes:
        """ValueError where what is written there are none."""
        if self.known is None:
            self.known = _kept(self.told)
        return self.known

    @property
    def links(self) -> tuple[str, ...]:
        return tuple([link.trace_id.lower() for link in self.linked if link.trace_id]) if self.linked else ()

    def span(self) -> Span:
        return Span(
            self.trace_id,
            self.span_id,
            self.parent_id,
            self.service,
            self.name,
            _KINDS.get(self.kind, Kind.UNSPECIFIED),
            self.start,
            self.seconds,
            self.failed,
            self.resource,
            self.attributes,
            self.links,
            self.state,
        )


def _seconds(nanoseconds: int) -> float:
    try:
        return nanoseconds / _NANOS
    except OverflowError as error:
        raise ValueError("a time of more than 300 digits") from error


class _Scope(msgspec.Struct, gc=False):
    spans: list[WireSpan] = []


class _OfResource(msgspec.Struct, rename="camel", gc=False):
    resource: msgspec.Raw = msgspec.Raw(b"{}")
    scope_spans: list[_Scope] = []


class _Resource(msgspec.Struct, gc=False):
    attributes: list[_Unread] = []


class Body(msgspec.Struct, rename="camel", gc=False):
    """A `TracesData` or `ExportTraceServiceRequest`, yet to be read."""

    resource_spans: list[msgspec.Raw] = []


_BODY = msgspec.json.Decoder(Body)
_OF_RESOURCE = msgspec.json.Decoder(_OfResource, strict=False)  # so that numbers may be text
_RESOURCE = msgspec.json.Decoder(_Resource)
_ATTRIBUTES = msgspec.json.Decoder(list[_Attribute])
_UNREAD = msgspec.json.Decoder(list[_Unread])
_VALUE = msgspec.json.Decoder(_Value)


def spans(body: bytes) -> Iterator[Span]:
    """
    Every span of a `TracesData` or `ExportTraceServiceRequest`, whole.

    Raises:
        ValueError: on the way, at the first thing that is no OTLP; says what.
    """
    try:
        read = _BODY.decode(body)
    except _WRONG as error:
        raise ValueError(str(error)) from error
    for span in wire_spans(read):
        yield span.span()


def wire_spans(body: Body) -> Iterator[WireSpan]:
    """
    Every span of such a body; it is read piece by piece, so that other threads have their turns.

    Raises:
        ValueError: as `spans` does.
    """
    try:
        for piece in body.resource_spans:
            yield from _of_resource(piece)
    except _WRONG as error:
        raise ValueError(str(error)) from error


def parted(spans: Sequence[WireSpan]) -> Sequence[WireSpan]:
    """
    The same spans, none of one trace with another's id: Zipkin's programs give one to a call and its answer.

    As Jaeger does for its own page, a server gets an id of its own, and what it asked of others is its own.
    """
    if len({span.span_id for span in spans}) == len(spans):
        return spans
    called = {(span.trace_id, span.span_id) for span in spans if span.kind == Kind.CLIENT}
    shared = [one for one in spans if one.kind == Kind.SERVER and (one.trace_id, one.span_id) in called]
    again = {(span.trace_id, span.span_id) for span in shared}
    for span in spans:
        if (span.trace_id, span.parent_id) in again:
            span.parent_id += _OWN
    for span in shared:
        span.span_id, span.parent_id = span.span_id + _OWN, span.span_id
    return spans


def _of_resource(piece: msgspec.Raw) -> Iterator[WireSpan]:
    read = _OF_RESOURCE.decode(piece)
    service, resource = _resource(read.resource)
    for scope in read.scope_spans:
        for span in scope.spans:
            span.service, span.resource = service, resource
            _identify(span)
            yield span


def _identify(span: WireSpan) -> None:
    """See that ids are such, in lower case and none of them zeros."""
    ids = f"{span.trace_id}{span.span_id}{span.parent_id}"
    if len(bytes.fromhex(ids)) != _ID_BYTES.get(len(ids)):
        raise ValueError(f"{ids!r} are no ids of a trace, a span and its parent")
    if not ids.islower():
        span.trace_id, span.span_id = span.trace_id.lower(), span.span_id.lower()
        span.parent_id = span.parent_id.lower()
    if span.parent_id == _NOBODY:
        span.parent_id = ""


def _resource(raw: msgspec.Raw) -> tuple[str, Attributes]:
    """Service and attributes; the same few pods come again and again, and share them."""
    known = bytes(raw)
    return _known_resource(known) if len(known) <= _RESOURCE_BYTES else _new_resource(known)


def _new_resource(raw: bytes) -> tuple[str, Attributes]:
    told = {}
    for attribute in _RESOURCE.decode(raw).attributes:
        if (text := _text(_VALUE.decode(attribute.value))) is not None:
            told[attribute.key] = text
    return told.get("service.name", ""), MappingProxyType(told)


_known_resource = lru_cache(_RESOURCES)(_new_resource)


def _kept(raw: msgspec.Raw) -> Attributes:
    """Those in `KEPT`; what is wrong with any other does not matter."""
    try:
        try:
            told = _ATTRIBUTES.decode(raw)
        except msgspec.ValidationError:
            some = [one for one in _UNREAD.decode(raw) if one.key in KEPT]
            told = [_Attribute(one.key, _VALUE.decode(one.value)) for one in some]
    except _WRONG as error:
        raise ValueError(str(error)) from error
    return _texts(told)


def _texts(told: Iterable[_Attribute]) -> Attributes:
    found = {}
    for one in told:
        if one.key in KEPT and one.value is not None and (text := _text(one.value)) is not None:
            found[one.key] = text
    return found


def _text(value: _Value) -> str | None:
    """A value as text, whole numbers without a point; None for lists, maps and bytes."""
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return str(value.int_value)
    if value.bool_value is not None:
        return str(value.bool_value).lower()
    return None if value.double_value is None else _number(value.double_value)


def _number(value: float | str) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
