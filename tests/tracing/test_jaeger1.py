"""Spans as Jaeger's own page gets them; shapes as Jaeger 1.76 answered."""

import json

import pytest

from firedamp.tracing import Kind, Span, jaeger1

TRACE, SPAN, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8"
POD = {"serviceName": "orders", "tags": [{"key": "service.version", "type": "string", "value": "v2"}]}


def read(*tags: tuple[str, object], **told: object) -> Span:
    span = {
        "traceID": TRACE,
        "spanID": SPAN,
        "operationName": "POST /orders",
        "references": [],
        "startTime": 1700000000250000,
        "duration": 750000,
        "tags": [{"key": key, "type": "string", "value": value} for key, value in tags],
        "logs": [],
        "processID": "p1",
        "warnings": None,
        **told,
    }
    return answered(span)[0]


def answered(*spans: dict) -> list[Span]:
    data = [{"traceID": TRACE, "spans": list(spans), "processes": {"p1": POD}, "warnings": None}]
    body = {"data": data, "total": 0, "limit": 0, "offset": 0, "errors": None}
    return list(jaeger1.spans(json.dumps(body).encode()))


def reference(kind: str, trace: str = TRACE, span: str = PARENT) -> dict:
    return {"refType": kind, "traceID": trace, "spanID": span}


def test_a_span_has_all_that_is_judged():
    """What OTLP says in fields is said in tags here."""
    span = read(("span.kind", "server"), ("http.status_code", 404), ("w3c.tracestate", "ot=th:8"))

    assert (span.trace_id, span.span_id, span.parent_id) == (TRACE, SPAN, "")
    assert (span.service, span.name, span.kind) == ("orders", "POST /orders", Kind.SERVER)
    assert (span.start, span.seconds) == (1700000000.25, 0.75)
    assert (span.failed, span.code, span.state) == (False, "404", "ot=th:8")
    assert span.resource == {"service.name": "orders", "service.version": "v2"}
    assert span.attributes == {"http.status_code": "404"}


def test_ids_get_their_zeros_back():
    """They are written as numbers; 32 and 16 digits are what others know."""
    span = read(traceID="abc", spanID="1", references=[reference("CHILD_OF", "ABC", "2")])

    assert (span.trace_id, span.span_id, span.parent_id) == (f"{'abc':0>32}", f"{1:016}", f"{2:016}")


@pytest.mark.parametrize(
    ("tags", "failed"),
    [
        ([("error", True)], True),
        ([("error", "true")], True),
        ([("otel.status_code", "ERROR"), ("error", True)], True),
        ([("otel.status_code", "OK"), ("error", True)], False),
        ([("error", False)], False),
        ([("error", "disk full")], False),
        ([], False),
    ],
)
def test_a_status_outweighs_the_tag_of_older_days(tags, failed):
    """Programs of OpenTracing times know the tag alone."""
    assert read(*tags).failed is failed


def test_a_span_is_the_child_of_whom_it_says():
    """What it follows from is second to that."""
    span = read(references=[reference("FOLLOWS_FROM", span="1"), reference("CHILD_OF")])

    assert (span.parent_id, span.links) == (PARENT, ())


def test_what_a_span_follows_from_is_its_parent_where_it_has_no_other():
    """So queues were written before there were links."""
    assert read(references=[reference("FOLLOWS_FROM")]).parent_id == PARENT


def test_a_reference_to_another_trace_is_a_link():
    """It is no parent."""
    span = read(references=[reference("FOLLOWS_FROM", "abc")])

    assert (span.parent_id, span.links) == ("", (f"{'abc':0>32}",))


def test_a_span_of_nobody_is_kept():
    """A process that is not there leaves its service unknown."""
    span = read(processID="p9")

    assert (span.service, span.resource) == ("", {})


@pytest.mark.parametrize("body", [b"{}", b'{"data": null}', b'{"data": []}', b'{"data": [{"traceID": "1"}]}'])
def test_nothing_within_is_no_span(body):
    """Nothing found is an answer too."""
    assert list(jaeger1.spans(body)) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!doctype html>", "malformed"),
        (b'{"data": 7}', "Expected `array"),
        (b'{"data": [{"spans": [{"traceID": "", "spanID": "1"}]}]}', "hexadecimal digits"),
        (b'{"data": [{"spans": [{"traceID": "1"}]}]}', "missing required field"),
    ],
)
def test_what_jaeger_does_not_say_is_refused(body, said):
    """A page, wrong types, ids that are none."""
    with pytest.raises(ValueError, match=said):
        list(jaeger1.spans(body))
