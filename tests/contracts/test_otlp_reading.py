"""Requests of OTLP into rows: both formats tell the same, and what is wrong is counted or refused."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from firedamp.contracts.otlp.reading import Read, Reader
from firedamp.tracing import KEPT, Kind, Span
from firedamp.tracing.intake import Interest, Keeping, Row
from sentspans import JSON, PROTOBUF, as_json, protobuf

NOW = 1_800_000_000.0
INTEREST = Interest(frozenset({"orders"}), frozenset({"gateway"}))
KEEPING = Keeping(seconds=600.0, ahead_seconds=60.0)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
POD = {"service.name": "orders", "k8s.pod.name": "orders-bb-1"}
GATE = {"service.name": "gateway", "k8s.pod.name": "gateway-aa-1"}
ROOT = Span(TRACE, "00f067aa0ba902b7", "", "gateway", "GET", Kind.SERVER, NOW, 0.25, resource=GATE)
VISIT = Span(TRACE, "00f067aa0ba902b8", ROOT.span_id, "orders", "GET", Kind.SERVER, NOW, 0.25, resource=POD)


def read(kind: str, data: bytes) -> Read:
    return Reader(INTEREST, KEEPING).read(kind, data, NOW)


def plain(rows: list[Row]) -> list[Span]:
    return [row.span() for row in rows]


TRACE_IDS = st.integers(1, 2**128 - 1).map("{:032x}".format)
SPAN_IDS = st.integers(1, 2**64 - 1).map("{:016x}".format)


@st.composite
def sent(draw) -> Span:
    service = draw(st.sampled_from(("gateway", "orders", "payments")))
    texts = st.sampled_from(("404", "orders.shop", "payments", "é", ""))
    return Span(
        draw(TRACE_IDS),
        draw(SPAN_IDS),
        draw(st.just("") | SPAN_IDS),
        service,
        draw(texts),
        draw(st.sampled_from(Kind)),
        NOW - draw(st.integers(0, 500)),
        draw(st.integers(0, 10**6)) / 1000,
        draw(st.booleans()),
        {"service.name": service, "k8s.pod.name": f"{service}-1"},
        draw(st.dictionaries(st.sampled_from(sorted(KEPT)), texts, max_size=4)),
        tuple(draw(st.lists(TRACE_IDS, max_size=2))),
        draw(st.sampled_from(("", "ot=th:8", "ot=th:c"))),
    )


@settings(deadline=None)
@given(st.lists(sent(), max_size=4))
def test_both_formats_tell_every_span_of_interest_as_it_is(spans):
    """Nothing is changed on the way, and only what nobody asks for is missing."""
    wanted = [span for span in spans if INTEREST.wants_span(span)]

    assert plain(read(PROTOBUF, protobuf(spans)).rows) == wanted
    assert plain(read(JSON, as_json(spans)).rows) == wanted


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_are_more_than_malformed(data):
    """Whatever comes is read or refused in words."""
    assert is_read_or_refused(PROTOBUF, data)
    assert is_read_or_refused(JSON, data)


@settings(deadline=None)
@given(st.data())
def test_a_request_that_was_damaged_is_read_or_refused(data):
    """Cut anywhere, and with any byte changed."""
    kind, whole = data.draw(st.sampled_from([(PROTOBUF, protobuf([ROOT, VISIT])), (JSON, as_json([VISIT]))]))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=2)) + whole[at + data.draw(st.integers(0, 9)) :]

    assert is_read_or_refused(kind, damaged)


def is_read_or_refused(kind: str, data: bytes) -> bool:
    try:
        return read(kind, data).refused >= 0
    except ValueError as error:
        return bool(str(error))


def test_one_pod_is_one_resource_over_many_requests():
    """Its attributes are held once."""
    reader = Reader(INTEREST, KEEPING)

    first, second = (reader.read(PROTOBUF, protobuf([VISIT]), NOW).rows[0] for _ in range(2))
    assert first.sort.resource is second.sort.resource


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_an_empty_request_is_a_good_one(kind):
    """By the specification it succeeds."""
    assert read(kind, b"" if kind == PROTOBUF else b"{}").rows == []


@pytest.mark.parametrize(("start", "elsewhen"), [(-600, 0), (-601, 1), (60, 0), (61, 1)])
@pytest.mark.parametrize("write", [(PROTOBUF, protobuf), (JSON, as_json)])
def test_roots_of_another_time_are_refused_with_their_number(start, elsewhen, write):
    """A clock that is wrong puts a trace into a window to which it does not belong."""
    span = Span(TRACE, ROOT.span_id, "", "gateway", "GET", Kind.SERVER, NOW + start, 0.25)
    kind, written = write

    found = read(kind, written([span]))

    assert (found.elsewhen, len(found.rows)) == (elsewhen, 1 - elsewhen)


def test_a_visit_is_taken_with_whatever_clock():
    """The root gives a trace its time, and a canary with a wrong clock must not seem to be absent."""
    behind = replace(VISIT, start=NOW - 5000)

    assert len(read(PROTOBUF, protobuf([behind])).rows) == 1


def test_what_may_stand_for_a_root_is_refused_with_a_wrong_clock_too():
    """Where somebody outside began the trace, the flow's entry gives it its time."""
    entered = replace(ROOT, parent_id=VISIT.span_id, start=NOW + 100)

    assert read(PROTOBUF, protobuf([entered])).elsewhen == 1


