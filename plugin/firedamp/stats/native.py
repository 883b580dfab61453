"""
Prometheus' native histograms as plain buckets, so that what ranks classic ones ranks these too.

A native histogram has no list of bounds. Its schema gives the width of all buckets, base = 2^(2^-schema):
bucket i holds what lies above base^(i-1) and up to base^i, mirrored below zero, and a zero bucket holds what
is next to it. Populated buckets come in spans: how many indexes to leave out, how many follow. Pods may have
chosen different schemas, for a full histogram halves its resolution; two of them are compared on the
coarser one's buckets, and with the wider zero bucket, which is *exact*: no count is split.

Source: Prometheus documentation, "Native histograms" (specification); bucket bounds and spans as in
prometheus/prometheus, model/histogram/generic.go, getBoundExponential and regularBucketIterator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: (indexes left out since the last span, buckets that follow).
Span = tuple[int, int]
#: (boundary rule, lower bound, upper bound, count), as the HTTP API writes a bucket.
ApiBucket = tuple[int, float, float, float]

_SCHEMAS = range(-4, 9)
_ZERO_RULE = 3
_SAME_WIDTH = 1e-6


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """
    One native histogram.

    Attributes:
        schema: -4 to 8; one more halves the buckets.
        zero_threshold: the zero bucket reaches from minus this to this, ≥ 0.
        zero_count: observations in it, ≥ 0.
        positive: observations by bucket index, > 0.
        negative: likewise, of the mirrored buckets.
    """

    schema: int
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Mapping[int, float] = field(default_factory=dict)
    negative: Mapping[int, float] = field(default_factory=dict)

    @property
    def count(self) -> float:
        """All observations."""
        return math.fsum((self.zero_count, *self.positive.values(), *self.negative.values()))

    def coarsened(self, schema: int) -> NativeHistogram:
        """
        The same with wider buckets; *exact*, for each wide one is made of whole narrow ones.

        Raises:
            ValueError: the schema is finer, for counts cannot be split.
        """
        if schema > self.schema:
            raise ValueError(f"schema {self.schema} cannot become {schema}, which is finer")
        halvings = self.schema - schema
        return replace(
            self,
            schema=schema,
            positive=_joined(self.positive, lambda index: -(-index >> halvings)),
            negative=_joined(self.negative, lambda index: -(-index >> halvings)),
        )


def native_histogram(
    schema: int,
    positive: tuple[Sequence[Span], Sequence[float]] = ((), ()),
    negative: tuple[Sequence[Span], Sequence[float]] = ((), ()),
    *,
    zero: tuple[float, float] = (0.0, 0.0),
    deltas: bool = False,
) -> NativeHistogram:
    """
    Read the wire form. *Exact.*

    Args:
        schema: -4 to 8.
        positive: spans, and the count of each bucket in them, in order.
        negative: likewise.
        zero: threshold and count of the zero bucket.
        deltas: counts are differences to the bucket before, as integer histograms have them.

    Raises:
        ValueError: the schema is unknown (-53 has bounds of its own and needs none of this), spans and
            counts do not fit, or a count is negative or not finite.
    """
    if schema not in _SCHEMAS:
        raise ValueError(f"schema {schema}, expected {_SCHEMAS.start} to {_SCHEMAS.stop - 1}")
    threshold, count = zero
    if not (0 <= threshold < math.inf and 0 <= count < math.inf):
        raise ValueError(f"zero bucket of {count} up to {threshold}, expected finite numbers ≥ 0")
    return NativeHistogram(schema, threshold, count, _read(*positive, deltas), _read(*negative, deltas))


def from_api(buckets: Sequence[ApiBucket]) -> NativeHistogram:
    """
    Read the form of the HTTP API, which gives bounds in place of schema and indexes. *Exact.*

    Args:
        buckets: as in `histogram.buckets`, numbers instead of their texts; rule 3 is the zero bucket.

    Raises:
        ValueError: bounds are those of no schema (custom buckets), or of several.
    """
    zero = [(upper, count) for rule, _, upper, count in buckets if rule == _ZERO_RULE]
    others = [(low, high, count) for rule, low, high, count in buckets if rule != _ZERO_RULE and count]
    schemas = {_schema(*sorted((abs(low), abs(high)))) for low, high, _ in others}
    if len(schemas) > 1 or len(zero) > 1:
        raise ValueError(f"buckets of schemas {sorted(schemas)}, expected one, and one zero bucket at most")
    schema = schemas.pop() if schemas else _SCHEMAS.stop - 1
    return NativeHistogram(
        schema,
        *(zero[0] if zero else (0.0, 0.0)),
        positive={_index(high, schema): count for _, high, count in others if high > 0},
        negative={_index(-low, schema): count for low, high, count in others if high <= 0},
    )


def common_buckets(histograms: Sequence[NativeHistogram]) -> tuple[Floats, Floats]:
    """
    Several native histograms on one list of buckets. *Exact.*

    Args:
        histograms: of any schemas and zero buckets, at least one.

    Returns:
        (buckets,) upper bounds, rising, the last inf; (histograms, buckets) counts. Stretches in which
        none has an observation are one bucket.

    Raises:
        ValueError: there is no histogram.
    """
    if not histograms:
        raise ValueError("no histograms, expected at least one")
    schema = min(histogram.schema for histogram in histograms)
    alike = [histogram.coarsened(schema) for histogram in histograms]
    alike = _one_zero_bucket(alike, max(histogram.zero_threshold for histogram in histograms))
    filled = sorted({cell for histogram in alike for cell in _cells(histogram)})
    bounds = sorted({bound for cell in filled for bound in cell} | {math.inf})
    places = {upper: place for place, upper in enumerate(bounds)}
    counts = np.zeros((len(alike), len(bounds)))
    for row, histogram in zip(counts, alike, strict=True):
        for (_, upper), count in _cells(histogram).items():
            row[places[upper]] += count
    return np.array(bounds), counts


def bucket_bound(index: int, schema: int) -> float:
    """Upper bound of a positive bucket, in (0, inf]; inf beyond the largest float. *Exact* to the float."""
    exponent = index / 2.0**schema
    return 2.0**exponent if exponent < 1024 else math.inf


def _cells(histogram: NativeHistogram) -> dict[tuple[float, float], float]:
    """Counts by lower and upper bound; zero buckets without any are left out."""
    found = {}
    if histogram.zero_count:
        found[(-histogram.zero_threshold, histogram.zero_threshold)] = histogram.zero_count
    for index, count in histogram.positive.items():
        found[_bounds(index, histogram.schema)] = count
    for index, count in histogram.negative.items():
        inner, outer = _bounds(index, histogram.schema)
        found[(-outer, -inner)] = count
    return found


def _bounds(index: int, schema: int) -> tuple[float, float]:
    return bucket_bound(index - 1, schema), bucket_bound(index, schema)


def _one_zero_bucket(histograms: list[NativeHistogram], threshold: float) -> list[NativeHistogram]:
    """All with the widest zero bucket, widened to whole buckets where one reaches over its end."""
    across = [
        outer
        for histogram in histograms
        for index in (*histogram.positive, *histogram.negative)
        for inner, outer in [_bounds(index, histogram.schema)]
        if inner < threshold < outer
    ]
    widest = max((threshold, *across))
    return [_widened(histogram, widest) for histogram in histograms]


def _widened(histogram: NativeHistogram, threshold: float) -> NativeHistogram:
    def outside(buckets: Mapping[int, float]) -> dict[int, float]:
        return {i: n for i, n in buckets.items() if bucket_bound(i, histogram.schema) > threshold}

    kept = replace(
        histogram,
        zero_threshold=threshold,
        positive=outside(histogram.positive),
        negative=outside(histogram.negative),
    )
    swallowed = histogram.count - kept.count
    return replace(kept, zero_count=kept.zero_count + swallowed)


def _read(spans: Sequence[Span], counts: Sequence[float], deltas: bool) -> dict[int, float]:
    values = np.cumsum(counts) if deltas else np.asarray(counts, dtype=np.float64)
    indexes: list[int] = []
    index = 0
    for offset, length in spans:
        index += offset
        indexes.extend(range(index, index + length))
        index += length
    if len(indexes) != values.size or not ((values >= 0) & np.isfinite(values)).all():
        raise ValueError(f"spans {list(spans)} hold {len(indexes)} buckets, counts are {values.tolist()}")
    return {at: float(value) for at, value in zip(indexes, values, strict=True) if value}


def _joined(buckets: Mapping[int, float], place: Callable[[int], int]) -> dict[int, float]:
    found: dict[int, float] = {}
    for index, count in sorted(buckets.items()):
        found[place(index)] = found.get(place(index), 0.0) + count
    return found


def _schema(inner: float, outer: float) -> int:
    width = math.log2(outer / inner) if 0 < inner < outer < math.inf else math.nan
    schema = -math.log2(width) if width > 0 else math.nan
    if math.isnan(schema) or round(schema) not in _SCHEMAS or abs(schema - round(schema)) > _SAME_WIDTH:
        raise ValueError(f"a bucket from {inner} to {outer} is of no standard schema")
    return round(schema)


def _index(outer: float, schema: int) -> int:
    return round(math.log2(outer) * 2.0**schema)
