"""
The two languages of a Jaeger: how a search is written and what an answer means.

v3 is the documented one; its parameters are sent by their old names, which every version since 1.35 takes.
v1 feeds Jaeger's own page, was never documented and ended with 2.20. A path that a Jaeger does not know is
answered with its page and status 200.

Others answer in v1 as well, each with differences (`Dialect`).

Source: Jaeger 1.76, cmd/query/app/apiv3/http_gateway.go and cmd/query/app/http_handler.go.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from firedamp.sources._client import Answer, Question
from firedamp.sources._slicing import Slice
from firedamp.sources.jaeger.naming import Name, Search
from firedamp.tracing import AnySpan, jaeger1, otlp

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Refusal(msgspec.Struct):
    message: str = ""


class _Told(msgspec.Struct):
    msg: str = ""


class _Complaint(msgspec.Struct):
    error: _Refusal | None = None
    errors: list[_Told] | None = None


class _Name(msgspec.Struct, rename="camel"):
    name: str
    span_kind: str = ""


class _Found(msgspec.Struct):
    result: otlp.Body


class _Operations(msgspec.Struct):
    operations: list[_Name] = []


class _Data(msgspec.Struct):
    data: list[_Name] | None


def complaint(body: bytes) -> str:
    """What a Jaeger says is wrong, in its own words; empty where the body is no such thing."""
    try:
        told = msgspec.json.decode(body, type=_Complaint)
    except (msgspec.MsgspecError, RecursionError):
        return ""
    if told.error is not None:
        return told.error.message
    return "; ".join(one.msg for one in told.errors or ())


@dataclass(frozen=True, slots=True)
class Dialect:
    """
    One API.

    Attributes:
        search: writes a search within a slice for so many traces.
        names: writes the question after the names of a service's spans.
        spans: of an answer to a search; ValueError where it is none.
        names_in: an answer to the other; likewise.
        complaint: what is wrong, in the words of whoever speaks it.
        speaker: who that is.
        by_end: spans are found by when they ended.
    """

    search: Callable[[Search, Slice, int], Question]
    names: Callable[[str], Question]
    spans: Callable[[Answer], Iterator[AnySpan]]
    names_in: Callable[[Answer], tuple[Name, ...]]
    complaint: Callable[[bytes], str] = complaint
    speaker: str = "a Jaeger"
    by_end: bool = False


def _search_v3(search: Search, piece: Slice, traces: int) -> Question:
    told = {
        "query.service_name": search.service,
        "query.operation_name": search.name,
        "query.start_time_min": _written(piece.begin),
        "query.start_time_max": _written(piece.end),
        "query.num_traces": str(traces),
        # As they were sent: a third of its time would go into what a page shows, and into clocks it guesses.
        "query.raw_traces": "true",
    }
    return Question("/api/v3/traces", {key: value for key, value in told.items() if value})


def _spans_v3(answer: Answer) -> Iterator[AnySpan]:
    if answer.status == 404:
        if "No traces found" not in complaint(answer.body):
            raise ValueError("404, and not for want of traces")
        return iter(())
    return iter(otlp.parted(list(otlp.wire_spans(_decoded(answer.body, _Found).result))))


def _names_v3(answer: Answer) -> tuple[Name, ...]:
    return _names(_decoded(answer.body, _Operations).operations)


def _search_v1(search: Search, piece: Slice, traces: int) -> Question:
    told = {
        "service": search.service,
        "operation": search.name,
        "start": str(piece.begin),
        "end": str(piece.end),
        "limit": str(traces),
    }
    return Question("/api/traces", {key: value for key, value in told.items() if value})


def _spans_v1(answer: Answer) -> Iterator[AnySpan]:
    if answer.status == 404:
        raise ValueError("404")
    if said := complaint(answer.body):
        raise ValueError(said)
    return jaeger1.spans(answer.body)


def _names_v1(answer: Answer) -> tuple[Name, ...]:
    return _names(_decoded(answer.body, _Data).data or ())


def _names(told: Iterable[_Name]) -> tuple[Name, ...]:
    return tuple(Name(one.name, one.span_kind) for one in told)


def _decoded(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _written(microseconds: int) -> str:
    """RFC 3339, as Go reads it."""
    return f"{(_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec='microseconds')[:-6]}Z"


V3 = Dialect(
    _search_v3, lambda service: Question("/api/v3/operations", {"service": service}), _spans_v3, _names_v3
)
V1 = Dialect(
    _search_v1, lambda service: Question("/api/operations", {"service": service}), _spans_v1, _names_v1
)