def test_the_sender_is_told_what_is_wrong_with_which_limit():
    """Value, limit and remedy, as everywhere."""
    late = Span(TRACE, ROOT.span_id, "", "gateway", "GET", Kind.SERVER, NOW - 5000, 0.25)
    nameless = Span("0" * 32, ROOT.span_id, "", "gateway", "GET", Kind.SERVER, NOW, 0.25)

    told = read(PROTOBUF, protobuf([late, nameless, VISIT])).told(KEEPING)

    assert told.refused == 2
    assert "1 spans have ids of a wrong length or of zeros" in told.reason
    assert "1 roots began more than 60 s ahead of our clock or 600 s behind it" in told.reason


@pytest.mark.parametrize("damage", [{"trace_id": b"short"}, {"span_id": b""}, {"parent_span_id": b"x"}])
def test_a_span_without_proper_ids_is_refused_and_the_others_are_taken(damage):
    """One bad exporter behind a collector must not cost everybody's spans."""
    request = ExportTraceServiceRequest.FromString(protobuf([ROOT, VISIT]))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.status.code = 2
    for name, value in damage.items():
        setattr(span, name, value)

    found = read(PROTOBUF, request.SerializeToString())

    assert (found.nameless, len(found.rows)) == (1, 1)


def test_values_of_every_type_are_texts():
    """Whole numbers without a point; lists, maps and bytes tell nothing."""
    request = ExportTraceServiceRequest.FromString(protobuf([VISIT]))
    attributes = request.resource_spans[0].resource.attributes
    for name, field, value in (
        ("whole", "double_value", 2.0),
        ("half", "double_value", 0.5),
        ("endless", "double_value", float("inf")),
        ("yes", "bool_value", True),
        ("raw", "bytes_value", b"x"),
    ):
        setattr(attributes.add(key=name).value, field, value)

    told = read(PROTOBUF, request.SerializeToString()).rows[0].sort.resource.attributes

    assert told == {**POD, "whole": "2", "half": "0.5", "endless": "inf", "yes": "true"}


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "SPAN_KIND_SERVER"},
        {"traceId": "g" * 32},
        {"traceId": "S/kvNXezTaajzpKdDg5HNg=="},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": "9" * 4000},
        {"startTimeUnixNano": "9" * 9000},
        {"attributes": [{"key": "http.route", "value": {"stringValue": 7}}]},
        {"links": {}},
    ],
)
def test_json_that_is_no_otlp_is_refused(damage):
    """Names of enums and base64 are what a generic mapping of protobuf would write."""
    body = json.loads(as_json([VISIT]))
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(damage)

    with pytest.raises(ValueError, match=r"."):
        read(JSON, json.dumps(body).encode())


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"resourceSpans":[{"resource":{"attributes":['])
def test_json_nested_too_deep_is_refused(opening):
    """Whether it is known or unknown what is nested."""
    with pytest.raises(ValueError, match=r"."):
        read(JSON, opening * 100_000)


def test_protobuf_nested_too_deep_is_refused():
    """The parser itself has a limit of a hundred."""
    value = b""
    for _ in range(2000):
        value = b"\x2a" + _sized(b"\x0a" + _sized(value))
    for tag in (b"\x12", b"\x0a", b"\x0a", b"\x0a"):
        value = tag + _sized(value)

    with pytest.raises(ValueError, match=r"."):
        read(PROTOBUF, value)


def _sized(data: bytes) -> bytes:
    size, groups = len(data), []
    while size > 0x7F:
        groups.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*groups, size)) + data
