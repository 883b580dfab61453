"""Asking for sums: which blocks, what is fetched raw beside them, and what could not be had."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from firedamp.counting import LOOK_BACK_SECONDS, Samples, one_replica
from firedamp.ports import Span
from firedamp.queries import Matcher, Op, Selector, literal
from firedamp.sources._client import AnswerTooLargeError
from firedamp.sources._http import PrometheusSettings
from firedamp.sources.prometheus import ask, sums, wire
from firedamp.sources.prometheus.client import Client
from firedamp.sources.prometheus.deadline import Deadline, milliseconds


@dataclass(frozen=True, slots=True)
class Wide:
    """
    A counter with too many series to fetch.

    Attributes:
        series: how many there are, about.
        keep_le: it is made of buckets, which are kept apart.
    """

    selector: Selector
    series: int
    keep_le: bool


async def summed(
    client: Client, settings: PrometheusSettings, wide: Wide, span: Span, deadline: Deadline
) -> Samples:
    """
    Fetch sums per target, and raw series of the pods whose sums hide a reset.

    Raises:
        SourceError: as of `ports.Source.samples`.
    """
    start, edges = blocks(span)
    labels = (*settings.pod_labels, "instance", *settings.replica_labels)
    asked = [await _run(client, wide, run, labels, deadline) for run in sums.runs(edges)]
    answers = [answer for _, some in asked for answer in some]
    found = sums.joined([one for one, _ in asked])
    reset = sums.reset_pods(found, start, settings.pod_labels)
    allowed = reset[: _affordable(settings, wide, sums.pods(found, settings.pod_labels))]
    warnings = [warning for answer in answers for warning in answer.warnings]
    try:
        raw = await _raw(client, wide.selector, allowed, (edges[0] / 1000, span.end), deadline)
    except AnswerTooLargeError:
        allowed, raw = [], wire.Answer(())
    if missed := reset[len(allowed) :]:
        names = ", ".join(name for _, name in missed)
        warnings.append(f"counters of {names} began again and are too many to count one by one")
    growing = [
        one
        for one in sums.growing(edges, found)
        if sums.pod_of(one.labels, settings.pod_labels) not in allowed
    ]
    return Samples(
        one_replica([*growing, *raw.series], settings.replica_labels),
        tuple(dict.fromkeys([*warnings, *raw.warnings])),
        summed=True,
        bytes_read=sum(answer.bytes_read for answer in [*answers, raw]),
    )


def blocks(span: Span) -> tuple[int, list[int]]:
    """
    Earliest start of the first wanted block, and the edges of all blocks to ask for, in Unix milliseconds.

    A span does not say where its first block starts; several ends do, by their distance. For a single end
    there are two places, and both become edges, since more edges than needed change no count: one
    look-back after the span's begin (a release opens), and half-way (a look fetches one block more than
    is new, or exactly what is new).
    """
    begin, ends = milliseconds(span.begin), [milliseconds(end) for end in span.ends]
    look_back = int(1000 * LOOK_BACK_SECONDS)
    if len(ends) > 1:
        start = ends[0] - (ends[1] - ends[0])
        # One earlier block, where the span has room for it, shows who had been scraped before.
        return start, [edge for edge in (2 * start - ends[0], start, *ends) if edge >= begin]
    half = (begin + ends[0]) // 2
    if ends[0] - begin <= look_back:
        return begin, sorted({begin, half, ends[0]})
    start = begin + look_back
    return min(start, half), sorted({half, start, ends[0]})


async def _run(
    client: Client, wide: Wide, run: sums.Run, labels: Sequence[str], deadline: Deadline
) -> tuple[sums.Sums, list[wire.Answer]]:
    asked = sums.questions(wide.selector, run.block_ms, labels, keep_le=wide.keep_le)
    grid = (run.edges[1], run.edges[-1], run.block_ms)
    answers = await asyncio.gather(
        *(
            ask.at_steps(client, query, grid, deadline)
            for query in (asked.after, asked.before, asked.resets_after, asked.resets_before, asked.scraped)
        )
    )
    after, before, later, earlier, scraped = (sums.table(answer.series) for answer in answers)
    return sums.Sums(after, before, sums.new_resets(later, earlier), scraped), answers


def _affordable(settings: PrometheusSettings, wide: Wide, pods: int) -> int:
    return max(1, settings.max_series * max(1, pods) // max(1, wide.series))


async def _raw(
    client: Client,
    selector: Selector,
    pods: Sequence[tuple[str, str]],
    between: tuple[float, float],
    deadline: Deadline,
) -> wire.Answer:
    labels = dict.fromkeys(label for label, _ in pods)
    each = [
        selector.where(
            Matcher(one, Op.MATCH, "|".join(literal(name) for label, name in pods if label == one))
        )
        for one in labels
    ]
    begin, end = between[0] - LOOK_BACK_SECONDS, between[1]
    answers = [await ask.raw(client, one.promql(), begin, end, deadline) for one in each]
    return wire.Answer(
        tuple(series for answer in answers for series in answer.series),
        tuple(warning for answer in answers for warning in answer.warnings),
        sum(answer.bytes_read for answer in answers),
    )
