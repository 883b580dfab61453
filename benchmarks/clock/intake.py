"""
Spans on their way in: requests as a collector sends them, read and remembered.

A trace is a gateway's root and a visit of the service under release, each with the attributes that HTTP
instrumentation writes. `crowded` requests carry four spans more of each trace that nobody asks for.
"""

import gc
import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from clock.timing import Call
from firedamp.contracts.otlp.bodies import inflated
from firedamp.contracts.otlp.reading import Reader
from firedamp.tracing.intake import Interest, Keeping, Memory

NOW = 1_800_000_000.0
SPANS = 512
_PODS = 4
_JSON, _PROTOBUF = "application/json", "application/x-protobuf"
_INTEREST = Interest(frozenset({"orders"}), frozenset({"gateway"}))
_OTHERS = ("cart", "payments", "stock", "mailer")
_ATTRIBUTES = {
    "http.request.method": "POST",
    "http.route": "/orders",
    "url.path": "/orders",
    "url.scheme": "http",
    "server.address": "orders.shop",
    "client.address": "10.1.2.3",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
    "network.protocol.version": "1.1",
}


def request(first: int, spans: int = SPANS, *, crowded: bool = False) -> bytes:
    """Protobuf of so many spans, of traces numbered from `first`."""
    services = ("gateway", "orders", *(_OTHERS if crowded else ()))
    traces = range(first, first + spans // len(services))
    sent = ExportTraceServiceRequest()
    for depth, service in enumerate(services):
        for pod in range(_PODS):
            of = _resource(sent.resource_spans.add(), service, pod)
            of.scope_spans.add().spans.extend(_span(each, depth) for each in traces if each % _PODS == pod)
    return sent.SerializeToString()


def _resource(of: ResourceSpans, service: str, pod: int) -> ResourceSpans:
    told = {"service.name": service, "service.version": "1.2.3", "k8s.pod.name": f"{service}-7d5c9-{pod}"}
    told |= {"k8s.namespace.name": "shop", "telemetry.sdk.language": "go", "host.name": f"node-{pod}"}
    for name, text in told.items():
        of.resource.attributes.add(key=name).value.string_value = text
    return of


def _span(trace: int, depth: int) -> SentSpan:
    start = int(NOW * 1e9) + 1000 * trace
    span = SentSpan(
        trace_id=(trace + 1).to_bytes(16, "big"),
        span_id=(trace * 8 + depth + 1).to_bytes(8, "big"),
        parent_span_id=(trace * 8 + depth).to_bytes(8, "big") if depth else b"",
        name="POST /orders",
        kind=SentSpan.SPAN_KIND_SERVER,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 20_000_000 + trace % 1000,
    )
    for name, text in _ATTRIBUTES.items():
        span.attributes.add(key=name).value.string_value = text
    span.attributes.add(key="http.response.status_code").value.int_value = 200
    return span


def as_json(data: bytes) -> bytes:
    """The same request as OTLP's JSON."""
    sent = ExportTraceServiceRequest.FromString(data)
    return json.dumps({"resourceSpans": [_of_written(of) for of in sent.resource_spans]}).encode()


def _of_written(of: ResourceSpans) -> dict[str, object]:
    spans = [_written(span) for scope in of.scope_spans for span in scope.spans]
    attributes = [_attribute(one) for one in of.resource.attributes]
    return {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}


def _written(span: SentSpan) -> dict[str, object]:
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": [_attribute(one) for one in span.attributes],
    }


def _attribute(one: object) -> dict[str, object]:
    value = one.value  # type: ignore[attr-defined]  # a KeyValue
    told = {"intValue": str(value.int_value)} if value.int_value else {"stringValue": value.string_value}
    return {"key": one.key, "value": told}  # type: ignore[attr-defined]  # likewise


def cases(requests: int) -> dict[str, Call]:
    """Calls that read and remember so many requests of 512 spans, by what is in them."""
    traces = SPANS // 2
    plain = [request(traces * number) for number in range(requests)]
    crowded = [request(traces * number, crowded=True) for number in range(requests)]
    packed = [gzip.compress(data, 6) for data in plain]
    return {
        "roots and visits": _taking(plain, _PROTOBUF),
        "roots and visits, gzip": _taking(packed, _PROTOBUF, lambda data: inflated(data, 1 << 24)),
        "everything, two spans of six wanted": _taking(crowded, _PROTOBUF),
        "roots and visits, JSON": _taking([as_json(data) for data in plain], _JSON),
    }


def _taking(bodies: list[bytes], kind: str, plain: Callable[[bytes], bytes] = lambda data: data) -> Call:
    def take() -> Memory:
        keeping = Keeping()
        memory, reader = Memory(keeping, NOW), Reader(_INTEREST, keeping)
        for body in bodies:
            memory.add(reader.read(kind, plain(body), NOW).rows, NOW)
        return memory

    return take


def held(cap: int) -> Iterator[float]:
    """
    Bytes that the intake holds after it took as many traces as it may, twice as many, and so on.

    A second passes with every hundredth part of them, and every trace comes but once.
    """
    keeping = Keeping(traces=cap)
    memory, reader = Memory(keeping, NOW), Reader(_INTEREST, keeping)
    step = max(1, cap // 100)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(400):
            rows = reader.read(_PROTOBUF, request(step * number, 2 * step), NOW).rows
            memory.add(rows, NOW + number)
            del rows
            if number % 100 == 99:
                gc.collect()
                yield tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
