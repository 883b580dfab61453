"""
Recorded samples as a source, for demonstrations, tests and the judging of past releases.

A recording is JSON Lines, gzipped where its name ends in .gz: a first line
`{"firedamp_recording": 1}`, then one series per line with its name, labels, times (the first in Unix
milliseconds, then distances) and values. Selectors match as in PromQL; beyond a plain selector no
expression is evaluated.
"""

import gzip
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from firedamp.cohorts import Matchers
from firedamp.counting import LOOK_BACK_SECONDS, Floats, Samples, Series
from firedamp.errors import SourceRefusedError
from firedamp.ports import Span
from firedamp.queries import Counted, Increase, Level, Matcher, Need, Op, Selector, selector

_FORMAT = 1
_PROCESS_START = "process_start_time_seconds"
#: PromQL takes a series' last sample for its present value for so long.
_STALE_SECONDS = LOOK_BACK_SECONDS


class ReplaySettings(BaseModel):
    """A recording to judge from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["replay"] = "replay"
    name: str = Field(min_length=1, max_length=63)
    path: Annotated[Path, Field(strict=False)]
    #: Unix time at which the first sample shall lie; null leaves times as recorded.
    begin: float | None = None
    #: Label that carries the pod's name.
    pod_label: str = "pod"
    lag: Annotated[float, Field(ge=0, le=600)] = 0.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded series; times in Unix seconds, ascending."""

    name: str
    labels: Mapping[str, str]
    times: Floats
    values: Floats


class _Line(msgspec.Struct):
    name: str
    labels: dict[str, str]
    times: list[int]
    values: list[float | None]


class _Head(msgspec.Struct):
    firedamp_recording: int


class ReplaySource:
    """A `firedamp.ports.Source` over recorded series."""

    def __init__(self, recorded: Iterable[Recorded], *, pod_label: str = "pod", lag: float = 0.0) -> None:
        self._pod_label = pod_label
        self.lag_seconds = lag
        self._by_name: dict[str, list[Recorded]] = {}
        for one in recorded:
            self._by_name.setdefault(one.name, []).append(one)

    @classmethod
    def of(cls, settings: ReplaySettings) -> "ReplaySource":
        """
        Read the recording that the settings name.

        Raises:
            SourceRefusedError: it cannot be read.
        """
        recorded = read_recording(settings.path)
        if settings.begin is not None:
            recorded = begun_at(recorded, settings.begin)
        return cls(recorded, pod_label=settings.pod_label, lag=settings.lag)

    async def __aenter__(self) -> "ReplaySource":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Nothing is held open."""

    async def samples(self, need: Need | Increase, cohort: Matchers, span: Span) -> Samples:
        """
        Serve what one need of one cohort brought; no sample is later than `span.end`.

        Raises:
            SourceRefusedError: an expression that is no plain selector, or no regular expression.
        """
        match need:
            case Counted():
                inside = self._between(need.selector.where(*cohort), span.begin, span.end)
                births = self._between(Selector(_PROCESS_START).where(*cohort), span.begin, span.end)
                return Samples(tuple(inside), starts=self._starts(births), beside=tuple(births))
            case Level():
                text = need.expression.promql(cohort, span.window_seconds)
                return Samples(tuple(self._at(_plain(text), span.ends)))
            case Increase():
                return Samples(tuple(self._increases(need, cohort, span)))

    async def start_times(self, cohort: Matchers, span: Span) -> Mapping[str, float]:
        """Unix time at which each pod's oldest process began, where that was recorded."""
        return self._starts(self._between(Selector(_PROCESS_START).where(*cohort), span.begin, span.end))

    def _matching(self, wanted: Selector) -> list[Recorded]:
        accepts = [(one.label, _accepting(one)) for one in wanted.matchers]
        return [
            one
            for one in self._by_name.get(wanted.metric, [])
            if all(accept(one.labels.get(label, "")) for label, accept in accepts)
        ]

    def _between(self, wanted: Selector, begin: float, end: float) -> list[Series]:
        found = []
        for one in self._matching(wanted):
            first, last = np.searchsorted(one.times, [begin, end], side="right")
            if last > first:
                found.append(Series(one.labels, one.times[first:last], one.values[first:last]))
        return found

    def _at(self, wanted: Selector, ends: Sequence[float]) -> Iterator[Series]:
        for one in self._matching(wanted):
            found = [(end, value) for end in ends if (value := _value_at(one, end)) is not None]
            if found:
                times, values = zip(*found, strict=True)
                yield Series(one.labels, np.array(times), np.array(values))

    def _increases(self, need: Increase, cohort: Matchers, span: Span) -> Iterator[Series]:
        pods: dict[str, dict[float, float]] = {}
        for one in self._matching(need.selector.where(*cohort)):
            known = pods.setdefault(one.labels.get(self._pod_label, "") if need.per_pod else "", {})
            for end, increase in _increases(one, span.ends, span.window_seconds):
                known[end] = known.get(end, 0.0) + increase
        for pod, known in pods.items():
            times = np.array(sorted(known))
            labels = {self._pod_label: pod} if need.per_pod else {}
            yield Series(labels, times, np.array([known[end] for end in times.tolist()]))

    def _starts(self, births: Iterable[Series]) -> dict[str, float]:
        found: dict[str, float] = {}
        for one in births:
            pod = one.labels.get(self._pod_label, "")
            found[pod] = min(found.get(pod, math.inf), float(one.values[-1]))
        return found


