"""Spans as OTLP/JSON writes them, with all that its specification allows."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firedamp.queries import Operation
from firedamp.tracing import Kind, Sought, Span, joined, otlp
from real.orders import Hop, Trip, resource_spans

TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8"


def read(*told: dict, resource: dict | None = None) -> list[Span]:
    scopes = [{"spans": [{"traceId": TRACE, "spanId": SPAN, **span} for span in told]}]
    body = {"resourceSpans": [{"resource": resource or {}, "scopeSpans": scopes}]}
    return list(otlp.spans(json.dumps(body).encode()))


def attribute(key: str, **value: object) -> dict:
    return {"key": key, "value": value}


def test_a_span_has_all_that_is_judged():
    """Ids, names, kind, times, status, links and trace state."""
    span = read(
        {
            "parentSpanId": PARENT.upper(),
            "name": "POST /orders",
            "kind": 2,
            "startTimeUnixNano": "1700000000250000000",
            "endTimeUnixNano": 1700000001000000000,
            "status": {"code": 2, "message": "declined"},
            "attributes": [attribute("http.response.status_code", intValue="503")],
            "links": [{"traceId": TRACE[::-1], "spanId": PARENT}],
            "traceState": "ot=th:8",
            "flags": 257,
        },
        resource={"attributes": [attribute("service.name", stringValue="orders")]},
    )[0]

    assert (span.trace_id, span.span_id, span.parent_id) == (TRACE, SPAN, PARENT)
    assert (span.service, span.name, span.kind) == ("orders", "POST /orders", Kind.SERVER)
    assert (span.start, span.seconds) == (1700000000.25, 0.75)
    assert (span.failed, span.code, span.links, span.state) == (True, "503", (TRACE[::-1],), "ot=th:8")


def test_what_is_missing_is_zero():
    """Protobuf writes no zeros, nor do the programs that imitate it."""
    span = read({})[0]

    assert (span.parent_id, span.service, span.name, span.kind) == ("", "", "", Kind.UNSPECIFIED)
    assert (span.start, span.seconds, span.failed) == (0.0, 0.0, False)


def test_a_parent_of_zeros_is_none():
    """An invalid id is written so by some."""
    assert read({"parentSpanId": "0" * 16})[0].parent_id == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"stringValue": "404"}, "404"),
        ({"intValue": "404"}, "404"),
        ({"intValue": 404}, "404"),
        ({"doubleValue": 404.0}, "404"),
        ({"doubleValue": 0.5}, "0.5"),
        ({"doubleValue": "NaN"}, "NaN"),
        ({"boolValue": True}, "true"),
        ({"stringValue": ""}, ""),
    ],
)
def test_values_become_text(value, text):
    """Whole numbers are written without a point, whatever type the program gave them."""
    found = read({"attributes": [attribute("http.status_code", **value)]})[0]

    assert found.attributes == {"http.status_code": text}


@pytest.mark.parametrize("value", [{}, {"arrayValue": {"values": [{"intValue": 1}]}}, {"bytesValue": "AA=="}])
def test_values_that_are_no_text_are_left_out(value):
    """Lists, maps and bytes name no pod and no code."""
    resource = {"attributes": [attribute("process.command_args", **value)]}

    found = read({"attributes": [attribute("http.route", **value)]}, resource=resource)[0]

    assert (found.attributes, found.resource) == ({}, {})


def test_only_attributes_that_are_read_are_kept():
    """A query text or a header of a customer has no place here."""
    attributes = [attribute("db.query.text", stringValue="select"), attribute("http.route", stringValue="/o")]

    assert read({"attributes": attributes})[0].attributes == {"http.route": "/o"}


def test_all_attributes_of_a_resource_are_kept():
    """Which of them tells the cohort is for the settings to say."""
    told = [attribute("pod-hash", stringValue="7d9c"), attribute("replica", intValue="3")]

    assert read({}, resource={"attributes": told})[0].resource == {"pod-hash": "7d9c", "replica": "3"}


def test_a_pods_resource_is_one_for_all_its_spans():
    """Fifty thousand visits of ten pods keep ten resources."""
    resource = {"attributes": [attribute("service.name", stringValue="orders")]}

    first, again = read({}, resource=resource)[0], read({}, resource=resource)[0]

    assert first.resource is again.resource


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"resourceSpans": []},
        {"resourceSpans": [{}]},
        {"resourceSpans": [{"scopeSpans": [{}, {"scope": {"name": "again"}}]}]},
    ],
)
def test_nothing_within_is_no_span(body):
    """A store that was given a span twice answers with a scope of none."""
    assert list(otlp.spans(json.dumps(body).encode())) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!doctype html>", "malformed"),
        (b"[]", "Expected `object`"),
        (b'{"resourceSpans": 1}', "Expected `array`"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 1}]}]}]}', "Expected `str`"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}', "missing required field"),
    ],
)
def test_what_is_no_otlp_is_refused(body, said):
    """A page, another's JSON, wrong types."""
    with pytest.raises(ValueError, match=said):
        list(otlp.spans(body))


