"""Spans as programs send them: the same ones in OTLP's protobuf and in its JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from firedamp.tracing import Attributes, Span

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def protobuf(spans: Iterable[Span]) -> bytes:
    """A request; each run of spans of one resource goes together."""
    request = ExportTraceServiceRequest()
    last: Attributes | None = None
    for span in spans:
        if span.resource != last:
            of = request.resource_spans.add()
            _fill(of, span.resource)
            of.scope_spans.add()
            last = span.resource
        request.resource_spans[-1].scope_spans[0].spans.append(_sent(span))
    return request.SerializeToString()


def as_json(spans: Sequence[Span]) -> bytes:
    """The same in JSON: ids in hexadecimal, 64 bits as text, and a field that nobody knows."""
    of = [
        {
            "resource": {"attributes": _listed(span.resource), "droppedAttributesCount": 0},
            "scopeSpans": [{"scope": {"name": "shop"}, "spans": [_written(span)]}],
        }
        for span in spans
    ]
    return json.dumps({"resourceSpans": of, "fromTheFuture": [[{}]]}).encode()


def _nanoseconds(span: Span) -> tuple[int, int]:
    start = round(span.start) * 10**9 if span.start.is_integer() else round(span.start * 1e9)
    return start, start + round(span.seconds * 1e9)


def _fill(of: ResourceSpans, attributes: Attributes) -> None:
    for name, text in attributes.items():
        of.resource.attributes.append(_attribute(name, text))


def _attribute(name: str, text: str) -> KeyValue:
    found = KeyValue(key=name)
    if text.isdecimal():
        found.value.int_value = int(text)
    else:
        found.value.string_value = text
    return found


def _sent(span: Span) -> SentSpan:
    start, end = _nanoseconds(span)
    return SentSpan(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        trace_state=span.state,
        name=span.name,
        kind=span.kind.value,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        attributes=[_attribute(name, text) for name, text in span.attributes.items()],
        status=Status(code=Status.STATUS_CODE_ERROR) if span.failed else None,
        links=[SentSpan.Link(trace_id=bytes.fromhex(link), span_id=bytes(8)) for link in span.links],
    )


def _listed(attributes: Attributes) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue": text} if text.isdecimal() else {"stringValue": text}}
        for name, text in attributes.items()
    ]


def _written(span: Span) -> dict[str, Any]:
    start, end = _nanoseconds(span)
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "traceState": span.state,
        "name": span.name,
        "kind": span.kind.value,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(end),
        "attributes": _listed(span.attributes),
        "status": {"code": 2} if span.failed else {},
        "links": [{"traceId": link, "spanId": "0" * 16} for link in span.links],
    }
