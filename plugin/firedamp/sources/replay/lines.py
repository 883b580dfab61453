"""
What stands in a recording: JSON, one series or one trace per line.

A series has its name, labels, times (the first in Unix milliseconds, then distances) and values, NaN as null.
A trace is stored as it was joined for the service under release, in the order of `Trace`'s attributes without
their names: spans would take twice the room and tell nothing more of that service. Its visits and calls begin
so many seconds after it does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec.structs import replace

from firedamp.counting import Floats
from firedamp.tracing import Trace

_MICROSECONDS = 6
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_TraceId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded series; times in Unix seconds, ascending."""

    name: str
    labels: Mapping[str, str]
    times: Floats
    values: Floats


class _Series(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    labels: dict[str, str]
    times: list[int]
    values: list[float | None]


class _Row(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    pass


class _Root(_Row):
    service: str
    operation: str
    name: str
    seconds: _Seconds
    failed: bool
    code: str


class _Visit(_Row):
    start: float
    seconds: _Seconds
    operation: str
    resource: dict[str, str]
    failed: bool
    code: str


class _Call(_Row):
    start: float
    seconds: _Seconds
    answered: bool
    targets: tuple[str, ...]
    address: str
    failed: bool
    code: str


class _Trace(_Row):
    trace_id: _TraceId
    start: float
    root: _Root | None
    visits: tuple[_Visit, ...]
    calls: tuple[_Call, ...]
    failed_below: bool
    links: tuple[_TraceId, ...]
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)] | None


_SERIES = msgspec.json.Decoder(_Series)
_TRACE = msgspec.json.Decoder(_Trace)


def series_line(one: Recorded) -> bytes:
    """A series as a line; times are kept to the millisecond."""
    ms = np.rint(1000 * one.times).astype(np.int64)
    values = [None if math.isnan(value) else value for value in one.values.tolist()]
    return msgspec.json.encode(_Series(one.name, dict(one.labels), np.diff(ms, prepend=0).tolist(), values))


def series_of(line: bytes) -> Recorded:
    """
    Read a series back.

    Raises:
        ValueError: the line is none; says what is wrong.
    """
    read = _SERIES.decode(line)
    times = np.cumsum(np.array(read.times, dtype=np.int64)) / 1000
    values = np.array([math.nan if value is None else value for value in read.values], dtype=np.float64)
    if len(times) != len(values):
        raise ValueError(f"{read.name} has {len(times)} times and {len(values)} values")
    return Recorded(read.name, read.labels, times, values)


def trace_line(trace: Trace) -> bytes:
    """A trace as a line; times are kept to the microsecond."""
    told = replace(moved(trace, -trace.start), start=round(trace.start, _MICROSECONDS))
    return msgspec.json.encode(msgspec.convert(told, _Trace, from_attributes=True))


def trace_of(line: bytes) -> Trace:
    """
    Read a trace back.

    Raises:
        ValueError: the line is none; says what is wrong.
    """
    told = msgspec.convert(_TRACE.decode(line), Trace, from_attributes=True)
    return replace(moved(told, told.start), start=told.start)


def moved(trace: Trace, seconds: float) -> Trace:
    """The same trace so many seconds later, to the microsecond."""

    def later(start: float) -> float:
        return round(start + seconds, _MICROSECONDS)

    return replace(
        trace,
        start=later(trace.start),
        visits=tuple(replace(each, start=later(each.start)) for each in trace.visits),
        calls=tuple(replace(each, start=later(each.start)) for each in trace.calls),
    )
