"""
Spans out of the JSON that Jaeger's own page is fed with, `/api/traces`, where its API v3 is missing.

Ids come without leading zeros, times in microseconds, and what runs a span is a `process` that the trace
names. Status, kind and trace state are tags; a parent is a reference to the same trace, a link one to
another.

Source: Jaeger 1.76, internal/uimodel/model.go; for what OTLP becomes in tags, opentelemetry-collector-contrib
0.140, pkg/translator/jaeger.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from firedamp.tracing.spans import KEPT, Attributes, Kind, Span

_OWN = frozenset((*KEPT, "span.kind", "error", "otel.status_code", "w3c.tracestate"))
_KINDS = {kind.name.lower(): kind for kind in Kind}
_SPAN = {
    "trace_id": "traceID",
    "span_id": "spanID",
    "name": "operationName",
    "process_id": "processID",
    "start_time": "startTime",
}
_REFERENCE = {"ref_type": "refType", "trace_id": "traceID", "span_id": "spanID"}


class _Tag(msgspec.Struct, gc=False):
    key: str
    value: str | int | float | bool | None = None


class _Reference(msgspec.Struct, rename=_REFERENCE, gc=False):
    ref_type: str
    trace_id: str
    span_id: str


class _Span(msgspec.Struct, rename=_SPAN, gc=False):
    trace_id: str
    span_id: str
    name: str = ""
    references: list[_Reference] | None = None
    process_id: str = ""
    start_time: int = 0
    duration: int = 0
    tags: list[_Tag] | None = None


class _Process(msgspec.Struct, rename="camel", gc=False):
    service_name: str = ""
    tags: list[_Tag] | None = None


class _Trace(msgspec.Struct, gc=False):
    spans: list[_Span] = []
    processes: dict[str, _Process] = {}


class _Body(msgspec.Struct, gc=False):
    data: list[msgspec.Raw] | None = None


_BODY = msgspec.json.Decoder(_Body)
_TRACE = msgspec.json.Decoder(_Trace)


def spans(body: bytes | msgspec.Raw) -> Iterator[Span]:
    """
    Every span of an answer; it is read trace by trace.

    Raises:
        ValueError: on the way, at the first thing that Jaeger does not say; says what.
    """
    pods: dict[tuple[tuple[str, str], ...], Attributes] = {}
    try:
        for piece in _BODY.decode(body).data or ():
            trace = _TRACE.decode(piece)
            resources = {name: _resource(process, pods) for name, process in trace.processes.items()}
            for span in trace.spans:
                yield _span(span, resources.get(span.process_id, {}))
    except (msgspec.MsgspecError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _resource(process: _Process, pods: dict[tuple[tuple[str, str], ...], Attributes]) -> Attributes:
    """Attributes of who ran it; all spans of a pod share them."""
    told = {"service.name": process.service_name, **_texts(process.tags or ())}
    return pods.setdefault(tuple(told.items()), MappingProxyType(told))


def _span(span: _Span, resource: Attributes) -> Span:
    tags = _texts(tag for tag in span.tags or () if tag.key in _OWN)
    trace_id = _id(span.trace_id, 32)
    return Span(
        trace_id,
        _id(span.span_id, 16),
        _parent(span.references or (), trace_id),
        resource.get("service.name", ""),
        span.name,
        _KINDS.get(tags.pop("span.kind", ""), Kind.UNSPECIFIED),
        span.start_time / 1e6,
        max(0, span.duration) / 1e6,
        _failed(tags),
        resource,
        {key: text for key, text in tags.items() if key in KEPT},
        tuple(_links(span.references or (), trace_id)),
        tags.get("w3c.tracestate", ""),
    )


def _failed(tags: Mapping[str, str]) -> bool:
    # Programs of OpenTracing times write error=true and no status.
    status = tags.get("otel.status_code")
    return status == "ERROR" if status is not None else tags.get("error") == "true"


def _parent(references: Sequence[_Reference], trace_id: str) -> str:
    """What it is a child of; what it follows from, where it is nobody's child."""
    own = [one for one in references if _id(one.trace_id, 32) == trace_id]
    chosen = next((one for one in own if one.ref_type == "CHILD_OF"), own[0] if own else None)
    return _id(chosen.span_id, 16) if chosen else ""


def _links(references: Sequence[_Reference], trace_id: str) -> Iterator[str]:
    return (found for one in references if (found := _id(one.trace_id, 32)) != trace_id)


def _id(text: str, digits: int) -> str:
    if not 0 < len(text) <= digits:
        raise ValueError(f"{text!r} is no id, expected at most {digits} hexadecimal digits")
    return text.lower().zfill(digits)


def _texts(tags: Iterable[_Tag]) -> dict[str, str]:
    return {tag.key: _text(tag.value) for tag in tags if tag.value is not None}


def _text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
