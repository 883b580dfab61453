"""
Spans out of OTLP/JSON, as receivers get it and as Jaeger's API v3 answers.

By its specification ids are hexadecimal, enums are numbers, numbers of 64 bits may be text, and whatever is
zero or unknown may be missing; delivered twice, a scope may have no spans. Only the attributes in `KEPT` are
read of a span, and a pod's resource is read once, however many of its spans come.

Source: opentelemetry-proto 1.11, docs/specification.md, "JSON Protobuf Encoding".
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated

import msgspec

from firedamp.tracing.spans import KEPT, Attributes, Kind, Span

_ERROR = 2
_NANOS = 10**9  # whole: a float would round times twice
_KINDS = {kind.value: kind for kind in Kind}
_RESOURCES, _RESOURCE_BYTES = 1024, 16384
_VALUES, _VALUE_BYTES = 4096, 256

# Older gateways write base64: taken for an id, it would join nothing.
_TraceId = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{32}$")]
_Linked = Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{32})?$")]
_SpanId = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{16}$")]
_Parent = Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{16})?$")]
_NOBODY = "0" * 16


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None


class _Attribute(msgspec.Struct, gc=False):
    key: str
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Link(msgspec.Struct, rename="camel", gc=False):
    trace_id: _Linked = ""


class _Status(msgspec.Struct, gc=False):
    code: int = 0


class _Span(msgspec.Struct, rename="camel", gc=False):
    trace_id: _TraceId
    span_id: _SpanId
    parent_span_id: _Parent = ""
    name: str = ""
    kind: int = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: list[_Attribute] = []
    links: list[_Link] = []
    status: _Status | None = None
    trace_state: str = ""


class _Scope(msgspec.Struct, gc=False):
    spans: list[_Span] = []


class _OfResource(msgspec.Struct, rename="camel", gc=False):
    resource: msgspec.Raw = msgspec.Raw(b"{}")
    scope_spans: list[_Scope] = []


class _Resource(msgspec.Struct, gc=False):
    attributes: list[_Attribute] = []


class _Body(msgspec.Struct, rename="camel", gc=False):
    resource_spans: list[msgspec.Raw] = []


_BODY = msgspec.json.Decoder(_Body)
_OF_RESOURCE = msgspec.json.Decoder(_OfResource)
_RESOURCE = msgspec.json.Decoder(_Resource)
_VALUE = msgspec.json.Decoder(_Value)


def spans(body: bytes | msgspec.Raw) -> Iterator[Span]:
    """
    Every span of a `TracesData` or `ExportTraceServiceRequest`; it is read piece by piece.

    Raises:
        ValueError: on the way, at the first thing that is no OTLP; says what.
    """
    try:
        for piece in _BODY.decode(body).resource_spans:
            yield from _of_resource(piece)
    except (msgspec.MsgspecError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _of_resource(piece: msgspec.Raw) -> Iterator[Span]:
    read = _OF_RESOURCE.decode(piece)
    service, resource = _resource(read.resource)
    for scope in read.scope_spans:
        for span in scope.spans:
            yield _span(span, service, resource)


def _resource(raw: msgspec.Raw) -> tuple[str, Attributes]:
    """Service and attributes; the same few pods come again and again, and share them."""
    known = bytes(raw)
    return _known_resource(known) if len(known) <= _RESOURCE_BYTES else _new_resource(known)


def _new_resource(raw: bytes) -> tuple[str, Attributes]:
    told = {}
    for attribute in _RESOURCE.decode(raw).attributes:
        if (text := _text(attribute.value)) is not None:
            told[attribute.key] = text
    return told.get("service.name", ""), MappingProxyType(told)


_known_resource = lru_cache(_RESOURCES)(_new_resource)


def _span(span: _Span, service: str, resource: Attributes) -> Span:
    start = int(span.start_time_unix_nano)
    return Span(
        span.trace_id.lower(),
        span.span_id.lower(),
        span.parent_span_id.lower() if span.parent_span_id != _NOBODY else "",
        service,
        span.name,
        _KINDS.get(span.kind, Kind.UNSPECIFIED),
        start / _NANOS,
        max(0, int(span.end_time_unix_nano) - start) / _NANOS,
        span.status is not None and span.status.code == _ERROR,
        resource,
        _kept(span.attributes),
        tuple(link.trace_id.lower() for link in span.links if link.trace_id) if span.links else (),
        span.trace_state,
    )


def _kept(attributes: Sequence[_Attribute]) -> Attributes:
    found = {}
    for attribute in attributes:
        if attribute.key in KEPT and (text := _text(attribute.value)) is not None:
            found[attribute.key] = text
    return found


def _text(raw: msgspec.Raw) -> str | None:
    """
    A value as text, whole numbers without a point; None for lists, maps and bytes.

    Codes, methods, routes and pods are few, so each is read once.
    """
    known = bytes(raw)
    return _known_text(known) if len(known) <= _VALUE_BYTES else _new_text(known)


def _new_text(raw: bytes) -> str | None:
    value = _VALUE.decode(raw)
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return str(value.int_value)
    if value.bool_value is not None:
        return str(value.bool_value).lower()
    return None if value.double_value is None else _number(value.double_value)


_known_text = lru_cache(_VALUES)(_new_text)


def _number(value: float | str) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