def write_recording(path: Path, recorded: Iterable[Recorded]) -> None:
    """Write series to a file; times are kept to the millisecond, NaN as null."""
    lines = [msgspec.json.encode(_Head(_FORMAT)), *(msgspec.json.encode(_line(one)) for one in recorded)]
    body = b"\n".join([*lines, b""])
    if path.suffix == ".gz":
        packed = io.BytesIO()
        # Neither name nor time of writing: the same series give the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
            file.write(body)
        body = packed.getvalue()
    path.write_bytes(body)


def read_recording(path: Path) -> list[Recorded]:
    """
    Read series from a file that `write_recording` wrote.

    Raises:
        SourceRefusedError: the file is missing or no recording.
    """
    try:
        body = path.read_bytes()
        head, *lines = (gzip.decompress(body) if path.suffix == ".gz" else body).splitlines() or [b""]
        version = msgspec.json.decode(head, type=_Head).firedamp_recording
        if version != _FORMAT:
            raise SourceRefusedError(f"{path} is a recording of format {version}; {_FORMAT} can be read")
        return [_recorded(msgspec.json.decode(line, type=_Line)) for line in lines]
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise SourceRefusedError(f"{path} is no recording of firedamp: {error}") from error


def begun_at(recorded: Sequence[Recorded], begin: float) -> list[Recorded]:
    """Move a recording in time so that its first sample lies at `begin`, process start times with it."""
    first = min((float(one.times[0]) for one in recorded if len(one.times)), default=begin)
    shift = round(begin - first, 3)
    return [
        replace(
            one,
            times=one.times + shift,
            values=one.values + shift if one.name == _PROCESS_START else one.values,
        )
        for one in recorded
    ]


def _line(one: Recorded) -> _Line:
    ms = np.rint(1000 * one.times).astype(np.int64)
    values = [None if math.isnan(value) else value for value in one.values.tolist()]
    return _Line(one.name, dict(one.labels), np.diff(ms, prepend=0).tolist(), values)


def _recorded(line: _Line) -> Recorded:
    times = np.cumsum(np.array(line.times, dtype=np.int64)) / 1000
    values = np.array([math.nan if value is None else value for value in line.values], dtype=np.float64)
    if len(times) != len(values):
        raise ValueError(f"{line.name} has {len(times)} times and {len(values)} values")
    return Recorded(line.name, line.labels, times, values)


def _plain(text: str) -> Selector:
    try:
        return selector(text)
    except ValueError as error:
        raise SourceRefusedError(f"a recording can only be asked for a plain selector: {error}") from error


def _accepting(matcher: Matcher) -> Callable[[str], bool]:
    if matcher.op is Op.EQUAL:
        return lambda value: value == matcher.value
    if matcher.op is Op.NOT_EQUAL:
        return lambda value: value != matcher.value
    try:
        pattern = re.compile(matcher.value)
    except re.error as error:
        raise SourceRefusedError(f"{matcher.value!r} is no regular expression: {error}") from error
    wanted = matcher.op is Op.MATCH
    return lambda value: (pattern.fullmatch(value) is not None) is wanted


def _increases(one: Recorded, ends: Sequence[float], length: float) -> Iterator[tuple[float, float]]:
    """What a counter increased by in each block in which it was seen, by the block's end."""
    seen = np.isfinite(one.values)
    times, values = one.times[seen], one.values[seen]
    steps = np.diff(values)
    # Below its predecessor it began again at zero.
    grown = np.concatenate([[0.0], np.cumsum(np.where(steps < 0, values[1:], steps))])
    for end in ends:
        first, last = np.searchsorted(times, [end - length, end], side="right")
        if last > first:
            yield end, float(grown[last - 1] - grown[max(first - 1, 0)])


def _value_at(one: Recorded, time: float) -> float | None:
    at = int(np.searchsorted(one.times, time, side="right")) - 1
    if at < 0 or one.times[at] <= time - _STALE_SECONDS or math.isnan(one.values[at]):
        return None
    return float(one.values[at])
