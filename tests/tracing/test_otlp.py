"""Spans as OTLP/JSON writes them, with all that its specification allows."""

import json

import pytest

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


@pytest.mark.parametrize("written", [{"traceId": "AAAAAAAAAAEAAAAAAAAAAg=="}, {"spanId": "ab"}])
def test_ids_of_another_alphabet_are_refused(written):
    """Older gateways write base64: taken for an id, it would join nothing."""
    with pytest.raises(ValueError, match="matching regex"):
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
