"""Whole increases of counters, per block and pod; the package says by which rules."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from firedamp.counting.presence import Register, register, remember
from firedamp.counting.scrapes import Scrapes, scrapes
from firedamp.counting.troubles import troubles
from firedamp.counting.values import (
    LOOK_BACK_SECONDS,
    Count,
    Floats,
    Ints,
    Key,
    Memory,
    Samples,
    Series,
    Step,
    Target,
)
from firedamp.model import Block, Row

_BOUND = re.compile(r"[+-]?(?:Inf|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")


@dataclass(frozen=True, slots=True)
class Increases:
    """
    What each sample added to its predecessor.

    Attributes:
        amount: increases, (n,), never negative; 0 for a sample that only says where counting begins.
        reset: the counter began again before this sample, (n,).
        block: index of the block that holds the sample, (n,); -1 outside all blocks.
    """

    amount: Floats
    reset: NDArray[np.bool_]
    block: Ints


def count(
    samples: Samples,
    blocks: Sequence[Block],
    memory: Memory | None,
    *,
    pod_label: str,
    keep_le: bool,
    starts: Mapping[str, float] | None = None,
) -> Count:
    """
    Count what samples brought in each block.

    Args:
        samples: everything after what `memory` has seen; without memory also the look-back before the
            first block, so that it has predecessors.
        blocks: adjoining blocks, ascending; samples after the last one's end are left alone.
        memory: from the count before; None at the first look, and after looks made elsewhere.
        pod_label: label that tells pods apart; a series without it belongs to pod "".
        keep_le: one column per bucket bound, each holding what lies above the bound before.
        starts: Unix time at which each pod's process began, where it is known.
    """
    memory, starts = _continued(samples, memory, starts or {})
    until, after = blocks[-1].end, -np.inf if samples.summed else memory.until
    last = {} if samples.summed else memory.last
    series = _buckets(samples.series) if keep_le else samples.series
    # Sums come at the blocks' edges, however often pods are scraped.
    spaced, longest = not samples.summed, blocks[0].end - blocks[0].start if samples.summed else np.inf
    taken = partial(scrapes, pod_label=pod_label, after=after, until=until, spaced=spaced)
    beside = taken(samples.beside, {}, memory.steps)
    table = taken(series, last, beside.steps)
    book = register(_seen(table, beside), memory, starts, _known(table.steps, longest))
    increases = _increases(table, blocks, book)
    bounds = _bounds(table) if keep_le else ()
    keep_after = until - LOOK_BACK_SECONDS
    counts_something = bool(bounds) or not keep_le  # without bounds there are no columns to fill
    remembered = replace(
        remember(book, keep_after),
        until=until,
        summed=samples.summed,
        last=_last(table, last, keep_after),
    )
    return Count(
        _rows(table, increases, blocks, book, bounds) if counts_something else tuple({} for _ in blocks),
        bounds,
        troubles(table, increases.reset, increases.block, blocks, book, samples.summed),
        replace(remembered, steps={one: table.steps[one] for one in remembered.targets}),
    )


def _continued(
    samples: Samples, memory: Memory | None, starts: Mapping[str, float]
) -> tuple[Memory, Mapping[str, float]]:
    if memory is None:
        return Memory(), starts
    if memory.summed and not samples.summed:
        # Raw series cannot go on where sums ended: each is taken as old and only begins to count.
        return Memory(until=memory.until), {}
    return memory, starts


def _known(steps: Mapping[Target, Step], longest: float) -> dict[Target, float]:
    return {target: min(step.seconds, longest) for target, step in steps.items() if step.distances}


def _seen(table: Scrapes, beside: Scrapes) -> dict[Target, Floats]:
    seen: dict[Target, list[Floats]] = {}
    for part in (table, beside):
        edges = np.searchsorted(part.series, np.arange(len(part.keys) + 1))
        for at, target in enumerate(part.targets):
            seen.setdefault(target, []).append(part.times[edges[at] : edges[at + 1]])
    return {target: np.unique(np.concatenate(times)) for target, times in seen.items()}


def _increases(table: Scrapes, blocks: Sequence[Block], book: Register) -> Increases:
    gaps = np.diff(table.times, prepend=-np.inf)
    has_predecessor = table.follows() & (gaps <= LOOK_BACK_SECONDS)
    steps = np.diff(table.values, prepend=0.0)
    reset = has_predecessor & (steps < 0)
    amount = np.where(reset, table.values, np.where(has_predecessor, steps, 0.0))
    block = _block_of(table.times, blocks)
    young: dict[tuple[Target, float], bool] = {}  # all series of a target begin at the same few scrapes
    for at in np.flatnonzero(~has_predecessor & (block >= 0)):
        first = table.targets[table.series[at]], float(table.times[at])
        if first not in young:
            young[first] = book.counts_from_zero(*first)
        amount[at] = table.values[at] if young[first] else 0.0
    return Increases(np.maximum(amount, 0.0), reset, block)


def _block_of(times: Floats, blocks: Sequence[Block]) -> Ints:
    ends = np.array([block.end for block in blocks])
    begins = np.array([block.start for block in blocks])
    at = np.minimum(np.searchsorted(ends, times), len(blocks) - 1)
    return np.where((times > begins[at]) & (times <= ends[at]), at, -1).astype(np.int64)


def _buckets(series: Sequence[Series]) -> Sequence[Series]:
    """Leave out what is no bucket: series without a readable bound."""
    return [one for one in series if _BOUND.fullmatch(one.labels.get("le", ""))]


def _bounds(table: Scrapes) -> tuple[float, ...]:
    return tuple(sorted({_bound(key) for key in table.keys} | {np.inf})) if table.keys else ()


def _bound(key: Key) -> float:
    return next(float(value) for name, value in key if name == "le")


def _rows(
    table: Scrapes, increases: Increases, blocks: Sequence[Block], book: Register, bounds: tuple[float, ...]
) -> tuple[Mapping[str, Row], ...]:
    pods = sorted(book.pods)
    sums = np.zeros((len(blocks), len(pods), max(1, len(bounds))))
    if len(table.keys):
        booked = increases.block >= 0
        owner = table.series[booked]
        pod, column = _places(table, pods, bounds)
        np.add.at(sums, (increases.block[booked], pod[owner], column[owner]), increases.amount[booked])
    if bounds:
        # A bucket that trails the one below it was scraped in between; counts only grow with the bound.
        sums = np.diff(np.maximum.accumulate(sums, axis=2), prepend=0.0, axis=2)
    present = [set(_block_of(book.pods[pod].times, blocks).tolist()) for pod in pods]
    return tuple(
        {name: tuple(sums[at, i].tolist()) for i, name in enumerate(pods) if at in present[i]}
        for at in range(len(blocks))
    )


def _places(table: Scrapes, pods: Sequence[str], bounds: tuple[float, ...]) -> tuple[Ints, Ints]:
    pod_index = {pod: at for at, pod in enumerate(pods)}
    pod = np.array([pod_index[target[0]] for target in table.targets], dtype=np.int64)
    if not bounds:
        return pod, np.zeros_like(pod)
    bound_index = {bound: at for at, bound in enumerate(bounds)}
    return pod, np.array([bound_index[_bound(key)] for key in table.keys], dtype=np.int64)


def _last(
    table: Scrapes, before: Mapping[Key, tuple[float, float]], keep_after: float
) -> dict[Key, tuple[float, float]]:
    ends = np.searchsorted(table.series, np.arange(len(table.keys)), side="right") - 1
    begins = np.searchsorted(table.series, np.arange(len(table.keys)))
    newest = {
        key: (float(table.times[end]), float(table.values[end]))
        for key, begin, end in zip(table.keys, begins, ends, strict=True)
        if end >= begin
    }
    return {key: sample for key, sample in {**before, **newest}.items() if sample[0] > keep_after}
