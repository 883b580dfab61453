"""
Failures whose way up to the visit was not sent.

A collector that forwards roots, entry spans and errors leaves out the spans between. A failed span whose
parents break off before the visit or the root counts as below the first visit, when it began no earlier than
that visit, is no visit itself, and its way up meets no service where flows begin. This may take in a failure
in a sibling's branch, and may miss one on a node whose clock is behind; in both cohorts alike.
"""

from collections.abc import Mapping, Sequence

from firedamp.tracing.spans import Span
from firedamp.tracing.traces import Sought, Trace


def strays_below(trace: Trace, spans: Sequence[Span], sought: Sought) -> bool:
    """Whether a failed span of unknown ancestry is taken for one below the first visit."""
    if not trace.visits:
        return False
    held = {span.span_id: span for span in spans}
    visit = min(
        (span for span in spans if _visits(span, sought)), key=lambda span: (span.start, span.span_id)
    )
    above = {root.service for root in sought.roots} | ({trace.root.service} if trace.root else set())
    around = {span.span_id for span in _way_up(visit, held)}
    return any(
        span.start >= visit.start and _strays(_way_up(span, held), held, above, around)
        for span in spans
        if span.failed and not _visits(span, sought)
    )


def _visits(span: Span, sought: Sought) -> bool:
    return span.enters and span.service in sought.services


def _strays(way: Sequence[Span], held: Mapping[str, Span], above: set[str], around: set[str]) -> bool:
    """Whether a way up breaks off, and meets neither the visit's nor a service where flows begin."""
    top = way[-1].parent_id
    met = any(span.service in above or span.span_id in around for span in way)
    return bool(top) and top not in held and not met


def _way_up(span: Span, held: Mapping[str, Span]) -> list[Span]:
    """From a span to the last ancestor that is held, each once."""
    way = {span.span_id: span}
    while (span := held.get(span.parent_id, span)).span_id not in way:
        way[span.span_id] = span
    return list(way.values())
