"""Answers of the Prometheus HTTP API as arrays; see prometheus.io/docs/prometheus/latest/querying/api."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from firedamp.counting import Floats, Series


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Body(msgspec.Struct, rename="camel"):
    status: str = ""
    data: _Data | None = None
    error: str | None = None
    error_type: str | None = None
    warnings: list[str] | None = None


class _Points(msgspec.Struct):
    """An element of a matrix (values) or of a vector (value); native histograms are left out."""

    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []
    value: tuple[float, str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Series of a matrix or vector, what the server warned of, and the size of it all."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    bytes_read: int = 0


_BODY = msgspec.json.Decoder(_Body)
_RESULT = msgspec.json.Decoder(list[_Points])


def answer(body: bytes, *, after: float = -np.inf, until: float = np.inf) -> Answer:
    """
    Read a successful answer; samples outside (after, until] (Unix seconds) are left out.

    Raises:
        ValueError: the body is no answer of a Prometheus; says why.
    """
    try:
        read = _BODY.decode(body)
        if read.status != "success" or read.data is None:
            raise ValueError(read.error or f"status {read.status!r}")
        if read.data.result_type not in ("matrix", "vector"):
            raise ValueError(f"a {read.data.result_type} where series are expected")
        points = _RESULT.decode(read.data.result)
        return Answer(tuple(_series(points, after, until)), tuple(read.warnings or ()), len(body))
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def complaint(body: bytes) -> str | None:
    """What the server says is wrong, in its own words; None where the body is no Prometheus error."""
    try:
        return _BODY.decode(body).error
    except msgspec.MsgspecError:
        return None


def _series(points: Sequence[_Points], after: float, until: float) -> Iterator[Series]:
    # Thousands of short series: numbers are converted all at once, then cut.
    pairs = [pair for one in points for pair in ([one.value] if one.value else one.values)]
    times: Floats = np.array([pair[0] for pair in pairs], dtype=np.float64)
    values: Floats = np.array([float(pair[1]) for pair in pairs], dtype=np.float64)
    wanted = (times > after) & (times <= until)
    lengths = [1 if one.value else len(one.values) for one in points]
    edges = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    kept = np.concatenate([[0], np.cumsum(wanted)])[edges]
    times, values = times[wanted], values[wanted]
    for one, begin, end in zip(points, kept[:-1].tolist(), kept[1:].tolist(), strict=True):
        if end > begin:
            one.metric.pop("__name__", None)
            yield Series(one.metric, times[begin:end], values[begin:end])
