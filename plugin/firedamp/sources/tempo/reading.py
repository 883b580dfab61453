"""
Spans out of the answer to a TraceQL search.

It is protobuf written as JSON: numbers of 64 bits are text, and whatever is zero is missing. The ids of
traces come without their leading zeros. A span's own attributes and its resource's stand side by side,
without their scope, and so do kind, status and parent; what a trace began with is told of each, where Tempo
knows it.

Source: Tempo 2.8, pkg/traceql/engine.go, asTraceSearchMetadata; pkg/util/traceid.go.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

import msgspec

from firedamp.queries import Operation
from firedamp.tracing import KEPT, Attributes, Kind, Span

_NANOS = 10**9  # whole: a float would round times twice
_KINDS = {kind.name.lower(): kind for kind in Kind}
_NO_ROOT = "<root span not yet received>"
_SPAN = {"span_id": "spanID", "start": "startTimeUnixNano", "took": "durationNanos"}
_TRACE = {"trace_id": "traceID", "service": "rootServiceName", "name": "rootTraceName"}

_TraceId = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{1,32}$")]
_SpanId = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{1,16}$")]


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None


class _Attribute(msgspec.Struct, gc=False):
    key: str
    value: _Value | None = None


class _Span(msgspec.Struct, rename=_SPAN, gc=False):
    span_id: _SpanId
    name: str = ""
    start: int | str = 0
    took: int | str = 0
    attributes: list[_Attribute] = []


class _Set(msgspec.Struct, gc=False):
    spans: list[_Span] = []
    matched: int = 0


class _Trace(msgspec.Struct, rename=_TRACE, gc=False):
    trace_id: _TraceId
    service: str = ""
    name: str = ""
    sets: list[_Set] | None = msgspec.field(name="spanSets", default=None)
    lone: _Set | None = msgspec.field(name="spanSet", default=None)


class _Body(msgspec.Struct, gc=False):
    traces: list[_Trace] | None = None
    metrics: msgspec.Raw = msgspec.Raw(b"")


_BODY = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class Page:
    """
    An answer, read.

    Attributes:
        traces: how many it has.
        cut: there may be more.
        spans: of all its traces.
        named: what its traces began with, by their ids, where Tempo knows.
        crowded: so many traces have more matching spans than were told.
    """

    traces: int
    cut: bool
    spans: Sequence[Span]
    named: Mapping[str, Operation]
    crowded: int


def read(body: bytes, asked: int, resource: Collection[str]) -> Page:
    """
    Read the answer to a search for so many traces; these attributes are those of resources.

    Raises:
        ValueError: a Tempo does not answer so; says what.
    """
    try:
        told = _BODY.decode(body)
        if told.traces is None and not bytes(told.metrics):
            raise ValueError("neither traces nor metrics are in it")
        return _page(told.traces or (), asked, resource)
    except (msgspec.MsgspecError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _page(traces: Sequence[_Trace], asked: int, resource: Collection[str]) -> Page:
    pods: dict[tuple[tuple[str, str], ...], Attributes] = {}
    spans, named = [], {}
    crowded = 0
    for trace in traces:
        trace_id = trace.trace_id.lower().zfill(32)
        if trace.service not in ("", _NO_ROOT):
            named[trace_id] = Operation(trace.service, trace.name)
        sets = trace.sets if trace.sets is not None else [trace.lone or _Set()]
        crowded += any(one.matched > len(one.spans) for one in sets)
        spans += [_span(span, trace_id, resource, pods) for one in sets for span in one.spans]
    return Page(len(traces), len(traces) >= asked, spans, named, crowded)


def _span(
    span: _Span, trace_id: str, resource: Collection[str], pods: dict[tuple[tuple[str, str], ...], Attributes]
) -> Span:
    told = dict(_texts(span.attributes))
    of_pod = tuple(sorted((name, told[name]) for name in resource if name in told))
    parent = told.get("span:parentID", "").lower().zfill(16)
    return Span(
        trace_id,
        span.span_id.lower().zfill(16),
        parent if parent.strip("0") else "",
        told.get("service.name", ""),
        span.name or told.get("name", ""),
        _KINDS.get(told.get("kind", ""), Kind.UNSPECIFIED),
        int(span.start) / _NANOS,
        max(0, int(span.took)) / _NANOS,
        told.get("status") == "error",
        pods.setdefault(of_pod, MappingProxyType(dict(of_pod))),
        {name: text for name, text in told.items() if name in KEPT},
    )


def _texts(attributes: Sequence[_Attribute]) -> Iterator[tuple[str, str]]:
    for one in attributes:
        if one.value is not None and (text := _text(one.value)) is not None:
            yield one.key, text


def _text(value: _Value) -> str | None:
    """A value as text, whole numbers without a point; None for lists."""
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return str(value.int_value)
    if value.bool_value is not None:
        return str(value.bool_value).lower()
    number = value.double_value
    if isinstance(number, float) and number.is_integer():
        return str(int(number))
    return None if number is None else str(number)
