"""
Recordings as files: JSON Lines, gzipped where the name ends in .gz.

The first line is `{"firedamp_recording": 2, "series": 12, "traces": 340}`; so many lines with a series
follow, then so many with a trace, each as `lines` writes it. Format 1 had series alone, uncounted.
"""

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec

from firedamp.errors import SourceRefusedError
from firedamp.sources.replay.lines import Recorded, moved, series_line, series_of, trace_line, trace_of
from firedamp.tracing import Trace

PROCESS_START = "process_start_time_seconds"
#: A recording is read whole; what is larger was not made for this, or blows up when it is unpacked.
LARGEST_BYTES = 256 * 1024 * 1024
_FORMAT, _WITHOUT_TRACES = 2, 1
_Count = Annotated[int, msgspec.Meta(ge=0)]


@dataclass(frozen=True, slots=True)
class Recording:
    """
    What was recorded.

    Attributes:
        series: of metrics.
        traces: as they were joined for the service under release.
    """

    series: Sequence[Recorded] = ()
    traces: Sequence[Trace] = ()


class _Version(msgspec.Struct):
    firedamp_recording: int


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    firedamp_recording: int
    series: _Count
    traces: _Count


def write_recording(path: Path, recording: Recording) -> None:
    """
    Write a file; the same recording gives the same bytes.

    Raises:
        ValueError: a trace is not one that could be read back.
    """
    head = _Head(_FORMAT, len(recording.series), len(recording.traces))
    lines = [
        msgspec.json.encode(head),
        *map(series_line, recording.series),
        *map(trace_line, recording.traces),
    ]
    body = b"\n".join([*lines, b""])
    if path.suffix == ".gz":
        packed = io.BytesIO()
        # Neither name nor time of writing belongs to what was recorded.
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
            file.write(body)
        body = packed.getvalue()
    path.write_bytes(body)


def read_recording(path: Path, *, largest: int = LARGEST_BYTES) -> Recording:
    """
    Read a file that `write_recording` wrote, of this version or an older one.

    Args:
        path: of the file.
        largest: bytes that it may have, unpacked.

    Raises:
        SourceRefusedError: the file is missing, too large or no recording.
    """
    try:
        head, *lines = _body(path, largest).splitlines() or [b""]
        count = _series_in(head, lines)
        return Recording(
            [series_of(line) for line in lines[:count]], [trace_of(line) for line in lines[count:]]
        )
    except (OSError, EOFError, ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise SourceRefusedError(f"{path} is no recording of firedamp: {error}") from error


def begun_at(recording: Recording, begin: float) -> Recording:
    """
    Move a recording in time so that its first sample lies at `begin`, process start times and traces with it.

    Where there is no sample, its first trace begins there.
    """
    traces = (trace.start for trace in recording.traces)
    samples = (float(one.times[0]) for one in recording.series if len(one.times))
    shift = round(begin - min(samples, default=min(traces, default=begin)), 3)
    return Recording(
        [_later(one, shift) for one in recording.series], [moved(trace, shift) for trace in recording.traces]
    )


def _later(one: Recorded, shift: float) -> Recorded:
    values = one.values + shift if one.name == PROCESS_START else one.values
    return replace(one, times=one.times + shift, values=values)


def _body(path: Path, largest: int) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        body = file.read(largest + 1)
    if len(body) > largest:
        raise ValueError(f"it has more than {largest} bytes; cut it into shorter ones")
    return body


def _series_in(head: bytes, lines: Sequence[bytes]) -> int:
    """How many of the lines are series; the rest are traces."""
    version = msgspec.json.decode(head, type=_Version).firedamp_recording
    if version == _WITHOUT_TRACES:
        return len(lines)
    if version != _FORMAT:
        raise ValueError(f"its format is {version}; {_WITHOUT_TRACES} and {_FORMAT} can be read")
    told = msgspec.json.decode(head, type=_Head)
    if told.series + told.traces != len(lines):
        raise ValueError(f"its {len(lines)} lines are not the {told.series} series and {told.traces} traces")
    return told.series
