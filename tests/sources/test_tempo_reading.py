"""Answers of a Tempo, as its documentation and its source show them."""

import json
from typing import Any

import pytest

from firedamp.queries import Operation
from firedamp.sources.tempo.reading import Page, read
from firedamp.tracing import Kind, Span

RESOURCE = ("service.name", "k8s.pod.name")
#: After docs/sources/tempo/api_docs, "Search", with what `select` and `by` add.
RECORDED = """{"traces": [{
  "traceID": "2f3e0cee77ae5dc9c17ade3689eb2e54",
  "rootServiceName": "gateway",
  "rootTraceName": "POST /orders",
  "startTimeUnixNano": "1684778327699392724",
  "durationMs": 557,
  "spanSets": [{
    "spans": [{
      "spanID": "563d623c76514f8e",
      "name": "POST /orders",
      "startTimeUnixNano": "1684778327735077898",
      "durationNanos": "446979497",
      "attributes": [
        {"key": "status", "value": {"stringValue": "error"}},
        {"key": "kind", "value": {"stringValue": "server"}},
        {"key": "span:parentID", "value": {"stringValue": "00000000000000ab"}},
        {"key": "http.response.status_code", "value": {"intValue": "500"}},
        {"key": "http.status_code", "value": {"doubleValue": 500}},
        {"key": "service.name", "value": {"stringValue": "orders"}},
        {"key": "k8s.pod.name", "value": {"stringValue": "orders-7d9c8b6f5-x2x"}},
        {"key": "nestedSetParent", "value": {"intValue": "-1"}},
        {"key": "http.route", "value": {"arrayValue": {"values": [{"stringValue": "/a"}]}}}
      ]
    }],
    "matched": 1,
    "attributes": [{"key": "by(span:id)", "value": {"stringValue": "563d623c76514f8e"}}]
  }],
  "serviceStats": {"orders": {"spanCount": 2, "errorCount": 1}}
}],
"metrics": {"inspectedTraces": 3100, "inspectedBytes": "3811736", "completedJobs": 1, "totalJobs": 1}}"""
SPAN = Span(
    "2f3e0cee77ae5dc9c17ade3689eb2e54",
    "563d623c76514f8e",
    "00000000000000ab",
    "orders",
    "POST /orders",
    Kind.SERVER,
    1684778327735077898 / 10**9,
    446979497 / 10**9,
    failed=True,
    resource={"service.name": "orders", "k8s.pod.name": "orders-7d9c8b6f5-x2x"},
    attributes={"http.response.status_code": "500", "http.status_code": "500"},
)


def page(*traces: dict[str, Any], asked: int = 10) -> Page:
    return read(json.dumps({"traces": traces, "metrics": {}}).encode(), asked, RESOURCE)


def found(**told: Any) -> dict[str, Any]:
    return {"traceID": "1", "spanSets": [{"spans": [{"spanID": "2", **told}], "matched": 1}]}


def test_a_recorded_answer_is_read():
    """Ids, times, kind, status and parent; attributes in text, those of the pod by themselves."""
    told = read(RECORDED.encode(), 10, RESOURCE)

    assert list(told.spans) == [SPAN]
    assert told.named == {SPAN.trace_id: Operation("gateway", "POST /orders")}
    assert (told.traces, told.cut, told.crowded) == (1, False, 0)


def test_ids_are_padded():
    """Tempo leaves out their leading zeros; joined to what others say, they are whole."""
    (span,) = page(found(attributes=[{"key": "span:parentID", "value": {"stringValue": "aB"}}])).spans

    assert (span.trace_id, span.span_id, span.parent_id) == ("1".zfill(32), "2".zfill(16), "ab".zfill(16))


@pytest.mark.parametrize("parent", [[], [{"key": "span:parentID", "value": {"stringValue": "0" * 16}}]])
def test_a_root_has_no_parent(parent):
    """It is left out, or written as zeros."""
    (span,) = page(found(attributes=parent)).spans

    assert span.parent_id == ""


def test_what_is_zero_is_left_out():
    """A span that began with time and took none, with nothing told of it."""
    (span,) = page(found()).spans

    assert span == Span("1".zfill(32), "2".zfill(16), "", "", "", Kind.UNSPECIFIED, 0.0, 0.0)


@pytest.mark.parametrize("start", ["1700000000000000000", 1_700_000_000_000_000_000])
def test_numbers_may_be_text(start):
    """Protobuf as JSON writes those of 64 bits so; what only likens Tempo may not."""
    (span,) = page(found(startTimeUnixNano=start)).spans

    assert span.start == 1_700_000_000.0


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"rootServiceName": "<root span not yet received>"}, {}),
        ({}, {}),
        ({"rootServiceName": "gateway"}, {"1".zfill(32): Operation("gateway", "")}),
    ],
)
def test_a_root_that_has_not_come_is_not_named(told, named):
    """Tempo writes a sentence in place of its service."""
    assert page({**found(), **told}).named == named


def test_an_older_answer_has_one_set():
    """The field is deprecated, and answers have both."""
    lone = {"traceID": "1", "spanSet": {"spans": [{"spanID": "2"}], "matched": 1}}
    both = {**found(), "spanSet": lone["spanSet"]}

    assert page(lone).spans == page(both).spans == page(found()).spans


@pytest.mark.parametrize(("asked", "cut"), [(3, False), (2, True), (1, True)])
def test_as_many_as_asked_for_may_be_a_part(asked, cut):
    """Nothing in the answer tells; old versions give more than was asked for."""
    other = {**found(), "traceID": "2"}

    assert page(found(), other, asked=asked).cut is cut


def test_spans_that_are_not_told_are_counted():
    """Tempo says how many match."""
    crowded = {"traceID": "1", "spanSets": [{"spans": [{"spanID": "2"}], "matched": 101}]}

    assert page(crowded, found()).crowded == 1


def test_spans_of_a_pod_share_what_is_told_of_it():
    """A thousand spans keep one pod's attributes."""
    pod = [{"key": "k8s.pod.name", "value": {"stringValue": "a"}}]
    one, other = page(found(attributes=pod), found(attributes=pod)).spans

    assert one.resource is other.resource


@pytest.mark.parametrize(
    "told",
    [
        {"traceID": ""},
        {"traceID": "g"},
        {"traceID": "1" * 33},
        {"traceID": 7},
        {},
        found(startTimeUnixNano="soon"),
        found(spanID="1" * 17),
        found(attributes=[{"value": {}}]),
    ],
)
def test_what_a_tempo_does_not_say_is_refused(told):
    """With what is wrong, for a person to read."""
    with pytest.raises(ValueError, match=r"\w"):
        page(told)