@pytest.mark.parametrize(
    "written",
    [
        {"traceId": "AAAAAAAAAAEAAAAAAAAAAg=="},
        {"spanId": "ab"},
        {"parentSpanId": "ab"},
        {"traceId": "g" * 32},
        {"spanId": "0x" * 8},
        {"parentSpanId": "_" * 16},
        {"spanId": " " * 16, "parentSpanId": PARENT},
    ],
)
def test_ids_of_another_alphabet_are_refused(written):
    """Older gateways write base64: taken for an id, it would join nothing."""
    with pytest.raises(ValueError, match=r"length|no ids|hexadecimal"):
        read(written)


@pytest.mark.parametrize("written", ["soon", "9" * 400, "9" * 5000])
def test_a_number_that_is_none_is_refused(written):
    """Times are numbers, be they text, and of this world."""
    with pytest.raises(ValueError):  # noqa: PT011 - in Python's own words
        read({"startTimeUnixNano": written})


def test_depth_without_end_is_refused():
    """As an answer that cannot be read, not as a fault of ours."""
    with pytest.raises(ValueError, match="recursion"):
        list(otlp.spans(b'{"resourceSpans":' + b"[" * 100_000))


def test_long_values_are_kept_whole():
    """They are only not remembered."""
    route = "/orders/" + "x" * 5000
    resource = {"attributes": [attribute("process.command_line", stringValue="y" * 20_000)]}

    span = read({"attributes": [attribute("http.route", stringValue=route)]}, resource=resource)[0]

    assert span.attributes["http.route"] == route
    assert len(span.resource["process.command_line"]) == 20_000


def test_a_shops_trace_is_joined_from_it():
    """What programs send is what is judged."""
    hops = (Hop("v2", declined=True), Hop("v1", after=0.1, answered=False))
    trip = Trip(TRACE, 1700000000.0, hops, code=404, state="ot=th:c")
    body = json.dumps({"resourceSpans": resource_spans([trip])}).encode()

    trace = joined(otlp.spans(body), Sought(("orders",), (Operation("gateway", "POST /orders"),)))[0]

    assert trace.root is not None
    assert (trace.root.operation, trace.root.code, trace.root.failed) == ("POST /orders", "404", False)
    assert [visit.resource["service.version"] for visit in trace.visits] == ["v2"]
    assert [(call.answered, call.address) for call in trace.calls] == [
        (True, "10.0.2.1"),
        (False, "10.0.1.1"),
    ]
    assert (trace.failed_below, trace.probability) == (True, 0.25)


KEYS = ("http.route", "http.request.method", "messaging.destination", "server.address", "junk")
WRITTEN = st.fixed_dictionaries(
    {"spanId": st.sampled_from([SPAN, SPAN.upper(), PARENT, "0" * 15 + "1"]), "kind": st.integers(0, 7)},
    optional={
        "traceId": st.sampled_from([TRACE.upper(), TRACE[::-1]]),
        "parentSpanId": st.sampled_from(["", "0" * 16, SPAN, PARENT]),
        "name": st.sampled_from(["POST", "POST /orders"]),
        "startTimeUnixNano": st.integers(0, 2**64) | st.integers(0, 9).map(str),
        "endTimeUnixNano": st.integers(0, 2**64).map(str),
        "attributes": st.lists(
            st.builds(attribute, st.sampled_from(KEYS), stringValue=st.sampled_from(["orders", "/o", ""]))
        ),
        "links": st.lists(st.sampled_from([{}, {"traceId": ""}, {"traceId": TRACE.upper()}])),
        "status": st.sampled_from([{}, {"code": 1}, {"code": 2}]),
        "traceState": st.sampled_from(["ot=th:8", "ot=th:c", "a=b"]),
    },
)


@given(st.lists(WRITTEN, max_size=6))
def test_spans_as_they_were_read_make_the_same_traces(written):
    """What is read of them late is what is read of them at once."""
    resource = {"attributes": [attribute("service.name", stringValue="orders")]}
    scopes = [{"spans": [{"traceId": TRACE, **span} for span in written]}]
    body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}).encode()
    sought = Sought(("orders",), (Operation("orders", "POST"),))

    assert joined(wire(body), sought) == joined(otlp.spans(body), sought)


def wire(body: bytes) -> list[otlp.WireSpan]:
    return list(otlp.wire_spans(msgspec.json.decode(body, type=otlp.Body)))


def test_attributes_that_nobody_asks_for_are_not_read():
    """Most spans of a trace only lead from one to another."""
    told = {"traceId": TRACE, "spanId": SPAN, "parentSpanId": PARENT, "kind": 1, "attributes": [{"key": 1}]}
    span = wire(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [told]}]}]}).encode())[0]

    assert joined([span], Sought(("orders",)))[0].root is None
    with pytest.raises(ValueError, match="Expected `str`"):
        assert span.attributes


def test_an_attribute_that_is_not_read_may_be_anything():
    """It is somebody else's."""
    told = [attribute("http.route", stringValue="/o"), attribute("junk", stringValue=1)]

    assert read({"attributes": told})[0].attributes == {"http.route": "/o"}


def zipkin(*kinds: int) -> list[otlp.WireSpan]:
    """A root, a call with its answer under one id, what that one asked of others, and a stranger."""
    root = {"spanId": PARENT, "kind": 2}
    called = [{"spanId": SPAN, "parentSpanId": PARENT, "kind": kind} for kind in kinds]
    below = {"spanId": "1" * 16, "parentSpanId": SPAN, "kind": 3}
    spans = [{"traceId": TRACE, **span} for span in (root, *called, below)]
    stranger = {"traceId": TRACE[::-1], "spanId": SPAN, "kind": 2}
    scopes = [{"spans": [*spans, stranger]}]
    return wire(json.dumps({"resourceSpans": [{"scopeSpans": scopes}]}).encode())


@pytest.mark.parametrize("kinds", [(3, 2), (2, 3)])
def test_a_server_does_not_share_its_callers_id(kinds):
    """Zipkin's programs give one id to both, and the server's calls are its own."""
    root, *both, below, stranger = otlp.parted(zipkin(*kinds))
    call, server = sorted(both, key=lambda span: span.kind, reverse=True)

    assert (call.span_id, call.parent_id) == (SPAN, root.span_id)
    assert (server.parent_id, below.parent_id) == (SPAN, server.span_id)
    assert server.span_id not in (SPAN, PARENT)
    assert (stranger.span_id, stranger.parent_id) == (SPAN, "")


@pytest.mark.parametrize("kinds", [(3,), (2,), (2, 2), (3, 3)])
def test_what_was_delivered_twice_stays_one(kinds):
    """Of one kind under one id there is one span."""
    spans = zipkin(*kinds)

    assert {span.span_id for span in otlp.parted(spans)} == {PARENT, SPAN, "1" * 16}
